//! Checks a tool call's arguments against the tool's input schema, before anything is sent: converts what plainly is meant, then
//! lists every problem at once. Called by the one path that runs a tool; does no I/O and knows no vendor.
//!
//! Absent on purpose: splitting `a,b` into a list, renaming arguments, filling in defaults. A wrong guess would change a ticket.

mod convert;
mod given;
mod mask;
mod nearest;
mod wording;

#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::fmt::Write as _;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};
use serde_json::{Map, Value};

use super::problem::{ArgumentProblem, ProblemKind};

/// At most so many problems are told apart; a hostile list of a million bad items must not become a million sentences.
const MOST_PROBLEMS: usize = 100;
/// At most so many problems are written out for a model.
const MOST_LINES: usize = 30;
/// At most so many errors are looked at before they are put in order.
const MOST_ERRORS: usize = 5_000;

/// A tool's input schema, ready to check arguments with. Compiled once per tool, shared between calls.
#[derive(Debug)]
pub struct ArgumentSchema {
    schema: Value,
    /// The same, less what formats check themselves, where there is such a thing.
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
    /// of the `open` parts, argument and dotted path, is not checked: something else does.
    ///
    /// # Errors
    ///
    /// The schema is no valid JSON Schema, one of its patterns is no regular expression, or it refers to another document.
    pub fn compile(schema: &Map<String, Value>, open: &[(String, String)]) -> Result<Self, InvalidSchema> {
        let schema = Value::Object(schema.clone());
        let looser = (!open.is_empty()).then(|| loosened(schema.clone(), open));
        let validator = build(looser.as_ref().unwrap_or(&schema))
            .map_err(|source| InvalidSchema { at: format!("#{}", source.instance_path()), source: Box::new(source) })?;
        Ok(Self { schema, looser, validator })
    }

    /// Converts what plainly is meant, then checks.
    ///
    /// # Errors
    ///
    /// Every problem found, never an empty list, in the order of the schema's properties, unknown names last;
    /// at most 100 of them.
    pub fn check(&self, arguments: Map<String, Value>) -> Result<Map<String, Value>, Vec<ArgumentProblem>> {
        let original = Value::Object(arguments.clone());
        let converted = convert::object(self.looser.as_ref().unwrap_or(&self.schema), arguments);
        let converted = Value::Object(converted);
        if self.validator.is_valid(&converted) {
            return Ok(match converted {
                Value::Object(arguments) => arguments,
                _ => Map::new(),
            });
        }
        Err(self.problems(&original, &converted))
    }

    /// Returns the arguments with `***` for each secret in them: by the schema or by its name.
    #[must_use]
    pub fn masked(&self, arguments: &Map<String, Value>) -> Map<String, Value> {
        mask::object(arguments, &self.schema)
    }

    /// Returns the text a model gets for these problems: what happened, one line per problem, and what would be valid.
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

    fn problems(&self, original: &Value, converted: &Value) -> Vec<ArgumentProblem> {
        let root = Place::root(&self.schema, original, converted);
        let mut findings = Vec::new();
        for error in self.validator.iter_errors(converted).take(MOST_ERRORS) {
            let place = error
                .instance_path()
                .as_str()
                .split('/')
                .skip(1)
                .fold(root.clone(), |place, segment| place.child(&segment.replace("~1", "/").replace("~0", "~")));
            collect(&place, error.kind(), &mut findings);
        }
        findings.sort_by(|a, b| a.place.rank.cmp(&b.place.rank));
        // Several keywords broken by one value are one problem: `expected` tells them all.
        let mut seen = HashSet::new();
        findings.retain(|finding| seen.insert(finding.place.rank.clone()));
        findings.truncate(MOST_PROBLEMS);
        if findings.is_empty() {
            // The validator said no without saying why; refusing is the safe reading.
            findings.push(Finding { place: root, what: What::Invalid { unworded: None } });
        }
        findings.iter().map(Finding::problem).collect()
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

/// Builds the validator of a schema or of a part of one.
fn build(schema: &Value) -> Result<Validator, ValidationError<'static>> {
    jsonschema::draft202012::options().should_validate_formats(true).offline().build(schema)
}

/// A place in the arguments, with all that is known of it.
#[derive(Debug, Clone)]
struct Place<'a> {
    path: String,
    rank: Vec<Rank>,
    /// `Null` where the schema says nothing.
    schema: &'a Value,
    /// The object or array that this is a part of: its schema.
    parent: &'a Value,
    original: Option<&'a Value>,
    converted: Option<&'a Value>,
    secret: bool,
}

/// Where among its siblings a place stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Rank {
    At(usize),
    Unlisted(String),
}

impl<'a> Place<'a> {
    fn root(schema: &'a Value, original: &'a Value, converted: &'a Value) -> Self {
        Self {
            path: String::new(),
            rank: Vec::new(),
            schema,
            parent: &Value::Null,
            original: Some(original),
            converted: Some(converted),
            secret: false,
        }
    }

