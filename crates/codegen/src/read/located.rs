//! A JSON value with its file and JSON pointer, so that whatever reads it can report where it is
//! wrong. Every reader of a file under specs/ goes through here.

use std::str::FromStr;

use serde_json::{Map, Value};

use crate::read::finding::Finding;
use crate::read::reference::escape;
use crate::read::source::SourcePlace;
use crate::read::source_map::SourceMap;
use toolwright_model::{suggest_one, truncate};

/// A value at its place.
#[derive(Clone)]
pub struct Located<'s> {
    source: &'s SourceMap<'s>,
    pub pointer: String,
    pub value: &'s Value,
}

impl<'s> Located<'s> {
    /// The root of a document.
    pub fn root(source: &'s SourceMap<'s>, value: &'s Value) -> Self {
        Self { source, pointer: String::new(), value }
    }

    /// Reports that something else was expected here.
    pub fn wrong(&self, expected: impl Into<String>) {
        self.report(expected, describe(self.value), None);
    }

    /// Reports that something else was expected here, with advice.
    pub fn wrong_with_hint(&self, expected: impl Into<String>, hint: impl Into<String>) {
        self.report(expected, describe(self.value), Some(hint.into()));
    }

    /// Where a person finds this.
    pub fn place(&self) -> SourcePlace {
        self.source.place(&self.pointer)
    }

    /// Reports a finding in words of its own.
    pub fn report(&self, expected: impl Into<String>, found: impl Into<String>, hint: Option<String>) {
        self.source.findings.push(Finding::at(&self.place(), expected, found).with_hint(hint));
    }

    /// The same source, for a value elsewhere in the document.
    #[must_use]
    pub fn at(&self, pointer: &str, value: &'s Value) -> Self {
        Self { source: self.source, pointer: pointer.to_owned(), value }
    }

    /// What is at `pointer`, if anything; called on a document's root.
    pub fn at_pointer(&self, pointer: &str) -> Option<Self> {
        self.value.pointer(pointer).map(|value| self.at(pointer, value))
    }

    /// The innermost thing on the way to `pointer` that exists; called on a document's root.
    #[must_use]
    pub fn nearest(&self, pointer: &str) -> Self {
        let mut pointer = pointer;
        loop {
            if let Some(value) = self.value.pointer(pointer) {
                return self.at(pointer, value);
            }
            pointer = pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
        }
    }

    /// The entry `key` of this object, if there is one.
    pub fn get(&self, key: &str) -> Option<Self> {
        self.value.get(key).map(|value| self.at(&format!("{}/{}", self.pointer, escape(key)), value))
    }

    /// The entry `key` of this object, or the object itself where it has none.
    #[must_use]
    pub fn nearest_of(&self, key: &str) -> Self {
        self.get(key).unwrap_or_else(|| self.clone())
    }

    /// The entry `key` of this object; reports it where it is missing.
    pub fn required(&self, key: &str, expected: &str) -> Option<Self> {
        let entry = self.get(key);
        if entry.is_none() && self.value.is_object() {
            self.report(format!("`{key}`: {expected}"), "nothing".to_owned(), None);
        }
        entry
    }

    /// This object's entries, in order.
    pub fn entries(&self) -> Vec<(&'s str, Self)> {
        self.object()
            .into_iter()
            .flatten()
            .map(|(key, value)| (key.as_str(), self.at(&format!("{}/{}", self.pointer, escape(key)), value)))
            .collect()
    }

    /// This array's items.
    pub fn items(&self) -> Vec<Self> {
        let Value::Array(items) = self.value else {
            self.wrong("a list");
            return Vec::new();
        };
        items.iter().enumerate().map(|(index, value)| self.at(&format!("{}/{index}", self.pointer), value)).collect()
    }

    pub fn object(&self) -> Option<&'s Map<String, Value>> {
        let object = self.value.as_object();
        if object.is_none() {
            self.wrong("an object");
        }
        object
    }

    pub fn text(&self) -> Option<&'s str> {
        let text = self.value.as_str();
        match (text, self.value) {
            (Some(_), _) => {}
            (None, Value::Number(_) | Value::Bool(_)) => self.wrong_with_hint("a text", "put it in quotes"),
            (None, _) => self.wrong("a text"),
        }
        text
    }

    pub fn flag(&self) -> Option<bool> {
        let flag = self.value.as_bool();
        if flag.is_none() {
            self.wrong("`true` or `false`");
        }
        flag
    }

    pub fn unsigned(&self) -> Option<u64> {
        let number = self.value.as_u64();
        if number.is_none() {
            self.wrong("a whole number, 0 or more");
        }
        number
    }

    /// A text that is one of a closed set of words.
    pub fn word<T: FromStr + ToString + Copy>(&self, all: &[T]) -> Option<T> {
        let words: Vec<String> = all.iter().map(ToString::to_string).collect();
        let Some(text) = self.value.as_str() else {
            self.wrong(one_of(words.iter().map(String::as_str)));
            return None;
        };
        let word = text.parse().ok().filter(|_| words.iter().any(|word| word == text));
        if word.is_none() {
            self.report(
                one_of(words.iter().map(String::as_str)),
                describe(self.value),
                did_you_mean(text, words.iter().map(String::as_str)),
            );
        }
        word
    }

    /// A list of texts.
    pub fn texts(&self) -> Vec<String> {
        self.items().iter().filter_map(|item| item.text().map(str::to_owned)).collect()
    }

    /// Reports every key that is none of `known`.
    pub fn only(&self, known: &[&str]) {
        for (key, entry) in self.entries() {
            if !known.contains(&key) {
                const README: &str = "specs/README.md lists each key";
                let near = did_you_mean(key, known.iter().copied());
                let hint = near.map_or_else(|| README.to_owned(), |near| format!("{near} {README}"));
                entry.report(one_of(known.iter().copied()), format!("the unknown key `{key}`"), Some(hint));
            }
        }
    }
}

/// Returns "one of `a`, `b`, `c`".
pub fn one_of<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let words: Vec<String> = words.map(|word| format!("`{word}`")).collect();
    format!("one of {}", words.join(", "))
}

/// Returns the advice to write the known name that was probably meant.
pub fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    suggest_one(word, known).map(|near| format!("did you mean `{near}`?"))
}

/// Describes a value for a message, cut to what fits into a line.
pub fn describe(value: &Value) -> String {
    const LONGEST: usize = 80;
    match value {
        Value::Object(object) => format!("an object with {}", count(object.len(), "entry", "entries")),
        Value::Array(items) => format!("a list with {}", count(items.len(), "item", "items")),
        Value::Null => "nothing".to_owned(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            format!("`{}`", truncate(&value.to_string(), LONGEST))
        }
    }
}

fn count(number: usize, one: &str, several: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { several })
}
