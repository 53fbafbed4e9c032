//! OpenAPI Overlay 1.0 over a description: each action finds its targets by JSONPath (RFC 9535)
//! and merges into them or removes them. Remembers which places came from which action, so that
//! a later complaint points at the overlay and not at the description.

use serde_json::Value;
use serde_json_path::{JsonPath, NormalizedPath};

use super::error::Errors;
use super::keys;
use super::located::{Located, Source, describe};

/// Places of the description that an overlay wrote: pointer prefix → overlay file, pointer there.
pub(crate) type Origins = Vec<(String, String, String)>;

/// Applies the overlay to the description.
pub(crate) fn apply(file: &str, overlay: &Value, description: &mut Value, errors: &mut Errors) -> Origins {
    let source = Source::new(file);
    let mut origins = Origins::new();
    let root = source.root(overlay);
    if root.object().is_some() {
        root.only(&["overlay", "info", "extends", "actions"]);
        match root.required("overlay", "the version of the Overlay Specification, `1.0.0`") {
            Some(version) if version.value.as_str().is_some_and(|v| v.starts_with("1.")) => {}
            Some(version) => version.wrong("`1.0.0`"),
            None => {}
        }
        if let Some(info) = root.required("info", "`title` and `version`") {
            info.required("title", "a text");
            info.required("version", "a text");
        }
        if let Some(actions) = root.required("actions", "a list of actions") {
            for action in actions.items() {
                apply_action(file, &action, description, &mut origins);
            }
        }
    }
    errors.append(source.into_errors());
    origins
}

fn apply_action(file: &str, action: &Located<'_>, description: &mut Value, origins: &mut Origins) {
    if action.object().is_none() {
        return;
    }
    action.only(&["target", "description", "update", "remove"]);
    let Some(target) = action.required("target", "a JSONPath") else { return };
    let Some(text) = target.text() else { return };
    let path = match JsonPath::parse(text) {
        Ok(path) => path,
        Err(error) => {
            target.wrong_with_hint("a JSONPath as in RFC 9535", error.to_string());
            return;
        }
    };
    let pointers: Vec<String> =
        path.query_located(description).locations().map(NormalizedPath::to_json_pointer).collect();
    if pointers.is_empty() {
        target.wrong_with_hint(
            "a target that stands in the description",
            "this action matches nothing: correct the path, or delete the action if the vendor dropped it",
        );
        return;
    }
    let remove = action.get("remove").and_then(|remove| remove.flag()).unwrap_or(false);
    let update = action.get("update");
    if !remove && update.is_none() {
        action.report("`update` or `remove: true`".to_owned(), "neither".to_owned(), None);
    }
    // Back to front, so that removing an item leaves the pointers of earlier ones right.
    for pointer in pointers.iter().rev() {
        if remove {
            remove_at(description, pointer);
        } else if let Some(update) = &update {
            let Some(node) = description.pointer_mut(pointer) else { continue };
            if let Some(items) = node.as_array_mut() {
                items.push(update.value.clone());
                origins.push((format!("{pointer}/{}", items.len() - 1), file.to_owned(), update.pointer.clone()));
            } else {
                merge(node, update);
                remember(update, pointer, file, origins);
            }
        }
    }
    if let Some(block) = update.and_then(|update| update.get(keys::EXTENSION)) {
        // Read for its complaints only: the merged block is read again once all actions are in.
        keys::read_operation(&block);
    }
}

/// Each entry of an update points back to its place in the overlay.
fn remember(update: &Located<'_>, pointer: &str, file: &str, origins: &mut Origins) {
    for (_, entry) in update.entries() {
        let tail = entry.pointer.strip_prefix(&update.pointer).unwrap_or_default();
        origins.push((format!("{pointer}{tail}"), file.to_owned(), entry.pointer.clone()));
    }
}

/// Merges as the specification says: objects entry by entry, lists end to end, anything else
/// replaced; an object, a list and a scalar don't mix.
fn merge(node: &mut Value, update: &Located<'_>) {
    match (node, update.value) {
        (Value::Object(object), Value::Object(_)) => {
            for (key, entry) in update.entries() {
                match object.get_mut(key) {
                    Some(existing) => merge(existing, &entry),
                    None => {
                        object.insert(key.to_owned(), entry.value.clone());
                    }
                }
            }
        }
        (Value::Array(items), Value::Array(more)) => items.extend(more.iter().cloned()),
        (node, value)
            if node.is_object() == value.is_object() && node.is_array() == value.is_array() || node.is_null() =>
        {
            *node = value.clone();
        }
        (node, _) => update.wrong(format!("something that can be merged into {}", describe(node))),
    }
}

fn remove_at(description: &mut Value, pointer: &str) {
    let Some((parent, key)) = pointer.rsplit_once('/') else { return };
    match description.pointer_mut(parent) {
        Some(Value::Object(object)) => {
            object.shift_remove(&key.replace("~1", "/").replace("~0", "~"));
        }
        Some(Value::Array(items)) => {
            if let Some(index) = key.parse::<usize>().ok().filter(|index| *index < items.len()) {
                items.remove(index);
            }
        }
        _ => {}
    }
}
