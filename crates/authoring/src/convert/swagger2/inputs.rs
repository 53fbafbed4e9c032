//! Parameters of Swagger 2.0 → parameters and request bodies of OpenAPI 3.0.

use serde_json::{Map, Value, json};

use super::Steps;

/// The keys of a parameter that belong to its schema in 3.0.
const TYPE_KEYS: [&str; 18] = [
    "type",
    "format",
    "items",
    "default",
    "maximum",
    "exclusiveMaximum",
    "minimum",
    "exclusiveMinimum",
    "maxLength",
    "minLength",
    "pattern",
    "maxItems",
    "minItems",
    "uniqueItems",
    "enum",
    "multipleOf",
    "x-nullable",
    "example",
];

/// Returns whether the parameter is part of a body.
pub(super) fn is_body(parameter: &Value) -> bool {
    matches!(parameter.get("in").and_then(Value::as_str), Some("body" | "formData"))
}

/// Converts a parameter that is not part of a body.
pub(super) fn parameter(parameter: Value, pointer: &str, steps: &mut Steps) -> Value {
    let Value::Object(mut parameter) = parameter else { return parameter };
    if parameter.contains_key("$ref") {
        return Value::Object(parameter);
    }
    let place = parameter.get("in").and_then(Value::as_str).unwrap_or_default().to_owned();
    let is_list = parameter.get("type").and_then(Value::as_str) == Some("array");
    let style = move_into_schema(&mut parameter, pointer, steps);
    if !is_list {
        return Value::Object(parameter);
    }
    let name = parameter.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    match (place.as_str(), style.as_deref().unwrap_or("csv")) {
        ("query", "multi") => {
            parameter.insert("explode".to_owned(), json!(true));
        }
        ("query", joined) => {
            let (style, known) = style_of(joined);
            if let Some(style) = style {
                parameter.insert("style".to_owned(), json!(style));
            }
            parameter.insert("explode".to_owned(), json!(false));
            if !known {
                as_text(&mut parameter, &name, joined, pointer, steps);
            }
        }
        (_, "csv") => {}
        (_, other) => as_text(&mut parameter, &name, other, pointer, steps),
    }
    Value::Object(parameter)
}

/// Returns style and `explode` of 3.0 for a `collectionFormat`, if it has a counterpart.
fn style_of(format: &str) -> (Option<&'static str>, bool) {
    match format {
        "csv" => (None, true),
        "ssv" => (Some("spaceDelimited"), true),
        "pipes" => (Some("pipeDelimited"), true),
        _ => (None, false),
    }
}

/// Turns a list whose format 3.0 lacks into a text, whose description names the separator.
fn as_text(parameter: &mut Map<String, Value>, name: &str, format: &str, pointer: &str, steps: &mut Steps) {
    let separator = match format {
        "tsv" => "tabs",
        "ssv" => "spaces",
        "pipes" => "`|`",
        _ => "commas",
    };
    let what =
        format!("`{name}`: lists joined as `{format}` have no counterpart in 3.0; a text with {separator} instead");
    steps.add("collection-format", pointer, what);
    parameter.shift_remove("explode");
    parameter.insert("schema".to_owned(), json!({"type": "string"}));
}

/// Moves the type into `schema`; returns the `collectionFormat`.
pub(super) fn move_into_schema(holder: &mut Map<String, Value>, pointer: &str, steps: &mut Steps) -> Option<String> {
    let mut schema = Map::new();
    for key in TYPE_KEYS {
        if let Some(value) = holder.shift_remove(key) {
            schema.insert(key.to_owned(), value);
        }
    }
    if let Some(items) = schema.get_mut("items") {
        drop_inner_formats(items, pointer, steps);
    }
    let format = holder.shift_remove("collectionFormat").and_then(|format| format.as_str().map(str::to_owned));
    // Some Swagger 2.0 files have the schema of 3.0.
    if !schema.is_empty() || !holder.contains_key("schema") {
        holder.insert("schema".to_owned(), Value::Object(schema));
    }
    format
}

/// Lists within lists: 3.0 defines how the outer one is written, and not the inner.
fn drop_inner_formats(items: &mut Value, pointer: &str, steps: &mut Steps) {
    let Value::Object(items) = items else { return };
    if items.shift_remove("collectionFormat").is_some() {
        steps.add("collection-format", pointer, "3.0 can't describe how a list within a list is written");
    }
    if let Some(inner) = items.get_mut("items") {
        drop_inner_formats(inner, pointer, steps);
    }
}

