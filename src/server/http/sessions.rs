//! MCP sessions over HTTP, within bounds. An idle session is put to sleep: only what its client stated is
//! kept of it, and its next request wakes it up. Those that were not used longest are forgotten first. A client that
//! does not read its messages delays no other client, and not even its own session.

mod manager;

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::pin::Pin;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rmcp::model::RequestId;
use rmcp::transport::streamable_http_server::session::local::{EventIdParseError, LocalSessionHandle, SessionError};
use rmcp::transport::streamable_http_server::session::{SessionId, SessionState, SessionStore, SessionStoreError};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub(super) use manager::Manager;

use crate::access::Admitted;
use crate::server::session::{OfSession, SessionOwner};

/// How many sessions may be awake: each takes about 150 KB then.
const MOST_AWAKE: usize = 256;
/// How many sessions are known, awake or asleep: each takes at most some kilobytes.
const MOST: usize = 4_096;
/// How many of them may be of one caller. Programs on this machine, of which nothing is known, are not told apart.
const MOST_OF_CALLER: usize = MOST / 8;
/// How many sessions of one caller may have unanswered requests: these stay awake.
const MOST_BUSY_OF_CALLER: usize = MOST_AWAKE / 8;
/// After how long without a request a session is put to sleep.
const SLEEPS_AFTER: Duration = Duration::from_secs(30);
/// After how long without a request a session ends.
const ENDS_AFTER: Duration = Duration::from_secs(8 * 60 * 60);
/// How often that is looked for.
const SWEEP: Duration = Duration::from_secs(5);
/// The most requests of a session that are unanswered.
const MOST_UNANSWERED: usize = 64;
/// How many messages wait for a client to read them. Further ones that are no answers are dropped.
const MOST_UNREAD: usize = 64;

/// The sessions of a server.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    last: AtomicU64,
    known: Mutex<HashMap<SessionId, Session>>,
}

struct Session {
    /// `None` while it is asleep.
    awake: Option<LocalSessionHandle>,
    /// What is kept of it.
    kept: Arc<OfSession>,
    /// What its client stated, as JSON: thousands may be asleep, and as a value it takes several times the room. `None` until that is done.
    stated: Option<Box<str>>,
    /// When its last request came or was answered.
    used: Instant,
    unanswered: HashSet<RequestId>,
    /// How many streams its client keeps open for messages that belong to no request.
    streams: usize,
    /// Whether its client is of a version whose streams have no event without data.
    is_older: bool,
    /// How often rmcp will report the end of a worker that was put to sleep.
    ends: usize,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("awake", &self.awake.is_some()).finish_non_exhaustive()
    }
}

impl Session {
    /// Whether it can be put to sleep without a loss.
    fn is_idle(&self) -> bool {
        self.awake.is_some() && self.stated.is_some() && self.unanswered.is_empty()
    }

    fn is_of(&self, owner: &SessionOwner) -> bool {
        self.kept.owner.get() == Some(owner)
    }

    fn sleep(&mut self) {
        if let Some(handle) = self.awake.take() {
            self.ends += 1;
            self.unanswered.shrink_to_fit();
            close(handle);
        }
    }
}

/// Puts the idle session to sleep that was not used longest, where as many are awake as may be; `false` where none is
/// idle.
fn make_room_awake(known: &mut HashMap<SessionId, Session>) -> bool {
    if known.values().filter(|session| session.awake.is_some()).count() < MOST_AWAKE {
        return true;
    }
    let idle = known.values_mut().filter(|session| session.is_idle());
    let Some(oldest) = idle.min_by_key(|session| session.used) else { return false };
    oldest.sleep();
    true
}

/// Ends the worker of a session.
fn close(handle: LocalSessionHandle) {
    tokio::spawn(async move {
        // Fails where it has ended already.
        let _ = handle.close().await;
    });
}

impl Sessions {
    /// Makes room for another session; `false` where every session is busy.
    pub(super) fn make_room(&self) -> bool {
        let mut known = self.known();
        if !make_room_awake(&mut known) {
            return false;
        }
        if known.len() >= MOST {
            let asleep = known.iter().filter(|(_, session)| session.awake.is_none());
            let Some(oldest) = asleep.min_by_key(|(_, session)| session.used).map(|(id, _)| id.clone()) else {
                return false;
            };
            known.remove(&oldest);
        }
        true
    }

    /// Notes whose a new session is, and forgets the one of that caller that was not used longest where it has too many.
    fn opened_by(&self, id: &SessionId, owner: &SessionOwner) {
        let mut known = self.known();
        let Some(session) = known.get(id) else { return };
        // Set once: who wakes a session up does not become its owner.
        let _ = session.kept.owner.set(owner.clone());
        if owner.principal.is_local() || known.values().filter(|session| session.is_of(owner)).count() <= MOST_OF_CALLER
        {
            return;
        }
        let others = known.iter().filter(|(other, session)| {
            *other != id && session.is_of(owner) && (session.awake.is_none() || session.is_idle())
        });
        let oldest = others.min_by_key(|(_, session)| session.used).map(|(id, _)| id.clone());
        if let Some(handle) = oldest.and_then(|id| known.remove(&id)).and_then(|session| session.awake) {
            close(handle);
        }
    }

