//! The formats of one argument, as `tools.json` names them. What a format does is in the crate
//! `toolwright-formats`; here it is a name.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::words::words;

/// The name of a format, such as `time`. The build checks it against the list of formats.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FormatName(String);

impl FormatName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for FormatName {
    fn from(name: &str) -> Self {
        Self(name.to_owned())
    }
}

impl fmt::Display for FormatName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// That an argument, or a part of it, has a format.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Formatted {
    /// Dotted path inside the argument, through lists element by element; empty: all of it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub at: String,
    /// The format.
    pub format: FormatName,
    /// The operation of the same API that the format looks values up with; it only reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ask: Option<String>,
    /// The operation of the same API that it asks for what the first leaves open; it only reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub then_ask: Option<String>,
    /// What that operation is asked with, by query parameter; `{}` in a text stands for the value.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub with: BTreeMap<String, serde_json::Value>,
    /// The fields that a filter can be about; any where none are named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<String>,
    /// The operators that a filter can use; the format's own where none are named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub operators: Vec<String>,
    /// The tools that a refusal names: by what the format refuses, such as `comment`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tools: BTreeMap<String, String>,
    /// What the text must be, for the format that checks a pattern.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<TextPattern>,
}

/// What a text must be, and how a refusal says it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TextPattern {
    /// A regular expression that the whole text matches; no message shows it.
    pub pattern: String,
    /// The same in words: `an issue key such as ITS-12`.
    pub words: String,
    /// The case in which its letters are sent; as given where it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub letters: Option<Letters>,
}

words! {
    /// The case of letters.
    Letters {
        /// `its-12` is sent as `ITS-12`.
        Upper = "upper",
        /// The other way round.
        Lower = "lower",
    }
}

impl Formatted {
    /// A whole argument in this format.
    pub fn whole(format: impl Into<FormatName>) -> Self {
        Self {
            at: String::new(),
            format: format.into(),
            ask: None,
            then_ask: None,
            with: BTreeMap::new(),
            fields: Vec::new(),
            operators: Vec::new(),
            tools: BTreeMap::new(),
            text: None,
        }
    }
}
