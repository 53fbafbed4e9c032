//! The formats that an overlay names for an argument → the schema that a model sees of it, and how
//! the program writes the value. Called by `tool_draft`.

use serde_json::{Map, Value, json};

use crate::read::keys::ArgumentKeys;
use toolwright_formats::{FILE, FORMATS, Format, FormatRef, LookupUse, PATTERN, find};
use toolwright_model::{Formatted, TextPattern};

/// A format that does not fit: the key of the argument that it is about, what was expected, what
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

/// Writes the formats into the argument's schema. `is_file`: the argument is a file in a form, or
/// the whole body.
pub fn apply(
    keys: &ArgumentKeys,
    is_file: bool,
    schema: &mut Map<String, Value>,
) -> (Vec<Formatted>, Vec<FormatMismatch>) {
    let mut mismatches = Vec::new();
    let mut formats = Vec::new();
    let whole = keys.format.or(is_file.then_some(FILE)).or_else(|| keys.pattern.as_ref().and(find(PATTERN)));
    if let Some(format) = whole {
        formats.push(apply_whole(format, keys, is_file, schema, &mut mismatches));
    }
    check_companions(keys, whole, &mut mismatches);
    for (at, format) in &keys.formats {
        formats.extend(apply_part(*format, at, schema, &mut mismatches));
    }
    (formats, mismatches)
}

fn apply_whole(
    format: FormatRef,
    keys: &ArgumentKeys,
    is_file: bool,
    schema: &mut Map<String, Value>,
    mismatches: &mut Vec<FormatMismatch>,
) -> Formatted {
    let formatted = Formatted {
        at: String::new(),
        format: format.name().into(),
        ask: keys.ask.clone(),
        then_ask: keys.then_ask.clone(),
        with: keys.with.clone(),
        fields: keys.fields.clone().unwrap_or_default(),
        operators: keys.operators.clone().unwrap_or_default(),
        tools: keys.tools.iter().cloned().collect(),
        text: keys.pattern.as_ref().map(|pattern| TextPattern {
            pattern: pattern.clone(),
            words: keys.words.clone().unwrap_or_default(),
            letters: keys.letters,
        }),
    };
    if is_file != (format == FILE) {
        let expected = format!("`{FILE}` for a part of a form that is a file, and for nothing else");
        mismatches.push(FormatMismatch::new("/format", expected, format!("`{format}`")));
    } else if let Err(expected) = format.argument_schema(&formatted, schema) {
        let kind = schema.get("type").and_then(Value::as_str).unwrap_or_default();
        let expected = format!("`{format}` on {expected}");
        mismatches.push(FormatMismatch::new("/format", expected, format!("one of type `{kind}`")));
    }
    formatted
}

fn apply_part(
    format: FormatRef,
    at: &str,
    schema: &mut Map<String, Value>,
    mismatches: &mut Vec<FormatMismatch>,
) -> Option<Formatted> {
    let path = format!("/formats/{}", crate::read::reference::escape(at));
    if !format.fits_parts() {
        let expected = "a format that needs nothing but the value";
        mismatches.push(FormatMismatch::new(path, expected, format!("`{format}`")));
        return None;
    }
    let formatted = Formatted { at: at.to_owned(), ..Formatted::whole(format.name()) };
    match part_of(schema, at) {
        ArgumentPart::Described(part) => {
            if let Err(expected) = format.argument_schema(&formatted, part) {
                mismatches.push(FormatMismatch::new(path, format!("`{format}` on {expected}"), "something else"));
            }
        }
        ArgumentPart::Free => {}
        ArgumentPart::Missing => {
            mismatches.push(FormatMismatch::new(path, "the dotted path of a part of the argument", format!("`{at}`")));
        }
    }
    Some(formatted)
}

