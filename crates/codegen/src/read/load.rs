//! The text of a YAML or JSON file → its JSON, or a finding where it can't be read.

use std::path::Path;

use serde_json::Value;

use crate::read::finding::{Finding, Findings};
use crate::read::source::{LoadedFile, SourceFile};

/// The most nodes and bytes of a YAML file: no node is written in less than a byte.
const LARGEST: usize = 64 * 1024 * 1024;

/// The deepest nesting of a YAML file.
const DEEPEST: usize = 128;

/// Reads a YAML or JSON file; `name` is how messages name it.
pub fn load(path: &Path, name: &str, findings: &Findings) -> Option<LoadedFile> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            findings.push_file(name, "a readable file in UTF-8", error.to_string());
            return None;
        }
    };
    let parsed = if path.extension().is_some_and(|extension| extension == "json") {
        parse_json(&text)
    } else {
        parse_yaml(&text)
    };
    let value = match parsed {
        Ok(value) => value,
        Err(SyntaxFault { line, what }) => {
            findings.push(Finding { line, ..Finding::of_file(name, "YAML or JSON", format!("a fault in {what}")) });
            return None;
        }
    };
    Some(LoadedFile { file: SourceFile::yaml(name, text), value })
}

/// Why a text can't be read.
struct SyntaxFault {
    line: Option<usize>,
    /// `column 8: illegal placement of ':' indicator`.
    what: String,
}

fn parse_json(text: &str) -> Result<Value, SyntaxFault> {
    serde_json::from_str(text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let message = error.to_string();
        let message = message.trim_end_matches(&format!(" at line {line} column {column}"));
        SyntaxFault { line: Some(line), what: format!("column {column}: {message}") }
    })
}

/// Reads a text as YAML 1.2, where `on`, `off`, `yes`, `no`, `y` and `n` are texts, within bounds that the largest
/// description stays below.
///
/// # Errors
/// As the reader words it.
pub fn yaml(text: &str) -> Result<Value, serde_saphyr::Error> {
    let options = serde_saphyr::options! {
        strict_booleans: true,
        budget: serde_saphyr::budget! {
            max_depth: DEEPEST,
            max_events: LARGEST,
            max_nodes: LARGEST,
            max_total_scalar_bytes: LARGEST,
        },
    };
    serde_saphyr::from_str_with_options(text, options)
}

fn parse_yaml(text: &str) -> Result<Value, SyntaxFault> {
    yaml(text).map_err(|error| {
        let line = error.location().and_then(|location| usize::try_from(location.line()).ok());
        // The lines of the file that follow the first one are at hand.
        let message = error.to_string();
        let message = message.lines().next().unwrap_or_default();
        let message = message.strip_prefix("error: ").unwrap_or(message);
        let place = line.map(|line| format!("line {line} ")).unwrap_or_default();
        SyntaxFault { line, what: message.strip_prefix(&place).unwrap_or(message).to_owned() }
    })
}
