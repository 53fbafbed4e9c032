//! A call's arguments and the tool's input schema → checked arguments, or every problem in words.
//! Converts what can mean only one value. Does no I/O and knows no vendor.
//!
//! Absent on purpose: splitting `a,b` into a list, renaming arguments, filling in defaults. A wrong
//! guess would change a ticket.

mod convert;
mod given;
mod schema;
mod secrets;
mod suggestion;
mod violations;
mod wording;

#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use jsonschema::{ValidationError, Validator};
use serde_json::{Map, Value};

use super::failure::ArgumentProblem;
use violations::MOST_PROBLEMS;

/// The most problems that are written out for a model.
const MOST_LINES: usize = 30;

/// A tool's input schema, compiled to check arguments. Made once per tool, shared between calls.
#[derive(Debug)]
pub struct ArgumentSchema {
    schema: Value,
    /// The same without the types that formats check themselves, if there are any.
    looser: Option<Value>,
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
    /// Compiles an input schema (JSON Schema 2020-12, self-contained; formats are checked). The type
    /// of the `open` parts (argument and dotted path) is not checked; their format does that.
    ///
    /// # Errors
    /// The schema is not valid, one of its patterns is no regular expression, or it refers to
    /// another document.
    pub fn compile(schema: &Map<String, Value>, open: &[(String, String)]) -> Result<Self, InvalidSchema> {
        let schema = Value::Object(schema.clone());
        let looser = (!open.is_empty()).then(|| loosened(schema.clone(), open));
        let validator = schema::validator(looser.as_ref().unwrap_or(&schema))
            .map_err(|source| InvalidSchema { at: format!("#{}", source.instance_path()), source: Box::new(source) })?;
        Ok(Self { schema, looser, validator })
    }

    /// Converts arguments to the types of the schema and checks them.
    ///
    /// # Errors
    /// All problems (at least one, at most 100) in the order of the schema's properties, unknown
    /// names last.
    pub fn check(&self, arguments: &Map<String, Value>) -> Result<Map<String, Value>, Vec<ArgumentProblem>> {
        let converted = convert::object(self.looser.as_ref().unwrap_or(&self.schema), arguments.clone());
        let converted = Value::Object(converted);
        if self.validator.is_valid(&converted) {
            return Ok(match converted {
                Value::Object(arguments) => arguments,
                _ => Map::new(),
            });
        }
        let original = Value::Object(arguments.clone());
        Err(violations::problems(&self.validator, &self.schema, &original, &converted))
    }

    /// Returns the arguments with `***` for each secret in them.
    #[must_use]
    pub fn masked(&self, arguments: &Map<String, Value>) -> Map<String, Value> {
        secrets::masked(arguments, &self.schema)
    }

    /// Returns the text for a model: what happened, a line for each problem, the valid arguments.
    #[must_use]
    pub fn describe(&self, problems: &[ArgumentProblem], tool: &str) -> String {
        let mut text = format!("the arguments of {tool} were not accepted; nothing was sent\n");
        for problem in problems.iter().take(MOST_LINES) {
            let _ = writeln!(text, "- {problem}");
        }
        if let Some(more) = problems.len().checked_sub(MOST_LINES).filter(|more| *more > 0) {
            let at_least = if problems.len() >= MOST_PROBLEMS { "at least " } else { "" };
            let _ = writeln!(text, "- and {at_least}{more} more");
        }
        text.push_str(&wording::signature(&self.schema));
        text
    }
}

/// The schema without the type of its open parts.
fn loosened(mut schema: Value, open: &[(String, String)]) -> Value {
    for (argument, path) in open {
        let mut part = schema.pointer_mut("/properties").and_then(|all| all.get_mut(argument));
        for name in path.split('.').filter(|name| !name.is_empty()) {
            part = part.and_then(|part| {
                let part = if part["type"] == "array" { &mut part["items"] } else { part };
                part.get_mut("properties")?.get_mut(name)
            });
        }
        if let Some(part) = part.and_then(Value::as_object_mut) {
            part.shift_remove("type");
            part.shift_remove("enum");
        }
    }
    schema
}
