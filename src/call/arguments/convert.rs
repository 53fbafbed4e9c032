//! Arguments → the same in the types of the schema, where only one value can be meant. All other
//! values stay as they are, for the check to refuse.
//!
//! Goes only as deep as the schema, however deep the arguments are.

use serde_json::{Map, Number, Value};

use super::schema::{item, items, property, required};

/// Converts the properties of an object; drops `null` for optional properties that cannot be null.
pub(super) fn object(schema: &Value, mut object: Map<String, Value>) -> Map<String, Value> {
    let mut dropped = false;
    for (name, slot) in &mut object {
        let Some(wanted) = property(schema, name) else {
            continue;
        };
        if slot.is_null() {
            dropped = true;
        } else {
            *slot = value(wanted, slot.take());
        }
    }
    if dropped {
        object.retain(|name, value| !(value.is_null() && is_optional(schema, name)));
    }
    object
}

/// Converts one value.
pub(super) fn value(schema: &Value, given: Value) -> Value {
    let converted = match (wanted(schema), given) {
        (Some("integer"), Value::String(text)) => integer(&text).map_or(Value::String(text), Value::from),
        (Some("integer"), Value::Number(number)) => Value::Number(whole(number)),
        (Some("number"), Value::String(text)) => number(&text).map_or(Value::String(text), Value::Number),
        (Some("boolean"), Value::String(text)) if text.eq_ignore_ascii_case("true") => Value::Bool(true),
        (Some("boolean"), Value::String(text)) if text.eq_ignore_ascii_case("false") => Value::Bool(false),
        (Some("string"), Value::Bool(given)) => Value::String(given.to_string()),
        (Some("string"), Value::Number(number)) => plain_text(&number).map_or(Value::Number(number), Value::String),
        (Some("array"), Value::Array(given)) => array(schema, given),
        (Some("array"), Value::String(text)) => match parsed(&text, '[') {
            Some(Value::Array(given)) => array(schema, given),
            _ if text.trim_start().starts_with('[') || text.trim().is_empty() => Value::String(text),
            _ => wrapped(schema, Value::String(text)),
        },
        (Some("array"), scalar @ (Value::Bool(_) | Value::Number(_))) => wrapped(schema, scalar),
        (Some("object"), Value::Object(given)) => Value::Object(object(schema, given)),
        (Some("object"), Value::String(text)) => match parsed(&text, '{') {
            Some(Value::Object(given)) => Value::Object(object(schema, given)),
            _ => Value::String(text),
        },
        (_, given) => given,
    };
    match converted {
        Value::String(text) => Value::String(spelled(schema, text)),
        other => other,
    }
}

fn wanted(schema: &Value) -> Option<&str> {
    schema.get("type").and_then(Value::as_str)
}

fn is_optional(schema: &Value, name: &str) -> bool {
    property(schema, name).is_some_and(|wanted| !accepts_null(wanted)) && !required(schema).any(|other| other == name)
}

fn accepts_null(schema: &Value) -> bool {
    let by_type = match schema.get("type") {
        None => true,
        Some(Value::Array(types)) => types.iter().any(|name| name == "null"),
        Some(name) => name == "null",
    };
    let by_enum = schema.get("enum").and_then(Value::as_array).is_none_or(|values| values.contains(&Value::Null));
    by_type && by_enum
}

fn array(schema: &Value, given: Vec<Value>) -> Value {
    let convert = |(index, given)| match item(schema, index) {
        Some(wanted) => value(wanted, given),
        None => given,
    };
    Value::Array(given.into_iter().enumerate().map(convert).collect())
}

/// A scalar as the only item, if it is one that the array takes; else the scalar itself.
fn wrapped(schema: &Value, scalar: Value) -> Value {
    let Some(items) = items(schema) else {
        return scalar;
    };
    let item = value(items, scalar);
    let fits = match wanted(items) {
        Some("string") => item.is_string(),
        Some("integer") => item.is_i64() || item.is_u64(),
        Some("number") => item.is_number(),
        Some("boolean") => item.is_boolean(),
        _ => false,
    };
    let listed = items.get("enum").and_then(Value::as_array).is_none_or(|values| values.contains(&item));
    if fits && listed { Value::Array(vec![item]) } else { item }
}

/// The JSON in a string, if it begins as wanted.
fn parsed(text: &str, first: char) -> Option<Value> {
    text.trim_start().starts_with(first).then(|| serde_json::from_str(text).ok()).flatten()
}

/// `5`, `-5`, ` 5 `, `5.0`; exact, so read from the digits and not by way of a float.
fn integer(text: &str) -> Option<i64> {
    let text = text.trim();
    serde_json::from_str::<Number>(text).ok()?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    fraction.bytes().all(|digit| digit == b'0').then(|| whole.parse().ok()).flatten()
}

/// A JSON number that nothing is lost of: no integer beyond `i64`, nothing infinite.
fn number(text: &str) -> Option<Number> {
    let text = text.trim();
    let number: Number = serde_json::from_str(text).ok()?;
    (number.is_i64() || number.is_f64() && text.contains(['.', 'e', 'E'])).then_some(number)
}

/// `5.0` as `5`.
fn whole(number: Number) -> Number {
    match number.as_f64().filter(|float| number.is_f64() && float.fract() == 0.0) {
        // Writing a float out is exact and reading checks the range.
        Some(float) => format!("{float:.0}").parse::<i64>().map_or(number, Number::from),
        None => number,
    }
}

/// The number as its caller would have written it; not for floats so large that digits are lost already.
fn plain_text(number: &Number) -> Option<String> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let exact = !number.is_f64() || number.as_f64().is_some_and(|float| float.abs() < EXACT);
    exact.then(|| number.to_string())
}

/// The spelling that the enum has for this text, if exactly one differs from it by case only.
fn spelled(schema: &Value, text: String) -> String {
    let Some(values) = schema.get("enum").and_then(Value::as_array) else {
        return text;
    };
    let values = || values.iter().filter_map(Value::as_str);
    // Case changes a text's length by little: a huge text is compared with nothing.
    let longest = values().map(str::len).max().unwrap_or_default();
    if text.len() > longest.saturating_mul(3) || values().any(|value| value == text) {
        return text;
    }
    let lower = text.to_lowercase();
    let mut same = values().filter(|value| value.to_lowercase() == lower);
    match (same.next(), same.next()) {
        (Some(only), None) => only.to_owned(),
        _ => text,
    }
}

/// The parts of `1, 2` as the array they were meant as: offered to the model, never taken unasked.
pub(super) fn listed(schema: &Value, text: &str) -> Option<Value> {
    let items = items(schema)?;
    let parts = text.split(',').map(|part| value(items, Value::from(part.trim())));
    Some(Value::Array(parts.collect()))
}
