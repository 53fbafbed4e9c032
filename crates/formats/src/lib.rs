//! Values as a model writes and reads them → values as a vendor takes and returns them, by named
//! formats. The build uses their schemas, samples and checks; the program writes, reads and explains.
//!
//! # How to add a format
//!
//! 1. Write `src/<name>.rs`: a type that implements [`Format`], with its tests. Everything about the
//!    format is in that file: the schema that a model sees, the keys that an overlay writes beside
//!    the name, samples, and how a value is written and read.
//! 2. Add its `mod` and a line to [`FORMATS`].
//!
//! A format knows no tool and no network: it takes the time, the opened folder and lookups at the
//! vendor from its [`FormatContext`]. A vendor's own format may live here, and nowhere else in Rust.

pub mod adf;
mod aql;
mod assets;
mod by_name;
mod context;
mod email;
mod error;
mod file;
mod folder;
mod format;
mod jira_fields;
mod jira_form_answers;
mod jira_transition;
mod jql;
mod jumpcloud_filter;
mod jumpcloud_terms;
mod list;
mod lookup;
mod path_segment;
mod pattern;
mod query_text;
mod schema;
mod time;

#[cfg(test)]
mod tests;

use std::pin::Pin;
use std::time::SystemTime;

use serde_json::Value;
use toolwright_model::{FormatName, Formatted};

pub use context::{FormatContext, RefusedRequest};
pub use error::FormatError;
pub use file::{FILE, file_schema, files_schema};
pub use folder::{CallFiles, Folder, FolderError};
pub use format::{ExplainFuture, Format, FormatRef, LookupUse, Mark, ReadValue, WriteFuture};
pub use lookup::{Lookup, LookupCache, LookupError, LookupFuture};
pub use path_segment::encode_path;
pub use pattern::{PATTERN, id_in_address, pattern_fault, pattern_matches};

/// Every format, in the order in which messages and the overlay's schema list them.
pub static FORMATS: &[FormatRef] = &[
    &adf::Adf,
    &jql::Jql,
    &jira_fields::JiraFields,
    &jira_fields::JiraFieldUpdate,
    &jira_transition::TRANSITION,
    &jira_transition::TRANSITION_ID,
    &aql::Aql,
    &assets::AssetsAttributes,
    &jira_form_answers::JiraFormAnswers,
    &by_name::ByName,
    &jumpcloud_filter::FILTER_V1,
    &jumpcloud_filter::FILTER_V2,
    &jumpcloud_terms::JumpcloudTerms,
    &list::SPACE_LIST,
    &list::COMMA_LIST,
    FILE,
    &time::TIME,
    &time::JIRA_TIME,
    &time::UNIX_MILLIS,
    &time::DATE,
    &email::Email,
    &pattern::Pattern,
];

/// Returns the format of this name.
pub fn find(name: &str) -> Option<FormatRef> {
    FORMATS.iter().copied().find(|format| format.name() == name)
}

fn known(formatted: &Formatted) -> Option<FormatRef> {
    find(formatted.format.as_str())
}

/// What the check of an argument against its schema leaves to the format of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartOfFormat {
    /// Dotted path inside the argument, through lists element by element; empty: all of it.
    pub at: String,
    /// The value may have another type than the schema names.
    pub is_open: bool,
    /// The characters at which one text that is given for a list is split.
    pub separators: Vec<char>,
}

/// Returns the parts of an argument that these formats check, more or less of each.
pub fn parts(formats: &[Formatted]) -> Vec<PartOfFormat> {
    let mut parts = Vec::new();
    for formatted in formats {
        let Some(format) = known(formatted) else { continue };
        let separators = [',', ' '].into_iter().filter(|separator| format.splits_at(formatted, *separator)).collect();
        parts.push(PartOfFormat { at: formatted.at.clone(), is_open: false, separators });
        for open in format.open_parts() {
            let at = match (formatted.at.as_str(), *open) {
                ("", part) => part.to_owned(),
                (at, "") => at.to_owned(),
                (at, part) => format!("{at}.{part}"),
            };
            parts.push(PartOfFormat { at, is_open: true, separators: Vec::new() });
        }
    }
    parts
}

/// Adds to the schema of an argument with these formats what callers may give in addition where
/// the operator opened a folder.
pub fn offer_folder(formats: &[Formatted], schema: &mut Value) {
    for format in formats.iter().filter_map(known) {
        format.offer_folder(schema);
    }
}

/// Returns the time that an argument gives relative to `now`: as given, and as a point in time.
pub fn resolve_relative_times<'a>(
    formats: &[Formatted],
    value: &'a Value,
    now: SystemTime,
) -> Option<(&'a str, String)> {
    let given = value.as_str()?;
    let mut whole = formats.iter().filter(|formatted| formatted.at.is_empty()).filter_map(known);
    let time = whole.find_map(|format| format.resolve_relative_time(given, now))?;
    Some((given, time))
}

