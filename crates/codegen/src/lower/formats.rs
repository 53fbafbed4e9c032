//! The formats that an overlay names for an argument → what a model sees of it instead, and what
//! the program does with the value. Called by `tool_draft`.

use serde_json::{Map, Value, json};

use crate::read::keys::ArgumentKeys;
use toolwright_formats::{FILE, FORMATS, FormatRef, LookupUse};
use toolwright_model::Formatted;

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
    let format = said.format.or(is_file.then_some(FILE));
    if let Some(format) = format {
        let formatted = Formatted {
            at: String::new(),
            format: format.name().into(),
            ask: said.ask.clone(),
            fields: said.fields.clone().unwrap_or_default(),
            operators: said.operators.clone().unwrap_or_default(),
        };
        if is_file != (format == FILE) {
            let expected = "`file` for a part of a form that is a file, and for nothing else";
            misfits.push(FormatMismatch::new("/format", expected, format!("`{format}`")));
        } else if let Err(expected) = format.argument_schema(&formatted, schema) {
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
        if !format.fits_parts() {
            misfits.push(FormatMismatch::new(path, "a format that needs nothing but the value", format!("`{format}`")));
            continue;
        }
        let formatted = Formatted { at: at.clone(), ..Formatted::whole(format.name()) };
        match inside(schema, at) {
            Inside::Known(part) => {
                if let Err(expected) = format.argument_schema(&formatted, part) {
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
fn check_companions(said: &ArgumentKeys, format: Option<FormatRef>, misfits: &mut Vec<FormatMismatch>) {
    let named = format.map_or("no format".to_owned(), |format| format!("`{format}`"));
    let lookup_use = format.map_or(LookupUse::Never, |format| format.lookup_use());
    if said.ask.is_some() && lookup_use == LookupUse::Never {
        let asking = FORMATS.iter().filter(|format| format.lookup_use() != LookupUse::Never);
        let names: Vec<String> = asking.map(|format| format!("`{format}`")).collect();
        let expected = format!("a `format` that asks: {}", names.join(" or "));
        misfits.push(FormatMismatch::new("/ask", expected, named.clone()));
    }
    if said.ask.is_none() && lookup_use == LookupUse::Required {
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

/// Values in the format, for the tests that draw arguments where the overlay has no samples.
/// `schema` is the argument's.
pub fn samples(formatted: &Formatted, schema: &Map<String, Value>) -> Option<Vec<Value>> {
    let format = toolwright_formats::find(formatted.format.as_str())?;
    let argument_type = schema.get("type").and_then(Value::as_str).unwrap_or_default();
    Some(format.samples(formatted, argument_type)).filter(|samples| !samples.is_empty())
}
