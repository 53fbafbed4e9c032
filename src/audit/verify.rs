//! Audit logs → whether their chain is intact, where it begins and ends, and which calls have no outcome.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, BufRead, Read as _};

use serde_json::Value;

use super::anchor::Anchor;
use super::record::{self, CONTINUED, RecordLine, START};
use super::recorded::{Recorded, RecordedCall};

/// The longest line that is read, in bytes: many times the longest that is written.
const LONGEST_LINE: usize = 1024 * 1024;

/// The state of a log.
#[derive(Debug, Default)]
pub struct Report {
    /// The number of the last complete line, up to the first fault.
    pub lines: u64,
    /// Number and hash of the line before the first, where the first follows one of an earlier file.
    pub begins_after: Option<(u64, String)>,
    /// Number, time and hash of the last complete line.
    pub last: Option<(u64, String, String)>,
    /// Intents without an outcome, in order.
    pub unfinished: Vec<Unfinished>,
    /// How many bytes at the end of files are not a complete line: a process was stopped while it wrote.
    pub torn: usize,
    /// The first faulty line.
    pub fault: Option<Fault>,
    /// The hashes that were looked for, and the numbers of their lines.
    sought: HashMap<String, Option<u64>>,
}

/// A line that does not belong where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The position of its file among those that were read, from 0.
    pub file: usize,
    /// The number of the line in the file, from 1.
    pub line: u64,
    /// What is wrong.
    pub what: String,
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

/// Verifies a log of one file from its beginning.
///
/// # Errors
/// It can't be read.
pub fn verify(log: impl BufRead) -> io::Result<Report> {
    let mut verifier = Verifier::default();
    verifier.read(log)?;
    Ok(verifier.finish())
}

impl Report {
    /// The number of the line with this hash, if it was looked for and is in the log.
    pub fn line_with(&self, hash: &str) -> Option<u64> {
        self.sought.get(&hash.to_ascii_lowercase()).copied().flatten()
    }

    /// Whether an anchor fits this log; `false` where its line is in an earlier file, which was not read.
    ///
    /// # Errors
    /// The log does not hold the line that was anchored.
    pub fn check_anchor(&self, anchor: &Anchor) -> Result<bool, String> {
        let (seq, hash) = (anchor.seq, anchor.hash.as_str());
        match &self.begins_after {
            Some((before, _)) if seq < *before => return Ok(false),
            Some((before, known)) if seq == *before && known == hash => return Ok(true),
            _ => {}
        }
        match self.line_with(hash) {
            Some(line) if line == seq => Ok(true),
            _ if self.fault.is_some() && seq > self.lines => Err(format!(
                "line {seq}, anchored on {}, was not reached: nothing after line {} was read",
                anchor.time, self.lines
            )),
            _ if seq > self.lines => Err(format!(
                "line {seq} was there on {}, and the log ends with line {}: its end was cut",
                anchor.time, self.lines
            )),
            _ => Err(format!("line {seq} had another hash on {}: the log was written anew", anchor.time)),
        }
    }
}

/// Files in the order in which they were written → a report of all.
#[derive(Debug, Default)]
pub struct Verifier {
    report: Report,
    /// The hash of the last line; none before the first.
    prev: Option<String>,
    open: BTreeMap<u64, Unfinished>,
    /// The first of the torn lines just before, and how many bytes they have: the next complete
    /// line must state that.
    torn: Option<(Fault, usize)>,
    /// The position of the file that is read.
    file: usize,
}

impl Verifier {
    /// Looks for the line with this hash, for [`Report::line_with`] and [`Report::check_anchor`].
    pub fn look_for(&mut self, hash: &str) {
        self.report.sought.insert(hash.to_ascii_lowercase(), None);
    }

    /// Reads the next file. After a fault nothing more is read: nothing behind it is proved.
    ///
    /// # Errors
    /// It can't be read.
    pub fn read(&mut self, log: impl BufRead) -> io::Result<()> {
        self.read_each(log, &mut |_| {})
    }

    /// The same, and gives every call up to the first fault to `each`.
    ///
    /// # Errors
    /// It can't be read.
    pub fn read_each(&mut self, log: impl BufRead, each: &mut dyn FnMut(RecordedCall)) -> io::Result<()> {
        self.read_all(log, &mut |recorded| {
            if let Recorded::Call(call) = recorded {
                each(*call);
            }
        })
    }

