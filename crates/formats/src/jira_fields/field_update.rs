//! Changes of fields by entry, such as one label more → the same by field id, in the shapes that the
//! fields take. An entry is added or removed by the vendor, so that nothing which others change at the
//! same time is lost.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use toolwright_model::Formatted;

use super::field_kind::{FieldKind, ValueKind, reference};
use super::field_list::{FieldList, NamedField, split_sign};
use super::{TOOL_WORDS, check_once, check_settable};
use crate::error::{FormatError, short};
use crate::format::{Format, LookupUse, WriteFuture};
use crate::{FormatContext, schema};

const OPERATIONS: [&str; 3] = ["add", "remove", "set"];
const EXPECTED: &str = "by field, a list of `add`, `remove` or `set`, such as `{\"labels\": [{\"add\": \"vpn\"}]}`";
/// The field of links, which takes no other operation than `add`.
const LINKS: &str = "issuelinks";
/// The two ends of a link; the other end is the issue itself.
const LINK_ENDS: [&str; 2] = ["inwardIssue", "outwardIssue"];

pub(crate) struct JiraFieldUpdate;

impl Format for JiraFieldUpdate {
    fn name(&self) -> &'static str {
        "jira-field-update"
    }

    fn summary(&self) -> &'static str {
        "Entries to add to Jira fields, to remove or to set, by the names that people use → the same by id."
    }

    fn lookup_use(&self) -> LookupUse {
        LookupUse::Required
    }

    fn argument_schema(&self, _: &Formatted, schema: &mut Map<String, Value>) -> Result<(), &'static str> {
        if schema::type_of(schema) != "object" {
            return Err("an object with a list for each field");
        }
        // Each entry is checked here, and more ways to write it are taken.
        schema.insert("additionalProperties".to_owned(), json!(true));
        Ok(())
    }

    fn samples(&self, _: &Formatted, _: &str) -> Vec<Value> {
        vec![
            json!({"labels": [{"add": "vpn"}, {"remove": "new"}]}),
            json!({"components": [{"add": {"name": "Network"}}], "fixVersions": [{"set": [{"id": "10010"}]}]}),
            json!({"issuelinks": [{"add": {"type": {"name": "Blocks"}, "outwardIssue": {"key": "ABC-1"}}}]}),
        ]
    }

    fn open_parts(&self) -> &'static [&'static str] {
        &[""]
    }

    fn tool_words(&self) -> &'static [&'static str] {
        &TOOL_WORDS
    }

    fn write<'a>(
        &'a self,
        value: Value,
        formatted: &'a Formatted,
        context: &'a FormatContext<'a>,
        notes: &'a mut Vec<String>,
    ) -> WriteFuture<'a> {
        Box::pin(by_id(value, formatted, context, notes))
    }
}

/// One change of a field.
struct Change {
    operation: &'static str,
    value: Value,
    /// Where it is in the argument.
    at: String,
}

async fn by_id(
    value: Value,
    formatted: &Formatted,
    context: &FormatContext<'_>,
    notes: &mut Vec<String>,
) -> Result<Value, FormatError> {
    let tools = &formatted.tools;
    let entries = match value {
        Value::Object(entries) => entries,
        Value::String(text) => match serde_json::from_str(&text) {
            Ok(Value::Object(entries)) => entries,
            _ => return Err(FormatError::new(EXPECTED, short(&text))),
        },
        other => return Err(FormatError::new(EXPECTED, short(&other.to_string()))),
    };
    let mut changes = Vec::new();
    for (name, entry) in entries {
        check_settable(&name, split_sign(&name).1, tools)?;
        let of_field = changes_of(entry).map_err(|error| error.below(&format!(".{name}")))?;
        changes.push((name, of_field));
    }
    let names: Vec<&str> = changes.iter().map(|(name, _)| name.as_str()).collect();
    let has_text = |change: &Change| {
        change.value.is_string() || change.value.as_array().is_some_and(|items| items.iter().any(Value::is_string))
    };
    let shaped = changes.iter().filter(|(_, changes)| changes.iter().any(has_text)).map(|(name, _)| name.as_str());
    let shaped: Vec<&str> = shaped.collect();
    let fields = FieldList::look_up(formatted.ask.as_deref(), &names, &shaped, context, notes).await?;
    let mut written = Map::new();
    for (name, changes) in changes {
        let field = fields.field(&name, notes).map_err(|error| error.at(format!(".{name}")))?;
        check_settable(&name, &field.id, tools)?;
        let mut list = Vec::new();
        for change in changes {
            let at = format!(".{name}{}", change.at);
            let operation = change.operation;
            let values = write_change(&field, change, tools, notes).map_err(|error| error.below(&at))?;
            list.extend(values.into_iter().map(|value| json!({operation: value})));
        }
        check_once(&name, &field.id, written.insert(field.id.clone(), Value::Array(list)).is_some())?;
    }
    Ok(Value::Object(written))
}

