//! A record by its name, or by its id → its id, by the vendor's list of such records.

use serde_json::{Map, Value, json};
use toolwright_model::{Formatted, Place, suggest};

use crate::error::{FormatError, short};
use crate::format::{Format, LookupUse, WriteFuture};
use crate::{FormatContext, LookupError, schema};

/// The most names that a refusal lists.
const MAX_LISTED: usize = 40;
/// What stands, in a value of `with`, for the name that is looked for.
const NAME: &str = "{}";
const EXPECTED: &str = "the name of a record, or its id";
const SAMPLES: [&str; 2] = ["5f0c2b7e-93d1-4c66-8f0a-2f4be1a7c3d9", "B4D2C1E0-7A6F-4E5D-9C8B-3F2E1D0C9B8A"];

pub(crate) struct ByName;

/// A record of the list.
struct Record {
    id: String,
    name: String,
}

impl Format for ByName {
    fn name(&self) -> &'static str {
        "by-name"
    }

    fn summary(&self) -> &'static str {
        "A record by its name → its id, by a list that is looked up; a UUID or a number is an id already."
    }

    fn lookup_use(&self) -> LookupUse {
        LookupUse::Required
    }

    fn asks_with(&self) -> bool {
        true
    }

    fn argument_schema(&self, _: &Formatted, schema: &mut Map<String, Value>) -> Result<(), &'static str> {
        if schema::type_of(schema) != "string" {
            return Err("a text");
        }
        schema::replace(schema, "string", ("ame or id", "Name or id."), &[]);
        Ok(())
    }

    fn samples(&self, _: &Formatted, _: &str) -> Vec<Value> {
        SAMPLES.iter().map(|sample| json!(sample)).collect()
    }

    fn open_parts(&self) -> &'static [&'static str] {
        &[""]
    }

    fn write<'a>(
        &'a self,
        value: Value,
        formatted: &'a Formatted,
        context: &'a FormatContext<'a>,
        notes: &'a mut Vec<String>,
    ) -> WriteFuture<'a> {
        Box::pin(async move {
            let wanted = match &value {
                Value::String(text) if !text.trim().is_empty() => text.trim().to_owned(),
                Value::Number(number) => number.to_string(),
                _ => return Err(FormatError::new(EXPECTED, short(&value.to_string()))),
            };
            if is_id(&wanted) {
                return Ok(Value::from(wanted));
            }
            match listed(&wanted, formatted, context).await {
                Ok(records) => {
                    let id = id_of(&wanted, &records)?;
                    notes.push(format!("{} has the id `{id}`", short(&wanted)));
                    Ok(Value::from(id))
                }
                Err(LookupError::DryRun) => {
                    notes.push(format!(
                        "left as given in this dry run: {}; the real call asks the vendor for its id",
                        short(&wanted)
                    ));
                    Ok(Value::from(wanted))
                }
                Err(LookupError::Failed(reason)) => {
                    let expected = "an id, since the names could not be looked up";
                    Err(FormatError::new(expected, format!("{} ({reason})", short(&wanted))))
                }
            }
        })
    }
}

/// Whether a text is an id already: a UUID or a number.
fn is_id(text: &str) -> bool {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    let lengths = text.split('-').map(str::len);
    let is_uuid = lengths.eq([8, 4, 4, 4, 12]) && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit());
    is_number || is_uuid
}

/// Asks for the records; where the list is narrowed to the name and has no record, for all of them, so that a refusal
/// can name them.
async fn listed(wanted: &str, formatted: &Formatted, context: &FormatContext<'_>) -> Result<Vec<Record>, LookupError> {
    let operation = formatted.ask.as_deref().unwrap_or_default();
    let is_name = |value: &Value| value.as_str().is_some_and(|text| text.contains(NAME));
    let narrowed = formatted.with.values().any(is_name);
    let found = context.lookup.ask(operation, inputs(Some(wanted), formatted, context)).await?;
    let found = records(&found);
    if !narrowed || found.iter().any(|record| same(&record.name, wanted)) {
        return Ok(found);
    }
    context.lookup.ask(operation, inputs(None, formatted, context)).await.map(|all| records(&all))
}

