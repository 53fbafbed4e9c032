//! JSON text ⇄ its tree, exactly: numbers keep their spelling, names their order, also where one
//! occurs twice.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde_json::value::RawValue;
use toolwright_model::answer_limits::{DEPTH, VALUES};

/// What some programs write in place of a number.
const NO_NUMBERS: [&str; 4] = ["NaN", "-Infinity", "Infinity", "-NaN"];

/// A value of JSON.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Json<'t> {
    /// A number, `true`, `false` or `null`, as written.
    Plain(Cow<'t, str>),
    /// A text, unescaped.
    Text(Cow<'t, str>),
    /// A list.
    List(Vec<Json<'t>>),
    /// An object's entries.
    Object(Vec<(Cow<'t, str>, Json<'t>)>),
}

impl<'t> Json<'t> {
    /// Parses a text.
    ///
    /// # Errors
    /// It is not JSON, or more of it than is read.
    pub(crate) fn parse(text: &'t str) -> Result<Self, JsonFault> {
        // serde checks the grammar; the reader relies on it.
        let valid = serde_json::from_str::<&RawValue>(text).map_err(|error| JsonFault::of(text, &error))?.get();
        JsonReader { text: valid, at: 0, left: VALUES }.value(DEPTH)
    }

    /// Checks that [`Self::parse`] reads a text, without making its tree.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub(crate) fn check(text: &str) -> Result<(), JsonFault> {
        let valid = serde_json::from_str::<&RawValue>(text).map_err(|error| JsonFault::of(text, &error))?.get();
        // A value takes a byte at least, and a level a bracket.
        if valid.len() <= VALUES && valid.bytes().filter(|byte| matches!(byte, b'[' | b'{')).count() <= DEPTH {
            return Ok(());
        }
        Json::parse(valid).map(drop)
    }

    /// Formats the value without spaces; `capacity` is the expected length in bytes.
    pub(crate) fn to_text(&self, capacity: usize) -> String {
        let mut out = String::with_capacity(capacity);
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) {
        match self {
            Self::Plain(text) => out.push_str(text),
            Self::Text(text) => write_text(text, out),
            Self::List(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    item.write(out);
                }
                out.push(']');
            }
            Self::Object(entries) => {
                out.push('{');
                for (index, (name, value)) in entries.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    write_text(name, out);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }

    /// Formats the value over several lines.
    pub(crate) fn to_indented_text(&self) -> String {
        let mut out = String::new();
        self.write_indented(&mut out, 1);
        out
    }

    fn write_indented(&self, out: &mut String, depth: usize) {
        let line = |out: &mut String, depth: usize| {
            out.push('\n');
            out.extend(std::iter::repeat_n("  ", depth));
        };
        match self {
            Self::List(items) if !items.is_empty() => {
                for (index, item) in items.iter().enumerate() {
                    out.push(if index == 0 { '[' } else { ',' });
                    line(out, depth);
                    item.write_indented(out, depth + 1);
                }
                line(out, depth - 1);
                out.push(']');
            }
            Self::Object(entries) if !entries.is_empty() => {
                for (index, (name, value)) in entries.iter().enumerate() {
                    out.push(if index == 0 { '{' } else { ',' });
                    line(out, depth);
                    write_text(name, out);
                    out.push_str(": ");
                    value.write_indented(out, depth + 1);
                }
                line(out, depth - 1);
                out.push('}');
            }
            other => other.write(out),
        }
    }

    /// Returns whether it is `null` or an empty text, list or object.
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::Plain(text) => text == "null",
            Self::Text(text) => text.is_empty(),
            Self::List(items) => items.is_empty(),
            Self::Object(entries) => entries.is_empty(),
        }
    }

    /// Returns whether it contains text.
    pub(crate) fn has_text(&self) -> bool {
        match self {
            Self::Plain(_) => false,
            Self::Text(text) => !text.is_empty(),
            Self::List(items) => items.iter().any(Self::has_text),
            // A filter may have turned data into names.
            Self::Object(entries) => !entries.is_empty(),
        }
    }
}

