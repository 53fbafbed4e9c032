//! Markdown → a document in the Atlassian Document Format, and such documents → Markdown.
//! Documents that a caller gives pass as they are.

mod inline;
mod markdown;
mod read;
mod write;

#[cfg(test)]
mod tests;

use serde_json::Value;

use super::{FormatError, short};

/// The longest Markdown that is taken: Jira's own limit is far below.
const LONGEST: usize = 200_000;

/// Writes what a model gave: Markdown, or a document as an object or as JSON text.
pub(super) fn write(value: Value) -> Result<Value, FormatError> {
    match value {
        Value::String(text) if text.len() > LONGEST => {
            Err(FormatError::new(format!("at most {LONGEST} characters"), format!("{} bytes", text.len())))
        }
        Value::String(text) => Ok(match given(&text) {
            Some(document) => document,
            None => document(&text),
        }),
        document if is_document(&document) => Ok(document),
        other => Err(FormatError::new(
            "Markdown, or an ADF document: `{\"type\": \"doc\", \"version\": 1, \"content\": […]}`",
            short(&other.to_string()),
        )),
    }
}

/// Markdown → a document.
pub fn document(text: &str) -> Value {
    write::document(markdown::read(text))
}

/// A document → Markdown.
pub fn markdown(document: &Value) -> String {
    read::markdown(document)
}

/// Whether a value is a document.
pub fn is_document(value: &Value) -> bool {
    value["type"] == "doc" && value["version"].is_number() && value["content"].is_array()
}

/// A document that was given as JSON text.
fn given(text: &str) -> Option<Value> {
    let document = text.trim_start().starts_with('{').then(|| serde_json::from_str(text).ok()).flatten();
    document.filter(is_document)
}

/// Replaces every document in an answer by its Markdown; says whether there was one.
pub(super) fn flatten(value: &mut Value) -> bool {
    if is_document(value) {
        *value = Value::from(markdown(value));
        return true;
    }
    let mut found = false;
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| found |= flatten(item)),
        Value::Object(entries) => entries.values_mut().for_each(|entry| found |= flatten(entry)),
        _ => {}
    }
    found
}
