//! The keys of one argument, as an overlay states them → [`ArgumentKeys`]. Called by `keys`.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use super::{read_pairs, serialize_pairs};
use crate::read::located::Located;
use crate::read::resolve_kinds::read_kind;
use toolwright_formats::{FORMATS, FormatRef, pattern_fault};
use toolwright_model::{Letters, ResolveKind};

/// What a model gets to see of an argument.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ArgumentKeys {
    /// The name that a model uses.
    pub name: Option<String>,
    /// Other names under which it is understood.
    pub aliases: Vec<String>,
    /// What a model reads.
    pub description: Option<String>,
    /// Sent when the argument is missing.
    pub default: Option<Value>,
    /// Words of the further argument `include` → what each adds to this list.
    #[cfg_attr(feature = "schemars", schemars(with = "std::collections::BTreeMap<String, String>"))]
    #[serde(serialize_with = "serialize_pairs")]
    pub include: Vec<(String, String)>,
    /// The least number.
    pub minimum: Option<Value>,
    /// The greatest number.
    pub maximum: Option<Value>,
    /// The shortest text.
    pub min_length: Option<u64>,
    /// The longest text.
    pub max_length: Option<u64>,
    /// The fewest values of a list.
    pub min_items: Option<u64>,
    /// The most values of a list.
    pub max_items: Option<u64>,
    /// The values to choose from.
    #[serde(rename = "enum")]
    pub values: Option<Vec<Value>>,
    /// One value is offered where the vendor takes a list.
    pub single: Option<bool>,
    /// Demanded even where the vendor does not.
    pub required: Option<bool>,
    /// Never offered, never sent.
    pub hidden: Option<bool>,
    /// Always sent, never offered.
    pub value: Option<Value>,
    /// Values that the vendor's grammar accepts, for the tests that draw arguments.
    pub samples: Option<Vec<Value>>,
    /// The kind of record that is given by name or id, or `false` where a rule of vendor.toml shall not apply.
    pub resolve: Option<ResolveKey>,
    /// How the value is written for the vendor.
    pub format: Option<FormatRef>,
    /// The same for parts of the argument: dotted path → format.
    #[cfg_attr(feature = "schemars", schemars(with = "std::collections::BTreeMap<String, FormatRef>"))]
    #[serde(serialize_with = "serialize_pairs")]
    pub formats: Vec<(String, FormatRef)>,
    /// A regular expression that the whole text matches, in place of `format`; no message shows it.
    pub pattern: Option<String>,
    /// The pattern in words, for a refusal.
    pub words: Option<String>,
    /// The case in which letters are sent, beside `pattern`.
    pub letters: Option<Letters>,
    /// What the vendor takes to clear the value, which a model clears with `null`: `null`, `""`, `[]`, `0` or `-1`.
    pub clear: Option<Value>,
    /// The operation of the same API that answers the format's questions.
    pub ask: Option<String>,
    /// The operation of the same API that it asks for what the first leaves open.
    #[serde(rename = "then_ask")]
    pub then_ask: Option<String>,
    /// What that operation is asked with, by query parameter; `{}` in a text stands for the value.
    pub with: BTreeMap<String, Value>,
    /// The fields that a filter can be about.
    pub fields: Option<Vec<String>>,
    /// The operators that a filter can use.
    pub operators: Option<Vec<String>>,
    /// The tools that a refusal by the format names: what is refused → the tools that do it.
    #[cfg_attr(feature = "schemars", schemars(with = "std::collections::BTreeMap<String, String>"))]
    #[serde(serialize_with = "serialize_pairs")]
    pub tools: Vec<(String, String)>,
}

/// How a name in place of an id is resolved.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum ResolveKey {
    /// As vendor.toml states it of this kind.
    Kind(String),
    /// Not at all: always `false`.
    Off(bool),
    /// As it is stated here.
    Own(Box<ResolveKind>),
}

const ARGUMENT_KEYS: [&str; 30] = [
    "name",
    "aliases",
    "description",
    "default",
    "include",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "enum",
    "single",
    "required",
    "hidden",
    "value",
    "samples",
    "resolve",
    "format",
    "formats",
    "pattern",
    "words",
    "letters",
    "clear",
    "ask",
    "then_ask",
    "with",
    "fields",
    "operators",
    "tools",
];

