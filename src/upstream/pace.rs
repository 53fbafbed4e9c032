//! How fast a vendor may be asked: by what its vendor.toml says, and by what it says itself. One
//! pace is shared by all connections to a vendor; who wants to ask takes a turn first.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::StatusCode;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::error::{RateLimit, Throttled, seconds};

/// Limits that are known beforehand. None by default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RateLimits {
    /// Requests in any minute.
    pub requests_per_minute: Option<u32>,
    /// Requests under way at once.
    pub in_flight: Option<u32>,
}

/// The pace of one vendor; cheap to clone.
#[derive(Debug, Clone)]
pub struct RateLimiter(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    limits: RateLimits,
    slots: Option<Arc<Semaphore>>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Turns that can be taken at once; below zero, that many wait already.
    turns: f64,
    counted: Instant,
    /// The vendor said that it takes nothing until then, and for which reason.
    closed: Option<(Instant, Option<String>)>,
}

/// The right to send one request; while it lives, the request counts as under way.
#[derive(Debug)]
pub struct Permit {
    _slot: Option<OwnedSemaphorePermit>,
}

/// Gives a turn back that was counted and not used: a caller that leaves while it waits costs
/// nobody else anything.
struct Counted<'a>(Option<&'a RateLimiter>);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        if let Some(pace) = self.0 {
            pace.state().turns += 1.0;
        }
    }
}

impl Default for RateLimiter {
    fn default() -> Self {
        Self::new(RateLimits::default())
    }
}

impl RateLimiter {
    /// A pace with these limits.
    pub fn new(limits: RateLimits) -> Self {
        let turns = limits.requests_per_minute.map_or(0.0, burst);
        let slots = limits.in_flight.map(|most| Arc::new(Semaphore::new(most.max(1) as usize)));
        let state = Mutex::new(State { turns, counted: Instant::now(), closed: None });
        Self(Arc::new(Inner { limits, slots, state }))
    }

    /// Waits for a turn, at most for `patience`. `heed` says whether to wait as well for what the
    /// vendor said; `tell` hears what is waited for, and how long.
    ///
    /// # Errors
    /// It would take longer.
    pub async fn turn(
        &self,
        patience: Duration,
        heed: bool,
        tell: &(dyn Fn(&str, Duration) + Sync),
    ) -> Result<Permit, Throttled> {
        let until = Instant::now() + patience;
        let slot = self.slot(until, patience, tell).await?;
        let (mut counted, mut ready) = self.count();
        loop {
            let closed = self.state().closed.clone().filter(|_| heed);
            let (at, reason) = match closed {
                Some((at, reason)) if at > ready => (at, closed_reason(reason.as_deref())),
                _ => (ready, self.pace_reason()),
            };
            let now = Instant::now();
            if at <= now {
                break;
            }
            if at > until {
                return Err(Throttled { reason, retry_after: at - now });
            }
            tell(&reason, at - now);
            sleep_until(at).await;
            ready = ready.min(Instant::now());
        }
        counted.0 = None;
        Ok(Permit { _slot: slot })
    }

    async fn slot(
        &self,
        until: Instant,
        patience: Duration,
        tell: &(dyn Fn(&str, Duration) + Sync),
    ) -> Result<Option<OwnedSemaphorePermit>, Throttled> {
        let Some(slots) = &self.0.slots else { return Ok(None) };
        if let Ok(slot) = Arc::clone(slots).try_acquire_owned() {
            return Ok(Some(slot));
        }
        let most = self.0.limits.in_flight.unwrap_or_default();
        let reason = format!("{most} requests to the vendor are under way, and no more may be");
        tell(&reason, patience);
        match timeout_at(until, Arc::clone(slots).acquire_owned()).await {
            Ok(Ok(slot)) => Ok(Some(slot)),
            _ => Err(Throttled { reason, retry_after: Duration::from_secs(1) }),
        }
    }

    /// Counts a turn; returns when it is.
    fn count(&self) -> (Counted<'_>, Instant) {
        let now = Instant::now();
        let Some(per_minute) = self.0.limits.requests_per_minute else { return (Counted(None), now) };
        let (most, rate) = (burst(per_minute), rate(per_minute));
        let mut state = self.state();
        state.turns = (state.turns + (now - state.counted).as_secs_f64() * rate).min(most) - 1.0;
        state.counted = now;
        let wait = Duration::from_secs_f64((-state.turns / rate).max(0.0));
        (Counted(Some(self)), now + wait)
    }

