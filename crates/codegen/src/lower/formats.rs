//! The formats that an overlay names for an argument → what a model sees of it instead, and what
//! the program does with the value. Called by `tool_draft`.

use serde_json::{Map, Value, json};

use crate::read::keys::ArgumentKeys;
use toolwright_model::{Format, Formatted};

/// Something that does not fit: the key of the argument that it is about, what was expected, what
/// was found.
pub struct FormatMismatch {
    pub path: String,
    pub expected: String,
    pub found: String,
}

impl FormatMismatch {
    fn new(path: impl Into<String>, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self { path: path.into(), expected: expected.into(), found: found.into() }
    }
}

/// Writes the formats into the argument's schema. `is_file` says whether it is a part of a form
/// that is a file.
pub fn apply(
    said: &ArgumentKeys,
    is_file: bool,
    schema: &mut Map<String, Value>,
) -> (Vec<Formatted>, Vec<FormatMismatch>) {
    let mut misfits = Vec::new();
    let mut formats = Vec::new();
    let format = said.format.or(is_file.then_some(Format::File));
    if let Some(format) = format {
        let formatted = Formatted {
            at: String::new(),
            format,
            ask: said.ask.clone(),
            fields: said.fields.clone().unwrap_or_default(),
            operators: said.operators.clone().unwrap_or_default(),
        };
        if is_file != (format == Format::File) {
            let expected = "`file` for a part of a form that is a file, and for nothing else";
            misfits.push(FormatMismatch::new("/format", expected, format!("`{format}`")));
        } else if let Err(expected) = reshape(&formatted, schema) {
            let kind = schema.get("type").and_then(Value::as_str).unwrap_or_default();
            misfits.push(FormatMismatch::new(
                "/format",
                format!("`{format}` on {expected}"),
                format!("one of type `{kind}`"),
            ));
        }
        formats.push(formatted);
    }
    check_companions(said, format, &mut misfits);
    for (at, format) in &said.formats {
        let path = format!("/formats/{}", crate::read::located::escape(at));
        if matches!(format, Format::Jql | Format::JiraFields | Format::File) {
            misfits.push(FormatMismatch::new(path, "a format that needs nothing but the value", format!("`{format}`")));
            continue;
        }
        let formatted = Formatted { at: at.clone(), ..Formatted::whole(*format) };
        match inside(schema, at) {
            Inside::Known(part) => {
                if let Err(expected) = reshape(&formatted, part) {
                    misfits.push(FormatMismatch::new(path, format!("`{format}` on {expected}"), "something else"));
                }
            }
            Inside::Free => {}
            Inside::Nothing => {
                misfits.push(FormatMismatch::new(path, "the dotted path of a part of the argument", format!("`{at}`")));
            }
        }
        formats.push(formatted);
    }
    (formats, misfits)
}

/// The keys that say more of a format stand beside one that heeds them.
fn check_companions(said: &ArgumentKeys, format: Option<Format>, misfits: &mut Vec<FormatMismatch>) {
    let named = format.map_or("no format".to_owned(), |format| format!("`{format}`"));
    if said.ask.is_some() && !format.is_some_and(Format::may_ask) {
        misfits.push(FormatMismatch::new("/ask", "a `format` that asks: `jql` or `jira-fields`", named.clone()));
    }
    if said.ask.is_none() && format.is_some_and(Format::must_ask) {
        misfits.push(FormatMismatch::new("/format", "`ask` beside it: the operation that lists the fields", "none"));
    }
    let filter = format.is_some_and(|format| !format.operators().is_empty());
    for (key, is_there) in [("fields", said.fields.is_some()), ("operators", said.operators.is_some())] {
        if is_there && !filter {
            misfits.push(FormatMismatch::new(format!("/{key}"), "the `format` of a filter", named.clone()));
        }
    }
}

/// What the schema says of a part of an argument.
enum Inside<'a> {
    Known(&'a mut Map<String, Value>),
    /// The part lies where anything may stand.
    Free,
    Nothing,
}

fn inside<'a>(schema: &'a mut Map<String, Value>, at: &str) -> Inside<'a> {
    let mut part = schema;
    for name in at.split('.') {
        while part.get("type").and_then(Value::as_str) == Some("array") {
            let Some(Value::Object(items)) = part.get_mut("items") else { return Inside::Nothing };
            part = items;
        }
        let known = part.get("properties").is_some_and(|properties| properties.get(name).is_some());
        if !known {
            let free = part.get("additionalProperties").is_some_and(|further| *further != json!(false));
            return if free { Inside::Free } else { Inside::Nothing };
        }
        match part.get_mut("properties").and_then(|properties| properties.get_mut(name)) {
            Some(Value::Object(property)) => part = property,
            _ => return Inside::Nothing,
        }
    }
    Inside::Known(part)
}

