//! A schema in JSON Schema 2020-12 or Swagger 2.0 → the same in OpenAPI 3.0. One schema at a time;
//! the schemas inside of it are converted before.

use serde_json::{Map, Value, json};

use super::Steps;

/// Keywords without a counterpart in OpenAPI 3.0. They are dropped, so only the vendor checks them.
const DROPPED: [&str; 19] = [
    "$anchor",
    "$comment",
    "$dynamicAnchor",
    "$dynamicRef",
    "$id",
    "$schema",
    "$vocabulary",
    "contains",
    "contentSchema",
    "dependentRequired",
    "dependentSchemas",
    "else",
    "if",
    "maxContains",
    "minContains",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
];

/// Converts the schema at `pointer`.
pub(super) fn convert(schema: &mut Value, pointer: &str, steps: &mut Steps) {
    if let Value::Bool(anything) = schema {
        // `additionalProperties` may be a flag in 3.0 too.
        if !pointer.ends_with("/additionalProperties") {
            steps.add("boolean-schema", pointer, format!("`{anything}` becomes an object"));
            *schema = if *anything { json!({}) } else { json!({"not": {}}) };
        }
        return;
    }
    let Value::Object(object) = schema else { return };
    reference_with_siblings(object, pointer, steps);
    if object.contains_key("$ref") {
        return;
    }
    type_list(object, pointer, steps);
    null_alternatives(object, pointer, steps);
    nullable_mark(object);
    constant(object, pointer, steps);
    examples(object);
    bounds(object, pointer, steps);
    contents(object, pointer, steps);
    lists(object, pointer, steps);
    if let Some(Value::String(name)) = object.get("discriminator") {
        let name = name.clone();
        object.insert("discriminator".to_owned(), json!({"propertyName": name}));
    }
    for key in DROPPED {
        if object.shift_remove(key).is_some() {
            steps.add("dropped-keyword", pointer, format!("`{key}` has no counterpart in OpenAPI 3.0"));
        }
    }
}

/// In 3.0 the keywords beside a `$ref` are ignored.
fn reference_with_siblings(object: &mut Map<String, Value>, pointer: &str, steps: &mut Steps) {
    if !object.get("$ref").is_some_and(Value::is_string) || object.len() == 1 {
        return;
    }
    let reference = object.shift_remove("$ref").unwrap_or_default();
    let annotation =
        |key: &String| matches!(key.as_str(), "description" | "summary" | "title") || key.starts_with("x-");
    if !object.keys().all(annotation) {
        steps.add("reference-with-siblings", pointer, "`$ref` moves into `allOf`, so that its neighbours count");
        match object.get_mut("allOf") {
            Some(Value::Array(parts)) => parts.insert(0, json!({"$ref": reference})),
            _ => {
                object.insert("allOf".to_owned(), json!([{"$ref": reference}]));
            }
        }
        return;
    }
    object.clear();
    object.insert("$ref".to_owned(), reference);
}

fn type_list(object: &mut Map<String, Value>, pointer: &str, steps: &mut Steps) {
    let types: Vec<Value> = match object.get("type") {
        Some(Value::Array(types)) => types.clone(),
        Some(Value::String(one)) if one == "null" => vec![json!("null")],
        Some(Value::String(one)) if one == "file" => {
            steps.add("file", pointer, "`type: file` becomes a binary text");
            object.insert("type".to_owned(), json!("string"));
            object.insert("format".to_owned(), json!("binary"));
            return;
        }
        _ => return,
    };
    object.shift_remove("type");
    let null = types.iter().any(|kind| kind == "null");
    let mut kinds: Vec<Value> = types.into_iter().filter(|kind| kind != "null").collect();
    kinds.dedup();
    if null {
        object.insert("nullable".to_owned(), json!(true));
    }
    let what = match kinds.len() {
        0 => {
            object.insert("enum".to_owned(), json!([null]));
            "only null is allowed"
        }
        1 => {
            let kind = kinds.remove(0);
            object.insert("type".to_owned(), kind);
            "the list of types becomes one type"
        }
        _ => {
            let alternatives: Vec<Value> = kinds.into_iter().map(|kind| alternative(object, &kind)).collect();
            let parts = json!({"anyOf": alternatives});
            if let Some(Value::Array(all)) = object.get_mut("allOf") {
                all.push(parts);
            } else if object.contains_key("anyOf") {
                object.insert("allOf".to_owned(), json!([parts]));
            } else {
                object.insert("anyOf".to_owned(), parts["anyOf"].clone());
            }
            "the list of types becomes alternatives"
        }
    };
    steps.add("type-list", pointer, what);
}

/// One type of several: `items` stays with arrays, `properties` with objects.
fn alternative(object: &mut Map<String, Value>, kind: &Value) -> Value {
    let own: &[&str] = match kind.as_str() {
        Some("array") => &["items", "minItems", "maxItems", "uniqueItems"],
        Some("object") => &["properties", "required", "additionalProperties"],
        Some("string") => &["format", "pattern", "minLength", "maxLength"],
        _ => &[],
    };
    let mut out = Map::new();
    out.insert("type".to_owned(), kind.clone());
    for key in own {
        if let Some(value) = object.shift_remove(*key) {
            out.insert((*key).to_owned(), value);
        }
    }
    Value::Object(out)
}

