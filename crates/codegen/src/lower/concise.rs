//! The paths of `concise` ⇄ the answer that the description promises: a path that leads nowhere
//! would silently keep nothing. Called by `tool_draft`.

use serde_json::Value;

use crate::read::spec::DEEPEST_REFERENCE;

/// A step of a path that the answer's schema does not have.
pub struct UnknownPath {
    pub step: String,
    /// What there is instead.
    pub known: Vec<String>,
}

/// Where a path begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begins {
    /// At the answer itself, a list's items included.
    Answer,
    /// At the records in a list inside of the answer.
    List,
    /// The description does not say.
    Open,
}

/// Follows a dotted path from the records of an operation's answer; what the description leaves
/// open is no fault.
pub fn check(path: &str, operation: &Value, document: &Value) -> Result<Begins, UnknownPath> {
    let Some(answer) = answer_schema(operation, document) else { return Ok(Begins::Open) };
    let mut begins = Begins::Answer;
    let mut steps = path.split('.');
    let first = steps.next().unwrap_or_default();
    let mut here = match entry(answer, first, document) {
        Entry::Known(schema) => schema,
        Entry::Open => return Ok(Begins::Open),
        // The records may stand in a list inside.
        Entry::Unknown(known) => match record_list(answer, document).map(|list| entry(list, first, document)) {
            Some(Entry::Known(schema)) => {
                begins = Begins::List;
                schema
            }
            Some(Entry::Open) => return Ok(Begins::Open),
            Some(Entry::Unknown(inside)) => {
                return Err(UnknownPath { step: first.to_owned(), known: inside });
            }
            None => return Err(UnknownPath { step: first.to_owned(), known }),
        },
    };
    for step in steps {
        here = match entry(here, step, document) {
            Entry::Known(schema) => schema,
            Entry::Open => return Ok(begins),
            Entry::Unknown(known) => return Err(UnknownPath { step: step.to_owned(), known }),
        };
    }
    Ok(begins)
}

enum Entry<'d> {
    Known(&'d Value),
    /// The schema names no properties.
    Open,
    Unknown(Vec<String>),
}

/// The schema of the first success that is JSON.
fn answer_schema<'d>(operation: &'d Value, document: &'d Value) -> Option<&'d Value> {
    let responses = operation.get("responses")?.as_object()?;
    let success = responses.iter().filter(|(status, _)| status.starts_with('2')).map(|(_, response)| response);
    success.into_iter().find_map(|response| {
        let content = follow(response, document).get("content")?.as_object()?;
        content.iter().find(|(kind, _)| kind.contains("json"))?.1.get("schema")
    })
}

fn follow<'d>(value: &'d Value, document: &'d Value) -> &'d Value {
    let mut here = value;
    for _ in 0..DEEPEST_REFERENCE {
        let target = here.get("$ref").and_then(Value::as_str).and_then(|r| document.pointer(r.strip_prefix('#')?));
        match target {
            Some(target) => here = target,
            None => break,
        }
    }
    here
}

/// The parts that a schema is put together from, itself among them; of a list, those of its items.
fn parts<'d>(schema: &'d Value, document: &'d Value, depth: usize, found: &mut Vec<&'d Value>) {
    let schema = follow(schema, document);
    if depth == 0 {
        return;
    }
    match schema.get("items") {
        Some(items) => parts(items, document, depth - 1, found),
        None => found.push(schema),
    }
    for key in ["allOf", "oneOf", "anyOf"] {
        for part in schema.get(key).and_then(Value::as_array).into_iter().flatten() {
            parts(part, document, depth - 1, found);
        }
    }
}

fn properties<'d>(schema: &'d Value, document: &'d Value) -> Vec<(&'d str, &'d Value)> {
    let mut found = Vec::new();
    parts(schema, document, DEEPEST_REFERENCE, &mut found);
    let named = found.into_iter().filter_map(|part| part.get("properties")?.as_object());
    named.flatten().map(|(name, property)| (name.as_str(), property)).collect()
}

fn entry<'d>(schema: &'d Value, step: &str, document: &'d Value) -> Entry<'d> {
    let known = properties(schema, document);
    match known.iter().find(|(name, _)| *name == step) {
        Some((_, property)) => Entry::Known(property),
        None if known.is_empty() => Entry::Open,
        None => Entry::Unknown(known.into_iter().map(|(name, _)| name.to_owned()).collect()),
    }
}

/// The one list of an answer.
fn record_list<'d>(answer: &'d Value, document: &'d Value) -> Option<&'d Value> {
    let mut lists = properties(answer, document)
        .into_iter()
        .map(|(_, property)| property)
        .filter(|property| follow(property, document).get("items").is_some());
    lists.next().filter(|_| lists.next().is_none())
}
