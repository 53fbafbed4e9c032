//! A value that a format does not take → what would have been taken, as parts of a message.

use toolwright_model::truncate;

/// A value that a format does not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormatError {
    /// Where in the argument: empty, or such as `[0].operator`.
    pub at: String,
    /// What would have been taken.
    pub expected: String,
    /// What was given, shortened.
    pub given: String,
    /// What may have been meant.
    pub suggestion: Option<String>,
}

impl FormatError {
    pub(crate) fn new(expected: impl Into<String>, given: impl Into<String>) -> Self {
        Self { at: String::new(), expected: expected.into(), given: given.into(), suggestion: None }
    }

    pub(crate) fn at(mut self, at: impl Into<String>) -> Self {
        self.at = at.into();
        self
    }

    /// The same error, seen from the value that holds the part at `step`.
    pub(crate) fn below(mut self, step: &str) -> Self {
        self.at.insert_str(0, step);
        self
    }
}

/// Returns the start of a text in backticks, for a message.
pub(crate) fn short(text: &str) -> String {
    format!("`{}`", truncate(text, 80))
}

/// Returns names as a list in backticks.
pub(crate) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
