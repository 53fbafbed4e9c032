//! Lines → the end of a file that others may move, empty or delete while it is written. That is noticed before each
//! line: the chain then goes on in a new file, whose first line names the end of the one before.

use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use serde_json::{Map, Value, json};

use super::record::{self, CONTINUED, START};
use crate::owner_file;

/// How much of the end of a file is read to continue it, in bytes: many times the longest line.
const TAIL: u64 = 512 * 1024;

/// A log file that this process alone writes.
#[derive(Debug)]
pub(super) struct LogFile {
    file: File,
    /// The hash of the last complete line.
    prev: String,
    /// The number of the last complete line.
    seq: u64,
    /// Where the last complete line ends; none in a pipe or device, which has no length.
    end: Option<u64>,
    /// Why the file does not begin with the chain's first line, until its own first line says so.
    continues: Option<Break>,
}

/// What became of the file with the lines before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Break {
    /// It has another name now, as after a rotation.
    Moved,
    /// It has no name any more.
    Deleted,
    /// It has no content any more, as where a rotation copies and empties.
    Emptied,
    /// Its end is missing.
    Cut,
}

impl Break {
    fn word(self) -> &'static str {
        match self {
            Self::Moved => "moved",
            Self::Deleted => "deleted",
            Self::Emptied => "emptied",
            Self::Cut => "cut",
        }
    }
}

/// Why a file can't be a log.
#[derive(Debug, thiserror::Error)]
pub(super) enum OpenError {
    #[error("can't be {0}: {1}")]
    Io(&'static str, io::Error),
    #[error("is in use by another toolwright\nhint: give each server a log of its own")]
    InUse,
    #[error(
        "exists and is not an audit log of toolwright, or its last line was changed\n\
         hint: `toolwright audit verify` shows which; name another file to begin a new log"
    )]
    NoLog,
}

impl LogFile {
    /// Opens a log to continue it, or creates one.
    pub(super) fn open(path: &Path) -> Result<Self, OpenError> {
        let mut file = open(path).map_err(|error| OpenError::Io("opened", error))?;
        let metadata = file.metadata().map_err(|error| OpenError::Io("read", error))?;
        let mut log = if metadata.is_file() {
            lock(&file)?;
            let (prev, seq, end) = last_line(&mut file, metadata.len())?;
            Self { file, prev, seq, end: Some(end), continues: None }
        } else {
            Self { file, prev: START.to_owned(), seq: 0, end: None, continues: None }
        };
        log.mend().map_err(|error| OpenError::Io("written", error))?;
        Ok(log)
    }

    /// Appends a line to the file that is at `path` now; returns its number.
    pub(super) fn append(
        &mut self,
        path: &Path,
        event: &str,
        id: Option<u64>,
        entries: Map<String, Value>,
    ) -> io::Result<u64> {
        self.follow(path)?;
        self.mend()?;
        self.write("", event, id, entries)
    }

    /// The hash of the last line.
    pub(super) fn last_hash(&self) -> &str {
        &self.prev
    }

    /// Writes what was appended to the disk.
    pub(super) fn sync(&self) -> io::Result<()> {
        match self.file.sync_data().map_err(|error| (error.kind(), error)) {
            // A pipe or a terminal can't be synced.
            Err((io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported, _)) | Ok(()) => Ok(()),
            Err((_, error)) => Err(error),
        }
    }

    /// Goes on in a new file where the present one is no longer at `path`, or has lost lines.
    pub(super) fn follow(&mut self, path: &Path) -> io::Result<()> {
        let Some(end) = self.end else { return Ok(()) };
        if let Some(gone) = self.moved(path)? {
            self.go_on_in(path, gone)?;
        } else {
            let length = self.file.metadata()?.len();
            // Behind the end of a cut file, our own line would be taken for the one that follows.
            if length < end {
                self.report(path, if length == 0 { Break::Emptied } else { Break::Cut });
                self.end = Some(length);
            }
        }
        self.write_continued()
    }

