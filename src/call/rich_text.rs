//! Values of an answer that are in a format of the vendor's → the text that a model reads in their place. The rest of
//! the answer stays as it is, numbers by their text.

use std::borrow::Cow;

use serde_json::Value;
use toolwright_model::FormatName;
use toolwright_model::answer_limits::BYTES;

use crate::formats::{self, Mark};
use crate::sanitize::json::Json;

/// Replaces every value of a format.
pub(super) fn read(json: &mut Json<'_>, format: &FormatName) {
    let marks = formats::marks(format);
    if !marks.is_empty() {
        Reader { format, marks, left: BYTES }.read(json);
    }
}

struct Reader<'a> {
    format: &'a FormatName,
    marks: &'static [(&'static str, Mark)],
    /// How many bytes the values may still become together.
    left: usize,
}

impl Reader<'_> {
    fn read(&mut self, json: &mut Json<'_>) {
        if self.is_marked(json)
            && let Ok(value) = serde_json::from_str::<Value>(&json.to_text(0))
            && let Some(text) = formats::read(self.format, &value, &mut self.left)
        {
            *json = Json::Text(Cow::Owned(text));
            return;
        }
        match json {
            Json::List(items) => items.iter_mut().for_each(|item| self.read(item)),
            Json::Object(entries) => entries.iter_mut().for_each(|(_, value)| self.read(value)),
            Json::Plain(_) | Json::Text(_) => {}
        }
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
