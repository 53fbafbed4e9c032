//! A JSON schema → its parts, as far as argument schemas have them.

use jsonschema::{ValidationError, Validator};
use serde_json::{Map, Value};

/// Returns the properties of an object's schema.
pub(super) fn properties(schema: &Value) -> Option<&Map<String, Value>> {
    schema.get("properties").and_then(Value::as_object)
}

/// Returns the schema of one property: listed, or that of a free-form object's values.
pub(super) fn property<'a>(schema: &'a Value, name: &str) -> Option<&'a Value> {
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

/// Compiles a schema or a part of one.
pub(super) fn validator(schema: &Value) -> Result<Validator, ValidationError<'static>> {
    jsonschema::draft202012::options().should_validate_formats(true).offline().build(schema)
}
