//! Arguments → the same in the types of the schema, where only one value can be meant. All other
//! values stay as they are, for the check to refuse.
//!
//! Goes only as deep as the schema, however deep the arguments are.

use serde_json::{Map, Number, Value};

use super::schema::{item, items, property};
use crate::formats::pattern_matches;

/// The keyword by which a schema that is compiled here says at which characters one text that is
/// given for a list is split.
pub(super) const SPLITS_AT: &str = "x-splits-at";

/// The keyword by which a schema that is compiled here says what an id matches, where a name can be given, too.
pub(super) const ID_PATTERN: &str = "x-id-pattern";

/// Converts the properties of an object. A `null` stays: whether it clears something is the check's to say.
pub(super) fn object(schema: &Value, mut object: Map<String, Value>) -> Map<String, Value> {
    for (name, slot) in &mut object {
        if let Some(wanted) = property(schema, name) {
            *slot = value(wanted, slot.take());
        }
    }
    object
}

/// Converts one value.
pub(super) fn value(schema: &Value, given: Value) -> Value {
    let converted = match (wanted(schema), given) {
        (Some("integer"), Value::String(text)) => integer(&text).map_or(Value::String(text), Value::from),
        (Some("integer"), Value::Number(number)) => whole(number),
        (Some("number"), Value::String(text)) => number(&text).map_or(Value::String(text), Value::Number),
        (Some("boolean"), Value::String(text)) if text.eq_ignore_ascii_case("true") => Value::Bool(true),
        (Some("boolean"), Value::String(text)) if text.eq_ignore_ascii_case("false") => Value::Bool(false),
        (Some("string"), Value::Bool(given)) => Value::String(given.to_string()),
        (Some("string"), Value::Number(number)) => plain_text(&number).map_or(Value::Number(number), Value::String),
        (Some("array"), Value::Array(given)) => array(schema, given),
        (Some("array"), Value::String(text)) => match parsed(&text, '[') {
            Some(Value::Array(given)) => array(schema, given),
            _ if text.trim_start().starts_with('[') || text.trim().is_empty() => Value::String(text),
            _ => listed(schema, text),
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
        // Spaces are nothing where something is demanded.
        Value::String(text) if text.trim().is_empty() && demands_text(schema) => Value::String(String::new()),
        Value::String(text) => Value::String(spelled(schema, text)),
        other => other,
    }
}

/// The type that is wanted, if there is one beside `null`.
fn wanted(schema: &Value) -> Option<&str> {
    match schema.get("type")? {
        Value::Array(types) => match types.as_slice() {
            [one, null] if null == "null" => one.as_str(),
            _ => None,
        },
        one => one.as_str(),
    }
}

fn demands_text(schema: &Value) -> bool {
    schema.get("minLength").and_then(Value::as_u64).is_some_and(|least| least > 0)
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

/// `5.0` as `5`, `5e2` as `500`. A whole number beyond `i64` becomes a text, for the check to refuse as it refuses that
/// text: the vendor's client could not hold it.
fn whole(number: Number) -> Value {
    /// Below it a float has every whole number.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if let Some(whole) = integer(&number.to_string()) {
        return whole.into();
    }
    match number.as_f64() {
        Some(float) if float.fract() != 0.0 => Value::Number(number),
        Some(float) if float.abs() < EXACT => {
            format!("{float:.0}").parse::<i64>().map_or(Value::Number(number), Value::from)
        }
        // Also what is beyond every float.
        _ => Value::String(number.to_string()),
    }
}

/// The number as its caller wrote it; not with an exponent, which is a way to write numbers and no text.
fn plain_text(number: &Number) -> Option<String> {
    let text = number.to_string();
    (!text.contains(['e', 'E'])).then_some(text)
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

/// One text in place of a list: split where no value contains what separates them, a list of one
/// where nothing does; else left for the check to refuse, because either could be meant.
fn listed(schema: &Value, text: String) -> Value {
    let Some(items) = items(schema) else {
        return Value::String(text);
    };
    if let Some(pattern) = items.get(ID_PATTERN).and_then(Value::as_str) {
        return listed_names(pattern, text);
    }
    let spaced = |text: &str| text.contains(char::is_whitespace);
    let given = text.trim();
    // A choice may have spaces in it.
    if is_choice(items, &spelled(items, given.to_owned())) || !given.contains(',') && !spaced(given) {
        return wrapped(schema, Value::String(text));
    }
    let at = |c: char| splits_at(schema, items, c);
    let separates = |c: char| c == ',' && at(',') || c.is_whitespace() && at(' ');
    if given.contains(',') && !at(',') || !given.contains(',') && !at(' ') {
        return Value::String(text);
    }
    let parts = given.split(separates).map(str::trim).filter(|part| !part.is_empty());
    Value::Array(parts.map(|part| value(items, Value::from(part))).collect())
}

/// One text in place of a list of names or ids: several ids are split, for no id holds a comma or a space; a name may
/// hold both, so a text with a comma is left for the check to refuse.
fn listed_names(pattern: &str, text: String) -> Value {
    let parts: Vec<&str> = text.split([',', ' ']).map(str::trim).filter(|part| !part.is_empty()).collect();
    if parts.iter().all(|part| pattern_matches(pattern, part)) {
        return parts.into_iter().map(Value::from).collect();
    }
    if text.contains(',') { Value::String(text) } else { Value::Array(vec![Value::from(text)]) }
}

/// Whether no value of a list contains this character, a comma or a space.
fn splits_at(schema: &Value, items: &Value, separator: char) -> bool {
    let stated = schema.get(SPLITS_AT).and_then(Value::as_str).is_some_and(|all| all.contains(separator));
    if stated || matches!(wanted(items), Some("integer" | "number" | "boolean")) {
        return true;
    }
    match (items.get("enum").and_then(Value::as_array), items.get("format").and_then(Value::as_str)) {
        (Some(values), _) => values.iter().filter_map(Value::as_str).all(|value| !value.contains(separator)),
        (None, Some("date" | "uuid" | "ipv4" | "ipv6")) => true,
        (None, Some("date-time")) => separator == ',',
        _ => false,
    }
}

fn is_choice(schema: &Value, text: &str) -> bool {
    schema.get("enum").and_then(Value::as_array).is_some_and(|values| values.iter().any(|value| value == text))
}

/// The parts of a text at its commas, or else at its spaces, as a list: offered to the model where
/// it is not sure.
pub(super) fn proposed_list(schema: &Value, text: &str) -> Option<Value> {
    let items = items(schema)?;
    let commas = text.contains(',');
    let separates = |c: char| if commas { c == ',' } else { c.is_whitespace() };
    let parts = text.split(separates).map(str::trim).filter(|part| !part.is_empty());
    Some(Value::Array(parts.map(|part| value(items, Value::from(part))).collect()))
}
