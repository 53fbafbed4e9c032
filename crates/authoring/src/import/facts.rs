//! A description in OpenAPI 3.0 → the same with its facts only: paths, methods, parameters, types,
//! limits, enums, required marks and references. A vendor's sentences and examples are the
//! vendor's property: they are dropped, and empty texts mark where ours are missing.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::convert::grammar::{Role, child, visit};
use toolwright_codegen::read::paths::METHODS;
use toolwright_codegen::read::reference::escape;
use toolwright_model::{kebab_case, vendor_tag};

/// The order of methods within a path.
const METHOD_ORDER: [&str; 8] = ["get", "post", "put", "patch", "delete", "head", "options", "trace"];

/// How names begin that are made for parts of other things, to which a description refers.
pub(crate) const SHARED: &str = "shared_";

/// The sections of `components`, in the order in which they are written.
const SECTIONS: [(&str, Role); 5] = [
    ("parameters", Role::Parameter),
    ("requestBodies", Role::Body),
    ("responses", Role::Response),
    ("headers", Role::Header),
    ("schemas", Role::Schema),
];

/// The keys of a node that are facts, in the order in which they are written.
pub(crate) fn keys(role: Role) -> &'static [&'static str] {
    match role {
        Role::PathItem => {
            &["servers", "parameters", "get", "post", "put", "patch", "delete", "head", "options", "trace"]
        }
        Role::Operation => {
            const OPERATION: [&str; 9] = [
                "operationId",
                "tags",
                "summary",
                "deprecated",
                "parameters",
                "requestBody",
                "responses",
                "security",
                "servers",
            ];
            &OPERATION
        }
        Role::Parameter => &[
            "name",
            "in",
            "required",
            "description",
            "deprecated",
            "allowEmptyValue",
            "style",
            "explode",
            "allowReserved",
            "schema",
            "content",
        ],
        Role::Header => &["required", "style", "explode", "schema", "content"],
        Role::Body => &["required", "content"],
        Role::Media => &["schema", "encoding"],
        Role::Encoding => &["contentType", "style", "explode", "allowReserved", "headers"],
        Role::Response => &["description", "headers", "content"],
        Role::Schema => &[
            "type",
            "format",
            "nullable",
            "enum",
            "default",
            "minimum",
            "exclusiveMinimum",
            "maximum",
            "exclusiveMaximum",
            "multipleOf",
            "minLength",
            "maxLength",
            "pattern",
            "minItems",
            "maxItems",
            "uniqueItems",
            "minProperties",
            "maxProperties",
            "readOnly",
            "writeOnly",
            "deprecated",
            "discriminator",
            "required",
            "properties",
            "additionalProperties",
            "items",
            "allOf",
            "oneOf",
            "anyOf",
            "not",
        ],
        Role::Document | Role::Components | Role::Many(_) | Role::Data => &[],
    }
}

/// Returns the facts of the operations that `wanted` (by id, method and path) chooses.
pub(crate) fn facts(document: &Value, wanted: &dyn Fn(&str, &str, &str) -> bool) -> Value {
    let mut document = document.clone();
    bring_into_components(&mut document);
    let mut paths: BTreeMap<&str, Value> = BTreeMap::new();
    for (path, item) in document.get("paths").and_then(Value::as_object).into_iter().flatten() {
        let mut item = item.clone();
        let Some(object) = item.as_object_mut() else { continue };
        for method in METHODS {
            let id = object.get(method).map(|o| o.get("operationId").and_then(Value::as_str).unwrap_or_default());
            if id.is_some_and(|id| !wanted(id, &method.to_uppercase(), path)) {
                object.shift_remove(method);
            }
        }
        if path.starts_with('/') && METHODS.iter().any(|method| object.contains_key(*method)) {
            paths.insert(path, of(Role::PathItem, &item, ""));
        }
    }
    let mut out = Map::new();
    out.insert("openapi".to_owned(), json!("3.0.3"));
    let info = |key: &str| document.pointer(&format!("/info/{key}")).and_then(Value::as_str).unwrap_or_default();
    out.insert("info".to_owned(), json!({"title": one_line(info("title")), "version": one_line(info("version"))}));
    if let Some(servers) = document.get("servers").and_then(Value::as_array) {
        out.insert("servers".to_owned(), addresses(servers));
    }
    if let Some(security) = document.get("security").filter(|security| security.is_array()) {
        out.insert("security".to_owned(), security.clone());
    }
    let paths: Map<String, Value> = paths.into_iter().map(|(path, item)| (path.to_owned(), item)).collect();
    let components = components(&document, &paths);
    out.insert("paths".to_owned(), Value::Object(paths));
    if !components.is_empty() {
        out.insert("components".to_owned(), Value::Object(components));
    }
    let mut out = Value::Object(out);
    mark_requests(&mut out);
    out
}

