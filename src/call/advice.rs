//! A failed call → the same failure with what helps to correct or to check it: explanations of
//! formats, hints of the overlay, the tools that find the ids in it, what the vendor's file says of a
//! refusal that is about the connection, and after an unknown outcome the tool that shows what happened.

use super::id_sources;
use super::prepare::PreparedCall;
use super::tools::OfferedTools;
use crate::catalog::CatalogEntry;
use crate::error::{Advice, CallError, Rejection};
use crate::formats::{self, Lookup, RefusedRequest};
use crate::sanitize::TextForm;
use toolwright_model::{Effect, Verb};

/// Refusals because of the credentials.
const OF_CREDENTIALS: [u16; 2] = [401, 403];
/// Refusals that may be because of an id.
const OF_IDS: [u16; 2] = [400, 404];

/// Adds advice to the failure of a call that was sent.
pub(super) async fn with_advice(
    mut error: CallError,
    prepared: &PreparedCall<'_>,
    tools: &OfferedTools,
    lookup: &dyn Lookup,
) -> CallError {
    match &mut error {
        CallError::Rejected(rejection) => {
            advise(rejection, prepared, tools, lookup).await;
            // Last, because the advice reads what the vendor wrote.
            rejection.body = prepared.resolved.connection.rules.text(&rejection.body, TextForm::Inert);
        }
        CallError::Unknown(unknown) => {
            unknown.advice.push(how_to_check("it may have been done", prepared.resolved.entry, tools).into());
        }
        CallError::Broken(broken) => {
            let done = "by its status the change was made";
            broken.advice.push(how_to_check(done, prepared.resolved.entry, tools).into());
        }
        _ => {}
    }
    error
}

async fn advise(rejection: &mut Rejection, prepared: &PreparedCall<'_>, tools: &OfferedTools, lookup: &dyn Lookup) {
    let call = &prepared.resolved;
    let refused = RefusedRequest { status: rejection.status, body: &rejection.body };
    let mut texts = Vec::new();
    for binding in &call.operation.bindings {
        let Some(value) = prepared.values.get(&binding.argument) else { continue };
        for formatted in &binding.formats {
            texts.extend(formats::explain(formatted, value, &refused, lookup).await);
        }
    }
    texts.extend(prepared.notes.iter().cloned());
    texts.extend(
        call.names.iter().map(|name| format!("`{}`: the name {:?} is `{}`", name.argument, name.given, name.id)),
    );
    let hints = call
        .operation
        .hints
        .iter()
        .filter(|hint| hint.status == rejection.status && call.arguments.get(&hint.argument) == Some(&hint.equals));
    texts.extend(hints.map(|hint| tools.readable(&hint.say).into_owned()));
    let ids = id_sources::given_ids(call.entry, &call.arguments, tools);
    if OF_IDS.contains(&rejection.status) {
        texts.extend(id_sources::advice(&ids, rejection.status, &rejection.body));
    }
    rejection.advice.extend(texts.into_iter().map(Advice::Caller));
    if rejection.status == 401 && call.caller.brought.is_some() {
        let text =
            "the vendor refused the token that this connection brings: the user has to give the client a valid one";
        rejection.advice.push(Advice::Caller(text.to_owned()));
    }
    // A call that names no id, or an answer that is no data, leaves only the address to be wrong.
    let of_connection = OF_CREDENTIALS.contains(&rejection.status) || ids.is_empty() || rejection.is_no_data();
    if of_connection {
        let explanation = call.connection.config.explain(call.connection.id(), rejection.status, &rejection.body);
        rejection.advice.extend(explanation.map(|text| Advice::Operator(text.to_owned())));
    }
}

/// Returns what to do after a call of which it is not known what it did; `known` is what can be said of a change.
fn how_to_check(known: &str, entry: &CatalogEntry, tools: &OfferedTools) -> String {
    if entry.tool.effect == Some(Effect::Read) {
        return "nothing was changed; the call can be made again".to_owned();
    }
    match reading_tool(entry, tools) {
        Some(name) => format!("{known}: look with `{name}` before calling again"),
        None => format!("{known}: look at the vendor before calling again"),
    }
}

/// Returns the offered tool that reads most of what this one changes, judged by their names; where
/// the name is of our own making, such as a note's, by the path.
fn reading_tool<'a>(entry: &CatalogEntry, tools: &'a OfferedTools) -> Option<&'a str> {
    reader_of(&resource_words(entry), entry, tools).or_else(|| reader_of(&path_words(entry), entry, tools))
}

fn reader_of<'a>(changed: &[String], entry: &CatalogEntry, tools: &'a OfferedTools) -> Option<&'a str> {
    let mut best: Option<((usize, usize, usize), &str)> = None;
    for other in tools.iter() {
        if other.vendor != entry.vendor || other.tool.effect != Some(Effect::Read) {
            continue;
        }
        let read = resource_words(other);
        let shared = changed.iter().filter(|word| read.contains(word)).count();
        if shared == 0 {
            continue;
        }
        let by_verb = match other.tool.verb {
            // The id of a new record is not known yet.
            Verb::Get if entry.tool.verb != Verb::Create => 2,
            Verb::List | Verb::Search => 1,
            _ => 0,
        };
        let score = (shared, by_verb, usize::MAX - read.len());
        if best.is_none_or(|(highest, _)| score > highest) {
            best = Some((score, &other.tool.name));
        }
    }
    best.map(|(_, name)| name)
}

/// Returns the words of a tool's resource, in the singular.
fn resource_words(entry: &CatalogEntry) -> Vec<String> {
    // The name begins with vendor and verb.
    entry.tool.name.split('_').skip(2).map(singular).collect()
}

/// Returns the words of the paths that a tool calls, in the singular.
fn path_words(entry: &CatalogEntry) -> Vec<String> {
    let segments = entry.tool.calls.iter().flat_map(|call| call.path.split('/'));
    let words = segments.filter(|segment| !segment.is_empty() && !segment.contains('{'));
    words.map(|word| singular(&word.to_lowercase())).collect()
}

fn singular(word: &str) -> String {
    match word.strip_suffix("ies") {
        Some(stem) => format!("{stem}y"),
        None => word.strip_suffix('s').unwrap_or(word).to_owned(),
    }
}
