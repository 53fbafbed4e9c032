//! `--access oauth`, `--issuer` and `[[grants]]` → how access tokens are taken.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use clap::Args;

use super::CommandError;
use super::reload::GrantsReload;
use super::selection::environment;
use crate::access::links::Links;
use crate::access::oauth::{
    AuthorizationServer, ClaimGrants, GrantsInUse, IssuedTokens, Issuer, IssuerTokens, LOGIN_CALLBACK,
    ProtectedResource, ProviderLogin, RedirectHosts, RelyingParty,
};
use crate::access::{Mode, Scopes, ServerPolicy};
use crate::config::{client_secret, settings_oauth};
use crate::error::ConfigError;
use crate::server::http::HttpServer;
use crate::server::http::admin::AccountState;
use toolwright_model::{ClaimGrant, LoginSettings, OauthSettings};

/// The table of toolwright.toml that has people sign in, in messages.
const LOGIN: &str = "[oauth.login]";
/// For how many hours what a person allows may last.
const LASTS_HOURS: std::ops::RangeInclusive<u32> = 1..=720;

/// `--issuer`
#[derive(Debug, Clone, Default, Args)]
pub(super) struct OauthArguments {
    /// With --access oauth: take access tokens of this identity provider, as it names itself, such as
    /// https://id.example.com; `[[grants]]` in toolwright.toml state what their bearers may do. Without it this server issues
    /// access tokens itself
    #[arg(long, value_name = "URL", requires = "http")]
    issuer: Option<String>,
}

/// How a server takes access tokens.
pub(super) struct ServedOauth {
    resource: Arc<ProtectedResource>,
    mode: Arc<dyn Mode>,
    /// Issues them, where no identity provider does.
    server: Option<Arc<AuthorizationServer>>,
    /// How `[[grants]]` are read again, where they are in use.
    reload: Option<GrantsReload>,
}

/// What the settings file and the server's own flags give to `[[grants]]`.
struct Granting<'a> {
    config: Option<&'a Path>,
    settings: (OauthSettings, Vec<ClaimGrant>),
    policy: &'a ServerPolicy,
    /// The vendor of each account.
    accounts: BTreeMap<String, String>,
}

impl Granting<'_> {
    /// The entries, and how they are read again.
    fn grants(&self) -> Result<(GrantsInUse, GrantsReload), ConfigError> {
        let grants = GrantsInUse::new(ClaimGrants::new(&self.settings.1, &self.accounts, self.policy)?);
        let (settings, accounts) = (self.settings.clone(), self.accounts.clone());
        let reload = GrantsReload::new(self.config, settings, accounts, self.policy.clone(), grants.clone());
        Ok((grants, reload))
    }
}

impl OauthArguments {
    /// Refuses `--issuer` where access tokens are not taken: it would look as if they were.
    pub(super) fn refuse_without(&self, is_asked_for: bool) -> Result<(), ConfigError> {
        if self.has_issuer() && !is_asked_for {
            return Err(ConfigError::new("`--issuer` has no effect without `--access oauth`\nhint: add it"));
        }
        Ok(())
    }

    /// Whether an identity provider issues the tokens.
    pub(super) fn has_issuer(&self) -> bool {
        self.issuer.is_some()
    }

    /// Finds who issues tokens for a server at `origin`: the identity provider, or the server itself for those who bring its
    /// links.
    pub(super) async fn open(
        &self,
        origin: &str,
        config: Option<&Path>,
        policy: &ServerPolicy,
        accounts: &[AccountState],
        links: Option<&Arc<Links>>,
        is_alone: bool,
    ) -> Result<ServedOauth, CommandError> {
        let settings = settings_oauth(config, &environment)?;
        let offered = policy.catalog().entries().iter().filter(|entry| policy.selection().decide(entry).is_ok());
        let scopes = Scopes::widest_of(offered);
        let accounts = accounts.iter().map(|account| (account.name.clone(), account.vendor.clone())).collect();
        let granting = Granting { config, settings, policy, accounts };
        match (&self.issuer, links) {
            (Some(issuer), _) => of_issuer(issuer, origin, granting, scopes, is_alone).await,
            (None, Some(links)) => of_this_server(origin, granting, scopes, links, is_alone).await,
            (None, None) => Err(ConfigError::new("`--access oauth` needs a store, or `--issuer`").into()),
        }
    }
}

