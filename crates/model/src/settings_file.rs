//! toolwright.toml → named selections as plain data.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The content of `toolwright.toml`. It has no effect unless `--profile` names one of its profiles: a
/// file in the folder in which a client starts the program must not grant anything by itself.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schemars", schemars(rename = "toolwright.toml"))]
#[serde(deny_unknown_fields)]
pub struct SettingsFile {
    /// Selections by name, for `--profile`.
    #[serde(default)]
    pub profiles: BTreeMap<String, Profile>,
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
}
