//! A list or a text and a selection → the records, fields or part that it keeps.

use std::cmp::Ordering;

use regex::Regex;
use serde_json::Value;

use super::datum::{Datum, Foreign};
use super::scope::Scope;
use toolwright_model::workflow::{Field, Only, Selection, SortKey, Test, Where};

/// The most records that an error names.
const MOST_NAMED: usize = 10;

/// Takes the part.
///
/// # Errors
/// One record is wanted, and there is none or there are several.
pub(super) fn select(scope: &Scope, selection: &Selection) -> Result<Datum, String> {
    let from = scope.read(&selection.from);
    if from.is_missing() || from.is_unsent() {
        return Ok(from);
    }
    let Some(mut records) = from.items() else { return Ok(captured(&from, selection)) };
    if !keep_fitting(scope, &mut records, &selection.filter)? {
        return Ok(Datum::Unsent(format!("a part of `{}`", selection.from)));
    }
    if !selection.sort.is_empty() {
        records.sort_by(|a, b| order(a, b, &selection.sort));
    }
    if let Some(limit) = &selection.limit {
        let limit = scope.template(limit)?.value();
        let limit = limit.as_ref().and_then(Value::as_u64).and_then(|limit| usize::try_from(limit).ok());
        records.truncate(limit.unwrap_or(usize::MAX));
    }
    let only = match &selection.only {
        Some(Only::First) => Some(records.first().cloned().unwrap_or(Datum::Missing)),
        Some(Only::One(name)) => Some(the_one(&records, name, selection)?),
        None => None,
    };
    let part = |record: &Datum| {
        let kept = kept(record, &selection.keep);
        captured(&if selection.at.is_empty() { kept } else { kept.at(&selection.at) }, selection)
    };
    Ok(match only {
        Some(record) if record.is_missing() => Datum::Missing,
        Some(record) => part(&record),
        None => Datum::List(records.iter().map(part).filter(|record| !record.is_missing()).collect()),
    })
}

/// Keeps the records for which all conditions hold; returns `false` where a dry run can't know which those are.
///
/// # Errors
/// The value that a condition compares with can't be made.
pub(super) fn keep_fitting(scope: &Scope, records: &mut Vec<Datum>, conditions: &[Where]) -> Result<bool, String> {
    for condition in conditions {
        let wanted = wanted(scope, condition)?;
        if wanted.as_ref().is_some_and(Datum::is_unsent) {
            return Ok(false);
        }
        records.retain(|record| fits(record, condition, wanted.as_ref()));
    }
    Ok(true)
}

/// The value that a condition compares with.
fn wanted(scope: &Scope, condition: &Where) -> Result<Option<Datum>, String> {
    match &condition.test {
        Test::Equals(template) | Test::Differs(template) => scope.template(template).map(Some),
        Test::Present | Test::Absent => Ok(None),
    }
}

/// Whether one of the places of a record is as a condition wants it.
fn fits(record: &Datum, condition: &Where, wanted: Option<&Datum>) -> bool {
    let mut places = condition.at.iter().map(|at| record.at(at));
    let mut whole = condition.at.is_empty().then(|| record.clone()).into_iter();
    let mut any = |test: &dyn Fn(&Datum) -> bool| places.any(|place| test(&place)) || whole.any(|place| test(&place));
    let is_it = |found: &Value, wanted: &Value| !wanted.is_null() && same(found, wanted);
    let equals = |place: &Datum| match (place.value(), wanted.and_then(Datum::value)) {
        (Some(found), Some(Value::Array(several))) => several.iter().any(|wanted| is_it(&found, wanted)),
        (Some(found), Some(wanted)) => is_it(&found, &wanted),
        _ => false,
    };
    match &condition.test {
        Test::Equals(_) => any(&equals),
        Test::Differs(_) => any(&|place| !equals(place)),
        Test::Present => any(&|place| !place.is_absent()),
        Test::Absent => any(&Datum::is_absent),
    }
}

