//! What was learned ⇄ its file: readable by its owner only, complete at any moment, written by one process at a time.

use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use crate::owner_file::{beside, options};
use toolwright_model::answers::Learned;

/// The longest file that is read, in bytes: more than the longest that is written.
const LONGEST: u64 = 4 * 1024 * 1024;

/// The file.
#[derive(Debug)]
pub(super) struct Store {
    path: PathBuf,
    /// Whether the last write failed, which is reported once.
    failed: bool,
    /// Unlocked when it is closed, also by the end of the process.
    _lock: File,
}

impl Store {
    /// Opens the file and returns what it holds.
    ///
    /// # Errors
    /// The end of a sentence that begins with the flag.
    pub(super) fn open(path: PathBuf) -> Result<(Self, Learned), String> {
        let beside = beside(&path, "lock");
        let opened = options().create(true).truncate(false).open(&beside);
        let lock =
            opened.map_err(|error| format!("can't be locked: `{}` can't be written: {error}", beside.display()))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err("is in use by another toolwright\nhint: give each server a file of its own".to_owned());
            }
            Err(TryLockError::Error(error)) => return Err(format!("can't be locked: {error}")),
        }
        let learned = read(&path)?;
        let store = Self { path, failed: false, _lock: lock };
        // A folder that can't be written to is found now, not after the first answer.
        store.replace(&learned.text()).map_err(|error| format!("can't be written: {error}"))?;
        Ok((store, learned))
    }

    /// Writes the file anew. A failure is logged; the next write tries again.
    pub(super) fn write(&mut self, learned: &Learned) {
        match self.replace(&learned.text()) {
            Ok(()) => self.failed = false,
            Err(error) => {
                if !std::mem::replace(&mut self.failed, true) {
                    tracing::error!("the file `{}` of `--learn` can't be written: {error}", self.path.display());
                }
            }
        }
    }

    fn replace(&self, text: &str) -> io::Result<()> {
        let next = beside(&self.path, "new");
        // A new file, so that its mode is ours.
        match std::fs::remove_file(&next) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = options().create_new(true).open(&next)?;
        file.write_all(text.as_bytes())?;
        file.sync_data()?;
        std::fs::rename(&next, &self.path)
    }
}

fn read(path: &Path) -> Result<Learned, String> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Learned::default()),
        Err(error) => return Err(format!("can't be read: {error}")),
    };
    let is_file = file.metadata().is_ok_and(|metadata| metadata.is_file());
    if !is_file {
        return Err("is no file".to_owned());
    }
    let mut text = String::new();
    let hint = "hint: name another file to begin a new one";
    file.take(LONGEST).read_to_string(&mut text).map_err(|error| format!("can't be read: {error}\n{hint}"))?;
    Learned::parse(&text).map_err(|error| format!("can't be continued: {error}\n{hint}"))
}
