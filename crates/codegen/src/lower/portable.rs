//! A resolved schema of a vendor's parameter or body → a JSON Schema that every MCP client takes:
//! self-contained, one scalar `type` per node, no combinators, no null unions. A value that no one type takes has no
//! type and says in words what it can be; which values go together is checked and not shown (`unshown`).

use std::rc::Rc;

use serde_json::{Map, Value, json};

use crate::lower::exact;
use crate::lower::flatten::{flatten, type_of};
use crate::lower::resolved::{FurtherProperties, ResolvedSchema, SchemaType};
use crate::lower::shape_words::shape_words;
use crate::lower::unshown;

/// Formats that a model can act on; `unshown` has those that are only checked.
const KEPT_FORMATS: [&str; 3] = ["date", "date-time", "password"];

/// Returns `schema` in the portable subset.
pub fn portable(schema: &ResolvedSchema) -> Map<String, Value> {
    node(&flatten(schema), false)
}

/// Writes a schema without compositions. `covered`: the alternatives around it are checked, and these with them.
fn node(flat: &ResolvedSchema, covered: bool) -> Map<String, Value> {
    let kind = type_of(flat);
    let mut out = Map::new();
    if let Some(kind) = kind {
        out.insert("type".to_owned(), json!(kind.as_str()));
    }
    if let Some(text) = description(flat, kind) {
        out.insert("description".to_owned(), json!(text));
    }
    if let Some(kind) = kind {
        if let Some(format) = flat.format.as_ref().filter(|format| KEPT_FORMATS.contains(&format.as_str())) {
            out.insert("format".to_owned(), json!(format));
        }
        keywords(flat, &mut out);
        exclusive_bounds(flat, &mut out);
        let of_items = keep_fitting(kind, &mut out);
        match kind {
            SchemaType::Array => {
                let items = portable_items(flat, of_items, covered || flat.any_of.len() > 1);
                out.insert("items".to_owned(), Value::Object(items));
            }
            SchemaType::Object => portable_object(flat, covered, &mut out),
            SchemaType::Integer | SchemaType::Number | SchemaType::Boolean | SchemaType::String | SchemaType::Null => {}
        }
    }
    let alternatives = if covered { None } else { exact::alternatives(flat, kind) };
    unshown::note(flat, kind, alternatives, &mut out);
    out
}

