//! A vendor's addresses and credentials and the variables that are set → its connection: the first complete
//! credentials at the first address that accepts them.

use std::collections::BTreeMap;
use std::time::Duration;

use url::Url;

use super::Environment;
use super::address::{self, ConfiguredAddress};
use super::credentials::{self, CompleteCredentials};
use super::settings::{self, ChosenSettings, ConfiguredSetting};
use crate::error::ConfigError;
use crate::upstream::{Credentials, RateLimits, SettingHeader};
use toolwright_model::{Address, Refusal, Vendor};

/// A vendor's address, the credentials for it, and the bounds of calls to it.
#[derive(Debug, Clone)]
pub struct ConnectionConfig {
    /// The root of the description's paths; of several APIs, the first one's.
    pub base: Url,
    /// The root of each API, by its id; empty where `base` is the root of all.
    pub roots: BTreeMap<String, Url>,
    /// The variables that hold the address, for `doctor`.
    pub address_source: String,
    /// What authenticates each request.
    pub credentials: Credentials,
    /// The kind of the credentials and their variables, for `doctor`.
    pub credentials_source: String,
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
            address_source: String::new(),
            credentials,
            credentials_source: String::new(),
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

    /// The vendor file's advice on an answer that refuses the credentials.
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
    /// TLS can't be set up, or the credentials are tokens that have to be renewed.
    pub fn http_client(&self) -> Result<reqwest::Client, ConfigError> {
        if self.credentials.are_renewed() {
            return Err(ConfigError::new("a typed client can't renew tokens: take another kind of credentials"));
        }
        crate::upstream::http_client(self.timeout, Some(&self.credentials), &self.sent(&ChosenSettings::default())?)
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

/// Resolves a vendor's connection. `None` where nothing of it is configured.
///
/// # Errors
/// The configuration is incomplete or wrong; the error names the variable.
pub fn connection(vendor: &Vendor, env: Environment<'_>) -> Result<Option<ConnectionConfig>, ConfigError> {
    let (complete, partial) = credentials::complete(vendor, env)?;
    let addresses = match address::configured(vendor, env) {
        // Incomplete credentials are reported first.
        Err(error) if partial.is_none() || !complete.is_empty() => return Err(error),
        Err(_) => Vec::new(),
        Ok(addresses) => addresses,
    };
    if complete.is_empty() {
        let reason = match (partial, addresses.iter().find(|address| !address.by_default)) {
            (Some(missing), _) => format!("`{missing}` is not set"),
            (None, Some(set)) => format!("`{}` is set, and no credentials are", set.address.variable),
            (None, None) => return Ok(None),
        };
        let hint = credentials::alternatives(vendor);
        return Err(ConfigError::new(format!("{}: {reason}\nhint: set {hint}", vendor.title)));
    }
    let pairs = complete.iter().flat_map(|credentials| addresses.iter().map(move |address| (credentials, address)));
    let accepted = pairs.into_iter().find(|(credentials, at)| credentials.credential.works_at(&at.address.name));
    let Some((complete, at)) = accepted else { return Err(not_accepted(vendor, &complete[0], &addresses)) };
    let roots = at.roots(vendor)?;
    let kind = complete.credential.kind();
    let applies = |refusal: &&Refusal| {
        let listed = |list: &[String], word: &str| list.is_empty() || list.iter().any(|one| one == word);
        listed(&refusal.at, &at.address.name) && listed(&refusal.kinds, kind)
    };
    let limits = &vendor.limits;
    Ok(Some(ConnectionConfig {
        base: roots.base,
        roots: roots.roots,
        address_source: at.source(),
        credentials: complete.credentials(vendor, at)?,
        credentials_source: complete.source(),
        settings: settings::settings(vendor, env)?,
        refusals: vendor.refusals.iter().filter(applies).cloned().collect(),
        timeout: Duration::from_secs(limits.timeout_seconds),
        rate_limits: RateLimits {
            requests_per_minute: limits.requests_per_minute,
            in_flight: limits.in_flight,
            record_limit_reasons: limits.record_limit_reasons.clone(),
        },
    }))
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
