//! Mentions in texts: `[~accountid:…]`, Jira's older spelling → nodes that notify; what is written as a
//! mention and names no account → a refusal, because as plain text it would not notify.

use serde_json::{Value, json};

use super::bare_links::{ESCAPED_AT, ESCAPED_BRACKET};
use super::parse_inline::is_account;

const WIKI: &str = "[~accountid:";
/// The most mentions that a refusal lists.
const MAX_LISTED: usize = 10;
/// The most characters of one that it shows.
const MAX_SHOWN: usize = 40;

/// Splits a text at mentions in Jira's older spelling.
pub(super) fn wiki_mentions(node: Value) -> Vec<Value> {
    let Some(mut rest) = node["text"].as_str().filter(|text| !has_mark(&node, "code") && text.contains(WIKI)) else {
        return vec![node];
    };
    let text = |text: &str| {
        let mut part = node.clone();
        part["text"] = json!(text);
        (!text.is_empty()).then_some(part)
    };
    let mut parts = Vec::new();
    let mut from = 0;
    while let Some(start) = rest[from..].find(WIKI).map(|start| from + start) {
        let id = &rest[start + WIKI.len()..];
        match id.split_once(']').filter(|(id, _)| is_account(id)) {
            Some((id, after)) => {
                parts.extend(text(&rest[..start]));
                parts.push(json!({"type": "mention", "attrs": {"id": id}}));
                rest = after;
                from = 0;
            }
            None => from = start + WIKI.len(),
        }
    }
    parts.extend(text(rest));
    parts
}

/// Returns what is written as a mention in a document's texts and names no account. Expects the
/// signs that were escaped in the Markdown to be hidden.
pub(super) fn unresolved(document: &Value) -> Vec<String> {
    let mut found = Vec::new();
    walk(document, &mut found);
    let mut named = Vec::new();
    for mention in found {
        if !named.contains(&mention) {
            named.push(mention);
        }
    }
    named
}

fn walk(node: &Value, found: &mut Vec<String>) {
    let children = node["content"].as_array().map(Vec::as_slice).unwrap_or_default();
    let in_code = node["type"] == "codeBlock";
    for (index, child) in children.iter().enumerate() {
        if found.len() >= MAX_LISTED {
            return;
        }
        match child["text"].as_str() {
            Some(_) if in_code || has_mark(child, "code") || has_mark(child, "link") => {}
            Some(text) => {
                in_text(text, found);
                found.extend(before_link(text, children.get(index + 1)));
            }
            None => walk(child, found),
        }
    }
}

fn has_mark(node: &Value, name: &str) -> bool {
    node["marks"].as_array().is_some_and(|marks| marks.iter().any(|mark| mark["type"] == name))
}

/// Finds `@name`, `@[Name]` and `[~name]`.
fn in_text(text: &str, found: &mut Vec<String>) {
    let mut before = None;
    for (at, c) in text.char_indices() {
        let after = &text[at + c.len_utf8()..];
        let mention = match c {
            '@' if begins_word(before) => at_name(after),
            '[' if after.starts_with('~') => after.find(']').filter(|end| *end > 1).map(|end| &after[..=end]),
            _ => None,
        };
        if let Some(name) = mention.filter(|_| found.len() < MAX_LISTED) {
            found.push(format!("{c}{name}").chars().take(MAX_SHOWN).collect());
        }
        before = Some(c);
    }
}

/// Returns whether a `@` after this character begins a word, unlike that of an e-mail address.
pub(super) fn begins_word(before: Option<char>) -> bool {
    before.is_none_or(|c| {
        !c.is_alphanumeric() && !matches!(c, '.' | '_' | '-' | '+' | '%' | '/' | '@' | '\\' | ESCAPED_AT)
    })
}

