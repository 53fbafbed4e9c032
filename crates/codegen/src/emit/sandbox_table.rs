//! Turns one OpenAPI document, as the vendor describes it, into the table the embedded sandbox checks requests against.
//!
//! It reads the raw document and neither `model` nor anything lowered, on purpose: a mistake on the way from the
//! description to the tools must show up as a request that the sandbox refuses.

mod answer;
mod schema;

use serde_json::{Map, Value, json};

use schema::{Direction, convert};

/// The methods a path item may hold, in the order in which the specification lists them.
const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// OpenAPI 3.0 (Parameter Object) says that header parameters of these names are ignored.
const IGNORED_HEADERS: [&str; 3] = ["accept", "content-type", "authorization"];

/// A chain of references longer than this is a loop, and resolves to nothing.
const MAX_REFERENCE_CHAIN: usize = 16;

/// Returns the sandbox table of the API `api`, whose OpenAPI 3.0 `document` still holds its local references.
///
/// What the emitter does not understand degrades to "anything goes" (`{}`), so that it never fails.
pub fn emit(api: &str, document: &Value) -> Value {
    let source = Source { document };
    let root_security = source.security(document.get("security"));
    let mut operations = Vec::new();
    for (path, item) in entries(document.get("paths")) {
        if path.starts_with("x-") {
            continue;
        }
        let item = source.resolve(item);
        for method in METHODS {
            if let Some(operation) = item.get(method).filter(|found| found.is_object()) {
                operations.push(source.operation(path, method, item, operation, root_security.as_ref()));
            }
        }
    }
    let mut table = Map::new();
    table.insert("api".to_owned(), json!(api));
    if let Some(security) = root_security {
        table.insert("security".to_owned(), security);
    }
    table.insert("operations".to_owned(), Value::Array(operations));
    Value::Object(table)
}

/// The document, with the means to follow its references.
#[derive(Clone, Copy)]
struct Source<'a> {
    document: &'a Value,
}

impl<'a> Source<'a> {
    /// Follows `$ref` until something else is found; what cannot be found is `null`.
    fn resolve(self, value: &'a Value) -> &'a Value {
        let mut value = value;
        for _ in 0..MAX_REFERENCE_CHAIN {
            match reference(value) {
                Some(reference) => value = self.target(reference),
                None => return value,
            }
        }
        &Value::Null
    }

    /// Returns what the local reference points at, or `null`.
    fn target(self, reference: &str) -> &'a Value {
        let Some(pointer) = reference.strip_prefix('#') else {
            return &Value::Null;
        };
        // A reference is a URI, so a pointer through `/paths/~1a~1{id}` may be percent-encoded.
        self.document
            .pointer(pointer)
            .or_else(|| self.document.pointer(&percent_decoded(pointer)?))
            .unwrap_or(&Value::Null)
    }

    fn operation(
        self,
        path: &str,
        method: &str,
        item: &'a Value,
        operation: &'a Value,
        root_security: Option<&Value>,
    ) -> Value {
        let method = method.to_ascii_uppercase();
        let name = operation
            .get("operationId")
            .and_then(Value::as_str)
            .map_or_else(|| format!("{method} {path}"), str::to_owned);
        let mut out = Map::new();
        out.insert("operation".to_owned(), json!(name));
        out.insert("method".to_owned(), json!(method));
        out.insert("path".to_owned(), json!(path));
        let parameters = self.parameters(item, operation);
        if !parameters.is_empty() {
            out.insert("parameters".to_owned(), Value::Array(parameters));
        }
        if let Some(body) = operation.get("requestBody") {
            out.insert("body".to_owned(), self.body(self.resolve(body)));
        }
        if let Some(security) = self.security(operation.get("security"))
            && Some(&security) != root_security
        {
            out.insert("security".to_owned(), security);
        }
        out.insert("answer".to_owned(), answer::emit(self, operation.get("responses")));
        Value::Object(out)
    }

