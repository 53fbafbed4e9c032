//! Errors of the JSON Schema validator → problems of arguments, in the order of the schema.

use std::collections::HashSet;
use std::fmt::Write as _;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};
use serde_json::{Map, Value};
use toolwright_model::suggest_one;

use super::schema::{item, properties, property, required, validator};
use super::secrets::{has_secret, is_secret_name, is_secret_schema};
use super::{given, suggestion, wording};
use crate::call::failure::{ArgumentProblem, ProblemKind};

/// The most problems that are reported: a hostile list of a million bad items must not become a
/// million sentences.
pub(super) const MOST_PROBLEMS: usize = 100;
/// The most errors that are collected before they are sorted.
const MOST_ERRORS: usize = 5_000;

/// Returns what is wrong with arguments that the validator refuses. `original` is what the caller
/// wrote, `converted` what was checked.
pub(super) fn problems(
    validator: &Validator,
    schema: &Value,
    original: &Value,
    converted: &Value,
) -> Vec<ArgumentProblem> {
    let root = Located::root(schema, original, converted);
    let mut violations = Vec::new();
    for error in validator.iter_errors(converted).take(MOST_ERRORS) {
        collect(&root, &error, &mut violations);
    }
    violations.sort_by(|a, b| a.located.order.cmp(&b.located.order));
    // One value that breaks several keywords is one problem: `expected` names them all.
    let mut seen = HashSet::new();
    violations.retain(|violation| seen.insert(violation.located.order.clone()));
    violations.truncate(MOST_PROBLEMS);
    if violations.is_empty() {
        // Refused without an error: nothing can be named, but nothing is sent either.
        violations.push(Violation { located: root, kind: ViolationKind::Invalid { unworded: None } });
    }
    violations.iter().map(Violation::problem).collect()
}

fn located<'a>(root: &Located<'a>, error: &ValidationError<'_>) -> Located<'a> {
    let segments = error.instance_path().as_str().split('/').skip(1);
    segments.fold(root.clone(), |located, segment| located.child(&segment.replace("~1", "/").replace("~0", "~")))
}

/// A part of the arguments with its schema.
#[derive(Debug, Clone)]
struct Located<'a> {
    path: String,
    /// Its position in the order of the schema, one step for each part of the path.
    order: Vec<Step>,
    /// `Null` if there is no schema for it.
    schema: &'a Value,
    /// The schema of the object or array around it.
    parent: &'a Value,
    original: Option<&'a Value>,
    converted: Option<&'a Value>,
    secret: bool,
    /// Of a property, its name.
    name: Option<String>,
}

/// The position of a part among its siblings; those that the schema does not list come last.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Step {
    Listed(usize),
    Unlisted(String),
}

impl<'a> Located<'a> {
    fn root(schema: &'a Value, original: &'a Value, converted: &'a Value) -> Self {
        Self {
            path: String::new(),
            order: Vec::new(),
            schema,
            parent: &Value::Null,
            original: Some(original),
            converted: Some(converted),
            secret: false,
            name: None,
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
        let (step, schema) = if let Some(index) = index {
            let _ = write!(path, "[{index}]");
            (Step::Listed(index), item(self.schema, index))
        } else {
            push_name(&mut path, name);
            let position = properties(self.schema).and_then(|all| all.keys().position(|key| key == name));
            let step = position.map_or_else(|| Step::Unlisted(name.to_owned()), Step::Listed);
            (step, property(self.schema, name))
        };
        let mut order = self.order.clone();
        order.push(step);
        Self {
            path,
            order,
            schema: schema.unwrap_or(&Value::Null),
            parent: self.schema,
            original: part(self.original),
            converted: part(self.converted),
            secret: self.secret || index.is_none() && is_secret_name(name) || schema.is_some_and(is_secret_schema),
            name: index.is_none().then(|| name.to_owned()),
        }
    }

    /// Returns what the caller wrote, or what it was converted to if only that has this part.
    fn value(&self) -> Option<&'a Value> {
        self.original.or(self.converted)
    }
}

/// Writes a property's name onto a path so that the path is unambiguous.
fn push_name(path: &mut String, name: &str) {
    let name = given::short(name);
    if path.is_empty() && !name.is_empty() {
        path.push_str(&name);
    } else if name.is_empty() || name.contains(['.', '[', ']', '"']) {
        let _ = write!(path, "[{}]", Value::from(name));
    } else {
        let _ = write!(path, ".{name}");
    }
}

struct Violation<'a> {
    located: Located<'a>,
    kind: ViolationKind,
}

enum ViolationKind {
    Missing,
    Unknown,
    /// `unworded` is the broken keyword, if the words for the schema don't include it.
    Invalid {
        unworded: Option<String>,
    },
}

