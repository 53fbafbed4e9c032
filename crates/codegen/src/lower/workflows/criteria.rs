//! Criteria → what is compared. A condition that can never hold, for its types, is a mistake.

use super::scope::{Scope, report_fault};
use super::shape::Shape;
use crate::read::keys::read_pattern;
use crate::read::located::{Located, describe};
use crate::read::workflows::condition::read_condition;
use toolwright_model::workflow::{Comparison, Condition, Criterion, CriterionKind, Template};

/// The JSONPath that Arazzo 1.0 names; queries are read by its successor, RFC 9535.
const JSONPATH_VERSION: &str = "draft-goessner-dispatch-jsonpath-00";

/// Reads a list of criteria; `None` where one is wrong.
pub(super) fn read_all(scope: &Scope<'_>, at: Option<&Located<'_>>) -> Option<Vec<Criterion>> {
    let read: Vec<Option<Criterion>> =
        at.map(Located::items).unwrap_or_default().iter().map(|at| read(scope, at)).collect();
    read.into_iter().collect()
}

fn read(scope: &Scope<'_>, at: &Located<'_>) -> Option<Criterion> {
    at.object()?;
    at.only(&["context", "condition", "type", "version"]);
    let condition = at.required("condition", "what has to hold")?;
    let text = condition.text()?.trim();
    let kind = kind(at)?;
    let context = at.get("context");
    let (shown, asked) = match kind {
        "simple" => {
            if let Some(context) = context {
                context.wrong_with_hint("no `context`", "a simple condition names what it compares itself");
                return None;
            }
            (text.to_owned(), CriterionKind::Simple(simple(scope, text, &condition)?))
        }
        _ => {
            let Some(context) = context else {
                at.report(format!("`context`: the value that the {kind} is about"), "nothing".to_owned(), None);
                return None;
            };
            let (expression, shape) = scope.expression(&context)?;
            let shown = format!("{expression}: {text}");
            if kind == "regex" {
                if !shape.may_be_scalar() {
                    context.report("a text", format!("`{expression}`, which is {}", shape.in_words()), None);
                    return None;
                }
                (shown, CriterionKind::Regex { context: expression, pattern: read_pattern(&condition)? })
            } else {
                check_query(text, &shape, &condition)?;
                (shown, CriterionKind::JsonPath { context: expression, query: text.to_owned() })
            }
        }
    };
    Some(Criterion { text: shown, kind: asked })
}

/// The type of a criterion, which Arazzo writes as a word or as an object with a version.
fn kind(at: &Located<'_>) -> Option<&'static str> {
    let Some(stated) = at.get("type") else { return Some("simple") };
    let (word, version) = if stated.value.is_object() {
        stated.only(&["type", "version"]);
        (stated.required("type", "`jsonpath`")?, stated.get("version"))
    } else {
        (stated, at.get("version"))
    };
    let kind = match word.value.as_str() {
        Some("simple") => "simple",
        Some("regex") => "regex",
        Some("jsonpath") => "jsonpath",
        Some("xpath") => {
            word.wrong_with_hint("`simple`, `regex` or `jsonpath`", "XPath is for XML, and tools answer with JSON");
            return None;
        }
        _ => {
            word.wrong("`simple`, `regex` or `jsonpath`");
            return None;
        }
    };
    if let Some(version) =
        version.filter(|version| kind != "jsonpath" || version.value.as_str() != Some(JSONPATH_VERSION))
    {
        version.wrong(format!("`{JSONPATH_VERSION}`, for the type `jsonpath` only"));
        return None;
    }
    Some(kind)
}

fn simple(scope: &Scope<'_>, text: &str, at: &Located<'_>) -> Option<Condition> {
    let condition = read_condition(text).map_err(|fault| report_fault(fault, at)).ok()?;
    check(scope, &condition, at).then_some(condition)
}

/// Returns whether a condition can hold; reports where it can't.
fn check(scope: &Scope<'_>, condition: &Condition, at: &Located<'_>) -> bool {
    match condition {
        Condition::All(parts) | Condition::Any(parts) => {
            parts.iter().filter(|part| !check(scope, part, at)).count() == 0
        }
        Condition::Not(part) => check(scope, part, at),
        Condition::True(value) => operand(scope, value, at).is_some(),
        Condition::Compare { left, operator, right } => {
            let (Some(one), Some(other)) = (operand(scope, left, at), operand(scope, right, at)) else { return false };
            let of_size = !matches!(operator, Comparison::Equal | Comparison::NotEqual);
            let has_size = |shape: &Shape<'_>| shape.may_be("number") || shape.may_be("string");
            if !one.meets(&other) || of_size && !(has_size(&one) && has_size(&other)) {
                let found = format!("{} {operator} {}", one.in_words(), other.in_words());
                at.report("values that can be compared", found, None);
                return false;
            }
            true
        }
    }
}

fn operand<'w>(scope: &Scope<'w>, value: &Template, at: &Located<'_>) -> Option<Shape<'w>> {
    match value {
        Template::Read(expression) => scope.shape(expression, at),
        Template::Value(constant) => Some(Shape::of_value(constant)),
        _ => None,
    }
}

/// Checks a JSONPath query, and its first names against what the value has.
fn check_query(query: &str, shape: &Shape<'_>, at: &Located<'_>) -> Option<()> {
    if let Err(error) = serde_json_path::JsonPath::parse(query) {
        at.report("a JSONPath query, such as `$.items[?@.id]`", describe(at.value), Some(error.to_string()));
        return None;
    }
    let mut here = shape.clone();
    let mut rest = query.trim_start_matches('$');
    while let Some(after) = rest.strip_prefix('.').filter(|after| !after.starts_with(['.', '*'])) {
        let end = after.find(['.', '[']).unwrap_or(after.len());
        let (name, next) = after.split_at(end);
        here = super::scope::part(&here, &format!("/{}", crate::read::reference::escape(name)), at)?;
        rest = next;
    }
    Some(())
}