    /// Returns the parameters of the path item, each replaced by the operation's own of the same place and name.
    fn parameters(self, item: &'a Value, operation: &'a Value) -> Vec<Value> {
        let mut found: Vec<Value> = Vec::new();
        for parameter in [item, operation].into_iter().flat_map(|holder| elements(holder.get("parameters"))) {
            let Some(parameter) = self.parameter(self.resolve(parameter)) else {
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

    fn parameter(self, parameter: &'a Value) -> Option<Value> {
        let name = parameter.get("name")?.as_str()?;
        let place = parameter.get("in")?.as_str()?;
        if place == "header" && IGNORED_HEADERS.contains(&name.to_ascii_lowercase().as_str()) {
            return None;
        }
        let mut out = Map::new();
        out.insert("in".to_owned(), json!(place));
        out.insert("name".to_owned(), json!(name));
        out.insert("required".to_owned(), json!(place == "path" || is_true(parameter.get("required"))));
        style_and_explode(parameter, if matches!(place, "query" | "cookie") { "form" } else { "simple" }, &mut out);
        if is_true(parameter.get("allowEmptyValue")) {
            out.insert("allow_empty".to_owned(), json!(true));
        }
        let content = entries(parameter.get("content")).next();
        if let Some((media_type, _)) = content {
            out.insert("content".to_owned(), json!(media_type));
        }
        let schema = content.map_or(parameter, |(_, media)| media).get("schema");
        out.insert(
            "schema".to_owned(),
            schema.map_or_else(|| json!({}), |schema| convert(self, schema, Direction::Request)),
        );
        Some(Value::Object(out))
    }

    fn body(self, body: &'a Value) -> Value {
        let mut content = Map::new();
        for (media_type, media) in entries(body.get("content")) {
            let mut out = Map::new();
            let mut schema =
                media.get("schema").map_or_else(|| json!({}), |schema| convert(self, schema, Direction::Request));
            schema::close(&mut schema);
            out.insert("schema".to_owned(), schema);
            let encoding: Map<String, Value> = entries(media.get("encoding"))
                .map(|(property, encoding)| (property.clone(), encoding_of(encoding)))
                .filter(|(_, encoding)| encoding != &json!({}))
                .collect();
            if !encoding.is_empty() {
                out.insert("encoding".to_owned(), Value::Object(encoding));
            }
            content.insert(media_type.clone(), Value::Object(out));
        }
        json!({ "required": is_true(body.get("required")), "content": content })
    }

    /// Returns the ways in which a request may prove who it is; `None` if the description does not say.
    fn security(self, requirements: Option<&'a Value>) -> Option<Value> {
        let schemes = self.document.pointer("/components/securitySchemes");
        let mut alternatives: Vec<Value> = Vec::new();
        for requirement in requirements?.as_array()? {
            let mut all: Vec<Value> = entries(Some(requirement))
                .filter_map(|(name, _)| schemes?.get(name))
                .filter_map(|scheme| credential(self.resolve(scheme)))
                .collect();
            let alternative = match all.len() {
                0 => json!({ "kind": "none" }),
                1 => all.remove(0),
                _ => json!({ "kind": "all", "of": all }),
            };
            if !alternatives.contains(&alternative) {
                alternatives.push(alternative);
            }
        }
        Some(Value::Array(alternatives))
    }
}

/// Returns how a request carries the credential of one security scheme; `None` for what cannot be seen in a request.
fn credential(scheme: &Value) -> Option<Value> {
    let text = |key: &str| scheme.get(key).and_then(Value::as_str);
    match text("type")? {
        "http" => Some(match text("scheme").unwrap_or_default().to_ascii_lowercase().as_str() {
            kind @ ("basic" | "bearer") => json!({ "kind": kind }),
            _ => json!({ "kind": "header", "name": "Authorization" }),
        }),
        "oauth2" | "openIdConnect" => Some(json!({ "kind": "bearer" })),
        "apiKey" => match text("in")? {
            place @ ("header" | "query" | "cookie") => Some(json!({ "kind": place, "name": text("name")? })),
            _ => None,
        },
        _ => None,
    }
}

/// Copies `style` and `explode` where they differ from what holds without them.
fn style_and_explode(source: &Value, default_style: &str, out: &mut Map<String, Value>) {
    let style = source.get("style").and_then(Value::as_str).unwrap_or(default_style);
    if style != default_style {
        out.insert("style".to_owned(), json!(style));
    }
    let default_explode = style == "form";
    if let Some(explode) = source.get("explode").and_then(Value::as_bool)
        && explode != default_explode
    {
        out.insert("explode".to_owned(), json!(explode));
    }
}

fn encoding_of(encoding: &Value) -> Value {
    let mut out = Map::new();
    if let Some(content_type) = encoding.get("contentType").and_then(Value::as_str) {
        out.insert("content_type".to_owned(), json!(content_type));
    }
    style_and_explode(encoding, "form", &mut out);
    Value::Object(out)
}

fn reference(value: &Value) -> Option<&str> {
    value.get("$ref").and_then(Value::as_str)
}

fn is_true(value: Option<&Value>) -> bool {
    value == Some(&Value::Bool(true))
}

/// Returns the members of an object; none of anything else.
fn entries(value: Option<&Value>) -> impl Iterator<Item = (&String, &Value)> + Clone {
    value.and_then(Value::as_object).into_iter().flatten()
}

/// Returns the elements of an array; none of anything else.
fn elements(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    value.and_then(Value::as_array).into_iter().flatten()
}

/// Decodes `%XX`; `None` if nothing sensible comes of it.
fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let mut digit = || char::from(bytes.next()?).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            out.push(digit()? * 16 + digit()?);
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests;
