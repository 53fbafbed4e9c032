//! The names that people use for Jira's fields → ids, by a list of fields that is looked up and
//! kept for a while.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};
use toolwright_model::{Formatted, suggest};

use crate::error::{FormatError, listed, short};
use crate::format::{Format, LookupUse, WriteFuture};
use crate::lookup::NamedId;
use crate::{FormatContext, LookupError, schema};

/// How long a list of fields is used.
const MAX_AGE: Duration = Duration::from_mins(10);
/// How long a list is used although it lacks a name: a new lookup would return the same.
const MAX_AGE_WITH_UNKNOWN: Duration = Duration::from_mins(1);
/// More fields than any site has.
const MAX_FIELDS: usize = 20_000;
/// The most ids that a refusal lists for a name that several fields have.
const MAX_SAME_NAME: usize = 10;
/// Fields that no value of fields sets, because each entry has its own readers, customers among
/// them. They are written by tools that state who reads an entry.
const NEVER_SET: [&str; 2] = ["comment", "worklog"];
/// Ids of the fields that every site has; they need no lookup.
const SYSTEM_FIELDS: [&str; 46] = [
    "aggregateprogress",
    "aggregatetimeestimate",
    "aggregatetimeoriginalestimate",
    "aggregatetimespent",
    "assignee",
    "attachment",
    "comment",
    "components",
    "created",
    "creator",
    "description",
    "duedate",
    "environment",
    "fixVersions",
    "id",
    "issuekey",
    "issuelinks",
    "issuerestriction",
    "issuetype",
    "key",
    "labels",
    "lastViewed",
    "parent",
    "priority",
    "progress",
    "project",
    "reporter",
    "resolution",
    "resolutiondate",
    "security",
    "status",
    "statusCategory",
    "statuscategorychangedate",
    "subtasks",
    "summary",
    "thumbnail",
    "timeestimate",
    "timeoriginalestimate",
    "timespent",
    "timetracking",
    "updated",
    "versions",
    "votes",
    "watches",
    "worklog",
    "workratio",
];

pub(crate) struct JiraFields;

impl Format for JiraFields {
    fn name(&self) -> &'static str {
        "jira-fields"
    }

    fn summary(&self) -> &'static str {
        "Names of Jira fields as people use them → ids."
    }

    fn lookup_use(&self) -> LookupUse {
        LookupUse::Required
    }

    fn argument_schema(&self, _: &Formatted, schema: &mut Map<String, Value>) -> Result<(), &'static str> {
        match schema::type_of(schema) {
            "array" | "object" => Ok(()),
            _ => Err("a list of fields, or an object with an entry for each"),
        }
    }

    fn samples(&self, _: &Formatted, argument_type: &str) -> Vec<Value> {
        match argument_type {
            // The entries of an object are those of its schema.
            "object" => Vec::new(),
            _ => vec![json!(["summary", "status"]), json!(["*all", "-comment"]), json!(["customfield_10016"])],
        }
    }

    fn write<'a>(
        &'a self,
        value: Value,
        formatted: &'a Formatted,
        context: &'a FormatContext<'a>,
        notes: &'a mut Vec<String>,
    ) -> WriteFuture<'a> {
        Box::pin(with_ids(value, formatted.ask.as_deref(), context, notes))
    }
}

/// Replaces names by ids: in a list, or in an object's keys. `operation` lists the fields.
async fn with_ids(
    value: Value,
    operation: Option<&str>,
    context: &FormatContext<'_>,
    notes: &mut Vec<String>,
) -> Result<Value, FormatError> {
    let names: Vec<&str> = match &value {
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        Value::Object(entries) => entries.keys().map(String::as_str).collect(),
        _ => return Err(FormatError::new("a list of fields", short(&value.to_string()))),
    };
    if value.is_object() {
        for name in &names {
            check_settable(name, split_sign(name).1)?;
        }
    }
    let unknown: Vec<&str> = names.into_iter().filter(|name| !is_id(split_sign(name).1)).collect();
    let Some(operation) = operation.filter(|_| !unknown.is_empty()) else {
        return Ok(value);
    };
    let fields = match fields(operation, &unknown, context).await {
        Ok(fields) => fields,
        Err(LookupError::DryRun) => {
            notes.push(format!(
                "left as given in this dry run: {}; the real call asks the vendor for the ids of these fields",
                listed(unknown)
            ));
            return Ok(value);
        }
        Err(LookupError::Failed(reason)) => {
            let expected = "ids of fields such as `customfield_10016`, since the names could not be looked up";
            return Err(FormatError::new(expected, format!("{} ({reason})", listed(unknown))));
        }
    };
    match value {
        Value::Array(items) => list_with_ids(items, &fields, notes).map(Value::Array),
        Value::Object(entries) => entries_with_ids(entries, &fields, notes).map(Value::Object),
        other => Ok(other),
    }
}

