//! A tool → a page about it, in Markdown: more than its description has room for.

use std::fmt::Write as _;

use serde_json::Value;

use super::View;
use crate::call::CallTool;
use crate::catalog::CatalogEntry;
use crate::server::discover::FIND_TOOLS;
use toolwright_model::workflow::Step;

/// Writes the page.
pub(super) fn page(entry: &CatalogEntry, view: &View<'_>) -> String {
    let tool = &entry.tool;
    let listing = view.tools.listing(entry);
    let mut page = format!("# {}\n\n{}\n\n{}\n\n", tool.name, tool.title, listing.description.unwrap_or_default());
    let mut line = |name: &str, value: String| {
        if !value.is_empty() {
            let _ = writeln!(page, "- {name}: {value}");
        }
    };
    line("Effect", tool.effect.map_or("not reviewed", |effect| effect.as_str()).to_owned());
    line("Risks", joined(tool.risks.iter().map(|risk| risk.as_str())));
    line("Tags", joined(tool.tags.iter().map(String::as_str)));
    line("Other names", joined(tool.aliases.iter().map(String::as_str)));
    let calls = tool.calls.iter().map(|call| format!("`{} {}` of {}", call.method, call.path, call.api));
    line("Calls", calls.collect::<Vec<_>>().join(", "));
    let steps = tool.workflow.iter().flat_map(|workflow| &workflow.steps);
    // The tool of a step need not be offered by itself.
    let step = |step: &Step| match view.tools.get(&step.call.tool) {
        Some(entry) => format!("{} by {}", step.title, entry.tool.name),
        None => step.title.clone(),
    };
    line("Steps", steps.map(step).collect::<Vec<_>>().join("; "));
    line("Shown of each record unless `detail` asks for more", joined(tool.concise.iter().map(String::as_str)));
    if view.discovers {
        let call_tool = CallTool::of(tool.effect).name();
        line("How to call it", format!("`{call_tool}` with `tool` {} ; `{FIND_TOOLS}` finds others", tool.name));
    }
    // The listing is for every conversation; this is read by those who want to know all.
    let schema = Value::Object(view.tools.full_schema(entry));
    page.push_str(&arguments(&schema));
    let _ = write!(page, "\n## Input schema\n\n```json\n{schema:#}\n```\n");
    page
}

fn joined<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.collect::<Vec<_>>().join(", ")
}

/// The arguments, those that are required first.
fn arguments(schema: &Value) -> String {
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut properties: Vec<(&String, &Value)> = schema["properties"].as_object().into_iter().flatten().collect();
    if properties.is_empty() {
        return "\nIt takes no arguments.\n".to_owned();
    }
    properties.sort_by_key(|(name, _)| !required.contains(&name.as_str()));
    let mut text = "\n## Arguments\n\n".to_owned();
    for (name, property) in properties {
        let kind = property["type"].as_str().unwrap_or("any value");
        let needed = if required.contains(&name.as_str()) { ", required" } else { "" };
        let description = property["description"].as_str().unwrap_or_default();
        let _ = writeln!(text, "- `{name}` ({kind}{needed}): {description}");
    }
    text
}
