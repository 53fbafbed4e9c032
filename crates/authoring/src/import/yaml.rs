//! A JSON value → YAML for a person to read and edit: block style, short values on one line, quotes
//! only where needed, and a TODO at each missing text.
//!
//! `serde_saphyr` reads YAML here but does not write it: its serializer leaves invisible and
//! right-to-left characters of a vendor's text as they are, which would hide from a reviewer what
//! the file holds, and it cannot choose flow style by the length of a line.

use std::fmt::Write as _;

use serde_json::Value;

/// The longest line that holds more than one value.
const LONGEST_LINE: usize = 100;

/// The comment after an empty `summary` or `description`.
const TODO: &str = "  # TODO: describe";

/// Writes the document.
pub(super) fn write(value: &Value) -> String {
    let mut out = String::new();
    block(value, 0, &mut out);
    out
}

/// Writes an entry of a mapping whose keys are indented by so much.
pub(crate) fn entry_at(key: &str, value: &Value, indent: usize) -> String {
    let mut out = String::new();
    pad(indent, &mut out);
    out.push_str(&scalar(key));
    out.push(':');
    entry(key, value, indent, &mut out);
    out
}

/// Writes an item of a list whose dashes are indented by so much.
pub(crate) fn item_at(value: &Value, indent: usize) -> String {
    let mut out = String::new();
    block(&Value::Array(vec![value.clone()]), indent, &mut out);
    out
}

/// Writes a value on one line, however long.
pub(crate) fn flow_line(value: &Value) -> String {
    match value {
        Value::Object(object) => {
            let entries: Vec<String> =
                object.iter().map(|(key, entry)| format!("{}: {}", in_flow(key), flow_line(entry))).collect();
            format!("{{{}}}", entries.join(", "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(flow_line).collect::<Vec<_>>().join(", ")),
        Value::String(text) => in_flow(text),
        other => other.to_string(),
    }
}

/// Returns whether an entry is a text that is still to be written.
pub(super) fn is_open(key: &str, value: &Value) -> bool {
    matches!(key, "summary" | "description") && value.as_str() == Some("")
}

fn block(value: &Value, indent: usize, out: &mut String) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                pad(indent, out);
                out.push_str(&scalar(key));
                out.push(':');
                self::entry(key, value, indent, out);
            }
        }
        Value::Array(items) => {
            for item in items {
                pad(indent, out);
                out.push('-');
                match flow(item, LONGEST_LINE.saturating_sub(indent)) {
                    Some(line) => {
                        out.push(' ');
                        out.push_str(&line);
                        out.push('\n');
                    }
                    None => {
                        let start = out.len();
                        block(item, indent + 2, out);
                        // The first entry follows the dash on its line.
                        out.replace_range(start..=start + indent, "");
                    }
                }
            }
        }
        other => {
            pad(indent, out);
            out.push_str(&one_line(other));
            out.push('\n');
        }
    }
}

/// Writes the value of a key, on its line or below it.
fn entry(key: &str, entry: &Value, indent: usize, out: &mut String) {
    if is_open(key, entry) {
        out.push_str(" \"\"");
        out.push_str(TODO);
        out.push('\n');
        return;
    }
    match flow(entry, LONGEST_LINE.saturating_sub(indent + key.len())) {
        Some(line) => {
            out.push(' ');
            out.push_str(&line);
            out.push('\n');
        }
        None => {
            out.push('\n');
            block(entry, indent + 2, out);
        }
    }
}

fn pad(indent: usize, out: &mut String) {
    out.extend(std::iter::repeat_n(' ', indent));
}

/// Returns the value on one line if it fits and holds no text that is still to be written.
fn flow(value: &Value, room: usize) -> Option<String> {
    // A scalar is always on one line.
    if !matches!(value, Value::Object(_) | Value::Array(_)) {
        return Some(one_line(value));
    }
    let mut out = String::new();
    flow_into(value, room, 3, &mut out)?;
    Some(out)
}

