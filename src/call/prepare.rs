//! Stage 2: a resolved call → the values and pages that the vendor is asked for. Each argument is
//! written in the formats that the overlay names.

use serde_json::{Map, Value};

use super::failure::{ArgumentProblem, Failure, ProblemKind};
use super::paging::Pager;
use super::paging::page::Start;
use super::resolve::ResolvedCall;
use crate::client_runtime::Inputs;
use crate::formats::{self, FormatContext, FormatError};
use toolwright_model::{ALL, Binding, Call};

/// A call that is ready to be sent.
pub(super) struct PreparedCall<'a> {
    pub(super) resolved: ResolvedCall<'a>,
    /// The arguments as the vendor takes them.
    pub(super) values: Map<String, Value>,
    /// How the operation pages, if it does.
    pub(super) pager: Option<Pager<'a>>,
    /// The first page to fetch.
    pub(super) start: Start,
    /// How the arguments were understood, where that is not obvious.
    pub(super) notes: Vec<String>,
}

/// Prepares a call. With `all`, at most `most_records` are fetched.
///
/// # Errors
/// An argument does not fit its format.
pub(super) async fn prepare<'a>(
    mut resolved: ResolvedCall<'a>,
    most_records: usize,
    context: &FormatContext<'_>,
) -> Result<PreparedCall<'a>, Failure> {
    let mut notes = std::mem::take(&mut resolved.notes);
    let values = write_formats(&resolved, context, &mut notes).await?;
    let ResolvedCall { operation, arguments, cursor, .. } = &resolved;
    let bound = resolved.is_set(ALL).then_some(most_records);
    let paging = resolved.tool().paging().and(operation.paging.as_ref());
    let pager = paging.map(|paging| Pager::new(paging, operation, arguments, bound));
    let start = match (cursor, &pager) {
        (Some(cursor), _) => cursor.start.clone(),
        (None, Some(pager)) => pager.first(operation, arguments),
        (None, None) => Start::default(),
    };
    Ok(PreparedCall { resolved, values, pager, start, notes })
}

impl PreparedCall<'_> {
    /// Returns the inputs of the request for the page at `start`.
    pub(super) fn inputs(&self, start: &Start) -> Inputs {
        let mut inputs = bind(self.resolved.operation, &self.values);
        if let Some(pager) = &self.pager {
            pager.place(start, &mut inputs);
        }
        inputs
    }
}

/// Writes each argument in its formats. A dry run writes the masked ones, because its plan is shown.
async fn write_formats(
    resolved: &ResolvedCall<'_>,
    context: &FormatContext<'_>,
    notes: &mut Vec<String>,
) -> Result<Map<String, Value>, Failure> {
    let mut values = if resolved.dry_run { resolved.masked.clone() } else { resolved.arguments.clone() };
    let mut problems = Vec::new();
    for binding in resolved.operation.bindings.iter().filter(|binding| !binding.formats.is_empty()) {
        // Defaults are in the caller's form, too.
        let given = values.get(&binding.argument).or(binding.default.as_ref());
        let Some(given) = given.filter(|given| !given.is_null()).cloned() else { continue };
        let empty_list = given.as_array().is_some_and(Vec::is_empty);
        match formats::write(&binding.formats, given, context, notes).await {
            // An empty list, joined to a text, is no value: it is not sent.
            Ok(Value::String(text)) if empty_list && text.is_empty() => {
                drop(values.insert(binding.argument.clone(), Value::Null));
            }
            Ok(value) => drop(values.insert(binding.argument.clone(), value)),
            Err(error) => problems.push(problem(binding, error)),
        }
    }
    if problems.is_empty() {
        return Ok(values);
    }
    Err(Failure::Arguments { text: resolved.schema.describe(&problems, &resolved.tool().name), problems })
}

fn problem(binding: &Binding, error: FormatError) -> ArgumentProblem {
    ArgumentProblem {
        kind: ProblemKind::Invalid,
        argument: format!("{}{}", binding.argument, error.at),
        given: error.given,
        expected: error.expected,
        suggestion: error.suggestion,
    }
}

/// Puts each value to its place in the request; a missing one with a default is sent with that.
fn bind(operation: &Call, values: &Map<String, Value>) -> Inputs {
    let mut inputs = Inputs::default();
    for fixed in &operation.fixed {
        inputs.insert(&fixed.place, fixed.value.clone());
    }
    for binding in &operation.bindings {
        let value = values.get(&binding.argument).or(binding.default.as_ref());
        let Some(value) = value.filter(|value| !value.is_null()) else { continue };
        let value = if binding.single { Value::Array(vec![value.clone()]) } else { value.clone() };
        inputs.insert(&binding.place, value);
    }
    inputs
}
