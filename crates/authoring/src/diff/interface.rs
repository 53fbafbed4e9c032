//! A description in OpenAPI 3.0 → its [`Operation`]s as a caller meets them: parameters of path and
//! operation together, bodies, answers and ways to sign in, with references followed.

use std::collections::BTreeMap;

use serde_json::Value;

use super::change::OperationName;
use super::shape::Node;
use toolwright_codegen::read::check::IGNORED_HEADERS;
use toolwright_codegen::read::paths::METHODS;
use toolwright_codegen::read::reference::{raw_target, reference_of};
use toolwright_model::media_type::essence;

/// A schema that states nothing.
static ANYTHING: Value = Value::Null;

/// What is compared of a description.
pub(crate) struct Interface<'d> {
    pub(crate) document: &'d Value,
    pub(crate) operations: Vec<Operation<'d>>,
    /// The addresses, with the defaults of their variables.
    pub(crate) servers: Vec<String>,
}

/// One operation.
pub(crate) struct Operation<'d> {
    pub(crate) name: OperationName,
    pub(crate) deprecated: bool,
    /// Summary and description.
    pub(crate) words: String,
    pub(crate) parameters: Vec<Parameter<'d>>,
    pub(crate) body: Option<Body<'d>>,
    pub(crate) answers: Vec<Answer<'d>>,
    /// The ways to sign in, of which one is enough; `None`: a call needs no credentials.
    pub(crate) security: Vec<Way>,
}

/// Schemes that are needed together, each with its scopes; none for a call without credentials.
pub(crate) type Way = BTreeMap<String, Vec<String>>;

pub(crate) struct Parameter<'d> {
    pub(crate) name: &'d str,
    pub(crate) location: &'d str,
    pub(crate) required: bool,
    pub(crate) deprecated: bool,
    pub(crate) words: &'d str,
    pub(crate) node: Node<'d>,
    /// How lists and objects are written.
    pub(crate) style: String,
}

pub(crate) struct Body<'d> {
    pub(crate) required: bool,
    pub(crate) content: Content<'d>,
}

/// Kinds of content, each with its schema.
pub(crate) type Content<'d> = BTreeMap<String, Node<'d>>;

pub(crate) struct Answer<'d> {
    pub(crate) status: &'d str,
    pub(crate) content: Content<'d>,
    pub(crate) headers: Vec<&'d str>,
}

impl Answer<'_> {
    pub(crate) fn is_success(&self) -> bool {
        self.status.starts_with(['2', '3'])
    }
}

impl<'d> Interface<'d> {
    /// Reads the operations that `wanted` (by id, method and path) chooses.
    pub(crate) fn of(document: &'d Value, wanted: &dyn Fn(&str, &str, &str) -> bool) -> Self {
        let mut operations = Vec::new();
        for (path, item) in document.get("paths").and_then(Value::as_object).into_iter().flatten() {
            let item = follow(item, document);
            for method in METHODS {
                let Some(operation) = item.get(method).filter(|operation| operation.is_object()) else { continue };
                let id = text(operation, "operationId");
                let method = method.to_uppercase();
                if wanted(id, &method, path) {
                    let name = OperationName { method, path: path.clone(), id: id.to_owned() };
                    operations.push(Operation::of(name, operation, item, document));
                }
            }
        }
        operations.sort_by(|a, b| (&a.name.path, &a.name.method).cmp(&(&b.name.path, &b.name.method)));
        Self { document, operations, servers: servers(document) }
    }
}

impl Interface<'_> {
    /// The names of the schemes by which callers sign in, each with what it is.
    pub(crate) fn schemes(&self) -> Vec<(String, String)> {
        let schemes = self.document.pointer("/components/securitySchemes").and_then(Value::as_object);
        schemes.into_iter().flatten().map(|(name, _)| (name.clone(), scheme_name(name, self.document))).collect()
    }
}

fn servers(document: &Value) -> Vec<String> {
    let servers = document.get("servers").and_then(Value::as_array).into_iter().flatten();
    let address = |server: &Value| {
        let mut url = server.get("url")?.as_str()?.to_owned();
        for (name, variable) in server.get("variables").and_then(Value::as_object).into_iter().flatten() {
            if let Some(default) = variable.get("default").and_then(Value::as_str) {
                url = url.replace(&format!("{{{name}}}"), default);
            }
        }
        Some(url.trim_end_matches('/').to_owned())
    };
    servers.filter_map(address).collect()
}

impl<'d> Operation<'d> {
    fn of(name: OperationName, operation: &'d Value, item: &'d Value, document: &'d Value) -> Self {
        let words = [text(operation, "summary"), text(operation, "description")];
        let words: Vec<&str> = words.into_iter().filter(|words| !words.is_empty()).collect();
        Self {
            name,
            deprecated: flag(operation, "deprecated"),
            words: words.join("\n"),
            parameters: parameters(operation, item, document),
            body: operation.get("requestBody").map(|body| body_of(follow(body, document))),
            answers: answers(operation, document),
            security: security(operation.get("security").or_else(|| document.get("security")), document),
        }
    }
}

