//! The named formats: how a value that a model writes easily becomes the one that a vendor takes,
//! and the other way round. The closed list of names; `crate::formats` does what each says.

use serde::{Deserialize, Serialize};

use super::words::words;

/// The largest file that a call may carry, in megabytes.
pub const LARGEST_FILE_MB: usize = 10;

words! {
    /// A format that an overlay can name.
    Format {
        /// Markdown, or an ADF document → a valid ADF document; in answers ADF → Markdown.
        Adf = "adf",
        /// A JQL query, with what Jira refuses found before it is sent.
        Jql = "jql",
        /// Names of Jira fields as people use them → ids.
        JiraFields = "jira-fields",
        /// A list of conditions → JumpCloud's filters of version 1.
        JumpcloudFilterV1 = "jumpcloud-filter-v1",
        /// A list of conditions → JumpCloud's filters of version 2.
        JumpcloudFilterV2 = "jumpcloud-filter-v2",
        /// A list → its values with spaces between.
        SpaceList = "space-list",
        /// A list → its values with commas between.
        CommaList = "comma-list",
        /// A file: its bytes, or where it lies in the folder that the operator opened.
        File = "file",
        /// A point in time, absolute or relative to now → RFC 3339 in UTC.
        Time = "time",
    }
}

impl Format {
    /// The formats that an answer can have.
    pub const OF_ANSWERS: &[Self] = &[Self::Adf];

    /// Whether it can't do without an operation that answers its questions.
    pub fn must_ask(self) -> bool {
        self == Self::JiraFields
    }

    /// Whether it asks the vendor, where it is told which operation answers.
    pub fn may_ask(self) -> bool {
        matches!(self, Self::Jql | Self::JiraFields)
    }

    /// The operators of a filter, in the vendor's spelling but for the `$` of version 1.
    pub fn operators(self) -> &'static [&'static str] {
        match self {
            Self::JumpcloudFilterV1 => &["eq", "ne", "gt", "gte", "lt", "lte"],
            Self::JumpcloudFilterV2 => &["eq", "ne", "gt", "ge", "lt", "le", "between", "search", "in"],
            _ => &[],
        }
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
    pub format: Format,
    /// The operation of the same API that answers the format's questions; it only reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ask: Option<String>,
    /// The fields that a filter can be about; any where none are named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<String>,
    /// The operators that a filter can use; the format's own where none are named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub operators: Vec<String>,
}

impl Formatted {
    /// A whole argument in this format.
    pub fn whole(format: Format) -> Self {
        Self { at: String::new(), format, ask: None, fields: Vec::new(), operators: Vec::new() }
    }

    /// The operators that a filter can use.
    pub fn operators(&self) -> Vec<&str> {
        if self.operators.is_empty() {
            self.format.operators().to_vec()
        } else {
            self.operators.iter().map(String::as_str).collect()
        }
    }
}
