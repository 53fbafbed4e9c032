//! toolwright.toml → named selections and accounts as plain data.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

/// The content of `toolwright.toml`. A file in the folder in which a client starts the program must not grant anything by
/// itself: a profile has no effect unless `--profile` names it, and accounts are read only from the file in the user's
/// configuration folder, or from the one that `--config` names.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schemars", schemars(rename = "toolwright.toml"))]
#[serde(deny_unknown_fields)]
pub struct SettingsFile {
    /// Selections by name, for `--profile`.
    #[serde(default)]
    pub profiles: BTreeMap<String, Profile>,
    /// Accounts by name, for `--account` and for links.
    #[serde(default)]
    pub accounts: BTreeMap<String, AccountVariables>,
}

/// One vendor at one address with one set of credentials.
#[derive(Clone, Default, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct AccountVariables {
    /// The vendor's id.
    pub vendor: String,
    /// The variables of the vendor, as they would be in the environment; each also with `_FILE`, for a file that holds the
    /// value.
    #[serde(flatten)]
    pub variables: BTreeMap<String, String>,
}

/// The values may be secrets.
impl fmt::Debug for AccountVariables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&String> = self.variables.keys().collect();
        f.debug_struct("AccountVariables").field("vendor", &self.vendor).field("variables", &names).finish()
    }
}

/// A named selection. A flag replaces the profile's list of the same name.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
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
    /// Globs of the tools that `serve --discover` lists besides its own.
    #[serde(default)]
    pub pin: Vec<String>,
}