    /// Takes in what an answer says of the vendor's limits.
    pub(super) fn learn(&self, status: StatusCode, said: &RateLimit) {
        let refused = matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
        let spent = said.remaining == Some(0);
        // A limit on one record says nothing of the others.
        let narrow = said.reason.as_deref().is_some_and(|reason| reason.contains("per-issue"));
        let Some(wait) = said.wait().filter(|wait| (refused || spent) && !narrow && !wait.is_zero()) else { return };
        let at = Instant::now() + wait;
        let mut state = self.state();
        if state.closed.as_ref().is_none_or(|(until, _)| *until < at) {
            state.closed = Some((at, said.reason.clone()));
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pace_reason(&self) -> String {
        let most = self.0.limits.requests_per_minute.unwrap_or_default();
        format!("the vendor takes {most} requests a minute, and these are used up")
    }
}

fn closed_reason(reason: Option<&str>) -> String {
    let named = reason.map(|reason| format!(" (`{reason}`)")).unwrap_or_default();
    format!("the vendor's rate limit{named} is reached")
}

/// How many requests may follow each other at once.
fn burst(per_minute: u32) -> f64 {
    f64::from((per_minute / 6).max(1))
}

/// New turns per second: with a burst before it, a minute still has no more requests than allowed.
fn rate(per_minute: u32) -> f64 {
    (f64::from(per_minute) - burst(per_minute)).max(1.0) / 60.0
}

/// What is waited for, as a person reads it.
pub(crate) fn waiting(reason: &str, span: Duration) -> String {
    format!("waiting up to {} s: {reason}", seconds(span))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nobody(_: &str, _: Duration) {}

    #[tokio::test]
    async fn a_minute_never_has_more_than_its_requests() {
        let pace = RateLimiter::new(RateLimits { requests_per_minute: Some(90), in_flight: None });
        for _ in 0..15 {
            pace.turn(Duration::ZERO, true, &nobody).await.unwrap();
        }
        let refused = pace.turn(Duration::ZERO, true, &nobody).await.unwrap_err();
        assert!(refused.reason.contains("90 requests a minute"), "{refused}");
        assert!(refused.retry_after <= Duration::from_millis(801), "{refused:?}");
        // Whoever was refused has given the turn back.
        let again = pace.turn(Duration::ZERO, true, &nobody).await.unwrap_err();
        assert!(again.retry_after <= refused.retry_after);
        assert!(burst(90) + 60.0 * rate(90) <= 90.0);
    }

    #[tokio::test]
    async fn turns_refill_in_the_order_of_asking() {
        let pace = RateLimiter::new(RateLimits { requests_per_minute: Some(600), in_flight: None });
        let started = Instant::now();
        for _ in 0..104 {
            pace.turn(Duration::from_secs(5), true, &nobody).await.unwrap();
        }
        assert!(started.elapsed() >= Duration::from_millis(450), "{:?}", started.elapsed());
    }

    #[tokio::test]
    async fn what_is_under_way_is_bounded() {
        let pace = RateLimiter::new(RateLimits { requests_per_minute: None, in_flight: Some(1) });
        let first = pace.turn(Duration::ZERO, true, &nobody).await.unwrap();
        let told = Mutex::new(Vec::new());
        let tell = |reason: &str, _: Duration| told.lock().unwrap().push(reason.to_owned());
        pace.turn(Duration::from_millis(20), true, &tell).await.unwrap_err();
        assert!(told.lock().unwrap()[0].contains("1 requests to the vendor are under way"));
        drop(first);
        pace.turn(Duration::ZERO, true, &nobody).await.unwrap();
    }

    #[tokio::test]
    async fn what_the_vendor_says_closes_the_pace_for_everyone() {
        let pace = RateLimiter::default();
        let said = RateLimit {
            retry_after: Some(Duration::from_millis(80)),
            reason: Some("burst".to_owned()),
            ..RateLimit::default()
        };
        pace.learn(StatusCode::TOO_MANY_REQUESTS, &said);
        let refused = pace.turn(Duration::ZERO, true, &nobody).await.unwrap_err();
        assert!(refused.reason.contains("`burst`"), "{refused}");
        pace.turn(Duration::ZERO, false, &nobody).await.expect("who does not heed it is not kept");
        let started = Instant::now();
        pace.turn(Duration::from_secs(1), true, &nobody).await.unwrap();
        assert!(started.elapsed() >= Duration::from_millis(60));
        let one_record = RateLimit { reason: Some("jira-per-issue-on-write".to_owned()), ..said };
        pace.learn(StatusCode::TOO_MANY_REQUESTS, &one_record);
        pace.turn(Duration::ZERO, true, &nobody).await.expect("a limit on one record keeps no other");
    }
}
