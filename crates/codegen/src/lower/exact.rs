//! The alternatives of a schema → JSON Schemas for the check before a request is sent. A model is not shown them: they
//! say what the one schema that it is shown can't, which is what goes together.

use serde_json::{Map, Value, json};

use crate::lower::flatten::{flatten, type_of};
use crate::lower::portable::{demanded, writable};
use crate::lower::resolved::{FurtherProperties, ResolvedSchema, SchemaType};

/// Formats that the check knows, and the one by which secrets are recognised.
const CHECKED_FORMATS: [&str; 5] = ["byte", "date", "date-time", "email", "password"];

/// Returns the alternatives of a flat schema of this type, as far as they differ from the whole; `None` where there is
/// nothing that only they say.
pub(super) fn alternatives(flat: &ResolvedSchema, kind: Option<SchemaType>) -> Option<Vec<Value>> {
    if flat.any_of.len() < 2 {
        return None;
    }
    let whole = kind.map(|kind| json!({"type": kind.as_str()}));
    let mut written: Vec<Value> = Vec::new();
    for alternative in &flat.any_of {
        let one = Value::Object(one(alternative, Some(flat), false));
        if Some(&one) == whole.as_ref() || one == json!({}) {
            return None;
        }
        if !written.contains(&one) {
            written.push(one);
        }
    }
    let of_values =
        |one: &Value| one.as_object().is_some_and(|one| one.keys().all(|key| key == "type" || key == "enum"));
    if kind.is_some() && written.iter().all(of_values) {
        return None;
    }
    if flat.nullable {
        written.push(json!({"type": "null"}));
    }
    Some(written)
}

/// Whether an alternative takes other values for a property than the whole.
pub(super) fn differs(flat: &ResolvedSchema, name: &str) -> bool {
    let of = |schema: &ResolvedSchema| schema.properties.iter().find(|property| property.name == name).cloned();
    let whole = of(flat);
    flat.any_of.iter().filter_map(of).any(|own| Some(&own) != whole.as_ref())
}

/// Returns the schema exactly, with null where the vendor takes it.
fn exact(schema: &ResolvedSchema) -> Value {
    let flat = flatten(schema);
    if flat.any_of.len() < 2 {
        return Value::Object(one(&flat, None, flat.nullable));
    }
    let mut any: Vec<Value> = flat.any_of.iter().map(|of| Value::Object(one(of, None, false))).collect();
    if flat.nullable {
        any.push(json!({"type": "null"}));
    }
    json!({"anyOf": any})
}

/// Writes one alternative, without what it has in common with `whole`.
fn one(flat: &ResolvedSchema, whole: Option<&ResolvedSchema>, nullable: bool) -> Map<String, Value> {
    let mut out = Map::new();
    let kind = type_of(flat);
    if let Some(kind) = kind {
        out.insert("type".to_owned(), if nullable { json!([kind.as_str(), "null"]) } else { json!(kind.as_str()) });
    }
    if !flat.values.is_empty() {
        let mut values = flat.values.clone();
        if nullable && !values.contains(&Value::Null) {
            values.push(Value::Null);
        }
        out.insert("enum".to_owned(), Value::Array(values));
    }
    scalar_keywords(flat, kind, &mut out);
    match kind {
        Some(SchemaType::Object) => object_keywords(flat, whole, &mut out),
        Some(SchemaType::Array) => {
            if let Some(items) = &flat.items {
                out.insert("items".to_owned(), exact(items));
            }
        }
        _ => {}
    }
    out
}

fn scalar_keywords(flat: &ResolvedSchema, kind: Option<SchemaType>, out: &mut Map<String, Value>) {
    let [minimum, maximum] = [
        if flat.exclusive_minimum { "exclusiveMinimum" } else { "minimum" },
        if flat.exclusive_maximum { "exclusiveMaximum" } else { "maximum" },
    ];
    let is_text = kind == Some(SchemaType::String);
    let format = flat.format.as_ref().filter(|format| is_text && CHECKED_FORMATS.contains(&format.as_str()));
    let keywords = [
        (minimum, flat.minimum.clone()),
        (maximum, flat.maximum.clone()),
        ("multipleOf", flat.multiple_of.clone()),
        ("minLength", flat.min_length.map(Value::from)),
        ("maxLength", flat.max_length.map(Value::from)),
        ("pattern", flat.pattern.clone().map(Value::from)),
        ("format", format.cloned().map(Value::from)),
        ("minItems", flat.min_items.map(Value::from)),
        ("maxItems", flat.max_items.map(Value::from)),
        ("uniqueItems", flat.unique_items.map(Value::from)),
        ("minProperties", flat.min_properties.map(Value::from)),
        ("maxProperties", flat.max_properties.map(Value::from)),
    ];
    for (key, value) in keywords {
        if let Some(value) = value {
            out.insert(key.to_owned(), value);
        }
    }
}

fn object_keywords(flat: &ResolvedSchema, whole: Option<&ResolvedSchema>, out: &mut Map<String, Value>) {
    let common = |name: &str| {
        let of = |schema: &ResolvedSchema| schema.properties.iter().find(|property| property.name == name).cloned();
        let (own, of_whole) = (of(flat), whole.and_then(of));
        own.is_some() && own == of_whole
    };
    let closed = flat.further == Some(FurtherProperties::Any(false));
    let properties: Map<String, Value> = writable(flat)
        .into_iter()
        // A closed one has to name all that it takes.
        .filter(|(name, _)| closed || !common(name))
        .map(|(name, schema)| (name.to_owned(), if common(name) { json!({}) } else { exact(&schema) }))
        .filter(|(_, schema)| closed || *schema != json!({}))
        .collect();
    if !properties.is_empty() {
        out.insert("properties".to_owned(), Value::Object(properties));
    }
    let everywhere = whole.map(demanded).unwrap_or_default();
    let required: Vec<&str> = demanded(flat).into_iter().filter(|name| !everywhere.contains(name)).collect();
    if !required.is_empty() {
        out.insert("required".to_owned(), json!(required));
    }
    match &flat.further {
        Some(FurtherProperties::Any(false)) => {
            out.insert("additionalProperties".to_owned(), json!(false));
        }
        Some(FurtherProperties::Of(schema)) => {
            out.insert("additionalProperties".to_owned(), exact(schema));
        }
        Some(FurtherProperties::Any(true)) | None => {}
    }
}
