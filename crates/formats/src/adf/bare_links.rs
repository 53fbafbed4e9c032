//! A text with addresses in it, such as `https://example.com` → the same with each address as a link.
//! Signs of Markdown inside an address are hidden from its parser on the way.

use serde_json::{Value, json};

/// How an address begins, and what its link has before it.
const BEGINNINGS: [(&str, &str); 5] =
    [("https://", ""), ("http://", ""), ("ftp://", ""), ("mailto:", ""), ("www.", "http://")];
/// Signs of Markdown that addresses may contain, and the characters that stand for them while the
/// text is parsed. Unicode reserves these for programs: no text has them.
const HIDDEN: [(char, char); 3] = [('_', '\u{FDD0}'), ('*', '\u{FDD1}'), ('~', '\u{FDD2}')];
/// A `@` with a backslash before it, which begins no mention.
pub(super) const ESCAPED_AT: char = '\u{FDD3}';
/// A `[` with a backslash before it.
pub(super) const ESCAPED_BRACKET: char = '\u{FDD4}';

/// Returns a text whose addresses Markdown's parser leaves whole. In the text of a link, signs are
/// Markdown's: there an address is a text like any other.
pub(super) fn hide(text: &str) -> String {
    let text = text.replace(|c: char| ('\u{FDD0}'..='\u{FDEF}').contains(&c), "\u{FFFD}");
    let mut out = String::with_capacity(text.len());
    let mut before = None;
    let mut in_brackets = 0_usize;
    let mut rest = text.as_str();
    while let Some(first) = rest.chars().next() {
        in_brackets = match first {
            '[' if before != Some('\\') => in_brackets + 1,
            ']' if before != Some('\\') => in_brackets.saturating_sub(1),
            '\n' => 0,
            _ => in_brackets,
        };
        let length = match address(rest, before).filter(|_| in_brackets == 0) {
            Some((length, _)) => {
                let hidden = |c: char| HIDDEN.iter().find(|(sign, _)| *sign == c).map_or(c, |(_, hidden)| *hidden);
                out.extend(rest[..length].chars().map(hidden));
                length
            }
            None => {
                out.push(first);
                first.len_utf8()
            }
        };
        before = rest[..length].chars().next_back();
        rest = &rest[length..];
    }
    out
}

/// Returns whether there is a backslash before a place that is not escaped itself.
pub(super) fn is_escaped(text: &str, at: usize) -> bool {
    text.as_bytes()[..at].iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1
}

/// Returns a text that had a backslash before it with its first sign hidden, if it would mean
/// something after the parser.
pub(super) fn escaped(text: &str) -> String {
    match text.chars().next() {
        Some('@') => format!("{ESCAPED_AT}{}", &text[1..]),
        Some('[') => format!("{ESCAPED_BRACKET}{}", &text[1..]),
        _ => text.to_owned(),
    }
}

/// Puts the signs that were hidden back into every text of a document.
pub(super) fn show(value: &mut Value) {
    match value {
        Value::String(text) if text.contains(|c| ('\u{FDD0}'..='\u{FDD4}').contains(&c)) => {
            let sign = |c: char| match c {
                ESCAPED_AT => '@',
                ESCAPED_BRACKET => '[',
                c => HIDDEN.iter().find(|(_, hidden)| *hidden == c).map_or(c, |(sign, _)| *sign),
            };
            *text = text.chars().map(sign).collect();
        }
        Value::Array(items) => items.iter_mut().for_each(show),
        Value::Object(entries) => entries.values_mut().for_each(show),
        _ => {}
    }
}

/// Splits a text at its addresses, which become links. Code and links stay as they are.
pub(super) fn linked(node: Value) -> Vec<Value> {
    let marks = node["marks"].as_array().map(Vec::as_slice).unwrap_or_default();
    let is_kept = marks.iter().any(|mark| mark["type"] == "code" || mark["type"] == "link");
    let Some(text) = node["text"].as_str().filter(|_| !is_kept) else { return vec![node] };
    let part = |text: &str| {
        let mut part = node.clone();
        part["text"] = json!(text);
        part
    };
    let mut parts = Vec::new();
    let (mut from, mut at, mut before) = (0, 0, None);
    while let Some(first) = text[at..].chars().next() {
        let Some((length, prefix)) = address(&text[at..], before) else {
            before = Some(first);
            at += first.len_utf8();
            continue;
        };
        if from < at {
            parts.push(part(&text[from..at]));
        }
        let found = &text[at..at + length];
        let mut link = part(found);
        let mut marks = marks.to_vec();
        marks.push(json!({"type": "link", "attrs": {"href": format!("{prefix}{found}")}}));
        link["marks"] = Value::Array(marks);
        parts.push(link);
        before = found.chars().next_back();
        at += length;
        from = at;
    }
    if parts.is_empty() {
        return vec![node];
    }
    if from < text.len() {
        parts.push(part(&text[from..]));
    }
    parts
}

