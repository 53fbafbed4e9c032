//! Arguments → the same arguments without their secrets, for records and dry runs.

use serde_json::{Map, Value};

use super::given::{HIDDEN, has_secret, has_shape, is_secret_name, is_secret_schema, names_secret};
use super::wording::{item, property};

/// Replaces each secret in an object of this schema.
pub(super) fn object(object: &Map<String, Value>, schema: &Value) -> Map<String, Value> {
    // A mistyped name beside a secret one is likely to hold the secret.
    let guarded = has_secret(schema);
    let masked = |(name, given): (&String, &Value)| {
        let listed = property(schema, name);
        let hidden = is_secret_name(name) || listed.is_some_and(is_secret_schema) || listed.is_none() && guarded;
        let kept = if hidden { Value::from(HIDDEN) } else { value(given, listed.unwrap_or(&Value::Null)) };
        (name.clone(), kept)
    };
    object.iter().map(masked).collect()
}

fn value(given: &Value, schema: &Value) -> Value {
    match given {
        // Not of the shape that would tell which part of it is the secret.
        given if has_secret(schema) && !has_shape(given, schema) => HIDDEN.into(),
        Value::String(text) if names_secret(text) => HIDDEN.into(),
        Value::Array(items) => {
            let masked = |(index, given)| value(given, item(schema, index).unwrap_or(&Value::Null));
            items.iter().enumerate().map(masked).collect()
        }
        Value::Object(entries) => Value::Object(object(entries, schema)),
        scalar => scalar.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_found_by_schema_and_by_name() {
        let schema = json!({"type": "object", "properties": {
            "pin": {"type": "string", "format": "password"},
            "device": {"type": "object", "properties": {"unlock": {"type": "string", "writeOnly": true}}},
            "users": {"type": "array", "items": {"type": "object", "properties": {"apiKey": {"type": "string"}}}},
            "note": {"type": "string"},
        }});
        let given = json!({
            "pin": "S3", "device": {"unlock": "S3", "unlok": "S3"}, "users": [{"apiKey": "S3"}],
            "note": "{\"password\": \"S3\"}", "Password": "S3", "typo": "S3",
        });
        let masked = Value::Object(object(given.as_object().unwrap(), &schema));
        assert!(!masked.to_string().contains("S3"), "{masked}");
        let free = json!({"nextPageToken": "abc", "note": "plain", "count": 5});
        assert_eq!(Value::Object(object(free.as_object().unwrap(), &Value::Null)), free);
    }
}
