//! The content of toolwright.toml: what a person writes about selections, by name.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The content of `toolwright.toml`. Nothing in it applies before a profile is named: a file
/// that lies in the folder where a client happens to start us must not open anything.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schemars", schemars(rename = "toolwright.toml"))]
#[serde(deny_unknown_fields)]
pub struct SettingsFile {
    /// Selections by name, for `--profile`.
    #[serde(default)]
    pub profiles: BTreeMap<String, Profile>,
}

/// A selection with a name. A flag replaces the profile's list of the same name.
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