fn write_text(text: &str, out: &mut String) {
    out.push('"');
    let mut done = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0..=0x1f => "",
            _ => continue,
        };
        out.push_str(&text[done..at]);
        if escape.is_empty() {
            let _ = write!(out, "\\u{byte:04x}");
        } else {
            out.push_str(escape);
        }
        done = at + 1;
    }
    out.push_str(&text[done..]);
    out.push('"');
}

/// Why a text is not JSON that can be read. Completes a sentence that begins with "the answer"; quotes nothing of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum JsonFault {
    /// It begins like no JSON.
    #[error("is text and no JSON")]
    Text,
    /// It ends too early.
    #[error("is JSON that breaks off after {0} bytes")]
    Cut(usize),
    /// It goes on after its end.
    #[error("is more than one value of JSON: another one begins in line {0}, column {1}")]
    Several(usize, usize),
    /// One of [`NO_NUMBERS`].
    #[error("is no JSON: `{0}` in line {1}, column {2} is no number")]
    Number(&'static str, usize, usize),
    /// A comma before the end of a list or an object.
    #[error("is no JSON: nothing follows the comma before line {0}, column {1}")]
    Comma(usize, usize),
    /// Anything else.
    #[error("is no JSON: {0} in line {1}, column {2}")]
    Syntax(String, usize, usize),
    /// It is nested deeper than [`DEPTH`].
    #[error("is JSON nested more than {DEPTH} deep, which is not read")]
    Depth,
    /// It has more values than [`VALUES`].
    #[error("is JSON of more than {VALUES} values, which is not read: ask for less")]
    Values,
}

impl JsonFault {
    fn of(text: &str, error: &serde_json::Error) -> Self {
        let begins = text.trim_start();
        let like_json = begins.starts_with(|c: char| c.is_ascii_digit() || "{[\"-".contains(c))
            || ["true", "false", "null"].iter().chain(&NO_NUMBERS).any(|word| begins.starts_with(word));
        let (line, column) = (error.line(), error.column());
        let message = error.to_string();
        let place = place(text, line, column);
        let rest = &text[place..];
        let before = text[..place].trim_end();
        if !like_json {
            Self::Text
        } else if error.is_eof() {
            Self::Cut(text.len())
        } else if message.starts_with("trailing characters") {
            Self::Several(line, column)
        } else if let Some(word) =
            NO_NUMBERS.iter().find(|word| rest.starts_with(*word) || is_inside(word, before, rest))
        {
            Self::Number(word, line, column)
        } else if before.ends_with(',') && rest.starts_with([']', '}']) {
            Self::Comma(line, column)
        } else {
            let reason = message.split(" at line ").next().unwrap_or_default();
            Self::Syntax(reason.to_owned(), line, column)
        }
    }
}

/// Whether a word begins before the place at which it was found to be none.
fn is_inside(word: &str, before: &str, rest: &str) -> bool {
    (1..word.len()).any(|cut| before.ends_with(&word[..cut]) && rest.starts_with(&word[cut..]))
}

/// Returns the byte at a line and a column, both counted from one, columns in bytes.
fn place(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let at = (start + column.saturating_sub(1)).min(text.len());
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default()
}

/// Reads text that is valid JSON.
struct JsonReader<'t> {
    text: &'t str,
    at: usize,
    /// How many values may still be read.
    left: usize,
}

