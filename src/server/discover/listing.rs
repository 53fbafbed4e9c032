//! What a caller is offered → the few tools that are listed in place of it.

use std::collections::BTreeSet;
use std::sync::Arc;

use rmcp::model::{Tool, ToolAnnotations};
use serde_json::{Map, Value, json};

use super::find::{DEFAULT_LIMIT, MOST_FOUND};
use super::{ARGUMENTS, FIND_TOOLS, TOOL};
use crate::call::CallTool;
use crate::catalog::{Catalog, CatalogEntry};
use crate::server::tool_list::ANSWER_IS;
use toolwright_model::ANSWER;
use toolwright_model::workflow::ACROSS_VENDORS;

/// Vendors that the list names; of more than these, `find_tools` without arguments lists all.
const MOST_VENDORS: usize = 20;

/// Returns `find_tools` and a call tool for each effect that the offered tools have.
pub(in crate::server) fn tools(catalog: &Catalog, offered: &[&CatalogEntry]) -> Vec<Tool> {
    let effects: BTreeSet<CallTool> = offered.iter().map(|entry| CallTool::of(entry.tool.effect)).collect();
    let mut tools = vec![find_tools(catalog, offered, &effects)];
    tools.extend(effects.into_iter().map(|effect| call_tool(effect, offered)));
    tools
}

fn find_tools(catalog: &Catalog, offered: &[&CatalogEntry], effects: &BTreeSet<CallTool>) -> Tool {
    let vendors: BTreeSet<&str> = offered.iter().map(|entry| entry.vendor.as_str()).collect();
    let titles: Vec<&str> = vendors.iter().filter(|id| **id != ACROSS_VENDORS).map(|id| catalog.title(id)).collect();
    let products = match titles.as_slice() {
        titles if titles.len() <= MOST_VENDORS => titles.join(", "),
        titles => format!("{} products", titles.len()),
    };
    let calls: Vec<&str> = effects.iter().map(|effect| effect.name()).collect();
    let description = format!(
        "Find the tools of {products} for what is to be done. Returns up to {MOST_FOUND} tools, best first, each with name, \
         description, inputSchema and `call_with`: call it by that one of {}, with its name as `tool`. Ask by what the \
         user wants, one thing at a time; a tool's exact name returns that tool alone, with what its listing leaves out. \
         Without a question it returns a map of all that can be done here. `{ANSWER}` of tools that read: {ANSWER_IS}.",
        calls.join(", ")
    );
    let mut properties = Map::new();
    let question = "What the user wants, in plain words, such as: who is assigned to a ticket";
    properties.insert("question".to_owned(), json!({"type": "string", "description": question}));
    let mut vendor = json!({"type": "string", "description": "Only tools of this product"});
    if vendors.len() <= MOST_VENDORS {
        vendor["enum"] = json!(vendors);
    }
    properties.insert("vendor".to_owned(), vendor);
    // Every effect: what is wanted may be held back, and then that is the answer.
    let words = CallTool::ALL.map(CallTool::effect);
    let effect = json!({"type": "string", "enum": words, "description": "Only tools that do this"});
    properties.insert("effect".to_owned(), effect);
    let limit = json!({
        "type": "integer", "minimum": 1, "maximum": MOST_FOUND,
        "description": format!("How many, 1 to {MOST_FOUND}; {DEFAULT_LIMIT} when left out"),
    });
    properties.insert("limit".to_owned(), limit);
    let hints = ToolAnnotations::new().read_only(true).destructive(false).idempotent(true).open_world(false);
    Tool::new(FIND_TOOLS, description, schema(properties, &[])).with_title("Find tools").with_annotations(hints)
}

fn call_tool(tool: CallTool, offered: &[&CatalogEntry]) -> Tool {
    // Clients ask their users by the hints: one of a tool that it calls must be one of its own.
    let mut called = offered.iter().filter(|entry| CallTool::of(entry.tool.effect) == tool);
    let destroys = called.any(|entry| entry.tool.annotations.destructive_hint);
    let (what, title) = match tool {
        CallTool::Read => ("only reads: nothing at the vendor changes", "Call a tool that reads"),
        CallTool::Write => ("changes something: create, update, send, assign", "Call a tool that changes something"),
        CallTool::Destructive => (
            "deletes or takes away, or whose effect is not reviewed. Make sure that the user wants exactly this",
            "Call a tool that deletes or takes away",
        ),
    };
    let description = format!(
        "Call a tool that {what}. {FIND_TOOLS} finds it and returns its inputSchema; use this for tools whose `call_with` is \
         {}, others are refused. Returns what the tool returns.",
        tool.name()
    );
    let mut properties = Map::new();
    let name = format!("Its name, as {FIND_TOOLS} returned it");
    properties.insert(TOOL.to_owned(), json!({"type": "string", "description": name}));
    let arguments = json!({
        "type": "object", "additionalProperties": true,
        "description": "The tool's arguments, as its inputSchema states; {} for none",
    });
    properties.insert(ARGUMENTS.to_owned(), arguments);
    let hints = ToolAnnotations::new()
        .read_only(tool == CallTool::Read)
        .destructive(destroys)
        .idempotent(tool == CallTool::Read)
        .open_world(true);
    Tool::new(tool.name(), description, schema(properties, &[TOOL, ARGUMENTS]))
        .with_title(title)
        .with_annotations(hints)
}

/// The schema of an object with these properties and no others.
pub(super) fn schema(properties: Map<String, Value>, required: &[&str]) -> Arc<Map<String, Value>> {
    let mut schema = Map::new();
    schema.insert("type".to_owned(), json!("object"));
    schema.insert("properties".to_owned(), Value::Object(properties));
    if !required.is_empty() {
        schema.insert("required".to_owned(), json!(required));
    }
    schema.insert("additionalProperties".to_owned(), json!(false));
    Arc::new(schema)
}
