//! Faults of published descriptions → corrections, each with its place, where the meaning is beyond
//! doubt. All others stay, and the reader of 3.0 reports them.

use serde_json::{Map, Value, json};

use super::grammar::{Role, visit};
use super::{Dropped, Steps};
use toolwright_codegen::read::paths::{METHODS, path_fault, path_parts, template_parameters};
use toolwright_codegen::read::reference::escape;

/// Corrects the document in place; returns the operations that had to be left out.
pub(super) fn repair(document: &mut Value, steps: &mut Steps) -> Vec<Dropped> {
    let mut dropped = Vec::new();
    if let Value::Object(root) = document {
        info(root, steps);
    }
    path_references(document, steps, &mut dropped);
    paths(document, steps, &mut dropped);
    references(document, steps);
    nodes(document, steps);
    path_parameters(document, steps);
    dropped
}

fn info(root: &mut Map<String, Value>, steps: &mut Steps) {
    let info = root.entry("info").or_insert_with(|| json!({}));
    if !info.is_object() {
        *info = json!({});
    }
    for (key, default) in [("title", "Untitled"), ("version", "1")] {
        let text = match info.get(key) {
            Some(Value::String(_)) => continue,
            Some(Value::Number(number)) => number.to_string(),
            _ => default.to_owned(),
        };
        steps.add("info", &format!("/info/{key}"), format!("becomes the text `{text}`"));
        info[key] = Value::from(text);
    }
}

/// Writes out path items that are references, because the build reads operations only.
fn path_references(document: &mut Value, steps: &mut Steps, dropped: &mut Vec<Dropped>) {
    let Some(Value::Object(paths)) = document.get("paths") else { return };
    let mut found = Vec::new();
    for (path, item) in paths {
        let Some(reference) = item.get("$ref").and_then(Value::as_str) else { continue };
        let target = reference.strip_prefix('#').and_then(|pointer| document.pointer(pointer));
        // A reference to a further reference is not followed.
        let target = target.filter(|target| target.is_object() && target.get("$ref").is_none()).cloned();
        found.push((path.clone(), reference.to_owned(), target));
    }
    for (path, reference, target) in found {
        let pointer = format!("/paths/{}", escape(&path));
        let Some(Value::Object(paths)) = document.get_mut("paths") else { return };
        let item = paths.get_mut(&path).and_then(Value::as_object_mut);
        match (item, target) {
            (Some(item), Some(Value::Object(target))) => {
                item.shift_remove("$ref");
                for (key, value) in target {
                    item.entry(key).or_insert(value);
                }
                steps.add("path-reference", &pointer, format!("what `{reference}` holds is written out"));
            }
            _ => {
                paths.shift_remove(&path);
                let why = format!("its path refers to `{reference}`, which holds no operations");
                dropped.push(Dropped { method: "*".to_owned(), path, why });
            }
        }
    }
    // 3.0 has none; those in use are written out now.
    if let Some(Value::Object(components)) = document.get_mut("components") {
        components.shift_remove("pathItems");
    }
}

