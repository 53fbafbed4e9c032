//! Calls → a log of JSON Lines that is only appended to. Each line holds the hash of the line
//! before it, so that changed and missing lines are detected. A call that changes something is
//! logged twice: its intent before anything is sent, its outcome afterwards. Of an intent without
//! an outcome the result is unknown.
//!
//! Lines end with `"prev":"…","hash":"…"}`; the hash is the SHA-256 of the line's text with `}` in
//! place of `,"hash":"…"}`. Bytes are hashed, so that a checker need not format JSON as we do.

mod record;
mod verify;

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::error::{ConfigError, Outcome};
use record::START;
pub use verify::{Report, Unfinished, verify};

/// How much of the end of a file is read to continue it, in bytes: many times the longest line.
const TAIL: u64 = 512 * 1024;

/// An audit log, written by one process at a time.
#[derive(Debug)]
pub struct Audit {
    path: PathBuf,
    log: Mutex<LogFile>,
}

#[derive(Debug)]
struct LogFile {
    file: File,
    /// The hash of the last complete line.
    prev: String,
    /// The number of the last complete line.
    seq: u64,
    /// Where the last complete line ends; none in a pipe or device, which has no length.
    end: Option<u64>,
}

/// A call, as it is known before it is sent.
#[derive(Debug, Clone, Default)]
pub(crate) struct CallDetails {
    /// The client program, as it names itself.
    pub client: Option<String>,
    /// The vendor's id.
    pub vendor: String,
    /// Scheme, host and port of the vendor's address.
    pub site: Option<String>,
    /// The settings of the call, such as the tenant it acts for, by their titles.
    pub settings: BTreeMap<String, String>,
    /// The tool's name.
    pub tool: String,
    /// The vendor's operation, once it is known.
    pub operation: Option<String>,
    /// The tool's effect.
    pub effect: Option<&'static str>,
    /// The arguments, secrets masked.
    pub arguments: Map<String, Value>,
    /// The decision: `allowed`, `refused`, `invalid`, `planned`.
    pub decision: &'static str,
}

/// How a call ended.
#[derive(Debug, Clone)]
pub(crate) struct CallEnd {
    /// The stage at which it ended.
    pub outcome: Outcome,
    /// The vendor's status.
    pub status: Option<u16>,
    /// The vendor's own id of the request.
    pub request_id: Option<String>,
    /// How long it took.
    pub duration: Duration,
}

