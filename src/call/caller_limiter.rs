//! How many calls may run at once, in all and for one session: further calls wait, so that one
//! client can neither exhaust the process nor block the others.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use super::caller::Caller;
use crate::error::Throttled;

/// The most calls that run at once in the process.
const MOST: usize = 256;
/// The most calls of one session that run at once: more than any assistant makes.
const MOST_OF_SESSION: usize = 16;

/// Limits the calls of a process. A call counts as long as its permit exists.
#[derive(Debug)]
pub(super) struct CallerLimiter {
    all: Arc<Semaphore>,
    /// By session; removed some time after its last permit is dropped.
    sessions: Mutex<HashMap<u64, Weak<Semaphore>>>,
}

/// The right to make a call.
#[derive(Debug)]
pub(super) struct CallerPermit {
    _of_all: OwnedSemaphorePermit,
    /// Keeps the session's semaphore alive.
    _of_session: Option<OwnedSemaphorePermit>,
}

impl Default for CallerLimiter {
    fn default() -> Self {
        Self { all: Arc::new(Semaphore::new(MOST)), sessions: Mutex::default() }
    }
}

impl CallerLimiter {
    /// Waits for a permit, at most for `budget`.
    ///
    /// # Errors
    /// It would take longer.
    pub(super) async fn permit(&self, caller: &Caller, budget: Duration) -> Result<CallerPermit, Throttled> {
        let until = Instant::now() + budget;
        let of_session = match caller.session {
            Some(session) => {
                let reason = format!("{MOST_OF_SESSION} calls of this session are under way, and no more may be");
                Some(acquire(self.session(session), until, caller, reason).await?)
            }
            // Requests without a session can't be told apart by caller.
            None => None,
        };
        let reason = format!("{MOST} calls are under way, and no more may be");
        let of_all = acquire(Arc::clone(&self.all), until, caller, reason).await?;
        Ok(CallerPermit { _of_all: of_all, _of_session: of_session })
    }

    fn session(&self, session: u64) -> Arc<Semaphore> {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slots) = sessions.get(&session).and_then(Weak::upgrade) {
            return slots;
        }
        sessions.retain(|_, slots| slots.strong_count() > 0);
        let slots = Arc::new(Semaphore::new(MOST_OF_SESSION));
        sessions.insert(session, Arc::downgrade(&slots));
        slots
    }
}

async fn acquire(
    slots: Arc<Semaphore>,
    until: Instant,
    caller: &Caller,
    reason: String,
) -> Result<OwnedSemaphorePermit, Throttled> {
    if let Ok(slot) = Arc::clone(&slots).try_acquire_owned() {
        return Ok(slot);
    }
    caller.report(reason.clone());
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
    async fn one_session_can_not_block_the_others() {
        let limiter = CallerLimiter::default();
        let budget = Duration::from_secs(30);
        let mut permits = Vec::new();
        for _ in 0..MOST_OF_SESSION {
            permits.push(limiter.permit(&of(Some(1)), budget).await.unwrap());
        }
        let refused = limiter.permit(&of(Some(1)), budget).await.unwrap_err();
        assert!(refused.reason.contains("16 calls of this session"), "{}", refused.reason);
        assert!(limiter.permit(&of(Some(2)), budget).await.is_ok());
        permits.pop();
        assert!(limiter.permit(&of(Some(1)), budget).await.is_ok(), "one has ended");
        drop(permits);
        drop(limiter.permit(&of(Some(3)), budget).await.unwrap());
        assert_eq!(limiter.sessions.lock().unwrap().len(), 1, "sessions without calls are forgotten");
    }

    #[tokio::test(start_paused = true)]
    async fn the_process_limits_calls_that_run_at_once() {
        let limiter = CallerLimiter::default();
        let mut permits = Vec::new();
        for _ in 0..MOST {
            permits.push(limiter.permit(&of(None), Duration::ZERO).await.unwrap());
        }
        let refused = limiter.permit(&of(None), Duration::from_secs(1)).await.unwrap_err();
        assert!(refused.reason.contains("256 calls are under way"), "{}", refused.reason);
        permits.pop();
        assert!(limiter.permit(&of(None), Duration::ZERO).await.is_ok());
    }
}
