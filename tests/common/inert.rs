//! What a text may not do, as a renderer of Markdown and HTML reads it: link, load or hide. It shares no code with what
//! makes texts inert.

use pulldown_cmark::{Event, Options, Parser, Tag};
use serde_json::Value;

/// What is wrong with a text of an outsider's, as a renderer of Markdown and HTML reads it.
pub(crate) fn live(text: &str) -> Option<String> {
    let base = url::Url::parse("https://base.invalid/dir/").unwrap();
    for event in Parser::new_ext(text, Options::empty()) {
        match event {
            Event::Start(Tag::Link { dest_url, .. }) => {
                let mail = dest_url.starts_with("mailto:") || !dest_url.contains(':') && dest_url.contains('@');
                let home = base.join(&dest_url).is_ok_and(|url| {
                    url.host_str() == Some("base.invalid")
                        || matches!(url.scheme(), "http" | "https") && url.host_str() == Some("127.0.0.1")
                });
                if !mail && !home {
                    return Some(format!("a link to {dest_url}"));
                }
            }
            Event::Start(Tag::Image { dest_url, .. }) => return Some(format!("an image at {dest_url}")),
            Event::Html(html) | Event::InlineHtml(html) => {
                for Ok(token) in html5gum::Tokenizer::new(&*html) {
                    match token {
                        html5gum::Token::StartTag(tag) if tag.attributes.values().any(|value| !value.is_empty()) => {
                            return Some(format!("an element in {html}"));
                        }
                        html5gum::Token::Comment(_) => return Some(format!("a comment in {html}")),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    bare(&text.to_lowercase())
}

/// An address that a renderer turns into a link by itself.
fn bare(text: &str) -> Option<String> {
    const HOME: &str = "127.0.0.1";
    text.match_indices("://")
        .find_map(|(at, _)| {
            let scheme =
                text[..at].bytes().rev().take_while(|b| b.is_ascii_alphanumeric() || b"+-.".contains(b)).count();
            let scheme = text[at - scheme..at].trim_start_matches(|c: char| !c.is_ascii_alphabetic());
            let start =
                text[..at].rfind(|c: char| c.is_whitespace() || "!<>\"'`|[]{}()\\^".contains(c)).map_or(0, |i| i + 1);
            let inside = ["://127.0.0.1/", "://127.0.0.1?"].iter().any(|home| text[start..at].contains(home));
            if scheme.is_empty() || scheme.ends_with("hxxps") || scheme.ends_with("hxxp") || inside {
                return None;
            }
            let behind = text[at + 3..].strip_prefix(HOME)?;
            let other =
                behind.starts_with(['@', '.', '-', '%', '&', '\\']) || behind.starts_with(char::is_alphanumeric);
            other.then(|| format!("an address that goes on: {behind}"))
        })
        .or_else(|| {
            let foreign = text.match_indices("://evil").find(|(at, _)| {
                let start = text[..*at]
                    .rfind(|c: char| c.is_whitespace() || "!<>\"'`|[]{}()\\^".contains(c))
                    .map_or(0, |i| i + 1);
                let before = &text[start..*at];
                before.ends_with(|c: char| c.is_ascii_alphabetic())
                    && !before.ends_with("hxxps")
                    && !before.ends_with("hxxp")
                    && !before.contains("127.0.0.1")
            });
            foreign.map(|(at, _)| format!("an address: {}", text.get(at.saturating_sub(10)..).unwrap_or(text)))
        })
}

pub(crate) fn invisible(text: &str) -> bool {
    text.chars().any(|c| matches!(c, '\u{0}'..='\u{8}' | '\u{1b}' | '\u{200b}' | '\u{202a}'..='\u{202e}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}'))
}

/// Every text in a value, names included.
pub(crate) fn texts<'v>(value: &'v Value, found: &mut Vec<&'v str>) {
    match value {
        Value::String(text) => found.push(text),
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(entries) => entries.iter().for_each(|(name, value)| {
            found.push(name);
            texts(value, found);
        }),
        _ => {}
    }
}
