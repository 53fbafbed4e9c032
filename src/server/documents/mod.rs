//! What a caller is offered → documents about it: a map of the tools, a page for each tool, a skill for each vendor, prompts
//! for common jobs, and completion of what these take. All of it is made of specs/, and names no tool that is not offered.

mod completion;
mod prompts;
mod skills;
mod tool_page;

pub(super) use completion::{Wish, completed, known_values, values_in};
pub(super) use prompts::{get as get_prompt, list as list_prompts};

use rmcp::ErrorData;
use rmcp::model::{
    CacheScope, GetSkillResult, ListResourceTemplatesResult, ListResourcesResult, ListSkillsResult, ReadResourceResult,
    Resource, ResourceContents, ResourceTemplate,
};
use toolwright_model::truncate;

use crate::call::OfferedTools;
use crate::catalog::{Catalog, CatalogEntry};
use crate::server::{LIST_TTL_MS, catalog_map};

/// The map of all tools.
const MAP: &str = "toolwright://catalog";
/// The page of a tool, before its name.
pub(super) const TOOL_PAGE: &str = "toolwright://tool/";
/// The variable of the template of tool pages.
const NAME: &str = "name";
/// The longest address that an error repeats, in characters.
const LONGEST_URI: usize = 200;

/// A caller's view: the tools that it is offered, and whether it finds and calls them by a few others.
pub(super) struct View<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) tools: &'a OfferedTools,
    pub(super) discovers: bool,
}

impl View<'_> {
    fn entries(&self) -> Vec<&CatalogEntry> {
        self.tools.iter().collect()
    }
}

/// Lists the map and the skills; pages of tools have a template, for there may be hundreds.
pub(super) fn list_resources(view: &View<'_>) -> ListResourcesResult {
    let map = Resource::new(MAP, "catalog")
        .with_title("Map of the tools")
        .with_description("Every tool that is offered, by vendor and tag")
        .with_mime_type("application/json");
    let skills = skills::all(view).into_iter().map(|skill| skill.resource());
    ListResourcesResult::with_all_items(std::iter::once(map).chain(skills).collect())
        .with_ttl_ms(LIST_TTL_MS)
        .with_cache_scope(CacheScope::Private)
}

/// Lists the template of tool pages.
pub(super) fn list_templates() -> ListResourceTemplatesResult {
    let page = ResourceTemplate::new(format!("{TOOL_PAGE}{{{NAME}}}"), "tool")
        .with_title("A tool in full")
        .with_description("What a tool does, what it takes and what it calls, by its name")
        .with_mime_type("text/markdown");
    ListResourceTemplatesResult::with_all_items(vec![page])
        .with_ttl_ms(LIST_TTL_MS)
        .with_cache_scope(CacheScope::Private)
}

/// Reads a document.
///
/// # Errors
/// There is none at this address for this caller.
pub(super) fn read(uri: &str, view: &View<'_>) -> Result<ReadResourceResult, ErrorData> {
    let of_tool = uri.strip_prefix(TOOL_PAGE).and_then(|name| view.tools.get(name));
    let (text, mime_type) = if uri == MAP {
        (catalog_map::map(view.catalog, &view.entries(), true).to_string(), "application/json")
    } else if let Some(entry) = of_tool {
        (tool_page::page(entry, view), "text/markdown")
    } else if let Some(skill) = skills::all(view).into_iter().find(|skill| skill.uri() == uri) {
        (skill.text, "text/markdown")
    } else {
        let near = uri.strip_prefix(TOOL_PAGE).map(|name| view.catalog.near(name)).unwrap_or_default();
        let near = near.into_iter().find(|name| view.tools.get(name).is_some());
        let hint = match near {
            Some(near) => format!("did you mean `{TOOL_PAGE}{near}`?"),
            None => format!("`{MAP}` names every tool; `{TOOL_PAGE}` with a name is its page"),
        };
        let unknown = format!("there is no resource `{}` here\nhint: {hint}", truncate(uri, LONGEST_URI));
        return Err(ErrorData::resource_not_found(unknown, None));
    };
    let contents = ResourceContents::text(text, uri).with_mime_type(mime_type);
    Ok(ReadResourceResult::new(vec![contents]).with_ttl_ms(LIST_TTL_MS).with_cache_scope(CacheScope::Private))
}

/// Lists the skills.
pub(super) fn list_skills(view: &View<'_>) -> ListSkillsResult {
    let skills = skills::all(view).iter().map(skills::VendorSkill::entry).collect();
    ListSkillsResult::with_all_items(skills).with_ttl_ms(LIST_TTL_MS).with_cache_scope(CacheScope::Private)
}

/// Returns the entry of a skill.
///
/// # Errors
/// There is none at this address for this caller.
pub(super) fn get_skill(uri: &str, view: &View<'_>) -> Result<GetSkillResult, ErrorData> {
    let skill = skills::all(view).into_iter().find(|skill| skill.uri() == uri);
    let unknown = || format!("there is no skill `{}` here\nhint: skills/list names all", truncate(uri, LONGEST_URI));
    skill.map(|skill| GetSkillResult::new(skill.entry())).ok_or_else(|| ErrorData::invalid_params(unknown(), None))
}