/// Changes a schema from what the vendor takes to what a model gives.
///
/// # Errors
/// What the vendor must take for the format to make sense.
fn reshape(formatted: &Formatted, schema: &mut Map<String, Value>) -> Result<(), &'static str> {
    let kind = schema.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
    match formatted.format {
        Format::Adf => {
            let description = said_so(schema, "Markdown", "Markdown, or an ADF document.");
            *schema = typed("string", description);
        }
        Format::Jql if kind == "string" => {}
        Format::JiraFields if matches!(kind.as_str(), "array" | "object") => {}
        Format::JiraFields => return Err("a list of fields, or an object with an entry for each"),
        Format::JumpcloudFilterV1 | Format::JumpcloudFilterV2 if kind == "array" => {
            let description = said_so(schema, " ", "Conditions, all of which hold.");
            let bounds = kept(schema, &["minItems", "maxItems"]);
            *schema = typed("array", description);
            schema.insert("items".to_owned(), condition(formatted));
            schema.extend(bounds);
        }
        Format::JumpcloudFilterV1 | Format::JumpcloudFilterV2 => return Err("a list"),
        Format::SpaceList | Format::CommaList if kind == "string" => {
            let said = kept(schema, &["description", "minItems", "maxItems"]);
            schema.clear();
            schema.insert("type".to_owned(), json!("array"));
            schema.insert("items".to_owned(), json!({"type": "string"}));
            schema.extend(said);
        }
        Format::File => {}
        Format::Time if kind == "string" => {
            let description = said_so(schema, "-24h", "RFC 3339, or relative to now such as `-24h`, `-7d`.");
            let default = kept(schema, &["default"]);
            *schema = typed("string", description);
            schema.extend(default);
        }
        Format::Jql | Format::SpaceList | Format::CommaList | Format::Time => return Err("a text"),
    }
    Ok(())
}

fn kept(schema: &Map<String, Value>, keys: &[&str]) -> Map<String, Value> {
    keys.iter().filter_map(|key| Some(((*key).to_owned(), schema.get(*key)?.clone()))).collect()
}

fn typed(kind: &str, description: Value) -> Map<String, Value> {
    let mut schema = Map::new();
    schema.insert("type".to_owned(), json!(kind));
    schema.insert("description".to_owned(), description);
    schema
}

/// The description, with `text` after it unless it holds `sign` already.
fn said_so(schema: &Map<String, Value>, sign: &str, text: &str) -> Value {
    let description = schema.get("description").and_then(Value::as_str).unwrap_or_default().trim_end();
    Value::from(match description {
        "" => text.to_owned(),
        description if description.contains(sign) => description.to_owned(),
        description if description.ends_with(['.', '!', ':']) => format!("{description} {text}"),
        description => format!("{description}. {text}"),
    })
}

/// One condition of a filter. Fields are named by way of example only: a list of all of them in
/// each tool costs every model more than the answer to a wrong one.
fn condition(formatted: &Formatted) -> Value {
    const FEW: usize = 6;
    let mut field = json!({"type": "string"});
    if !formatted.fields.is_empty() {
        let named: Vec<&str> = formatted.fields.iter().take(FEW).map(String::as_str).collect();
        let more = if formatted.fields.len() > FEW { ", …" } else { "" };
        field["description"] = json!(format!("{}{more}", named.join(", ")));
    }
    let mut value = json!({"type": "string"});
    if formatted.operators().contains(&"in") {
        value["description"] = json!("For `in`: values with | between");
    }
    json!({
        "type": "object",
        "properties": {"field": field, "operator": {"type": "string", "enum": formatted.operators()}, "value": value},
        "required": ["field", "operator", "value"],
        "additionalProperties": false,
    })
}

/// Values in the format, for the tests that draw arguments where the overlay has no samples.
/// `kind` is the argument's type.
pub fn samples(formatted: &Formatted, kind: Option<&Value>) -> Option<Vec<Value>> {
    let samples = match formatted.format {
        Format::Jql => json!(["project = ABC", "created >= -30d AND text ~ \"a b\" ORDER BY created DESC"]),
        Format::JiraFields if kind.is_some_and(|kind| kind == "object") => return None,
        Format::JiraFields => json!([["summary", "status"], ["*all", "-comment"], ["customfield_10016"]]),
        Format::JumpcloudFilterV1 | Format::JumpcloudFilterV2 => {
            let field = formatted.fields.first().map_or("name", String::as_str);
            let condition = |operator: &&str| json!([{"field": field, "operator": operator, "value": "a b:c"}]);
            Value::Array(formatted.operators().iter().map(condition).collect())
        }
        Format::SpaceList | Format::CommaList => json!([[], ["name"], ["name", "-created"]]),
        Format::Time => json!(["-24h", "2026-11-20T09:30:00+01:00"]),
        Format::Adf => json!(["a **bold** word", "# Head\n\n- one\n- two\n\n```sh\nls\n```"]),
        Format::File => return None,
    };
    samples.as_array().cloned()
}
