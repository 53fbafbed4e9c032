//! Words that a person may choose, and those that were chosen → the entries of a list of checkboxes or options.

use crate::catalog::Catalog;
use toolwright_model::{Effect, Risk};

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) value: String,
    pub(super) text: String,
    pub(super) on: bool,
}

impl Choice {
    /// Words that are shown as they are.
    pub(super) fn words<'a>(words: impl IntoIterator<Item = &'a str>, on: &[String]) -> Vec<Self> {
        let choice =
            |word: &str| Self { value: word.to_owned(), text: word.to_owned(), on: on.iter().any(|one| one == word) };
        words.into_iter().map(choice).collect()
    }

    /// What a call does.
    pub(super) fn effects(on: &[String]) -> Vec<Self> {
        Self::words(Effect::ALL.iter().map(|effect| effect.as_str()), on)
    }

    /// The risks that are refused unless they are accepted.
    pub(super) fn risks(on: &[String]) -> Vec<Self> {
        Self::words(Risk::GATED.iter().map(|risk| risk.as_str()), on)
    }

    /// The vendors by their titles.
    pub(super) fn vendors(catalog: &Catalog, on: &[String]) -> Vec<Self> {
        let choice = |vendor: &toolwright_model::Vendor| Self {
            value: vendor.id.clone(),
            text: vendor.title.clone(),
            on: on.contains(&vendor.id),
        };
        catalog.vendors().iter().map(choice).collect()
    }
}
