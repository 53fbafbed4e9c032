//! Values that an overlay states for an argument (`default`, `value`, `enum`, `samples`) against
//! the argument's own schema: what does not fit would be refused on every call. Called by
//! `tool_draft`.

use serde_json::{Map, Value};

use crate::lower::portable::is_of;
use crate::read::located::one_of;

/// Returns what was expected, where `value` does not fit the portable `schema`.
pub fn misfit(schema: &Map<String, Value>, value: &Value) -> Option<String> {
    let kind = schema.get("type").and_then(Value::as_str).unwrap_or_default();
    if !is_of(kind, value) {
        return Some(kind_in_words(kind).to_owned());
    }
    if let Some(values) = schema.get("enum").and_then(Value::as_array)
        && !values.contains(value)
    {
        let words: Vec<String> =
            values.iter().map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).collect();
        return Some(one_of(words.iter().map(String::as_str)));
    }
    match value {
        Value::Number(number) => out_of_bounds(schema, number.as_f64()?),
        Value::String(text) => wrong_length(schema, text.chars().count(), ["minLength", "maxLength"], "characters"),
        Value::Array(items) => wrong_length(schema, items.len(), ["minItems", "maxItems"], "values").or_else(|| {
            let one = schema.get("items")?.as_object()?;
            items.iter().find_map(|item| misfit(one, item)).map(|expected| format!("a list, each value {expected}"))
        }),
        Value::Object(object) => wrong_member(schema, object),
        _ => None,
    }
}

fn kind_in_words(kind: &str) -> &'static str {
    match kind {
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "`true` or `false`",
        "string" => "a text",
        "array" => "a list",
        _ => "an object",
    }
}

fn out_of_bounds(schema: &Map<String, Value>, number: f64) -> Option<String> {
    let bound = |key: &str| schema.get(key).and_then(Value::as_f64);
    let wrong = |key: &str, words: &str, holds: fn(f64, f64) -> bool| {
        bound(key).filter(|bound| !holds(number, *bound)).map(|bound| format!("{words} {bound}"))
    };
    wrong("minimum", "at least", |number, bound| number >= bound)
        .or_else(|| wrong("exclusiveMinimum", "more than", |number, bound| number > bound))
        .or_else(|| wrong("maximum", "at most", |number, bound| number <= bound))
        .or_else(|| wrong("exclusiveMaximum", "less than", |number, bound| number < bound))
}

fn wrong_length(schema: &Map<String, Value>, length: usize, [least, most]: [&str; 2], of: &str) -> Option<String> {
    let bound = |key: &str| schema.get(key).and_then(Value::as_u64).and_then(|bound| usize::try_from(bound).ok());
    match (bound(least), bound(most)) {
        (Some(least), _) if length < least => Some(format!("at least {least} {of}")),
        (_, Some(most)) if length > most => Some(format!("at most {most} {of}")),
        _ => None,
    }
}

fn wrong_member(schema: &Map<String, Value>, object: &Map<String, Value>) -> Option<String> {
    let properties = schema.get("properties").and_then(Value::as_object);
    let missing = schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    if let Some(name) = missing.into_iter().find(|name| !object.contains_key(*name)) {
        return Some(format!("an object with `{name}`"));
    }
    let further = schema.get("additionalProperties");
    object.iter().find_map(|(name, value)| match properties.and_then(|known| known.get(name)) {
        Some(Value::Object(property)) => misfit(property, value).map(|expected| format!("in `{name}` {expected}")),
        Some(_) => None,
        None => match further {
            Some(Value::Bool(false)) => Some(format!("an object without `{name}`, which it can't have")),
            Some(Value::Object(one)) => misfit(one, value).map(|expected| format!("in `{name}` {expected}")),
            _ => None,
        },
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn misfits_are_described() {
        for (schema, value, expected) in [
            (json!({"type": "integer"}), json!("25"), "a whole number"),
            (json!({"type": "integer", "minimum": 1}), json!(0), "at least 1"),
            (json!({"type": "number", "exclusiveMaximum": 2}), json!(2), "less than 2"),
            (json!({"type": "string", "enum": ["a", "b"]}), json!("c"), "one of `a`, `b`"),
            (json!({"type": "string", "minLength": 2}), json!("a"), "at least 2 characters"),
            (json!({"type": "boolean"}), json!("true"), "`true` or `false`"),
            (
                json!({"type": "array", "items": {"type": "integer"}}),
                json!([1, "2"]),
                "a list, each value a whole number",
            ),
            (json!({"type": "object", "required": ["a"]}), json!({}), "an object with `a`"),
            (
                json!({"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": false}),
                json!({"b": 1}),
                "an object without `b`, which it can't have",
            ),
        ] {
            assert_eq!(misfit(schema.as_object().unwrap(), &value).as_deref(), Some(expected), "{schema} {value}");
        }
        for (schema, value) in [
            (json!({"type": "integer", "maximum": 9}), json!(9)),
            (json!({"type": "object", "additionalProperties": true}), json!({"a": [null]})),
            (json!({"type": "array", "items": {"type": "string", "enum": ["a"]}}), json!(["a"])),
        ] {
            assert_eq!(misfit(schema.as_object().unwrap(), &value), None, "{schema} {value}");
        }
    }
}
