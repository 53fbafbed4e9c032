//! The schema of a vendor's parameter or body → a JSON Schema that every MCP client takes:
//! self-contained, one scalar `type` per node, no combinators, no null unions.

use serde_json::{Map, Value, json};

use toolwright_formats::FormatRef;
use toolwright_model::{ALL, CURSOR, DETAIL, DRY_RUN, Effect, FIELDS, FULL, JQ};

/// One argument of a tool, in the order in which a model sees it.
#[derive(Debug, Clone)]
pub struct Argument {
    pub name: String,
    pub required: bool,
    /// Portable already.
    pub schema: Map<String, Value>,
}

/// Returns the input schema of a tool with these arguments.
pub fn input_schema(arguments: &[Argument]) -> Value {
    let properties: Map<String, Value> =
        arguments.iter().map(|a| (a.name.clone(), Value::Object(a.schema.clone()))).collect();
    let required: Vec<&str> = arguments.iter().filter(|a| a.required).map(|a| a.name.as_str()).collect();
    let mut schema = Map::new();
    schema.insert("type".to_owned(), json!("object"));
    schema.insert("properties".to_owned(), Value::Object(properties));
    if !required.is_empty() {
        schema.insert("required".to_owned(), json!(required));
    }
    schema.insert("additionalProperties".to_owned(), json!(false));
    Value::Object(schema)
}

/// Adds the arguments that toolwright itself has, after the vendor's. Every tool pays for their
/// descriptions: they stay within 30 characters.
pub fn add_own_arguments(
    effect: Option<Effect>,
    concise: bool,
    pages: bool,
    answers: Option<FormatRef>,
    arguments: &mut Vec<Argument>,
) {
    let mut own = Vec::new();
    if effect == Some(Effect::Read) {
        if concise {
            own.push((DETAIL, json!({"type": "string", "description": "How much of each record", "enum": ["concise", FULL], "default": "concise"})));
        }
        let names = json!({"type": "string"});
        own.push((FIELDS, json!({"type": "array", "description": "Only these fields of records", "items": names})));
        own.push((JQ, json!({"type": "string", "description": "jq filter over the answer"})));
        own.push((CURSOR, json!({"type": "string", "description": "next_cursor of the last answer"})));
        if pages {
            own.push((ALL, json!({"type": "boolean", "description": "Every page, up to 1,000 records"})));
        }
    } else {
        own.push((DRY_RUN, json!({"type": "boolean", "description": "Show the request, send nothing"})));
    }
    if let Some((format, description)) = answers.and_then(|format| Some((format, format.raw_switch()?))) {
        own.push((format.name(), json!({"type": "boolean", "description": description})));
    }
    for (name, schema) in own {
        // A vendor that selects fields itself does so better.
        if let Value::Object(schema) = schema
            && arguments.iter().all(|argument| argument.name != name)
        {
            arguments.push(Argument { name: name.to_owned(), required: false, schema });
        }
    }
}

/// Keywords that mean the same in OpenAPI 3.0 and in JSON Schema and that clients take.
const KEPT: [&str; 10] = [
    "enum",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "pattern",
    "minItems",
    "maxItems",
    "uniqueItems",
    "default",
];

/// Formats that say something a model can act on.
const KEPT_FORMATS: [&str; 3] = ["date", "date-time", "password"];

/// Returns `schema`, resolved, in the portable subset.
pub fn portable(schema: &Value) -> Map<String, Value> {
    let flat = flatten(schema);
    let mut out = Map::new();
    let kind = kind_of(&flat);
    out.insert("type".to_owned(), json!(kind));
    if let Some(text) = flat.get("description").and_then(Value::as_str).filter(|text| !text.is_empty()) {
        out.insert("description".to_owned(), json!(text));
    }
    if let Some(format) = flat.get("format").and_then(Value::as_str).filter(|f| KEPT_FORMATS.contains(f)) {
        out.insert("format".to_owned(), json!(format));
    }
    for key in KEPT {
        if let Some(value) = flat.get(key).filter(|value| can_be(key, value)) {
            out.insert(key.to_owned(), value.clone());
        }
    }
    exclusive_bounds(&flat, &mut out);
    let of_items = keep_fitting(kind, &mut out);
    match kind {
        "array" => {
            let mut items = flat.get("items").map_or_else(|| portable(&json!({"type": "string"})), portable);
            let item_kind = items.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
            // Some state at the list what its items may be.
            if !items.contains_key("enum") && !of_items.is_empty() && of_items.iter().all(|v| is_of(&item_kind, v)) {
                items.insert("enum".to_owned(), Value::Array(of_items));
            }
            out.insert("items".to_owned(), Value::Object(items));
        }
        "object" => portable_object(&flat, &mut out),
        _ => {}
    }
    out
}

