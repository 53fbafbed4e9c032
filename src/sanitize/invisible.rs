//! A text → the text without what a person can't see and a program acts on: invisible and
//! bidirectional characters, terminal escapes.

use std::borrow::Cow;

/// Removes invisible characters.
pub(super) fn strip(text: &str) -> Cow<'_, str> {
    // As nearly all texts are.
    if text.bytes().all(|byte| matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~')) {
        return Cow::Borrowed(text);
    }
    if !text.chars().any(|c| is_invisible(c) || is_joiner(c)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut before = '\0';
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        if c == '\u{1b}' {
            rest = after_escape(rest);
        } else if is_joiner(c) && (before.is_ascii() || is_joiner(before)) || is_invisible(c) {
            // Left out.
        } else {
            out.push(c);
            before = c;
        }
    }
    Cow::Owned(out)
}

/// Whether a character shows nothing, or changes how others are displayed.
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{0}'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{7f}'..='\u{9f}'
        | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180e}'
        | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Whether a character joins or varies the one before it: scripts and emoji need that, ASCII does not.
fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}')
}

/// Returns the text after the rest of a terminal escape such as `[31m`.
fn after_escape(text: &str) -> &str {
    let Some(parameters) = text.strip_prefix('[') else { return text };
    let end = parameters.trim_start_matches(|c: char| matches!(c, '0'..='?'));
    match end.chars().next() {
        Some(last) if last.is_ascii_alphabetic() => &end[1..],
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invisible_characters_are_removed_and_others_stay() {
        for (given, expected) in [
            ("plain text, ünï, 日本語", "plain text, ünï, 日本語"),
            ("a\u{200b}b\u{202e}c\u{2066}d\u{feff}", "abcd"),
            ("tags\u{e0041}\u{e0042}", "tags"),
            ("\u{1b}[31mred\u{1b}[0m \u{1b}]8;;x\u{7}", "red ]8;;x"),
            ("line\nnext\ttab\r\n", "line\nnext\ttab\r\n"),
            ("👩\u{200d}💻 \u{2764}\u{fe0f} می\u{200c}خواهم", "👩\u{200d}💻 \u{2764}\u{fe0f} می\u{200c}خواهم"),
            ("smu\u{fe00}\u{fe01}ggled 👍\u{fe0f}\u{fe01}\u{fe02}", "smuggled 👍\u{fe0f}"),
        ] {
            assert_eq!(strip(given), expected, "{given:?}");
        }
    }

    #[test]
    fn an_ascii_character_is_removed_if_it_is_invisible() {
        for c in '\0'..='\u{7f}' {
            let given = format!("a{c}b");
            assert_eq!(strip(&given) != given, is_invisible(c), "{c:?}");
        }
    }

    #[test]
    fn no_invisible_character_is_left() {
        for c in ('\0'..=char::MAX).filter(|c| is_invisible(*c)) {
            let given = format!("a{c}b");
            assert!(!strip(&given).chars().any(is_invisible), "{given:?}");
        }
    }
}
