//! The raw JSON of a description → findings about all that the build needs and OpenAPI 3.0 demands:
//! version, head, paths, operations, references, and where `x-toolwright` is written. What has no
//! finding here is left to `faults`.

mod operation;

pub use operation::IGNORED_HEADERS;

use serde_json::{Map, Value};

use crate::read::keys;
use crate::read::located::{Located, did_you_mean, one_of};
use crate::read::paths::{METHODS, path_fault, template_parameters};
use crate::read::reference::{LONGEST_CHAIN, REF, raw_target, reference_of};
use toolwright_model::suggest_one;

/// Checks a whole description.
pub fn check_document(root: &Located<'_>) {
    // In another version, everything else in the file means something else.
    if root.object().is_none() || !is_read_version(root) {
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
    // Operations are checked with references followed.
    if check_references(root, root.value) {
        operation::check_operations(root);
    }
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

/// Refuses what would hide an operation: it would be neither lowered nor skipped.
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
    if let Some(reference) = item.get(REF) {
        reference
            .wrong_with_hint("operations", "the build reads no `$ref` in place of a path; write its operations here");
    } else if item.object().is_some() {
        const REST: [&str; 4] = ["summary", "description", "servers", "parameters"];
        for (key, entry) in item.entries().iter().filter(|(key, _)| !key.starts_with("x-")) {
            if !METHODS.contains(key) && !REST.contains(key) {
                let known = || METHODS.into_iter().chain(REST);
                let hint = did_you_mean(key, known());
                entry.report(one_of(known()), format!("the unknown key `{key}`"), hint);
            }
        }
    }
}

/// Reports each `x-toolwright` where nothing reads it: it belongs on operations and at the root.
pub fn check_extensions(at: &Located<'_>) {
    match at.value {
        Value::Object(object) => {
            let steps: Vec<&str> = at.pointer.split('/').collect();
            let operation = matches!(steps.as_slice(), ["", "paths", _, method] if METHODS.contains(method));
            let root = at.pointer.is_empty();
            if let Some(block) = at.get(keys::EXTENSION).filter(|_| !operation && !root) {
                let hint = "an operation is a target such as `$.paths['/api/Tickets'].get`, the whole description `$`";
                block.report(
                    format!("`{}` on an operation or the whole description", keys::EXTENSION),
                    "it elsewhere".to_owned(),
                    Some(hint.to_owned()),
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

/// Reads every `x-toolwright` for its findings only: faults of the description must not hide these.
pub fn check_keys(root: &Located<'_>) {
    if let Some(block) = root.get(keys::EXTENSION) {
        keys::read_api(&block);
    }
    let Some(paths) = root.get("paths").filter(|paths| paths.value.is_object()) else { return };
    for (_, item) in paths.entries() {
        for block in METHODS.iter().filter_map(|method| item.get(method)?.get(keys::EXTENSION)) {
            keys::read_operation(&block);
        }
    }
}

/// Reports each reference that leads nowhere; returns whether there is none.
fn check_references(at: &Located<'_>, document: &Value) -> bool {
    match at.value {
        Value::Object(object) => {
            let own = reference_of(at.value).is_none_or(|reference| check_reference(at, object, reference, document));
            let unsound = at.entries().iter().filter(|(_, entry)| !check_references(entry, document)).count();
            own && unsound == 0
        }
        Value::Array(_) => {
            let unsound = at.items().iter().filter(|item| !check_references(item, document)).count();
            unsound == 0
        }
        _ => true,
    }
}

fn check_reference(at: &Located<'_>, object: &Map<String, Value>, reference: &str, document: &Value) -> bool {
    if !reference.starts_with('#') {
        at.report(
            "a `$ref` that starts with `#/`".to_owned(),
            format!("`{reference}`"),
            Some("the build reads one file; bring the part into it".to_owned()),
        );
    } else if raw_target(document, reference).is_none() {
        at.report(
            "a `$ref` to something in this file".to_owned(),
            format!("`{reference}`, which is not there"),
            near_reference(reference, document),
        );
    } else if is_circle(object, document) {
        at.report(
            "a `$ref` that leads to something".to_owned(),
            format!("`{reference}`, which leads from one `$ref` to the next without end"),
            None,
        );
    } else {
        return true;
    }
    false
}

fn is_circle(reference: &Map<String, Value>, document: &Value) -> bool {
    let mut next = reference.get(REF);
    for _ in 0..LONGEST_CHAIN {
        let target = next.and_then(Value::as_str).and_then(|reference| raw_target(document, reference));
        next = target.and_then(|target| target.get(REF));
    }
    next.is_some()
}

fn near_reference(reference: &str, document: &Value) -> Option<String> {
    let (parent, name) = reference.strip_prefix('#')?.rsplit_once('/')?;
    let siblings = document.pointer(parent)?.as_object()?;
    suggest_one(name, siblings.keys().map(String::as_str)).map(|near| format!("did you mean `#{parent}/{near}`?"))
}
