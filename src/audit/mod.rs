//! The record of calls: a file of JSON lines that is only ever appended to. Each line holds the
//! hash of the one before it, so that a change or a gap shows. A changing call writes what it is
//! about to do before anything is sent, and what came of it afterwards; an intent without an
//! outcome is a call of which nobody knows.
//!
//! The lines end with `"prev":"…","hash":"…"}`; the hash is the SHA-256 of the line's text with
//! `}` in place of `,"hash":"…"}`. What is hashed are bytes, so no other program has to write JSON
//! as we do in order to check.

mod line;
mod verify;

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::error::{ConfigError, Outcome};
pub use line::START;
pub use verify::{Report, Unfinished, verify};

/// How much of the end of a file is read to continue it: many times the longest line.
const TAIL: u64 = 512 * 1024;

/// A record that is written to; one process at a time.
#[derive(Debug)]
pub struct Audit {
    path: PathBuf,
    writer: Mutex<Writer>,
}

#[derive(Debug)]
struct Writer {
    file: File,
    /// The hash of the last whole line.
    prev: String,
    /// The number of the last whole line.
    seq: u64,
    /// Where the last whole line ends; `None` where the file is none that can be measured.
    end: Option<u64>,
}

/// What is known of a call before it is made.
#[derive(Debug, Clone, Default)]
pub struct About {
    /// The program that calls, by its own word.
    pub client: Option<String>,
    /// The vendor's id.
    pub vendor: String,
    /// Scheme, host and port of the vendor's address.
    pub site: Option<String>,
    /// For whom the vendor acts, by the settings' titles.
    pub settings: BTreeMap<String, String>,
    /// The tool's name.
    pub tool: String,
    /// The vendor's operation.
    pub operation: Option<String>,
    /// The tool's effect.
    pub effect: Option<&'static str>,
    /// The arguments, secrets masked.
    pub arguments: Map<String, Value>,
    /// What was decided: `allowed`, `refused`, `invalid`, `planned`.
    pub decision: &'static str,
}

/// What came of a call.
#[derive(Debug, Clone)]
pub struct End {
    /// By stage.
    pub outcome: Outcome,
    /// The vendor's status.
    pub status: Option<u16>,
    /// The vendor's own id of the request.
    pub request_id: Option<String>,
    /// How long it took.
    pub duration: Duration,
}

