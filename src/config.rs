//! Environment and `toolwright.toml` → the connections of vendors and a profile's selection. Values are validated
//! here and nowhere later.

mod accounts;
mod address;
mod connection;
mod credentials;
mod given_value;
mod login;
mod read_again;
mod servers;
mod settings;
mod sign_ins;
mod tls;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toolwright_model::{
    AccountVariables, ClaimGrant, ConsoleSettings, DeskSettings, OauthSettings, Profile, ProviderClient, SettingsFile,
};

use crate::error::ConfigError;
use crate::policy::SelectionWords;

pub use accounts::Account;
pub(crate) use accounts::{is_secret, known_variables};
pub use address::OpenRoot;
pub use connection::{ConnectionConfig, connection};
pub use credentials::{sandbox_credentials, setup_options};
pub(crate) use given_value::{FILE, KEYRING};
use given_value::{GivenValue, value};
pub use login::{LoginClient, login_client};
pub use read_again::ReadAgain;
pub use settings::{ChosenSettings, ConfiguredSetting, settings};
pub use sign_ins::{AccountApp, SignIns};

/// Reads a variable; a parameter, so that tests need not change the process environment.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The name of the settings file.
const SETTINGS_FILE: &str = "toolwright.toml";

/// Adds a profile's lists where the flags have none. A file that is named is read, with or without a profile.
///
/// # Errors
/// The file can't be read, or has no such profile.
pub(crate) fn with_profile(
    flags: SelectionWords,
    profile: Option<&str>,
    file: Option<&Path>,
    env: Environment<'_>,
) -> Result<SelectionWords, ConfigError> {
    let Some(name) = profile else {
        // A wrong path would otherwise look as if the file were in force.
        file.map(read_settings).transpose()?;
        return Ok(flags);
    };
    let profile = read_profile(name, file, env)?;
    let or = |flag: Vec<String>, profile: Vec<String>| if flag.is_empty() { profile } else { flag };
    Ok(SelectionWords {
        vendors: or(flags.vendors, profile.vendor),
        methods: or(flags.methods, profile.methods),
        tags: or(flags.tags, profile.tags),
        tools: or(flags.tools, profile.tools),
        exclude: or(flags.exclude, profile.exclude),
        allow: or(flags.allow, profile.allow),
    })
}

/// Returns the globs of the tools that a profile pins.
///
/// # Errors
/// The file can't be read, or has no such profile.
pub(crate) fn pinned(
    profile: Option<&str>,
    file: Option<&Path>,
    env: Environment<'_>,
) -> Result<Vec<String>, ConfigError> {
    profile.map_or(Ok(Vec::new()), |name| Ok(read_profile(name, file, env)?.pin))
}

/// Returns which calls a person has to approve, by a profile.
///
/// # Errors
/// The file can't be read, or has no such profile.
pub(crate) fn confirmed(
    profile: Option<&str>,
    file: Option<&Path>,
    env: Environment<'_>,
) -> Result<Vec<String>, ConfigError> {
    profile.map_or(Ok(Vec::new()), |name| Ok(read_profile(name, file, env)?.confirm))
}

/// Reads a profile of the settings file that is named or found.
fn read_profile(name: &str, file: Option<&Path>, env: Environment<'_>) -> Result<Profile, ConfigError> {
    let path = match file {
        Some(path) => path.to_owned(),
        None => find_settings(env).ok_or_else(|| {
            ConfigError::new(format!(
                "`--profile {name}` needs a `{SETTINGS_FILE}`\nhint: none was found in this folder or in the user's configuration folder; `--config FILE` names one"
            ))
        })?,
    };
    let shown = path.display();
    let mut settings = read_settings(&path)?;
    settings.profiles.remove(name).ok_or_else(|| {
        let names: Vec<&str> = settings.profiles.keys().map(String::as_str).collect();
        let hint = if names.is_empty() { "it has none".to_owned() } else { format!("there are {}", names.join(", ")) };
        ConfigError::new(format!("`{shown}` has no profile `{name}`\nhint: {hint}"))
    })
}

