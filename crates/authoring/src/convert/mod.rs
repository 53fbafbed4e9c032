//! Swagger 2.0 and OpenAPI 3.1, one file or several → OpenAPI 3.0, for `spec lint` and `spec new`.
//! Each step is recorded with its place, as fixups are. The build itself reads 3.0 only, so that
//! the committed file is exactly what is compiled.

mod files;
pub(crate) mod grammar;
mod inline;
mod json_text;
mod openapi31;
mod repair;
mod schema;
mod swagger2;

use std::path::Path;

use serde_json::{Map, Value};

use toolwright_codegen::read::finding::{Finding, Findings};
use toolwright_codegen::read::fixups::Fixup;
use toolwright_codegen::read::load;
use toolwright_codegen::read::located::describe;

/// The largest description that is read, in bytes, all of its files together.
pub(crate) const LARGEST_DESCRIPTION: u64 = 60 * 1024 * 1024;

/// The deepest nesting that is read. Real descriptions stay far below it, and all later steps may
/// recurse.
const DEEPEST: usize = 100;

/// A description in OpenAPI 3.0 and the steps of its conversion.
#[derive(Debug, Clone)]
pub(crate) struct Description {
    pub(crate) document: Value,
    pub(crate) steps: Vec<Fixup>,
    /// The format of the file, such as `Swagger 2.0`.
    pub(crate) format: String,
    /// Operations that could not be converted.
    pub(crate) dropped: Vec<Dropped>,
    /// The text of the main file, for lines.
    pub(crate) text: Option<String>,
}

/// An operation that could not be converted, and why.
#[derive(Debug, Clone)]
pub(crate) struct Dropped {
    pub method: String,
    pub path: String,
    pub why: String,
}

/// The steps of the conversion so far.
#[derive(Debug, Default)]
struct Steps(Vec<Fixup>);

impl Steps {
    fn add(&mut self, rule: &'static str, pointer: &str, what: impl Into<String>) {
        self.0.push(Fixup { rule, pointer: pointer.to_owned(), what: what.into() });
    }
}

/// Reads a description of any supported format; `file` is how messages name it.
pub(crate) fn read(path: &Path, file: &str, findings: &Findings) -> Option<Description> {
    let size = match std::fs::metadata(path) {
        Ok(found) if found.is_dir() => {
            findings.push_file(file, "a description", "a folder");
            return None;
        }
        Ok(found) => found.len(),
        Err(error) => {
            findings.push_file(file, "a readable file", error.to_string());
            return None;
        }
    };
    if size > LARGEST_DESCRIPTION {
        findings.push_file(file, format!("at most {LARGEST_DESCRIPTION} bytes"), size.to_string());
        return None;
    }
    let mut steps = Steps::default();
    let document = load(path, file, &mut steps, findings)?;
    let document = files::join(path, file, document, &mut steps, findings)?;
    let description = convert(file, document, steps, findings)?;
    Some(Description { text: std::fs::read_to_string(path).ok(), ..description })
}

/// Reads one file and bounds its depth.
fn load(path: &Path, file: &str, steps: &mut Steps, findings: &Findings) -> Option<Value> {
    let tried = Findings::default();
    let document = match load::load(path, file, &tried) {
        Some(loaded) => loaded.value,
        None => match with_escapes(path, file, steps) {
            Some(document) => document,
            None => {
                findings.append(tried);
                return None;
            }
        },
    };
    if is_deeper(&document, DEEPEST) {
        findings.push_file(file, format!("at most {DEEPEST} levels of nesting"), "more");
        return None;
    }
    Some(document)
}

/// Reads JSON whose texts hold control characters.
fn with_escapes(path: &Path, file: &str, steps: &mut Steps) -> Option<Value> {
    /// More places than these are counted only.
    const MOST_PLACES: usize = 20;
    let json_text::Escaped { text, places } = json_text::escape_controls(&std::fs::read_to_string(path).ok()?)?;
    let document = serde_json::from_str(&text).ok()?;
    for (line, column) in places.iter().take(MOST_PLACES) {
        let what = format!(
            "{file}:{line}: column {column}: a control character in a text, which JSON has none of: read as an escape"
        );
        steps.add("control-character", "", what);
    }
    if let Some(more) = places.len().checked_sub(MOST_PLACES).filter(|more| *more > 0) {
        steps.add("control-character", "", format!("{file}: {more} more"));
    }
    Some(document)
}

fn is_deeper(value: &Value, levels: usize) -> bool {
    match (value, levels.checked_sub(1)) {
        (Value::Object(_) | Value::Array(_), None) => true,
        (Value::Object(object), Some(levels)) => object.values().any(|entry| is_deeper(entry, levels)),
        (Value::Array(items), Some(levels)) => items.iter().any(|item| is_deeper(item, levels)),
        _ => false,
    }
}

/// Converts a document of any supported version to OpenAPI 3.0.
fn convert(file: &str, mut document: Value, mut steps: Steps, findings: &Findings) -> Option<Description> {
    const HINT: &str = "Swagger 2.0 and OpenAPI 3.0 and 3.1 are read";
    inline::write_out(&mut document, &mut steps);
    let Some(root) = document.as_object() else {
        findings.push_file(file, "a description, which is an object", describe(&document));
        return None;
    };
    let text = |key: &str| match root.get(key) {
        // It is written into a comment later, so it is reduced to a version number.
        Some(Value::String(text)) => Some(
            text.trim().split(|c: char| !c.is_ascii_alphanumeric() && c != '.').next().unwrap_or_default().to_owned(),
        ),
        // `swagger: 2.0` without quotes.
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    let format = match (text("swagger"), text("openapi")) {
        (Some(version), None) if version == "2" || version.starts_with("2.") => {
            document = swagger2::convert(&document, &mut steps);
            format!("Swagger {version}")
        }
        (None, Some(version)) if version == "3.0" || version.starts_with("3.0.") => {
            if version == "3.0" {
                steps.add("version", "/openapi", "`3.0` becomes `3.0.3`");
                document["openapi"] = Value::from("3.0.3");
            }
            format!("OpenAPI {version}")
        }
        (None, Some(version)) if version == "3.1" || version.starts_with("3.1.") => {
            openapi31::convert(&mut document, &mut steps);
            format!("OpenAPI {version}")
        }
        (swagger, openapi) => {
            let key = if swagger.is_some() { "swagger" } else { "openapi" };
            let found = swagger.or(openapi).map_or("no version".to_owned(), |version| format!("`{key}: {version}`"));
            let pointer = if root.contains_key(key) { format!("/{key}") } else { String::new() };
            let expected = "`swagger: \"2.0\"`, `openapi: 3.0.x` or `openapi: 3.1.x`";
            findings.push(Finding::at_pointer(file, &pointer, expected, found).with_hint(Some(HINT.to_owned())));
            return None;
        }
    };
    let dropped = repair::repair(&mut document, &mut steps);
    Some(Description { document, steps: steps.0, format, dropped, text: None })
}

/// Takes the entry `key`, if it is an object.
fn take_object(map: &mut Map<String, Value>, key: &str) -> Map<String, Value> {
    match map.shift_remove(key) {
        Some(Value::Object(object)) => object,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests;