fn paths(document: &mut Value, steps: &mut Steps, dropped: &mut Vec<Dropped>) {
    const REST: [&str; 4] = ["summary", "description", "servers", "parameters"];
    let Some(Value::Object(paths)) = document.get_mut("paths") else { return };
    let taken: Vec<(String, Value)> = std::mem::take(paths).into_iter().collect();
    for (path, item) in taken {
        let pointer = format!("/paths/{}", escape(&path));
        if path.starts_with("x-") {
            paths.insert(path, item);
            continue;
        }
        let methods = || METHODS.iter().filter(|method| item.get(**method).is_some());
        if let Some(why) = path_fault(without_variable_query(&path).as_deref().unwrap_or(&path)) {
            dropped.extend(methods().map(|method| Dropped {
                method: method.to_uppercase(),
                path: path.clone(),
                why: why.to_owned(),
            }));
            continue;
        }
        let Value::Object(mut item) = item else {
            steps.add("path", &pointer, "holds no operations: left out");
            continue;
        };
        let mut path = path;
        if let Some(shorter) = without_variable_query(&path) {
            steps.add("path-query", &pointer, "values of the query that differ are parameters: left out of the path");
            path = shorter;
        }
        let constant: Vec<String> = path_parts(&path).query.iter().map(|(name, _)| (*name).to_owned()).collect();
        if !constant.is_empty() || path.contains('#') {
            let what = "operations on one path are distinguished by a query that is always sent, or by a fragment that never is";
            steps.add("path-query", &pointer, what);
            drop_query_parameters(&mut item, &constant);
        }
        if !path.starts_with('/') {
            steps.add("path", &pointer, "gets the slash that it lacks");
            path.insert(0, '/');
        }
        item.retain(|key, entry| {
            let operation = METHODS.contains(&key.as_str());
            let known = REST.contains(&key.as_str()) || key.starts_with("x-");
            if operation && !entry.is_object() {
                dropped.push(Dropped {
                    method: key.to_uppercase(),
                    path: path.clone(),
                    why: "it is no operation".to_owned(),
                });
                return false;
            }
            if !operation && !known {
                steps.add("path", &pointer, format!("`{key}` is no method: left out"));
            }
            operation || known
        });
        if paths.contains_key(&path) {
            steps.add("path", &pointer, "is a duplicate: the first one stays");
            continue;
        }
        paths.insert(path, Value::Object(item));
    }
}

/// A path without pairs of its query whose value is a parameter; `None` where there are none.
fn without_variable_query(path: &str) -> Option<String> {
    let (before, fragment) = path.split_once('#').map_or((path, None), |(before, after)| (before, Some(after)));
    let (start, query) = before.split_once('?')?;
    let kept: Vec<&str> = query.split('&').filter(|pair| !pair.contains('{')).collect();
    if kept.len() == query.split('&').count() {
        return None;
    }
    let query = if kept.is_empty() { String::new() } else { format!("?{}", kept.join("&")) };
    let fragment = fragment.map(|fragment| format!("#{fragment}")).unwrap_or_default();
    Some(format!("{start}{query}{fragment}"))
}

/// Drops the parameters that the path's own query states.
fn drop_query_parameters(item: &mut Map<String, Value>, constant: &[String]) {
    let is_stated = |parameter: &Value| {
        parameter.get("in").and_then(Value::as_str) == Some("query")
            && parameter.get("name").and_then(Value::as_str).is_some_and(|name| constant.iter().any(|own| own == name))
    };
    let drop = |holder: &mut Map<String, Value>| {
        if let Some(Value::Array(parameters)) = holder.get_mut("parameters") {
            parameters.retain(|parameter| !is_stated(parameter));
        }
    };
    drop(item);
    for method in METHODS {
        if let Some(Value::Object(operation)) = item.get_mut(method) {
            drop(operation);
        }
    }
}

/// Replaces a `$ref` that leads nowhere or in a circle by a schema that accepts anything.
fn references(document: &mut Value, steps: &mut Steps) {
    let mut lost = Vec::new();
    find_lost(document, document, &mut String::new(), &mut lost);
    // In reverse order, so that removing an item from a list moves no later one.
    for (pointer, reference) in lost.into_iter().rev() {
        let (parent, key) = pointer.rsplit_once('/').unwrap_or(("", ""));
        if let Some(Value::Array(items)) = document.pointer_mut(parent)
            && let Ok(index) = key.parse::<usize>()
            && index < items.len()
        {
            items.remove(index);
        } else if let Some(holder) = document.pointer_mut(&pointer) {
            *holder = json!({});
        }
        steps.add("lost-reference", &pointer, format!("`{reference}` leads nowhere: anything is accepted"));
    }
}