/// Whether two values are the same: texts in any case, a number and the text of its digits.
pub(super) fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::String(one), Value::String(other)) => one.to_lowercase() == other.to_lowercase(),
        (Value::String(text), Value::Number(number)) | (Value::Number(number), Value::String(text)) => {
            text.trim() == number.to_string()
        }
        (Value::Number(one), Value::Number(other)) => numbers(one, other) == Some(Ordering::Equal),
        (one, other) => one == other,
    }
}

/// Compares two numbers by size.
pub(super) fn numbers(one: &serde_json::Number, other: &serde_json::Number) -> Option<Ordering> {
    match (one.as_i128(), other.as_i128()) {
        (Some(one), Some(other)) => Some(one.cmp(&other)),
        _ => one.as_f64()?.partial_cmp(&other.as_f64()?),
    }
}

fn order(a: &Datum, b: &Datum, keys: &[SortKey]) -> Ordering {
    let by = |key: &SortKey| {
        let (a, b) = (a.at(&key.at), b.at(&key.at));
        let known = match (a.value().filter(|_| !a.is_absent()), b.value().filter(|_| !b.is_absent())) {
            (None, None) => return Ordering::Equal,
            // Missing values come last, in both directions.
            (None, Some(_)) => return Ordering::Greater,
            (Some(_), None) => return Ordering::Less,
            (Some(Value::Number(a)), Some(Value::Number(b))) => numbers(&a, &b).unwrap_or(Ordering::Equal),
            (Some(Value::Number(_)), Some(_)) => Ordering::Less,
            (Some(_), Some(Value::Number(_))) => Ordering::Greater,
            (Some(Value::String(a)), Some(Value::String(b))) => a.cmp(&b),
            (Some(a), Some(b)) => a.to_string().cmp(&b.to_string()),
        };
        if key.descending { known.reverse() } else { known }
    };
    keys.iter().map(by).find(|order| *order != Ordering::Equal).unwrap_or(Ordering::Equal)
}

fn kept(record: &Datum, fields: &[Field]) -> Datum {
    if fields.is_empty() {
        return record.clone();
    }
    let entries = fields.iter().map(|field| (field.name.clone(), record.at(&field.at)));
    Datum::Object(entries.filter(|(_, datum)| !datum.is_missing()).collect())
}

fn the_one(records: &[Datum], name: &str, selection: &Selection) -> Result<Datum, String> {
    match records {
        [one] => Ok(one.clone()),
        [] => Err(format!("`{}` has no such record{}", selection.from, compared(selection))),
        several => {
            let names = several.iter().take(MOST_NAMED).filter_map(|record| record.at(name).text());
            let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
            let count = several.len();
            Err(format!("`{}` has {count} such records{}: {}", selection.from, compared(selection), names.join(", ")))
        }
    }
}

/// By which value records were looked for, as the file has it.
fn compared(selection: &Selection) -> String {
    let of = |condition: &Where| match &condition.test {
        Test::Equals(toolwright_model::workflow::Template::Read(expression)) => Some(format!("`{expression}`")),
        _ => None,
    };
    let by: Vec<String> = selection.filter.iter().filter_map(of).collect();
    if by.is_empty() { String::new() } else { format!(" by {}", by.join(", ")) }
}

/// Takes the first group of a regular expression of a text.
fn captured(datum: &Datum, selection: &Selection) -> Datum {
    let Some(pattern) = &selection.capture else { return datum.clone() };
    // The build checks the expression.
    let (Ok(pattern), Some(Value::String(text))) = (Regex::new(pattern), datum.value()) else { return datum.clone() };
    let Some(found) = pattern.captures(&text).and_then(|captures| captures.get(1)) else { return datum.clone() };
    let value = Value::from(found.as_str());
    match datum {
        Datum::Foreign(foreign) => Datum::Foreign(Foreign { value, ..foreign.clone() }),
        _ => Datum::Own(value),
    }
}