/// The accounts of the settings file: of the one that is named, or of the one in the user's configuration folder. The
/// folder in which a client starts the program may be anybody's: a file there could send one's credentials elsewhere.
///
/// # Errors
/// The file can't be read.
pub(crate) fn settings_accounts(
    file: Option<&Path>,
    env: Environment<'_>,
) -> Result<BTreeMap<String, AccountVariables>, ConfigError> {
    Ok(trusted_settings(file, env)?.accounts)
}

/// Where changes of accounts are raised for approval, by the account; of the files that accounts are read from.
///
/// # Errors
/// The file can't be read.
pub(crate) fn settings_approvals(
    file: Option<&Path>,
    env: Environment<'_>,
) -> Result<BTreeMap<String, DeskSettings>, ConfigError> {
    Ok(trusted_settings(file, env)?.approvals)
}

/// How the settings file has access tokens taken, and what it grants their bearers; of the files that accounts are read from.
///
/// # Errors
/// The file can't be read.
pub(crate) fn settings_oauth(
    file: Option<&Path>,
    env: Environment<'_>,
) -> Result<(OauthSettings, Vec<ClaimGrant>), ConfigError> {
    let SettingsFile { oauth, grants, .. } = trusted_settings(file, env)?;
    Ok((oauth, grants))
}

/// Where the console is and how administrators sign in to it, of the files that accounts are read from.
///
/// # Errors
/// The file can't be read.
pub(crate) fn settings_console(
    file: Option<&Path>,
    env: Environment<'_>,
) -> Result<Option<ConsoleSettings>, ConfigError> {
    Ok(trusted_settings(file, env)?.console)
}

/// The secret of this server as a client of an identity provider, where it has one. `setting` names the file's setting.
///
/// # Errors
/// The file can't be read or is empty.
pub(crate) fn client_secret(client: &ProviderClient, setting: &str) -> Result<Option<String>, ConfigError> {
    let Some(path) = &client.client_secret_file else { return Ok(None) };
    let wrong = |what: &str| {
        ConfigError::new(format!(
            "`{setting}` names `{path}`, which {what}\nhint: it holds the secret that the provider shows for the client"
        ))
    };
    let text = std::fs::read_to_string(path).map_err(|error| wrong(&format!("can't be read: {error}")))?;
    match text.trim() {
        "" => Err(wrong("is empty")),
        secret => Ok(Some(secret.to_owned())),
    }
}

fn trusted_settings(file: Option<&Path>, env: Environment<'_>) -> Result<SettingsFile, ConfigError> {
    let path = file.map(Path::to_owned).or_else(|| user_settings(env).filter(|path| path.is_file()));
    path.map_or_else(|| Ok(SettingsFile::default()), |path| read_settings(&path))
}

fn read_settings(path: &Path) -> Result<SettingsFile, ConfigError> {
    let shown = path.display();
    let text =
        std::fs::read_to_string(path).map_err(|error| ConfigError::new(format!("`{shown}` can't be read: {error}")))?;
    toml::from_str(&text).map_err(|error| ConfigError::new(format!("`{shown}`{}", fault(&text, &error))))
}

/// Where a file has a fault, and which. The line itself is not shown, nor a value of the wrong type: it may be a secret.
fn fault(text: &str, error: &toml::de::Error) -> String {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let (line, column) = (before.matches('\n').count() + 1, before.rsplit('\n').next().unwrap_or_default());
    let message = error.message().replace('\n', ", ");
    let message = match message.split_once(" `") {
        Some((kind, rest)) if kind.starts_with("invalid type") => {
            format!("{kind}{}", rest.split_once('`').map_or("", |(_, after)| after))
        }
        _ => message,
    };
    format!(", line {line}, column {}: {message}", column.chars().count() + 1)
}

/// The settings file in the user's configuration folder, whether it is there or not.
pub(crate) fn user_settings(env: Environment<'_>) -> Option<PathBuf> {
    let user = env("XDG_CONFIG_HOME").map(PathBuf::from).or_else(|| Some(PathBuf::from(env("HOME")?).join(".config")));
    let user = user.or_else(|| env("APPDATA").map(PathBuf::from));
    user.map(|folder| folder.join("toolwright").join(SETTINGS_FILE))
}

fn find_settings(env: Environment<'_>) -> Option<PathBuf> {
    let candidates = [Some(PathBuf::from(SETTINGS_FILE)), user_settings(env)];
    candidates.into_iter().flatten().find(|path| path.is_file())
}
