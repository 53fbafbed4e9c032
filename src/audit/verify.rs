//! An audit log → whether its chain is intact, where it ends, and which calls have no outcome.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Read as _};

use serde_json::Value;

use super::record::{self, RecordLine, START};

/// The longest line that is read, in bytes: many times the longest that is written.
const LONGEST_LINE: usize = 1024 * 1024;

/// The state of a log.
#[derive(Debug, Default)]
pub struct Report {
    /// How many complete lines there are up to the first fault.
    pub lines: u64,
    /// Number, time and hash of the last complete line.
    pub last: Option<(u64, String, String)>,
    /// Intents without an outcome, in order.
    pub unfinished: Vec<Unfinished>,
    /// How many bytes at the end are not a complete line: a process was stopped while it wrote.
    pub torn: usize,
    /// The first faulty line, counted in the file from 1, and its fault.
    pub fault: Option<(u64, String)>,
}

/// A call with an intent and no outcome: what became of it is unknown.
#[derive(Debug, PartialEq, Eq)]
pub struct Unfinished {
    /// The number of the intent's line.
    pub seq: u64,
    /// The time of the intent.
    pub time: String,
    /// The tool.
    pub tool: String,
}

/// Verifies a log from its beginning.
///
/// # Errors
/// It can't be read.
pub fn verify(mut log: impl BufRead) -> io::Result<Report> {
    let mut chain = Chain { prev: START.to_owned(), ..Chain::default() };
    let mut number = 0;
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        let read = (&mut log).take(LONGEST_LINE as u64).read_until(b'\n', &mut bytes)?;
        if read == 0 {
            break;
        }
        number += 1;
        if bytes.pop_if(|byte| *byte == b'\n').is_none() {
            // Only the end of the file may be torn, not the middle of an endless line.
            if read < LONGEST_LINE {
                chain.report.torn = read;
            } else {
                chain.report.fault = Some((number, "it is not a line of an audit log".to_owned()));
            }
            break;
        }
        if let Err(fault) = chain.add(number, &bytes) {
            chain.report.fault = Some(fault);
            break;
        }
    }
    Ok(chain.finish())
}

/// A line's number in the file, and its fault.
type Fault = (u64, String);

/// The lines that were read so far.
#[derive(Default)]
struct Chain {
    report: Report,
    /// The hash of the last line.
    prev: String,
    open: BTreeMap<u64, Unfinished>,
    /// The first of the torn lines just before, and how many bytes they have: the next complete
    /// line must state that.
    torn: Option<(Fault, usize)>,
}

impl Chain {
    fn add(&mut self, number: u64, bytes: &[u8]) -> Result<(), Fault> {
        let line = match record::read(bytes) {
            Ok(line) => line,
            Err(fault) if record::is_torn(bytes) => {
                let (_, length) = self.torn.get_or_insert_with(|| ((number, fault.to_owned()), 0));
                *length += bytes.len() + 1;
                return Ok(());
            }
            Err(fault) => return Err((number, fault.to_owned())),
        };
        if let Some((fault, length)) = self.torn.take()
            && (line.event != "mended" || line.entries.get("torn_bytes") != Some(&Value::from(length - 1)))
        {
            return Err(fault);
        }
        self.link(line).map_err(|fault| (number, fault))
    }

    fn link(&mut self, line: RecordLine) -> Result<(), String> {
        let expected = self.report.lines + 1;
        if line.seq != expected || line.prev != self.prev {
            return Err(format!(
                "it does not follow the line before it: expected number {expected} after `{}`",
                self.prev
            ));
        }
        let text = |name: &str| line.entries.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        match (line.event.as_str(), line.id) {
            ("intent", _) => {
                self.open.insert(line.seq, Unfinished { seq: line.seq, time: text("time"), tool: text("tool") });
            }
            ("outcome", Some(id)) if self.open.remove(&id).is_some() => {}
            ("outcome", _) => return Err("it is the outcome of no open intent".to_owned()),
            _ => {}
        }
        self.report.lines = line.seq;
        self.report.last = Some((line.seq, text("time"), line.hash.clone()));
        self.prev = line.hash;
        Ok(())
    }

    fn finish(mut self) -> Report {
        if let Some((fault, _)) = self.torn {
            self.report.fault.get_or_insert(fault);
        }
        self.report.unfinished = self.open.into_values().collect();
        self.report
    }
}
