//! What a caller gives within `answer` → the arguments of the tool. Clients are shown `answer` in place of what every tool
//! that reads has; beside it the same arguments are accepted as well.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::failure::{ArgumentProblem, Failure, ProblemKind};
use toolwright_model::{ALL, ANSWER, DETAIL, FIELDS, FULL, RAW, Tool, suggest_one};

/// The longest value that a refusal repeats, in characters.
const LONGEST_GIVEN: usize = 40;

/// Returns the arguments with those within `answer` beside the others. What can't be one stays in it.
pub(super) fn flattened<'a>(tool: &Tool, given: &'a Map<String, Value>) -> Cow<'a, Map<String, Value>> {
    let Some(entries) = given.get(ANSWER).filter(|_| tool.has_answer()).and_then(entries) else {
        return Cow::Borrowed(given);
    };
    let mut flat = given.clone();
    flat.shift_remove(ANSWER);
    let mut left = Map::new();
    for (name, value) in entries {
        if has_no_effect(tool, &name, &value) {
            continue;
        }
        match flat.get(&name) {
            None if tool.answer_arguments().contains(&name.as_str()) => drop(flat.insert(name, value)),
            Some(same) if *same == value => {}
            _ => drop(left.insert(name, value)),
        }
    }
    if !left.is_empty() {
        flat.insert(ANSWER.to_owned(), Value::Object(left));
    }
    Cow::Owned(flat)
}

/// Refuses what stayed in `answer`.
///
/// # Errors
/// It holds what the tool does not have, or is no object.
pub(super) fn check(tool: &Tool, flat: &Map<String, Value>) -> Result<(), Failure> {
    let Some(left) = flat.get(ANSWER).filter(|_| tool.has_answer()) else { return Ok(()) };
    let known = tool.answer_arguments();
    let (argument, expected, suggestion) = match left.as_object().and_then(|left| left.keys().next()) {
        Some(name) if known.contains(&name.as_str()) => {
            (format!("{ANSWER}.{name}"), format!("`{name}` once; another value is given beside `{ANSWER}`"), None)
        }
        Some(name) => {
            let near = suggest_one(name, known.iter().copied()).map(str::to_owned);
            (format!("{ANSWER}.{name}"), format!("one of {}", listed(&known)), near)
        }
        None => (ANSWER.to_owned(), format!("an object with {}", listed(&known)), None),
    };
    let meant = suggestion.as_ref().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    let text = format!(
        "the arguments of {} were not accepted; nothing was sent\n- `{argument}`: expected {expected}{meant}",
        tool.name
    );
    let given = left.to_string().chars().take(LONGEST_GIVEN).collect();
    let problem = ArgumentProblem { kind: ProblemKind::Invalid, argument, given, expected, suggestion };
    Err(Failure::Arguments { text, problems: vec![problem] })
}

/// Whether it asks for what the tool does anyway: all of each record, or of the only page.
fn has_no_effect(tool: &Tool, name: &str, value: &Value) -> bool {
    value.is_null()
        || match name {
            DETAIL => !tool.is_own_argument(DETAIL) && value.as_str().is_some_and(|value| value != RAW),
            ALL => !tool.is_own_argument(ALL) && value.is_boolean(),
            _ => false,
        }
}

/// The entries of an object, of one that is written as a text, or of what can be meant only in one way: the names of
/// fields, or the word for whole records.
fn entries(answer: &Value) -> Option<Map<String, Value>> {
    let one = |name: &str, value: &Value| Map::from_iter([(name.to_owned(), value.clone())]);
    match answer {
        Value::Object(entries) => Some(entries.clone()),
        Value::Null => Some(Map::new()),
        Value::Array(names) if names.iter().all(Value::is_string) => Some(one(FIELDS, answer)),
        Value::String(word) if [FULL, RAW].contains(&word.as_str()) => Some(one(DETAIL, answer)),
        Value::String(text) => serde_json::from_str(text).ok(),
        _ => None,
    }
}

fn listed(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::catalog::Catalog;

    /// What a client is not shown beside `answer` it can give within it, and `answer` is shown only where it is accepted.
    #[test]
    fn what_is_not_listed_is_accepted_within_answer_of_every_tool() {
        for entry in Catalog::compiled().entries() {
            let tool = &entry.tool;
            let (listed, full) = (tool.listed_schema(), tool.parsed_input_schema());
            assert_eq!(listed["properties"].get(ANSWER).is_some(), tool.has_answer(), "{}", tool.name);
            let own = full["properties"].as_object().unwrap().keys().filter(|name| tool.is_own_argument(name));
            for name in own.filter(|name| listed["properties"].get(name.as_str()).is_none()) {
                let value = json!("a value");
                let given = Map::from_iter([(ANSWER.to_owned(), json!({name: value}))]);
                let flat = flattened(tool, &given);
                assert_eq!(flat.get(name), Some(&value), "{}: {name}", tool.name);
                assert!(check(tool, &flat).is_ok(), "{}: {name}", tool.name);
            }
        }
    }
}
