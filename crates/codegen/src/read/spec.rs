//! An OpenAPI 3.0 file → its operations with every `$ref` followed. The only file that knows
//! OpenAPI's grammar.

use std::path::Path;

use serde_json::{Map, Value};

use crate::read::finding::Errors;
use crate::read::keys::{self, OperationKeys};
use crate::read::located::{Located, describe, escape, nearest, one_of};
pub use crate::read::resolve::resolve;
use toolwright_model::{Location, QueryStyle};

/// The methods of a path item, in the order in which operations are read.
pub const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// How many references a schema may follow one inside the other before it is cut.
pub const DEEPEST_REFERENCE: usize = 12;

/// One operation as the description has it.
#[derive(Debug)]
pub struct SpecOperation {
    pub pointer: String,
    pub id: String,
    pub method: String,
    pub path: String,
    pub summary: Option<String>,
    pub description: Option<String>,
    pub tags: Vec<String>,
    pub parameters: Vec<SpecParameter>,
    pub body: Option<SpecBody>,
    /// Whether success is a redirect: a 3xx is promised and no 2xx.
    pub redirects: bool,
    /// What a token must open: all of any one entry.
    pub scopes: Vec<Vec<String>>,
    pub keys: OperationKeys,
}

/// A parameter with its schema resolved.
#[derive(Debug)]
pub struct SpecParameter {
    pub pointer: String,
    pub name: String,
    pub location: Location,
    pub required: bool,
    pub description: Option<String>,
    pub example: Option<Value>,
    pub schema: Value,
    pub style: QueryStyle,
}

/// A request body: every content type on offer, schemas resolved.
#[derive(Debug)]
pub struct SpecBody {
    pub required: bool,
    pub description: Option<String>,
    /// Content type and schema, in the description's order.
    pub content: Vec<(String, Value)>,
    /// Content type, property, and how its lists and objects are written in a form.
    pub styles: Vec<(String, String, QueryStyle)>,
}

/// Reads a YAML or JSON file under specs/; `file` is how messages name it.
pub fn load(path: &Path, file: &str, errors: &mut Errors) -> Option<Value> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            errors.push_file(file, "a readable file in UTF-8", error.to_string());
            return None;
        }
    };
    let parsed = if path.extension().is_some_and(|extension| extension == "json") {
        serde_json::from_str(&text).map_err(|error| format!("the JSON: {error}"))
    } else {
        // The first line says where and what; the lines of the file that follow it are at hand.
        serde_saphyr::from_str(&text).map_err(|error| {
            let text = error.to_string();
            let line = text.lines().next().unwrap_or_default();
            line.strip_prefix("error: ").unwrap_or(line).to_owned()
        })
    };
    parsed.map_err(|error| errors.push_file(file, "YAML or JSON", format!("a fault in {error}"))).ok()
}

/// Checks what the emitters rely on before anything is changed: version, paths, references.
pub fn check_document(root: &Located<'_>) {
    if root.object().is_none() {
        return;
    }
    if !is_read_version(root) {
        // What else this file says means something else in another version.
        return;
    }
    if let Some(info) = root.required("info", "`title` and `version`")
        && info.object().is_some()
    {
        for key in ["title", "version"] {
            if let Some(entry) = info.required(key, "a text") {
                entry.text();
            }
        }
    }
    if let Some(paths) = root.required("paths", "the paths of the API") {
        for (path, item) in paths.entries().iter().filter(|(path, _)| !path.starts_with("x-")) {
            check_path(path, item);
        }
    }
    check_references(root, root.value);
}

fn is_read_version(root: &Located<'_>) -> bool {
    const EXPECTED: &str = "the version of OpenAPI that is read, `3.0.x`";
    const HINT: &str = "convert the file to OpenAPI 3.0 first";
    if let Some(swagger) = root.get("swagger") {
        swagger.report(format!("`openapi`: {EXPECTED}"), "Swagger 2".to_owned(), Some(HINT.to_owned()));
        return false;
    }
    let Some(version) = root.required("openapi", EXPECTED) else { return false };
    let read = version.value.as_str().is_some_and(|text| text.starts_with("3.0."));
    if !read {
        version.wrong_with_hint(EXPECTED, HINT);
    }
    read
}

