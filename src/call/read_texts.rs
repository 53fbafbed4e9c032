//! A reply → the texts in it that outsiders wrote, each with where it is from: what a caller has read, and what a later
//! change must not repeat unseen.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::caller::Caller;
use super::off_thread::off_thread;
use super::reply::Reply;
use super::toolbox::Toolbox;
use super::tools::OfferedTools;
use crate::approval::{self, Fingerprints};
use crate::catalog::CatalogEntry;
use crate::sanitize::EVERY;
use crate::sanitize::json::Json;
use toolwright_model::{Tool, truncate};

/// The longest answer whose texts are noted, in bytes: many times what a model reads of one.
const LARGEST: usize = 16 << 20;
/// The longest source, in characters.
const LONGEST_SOURCE: usize = 120;
/// The longest text that is taken for an id, in bytes.
const LONGEST_ID: usize = 64;
/// The endings by which an argument or a field names a record.
const ID_ENDINGS: [&str; 6] = ["IdOrKey", "_id", "Id", "ID", "Key", "key"];

impl Toolbox {
    /// Notes which texts of outsiders a caller reads, where that could lead it to a change that needs an approval.
    pub(super) async fn note_read(
        &self,
        caller: &Caller,
        tools: &OfferedTools,
        tool: &Tool,
        arguments: &Map<String, Value>,
        reply: &Reply,
    ) {
        let Some(approvals) = &self.approvals else { return };
        let could = |entry: &CatalogEntry| approval::is_steerable(entry.head().effect, &entry.head().risks);
        if reply.untrusted.is_empty() || !tools.iter().any(could) {
            return;
        }
        let (read, key) = (Arc::clone(approvals.read()), caller.principal.key());
        let (tool, record) = (tool.name.clone(), of_arguments(arguments));
        let (body, untrusted) = (reply.answer.body.clone(), reply.untrusted.clone());
        // A failure to note it is one of the process, which logs it.
        let _ =
            off_thread(body.len(), move || self::note(&read, &key, &tool, record.as_deref(), &body, &untrusted)).await;
    }
}

/// Notes the texts of outsiders in the body of a reply. `record` is what the arguments name.
fn note(prints: &Fingerprints, caller: &str, tool: &str, record: Option<&str>, body: &[u8], untrusted: &[String]) {
    if body.len() > LARGEST {
        return;
    }
    // What a caller gets was written as such a value.
    let Some(body) = str::from_utf8(body).ok().and_then(|body| Json::parse(body).ok()) else { return };
    let names: Vec<&str> = untrusted.iter().map(|name| name.rsplit('.').next().unwrap_or(name)).collect();
    let every = names.contains(&EVERY);
    let whole = source(record.unwrap_or_else(|| noun(tool)), tool);
    let mut walk = Walk { every, names, tool, of_arguments: record.is_some(), whole, found: Vec::new() };
    walk.value(&body, false, None);
    prints.note(caller, walk.found.into_iter());
}

/// The way through an answer.
struct Walk<'a> {
    every: bool,
    names: Vec<&'a str>,
    tool: &'a str,
    /// Whether the arguments name the record.
    of_arguments: bool,
    /// That record; else what the tool is about.
    whole: Arc<str>,
    found: Vec<(&'a str, Arc<str>)>,
}

impl<'a> Walk<'a> {
    fn value(&mut self, value: &'a Json<'_>, untrusted: bool, record: Option<&Arc<str>>) {
        match value {
            Json::Text(text) if untrusted || self.every => {
                self.found.push((text, Arc::clone(record.unwrap_or(&self.whole))));
            }
            Json::List(items) => items.iter().for_each(|item| self.value(item, untrusted, record)),
            Json::Object(entries) => {
                let own = if self.of_arguments { None } else { self.record(entries) };
                let record = own.as_ref().or(record);
                for (name, value) in entries {
                    let untrusted = untrusted || self.names.contains(&name.as_ref());
                    self.value(value, untrusted, record);
                }
            }
            Json::Text(_) | Json::Plain(_) => {}
        }
    }

    /// The record that an object is, by its id.
    fn record(&self, entries: &[(Cow<'_, str>, Json<'_>)]) -> Option<Arc<str>> {
        let id = entries.iter().find_map(|(name, value)| is_id(name).then(|| scalar(value)).flatten())?;
        Some(source(&format!("{} {id}", noun(self.tool)), self.tool))
    }
}

/// Where a text is from.
fn source(record: &str, tool: &str) -> Arc<str> {
    truncate(&format!("{record} ({tool})"), LONGEST_SOURCE).into()
}

/// The record that the arguments of a call name: `ticketId: 7` is `ticket 7`.
fn of_arguments(arguments: &Map<String, Value>) -> Option<String> {
    arguments.iter().find_map(|(name, value)| {
        let noun = ID_ENDINGS.iter().find_map(|ending| name.strip_suffix(ending)).filter(|noun| !noun.is_empty())?;
        match value {
            Value::String(text) if text.len() <= LONGEST_ID => Some(format!("{noun} {text}")),
            Value::Number(number) => Some(format!("{noun} {number}")),
            _ => None,
        }
    })
}

fn is_id(name: &str) -> bool {
    matches!(name, "id" | "_id" | "key" | "ID") || ID_ENDINGS.iter().any(|ending| name.ends_with(ending))
}

/// The id that a value is: a short text or a number.
fn scalar<'a>(value: &'a Json<'_>) -> Option<&'a str> {
    match value {
        Json::Text(text) if text.len() <= LONGEST_ID => Some(text),
        Json::Plain(number) if number.starts_with(|first: char| first == '-' || first.is_ascii_digit()) => Some(number),
        _ => None,
    }
}

/// What a tool is about: `jitbit_search_tickets` is about a ticket.
fn noun(name: &str) -> &str {
    let noun = name.splitn(3, '_').nth(2).unwrap_or(name);
    noun.strip_suffix('s').unwrap_or(noun)
}
