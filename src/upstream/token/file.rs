//! The file that holds a refresh token: read and replaced by one process at a time. At every
//! moment it holds a whole token, and nobody but its owner can read what we write.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::{Instant, sleep};

/// How long another process may hold the file: longer than one request for a token takes.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often to look whether it is free.
const LOOK: Duration = Duration::from_millis(25);
/// The longest token.
const LONGEST: u64 = 64 * 1024;

/// The file, by the variable that names it.
pub(super) struct TokenFile {
    variable: String,
    path: PathBuf,
}

/// The file while nobody else touches it.
pub(super) struct Locked<'a> {
    file: &'a TokenFile,
    /// The file itself, where `path` is a link.
    path: PathBuf,
    /// Free again when it is closed, also by the end of the process.
    _lock: File,
}

impl TokenFile {
    pub(super) fn new(variable: String, path: PathBuf) -> Self {
        Self { variable, path }
    }

    pub(super) fn variable(&self) -> &str {
        &self.variable
    }

    fn wrong(&self, what: &str) -> String {
        format!("`{}` names `{}`, which {what}", self.variable, self.path.display())
    }

    /// Waits until no other process uses the file.
    pub(super) async fn lock(&self) -> Result<Locked<'_>, String> {
        let path = self.path.canonicalize().map_err(|error| self.wrong(&format!("can't be read: {error}")))?;
        let beside = beside(&path, "lock");
        let lock = options().create(true).truncate(false).open(&beside);
        let lock = lock.map_err(|error| {
            self.wrong(&format!("can't be locked: `{}` can't be written: {error}", beside.display()))
        })?;
        let started = Instant::now();
        loop {
            match lock.try_lock() {
                Ok(()) => return Ok(Locked { file: self, path, _lock: lock }),
                Err(TryLockError::WouldBlock) if started.elapsed() < PATIENCE => sleep(LOOK).await,
                Err(TryLockError::WouldBlock) => return Err(self.wrong("another process holds")),
                Err(TryLockError::Error(error)) => return Err(self.wrong(&format!("can't be locked: {error}"))),
            }
        }
    }
}

impl Locked<'_> {
    /// Reads the token. One that a process had received and not put in place when it ended is
    /// put there first.
    pub(super) fn read(&self) -> Result<String, String> {
        let next = self.next();
        if received_later(&next, &self.path) {
            self.put_in_place().map_err(|error| self.file.wrong(&format!("can't be written: {error}")))?;
        }
        let text = content(&self.path).map_err(|error| self.file.wrong(&format!("can't be read: {error}")))?;
        match text.trim() {
            "" => Err(self.file.wrong("is empty")),
            token if token.contains(char::is_whitespace) => Err(self.file.wrong("holds more than a token")),
            token => Ok(token.to_owned()),
        }
    }

    /// Makes sure that a token can be written.
    pub(super) fn prepare(&self) -> Result<(), String> {
        let made = self.open_next().and_then(|file| file.sync_all());
        made.map_err(|error| {
            self.file.wrong(&format!(
                "can't be replaced: {error}\nhint: the file is rewritten at each use; its folder must be writable"
            ))
        })
    }

    /// Puts a token in the place of the one that is there.
    pub(super) fn write(&self, token: &str) -> Result<(), String> {
        let written = self.open_next().and_then(|mut file| {
            file.write_all(format!("{token}\n").as_bytes())?;
            file.sync_all()
        });
        written.and_then(|()| self.put_in_place()).map_err(|error| {
            self.file.wrong(&format!(
                "can't be written: {error}\nhint: the new refresh token is kept until it can, while this process lives"
            ))
        })
    }

    /// Takes away what was made ready and is not needed.
    pub(super) fn discard(&self) {
        // One that stays is empty, and nobody takes it for a token.
        let _ = std::fs::remove_file(self.next());
    }

    /// The file that takes the place of the other.
    fn next(&self) -> PathBuf {
        beside(&self.path, "new")
    }

    fn open_next(&self) -> io::Result<File> {
        // Made anew, so that its mode is ours.
        match std::fs::remove_file(self.next()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        options().create_new(true).open(self.next())
    }

    fn put_in_place(&self) -> io::Result<()> {
        std::fs::rename(self.next(), &self.path)?;
        // The folder's entry is to outlive the machine's end too; where a folder can't be
        // opened, the system sees to that.
        if let Some(folder) = self.path.parent().and_then(|folder| File::open(folder).ok()) {
            let _ = folder.sync_all();
        }
        Ok(())
    }
}

/// To write, for the owner only.
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

/// Whether `next` holds a whole token that is newer than what is in its place.
fn received_later(next: &Path, present: &Path) -> bool {
    let whole = content(next).is_ok_and(|text| text.ends_with('\n') && !text.trim().is_empty());
    let time = |path: &Path| std::fs::metadata(path).and_then(|data| data.modified()).ok();
    whole && time(next) >= time(present)
}
