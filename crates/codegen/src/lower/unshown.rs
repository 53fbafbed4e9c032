//! Keywords that are checked before a request is sent and not shown to a model → beside the schema
//! that is shown, each with its place. Clients refuse some formats and all alternatives, and the bounds of a
//! 32 bit number say nothing to a model; but the vendor refuses what breaks them.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use serde_json::{Map, Value, json};

use crate::lower::resolved::{FurtherProperties, ResolvedSchema, SchemaType};
use crate::read::reference::escape;
use toolwright_model::Unshown;

/// The keyword under which a schema in the making holds them.
const KEYWORD: &str = "x-unshown";

/// Formats of texts that are checked.
const FORMATS: [&str; 2] = ["byte", "email"];

/// The keyword beside them that says what the part was like when its alternatives were noted.
const OF: &str = "x-of";

/// The keyword of alternatives.
const ANY_OF: &str = "anyOf";

/// Notes in `out` what a schema of the type states and `out` does not show; `alternatives` are those of which one has to
/// fit.
pub fn note(
    flat: &ResolvedSchema,
    kind: Option<SchemaType>,
    alternatives: Option<Vec<Value>>,
    out: &mut Map<String, Value>,
) {
    let mut keywords = Map::new();
    let format = flat.format.as_deref().unwrap_or_default();
    match kind {
        Some(SchemaType::String) if FORMATS.contains(&format) => {
            keywords.insert("format".to_owned(), json!(format));
        }
        Some(SchemaType::Integer) if format == "int32" => {
            keywords.insert("minimum".to_owned(), json!(i32::MIN));
            keywords.insert("maximum".to_owned(), json!(i32::MAX));
        }
        Some(SchemaType::Object) => object_sizes(flat, &mut keywords),
        None if !flat.values.is_empty() => {
            keywords.insert("enum".to_owned(), json!(flat.values));
        }
        _ => {}
    }
    if matches!(kind, Some(SchemaType::Integer | SchemaType::Number))
        && let Some(factor) = &flat.multiple_of
    {
        keywords.insert("multipleOf".to_owned(), factor.clone());
    }
    if let Some(alternatives) = alternatives {
        keywords.insert(ANY_OF.to_owned(), Value::Array(alternatives));
        keywords.insert(OF.to_owned(), json!(likeness(out)));
    }
    if !keywords.is_empty() {
        out.insert(KEYWORD.to_owned(), Value::Object(keywords));
    }
}

fn object_sizes(flat: &ResolvedSchema, keywords: &mut Map<String, Value>) {
    // Clients take no object that may hold nothing.
    let closed = flat.further == Some(FurtherProperties::Any(false)) && flat.properties.is_empty();
    let most = if closed { Some(0) } else { flat.max_properties };
    for (keyword, count) in [("minProperties", flat.min_properties), ("maxProperties", most)] {
        if let Some(count) = count {
            keywords.insert(keyword.to_owned(), json!(count));
        }
    }
}

/// A number for what a part takes, without texts and notes.
pub fn likeness(part: &Map<String, Value>) -> u64 {
    let mut hasher = DefaultHasher::new();
    hash(&Value::Object(part.clone()), &mut hasher);
    hasher.finish()
}

fn hash(value: &Value, hasher: &mut DefaultHasher) {
    match value {
        Value::Object(entries) => {
            for (key, entry) in entries {
                let is_note = key == KEYWORD || key == "description" && entry.is_string();
                if !is_note {
                    key.hash(hasher);
                    hash(entry, hasher);
                }
            }
            0_u8.hash(hasher);
        }
        Value::Array(items) => {
            for item in items {
                hash(item, hasher);
            }
            1_u8.hash(hasher);
        }
        scalar => scalar.to_string().hash(hasher),
    }
}

/// Notes the alternatives of all arguments together.
pub fn note_of_arguments(alternatives: &[Value], schema: &mut Value) {
    if let Value::Object(schema) = schema {
        schema.insert(KEYWORD.to_owned(), json!({ANY_OF: alternatives}));
    }
}

/// Takes the keywords out of an input schema.
pub fn take(schema: &mut Value) -> Vec<Unshown> {
    let mut taken = Vec::new();
    take_below(schema, "", &mut taken);
    taken
}

fn take_below(node: &mut Value, at: &str, taken: &mut Vec<Unshown>) {
    let Value::Object(node) = node else { return };
    if let Some(Value::Object(mut keywords)) = node.shift_remove(KEYWORD) {
        if keywords.shift_remove(OF).is_some_and(|of| of != json!(likeness(node))) {
            // The overlay offers another notation, which the vendor's alternatives do not know.
            keywords.shift_remove(ANY_OF);
        }
        keywords.retain(|key, _| matters(node, key));
        if !keywords.is_empty() {
            taken.push(Unshown { at: at.to_owned(), keywords });
        }
    }
    for key in ["items", "additionalProperties"] {
        if let Some(part) = node.get_mut(key) {
            take_below(part, &format!("{at}/{key}"), taken);
        }
    }
    for (name, property) in node.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
        take_below(property, &format!("{at}/properties/{}", escape(name)), taken);
    }
}

/// The overlay may have stated a closer bound, the values, or a format that changes the type.
fn matters(node: &Map<String, Value>, key: &str) -> bool {
    let kind = node.get("type").and_then(Value::as_str);
    let of_kind = match key {
        ANY_OF => return true,
        "enum" => kind.is_none(),
        "format" => kind == Some("string"),
        "minProperties" | "maxProperties" => kind == Some("object"),
        "multipleOf" => matches!(kind, Some("integer" | "number")),
        _ => kind == Some("integer"),
    };
    of_kind && !node.contains_key(key) && !node.contains_key("enum")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_leave_the_schema_with_their_place() {
        let bounds = json!({"minimum": i32::MIN, "maximum": i32::MAX});
        let mut schema = json!({"type": "object", "properties": {
            "to/from": {"type": "array", "items": {"type": "string", KEYWORD: {"format": "email"}}},
            "page": {"type": "integer", "minimum": 1, KEYWORD: bounds},
            "level": {"type": "integer", "enum": [1, 2], KEYWORD: bounds},
            "key": {"type": "object", KEYWORD: {"format": "byte"}, "additionalProperties": {
                "type": "string", KEYWORD: {"format": "byte"},
            }},
        }});
        let taken = take(&mut schema);
        let taken: Vec<_> = taken.iter().map(|Unshown { at, keywords }| (at.as_str(), json!(keywords))).collect();
        assert_eq!(
            taken,
            [
                ("/properties/to~1from/items", json!({"format": "email"})),
                ("/properties/page", json!({"maximum": i32::MAX})),
                ("/properties/key/additionalProperties", json!({"format": "byte"})),
            ]
        );
        assert!(!schema.to_string().contains(KEYWORD), "{schema}");
    }
}
