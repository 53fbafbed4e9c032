//! A JSON schema → its parts, as far as argument schemas have them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jsonschema::{ValidationError, Validator};
use serde_json::{Map, Value};

/// Returns the properties of an object's schema.
pub(super) fn properties(schema: &Value) -> Option<&Map<String, Value>> {
    schema.get("properties").and_then(Value::as_object)
}

/// Returns the schema of one property: listed, or that of a free-form object's values.
pub(in crate::call) fn property<'a>(schema: &'a Value, name: &str) -> Option<&'a Value> {
    let listed = properties(schema).and_then(|all| all.get(name));
    listed.or_else(|| schema.get("additionalProperties").filter(|values| values.is_object()))
}

/// Returns the schema of an array's items, if all share one.
pub(super) fn items(schema: &Value) -> Option<&Value> {
    schema.get("items").filter(|items| items.is_object())
}

/// Returns the schema of one item.
pub(super) fn item(schema: &Value, index: usize) -> Option<&Value> {
    let fixed = schema.get("prefixItems").and_then(|all| all.get(index));
    fixed.or_else(|| items(schema))
}

/// Returns the names of an object's required properties.
pub(super) fn required(schema: &Value) -> impl Iterator<Item = &str> {
    schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

/// Returns the description of what is at a path such as `fields[0].name`, or of the nearest part around it that has
/// one.
pub(super) fn description<'a>(schema: &'a Value, path: &str) -> Option<&'a str> {
    let of = |schema: &'a Value| schema.get("description").and_then(Value::as_str).filter(|text| !text.is_empty());
    let mut part = schema;
    let mut nearest = None;
    for name in path.split(['.', '[', ']']).map(|name| name.trim_matches('"')).filter(|name| !name.is_empty()) {
        let next = name.parse().ok().and_then(|index| item(part, index)).or_else(|| property(part, name));
        let Some(next) = next else { break };
        nearest = of(next).or(nearest);
        part = next;
    }
    nearest
}

/// Compiles a schema or a part of one.
pub(super) fn validator(schema: &Value) -> Result<Validator, ValidationError<'static>> {
    let options = jsonschema::draft202012::options().with_format("byte", is_base64);
    options.should_validate_formats(true).offline().build(schema)
}

/// Whether a text is bytes as OpenAPI writes them: base64 with its padding.
fn is_base64(text: &str) -> bool {
    STANDARD.decode(text).is_ok()
}