/// Whatever is overlooked here would be an operation that is neither lowered nor skipped.
fn check_path(path: &str, item: &Located<'_>) {
    if !path.starts_with('/') {
        item.report(
            "a path that starts with `/`".to_owned(),
            format!("`{path}`"),
            Some("paths are relative to the address of the vendor".to_owned()),
        );
    }
    if template_parameters(path).is_none() {
        item.report("a path whose braces each hold a name, such as `{id}`".to_owned(), format!("`{path}`"), None);
    } else if let Some(fault) = path_fault(path) {
        let hint = fault.trim_start_matches("its path ");
        item.report("a path that a request can go to".to_owned(), format!("`{path}`"), Some(format!("it {hint}")));
    }
    if let Some(reference) = item.get("$ref") {
        reference
            .wrong_with_hint("operations", "the build reads no `$ref` in place of a path; write its operations here");
    }
    if item.value.get("$ref").is_none() && item.object().is_some() {
        const REST: [&str; 4] = ["summary", "description", "servers", "parameters"];
        for (key, entry) in item.entries().iter().filter(|(key, _)| !key.starts_with("x-")) {
            if !METHODS.contains(key) && !REST.contains(key) {
                let known = || METHODS.into_iter().chain(REST);
                let hint = nearest(key, known()).map(|near| format!("did you mean `{near}`?"));
                entry.report(one_of(known()), format!("the unknown key `{key}`"), hint);
            }
        }
    }
}

/// Why a path can't be asked for as it stands, if so: a request goes to one place below the
/// vendor's address, and its query is the parameters'.
pub fn path_fault(path: &str) -> Option<&'static str> {
    let dots = |segment: &str| matches!(segment.to_lowercase().replace("%2e", ".").as_str(), "." | "..");
    if template_parameters(path).is_none() {
        Some("its path has braces that hold no name")
    } else if path.contains('?') {
        Some("its path holds a query; parameters say it with `in: query`")
    } else if path.contains(['#', '\\']) || path.chars().any(char::is_control) {
        Some("its path holds a character that no path has")
    } else if path.split('/').any(dots) {
        Some("its path leads elsewhere with `.` or `..`")
    } else {
        None
    }
}

/// The names between the braces of a path; `None` where the braces don't match.
pub fn template_parameters(path: &str) -> Option<Vec<&str>> {
    let mut names = Vec::new();
    let mut rest = path;
    while let Some(open) = rest.find(['{', '}']) {
        let (name, after) = rest[open..].strip_prefix('{')?.split_once('}')?;
        if name.is_empty() || name.contains(['{', '/']) {
            return None;
        }
        names.push(name);
        rest = after;
    }
    Some(names)
}

/// Reports each `x-toolwright` that stands elsewhere than on an operation, where nobody reads it.
pub fn check_extensions(at: &Located<'_>) {
    match at.value {
        Value::Object(object) => {
            let steps: Vec<&str> = at.pointer.split('/').collect();
            let operation = matches!(steps.as_slice(), ["", "paths", _, method] if METHODS.contains(method));
            if let Some(block) = at.get(keys::EXTENSION).filter(|_| !operation) {
                block.report(
                    format!("`{}` on an operation", keys::EXTENSION),
                    "it elsewhere".to_owned(),
                    Some("an operation is a target such as `$.paths['/api/Tickets'].get`".to_owned()),
                );
            }
            if !object.is_empty() {
                at.entries().iter().for_each(|(_, entry)| check_extensions(entry));
            }
        }
        Value::Array(_) => at.items().iter().for_each(check_extensions),
        _ => {}
    }
}

