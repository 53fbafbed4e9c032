//! A lease → the part of every vendor's limits that this process may use until it ends. Several processes with the same
//! accounts have parts that are never more than the whole together. A process without a lease has the whole.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

/// The part of vendors' limits that this process may use; cheap to clone, and the same for every account.
#[derive(Debug, Clone, Default)]
pub struct PaceShare(Option<Arc<Mutex<State>>>);

#[derive(Debug)]
struct State {
    share: f64,
    until: Instant,
    /// Since when it is no smaller than now.
    since: Instant,
    /// Whether a rate limiter that is made now may begin with what it could have saved up.
    first: bool,
}

impl PaceShare {
    /// A part that has to be leased: nothing, so far.
    pub fn leased() -> Self {
        Self(Some(Arc::new(Mutex::new(State {
            share: 0.0,
            until: Instant::now(),
            since: Instant::now(),
            first: false,
        }))))
    }

    /// Takes over a lease. `first`: no other process has used a part lately.
    pub fn renew(&self, share: f64, until: Instant, first: bool) {
        if let Some(state) = &self.0 {
            let (mut state, now, share) = (lock(state), Instant::now(), share.clamp(0.0, 1.0));
            let before = if now < state.until { state.share } else { 0.0 };
            let since = if share > before { now } else { state.since };
            *state = State { share, until, since, first };
        }
    }

    /// The part that may be used now; 0 where the lease has ended.
    pub(super) fn now(&self) -> f64 {
        self.0.as_ref().map_or(1.0, |state| {
            let state = lock(state);
            if Instant::now() < state.until { state.share } else { 0.0 }
        })
    }

    /// Since when the part that may be used now is no smaller: before that, others used some of it.
    pub(super) fn since(&self) -> Option<Instant> {
        self.0.as_ref().map(|state| lock(state).since)
    }

    /// Which part of a burst is saved up at the start.
    pub(super) fn saved_up(&self) -> f64 {
        let state = self.0.as_ref().map(|state| lock(state));
        state.map_or(1.0, |state| if state.first { state.share } else { 0.0 })
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Two are equal if they are the same lease.
impl PartialEq for PaceShare {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(own), Some(other)) => Arc::ptr_eq(own, other),
            (own, other) => own.is_none() && other.is_none(),
        }
    }
}

impl Eq for PaceShare {}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::advance;

    use super::super::rate_limiter::{RateLimiter, RateLimits};
    use super::*;
    use crate::fairness::CallerKey;

    #[tokio::test(start_paused = true)]
    async fn a_part_that_was_lost_counts_from_when_there_is_one_again() {
        let lease = Duration::from_secs(30);
        for (before, lost, after, accepted) in [
            // No call came meanwhile; another process had the whole.
            (1.0, Duration::from_secs(90), 0.5, 0),
            (0.0, Duration::from_secs(90), 1.0, 0),
            // Another one has ended, and used its half until then.
            (0.5, Duration::from_secs(20), 1.0, 0),
            (1.0, Duration::from_secs(20), 1.0, 15),
            (1.0, Duration::from_secs(20), 0.5, 7),
        ] {
            let share = PaceShare::leased();
            share.renew(before, Instant::now() + lease, false);
            let limits = RateLimits { requests_per_minute: Some(90), share: share.clone(), ..RateLimits::default() };
            let limiter = RateLimiter::new(limits);
            advance(lost).await;
            share.renew(after, Instant::now() + lease, false);
            let mut sent = 0;
            while limiter.acquire(CallerKey::Only, Duration::ZERO, true, &|_, _| ()).await.is_ok() {
                sent += 1;
            }
            assert_eq!(sent, accepted, "{before} for {lost:?}, then {after}");
            let wait = Duration::from_secs_f64(1.0 / (1.25 * after));
            limiter
                .acquire(CallerKey::Only, wait + Duration::from_millis(100), true, &|_, _| ())
                .await
                .expect("it goes on");
        }
    }
}
