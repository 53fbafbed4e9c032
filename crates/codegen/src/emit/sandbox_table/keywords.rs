//! Keywords of JSON Schema 2020-12 → how they are put into a schema, and what a schema states with them.

use serde::Serialize;
use serde_json::{Map, Value, json};

/// The keywords written so far.
pub(super) type Keywords = Map<String, Value>;

pub(super) fn put(key: &str, value: Option<&(impl Serialize + ?Sized)>, out: &mut Keywords) {
    if let Some(value) = value {
        out.insert(key.to_owned(), json!(value));
    }
}

pub(super) fn put_values(values: &[impl Serialize], out: &mut Keywords) {
    put("enum", Some(values).filter(|values| !values.is_empty()), out);
}

/// In OpenAPI 3.0 `exclusiveMinimum` is a flag beside `minimum`; in 2020-12 it is the bound.
pub(super) fn put_bound(
    inclusive: &str,
    exclusive: &str,
    bound: Option<&impl Serialize>,
    is_exclusive: bool,
    out: &mut Keywords,
) {
    put(if is_exclusive { exclusive } else { inclusive }, bound, out);
}

/// `openapiv3` reads the bounds of numbers as floating point; a whole one is written without a fraction.
pub(super) fn number(value: f64) -> Value {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if value.fract() == 0.0 && value.abs() <= EXACT {
        #[expect(clippy::cast_possible_truncation, reason = "a whole number that fits, as was just checked")]
        return Value::from(value as i64);
    }
    Value::from(value)
}

pub(super) fn is_composed(schema: &Keywords) -> bool {
    ["allOf", "anyOf", "oneOf"].iter().any(|key| schema.contains_key(*key))
}

/// Allows `null`, which 2020-12 does by type and by enumerated value.
pub(super) fn nullable(mut schema: Keywords) -> Value {
    if let Some(Value::Array(values)) = schema.get_mut("enum")
        && !values.contains(&Value::Null)
    {
        values.push(Value::Null);
    }
    if let Some(name) = schema.get_mut("type").filter(|name| *name != "null") {
        *name = json!([name.take(), "null"]);
    }
    // Each part of a composition has a type of its own, which `null` would have to satisfy.
    if is_composed(&schema) {
        return json!({ "anyOf": [Value::Object(schema), { "type": "null" }] });
    }
    Value::Object(schema)
}

/// How much a schema states about the properties of an object.
#[derive(PartialEq, Eq)]
pub(super) enum Completeness {
    /// It names properties and does not mention others.
    Listed,
    /// It states what else is allowed, or is free-form.
    Open,
    /// It does not describe an object, or adds conditions only.
    Unstated,
}

pub(super) fn completeness(schema: &Value) -> Completeness {
    let Value::Object(schema) = schema else {
        return Completeness::Open;
    };
    if schema.contains_key("additionalProperties") || schema.contains_key("unevaluatedProperties") {
        return Completeness::Open;
    }
    let may_be_object = match schema.get("type") {
        None => true,
        Some(Value::Array(types)) => types.contains(&json!("object")),
        Some(name) => name == "object",
    };
    if !may_be_object {
        return Completeness::Unstated;
    }
    let parts: Vec<Completeness> = ["allOf", "anyOf", "oneOf"]
        .iter()
        .filter_map(|key| schema.get(*key)?.as_array())
        .flatten()
        .map(completeness)
        .collect();
    if parts.contains(&Completeness::Open) {
        Completeness::Open
    } else if schema.contains_key("properties") || parts.contains(&Completeness::Listed) {
        Completeness::Listed
    } else if parts.is_empty() && !schema.contains_key("required") {
        Completeness::Open
    } else {
        Completeness::Unstated
    }
}
