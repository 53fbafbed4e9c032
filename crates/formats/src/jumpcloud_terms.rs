//! The terms of an event search → the same, checked. JumpCloud documents a list of objects that name fields, in which
//! `and` and `or` may be nested; its own programs send one object instead. Both are taken, and sent as they are.

use serde_json::{Map, Value, json};
use toolwright_model::Formatted;

use crate::FormatContext;
use crate::error::{FormatError, short};
use crate::format::{Format, WriteFuture, written};
use crate::schema;

/// The deepest nesting that is looked at; the vendor names no limit.
const DEEPEST: usize = 8;

pub(crate) struct JumpcloudTerms;

impl Format for JumpcloudTerms {
    fn name(&self) -> &'static str {
        "jumpcloud-terms"
    }

    fn summary(&self) -> &'static str {
        "Terms of an event search, a list of objects or one object → the same."
    }

    fn argument_schema(&self, _: &Formatted, schema: &mut Map<String, Value>) -> Result<(), &'static str> {
        let kept = schema::kept(schema, &["description"]);
        schema.clear();
        schema.insert("type".to_owned(), json!("array"));
        schema.insert("items".to_owned(), json!({"type": "object", "additionalProperties": true}));
        schema.extend(kept);
        Ok(())
    }

    fn samples(&self, _: &Formatted, _: &str) -> Vec<Value> {
        vec![
            json!([{"event_type": "sso_auth"}, {"success": false}]),
            json!([{"event_type": ["sso_auth", "ldap_bind"]}]),
        ]
    }

    fn open_parts(&self) -> &'static [&'static str] {
        &[""]
    }

    fn write<'a>(
        &'a self,
        value: Value,
        _: &'a Formatted,
        _: &'a FormatContext<'a>,
        _: &'a mut Vec<String>,
    ) -> WriteFuture<'a> {
        written(check(&value, DEEPEST).map(|()| value))
    }
}

/// Checks a list of objects or one object; values may be lists, but not objects.
fn check(terms: &Value, depth: usize) -> Result<(), FormatError> {
    match terms {
        Value::Object(fields) => check_fields(fields, depth),
        Value::Array(items) => {
            let mut named: Vec<&str> = Vec::new();
            for (index, item) in items.iter().enumerate() {
                let at = format!("[{index}]");
                let Value::Object(fields) = item else { return Err(no_terms(item).below(&at)) };
                check_fields(fields, depth).map_err(|error| error.below(&at))?;
                for name in fields.keys().map(String::as_str).filter(|name| !is_joint(name)) {
                    if named.contains(&name) {
                        let expected =
                            format!("`{name}` once, with a list of its values: {{\"{name}\": [\"a\", \"b\"]}}");
                        return Err(FormatError::new(expected, "it twice").at(at));
                    }
                    named.push(name);
                }
            }
            Ok(())
        }
        other => Err(no_terms(other)),
    }
}

fn check_fields(fields: &Map<String, Value>, depth: usize) -> Result<(), FormatError> {
    for (name, value) in fields {
        let at = format!(".{name}");
        match value {
            Value::Object(_) | Value::Array(_) if is_joint(name) => match depth.checked_sub(1) {
                Some(depth) => check(value, depth).map_err(|error| error.below(&at))?,
                None => return Err(FormatError::new("fewer terms within terms", "more").at(at)),
            },
            Value::Object(_) => {
                let expected = "a value or a list of values; parts of a name are joined by dots";
                return Err(FormatError::new(expected, short(&value.to_string())).at(at));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whether a name joins terms in place of naming a field.
fn is_joint(name: &str) -> bool {
    matches!(name, "and" | "or" | "not")
}

fn no_terms(given: &Value) -> FormatError {
    FormatError::new("a list of objects such as [{\"event_type\": \"sso_auth\"}]", short(&given.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_objects_are_taken_as_they_are() {
        for given in [
            json!([{"username": "root"}, {"client_ip": "192.0.2.1"}]),
            json!([{"success": false}, {"or": [{"initiated_by.username": "paul"}, {"username": "paul"}]}]),
            json!([{"username": ["root", "admin"]}]),
            json!({"event_type": "sso_auth", "success": false}),
            json!([]),
        ] {
            assert_eq!(check(&given, DEEPEST), Ok(()), "{given}");
        }
    }

    #[test]
    fn what_the_vendor_does_not_take_is_refused() {
        for (given, at, expected) in [
            (json!("event_type"), "", "a list of objects"),
            (json!(["event_type"]), "[0]", "a list of objects"),
            (json!([{"username": "root"}, {"username": "admin"}]), "[1]", "`username` once, with a list"),
            (json!([{"initiated_by": {"username": "root"}}]), "[0].initiated_by", "joined by dots"),
            (json!({"or": [{"a": {"b": 1}}]}), ".or[0].a", "joined by dots"),
        ] {
            let error = check(&given, DEEPEST).unwrap_err();
            assert_eq!(error.at, at, "{given}: {error:?}");
            assert!(error.expected.contains(expected), "{given}: {error:?}");
        }
        let deep = (0..20).fold(json!([{"a": 1}]), |inner, _| json!([{"and": inner}]));
        assert!(check(&deep, DEEPEST).is_err());
    }
}
