//! Environment and `toolwright.toml` → the connections of vendors and a profile's selection. Values are validated
//! here and nowhere later.

mod address;
mod connection;
mod credentials;
mod settings;

use std::path::{Path, PathBuf};

use toolwright_model::SettingsFile;

use crate::error::ConfigError;
use crate::policy::SelectionWords;

pub use connection::{ConnectionConfig, connection};
pub use credentials::{sandbox_credentials, setup_options};
pub use settings::{ChosenSettings, ConfiguredSetting, settings};

/// Reads a variable; a parameter, so that tests need not change the process environment.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// A variable's value, or the content of the file that `…_FILE` names. Empty counts as unset, because MCP clients
/// that template their configuration pass empty values for absent ones.
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

/// The name of the settings file.
const SETTINGS_FILE: &str = "toolwright.toml";

/// Adds a profile's lists where the flags have none.
///
/// # Errors
/// The file can't be read, or has no such profile.
pub(crate) fn with_profile(
    flags: SelectionWords,
    profile: Option<&str>,
    file: Option<&Path>,
    env: Environment<'_>,
) -> Result<SelectionWords, ConfigError> {
    let Some(name) = profile else { return Ok(flags) };
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

fn find_settings(env: Environment<'_>) -> Option<PathBuf> {
    let user = env("XDG_CONFIG_HOME").map(PathBuf::from).or_else(|| Some(PathBuf::from(env("HOME")?).join(".config")));
    let user = user.or_else(|| env("APPDATA").map(PathBuf::from));
    let candidates =
        [Some(PathBuf::from(SETTINGS_FILE)), user.map(|folder| folder.join("toolwright").join(SETTINGS_FILE))];
    candidates.into_iter().flatten().find(|path| path.is_file())
}