/// `anyOf: [X, {type: null}]` means that X may be null.
fn null_alternatives(object: &mut Map<String, Value>, pointer: &str, steps: &mut Steps) {
    for key in ["anyOf", "oneOf"] {
        let Some(Value::Array(alternatives)) = object.get_mut(key) else { continue };
        let before = alternatives.len();
        alternatives.retain(|one| {
            one.get("enum") != Some(&json!([null])) && one.get("type").and_then(Value::as_str) != Some("null")
        });
        if alternatives.len() == before {
            continue;
        }
        steps.add("null-alternative", pointer, format!("null in `{key}` becomes `nullable`"));
        if alternatives.is_empty() {
            object.shift_remove(key);
        }
        object.insert("nullable".to_owned(), json!(true));
    }
}

/// The extension that marked null before OpenAPI had `nullable`.
fn nullable_mark(object: &mut Map<String, Value>) {
    if object.shift_remove("x-nullable") == Some(Value::Bool(true)) {
        object.insert("nullable".to_owned(), json!(true));
    }
}

fn constant(object: &mut Map<String, Value>, pointer: &str, steps: &mut Steps) {
    let Some(value) = object.shift_remove("const") else { return };
    steps.add("const", pointer, "`const` becomes an `enum` of one");
    if !object.contains_key("type") {
        let kind = match &value {
            Value::String(_) => "string",
            Value::Bool(_) => "boolean",
            Value::Number(number) if number.is_f64() => "number",
            Value::Number(_) => "integer",
            _ => "",
        };
        if !kind.is_empty() {
            object.insert("type".to_owned(), json!(kind));
        }
    }
    object.entry("enum").or_insert_with(|| json!([value]));
}

fn examples(object: &mut Map<String, Value>) {
    if let Some(Value::Array(mut examples)) = object.shift_remove("examples")
        && !examples.is_empty()
    {
        object.entry("example").or_insert_with(|| examples.swap_remove(0));
    }
}

fn bounds(object: &mut Map<String, Value>, pointer: &str, steps: &mut Steps) {
    for (mark, bound) in [("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")] {
        let Some(limit) = object.get(mark).and_then(Value::as_f64) else { continue };
        let exclusive = object.shift_remove(mark).unwrap_or_default();
        // If both are present, the stricter one applies.
        let tighter = object
            .get(bound)
            .and_then(Value::as_f64)
            .is_some_and(|other| if bound == "minimum" { other > limit } else { other < limit });
        if !tighter {
            object.insert(bound.to_owned(), exclusive);
            object.insert(mark.to_owned(), json!(true));
        }
        steps.add("exclusive-bound", pointer, format!("the number of `{mark}` moves to `{bound}`"));
    }
}

/// `contentEncoding` and `contentMediaType` of 3.1 → a `format` of 3.0.
fn contents(object: &mut Map<String, Value>, pointer: &str, steps: &mut Steps) {
    let encoding = object.shift_remove("contentEncoding");
    let media = object.shift_remove("contentMediaType");
    let format = match (encoding.as_ref().and_then(Value::as_str), media.as_ref().and_then(Value::as_str)) {
        (Some(text), _) if text.starts_with("base64") => "byte",
        (None | Some("binary"), Some(media)) if !media.starts_with("text/") && !media.contains("json") => "binary",
        (Some("binary"), None) => "binary",
        _ => return,
    };
    steps.add("content", pointer, format!("its content keywords become `format: {format}`"));
    object.entry("type").or_insert_with(|| json!("string"));
    object.entry("format").or_insert_with(|| json!(format));
}

fn lists(object: &mut Map<String, Value>, pointer: &str, steps: &mut Steps) {
    if let Some(Value::Array(places)) = object.shift_remove("prefixItems") {
        let mut kinds = places;
        if let Some(rest @ Value::Object(_)) = object.shift_remove("items") {
            kinds.push(rest);
        }
        kinds.dedup();
        let items = if kinds.len() == 1 { kinds.swap_remove(0) } else { json!({"anyOf": kinds}) };
        object.insert("items".to_owned(), items);
        steps.add("prefix-items", pointer, "`prefixItems` becomes what any item may be");
    }
    if let Some(Value::Object(patterns)) = object.shift_remove("patternProperties") {
        let mut kinds: Vec<Value> = patterns.into_iter().map(|(_, schema)| schema).collect();
        kinds.dedup();
        let further = if kinds.len() == 1 { kinds.swap_remove(0) } else { json!({"anyOf": kinds}) };
        if !matches!(object.get("additionalProperties"), Some(Value::Object(_) | Value::Bool(true))) {
            object.insert("additionalProperties".to_owned(), further);
        }
        steps.add("pattern-properties", pointer, "`patternProperties` becomes `additionalProperties`");
    }
    if matches!(object.get("type").and_then(Value::as_str), Some("array")) && !object.contains_key("items") {
        steps.add("items", pointer, "a list without `items` accepts anything");
        object.insert("items".to_owned(), json!({}));
    }
}
