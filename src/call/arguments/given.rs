//! A value that was given → its beginning without secrets, for error messages.

use serde_json::Value;
use toolwright_model::truncate;

use super::schema::{item, property};
use super::secrets::{HIDDEN, has_secret, has_shape, is_secret_name, is_secret_schema, names_secret};

/// The most characters of a value or a name that are shown.
const WIDTH: usize = 80;

/// Returns the JSON text of a value, cut to about 80 characters, with `***` for each secret in it.
pub(super) fn show(value: Option<&Value>, schema: &Value, secret: bool) -> String {
    let Some(value) = value else {
        return String::new();
    };
    if secret || is_secret_schema(schema) {
        return HIDDEN.to_owned();
    }
    let mut shown = ShownText { text: String::new(), room: WIDTH, cut: false };
    shown.value(value, schema);
    if shown.cut {
        shown.text.push('…');
    }
    shown.text
}

/// Returns the first 80 characters of a text.
pub(super) fn short(text: &str) -> String {
    truncate(text, WIDTH).into_owned()
}

/// JSON text of bounded length: a long string or a deep value costs no more than what is shown.
struct ShownText {
    text: String,
    room: usize,
    cut: bool,
}

impl ShownText {
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
            // Of another shape than the schema, so it is not known which part is secret.
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
                // A mistyped name beside a secret one probably has the secret.
                let guarded = has_secret(schema);
                self.push("{");
                for (index, (name, value)) in object.iter().enumerate() {
                    if self.room == 0 {
                        self.cut = true;
                        return;
                    }
                    self.push(if index > 0 { "," } else { "" });
                    self.push(&Value::String(short(name)).to_string());
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
