//! An answer of any size → one that a model can read and a client can take: cut at the borders of
//! records, JSON still, and saying what was left out in its envelope.

use std::fmt::Write as _;

use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::envelope::Envelope;
use crate::call::Page;

/// The longest text of an answer, in bytes.
const LARGEST: usize = 40_000;
/// The longest text as it stands in a line of JSON: lines of 64 KB break some clients.
const LARGEST_LINE: usize = 60_000;
/// What the note about a cut and the envelope may cost.
const ENVELOPE: usize = 1_000;
/// How a record is shortened that alone is too large: text in characters, items of a list.
const SHORTER: [(usize, usize); 5] = [(8_000, 1_000), (2_000, 200), (500, 50), (200, 20), (80, 5)];

/// Returns a text of an answer in its envelope and in its bounds.
pub(super) fn bounded(text: &str, envelope: &Envelope) -> String {
    if fits(text, 0) {
        let whole = if envelope.is_empty() || serde_json::from_str::<&RawValue>(text).is_err() {
            text.to_owned()
        } else {
            envelope.around(text)
        };
        if fits(&whole, 0) {
            return whole;
        }
    }
    if let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(text) {
        return list(&items, text.len(), envelope);
    }
    match serde_json::from_str(text) {
        Ok(Value::Object(object)) => self::object(object, text.len(), envelope),
        _ => plain(text),
    }
}

fn fits(text: &str, besides: usize) -> bool {
    text.len() + besides <= LARGEST && line_length(text) + besides <= LARGEST_LINE
}

/// How long the text is inside a JSON string.
fn line_length(text: &str) -> usize {
    text.bytes()
        .map(|byte| match byte {
            b'"' | b'\\' | b'\n' | b'\r' | b'\t' => 2,
            0..=0x1f => 6,
            _ => 1,
        })
        .sum()
}

/// How many texts fit beside what takes `besides` bytes.
fn how_many<'a>(texts: impl Iterator<Item = &'a str>, besides: usize) -> usize {
    let (mut bytes, mut line) = (ENVELOPE + besides, ENVELOPE + besides);
    texts
        .take_while(|text| {
            bytes += text.len() + 1;
            line += line_length(text) + 1;
            bytes <= LARGEST && line <= LARGEST_LINE
        })
        .count()
}

/// Says in an envelope that the answer was cut.
fn cut(envelope: &Envelope, returned: usize, note: String) -> Envelope {
    let page = envelope.page.clone().unwrap_or_default();
    Envelope { page: Some(Page { returned, has_more: true, note: Some(note), ..page }), ..envelope.clone() }
}

fn note_of(shown: usize, all: usize, bytes: usize) -> String {
    format!(
        "{shown} of {all} records are shown: all {} KB would be too much for one answer. Ask for fewer at a time, narrow the search, or name the `fields` you need",
        bytes / 1_000
    )
}

fn list(items: &[&RawValue], bytes: usize, envelope: &Envelope) -> String {
    let shown = how_many(items.iter().map(|item| item.get()), 0);
    if shown == 0 {
        let all = items.iter().filter_map(|item| serde_json::from_str(item.get()).ok()).collect();
        return shortened(Value::Array(all), bytes, envelope);
    }
    let envelope = cut(envelope, shown, note_of(shown, items.len(), bytes));
    let items: Vec<&str> = items[..shown].iter().map(|item| item.get()).collect();
    envelope.around(&format!("[{}]", items.join(",")))
}

/// An object around a list, or one record.
fn object(mut object: Map<String, Value>, bytes: usize, envelope: &Envelope) -> String {
    let size = |value: &Value| value.as_array().map_or(0, |items| items.len().min(1) * value.to_string().len());
    let largest = object.iter().max_by_key(|(_, value)| size(value)).map(|(name, _)| name.clone());
    let items = largest.as_ref().and_then(|name| object.get_mut(name)).map(|list| (list.clone(), list));
    let Some((Value::Array(items), place)) = items else {
        return shortened(Value::Object(object), bytes, envelope);
    };
    *place = json!([]);
    let texts: Vec<String> = items.iter().map(Value::to_string).collect();
    let rest = line_length(&Value::Object(object.clone()).to_string());
    let shown = how_many(texts.iter().map(String::as_str), rest);
    let all = items.len();
    let kept: Vec<Value> = items.into_iter().take(shown.max(1)).collect();
    if let Some(name) = largest {
        object.insert(name, Value::Array(kept));
    }
    if shown == 0 {
        return shortened(Value::Object(object), bytes, envelope);
    }
    cut(envelope, shown, note_of(shown, all, bytes)).around(&Value::Object(object).to_string())
}

