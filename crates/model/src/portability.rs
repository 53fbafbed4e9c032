//! A tool's input schema → what of it an MCP client may refuse. Clients take a subset of JSON
//! Schema: a root object, one scalar type per node or a description alone, no `$ref` and no combinators. Names of
//! arguments have letters that every client and model provider takes.

use serde_json::{Map, Value};

use crate::is_argument_name;

/// The keywords that every client takes.
const KEYWORDS: [&str; 19] = [
    "type",
    "description",
    "format",
    "enum",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "minLength",
    "maxLength",
    "pattern",
    "minItems",
    "maxItems",
    "uniqueItems",
    "default",
    "items",
    "properties",
    "required",
    "additionalProperties",
];

/// Returns what is not portable about a tool's input schema, each with its path in the schema;
/// empty for a portable one.
pub fn portability_faults(schema: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    if schema.get("type").and_then(Value::as_str) != Some("object")
        || !schema.get("properties").is_some_and(Value::is_object)
    {
        faults.push("arguments: the root is no object with `properties`".to_owned());
    }
    if schema.get("additionalProperties") != Some(&Value::Bool(false)) {
        faults.push("arguments: unknown arguments are accepted".to_owned());
    }
    for name in schema.get("properties").and_then(Value::as_object).into_iter().flatten().map(|(name, _)| name) {
        if !is_argument_name(name) {
            faults.push(format!("arguments: the name `{name}`"));
        }
    }
    check(schema, "arguments", &mut faults);
    faults
}

fn check(schema: &Value, at: &str, faults: &mut Vec<String>) {
    let Some(object) = schema.as_object() else {
        faults.push(format!("{at}: a schema that is no object"));
        return;
    };
    for key in object.keys().filter(|key| !KEYWORDS.contains(&key.as_str())) {
        faults.push(format!("{at}: the keyword `{key}`"));
    }
    // What states nothing takes any value.
    if object.keys().all(|key| key == "description") {
        return;
    }
    let Some(kind) = object.get("type").and_then(Value::as_str) else {
        faults.push(format!("{at}: no single type"));
        return;
    };
    let values = object.get("enum").and_then(Value::as_array).into_iter().flatten();
    for value in values.chain(object.get("default")).filter(|value| !has_type(value, kind)) {
        faults.push(format!("{at}: `{value}` is no {kind}"));
    }
    if object.get("enum").is_some_and(|values| values.as_array().is_none_or(Vec::is_empty)) {
        faults.push(format!("{at}: an empty `enum`"));
    }
    match kind {
        "array" => match object.get("items") {
            Some(items) => check(items, &format!("{at}[]"), faults),
            None => faults.push(format!("{at}: a list without `items`")),
        },
        "object" => check_members(object, at, faults),
        "string" | "integer" | "number" | "boolean" => {}
        other => faults.push(format!("{at}: the type `{other}`")),
    }
}

fn check_members(object: &Map<String, Value>, at: &str, faults: &mut Vec<String>) {
    let properties = object.get("properties").and_then(Value::as_object);
    if properties.is_none() && object.get("additionalProperties") == Some(&Value::Bool(false)) {
        faults.push(format!("{at}: an object without members"));
    }
    for name in object.get("required").and_then(Value::as_array).into_iter().flatten() {
        if !properties.is_some_and(|known| name.as_str().is_some_and(|name| known.contains_key(name))) {
            faults.push(format!("{at}: requires {name}, which it does not describe"));
        }
    }
    for (name, property) in properties.into_iter().flatten() {
        check(property, &format!("{at}.{name}"), faults);
    }
    if let Some(further @ Value::Object(_)) = object.get("additionalProperties") {
        check(further, &format!("{at}.*"), faults);
    }
}

fn has_type(value: &Value, kind: &str) -> bool {
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
    use serde_json::json;

    use super::*;

    #[test]
    fn a_portable_schema_has_no_faults() {
        let schema = json!({"type": "object", "additionalProperties": false, "required": ["id"], "properties": {
            "id": {"type": "integer", "minimum": 1, "default": 1},
            "tags": {"type": "array", "items": {"type": "string", "enum": ["a"]}},
            "more": {"type": "object", "additionalProperties": {"type": "string"}},
        }});
        assert_eq!(portability_faults(&schema), Vec::<String>::new());
    }

    #[test]
    fn each_fault_has_its_path() {
        let schema = json!({"type": "object", "required": ["x"], "properties": {
            "a": {"type": ["string", "null"]},
            "b": {"type": "array", "items": {"$ref": "#/x"}},
            "c": {"type": "integer", "enum": [1, "2"], "default": 0.5},
            "d": {"type": "object", "additionalProperties": false},
            "e": true,
            "f": {"type": "string", "enum": []},
            "g": {"type": "array"},
            "h": {"type": "null"},
            "i": {"description": "Any value."},
            "j[]": {"type": "string"},
        }});
        assert_eq!(
            portability_faults(&schema),
            [
                "arguments: unknown arguments are accepted",
                "arguments: the name `j[]`",
                "arguments: requires \"x\", which it does not describe",
                "arguments.a: no single type",
                "arguments.b[]: the keyword `$ref`",
                "arguments.b[]: no single type",
                "arguments.c: `\"2\"` is no integer",
                "arguments.c: `0.5` is no integer",
                "arguments.d: an object without members",
                "arguments.e: a schema that is no object",
                "arguments.f: an empty `enum`",
                "arguments.g: a list without `items`",
                "arguments.h: the type `null`",
            ]
        );
        assert_eq!(portability_faults(&json!([])).len(), 3);
    }
}
