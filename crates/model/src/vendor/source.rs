//! `[source.<api>]` in vendor.toml → where the vendor publishes the description.

use serde::{Deserialize, Serialize};

/// Where the vendor publishes the description of one API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DescriptionSource {
    /// An http(s) URL, or a file by its path below the project.
    pub from: String,
    /// Of operations that are new, those whose id, path or `METHOD path` matches a pattern are ours; all where it is
    /// missing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub operations: Vec<String>,
}
