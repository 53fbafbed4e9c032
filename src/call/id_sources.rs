//! The arguments of a call → the ids among them, each with the tools that find it: those that the argument's own
//! description names, else those of the vendor's file. After a refusal, what a model reads of them.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::arguments::{ArgumentSchema, property};
use super::failure::{ArgumentProblem, Failure, ProblemKind};
use super::tools::OfferedTools;
use crate::catalog::CatalogEntry;
use toolwright_model::Effect;
use toolwright_model::words_like_names as words;

/// The most ids that an advice is about.
const MOST_IDS: usize = 3;
/// The most parts of the arguments that are looked at: a list of a million ids has one source.
const MOST_PARTS: usize = 1_000;

/// An id that a call was made with.
pub(super) struct GivenId<'a> {
    /// Its path in the arguments, such as `fields.assignee.accountId`.
    path: String,
    value: &'a Value,
    /// The names of the tools that find it, of those that are offered.
    tools: Vec<&'a str>,
}

/// Returns the ids among the arguments of a call, in the order in which they were given.
pub(super) fn given_ids<'a>(
    entry: &'a CatalogEntry,
    arguments: &'a Map<String, Value>,
    tools: &'a OfferedTools,
) -> Vec<GivenId<'a>> {
    let finders = tools.catalog.vendor(&entry.vendor).map(|vendor| &vendor.finders);
    let mut search = Search { entry, tools, finders, found: Vec::new(), parts: 0 };
    let schema = Value::Object(entry.tool.parsed_input_schema());
    for (name, value) in arguments.iter().filter(|(name, _)| !entry.tool.is_own_argument(name)) {
        search.look(property(&schema, name).unwrap_or(&Value::Null), name, name, value);
    }
    search.found
}

/// Returns the refusal of arguments, with where the ids come from that they lack or have wrong.
pub(super) fn refused(
    problems: Vec<ArgumentProblem>,
    schema: &ArgumentSchema,
    entry: &CatalogEntry,
    tools: &OfferedTools,
) -> Failure {
    let mut text = schema.describe(&problems, &entry.tool.name);
    if let Some(sources) = of_problems(&problems, &text, entry, tools) {
        text.push_str("\nhint: ");
        text.push_str(&sources);
    }
    Failure::Arguments { text, problems }
}

/// Returns where the values come from that arguments lack or have wrong, where the text of the refusal does not name the
/// tools already. A name in place of an id is the commonest of these.
fn of_problems<'a>(
    problems: &[ArgumentProblem],
    text: &str,
    entry: &'a CatalogEntry,
    tools: &'a OfferedTools,
) -> Option<String> {
    let finders = tools.catalog.vendor(&entry.vendor).map(|vendor| &vendor.finders);
    let search = Search { entry, tools, finders, found: Vec::new(), parts: 0 };
    let root = Value::Object(entry.tool.parsed_input_schema());
    let mut sources: Vec<String> = Vec::new();
    for problem in problems.iter().filter(|problem| problem.kind != ProblemKind::Unknown) {
        // Only the first name of the path is needed: what is inside is described there.
        let path = problem.argument.split(['.', '[']).next().unwrap_or_default();
        if path.is_empty() || entry.tool.is_own_argument(path) {
            continue;
        }
        let schema = property(&root, path).unwrap_or(&Value::Null);
        let Some(found) = search.finders_of(schema, path) else { continue };
        if found.iter().any(|name| text.contains(name)) {
            continue;
        }
        let source = GivenId { path: path.to_owned(), value: &Value::Null, tools: found }.source();
        if !sources.contains(&source) && sources.len() < MOST_IDS {
            sources.push(source);
        }
    }
    (!sources.is_empty()).then(|| sources.join("; "))
}

struct Search<'a> {
    entry: &'a CatalogEntry,
    tools: &'a OfferedTools,
    finders: Option<&'a BTreeMap<String, Vec<String>>>,
    found: Vec<GivenId<'a>>,
    parts: usize,
}

