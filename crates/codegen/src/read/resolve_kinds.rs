//! `[resolve.<kind>]` of vendor.toml, or `resolve` of an argument in an overlay → the kinds of records that can be given
//! by name. What they name is checked against the vendor's tools by `lower::resolve`.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::read::keys::read_pattern;
use crate::read::located::{Located, did_you_mean};
use toolwright_formats::pattern_matches;
use toolwright_model::{ArgumentRule, NameLookup, ResolveKind};

/// The longest `offers`, in characters: every argument of the kind carries it.
const LONGEST_OFFER: usize = 25;

/// Reads the kinds of vendor.toml.
pub(crate) fn read(at: &Located<'_>) -> BTreeMap<String, ResolveKind> {
    at.entries().into_iter().filter_map(|(name, entry)| Some((name.to_owned(), read_kind(&entry)?))).collect()
}

/// Reads one kind; reports what is wrong with it.
pub(crate) fn read_kind(at: &Located<'_>) -> Option<ResolveKind> {
    at.object()?;
    at.only(&["called", "offers", "id", "words", "samples", "values", "by"]);
    let text = |key: &str, expected: &str| at.required(key, expected)?.text().map(str::to_owned);
    let called = text("called", "what one of them is called, such as `a user`");
    let words = text("words", "what an id looks like, in words");
    let id = at.required("id", "a regular expression that a whole id matches").and_then(|entry| read_pattern(&entry));
    let offers = at.get("offers").and_then(|entry| read_offer(&entry));
    let samples = at.required("samples", "valid ids, for tests").map(|entry| entry.items()).unwrap_or_default();
    let values = at.get("values").map(|entry| read_values(&entry)).unwrap_or_default();
    let by = at.get("by").map(|entry| entry.items()).unwrap_or_default();
    let by: Vec<NameLookup> = by.iter().filter_map(read_lookup).collect();
    if by.is_empty() && values.is_empty() && at.get("by").is_none() {
        at.report("`by`: a tool that looks a name up, or `values`", "neither", None);
    }
    let (called, words, id) = (called?, words?, id?);
    for sample in &samples {
        if sample.text().is_some_and(|sample| !pattern_matches(&id, sample)) {
            sample.wrong("a text that `id` matches");
        }
    }
    if samples.is_empty() {
        at.nearest_of("samples").report("at least one valid id", "none", None);
    }
    for (name, value) in &values {
        if pattern_matches(&id, name) {
            at.nearest_of("values").report("names that `id` does not match", format!("`{name}`"), None);
        }
        if !pattern_matches(&id, value) {
            at.nearest_of("values").report("ids that `id` matches", format!("`{value}`"), None);
        }
    }
    let samples = samples.iter().filter_map(|sample| sample.value.as_str().map(str::to_owned)).collect();
    Some(ResolveKind { called, offers, id, words, samples, values, by })
}

fn read_offer(at: &Located<'_>) -> Option<String> {
    let text = at.text()?;
    let length = text.chars().count();
    if length > LONGEST_OFFER || text.trim().is_empty() {
        at.report(format!("a text of 1 to {LONGEST_OFFER} characters"), format!("{length}"), None);
    }
    Some(text.to_owned())
}

/// Names with their ids, which may be numbers.
fn read_values(at: &Located<'_>) -> BTreeMap<String, String> {
    let value = |(name, entry): (&str, Located<'_>)| match entry.value {
        Value::Number(number) => Some((name.to_owned(), number.to_string())),
        _ => Some((name.to_owned(), entry.text()?.to_owned())),
    };
    at.entries().into_iter().filter_map(value).collect()
}

fn read_lookup(at: &Located<'_>) -> Option<NameLookup> {
    at.object()?;
    at.only(&["tool", "with", "when", "only", "records", "match", "unique", "id", "show", "where", "one_page", "none"]);
    let text = |key: &str, expected: &str| at.required(key, expected)?.text().map(str::to_owned);
    let texts = |key: &str| at.get(key).map(|entry| entry.texts()).unwrap_or_default();
    let tool = text("tool", "the tool that looks the name up");
    let id = text("id", "the field that holds the id");
    let fields = at.required("match", "the fields, one of which must be the name").map(|entry| entry.texts());
    let unique = texts("unique");
    let arguments = at.get("with").and_then(|entry| entry.object()).cloned().unwrap_or_default();
    let when = at.get("when").map(|entry| read_values(&entry)).unwrap_or_default();
    let only = at.get("only").and_then(|entry| read_pattern(&entry));
    let none = at.get("none").and_then(|entry| {
        let status = u16::try_from(entry.unsigned()?).ok().filter(|status| (400..500).contains(status));
        if status.is_none() {
            entry.wrong("a status from 400 to 499");
        }
        status
    });
    let filter = at.get("where").map(|entry| read_values(&entry)).unwrap_or_default();
    let one_page = at.get("one_page").and_then(|entry| entry.flag()).unwrap_or_default();
    let records = at.get("records").and_then(|entry| entry.text().map(str::to_owned));
    let fields = fields?;
    if fields.is_empty() {
        at.nearest_of("match").report("at least one field", "none", None);
    }
    for field in unique.iter().filter(|field| !fields.contains(field)) {
        let near = did_you_mean(field, fields.iter().map(String::as_str));
        at.nearest_of("unique").report("a field of `match`", format!("`{field}`"), near);
    }
    let show = texts("show");
    Some(NameLookup {
        tool: tool?,
        arguments,
        when,
        only,
        records,
        fields,
        unique,
        id: id?,
        show,
        filter,
        one_page,
        none,
    })
}

/// Checks that each rule's kind is there. `root` is vendor.toml.
pub(crate) fn check_rules(rules: &[ArgumentRule], kinds: &BTreeMap<String, ResolveKind>, root: &Located<'_>) {
    for (index, kind) in rules.iter().enumerate().filter_map(|(index, rule)| Some((index, rule.resolve.as_ref()?))) {
        if !kinds.contains_key(kind) {
            let near = did_you_mean(kind, kinds.keys().map(String::as_str));
            let at = root.nearest(&format!("/arguments/{index}/resolve"));
            at.report("the name of a `[resolve.…]`", format!("`{kind}`"), near);
        }
    }
}
