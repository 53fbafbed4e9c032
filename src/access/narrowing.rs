//! The words of a link → a selection that takes tools away. An absent list takes nothing away, but for risks: those that
//! are refused by default stay refused until the link names them too.

use serde::{Deserialize, Serialize};

use crate::catalog::Catalog;
use crate::error::ConfigError;
use crate::policy::{Defaults, Selection, SelectionWords};

/// What a link leaves of the tools, in the words of the selection flags. An empty list is an absent flag.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Narrowing {
    /// Effects, verbs, or `all`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<String>,
    /// Tags, or `all`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Globs of the tool names to offer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<String>,
    /// Globs of the tool names to leave out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<String>,
    /// Risks that are accepted, of those that the server accepts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<String>,
}

impl Narrowing {
    /// Resolves the words against the catalog.
    ///
    /// # Errors
    /// A method, tag or risk that does not exist, a glob that matches nothing.
    pub fn resolve(&self, catalog: &Catalog) -> Result<Selection, ConfigError> {
        let words = SelectionWords {
            vendors: Vec::new(),
            methods: self.methods.clone(),
            tags: self.tags.clone(),
            tools: self.tools.clone(),
            exclude: self.exclude.clone(),
            allow: self.allow.clone(),
        };
        Selection::resolve(&words, Defaults::Narrowing, catalog)
    }
}
