//! `specs/synonyms.yaml` → the words by which the search leads from what people ask to what tools are called. Read by the
//! build, which compiles it in; the same for every vendor.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::words::words;

/// How people speak of what tools do. Every entry is in small letters and may be of several words.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Synonyms {
    /// Groups of words that mean the same to a person who asks; a word can be in several.
    #[serde(default)]
    pub same: Vec<Vec<String>>,
    /// Words that are kept whole: without their ending they would be the same as a word of another meaning.
    #[serde(default)]
    pub whole: Vec<String>,
    /// Words that hold no matter, such as articles.
    #[serde(default)]
    pub ignored: Vec<String>,
    /// Words that hold little matter, such as "put": what comes with them tells more.
    #[serde(default)]
    pub light: Vec<String>,
    /// How a request begins that asks for something to be done; what comes after decides.
    #[serde(default)]
    pub openings: Vec<String>,
    /// Openings after which it is open whether something is asked or to be done.
    #[serde(default)]
    pub open_questions: Vec<String>,
    /// What kind of tool is meant → the words with which such a request begins.
    #[serde(default)]
    pub begins: BTreeMap<Wish, Vec<String>>,
    /// Words of a sentence that states what shall be, and so asks for a change: "the laptop must be wiped".
    #[serde(default)]
    pub demands: Vec<String>,
    /// Words with which several records are meant, though they are not named one by one: "these", "in one go".
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub many: Vec<String>,
    /// Forms of words that stand for something → the words for it.
    #[serde(default)]
    pub forms: BTreeMap<WordForm, Vec<String>>,
}

words! {
    /// What kind of tool a request wants, by the word that it begins with.
    Wish {
        /// One that only reads.
        Read = "read",
        /// One that adds something.
        Create = "create",
        /// One that changes something.
        Update = "update",
        /// One that removes something.
        Delete = "delete",
        /// One that does something else than these.
        Action = "action",
        /// One that changes something, in whichever of these ways.
        Change = "change",
    }
}

words! {
    /// A form of a word that stands for something, whatever its letters are.
    WordForm {
        /// `ABC-12`.
        Key = "key",
        /// `4521` or `#4521`.
        Number = "number",
        /// `name@example.com`.
        Address = "address",
        /// A word with a capital within a sentence that no tool knows.
        Name = "name",
        /// A word that no tool knows.
        Unknown = "unknown",
        /// Two keys or numbers in one question.
        Several = "several",
    }
}

impl WordForm {
    /// Whether a word of this form names a record.
    pub const fn is_record(self) -> bool {
        matches!(self, Self::Key | Self::Number)
    }
}