impl<'a> Search<'a> {
    /// Looks at one value and what is in it. An item of a list has the name of the list.
    fn look(&mut self, schema: &Value, name: &str, path: &str, value: &'a Value) {
        self.parts += 1;
        if self.parts > MOST_PARTS || matches!(value, Value::Null | Value::Bool(_)) {
            return;
        }
        if let Some(tools) = self.finders_of(schema, name)
            && !self.found.iter().any(|id| id.path == path)
        {
            self.found.push(GivenId { path: path.to_owned(), value, tools });
        }
        match value {
            Value::Array(items) => {
                let schema = schema.get("items").unwrap_or(&Value::Null);
                for item in items.iter().filter(|item| item.is_object()) {
                    self.look(schema, name, path, item);
                }
            }
            Value::Object(parts) => {
                for (name, value) in parts {
                    let schema = property(schema, name).unwrap_or(&Value::Null);
                    self.look(schema, name, &format!("{path}.{name}"), value);
                }
            }
            _ => {}
        }
    }

    /// Returns the offered tools that find a value of this name; `None` where it is no id that is known.
    fn finders_of(&self, schema: &Value, name: &str) -> Option<Vec<&'a str>> {
        let catalog = &self.tools.catalog;
        let description = schema.get("description").and_then(Value::as_str).unwrap_or_default();
        let described: Vec<&'a CatalogEntry> =
            words(description).filter_map(|word| self.finder(catalog.get(word)?, word)).collect();
        let finders = if described.is_empty() {
            let stated = self.finders.and_then(|finders| finders.get(name))?;
            stated.iter().filter_map(|word| self.finder(catalog.get(word)?, word)).collect()
        } else {
            described
        };
        let mut offered: Vec<&'a str> = Vec::new();
        for finder in finders.iter().filter(|finder| self.tools.check_offered(finder).is_ok()) {
            if !offered.contains(&finder.tool.name.as_str()) {
                offered.push(&finder.tool.name);
            }
        }
        (!finders.is_empty()).then_some(offered)
    }

    /// The tool, if it reads and is another than the one that was called.
    fn finder(&self, found: &'a CatalogEntry, word: &str) -> Option<&'a CatalogEntry> {
        let finds = found.tool.name == word
            && found.tool.effect == Some(Effect::Read)
            && found.tool.name != self.entry.tool.name;
        finds.then_some(found)
    }
}

/// Returns where the ids come from that a refusal may be about: those that the vendor's answer mentions, else all.
pub(super) fn advice(ids: &[GivenId<'_>], status: u16, answer: &str) -> Option<String> {
    let answer = answer.to_lowercase();
    let mentioned: Vec<&GivenId<'_>> = ids.iter().filter(|id| id.is_mentioned(&answer)).collect();
    let meant = if mentioned.is_empty() || status == 404 { ids.iter().collect() } else { mentioned };
    if meant.is_empty() {
        return None;
    }
    let sources: Vec<String> = meant.into_iter().take(MOST_IDS).map(GivenId::source).collect();
    // Other things than ids can be wrong with a request; what is not found is one of them.
    let condition = if status == 404 { "" } else { "if an id is wrong: " };
    Some(format!("{condition}{}", sources.join("; ")))
}

impl GivenId<'_> {
    fn source(&self) -> String {
        match self.tools.as_slice() {
            [] => format!("`{}` comes from no tool that is offered here: ask the user for it", self.path),
            tools => format!("`{}` comes from `{}`", self.path, tools.join("` or `")),
        }
    }

    /// Whether an answer, in lower case, has the id or its name as a word of its own.
    fn is_mentioned(&self, answer: &str) -> bool {
        let value = match self.value {
            Value::String(text) => text.to_lowercase(),
            Value::Number(number) => number.to_string(),
            _ => String::new(),
        };
        let mut names = self.path.split('.').map(str::to_lowercase);
        // The first name of several, such as `fields`, is a word of other sentences, too.
        if self.path.contains('.') {
            names.next();
        }
        names.chain([value]).filter(|word| !word.is_empty()).any(|word| has_word(answer, &word))
    }
}

fn has_word(text: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}