fn find_lost(at: &Value, document: &Value, pointer: &mut String, lost: &mut Vec<(String, String)>) {
    let length = pointer.len();
    match at {
        Value::Object(object) => {
            if let Some(Value::String(reference)) = object.get("$ref") {
                if !leads_somewhere(reference, document) {
                    lost.push((pointer.clone(), reference.clone()));
                }
                return;
            }
            for (key, entry) in object {
                pointer.push('/');
                pointer.push_str(&escape(key));
                find_lost(entry, document, pointer, lost);
                pointer.truncate(length);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                pointer.push('/');
                pointer.push_str(&index.to_string());
                find_lost(item, document, pointer, lost);
                pointer.truncate(length);
            }
        }
        _ => {}
    }
}

fn leads_somewhere(reference: &str, document: &Value) -> bool {
    const LONGEST_CHAIN: usize = 12;
    let mut next = reference;
    for _ in 0..LONGEST_CHAIN {
        let Some(target) = next.strip_prefix('#').and_then(|pointer| document.pointer(pointer)) else { return false };
        match target.get("$ref").and_then(Value::as_str) {
            Some(reference) => next = reference,
            None => return true,
        }
    }
    false
}

/// Adds what single operations, parameters and bodies lack.
fn nodes(document: &mut Value, steps: &mut Steps) {
    visit(document, &mut |role, value, pointer| {
        let list = matches!(role, Role::Many(Role::Parameter)) && !pointer.starts_with("/components");
        if role == Role::Many(&Role::Parameter)
            && let Value::Object(parameters) = value
        {
            let before = parameters.len();
            parameters.retain(|_, parameter| is_parameter(parameter));
            if parameters.len() != before {
                steps.add("parameters", pointer, "what has no name, place or legal header name is left out");
            }
        }
        if list && let Value::Array(parameters) = value {
            let before = parameters.len();
            parameters.retain(is_parameter);
            if parameters.len() != before {
                steps.add("parameters", pointer, "what has no name, place or legal header name is left out");
            }
        }
        let Value::Object(object) = value else { return };
        match role {
            Role::Operation => operation(object, pointer, steps),
            Role::Parameter if !object.contains_key("$ref") => parameter(object, pointer, steps),
            Role::Schema => {
                required(object, pointer, steps);
                words(object, pointer, steps);
                pattern(object, pointer, steps);
            }
            Role::Body if !object.contains_key("$ref") => {
                let empty = object.get("content").and_then(Value::as_object).is_none_or(Map::is_empty);
                if empty {
                    steps.add("body", pointer, "a body without a content type is JSON");
                    object.insert("content".to_owned(), json!({"application/json": {"schema": {}}}));
                }
            }
            _ => {}
        }
    });
}

/// Drops what is no name (in YAML 1.1, `y` is true), and required properties that a closed object
/// does not describe: no value could have them.
fn required(schema: &mut Map<String, Value>, pointer: &str, steps: &mut Steps) {
    if let Some(Value::Array(names)) = schema.get_mut("required") {
        let before = names.len();
        names.retain(Value::is_string);
        if names.len() != before {
            steps.add("required", pointer, "what is no name is left out");
        }
    }
    let composed = ["allOf", "oneOf", "anyOf"].iter().any(|key| schema.contains_key(*key));
    if composed || schema.get("additionalProperties") != Some(&Value::Bool(false)) {
        return;
    }
    let known = schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    let Some(Value::Array(names)) = schema.get_mut("required") else { return };
    names.retain(|name| {
        let kept = name.as_str().is_none_or(|name| known.contains_key(name));
        if !kept {
            steps.add("required", pointer, format!("{name} is required, but the object can't have it: not required"));
        }
        kept
    });
}

