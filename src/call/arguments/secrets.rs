//! Arguments → the same arguments without their secrets, for records and dry runs. A secret is
//! recognised by its schema or by its name.

use serde_json::{Map, Value};

use super::schema::{item, items, properties, property};

/// Replaces a secret value.
pub(crate) const HIDDEN: &str = "***";
/// Names of secret arguments, in lower case, without `_` and `-`.
const SECRET_NAMES: [&str; 14] = [
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "pwd",
    "secret",
    "token",
    "apikey",
    "accesskey",
    "privatekey",
    "credential",
    "authorization",
    "cookie",
    "otp",
];

/// Returns an object of this schema with `***` for each secret in it.
pub(super) fn masked(object: &Map<String, Value>, schema: &Value) -> Map<String, Value> {
    let mask = |(name, given): (&String, &Value)| {
        let listed = property(schema, name);
        let is_secret = || match listed {
            Some(listed) => is_secret_schema(listed),
            // A mistyped name beside a secret one probably has the secret.
            None => has_secret(schema),
        };
        let hidden = is_secret_name(name) || is_secret();
        let shown = if hidden { Value::from(HIDDEN) } else { masked_value(given, listed.unwrap_or(&Value::Null)) };
        (name.clone(), shown)
    };
    object.iter().map(mask).collect()
}

/// Returns arguments with `***` for each that is secret by its name, where the tool is not known.
pub(crate) fn masked_by_name(arguments: &Map<String, Value>) -> Map<String, Value> {
    masked(arguments, &Value::Null)
}

fn masked_value(given: &Value, schema: &Value) -> Value {
    match given {
        // Of another shape than the schema, so it is not known which part is secret.
        given if !has_shape(given, schema) && has_secret(schema) => HIDDEN.into(),
        Value::String(text) if names_secret(text) => HIDDEN.into(),
        Value::Array(items) => {
            let mask = |(index, given)| masked_value(given, item(schema, index).unwrap_or(&Value::Null));
            items.iter().enumerate().map(mask).collect()
        }
        Value::Object(entries) => Value::Object(masked(entries, schema)),
        scalar => scalar.clone(),
    }
}

/// Returns whether an argument of this name is secret.
pub(super) fn is_secret_name(name: &str) -> bool {
    // Reading only the beginning bounds the work; real names are shorter.
    let plain: String = name.chars().take(200).filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    // A position in a listing is no secret.
    if plain.ends_with("pagetoken") {
        return false;
    }
    SECRET_NAMES.iter().any(|secret| match *secret {
        // So short that it occurs in other words, such as `hotpath`.
        "otp" => plain == "otp" || plain == "totp",
        secret => plain.contains(secret),
    })
}

/// Returns whether the schema marks its values as secret.
pub(super) fn is_secret_schema(schema: &Value) -> bool {
    schema.get("format").is_some_and(|format| format == "password")
        || schema.get("writeOnly").is_some_and(|write_only| *write_only == true)
}

/// Returns whether a value of this schema has a secret anywhere in it.
pub(super) fn has_secret(schema: &Value) -> bool {
    is_secret_schema(schema)
        || properties(schema)
            .is_some_and(|all| all.iter().any(|(name, schema)| is_secret_name(name) || has_secret(schema)))
        || items(schema).is_some_and(has_secret)
        || schema.get("prefixItems").and_then(Value::as_array).is_some_and(|all| all.iter().any(has_secret))
        || schema.get("additionalProperties").is_some_and(has_secret)
        || schema.get("anyOf").and_then(Value::as_array).is_some_and(|all| all.iter().any(has_secret))
}

/// Returns whether the schema describes the parts of the value.
pub(super) fn has_shape(value: &Value, schema: &Value) -> bool {
    match value {
        Value::Array(_) => items(schema).is_some() || schema.get("prefixItems").is_some(),
        Value::Object(_) => properties(schema).is_some() || schema.get("additionalProperties").is_some(),
        _ => false,
    }
}

/// Returns whether a string is JSON, malformed or not, that names a secret.
pub(super) fn names_secret(text: &str) -> bool {
    if !text.trim_start().starts_with(['{', '[']) {
        return false;
    }
    let plain: String = text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    SECRET_NAMES.iter().any(|secret| plain.contains(secret))
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
        let shown = Value::Object(masked(given.as_object().unwrap(), &schema));
        assert!(!shown.to_string().contains("S3"), "{shown}");
        let free = json!({"nextPageToken": "abc", "note": "plain", "count": 5});
        assert_eq!(Value::Object(masked(free.as_object().unwrap(), &Value::Null)), free);
    }
}