/// Finds the identity provider, and checks what its tokens are to permit.
async fn of_issuer(
    issuer: &str,
    origin: &str,
    granting: Granting<'_>,
    scopes: Scopes,
    is_alone: bool,
) -> Result<ServedOauth, CommandError> {
    if granting.settings.0.login.is_some() {
        return Err(ConfigError::new(format!(
            "`{LOGIN}` in toolwright.toml has no effect with `--issuer`, which has the provider issue the tokens\n\
             hint: leave out one of them"
        ))
        .into());
    }
    let (grants, reload) = granting.grants()?;
    let (settings, policy) = (granting.settings.0, granting.policy);
    let issuer = Issuer::discover(issuer).await?;
    let scopes = if settings.require_scopes { scopes } else { Scopes::default() };
    let resource = Arc::new(ProtectedResource::new(origin, issuer.identifier(), scopes));
    let tokens = IssuerTokens::new(issuer, Arc::clone(&resource), grants, policy.clone(), SystemTime::now)
        .for_audience(settings.audience);
    let tokens = if settings.require_scopes { tokens } else { tokens.without_scopes() };
    let tokens = if is_alone { tokens } else { tokens.beside_others() };
    Ok(ServedOauth { resource, mode: Arc::new(tokens), server: None, reload: Some(reload) })
}

/// Has this server issue tokens, to those who bring its links, and to those who sign in where the settings have a provider.
async fn of_this_server(
    origin: &str,
    granting: Granting<'_>,
    scopes: Scopes,
    links: &Arc<Links>,
    is_alone: bool,
) -> Result<ServedOauth, CommandError> {
    let hosts = RedirectHosts::new(&granting.settings.0.redirect_hosts)?;
    let (login, reload) = match &granting.settings.0.login {
        Some(settings) => {
            let (grants, reload) = granting.grants()?;
            (Some(Arc::new(login(settings, origin, grants).await?)), Some(reload))
        }
        None => (None, None),
    };
    let resource = Arc::new(ProtectedResource::new(origin, origin, scopes));
    let tokens = IssuedTokens::new(Arc::clone(links), Arc::clone(&resource), is_alone, SystemTime::now);
    let tokens = tokens.with_login(login.clone());
    let server = AuthorizationServer::new(Arc::clone(links), Arc::clone(&resource), hosts, SystemTime::now)?;
    let server = Arc::new(server.with_login(login));
    Ok(ServedOauth { resource, mode: Arc::new(tokens), server: Some(server), reload })
}

/// Finds the provider at which people sign in who allow a client.
async fn login(settings: &LoginSettings, origin: &str, grants: GrantsInUse) -> Result<ProviderLogin, ConfigError> {
    if !LASTS_HOURS.contains(&settings.lasts_hours) {
        return Err(ConfigError::new(format!(
            "`lasts_hours` of `{LOGIN}` is {}: it is between {} and {}",
            settings.lasts_hours,
            LASTS_HOURS.start(),
            LASTS_HOURS.end()
        )));
    }
    let client = settings.client();
    let secret = client_secret(&client, LOGIN)?;
    let redirect = format!("{}{LOGIN_CALLBACK}", origin.trim_end_matches('/'));
    let party = RelyingParty::discover(&client, secret, &redirect, &format!("{LOGIN} issuer")).await?;
    Ok(ProviderLogin::new(party, grants, Duration::from_hours(u64::from(settings.lasts_hours))))
}

impl ServedOauth {
    /// Has a server tell clients who issues tokens for it, and issue them where it does so itself.
    pub(super) fn describe(&self, http: HttpServer) -> HttpServer {
        let http = http.with_protected_resource(Arc::clone(&self.resource));
        match &self.server {
            Some(server) => http.with_authorization_server(Arc::clone(server)),
            None => http,
        }
    }

    /// How `[[grants]]` are read again.
    pub(super) fn take_reload(&mut self) -> Option<GrantsReload> {
        self.reload.take()
    }

    /// What takes the tokens.
    pub(super) fn into_mode(self) -> Arc<dyn Mode> {
        self.mode
    }
}