fn list_with_ids(items: Vec<Value>, fields: &[NamedId], notes: &mut Vec<String>) -> Result<Vec<Value>, FormatError> {
    let ids = items.into_iter().enumerate().map(|(index, item)| match item.as_str() {
        Some(name) => id_of(name, fields, notes).map(Value::from).map_err(|error| error.at(format!("[{index}]"))),
        None => Ok(item),
    });
    ids.collect()
}

fn entries_with_ids(
    entries: Map<String, Value>,
    fields: &[NamedId],
    notes: &mut Vec<String>,
) -> Result<Map<String, Value>, FormatError> {
    let mut renamed = Map::new();
    for (name, entry) in entries {
        let id = id_of(&name, fields, notes).map_err(|error| error.at(format!(".{name}")))?;
        check_settable(&name, split_sign(&id).1)?;
        if renamed.insert(id.clone(), entry).is_some() {
            let given = format!("`{name}`, which is `{id}` too");
            return Err(FormatError::new("each field once", given).at(format!(".{name}")));
        }
    }
    Ok(renamed)
}

/// Refuses a field that no value sets; `name` is what the caller wrote.
fn check_settable(name: &str, id: &str) -> Result<(), FormatError> {
    if !NEVER_SET.contains(&id) {
        return Ok(());
    }
    let expected = "a field that a value can be given to; comments and worklogs are written by tools of their own, \
                    which state who reads them";
    Err(FormatError::new(expected, format!("`{id}`")).at(format!(".{name}")))
}

/// Splits `-Story Points`, which leaves a field out, into the sign and the name.
fn split_sign(name: &str) -> (&str, &str) {
    match name.strip_prefix('-') {
        Some(rest) => ("-", rest.trim()),
        None => ("", name.trim()),
    }
}

/// Whether a name is an id already, so that it needs no lookup.
fn is_id(name: &str) -> bool {
    let custom = |rest: &str| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit());
    name.starts_with('*') || name.strip_prefix("customfield_").is_some_and(custom) || SYSTEM_FIELDS.contains(&name)
}

/// Returns the list of fields: the kept one, or a new one where that is old or lacks a name.
async fn fields(
    operation: &str,
    names: &[&str],
    context: &FormatContext<'_>,
) -> Result<Arc<Vec<NamedId>>, LookupError> {
    if let Some(fields) = context.cache.get(operation, context.now, MAX_AGE) {
        let known = |name: &&str| !candidates(split_sign(name).1, &fields).is_empty();
        if names.iter().all(known) || context.cache.get(operation, context.now, MAX_AGE_WITH_UNKNOWN).is_some() {
            return Ok(fields);
        }
    }
    let Value::Array(listed) = context.lookup.ask(operation, Vec::new()).await? else {
        return Err(LookupError::Failed("the answer is no list".to_owned()));
    };
    let field = |field: &Value| {
        let id = field["id"].as_str()?.to_owned();
        let name = field["name"].as_str().unwrap_or(&id).to_owned();
        Some(NamedId { id, name })
    };
    let fields = Arc::new(listed.iter().filter_map(field).take(MAX_FIELDS).collect::<Vec<_>>());
    context.cache.insert(operation, context.now, &fields);
    Ok(fields)
}

/// Returns the fields that a name can mean: by id, else by exact name, else by name in any case.
fn candidates<'a>(name: &str, fields: &'a [NamedId]) -> Vec<&'a NamedId> {
    let by = |same: &dyn Fn(&NamedId) -> bool| fields.iter().filter(|field| same(field)).collect::<Vec<_>>();
    let lower = name.to_lowercase();
    let ways: [&dyn Fn(&NamedId) -> bool; 3] =
        [&|field| field.id == name, &|field| field.name == name, &|field| field.name.trim().to_lowercase() == lower];
    ways.iter().map(|same| by(*same)).find(|found| !found.is_empty()).unwrap_or_default()
}

