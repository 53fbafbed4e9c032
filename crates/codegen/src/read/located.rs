//! A JSON value that knows in which file and at which pointer it stands, so that whatever reads
//! it can say where it is wrong. Every reader of a file under specs/ goes through here.

use std::cell::RefCell;
use std::str::FromStr;

use serde_json::{Map, Value};

use crate::read::finding::{Errors, Finding};

/// Where findings about one document go: its file and what the pointers stand for.
pub struct Source<'a> {
    file: String,
    /// Places of the document that came from elsewhere: pointer prefix → file and pointer there.
    origins: &'a [(String, String, String)],
    errors: RefCell<Errors>,
}

impl<'a> Source<'a> {
    pub fn new(file: &str) -> Self {
        Self { file: file.to_owned(), origins: &[], errors: RefCell::default() }
    }

    /// A document that an overlay has changed: `origins` says which places it wrote.
    pub fn with_origins(file: &str, origins: &'a [(String, String, String)]) -> Self {
        Self { file: file.to_owned(), origins, errors: RefCell::default() }
    }

    pub fn root<'s>(&'s self, value: &'s Value) -> Located<'s> {
        Located { source: self, pointer: String::new(), value }
    }

    pub fn into_errors(self) -> Errors {
        self.errors.into_inner()
    }

    /// The file and pointer under which a person finds what stands at `pointer`.
    fn place(&self, pointer: &str) -> (String, String) {
        let origin = self
            .origins
            .iter()
            .rev()
            .find_map(|(prefix, file, at)| below(pointer, prefix).map(|rest| (file, at, rest)));
        match origin {
            Some((file, at, rest)) => (file.clone(), format!("{at}{rest}")),
            None => (self.file.clone(), pointer.to_owned()),
        }
    }
}

/// A value at its place.
#[derive(Clone)]
pub struct Located<'s> {
    source: &'s Source<'s>,
    pub pointer: String,
    pub value: &'s Value,
}

impl<'s> Located<'s> {
    /// Reports that something else was expected here.
    pub fn wrong(&self, expected: impl Into<String>) {
        self.report(expected.into(), describe(self.value), None);
    }

    /// Reports that something else was expected here, with advice.
    pub fn wrong_with_hint(&self, expected: impl Into<String>, hint: impl Into<String>) {
        self.report(expected.into(), describe(self.value), Some(hint.into()));
    }

    /// The file and pointer under which a person finds this.
    pub fn place(&self) -> (String, String) {
        self.source.place(&self.pointer)
    }

    /// Reports a finding in words of its own.
    pub fn report(&self, expected: String, found: String, hint: Option<String>) {
        let (file, pointer) = self.place();
        self.source.errors.borrow_mut().push(Finding { file, pointer, expected, found, hint });
    }

    /// The same source, for a value that stands elsewhere in the document.
    pub fn at(&self, pointer: &str, value: &'s Value) -> Self {
        Self { source: self.source, pointer: pointer.to_owned(), value }
    }

    /// What is at `pointer`, if anything; called on a document's root.
    pub fn at_pointer(&self, pointer: &str) -> Option<Self> {
        self.value.pointer(pointer).map(|value| self.at(pointer, value))
    }

    /// The innermost thing on the way to `pointer` that exists; called on a document's root.
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
                nearest(text, words.iter().map(String::as_str)).map(|near| format!("did you mean `{near}`?")),
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
                let hint = match nearest(key, known.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`? specs/README.md lists each key"),
                    None => "specs/README.md lists each key".to_owned(),
                };
                entry.report(one_of(known.iter().copied()), format!("the unknown key `{key}`"), Some(hint));
            }
        }
    }
}

/// Returns what is left of `pointer` below `prefix`: empty, or starting with a slash.
pub fn below<'a>(pointer: &'a str, prefix: &str) -> Option<&'a str> {
    pointer.strip_prefix(prefix).filter(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Escapes a key for a JSON pointer.
pub fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// Returns "one of `a`, `b`, `c`".
pub fn one_of<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let words: Vec<String> = words.map(|word| format!("`{word}`")).collect();
    format!("one of {}", words.join(", "))
}

/// Returns the candidate that a slip of the hand would most likely have turned into `word`.
pub fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .map(|candidate| (strsim::jaro_winkler(&word.to_lowercase(), &candidate.to_lowercase()), candidate))
        .filter(|(similarity, _)| *similarity >= 0.8)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}

/// Says what a value is, cut to what fits into a line.
pub fn describe(value: &Value) -> String {
    const LONGEST: usize = 80;
    match value {
        Value::Object(object) => format!("an object with {}", count(object.len(), "entry", "entries")),
        Value::Array(items) => format!("a list with {}", count(items.len(), "item", "items")),
        Value::Null => "nothing".to_owned(),
        scalar => {
            let text = scalar.to_string();
            if text.chars().count() <= LONGEST {
                format!("`{text}`")
            } else {
                format!("`{}…`", text.chars().take(LONGEST).collect::<String>())
            }
        }
    }
}

fn count(number: usize, one: &str, several: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { several })
}
