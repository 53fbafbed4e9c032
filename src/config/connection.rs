//! A vendor's addresses and credentials, and the variables that are set → its connection: the
//! first credentials that are complete, at the first address at which they work.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use super::address::{self, Found};
use super::settings::{self, ChosenSettings, Configured};
use super::{Environment, value};
use crate::error::ConfigError;
use crate::upstream::{ClientAuthentication, Credentials, RateLimits, SettingHeader, TokenRequest, parse_address};
use toolwright_model::{Address, ClientSecret, Credential, Refusal, Template, Vendor};

/// Where a vendor is and as whom it is called.
#[derive(Debug, Clone)]
pub struct ConnectionConfig {
    /// The root under which the description's paths lie; of several APIs, the first one's.
    pub base: Url,
    /// The root of each API, by its id; empty where `base` is the root of all.
    pub roots: BTreeMap<String, Url>,
    /// How the address was given, for `doctor`.
    pub place: String,
    /// Who is calling.
    pub credentials: Credentials,
    /// How the credentials were given, for `doctor`: kind and variables.
    pub source: String,
    /// What is sent besides, for whom the vendor is to act.
    pub settings: Vec<Configured>,
    /// What to say when the vendor refuses who is calling: those that hold for this connection.
    pub refusals: Vec<Refusal>,
    /// How long a call may take.
    pub timeout: Duration,
    /// How fast the vendor may be asked; not at all bounded in the sandbox.
    pub pace: RateLimits,
}

impl ConnectionConfig {
    /// A connection with an address and credentials, and nothing besides.
    pub fn new(base: Url, credentials: Credentials, timeout: Duration) -> Self {
        Self {
            base,
            roots: BTreeMap::new(),
            place: String::new(),
            credentials,
            source: String::new(),
            settings: Vec::new(),
            refusals: Vec::new(),
            timeout,
            pace: RateLimits::default(),
        }
    }

    /// The root under which the paths of this API lie.
    pub fn root(&self, api: &str) -> &Url {
        self.roots.get(api).unwrap_or(&self.base)
    }

    /// What the vendor's file says of an answer that refuses who is calling.
    pub fn explain(&self, status: u16, answer: &str) -> Option<&str> {
        let answer = answer.to_lowercase();
        let fits = |refusal: &&Refusal| {
            refusal.status == status && refusal.text.as_ref().is_none_or(|text| answer.contains(&text.to_lowercase()))
        };
        self.refusals.iter().find(fits).map(|refusal| refusal.say.as_str())
    }

    /// An HTTP client that sends credentials and settings with every request: for the typed clients of
    /// the cargo feature `typed`, with [`ConnectionConfig::address`] as their address.
    ///
    /// # Errors
    /// The system's TLS can't be set up, or the credentials are tokens that have to be renewed.
    pub fn http_client(&self) -> Result<reqwest::Client, ConfigError> {
        if self.credentials.are_renewed() {
            return Err(ConfigError::new("a typed client can't renew tokens: take another kind of credentials"));
        }
        crate::upstream::http_client(self.timeout, Some(&self.credentials), &self.sent(&ChosenSettings::default())?)
    }

