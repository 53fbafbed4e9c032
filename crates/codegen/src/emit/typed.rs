//! A description → the fully typed client of its API, for Rust programs (cargo feature `typed`):
//! requests and responses as Rust types, one builder per operation. What progenitor can't take is
//! taken out first; what the tool path checks at run time (lengths, patterns, bounds) the vendor
//! checks here.

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;

use progenitor::{GenerationSettings, Generator, InterfaceStyle};
use quote::quote;
use serde_json::{Map, Value, json};

use crate::read::paths::METHODS;
use toolwright_model::{function_name, snake_case};

/// Emits the typed client of an API.
///
/// # Errors
/// What progenitor says.
pub fn emit(document: &Value) -> Result<String, String> {
    let document = serde_json::from_value(normalised(document)).map_err(|error| error.to_string())?;
    let mut settings = GenerationSettings::default();
    settings.with_interface(InterfaceStyle::Builder).with_pre_hook(quote! { crate::client_runtime::drop_version_mark });
    // It panics on what it has no code for.
    let generated = std::panic::catch_unwind(AssertUnwindSafe(|| Generator::new(&settings).generate_tokens(&document)));
    let tokens = generated.map_err(|_| "one that it panics on")?.map_err(|error| error.to_string())?;
    let file = syn::parse2(tokens).map_err(|error| error.to_string())?;
    Ok(prettyplease::unparse(&file))
}

fn normalised(document: &Value) -> Value {
    let mut paths = Map::new();
    for (path, item) in document.get("paths").and_then(Value::as_object).into_iter().flatten() {
        let mut operations = Map::new();
        for method in METHODS {
            if let Some(operation) = item.get(method).and_then(|operation| operation_of(operation, item, document)) {
                operations.insert(method.to_owned(), operation);
            }
        }
        if !operations.is_empty() {
            paths.insert(path.clone(), Value::Object(operations));
        }
    }
    let schemas: Map<String, Value> = document
        .pointer("/components/schemas")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(name, schema)| (name.clone(), plain(schema)))
        .collect();
    json!({
        "openapi": "3.0.3",
        "info": {"title": document["info"]["title"], "version": document["info"]["version"]},
        "paths": paths,
        "components": {"schemas": schemas},
    })
}

/// One operation, or `None` where progenitor has no way to send it: multipart and raw bodies.
fn operation_of(operation: &Value, item: &Value, document: &Value) -> Option<Value> {
    let lists = [operation.get("parameters"), item.get("parameters")];
    let mut parameters: Vec<Value> = Vec::new();
    for parameter in lists.into_iter().flatten().filter_map(Value::as_array).flatten() {
        let parameter = follow(parameter, document);
        let same = |other: &Value| other["name"] == parameter["name"] && other["in"] == parameter["in"];
        if parameter["in"] != "cookie" && !parameters.iter().any(same) {
            parameters.push(parameter_of(parameter, document));
        }
    }
    let mut out = Map::new();
    let id = operation.get("operationId").and_then(Value::as_str)?;
    out.insert("operationId".to_owned(), json!(function_name(id)));
    for key in ["summary", "description"] {
        if let Some(text) = operation.get(key) {
            out.insert(key.to_owned(), text.clone());
        }
    }
    out.insert("parameters".to_owned(), Value::Array(parameters));
    if let Some(body) = operation.get("requestBody") {
        out.insert("requestBody".to_owned(), body_of(follow(body, document), document)?);
    }
    out.insert("responses".to_owned(), responses_of(operation, document));
    Some(Value::Object(out))
}

fn follow<'d>(value: &'d Value, document: &'d Value) -> &'d Value {
    let reference = value.get("$ref").and_then(Value::as_str).and_then(|reference| reference.strip_prefix('#'));
    reference.and_then(|pointer| document.pointer(pointer)).unwrap_or(value)
}