fn id_of(name: &str, fields: &[NamedId], notes: &mut Vec<String>) -> Result<String, FormatError> {
    let (sign, wanted) = split_sign(name);
    if is_id(wanted) {
        return Ok(format!("{sign}{wanted}"));
    }
    match candidates(wanted, fields).as_slice() {
        [] => {
            let names = fields.iter().flat_map(|field| [field.name.as_str(), field.id.as_str()]);
            let near = suggest(wanted, names);
            let expected = match near.as_slice() {
                [] => "a field of this site, by name or id".to_owned(),
                near => format!("a field of this site, such as {}", listed(near.iter().copied())),
            };
            Err(FormatError::new(expected, short(wanted)))
        }
        [field] => {
            if field.id != wanted {
                notes.push(format!("`{wanted}` is `{}` in the answer", field.id));
            }
            Ok(format!("{sign}{}", field.id))
        }
        several => {
            let named = several.iter().take(MAX_SAME_NAME).map(|field| field.id.as_str());
            let more = several.len().saturating_sub(MAX_SAME_NAME);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let expected = format!("one field; several have this name, so give an id: {}{more}", listed(named));
            Err(FormatError::new(expected, short(wanted)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{Bench, field_names, listed_fields};

    fn written(bench: &Bench, value: Value) -> Result<Value, FormatError> {
        bench.write(&[field_names()], value).0
    }

    #[test]
    fn names_of_fields_become_ids() {
        let bench = Bench::new(Ok(listed_fields()));
        let (ids, notes) = bench
            .write(&[field_names()], json!(["summary", "story points", "-Region", "*all", "customfield_1", "team"]));
        assert_eq!(
            ids,
            Ok(json!([
                "summary",
                "customfield_10016",
                "-customfield_10040",
                "*all",
                "customfield_1",
                "customfield_10030"
            ]))
        );
        assert_eq!(notes[0], "`story points` is `customfield_10016` in the answer");
        let entries = written(&bench, json!({"Story Points": 5, "summary": "s"}));
        assert_eq!(entries, Ok(json!({"customfield_10016": 5, "summary": "s"})));
        let twice = written(&bench, json!({"Story Points": 5, "customfield_10016": 6})).unwrap_err();
        assert_eq!(twice.at, ".customfield_10016");
    }

    #[test]
    fn a_wrong_name_is_refused_with_similar_ones() {
        let bench = Bench::new(Ok(listed_fields()));
        let near = written(&bench, json!(["summary", "Story Point"])).unwrap_err();
        assert_eq!(near.at, "[1]");
        assert!(near.expected.contains("such as `Story Points`"), "{near:?}");
        let several = written(&bench, json!(["Team"])).unwrap_err();
        assert!(several.expected.contains("`customfield_10024`, `customfield_10025`"), "{several:?}");
        let nothing = written(&bench, json!(["zzzzzz"])).unwrap_err();
        assert!(nothing.expected.ends_with("by name or id"), "{nothing:?}");
    }

    #[test]
    fn the_list_of_fields_is_looked_up_when_it_is_needed() {
        let mut bench = Bench::new(Ok(listed_fields()));
        assert_eq!(
            written(&bench, json!(["summary", "customfield_10016", "*navigable", "-comment"])),
            Ok(json!(["summary", "customfield_10016", "*navigable", "-comment"]))
        );
        assert_eq!(bench.lookups(), 0, "ids need no lookup");
        for (minutes, name, lookups) in [
            (0, "Region", 1),
            (0, "Nowhere", 1), // Just looked up: a new lookup would return the same.
            (2, "Nowhere", 2), // It may be new.
            (9, "Region", 2),
            (12, "Region", 3), // Too old.
            (3, "Region", 4),  // The clock was set back.
        ] {
            bench.minutes = minutes;
            let _ = written(&bench, json!([name]));
            assert_eq!(bench.lookups(), lookups, "{minutes} {name}");
        }
    }

    #[test]
    fn without_a_list_names_are_left_or_refused() {
        let dry = Bench::new(Err(LookupError::DryRun));
        let (left, notes) = dry.write(&[field_names()], json!(["summary", "Region"]));
        assert_eq!(left, Ok(json!(["summary", "Region"])));
        assert!(notes[0].contains("dry run: `Region`"), "{notes:?}");
        for broken in [Err(LookupError::Failed("the vendor answered 500".to_owned())), Ok(json!({"not": "a list"}))] {
            let error = written(&Bench::new(broken), json!(["Region"])).unwrap_err();
            assert!(error.expected.contains("could not be looked up"), "{error:?}");
        }
    }

    #[test]
    fn comments_are_not_set_as_fields() {
        let listed = json!([{"id": "comment", "name": "Kommentar"}, {"id": "worklog", "name": "Log Work"}]);
        let bench = Bench::new(Ok(listed));
        for name in ["comment", "worklog", " comment ", "-comment", "Kommentar", "kommentar", "log work"] {
            let error = bench.write(&[field_names()], json!({"summary": "s", name: "x"})).0.unwrap_err();
            assert!(error.expected.contains("tools of their own"), "{name}: {error:?}");
            assert_eq!(error.at, format!(".{name}"));
        }
        // Reading them is allowed.
        assert!(bench.write(&[field_names()], json!(["comment", "worklog"])).0.is_ok());
    }
}
