//! One way in which answers differ from their description.

use serde::{Deserialize, Serialize};

use crate::EACH_ITEM;
use crate::words::words;

words! {
    /// In which way an answer differs.
    MisfitKind {
        /// A field that the description does not name.
        UnknownField = "unknown_field",
        /// A field that is always there by the description, and was not.
        MissingField = "missing_field",
        /// A value of another type.
        OtherType = "other_type",
        /// A value that is none of those that are listed.
        UnlistedValue = "unlisted_value",
        /// So many names that they are data and no fields.
        FreeNames = "free_names",
        /// A status that the description does not name.
        UnknownStatus = "unknown_status",
        /// A media type that the description does not name.
        UnknownMedia = "unknown_media",
        /// JSON by its media type, and not to be read as such.
        NoJson = "no_json",
    }
}

/// One way in which answers differ from their description: names and types, no values.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Misfit {
    /// The steps that lead to the value: names, `[]` for each value of a list, `*` for each entry of an object with free names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub at: Vec<String>,
    /// In which way it differs.
    pub kind: MisfitKind,
    /// The type that was found, the status, or the media type.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub found: String,
    /// What the description says.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub expected: String,
}

impl Misfit {
    /// A misfit of the answer as a whole.
    pub fn whole(kind: MisfitKind, found: impl Into<String>) -> Self {
        Self { at: Vec::new(), kind, found: found.into(), expected: String::new() }
    }

    /// Returns the names that lead to the value, for a reader.
    pub fn path(&self) -> String {
        shown_path(&self.at)
    }
}

/// Returns steps as a path such as `[].owner.name`.
pub fn shown_path(steps: &[String]) -> String {
    let mut shown = String::new();
    for step in steps {
        if step != EACH_ITEM && !shown.is_empty() {
            shown.push('.');
        }
        shown.push_str(step);
    }
    shown
}
