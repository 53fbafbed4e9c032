//! Criteria and what they are about → whether they hold; undecided where a dry run does not know the values.

use std::cmp::Ordering;

use regex::Regex;
use serde_json::Value;
use serde_json_path::JsonPath;

use super::datum::Datum;
use super::scope::Scope;
use super::selection::numbers;
use toolwright_model::workflow::{Comparison, Condition, Criterion, CriterionKind, Template};

/// Whether something holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Holds,
    Fails,
    /// It depends on an answer that a dry run does not have.
    Undecided,
}

impl From<bool> for Verdict {
    fn from(holds: bool) -> Self {
        if holds { Self::Holds } else { Self::Fails }
    }
}

impl Verdict {
    fn not(self) -> Self {
        match self {
            Self::Holds => Self::Fails,
            Self::Fails => Self::Holds,
            Self::Undecided => Self::Undecided,
        }
    }

    fn all(verdicts: impl IntoIterator<Item = Self>) -> Self {
        let mut all = Self::Holds;
        for verdict in verdicts {
            match verdict {
                Self::Fails => return Self::Fails,
                Self::Undecided => all = Self::Undecided,
                Self::Holds => {}
            }
        }
        all
    }
}

/// Returns whether all criteria hold, and the first that does not.
///
/// # Errors
/// A value can't be made.
pub(super) fn all<'c>(scope: &Scope, criteria: &'c [Criterion]) -> Result<(Verdict, Option<&'c Criterion>), String> {
    let mut undecided = None;
    for criterion in criteria {
        match one(scope, criterion)? {
            Verdict::Holds => {}
            Verdict::Fails => return Ok((Verdict::Fails, Some(criterion))),
            Verdict::Undecided => undecided = undecided.or(Some(criterion)),
        }
    }
    Ok(if undecided.is_some() { (Verdict::Undecided, undecided) } else { (Verdict::Holds, None) })
}

fn one(scope: &Scope, criterion: &Criterion) -> Result<Verdict, String> {
    match &criterion.kind {
        CriterionKind::Simple(condition) => simple(scope, condition),
        CriterionKind::Regex { context, pattern } => {
            let datum = scope.read(context);
            if datum.is_unsent() {
                return Ok(Verdict::Undecided);
            }
            let pattern = Regex::new(pattern).map_err(|error| error.to_string())?;
            Ok(datum.text().is_some_and(|text| pattern.is_match(&text)).into())
        }
        CriterionKind::JsonPath { context, query } => {
            let datum = scope.read(context);
            if datum.is_unsent() {
                return Ok(Verdict::Undecided);
            }
            let query = JsonPath::parse(query).map_err(|error| error.to_string())?;
            Ok(datum.value().is_some_and(|value| !query.query(&value).is_empty()).into())
        }
    }
}

fn simple(scope: &Scope, condition: &Condition) -> Result<Verdict, String> {
    Ok(match condition {
        Condition::All(parts) => {
            Verdict::all(parts.iter().map(|part| simple(scope, part)).collect::<Result<Vec<_>, _>>()?)
        }
        Condition::Any(parts) => {
            // One holds exactly where not each fails.
            let parts = parts.iter().map(|part| simple(scope, part)).collect::<Result<Vec<_>, _>>()?;
            Verdict::all(parts.into_iter().map(Verdict::not)).not()
        }
        Condition::Not(part) => simple(scope, part)?.not(),
        Condition::Compare { left, operator, right } => {
            let (left, right) = (made(scope, left)?, made(scope, right)?);
            if left.is_unsent() || right.is_unsent() {
                return Ok(Verdict::Undecided);
            }
            let (left, right) = (left.value().unwrap_or_default(), right.value().unwrap_or_default());
            compare(&left, *operator, &right).into()
        }
        Condition::True(template) => match made(scope, template)? {
            datum if datum.is_unsent() => Verdict::Undecided,
            datum => (!datum.is_absent() && datum.value() != Some(Value::Bool(false))).into(),
        },
    })
}

/// The value of one side. A text that lacks a part is missing: a criterion about it can be decided.
fn made(scope: &Scope, template: &Template) -> Result<Datum, String> {
    match template {
        Template::Text(_) => Ok(scope.template(template).unwrap_or(Datum::Missing)),
        _ => scope.template(template),
    }
}

fn compare(left: &Value, operator: Comparison, right: &Value) -> bool {
    let order = match (left, right) {
        (Value::Number(left), Value::Number(right)) => numbers(left, right),
        (Value::String(left), Value::String(right)) => Some(left.to_lowercase().cmp(&right.to_lowercase())),
        _ => None,
    };
    let equal = order.map_or_else(|| left == right, |order| order == Ordering::Equal);
    match operator {
        Comparison::Equal => equal,
        Comparison::NotEqual => !equal,
        Comparison::Less => order == Some(Ordering::Less),
        Comparison::LessOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        Comparison::Greater => order == Some(Ordering::Greater),
        Comparison::GreaterOrEqual => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
    }
}
