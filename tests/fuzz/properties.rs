//! What holds for every result that a model gets, whatever the vendor answered.

use rmcp::model::{CallToolResult, ContentBlock};
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::vendor::head_and_body;
use crate::common::inert::{invisible, live, texts};

/// The most text of a result, in bytes, as docs/answers.md states it.
const MOST_TEXT: usize = 40_000;
/// The longest result in bytes, so that its line on stdio has at most 62 KB.
const LARGEST_RESULT: usize = 61_000;
/// What Toolwright writes around an answer.
const ENVELOPE: [&str; 4] = ["page", "untrusted", "omitted", "notes"];
/// The texts of a result that are no JSON.
const SENTENCES: [&str; 3] = ["done: the vendor answered ", "(part ", "(parts "];

/// Checks a result, and returns the JSON of its text blocks. `is_raw` is whether the texts were asked for as the vendor
/// has them, with its links; `named` has the fields that results before named as those of outsiders, and gets those of this one.
pub(crate) fn check(result: &CallToolResult, is_raw: bool, named: &mut Vec<String>) -> Vec<Value> {
    let failed = result.is_error == Some(true);
    let blocks: Vec<&str> = result.content.iter().filter_map(text_of).collect();
    let text: usize = blocks.iter().map(|text| text.len()).sum();
    assert!(text <= MOST_TEXT, "{text} bytes of text");
    if blocks.len() == result.content.len() {
        let line = json!(result).to_string().len();
        assert!(line <= LARGEST_RESULT, "a result of {line} bytes");
    }
    let mut values = Vec::new();
    for text in blocks {
        if failed || SENTENCES.iter().any(|sentence| text.starts_with(sentence)) {
            assert!(!invisible(text), "an invisible character in {text:?}");
            assert_eq!(live(text), None, "in a message: {text}");
            continue;
        }
        let read = serde_json::from_str(&with_small_numbers(text));
        let value: Value = read.unwrap_or_else(|error| panic!("no JSON: {error}: {text}"));
        check_answer(&value, is_raw, named);
        values.push(value);
    }
    values
}

/// JSON in which every number with an exponent is another: numbers keep their text, and serde_json takes none of more than
/// 64 bits.
fn with_small_numbers(text: &str) -> String {
    let (mut out, mut number) = (String::new(), String::new());
    let (mut is_text, mut is_escaped) = (false, false);
    for c in text.chars() {
        if !is_text && (c.is_ascii_digit() || "+-.eE".contains(c) && !number.is_empty()) {
            number.push(c);
            continue;
        }
        out.push_str(if number.contains(['e', 'E']) { "1" } else { &number });
        number.clear();
        is_text ^= c == '"' && !is_escaped;
        is_escaped = is_text && c == '\\' && !is_escaped;
        out.push(c);
    }
    out + &number
}

fn text_of(block: &ContentBlock) -> Option<&str> {
    match block {
        ContentBlock::Text(text) => Some(&text.text),
        _ => None,
    }
}

fn check_answer(value: &Value, is_raw: bool, named: &mut Vec<String>) {
    let mut found = Vec::new();
    texts(value, &mut found);
    for text in found {
        assert!(!invisible(text), "an invisible character in {text:?}");
    }
    // Pieces of a record are all marked as untrusted. Which fields outsiders wrote, only the result with the record says.
    let is_piece = |item: &Value| item["at"].as_str().is_some_and(|place| place.starts_with('/'));
    let are_pieces = value["items"].as_array().is_some_and(|items| items.iter().all(is_piece));
    if !are_pieces {
        named.extend(value["untrusted"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned));
    }
    let of_outsiders = |name: &str| named.iter().any(|known| known == "*" || known == name);
    for (name, entry) in value.as_object().into_iter().flatten() {
        if !is_raw && !ENVELOPE.contains(&name.as_str()) {
            check_links(entry, of_outsiders(name), &of_outsiders);
        }
    }
}

/// Checks that texts of outsiders have no live link. A piece of a large record names where its text belongs.
fn check_links(value: &Value, is_of_outsiders: bool, of_outsiders: &impl Fn(&str) -> bool) {
    match value {
        Value::String(text) if is_of_outsiders => assert_eq!(live(text), None, "in {text:?}"),
        Value::Array(items) => items.iter().for_each(|item| check_links(item, is_of_outsiders, of_outsiders)),
        Value::Object(entries) => {
            let place = entries.get("at").and_then(Value::as_str).unwrap_or_default();
            let is_piece = place.starts_with('/') && place.split('/').any(of_outsiders);
            for (name, entry) in entries {
                check_links(entry, is_of_outsiders || is_piece || of_outsiders(name), of_outsiders);
            }
        }
        _ => {}
    }
}

/// Checks that an end of the records is stated only if every answer that was read is JSON of more than one value.
pub(crate) fn check_end(values: &[Value], answers: &[Vec<u8>]) {
    let ended = values.iter().any(|value| value["page"]["has_more"] == json!(false));
    for answer in answers.iter().filter(|_| ended) {
        let body = String::from_utf8_lossy(head_and_body(answer).1);
        let body = body.trim_start_matches('\u{feff}').trim();
        let whole = serde_json::from_str::<IgnoredAny>(body).is_ok() && body.starts_with(['{', '[']);
        assert!(whole, "`has_more: false` of a broken answer: {body}");
    }
}
