//! A file with a refresh token → the token, read and replaced by one process at a time. The file
//! holds a complete token at any moment and is readable by its owner only.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::{Instant, sleep};

/// How long to wait for another process: longer than one token request takes.
const LOCK_TIMEOUT: Duration = Duration::from_secs(30);
/// How often to try the lock.
const LOCK_INTERVAL: Duration = Duration::from_millis(25);
/// The longest file that is read, in bytes.
const LONGEST: u64 = 64 * 1024;

/// A token file and the variable that names it.
pub(super) struct TokenFile {
    variable: String,
    path: PathBuf,
}

/// A token file that no other process can lock.
pub(super) struct LockedTokenFile<'a> {
    file: &'a TokenFile,
    /// The file itself, where the configured path is a link.
    path: PathBuf,
    /// Unlocked when it is closed, also by the end of the process.
    _lock: File,
}

impl TokenFile {
    pub(super) fn new(variable: String, path: PathBuf) -> Self {
        Self { variable, path }
    }

    pub(super) fn variable(&self) -> &str {
        &self.variable
    }

    fn error(&self, what: &str) -> String {
        format!("`{}` names `{}`, which {what}", self.variable, self.path.display())
    }

    /// Locks the file, waiting for other processes.
    pub(super) async fn lock(&self) -> Result<LockedTokenFile<'_>, String> {
        let path = self.path.canonicalize().map_err(|error| self.error(&format!("can't be read: {error}")))?;
        let beside = beside(&path, "lock");
        let lock = options().create(true).truncate(false).open(&beside);
        let lock = lock.map_err(|error| {
            self.error(&format!("can't be locked: `{}` can't be written: {error}", beside.display()))
        })?;
        let started = Instant::now();
        loop {
            match lock.try_lock() {
                Ok(()) => return Ok(LockedTokenFile { file: self, path, _lock: lock }),
                Err(TryLockError::WouldBlock) if started.elapsed() < LOCK_TIMEOUT => sleep(LOCK_INTERVAL).await,
                Err(TryLockError::WouldBlock) => return Err(self.error("another process holds")),
                Err(TryLockError::Error(error)) => return Err(self.error(&format!("can't be locked: {error}"))),
            }
        }
    }
}

impl LockedTokenFile<'_> {
    /// Reads the token. A newer one that a process received but did not put in place before it
    /// ended is put there first.
    pub(super) fn read(&self) -> Result<String, String> {
        let next = self.next();
        if is_newer(&next, &self.path) {
            self.put_in_place().map_err(|error| self.file.error(&format!("can't be written: {error}")))?;
        }
        let text = content(&self.path).map_err(|error| self.file.error(&format!("can't be read: {error}")))?;
        match text.trim() {
            "" => Err(self.file.error("is empty")),
            token if token.contains(char::is_whitespace) => Err(self.file.error("holds more than a token")),
            token => Ok(token.to_owned()),
        }
    }

    /// Makes sure that a token can be written.
    pub(super) fn prepare(&self) -> Result<(), String> {
        let created = self.open_next().and_then(|file| file.sync_all());
        created.map_err(|error| {
            self.file.error(&format!(
                "can't be replaced: {error}\nhint: the file is rewritten at each use; its folder must be writable"
            ))
        })
    }

    /// Replaces the token.
    pub(super) fn write(&self, token: &str) -> Result<(), String> {
        let written = self.open_next().and_then(|mut file| {
            file.write_all(format!("{token}\n").as_bytes())?;
            file.sync_all()
        });
        written.and_then(|()| self.put_in_place()).map_err(|error| {
            self.file.error(&format!(
                "can't be written: {error}\nhint: the new refresh token is kept until it can, while this process lives"
            ))
        })
    }

    /// Removes what `prepare` created.
    pub(super) fn discard(&self) {
        // A leftover is empty, and `read` ignores it.
        let _ = std::fs::remove_file(self.next());
    }

    /// The file that replaces the present one.
    fn next(&self) -> PathBuf {
        beside(&self.path, "new")
    }

    fn open_next(&self) -> io::Result<File> {
        // A new file, so that its mode is ours.
        match std::fs::remove_file(self.next()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        options().create_new(true).open(self.next())
    }

    fn put_in_place(&self) -> io::Result<()> {
        std::fs::rename(self.next(), &self.path)?;
        // Sync the folder too, so that the rename survives a crash; some systems can't open
        // folders and need no sync.
        if let Some(folder) = self.path.parent().and_then(|folder| File::open(folder).ok()) {
            let _ = folder.sync_all();
        }
        Ok(())
    }
}

/// Write access, for the owner only.
fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(ending);
    path.with_file_name(name)
}

fn content(path: &Path) -> io::Result<String> {
    if std::fs::metadata(path)?.len() > LONGEST {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is too long for a token"));
    }
    std::fs::read_to_string(path)
}

/// Whether `next` holds a complete token that is newer than the present one.
fn is_newer(next: &Path, present: &Path) -> bool {
    let complete = content(next).is_ok_and(|text| text.ends_with('\n') && !text.trim().is_empty());
    let time = |path: &Path| std::fs::metadata(path).and_then(|data| data.modified()).ok();
    complete && time(next) >= time(present)
}
