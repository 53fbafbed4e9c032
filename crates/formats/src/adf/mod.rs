//! Markdown → a document in the Atlassian Document Format, and such documents → Markdown.
//! Documents that a caller gives pass as they are. In Markdown, the unambiguous part of Jira's wiki
//! markup is understood too, and what is written as a mention but names no account is refused.

mod bare_links;
mod build_document;
mod mentions;
mod parse_inline;
mod parse_markdown;
mod wiki_markup;
mod write_inline;
mod write_markdown;

#[cfg(test)]
mod published_structure;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use toolwright_model::{Formatted, answer_limits};

use crate::error::{FormatError, listed, short};
use crate::format::{Format, Mark, ReadValue, WriteFuture, written};
use crate::{FormatContext, schema};

/// The longest Markdown in bytes; Jira's own limit is far below.
const MAX_MARKDOWN: usize = 200_000;
/// What `tools` may name: the tool that finds the accounts of people.
pub(crate) const PEOPLE: &str = "people";
/// What is added to the description of an argument: the word by which it is there already, and the text.
pub(crate) const SCHEMA_TEXT: (&str, &str) =
    ("Markdown", "Markdown, or an ADF document. A mention: @[Name](accountid:ID).");

pub(crate) struct Adf;

impl Format for Adf {
    fn name(&self) -> &'static str {
        "adf"
    }

    fn summary(&self) -> &'static str {
        "Markdown, or an ADF document → a valid ADF document; in answers ADF → Markdown."
    }

    fn argument_schema(&self, _: &Formatted, schema: &mut Map<String, Value>) -> Result<(), &'static str> {
        schema::replace(schema, "string", SCHEMA_TEXT, &[]);
        Ok(())
    }

    fn samples(&self, _: &Formatted, _: &str) -> Vec<Value> {
        vec![json!("a **bold** word"), json!("# Head\n\n- one\n- two\n\n```sh\nls\n```")]
    }

    fn open_parts(&self) -> &'static [&'static str] {
        &[""]
    }

    fn write<'a>(
        &'a self,
        value: Value,
        formatted: &'a Formatted,
        _: &'a FormatContext<'a>,
        notes: &'a mut Vec<String>,
    ) -> WriteFuture<'a> {
        written(to_document(value, &formatted.tools, notes))
    }

    fn tool_words(&self) -> &'static [&'static str] {
        &[PEOPLE]
    }

    fn raw_switch(&self) -> Option<&'static str> {
        Some("Rich text as raw ADF")
    }

    fn marks(&self) -> &'static [(&'static str, Mark)] {
        &[("type", Mark::Text("doc")), ("version", Mark::Number), ("content", Mark::List)]
    }

    fn read(&self, value: &Value, _: &Value, left: &mut usize) -> ReadValue {
        ReadValue::Text(write_markdown::markdown(value, left))
    }
}

/// Writes Markdown, or a document as an object or as JSON text, as a document. `tools` may name what
/// finds people; what was understood of wiki markup goes to `notes`.
pub(crate) fn to_document(
    value: Value,
    tools: &BTreeMap<String, String>,
    notes: &mut Vec<String>,
) -> Result<Value, FormatError> {
    match value {
        Value::String(text) if text.len() > MAX_MARKDOWN => {
            Err(FormatError::new(format!("at most {MAX_MARKDOWN} bytes"), format!("{} bytes", text.len())))
        }
        Value::String(text) => match parsed(&text) {
            Some(document) => Ok(document),
            None => from_markdown(&text, tools, notes),
        },
        document if is_document(&document) => Ok(document),
        other => Err(FormatError::new(
            "Markdown, or an ADF document: `{\"type\": \"doc\", \"version\": 1, \"content\": […]}`",
            short(&other.to_string()),
        )),
    }
}

/// Returns Markdown as a document; mentions that name no account stay text.
pub fn document(text: &str) -> Value {
    let mut document = hidden_document(text).0;
    bare_links::show(&mut document);
    document
}

/// Returns Markdown as a document in which escaped signs are still hidden, and the signs of wiki
/// markup that were understood.
fn hidden_document(text: &str) -> (Value, Vec<&'static str>) {
    let (markdown, signs) = wiki_markup::to_markdown(text);
    (build_document::document(parse_markdown::parse(&markdown)), signs)
}

fn from_markdown(text: &str, tools: &BTreeMap<String, String>, notes: &mut Vec<String>) -> Result<Value, FormatError> {
    let (mut document, signs) = hidden_document(text);
    let unresolved = mentions::unresolved(&document);
    if !unresolved.is_empty() {
        let source = tools.get(PEOPLE).map(|tool| format!(", with the accountId from {tool}")).unwrap_or_default();
        let expected = format!(
            "each mention as `@[Name](accountid:…)`{source}; a name alone notifies no one. Where no mention is meant, \
             a backslash before the sign, `\\@`, or code in backticks"
        );
        return Err(FormatError::new(expected, listed(unresolved.iter().map(String::as_str))));
    }
    if !signs.is_empty() {
        let signs = listed(signs);
        notes.push(format!("{signs}: wiki markup, written as the rich text that it means; Markdown needs no guess"));
    }
    bare_links::show(&mut document);
    Ok(document)
}

/// Returns a document as Markdown.
pub fn markdown(document: &Value) -> String {
    write_markdown::markdown(document, &mut { answer_limits::BYTES })
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
