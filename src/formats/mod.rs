//! The named formats of the model: what a caller gave → what the vendor takes, what the vendor
//! answered → what a model reads, and what a refusal means. One file per format; none knows a
//! vendor's tools. A format that has to ask the vendor does so through [`Lookup`].

pub mod adf;
mod file;
mod jira_fields;
mod jql;
mod jumpcloud_filter;
mod list;
mod time;

#[cfg(test)]
mod tests;

use std::future::Future;
use std::pin::Pin;
use std::time::SystemTime;

use serde_json::Value;

use crate::error::Rejection;
use crate::upstream::Answer;
use toolwright_model::{Format, Formatted, Place};

pub use file::Folder;
pub use jira_fields::Memory;

/// What came of a question.
pub type LookupFuture<'a> = Pin<Box<dyn Future<Output = Result<Answer, LookupError>> + Send + 'a>>;

/// Asks the vendor by calling an operation that only reads.
pub trait Lookup: Send + Sync {
    /// Calls the operation with these values.
    fn ask<'a>(&'a self, operation: &'a str, inputs: Vec<(Place, Value)>) -> LookupFuture<'a>;
}

/// Why a question has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LookupError {
    /// In a dry run nobody is asked.
    DryRun,
    /// The question failed.
    Failed(String),
}

/// What a format may use besides the value.
pub struct FormatContext<'a> {
    /// What time it is.
    pub now: SystemTime,
    /// The folder whose files may be sent, if the operator opened one.
    pub folder: Option<&'a Folder>,
    /// Who answers questions.
    pub ask: &'a dyn Lookup,
    /// What the vendor was asked lately.
    pub memory: &'a Memory,
}

/// A value that a format does not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormatError {
    /// Where in the argument: empty, or such as `[0].operator`.
    pub at: String,
    /// What would have been taken.
    pub expected: String,
    /// What was given, short.
    pub given: String,
    /// What may have been meant.
    pub suggestion: Option<String>,
}

impl FormatError {
    fn new(expected: impl Into<String>, given: impl Into<String>) -> Self {
        Self { at: String::new(), expected: expected.into(), given: given.into(), suggestion: None }
    }

    fn at(mut self, at: impl Into<String>) -> Self {
        self.at = at.into();
        self
    }
}

/// The dotted paths, inside an argument with these formats, where a caller may give a value of
/// another type than the input schema says: the format itself checks it.
pub fn open_parts(formats: &[Formatted]) -> Vec<String> {
    let part = |formatted: &Formatted| match formatted.format {
        Format::Adf => Some(formatted.at.clone()),
        Format::JumpcloudFilterV1 | Format::JumpcloudFilterV2 => Some(join(&formatted.at, "operator")),
        _ => None,
    };
    formats.iter().filter_map(part).collect()
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// A time that an argument gives relative to now, and which one that is.
pub fn settle<'a>(formats: &[Formatted], value: &'a Value, now: SystemTime) -> Option<(&'a str, String)> {
    let is_time = formats.iter().any(|formatted| formatted.format == Format::Time && formatted.at.is_empty());
    let given = value.as_str().filter(|_| is_time)?;
    Some((given, time::settled(given, now)?))
}

/// Writes an argument as the vendor takes it; what the caller should know of it goes to `notes`.
///
/// # Errors
/// The value does not fit the format.
pub async fn write(
    formats: &[Formatted],
    mut value: Value,
    around: &FormatContext<'_>,
    notes: &mut Vec<String>,
) -> Result<Value, FormatError> {
    for formatted in formats {
        value = if formatted.format == Format::JiraFields {
            jira_fields::write(value, formatted, around, notes).await?
        } else {
            let path: Vec<&str> = formatted.at.split('.').filter(|name| !name.is_empty()).collect();
            inside(value, &path, &mut |part| one(part, formatted, around, notes))?
        };
    }
    Ok(value)
}