impl<'t> JsonReader<'t> {
    /// Skips whitespace; returns the next byte.
    fn peek(&mut self) -> Option<u8> {
        let rest = &self.text.as_bytes()[self.at..];
        self.at += rest.iter().position(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r'))?;
        self.text.as_bytes().get(self.at).copied()
    }

    fn value(&mut self, deeper: usize) -> Result<Json<'t>, JsonFault> {
        self.left = self.left.checked_sub(1).ok_or(JsonFault::Values)?;
        match self.peek() {
            Some(b'{') => self.object(deeper.checked_sub(1).ok_or(JsonFault::Depth)?),
            Some(b'[') => self.list(deeper.checked_sub(1).ok_or(JsonFault::Depth)?),
            Some(b'"') => Ok(Json::Text(self.string().ok_or(JsonFault::Text)?)),
            _ => {
                let rest = &self.text[self.at..];
                let ends = |byte: u8| matches!(byte, b',' | b']' | b'}' | b' ' | b'\t' | b'\n' | b'\r');
                let end = rest.bytes().position(ends).unwrap_or(rest.len());
                self.at += end;
                Ok(Json::Plain(Cow::Borrowed(&rest[..end])))
            }
        }
    }

    fn list(&mut self, deeper: usize) -> Result<Json<'t>, JsonFault> {
        let mut items = Vec::new();
        self.at += 1;
        loop {
            match self.peek().ok_or(JsonFault::Text)? {
                b']' => break,
                b',' => self.at += 1,
                _ => items.push(self.value(deeper)?),
            }
        }
        self.at += 1;
        Ok(Json::List(items))
    }

    fn object(&mut self, deeper: usize) -> Result<Json<'t>, JsonFault> {
        let mut entries = Vec::new();
        self.at += 1;
        loop {
            match self.peek().ok_or(JsonFault::Text)? {
                b'}' => break,
                b',' => self.at += 1,
                _ => {
                    let name = self.string().ok_or(JsonFault::Text)?;
                    self.peek();
                    // The colon.
                    self.at += 1;
                    entries.push((name, self.value(deeper)?));
                }
            }
        }
        self.at += 1;
        Ok(Json::Object(entries))
    }

    fn string(&mut self) -> Option<Cow<'t, str>> {
        let start = self.at + 1;
        let bytes = self.text.as_bytes();
        let mut end = start;
        let mut escapes = false;
        loop {
            match bytes.get(end)? {
                b'"' => break,
                b'\\' => {
                    escapes = true;
                    end += 2;
                }
                _ => end += 1,
            }
        }
        self.at = end + 1;
        let raw = self.text.get(start..end)?;
        Some(if escapes { Cow::Owned(unescaped(raw)) } else { Cow::Borrowed(raw) })
    }
}

/// Unescapes a text. Half a surrogate pair, which is not a character, becomes `�`.
fn unescaped(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let escape = rest[at + 1..].chars().next().unwrap_or('\\');
        rest = rest.get(at + 1 + escape.len_utf8()..).unwrap_or_default();
        out.push(match escape {
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let first = code_unit(rest).unwrap_or(0xfffd);
                rest = rest.get(4..).unwrap_or_default();
                let second = rest.strip_prefix("\\u").and_then(code_unit).filter(|low| (0xdc00..0xe000).contains(low));
                match second.filter(|_| (0xd800..0xdc00).contains(&first)) {
                    Some(low) => {
                        rest = &rest[6..];
                        char::decode_utf16([first, low]).next().and_then(Result::ok).unwrap_or('\u{fffd}')
                    }
                    None => char::from_u32(u32::from(first)).unwrap_or('\u{fffd}'),
                }
            }
            other => other,
        });
    }
    out.push_str(rest);
    out
}