fn parameter_of(parameter: &Value, document: &Value) -> Value {
    // An object in an address is text that the caller writes: progenitor has no way to.
    let takes = |schema: &&Value| {
        let schema = follow(schema, document);
        matches!(
            schema.get("type").and_then(Value::as_str),
            Some("string" | "integer" | "number" | "boolean" | "array")
        )
    };
    let schema = parameter.get("schema").filter(takes).map_or_else(|| json!({"type": "string"}), plain);
    json!({
        "name": parameter["name"],
        "in": parameter["in"],
        "required": parameter.get("required").cloned().unwrap_or(json!(false)),
        "description": parameter.get("description").cloned().unwrap_or(json!("")),
        "schema": schema,
    })
}

fn body_of(body: &Value, document: &Value) -> Option<Value> {
    const TAKEN: [&str; 2] = ["application/json", "application/x-www-form-urlencoded"];
    let content = body.get("content")?;
    let (kind, media) = TAKEN.iter().find_map(|kind| Some((*kind, content.get(*kind)?)))?;
    let schema = media.get("schema")?;
    let schema = if kind == TAKEN[1] { form(follow(schema, document)) } else { plain(schema) };
    Some(json!({"required": true, "content": {kind: {"schema": schema}}}))
}

/// In a form, what is no scalar travels as JSON text, which the caller writes.
fn form(schema: &Value) -> Value {
    let mut schema = plain(schema);
    for (_, property) in schema.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
        if matches!(property.get("type").and_then(Value::as_str), Some("object" | "array")) {
            let text = property.get("description").cloned().unwrap_or(json!(""));
            *property = json!({"type": "string", "description": text});
        }
    }
    schema
}

/// Only the first success: progenitor takes one type per operation, and typed errors would break
/// on the plain text that vendors send.
fn responses_of(operation: &Value, document: &Value) -> Value {
    let responses = operation.get("responses").and_then(Value::as_object);
    let success = responses.into_iter().flatten().find(|(status, _)| status.starts_with('2'));
    let Some((status, response)) = success else { return json!({"2XX": {"description": ""}}) };
    let response = follow(response, document);
    let mut out = json!({"description": ""});
    if let Some(content) = response.get("content").and_then(Value::as_object).filter(|content| !content.is_empty()) {
        out["content"] = match content.get("application/json") {
            Some(media) => json!({"application/json": {"schema": media.get("schema").map_or(json!({}), plain)}}),
            None => json!({"*/*": {}}),
        };
    }
    json!({(status): out})
}

/// Whether the values of an enum make variants that Rust can tell apart: of `created` and
/// `-created` only letters and digits remain. Where they do not, the values are text.
fn names_apart(values: &Value) -> bool {
    let letters = |value: &str| value.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    let mut names = BTreeSet::new();
    let mut texts = values.as_array().into_iter().flatten().filter_map(Value::as_str);
    texts.all(|value| {
        let name: String = letters(value);
        !name.is_empty() && names.insert(name)
    })
}

/// A schema with what shapes a Rust type, and nothing else.
fn plain(schema: &Value) -> Value {
    const KEPT: [&str; 7] = ["$ref", "type", "description", "required", "nullable", "enum", "additionalProperties"];
    let Some(schema) = schema.as_object() else { return json!({}) };
    let mut out = Map::new();
    for (key, value) in schema {
        let value = match key.as_str() {
            "additionalProperties" if value.is_object() => plain(value),
            "enum" if !names_apart(value) => continue,
            key if KEPT.contains(&key) => value.clone(),
            "items" => plain(value),
            "properties" => {
                // Of `CompanyId` and `CompanyID`, one becomes the field; a vendor sends one of them.
                let mut fields = BTreeSet::new();
                let properties = value.as_object().into_iter().flatten();
                let properties = properties.filter(|(name, _)| fields.insert(snake_case(name)));
                Value::Object(properties.map(|(name, property)| (name.clone(), plain(property))).collect())
            }
            "allOf" | "oneOf" | "anyOf" => value.as_array().into_iter().flatten().map(plain).collect(),
            // Widths of numbers and bytes; dates stay text, because vendors write them in many ways.
            "format" if matches!(value.as_str(), Some("int32" | "int64" | "float" | "double" | "binary")) => {
                value.clone()
            }
            _ => continue,
        };
        out.insert(key.clone(), value);
    }
    Value::Object(out)
}