impl Audit {
    /// Opens a log to continue it, or creates one; only its owner can read it.
    ///
    /// # Errors
    /// The file can't be written, is not an audit log, or is in use by another process.
    pub fn open(path: &Path) -> Result<Self, ConfigError> {
        let shown = path.display();
        let wrong = |what: String| ConfigError::new(format!("`--audit {shown}` {what}"));
        let mut options = OpenOptions::new();
        options.append(true).read(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path).map_err(|error| wrong(format!("can't be opened: {error}")))?;
        let metadata = file.metadata().map_err(|error| wrong(format!("can't be read: {error}")))?;
        let mut log = if metadata.is_file() {
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    return Err(wrong(
                        "is in use by another toolwright\nhint: give each server a log of its own".to_owned(),
                    ));
                }
                Err(TryLockError::Error(error)) => return Err(wrong(format!("can't be locked: {error}"))),
            }
            restrict(&file).map_err(|error| wrong(format!("can't be made private: {error}")))?;
            let (prev, seq, end) = last_line(&mut file, metadata.len()).map_err(wrong)?;
            LogFile { file, prev, seq, end: Some(end) }
        } else {
            LogFile { file, prev: START.to_owned(), seq: 0, end: None }
        };
        log.mend().map_err(|error| wrong(format!("can't be written: {error}")))?;
        Ok(Self { path: path.to_owned(), log: Mutex::new(log) })
    }

    /// Returns the path of the log.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Logs that a call is about to be sent and syncs the line to disk; returns the id for its
    /// outcome.
    ///
    /// # Errors
    /// The line can't be written: the call must not be sent.
    pub(crate) fn intent(&self, call: &CallDetails) -> io::Result<u64> {
        let mut log = self.log();
        let id = log.append("intent", None, record::details(call))?;
        log.file.sync_data().or_else(unsupported)?;
        Ok(id)
    }

    /// Logs the outcome of the call whose intent has this id.
    ///
    /// # Errors
    /// The line can't be written.
    pub(crate) fn outcome(&self, id: u64, call: &CallDetails, end: &CallEnd) -> io::Result<()> {
        let mut entries = Map::new();
        entries.insert("tool".to_owned(), json!(call.tool));
        entries.extend(record::outcome(end));
        self.log().append("outcome", Some(id), entries).map(drop)
    }

    /// Logs a call and its outcome in one line.
    ///
    /// # Errors
    /// The line can't be written.
    pub(crate) fn call(&self, call: &CallDetails, end: &CallEnd) -> io::Result<()> {
        let mut entries = record::details(call);
        entries.extend(record::outcome(end));
        self.log().append("call", None, entries).map(drop)
    }

    fn log(&self) -> std::sync::MutexGuard<'_, LogFile> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LogFile {
    fn append(&mut self, event: &str, id: Option<u64>, entries: Map<String, Value>) -> io::Result<u64> {
        self.mend()?;
        self.write("", event, id, entries)
    }

    /// Ends a line that was only partly written, and logs its length in the next one.
    fn mend(&mut self) -> io::Result<()> {
        let Some(end) = self.end else { return Ok(()) };
        let torn = self.file.metadata()?.len().saturating_sub(end);
        if torn > 0 {
            let entries = Map::from_iter([("torn_bytes".to_owned(), json!(torn))]);
            self.write("\n", "mended", None, entries)?;
            self.end = self.end.map(|end| end + torn);
        }
        Ok(())
    }

    /// Writes `before` and a line in one call of the system, so that lines are torn at the end only.
    fn write(&mut self, before: &str, event: &str, id: Option<u64>, entries: Map<String, Value>) -> io::Result<u64> {
        let seq = self.seq + 1;
        let (text, hash) = record::write(seq, event, id, entries, &self.prev);
        let text = before.to_owned() + &text;
        self.file.write_all(text.as_bytes())?;
        self.prev = hash;
        self.seq = seq;
        self.end = self.end.map(|end| end + text.len() as u64);
        Ok(seq)
    }
}

/// Ignores that a pipe or a terminal can't be synced.
fn unsupported(error: io::Error) -> io::Result<()> {
    match error.kind() {
        io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported => Ok(()),
        _ => Err(error),
    }
}

/// Makes the file private: arguments may be confidential.
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

/// Returns hash and number of the last complete line, and where it ends.
fn last_line(file: &mut File, length: u64) -> Result<(String, u64, u64), String> {
    let not_a_log = || {
        "exists and is not an audit log of toolwright, or its last line was changed\n\
         hint: `toolwright audit verify` shows which; name another file to begin a new log"
            .to_owned()
    };
    let from = length.saturating_sub(TAIL);
    let mut tail = Vec::new();
    file.seek(SeekFrom::Start(from)).map_err(|error| format!("can't be read: {error}"))?;
    file.read_to_end(&mut tail).map_err(|error| format!("can't be read: {error}"))?;
    // After the last complete line there may be torn ones, but no changed ones.
    let mut end = tail.len();
    loop {
        let Some(newline) = tail[..end].iter().rposition(|byte| *byte == b'\n') else {
            // Valid only as the torn beginning of a first line.
            let begun = tail.iter().zip(record::BEGINNING.bytes()).all(|(have, expected)| *have == expected);
            return if begun && from == 0 { Ok((START.to_owned(), 0, 0)) } else { Err(not_a_log()) };
        };
        let begin = tail[..newline].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let bytes = &tail[begin..newline];
        match record::read(bytes) {
            Ok(line) => return Ok((line.hash, line.seq, from + newline as u64 + 1)),
            Err(_) if record::is_torn(bytes) => end = begin,
            Err(_) => return Err(not_a_log()),
        }
    }
}
