//! Files and entries of the keyring that hold a part of an account → its connection, read again when one of them has changed.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};
use tokio::sync::oneshot;

use super::connection::ConnectionConfig;
use super::sign_ins::WatchedSignIn;
use crate::error::ConfigError;
use crate::keyring::{self, EntryName};
use crate::watched_files::WatchedFiles;

/// How often the keyring is asked, at most.
const ASK_EVERY: Duration = Duration::from_secs(2);

/// How an account is read.
pub(super) type Read = Arc<dyn Fn() -> Result<ConnectionConfig, ConfigError> + Send + Sync>;

/// What an account is made of, to read it again.
pub struct ReadAgain {
    read: Read,
    watched: Watched,
}

/// What is watched for changes.
pub(super) struct Watched {
    kept: Kept,
    /// What a person's sign-in makes of it.
    sign_in: Option<Arc<WatchedSignIn>>,
}

/// Where secrets are kept that may change.
enum Kept {
    /// Files alone, which are looked at in passing.
    Files(Mutex<WatchedFiles>),
    /// Entries of the keyring, with files or without. The service takes its time, and the thread that serves has none.
    Keyring(Arc<InKeyring>),
}

/// Entries of the keyring as they were when they were read.
pub(super) struct InKeyring {
    entries: Vec<EntryName>,
    state: Mutex<State>,
}

struct State {
    files: WatchedFiles,
    digests: Vec<Option<[u8; 32]>>,
    asked: Instant,
    is_asking: bool,
    /// What was read when one had changed.
    read: Option<Result<ConnectionConfig, ConfigError>>,
    /// Whether somebody has signed in or out since.
    has_signed: bool,
}

impl fmt::Debug for ReadAgain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadAgain").finish_non_exhaustive()
    }
}

impl Watched {
    /// Made before the account is read: what changes meanwhile is read again. `None` where there is nothing to watch.
    pub(super) fn new(
        files: Vec<PathBuf>,
        entries: Vec<EntryName>,
        sign_in: Option<Arc<WatchedSignIn>>,
    ) -> Option<Self> {
        if entries.is_empty() {
            let is_watched = !files.is_empty() || sign_in.is_some();
            return is_watched.then(|| Self { kept: Kept::Files(Mutex::new(WatchedFiles::new(files))), sign_in });
        }
        let state = State {
            files: WatchedFiles::new(files),
            digests: digests(&entries),
            asked: Instant::now(),
            is_asking: false,
            read: None,
            has_signed: false,
        };
        Some(Self { kept: Kept::Keyring(Arc::new(InKeyring { entries, state: Mutex::new(state) })), sign_in })
    }
}

impl ReadAgain {
    pub(super) fn new(read: Read, watched: Watched) -> Self {
        Self { read, watched }
    }

    /// Has what is read changed before it is used.
    pub(super) fn adjusted(self, change: impl Fn(&mut ConnectionConfig) + Send + Sync + 'static) -> Self {
        let Self { read, watched } = self;
        let read = Arc::new(move || {
            read().map(|mut connection| {
                change(&mut connection);
                connection
            })
        });
        Self { read, watched }
    }

    /// Begins to look at entries of the keyring, on a thread of its own, if there are any and the last look is a while ago.
    /// Then [`Self::if_changed`] returns what came of it.
    pub(crate) fn begin_look(&self) -> Option<oneshot::Receiver<()>> {
        let Kept::Keyring(watched) = &self.watched.kept else { return None };
        let mut state = watched.state();
        if state.is_asking || state.asked.elapsed() < ASK_EVERY {
            return None;
        }
        let (done, looking) = oneshot::channel();
        let (watched, read) = (Arc::clone(watched), Arc::clone(&self.read));
        let look = move || {
            watched.look(&read);
            // The call may have gone on without it.
            let _ = done.send(());
        };
        state.asked = Instant::now();
        state.is_asking = std::thread::Builder::new().name("keyring look".to_owned()).spawn(look).is_ok();
        Some(looking)
    }

    /// Reads the account again if one of its files has changed since it was read, or somebody has signed in or out for it; or
    /// returns what was read when an entry of the keyring had changed.
    ///
    /// # Errors
    /// It can't be read as it is now; it is read again when something has changed once more.
    pub(crate) fn if_changed(&self) -> Option<Result<ConnectionConfig, ConfigError>> {
        let has_signed = self.watched.sign_in.as_ref().is_some_and(|sign_in| sign_in.has_changed());
        match &self.watched.kept {
            Kept::Files(files) => {
                let mut files = files.lock().unwrap_or_else(PoisonError::into_inner);
                (files.have_changed() || has_signed).then(|| (self.read)())
            }
            Kept::Keyring(watched) => {
                let mut state = watched.state();
                // Read by the next look.
                state.has_signed |= has_signed;
                state.read.take()
            }
        }
    }
}

impl InKeyring {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look(&self, read: &Read) {
        // No call waits for the lock while the keyring is asked.
        let digests = digests(&self.entries);
        let has_changed = {
            let mut state = self.state();
            let has_changed = state.files.have_changed() || state.digests != digests || state.has_signed;
            state.has_signed = false;
            state.digests = digests;
            has_changed
        };
        let found = has_changed.then(|| read());
        let mut state = self.state();
        state.read = found.or(state.read.take());
        state.is_asking = false;
    }
}

/// What tells each secret from another, without the secret; `None` where it can't be read.
fn digests(entries: &[EntryName]) -> Vec<Option<[u8; 32]>> {
    entries.iter().map(|entry| Some(Sha256::digest(keyring::read(entry).ok()?).into())).collect()
}