/// Whether a keyword can have the value: a client would refuse the whole list of tools for it.
fn can_be(key: &str, value: &Value) -> bool {
    match key {
        "minimum" | "maximum" => value.is_number(),
        "minLength" | "maxLength" | "minItems" | "maxItems" => value.is_u64(),
        "pattern" => value.is_string(),
        "uniqueItems" => value.is_boolean(),
        "enum" => value.is_array(),
        _ => true,
    }
}

/// Takes out what can't be a value of the type, and null, which is "not given" here; returns the
/// values of `enum` that were taken out.
fn keep_fitting(kind: &str, out: &mut Map<String, Value>) -> Vec<Value> {
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

fn portable_object(flat: &Map<String, Value>, out: &mut Map<String, Value>) {
    let writable: Map<String, Value> = flat
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        // What only the vendor sets is no argument.
        .filter(|(_, schema)| schema.get("readOnly") != Some(&Value::Bool(true)))
        .map(|(name, schema)| (name.clone(), Value::Object(portable(schema))))
        .collect();
    let required: Vec<&str> = flat
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .filter(|name| writable.contains_key(*name))
        .collect();
    let further = match flat.get("additionalProperties") {
        Some(Value::Object(schema)) if !schema.is_empty() => Value::Object(portable(&Value::Object(schema.clone()))),
        Some(Value::Bool(true) | Value::Object(_)) => json!(true),
        // An object of which nothing is known is free-form; and one that may hold nothing is none
        // that clients take.
        _ => json!(writable.is_empty()),
    };
    if !required.is_empty() {
        out.insert("required".to_owned(), json!(required));
    }
    if !writable.is_empty() {
        out.insert("properties".to_owned(), Value::Object(writable));
    }
    out.insert("additionalProperties".to_owned(), further);
}

/// OpenAPI 3.0 marks a bound as exclusive beside it; JSON Schema puts the bound there.
fn exclusive_bounds(flat: &Map<String, Value>, out: &mut Map<String, Value>) {
    for (mark, bound) in [("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")] {
        if flat.get(mark) == Some(&Value::Bool(true))
            && let Some(value) = out.remove(bound)
        {
            out.insert(mark.to_owned(), value);
        }
    }
}

/// Whether a value is of a type.
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

/// The one type of a node. Where the description leaves it open, what else it says decides.
fn kind_of(flat: &Map<String, Value>) -> &'static str {
    match flat.get("type").and_then(Value::as_str) {
        Some("integer") => "integer",
        Some("number") => "number",
        Some("boolean") => "boolean",
        Some("string") => "string",
        Some("array") => "array",
        Some("object") => "object",
        _ if flat.contains_key("properties") || flat.contains_key("additionalProperties") => "object",
        _ if flat.contains_key("items") => "array",
        _ => match flat.get("enum").and_then(Value::as_array).and_then(|values| values.first()) {
            Some(Value::Number(number)) if number.is_f64() => "number",
            Some(Value::Number(_)) => "integer",
            Some(Value::Bool(_)) => "boolean",
            Some(_) => "string",
            None if flat.contains_key("format") || flat.contains_key("pattern") => "string",
            None => "object",
        },
    }
}

/// Takes `allOf`, `oneOf` and `anyOf` out: what all parts say holds together; of alternatives,
/// the union of what they allow.
pub fn flatten(schema: &Value) -> Map<String, Value> {
    let mut flat = schema.as_object().cloned().unwrap_or_default();
    for part in take_list(&mut flat, "allOf") {
        merge_all(&mut flat, flatten(&part));
    }
    for key in ["oneOf", "anyOf"] {
        let alternatives: Vec<Map<String, Value>> =
            take_list(&mut flat, key).iter().map(flatten).filter(|a| !is_null(a)).collect();
        if let Some(union) = alternatives.into_iter().reduce(merge_any) {
            merge_all(&mut flat, union);
        }
    }
    flat
}

