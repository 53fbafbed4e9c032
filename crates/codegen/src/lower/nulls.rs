//! What a description declares nullable, and what an overlay says of clearing → the parts of an
//! argument that a caller clears with `null`. The input schema never has `null` as a type, because
//! not every client takes two types; the description of the part says it. Called by `inputs` and
//! `tool_draft`.

use serde_json::{Map, Value};

use crate::lower::flatten::{flatten, type_of};
use crate::lower::portable::writable;
use crate::lower::resolved::{FurtherProperties, ResolvedSchema, SchemaType};
use toolwright_model::{Clear, EACH_ENTRY, EACH_ITEM};

/// What a model reads of a part that `null` clears.
const CLEARED: &str = "null clears it.";

/// Returns the paths of the parts that may be null: dotted, the schema itself as an empty one.
pub fn nullable_paths(schema: &ResolvedSchema) -> Vec<String> {
    let mut paths = Vec::new();
    collect(schema, &mut Vec::new(), &mut paths);
    paths
}

fn collect(schema: &ResolvedSchema, path: &mut Vec<String>, paths: &mut Vec<String>) {
    let flat = flatten(schema);
    if flat.nullable {
        paths.push(path.join("."));
    }
    let mut below = |step: &str, part: &ResolvedSchema| {
        path.push(step.to_owned());
        collect(part, path, paths);
        path.pop();
    };
    match type_of(&flat) {
        Some(SchemaType::Object) => {
            // A dot would read as two steps.
            for (name, property) in writable(&flat).into_iter().filter(|(name, _)| !name.contains('.')) {
                below(name, &property);
            }
            if let Some(FurtherProperties::Of(entry)) = &flat.further {
                below(EACH_ENTRY, entry);
            }
        }
        Some(SchemaType::Array) => {
            if let Some(items) = &flat.items {
                below(EACH_ITEM, items);
            }
        }
        Some(
            SchemaType::Integer | SchemaType::Number | SchemaType::Boolean | SchemaType::String | SchemaType::Null,
        )
        | None => {}
    }
}

/// Returns the clears of an argument for the paths that its schema still describes, and says it
/// in the description of each if `worded`.
pub fn clears(paths: &[String], schema: &mut Map<String, Value>, worded: bool) -> Vec<Clear> {
    let mut clears = Vec::new();
    for path in paths {
        if let Some(part) = part_at(schema, path) {
            if worded {
                say(part);
            }
            clears.push(Clear { at: path.clone(), send: Value::Null });
        }
    }
    clears
}

/// Adds to the description of a part that `null` clears it.
pub fn say(part: &mut Map<String, Value>) {
    let description = part.get("description").and_then(Value::as_str).unwrap_or_default().trim_end();
    if description.contains("null") {
        return;
    }
    let text = match description {
        "" => "null clears it".to_owned(),
        text if text.ends_with(['.', '!', '?', ':']) => format!("{text} {CLEARED}"),
        text => format!("{text}; {}", CLEARED.trim_end_matches('.')),
    };
    part.insert("description".to_owned(), Value::from(text));
}

fn part_at<'a>(schema: &'a mut Map<String, Value>, path: &str) -> Option<&'a mut Map<String, Value>> {
    let steps = path.split('.').filter(|step| !step.is_empty());
    steps.into_iter().try_fold(schema, |part, step| {
        let below = match step {
            EACH_ITEM => part.get_mut("items"),
            EACH_ENTRY => part.get_mut("additionalProperties"),
            name => part.get_mut("properties").and_then(|properties| properties.get_mut(name)),
        };
        below?.as_object_mut()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::lower::portable::portable;
    use crate::lower::resolved::resolve;
    use crate::read::document::Document;

    fn resolved(schema: &Value) -> ResolvedSchema {
        let head = json!({"openapi": "3.0.3", "info": {"title": "T", "version": "1"}, "paths": {}});
        let document = Document::parse(head).unwrap();
        let schema: openapiv3::ReferenceOr<openapiv3::Schema> = crate::read::typed::from_value(schema.clone()).unwrap();
        resolve(&schema, &document)
    }

    #[test]
    fn nullable_parts_have_paths() {
        let text = json!({"type": "string", "nullable": true});
        for (schema, expected) in [
            (text.clone(), vec![""]),
            (json!({"type": "string"}), vec![]),
            (
                json!({"type": "object", "properties": {"a": text, "b": {"type": "object", "properties": {"c": text}}}}),
                vec!["a", "b.c"],
            ),
            (json!({"type": "array", "items": {"type": "object", "properties": {"a": text}}}), vec!["[].a"]),
            (json!({"type": "array", "nullable": true, "items": text}), vec!["", "[]"]),
            (json!({"type": "object", "additionalProperties": text}), vec!["*"]),
            (json!({"oneOf": [{"type": "string"}, {"type": "null"}]}), vec![""]),
            (json!({"anyOf": [{"type": "integer"}, text]}), vec![""]),
            (json!({"allOf": [{"type": "string"}], "nullable": true}), vec![""]),
            (json!({"allOf": [text, {"type": "string"}]}), vec![]),
            (json!({"enum": ["a", null]}), vec![""]),
            (
                json!({"type": "object", "properties": {"a": {"type": "string", "nullable": true, "readOnly": true}}}),
                vec![],
            ),
        ] {
            assert_eq!(nullable_paths(&resolved(&schema)), expected, "{schema}");
        }
    }

    #[test]
    fn a_model_reads_that_null_clears() {
        let schema = json!({"type": "object", "properties": {
            "due": {"type": "string", "nullable": true, "description": "Due date."},
            "owner": {"type": "string", "nullable": true, "description": "Owner's id"},
            "note": {"type": "string", "nullable": true},
            "title": {"type": "string", "description": "Title."},
        }});
        let resolved = resolved(&schema);
        let (mut shown, paths) = (portable(&resolved), nullable_paths(&resolved));
        assert_eq!(clears(&paths, &mut shown, true).len(), 3);
        let shown = Value::Object(shown);
        let text = |name: &str| shown["properties"][name]["description"].as_str().unwrap_or_default();
        assert_eq!(text("due"), "Due date. null clears it.");
        assert_eq!(text("owner"), "Owner's id; null clears it");
        assert_eq!(text("note"), "null clears it");
        assert_eq!(text("title"), "Title.");
    }
}
