//! A name in place of an id: what an id of a kind looks like, and by which tools a name is looked up. vendor.toml and the
//! overlays state it; the build writes it to the arguments of each tool.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Before a text that is a name and looks like an id: `name:42`.
pub const NAME_PREFIX: &str = "name:";
/// In `with` of a look-up: the text that is looked up. Any other name in braces is that of an argument of the call.
pub const TEXT_PLACEHOLDER: &str = "{text}";

/// A kind of record that can be given by name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ResolveKind {
    /// What one of them is called in messages, with an article: `a user`.
    pub called: String,
    /// What a model reads at the end of the argument's description, at most 25 characters; `Id or name.` if missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offers: Option<String>,
    /// A regular expression that a whole id matches; whatever else is given is a name.
    pub id: String,
    /// What an id looks like, in words.
    pub words: String,
    /// Valid ids, for the tests that draw arguments.
    pub samples: Vec<String>,
    /// Names that are the same everywhere, with their ids.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, String>,
    /// The look-ups, tried one after the other until one finds the name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by: Vec<NameLookup>,
}

/// One way to look a name up.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NameLookup {
    /// The tool that looks up; it only reads, and its caller must be offered it.
    pub tool: String,
    /// Its arguments: `{text}` stands for the name, `{argument}` for an argument of the call.
    #[serde(default, rename = "with", skip_serializing_if = "Map::is_empty")]
    pub arguments: Map<String, Value>,
    /// The values that arguments of the call must have.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub when: BTreeMap<String, String>,
    /// A regular expression; other texts are not looked up here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only: Option<String>,
    /// The dotted path to the records, where the answer has several lists, or they are inside one record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub records: Option<String>,
    /// Dotted paths to the fields of a record, one of which must be the name; several with spaces between are one name.
    #[serde(rename = "match")]
    pub fields: Vec<String>,
    /// Those of them that no two records share at the vendor.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unique: Vec<String>,
    /// The dotted path to the id.
    pub id: String,
    /// Dotted paths to further fields by which a person tells records apart.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub show: Vec<String>,
    /// What fields of a record must be; others are not meant.
    #[serde(default, rename = "where", skip_serializing_if = "BTreeMap::is_empty")]
    pub filter: BTreeMap<String, String>,
    /// Only the first page is read: all records would be too many, and few are needed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub one_page: bool,
    /// The status by which the vendor answers that there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub none: Option<u16>,
}

/// That an argument, or a part of it, takes a name in place of an id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resolve {
    /// Dotted path inside the argument, through lists element by element; empty: all of it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub at: String,
    /// The vendor takes the id as a number.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub number: bool,
    /// The least number that the vendor takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum: Option<i64>,
    /// The greatest number that the vendor takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum: Option<i64>,
    /// What one of them is called.
    pub called: String,
    /// What a whole id matches.
    pub id: String,
    /// The same in words.
    pub words: String,
    /// Names that are the same everywhere.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, String>,
    /// The look-ups.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by: Vec<NameLookup>,
}

impl ResolveKind {
    /// What an argument of this kind is resolved by. `number`: the vendor takes a number.
    pub fn at(&self, at: &str, number: bool) -> Resolve {
        Resolve {
            at: at.to_owned(),
            number,
            minimum: None,
            maximum: None,
            called: self.called.clone(),
            id: self.id.clone(),
            words: self.words.clone(),
            values: self.values.clone(),
            by: self.by.clone(),
        }
    }
}

impl NameLookup {
    /// The names of the arguments of the call that the look-up needs.
    pub fn needed(&self) -> Vec<&str> {
        let mut needed: Vec<&str> = self.when.keys().map(String::as_str).collect();
        self.arguments.values().for_each(|value| collect_placeholders(value, &mut needed));
        needed
    }

    /// The arguments of the look-up for a name; `None` where an argument is missing that it needs, or has another value.
    pub fn arguments_for(&self, text: &str, call: &Map<String, Value>) -> Option<Map<String, Value>> {
        let has = |(name, wanted): (&String, &String)| call.get(name).is_some_and(|value| plain(value) == *wanted);
        if !self.when.iter().all(has) {
            return None;
        }
        let filled = |(name, value): (&String, &Value)| Some((name.clone(), filled(value, text, call)?));
        self.arguments.iter().map(filled).collect()
    }

    /// Whether it searches by the name at the vendor; else it reads all records.
    pub fn searches(&self) -> bool {
        Value::Object(self.arguments.clone()).to_string().contains(TEXT_PLACEHOLDER)
    }
}

/// A text, or a number as one.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn placeholder(text: &str) -> Option<&str> {
    text.strip_prefix('{')?.strip_suffix('}')
}

fn collect_placeholders<'v>(value: &'v Value, found: &mut Vec<&'v str>) {
    match value {
        Value::String(text) if text != TEXT_PLACEHOLDER => found.extend(placeholder(text)),
        Value::Array(items) => items.iter().for_each(|item| collect_placeholders(item, found)),
        Value::Object(entries) => entries.values().for_each(|entry| collect_placeholders(entry, found)),
        _ => {}
    }
}

fn filled(value: &Value, text: &str, call: &Map<String, Value>) -> Option<Value> {
    Some(match value {
        Value::String(own) if own == TEXT_PLACEHOLDER => Value::from(text),
        Value::String(own) => match placeholder(own) {
            Some(name) => call.get(name).filter(|value| !value.is_null())?.clone(),
            None => value.clone(),
        },
        Value::Array(items) => Value::Array(items.iter().map(|item| filled(item, text, call)).collect::<Option<_>>()?),
        Value::Object(entries) => {
            let entries = entries.iter().map(|(name, entry)| Some((name.clone(), filled(entry, text, call)?)));
            Value::Object(entries.collect::<Option<_>>()?)
        }
        other => other.clone(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn arguments_are_filled_from_the_name_and_the_call() {
        let object = |value: Value| value.as_object().cloned().unwrap_or_default();
        let lookup = NameLookup {
            arguments: object(
                json!({"desk": "{deskId}", "search": {"terms": ["{text}"], "fields": ["name"]}, "all": 1}),
            ),
            when: BTreeMap::from([("type".to_owned(), "user".to_owned())]),
            ..NameLookup::default()
        };
        let call = object(json!({"deskId": 7, "type": "user"}));
        let expected = json!({"desk": 7, "search": {"terms": ["Ann {text}"], "fields": ["name"]}, "all": 1});
        assert_eq!(lookup.arguments_for("Ann {text}", &call), Some(object(expected)));
        for call in
            [json!({"type": "user"}), json!({"deskId": null, "type": "user"}), json!({"deskId": 7, "type": "x"})]
        {
            assert_eq!(lookup.arguments_for("Ann", &object(call.clone())), None, "{call}");
        }
        assert_eq!(lookup.needed(), ["type", "deskId"]);
        assert!(lookup.searches() && !NameLookup::default().searches());
    }
}
