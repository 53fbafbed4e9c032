//! `[[settings]]` → [`Setting`], the headers that a server's operator chooses.

use super::credential::is_header;
use super::{text, variable};
use crate::read::located::Located;
use toolwright_model::{Place, ReachedTenants, Setting, Tool};

/// Reads the further headers of every request.
pub(super) fn read(items: &[Located<'_>]) -> Vec<Setting> {
    let mut settings: Vec<Setting> = Vec::new();
    for item in items {
        let Some(setting) = read_one(item) else { continue };
        for (key, taken) in [
            ("title", settings.iter().any(|other| other.title == setting.title)),
            ("header", settings.iter().any(|other| other.header.eq_ignore_ascii_case(&setting.header))),
        ] {
            if let (true, Some(entry)) = (taken, item.get(key)) {
                entry.wrong(format!("a {key} of its own for each setting"));
            }
        }
        settings.push(setting);
    }
    settings
}

fn read_one(at: &Located<'_>) -> Option<Setting> {
    at.only(&["title", "header", "variable", "allowed", "query", "several", "reached"]);
    let title = text(at, "title", "what it is, in one word");
    if let (Some(title), Some(entry)) = (&title, at.get("title")) {
        if !title.starts_with(|c: char| c.is_ascii_lowercase())
            || !title.chars().all(|c| c.is_ascii_lowercase() || c == '_')
        {
            entry.wrong("a word of `a-z` and `_`");
        } else if Setting::TAKEN.contains(&title.as_str()) {
            let hint = "dry runs and records use this word for something else".to_owned();
            entry.report("another word".to_owned(), format!("`{title}`"), Some(hint));
        }
    }
    let header = text(at, "header", "the header's name");
    if let (Some(header), Some(entry)) = (&header, at.get("header"))
        && (!is_header(header) || header.eq_ignore_ascii_case("authorization"))
    {
        entry.wrong("the name of an HTTP header other than `Authorization`");
    }
    let allowed = at.get("allowed").and_then(|_| variable(at, "allowed"));
    let query = at.get("query").and_then(|query| query.text().map(str::to_owned));
    if let (Some(query), Some(entry)) = (&query, at.get("query"))
        && (query.is_empty() || !query.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-'))
    {
        entry.wrong("the name of a query parameter");
    }
    if let (Some(entry), None) = (at.get("query"), at.get("allowed")) {
        let hint = "without `allowed` there is no value to choose".to_owned();
        entry.report("`allowed` beside it".to_owned(), "none".to_owned(), Some(hint));
    }
    let variable = variable(at, "variable");
    let several = at.get("several").and_then(|several| several.text().map(str::to_owned));
    if let (Some(several), Some(entry)) = (&several, at.get("several"))
        && (several.is_empty() || !several.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
    {
        entry.wrong("the name of an argument, of `a-z` and `_`");
    }
    if let (Some(entry), None) = (at.get("several"), at.get("allowed")) {
        let hint = "without `allowed` there are no values to name".to_owned();
        entry.report("`allowed` beside it".to_owned(), "none".to_owned(), Some(hint));
    }
    let reached = at.get("reached").and_then(|reached| read_reached(&reached));
    Some(Setting { title: title?, header: header?, variable: variable?, allowed, query, several, reached })
}

fn read_reached(at: &Located<'_>) -> Option<ReachedTenants> {
    at.only(&["operation", "records", "id", "name"]);
    let pointer = |key: &str| {
        let pointer = text(at, key, "a JSON pointer");
        if let (Some(pointer), Some(entry)) = (&pointer, at.get(key))
            && !pointer.starts_with('/')
        {
            entry.wrong("a JSON pointer, such as `/results`");
        }
        pointer
    };
    let operation = text(at, "operation", "the id of an operation that reads");
    let (records, id, name) = (pointer("records"), pointer("id"), pointer("name"));
    Some(ReachedTenants { operation: operation?, records: records?, id: id?, name: name? })
}

/// Checks that no tool offers or fixes the header of a setting, because the operator of the server
/// chooses its value and a model must not. `root` is vendor.toml.
pub fn check_hidden<'a>(settings: &[Setting], tools: impl Iterator<Item = &'a Tool>, root: &Located<'_>) {
    for tool in tools {
        let bound = tool.calls.iter().flat_map(|call| &call.bindings).map(|binding| &binding.place);
        let fixed = tool.calls.iter().flat_map(|call| &call.fixed).map(|fixed| &fixed.place);
        let places: Vec<&Place> = bound.chain(fixed).collect();
        for (index, Setting { header, .. }) in settings.iter().enumerate() {
            let own = |place: &&Place| matches!(place, Place::Header(name) if name.eq_ignore_ascii_case(header));
            if places.iter().any(own) {
                let hint = format!(
                    "take the parameter out of the description, or leave it out: `left_out: {{{header}: <reason>}}`"
                );
                root.nearest(&format!("/settings/{index}/header")).report(
                    "a header that no tool sends by itself",
                    format!("`{header}`, which `{}` sends", tool.name),
                    Some(hint),
                );
            }
        }
    }
}
