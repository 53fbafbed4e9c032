//! A resolved schema of a vendor's parameter or body → a JSON Schema that every MCP client takes:
//! self-contained, one scalar `type` per node, no combinators, no null unions.

use serde_json::{Map, Value, json};

use crate::lower::flatten::{flatten, type_of};
use crate::lower::resolved::{FurtherProperties, ResolvedSchema, SchemaType};
use crate::lower::unshown;

/// Formats that a model can act on; `unshown` has those that are only checked.
const KEPT_FORMATS: [&str; 3] = ["date", "date-time", "password"];

/// Returns `schema` in the portable subset.
pub fn portable(schema: &ResolvedSchema) -> Map<String, Value> {
    let flat = flatten(schema);
    let kind = type_of(&flat);
    let mut out = Map::new();
    out.insert("type".to_owned(), json!(kind.as_str()));
    if let Some(text) = flat.description.as_ref().filter(|text| !text.is_empty()) {
        out.insert("description".to_owned(), json!(text));
    }
    if let Some(format) = flat.format.as_ref().filter(|format| KEPT_FORMATS.contains(&format.as_str())) {
        out.insert("format".to_owned(), json!(format));
    }
    keywords(&flat, &mut out);
    exclusive_bounds(&flat, &mut out);
    unshown::note(&flat, kind, &mut out);
    let of_items = keep_fitting(kind, &mut out);
    match kind {
        SchemaType::Array => {
            out.insert("items".to_owned(), Value::Object(portable_items(&flat, of_items)));
        }
        SchemaType::Object => portable_object(&flat, &mut out),
        SchemaType::Integer | SchemaType::Number | SchemaType::Boolean | SchemaType::String | SchemaType::Null => {}
    }
    out
}

/// Writes the keywords that mean the same in OpenAPI 3.0 and in JSON Schema and that clients take.
fn keywords(flat: &ResolvedSchema, out: &mut Map<String, Value>) {
    let values = (!flat.values.is_empty()).then(|| Value::Array(flat.values.clone()));
    let keywords = [
        ("enum", values),
        ("minimum", flat.minimum.clone()),
        ("maximum", flat.maximum.clone()),
        ("minLength", flat.min_length.map(Value::from)),
        ("maxLength", flat.max_length.map(Value::from)),
        ("pattern", flat.pattern.clone().map(Value::from)),
        ("minItems", flat.min_items.map(Value::from)),
        ("maxItems", flat.max_items.map(Value::from)),
        ("uniqueItems", flat.unique_items.map(Value::from)),
        ("default", flat.default.clone()),
    ];
    for (key, value) in keywords {
        if let Some(value) = value {
            out.insert(key.to_owned(), value);
        }
    }
}

/// OpenAPI 3.0 marks a bound as exclusive beside it; JSON Schema writes the bound there.
fn exclusive_bounds(flat: &ResolvedSchema, out: &mut Map<String, Value>) {
    for (exclusive, mark, bound) in [
        (flat.exclusive_minimum, "exclusiveMinimum", "minimum"),
        (flat.exclusive_maximum, "exclusiveMaximum", "maximum"),
    ] {
        if exclusive && let Some(value) = out.remove(bound) {
            out.insert(mark.to_owned(), value);
        }
    }
}

/// Removes what can't be a value of the type, and null, which means "not given" here; returns the
/// values of `enum` that were removed.
fn keep_fitting(kind: SchemaType, out: &mut Map<String, Value>) -> Vec<Value> {
    let kind = kind.as_str();
    if out.get("default").is_some_and(|default| !is_of(kind, default)) {
        out.shift_remove("default");
    }
    let Some(Value::Array(values)) = out.get_mut("enum").map(Value::take) else { return Vec::new() };
    let (mut fitting, others): (Vec<Value>, Vec<Value>) =
        values.into_iter().filter(|value| !value.is_null()).partition(|value| is_of(kind, value));
    // A list of words without quotes, such as [on, off] or [1, 2], is read as something else.
    if fitting.is_empty() && kind == "string" {
        fitting = others.iter().filter(|value| !value.is_object() && !value.is_array()).map(as_text).collect();
    }
    if fitting.is_empty() {
        out.shift_remove("enum");
    } else {
        // A default that can't be chosen is none.
        if out.get("default").is_some_and(|default| kind != "array" && !fitting.contains(default)) {
            out.shift_remove("default");
        }
        out.insert("enum".to_owned(), Value::Array(fitting));
    }
    others
}

