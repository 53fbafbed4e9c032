//! `[check]` → what `doctor` calls: an operation that names the caller, and one for each further API, which may take
//! other credentials.

use std::collections::BTreeMap;

use super::text;
use crate::read::located::{Located, did_you_mean};
use toolwright_model::{Check, Effect, FromAnswer, FurtherCheck, Tool};

pub(super) fn read(at: &Located<'_>) -> Option<Check> {
    at.only(&["operation", "identity", "further"]);
    let operation = text(at, "operation", "the id of an operation that reads")?;
    let further = at.get("further").map(|further| further.items()).unwrap_or_default();
    Some(Check {
        operation,
        identity: at.get("identity").map(|i| i.texts()).unwrap_or_default(),
        further: further.iter().filter_map(read_further).collect(),
    })
}

fn read_further(at: &Located<'_>) -> Option<FurtherCheck> {
    at.only(&["title", "operation", "with"]);
    let title = text(at, "title", "what it is about, in one word");
    let operation = text(at, "operation", "the id of an operation that reads");
    let with = at.get("with").map(|with| with.entries()).unwrap_or_default();
    let with = with.iter().filter_map(|(name, entry)| Some(((*name).to_owned(), read_from(entry)?)));
    Some(FurtherCheck { title: title?, operation: operation?, with: with.collect() })
}

fn read_from(at: &Located<'_>) -> Option<FromAnswer> {
    at.only(&["operation", "value"]);
    let operation = text(at, "operation", "the id of an operation that reads");
    let value = text(at, "value", "a JSON pointer into its answer");
    if let (Some(value), Some(entry)) = (&value, at.get("value"))
        && !value.starts_with('/')
    {
        entry.wrong("a JSON pointer, such as `/values/0/id`");
    }
    Some(FromAnswer { operation: operation?, value: value? })
}

/// Checks that the tools of further checks only read and demand nothing but what is stated. `root` is vendor.toml.
pub fn check_further(check: &Check, tools: &[&Tool], root: &Located<'_>) {
    for (index, further) in check.further.iter().enumerate() {
        let at = |key: &str| root.nearest(&format!("/check/further/{index}/{key}"));
        check_tool(&further.operation, &further.with, tools, &at("operation"));
        for (name, from) in &further.with {
            let entry = at(&format!("with/{}/operation", crate::read::reference::escape(name)));
            check_tool(&from.operation, &BTreeMap::new(), tools, &entry);
        }
    }
}

/// Checks that an operation is a tool of its own that only reads, and that `with` has what it demands and nothing else.
fn check_tool(operation: &str, with: &BTreeMap<String, FromAnswer>, tools: &[&Tool], at: &Located<'_>) {
    let calls_it = |tool: &&&Tool| matches!(tool.calls.as_slice(), [call] if call.operation == operation);
    let expected = "an operation that is a tool, only reads, and demands no more than `with` has";
    let Some(tool) = tools.iter().find(calls_it) else {
        let known = tools.iter().flat_map(|tool| &tool.calls).map(|call| call.operation.as_str());
        at.report(expected, format!("`{operation}`, which is none"), did_you_mean(operation, known));
        return;
    };
    let schema = tool.parsed_input_schema();
    let names = |key: &str| schema.get(key).and_then(|value| value.as_array()).cloned().unwrap_or_default();
    let demanded = names("required");
    let missing = demanded.iter().filter_map(|name| name.as_str()).find(|name| !with.contains_key(*name));
    let properties = schema.get("properties").and_then(|value| value.as_object());
    let unknown = with.keys().find(|name| properties.is_none_or(|properties| !properties.contains_key(*name)));
    let found = match (tool.effect, missing, unknown) {
        (effect, ..) if effect != Some(Effect::Read) => "which does not only read".to_owned(),
        (_, Some(missing), _) => format!("which demands `{missing}`"),
        (_, _, Some(unknown)) => format!("which has no argument `{unknown}`"),
        _ => return,
    };
    at.report(expected, format!("`{operation}`, {found}"), None);
}