/// The inputs of the list; without a name, those that hold none.
fn inputs(wanted: Option<&str>, formatted: &Formatted, context: &FormatContext<'_>) -> Vec<(Place, Value)> {
    let with = formatted.with.iter().filter_map(|(name, value)| {
        let value = match value.as_str().filter(|text| text.contains(NAME)) {
            Some(text) => Value::from(text.replace(NAME, wanted?)),
            None => value.clone(),
        };
        Some((Place::Query(name.clone()), value))
    });
    context.path.iter().cloned().chain(with).collect()
}

/// Returns the records of an answer: it is a list, or holds one. An entry's id is under `id`, else under the only key
/// that ends in `Id`; its name likewise.
fn records(answer: &Value) -> Vec<Record> {
    let within = || answer.as_object().and_then(|entries| entries.values().find_map(Value::as_array));
    let list = answer.as_array().or_else(within);
    let record = |entry: &Value| {
        let entries = entry.as_object()?;
        let id = match of_key(entries, "id", "Id")? {
            Value::String(id) => id.clone(),
            Value::Number(id) => id.to_string(),
            _ => return None,
        };
        Some(Record { id, name: of_key(entries, "name", "Name")?.as_str()?.to_owned() })
    };
    list.into_iter().flatten().filter_map(record).collect()
}

fn of_key<'a>(entries: &'a Map<String, Value>, key: &str, ending: &str) -> Option<&'a Value> {
    if let Some(value) = entries.get(key) {
        return Some(value);
    }
    let mut ending = entries.iter().filter(|(name, _)| name.ends_with(ending)).map(|(_, value)| value);
    ending.next().filter(|_| ending.next().is_none())
}

fn same(name: &str, wanted: &str) -> bool {
    name.trim().to_lowercase() == wanted.to_lowercase()
}

/// Returns the id of the one record that has this name; of several, of the one that has it in the same letters.
fn id_of(wanted: &str, records: &[Record]) -> Result<String, FormatError> {
    let named: Vec<&Record> = records.iter().filter(|record| same(&record.name, wanted)).collect();
    let exact: Vec<&Record> = named.iter().copied().filter(|record| record.name == wanted).collect();
    match (named.as_slice(), exact.as_slice()) {
        ([record], _) | (_, [record]) => Ok(record.id.clone()),
        ([], _) if records.is_empty() => {
            Err(FormatError::new("a name; the vendor lists no such records to this account", short(wanted)))
        }
        ([], _) => {
            let known = records.iter().map(|record| record.name.as_str());
            let near = suggest(wanted, known.clone()).first().map(|name| (*name).to_owned());
            let expected = format!("an id, or one of the names that the vendor lists first: {}", all(known));
            Err(FormatError { suggestion: near, ..FormatError::new(expected, short(wanted)) })
        }
        (several, _) => {
            let ids = several.iter().map(|record| record.id.as_str());
            let expected = format!("an id, since several have this name: {}", all(ids));
            Err(FormatError::new(expected, short(wanted)))
        }
    }
}

