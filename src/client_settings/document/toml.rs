//! TOML → the same with an entry put in or taken out.

use serde_json::{Map, Value};
use toml_edit::{Array, DocumentMut, InlineTable, Item, Table};

use super::{At, DocumentError};

pub(super) fn read(text: &str) -> Result<Value, DocumentError> {
    let unreadable = |message: String| DocumentError::Unreadable(message.replace('\n', ", "));
    // The whole message would quote the line, which may hold a secret.
    let value: ::toml::Table = ::toml::from_str(text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        unreadable(format!("line {}: {}", before.matches('\n').count() + 1, error.message()))
    })?;
    serde_json::to_value(value).map_err(|error| unreadable(error.to_string()))
}

pub(super) fn edit(text: &str, meant: &Map<String, Value>, at: At<'_>) -> Result<String, DocumentError> {
    let mut document: DocumentMut = text.parse().map_err(|_| DocumentError::NotEditable)?;
    let entry = meant.get(at.key).and_then(|servers| servers.get(at.name));
    match entry {
        Some(Value::Object(entry)) => put(&mut document, at, entry)?,
        Some(_) => return Err(DocumentError::NotEditable),
        None if meant.contains_key(at.key) => {
            let servers = document.get_mut(at.key).and_then(Item::as_table_like_mut);
            servers.ok_or(DocumentError::NotEditable)?.remove(at.name);
        }
        None => drop(document.remove(at.key)),
    }
    Ok(document.to_string())
}

fn put(document: &mut DocumentMut, at: At<'_>, entry: &Map<String, Value>) -> Result<(), DocumentError> {
    let servers = document.entry(at.key).or_insert_with(|| {
        let mut servers = Table::new();
        // Only the tables of the servers have a head of their own.
        servers.set_implicit(true);
        Item::Table(servers)
    });
    match servers {
        Item::Table(servers) => {
            let mut new = table(entry)?;
            if let Some(Item::Table(old)) = servers.get(at.name) {
                // Its comments and its place in the file.
                *new.decor_mut() = old.decor().clone();
                new.set_position(old.position());
            }
            servers.insert(at.name, Item::Table(new));
        }
        servers => {
            let servers = servers.as_table_like_mut().ok_or(DocumentError::NotEditable)?;
            servers.insert(at.name, Item::Value(inline(entry)?.into()));
        }
    }
    Ok(())
}

/// A table with a head of its own; maps in it have one too.
fn table(map: &Map<String, Value>) -> Result<Table, DocumentError> {
    let mut table = Table::new();
    for (key, value) in map {
        let item = match value {
            Value::Object(map) => Item::Table(self::table(map)?),
            value => Item::Value(plain(value)?),
        };
        table.insert(key, item);
    }
    Ok(table)
}

fn inline(map: &Map<String, Value>) -> Result<InlineTable, DocumentError> {
    let mut table = InlineTable::new();
    for (key, value) in map {
        table.insert(key, plain(value)?);
    }
    Ok(table)
}

fn plain(value: &Value) -> Result<toml_edit::Value, DocumentError> {
    Ok(match value {
        Value::String(text) => text.as_str().into(),
        Value::Bool(truth) => (*truth).into(),
        Value::Number(number) => number.as_i64().ok_or(DocumentError::NotEditable)?.into(),
        Value::Array(items) => {
            let items = items.iter().map(plain).collect::<Result<Vec<_>, _>>()?;
            Array::from_iter(items).into()
        }
        Value::Object(map) => inline(map)?.into(),
        // TOML has no such value.
        Value::Null => return Err(DocumentError::NotEditable),
    })
}

/// The text of a file with these servers and nothing else.
pub(crate) fn text(whole: &Map<String, Value>) -> String {
    let mut document = DocumentMut::new();
    for (key, servers) in whole {
        for (name, entry) in servers.as_object().into_iter().flatten() {
            if let Some(entry) = entry.as_object() {
                // The entries of our own table hold nothing that TOML has not.
                let _ = put(&mut document, At { key, name }, entry);
            }
        }
    }
    document.to_string()
}
