//! A text of JSON → the part of it that is the list of records, so that records can be counted,
//! omitted or added while the rest stays as the vendor wrote it.

use std::collections::HashMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

/// Returns the text of the value at a JSON pointer.
pub(crate) fn at<'a>(text: &'a str, pointer: &str) -> Option<&'a str> {
    let mut here = text.trim();
    for token in pointer.split('/').skip(1) {
        let token = token.replace("~1", "/").replace("~0", "~");
        here = match here.as_bytes().first()? {
            b'{' => entries(here)?.remove(&token)?,
            b'[' => items(here)?.get(token.parse::<usize>().ok()?)?,
            _ => return None,
        };
    }
    Some(here)
}

/// Returns the text of the list of records: the list at `pointer`, or without a pointer the text
/// itself if it is a list, or its only list.
pub(crate) fn list<'a>(text: &'a str, pointer: Option<&str>) -> Option<&'a str> {
    let is_list = |text: &str| text.starts_with('[');
    if let Some(pointer) = pointer {
        return at(text, pointer).filter(|found| is_list(found));
    }
    let text = text.trim();
    if is_list(text) {
        return Some(text);
    }
    let mut lists = entries(text)?.into_values().filter(|entry| is_list(entry));
    lists.next().filter(|_| lists.next().is_none())
}

/// Returns the text of the longest list that is not empty, the text itself or one inside objects, and
/// its dotted name; the text itself has none. One pass over the text, however deep it is nested.
pub(crate) fn longest_list(text: &str) -> Option<(String, &str)> {
    let text = text.trim();
    let bytes = text.as_bytes();
    let mut scan = ListScan { text, names: Vec::new(), list: None, longest: None };
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => {
                let end = end_of_string(bytes, at)?;
                scan.string(at..end);
                at = end;
                continue;
            }
            b'{' => scan.opens(None),
            b'[' => scan.opens(Some(at)),
            b'}' | b']' => scan.closes(at)?,
            _ => {}
        }
        at += 1;
    }
    let (name, list) = scan.longest?;
    let names = name.iter().map(|name| serde_json::from_str::<String>(name)).collect::<Result<Vec<_>, _>>().ok()?;
    Some((names.join("."), list))
}

/// Where a pass over a text is.
struct ListScan<'a> {
    text: &'a str,
    /// Of each open object and list, the name that was read last, with its quotes.
    names: Vec<&'a str>,
    /// How deep the outermost open list is, and where it begins.
    list: Option<(usize, usize)>,
    /// The longest list so far, and the names that lead to it.
    longest: Option<(Vec<&'a str>, &'a str)>,
}

impl ListScan<'_> {
    /// Inside of objects only, the text before a value is its name.
    fn string(&mut self, range: std::ops::Range<usize>) {
        if self.list.is_none()
            && let Some(name) = self.names.last_mut()
            && self.text[range.end..].trim_start().starts_with(':')
        {
            *name = &self.text[range];
        }
    }

    fn opens(&mut self, list: Option<usize>) {
        if let Some(start) = list.filter(|_| self.list.is_none()) {
            self.list = Some((self.names.len(), start));
        }
        self.names.push("");
    }

    fn closes(&mut self, at: usize) -> Option<()> {
        self.names.pop()?;
        let Some((depth, start)) = self.list.filter(|(depth, _)| *depth == self.names.len()) else { return Some(()) };
        self.list = None;
        let list = self.text.get(start..=at)?;
        let is_empty = list[1..list.len() - 1].trim().is_empty();
        if !is_empty && self.longest.as_ref().is_none_or(|(_, longest)| longest.len() <= list.len()) {
            self.longest = Some((self.names[..depth].to_vec(), list));
        }
        Some(())
    }
}

/// Returns where the string that begins at `start` ends, after its quote.
fn end_of_string(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// Returns the texts of a list's items; `None` if it is no list.
pub(crate) fn items(list: &str) -> Option<Vec<&str>> {
    let items: Vec<&RawValue> = serde_json::from_str(list).ok()?;
    Some(items.into_iter().map(RawValue::get).collect())
}

/// Returns the text with other items in `list`, which must be a slice of it.
pub(crate) fn with_items(text: &str, list: &str, items: &[&str]) -> String {
    let start = (list.as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
    let (before, after) = (&text[..start], &text[start + list.len()..]);
    format!("{before}[{}]{after}", items.join(","))
}

/// Returns an object's text without the entries at `pointers`. An object inside that has no other entries goes with
/// them; what stays is as the vendor wrote it.
pub(crate) fn without(text: &str, pointers: &[&str]) -> String {
    let text = text.trim();
    let Some(object) = Some(text).filter(|text| text.starts_with('{')) else { return text.to_owned() };
    let Ok(Ordered(entries)) = serde_json::from_str::<Ordered<'_>>(object) else { return text.to_owned() };
    let mut kept = Vec::new();
    for (name, value) in entries {
        let token = name.replace('~', "~0").replace('/', "~1");
        let below = pointers.iter().filter_map(|pointer| pointer.strip_prefix('/')?.strip_prefix(token.as_str()));
        let below: Vec<&str> = below.filter(|rest| rest.is_empty() || rest.starts_with('/')).collect();
        if below.contains(&"") {
            continue;
        }
        let value = if below.is_empty() { value.get().to_owned() } else { without(value.get(), &below) };
        if below.is_empty() || value != "{}" {
            kept.push(format!("{}:{value}", Value::from(name)));
        }
    }
    format!("{{{}}}", kept.join(","))
}

/// An object's entries in their order, with the texts of their values.
struct Ordered<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Ordered<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;

        impl<'de> Visitor<'de> for Entries {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(entries)
            }
        }

        deserializer.deserialize_map(Entries).map(Ordered)
    }
}