/// Reads the changes of one field: a list of them, or a single one.
fn changes_of(entry: Value) -> Result<Vec<Change>, FormatError> {
    let (items, is_list) = match entry {
        Value::Array(items) => (items, true),
        one => (vec![one], false),
    };
    let mut changes = Vec::new();
    for (index, item) in items.into_iter().enumerate() {
        let at = if is_list { format!("[{index}]") } else { String::new() };
        let Value::Object(operations) = item else {
            return Err(FormatError::new(EXPECTED, short(&item.to_string())).at(at));
        };
        for (name, value) in operations {
            let at = format!("{at}.{name}");
            let Some(operation) = OPERATIONS.iter().find(|operation| **operation == name) else {
                return Err(FormatError::new("one of `add`, `remove`, `set`", short(&name)).at(at));
            };
            changes.push(Change { operation, value, at });
        }
    }
    if changes.is_empty() {
        return Err(FormatError::new(format!("at least one change: {EXPECTED}"), "none"));
    }
    Ok(changes)
}

/// Returns the values of one operation; a list to add or to remove is an operation for each.
fn write_change(
    field: &NamedField,
    change: Change,
    tools: &BTreeMap<String, String>,
    notes: &mut Vec<String>,
) -> Result<Vec<Value>, FormatError> {
    let Change { operation, value, .. } = change;
    if field.id == LINKS {
        return links(operation, value);
    }
    if operation == "set" {
        return Ok(vec![field.kind.write(value, tools, notes)?]);
    }
    match field.kind {
        FieldKind::One(ValueKind::Other) => Ok(vec![value]),
        FieldKind::One(_) => {
            let expected = "`set`, since the field has one value; `add` and `remove` change fields that are lists";
            Err(FormatError::new(expected, format!("`{operation}`")))
        }
        // A list of values is understood, whatever they are.
        FieldKind::List(ValueKind::Other) => Ok(match value {
            Value::Array(items) => items,
            one => vec![one],
        }),
        kind @ FieldKind::List(_) => match kind.write(value, tools, notes)? {
            Value::Array(items) => Ok(items),
            other => Err(FormatError::new("a value to add or to remove", short(&other.to_string()))),
        },
    }
}