pub(super) fn read_argument(at: &Located<'_>) -> ArgumentKeys {
    at.only(&ARGUMENT_KEYS);
    let text = |key| at.get(key).and_then(|entry| entry.text().map(str::to_owned));
    let number = |key| {
        at.get(key).and_then(|entry| {
            if !entry.value.is_number() {
                entry.wrong("a number");
            }
            entry.value.is_number().then(|| entry.value.clone())
        })
    };
    let values = |key| at.get(key).map(|entry| entry.items().iter().map(|item| item.value.clone()).collect());
    ArgumentKeys {
        name: text("name"),
        aliases: at.get("aliases").map(|entry| entry.texts()).unwrap_or_default(),
        description: text("description"),
        default: at.get("default").map(|entry| entry.value.clone()),
        include: at.get("include").map(|words| read_pairs(&words)).unwrap_or_default(),
        minimum: number("minimum"),
        maximum: number("maximum"),
        min_length: at.get("minLength").and_then(|entry| entry.unsigned()),
        max_length: at.get("maxLength").and_then(|entry| entry.unsigned()),
        min_items: at.get("minItems").and_then(|entry| entry.unsigned()),
        max_items: at.get("maxItems").and_then(|entry| entry.unsigned()),
        values: values("enum"),
        single: at.get("single").and_then(|entry| entry.flag()),
        required: at.get("required").and_then(|entry| entry.flag()),
        hidden: at.get("hidden").and_then(|entry| entry.flag()),
        value: at.get("value").map(|entry| entry.value.clone()),
        samples: values("samples"),
        resolve: at.get("resolve").and_then(|entry| read_resolve(&entry)),
        format: at.get("format").and_then(|entry| entry.word(FORMATS)),
        formats: at.get("formats").map(|formats| read_formats(&formats)).unwrap_or_default(),
        pattern: at.get("pattern").and_then(|entry| read_pattern(&entry)),
        words: text("words"),
        letters: at.get("letters").and_then(|entry| entry.word(Letters::ALL)),
        clear: at.get("clear").and_then(|entry| read_clear(&entry)),
        ask: text("ask"),
        then_ask: text("then_ask"),
        with: at.get("with").map(|with| read_with(&with)).unwrap_or_default(),
        fields: at.get("fields").map(|entry| entry.texts()),
        operators: at.get("operators").map(|entry| entry.texts()),
        tools: at.get("tools").map(|tools| read_pairs(&tools)).unwrap_or_default(),
    }
}

fn read_resolve(at: &Located<'_>) -> Option<ResolveKey> {
    match at.value {
        Value::String(kind) => Some(ResolveKey::Kind(kind.clone())),
        Value::Bool(false) => Some(ResolveKey::Off(false)),
        Value::Object(_) => Some(ResolveKey::Own(Box::new(read_kind(at)?))),
        _ => {
            at.wrong("the name of a `[resolve.…]` in vendor.toml, its keys, or `false`");
            None
        }
    }
}

/// A regular expression that can be read.
pub(crate) fn read_pattern(at: &Located<'_>) -> Option<String> {
    let pattern = at.text()?;
    match pattern_fault(pattern) {
        None => Some(pattern.to_owned()),
        Some(fault) => {
            at.wrong_with_hint("a regular expression", fault);
            None
        }
    }
}

fn read_clear(at: &Located<'_>) -> Option<Value> {
    let known = [Value::Null, Value::from(""), Value::Array(Vec::new()), Value::from(0), Value::from(-1)];
    if !known.contains(at.value) {
        at.wrong("what the vendor takes for a value that is cleared: `null`, `\"\"`, `[]`, `0` or `-1`");
        return None;
    }
    Some(at.value.clone())
}

fn read_with(at: &Located<'_>) -> BTreeMap<String, Value> {
    let entry = |(name, entry): (&str, Located<'_>)| {
        if entry.value.is_object() || entry.value.is_array() || entry.value.is_null() {
            entry.wrong("a text, a number, `true` or `false`");
        }
        (name.to_owned(), entry.value.clone())
    };
    at.entries().into_iter().map(entry).collect()
}

fn read_formats(at: &Located<'_>) -> Vec<(String, FormatRef)> {
    let of = |(path, entry): &(&str, Located<'_>)| Some(((*path).to_owned(), entry.word(FORMATS)?));
    at.entries().iter().filter_map(of).collect()
}

impl ArgumentKeys {
    /// Writes what changes the argument's schema into it.
    pub fn apply_to(&self, schema: &mut Map<String, Value>) {
        let facts = [
            ("description", self.description.clone().map(Value::from)),
            ("enum", self.values.clone().map(Value::from)),
            ("minimum", self.minimum.clone()),
            ("maximum", self.maximum.clone()),
            ("minLength", self.min_length.map(Value::from)),
            ("maxLength", self.max_length.map(Value::from)),
            ("minItems", self.min_items.map(Value::from)),
            ("maxItems", self.max_items.map(Value::from)),
            ("default", self.default.clone()),
        ];
        for (key, value) in facts {
            let Some(value) = value else { continue };
            match schema.get_mut("items") {
                // The values of a list are limited one by one.
                Some(Value::Object(items)) if key == "enum" => items.insert(key.to_owned(), value),
                _ => schema.insert(key.to_owned(), value),
            };
        }
    }
}
