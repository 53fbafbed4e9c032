//! `[[phrases]]` of vendor.toml: one rule → how people ask for each tool of a regular family. Read by the build, which
//! writes the phrases into each tool.

use serde::{Deserialize, Serialize};

/// How people ask for the tools whose names have a common form.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PhraseRule {
    /// The form of the names: one `*` is whatever differs, `acme_list_*_users`.
    pub tools: String,
    /// A tag that the tools have too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// The phrases; `{}` is the words in place of the `*`.
    pub phrases: Vec<String>,
}

impl PhraseRule {
    /// Returns the words in place of the `*`, if the rule is about this name.
    pub fn part(&self, name: &str) -> Option<String> {
        let (before, after) = self.tools.split_once('*')?;
        let part = name.strip_prefix(before)?.strip_suffix(after)?;
        (!part.is_empty()).then(|| part.replace('_', " "))
    }
}
