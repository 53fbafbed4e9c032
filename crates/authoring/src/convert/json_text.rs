//! JSON with control characters in its texts, which JSON forbids and some vendors publish → the same with these
//! escaped, and where each was.

use std::fmt::Write as _;

/// A text that JSON takes, with the lines and columns of what was escaped.
pub(super) struct Escaped {
    pub(super) text: String,
    pub(super) places: Vec<(usize, usize)>,
}

/// Escapes control characters within texts; `None` where there are none.
pub(super) fn escape_controls(text: &str) -> Option<Escaped> {
    let mut out = String::with_capacity(text.len());
    let (mut line, mut column) = (1, 0);
    let (mut in_text, mut escaped) = (false, false);
    let mut places = Vec::new();
    for c in text.chars() {
        column += 1;
        if in_text && c.is_ascii_control() && c != '\u{7f}' {
            places.push((line, column));
            let _ = write!(out, "\\u{:04x}", u32::from(c));
            escaped = false;
        } else {
            match c {
                '"' if !escaped => in_text = !in_text,
                _ => {}
            }
            escaped = in_text && c == '\\' && !escaped;
            out.push(c);
        }
        if c == '\n' {
            (line, column) = (line + 1, 0);
        }
    }
    (!places.is_empty()).then_some(Escaped { text: out, places })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_within_texts_are_escaped() {
        let found = escape_controls("{\n\t\"a\": \"x\ty\\\"\n\"}").unwrap();
        assert_eq!(found.text, "{\n\t\"a\": \"x\\u0009y\\\"\\u000a\"}");
        assert_eq!(found.places, [(2, 9), (2, 13)]);
    }

    #[test]
    fn what_json_takes_is_left_alone() {
        assert!(escape_controls("{\n\t\"a\": \"\\n\\\\\"}\n").is_none());
    }
}
