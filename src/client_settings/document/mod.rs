//! The text of a settings file and a change of one entry → the new text. Comments, order and foreign entries stay as they
//! are: each notation is edited in place, and what comes out is read again and compared with what was meant.

mod json;
mod toml;
mod yaml;

use serde_json::{Map, Value};

pub(crate) use self::toml::text as toml_text;
pub(crate) use self::yaml::text as yaml_text;

/// The key of what VS Code asks for once.
pub(crate) const INPUTS: &str = "inputs";

/// What begins a file that some editors on Windows write.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// How a settings file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Notation {
    /// JSON, with comments and trailing commas where the client takes them.
    Json,
    Toml,
    Yaml,
}

/// A change of one entry.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Change<'a> {
    /// The entry is to be there with this value, and so are these inputs.
    Put(&'a Value, &'a [Value]),
    /// The entry is not to be there, nor the inputs that only it refers to.
    Remove,
}

/// Which entry: the key of the servers, and the server's name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct At<'a> {
    pub(crate) key: &'a str,
    pub(crate) name: &'a str,
}

/// Why a file is left alone.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DocumentError {
    #[error("it can't be read: {0}")]
    Unreadable(String),
    #[error("`{0}` in it is no map of servers")]
    NotAMap(String),
    #[error("it is written in a way that can't be changed without risk to what is there")]
    NotEditable,
}

/// Reads a file; an empty one is a map without entries.
pub(crate) fn read(notation: Notation, text: &str) -> Result<Map<String, Value>, DocumentError> {
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    let value = match notation {
        Notation::Json => json::read(text)?,
        Notation::Toml => toml::read(text)?,
        Notation::Yaml => yaml::read(text)?,
    };
    match value {
        Value::Null => Ok(Map::new()),
        Value::Object(map) => Ok(map),
        _ => Err(DocumentError::Unreadable("it holds something else than a map".to_owned())),
    }
}

/// Makes a change; returns the text as it is where nothing has to be changed.
pub(crate) fn edit(notation: Notation, text: &str, at: At<'_>, change: Change<'_>) -> Result<String, DocumentError> {
    let before = read(notation, text)?;
    let meant = meant(before.clone(), at, change)?;
    if meant == before {
        return Ok(text.to_owned());
    }
    let (mark, bare) = match text.strip_prefix(BYTE_ORDER_MARK) {
        Some(bare) => ("\u{feff}", bare),
        None => ("", text),
    };
    let edited = match notation {
        Notation::Json => json::edit(bare, &before, &meant, at)?,
        Notation::Toml => toml::edit(bare, &meant, at)?,
        Notation::Yaml => yaml::edit(bare, &meant, at)?,
    };
    match read(notation, &edited) {
        Ok(after) if after == meant => Ok(format!("{mark}{edited}")),
        _ => Err(DocumentError::NotEditable),
    }
}

/// Whether a text has nothing but an empty map: no entry and no comment.
pub(crate) fn is_bare(text: &str) -> bool {
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    text.chars().all(|c| c.is_whitespace() || matches!(c, '{' | '}'))
}

/// What the file is to hold after the change.
fn meant(mut whole: Map<String, Value>, at: At<'_>, change: Change<'_>) -> Result<Map<String, Value>, DocumentError> {
    let servers = match whole.get_mut(at.key) {
        Some(Value::Object(servers)) => Some(servers),
        // A null is an empty value of YAML, where a file was begun.
        None | Some(Value::Null) => None,
        Some(_) => return Err(DocumentError::NotAMap(at.key.to_owned())),
    };
    match change {
        Change::Put(entry, inputs) => {
            match servers {
                Some(servers) => drop(servers.insert(at.name.to_owned(), entry.clone())),
                None => {
                    let servers = Map::from_iter([(at.name.to_owned(), entry.clone())]);
                    whole.insert(at.key.to_owned(), Value::Object(servers));
                }
            }
            put_inputs(&mut whole, inputs)?;
        }
        Change::Remove => {
            let Some(servers) = servers else { return Ok(whole) };
            let Some(entry) = servers.shift_remove(at.name) else { return Ok(whole) };
            if servers.is_empty() {
                whole.shift_remove(at.key);
            }
            remove_inputs(&mut whole, &entry);
        }
    }
    Ok(whole)
}

fn put_inputs(whole: &mut Map<String, Value>, inputs: &[Value]) -> Result<(), DocumentError> {
    if inputs.is_empty() {
        return Ok(());
    }
    let there = whole.entry(INPUTS).or_insert_with(|| Value::Array(Vec::new()));
    let Value::Array(there) = there else { return Err(DocumentError::NotAMap(INPUTS.to_owned())) };
    for input in inputs {
        // One that is there is the person's own, or ours from before.
        if !there.iter().any(|known| known.get("id") == input.get("id")) {
            there.push(input.clone());
        }
    }
    Ok(())
}

/// Removes the inputs that the entry refers to, and nothing else does.
fn remove_inputs(whole: &mut Map<String, Value>, entry: &Value) {
    let entry = entry.to_string();
    let others: String = whole.iter().filter(|(key, _)| *key != INPUTS).map(|(_, value)| value.to_string()).collect();
    let Some(Value::Array(inputs)) = whole.get_mut(INPUTS) else { return };
    let is_needless = |input: &Value| {
        let reference = input.get("id").and_then(Value::as_str).map(|id| format!("${{input:{id}}}"));
        reference.is_some_and(|text| entry.contains(&text) && !others.contains(&text))
    };
    let count = inputs.len();
    inputs.retain(|input| !is_needless(input));
    if inputs.is_empty() && count > 0 {
        whole.shift_remove(INPUTS);
    }
}

#[cfg(test)]
mod tests;