    /// The settings that are sent for a connection that has chosen.
    ///
    /// # Errors
    /// One of them is no header.
    pub fn sent(&self, chosen: &ChosenSettings) -> Result<Vec<SettingHeader>, ConfigError> {
        let sent = self.settings.iter().filter_map(|one| Some((one, one.value_for(chosen)?)));
        let header = |(one, value): (&Configured, &str)| {
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

/// Resolves a vendor's connection. `None` where nothing of it is configured.
///
/// # Errors
/// Something is configured and something is missing or wrong; says which variable.
pub fn connection(vendor: &Vendor, env: Environment<'_>) -> Result<Option<ConnectionConfig>, ConfigError> {
    let (complete, partial) = credentials(vendor, env)?;
    let addresses = match address::found(vendor, env) {
        // Whatever is wrong with the credentials is said first: it is what a person sets last.
        Err(error) if partial.is_none() || !complete.is_empty() => return Err(error),
        Err(_) => Vec::new(),
        Ok(addresses) => addresses,
    };
    if complete.is_empty() {
        let complaint = match (partial, addresses.iter().find(|found| !found.by_default)) {
            (Some(missing), _) => format!("`{missing}` is not set"),
            (None, Some(found)) => format!("`{}` is set, and no credentials are", found.address.variable),
            (None, None) => return Ok(None),
        };
        let hint = alternatives(vendor);
        return Err(ConfigError::new(format!("{}: {complaint}\nhint: set {hint}", vendor.title)));
    }
    let pairs = complete.iter().flat_map(|given| addresses.iter().map(move |found| (given, found)));
    let fitting = pairs.into_iter().find(|(given, found)| given.credential.works_at(&found.address.name));
    let Some((given, found)) = fitting else { return Err(no_pair(vendor, &complete[0], &addresses)) };
    let roots = found.roots(vendor)?;
    let kind = given.credential.kind();
    let holds = |refusal: &&Refusal| {
        let listed = |list: &[String], word: &str| list.is_empty() || list.iter().any(|one| one == word);
        listed(&refusal.at, &found.address.name) && listed(&refusal.kinds, kind)
    };
    let limits = &vendor.limits;
    Ok(Some(ConnectionConfig {
        base: roots.base,
        roots: roots.roots,
        place: found.source(),
        credentials: given.credentials(vendor, found)?,
        source: format!("{} from {}", title(given.credential), given.variables().join(" and ")),
        settings: settings::settings(vendor, env)?,
        refusals: vendor.refusals.iter().filter(holds).cloned().collect(),
        timeout: Duration::from_secs(limits.timeout_seconds),
        pace: RateLimits { requests_per_minute: limits.requests_per_minute, in_flight: limits.in_flight },
    }))
}

/// Credentials whose variables are all set.
struct Given<'v> {
    credential: &'v Credential,
    values: Vec<(&'v str, String)>,
}

/// Returns the credentials that are complete, and what the first of those is missing that are not.
fn credentials<'v>(vendor: &'v Vendor, env: Environment<'_>) -> Result<(Vec<Given<'v>>, Option<String>), ConfigError> {
    let mut complete = Vec::new();
    let mut partial = None;
    for credential in &vendor.credentials {
        let mut values = Vec::new();
        let mut missing = Vec::new();
        for variable in credential.variables() {
            let is_file = matches!(credential, Credential::OauthRefresh { refresh_token_file, .. } if refresh_token_file == variable);
            let given = if is_file { named_file(variable, env)? } else { value(variable, env)? };
            match given {
                Some(value) => values.push((variable, value)),
                None => missing.push(variable),
            }
        }
        if missing.is_empty() {
            complete.push(Given { credential, values });
        } else if !values.is_empty() && partial.is_none() {
            partial = Some(missing.join("`, `"));
        }
    }
    Ok((complete, partial))
}

/// The path in a variable whose file is rewritten: an environment alone can't hold it.
fn named_file(variable: &str, env: Environment<'_>) -> Result<Option<String>, ConfigError> {
    let path = env(variable).filter(|path| !path.is_empty());
    let bare = variable.strip_suffix("_FILE").unwrap_or(variable);
    if path.is_none() && bare != variable && env(bare).is_some_and(|value| !value.trim().is_empty()) {
        return Err(ConfigError::new(format!(
            "`{bare}` holds a refresh token, which is replaced each time it is used\n\
             hint: put it into a file that only you can read, and name the file in `{variable}`"
        )));
    }
    Ok(path)
}

/// The complaint that nothing that is set fits together.
fn no_pair(vendor: &Vendor, given: &Given<'_>, addresses: &[Found<'_>]) -> ConfigError {
    let fitting: Vec<&Address> =
        vendor.addresses.iter().filter(|address| given.credential.works_at(&address.name)).collect();
    let variables: Vec<&str> = fitting.iter().map(|address| address.variable.as_str()).collect();
    let examples: Vec<String> =
        fitting.iter().map(|fitting| address::example(fitting, fitting.variable.as_str())).collect();
    let hint = examples.join("; or ");
    match addresses.first() {
        None => ConfigError::new(format!("{}: `{}` is not set\nhint: {hint}", vendor.title, variables.join("` or `"))),
        Some(found) => ConfigError::new(format!(
            "{}: `{}` does not work at the address in `{}`\nhint: set `{}`, {hint}",
            vendor.title,
            given.variables().join("`, `"),
            found.address.variable,
            variables.join("` or `"),
        )),
    }
}

impl Given<'_> {
    fn variables(&self) -> Vec<&str> {
        self.values.iter().map(|(variable, _)| *variable).collect()
    }

