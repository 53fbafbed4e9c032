//! A record → is it whole, where does it end, and which calls are open.

use std::collections::BTreeMap;
use std::io::{self, BufRead};

use serde_json::Value;

use super::line::{self, START};

/// The longest line that is read: many times the longest that is written.
const LONGEST_LINE: usize = 1024 * 1024;

/// What a record is worth.
#[derive(Debug, Default)]
pub struct Report {
    /// How many whole lines there are up to the first fault.
    pub lines: u64,
    /// The last whole line: number, time and hash.
    pub last: Option<(u64, String, String)>,
    /// Intents without an outcome, in order.
    pub unfinished: Vec<Unfinished>,
    /// Bytes at the end that are no whole line: a process was stopped while it wrote.
    pub torn: usize,
    /// The first line that is wrong, counted in the file from 1, and what is wrong with it.
    pub fault: Option<(u64, String)>,
}

/// A call that was about to be made, and nobody knows what came of it.
#[derive(Debug, PartialEq, Eq)]
pub struct Unfinished {
    /// The number of the intent's line.
    pub seq: u64,
    /// When.
    pub time: String,
    /// The tool.
    pub tool: String,
}

/// Reads a record from its beginning.
///
/// # Errors
/// It can't be read.
pub fn verify(mut record: impl BufRead) -> io::Result<Report> {
    let mut report = Report::default();
    let mut prev = START.to_owned();
    let mut open = BTreeMap::new();
    // Lines that were not written to their end: the next whole one must say so.
    let mut torn: Option<(u64, usize, String)> = None;
    let mut number = 0;
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        let read = io::Read::take(&mut record, LONGEST_LINE as u64).read_until(b'\n', &mut bytes)?;
        if read == 0 {
            break;
        }
        number += 1;
        if bytes.pop_if(|byte| *byte == b'\n').is_none() {
            // Only the end of the file may be torn, not the middle of an endless line.
            if read < LONGEST_LINE {
                report.torn = read;
            } else {
                report.fault = Some((number, "it is no line of a record".to_owned()));
            }
            break;
        }
        let line = match line::read(&bytes) {
            Ok(line) => line,
            Err(what) if line::is_torn(&bytes) => {
                let (_, length, _) = torn.get_or_insert_with(|| (number, 0, what.to_owned()));
                *length += read;
                continue;
            }
            Err(what) => {
                report.fault = Some((number, what.to_owned()));
                break;
            }
        };
        if let Some((number, length, what)) = torn.take()
            && (line.event != "mended" || line.entries.get("torn_bytes") != Some(&Value::from(length - 1)))
        {
            report.fault = Some((number, what));
            break;
        }
        let expected = report.lines + 1;
        if line.seq != expected || line.prev != prev {
            let what = format!("it does not follow the line before it: expected number {expected} after `{prev}`");
            report.fault = Some((number, what));
            break;
        }
        let word = |name: &str| line.entries.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        match (line.event.as_str(), line.id) {
            ("intent", _) => {
                open.insert(line.seq, Unfinished { seq: line.seq, time: word("time"), tool: word("tool") });
            }
            ("outcome", Some(id)) if open.remove(&id).is_some() => {}
            ("outcome", _) => {
                report.fault = Some((number, "it is the outcome of no open intent".to_owned()));
                break;
            }
            _ => {}
        }
        report.lines = line.seq;
        report.last = Some((line.seq, word("time"), line.hash.clone()));
        prev = line.hash;
    }
    if let Some((number, _, what)) = torn
        && report.fault.is_none()
    {
        report.fault = Some((number, what));
    }
    report.unfinished = open.into_values().collect();
    Ok(report)
}
