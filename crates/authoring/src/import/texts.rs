//! A vendor's texts and examples → the facts of its description, cut to what a tool can carry: for a private build.
//! They stay the vendor's, so this is done only where `--keep-texts` is given.

use serde_json::{Map, Value};

use super::answers::follow;
use super::facts;
use super::yaml::is_hidden;
use crate::convert::grammar::{Role, visit};
use toolwright_codegen::read::reference::reference_of;

/// The longest description of a tool, in characters.
const LONGEST: usize = 600;
/// The longest of an argument: a tool has many.
const LONGEST_OF_ARGUMENT: usize = 200;
/// What a model sees where it is shown little.
const BEGINNING: usize = 80;
/// A larger example is left out.
const LARGEST_EXAMPLE: usize = 16 * 1024;

/// By this `spec lint` finds texts of the vendor's in a file.
pub(super) const MARK: &str = "kept by `--keep-texts`";

/// The licence note for those who keep the vendor's texts.
pub(super) fn notice(document: &Value) -> String {
    let word = |pointer: &str| document.pointer(pointer).and_then(Value::as_str).map(facts::one_line);
    let named = word("/info/license/name").or_else(|| word("/info/license/identifier"));
    let stated = match (named, word("/info/license/url"), word("/info/termsOfService")) {
        (Some(name), Some(url), _) => format!("the description states the licence {name}, {url}"),
        (Some(name), None, _) | (None, Some(name), _) => format!("the description states the licence {name}"),
        (None, None, Some(terms)) => format!("the description states no licence; the vendor's terms are at {terms}"),
        (None, None, None) => "the description states no licence".to_owned(),
    };
    format!(
        "Texts and examples here are the vendor's own words, {MARK}; {stated}. They are for a private \
         build: without the vendor's permission pass on neither this folder nor generated/ nor a program that is built of \
         them, and add them to no project. Models read these texts as they are: read them first. Your own words replace \
         them."
    )
}

/// The texts of the vendor's README.
pub(super) fn readme(title: &str, format: &str, notices: &[String]) -> String {
    let mut out = format!(
        "# {title}\n\nWritten by `cargo spec new --keep-texts` from {format}. Nothing here is reviewed: effects, risks, names and \
         paging are\ndrafts.\n\n## Whose words these are\n"
    );
    for notice in notices {
        out.push('\n');
        let mut length = 0;
        for word in notice.split(' ') {
            if length + word.len() > 110 {
                out.push('\n');
                length = 0;
            }
            out.push_str(if length == 0 { "" } else { " " });
            out.push_str(word);
            length += word.len() + 1;
        }
        out.push('\n');
    }
    out
}

/// Puts texts and examples of `described` into its facts.
pub(super) fn keep(document: &mut Value, described: &Value) {
    let described = facts::with_components(described);
    visit(document, &mut |role, value, pointer| {
        let Some(source) = described.pointer(pointer) else { return };
        let Value::Object(object) = value else { return };
        if reference_of(source).is_some() {
            return;
        }
        match role {
            Role::Operation => operation(object, source, pointer),
            Role::Parameter => {
                text(object, source);
                example(object, source);
            }
            Role::Body => text(object, source),
            // A property that can be sent has a mark.
            Role::Schema if object.contains_key("description") => {
                text(object, source);
                if object.get("properties").is_none() {
                    example(object, source);
                }
            }
            Role::Media => media(object, source, &described),
            _ => {}
        }
    });
}

fn operation(object: &mut Map<String, Value>, source: &Value, pointer: &str) {
    let read = |key: &str| plain(source.get(key).and_then(Value::as_str).unwrap_or_default());
    let (summary, description) = (read("summary"), read("description"));
    let mut steps = pointer.rsplit('/');
    let method = steps.next().unwrap_or_default().to_uppercase();
    let path = steps.next().unwrap_or_default().replace("~1", "/").replace("~0", "~");
    let text = for_tool(&summary, &description, &format!("{method} {path}"));
    if !summary.is_empty() {
        object.insert("summary".to_owned(), Value::from(cut(&summary, BEGINNING)));
    }
    if !text.is_empty() {
        let mut rest = std::mem::take(object);
        for key in ["operationId", "tags", "summary"] {
            if let Some(value) = rest.shift_remove(key) {
                object.insert(key.to_owned(), value);
            }
        }
        object.insert("description".to_owned(), Value::from(text));
        object.extend(rest);
    }
}

/// What a model reads of a tool: 600 characters at most, of which the first 80 make sense alone.
fn for_tool(summary: &str, description: &str, request: &str) -> String {
    let text = if description.is_empty() { summary } else { description };
    if text.is_empty() {
        return String::new();
    }
    let begins = first_sentence(text).chars().count() <= BEGINNING;
    let lead = summary.trim_end_matches('.');
    let lead = if lead.is_empty() || lead.chars().count() >= BEGINNING { request } else { lead };
    let lead = cut(lead, BEGINNING - 1);
    let whole = if begins { text.to_owned() } else { format!("{lead}. {text}") };
    cut(&whole, LONGEST)
}

