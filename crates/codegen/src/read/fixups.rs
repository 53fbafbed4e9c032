//! Named corrections of a description that the emitters need: each states where it was applied,
//! and report.md lists it. They run after the overlay, so that an overlay can make them moot.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::read::paths::{METHODS, operation_pointer};
use toolwright_model::{function_name, snake_case};

/// One correction at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fixup {
    pub rule: &'static str,
    pub pointer: String,
    pub what: String,
}

/// Applies every correction, in order.
pub fn apply(document: &mut Value) -> Vec<Fixup> {
    let mut applied = Vec::new();
    for rule in [name_operations, qualify_duplicates] {
        rule(document, &mut applied);
    }
    applied
}

/// Every operation's path, method and id, in reading order.
fn operations(document: &Value) -> Vec<(String, &'static str, Option<Value>)> {
    let mut found = Vec::new();
    for (path, item) in document.get("paths").and_then(Value::as_object).into_iter().flatten() {
        for method in METHODS {
            if let Some(Value::Object(operation)) = item.get(method) {
                found.push((path.clone(), method, operation.get("operationId").cloned()));
            }
        }
    }
    found
}

fn set_id(document: &mut Value, pointer: &str, id: &str) {
    if let Some(Value::Object(operation)) = document.pointer_mut(pointer) {
        operation.insert("operationId".to_owned(), Value::from(id));
    }
}

/// An operation without an id gets one from its method and path: the client needs a function
/// name, and the record a stable one.
fn name_operations(document: &mut Value, applied: &mut Vec<Fixup>) {
    for (path, method, id) in operations(document) {
        if id.is_none() {
            let id = snake_case(&format!("{method} {path}"));
            let pointer = operation_pointer(&path, method);
            set_id(document, &pointer, &id);
            applied.push(Fixup {
                rule: "name-operation",
                pointer,
                what: format!("operationId `{id}` made from the path"),
            });
        }
    }
}

/// Ids that are equal as function names are qualified by path, then by method too. The first one
/// keeps its id, so that adding a duplicate upstream does not rename what was there.
fn qualify_duplicates(document: &mut Value, applied: &mut Vec<Fixup>) {
    let ids: Vec<(String, &str, String)> = operations(document)
        .into_iter()
        .filter_map(|(path, method, id)| Some((path, method, id?.as_str()?.to_owned())))
        .collect();
    // An id that a later operation has of its own is taken too.
    let mut taken: BTreeSet<String> = ids.iter().map(|(.., id)| function_name(id)).collect();
    let mut seen = BTreeSet::new();
    for (path, method, id) in ids {
        if seen.insert(function_name(&id)) {
            continue;
        }
        let by_path = snake_case(&format!("{id} {path}"));
        let by_both = snake_case(&format!("{id} {method} {path}"));
        // Two paths can differ in characters that no name has; then only a number distinguishes them.
        let numbered = (2..).map(|number| format!("{by_both}_{number}"));
        let free = [by_path, by_both.clone()].into_iter().chain(numbered).find(|name| taken.insert(name.clone()));
        let Some(qualified) = free else { continue };
        let pointer = operation_pointer(&path, method);
        set_id(document, &pointer, &qualified);
        let what = format!("operationId `{id}` is taken; `{qualified}` instead");
        applied.push(Fixup { rule: "qualify-duplicate", pointer, what });
    }
}
