//! A text of JSON → where in it the list of records stands, so that records can be counted, left
//! out or added while everything else stays as the vendor wrote it.

use std::collections::HashMap;

use serde_json::value::RawValue;

/// The text of the value at a JSON pointer.
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

/// The text of the list of records: what stands at `pointer`, or else the text itself where it is
/// a list, or its only list.
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

/// The text of the longest list that is not empty: the text itself, or inside of objects.
pub(crate) fn longest_list(text: &str) -> Option<&str> {
    let text = text.trim();
    match text.as_bytes().first()? {
        b'[' => items(text).filter(|items| !items.is_empty()).map(|_| text),
        b'{' => entries(text)?.into_values().filter_map(longest_list).max_by_key(|list| list.len()),
        _ => None,
    }
}

/// The texts of a list's items; `None` where it is no list.
pub(crate) fn items(list: &str) -> Option<Vec<&str>> {
    let items: Vec<&RawValue> = serde_json::from_str(list).ok()?;
    Some(items.into_iter().map(RawValue::get).collect())
}

/// The text with other items in the list that `list` is a part of it.
pub(crate) fn with_items(text: &str, list: &str, items: &[&str]) -> String {
    let start = (list.as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
    let (before, after) = (&text[..start], &text[start + list.len()..]);
    format!("{before}[{}]{after}", items.join(","))
}

fn entries(object: &str) -> Option<HashMap<String, &str>> {
    let entries: HashMap<String, &RawValue> = serde_json::from_str(object).ok()?;
    Some(entries.into_iter().map(|(name, value)| (name, value.get())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_records_are_found_where_they_stand() {
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
        assert_eq!(longest_list(r#"{"few": [1], "data": {"items": [1, 2], "none": []}}"#), Some("[1, 2]"));
        assert_eq!(longest_list(r#"{"none": []}"#), None);
    }

    #[test]
    fn what_is_around_the_records_stays_as_it_is() {
        let text = r#"{ "n": 1.50, "rows": [1, 2],"last" :true}"#;
        let list = list(text, None).unwrap();
        assert_eq!(with_items(text, list, &["2", "3"]), r#"{ "n": 1.50, "rows": [2,3],"last" :true}"#);
    }
}
