//! The text of `requests.json` and an operation's id → what the operation sends.
//!
//! The text has a line for each operation, in the order of their ids. It is halved until the line is found, and that line
//! alone is parsed: neither the start of the program nor a call depends on how many operations there are.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use toolwright_model::Operation;

use super::CallError;

/// What the operations of one API send; each is read when it is called first.
pub struct Requests {
    text: &'static str,
    /// Those that were called before, by id.
    read: Mutex<HashMap<String, Arc<Operation>>>,
}

impl Requests {
    /// Those of a `requests.json` with this text.
    pub fn new(text: &'static str) -> Self {
        Self { text, read: Mutex::default() }
    }

    /// Returns the operation with this id.
    ///
    /// # Errors
    /// There is none, or its line is no operation. Tools and requests come from one run of the generator, so this is a
    /// bug.
    pub(super) fn operation(&self, id: &str) -> Result<Arc<Operation>, CallError> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(operation) = read.get(id) {
            return Ok(Arc::clone(operation));
        }
        let operation = Arc::new(find(self.text, id)?);
        read.insert(id.to_owned(), Arc::clone(&operation));
        Ok(operation)
    }
}

fn find(text: &str, id: &str) -> Result<Operation, CallError> {
    let internal = |what: &str| CallError::Internal(format!("the requests of this API have {what} `{id}`"));
    let key = serde_json::to_string(id).map_err(|_| internal("no place for an operation"))?;
    let line = line(text.strip_prefix("{\n").unwrap_or(text), &key).ok_or_else(|| internal("no operation"))?;
    let entry = line.trim_end_matches(',').trim_start_matches(':');
    let operation: Operation = serde_json::from_str(entry).map_err(|_| internal("no readable operation"))?;
    Ok(Operation { id: id.to_owned(), ..operation })
}

/// Returns the rest of the line that begins with `key`. Keys in quotes are in order, and none is the beginning of another.
fn line<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    let bytes = text.as_bytes();
    let (mut from, mut to) = (0, text.len());
    while from < to {
        let middle = from + (to - from) / 2;
        let start = bytes[from..middle].iter().rposition(|byte| *byte == b'\n').map_or(from, |at| from + at + 1);
        let end = bytes[middle..to].iter().position(|byte| *byte == b'\n').map_or(to, |at| middle + at);
        let line = text.get(start..end)?;
        if let Some(rest) = line.strip_prefix(key) {
            return Some(rest);
        }
        match line.cmp(key) {
            Ordering::Less => from = end + 1,
            Ordering::Equal | Ordering::Greater => to = start,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Written as the generator does.
    fn text(ids: &[&str]) -> String {
        let mut lines: Vec<String> = ids
            .iter()
            .map(|id| format!("{}: {{\"method\":\"GET\",\"path\":\"/ü/{}\"}}", quoted(id), ids.len()))
            .collect();
        lines.sort();
        format!("{{\n{}\n}}\n", lines.join(",\n"))
    }

    fn quoted(id: &str) -> String {
        serde_json::to_string(id).unwrap()
    }

    #[test]
    fn every_operation_is_found_and_no_other() {
        let all = ["a", "a!", "a\"", "a\": ", "aa", "ab", "b", "listThings", "listThings2", "z", "{", "ü", "日"];
        for count in 0..=all.len() {
            let (known, unknown) = all.split_at(count);
            let text = text(known);
            for id in known {
                let found = find(&text, id).unwrap();
                assert_eq!((found.id.as_str(), found.path), (*id, format!("/ü/{count}")));
            }
            for id in unknown.iter().chain(&["", "A", "}", "\n"]) {
                let error = find(&text, id).unwrap_err().to_string();
                assert!(error.contains("no operation"), "{id}: {error}");
            }
        }
    }

    #[test]
    fn an_operation_is_read_once() {
        let requests = Requests::new("{\n\"a\": {\"method\":\"GET\",\"path\":\"/a\"}\n}\n");
        let first = requests.operation("a").unwrap();
        assert!(Arc::ptr_eq(&first, &requests.operation("a").unwrap()));
        assert!(requests.operation("b").is_err() && requests.read.lock().unwrap().len() == 1);
    }

    #[test]
    fn a_line_that_is_no_operation_is_reported() {
        for line in ["{}", "{\"method\":\"GET\",\"path\":\"/\",\"more\":1}", "nothing"] {
            let error = find(&format!("{{\n\"a\": {line}\n}}\n"), "a").unwrap_err().to_string();
            assert!(error.contains("no readable operation `a`"), "{error}");
        }
    }
}
