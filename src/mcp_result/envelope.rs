//! An answer and what the reader must know of it → one JSON text: `page`, `notes`, `untrusted`, then
//! the vendor's data unchanged.

use std::collections::{HashMap, HashSet};

use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::call::Page;

/// The entries before an answer; all may be empty.
#[derive(Debug, Clone, Default)]
pub(super) struct Envelope {
    /// Which of the records the answer holds.
    pub page: Option<Page>,
    /// How arguments were interpreted, where that is not obvious.
    pub notes: Vec<String>,
    /// The names of the fields whose text outsiders write.
    pub untrusted: Vec<String>,
}

impl Envelope {
    /// Returns whether there are no entries.
    pub(super) fn is_empty(&self) -> bool {
        self.page.is_none() && self.notes.is_empty() && self.untrusted.is_empty()
    }

    /// Adds the entries to a JSON text. An object receives them as its first entries; a list
    /// becomes `items`, anything else `answer`, as does an object with an entry of the same name.
    pub(super) fn wrap(&self, text: &str) -> String {
        let own = self.entries();
        if own.is_empty() {
            return text.to_owned();
        }
        let head = Value::Object(own.clone()).to_string();
        let head = head.strip_suffix('}').unwrap_or(&head);
        let text = text.trim();
        let name = match text.as_bytes().first() {
            Some(b'{') => match names(text) {
                Some(theirs) if theirs.is_empty() => return format!("{head}}}"),
                Some(theirs) if !own.keys().any(|name| theirs.contains(name)) => {
                    return format!("{head},{}", text[1..].trim_start());
                }
                _ => "answer",
            },
            Some(b'[') => "items",
            _ => "answer",
        };
        format!("{head},\"{name}\":{text}}}")
    }

    fn entries(&self) -> Map<String, Value> {
        let page = self.page.as_ref().map(|page| ("page".to_owned(), json!(page)));
        let untrusted = (!self.untrusted.is_empty()).then(|| ("untrusted".to_owned(), json!(self.untrusted)));
        let notes = (!self.notes.is_empty()).then(|| ("notes".to_owned(), json!(self.notes)));
        page.into_iter().chain(notes).chain(untrusted).collect()
    }
}

/// Returns the names of an object's entries; none where the text is not valid JSON.
fn names(object: &str) -> Option<HashSet<String>> {
    let entries: HashMap<String, &RawValue> = serde_json::from_str(object).ok()?;
    Some(entries.into_keys().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> Page {
        Page { returned: 2, has_more: true, ..Page::default() }
    }

    #[test]
    fn entries_come_before_the_data() {
        const PAGE: &str = r#""page":{"returned":2,"has_more":true}"#;
        const MARK: &str = r#""untrusted":["Subject"]"#;
        for (text, expected) in [
            (r#"[ {"n":1e3} ]"#, r#""items":[ {"n":1e3} ]}"#),
            (r#"{ "total": 2.50, "rows": [] }"#, r#""total": 2.50, "rows": [] }"#),
            ("{}", ""),
            (r#"{"page": 3, "rows": []}"#, r#""answer":{"page": 3, "rows": []}}"#),
            ("7", r#""answer":7}"#),
            (r#""text""#, r#""answer":"text"}"#),
        ] {
            for (envelope, head) in [
                (Envelope { page: Some(page()), notes: Vec::new(), untrusted: Vec::new() }, PAGE.to_owned()),
                (
                    Envelope { page: Some(page()), notes: Vec::new(), untrusted: vec!["Subject".to_owned()] },
                    format!("{PAGE},{MARK}"),
                ),
            ] {
                let rest = if expected.is_empty() { "}".to_owned() } else { format!(",{expected}") };
                let wrapped = envelope.wrap(text);
                assert_eq!(wrapped, format!("{{{head}{rest}"), "{text}");
                assert!(serde_json::from_str::<Value>(&wrapped).is_ok(), "{wrapped}");
            }
        }
        let marked = Envelope { page: None, notes: Vec::new(), untrusted: vec!["Subject".to_owned()] };
        assert_eq!(marked.wrap(r#"{"page":1}"#), format!("{{{MARK},\"page\":1}}"));
    }

    #[test]
    fn without_entries_nothing_changes() {
        for text in ["[1, 2]", "{\"a\": 1}", " 7 "] {
            assert_eq!(Envelope::default().wrap(text), text);
        }
    }
}