/// Puts the vendor's id before each of its tags that would mean something to us, such as `core`; returns how many
/// operations have one.
pub(crate) fn tags_of_vendor(document: &mut Value, vendor: &str) -> usize {
    let mut changed = 0;
    visit(document, &mut |role, value, _| {
        if role != Role::Operation {
            return;
        }
        let Some(Value::Array(tags)) = value.get_mut("tags") else { return };
        let before = tags.clone();
        for tag in tags.iter_mut() {
            let ours = tag.as_str().and_then(|tag| vendor_tag(vendor, tag).filter(|ours| *ours != kebab_case(tag)));
            if let Some(ours) = ours {
                *tag = Value::from(ours);
            }
        }
        changed += usize::from(*tags != before);
    });
    changed
}

/// The description with the targets of all references in its components, as its facts have them.
pub(super) fn with_components(document: &Value) -> Value {
    let mut document = document.clone();
    bring_into_components(&mut document);
    document
}

/// Turns the targets of references into other operations into components, so that they do not
/// depend on which operations are chosen.
fn bring_into_components(document: &mut Value) {
    let mut outside: Vec<(&'static str, String)> = Vec::new();
    visit(document, &mut |role, value, _| {
        let Some(section) = SECTIONS.iter().find(|(_, of)| *of == role).map(|(section, _)| *section) else { return };
        if let Some(reference) = value.get("$ref").and_then(Value::as_str)
            && !reference.starts_with("#/components/")
        {
            outside.push((section, reference.to_owned()));
        }
    });
    outside.sort();
    outside.dedup();
    let mut moved: BTreeMap<String, String> = BTreeMap::new();
    for (section, reference) in outside {
        let Some(part) = reference.strip_prefix('#').and_then(|pointer| document.pointer(pointer)).cloned() else {
            continue;
        };
        let taken = document.pointer(&format!("/components/{section}")).and_then(Value::as_object);
        let name = (1..u32::MAX)
            .map(|n| format!("{SHARED}{n}"))
            .find(|name| taken.is_none_or(|taken| !taken.contains_key(name)));
        let Some(name) = name else { continue };
        let Some(root) = document.as_object_mut() else { return };
        let components = root.entry("components").or_insert_with(|| json!({}));
        let Value::Object(components) = components else { continue };
        if let Value::Object(own) = components.entry(section).or_insert_with(|| json!({})) {
            own.insert(name.clone(), part);
            moved.insert(reference, format!("#/components/{section}/{name}"));
        }
    }
    if !moved.is_empty() {
        crate::convert::grammar::references(document, &mut |reference| {
            if let Some(new) = moved.get(reference) {
                reference.clone_from(new);
            }
        });
    }
}

/// Returns the facts of one node; `key` is its key.
fn of(role: Role, value: &Value, key: &str) -> Value {
    match (role, value) {
        (Role::Data, value) => data(value),
        (Role::Many(one), Value::Array(items)) => items.iter().map(|item| of(*one, item, "")).collect(),
        (Role::Many(one), Value::Object(entries)) => Value::Object(
            entries
                .iter()
                .filter(|(name, _)| *one == Role::Schema || !name.starts_with("x-"))
                .map(|(name, entry)| (name.clone(), of(*one, entry, name)))
                .collect(),
        ),
        (_, Value::Object(object)) => match object.get("$ref").filter(|reference| reference.is_string()) {
            Some(reference) => json!({"$ref": reference}),
            None => of_object(role, object, key),
        },
        // `true` or `false` in place of a schema.
        (Role::Schema, Value::Bool(flag)) => json!(flag),
        _ => json!({}),
    }
}

fn of_object(role: Role, object: &Map<String, Value>, key: &str) -> Value {
    let mut out = Map::new();
    for name in keys(role) {
        match (role, *name) {
            (Role::Operation, "summary") | (Role::Parameter, "description") => {
                out.insert((*name).to_owned(), json!(""));
                continue;
            }
            // OpenAPI requires a text here: HTTP's reason phrase is a neutral one.
            (Role::Response, "description") => {
                out.insert((*name).to_owned(), json!(reason(key)));
                continue;
            }
            _ => {}
        }
        let Some(value) = object.get(*name).filter(|value| is_fact(role, name, value)) else { continue };
        let facts = match value.as_array() {
            Some(servers) if *name == "servers" && role != Role::Schema => addresses(servers),
            _ => of(child(role, name), value, name),
        };
        out.insert((*name).to_owned(), facts);
    }
    Value::Object(out)
}

/// Returns whether a value has a type that OpenAPI allows for the key.
fn is_fact(role: Role, key: &str, value: &Value) -> bool {
    let scalar = !value.is_object() && !value.is_array() && !value.is_null();
    match (role, key) {
        (Role::Schema, "required") => value.as_array().is_some_and(|names| names.iter().all(Value::is_string)),
        (Role::Operation, "tags" | "parameters" | "security" | "servers")
        | (Role::PathItem, "parameters" | "servers") => value.is_array(),
        (Role::Schema, "enum" | "allOf" | "oneOf" | "anyOf") => value.as_array().is_some_and(|list| !list.is_empty()),
        (Role::Schema, "additionalProperties") => value.is_object() || value.is_boolean(),
        (Role::Schema, "discriminator") => value.is_object(),
        (Role::Schema, "default") => scalar,
        (role, key) if child(role, key) != Role::Data => value.is_object(),
        _ => scalar,
    }
}

/// Returns data without extensions and descriptions.
fn data(value: &Value) -> Value {
    match value {
        Value::Object(object) => Value::Object(
            object
                .iter()
                .filter(|(key, _)| !key.starts_with("x-") && !matches!(key.as_str(), "description" | "externalDocs"))
                .map(|(key, entry)| (key.clone(), data(entry)))
                .collect(),
        ),
        other => other.clone(),
    }
}

/// Returns a name on one line, at most 80 characters.
pub(super) fn one_line(text: &str) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    words.chars().filter(|c| !super::yaml::is_hidden(*c)).take(80).collect()
}