/// Of a text, values without quotes were read as numbers or the like.
fn words(schema: &mut Map<String, Value>, pointer: &str, steps: &mut Steps) {
    if schema.get("type").and_then(Value::as_str) != Some("string") {
        return;
    }
    let is_word = |value: &Value| value.is_number() || value.is_boolean();
    let mut changed = false;
    let values = schema.get_mut("enum").and_then(Value::as_array_mut).into_iter().flatten();
    for value in values.filter(|value| is_word(value)) {
        *value = Value::from(value.to_string());
        changed = true;
    }
    if let Some(default) = schema.get_mut("default").filter(|default| is_word(default)) {
        *default = Value::from(default.to_string());
        changed = true;
    }
    if changed {
        steps.add("enum", pointer, "values of a text that have no quotes become texts");
    }
}

/// Leaves out what is no regular expression: as one it would refuse every value.
fn pattern(schema: &mut Map<String, Value>, pointer: &str, steps: &mut Steps) {
    let Some(stated) = schema.get("pattern") else { return };
    let Some(text) = stated.as_str().map(str::to_owned) else {
        schema.shift_remove("pattern");
        steps.add("pattern", pointer, "is no text: left out");
        return;
    };
    // As JavaScript writes it.
    let bare = text.strip_prefix('/').and_then(|text| text.strip_suffix('/')).unwrap_or(&text).to_owned();
    if is_notation(&bare) {
        schema.shift_remove("pattern");
        steps.add("pattern", pointer, format!("`{text}` is a notation and no regular expression: left out"));
    } else if let Some(fault) = toolwright_formats::pattern_fault(&bare) {
        // Look-around is an expression for vendors and for the check, and none for the reader of this crate.
        if !["(?=", "(?!", "(?<", "\\1"].iter().any(|part| bare.contains(part)) {
            schema.shift_remove("pattern");
            steps.add("pattern", pointer, format!("`{text}` is no regular expression ({fault}): left out"));
        }
    } else if bare != text {
        steps.add("pattern", pointer, "its slashes are JavaScript's: left out");
        schema.insert("pattern".to_owned(), Value::from(bare));
    }
}

/// Whether a pattern says by letters how a date, time or number is written: `YYYY-MM-DD`, `hh:mm`, `###-##`.
fn is_notation(pattern: &str) -> bool {
    const RUNS: [&str; 8] = ["YYYY", "yyyy", "MM", "DD", "dd", "HH", "hh", "##"];
    let operators = pattern.chars().any(|c| "\\^$|?*+()[]{}".contains(c));
    !operators && RUNS.iter().any(|run| pattern.contains(run))
}

fn is_parameter(parameter: &Value) -> bool {
    if parameter.get("$ref").is_some() {
        return true;
    }
    let text = |key: &str| parameter.get(key).and_then(Value::as_str).unwrap_or_default();
    let token = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c));
    let (name, place) = (text("name"), text("in"));
    !name.is_empty() && ["path", "query", "header", "cookie"].contains(&place) && (place != "header" || token(name))
}

fn operation(operation: &mut Map<String, Value>, pointer: &str, steps: &mut Steps) {
    match operation.get("operationId") {
        Some(Value::String(id)) if id.chars().any(|c| c.is_ascii_alphanumeric()) => {}
        None => {}
        Some(other) => {
            steps.add("operation-id", pointer, format!("`{other}` names nothing: made from the path"));
            operation.shift_remove("operationId");
        }
    }
    if !operation.get("responses").is_some_and(Value::is_object) {
        steps.add("responses", pointer, "no answers are described: any is accepted");
        operation.insert("responses".to_owned(), json!({"default": {"description": ""}}));
    }
    for key in ["summary", "description"] {
        if operation.get(key).is_some_and(|text| !text.is_string()) {
            operation.shift_remove(key);
        }
    }
    if let Some(tags) = operation.get_mut("tags") {
        match tags {
            Value::Array(tags) => tags.retain(Value::is_string),
            _ => *tags = json!([]),
        }
    }
    if operation.get("parameters").is_some_and(|parameters| !parameters.is_array()) {
        steps.add("parameters", pointer, "is no list: left out");
        operation.shift_remove("parameters");
    }
}