fn entries(object: &str) -> Option<HashMap<String, &str>> {
    let entries: HashMap<String, &RawValue> = serde_json::from_str(object).ok()?;
    Some(entries.into_iter().map(|(name, value)| (name, value.get())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_records_is_found() {
        for (text, pointer, expected) in [
            (" [1, 2] ", None, Some("[1, 2]")),
            (r#"{"total": 2, "rows": [ 1e3 ]}"#, None, Some("[ 1e3 ]")),
            (r#"{"a": [1], "b": [2]}"#, None, None),
            (r#"{"a": [1], "b": [2]}"#, Some("/b"), Some("[2]")),
            (r#"{"a": {"b/c": [3]}}"#, Some("/a/b~1c"), Some("[3]")),
            ("[[4]]", Some("/0"), Some("[4]")),
            (r#"{"a": 5}"#, Some("/a"), None),
            (r#"{"a": 5}"#, Some("/b"), None),
            ("{", None, None),
            ("7", None, None),
        ] {
            assert_eq!(list(text, pointer), expected, "{text} {pointer:?}");
        }
        let longest = longest_list(r#"{"few": [1], "data": {"items": [1, 2], "none": []}}"#);
        assert_eq!(longest, Some(("data.items".to_owned(), "[1, 2]")));
        assert_eq!(longest_list("[1]"), Some((String::new(), "[1]")));
        for (text, expected) in [
            (
                r#"{"a\u0062": {"c\"]": [ [1], {"x": [1, 2, 3]} ]}, "d": [1]}"#,
                Some(("ab.c\"]", r#"[ [1], {"x": [1, 2, 3]} ]"#)),
            ),
            (r#"{"a": "[1, 2, 3]", "b": [ ], "c": ["]"]}"#, Some(("c", r#"["]"]"#))),
            (r#"{"a": {"b": {}}, "c": "x"}"#, None),
            (r#"{"a": "no end"#, None),
            ("}]", None),
            ("7", None),
        ] {
            let found = longest_list(text);
            assert_eq!(found.as_ref().map(|(name, list)| (name.as_str(), *list)), expected, "{text}");
        }
        let deep = format!("{}[1]{}", "{\"a\":".repeat(120), "}".repeat(120));
        assert_eq!(longest_list(&deep).map(|(name, _)| name.len()), Some(239));
        assert_eq!(longest_list(r#"{"none": []}"#), None);
    }

    #[test]
    fn entries_are_left_out_and_the_rest_stays_as_it_was() {
        let pointers = ["/total", "/_links/next", "/_links/prev", "/a~1b"];
        for (text, expected) in [
            (r#" { "n": 1.50, "total": 7, "rows": [{"total": 1}] } "#, r#"{"n":1.50,"rows":[{"total": 1}]}"#),
            (r#"{"_links": {"next": "x", "base": "y"}, "rows": []}"#, r#"{"_links":{"base":"y"},"rows":[]}"#),
            (r#"{"_links": {"next": "x", "prev": "y"}, "rows": []}"#, r#"{"rows":[]}"#),
            (r#"{"_links": "none", "totals": 1, "a/b": 2}"#, r#"{"_links":"none","totals":1}"#),
            (r#"[{"total": 1}]"#, r#"[{"total": 1}]"#),
            ("{", "{"),
        ] {
            assert_eq!(without(text, &pointers), expected, "{text}");
        }
    }

    #[test]
    fn text_around_the_records_is_kept() {
        let text = r#"{ "n": 1.50, "rows": [1, 2],"last" :true}"#;
        let list = list(text, None).unwrap();
        assert_eq!(with_items(text, list, &["2", "3"]), r#"{ "n": 1.50, "rows": [2,3],"last" :true}"#);
    }
}