/// Returns the servers of a document, a path or an operation, without their sentences.
fn addresses(servers: &[Value]) -> Value {
    servers.iter().filter_map(server).collect()
}

fn server(server: &Value) -> Option<Value> {
    let mut out = json!({"url": server.get("url")?.as_str()?});
    let variables = server.get("variables").and_then(Value::as_object).into_iter().flatten();
    for (name, variable) in variables {
        for key in ["default", "enum"] {
            if let Some(value) = variable.get(key) {
                out["variables"][name][key] = value.clone();
            }
        }
    }
    Some(out)
}

/// The reason phrase of a status (RFC 9110).
fn reason(status: &str) -> &'static str {
    match status {
        "200" => "OK",
        "201" => "Created",
        "202" => "Accepted",
        "204" => "No Content",
        "302" => "Found",
        "303" => "See Other",
        "304" => "Not Modified",
        "400" => "Bad Request",
        "401" => "Unauthorized",
        "403" => "Forbidden",
        "404" => "Not Found",
        "405" => "Method Not Allowed",
        "409" => "Conflict",
        "410" => "Gone",
        "413" => "Content Too Large",
        "415" => "Unsupported Media Type",
        "422" => "Unprocessable Content",
        "429" => "Too Many Requests",
        "500" => "Internal Server Error",
        "501" => "Not Implemented",
        "503" => "Service Unavailable",
        _ if status.starts_with('2') => "Success",
        _ if status.starts_with('3') => "Redirection",
        _ if status.starts_with('4') => "Refusal",
        _ if status.starts_with('5') => "Server Error",
        _ => "Any other answer",
    }
}

