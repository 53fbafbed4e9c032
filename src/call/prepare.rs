//! Checked arguments → what the vendor takes, by the formats that the overlay names; a refusal →
//! what the vendor says of it when asked; notes of formats → a part of the answer.

use std::time::SystemTime;

use serde_json::{Map, Value};

use super::arguments::ArgumentSchema;
use super::line::{ApiConnection, Session};
use super::problem::{ArgumentProblem, ProblemKind};
use super::{Caller, Failure, Toolbox, attempts};
use crate::client_runtime::Inputs;
use crate::error::{CallError, Rejection};
use crate::formats::{self, FormatContext, FormatError, Lookup, LookupError, LookupFuture, RefusedRequest};
use toolwright_model::{Binding, Call, Effect, Place, Tool};

/// Arguments as the vendor takes them, and what the caller should know of that.
pub(super) struct Prepared {
    pub(super) arguments: Map<String, Value>,
    pub(super) notes: Vec<String>,
}

/// The parts of a tool's arguments that their formats check themselves: argument and dotted path.
pub(super) fn open_parts(tool: &Tool) -> Vec<(String, String)> {
    let bindings = tool.calls.iter().flat_map(|call| &call.bindings);
    let parts = bindings.flat_map(|binding| {
        formats::open_parts(&binding.formats).into_iter().map(|path| (binding.argument.clone(), path))
    });
    parts.collect()
}

/// Offers files by their path too.
pub(super) fn offer_paths(tool: &Tool, schema: &mut Map<String, Value>) {
    let bindings = tool.calls.iter().flat_map(|call| &call.bindings);
    for binding in bindings {
        if let Some(argument) = schema.get_mut("properties").and_then(|all| all.get_mut(&binding.argument)) {
            formats::offer_folder(&binding.formats, argument);
        }
    }
}

/// Replaces times that are relative to now, also defaults, by the ones that they mean, and says so.
/// What is no time is left for its format to refuse.
pub(super) fn settle(call: &Call, arguments: &mut Map<String, Value>, now: SystemTime) -> Vec<String> {
    let mut notes = Vec::new();
    for binding in &call.bindings {
        let given = arguments.get(&binding.argument).or(binding.default.as_ref());
        if let Some((given, settled)) =
            given.and_then(|given| formats::resolve_relative_times(&binding.formats, given, now))
        {
            notes.push(format!("`{}`: {given} is {settled}", binding.argument));
            arguments.insert(binding.argument.clone(), Value::from(settled));
        }
    }
    notes
}

/// Writes each argument in its formats; `notes` are added to.
pub(super) async fn prepare(
    tool: &Tool,
    call: &Call,
    schema: &ArgumentSchema,
    mut arguments: Map<String, Value>,
    mut notes: Vec<String>,
    around: &FormatContext<'_>,
) -> Result<Prepared, Failure> {
    let mut problems = Vec::new();
    for binding in call.bindings.iter().filter(|binding| !binding.formats.is_empty()) {
        // A default is written as a caller would write it.
        let given = arguments.get(&binding.argument).or(binding.default.as_ref());
        let Some(given) = given.filter(|given| !given.is_null()).cloned() else { continue };
        let nothing = given.as_array().is_some_and(Vec::is_empty);
        match formats::write(&binding.formats, given, around, &mut notes).await {
            // A list of nothing, joined to a text, is not a value: it stays away.
            Ok(Value::String(text)) if nothing && text.is_empty() => {
                drop(arguments.insert(binding.argument.clone(), Value::Null));
            }
            Ok(value) => drop(arguments.insert(binding.argument.clone(), value)),
            Err(complaint) => problems.push(problem(binding, complaint)),
        }
    }
    if problems.is_empty() {
        return Ok(Prepared { arguments, notes });
    }
    Err(Failure::Arguments { text: schema.describe(&problems, &tool.name), problems })
}

fn problem(binding: &Binding, complaint: FormatError) -> ArgumentProblem {
    ArgumentProblem {
        kind: ProblemKind::Invalid,
        argument: format!("{}{}", binding.argument, complaint.at),
        given: complaint.given,
        expected: complaint.expected,
        suggestion: complaint.suggestion,
    }
}

/// Adds to a refusal what the vendor says when asked about it, and what formats did to the request.
pub(super) async fn explained(
    mut rejection: Box<Rejection>,
    call: &Call,
    prepared: &Prepared,
    ask: &dyn Lookup,
) -> CallError {
    let mut parts: Vec<String> = rejection.advice.take().into_iter().collect();
    let refused = RefusedRequest { status: rejection.status, body: &rejection.body };
    for binding in &call.bindings {
        let Some(value) = prepared.arguments.get(&binding.argument) else { continue };
        for formatted in &binding.formats {
            parts.extend(formats::explain(formatted, value, &refused, ask).await);
        }
    }
    parts.extend(prepared.notes.iter().cloned());
    rejection.advice = (!parts.is_empty()).then(|| parts.join("; "));
    CallError::Rejected(rejection)
}

/// Asks the vendor over the line that the call itself takes: same credentials, same pace.
pub(super) struct VendorLookup<'a> {
    pub(super) toolbox: &'a Toolbox,
    pub(super) line: &'a ApiConnection,
    pub(super) opened: &'a Session,
    pub(super) caller: &'a Caller,
    pub(super) vendor: &'a str,
    pub(super) api: &'a str,
}

impl Lookup for VendorLookup<'_> {
    fn ask<'a>(&'a self, operation: &'a str, inputs: Vec<(Place, Value)>) -> LookupFuture<'a> {
        Box::pin(async move {
            if !self.only_reads(operation) {
                return Err(LookupError::Failed(format!("`{operation}` is not known to read only")));
            }
            let values = || {
                let mut values = Inputs::default();
                for (place, value) in &inputs {
                    values.insert(place, value.clone());
                }
                values
            };
            let request = || self.opened.send(operation, values);
            let Toolbox { patience, metrics, .. } = self.toolbox;
            let metrics = metrics.of(self.vendor);
            let answer = attempts::run(*patience, true, &self.line.pace, self.caller, metrics, request).await;
            let answer = answer.map_err(|error| LookupError::Failed(error.to_string()))?;
            serde_json::from_slice(&answer.body).map_err(|_| LookupError::Failed("the answer is no JSON".to_owned()))
        })
    }
}

impl VendorLookup<'_> {
    /// The build saw to it already; a catalog from elsewhere may say otherwise.
    fn only_reads(&self, operation: &str) -> bool {
        let reaches = |call: &Call| call.api == self.api && call.operation == operation;
        let tools = self.toolbox.catalog.entries().iter().map(|entry| &entry.tool);
        let mut effects = tools.filter(|tool| tool.calls.iter().any(reaches)).map(|tool| tool.effect).peekable();
        effects.peek().is_some() && effects.all(|effect| effect == Some(Effect::Read))
    }
}

/// Asks nobody: for dry runs.
pub(super) struct NoLookup;

impl Lookup for NoLookup {
    fn ask<'a>(&'a self, _: &'a str, _: Vec<(Place, Value)>) -> LookupFuture<'a> {
        Box::pin(async { Err(LookupError::DryRun) })
    }
}
