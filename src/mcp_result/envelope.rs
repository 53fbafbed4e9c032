//! What we say of an answer → before the answer itself: `page`, `notes`, `untrusted`, then what the
//! vendor sent, as it wrote it.

use std::collections::{HashMap, HashSet};

use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::call::Page;

/// What stands before an answer; nothing where there is nothing to say.
#[derive(Debug, Clone, Default)]
pub(super) struct Envelope {
    /// Which part of the records the answer holds.
    pub page: Option<Page>,
    /// What the caller should know of how the arguments were taken.
    pub notes: Vec<String>,
    /// The names of its fields whose text outsiders write.
    pub untrusted: Vec<String>,
}

impl Envelope {
    /// Whether there is nothing to say.
    pub(super) fn is_empty(&self) -> bool {
        self.page.is_none() && self.notes.is_empty() && self.untrusted.is_empty()
    }

    /// Puts what there is to say before a text of JSON: into an object, as its first entries;
    /// around a list, which becomes `items`; around anything else, which becomes `answer`.
    pub(super) fn around(&self, text: &str) -> String {
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

/// The names of an object's entries.
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
    fn what_there_is_to_say_stands_first() {
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
                let around = envelope.around(text);
                assert_eq!(around, format!("{{{head}{rest}"), "{text}");
                assert!(serde_json::from_str::<Value>(&around).is_ok(), "{around}");
            }
        }
        let marked = Envelope { page: None, notes: Vec::new(), untrusted: vec!["Subject".to_owned()] };
        assert_eq!(marked.around(r#"{"page":1}"#), format!("{{{MARK},\"page\":1}}"));
    }

    #[test]
    fn where_there_is_nothing_to_say_nothing_changes() {
        for text in ["[1, 2]", "{\"a\": 1}", " 7 "] {
            assert_eq!(Envelope::default().around(text), text);
        }
    }
}
