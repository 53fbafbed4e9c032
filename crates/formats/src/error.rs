//! A value that a format does not take → what would have been taken, in a line for the caller.

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
    const WIDTH: usize = 80;
    match text.char_indices().nth(WIDTH) {
        Some((end, _)) => format!("`{}…`", &text[..end]),
        None => format!("`{text}`"),
    }
}

/// Returns names as a list in backticks.
pub(crate) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// Returns the known names nearest to one that is not known, best first.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>, most: usize) -> Vec<&'a str> {
    const SIMILAR: f64 = 0.75;
    let plain = |text: &str| -> String {
        text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).take(100).collect()
    };
    let wanted = plain(name);
    let mut near: Vec<(f64, &str)> = known
        .into_iter()
        .filter_map(|known| {
            let other = plain(known);
            let holds = wanted.len() > 2 && (other.contains(&wanted) || other.len() > 2 && wanted.contains(&other));
            let likeness = strsim::jaro_winkler(&wanted, &other).max(if holds { SIMILAR } else { 0.0 });
            (likeness >= SIMILAR).then_some((likeness, known))
        })
        .collect();
    near.sort_by(|one, other| other.0.total_cmp(&one.0).then(one.1.cmp(other.1)));
    near.dedup_by(|one, other| one.1 == other.1);
    near.into_iter().take(most).map(|(_, known)| known).collect()
}
