//! Values of an answer that are in a format of the vendor's → what a model reads in their place: a text, or where they
//! are a list an object by their names. The rest of the answer stays as it is, numbers by their text.

use std::borrow::Cow;
use std::collections::HashSet;

use serde_json::Value;
use toolwright_model::FormatName;
use toolwright_model::answer_limits::BYTES;

use crate::formats::{self, Mark, ReadValue};
use crate::sanitize::json::Json;

/// Replaces every value of a format.
pub(super) fn read(json: &mut Json<'_>, format: &FormatName) {
    let marks = formats::marks(format);
    if !marks.is_empty() {
        let beside = formats::beside(format).and_then(|name| take(json, name)).unwrap_or_default();
        Reader { format, marks, beside, left: BYTES }.read(json);
    }
}

/// Takes an entry out of the answer: what it says is then in the values.
fn take(json: &mut Json<'_>, name: &str) -> Option<Value> {
    let Json::Object(entries) = json else { return None };
    let at = entries.iter().position(|(own, _)| own == name)?;
    let (_, value) = entries.remove(at);
    serde_json::from_str(&value.to_text(0)).ok()
}

struct Reader<'a> {
    format: &'a FormatName,
    marks: &'static [(&'static str, Mark)],
    /// What the values are read by.
    beside: Value,
    /// How many bytes the values may still become together.
    left: usize,
}

impl Reader<'_> {
    fn read(&mut self, json: &mut Json<'_>) {
        match self.value(json) {
            Some(ReadValue::Text(text)) => *json = Json::Text(Cow::Owned(text)),
            Some(ReadValue::Entry(name, texts)) => *json = Json::Object(vec![named(name, texts)]),
            None => match json {
                Json::List(items) => match self.entries(items) {
                    Some(entries) => *json = Json::Object(entries),
                    None => items.iter_mut().for_each(|item| self.read(item)),
                },
                Json::Object(entries) => entries.iter_mut().for_each(|(_, value)| self.read(value)),
                Json::Plain(_) | Json::Text(_) => {}
            },
        }
    }

    /// What a value of the format is read as.
    fn value(&mut self, json: &Json<'_>) -> Option<ReadValue> {
        let value = self.is_marked(json).then(|| serde_json::from_str::<Value>(&json.to_text(0)).ok()).flatten()?;
        formats::read(self.format, &value, &self.beside, &mut self.left)
    }

    /// The entries that a list of values becomes, if each is one and has a name of its own.
    fn entries<'j>(&mut self, items: &[Json<'_>]) -> Option<Vec<(Cow<'j, str>, Json<'j>)>> {
        if items.is_empty() || !items.iter().all(|item| self.is_marked(item)) {
            return None;
        }
        let before = self.left;
        let mut names = HashSet::new();
        let mut entries = Vec::with_capacity(items.len());
        for item in items {
            match self.value(item) {
                Some(ReadValue::Entry(name, texts)) if names.insert(name.clone()) => entries.push(named(name, texts)),
                _ => {
                    // They are read one by one.
                    self.left = before;
                    return None;
                }
            }
        }
        Some(entries)
    }

    fn is_marked(&self, json: &Json<'_>) -> bool {
        let Json::Object(entries) = json else { return false };
        self.marks.iter().all(|(name, mark)| {
            let value = entries.iter().find(|(own, _)| own == name).map(|(_, value)| value);
            match (mark, value) {
                (Mark::Text(expected), Some(Json::Text(text))) => text == expected,
                (Mark::Number, Some(Json::Plain(text))) => text.starts_with(|c: char| c == '-' || c.is_ascii_digit()),
                (Mark::List, Some(Json::List(_))) => true,
                _ => false,
            }
        })
    }
}

