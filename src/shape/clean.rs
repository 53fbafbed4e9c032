//! A text that customers or devices wrote → the same text without what a person would not see and
//! a program would act on: invisible and bidirectional characters, terminal escapes, images that
//! load by themselves. JSON stays the JSON that the vendor sent, byte for byte, but for these.

use std::borrow::Cow;

/// How far the end of an image's description may be from its beginning, in bytes.
const LONGEST_ALT: usize = 1_000;

/// Cleans a text; in JSON, what is escaped as well.
pub(super) fn clean(text: &str) -> Cow<'_, str> {
    let json = text.trim_start().starts_with(['{', '[', '"']);
    let visible = if is_plain(text, json) { Cow::Borrowed(text) } else { Cow::Owned(strip(text, json)) };
    match defuse(&visible) {
        Some(defused) => Cow::Owned(defused),
        None => visible,
    }
}

/// Whether there is nothing to strip; most texts are so.
fn is_plain(text: &str, json: bool) -> bool {
    (!json || !text.contains("\\u")) && !text.chars().any(|c| is_invisible(c) || is_joiner(c))
}

fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{0}'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{7f}'..='\u{9f}'
        | '\u{ad}' | '\u{61c}' | '\u{180b}'..='\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// What joins or varies the character before it; scripts and emoji need it, Latin text does not.
fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}')
}

fn strip(text: &str, json: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut before = '\0';
    while let Some((c, length)) = next(rest, json) {
        let (written, behind) = rest.split_at(length);
        rest = behind;
        if c == '\u{1b}' {
            rest = behind_sequence(rest);
        } else if is_joiner(c) && (before.is_ascii() || is_joiner(before)) || is_invisible(c) {
            // Left out.
        } else {
            out.push_str(written);
            before = c;
        }
    }
    out
}

/// The next character and how many bytes write it.
fn next(text: &str, json: bool) -> Option<(char, usize)> {
    let first = text.chars().next()?;
    if !json || first != '\\' {
        return Some((first, first.len_utf8()));
    }
    let Some(unit) = escaped(text) else {
        // `\n`, `\\`, `\"`: two bytes that belong together.
        let second = text.chars().nth(1).map_or(0, char::len_utf8);
        return Some(('\\', 1 + second));
    };
    let pair = text.get(6..).and_then(escaped).filter(|_| (0xd800..0xdc00).contains(&unit));
    match pair.and_then(|low| char::decode_utf16([unit, low]).next()?.ok()) {
        Some(c) => Some((c, 12)),
        None => Some((char::from_u32(u32::from(unit)).unwrap_or('\u{fffd}'), 6)),
    }
}

/// The code unit of `\uXXXX` at the beginning of a text.
fn escaped(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u16::from_str_radix(digits, 16).ok())?
}

/// What follows the rest of a terminal sequence such as `[31m`; quotes and backslashes are never
/// part of one.
fn behind_sequence(text: &str) -> &str {
    let Some(parameters) = text.strip_prefix('[') else { return text };
    let end = parameters.trim_start_matches(|c: char| matches!(c, '0'..='?'));
    match end.chars().next() {
        Some(last) if last.is_ascii_alphabetic() => &end[1..],
        _ => text,
    }
}

/// Turns images that are loaded from elsewhere into links and unknown elements: looking at an
/// answer must tell nobody that it was looked at.
fn defuse(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut done = 0;
    for (at, _) in text.match_indices(['!', '<', '\\']) {
        let here = &text[at..];
        let (length, instead) = if is_markdown_image(here) {
            (2, "[image: ")
        } else if let Some(length) = html_image(here) {
            (length, "&lt;img")
        } else {
            continue;
        };
        out.push_str(&text[done..at]);
        out.push_str(instead);
        done = at + length;
    }
    (done > 0).then(|| out + &text[done..])
}

/// `![…](…` or `![…][…`
fn is_markdown_image(text: &str) -> bool {
    let Some(alt) = text.strip_prefix("![") else { return false };
    let end = alt.find(['"', '\n']).unwrap_or(alt.len()).min(LONGEST_ALT);
    alt.as_bytes()[..end].windows(2).any(|pair| pair == b"](" || pair == b"][")
}

/// The length of `<img`, also as JSON may escape it.
fn html_image(text: &str) -> Option<usize> {
    let prefix = ["<", "\\u003c", "\\u003C"].into_iter().find(|prefix| text.starts_with(prefix))?;
    let name = text.get(prefix.len()..prefix.len() + 3)?;
    name.eq_ignore_ascii_case("img").then_some(prefix.len() + 3)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn what_nobody_sees_is_taken_out_and_the_rest_stays() {
        for (given, expected) in [
            ("plain text, ünï, 日本語", "plain text, ünï, 日本語"),
            ("a\u{200b}b\u{202e}c\u{2066}d\u{feff}", "abcd"),
            ("tags\u{e0041}\u{e0042}", "tags"),
            ("\u{1b}[31mred\u{1b}[0m \u{1b}]8;;x\u{7}", "red ]8;;x"),
            ("line\nnext\ttab\r\n", "line\nnext\ttab\r\n"),
            ("👩\u{200d}💻 \u{2764}\u{fe0f} می\u{200c}خواهم", "👩\u{200d}💻 \u{2764}\u{fe0f} می\u{200c}خواهم"),
            ("smu\u{fe00}\u{fe01}ggled 👍\u{fe0f}\u{fe01}\u{fe02}", "smuggled 👍\u{fe0f}"),
            (r"no json: \u202e", r"no json: \u202e"),
            ("![x](https://evil.example/p.png)", "[image: x](https://evil.example/p.png)"),
            ("![x][ref] but !important and a![0]", "[image: x][ref] but !important and a![0]"),
            ("a <IMG src=x> <imgur>", "a &lt;img src=x> &lt;imgur>"),
        ] {
            assert_eq!(clean(given), expected, "{given:?}");
        }
    }

    #[test]
    fn json_stays_what_the_vendor_sent() {
        for (given, expected) in [
            (r#"{"a":"x\u202ey","n":12345678901234567890123}"#, r#"{"a":"xy","n":12345678901234567890123}"#),
            (r#"["\\u202e","\u00e9","\ud83d\ude00"]"#, r#"["\\u202e","\u00e9","\ud83d\ude00"]"#),
            (r#"["\udb40\udc41x\u001b[1;31mred\u001b[0m"]"#, r#"["xred"]"#),
            (r#"["\u001b[","\u001b[\"","\u001b"]"#, r#"["[","[\"",""]"#),
            (r#"["\u003cimg src=\"https://e.example\"\u003e"]"#, r#"["&lt;img src=\"https://e.example\"\u003e"]"#),
            (r#"["\ud83d","\u12"]"#, r#"["\ud83d","\u12"]"#),
        ] {
            assert_eq!(clean(given), expected, "{given}");
        }
        for c in (0..=0x10_ffff).step_by(7).filter_map(char::from_u32) {
            let given = json!([format!("a{c}b\\{c}\"{c}")]).to_string();
            assert!(serde_json::from_str::<Value>(&clean(&given)).is_ok(), "{given:?}");
        }
    }
}
