//! A text of JSON → the part of it that is the list of records, so that records can be counted,
//! omitted or added while the rest stays as the vendor wrote it.

use std::collections::HashMap;

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

/// Returns the text of the longest list that is not empty: the text itself, or inside objects.
pub(crate) fn longest_list(text: &str) -> Option<&str> {
    let text = text.trim();
    match text.as_bytes().first()? {
        b'[' => items(text).filter(|items| !items.is_empty()).map(|_| text),
        b'{' => entries(text)?.into_values().filter_map(longest_list).max_by_key(|list| list.len()),
        _ => None,
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
        assert_eq!(longest_list(r#"{"few": [1], "data": {"items": [1, 2], "none": []}}"#), Some("[1, 2]"));
        assert_eq!(longest_list(r#"{"none": []}"#), None);
    }

    #[test]
    fn text_around_the_records_is_kept() {
        let text = r#"{ "n": 1.50, "rows": [1, 2],"last" :true}"#;
        let list = list(text, None).unwrap();
        assert_eq!(with_items(text, list, &["2", "3"]), r#"{ "n": 1.50, "rows": [2,3],"last" :true}"#);
    }
}
