//! A file with a refresh token → the token, read and replaced by one process at a time. The file
//! holds a complete token at any moment and is readable by its owner only. The room for the next
//! token is written to the disk before the present one is spent.

use std::fs::{File, TryLockError};
use std::io::{self, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::owner_file::{beside, options};
use crate::upstream::named_file::named_file;

/// How long to wait for another process: longer than one token request takes.
const LOCK_TIMEOUT: Duration = Duration::from_secs(30);
/// How often to try the lock.
const LOCK_INTERVAL: Duration = Duration::from_millis(25);
/// The longest file that is read, in bytes.
const LONGEST: u64 = 64 * 1024;
/// The room for the next token, in bytes: several times what vendors issue.
const ROOM: usize = 16 * 1024;
/// What fills the room: no token has it.
const FILLER: u8 = b' ';

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
        format!("{}, which {what}", named_file(&self.variable, &self.path))
    }

    /// Reads the token that a person put into the file, where successors of it are elsewhere.
    pub(super) fn read(&self) -> Result<String, String> {
        self.read_at(&self.path)
    }

    fn read_at(&self, path: &Path) -> Result<String, String> {
        let text = content(path).map_err(|error| self.error(&format!("can't be read: {error}")))?;
        match text.trim() {
            "" => Err(self.error("is empty")),
            token if token.contains(char::is_whitespace) => Err(self.error("holds more than a token")),
            token => Ok(token.to_owned()),
        }
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
        self.file.read_at(&self.path)
    }

    /// Writes the room for the next token to the disk. Without it, the present one must not be spent: a disk may
    /// be full by the time the next one arrives.
    pub(super) fn reserve(&self) -> Result<Reservation<'_>, String> {
        let reserved = self.open_next().and_then(|mut file| {
            file.write_all(&[FILLER; ROOM])?;
            file.sync_all()?;
            Ok(file)
        });
        let file = reserved.map_err(|error| {
            let _ = std::fs::remove_file(self.next());
            self.file.error(&format!(
                "can't be replaced: {error}\nhint: the file is rewritten at each use; its folder must be writable, and its \
                 disk must have room"
            ))
        })?;
        self.sync_folder();
        Ok(Reservation { locked: self, file, unused: true })
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
        self.sync_folder();
        Ok(())
    }

    /// Syncs the folder, so that new names survive a crash; some systems can't open folders and need no sync.
    fn sync_folder(&self) {
        if let Some(folder) = self.path.parent().and_then(|folder| File::open(folder).ok()) {
            let _ = folder.sync_all();
        }
    }
}

/// Room on the disk for a token.
pub(super) struct Reservation<'a> {
    locked: &'a LockedTokenFile<'a>,
    file: File,
    /// Nothing is in it.
    unused: bool,
}

impl Reservation<'_> {
    /// Replaces the token in the file, without a need for more room.
    pub(super) fn write(mut self, token: &str) -> Result<(), String> {
        // From here on, what is there may be all that is left of the token.
        self.unused = false;
        self.fill(token).and_then(|()| self.locked.put_in_place()).map_err(|error| {
            self.locked.file.error(&format!(
                "can't be written: {error}\nhint: the new refresh token is kept until it can, while this process lives"
            ))
        })
    }

    fn fill(&mut self, token: &str) -> io::Result<()> {
        let line = format!("{token}\n");
        self.file.rewind()?;
        self.file.write_all(line.as_bytes())?;
        // Only then the rest is given up: what is behind a whole line is known to be filler.
        self.file.sync_all()?;
        self.file.set_len(line.len() as u64)?;
        self.file.sync_all()
    }
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        if self.unused {
            // A leftover holds no token, and `read` ignores it.
            let _ = std::fs::remove_file(self.locked.next());
        }
    }
}

fn content(path: &Path) -> io::Result<String> {
    if std::fs::metadata(path)?.len() > LONGEST {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is too long for a token"));
    }
    std::fs::read_to_string(path)
}

/// Whether `next` holds a complete token that is newer than the present one.
fn is_newer(next: &Path, present: &Path) -> bool {
    let time = |path: &Path| std::fs::metadata(path).and_then(|data| data.modified()).ok();
    content(next).is_ok_and(|text| is_complete(&text)) && time(next) >= time(present)
}

/// Whether a file holds a token that was written to its end: a line of its own, and no more than what is left of its room.
fn is_complete(text: &str) -> bool {
    text.split_once('\n').is_some_and(|(token, rest)| {
        !token.is_empty() && !token.contains(char::is_whitespace) && rest.bytes().all(|byte| byte == FILLER)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A token file in a folder of its own.
    fn token_file(test: &str, token: &str) -> (TokenFile, PathBuf) {
        let folder = std::env::temp_dir().join(format!("toolwright-token-{test}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("token");
        std::fs::write(&path, token).unwrap();
        (TokenFile::new("X_FILE".to_owned(), path), folder)
    }

    #[tokio::test]
    async fn room_for_a_token_is_on_the_disk_before_it_is_needed() {
        let (file, folder) = token_file("room", "old");
        let locked = file.lock().await.unwrap();
        let reservation = locked.reserve().unwrap();
        let next = std::fs::metadata(locked.next()).unwrap();
        assert_eq!(next.len(), ROOM as u64);
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt as _;
            assert!(next.blocks() * 512 >= ROOM as u64, "{} blocks", next.blocks());
        }
        assert_eq!(locked.read().as_deref(), Ok("old"), "room is no token");
        let token = "t".repeat(6_000);
        reservation.write(&token).unwrap();
        assert_eq!(std::fs::read_to_string(folder.join("token")).unwrap(), format!("{token}\n"));
        drop(locked.reserve().unwrap());
        assert!(!locked.next().exists(), "room that was not used is given back");
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_token_is_complete_with_its_line() {
        for (text, complete) in [
            ("token\n", true),
            ("token\n      ", true),
            ("token", false),
            ("", false),
            ("\n", false),
            ("      ", false),
            ("tok   \n   ", false),
            ("token      ", false),
            ("token\nmore", false),
        ] {
            assert_eq!(is_complete(text), complete, "{text:?}");
        }
    }

    #[tokio::test]
    async fn what_was_pasted_in_place_of_a_path_is_not_shown() {
        let file = TokenFile::new("X_FILE".to_owned(), PathBuf::from("r3fresh-t0ken"));
        let error = file.lock().await.err().unwrap();
        assert!(error.starts_with("`X_FILE` names a file") && !error.contains("r3fresh"), "{error}");
    }
}
