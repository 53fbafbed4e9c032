//! A vendor's addresses and credentials and the variables that are set → its connection: the first complete
//! credentials at the first address that accepts them.

use std::collections::BTreeMap;
use std::time::Duration;

use url::Url;

use super::Environment;
use super::address::{self, ConfiguredAddress, OpenRoot};
use super::credentials::{self, CompleteCredentials};
use super::servers::servers;
use super::settings::{self, ChosenSettings, ConfiguredSetting};
use super::sign_ins::{site_source, with_site};
use super::tls::{self, ConfiguredTls};
use crate::error::ConfigError;
use crate::upstream::{AccountSignIn, Credentials, PaceShare, RateLimits, Servers, SettingHeader, Tls, Unencrypted};
use toolwright_model::{Address, Refusal, Vendor, api_id};

/// A vendor's address, the credentials for it, and the bounds of calls to it.
#[derive(Debug, Clone)]
pub struct ConnectionConfig {
    /// The root of the description's paths; of several APIs, the one that most have, of those that are known as a whole.
    pub base: Url,
    /// The root of each API, by its id; empty where `base` is the root of all.
    pub roots: BTreeMap<String, Url>,
    /// By API id, the roots with ids that the vendor is asked for; `roots` has the ids' names in their place.
    pub open_roots: BTreeMap<String, OpenRoot>,
    /// The addresses of operations that have their own.
    pub servers: Servers,
    /// The variables that hold the address, for `doctor`.
    pub address_source: String,
    /// Whether no variable of the address is set, so that its default applies.
    pub address_is_default: bool,
    /// What authenticates each request.
    pub credentials: Credentials,
    /// The kind of the credentials and their variables, for `doctor`.
    pub credentials_source: String,
    /// What its certificate is checked against, and the certificate that is shown to it.
    pub tls: Tls,
    /// The variables that hold certificates, for `doctor`; empty where there are none.
    pub tls_source: String,
    /// The headers that name the tenant.
    pub settings: Vec<ConfiguredSetting>,
    /// The advice on refusals of the vendor that applies to this address and these credentials.
    pub refusals: Vec<Refusal>,
    /// The time limit of a call.
    pub timeout: Duration,
    /// The vendor's rate limits; none in the sandbox.
    pub rate_limits: RateLimits,
}

impl ConnectionConfig {
    /// A connection with an address and credentials only.
    pub fn new(base: Url, credentials: Credentials, timeout: Duration) -> Self {
        Self {
            base,
            roots: BTreeMap::new(),
            open_roots: BTreeMap::new(),
            servers: Servers::default(),
            address_source: String::new(),
            address_is_default: false,
            credentials,
            credentials_source: String::new(),
            tls: Tls::default(),
            tls_source: String::new(),
            settings: Vec::new(),
            refusals: Vec::new(),
            timeout,
            rate_limits: RateLimits::default(),
        }
    }

    /// The root of this API's paths.
    pub fn root(&self, api: &str) -> &Url {
        self.roots.get(api).unwrap_or(&self.base)
    }

    /// The vendor file's advice on an answer of this API that refuses the credentials.
    pub fn explain(&self, api: &str, status: u16, answer: &str) -> Option<&str> {
        let answer = answer.to_lowercase();
        let fits = |refusal: &&Refusal| {
            refusal.status == status
                && (refusal.apis.is_empty() || refusal.apis.iter().any(|one| one == api))
                && refusal.text.as_ref().is_none_or(|text| answer.contains(&text.to_lowercase()))
        };
        self.refusals.iter().find(fits).map(|refusal| refusal.say.as_str())
    }

    /// An HTTP client that sends credentials and settings with every request: for the typed clients of
    /// the cargo feature `typed`, with [`ConnectionConfig::address`] as their address.
    ///
    /// # Errors
    /// TLS can't be set up, or the credentials are tokens that have to be renewed.
    pub fn http_client(&self) -> Result<reqwest::Client, ConfigError> {
        if self.credentials.are_renewed() {
            return Err(ConfigError::new("a typed client can't renew tokens: take another kind of credentials"));
        }
        let settings = self.sent(&ChosenSettings::default())?;
        crate::upstream::http_client(&self.base, &self.tls, self.timeout, Some(&self.credentials), &settings)
    }