    /// The same, with the ends of changes, which are in lines of their own.
    ///
    /// # Errors
    /// It can't be read.
    pub fn read_all(&mut self, mut log: impl BufRead, each: &mut dyn FnMut(Recorded)) -> io::Result<()> {
        let mut number = 0;
        let mut bytes = Vec::new();
        while self.report.fault.is_none() {
            bytes.clear();
            let read = (&mut log).take(LONGEST_LINE as u64).read_until(b'\n', &mut bytes)?;
            if read == 0 {
                break;
            }
            number += 1;
            if bytes.pop_if(|byte| *byte == b'\n').is_none() {
                // Only the end of the file may be torn, not the middle of an endless line.
                if read < LONGEST_LINE {
                    self.report.torn += read;
                } else {
                    self.report.fault = Some(self.fault(number, "it is not a line of an audit log"));
                }
                break;
            }
            match self.add(number, &bytes) {
                Ok(Some(recorded)) => each(recorded),
                Ok(None) => {}
                Err(fault) => self.report.fault = Some(fault),
            }
        }
        self.end_file();
        Ok(())
    }

    /// Returns what was found.
    pub fn finish(mut self) -> Report {
        self.report.unfinished = self.open.into_values().collect();
        self.report
    }

    fn fault(&self, line: u64, what: impl Into<String>) -> Fault {
        Fault { file: self.file, line, what: what.into() }
    }

    /// A torn line in the middle of a file has to be followed by one that says so.
    fn end_file(&mut self) {
        if let Some((fault, _)) = self.torn.take() {
            self.report.fault.get_or_insert(fault);
        }
        self.file += 1;
    }

    /// Adds a line; returns what it records.
    fn add(&mut self, number: u64, bytes: &[u8]) -> Result<Option<Recorded>, Fault> {
        let line = match record::read(bytes) {
            Ok(line) => line,
            Err(what) if record::is_torn(bytes) => {
                let fault = self.fault(number, what);
                let (_, length) = self.torn.get_or_insert((fault, 0));
                *length += bytes.len() + 1;
                return Ok(None);
            }
            Err(what) => return Err(self.fault(number, what)),
        };
        if let Some((fault, length)) = self.torn.take()
            && (line.event != "mended" || line.entries.get("torn_bytes") != Some(&Value::from(length - 1)))
        {
            return Err(fault);
        }
        let recorded = Recorded::of(&line);
        self.link(line).map_err(|what| self.fault(number, what))?;
        Ok(recorded)
    }

    fn link(&mut self, line: RecordLine) -> Result<(), String> {
        // The first line of all may follow one of a file that is not here; which one, it states.
        if self.prev.is_none() && line.event == CONTINUED && line.seq > 1 {
            self.report.begins_after = Some((line.seq - 1, line.prev.clone()));
            self.report.lines = line.seq - 1;
            self.prev = Some(line.prev.clone());
        }
        let prev = self.prev.as_deref().unwrap_or(START);
        let expected = self.report.lines + 1;
        if line.seq != expected || line.prev != prev {
            return Err(format!("it does not follow the line before it: expected number {expected} after `{prev}`"));
        }
        let text = |name: &str| line.entries.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let first = self.report.begins_after.as_ref().map_or(0, |(before, _)| *before);
        match (line.event.as_str(), line.id) {
            ("intent", _) => {
                self.open.insert(line.seq, Unfinished { seq: line.seq, time: text("time"), tool: text("tool") });
            }
            // Its intent is in an earlier file.
            ("outcome", Some(id)) if id <= first && id > 0 => {}
            ("outcome", Some(id)) if self.open.remove(&id).is_some() => {}
            ("outcome", _) => return Err("it is the outcome of no open intent".to_owned()),
            _ => {}
        }
        self.report.lines = line.seq;
        self.report.last = Some((line.seq, text("time"), line.hash.clone()));
        if let Some(found) = self.report.sought.get_mut(&line.hash) {
            *found = Some(line.seq);
        }
        self.prev = Some(line.hash);
        Ok(())
    }
}