/// Adds the violations that one error of the validator reports.
fn collect<'a>(root: &Located<'a>, error: &ValidationError<'_>, violations: &mut Vec<Violation<'a>>) {
    use ValidationErrorKind as Kind;
    let located = &located(root, error);
    match error.kind() {
        Kind::AnyOf { context } if nearest(context, error).is_some() => {
            for error in nearest(context, error).into_iter().flatten().take(MOST_PROBLEMS) {
                collect(root, error, violations);
            }
        }
        Kind::Required { property } => {
            let located = located.child(property.as_str().unwrap_or_default());
            violations.push(Violation { located, kind: ViolationKind::Missing });
        }
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            let unknown = unexpected.iter().take(MOST_PROBLEMS);
            let unknown = unknown.map(|name| Violation { located: located.child(name), kind: ViolationKind::Unknown });
            violations.extend(unknown);
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
            violations.push(Violation { located: located.clone(), kind: ViolationKind::Invalid { unworded } });
        }
    }
}

/// The errors of the alternative that was probably meant: of those that take the value's type, the one that lacks least.
/// A value of a property that chooses another one counts most.
fn nearest<'e>(
    alternatives: &'e [Vec<ValidationError<'static>>],
    whole: &ValidationError<'_>,
) -> Option<&'e [ValidationError<'static>]> {
    let here = whole.instance_path().as_str();
    let is_about_part = |error: &ValidationError<'_>| {
        let is_inside = error.instance_path().as_str().len() > here.len();
        is_inside || matches!(error.kind(), ValidationErrorKind::Required { .. })
    };
    let chooses = |error: &ValidationError<'_>| {
        matches!(error.kind(), ValidationErrorKind::Enum { .. } | ValidationErrorKind::FalseSchema)
    };
    let possible = alternatives.iter().filter(|errors| errors.iter().all(is_about_part));
    let nearest = possible.min_by_key(|errors| (errors.iter().filter(|error| chooses(error)).count(), errors.len()));
    nearest.map(Vec::as_slice)
}

impl Violation<'_> {
    fn problem(&self) -> ArgumentProblem {
        match &self.kind {
            ViolationKind::Missing => self.missing(),
            ViolationKind::Unknown => self.unknown(),
            ViolationKind::Invalid { unworded } => self.invalid(unworded.as_deref()),
        }
    }

    fn missing(&self) -> ArgumentProblem {
        ArgumentProblem {
            kind: ProblemKind::Missing,
            argument: self.located.path.clone(),
            given: String::new(),
            expected: wording::expected(self.located.schema, None) + &self.example(),
            suggestion: None,
        }
    }

    fn unknown(&self) -> ArgumentProblem {
        let located = &self.located;
        let secret = located.secret || has_secret(located.parent);
        let names = || properties(located.parent).into_iter().flat_map(Map::keys).map(String::as_str);
        let name = match located.order.last() {
            Some(Step::Unlisted(name)) => name.as_str(),
            _ => "",
        };
        ArgumentProblem {
            kind: ProblemKind::Unknown,
            argument: located.path.clone(),
            given: given::show(located.value(), located.schema, secret),
            expected: wording::one_of_names(names(), name),
            suggestion: suggest_one(name, names()).map(str::to_owned),
        }
    }

    fn invalid(&self, unworded: Option<&str>) -> ArgumentProblem {
        let located = &self.located;
        let mut expected = wording::expected(located.schema, located.value().filter(|_| !located.secret));
        if let Some(keyword) = unworded {
            let _ = write!(expected, " that fits the schema's `{keyword}`");
        }
        expected.push_str(&self.remark());
        expected.push_str(&self.example());
        ArgumentProblem {
            kind: ProblemKind::Invalid,
            argument: located.path.clone(),
            given: given::show(located.value(), located.schema, located.secret),
            expected,
            suggestion: self.suggestion(),
        }
    }

    /// What a model that wrote `null`, or one text for a list, has to know.
    fn remark(&self) -> String {
        let located = &self.located;
        let is_required = |name: &str| required(located.parent).any(|other| other == name);
        match (located.value(), located.schema.get("type").and_then(Value::as_str)) {
            (Some(Value::Null), _) if !located.name.as_deref().is_some_and(is_required) => {
                ", or nothing: null clears nothing here, so leave it out".to_owned()
            }
            (Some(Value::String(text)), Some("array")) if !located.secret && !has_secret(located.schema) => {
                wording::how_to_list(located.schema, text)
            }
            _ => String::new(),
        }
    }

    fn example(&self) -> String {
        if self.located.secret { String::new() } else { wording::example(self.located.schema) }
    }

    /// Returns the nearest value that the schema accepts; never one derived from a secret.
    fn suggestion(&self) -> Option<String> {
        let located = &self.located;
        let value = located.value().filter(|_| !located.secret && !has_secret(located.schema))?;
        let candidate = suggestion::near(located.schema, value)?;
        let accepted = validator(located.schema).is_ok_and(|validator| validator.is_valid(&candidate));
        accepted.then(|| wording::whole(&candidate))
    }
}
