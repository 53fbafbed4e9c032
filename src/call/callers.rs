//! How many calls may be under way at once: in all, and for one session. Who asks for more waits
//! for the first to end, so that one client can neither exhaust the process nor keep the others
//! out.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use super::Caller;
use crate::error::Throttled;

/// Calls under way in one process.
const MOST: usize = 256;
/// Calls under way of one session: more than any assistant makes at once.
const MOST_OF_ONE: usize = 16;

/// The calls of a process; whoever has a turn counts as under way.
#[derive(Debug)]
pub(super) struct CallerLimiter {
    all: Arc<Semaphore>,
    /// By session; gone when its last turn is.
    sessions: Mutex<HashMap<u64, Weak<Semaphore>>>,
}

/// The right to make a call.
#[derive(Debug)]
pub(super) struct CallerPermit {
    _of_all: OwnedSemaphorePermit,
    /// With its semaphore, which lives as long as somebody has a turn.
    _of_session: Option<OwnedSemaphorePermit>,
}

impl Default for CallerLimiter {
    fn default() -> Self {
        Self { all: Arc::new(Semaphore::new(MOST)), sessions: Mutex::default() }
    }
}

impl CallerLimiter {
    /// Waits for a turn, at most for `patience`.
    ///
    /// # Errors
    /// It would take longer.
    pub(super) async fn turn(&self, caller: &Caller, patience: Duration) -> Result<CallerPermit, Throttled> {
        let until = Instant::now() + patience;
        let of_session = match caller.session {
            Some(session) => {
                let reason = format!("{MOST_OF_ONE} calls of this session are under way, and no more may be");
                Some(turn(self.session(session), until, caller, reason).await?)
            }
            // Requests that stand alone belong to nobody who could be told apart.
            None => None,
        };
        let reason = format!("{MOST} calls are under way, and no more may be");
        let of_all = turn(Arc::clone(&self.all), until, caller, reason).await?;
        Ok(CallerPermit { _of_all: of_all, _of_session: of_session })
    }

    fn session(&self, session: u64) -> Arc<Semaphore> {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slots) = sessions.get(&session).and_then(Weak::upgrade) {
            return slots;
        }
        sessions.retain(|_, slots| slots.strong_count() > 0);
        let slots = Arc::new(Semaphore::new(MOST_OF_ONE));
        sessions.insert(session, Arc::downgrade(&slots));
        slots
    }
}

async fn turn(
    slots: Arc<Semaphore>,
    until: Instant,
    caller: &Caller,
    reason: String,
) -> Result<OwnedSemaphorePermit, Throttled> {
    if let Ok(slot) = Arc::clone(&slots).try_acquire_owned() {
        return Ok(slot);
    }
    caller.tell(reason.clone());
    match timeout_at(until, slots.acquire_owned()).await {
        Ok(Ok(slot)) => Ok(slot),
        _ => Err(Throttled { reason, retry_after: Duration::from_secs(1) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(session: Option<u64>) -> Caller {
        Caller { session, ..Caller::default() }
    }

    #[tokio::test(start_paused = true)]
    async fn one_session_does_not_keep_the_others_out() {
        let callers = CallerLimiter::default();
        let patience = Duration::from_secs(30);
        let mut turns = Vec::new();
        for _ in 0..MOST_OF_ONE {
            turns.push(callers.turn(&of(Some(1)), patience).await.unwrap());
        }
        let refused = callers.turn(&of(Some(1)), patience).await.unwrap_err();
        assert!(refused.reason.contains("16 calls of this session"), "{}", refused.reason);
        assert!(callers.turn(&of(Some(2)), patience).await.is_ok());
        turns.pop();
        assert!(callers.turn(&of(Some(1)), patience).await.is_ok(), "one has ended");
        drop(turns);
        drop(callers.turn(&of(Some(3)), patience).await.unwrap());
        assert_eq!(callers.sessions.lock().unwrap().len(), 1, "sessions without calls are forgotten");
    }

    #[tokio::test(start_paused = true)]
    async fn a_process_makes_only_so_many_calls_at_once() {
        let callers = CallerLimiter::default();
        let mut turns = Vec::new();
        for _ in 0..MOST {
            turns.push(callers.turn(&of(None), Duration::ZERO).await.unwrap());
        }
        let refused = callers.turn(&of(None), Duration::from_secs(1)).await.unwrap_err();
        assert!(refused.reason.contains("256 calls are under way"), "{}", refused.reason);
        turns.pop();
        assert!(callers.turn(&of(None), Duration::ZERO).await.is_ok());
    }
}
