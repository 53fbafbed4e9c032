//! Arguments with the marks of an earlier answer → the texts that the marks stand for: the first
//! step of stage 2. What only the record can tell is read from it anew (or from the list of records,
//! where the vendor has nothing narrower): nothing is kept between calls, so that no caller gets what
//! another one read, and no link gets into another record. What can't be put back is refused.

use std::sync::Arc;

use serde_json::Value;

use super::arrived::{Expected, arrived};
use super::failure::{ArgumentProblem, Failure, ProblemKind};
use super::off_thread::off_thread;
use super::resolve::ResolvedCall;
use super::retry::Sender;
use super::rich_text;
use super::tools::OfferedTools;
use crate::catalog::CatalogEntry;
use crate::client_runtime::Inputs;
use crate::sanitize::json::Json;
use crate::sanitize::marks::{self, MarkError, Originals};
use toolwright_model::{Call, DETAIL, Effect, Place, RAW};

/// Puts back what the marks in the arguments stand for, and notes it; returns whether there were any.
///
/// # Errors
/// A mark can't be put back.
pub(super) async fn restore(
    call: &mut ResolvedCall<'_>,
    sender: &Sender<'_>,
    tools: &OfferedTools,
) -> Result<bool, Failure> {
    let mut needs_record = false;
    let mut marked = false;
    for (_, value) in vendor_arguments(call) {
        any_text(value, &mut |text| {
            marked |= marks::is_marked(text);
            needs_record |= marks::needs_originals(text);
        });
    }
    if !marked {
        return Ok(false);
    }
    let operation = call.operation;
    let reader = operation.read_back.as_ref().and_then(|read| reading_call(tools, operation, &read.operation));
    if needs_record && call.dry_run {
        call.notes.push(
            "a dry run reads nothing: the links in this plan that were made inert are put back from the record when the call is made, or it is refused"
                .to_owned(),
        );
        return Ok(false);
    }
    let originals = match reader {
        Some(read) if needs_record => read_again(call, read, sender).await,
        _ => Originals::default(),
    };
    let way = way_to_raw(tools, reader);
    let mut arguments = call.arguments.clone();
    let mut restorer = Restorer { originals: &originals, way: &way, problems: Vec::new() };
    let mut notes = Vec::new();
    for (name, value) in &mut arguments {
        if call.tool().is_own_argument(name) {
            continue;
        }
        let before = restorer.problems.len();
        let count = restorer.value(value, name);
        if call.masked.get(name) != call.arguments.get(name) {
            // Nothing of a secret is quoted.
            restorer.problems[before..].iter_mut().for_each(|problem| "***".clone_into(&mut problem.given));
        }
        if count > 0 {
            let marks = if count == 1 { "1 mark".to_owned() } else { format!("{count} marks") };
            notes.push(format!("`{name}`: {marks} of text that was made inert put back as the vendor has it"));
        }
    }
    let problems = restorer.problems;
    if !problems.is_empty() {
        return Err(Failure::Arguments { text: call.schema.describe(&problems, &call.tool().name), problems });
    }
    call.masked = call.schema.masked(&arguments);
    call.arguments = arguments;
    call.notes.extend(notes);
    Ok(true)
}

/// The arguments that are sent.
fn vendor_arguments<'c>(call: &'c ResolvedCall<'_>) -> impl Iterator<Item = (&'c String, &'c Value)> {
    call.arguments.iter().filter(|(name, _)| !call.tool().is_own_argument(name))
}