fn flow_into(value: &Value, room: usize, levels: usize, out: &mut String) -> Option<()> {
    match value {
        Value::Object(object) => {
            let levels = levels.checked_sub(usize::from(!object.is_empty()))?;
            out.push('{');
            for (index, (key, entry)) in object.iter().enumerate() {
                if is_open(key, entry) {
                    return None;
                }
                out.push_str(if index > 0 { ", " } else { "" });
                out.push_str(&in_flow(key));
                out.push_str(": ");
                flow_into(entry, room, levels, out)?;
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index > 0 { ", " } else { "" });
                flow_into(item, room, levels, out)?;
            }
            out.push(']');
        }
        Value::String(text) => out.push_str(&in_flow(text)),
        other => out.push_str(&other.to_string()),
    }
    (out.len() <= room).then_some(())
}

fn one_line(value: &Value) -> String {
    match value {
        Value::String(text) => scalar(text),
        other => other.to_string(),
    }
}

/// A text in block style, where braces and commas are ordinary characters.
pub(crate) fn scalar(text: &str) -> String {
    if is_plain(text, "_./${}()+ -") { text.to_owned() } else { quoted(text) }
}

/// A text in flow style.
pub(crate) fn in_flow(text: &str) -> String {
    if is_plain(text, "_./$-") { text.to_owned() } else { quoted(text) }
}

fn is_plain(text: &str, joints: &str) -> bool {
    const WORDS: [&str; 12] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf", "infinity"];
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '_' || c == '$')
        && !text.ends_with(' ')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || joints.contains(c))
        && !WORDS.contains(&text.to_lowercase().as_str())
}

/// Returns whether a character is invisible, controls a terminal or changes the direction of text. All
/// of them are below 65,536.
pub(super) fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(c, '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// A text in double quotes, as in JSON, with hidden characters escaped.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_hidden(c) => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        let texts = [
            "plain",
            "two words",
            "",
            " ",
            "true",
            "No",
            "null",
            "~",
            "12",
            "1e3",
            "0x1f",
            ".5",
            "-",
            "- a",
            "a: b",
            "a #b",
            "#a",
            "{id}",
            "/a/{id}",
            "it's",
            "\"q\"",
            "a\nb",
            "\t",
            "\u{7f}\u{85}\u{2028}\u{feff}",
            "é 漢 🦀",
            "\\d+",
            "[x]",
            "a,b",
            "*a",
            "&a",
            "!a",
            "%a",
            "@a",
            "`a`",
            "?",
            ":",
            "<<",
            "=",
            "2020-01-01",
            "12:30",
            "a ",
            "key:",
            "$ref",
            "nan",
            "...",
            "---",
        ];
        let mut by_key = serde_json::Map::new();
        for text in texts {
            by_key.insert(text.to_owned(), json!(text));
        }
        let long = vec![json!(by_key.clone()); 2];
        let value = json!({
            "texts": texts.to_vec(), "by_key": by_key, "nested": [[1, [2, []], {}], {"a": {"b": {"c": {"d": 1}}}}, long],
            "description": "", "summary": "x", "numbers": [0, -1, 1.5, 1e300, u64::MAX, i64::MIN], "none": null, "flags": [true, false],
            "inner": [{"description": "", "x": 1}],
        });
        let text = write(&value);
        let read = toolwright_codegen::read::load::yaml(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert_eq!(read, value, "{text}");
    }

    #[test]
    fn short_values_share_a_line_but_missing_texts_do_not() {
        let value = json!({"parameters": [
            {"name": "id", "in": "path", "required": true, "schema": {"type": "string"}},
            {"name": "q", "in": "query", "description": "", "schema": {"type": "array", "items": {"type": "string"}}},
        ]});
        assert_eq!(
            write(&value),
            "parameters:\n  - {name: id, in: path, required: true, schema: {type: string}}\n  - name: q\n    in: query\n    \
             description: \"\"  # TODO: describe\n    schema: {type: array, items: {type: string}}\n"
        );
    }
}