    /// Makes room for a known session that is asleep; `false` where every session is busy.
    pub(super) fn can_wake(&self, id: &str) -> bool {
        let mut known = self.known();
        known.get(id).is_none_or(|session| session.awake.is_some()) || make_room_awake(&mut known)
    }

    /// Whether a session is of this caller; `None` where none is known by the id.
    pub(super) fn is_of(&self, id: &str, admitted: &Admitted) -> Option<bool> {
        let owner = SessionOwner::of(admitted);
        // While it is being opened its id is known to no client.
        self.known().get(id).map(|session| session.is_of(&owner))
    }

    /// Whether a session's client is of a version whose streams have no event without data.
    pub(super) fn is_older(&self, id: &str) -> bool {
        self.known().get(id).is_some_and(|session| session.is_older)
    }

    /// Puts sessions to sleep that are not used, and forgets those that have not been used for long.
    pub(super) async fn sweep(&self, end: &CancellationToken) {
        let mut sweep = tokio::time::interval(SWEEP);
        while end.run_until_cancelled(sweep.tick()).await.is_some() {
            self.put_to_sleep();
        }
    }

    fn put_to_sleep(&self) {
        let mut known = self.known();
        for session in known.values_mut().filter(|session| session.is_idle()) {
            let idle = session.used.elapsed();
            if idle >= ENDS_AFTER || idle >= SLEEPS_AFTER && session.streams == 0 {
                session.sleep();
            }
        }
        known.retain(|_, session| session.awake.is_some() || session.used.elapsed() < ENDS_AFTER);
    }

    fn known(&self) -> MutexGuard<'_, HashMap<SessionId, Session>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(&self, id: &SessionId, change: impl FnOnce(&mut Session) -> T) -> Option<T> {
        self.known().get_mut(id).map(change)
    }

    fn handle(&self, id: &SessionId) -> Result<LocalSessionHandle, SessionFault> {
        let handle = self.with(id, |session| {
            session.used = Instant::now();
            session.awake.clone()
        });
        handle.flatten().ok_or(SessionFault::Unknown)
    }

    /// Notes that a request was answered, or needs no answer any more.
    fn answered(&self, id: &SessionId, request: &RequestId) {
        self.with(id, |session| {
            session.unanswered.remove(request);
            session.used = Instant::now();
        });
    }

    /// Notes that a request waits for its answer.
    ///
    /// # Errors
    /// It is one too many, or there is one with its id.
    fn begin(&self, id: &SessionId, request: &RequestId) -> Result<(), &'static str> {
        let mut known = self.known();
        let owner = known.get(id).and_then(|session| session.kept.owner.get());
        if let Some(owner) = owner.filter(|owner| !owner.principal.is_local()) {
            let busy = known.iter().filter(|(other, session)| *other != id && !session.unanswered.is_empty());
            if busy.filter(|(_, session)| session.is_of(owner)).count() >= MOST_BUSY_OF_CALLER {
                return Err("too many sessions of this caller have unanswered requests; wait for an answer");
            }
        }
        let Some(session) = known.get_mut(id) else { return Ok(()) };
        if session.unanswered.len() >= MOST_UNANSWERED {
            return Err("too many requests of this session are unanswered; wait for an answer");
        }
        let is_new = session.unanswered.insert(request.clone());
        if is_new { Ok(()) } else { Err("another request of this session has this `id` and is not answered yet") }
    }
}

/// Why a session can't be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum SessionFault {
    #[error("the session is not known")]
    Unknown,
    #[error("too many sessions are in use")]
    Full,
    #[error(transparent)]
    Session(#[from] SessionError),
    #[error(transparent)]
    EventId(#[from] EventIdParseError),
}

type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T, SessionStoreError>> + Send + 'a>>;

/// What rmcp wakes a session up with.
impl SessionStore for Sessions {
    fn load<'life0, 'life1, 'async_trait>(&'life0 self, id: &'life1 str) -> Pending<'async_trait, Option<SessionState>>
    where
        'life0: 'async_trait,
        'life1: 'async_trait,
        Self: 'async_trait,
    {
        let stated = self.known().get(id).and_then(|session| session.stated.clone());
        let stated = stated.map(|stated| serde_json::from_str(&stated)).transpose();
        Box::pin(async move { Ok(stated?.map(SessionState::new)) })
    }

    fn store<'life0, 'life1, 'life2, 'async_trait>(
        &'life0 self,
        id: &'life1 str,
        state: &'life2 SessionState,
    ) -> Pending<'async_trait, ()>
    where
        'life0: 'async_trait,
        'life1: 'async_trait,
        'life2: 'async_trait,
        Self: 'async_trait,
    {
        let stated = serde_json::to_string(&state.initialize_params).map(|stated| {
            if let Some(session) = self.known().get_mut(id) {
                session.stated = Some(stated.into());
            }
        });
        Box::pin(async { Ok(stated?) })
    }

    fn delete<'life0, 'life1, 'async_trait>(&'life0 self, id: &'life1 str) -> Pending<'async_trait, ()>
    where
        'life0: 'async_trait,
        'life1: 'async_trait,
        Self: 'async_trait,
    {
        if let Some(handle) = self.known().remove(id).and_then(|session| session.awake) {
            close(handle);
        }
        Box::pin(async { Ok(()) })
    }
}
