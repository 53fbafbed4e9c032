//! Arguments that were checked against the input schema → the same in the formats that the overlay
//! names, and everything that does not fit: for `resolve`, which adds it to what the schema found,
//! and for `prepare`, which sends them.

use serde_json::{Map, Value};

use super::arguments::ArgumentSchema;
use super::failure::{ArgumentProblem, ProblemKind};
use super::name_places::{as_vendor_takes, is_name, out_of_bounds};
use crate::client_runtime::segment_fault;
use crate::formats::{self, FormatContext, FormatError};
use toolwright_model::{Binding, Call, Place};

/// Arguments in their formats.
pub(super) struct FormattedArguments {
    /// The arguments as the vendor takes them; those without a format as they were.
    pub(super) values: Map<String, Value>,
    /// What does not fit.
    pub(super) problems: Vec<ArgumentProblem>,
    /// How arguments were understood, where that is not obvious.
    pub(super) notes: Vec<String>,
}

/// Writes each argument of an operation in its formats. With `masked`, which are the arguments
/// without secrets, those are written; what is wrong is found in the real ones.
pub(super) async fn format_arguments(
    operation: &Call,
    schema: &ArgumentSchema,
    arguments: &Map<String, Value>,
    masked: Option<&Map<String, Value>>,
    context: &FormatContext<'_>,
) -> FormattedArguments {
    let mut formatted =
        FormattedArguments { values: masked.unwrap_or(arguments).clone(), problems: Vec::new(), notes: Vec::new() };
    for binding in &operation.bindings {
        // Defaults are in the caller's form, too.
        let Some(given) = arguments.get(&binding.argument).or(binding.default.as_ref()) else { continue };
        let found = faults(binding, given);
        formatted.problems.extend(found.into_iter().map(|error| problem(schema, binding, error)));
        if given.is_null() || binding.formats.is_empty() && binding.resolve.is_empty() {
            continue;
        }
        let empty_list = given.as_array().is_some_and(Vec::is_empty);
        let others = |wanted: fn(&Place) -> bool| values_at(operation, binding, &formatted.values, wanted);
        let path = others(|place| matches!(place, Place::Path(_)));
        let properties = others(|place| matches!(place, Place::Property(_)));
        let context = &FormatContext { path: &path, properties: &properties, ..*context };
        match formats::write(&binding.formats, given.clone(), context, &mut formatted.notes).await {
            // An empty list, joined to a text, is no value: it is not sent.
            Ok(Value::String(text)) if empty_list && text.is_empty() => {
                drop(formatted.values.insert(binding.argument.clone(), Value::Null));
            }
            Ok(written) => {
                let written = as_vendor_takes(binding, written);
                let shown = masked.and_then(|masked| masked.get(&binding.argument)).filter(|shown| *shown != given);
                let written = match shown.cloned() {
                    // A mask need not fit the format.
                    Some(shown) => {
                        formats::write(&binding.formats, shown.clone(), context, &mut Vec::new()).await.unwrap_or(shown)
                    }
                    None => written,
                };
                drop(formatted.values.insert(binding.argument.clone(), written));
            }
            Err(errors) => formatted.problems.extend(errors.into_iter().map(|error| problem(schema, binding, error))),
        }
    }
    formatted.problems.extend(nothing_given(operation, arguments));
    formatted
}

/// Returns the values of a kind of place so far, without that of `own`, by which a format looks up what belongs to the
/// same record.
fn values_at(
    operation: &Call,
    own: &Binding,
    values: &Map<String, Value>,
    wanted: fn(&Place) -> bool,
) -> Vec<(Place, Value)> {
    let others = |binding: &&Binding| wanted(&binding.place) && binding.place != own.place;
    let bindings = operation.bindings.iter().filter(others);
    bindings.filter_map(|binding| Some((binding.place.clone(), values.get(&binding.argument)?.clone()))).collect()
}

/// The problem that none of the arguments is there of which the operation needs one: the vendor
/// would change nothing and answer that all is well.
fn nothing_given(operation: &Call, arguments: &Map<String, Value>) -> Option<ArgumentProblem> {
    let is_given = |name: &String| match arguments.get(name) {
        None | Some(Value::Null) => false,
        Some(Value::Object(entries)) => !entries.is_empty(),
        Some(_) => true,
    };
    let first = operation.needs_one_of.first()?;
    let names = || operation.needs_one_of.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    (!operation.needs_one_of.iter().any(is_given)).then(|| ArgumentProblem {
        kind: ProblemKind::Missing,
        argument: first.clone(),
        given: String::new(),
        expected: format!("at least one of {}, which is not empty", names()),
        suggestion: None,
    })
}

/// What the place of an argument in the request does not take, whatever its formats.
fn faults(binding: &Binding, given: &Value) -> Vec<FormatError> {
    let mut faults = Vec::new();
    let mut fault = |at: String, expected: String, given: &str| {
        faults.push(FormatError { at, expected, given: Value::from(given).to_string(), suggestion: None });
    };
    if given.is_null() && binding.cleared().is_none() {
        fault(String::new(), "a value, or nothing: null clears nothing here, so leave it out".to_owned(), "null");
    }
    for (at, expected, text) in out_of_bounds(binding, given) {
        fault(at, expected, &text);
    }
    let texts = match given {
        Value::Array(items) => {
            items.iter().enumerate().filter_map(|(index, item)| Some((format!("[{index}]"), item.as_str()?))).collect()
        }
        Value::String(text) => vec![(String::new(), text.as_str())],
        _ => Vec::new(),
    };
    for (at, text) in texts {
        if let Place::Path(_) = binding.place
            // A name goes into no address; its id is checked.
            && !is_name(binding, text)
            && let Some(wrong) = segment_fault(text)
        {
            fault(at.clone(), format!("a text that can be a part of an address; this one {wrong}"), text);
        }
        if let Some(separator) = binding.separator.filter(|separator| !at.is_empty() && text.contains(*separator)) {
            fault(at, format!("a value without `{separator}`, which separates the values of the list"), text);
        }
    }
    faults
}

fn problem(schema: &ArgumentSchema, binding: &Binding, error: FormatError) -> ArgumentProblem {
    let argument = format!("{}{}", binding.argument, error.at);
    let is_secret = schema.is_secret(&argument);
    ArgumentProblem {
        kind: ProblemKind::Invalid,
        given: if is_secret { "***".to_owned() } else { error.given },
        suggestion: error.suggestion.filter(|_| !is_secret),
        expected: error.expected,
        argument,
    }
}
