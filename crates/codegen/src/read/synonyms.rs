//! `specs/synonyms.yaml` → the words by which the search understands people. A folder without the file has none.

use std::collections::BTreeSet;
use std::path::Path;
use std::str::FromStr;

use crate::read::finding::Findings;
use crate::read::load;
use crate::read::located::{Located, did_you_mean, one_of};
use crate::read::source_map::SourceMap;
use toolwright_model::{Synonyms, Wish, WordForm};

/// The file, as messages name it.
const FILE: &str = "specs/synonyms.yaml";

/// Reads the synonyms of the folder `specs`; reports what is wrong with them.
pub fn read(specs: &Path, findings: &Findings) -> Synonyms {
    let path = specs.join("synonyms.yaml");
    if !path.exists() {
        return Synonyms::default();
    }
    let Some(loaded) = load::load(&path, FILE, findings) else { return Synonyms::default() };
    let source = SourceMap::new(&loaded.file, findings);
    let root = Located::root(&source, &loaded.value);
    root.only(&[
        "same",
        "whole",
        "ignored",
        "light",
        "openings",
        "open_questions",
        "demands",
        "begins",
        "many",
        "forms",
    ]);
    let list = |key: &str| root.get(key).map(|at| read_words(&at)).unwrap_or_default();
    let same = root.get("same").map(|at| at.items()).unwrap_or_default();
    Synonyms {
        same: same.iter().map(read_group).collect(),
        whole: list("whole"),
        ignored: list("ignored"),
        light: list("light"),
        openings: list("openings"),
        open_questions: list("open_questions"),
        many: list("many"),
        demands: list("demands"),
        begins: root.get("begins").map(|at| read_named(&at, Wish::ALL)).unwrap_or_default().into_iter().collect(),
        forms: root.get("forms").map(|at| read_named(&at, WordForm::ALL)).unwrap_or_default().into_iter().collect(),
    }
}

/// A group has two entries at least; one alone is a synonym of nothing.
fn read_group(at: &Located<'_>) -> Vec<String> {
    let words = read_words(at);
    if at.value.as_array().is_some_and(|items| items.len() < 2) {
        at.wrong("at least two words that mean the same");
    }
    words
}

fn read_words(at: &Located<'_>) -> Vec<String> {
    let mut known = BTreeSet::new();
    for item in at.items() {
        let Some(word) = item.text() else { continue };
        let plain = |c: char| c.is_lowercase() || c.is_ascii_digit() || c == ' ' || c == '\'';
        if word.trim() != word || word.is_empty() || !word.contains(char::is_alphanumeric) || !word.chars().all(plain) {
            item.wrong("words in small letters, with spaces between");
        }
        if !known.insert(word) {
            item.report("each word once", format!("`{word}` twice"), None);
        }
    }
    at.texts()
}

fn read_named<T: FromStr + ToString + Copy>(at: &Located<'_>, all: &[T]) -> Vec<(T, Vec<String>)> {
    let names: Vec<String> = all.iter().map(ToString::to_string).collect();
    let names = || names.iter().map(String::as_str);
    let words = at.entries().into_iter().filter_map(|(name, entry)| {
        let Ok(key) = name.parse() else {
            entry.report(one_of(names()), format!("the unknown key `{name}`"), did_you_mean(name, names()));
            return None;
        };
        Some((key, read_words(&entry)))
    });
    words.collect()
}
