//! The names that people use for Jira's fields → ids. The list of fields is asked for once in a
//! while and kept.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use serde_json::{Map, Value};

use super::{FormatContext, FormatError, LookupError, listed, nearest, short};
use toolwright_model::Formatted;

/// How long a list of fields is good.
const GOOD_FOR: Duration = Duration::from_secs(10 * 60);
/// How long a list is not asked for again, although a name is missing in it.
const FRESH_FOR: Duration = Duration::from_secs(60);
/// More fields than any site has.
const MOST_FIELDS: usize = 20_000;
/// Fields whose every entry has readers of its own, customers among them. No value of fields sets them: they are
/// written by calls that say who reads it.
const NEVER_SET: [&str; 2] = ["comment", "worklog"];
/// Lists of so many operations are kept; there is one.
const MOST_LISTS: usize = 8;
/// So many names are told to somebody who guessed wrong.
const FEW: usize = 5;
/// Ids of the fields that every site has: for these nobody needs to be asked.
const SYSTEM: [&str; 46] = [
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

/// A field: what it is called, and its id.
#[derive(Debug)]
struct Field {
    id: String,
    name: String,
}

/// The lists of fields that a connection was answered with lately.
#[derive(Debug, Default)]
pub struct Memory(Mutex<HashMap<String, Kept>>);

#[derive(Debug, Clone)]
struct Kept {
    since: SystemTime,
    fields: Arc<Vec<Field>>,
}

impl Memory {
    /// The list, if it is no older than that.
    fn get(&self, operation: &str, now: SystemTime, at_most: Duration) -> Option<Arc<Vec<Field>>> {
        let lists = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = lists.get(operation)?;
        // A clock that was set back makes everything old.
        let age = now.duration_since(kept.since).ok()?;
        (age < at_most).then(|| Arc::clone(&kept.fields))
    }

    fn keep(&self, operation: &str, now: SystemTime, fields: &Arc<Vec<Field>>) {
        let mut lists = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lists.len() >= MOST_LISTS {
            lists.clear();
        }
        lists.insert(operation.to_owned(), Kept { since: now, fields: Arc::clone(fields) });
    }
}

/// Replaces names by ids: of a list, or of an object's entries.
pub(super) async fn write(
    value: Value,
    formatted: &Formatted,
    around: &FormatContext<'_>,
    notes: &mut Vec<String>,
) -> Result<Value, FormatError> {
    let names: Vec<&str> = match &value {
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        Value::Object(entries) => entries.keys().map(String::as_str).collect(),
        _ => return Err(FormatError::new("a list of fields", short(&value.to_string()))),
    };
    if value.is_object() {
        for name in &names {
            settable(name, bare(name).1)?;
        }
    }
    let unknown: Vec<&str> = names.into_iter().filter(|name| !is_id(bare(name).1)).collect();
    let Some(operation) = formatted.ask.as_deref().filter(|_| !unknown.is_empty()) else {
        return Ok(value);
    };
    let fields = match fields(operation, &unknown, around).await {
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
    let mut id_of = |name: &str| resolved(name, &fields, notes);
    match value {
        Value::Array(items) => {
            let ids = items.into_iter().enumerate().map(|(index, item)| match item.as_str() {
                Some(name) => id_of(name).map(Value::from).map_err(|complaint| complaint.at(format!("[{index}]"))),
                None => Ok(item),
            });
            ids.collect::<Result<Vec<_>, _>>().map(Value::Array)
        }
        Value::Object(entries) => {
            let mut renamed = Map::new();
            for (name, entry) in entries {
                let id = id_of(&name).map_err(|complaint| complaint.at(format!(".{name}")))?;
                settable(&name, bare(&id).1)?;
                if renamed.insert(id.clone(), entry).is_some() {
                    let given = format!("`{name}`, which is `{id}` too");
                    return Err(FormatError::new("each field once", given).at(format!(".{name}")));
                }
            }
            Ok(Value::Object(renamed))
        }
        other => Ok(other),
    }
}

/// Whether a value can be set, by the field's id.
fn settable(name: &str, id: &str) -> Result<(), FormatError> {
    if !NEVER_SET.contains(&id) {
        return Ok(());
    }
    let expected = "a field that a value can be given to; comments and worklogs are written by tools of their own, \
                    which say who reads them";
    Err(FormatError::new(expected, format!("`{id}`")).at(format!(".{name}")))
}

/// `-Story Points` leaves a field out: the sign and the name.
fn bare(name: &str) -> (&str, &str) {
    match name.strip_prefix('-') {
        Some(rest) => ("-", rest.trim()),
        None => ("", name.trim()),
    }
}

/// Whether nobody needs to be asked what is meant.
fn is_id(name: &str) -> bool {
    let custom = |rest: &str| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit());
    name.starts_with('*') || name.strip_prefix("customfield_").is_some_and(custom) || SYSTEM.contains(&name)
}

/// The list of fields: kept, or asked for where it is old or may lack what is wanted.
async fn fields(operation: &str, wanted: &[&str], around: &FormatContext<'_>) -> Result<Arc<Vec<Field>>, LookupError> {
    if let Some(fields) = around.memory.get(operation, around.now, GOOD_FOR) {
        let known = |name: &&str| !candidates(bare(name).1, &fields).is_empty();
        if wanted.iter().all(known) || around.memory.get(operation, around.now, FRESH_FOR).is_some() {
            return Ok(fields);
        }
    }
    let answer = around.ask.ask(operation, Vec::new()).await?;
    let listed: Vec<Value> =
        serde_json::from_slice(&answer.body).map_err(|_| LookupError::Failed("the answer is no list".to_owned()))?;
    let field = |field: &Value| {
        let id = field["id"].as_str()?.to_owned();
        let name = field["name"].as_str().unwrap_or(&id).to_owned();
        Some(Field { id, name })
    };
    let fields = Arc::new(listed.iter().filter_map(field).take(MOST_FIELDS).collect::<Vec<_>>());
    around.memory.keep(operation, around.now, &fields);
    Ok(fields)
}

/// The fields that a name can mean: by id, else by name as it is, else by name in any case.
fn candidates<'a>(name: &str, fields: &'a [Field]) -> Vec<&'a Field> {
    let by = |same: &dyn Fn(&Field) -> bool| fields.iter().filter(|field| same(field)).collect::<Vec<_>>();
    let lower = name.to_lowercase();
    let ways: [&dyn Fn(&Field) -> bool; 3] =
        [&|field| field.id == name, &|field| field.name == name, &|field| field.name.trim().to_lowercase() == lower];
    ways.iter().map(|same| by(*same)).find(|found| !found.is_empty()).unwrap_or_default()
}

fn resolved(name: &str, fields: &[Field], notes: &mut Vec<String>) -> Result<String, FormatError> {
    let (sign, wanted) = bare(name);
    if is_id(wanted) {
        return Ok(format!("{sign}{wanted}"));
    }
    match candidates(wanted, fields).as_slice() {
        [] => {
            let names = fields.iter().flat_map(|field| [field.name.as_str(), field.id.as_str()]);
            let near = nearest(wanted, names, FEW);
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
            let named = several.iter().take(2 * FEW).map(|field| field.id.as_str());
            let more = several.len().saturating_sub(2 * FEW);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let expected = format!("one field; several have this name, so give an id: {}{more}", listed(named));
            Err(FormatError::new(expected, short(wanted)))
        }
    }
}
