//! A call's arguments and the tool's input schema → checked arguments, or every problem in words.
//! Converts what can mean only one value: `1,2` is a list of two numbers, and `a,b` is refused where
//! a value could contain the comma. Does no I/O and knows no vendor.
//!
//! Absent on purpose: dropping `null`, renaming arguments, filling in defaults. A wrong guess would
//! change a ticket.

mod convert;
mod facts;
mod given;
mod schema;
mod secrets;
mod suggestion;
mod violations;
mod wording;

#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::fmt::Write as _;
use std::sync::Arc;

use jsonschema::{ValidationError, Validator};
use serde_json::{Map, Value};

use super::failure::ArgumentProblem;
pub use facts::ArgumentFacts;
pub(super) use schema::property;
pub(crate) use secrets::{HIDDEN, masked_by_name};
use violations::MOST_PROBLEMS;

/// The most problems that are written out for a model.
const MOST_LINES: usize = 30;

/// A tool's input schema, compiled to check arguments. Made once per tool, shared between calls.
#[derive(Debug)]
pub struct ArgumentSchema {
    schema: Value,
    /// The same with what the tool states beside it; arguments are converted and checked by this one.
    checked: Value,
    /// The arguments for which `null` means that they are not given.
    optional: Vec<String>,
    /// The names of the arguments, in order.
    names: Arc<[String]>,
    validator: Validator,
}

/// Why an input schema cannot check anything.
#[derive(Debug, thiserror::Error)]
#[error("the input schema is not valid at `{at}`")]
pub struct InvalidSchema {
    at: String,
    #[source]
    source: Box<ValidationError<'static>>,
}

impl ArgumentSchema {
    /// Compiles an input schema (JSON Schema 2020-12, self-contained; formats are checked), with what
    /// the tool states beside it.
    ///
    /// # Errors
    /// The schema is not valid, one of its patterns is no regular expression, or it refers to
    /// another document.
    pub fn compile(schema: &Map<String, Value>, facts: &ArgumentFacts) -> Result<Self, InvalidSchema> {
        let mut schema = Value::Object(schema.clone());
        facts::demand_texts(&mut schema);
        let mut checked = schema.clone();
        facts.write_into(&mut checked);
        let validator = schema::validator(&checked)
            .map_err(|source| InvalidSchema { at: format!("#{}", source.instance_path()), source: Box::new(source) })?;
        let names = schema::properties(&schema).into_iter().flat_map(Map::keys).cloned().collect();
        Ok(Self { schema, checked, optional: facts.optional.clone(), names, validator })
    }

    /// Returns the names of the arguments, in the order of the schema.
    pub(super) fn names(&self) -> &Arc<[String]> {
        &self.names
    }

    /// Converts arguments to the types of the schema.
    pub fn converted(&self, arguments: &Map<String, Value>) -> Map<String, Value> {
        let mut given = arguments.clone();
        given.retain(|name, value| !(value.is_null() && self.optional.contains(name)));
        convert::object(&self.checked, given)
    }

    /// Converts arguments to the types of the schema and checks them.
    ///
    /// # Errors
    /// All problems (at least one, at most 100) in the order of the schema's properties, unknown
    /// names last.
    pub fn check(&self, arguments: &Map<String, Value>) -> Result<Map<String, Value>, Vec<ArgumentProblem>> {
        let converted = Value::Object(self.converted(arguments));
        if self.validator.is_valid(&converted) {
            return Ok(match converted {
                Value::Object(arguments) => arguments,
                _ => Map::new(),
            });
        }
        let original = Value::Object(arguments.clone());
        Err(violations::problems(&self.validator, &self.schema, &original, &converted))
    }

    /// Adds problems that formats found to those of the schema, in the order of its properties. Of
    /// two in the same place the format's stays, which knows more, but for a `null`.
    pub fn joined(&self, mut problems: Vec<ArgumentProblem>, more: Vec<ArgumentProblem>) -> Vec<ArgumentProblem> {
        for problem in more {
            let around = |other: &ArgumentProblem| {
                is_within(&problem.argument, &other.argument) || is_within(&other.argument, &problem.argument)
            };
            match problems.iter().position(around) {
                Some(index) if problems[index].argument == problem.argument && problems[index].given != "null" => {
                    problems[index] = problem;
                }
                Some(_) => {}
                None => problems.push(problem),
            }
        }
        let names = || schema::properties(&self.schema).into_iter().flat_map(Map::keys);
        problems
            .sort_by_key(|problem| names().position(|name| is_within(&problem.argument, name)).unwrap_or(usize::MAX));
        problems
    }

    /// Returns whether an argument, or a part of one, is secret: a path such as `users[0].password`.
    pub fn is_secret(&self, path: &str) -> bool {
        let mut part = Some(&self.schema);
        path.split(['.', '[']).any(|step| {
            let (before, step) = (part, step.trim_end_matches(']'));
            part = match step.parse::<usize>() {
                Ok(index) => before.and_then(|part| schema::item(part, index)),
                Err(_) => before.and_then(|part| schema::property(part, step)),
            };
            secrets::is_secret_name(step) || part.is_some_and(secrets::is_secret_schema)
        })
    }

    /// Returns the arguments with `***` for each secret in them.
    #[must_use]
    pub fn masked(&self, arguments: &Map<String, Value>) -> Map<String, Value> {
        secrets::masked(arguments, &self.schema)
    }

    /// Returns the text for a model: what happened, a line for each problem with what the argument is, the valid
    /// arguments.
    #[must_use]
    pub fn describe(&self, problems: &[ArgumentProblem], tool: &str) -> String {
        let mut text = format!("the arguments of {tool} were not accepted; nothing was sent\n");
        let mut written = HashSet::new();
        for problem in problems.iter().take(MOST_LINES) {
            let _ = write!(text, "- {problem}");
            // Says where a value comes from and what it means; once is enough.
            let description = schema::description(&self.schema, &problem.argument);
            if let Some(description) = description.filter(|description| written.insert(*description)) {
                let _ = write!(text, " ({})", wording::description(description));
            }
            text.push('\n');
        }
        if let Some(more) = problems.len().checked_sub(MOST_LINES).filter(|more| *more > 0) {
            let at_least = if problems.len() >= MOST_PROBLEMS { "at least " } else { "" };
            let _ = writeln!(text, "- and {at_least}{more} more");
        }
        text.push_str(&wording::signature(&self.schema));
        text
    }
}

/// Whether a path is this part, or leads into it.
fn is_within(path: &str, part: &str) -> bool {
    path.strip_prefix(part).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}