/// Reads a UTF-16 code unit of four hexadecimal digits.
fn code_unit(digits: &str) -> Option<u16> {
    u16::from_str_radix(digits.get(..4)?, 16).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn written(text: &str) -> Option<String> {
        Some(Json::parse(text).ok()?.to_text(0))
    }

    #[test]
    fn values_round_trip() {
        for (given, expected) in [
            (
                r#" { "n" : 12345678901234567890123 , "m":1.50e+3,"n":[ ] } "#,
                r#"{"n":12345678901234567890123,"m":1.50e+3,"n":[]}"#,
            ),
            (r#"["\u00e9\n\\\"\/","\ud83d\ude00",true,null]"#, r#"["é\n\\\"/","😀",true,null]"#),
            (r#"["\ud83d","\ud83d\u0041","\udc00","\u0001"]"#, r#"["�","�A","�","\u0001"]"#),
            ("7", "7"),
            (r#""""#, r#""""#),
        ] {
            assert_eq!(written(given).as_deref(), Some(expected), "{given}");
        }
        for given in ["", "[1,", "{\"a\" 1}", "\"\\x\"", "[1] 2", "text", &"[".repeat(200)] {
            assert_eq!(written(given), None, "{given}");
            assert!(Json::check(given).is_err(), "{given}");
        }
        let deep = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert_eq!(written(&deep(DEPTH)), Some(deep(DEPTH)));
        assert_eq!(Json::parse(&deep(DEPTH + 1)), Err(JsonFault::Depth));
        assert_eq!(Json::check(&deep(DEPTH + 1)), Err(JsonFault::Depth));
        assert_eq!(Json::check(&format!("[{}]", ["[]"; DEPTH + 1].join(","))), Ok(()));
        let wide = |values: usize| format!("[{}0]", "0,".repeat(values - 1));
        assert!(Json::parse(&wide(VALUES - 1)).is_ok());
        assert_eq!(Json::parse(&wide(VALUES)), Err(JsonFault::Values));
        assert_eq!((Json::check(&wide(VALUES - 1)), Json::check(&wide(VALUES))), (Ok(()), Err(JsonFault::Values)));
    }

    #[test]
    fn a_fault_says_what_is_wrong_and_where() {
        for (given, expected) in [
            ("", "is text and no JSON"),
            ("Service unavailable", "is text and no JSON"),
            ("<html>", "is text and no JSON"),
            ("{\"values\":[{\"id\":\"1\"}", "is JSON that breaks off after 21 bytes"),
            ("[1,", "is JSON that breaks off after 3 bytes"),
            ("\"ab", "is JSON that breaks off after 3 bytes"),
            ("{\"a\":1}\n{\"a\":2}\n", "is more than one value of JSON: another one begins in line 2, column 1"),
            ("[1]x", "is more than one value of JSON: another one begins in line 1, column 4"),
            ("{\"a\":\n NaN}", "is no JSON: `NaN` in line 2, column 2 is no number"),
            ("[-Infinity]", "is no JSON: `-Infinity` in line 1, column 3 is no number"),
            ("NaN", "is no JSON: `NaN` in line 1, column 1 is no number"),
            ("{\"a\":[1,2,]}", "is no JSON: nothing follows the comma before line 1, column 11"),
            ("{\"a\":1, }", "is no JSON: nothing follows the comma before line 1, column 9"),
            ("{a:1}", "is no JSON: key must be a string in line 1, column 2"),
            ("{'a':1}", "is no JSON: key must be a string in line 1, column 2"),
        ] {
            assert_eq!(Json::parse(given).unwrap_err().to_string(), expected, "{given}");
        }
    }

    #[test]
    fn lines_are_indented_as_people_are_used_to() {
        for given in
            [json!({"a": [1, {"b": []}, "x\n"], "c": {}, "d": {"e": null}}), json!([]), json!([[1]]), json!("t")]
        {
            let indented = Json::parse(&given.to_string()).unwrap().to_indented_text();
            assert_eq!(indented, serde_json::to_string_pretty(&given).unwrap());
        }
    }

    #[test]
    fn every_character_survives() {
        for c in (0..=0x10_ffff).step_by(7).filter_map(char::from_u32) {
            let given = json!({format!("a{c}"): [format!("b\\{c}\"{c}")]});
            let written = written(&given.to_string()).unwrap();
            assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), given, "{c:?}");
        }
    }
}