/// Returns the components that the paths refer to, directly or through other components.
fn components(document: &Value, paths: &Map<String, Value>) -> Map<String, Value> {
    let mut found: BTreeMap<(String, String), Value> = BTreeMap::new();
    let mut waiting = BTreeSet::new();
    let mut heirs: BTreeSet<String> = BTreeSet::new();
    paths.values().for_each(|item| collect(item, &mut waiting));
    while let Some((section, name)) = waiting.pop_first() {
        let key = (section, name);
        let Some((_, role)) = SECTIONS.iter().find(|(section, _)| *section == key.0) else { continue };
        if found.contains_key(&key) {
            continue;
        }
        let pointer = format!("/components/{}/{}", key.0, key.1);
        let Some(part) = document.pointer(&pointer) else { continue };
        let part = of(*role, part, &key.1);
        collect(&part, &mut waiting);
        if part.get("discriminator").is_some() || heirs.contains(&key.1) {
            let own: Vec<String> = inheriting(document, &key.1).collect();
            waiting.extend(own.iter().map(|name| ("schemas".to_owned(), name.clone())));
            heirs.extend(own);
        }
        found.insert(key, part);
    }
    let mut out = Map::new();
    for (section, _) in SECTIONS {
        let own = found.iter().filter(|((of, _), _)| of == section);
        let own: Map<String, Value> =
            own.map(|((_, name), part)| (name.replace("~1", "/").replace("~0", "~"), part.clone())).collect();
        if !own.is_empty() {
            out.insert(section.to_owned(), Value::Object(own));
        }
    }
    let schemes = document.pointer("/components/securitySchemes").and_then(Value::as_object);
    let schemes: Map<String, Value> =
        schemes.into_iter().flatten().map(|(name, scheme)| (name.clone(), security_scheme(scheme))).collect();
    if !schemes.is_empty() {
        out.insert("securitySchemes".to_owned(), Value::Object(schemes));
    }
    out
}

/// The (escaped) names of the schemas whose `allOf` refers to the one of this name: nothing else may refer to them.
fn inheriting<'d>(document: &'d Value, name: &str) -> impl Iterator<Item = String> + 'd {
    let reference = format!("#/components/schemas/{name}");
    let schemas = document.pointer("/components/schemas").and_then(Value::as_object).into_iter().flatten();
    let refers = move |schema: &Value| {
        let parts = schema.get("allOf").and_then(Value::as_array).into_iter().flatten();
        parts.into_iter().any(|part| part.get("$ref").and_then(Value::as_str) == Some(&reference))
    };
    schemas.filter(move |(_, schema)| refers(schema)).map(|(name, _)| escape(name))
}

/// Adds the section and (escaped) name of each component that `value` refers to.
fn collect(value: &Value, into: &mut BTreeSet<(String, String)>) {
    match value {
        Value::Object(object) => {
            for target in object.get("mapping").and_then(Value::as_object).into_iter().flat_map(Map::values) {
                // A name alone is that of a schema.
                let target = target.as_str().unwrap_or_default();
                let name = target.strip_prefix("#/components/schemas/").map_or_else(|| escape(target), str::to_owned);
                into.insert(("schemas".to_owned(), name));
            }
            if let Some(reference) = object.get("$ref").and_then(Value::as_str) {
                let mut steps = reference.trim_start_matches("#/components/").split('/');
                if let (Some(section), Some(name)) = (steps.next(), steps.next()) {
                    into.insert((section.to_owned(), name.to_owned()));
                }
            }
            object.values().for_each(|entry| collect(entry, into));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, into)),
        _ => {}
    }
}