/// Returns the length of the address that a text begins with, and what its link has before it.
/// `before` is the character before the text.
fn address(text: &str, before: Option<char>) -> Option<(usize, &'static str)> {
    let (beginning, prefix) = BEGINNINGS.iter().find(|(beginning, _)| begins_with(text, beginning))?;
    let glued = |c: char| c.is_alphanumeric() || *beginning == "www." && matches!(c, '/' | '.' | '@' | '-' | '_' | ':');
    if before.is_some_and(glued) {
        return None;
    }
    let is_end =
        |c: char| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | '"' | '`' | '[' | ']' | '|' | '\\');
    let whole = &text[..text.find(is_end).unwrap_or(text.len())];
    let whole = &whole[..unopened_parenthesis(whole).unwrap_or(whole.len())];
    let length = without_punctuation(whole).len();
    let rest = text.get(beginning.len()..length)?;
    let named = rest.starts_with(char::is_alphanumeric) && (*beginning != "mailto:" || rest.contains('@'));
    named.then_some((length, *prefix))
}

fn begins_with(text: &str, beginning: &str) -> bool {
    text.get(..beginning.len()).is_some_and(|start| start.eq_ignore_ascii_case(beginning))
}

/// Returns where a closing parenthesis is that the address does not open: it belongs to the sentence.
fn unopened_parenthesis(address: &str) -> Option<usize> {
    let mut open = 0_usize;
    for (at, c) in address.char_indices() {
        match c {
            '(' => open += 1,
            ')' if open == 0 => return Some(at),
            ')' => open -= 1,
            _ => {}
        }
    }
    None
}

/// Returns an address without the punctuation of the sentence after it.
fn without_punctuation(address: &str) -> &str {
    const SIGNS: &[char] =
        &['.', ',', ';', ':', '!', '?', '\'', '*', '_', '~', '}', '…', '’', '”', '»', '。', '，', '、'];
    address.trim_end_matches(SIGNS)
}

#[cfg(test)]
mod tests {
    use super::super::{document, markdown};
    use super::*;

    /// The addresses that become links in a text, and where they lead.
    fn links(text: &str) -> Vec<(String, String)> {
        let document = document(text);
        let nodes = document["content"][0]["content"].as_array().cloned().unwrap_or_default();
        let link = |node: &Value| {
            let mark = node["marks"].as_array()?.iter().find(|mark| mark["type"] == "link")?;
            Some((node["text"].as_str()?.to_owned(), mark["attrs"]["href"].as_str()?.to_owned()))
        };
        nodes.iter().filter_map(link).collect()
    }

    #[test]
    fn addresses_become_links_without_the_punctuation_after_them() {
        for (text, address) in [
            ("see https://example.com/a.", "https://example.com/a"),
            ("https://example.com/a?b=c&d=e#f, then", "https://example.com/a?b=c&d=e#f"),
            ("(https://example.com/a)", "https://example.com/a"),
            ("https://example.com/a_(b)", "https://example.com/a_(b)"),
            ("**https://example.com/a_b_c**!", "https://example.com/a_b_c"),
            ("https://example.com/_a_/*b*/~~c~~/d", "https://example.com/_a_/*b*/~~c~~/d"),
            ("\"http://example.com\"", "http://example.com"),
            ("HTTPS://Example.com…", "HTTPS://Example.com"),
            ("- https://example.com/a\n", "https://example.com/a"),
            ("mailto:ann@example.com;", "mailto:ann@example.com"),
        ] {
            let found = if text.starts_with('-') { links(&text[2..]) } else { links(text) };
            assert_eq!(found, [(address.to_owned(), address.to_owned())], "{text}");
        }
        assert_eq!(links("www.example.com."), [("www.example.com".to_owned(), "http://www.example.com".to_owned())]);
        assert_eq!(links("https://a.example and https://b.example").len(), 2);
    }

    #[test]
    fn what_is_no_address_stays_text() {
        for text in [
            "https://",
            "xhttps://example.com",
            "ann@example.com",
            "mailto: ann",
            "www. x",
            "`https://example.com`",
            "a_b_ *",
            "http: //x",
        ] {
            assert_eq!(links(text), [], "{text}");
        }
        // A link keeps its own target.
        assert_eq!(links("[https://a.example](https://b.example)")[0].1, "https://b.example");
        assert_eq!(links("<https://a.example/_x_>")[0].1, "https://a.example/_x_");
        let code = document("`a\\@b \\[c https://e.com/_x_`");
        assert_eq!(code["content"][0]["content"][0]["text"], "a\\@b \\[c https://e.com/_x_");
        assert_eq!(markdown(&document("https://e.com/_x_/y")), "[https://e.com/\\_x\\_/y](https://e.com/_x_/y)");
    }
}
