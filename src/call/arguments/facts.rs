//! What a tool states of its arguments beside the input schema → the schema that arguments are
//! converted and checked by: `null` where it clears, no type where a format checks it, and where
//! one text is split into a list.

use serde_json::{Value, json};
use toolwright_model::{EACH_ENTRY, EACH_ITEM};

use super::convert::{ID_PATTERN, SPLITS_AT};
use crate::formats::PartOfFormat;

/// What is known of a tool's arguments beside their schema.
#[derive(Debug, Clone, Default)]
pub struct ArgumentFacts {
    /// The parts that a format checks, each with its argument.
    pub formatted: Vec<(String, PartOfFormat)>,
    /// The parts that `null` clears: argument and path.
    pub cleared: Vec<(String, String)>,
    /// The lists whose values contain no comma or space: argument and those characters.
    pub separators: Vec<(String, Vec<char>)>,
    /// The parts that take names in place of ids: argument, path, and what an id matches.
    pub named: Vec<(String, String, String)>,
    /// The arguments of toolwright's own for which `null` means that they are not given.
    pub optional: Vec<String>,
}

/// Every type but `null`.
const NOT_NULL: [&str; 6] = ["array", "boolean", "integer", "number", "object", "string"];

/// Demands, in a tool's input schema, a text that is not empty where a text is required. A schema
/// that states the shortest length itself keeps it.
pub(super) fn demand_texts(schema: &mut Value) {
    let required: Vec<String> = super::schema::required(schema).map(str::to_owned).collect();
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else { return };
    for (_, property) in properties.iter_mut().filter(|(name, _)| required.contains(name)) {
        if let Some(property) = property.as_object_mut()
            && property.get("type") == Some(&json!("string"))
            && !property.contains_key("enum")
            && !property.contains_key("minLength")
        {
            property.insert("minLength".to_owned(), json!(1));
        }
    }
}

impl ArgumentFacts {
    /// Writes the facts into a schema that is used for checks only.
    pub(super) fn write_into(&self, schema: &mut Value) {
        for (argument, part) in &self.formatted {
            let Some(at) = part_mut(schema, argument, &part.at) else { continue };
            split_at(at, &part.separators);
            let of_items = at["type"] == "array" && at.get("items").is_some() && !part.is_open;
            let own = if of_items { at.get_mut("items").and_then(Value::as_object_mut) } else { at.as_object_mut() };
            let Some(own) = own else { continue };
            // The format takes more notations than the keyword.
            own.shift_remove("format");
            if part.is_open {
                own.insert("type".to_owned(), json!(NOT_NULL));
                own.shift_remove("enum");
            }
        }
        for (argument, separators) in &self.separators {
            if let Some(at) = part_mut(schema, argument, "") {
                split_at(at, separators);
            }
        }
        for (argument, path, pattern) in &self.named {
            if let Some(Value::Object(items)) = part_mut(schema, argument, path).and_then(|part| part.get_mut("items"))
            {
                items.insert(ID_PATTERN.to_owned(), Value::from(pattern.as_str()));
            }
        }
        for (argument, path) in &self.cleared {
            if let Some(at) = part_mut(schema, argument, path) {
                take_null(at);
            }
        }
    }
}

/// The part of a schema at a dotted path, through lists whether the path names them or not.
fn part_mut<'a>(schema: &'a mut Value, argument: &str, path: &str) -> Option<&'a mut Value> {
    let argument = schema.get_mut("properties")?.get_mut(argument)?;
    path.split('.').filter(|step| !step.is_empty()).try_fold(argument, |part, step| match step {
        EACH_ITEM => part.get_mut("items"),
        EACH_ENTRY => part.get_mut("additionalProperties"),
        name => {
            let part = if part.get("properties").is_none() && part.get("items").is_some() {
                part.get_mut("items")?
            } else {
                part
            };
            part.get_mut("properties")?.get_mut(name)
        }
    })
}

fn split_at(part: &mut Value, separators: &[char]) {
    let Some(part) = part.as_object_mut().filter(|_| !separators.is_empty()) else { return };
    let mut all: String = part.get(SPLITS_AT).and_then(Value::as_str).unwrap_or_default().to_owned();
    all.extend(separators);
    part.insert(SPLITS_AT.to_owned(), Value::from(all));
}

fn take_null(part: &mut Value) {
    let Some(part) = part.as_object_mut() else { return };
    match part.get_mut("type") {
        Some(Value::Array(types)) if !types.iter().any(|name| name == "null") => types.push(json!("null")),
        Some(name @ Value::String(_)) => *name = json!([name.take(), "null"]),
        _ => {}
    }
    if let Some(Value::Array(values)) = part.get_mut("enum") {
        values.push(Value::Null);
    }
}