fn all<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let mut listed: Vec<String> = texts.map(short).collect();
    let more = listed.len().saturating_sub(MAX_LISTED);
    listed.truncate(MAX_LISTED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", listed.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::Bench;

    const NIGHT: &str = "5f0c2b7e-93d1-4c66-8f0a-2f4be1a7c3d9";

    fn bench() -> Bench {
        let schedule = |id: &str, name: &str| json!({"id": id, "teamId": "t", "name": name});
        Bench::new(Ok(json!({"values": [
            schedule(NIGHT, "Night shift"), schedule("2", "Network"), schedule("3", "network"), schedule("4", "Mail"),
            schedule("5", "Mail"), {"id": "6"}, {"name": "without an id"}, 7,
        ]})))
    }

    fn format() -> Formatted {
        let with = [("query".to_owned(), json!("{}")), ("size".to_owned(), json!(50))].into();
        Formatted { ask: Some("listSchedules".to_owned()), with, ..Formatted::whole("by-name") }
    }

    #[test]
    fn a_record_is_found_by_name_or_id() {
        for (given, id, lookups) in [
            (json!(NIGHT), NIGHT, 0),
            (json!(NIGHT.to_uppercase()), &*NIGHT.to_uppercase(), 0),
            (json!("10412"), "10412", 0),
            (json!(10412), "10412", 0),
            (json!(" night SHIFT "), NIGHT, 1),
            (json!("network"), "3", 1),
        ] {
            let bench = bench();
            let (written, notes) = bench.write(&[format()], given.clone());
            assert_eq!(written, Ok(json!(id)), "{given}");
            assert_eq!((bench.lookups(), notes.len()), (lookups, lookups), "{given}");
        }
        let bench = bench();
        assert_eq!(bench.write(&[format()], json!("Night shift")).1, [format!("`Night shift` has the id `{NIGHT}`")]);
        let inputs = bench.last_inputs();
        let query = |name: &str| Place::Query(name.to_owned());
        assert_eq!(inputs, [(query("query"), json!("Night shift")), (query("size"), json!(50))]);
    }

    #[test]
    fn the_names_of_ids_may_have_a_prefix() {
        let teams = Bench::new(Ok(json!({"platformTeams": [{"teamId": "t-1", "teamName": "Network"}]})));
        let format = Formatted { ask: Some("listTeams".to_owned()), ..Formatted::whole("by-name") };
        assert_eq!(teams.write(std::slice::from_ref(&format), json!("network")).0, Ok(json!("t-1")));
        let bare = Bench::new(Ok(json!([{"id": 7, "name": "Onboarding", "formTemplate": {"id": "x"}}])));
        assert_eq!(bare.write(&[format], json!("onboarding")).0, Ok(json!("7")));
    }

    #[test]
    fn an_unclear_name_is_refused_with_what_there_is() {
        for (given, expected, suggestion, lookups) in [
            (
                json!("Nigth shift"),
                "the names that the vendor lists first: `Night shift`, `Network`",
                Some("Night shift"),
                2,
            ),
            (json!("Mail"), "an id, since several have this name: `4`, `5`", None, 1),
            (json!("NETWORK"), "several have this name: `2`, `3`", None, 1),
            (json!(" "), EXPECTED, None, 0),
            (json!(["Mail"]), EXPECTED, None, 0),
            (json!(true), EXPECTED, None, 0),
        ] {
            let bench = bench();
            let error = bench.write(&[format()], given.clone()).0.unwrap_err();
            assert!(error.expected.contains(expected), "{given}: {error:?}");
            assert_eq!((error.suggestion.as_deref(), bench.lookups()), (suggestion, lookups), "{given}");
        }
        // What a refusal lists was asked for without the name.
        let bench = bench();
        assert!(bench.write(&[format()], json!("Other")).0.is_err());
        assert_eq!(bench.last_inputs(), [(Place::Query("size".to_owned()), json!(50))]);
        let none = Bench::new(Ok(json!({"values": []})));
        let error = none.write(&[format()], json!("Mail")).0.unwrap_err();
        assert!(error.expected.contains("lists no such records"), "{error:?}");
    }

    #[test]
    fn without_a_list_a_name_is_left_or_refused() {
        let (left, notes) = Bench::new(Err(LookupError::DryRun)).write(&[format()], json!("Mail"));
        assert_eq!(left, Ok(json!("Mail")));
        assert!(notes[0].contains("dry run: `Mail`"), "{notes:?}");
        let broken = Bench::new(Err(LookupError::Failed("the vendor answered 403".to_owned())));
        let error = broken.write(&[format()], json!("Mail")).0.unwrap_err();
        assert!(error.expected.contains("could not be looked up") && error.given.contains("403"), "{error:?}");
    }
}
