//! A text as it was shown ⇄ the text as the vendor has it: the marks that stand for what was
//! replaced, so that a text which is read, changed and written back loses nothing.
//!
//! | mark | stands for |
//! |---|---|
//! | `⟦c⟧` | the character `c`, without which a link, an image or an element is inert |
//! | `⟦1a2b3c4d⟧` | an address of which only a part is shown; the record has all of it |
//! | `⟦cut, …⟧` | what was left out for its length |
//!
//! What an outsider wrote in this form is shown with its bracket escaped, `⟦⟦⟧`: a mark in an
//! answer is one of these, and only the first two are put back.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

const OPEN: char = '⟦';
const CLOSE: char = '⟧';
/// The characters that a mark can stand for.
const QUOTED: [char; 6] = ['<', '!', ':', '.', '(', OPEN];
/// What begins the mark of an image, after the mark of its `!`.
const IMAGE: &str = "[image: ";
/// The length of an id, in hexadecimal digits.
const ID: usize = 8;
const CUT: &str = "cut, ";
/// How far before the end of a text an element or a mark may begin that is kept whole, in bytes.
const LONGEST_WHOLE: usize = 500;

/// What a mark says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark<'t> {
    Quoted(char),
    Id(&'t str),
    Cut(&'t str),
}

/// Reads the mark that a text begins with, and its length in bytes.
fn mark(text: &str) -> Option<(Mark<'_>, usize)> {
    let inside = text.strip_prefix(OPEN)?;
    let first = inside.chars().next()?;
    let length = |inner: usize| OPEN.len_utf8() + inner + CLOSE.len_utf8();
    if QUOTED.contains(&first) && inside[first.len_utf8()..].starts_with(CLOSE) {
        return Some((Mark::Quoted(first), length(first.len_utf8())));
    }
    let inner = &inside[..inside.find([CLOSE, OPEN, '\n']).filter(|end| inside[*end..].starts_with(CLOSE))?];
    if inner.starts_with(CUT) {
        return Some((Mark::Cut(inner), length(inner.len())));
    }
    let is_id = inner.len() == ID && inner.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    is_id.then(|| (Mark::Id(inner), length(inner.len())))
}

/// Returns each mark of a text with its place.
fn marks(text: &str) -> impl Iterator<Item = (usize, Mark<'_>)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            at += text[at..].find(OPEN)?;
            let here = at;
            match mark(&text[here..]) {
                Some((mark, length)) => {
                    at += length;
                    return Some((here, mark));
                }
                None => at += OPEN.len_utf8(),
            }
        }
    })
}

/// Writes the mark for a character or an id.
pub(super) fn written(inner: &str) -> String {
    format!("{OPEN}{inner}{CLOSE}")
}

/// Returns the mark of an image, in place of `![`.
pub(super) fn image() -> String {
    written("!") + IMAGE
}

/// Returns the mark of something that was cut short; `of` is how much there is of it.
pub(crate) fn cut(of: &str) -> String {
    written(&format!("{CUT}{of}"))
}

/// Returns where an inert text can be cut, at `end` or before: half of an element or of a mark would be something else, as
/// `</` in front of other text is a comment.
pub(crate) fn whole_until(text: &str, end: usize) -> usize {
    let near = text.floor_char_boundary(end.saturating_sub(LONGEST_WHOLE));
    let part = &text[near..end];
    let opened = |open: char, close: char| part.rfind(open).filter(|at| !part[*at..].contains(close));
    let begins = |at: &usize| text[near + at + 1..].starts_with(|c: char| c.is_ascii_alphabetic() || "/!?".contains(c));
    let element = opened('<', '>').filter(begins);
    element.into_iter().chain(opened(OPEN, CLOSE)).min().map_or(end, |at| near + at)
}

/// Returns an inert text with at most `max_chars` characters, and `…` where it is cut.
pub(crate) fn truncated(text: &str, max_chars: usize) -> Cow<'_, str> {
    match text.char_indices().nth(max_chars) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..whole_until(text, end)])),
        None => Cow::Borrowed(text),
    }
}

/// Returns whether a text has a mark.
pub(crate) fn is_marked(text: &str) -> bool {
    marks(text).next().is_some()
}

/// Escapes what only looks like a mark.
pub(super) fn escape(text: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut done = 0;
    for (at, _) in marks(text) {
        out.push_str(&text[done..at]);
        out.push_str(&written("⟦"));
        done = at + OPEN.len_utf8();
    }
    if done == 0 { Cow::Borrowed(text) } else { Cow::Owned(out + &text[done..]) }
}