    /// Returns what became of the file where `path` does not lead to it any more.
    fn moved(&self, path: &Path) -> io::Result<Option<Break>> {
        let there = match path.metadata() {
            Ok(there) => Some(there),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt as _;
            let ours = self.file.metadata()?;
            if there.is_some_and(|there| (there.dev(), there.ino()) == (ours.dev(), ours.ino())) {
                return Ok(None);
            }
            Ok(Some(if ours.nlink() == 0 { Break::Deleted } else { Break::Moved }))
        }
        #[cfg(not(unix))]
        Ok(there.is_none().then_some(Break::Moved))
    }

    fn go_on_in(&mut self, path: &Path, gone: Break) -> io::Result<()> {
        let refused = |error: OpenError| match error {
            OpenError::Io(_, error) => error,
            OpenError::InUse => io::Error::other("another toolwright writes the file that has taken its place"),
            OpenError::NoLog => io::Error::other(
                "a file that does not continue it has taken its place; once that is moved away, a new one is begun",
            ),
        };
        let mut file = open(path)?;
        lock(&file).map_err(refused)?;
        let length = file.metadata()?.len();
        if length == 0 {
            self.file = file;
            self.end = Some(0);
            self.report(path, gone);
            return Ok(());
        }
        // The same lines in another file, as an editor or a restored copy leaves them.
        let (prev, seq, end) = last_line(&mut file, length).map_err(refused)?;
        if (prev.as_str(), seq) != (self.prev.as_str(), self.seq) {
            return Err(refused(OpenError::NoLog));
        }
        self.file = file;
        self.end = Some(end);
        Ok(())
    }

    /// Remembers, and says in the program's own log, that the file has another beginning than the chain.
    fn report(&mut self, path: &Path, found: Break) {
        let path = path.display();
        match found {
            Break::Moved => tracing::info!("the audit log `{path}` was moved; it goes on in a new file"),
            found => tracing::error!(
                "the audit log `{path}` was {}: its lines up to {} are not there any more, and the next one says so",
                found.word(),
                self.seq
            ),
        }
        self.continues = Some(found);
    }

    /// Writes the line by which a file follows the lines that are not in it.
    fn write_continued(&mut self) -> io::Result<()> {
        // A chain without a line has nothing to continue.
        let Some(found) = self.continues.filter(|_| self.seq > 0) else {
            self.continues = None;
            return Ok(());
        };
        let end = self.end.unwrap_or_default();
        // What is behind the end is our own line of an earlier try.
        if self.file.metadata()?.len() > end {
            self.file.set_len(end)?;
        }
        let before = if end == 0 { "" } else { "\n" };
        let entries = Map::from_iter([("earlier_file".to_owned(), json!(found.word()))]);
        self.write(before, CONTINUED, None, entries)?;
        self.continues = None;
        Ok(())
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

/// Opens a file to append to it, or creates one that only its owner can read.
fn open(path: &Path) -> io::Result<File> {
    owner_file::options().append(true).read(true).create(true).open(path)
}

/// Makes sure that no other process writes the file, and that only its owner reads it.
fn lock(file: &File) -> Result<(), OpenError> {
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(OpenError::InUse),
        Err(TryLockError::Error(error)) => return Err(OpenError::Io("locked", error)),
    }
    restrict(file).map_err(|error| OpenError::Io("made private", error))
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
fn last_line(file: &mut File, length: u64) -> Result<(String, u64, u64), OpenError> {
    let unreadable = |error| OpenError::Io("read", error);
    let from = length.saturating_sub(TAIL);
    let mut tail = Vec::new();
    file.seek(SeekFrom::Start(from)).map_err(unreadable)?;
    file.read_to_end(&mut tail).map_err(unreadable)?;
    // After the last complete line there may be torn ones, but no changed ones.
    let mut end = tail.len();
    loop {
        let Some(newline) = tail[..end].iter().rposition(|byte| *byte == b'\n') else {
            // Valid only as the torn beginning of a first line.
            let begun = tail.iter().zip(record::BEGINNING.bytes()).all(|(have, expected)| *have == expected);
            return if begun && from == 0 { Ok((START.to_owned(), 0, 0)) } else { Err(OpenError::NoLog) };
        };
        let begin = tail[..newline].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let bytes = &tail[begin..newline];
        match record::read(bytes) {
            Ok(line) => return Ok((line.hash, line.seq, from + newline as u64 + 1)),
            Err(_) if record::is_torn(bytes) => end = begin,
            Err(_) => return Err(OpenError::NoLog),
        }
    }
}