fn one(
    value: Value,
    formatted: &Formatted,
    around: &FormatContext<'_>,
    notes: &mut Vec<String>,
) -> Result<Value, FormatError> {
    match formatted.format {
        Format::Adf => adf::write(value),
        Format::Jql => jql::write(value, notes),
        Format::JumpcloudFilterV1 | Format::JumpcloudFilterV2 => jumpcloud_filter::write(&value, formatted),
        Format::SpaceList => list::write(&value, ' '),
        Format::CommaList => list::write(&value, ','),
        Format::File => file::write(value, around.folder),
        Format::Time => time::write(value, around.now),
        // It asks, and never stands inside an argument: the build sees to that.
        Format::JiraFields => Ok(value),
    }
}

/// Changes the parts at a path, through lists element by element; what is not there stays away.
fn inside(
    value: Value,
    path: &[&str],
    change: &mut dyn FnMut(Value) -> Result<Value, FormatError>,
) -> Result<Value, FormatError> {
    let Some((name, rest)) = path.split_first() else {
        return change(value);
    };
    match value {
        Value::Array(items) => {
            let parts = items.into_iter().enumerate().map(|(index, item)| {
                inside(item, path, change).map_err(|complaint| prefixed(complaint, &format!("[{index}]")))
            });
            parts.collect::<Result<Vec<_>, _>>().map(Value::Array)
        }
        Value::Object(mut entries) => {
            if let Some(entry) = entries.get_mut(*name).filter(|entry| !entry.is_null()) {
                *entry =
                    inside(entry.take(), rest, change).map_err(|complaint| prefixed(complaint, &format!(".{name}")))?;
            }
            Ok(Value::Object(entries))
        }
        other => Ok(other),
    }
}

fn prefixed(mut complaint: FormatError, before: &str) -> FormatError {
    complaint.at.insert_str(0, before);
    complaint
}

/// What the vendor itself has to say of a value that it refused.
pub async fn explain(formatted: &Formatted, value: &Value, rejection: &Rejection, ask: &dyn Lookup) -> Option<String> {
    match formatted.format {
        Format::Jql => jql::explain(value, rejection, formatted.ask.as_deref()?, ask).await,
        _ => None,
    }
}

/// Turns an answer that holds a format into one that a model reads. An answer without it stays as
/// it came, byte for byte.
pub fn read(format: Format, mut answer: Answer) -> Answer {
    if format == Format::Adf
        && let Ok(mut value) = serde_json::from_slice::<Value>(&answer.body)
        && adf::flatten(&mut value)
    {
        answer.body = value.to_string().into();
    }
    answer
}

/// The start of a text, for a message.
fn short(text: &str) -> String {
    const WIDTH: usize = 80;
    match text.char_indices().nth(WIDTH) {
        Some((end, _)) => format!("`{}…`", &text[..end]),
        None => format!("`{text}`"),
    }
}

/// Names as a list in backticks.
fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// The known names nearest to one that is not known, best first.
fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>, most: usize) -> Vec<&'a str> {
    const SIMILAR: f64 = 0.75;
    let plain = |text: &str| -> String {
        text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).take(100).collect()
    };
    let wanted = plain(name);
    let mut near: Vec<(f64, &str)> = known
        .into_iter()
        .filter_map(|known| {
            let other = plain(known);
            let holds = wanted.len() > 2 && (other.contains(&wanted) || other.len() > 2 && wanted.contains(&other));
            let likeness = strsim::jaro_winkler(&wanted, &other).max(if holds { SIMILAR } else { 0.0 });
            (likeness >= SIMILAR).then_some((likeness, known))
        })
        .collect();
    near.sort_by(|one, other| other.0.total_cmp(&one.0).then(one.1.cmp(other.1)));
    near.dedup_by(|one, other| one.1 == other.1);
    near.into_iter().take(most).map(|(_, known)| known).collect()
}
