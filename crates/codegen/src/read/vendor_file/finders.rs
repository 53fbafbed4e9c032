//! `[finders]` → which tools find the values of an argument. The names are checked against the vendor's tools: a
//! renamed one would send a model to a tool that is not there.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::read::located::{Located, did_you_mean};
use toolwright_model::{Effect, Tool};

/// Reads names of arguments with the names of tools.
pub(super) fn read(at: &Located<'_>) -> BTreeMap<String, Vec<String>> {
    let mut finders = BTreeMap::new();
    for (name, entry) in at.entries() {
        let tools = entry.texts();
        if tools.is_empty() && entry.value.is_array() {
            entry.wrong("the name of at least one tool");
        }
        finders.insert(name.to_owned(), tools);
    }
    finders
}

/// Checks that each name is an argument, or a part of one, and that its tools exist and only read. `root` is
/// vendor.toml.
pub fn check_finders(finders: &BTreeMap<String, Vec<String>>, tools: &[&Tool], root: &Located<'_>) {
    let mut arguments = BTreeSet::new();
    for tool in tools {
        collect_names(&Value::Object(tool.parsed_input_schema()), &mut arguments);
    }
    for (argument, names) in finders {
        let at = root.nearest(&format!("/finders/{}", crate::read::reference::escape(argument)));
        if !arguments.contains(argument) {
            let near = did_you_mean(argument, arguments.iter().map(String::as_str));
            at.report("the name of an argument, or of a part of one", format!("`{argument}`"), near);
        }
        for name in names {
            let expected = "a tool of the vendor that only reads";
            match tools.iter().find(|tool| tool.name == *name) {
                None => {
                    let near = did_you_mean(name, tools.iter().map(|tool| tool.name.as_str()));
                    at.report(expected, format!("`{name}`, which is none"), near);
                }
                Some(tool) if tool.effect != Some(Effect::Read) => {
                    at.report(expected, format!("`{name}`, which does not"), None);
                }
                Some(_) => {}
            }
        }
    }
}

/// Collects the names of all properties of a schema.
fn collect_names(schema: &Value, names: &mut BTreeSet<String>) {
    for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        names.insert(name.clone());
        collect_names(property, names);
    }
    for key in ["items", "additionalProperties"] {
        if let Some(part) = schema.get(key) {
            collect_names(part, names);
        }
    }
}