/// Gives the security schemes of facts the vendor's descriptions of them.
pub(crate) fn describe_schemes(facts: &mut Value, described: &Value) {
    let schemes = facts.pointer_mut("/components/securitySchemes").and_then(Value::as_object_mut);
    for (name, scheme) in schemes.into_iter().flatten() {
        let pointer = format!("/components/securitySchemes/{}/description", escape(name));
        if let (Some(text), Some(scheme)) = (described.pointer(&pointer), scheme.as_object_mut()) {
            scheme.insert("description".to_owned(), text.clone());
        }
    }
}

fn security_scheme(scheme: &Value) -> Value {
    let mut out = Map::new();
    for key in ["type", "scheme", "bearerFormat", "in", "name", "openIdConnectUrl", "$ref"] {
        if let Some(value) = scheme.get(key).filter(|value| value.is_string()) {
            out.insert(key.to_owned(), value.clone());
        }
    }
    for (name, flow) in scheme.get("flows").and_then(Value::as_object).into_iter().flatten() {
        let mut facts = Map::new();
        for key in ["authorizationUrl", "tokenUrl", "refreshUrl"] {
            if let Some(value) = flow.get(key).filter(|value| value.is_string()) {
                facts.insert(key.to_owned(), value.clone());
            }
        }
        // Names only: the meaning of a scope is a sentence of the vendor's.
        let scopes = flow.get("scopes").and_then(Value::as_object).into_iter().flatten();
        facts.insert("scopes".to_owned(), Value::Object(scopes.map(|(scope, _)| (scope.clone(), json!(""))).collect()));
        let flows = out.entry("flows").or_insert_with(|| json!({}));
        flows[name] = Value::Object(facts);
    }
    Value::Object(out)
}

/// Puts an empty description on each property that a caller can send.
fn mark_requests(document: &mut Value) {
    let mut waiting: BTreeSet<(String, String)> = BTreeSet::new();
    let mut done: BTreeSet<(String, String)> = BTreeSet::new();
    for item in document.get("paths").and_then(Value::as_object).into_iter().flat_map(|paths| paths.values()) {
        for method in METHOD_ORDER {
            if let Some(body) = item.get(method).and_then(|operation| operation.get("requestBody")) {
                collect(body, &mut waiting);
            }
        }
    }
    while let Some(key) = waiting.pop_first() {
        let pointer = format!("/components/{}/{}", key.0, key.1);
        if let Some(part) = document.pointer(&pointer).filter(|_| done.insert(key)) {
            collect(part, &mut waiting);
        }
    }
    visit(document, &mut |role, value, pointer| {
        if role != Role::Schema {
            return;
        }
        let steps: Vec<&str> = pointer.split('/').collect();
        let sent = match steps.as_slice() {
            ["", "components", section, name, ..] => done.contains(&((*section).to_owned(), (*name).to_owned())),
            ["", "paths", _, _, part, ..] => *part == "requestBody",
            _ => false,
        };
        let property = steps.len() > 5 && steps[steps.len() - 2] == "properties";
        let Value::Object(schema) = value else { return };
        if sent && property && !schema.contains_key("$ref") && schema.get("readOnly") != Some(&Value::Bool(true)) {
            // After the type, as in descriptions that people write.
            let mut marked = Map::new();
            let mut rest = std::mem::take(schema);
            for key in ["type", "format", "nullable"] {
                if let Some(value) = rest.shift_remove(key) {
                    marked.insert(key.to_owned(), value);
                }
            }
            marked.insert("description".to_owned(), json!(""));
            marked.extend(rest);
            *schema = marked;
        }
    });
}