/// Reads the `x-toolwright` of every operation for its complaints only: the description has
/// faults of its own, and they are not to hide these.
pub fn check_keys(root: &Located<'_>) {
    let Some(paths) = root.get("paths").filter(|paths| paths.value.is_object()) else { return };
    for (_, item) in paths.entries() {
        for block in METHODS.iter().filter_map(|method| item.get(method)?.get(keys::EXTENSION)) {
            keys::read_operation(&block);
        }
    }
}

fn check_references(at: &Located<'_>, document: &Value) {
    match at.value {
        Value::Object(object) => {
            if let Some(Value::String(reference)) = object.get("$ref") {
                let target = reference.strip_prefix('#').map(|pointer| document.pointer(pointer));
                match target {
                    Some(Some(_)) if is_circle(object, document) => at.report(
                        "a `$ref` that leads to something".to_owned(),
                        format!("`{reference}`, which leads from one `$ref` to the next without end"),
                        None,
                    ),
                    Some(Some(_)) => {}
                    Some(None) => at.report(
                        "a `$ref` to something in this file".to_owned(),
                        format!("`{reference}`, which is not there"),
                        near_reference(reference, document),
                    ),
                    None => at.report(
                        "a `$ref` that starts with `#/`".to_owned(),
                        format!("`{reference}`"),
                        Some("the build reads one file; bring the part into it".to_owned()),
                    ),
                }
            }
            for (_, entry) in at.entries() {
                check_references(&entry, document);
            }
        }
        Value::Array(_) => at.items().iter().for_each(|item| check_references(item, document)),
        _ => {}
    }
}

fn is_circle(reference: &Map<String, Value>, document: &Value) -> bool {
    let mut next = reference.get("$ref");
    for _ in 0..DEEPEST_REFERENCE {
        let target = next.and_then(Value::as_str).and_then(|reference| document.pointer(reference.strip_prefix('#')?));
        next = target.and_then(|target| target.get("$ref"));
    }
    next.is_some()
}

fn near_reference(reference: &str, document: &Value) -> Option<String> {
    let (parent, name) = reference.strip_prefix('#')?.rsplit_once('/')?;
    let siblings = document.pointer(parent)?.as_object()?;
    nearest(name, siblings.keys().map(String::as_str)).map(|near| format!("did you mean `#{parent}/{near}`?"))
}

/// Reads every operation of a document that [`check_document`] found nothing wrong with.
pub fn read_operations(root: &Located<'_>) -> Vec<SpecOperation> {
    let mut operations = Vec::new();
    let Some(paths) = root.get("paths") else { return operations };
    for (path, item) in paths.entries().into_iter().filter(|(path, _)| path.starts_with('/')) {
        if item.object().is_none() {
            continue;
        }
        let shared = item.get("parameters");
        for method in METHODS {
            if let Some(operation) = item.get(method)
                && let Some(read) = read_operation(&operation, path, method, shared.as_ref(), root)
            {
                operations.push(read);
            }
        }
    }
    operations
}

fn read_operation(
    at: &Located<'_>,
    path: &str,
    method: &str,
    shared: Option<&Located<'_>>,
    root: &Located<'_>,
) -> Option<SpecOperation> {
    at.object()?;
    // An empty text waits to be written; it says nothing.
    let text = |key| at.get(key).and_then(|entry| entry.text().map(str::to_owned)).filter(|text| !text.is_empty());
    let id = at.required("operationId", "a unique name of the operation")?.text()?.to_owned();
    let responses = at.required("responses", "the answers of the operation");
    let promises = |digit: char| {
        let statuses = responses.as_ref().and_then(|responses| responses.value.as_object());
        statuses.is_some_and(|statuses| statuses.keys().any(|status| status.starts_with(digit)))
    };
    let mut parameters: Vec<SpecParameter> = Vec::new();
    // An operation's own parameters replace those of its path with the same name and place.
    for list in [at.get("parameters").as_ref(), shared].into_iter().flatten() {
        for item in list.items() {
            if let Some(parameter) = read_parameter(&follow(&item, root), root)
                && !parameters.iter().any(|p| p.name == parameter.name && p.location == parameter.location)
            {
                parameters.push(parameter);
            }
        }
    }
    check_path_parameters(at, path, &parameters);
    Some(SpecOperation {
        pointer: at.pointer.clone(),
        id,
        method: method.to_uppercase(),
        path: path.to_owned(),
        summary: text("summary"),
        description: text("description"),
        tags: at.get("tags").map(|tags| tags.texts()).unwrap_or_default(),
        parameters,
        body: at.get("requestBody").and_then(|body| read_body(&follow(&body, root), root)),
        redirects: promises('3') && !promises('2'),
        scopes: scopes(at.value.get("security").or_else(|| root.value.get("security")), root.value),
        keys: at.get(keys::EXTENSION).map(|block| keys::read_operation(&block)).unwrap_or_default(),
    })
}