/// Writes an argument as the vendor takes it, in the order of its formats; what the caller should
/// know about it goes to `notes`.
///
/// # Errors
/// Every part of the value that does not fit its format.
pub async fn write(
    formats: &[Formatted],
    mut value: Value,
    context: &FormatContext<'_>,
    notes: &mut Vec<String>,
) -> Result<Value, Vec<FormatError>> {
    let mut errors = Vec::new();
    for formatted in formats {
        let Some(format) = known(formatted) else {
            let expected = "a format of this program, which the catalog and the program do not agree on";
            errors.push(FormatError::new(expected, format!("`{}`", formatted.format)));
            continue;
        };
        let path: Vec<&str> = formatted.at.split('.').filter(|name| !name.is_empty()).collect();
        // Kept for the formats after it, which name what is wrong with their own parts.
        let kept = (formats.len() > 1).then(|| value.clone());
        value = match write_part(format, value, &path, formatted, context, notes).await {
            Ok(written) => written,
            Err(wrong) => {
                errors.extend(wrong);
                kept.unwrap_or_default()
            }
        };
    }
    if errors.is_empty() { Ok(value) } else { Err(errors) }
}

/// A written part, or what is wrong in it.
type PartFuture<'a> = Pin<Box<dyn Future<Output = Result<Value, Vec<FormatError>>> + Send + 'a>>;

/// Writes the parts at a path, through lists element by element; missing parts stay missing, and so
/// do those that are cleared with `null`.
fn write_part<'a>(
    format: FormatRef,
    value: Value,
    path: &'a [&'a str],
    formatted: &'a Formatted,
    context: &'a FormatContext<'a>,
    notes: &'a mut Vec<String>,
) -> PartFuture<'a> {
    Box::pin(async move {
        match (path.split_first(), value) {
            (_, Value::Null) => Ok(Value::Null),
            (Some(_), Value::Array(items)) => write_items(format, items, path, formatted, context, notes).await,
            (None, Value::Array(items)) if format.of_items() => {
                write_items(format, items, path, formatted, context, notes).await
            }
            (None, value) => format.write(value, formatted, context, notes).await.map_err(|error| vec![error]),
            (Some((name, rest)), Value::Object(mut entries)) => {
                if let Some(entry) = entries.get_mut(*name) {
                    let part = write_part(format, entry.take(), rest, formatted, context, notes).await;
                    *entry = part.map_err(|errors| below(errors, &format!(".{name}")))?;
                }
                Ok(Value::Object(entries))
            }
            (Some(_), other) => Ok(other),
        }
    })
}

/// Writes what is at the path in each item.
async fn write_items(
    format: FormatRef,
    items: Vec<Value>,
    path: &[&str],
    formatted: &Formatted,
    context: &FormatContext<'_>,
    notes: &mut Vec<String>,
) -> Result<Value, Vec<FormatError>> {
    let (mut written, mut errors) = (Vec::with_capacity(items.len()), Vec::new());
    for (index, item) in items.into_iter().enumerate() {
        match write_part(format, item, path, formatted, context, notes).await {
            Ok(item) => written.push(item),
            Err(wrong) => errors.extend(below(wrong, &format!("[{index}]"))),
        }
    }
    if errors.is_empty() { Ok(Value::Array(written)) } else { Err(errors) }
}

fn below(errors: Vec<FormatError>, step: &str) -> Vec<FormatError> {
    errors.into_iter().map(|error| error.below(step)).collect()
}

/// Looks up why the vendor refused a request with this value.
pub async fn explain(
    formatted: &Formatted,
    value: &Value,
    refused: &RefusedRequest<'_>,
    lookup: &dyn Lookup,
) -> Option<String> {
    known(formatted)?.explain(value, formatted, refused, lookup).await
}

/// Returns the entries by which an object in an answer is known to be a value of a format.
pub fn marks(format: &FormatName) -> &'static [(&'static str, Mark)] {
    find(format.as_str()).map(Format::marks).unwrap_or_default()
}

/// Returns the name of the entry of an answer, beside its records, that values of a format are read by.
pub fn beside(format: &FormatName) -> Option<&'static str> {
    find(format.as_str()).and_then(Format::beside)
}

/// Returns a value of an answer, which has the format's marks, in the form that a model reads. `beside` is what
/// [`beside`] names. `left` is how many bytes all values of the answer may still become; this one takes its part of them.
pub fn read(format: &FormatName, value: &Value, beside: &Value, left: &mut usize) -> Option<ReadValue> {
    Some(find(format.as_str())?.read(value, beside, left))
}
