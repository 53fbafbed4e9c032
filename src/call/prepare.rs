//! Stage 2: a resolved call → the values and pages that the vendor is asked for. Each argument is
//! written in the formats that the overlay names, and `null` as what the vendor takes for it.

use serde_json::{Map, Value};

use super::failure::Failure;
use super::format_arguments::format_arguments;
use super::id_sources;
use super::name_places::unresolved;
use super::paging::Pager;
use super::paging::page::Start;
use super::resolve::ResolvedCall;
use super::tools::OfferedTools;
use crate::client_runtime::Inputs;
use crate::formats::FormatContext;
use toolwright_model::{ALL, Call};

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
    tools: &OfferedTools,
) -> Result<PreparedCall<'a>, Failure> {
    check_resolved(resolved.operation, &resolved.arguments)?;
    let mut notes = std::mem::take(&mut resolved.notes);
    // The plan of a dry run is shown.
    let masked = resolved.dry_run.then_some(&resolved.masked);
    let (operation, schema) = (resolved.operation, resolved.schema);
    let formatted = format_arguments(operation, schema, &resolved.arguments, masked, context).await;
    if !formatted.problems.is_empty() {
        let problems = schema.joined(Vec::new(), formatted.problems);
        return Err(id_sources::refused(problems, schema, resolved.entry, tools));
    }
    notes.extend(formatted.notes);
    let values = formatted.values;
    let ResolvedCall { arguments, cursor, .. } = &resolved;
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

/// No name is sent in place of an id, whatever came before.
fn check_resolved(operation: &Call, arguments: &Map<String, Value>) -> Result<(), Failure> {
    for binding in &operation.bindings {
        let left = arguments.get(&binding.argument).and_then(|value| unresolved(binding, value));
        if left.is_some() {
            return Err(Failure::Internal(format!("`{}` holds a name where an id has to be", binding.argument)));
        }
    }
    Ok(())
}

impl PreparedCall<'_> {
    /// Returns the inputs of the request for the page at `start`.
    pub(super) fn inputs(&self, start: &Start) -> Inputs {
        self.inputs_of(&self.values, start)
    }

    /// The inputs of the same request with other values, such as masked ones.
    pub(super) fn inputs_of(&self, values: &Map<String, Value>, start: &Start) -> Inputs {
        let mut inputs = bind(self.resolved.operation, &self.resolved.arguments, values);
        if let Some(pager) = &self.pager {
            pager.place(start, &mut inputs);
        }
        inputs
    }
}

/// Puts each value to its place in the request; a missing one with a default is sent with that, and
/// one that the caller gave as `null` with what the vendor takes for that.
fn bind(operation: &Call, given: &Map<String, Value>, values: &Map<String, Value>) -> Inputs {
    let mut inputs = Inputs::default();
    for fixed in &operation.fixed {
        inputs.insert(&fixed.place, fixed.value.clone());
    }
    for binding in &operation.bindings {
        let Some(value) = values.get(&binding.argument).or(binding.default.as_ref()) else { continue };
        if !value.is_null() {
            let value = if binding.single { Value::Array(vec![value.clone()]) } else { value.clone() };
            inputs.insert(&binding.place, value);
        } else if let Some(cleared) = binding.cleared()
            && given.get(&binding.argument) == Some(&Value::Null)
        {
            inputs.insert(&binding.place, cleared.clone());
        }
    }
    inputs
}