/// The scopes of each way to authenticate by OAuth; none where one way needs none.
fn scopes(security: Option<&Value>, document: &Value) -> Vec<Vec<String>> {
    let by_oauth = |scheme: &str| {
        let kind = document.pointer(&format!("/components/securitySchemes/{}/type", escape(scheme)));
        kind.is_some_and(|kind| kind == "oauth2" || kind == "openIdConnect")
    };
    let mut ways = Vec::new();
    for requirement in security.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object) {
        for (_, scopes) in requirement.iter().filter(|(scheme, _)| by_oauth(scheme)) {
            let texts = scopes.as_array().into_iter().flatten().filter_map(Value::as_str);
            ways.push(texts.map(str::to_owned).collect::<Vec<_>>());
        }
    }
    if ways.iter().any(Vec::is_empty) { Vec::new() } else { ways }
}

/// The place that a `$ref` leads to, or the place itself.
fn follow<'s>(at: &Located<'s>, root: &Located<'s>) -> Located<'s> {
    let mut here = at.clone();
    // A chain of references longer than this is a circle.
    for _ in 0..DEEPEST_REFERENCE {
        let Some(pointer) = here.value.get("$ref").and_then(Value::as_str).and_then(|r| r.strip_prefix('#')) else {
            return here;
        };
        let Some(target) = root.value.pointer(pointer) else { return here };
        here = root.at(pointer, target);
    }
    here
}

fn check_path_parameters(at: &Located<'_>, path: &str, parameters: &[SpecParameter]) {
    let in_path = template_parameters(path).unwrap_or_default();
    for name in &in_path {
        if !parameters.iter().any(|p| p.location == Location::Path && p.name == *name) {
            let hint = Some(format!("the path is `{path}`"));
            at.report(format!("a parameter `{name}` with `in: path`"), "none".to_owned(), hint);
        }
    }
    for parameter in parameters.iter().filter(|p| p.location == Location::Path) {
        if !in_path.contains(&parameter.name.as_str()) {
            let place = at.at(&parameter.pointer, at.value);
            let hint = nearest(&parameter.name, in_path.iter().copied()).map(|near| format!("did you mean `{near}`?"));
            place.report(format!("a path with `{{{}}}`", parameter.name), format!("`{path}`"), hint);
        }
    }
}

