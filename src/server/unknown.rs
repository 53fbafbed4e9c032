//! A failed call of a name that no tool has, or that of a tool which is held back → the same with the offered tools that
//! are most like it: models guess names from what they want to do.

use super::Server;
use super::discover::FIND_TOOLS;
use crate::call::{Caller, Failure};
use crate::catalog::CatalogEntry;
use crate::search::Search;

/// The most names that are suggested.
const MOST: usize = 3;
/// How many tools are looked at for one with the guessed verb.
const MOST_LOOKED_AT: usize = 6;

impl Server {
    /// Adds the tools that the caller may have meant. Not on the thread that serves: the first use makes the search, and
    /// each compares a name of the caller's with all tools.
    pub(super) async fn with_similar(&self, caller: &Caller, failure: Failure) -> Failure {
        let (server, caller) = (self.clone(), caller.clone());
        tokio::task::spawn_blocking(move || server.added_similar(&caller, failure))
            .await
            .unwrap_or_else(|error| Failure::Internal(format!("no similar tools were found: {error}")))
    }

    fn added_similar(&self, caller: &Caller, failure: Failure) -> Failure {
        match failure {
            Failure::UnknownTool { name, mut near, held_back } => {
                // What is nearest by spelling may be another matter: `get_ticket_comments` is near to `get_ticket`.
                near.truncate(MOST - 1);
                for similar in self.similar(caller, &name, None) {
                    if near.len() < MOST && !near.contains(&similar) {
                        near.push(similar);
                    }
                }
                Failure::UnknownTool { name, near, held_back }
            }
            Failure::Refused { tool, refusal, request, .. } => {
                let held_back = self.toolbox.catalog().get(&tool);
                let instead = held_back.map(|entry| self.similar(caller, &entry.tool.name, Some(entry)));
                Failure::Refused { tool, refusal, instead: instead.unwrap_or_default(), request }
            }
            other => other,
        }
    }

    /// The text of a failure whose reader can look for tools.
    pub(super) fn unknown_text(&self, failure: &Failure) -> String {
        match failure {
            Failure::UnknownTool { name, near, .. } if near.is_empty() && self.discovery.is_some() => {
                format!("unknown tool `{name}`\nhint: `{FIND_TOOLS}` finds tools by what is to be done")
            }
            other => other.to_string(),
        }
    }

    /// The offered tools that a guessed name, or that of a tool which is held back, is most like. In place of a tool only one
    /// of the same effect will do.
    fn similar(&self, caller: &Caller, name: &str, held_back: Option<&CatalogEntry>) -> Vec<String> {
        let tools = self.toolbox.tools(caller);
        let words = words_of(name);
        let vendors = self.toolbox.catalog().vendors().iter().map(|vendor| vendor.id.as_str());
        let (vendor, words) = split_vendor(&words, vendors);
        let fits = |entry: &CatalogEntry| {
            vendor.is_none_or(|vendor| entry.vendor == vendor)
                && held_back.is_none_or(|held_back| entry.head().effect == held_back.head().effect)
                && tools.get(&entry.head().name).is_some()
        };
        let mut found = self.search().find(words, fits, MOST_LOOKED_AT);
        // The guessed verb decides between tools for the same thing: one that gets, or one that lists.
        let verb = words.split_whitespace().next().unwrap_or_default();
        found.sort_by_key(|entry| entry.head().name.split('_').nth(1) != Some(verb));
        found.into_iter().take(MOST).map(|entry| entry.head().name.clone()).collect()
    }

    /// The search, made at the first use.
    pub(super) fn search(&self) -> &Search {
        self.search.get_or_init(|| Search::new(self.toolbox.catalog()))
    }
}

/// The words of a name, with spaces between.
fn words_of(name: &str) -> String {
    let mut words = String::new();
    let mut after_small = false;
    for c in name.chars() {
        if after_small && c.is_uppercase() {
            words.push(' ');
        }
        after_small = c.is_lowercase();
        words.push(if c.is_alphanumeric() { c } else { ' ' });
    }
    words.to_lowercase()
}

/// The vendor that a name begins with, and the words after it.
fn split_vendor<'a>(words: &'a str, mut vendors: impl Iterator<Item = &'a str>) -> (Option<&'a str>, &'a str) {
    let first = words.split_whitespace().next().unwrap_or_default();
    match vendors.find(|vendor| *vendor == first) {
        Some(vendor) => (Some(vendor), words.trim_start()[first.len()..].trim_start()),
        None => (None, words),
    }
}
