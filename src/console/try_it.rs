//! What was typed into the form of a tool → a call of the sandbox, and its answer as a model would read it.

use std::collections::BTreeMap;
use std::sync::Arc;

use rmcp::model::{CallToolResult, ContentBlock};
use serde_json::{Map, Value};

use super::tool_view::Control;
use crate::call::{Caller, Toolbox};
use crate::catalog::CatalogEntry;
use crate::mcp_result;
use crate::sandbox::Sandbox;
use crate::workflow;

/// The longest answer that a page shows, in characters.
const LONGEST: usize = 50_000;

/// The tools over the sandbox. No vendor is within their reach.
pub struct SandboxTools {
    toolbox: Arc<Toolbox>,
    /// It answers as long as it is kept.
    _sandbox: Sandbox,
}

impl std::fmt::Debug for SandboxTools {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SandboxTools")
    }
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tried {
    pub(super) failed: bool,
    pub(super) text: String,
}

impl SandboxTools {
    /// The tools of a toolbox whose every connection leads to this sandbox.
    pub fn new(toolbox: Toolbox, sandbox: Sandbox) -> Self {
        Self { toolbox: Arc::new(toolbox), _sandbox: sandbox }
    }

    /// Calls a tool with what was typed.
    pub(super) async fn call(&self, entry: &CatalogEntry, typed: &BTreeMap<String, String>) -> Tried {
        let arguments = match arguments(&entry.tool.parsed_input_schema(), typed) {
            Ok(arguments) => arguments,
            Err(text) => return Tried { failed: true, text },
        };
        let caller = Caller { client: Some("toolwright console".to_owned()), ..Caller::default() };
        let ending = workflow::call_as(&self.toolbox, &caller, &entry.head().name, arguments).await;
        let result = mcp_result::result_off_thread(&entry.vendor, ending).await;
        Tried { failed: result.is_error == Some(true), text: text(&result) }
    }
}

/// What was typed → arguments. An empty field is one that was not given.
fn arguments(schema: &Map<String, Value>, typed: &BTreeMap<String, String>) -> Result<Map<String, Value>, String> {
    let mut arguments = Map::new();
    for argument in super::tool_view::arguments(schema, typed) {
        let text = argument.value.trim();
        if text.is_empty() {
            continue;
        }
        let is_text = argument.kind.starts_with("string");
        let value = match &argument.control {
            Control::Json => serde_json::from_str(text)
                .map_err(|error| format!("`{}` is no JSON: {error}\nexpected: {}", argument.name, argument.kind))?,
            _ if is_text => Value::from(argument.value.clone()),
            // What is no number or boolean is for the tool to refuse.
            _ => serde_json::from_str(text).unwrap_or_else(|_| Value::from(text)),
        };
        arguments.insert(argument.name, value);
    }
    Ok(arguments)
}

/// The result as a person reads it: JSON indented, files named.
fn text(result: &CallToolResult) -> String {
    let block = |block: &ContentBlock| match block {
        ContentBlock::Text(text) => mcp_result::indented(&text.text).unwrap_or_else(|| text.text.clone()),
        ContentBlock::Image(image) => format!("({}, {} bytes in base64)", image.mime_type, image.data.len()),
        _ => "(a file; `toolwright call … --sandbox --format json` prints it)".to_owned(),
    };
    let whole = result.content.iter().map(block).collect::<Vec<_>>().join("\n");
    toolwright_model::truncate(&whole, LONGEST).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_typed_becomes_values_of_the_stated_types() {
        let Value::Object(schema) = json!({"properties": {
            "name": {"type": "string"}, "limit": {"type": "integer"}, "open": {"type": "boolean"},
            "ids": {"type": "array", "items": {"type": "string"}}, "none": {"type": "string"}
        }}) else {
            panic!("an object")
        };
        let typed = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
            pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
        };
        let given =
            typed(&[("name", "12"), ("limit", "5"), ("open", "true"), ("ids", "[\"a\"]"), ("none", " "), ("x", "y")]);
        let expected = json!({"name": "12", "limit": 5, "open": true, "ids": ["a"]});
        assert_eq!(arguments(&schema, &given).map(Value::Object), Ok(expected));
        assert_eq!(arguments(&schema, &typed(&[("limit", "many")])).unwrap()["limit"], "many");
        assert!(arguments(&schema, &typed(&[("ids", "a,b")])).unwrap_err().contains("`ids` is no JSON"));
    }
}