fn read_parameter(at: &Located<'_>, root: &Located<'_>) -> Option<SpecParameter> {
    at.object()?;
    let name = at.required("name", "the parameter's name")?.text()?.to_owned();
    if name.is_empty() {
        at.report("the parameter's name".to_owned(), "an empty text".to_owned(), None);
        return None;
    }
    let place = at.required("in", "one of `path`, `query`, `header`")?;
    let location = match place.text()? {
        "path" => Location::Path,
        "query" => Location::Query,
        // OpenAPI says that these three are described elsewhere and ignored here.
        "header" if ["accept", "content-type", "authorization"].contains(&name.to_lowercase().as_str()) => return None,
        "header" => {
            // RFC 9110, 5.6.2: anything else can't be sent.
            if !name.chars().all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)) {
                at.report("the name of a header".to_owned(), format!("`{name}`"), None);
                return None;
            }
            Location::Header
        }
        // Cookies belong to browsers; a vendor that needs one gets it from the credentials.
        "cookie" => return None,
        _ => {
            place.wrong(one_of(["path", "query", "header", "cookie"].into_iter()));
            return None;
        }
    };
    let required = at.get("required").and_then(|required| required.flag()).unwrap_or(false);
    if location == Location::Path && !required {
        at.report("`required: true` on a path parameter".to_owned(), format!("`{name}` without it"), None);
    }
    let content = at.get("content").and_then(|content| content.entries().into_iter().next());
    let (schema, style) = match (at.get("schema"), content) {
        (Some(schema), _) => (resolve(schema.value, root.value), read_style(at)),
        (None, Some((_, media))) => {
            let schema = media.get("schema").map_or(Value::Object(Map::new()), |s| resolve(s.value, root.value));
            (schema, QueryStyle::Json)
        }
        (None, None) => {
            at.required("schema", "the parameter's type");
            return None;
        }
    };
    let description = at.get("description").and_then(|text| text.text().map(str::to_owned)).filter(|t| !t.is_empty());
    let example = at.get("example").map(|example| example.value.clone());
    Some(SpecParameter { pointer: at.pointer.clone(), name, location, required, description, example, schema, style })
}

fn read_style(at: &Located<'_>) -> QueryStyle {
    let style = at.get("style");
    let name = style.as_ref().and_then(Located::text);
    let explode = at.get("explode").and_then(|explode| explode.flag()).unwrap_or(matches!(name, None | Some("form")));
    match name {
        Some("deepObject") => QueryStyle::DeepObject,
        Some("spaceDelimited") if !explode => QueryStyle::Joined(' '),
        Some("pipeDelimited") if !explode => QueryStyle::Joined('|'),
        None | Some("form" | "simple") if !explode => QueryStyle::Joined(','),
        None | Some("form" | "simple" | "spaceDelimited" | "pipeDelimited") => QueryStyle::Repeated,
        Some(other) => {
            if let Some(style) = style {
                style.report(
                    one_of(["form", "simple", "spaceDelimited", "pipeDelimited", "deepObject"].into_iter()),
                    format!("`{other}`"),
                    None,
                );
            }
            QueryStyle::Repeated
        }
    }
}

fn read_body(at: &Located<'_>, root: &Located<'_>) -> Option<SpecBody> {
    at.object()?;
    let required = at.get("required").and_then(|required| required.flag()).unwrap_or(false);
    let media = at.required("content", "the content types of the body")?;
    if media.object()?.is_empty() {
        media.report("at least one content type".to_owned(), describe(media.value), None);
    }
    let mut styles = Vec::new();
    for (content_type, media) in media.entries() {
        let Some(encoding) = media.get("encoding").filter(|encoding| encoding.value.is_object()) else { continue };
        for (property, encoding) in encoding.entries().into_iter().filter(|(_, encoding)| encoding.value.is_object()) {
            let json = encoding.value.get("contentType").and_then(Value::as_str).is_some_and(|t| t.contains("json"));
            let style = if json { QueryStyle::Json } else { read_style(&encoding) };
            styles.push((content_type.to_owned(), property.to_owned(), style));
        }
    }
    let content = media
        .entries()
        .into_iter()
        .map(|(name, media)| {
            let schema = media.get("schema").map_or(Value::Object(Map::new()), |s| resolve(s.value, root.value));
            (name.to_owned(), schema)
        })
        .collect();
    let description = at.get("description").and_then(|text| text.text().map(str::to_owned)).filter(|t| !t.is_empty());
    Some(SpecBody { required, description, content, styles })
}

/// The pointer to an operation.
pub fn operation_pointer(path: &str, method: &str) -> String {
    format!("/paths/{}/{method}", escape(path))
}