    /// The setting headers for a caller's choice.
    ///
    /// # Errors
    /// A value is no valid header.
    pub(crate) fn sent(&self, chosen: &ChosenSettings) -> Result<Vec<SettingHeader>, ConfigError> {
        let sent = self.settings.iter().filter_map(|one| Some((one, one.value_for(chosen)?)));
        let header = |(one, value): (&ConfiguredSetting, &str)| {
            SettingHeader::new(&one.setting.header, value)
                .map_err(|error| ConfigError::new(format!("`{}` {error}", one.setting.variable)))
        };
        sent.map(header).collect()
    }

    /// The address without a slash at the end, as the typed clients take it.
    pub fn address(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }
}

/// Resolves a vendor's connection. `None` where nothing of it is configured. Its address may be `http` as far as
/// `unencrypted` allows.
///
/// # Errors
/// The configuration is incomplete or wrong; the error names the variable.
pub fn connection(
    vendor: &Vendor,
    env: Environment<'_>,
    unencrypted: Unencrypted,
) -> Result<Option<ConnectionConfig>, ConfigError> {
    let (all, partial) = credentials::complete(vendor, env)?;
    let addresses = match address::configured(vendor, env) {
        // Incomplete credentials are reported first.
        Err(error) if partial.is_none() || !all.is_empty() => return Err(error),
        Err(_) => Vec::new(),
        Ok(addresses) => addresses,
    };
    if all.is_empty() {
        let reason = match (partial, addresses.iter().find(|address| !address.by_default)) {
            (Some(missing), _) => format!("`{missing}` is not set"),
            (None, Some(set)) => format!("`{}` is set, and no credentials are", set.address.variable),
            (None, None) => return Ok(None),
        };
        let hint = credentials::alternatives(vendor);
        return Err(ConfigError::new(format!("{}: {reason}\nhint: set {hint}", vendor.title)));
    }
    made(vendor, &all, &addresses, env, unencrypted).map(Some)
}

/// As [`connection`], for an account that a person has signed in for, or is to: the sign-in counts before any other
/// credentials that are set, and other credentials count until somebody has signed in.
///
/// # Errors
/// As [`connection`].
pub(super) fn signed_in_connection(
    vendor: &Vendor,
    env: Environment<'_>,
    unencrypted: Unencrypted,
    sign_in: &AccountSignIn,
) -> Result<Option<ConnectionConfig>, ConfigError> {
    let (mut all, _) = credentials::complete(vendor, env)?;
    let Some(signed_in) = credentials::signed_in(vendor, env, sign_in)? else {
        return connection(vendor, env, unencrypted);
    };
    if sign_in.known.is_none() && !all.is_empty() {
        return connection(vendor, env, unencrypted);
    }
    all.retain(|other| !std::ptr::eq(other.credential, signed_in.credential));
    all.insert(0, signed_in);
    let source = site_source(vendor, env, sign_in)?;
    let env = |variable: &str| with_site(vendor, env, sign_in, variable);
    let addresses = address::configured(vendor, &env)?;
    let made = made(vendor, &all, &addresses, &env, unencrypted)?;
    Ok(Some(ConnectionConfig { address_source: source.unwrap_or_else(|| made.address_source.clone()), ..made }))
}

