//! Attributes of Assets objects by name, as people see them ⇄ the lists with ids that the vendor takes and returns. The
//! names belong to an object type; its attributes are looked up by the id of the type in the same request.

mod read_value;
pub(crate) mod type_attributes;

use serde_json::{Map, Value, json};
use toolwright_model::{Formatted, Place};

use crate::adf::PEOPLE;
use crate::error::{FormatError, short};
use crate::format::{Format, LookupUse, Mark, ReadValue, WriteFuture};
use crate::{FormatContext, LookupError, schema};
use type_attributes::{AttributeKind, TypeAttribute, TypeAttributes, id_of};

/// The body's property with the object type.
const TYPE: &str = "objectTypeId";
/// The most values of one attribute.
const MAX_VALUES: usize = 200;

pub(crate) struct AssetsAttributes;

impl Format for AssetsAttributes {
    fn name(&self) -> &'static str {
        "assets-attributes"
    }

    fn summary(&self) -> &'static str {
        "Attributes of an Assets object by name, as people see them ⇄ the vendor's lists with ids."
    }

    fn lookup_use(&self) -> LookupUse {
        LookupUse::Required
    }

    fn argument_schema(&self, _: &Formatted, schema: &mut Map<String, Value>) -> Result<(), &'static str> {
        if schema::type_of(schema) != "array" {
            return Err("a list");
        }
        let text = "One entry for each attribute, by name: a value, a list of values, or null or [] for none.";
        schema::replace(schema, "object", ("by name", text), &[]);
        schema.insert("additionalProperties".to_owned(), json!(true));
        Ok(())
    }

    fn samples(&self, _: &Formatted, _: &str) -> Vec<Value> {
        vec![json!({"Name": "LT-0042"}), json!({"Name": null})]
    }

    fn tool_words(&self) -> &'static [&'static str] {
        &[PEOPLE, OBJECTS]
    }

    fn write<'a>(
        &'a self,
        value: Value,
        formatted: &'a Formatted,
        context: &'a FormatContext<'a>,
        notes: &'a mut Vec<String>,
    ) -> WriteFuture<'a> {
        Box::pin(async move {
            let Value::Object(entries) = value else {
                let expected = "an object with an entry for each attribute, such as {\"Name\": \"LT-0042\"}";
                return Err(FormatError::new(expected, short(&value.to_string())));
            };
            write(entries, formatted, context, notes).await
        })
    }

    fn raw_switch(&self) -> Option<&'static str> {
        Some("attributes by id, unread")
    }

    fn marks(&self) -> &'static [(&'static str, Mark)] {
        &[("objectAttributeValues", Mark::List)]
    }

    fn beside(&self) -> Option<&'static str> {
        Some("objectTypeAttributes")
    }

    fn read(&self, value: &Value, beside: &Value, left: &mut usize) -> ReadValue {
        read_value::read(value, beside, left)
    }
}

/// What `tools` may name: the tool that finds objects.
const OBJECTS: &str = "objects";

async fn write(
    entries: Map<String, Value>,
    formatted: &Formatted,
    context: &FormatContext<'_>,
    notes: &mut Vec<String>,
) -> Result<Value, FormatError> {
    let of_type = |(place, _): &&(Place, Value)| *place == Place::Property(TYPE.to_owned());
    let type_id = context.properties.iter().find(of_type).and_then(|(_, id)| id_of(id));
    // Without it the request is refused for that.
    let Some(type_id) = type_id else { return Ok(json!([])) };
    let operation = formatted.ask.as_deref().unwrap_or_default();
    let attributes = match TypeAttributes::look_up(operation, &type_id, context).await {
        Ok(attributes) => attributes,
        Err(LookupError::DryRun) => {
            let text = "the attributes are shown by name in this dry run; the real call asks the vendor for their ids";
            notes.push(text.to_owned());
            return Ok(Value::Array(entries.into_iter().map(|(name, value)| entry(&name, texts(value))).collect()));
        }
        Err(LookupError::Failed(reason)) => {
            let expected = "attributes of the object type, which could not be looked up";
            return Err(FormatError::new(expected, format!("`{type_id}` ({reason})")));
        }
    };
    let mut written: Vec<(String, Value)> = Vec::new();
    for (name, value) in entries {
        let at = |error: FormatError| error.below(&format!(".{name}"));
        let attribute = attributes.find(&name).map_err(at)?;
        let values = values(attribute, value, formatted).map_err(at)?;
        if written.iter().any(|(id, _)| *id == attribute.id) {
            let given = format!("`{name}`, which is `{}` too", attribute.name);
            return Err(at(FormatError::new("each attribute once", given)));
        }
        written.push((attribute.id.clone(), entry(&attribute.id, values)));
    }
    Ok(Value::Array(written.into_iter().map(|(_, entry)| entry).collect()))
}

fn entry(id: &str, values: Vec<String>) -> Value {
    let values: Vec<Value> = values.into_iter().map(|value| json!({"value": value})).collect();
    json!({"objectTypeAttributeId": id, "objectAttributeValues": values})
}

/// Returns the values of an attribute, checked for what the vendor takes for its kind.
fn values(attribute: &TypeAttribute, given: Value, formatted: &Formatted) -> Result<Vec<String>, FormatError> {
    if !attribute.editable {
        let expected = "an attribute that a value can be given to; the vendor sets this one itself";
        return Err(FormatError::new(expected, short(&attribute.name)));
    }
    if let Some(nested) = nested(&given) {
        let expected = "a text, a number, true or false, or a list of these";
        return Err(FormatError::new(expected, short(&nested.to_string())));
    }
    let values = texts(given);
    if values.len() > MAX_VALUES {
        return Err(FormatError::new(format!("at most {MAX_VALUES} values"), values.len().to_string()));
    }
    let named = |word: &str| formatted.tools.get(word).map(|tool| format!("; {tool} finds it")).unwrap_or_default();
    for value in &values {
        match attribute.kind {
            AttributeKind::User if value.contains([' ', '@', '/']) => {
                let expected = format!("the accountId of a person{}", named(PEOPLE));
                return Err(FormatError::new(expected, short(value)));
            }
            AttributeKind::Reference if !is_key_or_id(value) => {
                let expected = format!("the key of an object, such as `ITSM-42`, or its id{}", named(OBJECTS));
                return Err(FormatError::new(expected, short(value)));
            }
            _ => {}
        }
    }
    Ok(values)
}

/// The first value that is neither a text nor a number nor a flag.
fn nested(given: &Value) -> Option<&Value> {
    match given {
        Value::Object(_) => Some(given),
        Value::Array(items) => items.iter().find(|item| item.is_object() || item.is_array() || item.is_null()),
        _ => None,
    }
}

/// The values as the vendor takes them: as texts.
fn texts(given: Value) -> Vec<String> {
    match given {
        Value::Null => Vec::new(),
        Value::String(text) => vec![text],
        Value::Array(items) => items.into_iter().flat_map(texts).collect(),
        other => vec![other.to_string()],
    }
}

/// `ITSM-42`, or digits.
fn is_key_or_id(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.rsplit_once('-') {
        Some((key, number)) => {
            key.starts_with(|c: char| c.is_ascii_alphabetic())
                && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
                && digits(number)
        }
        None => digits(text),
    }
}

#[cfg(test)]
mod tests;