/// Shortens texts and lists inside until it fits.
fn shortened(mut value: Value, bytes: usize, envelope: &Envelope) -> String {
    for (characters, items) in SHORTER {
        shorten(&mut value, characters, items);
        let note = format!(
            "texts longer than {characters} characters and lists longer than {items} items are cut, marked `…`: all {} KB would be too much for one answer. Name the `fields` you need",
            bytes / 1_000
        );
        let returned = value.as_array().map_or(1, Vec::len);
        let text = cut(envelope, returned, note).around(&value.to_string());
        if fits(&text, 0) {
            return text;
        }
    }
    let note =
        format!("the answer of {} KB is too large to be shown in parts. Name the `fields` you need", bytes / 1_000);
    cut(envelope, 0, note).around("{}")
}

fn shorten(value: &mut Value, characters: usize, most: usize) {
    match value {
        Value::String(text) => {
            if let Some((at, _)) = text.char_indices().nth(characters) {
                let all = text.chars().count();
                text.truncate(at);
                let _ = write!(text, "… (cut, {all} characters)");
            }
        }
        Value::Array(items) => {
            if items.len() > most {
                let all = items.len();
                items.truncate(most);
                items.push(json!(format!("… (cut, {all} items)")));
            }
            for item in items {
                shorten(item, characters, most);
            }
        }
        Value::Object(entries) => {
            for entry in entries.values_mut() {
                shorten(entry, characters, most);
            }
        }
        _ => {}
    }
}

fn plain(text: &str) -> String {
    let (mut bytes, mut line) = (ENVELOPE, ENVELOPE);
    let end = text.char_indices().find(|(_, c)| {
        bytes += c.len_utf8();
        line += line_length(c.encode_utf8(&mut [0; 4]));
        bytes > LARGEST || line > LARGEST_LINE
    });
    let shown = end.map_or(text, |(at, _)| &text[..at]);
    format!("(cut: the first {} of {} KB are shown)\n{shown}", shown.len() / 1_000, text.len() / 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(text: String) -> Value {
        let given = text.len();
        let bounded = bounded(&text, &Envelope::default());
        assert!(fits(&bounded, 0), "{given} -> {}", bounded.len());
        serde_json::from_str(&bounded).expect("still JSON")
    }

    #[test]
    fn what_fits_stays_as_it_is() {
        let text = "[1, 2,  {\"n\": 12345678901234567890123}]".to_owned();
        assert_eq!(bounded(&text, &Envelope::default()), text);
    }

    #[test]
    fn lists_are_cut_between_records() {
        let records: Vec<Value> = (0..3_000).map(|n| json!({"id": n, "subject": "\"quoted\" ".repeat(5)})).collect();
        let cut = checked(json!(records).to_string());
        let shown = cut["items"].as_array().unwrap();
        assert_eq!(cut["page"]["returned"], json!(shown.len()));
        assert_eq!(cut["page"]["has_more"], json!(true));
        assert!(shown.len() > 100 && shown[..] == records[..shown.len()]);
        assert!(cut["page"]["note"].as_str().unwrap().contains("of 3000 records"));
        let around = checked(json!({"total": 3_000, "rows": records, "few": [1]}).to_string());
        assert_eq!(around.as_object().unwrap().keys().collect::<Vec<_>>(), ["page", "total", "rows", "few"]);
        assert_eq!(around["page"]["returned"], json!(around["rows"].as_array().unwrap().len()));
        let exact = format!("[{}]", vec!["{\"n\": 12345678901234567890123}"; 5_000].join(","));
        let exact = bounded(&exact, &Envelope::default());
        assert!(exact.contains("[{\"n\": 12345678901234567890123},"), "numbers stay as the vendor wrote them");
    }

    #[test]
    fn a_record_that_alone_is_too_large_is_shortened() {
        let long = "é\n".repeat(200_000);
        let one = checked(json!({"id": 7, "body": long, "page": 3}).to_string());
        assert_eq!((&one["answer"]["id"], &one["answer"]["page"]), (&json!(7), &json!(3)));
        assert!(one["answer"]["body"].as_str().unwrap().ends_with("… (cut, 400000 characters)"));
        let listed = checked(json!([{"id": 7, "body": long}]).to_string());
        assert_eq!(listed["items"][0]["id"], json!(7));
        let deep = checked(json!({"a": {"b": vec![json!({"c": "x".repeat(100)}); 50_000]}}).to_string());
        assert!(deep["a"]["b"].as_array().unwrap().len() > 5);
        let wide: Map<String, Value> = (0..50_000).map(|n| (format!("name{n}"), json!(n))).collect();
        assert_eq!(checked(Value::Object(wide).to_string())["page"]["returned"], json!(0));
    }

    #[test]
    fn text_is_cut_and_says_so() {
        for text in ["é".repeat(200_000), "\u{1}".repeat(200_000), "[1, ".repeat(50_000)] {
            let cut = bounded(&text, &Envelope::default());
            assert!(fits(&cut, 0) && cut.starts_with("(cut: the first "), "{}", cut.len());
        }
    }
}