/// Puts back what marks of characters stand for.
pub(super) fn unquoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    // Where the code mark closes that was opened before an inert address.
    let mut closes = None;
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        if closes == Some(at) {
            at += 1;
            continue;
        }
        let Some((Mark::Quoted(quoted), length)) = mark(&text[at..]) else {
            out.push(c);
            at += c.len_utf8();
            continue;
        };
        at += length;
        match quoted {
            '!' if text[at..].starts_with(IMAGE) => {
                out.push_str("![");
                at += IMAGE.len();
                continue;
            }
            ':' | '.' if opens_address(&mut out, quoted) => closes = end_of_address(text, at),
            _ => {}
        }
        out.push(quoted);
    }
    out
}

/// Makes `hxxp` at the end of the text to `http`; returns whether an address begins there in a code
/// mark, and takes that off.
fn opens_address(out: &mut String, quoted: char) -> bool {
    let before = out.trim_end_matches(|c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    let begin = before.len();
    let scheme = match (&out[begin..], quoted) {
        ("hxxp", ':') => "http".to_owned(),
        ("hxxps", ':') => "https".to_owned(),
        ("", _) => return false,
        (other, ':') => other.to_owned(),
        (other, _) if other == "www" => other.to_owned(),
        _ => return false,
    };
    let in_code = out[..begin].ends_with('`');
    out.truncate(if in_code { begin - 1 } else { begin });
    out.push_str(&scheme);
    in_code
}

/// Returns where the code mark of an inert address closes.
fn end_of_address(text: &str, from: usize) -> Option<usize> {
    let end = text[from..].find(|c: char| c == '`' || c.is_whitespace() || c.is_control())?;
    text[from + end..].starts_with('`').then_some(from + end)
}

/// What the marks with an id stand for, of one record.
#[derive(Debug, Default)]
pub(crate) struct Originals(HashMap<String, Original>);

#[derive(Debug)]
struct Original {
    shown: String,
    /// Where the mark begins in `shown`.
    mark: usize,
    /// With what looks like a mark escaped.
    text: String,
}

impl Originals {
    /// Makes the text to show in place of `original`: `exact` if that can be put back by itself,
    /// else `short`, which gets an id.
    pub(super) fn shown(
        &mut self,
        original: &str,
        exact: Option<String>,
        short: impl FnOnce(&str) -> String,
    ) -> String {
        if let Some(exact) = exact.filter(|exact| unquoted(exact) == unquoted(original)) {
            return exact;
        }
        let id = id(original);
        let mark = written(&id);
        let shown = short(&mark);
        if let Some(mark) = shown.find(&mark) {
            self.0.insert(id, Original { shown: shown.clone(), mark, text: original.to_owned() });
        }
        shown
    }
}

/// The first digits of a digest. Only a reader of the text can compute it.
fn id(original: &str) -> String {
    let digest = Sha256::digest(original.as_bytes());
    digest.iter().take(ID / 2).fold(String::with_capacity(ID), |mut id, byte| {
        let _ = write!(id, "{byte:02x}");
        id
    })
}

/// Why the marks of a text can't be put back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum MarkError {
    /// The text was cut short.
    Cut(String),
    /// No address is known for the mark.
    Unknown(String),
    /// The address is known, but what was shown of it was changed.
    Changed(String),
}

/// A text with what its marks stand for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Restored {
    pub(crate) text: String,
    /// How many marks there were.
    pub(crate) marks: usize,
}

/// Returns whether a text has a mark that only the record explains.
pub(crate) fn needs_originals(text: &str) -> bool {
    marks(text).any(|(_, mark)| matches!(mark, Mark::Id(_)))
}

/// Puts back what the marks of a text stand for.
///
/// # Errors
/// One of them can't be put back.
pub(crate) fn restore(text: &str, originals: &Originals) -> Result<Restored, MarkError> {
    let mut whole = String::with_capacity(text.len());
    let mut count = 0;
    let mut done = 0;
    for (at, mark) in marks(text) {
        count += 1;
        if at < done {
            continue;
        }
        let id = match mark {
            Mark::Quoted(_) => continue,
            Mark::Cut(_) => return Err(MarkError::Cut(around(text, at))),
            Mark::Id(id) => id,
        };
        let known = originals.0.get(id).ok_or_else(|| MarkError::Unknown(around(text, at)))?;
        let start = at.checked_sub(known.mark).filter(|start| *start >= done && text.is_char_boundary(*start));
        let start = start.filter(|start| text[*start..].starts_with(&known.shown));
        let start = start.ok_or_else(|| MarkError::Changed(around(text, at)))?;
        whole.push_str(&text[done..start]);
        whole.push_str(&known.text);
        done = start + known.shown.len();
    }
    whole.push_str(&text[done..]);
    Ok(Restored { text: unquoted(&whole), marks: count })
}

