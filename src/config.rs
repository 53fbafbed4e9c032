//! Environment and `toolwright.toml` → resolved settings: which vendors can be reached, where
//! and as whom, and what a profile selects. What is resolved here is never checked again.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use url::Url;

use crate::error::ConfigError;
use crate::model::{Credential, Vendor};
use crate::policy::SelectionWords;
use crate::upstream::{Credentials, PaceLimits, parse_address};

/// Reads a variable; a parameter so that tests need no process environment.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Where a vendor is and as whom it is called.
#[derive(Debug, Clone)]
pub struct Connection {
    /// The root under which the description's paths lie.
    pub base: Url,
    /// Who is calling.
    pub credentials: Credentials,
    /// How the credentials were given, for `doctor`: kind and variables.
    pub source: String,
    /// How long a call may take.
    pub timeout: Duration,
    /// How fast the vendor may be asked; not at all bounded in the sandbox.
    pub pace: PaceLimits,
}

impl Connection {
    /// An HTTP client that sends the credentials with every request: for the typed clients of
    /// the cargo feature `typed`, with [`Connection::base`] as their address.
    ///
    /// # Errors
    /// The system's TLS can't be set up.
    pub fn http_client(&self) -> Result<reqwest::Client, ConfigError> {
        crate::upstream::http_client(self.timeout, Some(&self.credentials))
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
pub fn connection(vendor: &Vendor, env: Environment<'_>) -> Result<Option<Connection>, ConfigError> {
    let address = value(&vendor.address.variable, env)?;
    let mut partial = None;
    let mut found = None;
    for credential in &vendor.credentials {
        let mut values = Vec::new();
        let mut missing = Vec::new();
        for variable in credential.variables() {
            match value(variable, env)? {
                Some(value) => values.push((variable, value)),
                None => missing.push(variable),
            }
        }
        if missing.is_empty() {
            found = Some((credential, values));
            break;
        }
        if !values.is_empty() && partial.is_none() {
            partial = Some(missing.join("`, `"));
        }
    }
    let (credential, values) = match (found, partial, &address) {
        (Some(found), _, _) => found,
        (None, Some(missing), _) => {
            return Err(ConfigError::new(format!(
                "{}: `{missing}` is not set\nhint: set {}",
                vendor.title,
                alternatives(vendor)
            )));
        }
        (None, None, Some(_)) => {
            return Err(ConfigError::new(format!(
                "{}: `{}` is set, and no credentials are\nhint: set {}",
                vendor.title,
                vendor.address.variable,
                alternatives(vendor)
            )));
        }
        (None, None, None) => return Ok(None),
    };
    let Some(address) = address else {
        return Err(ConfigError::new(format!(
            "{}: `{}` is not set\nhint: for example `{}`",
            vendor.title, vendor.address.variable, vendor.address.example
        )));
    };
    let base = parse_address(&address, &vendor.address.strip).map_err(|error| {
        ConfigError::new(format!(
            "`{}` {error}\nhint: for example `{}`",
            vendor.address.variable, vendor.address.example
        ))
    })?;
    let variables: Vec<&str> = values.iter().map(|(variable, _)| *variable).collect();
    let made = match (credential, values.as_slice()) {
        (Credential::Bearer { .. }, [(_, token)]) => Credentials::bearer(token),
        (Credential::Basic { .. }, [(_, user), (_, password)]) => Credentials::basic(user, password),
        (Credential::Header { header, .. }, [(_, value)]) => Credentials::custom(header, value),
        _ => return Err(ConfigError::new(format!("{}: the credentials don't fit their kind", vendor.title))),
    };
    let kind = match credential {
        Credential::Bearer { .. } => "bearer token",
        Credential::Basic { .. } => "user and password",
        Credential::Header { .. } => "key",
    };
    let source = format!("{kind} from {}", variables.join(" and "));
    let credentials = made.map_err(|error| ConfigError::new(format!("`{}` {error}", variables.join("`, `"))))?;
    let timeout = Duration::from_secs(vendor.limits.timeout_seconds);
    let pace =
        PaceLimits { requests_per_minute: vendor.limits.requests_per_minute, in_flight: vendor.limits.in_flight };
    Ok(Some(Connection { base, credentials, source, timeout, pace }))
}

/// Credentials for the sandbox, carried as the vendor wants them: it checks where they stand.
///
/// # Errors
/// The vendor names a header that can't be one.
pub fn stand_in(vendor: Option<&Vendor>) -> Result<Credentials, ConfigError> {
    const VALUE: &str = "sandbox";
    let made = match vendor.and_then(|vendor| vendor.credentials.first()) {
        Some(Credential::Basic { .. }) => Credentials::basic(VALUE, VALUE),
        Some(Credential::Header { header, .. }) => Credentials::custom(header, VALUE),
        Some(Credential::Bearer { .. }) | None => Credentials::bearer(VALUE),
    };
    made.map_err(|error| ConfigError::new(error.to_string()))
}

/// The variables that would configure a vendor, for a person to choose from.
pub fn alternatives(vendor: &Vendor) -> String {
    let ways: Vec<String> =
        vendor.credentials.iter().map(|credential| format!("`{}`", credential.variables().join("` and `"))).collect();
    ways.join(", or ")
}

/// A variable's value, or the content of the file that `…_FILE` names. Empty counts as unset:
/// clients that template their configuration leave empty values behind.
fn value(variable: &str, env: Environment<'_>) -> Result<Option<String>, ConfigError> {
    if let Some(value) = env(variable).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty()) {
        return Ok(Some(value));
    }
    let by_file = format!("{variable}_FILE");
    let Some(path) = env(&by_file).filter(|path| !path.is_empty()) else { return Ok(None) };
    let content = std::fs::read_to_string(&path)
        .map_err(|error| ConfigError::new(format!("`{by_file}` names `{path}`, which can't be read: {error}")))?;
    let content = content.trim();
    if content.is_empty() {
        return Err(ConfigError::new(format!("`{by_file}` names `{path}`, which is empty")));
    }
    Ok(Some(content.to_owned()))
}

/// The content of `toolwright.toml`. Nothing in it applies before a profile is named: a file
/// that lies in the folder where a client happens to start us must not open anything.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "authoring", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "authoring", schemars(rename = "toolwright.toml"))]
#[serde(deny_unknown_fields)]
pub struct SettingsFile {
    /// Selections by name, for `--profile`.
    #[serde(default)]
    pub profiles: std::collections::BTreeMap<String, Profile>,
}

/// A selection with a name. A flag replaces the profile's list of the same name.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(feature = "authoring", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// As `--vendor`.
    #[serde(default)]
    pub vendor: Vec<String>,
    /// As `--methods`.
    #[serde(default)]
    pub methods: Vec<String>,
    /// As `--tags`.
    #[serde(default)]
    pub tags: Vec<String>,
    /// As `--tools`.
    #[serde(default)]
    pub tools: Vec<String>,
    /// As `--exclude`.
    #[serde(default)]
    pub exclude: Vec<String>,
    /// As `--allow`.
    #[serde(default)]
    pub allow: Vec<String>,
}

