//! Operations → the Rust client that tools use, by progenitor: typed path, query and header
//! parameters, the JSON or form body as a value, the answer as bytes. Arguments are checked
//! against the tool's input schema before, so the document for progenitor holds only what a
//! request needs.

use proc_macro2::TokenStream;
use progenitor::{GenerationSettings, Generator, HooksMode, InterfaceStyle};
use quote::quote;
use serde_json::{Map, Value, json};

use crate::read::typed;
use toolwright_model::{BodyKind, Location, Operation, Parameter, ParameterKind, QueryStyle, function_name};

/// Returns whether progenitor's code sends this operation correctly. `client_runtime::send` sends the
/// others: multipart and raw bodies, optional bodies (progenitor always sends one), lists in forms,
/// objects in the query.
pub(super) fn emits(operation: &Operation) -> bool {
    let body = operation.body.as_ref().is_none_or(|body| {
        body.required && body.fields.is_empty() && matches!(body.kind, BodyKind::Json | BodyKind::Form)
    });
    // progenitor sends every JSON body as `application/json`.
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

/// Returns whether the parameters have distinct Rust identifiers, also from the variables of the
/// emitted code: progenitor renames duplicates by a rule of its own.
fn distinct(operation: &Operation) -> bool {
    const VARIABLES: [&str; 4] = ["body", "client", "inputs", "headermap"];
    let mut names: Vec<String> = operation.parameters.iter().map(|p| bare_name(&p.name)).collect();
    names.extend(VARIABLES.map(str::to_owned));
    let all = names.len();
    names.sort();
    names.dedup();
    names.len() == all && names.iter().all(|name| !name.is_empty())
}

/// Returns a name without case and separators, in which progenitor's identifiers differ from it.
pub(super) fn bare_name(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase()
}

pub(super) fn is_list(parameter: &Parameter) -> bool {
    matches!(parameter.kind, ParameterKind::Integers | ParameterKind::Strings)
}

/// Emits the client of an API.
///
/// # Errors
/// progenitor's reason to refuse an operation that [`emits`] accepts.
pub(super) fn emit(title: &str, version: &str, operations: &[Operation]) -> Result<String, String> {
    let document = document(title, version, operations);
    let document = typed::from_value(document).map_err(|error| error.to_string())?;
    let mut settings = GenerationSettings::default();
    settings
        .with_interface(InterfaceStyle::Positional)
        .with_hooks(HooksMode::Expected)
        .with_inner_type(quote! { crate::client_runtime::Upstream });
    let tokens = Generator::new(&settings).generate_tokens(&document).map_err(|error| error.to_string())?;
    written(tokens)
}

/// Writes progenitor's code, with our function for path arguments in place of progenitor's: that one leaves in a path
/// what it may not hold, and what servers take for more than text.
///
/// # Errors
/// progenitor writes other code than it used to.
pub(super) fn written(tokens: TokenStream) -> Result<String, String> {
    const THEIRS: &str = "use progenitor_client::{encode_path, ";
    const OURS: &str = "use crate::client_runtime::encode_path;\n#[allow(unused_imports)]\nuse progenitor_client::{";
    let file = syn::parse2(tokens).map_err(|error| error.to_string())?;
    let code = prettyplease::unparse(&file);
    if code.matches(THEIRS).count() == 1 {
        Ok(code.replace(THEIRS, OURS))
    } else {
        Err("progenitor imports `encode_path` in another way than before".to_owned())
    }
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
        // Raw bytes for every status: the answer is interpreted after the client.
        "responses": {"2XX": {"description": "", "content": {"*/*": {}}}},
    });
    if let Some(body) = &operation.body {
        document["requestBody"] = json!({"required": true, "content": {(body.content_type.clone()): {"schema": {}}}});
    }
    document
}

/// Returns the kind that the client's argument has. A joined list and JSON text are one text, which
/// `client_runtime` writes.
pub(super) fn argument_kind(parameter: &Parameter) -> ParameterKind {
    if parameter.style != QueryStyle::Repeated && is_list(parameter) || parameter.style == QueryStyle::Json {
        return ParameterKind::String;
    }
    parameter.kind
}

fn parameter_schema(parameter: &Parameter) -> Value {
    match argument_kind(parameter) {
        ParameterKind::Integer => json!({"type": "integer", "format": "int64"}),
        ParameterKind::Number => json!({"type": "number", "format": "double"}),
        ParameterKind::Boolean => json!({"type": "boolean"}),
        ParameterKind::Integers => json!({"type": "array", "items": {"type": "integer", "format": "int64"}}),
        ParameterKind::Strings => json!({"type": "array", "items": {"type": "string"}}),
        ParameterKind::String | ParameterKind::Structure => json!({"type": "string"}),
    }
}
