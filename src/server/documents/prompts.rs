//! The prompts of vendor.toml → those whose tools are all offered, listed and filled in.

use rmcp::ErrorData;
use rmcp::model::{
    CacheScope, GetPromptResult, JsonObject, ListPromptsResult, Prompt as Listed, PromptArgument as ListedArgument,
    PromptMessage, Role,
};
use serde_json::Value;
use toolwright_model::{Prompt, Vendor, suggest, truncate};

use super::View;
use crate::call::OfferedTools;
use crate::server::LIST_TTL_MS;
use crate::server::discover::{FIND_TOOLS, call_tools};

/// The longest value that is filled in, in characters.
const LONGEST_VALUE: usize = 500;
/// The longest name that an error repeats, in characters.
const LONGEST_NAME: usize = 100;

/// The prompts whose tools are all offered, with their vendors.
pub(super) fn offered<'a>(view: &'a View<'_>) -> impl Iterator<Item = (&'a Vendor, &'a Prompt)> {
    let all =
        view.catalog.vendors().iter().flat_map(|vendor| vendor.prompts.iter().map(move |prompt| (vendor, prompt)));
    all.filter(|(_, prompt)| prompt.needs.iter().all(|tool| view.tools.get(tool).is_some()))
}

/// Finds a prompt by its name.
pub(super) fn find<'a>(name: &str, view: &'a View<'_>) -> Option<(&'a Vendor, &'a Prompt)> {
    offered(view).find(|(vendor, prompt)| prompt.full_name(&vendor.id) == name)
}

/// Lists the prompts.
pub(in crate::server) fn list(view: &View<'_>) -> ListPromptsResult {
    let listed = offered(view).map(|(vendor, prompt)| {
        let arguments = prompt.arguments.iter().map(|argument| {
            let listed = ListedArgument::new(&argument.name).with_description(&argument.description);
            listed.with_required(argument.required)
        });
        let title = format!("{} ({})", prompt.title, vendor.title);
        Listed::new(prompt.full_name(&vendor.id), Some(&prompt.description), Some(arguments.collect()))
            .with_title(title)
    });
    ListPromptsResult::with_all_items(listed.collect()).with_ttl_ms(LIST_TTL_MS).with_cache_scope(CacheScope::Private)
}

/// Fills in a prompt.
///
/// # Errors
/// There is none of this name for this caller, or an argument is missing or unknown.
pub(in crate::server) fn get(name: &str, given: &JsonObject, view: &View<'_>) -> Result<GetPromptResult, ErrorData> {
    let refused = |reason: String| ErrorData::invalid_params(reason, None);
    let Some((_, prompt)) = find(name, view) else {
        let names: Vec<String> = offered(view).map(|(vendor, prompt)| prompt.full_name(&vendor.id)).collect();
        let hint = match suggest(name, names.iter().map(String::as_str)).as_slice() {
            [] => "prompts/list names all".to_owned(),
            near => format!("did you mean `{}`?", near.join("`, `")),
        };
        return Err(refused(format!("unknown prompt `{}`\nhint: {hint}", truncate(name, LONGEST_NAME))));
    };
    let names = || prompt.arguments.iter().map(|argument| argument.name.as_str());
    if let Some(unknown) = given.keys().find(|name| !names().any(|known| known == *name)) {
        let known = names().collect::<Vec<_>>().join("`, `");
        return Err(refused(format!(
            "unknown argument `{}`\nhint: there are `{known}`",
            truncate(unknown, LONGEST_NAME)
        )));
    }
    let value = |name: &str| match given.get(name) {
        Some(Value::String(text)) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Some(value @ (Value::Number(_) | Value::Bool(_))) => Some(value.to_string()),
        _ => None,
    };
    // A value is one line: what follows in the text is not the person's.
    let line = |name: &str| {
        let text = value(name)?.split_whitespace().collect::<Vec<_>>().join(" ");
        Some(truncate(&text, LONGEST_VALUE).into_owned())
    };
    // First, because what a person fills in is not changed.
    let prompt = &Prompt { text: view.tools.readable(&prompt.text).into_owned(), ..prompt.clone() };
    let Some(text) = prompt.filled(&line) else {
        let missing = prompt.arguments.iter().filter(|argument| argument.required && line(&argument.name).is_none());
        let missing: Vec<String> = missing.map(|it| format!("`{}` ({})", it.name, it.description)).collect();
        return Err(refused(format!("missing: {}", missing.join(", "))));
    };
    let text = if view.discovers { format!("{text}\n\n{}", how_to_call(view.tools)) } else { text };
    let message = PromptMessage::new_text(Role::User, text);
    Ok(GetPromptResult::new(vec![message]).with_description(&prompt.description))
}

/// How the tools of a prompt are called that the client does not list.
fn how_to_call(tools: &OfferedTools) -> String {
    let by = call_tools(tools);
    format!("Tools that are not listed are called by {by}; `{FIND_TOOLS}` with a tool's name returns its arguments.")
}
