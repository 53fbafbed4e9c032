//! One OpenAPI document, as the vendor describes it → the table that the embedded sandbox checks
//! requests against.
//!
//! It reads the parsed description before the overlay, and nothing lowered: a mistake between description and tools then
//! shows up as a request that the sandbox refuses. The paging styles are those of vendor.toml.

mod answer;
mod inheritance;
mod keywords;
mod schema;

use openapiv3::{
    APIKeyLocation, Encoding, MediaType, Parameter, ParameterData, ParameterSchemaOrContent, PathItem, QueryStyle,
    ReferenceOr, RequestBody, SecurityRequirement, SecurityScheme, Server,
};
use serde_json::{Map, Value, json};

use crate::read::document::{Document, OperationAt, explode};
use schema::{Direction, convert};
use toolwright_model::PagingStyle;

/// OpenAPI 3.0 (Parameter Object) says that header parameters of these names are ignored.
const IGNORED_HEADERS: [&str; 3] = ["accept", "content-type", "authorization"];

/// Returns the sandbox table of the API `api`. A reference that leads nowhere and a schema that grows
/// without bound become `{}`, which accepts anything, so that emitting never fails.
pub(super) fn emit(api: &str, document: &Document, styles: &[PagingStyle]) -> Value {
    let root_security = document.api.security.as_ref().map(|requirements| security(document, requirements));
    let operations = document.operations().map(|at| operation(document, &at, root_security.as_ref())).collect();
    let mut table = Map::new();
    table.insert("api".to_owned(), json!(api));
    if let Some(security) = root_security {
        table.insert("security".to_owned(), security);
    }
    if !styles.is_empty() {
        table.insert("paging".to_owned(), json!(styles));
    }
    table.insert("operations".to_owned(), Value::Array(operations));
    Value::Object(table)
}

fn operation(document: &Document, at: &OperationAt<'_>, root_security: Option<&Value>) -> Value {
    let method = at.method.to_ascii_uppercase();
    let name = at.operation.operation_id.clone().unwrap_or_else(|| format!("{method} {}", at.path));
    let mut out = Map::new();
    out.insert("operation".to_owned(), json!(name));
    out.insert("method".to_owned(), json!(method));
    // A fragment is no part of a request, and a query in the path is one that every request has.
    let (sent, _) = at.path.split_once('#').unwrap_or((at.path, ""));
    let (path, query) = sent.split_once('?').unwrap_or((sent, ""));
    out.insert("path".to_owned(), json!(path));
    if let Some(server) = server(document, at) {
        out.insert("server".to_owned(), json!(server));
    }
    let mut parameters = parameters(document, at.item, &at.operation.parameters);
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        parameters.retain(|stated| stated["in"] != "query" || stated["name"] != name);
        parameters.push(json!({
            "in": "query", "name": name, "required": true, "schema": {"type": "string", "enum": [value]},
        }));
    }
    if !parameters.is_empty() {
        out.insert("parameters".to_owned(), Value::Array(parameters));
    }
    if let Some(stated) = &at.operation.request_body {
        let nothing = RequestBody::default();
        out.insert("body".to_owned(), body(document, document.follow(stated).unwrap_or(&nothing)));
    }
    if let Some(requirements) = &at.operation.security {
        let security = security(document, requirements);
        if Some(&security) != root_security {
            out.insert("security".to_owned(), security);
        }
    }
    out.insert("answer".to_owned(), answer::emit(document, &at.operation.responses));
    Value::Object(out)
}

/// Returns the address that the operation or its path has in place of that of the others.
fn server(document: &Document, at: &OperationAt<'_>) -> Option<String> {
    let stated = at.operation.servers.first().or(at.item.servers.first())?;
    let filled = |server: &Server| {
        let variables = server.variables.iter().flatten();
        let url =
            variables.fold(server.url.clone(), |url, (name, one)| url.replace(&format!("{{{name}}}"), &one.default));
        let url = url.trim_end_matches('/').to_owned();
        if url.starts_with("http") || url.starts_with('/') { url } else { format!("/{url}") }
    };
    let of_all = document.api.servers.first().map(filled);
    Some(filled(stated)).filter(|own| of_all.as_ref() != Some(own))
}

/// Returns the parameters of the path item, each replaced by the operation's own of the same place and name.
fn parameters(document: &Document, item: &PathItem, own: &[ReferenceOr<Parameter>]) -> Vec<Value> {
    let mut found: Vec<Value> = Vec::new();
    for stated in item.parameters.iter().chain(own) {
        let Some(parameter) = document.follow(stated).and_then(|stated| parameter(document, stated)) else {
            continue;
        };
        let same = |other: &Value| other["in"] == parameter["in"] && other["name"] == parameter["name"];
        match found.iter().position(same) {
            Some(position) => found[position] = parameter,
            None => found.push(parameter),
        }
    }
    found
}

