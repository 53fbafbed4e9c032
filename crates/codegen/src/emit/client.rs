//! Operations → the Rust client that progenitor emits for the tool path: typed path, query and
//! header parameters, the JSON or form body as a value that was checked before, the answer as
//! bytes. What the vendor's schemas say beyond that is checked against the tool's input schema,
//! so the document handed to progenitor holds only what a request needs.

use progenitor::{GenerationSettings, Generator, HooksMode, InterfaceStyle};
use quote::quote;
use serde_json::{Map, Value, json};

use toolwright_model::{BodyKind, Location, Operation, Parameter, ParameterKind, QueryStyle, function_name};

/// Returns whether progenitor can emit this operation faithfully. The others are sent by
/// `client_runtime::send`: multipart and raw bodies, bodies that may be left out (progenitor always
/// sends one), lists in forms, objects in the query.
pub fn emits(operation: &Operation) -> bool {
    let body = operation.body.as_ref().is_none_or(|body| {
        body.required && body.fields.is_empty() && matches!(body.kind, BodyKind::Json | BodyKind::Form)
    });
    // A JSON body of another content type than plain JSON would be sent as plain JSON.
    let plain = operation
        .body
        .as_ref()
        .is_none_or(|body| body.kind != BodyKind::Json || body.content_type == "application/json");
    let method = ["GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH"].contains(&operation.method.as_str());
    let parameters = operation.parameters.iter().all(|parameter| {
        parameter.kind != ParameterKind::Structure
            && (parameter.location == Location::Query || !is_list(parameter))
            && parameter.style != QueryStyle::DeepObject
    });
    body && plain && method && parameters && distinct(operation)
}

/// Names that become the same Rust identifier would be renamed by progenitor in its own way, and
/// names of variables in the emitted code would hide them.
fn distinct(operation: &Operation) -> bool {
    const VARIABLES: [&str; 4] = ["body", "client", "inputs", "headermap"];
    let mut names: Vec<String> = operation.parameters.iter().map(|p| bare_name(&p.name)).collect();
    names.extend(VARIABLES.map(str::to_owned));
    let all = names.len();
    names.sort();
    names.dedup();
    names.len() == all && names.iter().all(|name| !name.is_empty())
}

/// A name without case and joints, in which progenitor's identifiers differ from it.
pub fn bare_name(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase()
}

fn is_list(parameter: &Parameter) -> bool {
    matches!(parameter.kind, ParameterKind::Integers | ParameterKind::Strings)
}

/// Emits the client of an API.
///
/// # Errors
/// What progenitor says; an operation that it can't emit should have been kept from it.
pub fn emit(title: &str, version: &str, operations: &[Operation]) -> Result<String, String> {
    let document = document(title, version, operations);
    let document = serde_json::from_value(document).map_err(|error| error.to_string())?;
    let mut settings = GenerationSettings::default();
    settings
        .with_interface(InterfaceStyle::Positional)
        .with_hooks(HooksMode::Expected)
        .with_inner_type(quote! { crate::client_runtime::Upstream });
    let tokens = Generator::new(&settings).generate_tokens(&document).map_err(|error| error.to_string())?;
    let file = syn::parse2(tokens).map_err(|error| error.to_string())?;
    Ok(prettyplease::unparse(&file))
}

fn document(title: &str, version: &str, operations: &[Operation]) -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for operation in operations.iter().filter(|operation| emits(operation)) {
        let item = paths.entry(operation.path.clone()).or_insert_with(|| json!({}));
        item[operation.method.to_lowercase()] = operation_document(operation);
    }
    json!({"openapi": "3.0.3", "info": {"title": title, "version": version}, "paths": paths})
}

fn operation_document(operation: &Operation) -> Value {
    let parameters: Vec<Value> = operation
        .parameters
        .iter()
        .map(|parameter| {
            json!({
                "name": parameter.name,
                "in": parameter.location,
                "required": parameter.required,
                "schema": parameter_schema(parameter),
            })
        })
        .collect();
    let mut document = json!({
        "operationId": function_name(&operation.id),
        "parameters": parameters,
        // Raw bytes whatever the status: the answer reaches the model as the vendor sent it.
        "responses": {"2XX": {"description": "", "content": {"*/*": {}}}},
    });
    if let Some(body) = &operation.body {
        document["requestBody"] = json!({"required": true, "content": {(body.content_type.clone()): {"schema": {}}}});
    }
    document
}

fn parameter_schema(parameter: &Parameter) -> Value {
    // A joined list and JSON text are written by `support` and travel as one text.
    if parameter.style != QueryStyle::Repeated && is_list(parameter) || parameter.style == QueryStyle::Json {
        return json!({"type": "string"});
    }
    match parameter.kind {
        ParameterKind::Integer => json!({"type": "integer", "format": "int64"}),
        ParameterKind::Number => json!({"type": "number", "format": "double"}),
        ParameterKind::Boolean => json!({"type": "boolean"}),
        ParameterKind::Integers => json!({"type": "array", "items": {"type": "integer", "format": "int64"}}),
        ParameterKind::Strings => json!({"type": "array", "items": {"type": "string"}}),
        ParameterKind::String | ParameterKind::Structure => json!({"type": "string"}),
    }
}
