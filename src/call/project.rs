//! An answer → the same answer with only the fields that were asked for.

use serde_json::{Map, Value};

use super::Failure;
use crate::upstream::Answer;

/// At most so many names are told to somebody who guessed wrong.
const MOST_NAMES: usize = 60;

/// Keeps the fields whose names `wanted` lists: of each record of a list, or of the one record.
/// An answer that is no JSON stays as it is.
pub(super) fn fields(mut answer: Answer, wanted: &Value) -> Result<Answer, Failure> {
    let wanted: Vec<&str> = wanted.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if wanted.is_empty() {
        return Ok(answer);
    }
    let Ok(mut value) = serde_json::from_slice::<Value>(&answer.body) else { return Ok(answer) };
    let records = records(&mut value, &wanted);
    if records.is_empty() {
        return Ok(answer);
    }
    let mut missing = wanted.clone();
    let mut known: Vec<String> = Vec::new();
    for record in records {
        missing.retain(|name| !record.contains_key(*name));
        for name in record.keys().filter(|name| !known.contains(name)).take(MOST_NAMES).cloned().collect::<Vec<_>>() {
            known.push(name);
        }
        record.retain(|name, _| wanted.contains(&name.as_str()));
    }
    // Whoever mistypes every name would read an empty answer as: there is nothing.
    if missing.len() == wanted.len() {
        known.truncate(MOST_NAMES);
        return Err(Failure::Projection(format!(
            "`fields`: no record of the answer has `{}`\nhint: there are `{}`; or leave `fields` out",
            missing.join("`, `"),
            known.join("`, `")
        )));
    }
    answer.body = value.to_string().into();
    Ok(answer)
}

/// The records of an answer: the items of a list, of the one list in an object around it, or the
/// object itself.
fn records<'a>(value: &'a mut Value, wanted: &[&str]) -> Vec<&'a mut Map<String, Value>> {
    let is_list = |value: &Value| value.as_array().is_some_and(|items| items.iter().any(Value::is_object));
    match value {
        Value::Array(items) => items.iter_mut().filter_map(Value::as_object_mut).collect(),
        Value::Object(object) => {
            let around = !object.keys().any(|name| wanted.contains(&name.as_str()))
                && object.values().filter(|value| is_list(value)).count() == 1;
            if !around {
                return vec![object];
            }
            let list = object.values_mut().find(|value| is_list(value)).and_then(Value::as_array_mut);
            list.into_iter().flatten().filter_map(Value::as_object_mut).collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn kept(body: &Value, wanted: &Value) -> Result<Value, String> {
        let body = body.to_string().into();
        let answer = Answer { status: 200, body, ..Answer::default() };
        fields(answer, wanted)
            .map(|answer| serde_json::from_slice(&answer.body).unwrap())
            .map_err(|failure| failure.to_string())
    }

    #[test]
    fn fields_are_kept_wherever_the_records_are() {
        for (body, wanted, expected) in [
            (json!([{"a": 1, "b": 2}, {"b": 3}, 4]), json!(["a"]), json!([{"a": 1}, {}, 4])),
            (json!({"a": 1, "b": [{"a": 2}]}), json!(["a"]), json!({"a": 1})),
            (json!({"total": 9, "rows": [{"a": 1, "b": 2}]}), json!(["b"]), json!({"total": 9, "rows": [{"b": 2}]})),
            (json!([]), json!(["a"]), json!([])),
            (json!("text"), json!(["a"]), json!("text")),
            (json!({"a": 1}), json!([]), json!({"a": 1})),
        ] {
            assert_eq!(kept(&body, &wanted).unwrap(), expected, "{body} {wanted}");
        }
    }

    #[test]
    fn names_that_no_record_has_are_told() {
        let told = kept(&json!([{"Subject": 1}, {"Status": 2}]), &json!(["subject"])).unwrap_err();
        assert!(told.contains("has `subject`") && told.contains("`Subject`, `Status`"), "{told}");
    }
}
