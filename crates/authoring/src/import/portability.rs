//! Whether every MCP client takes an input schema: the rules that `schema` keeps, looked at from
//! the other side.

use serde_json::{Map, Value};

/// The keywords that clients take.
const KNOWN: [&str; 19] = [
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

/// Returns what is not portable about a tool's input schema.
pub(super) fn check(schema: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    if schema.get("type").and_then(Value::as_str) != Some("object") {
        faults.push("the root is no object".to_owned());
    }
    node(schema, "arguments", &mut faults);
    faults
}

fn node(schema: &Value, at: &str, faults: &mut Vec<String>) {
    let Some(object) = schema.as_object() else {
        faults.push(format!("{at}: a schema that is no object"));
        return;
    };
    for key in object.keys().filter(|key| !KNOWN.contains(&key.as_str())) {
        faults.push(format!("{at}: the keyword `{key}`"));
    }
    let Some(kind) = object.get("type").and_then(Value::as_str) else {
        faults.push(format!("{at}: no single type"));
        return;
    };
    let values = object.get("enum").and_then(Value::as_array).into_iter().flatten();
    for value in
        values.chain(object.get("default")).filter(|value| !toolwright_codegen::lower::portable::is_of(kind, value))
    {
        faults.push(format!("{at}: `{value}` is no {kind}"));
    }
    if object.get("enum").is_some_and(|values| values.as_array().is_none_or(Vec::is_empty)) {
        faults.push(format!("{at}: an empty `enum`"));
    }
    match kind {
        "array" => match object.get("items") {
            Some(items) => node(items, &format!("{at}[]"), faults),
            None => faults.push(format!("{at}: a list without `items`")),
        },
        "object" => members(object, at, faults),
        "string" | "integer" | "number" | "boolean" => {}
        other => faults.push(format!("{at}: the type `{other}`")),
    }
}

fn members(object: &Map<String, Value>, at: &str, faults: &mut Vec<String>) {
    let properties = object.get("properties").and_then(Value::as_object);
    if properties.is_none() && object.get("additionalProperties") == Some(&Value::Bool(false)) {
        faults.push(format!("{at}: an object of nothing"));
    }
    for name in object.get("required").and_then(Value::as_array).into_iter().flatten() {
        if !properties.is_some_and(|known| name.as_str().is_some_and(|name| known.contains_key(name))) {
            faults.push(format!("{at}: requires {name}, which it does not describe"));
        }
    }
    for (name, property) in properties.into_iter().flatten() {
        node(property, &format!("{at}.{name}"), faults);
    }
    if let Some(further @ Value::Object(_)) = object.get("additionalProperties") {
        node(further, &format!("{at}.*"), faults);
    }
}