/// Writes links. They can be added only, and carry no comment: its readers could not be chosen.
fn links(operation: &str, value: Value) -> Result<Vec<Value>, FormatError> {
    const LINK: &str = "a link such as `{\"type\": {\"name\": \"Blocks\"}, \"outwardIssue\": {\"key\": \"ABC-1\"}}`: \
                        this issue blocks ABC-1; `inwardIssue` for the other direction";
    if operation != "add" {
        let expected = "`add`; a link is removed by its own id, and never by an edit of the issue";
        return Err(FormatError::new(expected, format!("`{operation}`")));
    }
    let items = match value {
        Value::Array(items) => items,
        one => vec![one],
    };
    let write = |item: Value| {
        let given = item.to_string();
        let Value::Object(entries) = item else { return Err(FormatError::new(LINK, short(&given))) };
        let ends = LINK_ENDS.iter().filter(|end| entries.contains_key(**end)).count();
        let is_known = |name: &String| name == "type" || LINK_ENDS.contains(&name.as_str());
        if ends != 1 || !entries.contains_key("type") || !entries.keys().all(is_known) {
            return Err(FormatError::new(LINK, short(&given)));
        }
        let shaped = entries.into_iter().map(|(name, value)| {
            let key = if name == "type" { "name" } else { "key" };
            (name, reference(value, key))
        });
        Ok(Value::Object(shaped.collect()))
    };
    items.into_iter().map(write).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LookupError;
    use crate::tests::Bench;

    fn update() -> Formatted {
        let tools = BTreeMap::from([("comment".to_owned(), "acme_add_note".to_owned())]);
        Formatted { ask: Some("getFields".to_owned()), tools, ..Formatted::whole("jira-field-update") }
    }

    fn site() -> Bench {
        let custom = |name: &str| format!("com.atlassian.jira.plugin.system.customfieldtypes:{name}");
        Bench::new(Ok(json!([
            {"id": "labels", "name": "Labels", "schema": {"type": "array", "items": "string", "system": "labels"}},
            {"id": "customfield_1", "name": "Sites", "schema": {"type": "array", "items": "option", "custom": custom("multiselect")}},
            {"id": "customfield_2", "name": "Root cause", "schema": {"type": "string", "custom": custom("textarea")}},
            {"id": "comment", "name": "Kommentar", "schema": {"type": "comments-page", "system": "comment"}},
        ])))
    }

    #[test]
    fn single_entries_are_added_and_removed() {
        for (given, expected) in [
            (
                json!({"labels": [{"add": "vpn"}, {"remove": "new"}]}),
                json!({"labels": [{"add": "vpn"}, {"remove": "new"}]}),
            ),
            (json!({"Labels": {"add": ["a", "b"]}}), json!({"labels": [{"add": "a"}, {"add": "b"}]})),
            (json!({"labels": {"set": "a"}}), json!({"labels": [{"set": ["a"]}]})),
            (json!({"components": [{"add": "Network"}]}), json!({"components": [{"add": {"name": "Network"}}]})),
            (json!({"versions": [{"remove": {"id": "1"}}]}), json!({"versions": [{"remove": {"id": "1"}}]})),
            (json!({"fixVersions": [{"add": "10010"}]}), json!({"fixVersions": [{"add": {"id": "10010"}}]})),
            (json!({"sites": [{"add": "Paris"}]}), json!({"customfield_1": [{"add": {"value": "Paris"}}]})),
            (
                json!({"Root cause": [{"set": "**x**"}]}),
                json!({"customfield_2": [{"set": crate::adf::document("**x**")}]}),
            ),
            (json!({"duedate": [{"set": null}]}), json!({"duedate": [{"set": null}]})),
            (
                json!({"issuelinks": [{"add": {"type": "Blocks", "outwardIssue": "ABC-1"}}]}),
                json!({"issuelinks": [{"add": {"type": {"name": "Blocks"}, "outwardIssue": {"key": "ABC-1"}}}]}),
            ),
            (json!("{\"labels\": [{\"add\": \"a\"}]}"), json!({"labels": [{"add": "a"}]})),
        ] {
            assert_eq!(site().write(&[update()], given.clone()).0, Ok(expected), "{given}");
        }
    }

    #[test]
    fn what_an_edit_can_not_do_is_refused() {
        for (given, at, expected) in [
            (json!({"comment": [{"add": {"body": "x"}}]}), ".comment", "who reads them: acme_add_note"),
            (json!({"kommentar": [{"add": {"body": "x"}}]}), ".kommentar", "who reads them: acme_add_note"),
            (json!({" worklog": [{"add": {"timeSpent": "1h"}}]}), ". worklog", "who reads them"),
            (json!({"labels": [{"append": "x"}]}), ".labels[0].append", "one of `add`, `remove`, `set`"),
            (json!({"labels": []}), ".labels", "at least one change"),
            (json!({"labels": ["x"]}), ".labels[0]", "such as `{\"labels\""),
            (json!({"labels": [{"add": "one"}, {"add": ["two words"]}]}), ".labels[1].add[0]", "has no space"),
            (json!({"priority": [{"add": "High"}]}), ".priority[0].add", "`set`, since the field has one value"),
            (json!({"issuelinks": [{"remove": {"id": "1"}}]}), ".issuelinks[0].remove", "removed by its own id"),
            (
                json!({"issuelinks": [{"add": {"type": "Blocks", "outwardIssue": "A-1", "comment": {"body": "x"}}}]}),
                ".issuelinks[0].add",
                "a link such as",
            ),
            (json!({"issuelinks": [{"add": {"outwardIssue": "A-1"}}]}), ".issuelinks[0].add", "a link such as"),
            (json!({"Lables": [{"add": "x"}]}), ".Lables", "such as `Labels`"),
            (json!("labels"), "", "by field, a list"),
        ] {
            let error = site().write(&[update()], given.clone()).0.unwrap_err();
            assert_eq!(error.at, at, "{given}: {error:?}");
            assert!(error.expected.contains(expected), "{given}: {error:?}");
        }
    }

    #[test]
    fn ids_of_system_fields_need_no_list() {
        let bench = Bench::new(Err(LookupError::DryRun));
        let (written, notes) = bench.write(&[update()], json!({"labels": [{"add": "a"}], "Sites": [{"add": "Paris"}]}));
        assert_eq!(written, Ok(json!({"labels": [{"add": "a"}], "Sites": [{"add": "Paris"}]})));
        assert!(notes[0].contains("dry run: `Sites`"), "{notes:?}");
        let bench = Bench::new(Err(LookupError::Failed("no".to_owned())));
        assert!(bench.write(&[update()], json!({"labels": [{"add": "a"}]})).0.is_ok());
        assert_eq!(bench.lookups(), 0);
    }
}