/// Returns one parameter; `None` for a header that OpenAPI ignores.
fn parameter(document: &Document, parameter: &Parameter) -> Option<Value> {
    // Whether an array or object is written out by default depends on the style alone (Parameter Object).
    let (place, data, style, default_style, allow_empty) = match parameter {
        Parameter::Query { parameter_data, style, allow_empty_value, allow_reserved: _ } => {
            ("query", parameter_data, json!(style), "form", *allow_empty_value)
        }
        Parameter::Header { parameter_data, style } => ("header", parameter_data, json!(style), "simple", None),
        Parameter::Path { parameter_data, style } => ("path", parameter_data, json!(style), "simple", None),
        Parameter::Cookie { parameter_data, style } => ("cookie", parameter_data, json!(style), "form", None),
    };
    let ParameterData {
        name,
        required,
        format,
        explode,
        description: _,
        deprecated: _,
        example: _,
        examples: _,
        extensions: _,
    } = data;
    if place == "header" && IGNORED_HEADERS.contains(&name.to_ascii_lowercase().as_str()) {
        return None;
    }
    let mut out = Map::new();
    out.insert("in".to_owned(), json!(place));
    out.insert("name".to_owned(), json!(name));
    out.insert("required".to_owned(), json!(place == "path" || *required));
    style_and_explode(style, *explode, default_style, &mut out);
    if allow_empty == Some(true) {
        out.insert("allow_empty".to_owned(), json!(true));
    }
    let schema = match format {
        ParameterSchemaOrContent::Schema(schema) => Some(schema),
        ParameterSchemaOrContent::Content(content) => content.first().and_then(|(media_type, media)| {
            out.insert("content".to_owned(), json!(media_type));
            media.schema.as_ref()
        }),
    };
    out.insert("schema".to_owned(), convert(document, schema, Direction::Request));
    Some(Value::Object(out))
}

fn body(document: &Document, body: &RequestBody) -> Value {
    let RequestBody { content, required, description: _, extensions: _ } = body;
    let content: Map<String, Value> =
        content.iter().map(|(media_type, media)| (media_type.clone(), media_of(document, media))).collect();
    json!({ "required": required, "content": content })
}

fn media_of(document: &Document, media: &MediaType) -> Value {
    let MediaType { schema, encoding, example: _, examples: _, extensions: _ } = media;
    let mut schema = convert(document, schema.as_ref(), Direction::Request);
    schema::close(&mut schema);
    let mut out = Map::new();
    out.insert("schema".to_owned(), schema);
    let encoding: Map<String, Value> = encoding
        .iter()
        .map(|(property, encoding)| (property.clone(), encoding_of(encoding)))
        .filter(|(_, encoding)| encoding != &json!({}))
        .collect();
    if !encoding.is_empty() {
        out.insert("encoding".to_owned(), Value::Object(encoding));
    }
    Value::Object(out)
}

fn encoding_of(encoding: &Encoding) -> Value {
    // `explode` without its style's default is read by `document::explode`.
    let Encoding { content_type, style, headers: _, explode: _, allow_reserved: _, extensions: _ } = encoding;
    let mut out = Map::new();
    if let Some(content_type) = content_type {
        out.insert("content_type".to_owned(), json!(content_type));
    }
    let style = json!(style.as_ref().unwrap_or(&QueryStyle::Form));
    style_and_explode(style, explode(encoding), "form", &mut out);
    Value::Object(out)
}

/// Writes `style` and `explode` where they differ from their defaults.
fn style_and_explode(style: Value, explode: Option<bool>, default_style: &str, out: &mut Map<String, Value>) {
    let default_explode = style == "form";
    if style != default_style {
        out.insert("style".to_owned(), style);
    }
    if let Some(explode) = explode.filter(|explode| *explode != default_explode) {
        out.insert("explode".to_owned(), json!(explode));
    }
}

/// Returns the alternatives by which a request may authenticate.
fn security(document: &Document, requirements: &[SecurityRequirement]) -> Value {
    let schemes = document.api.components.as_ref().map(|components| &components.security_schemes);
    let mut alternatives: Vec<Value> = Vec::new();
    for requirement in requirements {
        let stated = requirement.keys().filter_map(|name| document.follow(schemes?.get(name)?));
        let mut all: Vec<Value> = stated.map(credential).collect();
        let alternative = match all.len() {
            0 => json!({ "kind": "none" }),
            1 => all.remove(0),
            _ => json!({ "kind": "all", "of": all }),
        };
        if !alternatives.contains(&alternative) {
            alternatives.push(alternative);
        }
    }
    Value::Array(alternatives)
}

/// Returns how a request carries the credential of one security scheme.
fn credential(scheme: &SecurityScheme) -> Value {
    match scheme {
        SecurityScheme::HTTP { scheme, .. } => match scheme.to_ascii_lowercase().as_str() {
            kind @ ("basic" | "bearer") => json!({ "kind": kind }),
            // Another scheme is the word before the credential.
            _ => json!({ "kind": "header", "name": "Authorization", "prefix": scheme }),
        },
        SecurityScheme::OAuth2 { .. } | SecurityScheme::OpenIDConnect { .. } => json!({ "kind": "bearer" }),
        SecurityScheme::APIKey { location, name, .. } => {
            let kind = match location {
                APIKeyLocation::Header => "header",
                APIKeyLocation::Query => "query",
                APIKeyLocation::Cookie => "cookie",
            };
            json!({ "kind": kind, "name": name })
        }
    }
}

#[cfg(test)]
mod tests;
