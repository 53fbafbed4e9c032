//! JSON with comments → the same with an entry put in or taken out.

use jsonc_parser::ParseOptions;
use jsonc_parser::cst::{CstArray, CstInputValue, CstObject, CstRootNode};
use serde_json::{Map, Value};

use super::{At, DocumentError, INPUTS};

/// Comments and trailing commas are what clients' files have; the parser's other liberties would hide a damaged file.
fn options() -> ParseOptions {
    ParseOptions {
        allow_comments: true,
        allow_trailing_commas: true,
        allow_loose_object_property_names: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_extended_string_escapes: false,
        allow_non_finite_numbers: false,
    }
}

fn parsed(text: &str) -> Result<CstRootNode, DocumentError> {
    CstRootNode::parse(text, &options()).map_err(|error| {
        // The parser's own message quotes the line, which may hold a secret.
        let range = error.range();
        let before = text.get(..range.start).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        DocumentError::Unreadable(format!("line {line}, column {column}: {}", error.kind()))
    })
}

pub(super) fn read(text: &str) -> Result<Value, DocumentError> {
    if text.trim().is_empty() {
        return Ok(Value::Null);
    }
    let root = parsed(text)?;
    let value = root.to_serde_value();
    value.ok_or_else(|| DocumentError::Unreadable("it holds nothing but comments".to_owned()))
}

pub(super) fn edit(
    text: &str,
    before: &Map<String, Value>,
    meant: &Map<String, Value>,
    at: At<'_>,
) -> Result<String, DocumentError> {
    if text.trim().is_empty() {
        return Ok(format!("{:#}\n", Value::Object(meant.clone())));
    }
    let root = parsed(text)?;
    let whole = root.object_value().ok_or(DocumentError::NotEditable)?;
    edit_inputs(&whole, before, meant)?;
    let entry = meant.get(at.key).and_then(|servers| servers.get(at.name));
    match (entry, meant.contains_key(at.key)) {
        (Some(entry), _) => put(&servers(&whole, at.key)?, at.name, entry),
        (None, true) => {
            let servers = servers(&whole, at.key)?;
            if let Some(property) = servers.get(at.name) {
                property.remove();
            }
        }
        (None, false) => {
            if let Some(property) = whole.get(at.key) {
                property.remove();
            }
        }
    }
    Ok(root.to_string())
}

fn servers(whole: &CstObject, key: &str) -> Result<CstObject, DocumentError> {
    whole.object_value_or_create(key).ok_or_else(|| DocumentError::NotAMap(key.to_owned()))
}

fn put(object: &CstObject, name: &str, value: &Value) {
    match object.get(name) {
        Some(property) => property.set_value(input(value)),
        None => drop(object.append(name, input(value))),
    }
}

/// Adds the inputs that are missing, and takes out those that are not meant any more.
fn edit_inputs(
    whole: &CstObject,
    before: &Map<String, Value>,
    meant: &Map<String, Value>,
) -> Result<(), DocumentError> {
    let list = |map: &Map<String, Value>| map.get(INPUTS).and_then(Value::as_array).cloned().unwrap_or_default();
    let (old, new) = (list(before), list(meant));
    if old == new {
        return Ok(());
    }
    if new.is_empty() {
        if let Some(property) = whole.get(INPUTS) {
            property.remove();
        }
        return Ok(());
    }
    let there: CstArray = whole.array_value_or_create(INPUTS).ok_or(DocumentError::NotEditable)?;
    for element in there.elements() {
        if element.to_serde_value().is_none_or(|value| !new.contains(&value)) {
            element.remove();
        }
    }
    for value in new.iter().filter(|value| !old.contains(value)) {
        there.append(input(value));
    }
    Ok(())
}

fn input(value: &Value) -> CstInputValue {
    match value {
        Value::Null => CstInputValue::Null,
        Value::Bool(truth) => CstInputValue::Bool(*truth),
        Value::Number(number) => CstInputValue::Number(number.to_string()),
        Value::String(text) => CstInputValue::String(text.clone()),
        Value::Array(items) => CstInputValue::Array(items.iter().map(input).collect()),
        Value::Object(map) => {
            CstInputValue::Object(map.iter().map(|(key, value)| (key.clone(), input(value))).collect())
        }
    }
}