/// The description, and what a value without a type can be.
fn description(flat: &ResolvedSchema, kind: Option<SchemaType>) -> Option<String> {
    let own = flat.description.as_deref().map(str::trim_end).filter(|text| !text.is_empty());
    if kind.is_some() {
        return own.map(str::to_owned);
    }
    let words = shape_words(flat);
    Some(match own {
        Some(own) if own.ends_with(['.', '!', '?']) => format!("{own} {words}"),
        Some(own) => format!("{own}. {words}"),
        None => words,
    })
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
    let values = values.into_iter().filter(|value| !value.is_null());
    // A word without quotes, such as 1 or true, is read as something else.
    let is_word = |value: &Value| kind == "string" && !value.is_object() && !value.is_array();
    let values = values.map(|value| if is_word(&value) { as_text(&value) } else { value });
    let (fitting, others): (Vec<Value>, Vec<Value>) = values.partition(|value| is_of(kind, value));
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

fn portable_items(flat: &ResolvedSchema, of_items: Vec<Value>, covered: bool) -> Map<String, Value> {
    let text = ResolvedSchema { kind: Some(SchemaType::String), ..ResolvedSchema::default() };
    let mut items = node(&flatten(flat.items.as_deref().unwrap_or(&text)), covered);
    let item_kind = items.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
    // Some descriptions state at the list what its items may be.
    if !items.contains_key("enum") && !of_items.is_empty() && of_items.iter().all(|v| is_of(&item_kind, v)) {
        items.insert("enum".to_owned(), Value::Array(of_items));
    }
    items
}

/// The properties that a request can have. What only the vendor sets is none, unless the description demands it: of
/// references to other records that is all there is to send. What is demanded and not described is any value.
pub fn writable(flat: &ResolvedSchema) -> Vec<(&str, Rc<ResolvedSchema>)> {
    let is_demanded = |name: &String| flat.required.contains(name);
    let described = flat.properties.iter().filter(|property| !property.schema.read_only || is_demanded(&property.name));
    let mut properties: Vec<(&str, Rc<ResolvedSchema>)> =
        described.map(|property| (property.name.as_str(), Rc::clone(&property.schema))).collect();
    let undescribed = match &flat.further {
        Some(FurtherProperties::Any(false)) => return properties,
        Some(FurtherProperties::Of(schema)) => Rc::clone(schema),
        Some(FurtherProperties::Any(true)) | None => Rc::default(),
    };
    for name in &flat.required {
        if !flat.properties.iter().any(|property| property.name == *name) {
            properties.push((name, Rc::clone(&undescribed)));
        }
    }
    properties
}

/// The properties that a request must have: a vendor demands of its own answers only what it alone sets.
pub fn demanded(flat: &ResolvedSchema) -> Vec<&str> {
    let set_by_vendor =
        |name: &str| flat.properties.iter().any(|property| property.name == name && property.schema.read_only);
    let possible = writable(flat);
    let is_possible = |name: &&str| possible.iter().any(|(known, _)| known == name);
    let demanded = flat.required.iter().map(String::as_str).filter(|name| !set_by_vendor(name));
    demanded.filter(is_possible).collect()
}

fn portable_object(flat: &ResolvedSchema, covered: bool, out: &mut Map<String, Value>) {
    let differs = |name: &str| flat.any_of.len() > 1 && exact::differs(flat, name);
    let properties: Map<String, Value> = writable(flat)
        .into_iter()
        .map(|(name, schema)| (name.to_owned(), Value::Object(node(&flatten(&schema), covered || differs(name)))))
        .collect();
    let further = match &flat.further {
        Some(FurtherProperties::Of(schema)) => Value::Object(node(&flatten(schema), covered)),
        Some(FurtherProperties::Any(true)) => json!(true),
        // An object of which nothing is known is free-form; and one that may hold nothing is none
        // that clients take.
        Some(FurtherProperties::Any(false)) | None => json!(properties.is_empty()),
    };
    let demanded = demanded(flat);
    if !demanded.is_empty() {
        out.insert("required".to_owned(), json!(demanded));
    }
    if !properties.is_empty() {
        out.insert("properties".to_owned(), Value::Object(properties));
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
        "object" => value.is_object(),
        // A value without a type is any.
        _ => true,
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
            (json!({}), json!({"description": "Any JSON value."})),
            (
                json!({"type": "array", "items": {}}),
                json!({"type": "array", "items": {"description": "Any JSON value."}}),
            ),
            (json!({"type": "array"}), json!({"type": "array", "items": {"type": "string"}})),
            (json!({"enum": ["a", null]}), json!({"type": "string", "enum": ["a"]})),
            (
                json!({"allOf": [
                    {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
                    {"properties": {"b": {"type": "string", "readOnly": true}}, "required": ["b"]},
                ]}),
                json!({"type": "object", "required": ["a"], "properties": {
                    "a": {"type": "integer"}, "b": {"type": "string"},
                }, "additionalProperties": false}),
            ),
            (
                json!({"oneOf": [{"type": "string", "enum": ["x"]}, {"type": "string", "enum": ["y"]}, {"type": "null"}]}),
                json!({"type": "string", "enum": ["x", "y"]}),
            ),
            (
                json!({"anyOf": [{"type": "integer"}, {"type": "boolean"}]}),
                json!({"description": "Whole number, or true or false.", "x-unshown": {
                    "anyOf": [{"type": "integer"}, {"type": "boolean"}],
                }}),
            ),
            (
                json!({"type": "string", "enum": [1, "2a", true]}),
                json!({"type": "string", "enum": ["1", "2a", "true"]}),
            ),
            (
                json!({"allOf": [
                    {"type": "string", "enum": ["a", "b", "c"], "minLength": 1},
                    {"type": "string", "enum": ["b", "c", "d"], "maxLength": 9},
                ]}),
                json!({"type": "string", "enum": ["b", "c"], "minLength": 1, "maxLength": 9}),
            ),
            (
                json!({"oneOf": [
                    {"type": "integer", "minimum": 1, "maximum": 5}, {"type": "integer", "minimum": 0, "exclusiveMinimum": true},
                ]}),
                json!({"type": "integer", "exclusiveMinimum": 0, "x-unshown": {"anyOf": [
                    {"type": "integer", "minimum": 1, "maximum": 5}, {"type": "integer", "exclusiveMinimum": 0},
                ]}}),
            ),
            (
                json!({"required": ["a"], "type": "object"}),
                json!({
                    "type": "object", "required": ["a"],
                    "properties": {"a": {"description": "Any JSON value."}}, "additionalProperties": false,
                }),
            ),
            (
                json!({"type": "object", "required": ["id"], "properties": {
                    "id": {"type": "string", "readOnly": true}, "at": {"type": "string", "readOnly": true},
                }}),
                json!({"type": "object", "properties": {"id": {"type": "string"}}, "additionalProperties": false}),
            ),
            (json!({"type": "integer", "multipleOf": 5}), json!({"type": "integer", "x-unshown": {"multipleOf": 5}})),
        ] {
            let mut found = Value::Object(portable(&resolved(&given)));
            if let Some(notes) = found.get_mut("x-unshown").and_then(Value::as_object_mut) {
                notes.shift_remove("x-of");
            }
            assert_eq!(found, expected, "{given}");
        }
    }

    #[test]
    fn alternatives_add_up_at_every_depth() {
        let rule = |kind: &str, parameters: Value| {
            json!({"type": "object", "required": ["type", "parameters"], "properties": {
                "type": {"type": "string", "enum": [kind]}, "parameters": parameters,
            }})
        };
        let named = json!({"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}});
        let counted = json!({"type": "object", "required": ["count"], "properties": {
            "count": {"type": "integer"}, "name": {"type": "integer"},
        }});
        let mut found = Value::Object(portable(&resolved(&json!({"oneOf": [rule("a", named), rule("b", counted)]}))));
        let notes = found.as_object_mut().unwrap().shift_remove("x-unshown").unwrap();
        assert_eq!(
            found,
            json!({
                "type": "object", "required": ["type", "parameters"], "additionalProperties": false, "properties": {
                    "type": {"type": "string", "enum": ["a", "b"]},
                    "parameters": {"type": "object", "additionalProperties": false, "properties": {
                        "name": {"description": "Text, or whole number."},
                        "count": {"type": "integer"},
                    }},
                },
            })
        );
        assert_eq!(
            notes["anyOf"][1],
            json!({"type": "object", "properties": {
                "type": {"type": "string", "enum": ["b"]},
                "parameters": {"type": "object", "required": ["count"], "properties": {
                    "count": {"type": "integer"}, "name": {"type": "integer"},
                }},
            }})
        );
    }
}
