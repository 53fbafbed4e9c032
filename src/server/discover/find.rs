//! A question → the offered tools that it is about, complete, with the reason for each; no question → a map of all.

use std::collections::BTreeSet;
use std::sync::Arc;

use rmcp::model::{CallToolResult, ContentBlock, JsonObject};
use serde_json::{Map, Value, json};

use super::{FIND_TOOLS, listing};
use crate::call::arguments::{ArgumentFacts, ArgumentSchema};
use crate::call::{CallTool, OfferedTools};
use crate::catalog::{Catalog, CatalogEntry};
use crate::search::Search;
use crate::server::catalog_map;

/// How many tools are returned unless the call states it, and at most.
pub(super) const DEFAULT_LIMIT: usize = 5;
pub(super) const MOST_FOUND: usize = 8;
/// The largest answer, in bytes of its tools; the names of further ones are listed.
const LARGEST: usize = 32_000;
/// The longest question, in characters: the search takes time for each word.
const LONGEST_QUESTION: usize = 1_000;

/// The words of questions about the whole, such as "what can you do here?". A question of these alone names no task.
const OF_THE_WHOLE: &str = "a able about all any anything are available can capabilities commands could do does everything exist \
    for functions get give have help here how i is kind kinds know list map me my of offer offered \
    options overview possible provide server show some sort support supported tell the there things this \
    to tool tools toolset use we what which who with you your";

/// What a search may return to a caller.
struct Offer<'a> {
    catalog: &'a Catalog,
    tools: &'a OfferedTools,
}

/// The arguments of `find_tools`.
struct Wanted<'a> {
    question: &'a str,
    vendor: Option<&'a str>,
    effect: Option<&'a str>,
    limit: usize,
}

/// Answers `find_tools` to a caller that is offered these tools.
pub(in crate::server) fn find(
    search: &Search,
    given: &JsonObject,
    catalog: &Catalog,
    tools: &OfferedTools,
) -> CallToolResult {
    let offer = Offer { catalog, tools };
    let given = match checked(given, &offer) {
        Ok(given) => given,
        Err(text) => return CallToolResult::error(vec![ContentBlock::text(text)]),
    };
    let text = |name: &str| given.get(name).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
    let limit = given.get("limit").and_then(Value::as_u64).and_then(|limit| usize::try_from(limit).ok());
    let wanted = Wanted {
        question: text("question").unwrap_or_default(),
        vendor: text("vendor"),
        effect: text("effect"),
        limit: limit.unwrap_or(DEFAULT_LIMIT),
    };
    let answer = if is_of_the_whole(wanted.question) { map(&wanted, &offer) } else { answer(search, &wanted, &offer) };
    CallToolResult::success(vec![ContentBlock::text(answer.to_string())])
}

/// The tools that the question is about.
fn answer(search: &Search, wanted: &Wanted<'_>, offer: &Offer<'_>) -> Value {
    let fits = |entry: &CatalogEntry| {
        wanted.vendor.is_none_or(|vendor| entry.vendor == vendor)
            && wanted.effect.is_none_or(|effect| CallTool::of(entry.head().effect).effect() == effect)
    };
    let is_offered = |entry: &CatalogEntry| fits(entry) && offer.offers(entry);
    let mut found: Vec<(&CatalogEntry, String)> = Vec::new();
    for entry in named(wanted.question, offer.catalog).filter(|entry| is_offered(entry)) {
        add(&mut found, entry, || "its name is in the question".to_owned());
    }
    // A question of names alone is about these tools and no others.
    let is_names = !found.is_empty() && words(wanted.question).all(|word| offer.catalog.get(word).is_some());
    if !is_names {
        for entry in search.find(wanted.question, is_offered, wanted.limit) {
            add(&mut found, entry, || search.reason(wanted.question, entry));
        }
    }
    found.truncate(wanted.limit);
    let in_full = is_names && found.len() == 1;
    let (tools, unwritten) = complete(&found, offer, in_full);
    let mut notes = Vec::new();
    if tools.is_empty() {
        notes.push(format!(
                "nothing that is offered here fits; ask in other words, for one thing at a time, or call {FIND_TOOLS} without \
                 a question for a map of all"
            ));
    }
    if !unwritten.is_empty() {
        notes.push(format!("too large to be shown with the others; ask by name: {}", unwritten.join(", ")));
    }
    notes.extend(held_back(search, wanted, &fits, offer));
    let mut answer = json!({"tools": tools});
    if !notes.is_empty() {
        answer["notes"] = json!(notes);
    }
    answer
}

/// Adds a tool that is not yet among those that were found.
fn add<'a>(found: &mut Vec<(&'a CatalogEntry, String)>, entry: &'a CatalogEntry, why: impl FnOnce() -> String) {
    if !found.iter().any(|(other, _)| other.head().name == entry.head().name) {
        found.push((entry, why()));
    }
}

