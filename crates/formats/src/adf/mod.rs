//! Markdown → a document in the Atlassian Document Format, and such documents → Markdown.
//! Documents that a caller gives pass as they are.

mod build_document;
mod parse_inline;
mod parse_markdown;
mod write_inline;
mod write_markdown;

#[cfg(test)]
mod tests;

use serde_json::{Map, Value, json};
use toolwright_model::Formatted;

use crate::error::{FormatError, short};
use crate::format::{Format, WriteFuture, written};
use crate::{FormatContext, schema};

/// The longest Markdown in bytes; Jira's own limit is far below.
const MAX_MARKDOWN: usize = 200_000;

pub(crate) struct Adf;

impl Format for Adf {
    fn name(&self) -> &'static str {
        "adf"
    }

    fn summary(&self) -> &'static str {
        "Markdown, or an ADF document → a valid ADF document; in answers ADF → Markdown."
    }

    fn argument_schema(&self, _: &Formatted, schema: &mut Map<String, Value>) -> Result<(), &'static str> {
        schema::replace(schema, "string", ("Markdown", "Markdown, or an ADF document."), &[]);
        Ok(())
    }

    fn samples(&self, _: &Formatted, _: &str) -> Vec<Value> {
        vec![json!("a **bold** word"), json!("# Head\n\n- one\n- two\n\n```sh\nls\n```")]
    }

    fn open_part(&self) -> Option<&'static str> {
        Some("")
    }

    fn write<'a>(
        &'a self,
        value: Value,
        _: &'a Formatted,
        _: &'a FormatContext<'a>,
        _: &'a mut Vec<String>,
    ) -> WriteFuture<'a> {
        written(to_document(value))
    }

    fn raw_switch(&self) -> Option<&'static str> {
        Some("Rich text as raw ADF")
    }

    fn read(&self, answer: &mut Value) -> bool {
        to_markdown(answer)
    }
}

/// Writes Markdown, or a document as an object or as JSON text, as a document.
fn to_document(value: Value) -> Result<Value, FormatError> {
    match value {
        Value::String(text) if text.len() > MAX_MARKDOWN => {
            Err(FormatError::new(format!("at most {MAX_MARKDOWN} bytes"), format!("{} bytes", text.len())))
        }
        Value::String(text) => Ok(parsed(&text).unwrap_or_else(|| document(&text))),
        document if is_document(&document) => Ok(document),
        other => Err(FormatError::new(
            "Markdown, or an ADF document: `{\"type\": \"doc\", \"version\": 1, \"content\": […]}`",
            short(&other.to_string()),
        )),
    }
}

/// Returns Markdown as a document.
pub fn document(text: &str) -> Value {
    build_document::document(parse_markdown::parse(text))
}

/// Returns a document as Markdown.
pub fn markdown(document: &Value) -> String {
    write_markdown::markdown(document)
}

/// Returns whether a value is a document.
pub fn is_document(value: &Value) -> bool {
    value["type"] == "doc" && value["version"].is_number() && value["content"].is_array()
}

/// Returns the document that a JSON text holds.
fn parsed(text: &str) -> Option<Value> {
    let document = text.trim_start().starts_with('{').then(|| serde_json::from_str(text).ok()).flatten();
    document.filter(is_document)
}

/// Replaces every document in an answer by its Markdown; returns whether there was one.
fn to_markdown(value: &mut Value) -> bool {
    if is_document(value) {
        *value = Value::from(markdown(value));
        return true;
    }
    let mut found = false;
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| found |= to_markdown(item)),
        Value::Object(entries) => entries.values_mut().for_each(|entry| found |= to_markdown(entry)),
        _ => {}
    }
    found
}
