//! Names of fields, as a vendor's file states them → whether a name is one of them. It is asked for each name of an answer.

use super::EVERY;

/// Names: whole ones, beginnings (`custom_*`), and those of lists whose texts are meant (`labels[]`).
#[derive(Debug, Clone)]
pub(super) struct FieldNames {
    /// In order, to be halved.
    whole: Vec<String>,
    beginnings: Vec<String>,
    lists: Vec<String>,
    /// Whether every field is meant.
    pub(super) every: bool,
}

impl FieldNames {
    /// Reads patterns.
    pub(super) fn new(patterns: &[String]) -> Self {
        let ending = |end: &str| patterns.iter().filter_map(|one| one.strip_suffix(end)).map(str::to_owned).collect();
        let mut whole: Vec<String> = patterns.iter().filter(|one| !one.ends_with('*')).cloned().collect();
        whole.sort_unstable();
        let every = patterns.iter().any(|one| one == EVERY);
        Self { whole, beginnings: ending("*"), lists: ending("[]"), every }
    }

    /// Whether a field of this name is meant.
    pub(super) fn has(&self, name: &str) -> bool {
        self.whole.binary_search_by(|one| one.as_str().cmp(name)).is_ok()
            || self.beginnings.iter().any(|beginning| name.starts_with(beginning.as_str()))
    }

    /// Whether the texts directly in a list of this name are meant.
    pub(super) fn has_texts_of(&self, name: &str) -> bool {
        self.lists.iter().any(|list| list == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(patterns: &[&str]) -> FieldNames {
        FieldNames::new(&patterns.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn names_beginnings_and_lists_are_told_apart() {
        let names = names(&["summary", "custom_*", "values[]", "Body"]);
        for (name, field, list) in [
            ("summary", true, false),
            ("Summary", false, false),
            ("summaries", false, false),
            ("Body", true, false),
            ("custom_1", true, false),
            ("custom_", true, false),
            ("custom", false, false),
            ("values", false, true),
            ("values[]", true, false),
            ("", false, false),
        ] {
            assert_eq!((names.has(name), names.has_texts_of(name)), (field, list), "{name}");
        }
        assert!(!names.every);
    }

    #[test]
    fn one_pattern_means_every_field() {
        let names = names(&["*"]);
        assert!(names.every && names.has("") && names.has("anything"));
        assert!(!self::names(&[]).has(""));
    }
}