/// What to know where the tool that fits best is not offered: else the next best would be taken for it. It is one of a
/// vendor of which the caller is offered something: the answer is silent about others, which may not be in use.
fn held_back(
    search: &Search,
    wanted: &Wanted<'_>,
    fits: &dyn Fn(&CatalogEntry) -> bool,
    offer: &Offer<'_>,
) -> Option<String> {
    let vendors: BTreeSet<&str> = offer.tools.iter().map(|entry| entry.vendor.as_str()).collect();
    let may_be_told = |entry: &CatalogEntry| fits(entry) && vendors.contains(entry.vendor.as_str());
    let best = match named(wanted.question, offer.catalog).find(|entry| may_be_told(entry)) {
        Some(named) => named,
        None => search.find(wanted.question, may_be_told, 1).into_iter().next()?,
    };
    let what = CallTool::of(best.head().effect).effect();
    (!offer.offers(best)).then(|| {
        format!(
            "the tool that fits best ({what}) is not offered to you; if none of these does, tell the user to ask the \
                 server's administrator"
        )
    })
}

impl Offer<'_> {
    fn offers(&self, entry: &CatalogEntry) -> bool {
        self.tools.get(&entry.head().name).is_some()
    }
}

/// Checks the arguments against the schema that is listed.
fn checked(given: &JsonObject, offer: &Offer<'_>) -> Result<Map<String, Value>, String> {
    let offered: Vec<&CatalogEntry> = offer.tools.iter().collect();
    let listed = listing::tools(offer.catalog, &offered).into_iter().next();
    let schema = listed.map(|tool| (*tool.input_schema).clone()).unwrap_or_default();
    let optional: Vec<String> = ["question", "vendor", "effect", "limit"].into_iter().map(str::to_owned).collect();
    let facts = ArgumentFacts { optional, ..ArgumentFacts::default() };
    let schema = ArgumentSchema::compile(&schema, &facts).map_err(|error| error.to_string())?;
    schema.check(given).map_err(|problems| schema.describe(&problems, FIND_TOOLS))
}

/// Whether the question is about all that there is.
fn is_of_the_whole(question: &str) -> bool {
    let words = question.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).all(|word| OF_THE_WHOLE.split(' ').any(|known| known == word))
}

/// The tools that a question names.
fn named<'a>(question: &'a str, catalog: &'a Catalog) -> impl Iterator<Item = &'a CatalogEntry> {
    words(question).filter(|word| word.contains('_')).filter_map(|word| catalog.get(word))
}

/// The words of a question, as tools are named.
fn words(question: &str) -> impl Iterator<Item = &str> {
    question.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

/// The entries of tools, as many as fit, and the names of the others; `in_full`: with all that listings leave out.
fn complete<'a>(found: &[(&'a CatalogEntry, String)], offer: &Offer<'_>, in_full: bool) -> (Vec<Value>, Vec<&'a str>) {
    let (mut tools, mut unwritten, mut bytes) = (Vec::new(), Vec::new(), 0);
    for (entry, why) in found {
        let listing = offer.tools.listing(entry);
        let tool = json!({
            "name": entry.tool.name,
            "call_with": CallTool::of(entry.tool.effect).name(),
            "why": why,
            "description": listing.description,
            "inputSchema": if in_full { Arc::new(offer.tools.full_schema(entry)) } else { listing.input_schema },
        });
        let size = tool.to_string().len();
        if bytes + size <= LARGEST || tools.is_empty() {
            bytes += size;
            tools.push(tool);
        } else {
            unwritten.push(entry.tool.name.as_str());
        }
    }
    (tools, unwritten)
}

/// The map of what is offered, of one vendor in detail.
fn map(wanted: &Wanted<'_>, offer: &Offer<'_>) -> Value {
    let fits = |entry: &&CatalogEntry| {
        wanted.vendor.is_none_or(|vendor| entry.vendor == vendor)
            && wanted.effect.is_none_or(|effect| CallTool::of(entry.head().effect).effect() == effect)
    };
    let entries: Vec<&CatalogEntry> = offer.tools.iter().filter(fits).collect();
    let mut map = catalog_map::map(offer.catalog, &entries, wanted.vendor.is_some());
    let next = match wanted.vendor {
        Some(_) => format!("{FIND_TOOLS} with a tool's name as question returns how it is called"),
        None => {
            format!("{FIND_TOOLS} with a question returns tools; with a vendor alone, the names of its tools by tag")
        }
    };
    map["notes"] = json!([next]);
    map
}

/// Cuts what is too long to be searched for.
pub(in crate::server) fn cut_question(given: &mut JsonObject) {
    if let Some(Value::String(question)) = given.get_mut("question")
        && question.chars().nth(LONGEST_QUESTION).is_some()
    {
        *question = question.chars().take(LONGEST_QUESTION).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_without_a_task_is_about_the_whole() {
        for question in ["", " ?", "What can you do here?", "list all tools", "help", "which tools are there"] {
            assert!(is_of_the_whole(question), "{question}");
        }
        for question in ["list all tickets", "help desk", "who are you", "what can you do with devices?"] {
            assert_eq!(is_of_the_whole(question), question == "who are you", "{question}");
        }
        assert!(OF_THE_WHOLE.split(' ').is_sorted());
    }
}