/// Converts the body parameters of one operation.
pub(super) fn body(parameters: &[Value], consumes: &[String], pointer: &str, steps: &mut Steps) -> Option<Value> {
    let whole = parameters.iter().find(|parameter| parameter.get("in").and_then(Value::as_str) == Some("body"));
    if let Some(parameter) = whole {
        if parameters.len() > 1 {
            steps.add("body", pointer, "a body and form fields exclude each other; the body stays");
        }
        return Some(whole_body(parameter, consumes));
    }
    if parameters.is_empty() {
        return None;
    }
    Some(form(parameters, consumes, pointer, steps))
}

fn whole_body(parameter: &Value, consumes: &[String]) -> Value {
    let schema = parameter.get("schema").cloned().unwrap_or_else(|| json!({}));
    let is_form = |media_type: &str| media_type.contains("form-urlencoded") || media_type.starts_with("multipart/");
    let mut content: Map<String, Value> = consumes
        .iter()
        .filter(|media_type| !is_form(media_type))
        .map(|media_type| (media_type.clone(), json!({"schema": schema})))
        .collect();
    if content.is_empty() {
        content.insert("application/json".to_owned(), json!({"schema": schema}));
    }
    let mut body = Map::new();
    if let Some(text) = parameter.get("description") {
        body.insert("description".to_owned(), text.clone());
    }
    if parameter.get("required") == Some(&Value::Bool(true)) {
        body.insert("required".to_owned(), json!(true));
    }
    body.insert("content".to_owned(), Value::Object(content));
    Value::Object(body)
}

fn form(parameters: &[Value], consumes: &[String], pointer: &str, steps: &mut Steps) -> Value {
    let (mut properties, mut required, mut encoding) = (Map::new(), Vec::new(), Map::new());
    let has_file = parameters.iter().any(|parameter| parameter.get("type").and_then(Value::as_str) == Some("file"));
    for parameter in parameters {
        let Value::Object(mut field) = parameter.clone() else { continue };
        let Some(name) = field.get("name").and_then(Value::as_str).map(str::to_owned) else { continue };
        if field.get("required") == Some(&Value::Bool(true)) {
            required.push(name.clone());
        }
        let format = move_into_schema(&mut field, pointer, steps);
        let mut schema = match field.shift_remove("schema") {
            Some(Value::Object(schema)) => schema,
            _ => Map::new(),
        };
        if let Some(text) = field.shift_remove("description") {
            schema.insert("description".to_owned(), text);
        }
        if schema.get("type").and_then(Value::as_str) == Some("array") {
            let format = format.as_deref().unwrap_or("csv");
            let (style, known) = style_of(format);
            if format == "multi" {
                encoding.insert(name.clone(), json!({"style": "form", "explode": true}));
            } else if known {
                encoding.insert(name.clone(), json!({"style": style.unwrap_or("form"), "explode": false}));
            } else {
                let mut holder = Map::new();
                as_text(&mut holder, &name, format, pointer, steps);
                schema.insert("type".to_owned(), json!("string"));
                schema.shift_remove("items");
            }
        }
        properties.insert(name, Value::Object(schema));
    }
    let mut schema = Map::new();
    schema.insert("type".to_owned(), json!("object"));
    schema.insert("properties".to_owned(), Value::Object(properties));
    let is_required = !required.is_empty();
    if is_required {
        schema.insert("required".to_owned(), json!(required));
    }
    let mut media = Map::new();
    media.insert("schema".to_owned(), Value::Object(schema));
    if !encoding.is_empty() {
        media.insert("encoding".to_owned(), Value::Object(encoding));
    }
    let multipart = consumes.iter().any(|media_type| media_type.starts_with("multipart/"));
    let plain = consumes.iter().any(|media_type| media_type.contains("form-urlencoded"));
    // A file needs multipart; otherwise the plain form is enough if the vendor accepts it.
    let media_type =
        if has_file || (multipart && !plain) { "multipart/form-data" } else { "application/x-www-form-urlencoded" };
    steps.add("form", pointer, format!("{} form fields become a body of `{media_type}`", parameters.len()));
    json!({"required": is_required, "content": {(media_type): media}})
}
