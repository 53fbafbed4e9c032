//! A node of an OpenAPI 3.0 document → its [`Role`], as far as it takes to visit every schema and no
//! example, and to copy facts and no prose. It works on raw JSON, because converters meet
//! documents that are no OpenAPI 3.0 yet.

use serde_json::Value;

use toolwright_codegen::read::paths::METHODS;
use toolwright_codegen::read::reference::escape;

/// The OpenAPI object that a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Document,
    Components,
    PathItem,
    Operation,
    Parameter,
    Header,
    Body,
    Media,
    Encoding,
    Response,
    Schema,
    /// A map by names that the vendor chose, or a list.
    Many(&'static Role),
    /// Anything else; nothing below it is visited.
    Data,
}

/// The keys of a schema that hold several schemas.
const SCHEMAS: [&str; 8] =
    ["properties", "allOf", "oneOf", "anyOf", "prefixItems", "patternProperties", "$defs", "definitions"];

/// Returns the role of the node under `key` of a node with a `role`.
pub(crate) fn child(role: Role, key: &str) -> Role {
    use Role::{
        Body, Components, Data, Document, Encoding, Header, Many, Media, Operation, Parameter, PathItem, Response,
    };
    match (role, key) {
        (Document, "paths") | (Components, "pathItems") => Many(&PathItem),
        (Document, "components") => Components,
        (Components | PathItem | Operation, "parameters") => Many(&Parameter),
        (Components, "requestBodies") => Many(&Body),
        (Components | Operation, "responses") => Many(&Response),
        (Components | Response | Encoding, "headers") => Many(&Header),
        (PathItem, method) if METHODS.contains(&method) => Operation,
        (Operation, "requestBody") => Body,
        (Parameter | Header | Body | Response, "content") => Many(&Media),
        (Media, "encoding") => Many(&Encoding),
        (Parameter | Header | Media, "schema") | (Role::Schema, "items" | "additionalProperties" | "not") => {
            Role::Schema
        }
        (Components, "schemas") => Many(&Role::Schema),
        // The conversion from 3.1 removes the last four.
        (Role::Schema, key) if SCHEMAS.contains(&key) => Many(&Role::Schema),
        (Many(of), key) if !(*of == PathItem && key.starts_with("x-")) => *of,
        _ => Data,
    }
}

/// Calls `visit` for every node that has a role, children before their parent.
pub(crate) fn visit(document: &mut Value, visit: &mut dyn FnMut(Role, &mut Value, &str)) {
    walk(Role::Document, document, &mut String::new(), visit);
}

fn walk(role: Role, value: &mut Value, pointer: &mut String, visit: &mut dyn FnMut(Role, &mut Value, &str)) {
    if role == Role::Data {
        return;
    }
    let length = pointer.len();
    match value {
        Value::Object(object) => {
            for (key, entry) in object.iter_mut() {
                pointer.push('/');
                pointer.push_str(&escape(key));
                walk(child(role, key), entry, pointer, visit);
                pointer.truncate(length);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                pointer.push('/');
                pointer.push_str(&index.to_string());
                walk(child(role, ""), item, pointer, visit);
                pointer.truncate(length);
            }
        }
        _ => {}
    }
    visit(role, value, pointer);
}

/// Calls `visit` with every `$ref` of the document, also within examples.
pub(crate) fn references(value: &mut Value, visit: &mut dyn FnMut(&mut String)) {
    match value {
        Value::Object(object) => {
            for (key, entry) in object.iter_mut() {
                match entry {
                    Value::String(text) if key == "$ref" => visit(text),
                    entry => references(entry, visit),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| references(item, visit)),
        _ => {}
    }
}