/// The name of the settings file.
pub const SETTINGS_FILE: &str = "toolwright.toml";

/// Puts a profile behind what was typed: a list that was typed stays.
///
/// # Errors
/// The file can't be read, or has no such profile.
pub fn with_profile(
    typed: SelectionWords,
    profile: Option<&str>,
    file: Option<&Path>,
    env: Environment<'_>,
) -> Result<SelectionWords, ConfigError> {
    let Some(name) = profile else { return Ok(typed) };
    let path = match file {
        Some(path) => path.to_owned(),
        None => find_settings(env).ok_or_else(|| {
            ConfigError::new(format!(
                "`--profile {name}` needs a `{SETTINGS_FILE}`\nhint: none was found in this folder or in the user's configuration folder; `--config FILE` names one"
            ))
        })?,
    };
    let shown = path.display();
    let text = std::fs::read_to_string(&path)
        .map_err(|error| ConfigError::new(format!("`{shown}` can't be read: {error}")))?;
    let mut settings: SettingsFile = toml::from_str(&text)
        .map_err(|error| ConfigError::new(format!("`{shown}`: {}", error.to_string().trim_end())))?;
    let Some(profile) = settings.profiles.remove(name) else {
        let names: Vec<&str> = settings.profiles.keys().map(String::as_str).collect();
        let hint = if names.is_empty() { "it has none".to_owned() } else { format!("there are {}", names.join(", ")) };
        return Err(ConfigError::new(format!("`{shown}` has no profile `{name}`\nhint: {hint}")));
    };
    let or = |typed: Vec<String>, profile: Vec<String>| if typed.is_empty() { profile } else { typed };
    Ok(SelectionWords {
        vendors: or(typed.vendors, profile.vendor),
        methods: or(typed.methods, profile.methods),
        tags: or(typed.tags, profile.tags),
        tools: or(typed.tools, profile.tools),
        exclude: or(typed.exclude, profile.exclude),
        allow: or(typed.allow, profile.allow),
    })
}

fn find_settings(env: Environment<'_>) -> Option<PathBuf> {
    let user = env("XDG_CONFIG_HOME").map(PathBuf::from).or_else(|| Some(PathBuf::from(env("HOME")?).join(".config")));
    let user = user.or_else(|| env("APPDATA").map(PathBuf::from));
    let candidates =
        [Some(PathBuf::from(SETTINGS_FILE)), user.map(|folder| folder.join("toolwright").join(SETTINGS_FILE))];
    candidates.into_iter().flatten().find(|path| path.is_file())
}