/// The operation's own parameters, then those of its path that it does not replace. Three headers belong to HTTP.
fn parameters<'d>(operation: &'d Value, item: &'d Value, document: &'d Value) -> Vec<Parameter<'d>> {
    let mut found: Vec<Parameter<'d>> = Vec::new();
    let lists = [operation, item].map(|of| of.get("parameters").and_then(Value::as_array));
    for parameter in lists.into_iter().flatten().flatten() {
        let parameter = follow(parameter, document);
        let (name, location) = (text(parameter, "name"), text(parameter, "in"));
        let ignored = match location {
            "path" | "query" | "cookie" => false,
            "header" => IGNORED_HEADERS.contains(&name.to_lowercase().as_str()),
            _ => true,
        };
        if ignored || found.iter().any(|known| known.name == name && known.location == location) {
            continue;
        }
        let content = parameter.get("content").and_then(Value::as_object).and_then(|content| content.values().next());
        let schema = parameter.get("schema").or_else(|| content?.get("schema"));
        found.push(Parameter {
            name,
            location,
            required: location == "path" || flag(parameter, "required"),
            deprecated: flag(parameter, "deprecated"),
            words: text(parameter, "description"),
            node: Node::new(schema.unwrap_or(&ANYTHING)),
            style: style(parameter, location, content.is_some()),
        });
    }
    found
}

fn style(parameter: &Value, location: &str, is_json: bool) -> String {
    if is_json {
        return "JSON".to_owned();
    }
    let has_form = matches!(location, "query" | "cookie");
    let default = if has_form { "form" } else { "simple" };
    let style = parameter.get("style").and_then(Value::as_str).unwrap_or(default);
    let explode = parameter.get("explode").and_then(Value::as_bool).unwrap_or(style == "form");
    // Elsewhere a list is always joined.
    if has_form && explode { format!("{style}, each value by itself") } else { style.to_owned() }
}

fn body_of(body: &Value) -> Body<'_> {
    Body { required: flag(body, "required"), content: content(body) }
}

fn content(of: &Value) -> Content<'_> {
    let content = of.get("content").and_then(Value::as_object).into_iter().flatten();
    content
        .map(|(kind, media)| (essence(kind).into_owned(), Node::new(media.get("schema").unwrap_or(&ANYTHING))))
        .collect()
}

fn answers<'d>(operation: &'d Value, document: &'d Value) -> Vec<Answer<'d>> {
    let responses = operation.get("responses").and_then(Value::as_object).into_iter().flatten();
    let answers = responses.filter(|(status, _)| !status.starts_with("x-"));
    answers
        .map(|(status, response)| {
            let response = follow(response, document);
            let headers = response.get("headers").and_then(Value::as_object).into_iter().flatten();
            let headers = headers.map(|(name, _)| name.as_str()).collect();
            Answer { status, content: content(response), headers }
        })
        .collect()
}

fn security(ways: Option<&Value>, document: &Value) -> Vec<Way> {
    let ways = ways.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object);
    let mut ways: Vec<Way> = ways
        .map(|way| {
            way.iter()
                .map(|(scheme, scopes)| {
                    let scopes = scopes.as_array().into_iter().flatten().filter_map(Value::as_str);
                    let mut scopes: Vec<String> = scopes.map(str::to_owned).collect();
                    scopes.sort();
                    (scheme_name(scheme, document), scopes)
                })
                .collect()
        })
        .collect();
    ways.sort();
    ways.dedup();
    ways
}

/// A scheme by what it is: its name in the file is the author's choice.
fn scheme_name(scheme: &str, document: &Value) -> String {
    let schemes = document.pointer("/components/securitySchemes");
    let Some(about) = schemes.and_then(|schemes| schemes.get(scheme)) else { return scheme.to_owned() };
    let about = follow(about, document);
    match (text(about, "type"), text(about, "scheme").to_lowercase().as_str()) {
        ("http", scheme) if !scheme.is_empty() => format!("http {scheme}"),
        ("apiKey", _) => format!("key in {} {}", text(about, "in"), text(about, "name")),
        ("oauth2" | "openIdConnect", _) => "oauth".to_owned(),
        _ => scheme.to_owned(),
    }
}

fn follow<'d>(value: &'d Value, document: &'d Value) -> &'d Value {
    const LONGEST: usize = 16;
    let mut here = value;
    for _ in 0..LONGEST {
        match reference_of(here).and_then(|reference| raw_target(document, reference)) {
            Some(target) => here = target,
            None => break,
        }
    }
    here
}

fn text<'d>(of: &'d Value, key: &str) -> &'d str {
    of.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn flag(of: &Value, key: &str) -> bool {
    of.get(key).and_then(Value::as_bool).unwrap_or(false)
}
