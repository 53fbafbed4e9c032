//! Keywords that are checked before a request is sent and not shown to a model → beside the schema
//! that is shown, each with its place. Clients refuse some formats, and the bounds of a 32 bit number
//! say nothing to a model; but the vendor refuses what breaks them.

use serde_json::{Map, Value, json};

use crate::lower::resolved::{ResolvedSchema, SchemaType};
use crate::read::reference::escape;
use toolwright_model::Unshown;

/// The keyword under which a schema in the making holds them.
const KEYWORD: &str = "x-unshown";

/// Formats of texts that are checked.
const FORMATS: [&str; 2] = ["byte", "email"];

/// Notes in `out` what a schema of the type states and `out` does not show.
pub fn note(flat: &ResolvedSchema, kind: SchemaType, out: &mut Map<String, Value>) {
    let format = flat.format.as_deref().unwrap_or_default();
    let keywords = match kind {
        SchemaType::String if FORMATS.contains(&format) => json!({"format": format}),
        SchemaType::Integer if format == "int32" => json!({"minimum": i32::MIN, "maximum": i32::MAX}),
        _ => return,
    };
    out.insert(KEYWORD.to_owned(), keywords);
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
    let kind = if key == "format" { "string" } else { "integer" };
    let of_kind = node.get("type").and_then(Value::as_str) == Some(kind);
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