fn parameter(parameter: &mut Map<String, Value>, pointer: &str, steps: &mut Steps) {
    const STYLES: [&str; 7] = ["form", "simple", "spaceDelimited", "pipeDelimited", "deepObject", "label", "matrix"];
    let name = parameter.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    if parameter.get("in").and_then(Value::as_str) == Some("path") {
        if parameter.get("required") != Some(&Value::Bool(true)) {
            steps.add("path-parameter", pointer, format!("`{name}` is part of the path, so it is required"));
            parameter.insert("required".to_owned(), json!(true));
        }
    } else if parameter.get("required").is_some_and(|required| !required.is_boolean()) {
        parameter.shift_remove("required");
    }
    let content = parameter.get("content").and_then(Value::as_object).is_some_and(|content| !content.is_empty());
    if !content && !parameter.get("schema").is_some_and(Value::is_object) {
        steps.add("parameter-type", pointer, format!("`{name}` has no type: text"));
        parameter.insert("schema".to_owned(), json!({"type": "string"}));
    }
    if parameter.get("style").is_some_and(|style| !style.as_str().is_some_and(|style| STYLES.contains(&style))) {
        steps.add("style", pointer, format!("`{name}` has a style that does not exist: left out"));
        parameter.shift_remove("style");
    }
    if parameter.get("description").is_some_and(|text| !text.is_string()) {
        parameter.shift_remove("description");
    }
}

/// Makes path parameters equal to the names in the braces of the path.
fn path_parameters(document: &mut Value, steps: &mut Steps) {
    let resolved = |document: &Value, parameter: &Value| -> Option<String> {
        let mut here = parameter;
        // Longer chains were removed before.
        for _ in 0..12 {
            match here.get("$ref").and_then(Value::as_str).and_then(|r| r.strip_prefix('#')) {
                Some(pointer) => here = document.pointer(pointer)?,
                None => break,
            }
        }
        (here.get("in")? == "path").then(|| here.get("name")?.as_str().map(str::to_owned)).flatten()
    };
    let Some(Value::Object(paths)) = document.get("paths") else { return };
    let mut changes: Vec<(String, Vec<usize>, Vec<String>)> = Vec::new();
    for (path, item) in paths {
        let names = template_parameters(path).unwrap_or_default();
        let list = |holder: &Value| holder.get("parameters").and_then(Value::as_array).cloned().unwrap_or_default();
        let strangers = |parameters: &[Value]| -> Vec<usize> {
            let stranger =
                |parameter: &Value| resolved(document, parameter).is_some_and(|name| !names.contains(&name.as_str()));
            (0..parameters.len()).filter(|index| stranger(&parameters[*index])).collect()
        };
        let shared = list(item);
        let pointer = format!("/paths/{}", escape(path));
        changes.push((pointer.clone(), strangers(&shared), Vec::new()));
        for method in METHODS {
            let Some(operation) = item.get(method) else { continue };
            let own = list(operation);
            let known: Vec<String> =
                own.iter().chain(&shared).filter_map(|parameter| resolved(document, parameter)).collect();
            let mut missing: Vec<String> =
                names.iter().filter(|name| !known.iter().any(|k| k == *name)).map(|name| (*name).to_owned()).collect();
            missing.dedup();
            changes.push((format!("{pointer}/{method}"), strangers(&own), missing));
        }
    }
    for (pointer, strangers, missing) in changes {
        let Some(Value::Object(holder)) = document.pointer_mut(&pointer) else { continue };
        if let Some(Value::Array(parameters)) = holder.get_mut("parameters") {
            for index in strangers.iter().rev() {
                parameters.remove(*index);
                steps.add("path-parameter", &pointer, "a parameter that the path does not have is left out");
            }
        }
        for name in missing {
            steps.add("path-parameter", &pointer, format!("`{name}` is in the path only: a text"));
            let parameter = json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}});
            if let Value::Array(parameters) = holder.entry("parameters").or_insert_with(|| json!([])) {
                parameters.push(parameter);
            }
        }
    }
}