/// Returns the name after a `@`, with the brackets around it. `types/node` is the name of a package.
fn at_name(after: &str) -> Option<&str> {
    if let Some(inner) = after.strip_prefix('[') {
        return inner
            .find([']', '\n'])
            .filter(|end| *end > 0 && inner[*end..].starts_with(']'))
            .map(|end| &after[..end + 2]);
    }
    let length = after.find(|c: char| !c.is_alphanumeric() && !matches!(c, '.' | '_' | '-')).unwrap_or(after.len());
    let name = after[..length].trim_end_matches(['.', '-', '_']);
    let is_name = name.starts_with(char::is_alphabetic) && !after[length..].starts_with('/');
    is_name.then_some(name)
}

/// Finds `@[Name](target)` whose target is neither an account nor an address.
fn before_link(text: &str, next: Option<&Value>) -> Option<String> {
    let before = text.strip_suffix('@')?.chars().next_back();
    let next = next.filter(|_| begins_word(before) && before != Some(ESCAPED_BRACKET))?;
    let link = next["marks"].as_array()?.iter().find(|mark| mark["type"] == "link")?;
    let href = link["attrs"]["href"].as_str()?;
    (!href.contains("://") && !href.starts_with("mailto:"))
        .then(|| format!("@[{}]({href})", next["text"].as_str().unwrap_or_default()).chars().take(MAX_SHOWN).collect())
}

#[cfg(test)]
mod tests {
    use super::super::{markdown, to_document};
    use super::*;
    use crate::adf::tests::document_of;
    use std::collections::BTreeMap;

    fn refused(text: &str) -> Option<String> {
        let tools = BTreeMap::from([("people".to_owned(), "acme_find_people".to_owned())]);
        to_document(json!(text), &tools, &mut Vec::new()).err().map(|error| {
            assert!(error.expected.contains("`@[Name](accountid:…)`"), "{error:?}");
            assert!(error.expected.contains("acme_find_people"), "{error:?}");
            error.given
        })
    }

    #[test]
    fn a_mention_without_an_account_is_refused() {
        for (text, given) in [
            ("hi @Ann Lee, look", "`@Ann`"),
            ("@ann.lee: done?", "`@ann.lee`"),
            ("(@Öykü)", "`@Öykü`"),
            ("**@Ann**", "`@Ann`"),
            ("- a\n- @here", "`@here`"),
            ("| a |\n|---|\n| @Ann |", "`@Ann`"),
            ("hi @[Ann Lee], hi [~ann]", "`@[Ann Lee]`, `[~ann]`"),
            ("[~accountid:no id]", "`[~accountid:no id]`"),
            ("@[Ann](ann)", "`@[Ann](ann)`"),
            ("@[Ann](712020:no/id)", "`@Ann`"),
        ] {
            assert_eq!(refused(text).as_deref(), Some(given), "{text}");
        }
    }

    #[test]
    fn what_is_no_mention_passes() {
        for text in [
            "mail ann@example.com or a.b+c@example.com",
            "`@Override` and\n\n```java\n@Override\n```",
            "at 5 @ noon, 3@2, @@ROWCOUNT, @1",
            "install @types/node",
            "https://example.com/@ann and [@ann](https://example.com/@ann) and @[Ann](https://example.com)",
            "\\@ann and \\[~ann\\] and @\\[Ann]",
            "[~accountid:557058:f5-a] and @[Ann](accountid:5b:1)",
        ] {
            assert_eq!(refused(text), None, "{text}");
        }
        // A document of the caller's own is not looked into.
        assert!(to_document(document_of("@ann"), &BTreeMap::new(), &mut Vec::new()).is_ok());
    }

    #[test]
    fn a_text_that_was_read_can_be_written_back() {
        for text in ["hi @ann", "[~ann]", "@[Ann] x", "a @", "ann@example.com"] {
            let read = markdown(&document_of(text));
            let written = to_document(json!(read), &BTreeMap::new(), &mut Vec::new());
            assert_eq!(written, Ok(document_of(text)), "{read}");
        }
    }
}
