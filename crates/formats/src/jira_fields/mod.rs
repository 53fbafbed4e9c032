//! The names that people use for Jira's fields → ids, and values as people write them → the shapes
//! that the fields take, by a list of fields that is looked up and kept for a while.

mod field_kind;
mod field_list;
mod field_update;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use toolwright_model::Formatted;

use crate::adf::{self, PEOPLE};
use crate::error::{FormatError, short};
use crate::format::{Format, LookupUse, WriteFuture};
use crate::{FormatContext, schema};
use field_list::{FieldList, split_sign};

pub(crate) use field_update::JiraFieldUpdate;

/// Fields that no value of fields sets, because each entry has its own readers, customers among
/// them. They are written by tools that state who reads an entry.
const NEVER_SET: [&str; 2] = ["comment", "worklog"];

pub(crate) struct JiraFields;

impl Format for JiraFields {
    fn name(&self) -> &'static str {
        "jira-fields"
    }

    fn summary(&self) -> &'static str {
        "Names of Jira fields as people use them → ids; texts in an object → the shapes that the fields take."
    }

    fn lookup_use(&self) -> LookupUse {
        LookupUse::Required
    }

    fn splits_at(&self, _: &Formatted, separator: char) -> bool {
        // A name with a comma in it is found by its id. Many names have spaces.
        separator == ','
    }

    fn argument_schema(&self, _: &Formatted, schema: &mut Map<String, Value>) -> Result<(), &'static str> {
        let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
        let described = properties.into_iter().flatten();
        for (_, property) in described.filter(|(name, _)| field_kind::RICH_TEXT.contains(&name.as_str())) {
            if let Value::Object(property) = property {
                schema::replace(property, "string", adf::SCHEMA_TEXT, &[]);
            }
        }
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

    fn open_parts(&self) -> &'static [&'static str] {
        &field_kind::OPEN
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
        Box::pin(async move {
            match value {
                Value::Array(items) => list_with_ids(items, formatted, context, notes).await.map(Value::Array),
                Value::Object(entries) => entries_with_ids(entries, formatted, context, notes).await.map(Value::Object),
                other => Err(FormatError::new("a list of fields", short(&other.to_string()))),
            }
        })
    }
}

/// What `tools` may name: the tools that write what no field sets, and the one that finds people.
const TOOL_WORDS: [&str; 3] = [NEVER_SET[0], NEVER_SET[1], PEOPLE];

/// Replaces names by ids in a list.
async fn list_with_ids(
    items: Vec<Value>,
    formatted: &Formatted,
    context: &FormatContext<'_>,
    notes: &mut Vec<String>,
) -> Result<Vec<Value>, FormatError> {
    let names: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
    let fields = FieldList::look_up(formatted.ask.as_deref(), &names, &[], context, notes).await?;
    let ids = items.iter().enumerate().map(|(index, item)| match item.as_str() {
        Some(name) => {
            let field = fields.field(name, notes).map_err(|error| error.at(format!("[{index}]")))?;
            Ok(Value::from(field.id))
        }
        None => Ok(item.clone()),
    });
    ids.collect()
}

/// Replaces names by ids in an object's keys, and gives each value the shape of its field.
async fn entries_with_ids(
    entries: Map<String, Value>,
    formatted: &Formatted,
    context: &FormatContext<'_>,
    notes: &mut Vec<String>,
) -> Result<Map<String, Value>, FormatError> {
    let tools = &formatted.tools;
    let names: Vec<&str> = entries.keys().map(String::as_str).collect();
    for name in &names {
        check_settable(name, split_sign(name).1, tools)?;
    }
    let has_text = |value: &Value| match value {
        Value::Array(items) => items.iter().any(Value::is_string),
        value => value.is_string(),
    };
    let shaped: Vec<&str> =
        entries.iter().filter(|(_, value)| has_text(value)).map(|(name, _)| name.as_str()).collect();
    let fields = FieldList::look_up(formatted.ask.as_deref(), &names, &shaped, context, notes).await?;
    let mut written = Map::new();
    for (name, entry) in entries {
        let field = fields.field(&name, notes).map_err(|error| error.at(format!(".{name}")))?;
        check_settable(&name, split_sign(&field.id).1, tools)?;
        let entry =
            field.kind.write(entry, tools, notes).map_err(|error: FormatError| error.below(&format!(".{name}")))?;
        check_once(&name, &field.id, written.insert(field.id.clone(), entry).is_some())?;
    }
    Ok(written)
}

