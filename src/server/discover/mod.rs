//! A call of `find_tools` → the tools that a question is about, complete; a call of a call tool → the call of the tool that
//! it names. `serve --discover` lists these few tools in place of all others.
//!
//! Nothing is remembered: what is found or can be called depends on no earlier request.

mod find;
mod listing;

pub(super) use find::{cut_question, find};
pub(super) use listing::tools;

use std::collections::BTreeSet;

use rmcp::model::JsonObject;
use serde_json::{Value, json};

use crate::call::arguments::{HIDDEN, masked_by_name};
use crate::call::{CallTool, OfferedTools, Toolbox};
use crate::catalog::CatalogEntry;
use crate::error::ConfigError;
use crate::policy::NamePatterns;
use toolwright_model::truncate;

/// The tool that finds tools.
pub(super) const FIND_TOOLS: &str = "find_tools";
/// The argument of a call tool that names the tool.
const TOOL: &str = "tool";
/// The argument of a call tool that holds the tool's own.
const ARGUMENTS: &str = "arguments";

/// The longest value and the longest name that a refusal repeats, in characters, and the most names.
const LONGEST_VALUE: usize = 40;
const LONGEST_NAME: usize = 100;
const MOST_ARGUMENTS: usize = 20;

/// What `serve --discover` needs: made once at the start.
pub(super) struct Discovery {
    /// The tools that are listed besides.
    pinned: NamePatterns,
}

/// What a call of one of the listed tools means.
pub(super) enum Meaning {
    /// The call of a tool, by the call tool that the client used.
    Call { tool: String, arguments: JsonObject, through: Option<CallTool> },
    /// Tools are looked for.
    Find(JsonObject),
    /// The call of a tool is not understood; the text tells how it is written.
    Unclear { tool: String, text: String },
}

impl Discovery {
    /// Checks what is pinned.
    ///
    /// # Errors
    /// A pinned tool is not offered.
    pub(super) fn new(toolbox: &Toolbox, pinned: NamePatterns) -> Result<Self, ConfigError> {
        let offered: Vec<&CatalogEntry> = toolbox.offered().collect();
        pinned.each_matches(&offered)?;
        Ok(Self { pinned })
    }

    /// Whether a tool is listed in full.
    pub(super) fn is_pinned(&self, entry: &CatalogEntry) -> bool {
        self.pinned.match_tool(entry)
    }
}

/// The names of the call tools for what is offered, as a text has them.
pub(super) fn call_tools(tools: &OfferedTools) -> String {
    let call_tools: BTreeSet<CallTool> = tools.iter().map(|entry| CallTool::of(entry.tool.effect)).collect();
    let names: Vec<String> = call_tools.into_iter().map(|tool| format!("`{}`", tool.name())).collect();
    names.join(", ")
}

/// Reads what a call means.
pub(super) fn meaning(name: &str, arguments: JsonObject) -> Meaning {
    if name == FIND_TOOLS {
        return Meaning::Find(arguments);
    }
    match CallTool::ALL.into_iter().find(|tool| tool.name() == name) {
        Some(through) => call_of(through, arguments),
        None => Meaning::Call { tool: name.to_owned(), arguments, through: None },
    }
}

/// Reads the arguments of a call tool. What a model writes beside `arguments` is not moved into it: where both have a
/// value, one of them would be lost.
fn call_of(through: CallTool, mut given: JsonObject) -> Meaning {
    let name = through.name();
    let unclear = |tool: &str, fault: String, example: &Value| {
        let of_both =
            "`tool` is a name that find_tools returned, `arguments` an object as that tool's inputSchema states";
        let text = format!("{name}: {fault}; nothing was sent\nhint: {of_both}: {example}");
        Meaning::Unclear { tool: tool.to_owned(), text }
    };
    let tool = match given.shift_remove(TOOL) {
        Some(Value::String(tool)) if !tool.trim().is_empty() => tool.trim().to_owned(),
        _ => return unclear(name, "the name of the tool is missing".to_owned(), &json!({TOOL: "…", ARGUMENTS: {}})),
    };
    if tool == FIND_TOOLS || CallTool::ALL.iter().any(|call_tool| call_tool.name() == tool) {
        let text = format!("call `{tool}` itself, not by `{name}`; nothing was sent");
        return Meaning::Unclear { tool, text };
    }
    let arguments = match given.shift_remove(ARGUMENTS) {
        None | Some(Value::Null) => Some(JsonObject::new()),
        Some(Value::Object(arguments)) => Some(arguments),
        // Several models write nested objects as text.
        Some(Value::String(text)) if text.trim().is_empty() => Some(JsonObject::new()),
        Some(Value::String(text)) => serde_json::from_str(&text).ok(),
        Some(_) => None,
    };
    let shown = truncate(&tool, LONGEST_NAME);
    let Some(arguments) = arguments else {
        let example = json!({TOOL: shown, ARGUMENTS: {"name": "value"}});
        return unclear(&tool, format!("`{ARGUMENTS}` is no object"), &example);
    };
    if !given.is_empty() {
        let names: Vec<_> = given.keys().take(MOST_ARGUMENTS).map(|name| truncate(name, LONGEST_NAME)).collect();
        let fault = format!("`{}` belongs into `{ARGUMENTS}`", names.join("`, `"));
        let all: JsonObject = arguments.into_iter().chain(given).collect();
        return unclear(&tool, fault, &json!({TOOL: shown, ARGUMENTS: in_short(&all)}));
    }
    Meaning::Call { tool, arguments, through: Some(through) }
}

/// Arguments as an example repeats them: without what is secret, and with no long value.
fn in_short(arguments: &JsonObject) -> JsonObject {
    let short = |(name, value): (String, Value)| {
        let is_long = value.to_string().chars().nth(LONGEST_VALUE).is_some();
        let shown = if value == HIDDEN || is_long { Value::from("…") } else { value };
        (truncate(&name, LONGEST_NAME).into_owned(), shown)
    };
    masked_by_name(arguments).into_iter().take(MOST_ARGUMENTS).map(short).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_repeats_no_secret_and_nothing_long() {
        let long = "x".repeat(5_000);
        let text_of = |given: Value| match meaning("call_write", given.as_object().cloned().unwrap_or_default()) {
            Meaning::Unclear { text, .. } => text,
            Meaning::Call { .. } | Meaning::Find(_) => panic!("it is understood: {given}"),
        };
        let secrets = json!({"tool": "acme_set", "password": "S3", "user": {"api_key": "S3"}, "list": ["{\"token\": \"S3\"}"],
            "arguments": {"Authorization": "S3", "id": 7}});
        let text = text_of(secrets);
        assert!(!text.contains("S3") && text.contains("\"id\":7") && text.contains("`password`"), "{text}");
        let many: JsonObject = (0..500).map(|number| (format!("{number}{long}"), json!(1))).collect();
        for given in [
            json!({"tool": "acme_set", "body": long}),
            json!({"tool": "acme_set", "body": "b", "arguments": {"body": {"deep": [long]}}}),
            json!({"tool": long, "body": 1}),
            json!({"tool": long, "arguments": [1]}),
            json!({"tool": "acme_set", "arguments": [long]}),
            json!({"tool": "acme_set", "arguments": long}),
            json!({"tool": "acme_set", long.as_str(): 1}),
            json!({"tool": [long]}),
            Value::Object([("tool".to_owned(), json!("acme_set"))].into_iter().chain(many).collect()),
        ] {
            let text = text_of(given);
            assert!(text.chars().count() < 5_000 && !text.contains(&"x".repeat(200)), "{text}");
        }
    }
}
