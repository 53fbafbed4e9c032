//! JSON text ⇄ its tree, exactly: numbers keep their spelling, names their order, also where one
//! occurs twice.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde_json::value::RawValue;

/// How deep lists and objects may be nested; a deeper text is refused.
const DEEPEST: usize = 128;

/// A value of JSON.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Json<'t> {
    /// A number, `true`, `false` or `null`, as written.
    Plain(&'t str),
    /// A text, unescaped.
    Text(Cow<'t, str>),
    /// A list.
    List(Vec<Json<'t>>),
    /// An object's entries.
    Object(Vec<(Cow<'t, str>, Json<'t>)>),
}

impl<'t> Json<'t> {
    /// Parses a text; `None` where it is not JSON.
    pub(crate) fn parse(text: &'t str) -> Option<Self> {
        // serde checks the grammar; the reader relies on it.
        let text = serde_json::from_str::<&RawValue>(text).ok()?.get();
        JsonReader { text, at: 0 }.value(DEEPEST)
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

    /// Returns whether it is `null` or an empty text, list or object.
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::Plain(text) => *text == "null",
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

/// Reads text that is valid JSON.
struct JsonReader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> JsonReader<'t> {
    /// Skips whitespace; returns the next byte.
    fn peek(&mut self) -> Option<u8> {
        let rest = &self.text.as_bytes()[self.at..];
        self.at += rest.iter().position(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r'))?;
        self.text.as_bytes().get(self.at).copied()
    }

    fn value(&mut self, deeper: usize) -> Option<Json<'t>> {
        match self.peek()? {
            b'{' => self.object(deeper.checked_sub(1)?),
            b'[' => self.list(deeper.checked_sub(1)?),
            b'"' => Some(Json::Text(self.string()?)),
            _ => {
                let rest = &self.text[self.at..];
                let end = rest.find([',', ']', '}', ' ', '\t', '\n', '\r']).unwrap_or(rest.len());
                self.at += end;
                Some(Json::Plain(&rest[..end]))
            }
        }
    }

    fn list(&mut self, deeper: usize) -> Option<Json<'t>> {
        let mut items = Vec::new();
        self.at += 1;
        loop {
            match self.peek()? {
                b']' => break,
                b',' => self.at += 1,
                _ => items.push(self.value(deeper)?),
            }
        }
        self.at += 1;
        Some(Json::List(items))
    }

    fn object(&mut self, deeper: usize) -> Option<Json<'t>> {
        let mut entries = Vec::new();
        self.at += 1;
        loop {
            match self.peek()? {
                b'}' => break,
                b',' => self.at += 1,
                _ => {
                    let name = self.string()?;
                    self.peek()?;
                    // The colon.
                    self.at += 1;
                    entries.push((name, self.value(deeper)?));
                }
            }
        }
        self.at += 1;
        Some(Json::Object(entries))
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
        Some(Json::parse(text)?.to_text(0))
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
        }
        let deep = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert_eq!(written(&deep(DEEPEST)), Some(deep(DEEPEST)));
        assert_eq!(written(&deep(DEEPEST + 1)), None);
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
