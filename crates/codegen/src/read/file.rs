//! A file under specs/ → its JSON.

use std::path::Path;

use serde_json::Value;

use crate::read::finding::Errors;

/// Reads a YAML or JSON file under specs/; `file` is how messages name it.
pub fn load(path: &Path, file: &str, errors: &mut Errors) -> Option<Value> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            errors.push_file(file, "a readable file in UTF-8", error.to_string());
            return None;
        }
    };
    let parsed = if path.extension().is_some_and(|extension| extension == "json") {
        serde_json::from_str(&text).map_err(|error| format!("the JSON: {error}"))
    } else {
        // The first line has place and fault; the lines of the file that follow it are at hand.
        serde_saphyr::from_str(&text).map_err(|error| {
            let text = error.to_string();
            let line = text.lines().next().unwrap_or_default();
            line.strip_prefix("error: ").unwrap_or(line).to_owned()
        })
    };
    parsed.map_err(|error| errors.push_file(file, "YAML or JSON", format!("a fault in {error}"))).ok()
}