/// Refuses a field that no value sets; `name` is what the caller wrote.
fn check_settable(name: &str, id: &str, tools: &BTreeMap<String, String>) -> Result<(), FormatError> {
    if !NEVER_SET.contains(&id) {
        return Ok(());
    }
    let writers = tools.get(id).map(|tools| format!(": {tools}")).unwrap_or_default();
    let expected = format!(
        "a field that a value can be given to; comments and worklogs are written by tools of their own, which state \
         who reads them{writers}"
    );
    Err(FormatError::new(expected, format!("`{id}`")).at(format!(".{name}")))
}

/// Refuses a field that was there already under another name.
fn check_once(name: &str, id: &str, was_there: bool) -> Result<(), FormatError> {
    if !was_there {
        return Ok(());
    }
    let given = format!("`{name}`, which is `{id}` too");
    Err(FormatError::new("each field once", given).at(format!(".{name}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LookupError;
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
    fn values_take_the_shape_of_their_field() {
        let custom = |name: &str| format!("com.atlassian.jira.plugin.system.customfieldtypes:{name}");
        let field = |id: &str, name: &str, schema: Value| json!({"id": id, "name": name, "schema": schema});
        let bench = Bench::new(Ok(json!([
            field("customfield_1", "Root cause", json!({"type": "string", "custom": custom("textarea")})),
            field("customfield_2", "Impact", json!({"type": "option", "custom": custom("select")})),
            field("customfield_3", "Title", json!({"type": "string", "custom": custom("textfield")})),
        ])));
        let given = json!({"Root cause": "**Cable**", "customfield_2": "High", "Title": "*a*", "description": "*b*", "priority": "High", "labels": null});
        let expected = json!({"customfield_1": adf::document("**Cable**"), "customfield_2": {"value": "High"}, "customfield_3": "*a*",
            "description": adf::document("*b*"), "priority": {"name": "High"}, "labels": null});
        assert_eq!(written(&bench, given), Ok(expected));
        assert_eq!(bench.lookups(), 1);
        let named =
            Formatted { tools: BTreeMap::from([(PEOPLE.to_owned(), "acme_find_people".to_owned())]), ..field_names() };
        let error = bench.write(&[named], json!({"customfield_1": "@Ann, look"})).0.unwrap_err();
        assert_eq!(error.at, ".customfield_1");
        assert!(error.expected.contains("acme_find_people"), "{error:?}");
        // What has a shape already needs no list.
        let bench = Bench::new(Err(LookupError::Failed("the vendor answered 403".to_owned())));
        let shaped = json!({"customfield_1": {"value": "x"}, "customfield_2": 5, "customfield_3": [{"id": "1"}]});
        assert_eq!(written(&bench, shaped.clone()), Ok(shaped));
        assert_eq!(bench.lookups(), 0);
        // Where the list can't be had, values are sent as they are, and that is reported.
        let (sent, notes) = bench.write(&[field_names()], json!({"customfield_1": "a"}));
        assert_eq!(sent, Ok(json!({"customfield_1": "a"})));
        assert!(notes[0].contains("`customfield_1` are sent as given") && notes[0].contains("403"), "{notes:?}");
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
        let named =
            Formatted { tools: BTreeMap::from([("comment".to_owned(), "acme_add_note".to_owned())]), ..field_names() };
        let error = bench.write(&[named], json!({"Kommentar": "x"})).0.unwrap_err();
        assert!(error.expected.ends_with("who reads them: acme_add_note"), "{error:?}");
        // Reading them is allowed.
        assert!(bench.write(&[field_names()], json!(["comment", "worklog"])).0.is_ok());
    }
}