fn take_list(flat: &mut Map<String, Value>, key: &str) -> Vec<Value> {
    match flat.shift_remove(key) {
        Some(Value::Array(items)) => items,
        _ => Vec::new(),
    }
}

fn is_null(alternative: &Map<String, Value>) -> bool {
    alternative.get("type").and_then(Value::as_str) == Some("null") || alternative.get("enum") == Some(&json!([null]))
}

/// Both hold: properties and required marks add up, anything said first stays.
fn merge_all(flat: &mut Map<String, Value>, more: Map<String, Value>) {
    for (key, value) in more {
        match (flat.get_mut(&key), value) {
            (Some(Value::Object(mine)), Value::Object(theirs)) if key == "properties" => {
                for (name, schema) in theirs {
                    mine.entry(name).or_insert(schema);
                }
            }
            (Some(Value::Array(mine)), Value::Array(theirs)) if key == "required" => {
                for name in theirs {
                    if !mine.contains(&name) {
                        mine.push(name);
                    }
                }
            }
            (Some(_), _) => {}
            (None, value) => {
                flat.insert(key, value);
            }
        }
    }
}

/// Either holds: properties of both, required only what both require, nothing else that only one
/// demands.
fn merge_any(mut left: Map<String, Value>, mut right: Map<String, Value>) -> Map<String, Value> {
    let kinds = (kind_of(&left), kind_of(&right));
    let mut out = Map::new();
    match kinds {
        ("object", "object") => {
            out.insert("type".to_owned(), json!("object"));
            let mut properties = take_object(&mut left, "properties");
            for (name, schema) in take_object(&mut right, "properties") {
                properties.entry(name).or_insert(schema);
            }
            if !properties.is_empty() {
                out.insert("properties".to_owned(), Value::Object(properties));
            }
            let theirs = take_list(&mut right, "required");
            let both: Vec<Value> =
                take_list(&mut left, "required").into_iter().filter(|name| theirs.contains(name)).collect();
            if !both.is_empty() {
                out.insert("required".to_owned(), Value::Array(both));
            }
            if left.contains_key("additionalProperties") || right.contains_key("additionalProperties") {
                out.insert("additionalProperties".to_owned(), json!(true));
            }
        }
        (one, other) if one == other => {
            out.insert("type".to_owned(), json!(one));
            for key in ["enum", "items", "format"] {
                match (left.shift_remove(key), right.shift_remove(key)) {
                    (Some(Value::Array(mut mine)), Some(Value::Array(theirs))) if key == "enum" => {
                        mine.extend(theirs.into_iter().filter(|value| !mine.contains(value)).collect::<Vec<_>>());
                        out.insert(key.to_owned(), Value::Array(mine));
                    }
                    (Some(mine), Some(theirs)) if mine == theirs => {
                        out.insert(key.to_owned(), mine);
                    }
                    (Some(items), _) if key == "items" => {
                        out.insert(key.to_owned(), items);
                    }
                    _ => {}
                }
            }
        }
        ("integer", "number") | ("number", "integer") => {
            out.insert("type".to_owned(), json!("number"));
        }
        // A list of what also comes alone: the list says more.
        ("array" | "object", _) if kinds.1 != "array" => out.clone_from(&left),
        (_, "array" | "object") => out.clone_from(&right),
        // Different scalars: text can write any of them.
        _ => {
            out.insert("type".to_owned(), json!("string"));
        }
    }
    if let Some(text) = left.shift_remove("description").or_else(|| right.shift_remove("description")) {
        out.entry("description").or_insert(text);
    }
    out
}

fn take_object(map: &mut Map<String, Value>, key: &str) -> Map<String, Value> {
    match map.shift_remove(key) {
        Some(Value::Object(object)) => object,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            assert_eq!(Value::Object(portable(&given)), expected, "{given}");
        }
    }
}