    /// Makes what proves who is calling.
    fn credentials(&self, vendor: &Vendor, found: &Found<'_>) -> Result<Credentials, ConfigError> {
        let value = |index: usize| self.values.get(index).map(|(_, value)| value.as_str()).unwrap_or_default();
        let made = match self.credential {
            Credential::Bearer { .. } => Credentials::bearer(value(0)),
            Credential::Basic { .. } => Credentials::basic(value(0), value(1)),
            Credential::Header { header, further, .. } => {
                let names = std::iter::once(header).chain(further.keys()).map(String::as_str);
                Credentials::headers(names.zip(self.values.iter().map(|(_, value)| value.as_str())))
            }
            Credential::OauthRefresh { endpoint, client, .. } => {
                return Ok(Credentials::renewed(TokenRequest {
                    vendor: vendor.title.clone(),
                    endpoint: self::endpoint(vendor, endpoint, found)?,
                    client: authentication(*client),
                    client_id: value(0).to_owned(),
                    client_secret: value(1).to_owned(),
                    scope: None,
                    refresh_token_file: Some((self.variables()[2].to_owned(), PathBuf::from(value(2)))),
                }));
            }
            Credential::OauthClient { endpoint, client, scope, .. } => {
                return Ok(Credentials::renewed(TokenRequest {
                    vendor: vendor.title.clone(),
                    endpoint: self::endpoint(vendor, endpoint, found)?,
                    client: authentication(*client),
                    client_id: value(0).to_owned(),
                    client_secret: value(1).to_owned(),
                    scope: scope.clone(),
                    refresh_token_file: None,
                }));
            }
        };
        made.map_err(|error| ConfigError::new(format!("`{}` {error}", self.variables().join("`, `"))))
    }
}

/// Where tokens are bought: only the vendor's file says, no variable does.
fn endpoint(vendor: &Vendor, template: &str, found: &Found<'_>) -> Result<Url, ConfigError> {
    let text = Template(template).fill(|name| found.word(name));
    let mut url = text.ok().and_then(|text| parse_address(&text, &[]).ok()).ok_or_else(|| {
        ConfigError::new(format!("{}: no token endpoint; this is a fault of toolwright", vendor.title))
    })?;
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}

fn authentication(client: ClientSecret) -> ClientAuthentication {
    match client {
        ClientSecret::Basic => ClientAuthentication::Basic,
        ClientSecret::Form => ClientAuthentication::Form,
        ClientSecret::Json => ClientAuthentication::Json,
    }
}

fn title(credential: &Credential) -> &'static str {
    match credential {
        Credential::Bearer { .. } => "bearer token",
        Credential::Basic { .. } => "user and password",
        Credential::Header { .. } => "key",
        Credential::OauthRefresh { .. } => "OAuth refresh token",
        Credential::OauthClient { .. } => "OAuth service account",
    }
}

/// Credentials for the sandbox, carried as the vendor wants them: it checks where they stand.
///
/// # Errors
/// The vendor names a header that can't be one.
pub fn stand_in(vendor: Option<&Vendor>) -> Result<Credentials, ConfigError> {
    const VALUE: &str = "sandbox";
    let made = match vendor.and_then(|vendor| vendor.credentials.first()) {
        Some(Credential::Basic { .. }) => Credentials::basic(VALUE, VALUE),
        Some(Credential::Header { header, further, .. }) => {
            Credentials::headers(std::iter::once(header).chain(further.keys()).map(|name| (name.as_str(), VALUE)))
        }
        _ => Credentials::bearer(VALUE),
    };
    made.map_err(|error| ConfigError::new(error.to_string()))
}

/// The variables of each kind of credentials, for a person to choose from.
fn alternatives(vendor: &Vendor) -> String {
    let ways: Vec<String> =
        vendor.credentials.iter().map(|credential| format!("`{}`", credential.variables().join("` and `"))).collect();
    ways.join(", or ")
}

/// All that would configure a vendor, for a person to choose from.
pub fn ways(vendor: &Vendor) -> String {
    if let [address] = vendor.addresses.as_slice()
        && address.default.is_none()
    {
        return format!("`{}` (such as `{}`) and {}", address.variable, address.example, alternatives(vendor));
    }
    let ways: Vec<String> = vendor
        .credentials
        .iter()
        .map(|credential| {
            let credentials = format!("`{}`", credential.variables().join("` and `"));
            let mut at = vendor.addresses.iter().filter(|address| credential.works_at(&address.name));
            if at.clone().any(|address| address.default.is_some()) {
                return credentials;
            }
            let names: Vec<String> = at
                .by_ref()
                .map(|address| format!("`{}`", address.variables().collect::<Vec<_>>().join("` and `")))
                .collect();
            format!("{} with {credentials}", names.join(" or "))
        })
        .collect();
    ways.join("; or ")
}