    /// Steps to a property, or to an item by its index.
    fn child(&self, name: &str) -> Self {
        let index = name.parse::<usize>().ok().filter(|_| self.converted.is_some_and(Value::is_array));
        let part = |value: Option<&'a Value>| match index {
            Some(index) => value.and_then(|value| value.as_array()?.get(index)),
            None => value.and_then(|value| value.as_object()?.get(name)),
        };
        let mut path = self.path.clone();
        let (rank, schema) = if let Some(index) = index {
            let _ = write!(path, "[{index}]");
            (Rank::At(index), wording::item(self.schema, index))
        } else {
            push_name(&mut path, name);
            let listed = wording::properties(self.schema).and_then(|all| all.keys().position(|key| key == name));
            let rank = listed.map_or_else(|| Rank::Unlisted(name.to_owned()), Rank::At);
            (rank, wording::property(self.schema, name))
        };
        let mut ranks = self.rank.clone();
        ranks.push(rank);
        Self {
            path,
            rank: ranks,
            schema: schema.unwrap_or(&Value::Null),
            parent: self.schema,
            original: part(self.original),
            converted: part(self.converted),
            secret: self.secret
                || index.is_none() && given::is_secret_name(name)
                || schema.is_some_and(given::is_secret_schema),
        }
    }

    /// What the caller wrote; what it was converted to, where only that has this place.
    fn value(&self) -> Option<&'a Value> {
        self.original.or(self.converted)
    }
}

/// Writes a property's name onto a path, so that the path reads one way only.
fn push_name(path: &mut String, name: &str) {
    let name = given::cut(name);
    if path.is_empty() && !name.is_empty() {
        path.push_str(&name);
    } else if name.is_empty() || name.contains(['.', '[', ']', '"']) {
        let _ = write!(path, "[{}]", Value::from(name));
    } else {
        let _ = write!(path, ".{name}");
    }
}

struct Finding<'a> {
    place: Place<'a>,
    what: What,
}

enum What {
    Missing,
    Unknown,
    /// `unworded` names the keyword, if the description of the schema would not tell it.
    Invalid {
        unworded: Option<String>,
    },
}

/// Turns one error of the validator into what is wrong, and where.
fn collect<'a>(place: &Place<'a>, kind: &ValidationErrorKind, findings: &mut Vec<Finding<'a>>) {
    use ValidationErrorKind as Kind;
    match kind {
        Kind::Required { property } => {
            let place = place.child(property.as_str().unwrap_or_default());
            findings.push(Finding { place, what: What::Missing });
        }
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            let unknown = unexpected.iter().take(MOST_PROBLEMS);
            findings.extend(unknown.map(|name| Finding { place: place.child(name), what: What::Unknown }));
        }
        kind => {
            let worded = matches!(
                kind,
                Kind::Type { .. }
                    | Kind::Enum { .. }
                    | Kind::Constant { .. }
                    | Kind::Minimum { .. }
                    | Kind::Maximum { .. }
                    | Kind::ExclusiveMinimum { .. }
                    | Kind::ExclusiveMaximum { .. }
                    | Kind::MultipleOf { .. }
                    | Kind::MinLength { .. }
                    | Kind::MaxLength { .. }
                    | Kind::Pattern { .. }
                    | Kind::BacktrackLimitExceeded { .. }
                    | Kind::RegexEngineFailure { .. }
                    | Kind::Format { .. }
                    | Kind::MinItems { .. }
                    | Kind::MaxItems { .. }
                    | Kind::UniqueItems
                    | Kind::MinProperties { .. }
                    | Kind::MaxProperties { .. }
                    | Kind::FalseSchema
            );
            let unworded = (!worded).then(|| kind.keyword().to_owned());
            findings.push(Finding { place: place.clone(), what: What::Invalid { unworded } });
        }
    }
}

impl Finding<'_> {
    fn problem(&self) -> ArgumentProblem {
        let place = &self.place;
        let given = || given::show(place.value(), place.schema, place.secret);
        match &self.what {
            What::Missing => ArgumentProblem {
                kind: ProblemKind::Missing,
                argument: place.path.clone(),
                given: String::new(),
                expected: wording::expected(place.schema) + &self.example(),
                suggestion: None,
            },
            What::Unknown => {
                let secret = place.secret || given::has_secret(place.parent);
                let names = || wording::properties(place.parent).into_iter().flat_map(Map::keys).map(String::as_str);
                let name = match place.rank.last() {
                    Some(Rank::Unlisted(name)) => name.as_str(),
                    _ => "",
                };
                ArgumentProblem {
                    kind: ProblemKind::Unknown,
                    argument: place.path.clone(),
                    given: given::show(place.value(), place.schema, secret),
                    expected: wording::one_of_names(names()),
                    suggestion: nearest::name(name, names()).map(str::to_owned),
                }
            }
            What::Invalid { unworded } => {
                let mut expected = wording::expected(place.schema);
                if let Some(keyword) = unworded {
                    let _ = write!(expected, " that fits the schema's `{keyword}`");
                }
                expected.push_str(&self.example());
                ArgumentProblem {
                    kind: ProblemKind::Invalid,
                    argument: place.path.clone(),
                    given: given(),
                    expected,
                    suggestion: self.suggestion(),
                }
            }
        }
    }

    fn example(&self) -> String {
        if self.place.secret { String::new() } else { wording::example(self.place.schema) }
    }

    /// The nearest value that the schema would accept; never derived from a secret.
    fn suggestion(&self) -> Option<String> {
        let place = &self.place;
        let value = place.value().filter(|_| !place.secret && !given::has_secret(place.schema))?;
        let candidate = nearest::value(place.schema, value)?;
        let accepted = build(place.schema).is_ok_and(|validator| validator.is_valid(&candidate));
        accepted.then(|| wording::whole(&candidate))
    }
}
