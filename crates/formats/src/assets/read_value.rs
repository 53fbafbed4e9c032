//! An attribute of an object in an answer → its name and its values as people see them: a reference as label and key, a
//! person as name and accountId.

use serde_json::Value;

use super::type_attributes::id_of;
use crate::format::ReadValue;

/// Default types of attributes whose displayed value depends on who asks: dates and times.
const TIMES: [u64; 3] = [4, 5, 6];

/// Reads one attribute. `definitions` are the attributes of the object types in the answer, by which the name is found
/// where the attribute itself has none. `left` is how many bytes values may still become.
pub(super) fn read(attribute: &Value, definitions: &Value, left: &mut usize) -> ReadValue {
    let id = id_of(&attribute["objectTypeAttributeId"]);
    let definition = match &attribute["objectTypeAttribute"] {
        own @ Value::Object(_) => Some(own),
        _ => {
            let mut all = definitions.as_array().into_iter().flatten();
            all.find(|definition| id.is_some() && id_of(&definition["id"]) == id)
        }
    };
    let name = definition.and_then(|definition| definition["name"].as_str());
    // An id where the answer does not name it.
    let name = name.map_or_else(|| format!("attribute {}", id.as_deref().unwrap_or("without id")), str::to_owned);
    let is_time = definition
        .and_then(|definition| definition["defaultType"]["id"].as_u64())
        .is_some_and(|kind| TIMES.contains(&kind));
    let values = attribute["objectAttributeValues"].as_array().into_iter().flatten();
    let mut texts = Vec::new();
    for value in values {
        let text = shown(value, is_time);
        *left = left.saturating_sub(text.len());
        texts.push(text);
    }
    ReadValue::Entry(name, texts)
}

fn shown(value: &Value, is_time: bool) -> String {
    let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    // What people read, and what a call takes.
    let with = |shown: Option<String>, id: Option<String>| match (shown, id) {
        (Some(shown), Some(id)) if shown != id => Some(format!("{shown} ({id})")),
        (shown, id) => shown.or(id),
    };
    let (object, user) = (&value["referencedObject"], &value["user"]);
    let known = with(text(&object["label"]), text(&object["objectKey"]))
        .or_else(|| with(text(&user["displayName"]).or_else(|| text(&user["name"])), text(&user["key"])))
        .or_else(|| text(&value["group"]["name"]))
        .or_else(|| text(&value["status"]["name"]));
    let plain = || match &value["value"] {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        other @ (Value::Number(_) | Value::Bool(_)) => Some(other.to_string()),
        _ => None,
    };
    let displayed = || text(&value["displayValue"]);
    let own = || if is_time { plain().or_else(displayed) } else { displayed().or_else(plain) };
    known.or_else(own).unwrap_or_default()
}