/// Returns the text around a mark, for a message.
fn around(text: &str, at: usize) -> String {
    const BEFORE: usize = 12;
    const AFTER: usize = 50;
    let start = text[..at].char_indices().rev().take(BEFORE).take_while(|(_, c)| !c.is_whitespace()).last();
    let end =
        text[at..].char_indices().skip(1).find(|(index, c)| *index > AFTER || c.is_whitespace() && *index > ID * 2);
    text[start.map_or(at, |(start, _)| start)..end.map_or(text.len(), |(end, _)| at + end)].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_looks_like_a_mark_is_escaped_and_comes_back() {
        for given in [
            "plain ⟦x⟧ text ⟦ ⟦⟧ ⟧",
            "`hxxps⟦:⟧//evil.example/a`",
            "⟦1a2b3c4d⟧ ⟦cut, 7⟧ ⟦<⟧a",
            "⟦⟦⟧ ⟦⟦<⟧ ⟦⟦⟦⟧⟧⟧",
            "⟦",
            "hxxps://evil.example and `hxxp://x`",
        ] {
            let escaped = escape(given);
            let restored = restore(&escaped, &Originals::default()).unwrap();
            assert_eq!(restored.text, given, "{escaped}");
            assert_eq!(escaped == given, !is_marked(given), "{escaped}");
        }
    }

    #[test]
    fn no_element_and_no_mark_is_cut_in_two() {
        for (given, characters, expected) in [
            ("abc", 3, "abc"),
            ("abcd", 3, "abc…"),
            ("a</ol> b", 3, "a…"),
            ("a</ol> b", 6, "a</ol>…"),
            ("a<b>c</b>", 8, "a<b>c…"),
            ("a < b and c", 5, "a < b…"),
            ("a <", 2, "a …"),
            ("a <x", 3, "a …"),
            ("é`hxxps⟦:⟧//e.example`", 8, "é`hxxps…"),
            ("⟦<⟧img b", 4, "⟦<⟧i…"),
            ("⟦<⟧img b", 2, "…"),
        ] {
            assert_eq!(truncated(given, characters), expected, "{given}");
        }
        let long = format!("<x {}", "y".repeat(2 * LONGEST_WHOLE));
        assert_eq!(whole_until(&long, long.len()), long.len());
    }

    #[test]
    fn marks_of_characters_need_no_record() {
        for (given, expected) in [
            ("a ⟦<⟧img src=x>", "a <img src=x>"),
            ("⟦!⟧[image: alt]", "![alt]"),
            ("[ref]⟦:⟧ /x", "[ref]: /x"),
            ("`hxxps⟦:⟧//a.example/b`.", "https://a.example/b."),
            ("``hxxp⟦:⟧//a.example`` `x`", "`http://a.example` `x`"),
            ("[t]⟦(⟧`ftp⟦:⟧//a.example`)", "[t](ftp://a.example)"),
            ("`www⟦.⟧a.example/b`", "www.a.example/b"),
            ("hxxps⟦:⟧//a.example/b c", "https://a.example/b c"),
        ] {
            assert_eq!(restore(given, &Originals::default()).unwrap().text, expected, "{given}");
        }
    }

    #[test]
    fn an_address_comes_back_only_from_its_record_and_unchanged() {
        let mut originals = Originals::default();
        let shown = originals.shown("https://a.example/x?y=1", None, |mark| format!("`hxxps{mark}//a.example/x…`"));
        let text = format!("see {shown} and {shown}");
        let restored = restore(&text, &originals).unwrap();
        assert_eq!(restored.text, "see https://a.example/x?y=1 and https://a.example/x?y=1");
        assert_eq!(restored.marks, 2);
        assert!(matches!(restore(&text, &Originals::default()), Err(MarkError::Unknown(_))));
        let changed = text.replace("a.example", "b.example");
        assert!(matches!(restore(&changed, &originals), Err(MarkError::Changed(_))));
        assert!(matches!(restore(&cut("7 characters"), &originals), Err(MarkError::Cut(_))));
    }
}
