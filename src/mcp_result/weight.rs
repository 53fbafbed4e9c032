//! A value → its weight: how much it takes of an answer's bound. A third of it is at least its length in
//! bytes, and half of it the length that it has within a line of JSON, where quotes are escaped again.

use crate::sanitize::json::Json;

/// The weight of a character that is escaped nowhere.
pub(super) const LIGHTEST_CHARACTER: usize = 3;
/// The weight of a text's two quotes: one byte each, two within a line.
const QUOTES: usize = 8;

/// Returns the weight of a value as JSON; of a heavier one than `limit` something above that.
pub(super) fn weight(value: &Json<'_>, limit: usize) -> usize {
    let mut sum = 2 * LIGHTEST_CHARACTER;
    match value {
        Json::Text(text) => return QUOTES + text_weight(text, limit),
        Json::List(items) => {
            for item in items {
                sum += weight(item, limit.saturating_sub(sum)) + LIGHTEST_CHARACTER;
                if sum > limit {
                    break;
                }
            }
        }
        Json::Object(entries) => {
            for (name, entry) in entries {
                sum += entry_weight(name);
                sum += weight(entry, limit.saturating_sub(sum));
                if sum > limit {
                    break;
                }
            }
        }
        Json::Plain(text) => return text.len() * LIGHTEST_CHARACTER,
    }
    sum
}

/// Returns the weight of an entry of an object without its value.
pub(super) fn entry_weight(name: &str) -> usize {
    QUOTES + text_weight(name, usize::MAX) + 2 * LIGHTEST_CHARACTER
}

/// Returns the weight of a text within its quotes; of a heavier one than `limit` something above that.
pub(super) fn text_weight(text: &str, limit: usize) -> usize {
    let mut sum = 0;
    for byte in text.bytes() {
        sum += match byte {
            // Escaped once: two bytes. Within a line both are escaped again.
            b'"' | b'\\' => 8,
            // Two bytes, of which the first is escaped again.
            b'\n' | b'\r' | b'\t' | 0x8 | 0xc => 7,
            // Six bytes.
            0..=0x1f => 19,
            _ => LIGHTEST_CHARACTER,
        };
        if sum > limit {
            break;
        }
    }
    sum
}

/// Returns the weight of a text that is JSON already.
pub(super) fn json_weight(text: &str) -> usize {
    let of_byte = |byte: u8| LIGHTEST_CHARACTER.max(2 + 2 * usize::from(further_length_of(byte)));
    text.bytes().map(of_byte).sum()
}

/// Returns the length of a text inside a JSON string, in bytes.
pub(super) fn line_length(text: &str) -> usize {
    // Counted in bytes and by comparisons alone, which a processor does for many bytes at once.
    let further = |chunk: &[u8]| -> u8 { chunk.iter().map(|byte| further_length_of(*byte)).sum() };
    let chunks = text.as_bytes().chunks(MOST_BYTES_AT_ONCE);
    text.len() + chunks.map(|chunk| usize::from(further(chunk))).sum::<usize>()
}

/// So many bytes become longer by no more than a byte can count.
const MOST_BYTES_AT_ONCE: usize = 48;

/// How much longer a byte is inside a JSON string.
fn further_length_of(byte: u8) -> u8 {
    let is = |one: u8| u8::from(byte == one);
    // What is one of both is counted with the control characters first.
    is(b'"') + is(b'\\') + 5 * u8::from(byte < 0x20) - 4 * (is(b'\n') + is(b'\r') + is(b'\t'))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_weight_covers_bytes_and_line() {
        for value in [
            json!({"a": [1, -2.5, null, true], "b\"c": "é\n\u{1}\\ \"x\"", "": {}}),
            json!([[], {}, ""]),
            json!("\u{8}\u{c}\t\r😀"),
            json!(12_345_678_901_u64),
        ] {
            let text = value.to_string();
            let line = Value::String(text.clone()).to_string().len() - 2;
            let weight = weight(&Json::parse(&text).unwrap(), usize::MAX);
            assert!(weight >= 3 * text.len() && weight >= 2 * line, "{text}: {weight}");
            assert!(weight <= 3 * text.len() + 2 * line, "{text}: {weight}");
            assert!(json_weight(&text) <= weight && line_length(&text) == line, "{text}");
        }
        assert!(weight(&Json::Text("x".repeat(1_000).into()), 30) > 30);
    }
}
