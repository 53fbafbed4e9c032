//! A vendor's schema → the pieces of it that the schemas of formats keep.

use serde_json::{Map, Value, json};

/// Returns the JSON type that a schema names; empty where it names none.
pub(crate) fn type_of(schema: &Map<String, Value>) -> &str {
    schema.get("type").and_then(Value::as_str).unwrap_or_default()
}

/// Returns whether a schema describes a text, or a list of texts.
pub(crate) fn is_text(schema: &Map<String, Value>) -> bool {
    match type_of(schema) {
        "string" => true,
        "array" => schema.get("items").and_then(|items| items.get("type")) == Some(&json!("string")),
        _ => false,
    }
}

/// Replaces a schema by one of this type. Of the old one the entries `keys` stay, and the
/// description, with `text` after it unless it contains `sign` already.
pub(crate) fn replace(schema: &mut Map<String, Value>, kind: &str, (sign, text): (&str, &str), keys: &[&str]) {
    let description = described(schema, sign, text);
    let entries = kept(schema, keys);
    schema.clear();
    schema.insert("type".to_owned(), json!(kind));
    schema.insert("description".to_owned(), description);
    schema.extend(entries);
}

/// Returns the entries of a schema that have these keys.
pub(crate) fn kept(schema: &Map<String, Value>, keys: &[&str]) -> Map<String, Value> {
    keys.iter().filter_map(|key| Some(((*key).to_owned(), schema.get(*key)?.clone()))).collect()
}

fn described(schema: &Map<String, Value>, sign: &str, text: &str) -> Value {
    let description = schema.get("description").and_then(Value::as_str).unwrap_or_default().trim_end();
    Value::from(match description {
        "" => text.to_owned(),
        description if description.contains(sign) => description.to_owned(),
        description if description.ends_with(['.', '!', ':']) => format!("{description} {text}"),
        description => format!("{description}. {text}"),
    })
}
