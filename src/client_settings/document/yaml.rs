//! YAML → the same with an entry put in or taken out, line by line: no library that writes YAML keeps comments and the way
//! in which things are written. Files that are not written in the plain way (the servers' key at the beginning of a line,
//! each server on lines of its own) are left alone.

use serde_json::{Map, Value};

use super::{At, DocumentError};

pub(super) fn read(text: &str) -> Result<Value, DocumentError> {
    let lines = |text: &str| text.lines().any(|line| !is_blank(line));
    if !lines(text) {
        return Ok(Value::Null);
    }
    serde_saphyr::from_str(text).map_err(|error| {
        let at = error.location().map_or_else(String::new, |at| format!("line {}, ", at.line()));
        // The message itself would quote the line, which may hold a secret.
        DocumentError::Unreadable(format!("{at}it is no valid YAML"))
    })
}

pub(super) fn edit(text: &str, meant: &Map<String, Value>, at: At<'_>) -> Result<String, DocumentError> {
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let entry = meant.get(at.key).and_then(|servers| servers.get(at.name));
    let head = lines.iter().position(|line| is_head(line, at.key));
    match (head, entry) {
        (Some(head), Some(entry)) => {
            lines[head] = opened(&lines[head], at.key);
            let block = Block::of(&lines, head);
            let new = entry_lines(at.name, entry, block.indent);
            let place = block.entry(&lines, at.name).unwrap_or(block.end..block.end);
            lines.splice(place, new);
        }
        (Some(head), None) => {
            let block = Block::of(&lines, head);
            let place = block.entry(&lines, at.name).ok_or(DocumentError::NotEditable)?;
            // With its last server the key goes too.
            let place = if meant.contains_key(at.key) { place } else { head..place.end };
            lines.drain(place);
        }
        (None, Some(entry)) => {
            lines.push(format!("{}:", at.key));
            lines.extend(entry_lines(at.name, entry, INDENT));
        }
        (None, None) => return Err(DocumentError::NotEditable),
    }
    let mut edited = lines.join(newline);
    if !edited.is_empty() {
        edited.push_str(newline);
    }
    Ok(edited)
}

/// The text of a file with one server and nothing else.
pub(crate) fn text(key: &str, name: &str, entry: &Value) -> String {
    format!("{key}:\n{}\n", entry_lines(name, entry, INDENT).join("\n"))
}

/// How far a server is indented where none is there to go by.
const INDENT: usize = 2;

/// The lines of a server. What is in it is written as JSON, which YAML includes.
fn entry_lines(name: &str, entry: &Value, indent: usize) -> Vec<String> {
    let fields = entry.as_object().into_iter().flatten();
    let fields = fields.map(|(key, value)| format!("{:width$}{key}: {value}", "", width = indent * 2));
    std::iter::once(format!("{:indent$}{name}:", "")).chain(fields).collect()
}

/// Whether a line is the key of the servers, with nothing or an empty map behind it.
fn is_head(line: &str, key: &str) -> bool {
    let Some(rest) = line.strip_prefix(key).and_then(|rest| rest.strip_prefix(':')) else { return false };
    let value = rest.split(" #").next().unwrap_or_default().trim();
    value.is_empty() || value == "{}"
}

/// The line of the key without an empty map.
fn opened(line: &str, key: &str) -> String {
    let comment = line.split_once(" #").map_or_else(String::new, |(_, comment)| format!(" #{comment}"));
    format!("{key}:{comment}")
}

/// The lines below a key.
struct Block {
    start: usize,
    /// Behind the last line that belongs to it; blank lines and comments at its end do not.
    end: usize,
    /// How far its keys are indented.
    indent: usize,
}

impl Block {
    fn of(lines: &[String], head: usize) -> Self {
        let start = head + 1;
        let below = lines[start..].iter().take_while(|line| is_blank(line) || indent_of(line) > 0);
        let count = below.clone().count();
        let own = lines[start..start + count].iter().rposition(|line| !is_blank(line));
        let indent = below.clone().find(|line| !is_blank(line)).map_or(INDENT, |line| indent_of(line));
        Self { start, end: start + own.map_or(0, |last| last + 1), indent }
    }

    /// The lines of a server.
    fn entry(&self, lines: &[String], name: &str) -> Option<std::ops::Range<usize>> {
        let is_entry = |line: &String| {
            let key = line.trim_start();
            let is_named = |key: &str| key.strip_prefix(name).is_some_and(|rest| rest.trim_end().starts_with(':'));
            indent_of(line) == self.indent && is_named(key)
        };
        let first = self.start + lines[self.start..self.end].iter().position(is_entry)?;
        let rest = &lines[first + 1..self.end];
        let count = rest.iter().take_while(|line| is_blank(line) || indent_of(line) > self.indent).count();
        // Comments and blank lines in front of the next server are that server's.
        let own = rest[..count].iter().rposition(|line| !is_blank(line)).map_or(0, |last| last + 1);
        Some(first..first + 1 + own)
    }
}

/// Whether a line holds nothing or a comment.
fn is_blank(line: &str) -> bool {
    let text = line.trim_start();
    text.is_empty() || text.starts_with('#')
}

fn indent_of(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}