/// Makes the connection of the first credentials at the first address that accepts them.
fn made(
    vendor: &Vendor,
    all: &[CompleteCredentials<'_>],
    addresses: &[ConfiguredAddress<'_>],
    env: Environment<'_>,
    unencrypted: Unencrypted,
) -> Result<ConnectionConfig, ConfigError> {
    let pairs = all.iter().flat_map(|credentials| addresses.iter().map(move |address| (credentials, address)));
    let accepted = pairs.into_iter().find(|(credentials, at)| credentials.credential.works_at(&at.address.name));
    let Some((complete, at)) = accepted else { return Err(not_accepted(vendor, &all[0], addresses)) };
    let roots = at.roots(vendor, unencrypted)?;
    let ConfiguredTls { tls, source: tls_source } = tls::tls(vendor, env)?;
    let kind = complete.credential.kind();
    let credentials = complete.credentials(vendor, at, &tls)?;
    Ok(ConnectionConfig {
        servers: servers(vendor, at, &roots.base, env, unencrypted)?,
        base: roots.base,
        roots: roots.roots,
        open_roots: roots.open,
        address_source: at.source(),
        address_is_default: at.by_default,
        credentials: credentials::by_scheme(vendor, (complete, credentials), all, at, &tls)?,
        credentials_source: complete.source(),
        tls,
        tls_source,
        settings: settings::settings(vendor, env)?,
        refusals: refusals(vendor, &at.address.name, kind),
        timeout: Duration::from_secs(vendor.limits.timeout_seconds),
        rate_limits: rate_limits(vendor),
    })
}

/// Resolves the address alone to which callers bring their own credentials; `None` where the vendor takes none of
/// callers, or no address is set at which those work.
///
/// # Errors
/// A variable's value is wrong; the error names the variable.
pub(super) fn address_alone(
    vendor: &Vendor,
    env: Environment<'_>,
    unencrypted: Unencrypted,
) -> Result<Option<ConnectionConfig>, ConfigError> {
    let Some(inbound) = &vendor.inbound else { return Ok(None) };
    let addresses = address::configured(vendor, env)?;
    let Some(at) = addresses.iter().find(|at| inbound.works_at(&at.address.name)) else { return Ok(None) };
    let roots = at.roots(vendor, unencrypted)?;
    let ConfiguredTls { tls, source: tls_source } = tls::tls(vendor, env)?;
    Ok(Some(ConnectionConfig {
        servers: servers(vendor, at, &roots.base, env, unencrypted)?,
        base: roots.base,
        roots: roots.roots,
        open_roots: roots.open,
        address_source: at.source(),
        address_is_default: at.by_default,
        credentials: Credentials::missing(),
        credentials_source: format!("{} that each caller brings", inbound.token),
        tls,
        tls_source,
        settings: settings::settings(vendor, env)?,
        // Advice on a kind of credentials names the operator's variables.
        refusals: refusals(vendor, &at.address.name, "of a caller"),
        timeout: Duration::from_secs(vendor.limits.timeout_seconds),
        rate_limits: rate_limits(vendor),
    }))
}

/// The advice on refusals that applies to an address and a kind of credentials, with the ids of APIs.
fn refusals(vendor: &Vendor, address: &str, kind: &str) -> Vec<Refusal> {
    let applies = |refusal: &&Refusal| {
        let listed = |list: &[String], word: &str| list.is_empty() || list.iter().any(|one| one == word);
        listed(&refusal.at, address) && listed(&refusal.kinds, kind)
    };
    let with_ids = |refusal: &Refusal| {
        let apis = refusal.apis.iter().map(|stem| api_id(stem, &vendor.id)).collect();
        Refusal { apis, ..refusal.clone() }
    };
    vendor.refusals.iter().filter(applies).map(with_ids).collect()
}

fn rate_limits(vendor: &Vendor) -> RateLimits {
    let limits = &vendor.limits;
    RateLimits {
        requests_per_minute: limits.requests_per_minute,
        in_flight: limits.in_flight,
        record_limit_reasons: limits.record_limit_reasons.clone(),
        share: PaceShare::default(),
    }
}

/// The error that no address accepts the credentials.
fn not_accepted(
    vendor: &Vendor,
    complete: &CompleteCredentials<'_>,
    addresses: &[ConfiguredAddress<'_>],
) -> ConfigError {
    let accepting: Vec<&Address> =
        vendor.addresses.iter().filter(|address| complete.credential.works_at(&address.name)).collect();
    let variables: Vec<&str> = accepting.iter().map(|address| address.variable.as_str()).collect();
    let examples: Vec<String> =
        accepting.iter().map(|address| address::example(address, address.variable.as_str())).collect();
    let hint = examples.join("; or ");
    match addresses.first() {
        None => ConfigError::new(format!("{}: `{}` is not set\nhint: {hint}", vendor.title, variables.join("` or `"))),
        Some(configured) => ConfigError::new(format!(
            "{}: `{}` does not work at the address in `{}`\nhint: set `{}`, {hint}",
            vendor.title,
            complete.variables().join("`, `"),
            configured.address.variable,
            variables.join("` or `"),
        )),
    }
}
