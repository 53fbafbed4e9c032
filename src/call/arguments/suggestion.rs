//! A value that does not fit → the nearest one that may, to be suggested and never used unasked.

use serde_json::Value;
use toolwright_model::suggest_one;

use super::convert;

/// Longer texts are no slips of the pen.
const LONGEST: usize = 100;

/// Returns the value that was probably meant; it may still not fit the schema.
pub(super) fn near(schema: &Value, given: &Value) -> Option<Value> {
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        let text = given.as_str()?;
        return suggest_one(text, values.iter().filter_map(Value::as_str)).map(Value::from);
    }
    let expected = schema.get("type").and_then(Value::as_str)?;
    // As the check saw it: `"500"` was converted to 500.
    let converted = match given {
        Value::String(text) if text.len() <= LONGEST && matches!(expected, "integer" | "number") => {
            convert::value(schema, given.clone())
        }
        Value::String(text) if text.len() > LONGEST => return None,
        Value::String(_) | Value::Number(_) => given.clone(),
        _ => return None,
    };
    match (expected, &converted) {
        ("integer" | "number", Value::Number(number)) => {
            let given = number.as_f64()?;
            let bound = |keyword| schema.get(keyword).filter(|bound| bound.is_number());
            bound("minimum")
                .filter(|minimum| minimum.as_f64().is_some_and(|minimum| given < minimum))
                .or_else(|| bound("maximum").filter(|maximum| maximum.as_f64().is_some_and(|maximum| given > maximum)))
                .cloned()
        }
        ("array", Value::String(text)) if text.contains(',') => convert::proposed_list(schema, text),
        ("string", Value::String(text)) => match schema.get("format").and_then(Value::as_str)? {
            "date" => text.split_once(['T', 't', ' ']).map(|(date, _)| Value::from(date)),
            "date-time" if text.contains(' ') => {
                let joined = text.trim().replacen(' ', "T", 1);
                Some(Value::from(if joined.ends_with(['Z', 'z']) { joined } else { joined + "Z" }))
            }
            "date-time" if text.contains('T') => Some(Value::from(format!("{text}Z"))),
            "date-time" => Some(Value::from(format!("{text}T00:00:00Z"))),
            _ => None,
        },
        _ => None,
    }
}
