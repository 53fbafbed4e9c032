//! A kind of record that can be given by name → the schema of an argument that takes a name or an id, and what the
//! program resolves names by. Kinds are checked against the tools that they name.

use serde_json::{Map, Value};

use crate::lower::concise::{self, UnknownPath};
use crate::lower::fit::misfit;
use crate::lower::vendor::LoweredApi;
use crate::read::located::{describe, did_you_mean};
use toolwright_model::{Effect, NameLookup, Resolve, ResolveKind, TEXT_PLACEHOLDER, Tool};

/// What an argument's description says where its kind states nothing else.
const OFFER: &str = "Id or name.";
/// What says nothing of a text.
const OF_NUMBERS: [&str; 6] = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "format", "x-unshown"];

/// Writes into the schema of a part that it takes names; `None` where it can't: a choice, an object, a truth value.
pub fn apply(kind: &ResolveKind, at: &str, part: &mut Map<String, Value>) -> Option<Resolve> {
    let is_list = part.get("type").and_then(Value::as_str) == Some("array");
    let one = if is_list { part.get_mut("items")?.as_object_mut()? } else { &mut *part };
    let number = match one.get("type").and_then(Value::as_str)? {
        "integer" => true,
        "string" => false,
        _ => return None,
    };
    if one.contains_key("enum") {
        return None;
    }
    let bound = |key: &str| {
        let stated = one.get(key).or_else(|| one.get("x-unshown")?.get(key));
        stated.and_then(Value::as_i64).filter(|_| number)
    };
    let (minimum, maximum) = (bound("minimum"), bound("maximum"));
    one.insert("type".to_owned(), Value::from("string"));
    for keyword in OF_NUMBERS {
        one.shift_remove(keyword);
    }
    if let Some(Value::Number(default)) = one.get("default") {
        let text = Value::from(default.to_string());
        one.insert("default".to_owned(), text);
    }
    let offer = kind.offers.as_deref().unwrap_or(OFFER);
    let text = part.get("description").and_then(Value::as_str).unwrap_or_default().trim_end();
    let stop = if text.is_empty() || text.ends_with(['.', ':', '!', '?', '…']) { "" } else { "." };
    let space = if text.is_empty() { "" } else { " " };
    let text = format!("{text}{stop}{space}{offer}");
    part.insert("description".to_owned(), Value::from(text));
    Some(Resolve { minimum, maximum, ..kind.at(at, number) })
}

/// The ids of a kind as values of a part, for the tests that draw arguments.
pub fn samples(kind: &ResolveKind, part: &Map<String, Value>) -> Vec<Value> {
    let is_list = part.get("type").and_then(Value::as_str) == Some("array");
    let one = |sample: &String| if is_list { Value::from(vec![sample.clone()]) } else { Value::from(sample.clone()) };
    kind.samples.iter().map(one).collect()
}

/// Reports a finding at a path below a kind.
pub type Report<'a> = dyn Fn(&str, &str, String, Option<String>) + 'a;

/// Checks that the tools by which a kind is looked up exist and only read, take what they are given, and answer with the
/// fields.
pub fn check(kind: &ResolveKind, apis: &[LoweredApi], report: &Report<'_>) {
    let tools = || apis.iter().flat_map(|api| &api.lowered.tools);
    for (index, by) in kind.by.iter().enumerate() {
        let at = format!("/by/{index}");
        let expected = "a tool of the vendor that only reads";
        match tools().find(|tool| tool.name == by.tool) {
            None => {
                let near = did_you_mean(&by.tool, tools().map(|tool| tool.name.as_str()));
                report(&format!("{at}/tool"), expected, format!("`{}`, which is none", by.tool), near);
            }
            Some(tool) if tool.effect != Some(Effect::Read) => {
                let effect = tool.effect.map_or("none stated", Effect::as_str);
                report(&format!("{at}/tool"), expected, format!("`{}`, whose effect is: {effect}", by.tool), None);
            }
            Some(tool) => {
                check_arguments(by, tool, &at, report);
                check_fields(by, tool, apis, &at, report);
            }
        }
    }
}

fn check_arguments(by: &NameLookup, tool: &Tool, at: &str, report: &Report<'_>) {
    let schema = tool.parsed_input_schema();
    let properties = schema.get("properties").and_then(Value::as_object);
    for (name, value) in &by.arguments {
        let at = format!("{at}/with/{}", crate::read::reference::escape(name));
        let Some(property) = properties.and_then(|all| all.get(name)).and_then(Value::as_object) else {
            let near = did_you_mean(name, properties.into_iter().flat_map(Map::keys).map(String::as_str));
            report(&at, &format!("an argument of `{}`", tool.name), format!("`{name}`"), near);
            continue;
        };
        let is_filled = value.to_string().contains('{') || value.is_object() || value.is_array();
        if let Some(expected) = misfit(property, value).filter(|_| !is_filled) {
            report(&at, &expected, describe(value), None);
        }
    }
    let required = schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    for name in required.filter(|name| !by.arguments.contains_key(*name)) {
        let expected = format!(
            "`with.{name}`, which `{}` requires: a value, `{TEXT_PLACEHOLDER}`, or an argument in braces",
            tool.name
        );
        report(&format!("{at}/with"), &expected, "no such entry".to_owned(), None);
    }
}

/// The fields must be in the answer of the operation that is called with these arguments.
fn check_fields(by: &NameLookup, tool: &Tool, apis: &[LoweredApi], at: &str, report: &Report<'_>) {
    let Some(call) = tool.call_for(&by.arguments) else {
        let expected = format!("`with` to choose one of the operations of `{}`", tool.name);
        report(&format!("{at}/with"), &expected, "another choice".to_owned(), None);
        return;
    };
    let Some(api) = apis.iter().find(|api| api.description.id == call.api) else { return };
    let document = &api.description.document;
    let Some(operation) = document.operation(&call.path, &call.method.to_lowercase()) else { return };
    let listed = |key: &'static str, fields: &'_ [String]| -> Vec<(String, String)> {
        fields.iter().enumerate().map(|(index, field)| (format!("{at}/{key}/{index}"), field.clone())).collect()
    };
    let id = vec![(format!("{at}/id"), by.id.clone())];
    let filter = by.filter.keys().map(|field| (format!("{at}/where"), field.clone()));
    let fields = listed("match", &by.fields).into_iter().chain(id).chain(listed("show", &by.show)).chain(filter);
    // Several fields can be one name.
    let each = fields.flat_map(|(at, field)| {
        let path = |path: &str| by.records.as_ref().map_or(path.to_owned(), |records| format!("{records}.{path}"));
        field.split(' ').map(|part| (at.clone(), path(part))).collect::<Vec<(String, String)>>()
    });
    for (at, field) in each {
        if let Err(UnknownPath { step, known }) = concise::check(&field, operation.operation, None, document) {
            let near = did_you_mean(&step, known.iter().map(String::as_str));
            let found = format!("`{field}`, of which the description has no `{step}`");
            report(&at, &format!("a path through the answer of `{}`", tool.name), found, near);
        }
    }
}
