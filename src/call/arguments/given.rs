//! Shows what was given, short and without secrets.

use serde_json::Value;

use super::wording::{item, items, properties, property};

/// Stands for a secret value.
pub(super) const HIDDEN: &str = "***";
/// At most so many characters of a value or a name are shown.
const WIDTH: usize = 80;
/// Names of arguments whose values are never shown, lower case, without `_` and `-`.
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

/// Returns the JSON text of a value, cut to about 80 characters, with `***` for each secret in it.
pub(super) fn show(value: Option<&Value>, schema: &Value, secret: bool) -> String {
    let Some(value) = value else {
        return String::new();
    };
    if secret || is_secret_schema(schema) {
        return HIDDEN.to_owned();
    }
    let mut shown = Shown { text: String::new(), room: WIDTH, cut: false };
    shown.value(value, schema);
    if shown.cut {
        shown.text.push('…');
    }
    shown.text
}

/// Cuts a text to about 80 characters.
pub(super) fn cut(text: &str) -> String {
    match text.char_indices().nth(WIDTH) {
        Some((end, _)) => text.get(..end).unwrap_or_default().to_owned() + "…",
        None => text.to_owned(),
    }
}

/// Whether an argument of this name holds a secret.
pub(super) fn is_secret_name(name: &str) -> bool {
    // A name of such length is made up; reading the start of it bounds the work.
    let plain: String = name.chars().take(200).filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    // Where the next page begins is nobody's secret.
    if plain.ends_with("pagetoken") {
        return false;
    }
    SECRET_NAMES.iter().any(|secret| match *secret {
        // Short enough to stand in other words (`option`, `protocol` do not hold it, `hotpath` does).
        "otp" => plain == "otp" || plain == "totp",
        secret => plain.contains(secret),
    })
}

/// Whether the schema itself says that its values are not for showing.
pub(super) fn is_secret_schema(schema: &Value) -> bool {
    schema.get("format").is_some_and(|format| format == "password")
        || schema.get("writeOnly").is_some_and(|write_only| *write_only == true)
}

/// Whether a secret stands anywhere in a value of this schema.
pub(super) fn has_secret(schema: &Value) -> bool {
    is_secret_schema(schema)
        || properties(schema)
            .is_some_and(|all| all.iter().any(|(name, schema)| is_secret_name(name) || has_secret(schema)))
        || items(schema).is_some_and(has_secret)
        || schema.get("prefixItems").and_then(Value::as_array).is_some_and(|all| all.iter().any(has_secret))
        || schema.get("additionalProperties").is_some_and(has_secret)
}

/// JSON text that stops growing: neither a long string nor a deep value costs more than the characters shown.
struct Shown {
    text: String,
    room: usize,
    cut: bool,
}

impl Shown {
    fn push(&mut self, text: &str) {
        for c in text.chars() {
            let Some(room) = self.room.checked_sub(1) else {
                self.cut = true;
                return;
            };
            self.room = room;
            self.text.push(c);
        }
    }

    fn value(&mut self, value: &Value, schema: &Value) {
        match value {
            // Not of the shape that would tell which part of it is the secret.
            value if has_secret(schema) && !has_shape(value, schema) => self.push(HIDDEN),
            Value::String(text) if names_secret(text) => self.push(HIDDEN),
            Value::String(text) => {
                let start: String = text.chars().take(self.room).collect();
                self.push(&Value::String(start).to_string());
            }
            Value::Array(items) => {
                self.push("[");
                for (index, value) in items.iter().enumerate() {
                    if self.room == 0 {
                        self.cut = true;
                        return;
                    }
                    self.push(if index > 0 { "," } else { "" });
                    self.value(value, item(schema, index).unwrap_or(&Value::Null));
                }
                self.push("]");
            }
            Value::Object(object) => {
                // A mistyped name beside a secret one is likely to hold the secret.
                let guarded = has_secret(schema);
                self.push("{");
                for (index, (name, value)) in object.iter().enumerate() {
                    if self.room == 0 {
                        self.cut = true;
                        return;
                    }
                    self.push(if index > 0 { "," } else { "" });
                    self.push(&Value::String(cut(name)).to_string());
                    self.push(":");
                    let listed = property(schema, name);
                    if is_secret_name(name) || listed.is_some_and(is_secret_schema) || listed.is_none() && guarded {
                        self.push(HIDDEN);
                    } else {
                        self.value(value, listed.unwrap_or(&Value::Null));
                    }
                }
                self.push("}");
            }
            scalar => self.push(&scalar.to_string()),
        }
    }
}

/// Whether the schema can be followed into the value.
pub(super) fn has_shape(value: &Value, schema: &Value) -> bool {
    match value {
        Value::Array(_) => items(schema).is_some() || schema.get("prefixItems").is_some(),
        Value::Object(_) => properties(schema).is_some() || schema.get("additionalProperties").is_some(),
        _ => false,
    }
}

/// Whether a string is JSON, broken perhaps, that names a secret.
pub(super) fn names_secret(text: &str) -> bool {
    if !text.trim_start().starts_with(['{', '[']) {
        return false;
    }
    let plain: String = text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    SECRET_NAMES.iter().any(|secret| plain.contains(secret))
}
