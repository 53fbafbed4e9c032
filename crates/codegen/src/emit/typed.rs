//! A description → the fully typed client of its API, for Rust programs (the crate `toolwright-clients`):
//! requests and responses as Rust types, one builder per operation. Constructs that progenitor
//! refuses are removed first, and so are lengths, patterns and bounds: this client leaves them to
//! the vendor to check.

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;

use proc_macro2::TokenStream;
use progenitor::{GenerationSettings, Generator, InterfaceStyle};
use quote::quote;
use serde_json::{Map, Value, json};

use crate::read::paths::METHODS;
use crate::read::reference::{raw_target, reference_of};
use crate::read::typed;
use toolwright_model::{function_name, snake_case};

/// Emits the typed client of an API.
///
/// # Errors
/// progenitor's reason to refuse the description.
pub(crate) fn emit(document: &Value) -> Result<String, String> {
    let document = typed::from_value(normalised(document)).map_err(|error| error.to_string())?;
    let mut settings = GenerationSettings::default();
    settings.with_interface(InterfaceStyle::Builder).with_pre_hook(quote! { crate::drop_version_mark });
    // progenitor panics on some constructs that it does not support.
    let generated = std::panic::catch_unwind(AssertUnwindSafe(|| Generator::new(&settings).generate_tokens(&document)));
    let tokens = generated.map_err(|_| "one that progenitor panics on")?.map_err(|error| error.to_string())?;
    written(tokens)
}

/// Writes the module that has the client of each API as a module.
pub(crate) fn index<'a>(apis: impl Iterator<Item = &'a str>) -> String {
    let module = |api: &str| {
        let name = api.replace('-', "_");
        format!(
            "/// The typed client of `{api}`.\npub mod {name} {{\n    include!(concat!(env!(\"OUT_DIR\"), \"/{api}.rs\"));\n}}\n"
        )
    };
    apis.map(module).collect()
}

/// Writes progenitor's code, with our function for path arguments in place of progenitor's: that one leaves in a path
/// what it may not hold, and what servers take for more than text.
///
/// # Errors
/// progenitor writes other code than it used to.
fn written(tokens: TokenStream) -> Result<String, String> {
    const THEIRS: &str = "use progenitor_client::{encode_path, ";
    const OURS: &str = "use crate::encode_path;\n#[allow(unused_imports)]\nuse progenitor_client::{";
    let file = syn::parse2(tokens).map_err(|error| error.to_string())?;
    let code = prettyplease::unparse(&file);
    if code.matches(THEIRS).count() == 1 {
        Ok(code.replace(THEIRS, OURS))
    } else {
        Err("progenitor imports `encode_path` in another way than before".to_owned())
    }
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

/// Returns one operation, or `None` for multipart and raw bodies, which progenitor can't send.
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
    reference_of(value).and_then(|reference| raw_target(document, reference)).unwrap_or(value)
}

fn parameter_of(parameter: &Value, document: &Value) -> Value {
    // progenitor can't write an object into an address: the caller passes its text.
    let is_supported = |schema: &&Value| {
        let schema = follow(schema, document);
        matches!(
            schema.get("type").and_then(Value::as_str),
            Some("string" | "integer" | "number" | "boolean" | "array")
        )
    };
    let schema = parameter.get("schema").filter(is_supported).map_or_else(|| json!({"type": "string"}), plain);
    json!({
        "name": parameter["name"],
        "in": parameter["in"],
        "required": parameter.get("required").cloned().unwrap_or(json!(false)),
        "description": parameter.get("description").cloned().unwrap_or(json!("")),
        "schema": schema,
    })
}

fn body_of(body: &Value, document: &Value) -> Option<Value> {
    const SUPPORTED: [&str; 2] = ["application/json", "application/x-www-form-urlencoded"];
    let content = body.get("content")?;
    let (kind, media) = SUPPORTED.iter().find_map(|kind| Some((*kind, content.get(*kind)?)))?;
    let schema = media.get("schema")?;
    let schema = if kind == SUPPORTED[1] { form(follow(schema, document)) } else { plain(schema) };
    Some(json!({"required": true, "content": {kind: {"schema": schema}}}))
}

/// Turns objects and lists of a form into texts: they are sent as JSON text, which the caller writes.
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

/// Returns the first success only: progenitor takes one type per operation, and typed errors would
/// fail on the plain text that vendors send.
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

/// Returns whether the values of an enum have distinct variant names, which hold letters and digits
/// only: `created` and `-created` do not. Without distinct names the values stay text.
fn has_distinct_variants(values: &Value) -> bool {
    let letters = |value: &str| value.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    let mut names = BTreeSet::new();
    let mut texts = values.as_array().into_iter().flatten().filter_map(Value::as_str);
    texts.all(|value| {
        let name: String = letters(value);
        !name.is_empty() && names.insert(name)
    })
}

/// Returns the keywords of a schema that determine a Rust type.
fn plain(schema: &Value) -> Value {
    const KEPT: [&str; 7] = ["$ref", "type", "description", "required", "nullable", "enum", "additionalProperties"];
    let Some(schema) = schema.as_object() else { return json!({}) };
    let mut out = Map::new();
    for (key, value) in schema {
        let value = match key.as_str() {
            "additionalProperties" if value.is_object() => plain(value),
            "enum" if !has_distinct_variants(value) => continue,
            key if KEPT.contains(&key) => value.clone(),
            "items" => plain(value),
            "properties" => {
                // `CompanyId` and `CompanyID` are one field: the vendor sends one of them.
                let mut fields = BTreeSet::new();
                let properties = value.as_object().into_iter().flatten();
                let properties = properties.filter(|(name, _)| fields.insert(snake_case(name)));
                Value::Object(properties.map(|(name, property)| (name.clone(), plain(property))).collect())
            }
            "allOf" | "oneOf" | "anyOf" => value.as_array().into_iter().flatten().map(plain).collect(),
            // Widths of numbers, and bytes. Dates stay text, because their formats differ by vendor.
            "format" if matches!(value.as_str(), Some("int32" | "int64" | "float" | "double" | "binary")) => {
                value.clone()
            }
            _ => continue,
        };
        out.insert(key.clone(), value);
    }
    Value::Object(out)
}