impl Audit {
    /// Opens the record to continue it, or begins one; nobody but its owner can read it.
    ///
    /// # Errors
    /// It can't be written, is no record, or another process writes it.
    pub fn open(path: &Path) -> Result<Self, ConfigError> {
        let shown = path.display();
        let wrong = |what: String| ConfigError::new(format!("`--audit {shown}` {what}"));
        let mut options = OpenOptions::new();
        options.append(true).read(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path).map_err(|error| wrong(format!("can't be opened: {error}")))?;
        let metadata = file.metadata().map_err(|error| wrong(format!("can't be read: {error}")))?;
        let mut writer = if metadata.is_file() {
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    return Err(wrong(
                        "is written by another toolwright\nhint: give each server a record of its own".to_owned(),
                    ));
                }
                Err(TryLockError::Error(error)) => return Err(wrong(format!("can't be locked: {error}"))),
            }
            restrict(&file).map_err(|error| wrong(format!("can't be kept from others: {error}")))?;
            let (prev, seq, end) = last_line(&mut file, metadata.len()).map_err(wrong)?;
            Writer { file, prev, seq, end: Some(end) }
        } else {
            Writer { file, prev: START.to_owned(), seq: 0, end: None }
        };
        writer.mend().map_err(|error| wrong(format!("can't be written: {error}")))?;
        Ok(Self { path: path.to_owned(), writer: Mutex::new(writer) })
    }

    /// Where the record is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Records that a call is about to be made; returns the id for its outcome. When this
    /// returns, the line is on the disk.
    ///
    /// # Errors
    /// It can't be written: the call must not be made.
    pub fn intent(&self, about: &About) -> io::Result<u64> {
        let mut writer = self.writer();
        let id = writer.append("intent", None, line::about(about))?;
        writer.file.sync_data().or_else(unsupported)?;
        Ok(id)
    }

    /// Records what came of the call with this id.
    ///
    /// # Errors
    /// It can't be written.
    pub fn outcome(&self, id: u64, about: &About, end: &End) -> io::Result<()> {
        let mut entries = Map::new();
        entries.insert("tool".to_owned(), json!(about.tool));
        entries.extend(line::end(end));
        self.writer().append("outcome", Some(id), entries).map(drop)
    }

    /// Records a whole call in one line.
    ///
    /// # Errors
    /// It can't be written.
    pub fn call(&self, about: &About, end: &End) -> io::Result<()> {
        let mut entries = line::about(about);
        entries.extend(line::end(end));
        self.writer().append("call", None, entries).map(drop)
    }

    fn writer(&self) -> std::sync::MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Writer {
    fn append(&mut self, event: &str, id: Option<u64>, entries: Map<String, Value>) -> io::Result<u64> {
        self.mend()?;
        self.put("", event, id, entries)
    }

    /// Sets a line apart that was not written to its end, and says so in the next one.
    fn mend(&mut self) -> io::Result<()> {
        let Some(end) = self.end else { return Ok(()) };
        let torn = self.file.metadata()?.len().saturating_sub(end);
        if torn > 0 {
            let entries = Map::from_iter([("torn_bytes".to_owned(), json!(torn))]);
            self.put("\n", "mended", None, entries)?;
            self.end = self.end.map(|end| end + torn);
        }
        Ok(())
    }

    /// Writes a line, all of it at once, behind `before`.
    fn put(&mut self, before: &str, event: &str, id: Option<u64>, entries: Map<String, Value>) -> io::Result<u64> {
        let seq = self.seq + 1;
        let (text, hash) = line::write(seq, event, id, entries, &self.prev);
        let text = before.to_owned() + &text;
        self.file.write_all(text.as_bytes())?;
        self.prev = hash;
        self.seq = seq;
        self.end = self.end.map(|end| end + text.len() as u64);
        Ok(seq)
    }
}

/// A pipe or a terminal has nothing to sync.
fn unsupported(error: io::Error) -> io::Result<()> {
    match error.kind() {
        io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported => Ok(()),
        _ => Err(error),
    }
}

/// Only the owner may read what was called with which arguments.
fn restrict(file: &File) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let permissions = file.metadata()?.permissions();
        if permissions.mode() & 0o077 != 0 {
            file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
        }
    }
    #[cfg(not(unix))]
    let _ = file;
    Ok(())
}

/// The hash and the number of the last whole line, and where it ends.
fn last_line(file: &mut File, length: u64) -> Result<(String, u64, u64), String> {
    let no_record = || {
        "exists and is no record of toolwright, or its last line was changed\n\
         hint: `toolwright audit verify` says more; name another file to begin a new record"
            .to_owned()
    };
    let from = length.saturating_sub(TAIL);
    let mut tail = Vec::new();
    file.seek(SeekFrom::Start(from)).map_err(|error| format!("can't be read: {error}"))?;
    file.read_to_end(&mut tail).map_err(|error| format!("can't be read: {error}"))?;
    // Behind the last whole line there may be torn ones, never changed ones.
    let mut end = tail.len();
    loop {
        let Some(newline) = tail[..end].iter().rposition(|byte| *byte == b'\n') else {
            // Nothing but the torn beginning of a first line, perhaps.
            let begun = tail.iter().zip(line::BEGINNING.bytes()).all(|(have, expected)| *have == expected);
            return if begun && from == 0 { Ok((START.to_owned(), 0, 0)) } else { Err(no_record()) };
        };
        let begin = tail[..newline].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let bytes = &tail[begin..newline];
        match line::read(bytes) {
            Ok(line) => return Ok((line.hash, line.seq, from + newline as u64 + 1)),
            Err(_) if line::is_torn(bytes) => end = begin,
            Err(_) => return Err(no_record()),
        }
    }
}
