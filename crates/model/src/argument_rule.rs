//! `[[arguments]]` of vendor.toml: one line → the format of every argument of that name, in every
//! tool of the vendor. Read by the build, which writes the format into each tool.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::format::Letters;

/// What holds for every argument of a name, or of a declared format.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ArgumentRule {
    /// Names of arguments as a model sees them, or of properties inside one, at any depth; with dots, the end of
    /// the path: `assignee.accountId`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// The `format` that the description declares, such as `date-time`, in place of names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared: Option<String>,
    /// How the value is written for the vendor; of a list, each of its values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// A regular expression that the whole text matches, in place of `format`; no message shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// The pattern in words, for a refusal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<String>,
    /// The case in which letters are sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub letters: Option<Letters>,
    /// The kind of record that can be given by name, in place of `format`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolve: Option<String>,
    /// Other names under which these arguments are understood, beside any of the above.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// Valid values, for the tests that draw arguments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub samples: Vec<Value>,
}