/// Checks that the keys `ask`, `fields`, `operators` and `tools` are beside a format that uses them.
fn check_companions(keys: &ArgumentKeys, format: Option<FormatRef>, mismatches: &mut Vec<FormatMismatch>) {
    let found = format.map_or("no format".to_owned(), |format| format!("`{format}`"));
    let lookup_use = format.map_or(LookupUse::Never, Format::lookup_use);
    if keys.ask.is_some() && lookup_use == LookupUse::Never {
        let asking = FORMATS.iter().filter(|format| format.lookup_use() != LookupUse::Never);
        let names: Vec<String> = asking.map(|format| format!("`{format}`")).collect();
        let expected = format!("a `format` that asks: {}", names.join(" or "));
        mismatches.push(FormatMismatch::new("/ask", expected, found.clone()));
    }
    if keys.then_ask.is_some() && !(keys.ask.is_some() && format.is_some_and(Format::asks_further)) {
        let expected = "`ask` and a `format` that asks a second operation beside it";
        mismatches.push(FormatMismatch::new("/then_ask", expected, found.clone()));
    }
    if keys.ask.is_none() && lookup_use == LookupUse::Required {
        let expected = "`ask` beside it: the operation that it looks values up with";
        mismatches.push(FormatMismatch::new("/format", expected, "none"));
    }
    if !keys.with.is_empty() && !format.is_some_and(Format::asks_with) {
        let asking = FORMATS.iter().filter(|format| format.asks_with()).map(|format| format!("`{format}`"));
        let expected = format!("a `format` whose list can be narrowed: {}", asking.collect::<Vec<_>>().join(" or "));
        mismatches.push(FormatMismatch::new("/with", expected, found.clone()));
    }
    let is_pattern = format.is_some_and(|format| format.name() == PATTERN);
    if is_pattern && (keys.pattern.is_none() || keys.words.is_none()) {
        let expected = "`pattern`, and `words` that say the same in a refusal";
        mismatches.push(FormatMismatch::new("/pattern", expected, "one without the other"));
    }
    if !is_pattern && (keys.pattern.is_some() || keys.words.is_some() || keys.letters.is_some()) {
        let expected = "`pattern` and its `words` without another `format`";
        mismatches.push(FormatMismatch::new("/pattern", expected, found.clone()));
    }
    let is_filter = format.is_some_and(|format| !format.operators().is_empty());
    for (key, is_there) in [("fields", keys.fields.is_some()), ("operators", keys.operators.is_some())] {
        if is_there && !is_filter {
            mismatches.push(FormatMismatch::new(format!("/{key}"), "the `format` of a filter", found.clone()));
        }
    }
    let words = format.map(Format::tool_words).unwrap_or_default();
    for (word, _) in keys.tools.iter().filter(|(word, _)| !words.contains(&word.as_str())) {
        let known: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
        let expected = match known.as_slice() {
            [] => "a `format` that names tools".to_owned(),
            known => format!("what {found} refuses: {}", known.join(", ")),
        };
        let path = format!("/tools/{}", crate::read::reference::escape(word));
        mismatches.push(FormatMismatch::new(path, expected, format!("`{word}`")));
    }
}

/// A part of an argument, by its path.
enum ArgumentPart<'a> {
    /// The schema describes it.
    Described(&'a mut Map<String, Value>),
    /// The schema allows any value there.
    Free,
    /// The schema has no such part.
    Missing,
}

fn part_of<'a>(schema: &'a mut Map<String, Value>, at: &str) -> ArgumentPart<'a> {
    let mut part = schema;
    for name in at.split('.') {
        while part.get("type").and_then(Value::as_str) == Some("array") {
            let Some(Value::Object(items)) = part.get_mut("items") else { return ArgumentPart::Missing };
            part = items;
        }
        let known = part.get("properties").is_some_and(|properties| properties.get(name).is_some());
        if !known {
            let free = part.get("additionalProperties").is_some_and(|further| *further != json!(false));
            return if free { ArgumentPart::Free } else { ArgumentPart::Missing };
        }
        match part.get_mut("properties").and_then(|properties| properties.get_mut(name)) {
            Some(Value::Object(property)) => part = property,
            _ => return ArgumentPart::Missing,
        }
    }
    ArgumentPart::Described(part)
}

/// Returns values in the format, for the tests that draw arguments where the overlay has no
/// samples. `schema` is the argument's.
pub fn samples(formatted: &Formatted, schema: &Map<String, Value>) -> Option<Vec<Value>> {
    let format = toolwright_formats::find(formatted.format.as_str())?;
    let argument_type = schema.get("type").and_then(Value::as_str).unwrap_or_default();
    Some(format.samples(formatted, argument_type)).filter(|samples| !samples.is_empty())
}