fn as_text(value: &Value) -> Value {
    Value::from(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
}

fn portable_items(flat: &ResolvedSchema, of_items: Vec<Value>) -> Map<String, Value> {
    let text = ResolvedSchema { kind: Some(SchemaType::String), ..ResolvedSchema::default() };
    let mut items = portable(flat.items.as_deref().unwrap_or(&text));
    let item_kind = items.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
    // Some descriptions state at the list what its items may be.
    if !items.contains_key("enum") && !of_items.is_empty() && of_items.iter().all(|v| is_of(&item_kind, v)) {
        items.insert("enum".to_owned(), Value::Array(of_items));
    }
    items
}

fn portable_object(flat: &ResolvedSchema, out: &mut Map<String, Value>) {
    let writable: Map<String, Value> = flat
        .properties
        .iter()
        // What only the vendor sets is no argument.
        .filter(|property| !property.schema.read_only)
        .map(|property| (property.name.clone(), Value::Object(portable(&property.schema))))
        .collect();
    let required: Vec<&String> = flat.required.iter().filter(|name| writable.contains_key(*name)).collect();
    let further = match &flat.further {
        Some(FurtherProperties::Of(schema)) => Value::Object(portable(schema)),
        Some(FurtherProperties::Any(true)) => json!(true),
        // An object of which nothing is known is free-form; and one that may hold nothing is none
        // that clients take.
        Some(FurtherProperties::Any(false)) | None => json!(writable.is_empty()),
    };
    if !required.is_empty() {
        out.insert("required".to_owned(), json!(required));
    }
    if !writable.is_empty() {
        out.insert("properties".to_owned(), Value::Object(writable));
    }
    out.insert("additionalProperties".to_owned(), further);
}

/// Returns whether a value is of a type of JSON Schema.
pub fn is_of(kind: &str, value: &Value) -> bool {
    match kind {
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        _ => value.is_object(),
    }
}

#[cfg(test)]
mod tests {
    use crate::lower::resolved::resolve;
    use crate::read::document::Document;

    use super::*;

    fn resolved(schema: &Value) -> ResolvedSchema {
        let head = json!({"openapi": "3.0.3", "info": {"title": "T", "version": "1"}, "paths": {}});
        let document = Document::parse(head).unwrap();
        let schema: openapiv3::ReferenceOr<openapiv3::Schema> = crate::read::typed::from_value(schema.clone()).unwrap();
        resolve(&schema, &document)
    }

    #[test]
    fn schemas_become_portable() {
        for (given, expected) in [
            (json!({"type": "string", "nullable": true, "title": "T", "format": "uuid"}), json!({"type": "string"})),
            (
                json!({"type": "number", "minimum": 0, "exclusiveMinimum": true}),
                json!({"type": "number", "exclusiveMinimum": 0}),
            ),
            (json!({}), json!({"type": "object", "additionalProperties": true})),
            (json!({"type": "array"}), json!({"type": "array", "items": {"type": "string"}})),
            (json!({"enum": ["a", null]}), json!({"type": "string", "enum": ["a"]})),
            (
                json!({"allOf": [
                    {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
                    {"properties": {"b": {"type": "string", "readOnly": true}}, "required": ["b"]},
                ]}),
                json!({"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}, "additionalProperties": false}),
            ),
            (
                json!({"oneOf": [{"type": "string", "enum": ["x"]}, {"type": "string", "enum": ["y"]}, {"type": "null"}]}),
                json!({"type": "string", "enum": ["x", "y"]}),
            ),
            (json!({"anyOf": [{"type": "integer"}, {"type": "boolean"}]}), json!({"type": "string"})),
        ] {
            assert_eq!(Value::Object(portable(&resolved(&given))), expected, "{given}");
        }
    }
}