/// Calls `visit` with each text in a value, names included.
fn any_text(value: &Value, visit: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) => visit(text),
        Value::Array(items) => items.iter().for_each(|item| any_text(item, visit)),
        Value::Object(entries) => {
            for (name, entry) in entries {
                visit(name);
                any_text(entry, visit);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Puts back marks and collects what can't be.
struct Restorer<'a> {
    originals: &'a Originals,
    /// How a text is read as the vendor has it.
    way: &'a str,
    problems: Vec<ArgumentProblem>,
}

impl Restorer<'_> {
    /// Puts back the marks in a value; returns how many there were.
    fn value(&mut self, value: &mut Value, path: &str) -> usize {
        match value {
            Value::String(text) => self.text(text, path),
            Value::Array(items) => {
                items.iter_mut().enumerate().map(|(at, item)| self.value(item, &format!("{path}[{at}]"))).sum()
            }
            Value::Object(entries) => {
                let mut count = 0;
                for (mut name, mut entry) in std::mem::take(entries) {
                    let path = format!("{path}.{name}");
                    count += self.text(&mut name, &path) + self.value(&mut entry, &path);
                    entries.insert(name, entry);
                }
                count
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        }
    }

    fn text(&mut self, text: &mut String, path: &str) -> usize {
        match marks::restore(text, self.originals) {
            Ok(restored) if restored.marks > 0 => {
                *text = restored.text;
                restored.marks
            }
            Ok(_) => 0,
            Err(error) => {
                self.problems.push(problem(error, path, self.way));
                0
            }
        }
    }
}

fn problem(error: MarkError, path: &str, way: &str) -> ArgumentProblem {
    let (given, expected) = match error {
        MarkError::Cut(given) => (
            given,
            format!(
                "the whole text: this one was cut short when it was read. Read the rest by its cursor, or alone with `fields`; {way}"
            ),
        ),
        MarkError::Unknown(given) => (
            given,
            format!(
                "the link itself: this is what an answer showed in its place, and the record that is changed does not have it. For the link {way}; to write it as text that is no link, leave out `⟦…⟧`"
            ),
        ),
        MarkError::Changed(given) => (
            given,
            format!(
                "the link as the answer showed it, with all that is around `⟦…⟧` and unchanged; or the link itself: {way}"
            ),
        ),
    };
    let argument = path.to_owned();
    ArgumentProblem { kind: ProblemKind::Invalid, argument, given, expected, suggestion: None }
}

/// Returns how the text is read as the vendor has it.
fn way_to_raw(tools: &OfferedTools, read: Option<&Call>) -> String {
    // A tool of several calls shows the record as well.
    let reads = |entry: &&CatalogEntry, read: &Call| {
        let steps = entry.tool.workflow.iter().flat_map(|workflow| &workflow.steps).map(|step| &step.call);
        let of_steps = steps.map(|step| (&step.api, &step.operation));
        let mut calls = entry.tool.calls.iter().map(|call| (&call.api, &call.operation)).chain(of_steps);
        entry.tool.effect == Some(Effect::Read)
            && entry.tool.is_own_argument(DETAIL)
            && calls.any(|call| call == (&read.api, &read.operation))
    };
    let offered = read.and_then(|read| tools.iter().find(|entry| reads(entry, read)));
    match offered {
        Some(entry) => format!("call `{}` with `{DETAIL}: {RAW}`", entry.tool.name),
        None => format!("call the tool that reads it with `{DETAIL}: {RAW}`"),
    }
}

/// Returns the call of an operation of the same API that only reads.
fn reading_call<'t>(tools: &'t OfferedTools, change: &Call, operation: &str) -> Option<&'t Call> {
    let reads = tools.catalog.entries().iter().filter(|entry| entry.tool.effect == Some(Effect::Read));
    let mut calls = reads.flat_map(|entry| &entry.tool.calls);
    calls.find(|call| call.api == change.api && call.operation == operation)
}

/// Reads the record and returns what the marks stand for that it is shown with. Nothing of it is
/// returned to the caller. What can't be read explains no mark.
async fn read_again(call: &ResolvedCall<'_>, read: &Call, sender: &Sender<'_>) -> Originals {
    let places = places(call, read);
    let inputs = || {
        let mut inputs = Inputs::default();
        for (place, value) in &places {
            inputs.insert(place, value.clone());
        }
        inputs
    };
    let expected = Expected { returns: read.returns, reads: true };
    let answer = async { arrived(sender.send(&read.operation, true, inputs).await?, expected).await };
    let answer = match answer.await {
        Ok(answer) => answer,
        Err(error) => {
            // Not the error itself, which may repeat what the vendor answered.
            tracing::info!(
                outcome = error.outcome().as_str(),
                status = error.status(),
                "the record that is changed could not be read"
            );
            return Originals::default();
        }
    };
    let bytes = answer.body.len();
    let (format, rules) = (read.answers.clone(), Arc::clone(&call.connection.rules));
    let originals = move || {
        let text = std::str::from_utf8(&answer.body).unwrap_or_default();
        let Ok(mut json) = Json::parse(text) else { return Originals::default() };
        if let Some(format) = &format {
            rich_text::read(&mut json, format);
        }
        rules.originals(&mut json)
    };
    off_thread(bytes, originals).await.unwrap_or_default()
}

/// The values by which the record is read: those that name it in the change, and what the reading
/// operation always gets.
fn places(call: &ResolvedCall<'_>, read: &Call) -> Vec<(Place, Value)> {
    let change = call.operation;
    let inputs = change.read_back.iter().flat_map(|read_back| &read_back.inputs);
    let named = inputs.filter_map(|input| {
        let place = change.place_like(input)?;
        let binding = change.bindings.iter().find(|binding| binding.place == *place);
        let given = binding.and_then(|binding| call.arguments.get(&binding.argument).or(binding.default.as_ref()));
        let fixed = || change.fixed.iter().find(|fixed| fixed.place == *place).map(|fixed| &fixed.value);
        Some((input.clone(), given.or_else(fixed)?.clone()))
    });
    let fixed = read.fixed.iter().map(|fixed| (fixed.place.clone(), fixed.value.clone()));
    let defaults = read.bindings.iter().filter(|binding| binding.formats.is_empty());
    let defaults = defaults.filter_map(|binding| Some((binding.place.clone(), binding.default.clone()?)));
    defaults.chain(fixed).chain(named).collect()
}
