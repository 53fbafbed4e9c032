//! A field's name as people use it → its id and kind, by the site's list of fields, which is looked up
//! and kept for a while.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use toolwright_model::suggest;

use super::field_kind::{FieldKind, ValueKind};
use crate::error::{FormatError, listed, short};
use crate::{FormatContext, LookupError};

/// How long a list of fields is used.
const MAX_AGE: Duration = Duration::from_mins(10);
/// How long a list is used although it lacks a name: a new lookup would return the same.
const MAX_AGE_WITH_UNKNOWN: Duration = Duration::from_mins(1);
/// More fields than any site has.
const MAX_FIELDS: usize = 20_000;
/// The most ids that a refusal lists for a name that several fields have.
const MAX_SAME_NAME: usize = 10;
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

/// A field of the list.
#[derive(Debug)]
struct ListedField {
    id: String,
    name: String,
    kind: FieldKind,
}

/// A field that a caller named.
#[derive(Debug, PartialEq)]
pub(super) struct NamedField {
    /// The id, with the sign before it.
    pub(super) id: String,
    pub(super) kind: FieldKind,
}

/// The fields of a site; none of them where nothing had to be looked up, or a dry run looks nothing up.
pub(super) struct FieldList(Option<Arc<Vec<ListedField>>>);

impl FieldList {
    /// Looks the list up by `operation` where `names` has one that is no id, or `shaped` names fields
    /// whose values need the shape of their kind.
    ///
    /// # Errors
    /// The lookup fails, and a name is no id.
    pub(super) async fn look_up(
        operation: Option<&str>,
        names: &[&str],
        shaped: &[&str],
        context: &FormatContext<'_>,
        notes: &mut Vec<String>,
    ) -> Result<Self, FormatError> {
        let unknown: Vec<&str> = names.iter().copied().filter(|name| !is_id(split_sign(name).1)).collect();
        let without_kind = shaped.iter().filter(|name| is_custom(name));
        let wanted: Vec<&str> = unknown.iter().copied().chain(without_kind.copied()).collect();
        let Some(operation) = operation.filter(|_| !wanted.is_empty()) else { return Ok(Self(None)) };
        match fields(operation, &wanted, context).await {
            Ok(fields) => return Ok(Self(Some(fields))),
            Err(LookupError::DryRun) if unknown.is_empty() => notes.push(format!(
                "left as given in this dry run: the values of {}; the real call asks the vendor what these fields take",
                listed(wanted)
            )),
            Err(LookupError::DryRun) => notes.push(format!(
                "left as given in this dry run: {}; the real call asks the vendor for the ids of these fields",
                listed(unknown)
            )),
            Err(LookupError::Failed(reason)) if unknown.is_empty() => notes.push(format!(
                "the values of {} are sent as given, since what these fields take could not be looked up ({reason})",
                listed(wanted)
            )),
            Err(LookupError::Failed(reason)) => {
                let expected = "ids of fields such as `customfield_10016`, since the names could not be looked up";
                return Err(FormatError::new(expected, format!("{} ({reason})", listed(unknown))));
            }
        }
        Ok(Self(None))
    }

    /// Returns the field that a name means; the name itself where nothing was looked up.
    ///
    /// # Errors
    /// No field has the name, or several have it.
    pub(super) fn field(&self, name: &str, notes: &mut Vec<String>) -> Result<NamedField, FormatError> {
        let (sign, wanted) = split_sign(name);
        let found = self.0.as_deref().map(|fields| candidates(wanted, fields));
        let of = |id: &str, kind: Option<FieldKind>| {
            let kind = FieldKind::of_system(id).or(kind).unwrap_or(FieldKind::One(ValueKind::Other));
            NamedField { id: format!("{sign}{id}"), kind }
        };
        match found.as_deref() {
            None => Ok(of(wanted, None)),
            Some(found) if is_id(wanted) => Ok(of(wanted, found.first().map(|field| field.kind))),
            Some([]) => Err(self.unknown(wanted)),
            Some([field]) => {
                if field.id != wanted {
                    notes.push(format!("`{wanted}` is `{}` in the answer", field.id));
                }
                Ok(of(&field.id, Some(field.kind)))
            }
            Some(several) => {
                let named = several.iter().take(MAX_SAME_NAME).map(|field| field.id.as_str());
                let more = several.len().saturating_sub(MAX_SAME_NAME);
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                let expected = format!("one field; several have this name, so give an id: {}{more}", listed(named));
                Err(FormatError::new(expected, short(wanted)))
            }
        }
    }

    fn unknown(&self, wanted: &str) -> FormatError {
        let fields = self.0.iter().flat_map(|fields| fields.iter());
        let near = suggest(wanted, fields.flat_map(|field| [field.name.as_str(), field.id.as_str()]));
        let expected = match near.as_slice() {
            [] => "a field of this site, by name or id".to_owned(),
            near => format!("a field of this site, such as {}", listed(near.iter().copied())),
        };
        FormatError::new(expected, short(wanted))
    }
}

/// Splits `-Story Points`, which leaves a field out, into the sign and the name.
pub(super) fn split_sign(name: &str) -> (&str, &str) {
    match name.strip_prefix('-') {
        Some(rest) => ("-", rest.trim()),
        None => ("", name.trim()),
    }
}

/// Whether a name is an id already, so that it needs no lookup.
fn is_id(name: &str) -> bool {
    name.starts_with('*') || is_custom(name) || SYSTEM_FIELDS.contains(&name)
}

fn is_custom(name: &str) -> bool {
    let digits = |rest: &str| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit());
    name.trim().strip_prefix("customfield_").is_some_and(digits)
}

/// Returns the list of fields: the kept one, or a new one where that is old or lacks a name.
async fn fields(
    operation: &str,
    names: &[&str],
    context: &FormatContext<'_>,
) -> Result<Arc<Vec<ListedField>>, LookupError> {
    let kept = |age| context.cache.get::<Vec<ListedField>>(operation, context.now, age);
    if let Some(fields) = kept(MAX_AGE) {
        let known = |name: &&str| !candidates(split_sign(name).1, &fields).is_empty();
        if names.iter().all(known) || kept(MAX_AGE_WITH_UNKNOWN).is_some() {
            return Ok(fields);
        }
    }
    let Value::Array(listed) = context.lookup.ask(operation, Vec::new()).await? else {
        return Err(LookupError::Failed("the answer is no list".to_owned()));
    };
    let field = |field: &Value| {
        let id = field["id"].as_str()?.to_owned();
        let name = field["name"].as_str().unwrap_or(&id).to_owned();
        Some(ListedField { id, name, kind: FieldKind::of_schema(&field["schema"]) })
    };
    let fields = Arc::new(listed.iter().filter_map(field).take(MAX_FIELDS).collect::<Vec<_>>());
    context.cache.insert(operation, context.now, &fields);
    Ok(fields)
}

/// Returns the fields that a name can mean: by id, else by exact name, else by name in any case.
fn candidates<'a>(name: &str, fields: &'a [ListedField]) -> Vec<&'a ListedField> {
    let by = |same: &dyn Fn(&ListedField) -> bool| fields.iter().filter(|field| same(field)).collect::<Vec<_>>();
    let lower = name.to_lowercase();
    let ways: [&dyn Fn(&ListedField) -> bool; 3] =
        [&|field| field.id == name, &|field| field.name == name, &|field| field.name.trim().to_lowercase() == lower];
    ways.iter().map(|same| by(*same)).find(|found| !found.is_empty()).unwrap_or_default()
}
