//! A question and a tool that it found → why: the words that both have, and the phrase that is most like the question.

use std::collections::BTreeSet;

use super::Search;
use crate::catalog::CatalogEntry;
use toolwright_search_index::Term;
use toolwright_search_index::text::{self, Word};

/// The most words that a reason names.
const MOST_WORDS: usize = 5;

impl Search {
    /// Returns why `entry` is an answer to `question`, for a reader who chooses among several.
    pub fn reason(&self, question: &str, entry: &CatalogEntry) -> String {
        let words = text::words(question);
        let shared = self.shared_words(&words, entry);
        let mut reasons = Vec::new();
        if !shared.is_empty() {
            reasons.push(format!("has {}", shared.join(", ")));
        }
        if let Some(phrase) = self.nearest_phrase(&words, entry) {
            reasons.push(format!("people ask for it as \"{phrase}\""));
        }
        if reasons.is_empty() { "by its kind; it has none of the words".to_owned() } else { reasons.join("; ") }
    }

    /// The words of the question that the tool's texts have, themselves or by a synonym.
    fn shared_words(&self, words: &[Word], entry: &CatalogEntry) -> Vec<String> {
        let position = self.catalog.position(&entry.head().name).and_then(|position| u32::try_from(position).ok());
        let has = |term: Term| self.index.tools(term).any(|(tool, _)| Some(tool) == position);
        let stems = self.stems(words);
        let mut shared: Vec<String> = Vec::new();
        let mut add = |text: String| {
            if !shared.contains(&text) && shared.len() < MOST_WORDS {
                shared.push(text);
            }
        };
        let meanings = self.index.vocabulary.meanings(&stems);
        for (at, (word, stem)) in words.iter().zip(&stems).enumerate() {
            if stem.is_some_and(has) {
                add(word.text.clone());
            } else if meanings.iter().any(|meaning| meaning.start == at && meaning.length == 1 && has(meaning.term)) {
                add(format!("a word for {}", word.text));
            }
        }
        for meaning in meanings.iter().filter(|meaning| meaning.length > 1 && has(meaning.term)) {
            let said: Vec<&str> =
                words[meaning.start..meaning.start + meaning.length].iter().map(|word| word.text.as_str()).collect();
            add(format!("a word for {}", said.join(" ")));
        }
        shared
    }

    /// The phrase that shares most with the question.
    fn nearest_phrase<'a>(&self, words: &[Word], entry: &'a CatalogEntry) -> Option<&'a str> {
        let asked = self.terms(words);
        let shared = |phrase: &&String| self.terms(&text::words(phrase)).intersection(&asked).count();
        let best = entry.tool.phrases.iter().rev().max_by_key(shared)?;
        (shared(&best) > 0).then_some(best.as_str())
    }

    /// The stems of words that have matter.
    fn stems(&self, words: &[Word]) -> Vec<Option<Term>> {
        let vocabulary = &self.index.vocabulary;
        let stem = |word: &Word| {
            let matters = word.form.is_none() && !vocabulary.is_ignored(&word.text);
            matters.then(|| vocabulary.stem(&word.text)).flatten()
        };
        words.iter().map(stem).collect()
    }

    /// The stems of words with their synonyms.
    fn terms(&self, words: &[Word]) -> BTreeSet<Term> {
        let stems = self.stems(words);
        let meanings = self.index.vocabulary.meanings(&stems);
        stems.iter().flatten().copied().chain(meanings.iter().map(|meaning| meaning.term)).collect()
    }
}
