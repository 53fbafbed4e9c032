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
mod context;
mod error;
mod file;
mod format;
mod jira_fields;
mod jql;
mod jumpcloud_filter;
mod list;
mod lookup;
mod schema;
mod time;

#[cfg(test)]
mod tests;

use std::time::SystemTime;

use serde_json::Value;
use toolwright_model::{FormatName, Formatted};

pub use context::{FormatContext, RefusedRequest};
pub use error::FormatError;
pub use file::{FILE, Folder, FolderError, file_schema, files_schema};
pub use format::{ExplainFuture, Format, FormatRef, LookupUse, WriteFuture};
pub use lookup::{Lookup, LookupCache, LookupError, LookupFuture};

/// Every format, in the order in which messages and the overlay's schema list them.
pub static FORMATS: &[FormatRef] = &[
    &adf::Adf,
    &jql::Jql,
    &jira_fields::JiraFields,
    &jumpcloud_filter::FILTER_V1,
    &jumpcloud_filter::FILTER_V2,
    &list::SPACE_LIST,
    &list::COMMA_LIST,
    FILE,
    &time::Time,
];

/// Returns the format of this name.
pub fn find(name: &str) -> Option<FormatRef> {
    FORMATS.iter().copied().find(|format| format.name() == name)
}

fn known(formatted: &Formatted) -> Option<FormatRef> {
    find(formatted.format.as_str())
}

/// Returns the dotted paths, inside an argument with these formats, where a value may have another
/// type than the input schema names: the format itself checks it.
pub fn open_parts(formats: &[Formatted]) -> Vec<String> {
    let part = |formatted: &Formatted| match (formatted.at.as_str(), known(formatted)?.open_part()?) {
        ("", part) => Some(part.to_owned()),
        (at, "") => Some(at.to_owned()),
        (at, part) => Some(format!("{at}.{part}")),
    };
    formats.iter().filter_map(part).collect()
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
/// The value does not fit the format.
pub async fn write(
    formats: &[Formatted],
    mut value: Value,
    context: &FormatContext<'_>,
    notes: &mut Vec<String>,
) -> Result<Value, FormatError> {
    for formatted in formats {
        let Some(format) = known(formatted) else {
            let expected = "a format of this program, which the catalog and the program do not agree on";
            return Err(FormatError::new(expected, format!("`{}`", formatted.format)));
        };
        let path: Vec<&str> = formatted.at.split('.').filter(|name| !name.is_empty()).collect();
        value = write_part(format, value, &path, formatted, context, notes).await?;
    }
    Ok(value)
}

/// Writes the parts at a path, through lists element by element; missing parts stay missing.
fn write_part<'a>(
    format: FormatRef,
    value: Value,
    path: &'a [&'a str],
    formatted: &'a Formatted,
    context: &'a FormatContext<'a>,
    notes: &'a mut Vec<String>,
) -> WriteFuture<'a> {
    let Some((name, rest)) = path.split_first() else {
        return format.write(value, formatted, context, notes);
    };
    Box::pin(async move {
        match value {
            Value::Array(items) => {
                let mut written = Vec::with_capacity(items.len());
                for (index, item) in items.into_iter().enumerate() {
                    let item = write_part(format, item, path, formatted, context, notes).await;
                    written.push(item.map_err(|error| error.below(&format!("[{index}]")))?);
                }
                Ok(Value::Array(written))
            }
            Value::Object(mut entries) => {
                if let Some(entry) = entries.get_mut(*name).filter(|entry| !entry.is_null()) {
                    let part = write_part(format, entry.take(), rest, formatted, context, notes).await;
                    *entry = part.map_err(|error| error.below(&format!(".{name}")))?;
                }
                Ok(Value::Object(entries))
            }
            other => Ok(other),
        }
    })
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

/// Returns the JSON body of an answer in the form that a model reads; `None` where the answer does
/// not hold the format and stays as it is, byte for byte.
pub fn read(format: &FormatName, body: &[u8]) -> Option<String> {
    let format = find(format.as_str())?;
    let mut answer: Value = serde_json::from_slice(body).ok()?;
    format.read(&mut answer).then(|| answer.to_string())
}
