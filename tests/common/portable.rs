//! The part of JSON Schema that every MCP client accepts as an input schema: a root object without
//! combinators or `$ref`, one scalar type per node.

use serde_json::{Value, json};

/// Checks a tool's whole input schema.
pub(crate) fn input_schema(schema: &Value) -> Result<(), String> {
    require(schema["type"] == "object" && schema["properties"].is_object(), "the root is no object")?;
    require(schema["additionalProperties"] == false, "unknown arguments would pass")?;
    portable(schema, "arguments")
}

fn require(holds: bool, otherwise: impl Into<String>) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise.into()) }
}

/// Checks one node; `at` is its path in the schema.
fn portable(schema: &Value, at: &str) -> Result<(), String> {
    const KNOWN: [&str; 18] = [
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
    ];
    let object = schema.as_object().ok_or(format!("{at}: a boolean schema"))?;
    for key in object.keys() {
        require(KNOWN.contains(&key.as_str()) || key == "additionalProperties", format!("{at}: keyword `{key}`"))?;
    }
    let kind = schema["type"].as_str().ok_or(format!("{at}: no single type"))?;
    let fits = |value: &Value| match kind {
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        _ => value.is_object(),
    };
    for value in schema["enum"].as_array().into_iter().flatten().chain(object.get("default")) {
        require(fits(value), format!("{at}: `{value}` is no {kind}"))?;
    }
    match kind {
        "array" => portable(&schema["items"], &format!("{at}[]")),
        "object" => {
            let properties = schema["properties"].as_object();
            let free = schema["additionalProperties"] != json!(false);
            require(properties.is_some() || free, format!("{at}: an object of nothing"))?;
            for name in schema["required"].as_array().into_iter().flatten() {
                let known = properties.is_some_and(|p| name.as_str().is_some_and(|name| p.contains_key(name)));
                require(known, format!("{at}: requires {name}, which it does not describe"))?;
            }
            for (name, property) in properties.into_iter().flatten() {
                portable(property, &format!("{at}.{name}"))?;
            }
            match &schema["additionalProperties"] {
                further @ Value::Object(_) => portable(further, &format!("{at}.*")),
                _ => Ok(()),
            }
        }
        "integer" | "number" | "boolean" | "string" => Ok(()),
        other => Err(format!("{at}: type `{other}`")),
    }
}