/// An entry: one text, a list of several, `null` for none.
fn named<'j>(name: String, mut texts: Vec<String>) -> (Cow<'j, str>, Json<'j>) {
    let text = |text: String| Json::Text(Cow::Owned(text));
    let value = match (texts.pop(), texts.is_empty()) {
        (None, _) => Json::Plain(Cow::Borrowed("null")),
        (Some(only), true) => text(only),
        (Some(last), false) => Json::List(texts.into_iter().chain([last]).map(text).collect()),
    };
    (Cow::Owned(name), value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(given: &str) -> String {
        let mut json = Json::parse(given).unwrap();
        read(&mut json, &FormatName::from("adf"));
        json.to_text(0)
    }

    #[test]
    fn documents_become_markdown_and_all_else_stays() {
        let document =
            r#"{"version":1,"type":"doc","content":[{"type":"paragraph","content":[{"type":"text","text":"a"}]}]}"#;
        let numbers = r#""n":[123456789012345678901234567890,1.50,1e400,-0.0]"#;
        let given = format!(
            r#"{{{numbers},"fields":{{"description":{document},"n":1,"n":2}},"comments":[{{"body":{document}}}]}}"#
        );
        let expected =
            format!(r#"{{{numbers},"fields":{{"description":"a","n":1,"n":2}},"comments":[{{"body":"a"}}]}}"#);
        assert_eq!(shown(&given), expected);
        for other in [
            r#"{"type":"doc"}"#,
            r#"{"type":"doc","version":"1","content":[]}"#,
            "[1,\"2\"]",
            r#"{"type":"doc","version":1,"content":{}}"#,
        ] {
            assert_eq!(shown(other), other);
        }
        assert_eq!(shown(document), r#""a""#);
    }

    #[test]
    fn a_list_of_named_values_becomes_an_object() {
        let shown = |given: &str| {
            let mut json = Json::parse(given).unwrap();
            read(&mut json, &FormatName::from("assets-attributes"));
            json.to_text(0)
        };
        let value = |id: &str, text: &str| {
            format!(r#"{{"objectTypeAttributeId":"{id}","objectAttributeValues":[{{"displayValue":"{text}"}}]}}"#)
        };
        let (one, two) = (value("1", "a"), value("2", "b"));
        let definitions = r#""objectTypeAttributes":[{"id":"1","name":"Name"},{"id":"2","name":"Owner"}]"#;
        for (attributes, expected) in [
            (format!("[{one},{two}]"), r#"{"Name":"a","Owner":"b"}"#),
            (format!("[{one},{one}]"), r#"[{"Name":"a"},{"Name":"a"}]"#),
            (format!("[{one},5]"), r#"[{"Name":"a"},5]"#),
            (one.clone(), r#"{"Name":"a"}"#),
            ("[]".to_owned(), "[]"),
            (r#"[{"objectTypeAttributeId":"2","objectAttributeValues":[]}]"#.to_owned(), r#"{"Owner":null}"#),
        ] {
            let given = format!(r#"{{"values":[{{"n":1.50,"attributes":{attributes}}}],{definitions}}}"#);
            let expected = format!(r#"{{"values":[{{"n":1.50,"attributes":{expected}}}]}}"#);
            assert_eq!(shown(&given), expected);
        }
        assert_eq!(shown(&format!("[{one}]")), r#"{"attribute 1":"a"}"#);
    }

    #[test]
    fn a_small_answer_becomes_no_large_one() {
        let cells = vec![r#"{"type":"tableCell","content":[]}"#; 1_000].join(",");
        let rows = vec![r#"{"type":"tableRow","content":[]}"#; 1_000].join(",");
        let table = format!(r#"{{"type":"table","content":[{{"type":"tableRow","content":[{cells}]}},{rows}]}}"#);
        let document = format!(r#"{{"type":"doc","version":1,"content":[{table}]}}"#);
        let comments = format!("[{}]", vec![document.as_str(); 20].join(","));
        let shown = shown(&comments);
        assert!(shown.len() < comments.len() / 2, "{} of {}", shown.len(), comments.len());
    }
}
