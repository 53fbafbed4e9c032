//! A failed call → the same failure with what helps to correct or to check it: explanations of
//! formats, hints of the overlay, what the vendor's file says of refused credentials, and after an
//! unknown outcome the tool that shows what happened.

use super::prepare::PreparedCall;
use super::tools::OfferedTools;
use crate::catalog::CatalogEntry;
use crate::error::{CallError, Rejection};
use crate::formats::{self, Lookup, RefusedRequest};
use toolwright_model::{Effect, Verb};

/// Refusals because of the credentials; any other status may be about the request.
const OF_CREDENTIALS: [u16; 2] = [401, 403];

/// Adds advice to the failure of a call that was sent.
pub(super) async fn with_advice(
    mut error: CallError,
    prepared: &PreparedCall<'_>,
    tools: &OfferedTools,
    lookup: &dyn Lookup,
) -> CallError {
    match &mut error {
        CallError::Rejected(rejection) => advise(rejection, prepared, lookup).await,
        CallError::Unknown(unknown) => unknown.advice.push(how_to_check(prepared.resolved.entry, tools)),
        _ => {}
    }
    error
}

async fn advise(rejection: &mut Rejection, prepared: &PreparedCall<'_>, lookup: &dyn Lookup) {
    let call = &prepared.resolved;
    let refused = RefusedRequest { status: rejection.status, body: &rejection.body };
    let mut explanations = Vec::new();
    for binding in &call.operation.bindings {
        let Some(value) = prepared.values.get(&binding.argument) else { continue };
        for formatted in &binding.formats {
            explanations.extend(formats::explain(formatted, value, &refused, lookup).await);
        }
    }
    rejection.advice.extend(explanations);
    rejection.advice.extend(prepared.notes.iter().cloned());
    if OF_CREDENTIALS.contains(&rejection.status) {
        let explanation = call.connection.config.explain(rejection.status, &rejection.body);
        rejection.advice.extend(explanation.map(str::to_owned));
    }
    let hints = call
        .operation
        .hints
        .iter()
        .filter(|hint| hint.status == rejection.status && call.arguments.get(&hint.argument) == Some(&hint.equals));
    rejection.advice.extend(hints.map(|hint| hint.say.clone()));
}

/// Returns what to do after a call that may or may not have arrived.
fn how_to_check(entry: &CatalogEntry, tools: &OfferedTools) -> String {
    if entry.tool.effect == Some(Effect::Read) {
        return "nothing was changed; the call can be made again".to_owned();
    }
    match reading_tool(entry, tools) {
        Some(name) => format!("it may have been done: look with `{name}` before calling again"),
        None => "it may have been done: look at the vendor before calling again".to_owned(),
    }
}

/// Returns the offered tool that reads most of what this one changes, judged by their names.
fn reading_tool<'a>(entry: &CatalogEntry, tools: &'a OfferedTools) -> Option<&'a str> {
    let changed = resource_words(entry);
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
    let words = entry.tool.name.split('_').skip(2);
    words
        .map(|word| match word.strip_suffix("ies") {
            Some(stem) => format!("{stem}y"),
            None => word.strip_suffix('s').unwrap_or(word).to_owned(),
        })
        .collect()
}