fn first_sentence(text: &str) -> &str {
    let end = text.find(". ").or_else(|| text.find("! ")).or_else(|| text.find("? "));
    end.map_or(text, |end| &text[..=end])
}

fn text(object: &mut Map<String, Value>, source: &Value) {
    let text = plain(source.get("description").and_then(Value::as_str).unwrap_or_default());
    if !text.is_empty() {
        object.insert("description".to_owned(), Value::from(cut(&text, LONGEST_OF_ARGUMENT)));
    }
}

fn example(object: &mut Map<String, Value>, source: &Value) {
    let given =
        source.get("example").filter(|example| !example.is_object() && !example.is_array() && !example.is_null());
    if let Some(example) = given.filter(|example| is_small(example)) {
        object.insert("example".to_owned(), example.clone());
    }
}

fn media(object: &mut Map<String, Value>, source: &Value, document: &Value) {
    let named = || {
        let all = source.get("examples")?.as_object()?;
        all.values().find_map(|example| follow(document, example).get("value"))
    };
    if let Some(example) = source.get("example").or_else(named).filter(|example| is_small(example)) {
        object.insert("example".to_owned(), example.clone());
    }
}

fn is_small(example: &Value) -> bool {
    example.to_string().len() <= LARGEST_EXAMPLE
}

/// A text without markup, on one line.
fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    let mut begins = true;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        rest = after;
        match c {
            '<' if is_tag(after) => {
                out.push_str(if is_inline(after) { "" } else { " " });
                rest = after.split_once('>').map_or("", |(_, rest)| rest);
            }
            // `[words](address)` leaves the words.
            ']' if after.starts_with('(') && after.contains(')') => {
                rest = after.split_once(')').map_or("", |(_, rest)| rest);
            }
            '[' if after.split_once(']').is_some_and(|(_, rest)| rest.starts_with('(')) => {}
            // Headings, items of lists, and what is bold.
            '#' | '*' if begins => {}
            '*' if after.starts_with('*') => rest = &after[1..],
            c if c.is_whitespace() => out.push(' '),
            c if is_hidden(c) => {}
            c => out.push(c),
        }
        begins = c == '\n' || begins && (c.is_whitespace() || matches!(c, '#' | '*'));
    }
    for (written, meant) in
        [("&quot;", "\""), ("&#39;", "'"), ("&lt;", "<"), ("&gt;", ">"), ("&nbsp;", " "), ("&amp;", "&")]
    {
        out = out.replace(written, meant);
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn is_tag(after: &str) -> bool {
    after.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '!') && after.contains('>')
}

/// Whether a tag is within a line: `<b>`.
fn is_inline(after: &str) -> bool {
    let name = after.trim_start_matches('/').split(|c: char| !c.is_ascii_alphanumeric()).next();
    super::words::is_in("a b code em i span strong", name.unwrap_or_default())
}

/// The text within a number of characters, to the end of a sentence or else of a word.
fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let end = text.char_indices().nth(most).map_or(text.len(), |(end, _)| end);
    let kept = &text[..end];
    match kept.rfind(". ") {
        Some(at) if at * 2 > kept.len() => kept[..=at].to_owned(),
        _ => {
            let end = text.char_indices().nth(most - 1).map_or(text.len(), |(end, _)| end);
            let kept = text[..end].rsplit_once(' ').map_or(&text[..end], |(kept, _)| kept);
            format!("{}…", kept.trim_end_matches([',', ';', ':', ' ']))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_left_out() {
        for (text, expected) in [
            ("<p>Lists <b>users</b>.</p>\n\n* one\n* two", "Lists users. one two"),
            ("See [the guide](https://example.com/a_(b)) and `id`.", "See the guide) and `id`."),
            ("a < b and b > c", "a < b and b > c"),
            ("## Users\nOf **one** C# * 2", "Users Of one C# * 2"),
            ("x\u{202e}y\u{1b}[0m", "xy[0m"),
            ("", ""),
        ] {
            assert_eq!(plain(text), expected, "{text}");
        }
    }

    #[test]
    fn the_beginning_stands_alone_and_the_whole_is_bounded() {
        let long = "Retrieves every one of the many users that the organisation has had since it was made, and more. "
            .repeat(9);
        let text = for_tool("List users", &long, "GET /users");
        assert!(text.starts_with("List users. Retrieves every") && text.chars().count() <= LONGEST, "{text}");
        assert!(text.ends_with("more."), "{text}");
        assert!(for_tool("", &long, "GET /users").starts_with("GET /users. Retrieves"));
        assert_eq!(for_tool("List users", "Lists users. Then more.", "GET /users"), "Lists users. Then more.");
        assert_eq!(for_tool("List users.", "", "GET /users"), "List users.");
        assert_eq!(for_tool("", "", "GET /users"), "");
        assert_eq!(cut(&"é".repeat(700), 600).chars().count(), 600);
    }
}
