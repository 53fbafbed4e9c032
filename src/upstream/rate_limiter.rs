//! Limits from vendor.toml and from a vendor's own answers → permits to send. All connections to
//! a vendor share one rate limiter, and each request acquires a permit first.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::StatusCode;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::error::{RateLimit, Throttled, seconds};

/// Limits that vendor.toml states; none by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RateLimits {
    /// The most requests in any minute.
    pub requests_per_minute: Option<u32>,
    /// The most requests in flight at once.
    pub in_flight: Option<u32>,
    /// Texts in a reported reason that mark a limit on a single record.
    pub record_limit_reasons: Vec<String>,
}

/// The rate limiter of one vendor; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct RateLimiter(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    limits: RateLimits,
    slots: Option<Arc<Semaphore>>,
    state: Mutex<Bucket>,
}

/// A token bucket: one token for each request.
#[derive(Debug)]
struct Bucket {
    /// Tokens left; below zero, that many requests wait already.
    tokens: f64,
    refilled: Instant,
    /// Until when the vendor accepts no request, and which of its limits is the reason.
    closed: Option<(Instant, Option<String>)>,
}

/// Permission to send one request; while it lives, the request counts as in flight.
#[derive(Debug)]
pub(crate) struct Permit {
    _slot: Option<OwnedSemaphorePermit>,
}

/// Returns an unused token on drop, so that a cancelled wait costs no other caller anything.
struct Reservation<'a>(Option<&'a RateLimiter>);

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        if let Some(limiter) = self.0 {
            limiter.bucket().tokens += 1.0;
        }
    }
}

impl Default for RateLimiter {
    fn default() -> Self {
        Self::new(RateLimits::default())
    }
}

impl RateLimiter {
    /// Creates a rate limiter with these limits.
    pub(crate) fn new(limits: RateLimits) -> Self {
        let tokens = limits.requests_per_minute.map_or(0.0, burst);
        let slots = limits.in_flight.map(|most| Arc::new(Semaphore::new(most.max(1) as usize)));
        let state = Mutex::new(Bucket { tokens, refilled: Instant::now(), closed: None });
        Self(Arc::new(Inner { limits, slots, state }))
    }

    /// Waits for a permit, at most for `max_wait`. With `honor_server_limits` it also waits until
    /// a limit that the vendor reported has passed. `on_wait` receives the reason and the length
    /// of each wait.
    ///
    /// # Errors
    /// The wait would exceed `max_wait`.
    pub(crate) async fn acquire(
        &self,
        max_wait: Duration,
        honor_server_limits: bool,
        on_wait: &(dyn Fn(&str, Duration) + Sync),
    ) -> Result<Permit, Throttled> {
        let deadline = Instant::now() + max_wait;
        let slot = self.acquire_slot(deadline, max_wait, on_wait).await?;
        let (mut reservation, mut ready) = self.reserve();
        loop {
            let closed = self.bucket().closed.clone().filter(|_| honor_server_limits);
            let (at, reason) = match closed {
                Some((at, reason)) if at > ready => (at, closed_reason(reason.as_deref())),
                _ => (ready, self.rate_reason()),
            };
            let now = Instant::now();
            if at <= now {
                break;
            }
            if at > deadline {
                return Err(Throttled { reason, retry_after: at - now });
            }
            on_wait(&reason, at - now);
            sleep_until(at).await;
            ready = ready.min(Instant::now());
        }
        reservation.0 = None;
        Ok(Permit { _slot: slot })
    }

    async fn acquire_slot(
        &self,
        deadline: Instant,
        max_wait: Duration,
        on_wait: &(dyn Fn(&str, Duration) + Sync),
    ) -> Result<Option<OwnedSemaphorePermit>, Throttled> {
        let Some(slots) = &self.0.slots else { return Ok(None) };
        if let Ok(slot) = Arc::clone(slots).try_acquire_owned() {
            return Ok(Some(slot));
        }
        let most = self.0.limits.in_flight.unwrap_or_default();
        let reason = format!("{most} requests to the vendor are in flight, which is its limit");
        on_wait(&reason, max_wait);
        match timeout_at(deadline, Arc::clone(slots).acquire_owned()).await {
            Ok(Ok(slot)) => Ok(Some(slot)),
            _ => Err(Throttled { reason, retry_after: Duration::from_secs(1) }),
        }
    }

    /// Takes a token; returns when it is available.
    fn reserve(&self) -> (Reservation<'_>, Instant) {
        let now = Instant::now();
        let Some(per_minute) = self.0.limits.requests_per_minute else { return (Reservation(None), now) };
        let (most, rate) = (burst(per_minute), rate(per_minute));
        let mut bucket = self.bucket();
        bucket.tokens = (bucket.tokens + (now - bucket.refilled).as_secs_f64() * rate).min(most) - 1.0;
        bucket.refilled = now;
        let wait = Duration::from_secs_f64((-bucket.tokens / rate).max(0.0));
        (Reservation(Some(self)), now + wait)
    }

    /// Closes until a limit that an answer reports has passed.
    pub(super) fn update(&self, status: StatusCode, reported: &RateLimit) {
        let refused = matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
        let spent = reported.remaining == Some(0);
        // A limit on one record does not concern the others.
        let narrow = reported.reason.as_deref().is_some_and(|reason| {
            self.0.limits.record_limit_reasons.iter().any(|of_record| reason.contains(of_record.as_str()))
        });
        let Some(wait) = reported.wait().filter(|wait| (refused || spent) && !narrow && !wait.is_zero()) else {
            return;
        };
        let at = Instant::now() + wait;
        let mut bucket = self.bucket();
        if bucket.closed.as_ref().is_none_or(|(until, _)| *until < at) {
            bucket.closed = Some((at, reported.reason.clone()));
        }
    }

    fn bucket(&self) -> MutexGuard<'_, Bucket> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn rate_reason(&self) -> String {
        let most = self.0.limits.requests_per_minute.unwrap_or_default();
        format!("the vendor accepts {most} requests a minute, and these are used up")
    }
}

fn closed_reason(reason: Option<&str>) -> String {
    let named = reason.map(|reason| format!(" (`{reason}`)")).unwrap_or_default();
    format!("the vendor's rate limit{named} is reached")
}

/// How many requests may be sent at once.
fn burst(per_minute: u32) -> f64 {
    f64::from((per_minute / 6).max(1))
}

/// New tokens per second: so many that a burst and a minute together stay within the limit.
fn rate(per_minute: u32) -> f64 {
    (f64::from(per_minute) - burst(per_minute)).max(1.0) / 60.0
}

/// Formats a wait for a progress message.
pub(crate) fn wait_message(reason: &str, span: Duration) -> String {
    format!("waiting up to {} s: {reason}", seconds(span))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ignore(_: &str, _: Duration) {}

    #[tokio::test]
    async fn a_minute_never_exceeds_its_requests() {
        let limiter = RateLimiter::new(RateLimits { requests_per_minute: Some(90), ..RateLimits::default() });
        for _ in 0..15 {
            limiter.acquire(Duration::ZERO, true, &ignore).await.unwrap();
        }
        let refused = limiter.acquire(Duration::ZERO, true, &ignore).await.unwrap_err();
        assert!(refused.reason.contains("90 requests a minute"), "{refused}");
        assert!(refused.retry_after <= Duration::from_millis(801), "{refused:?}");
        // A refused request returns its token.
        let again = limiter.acquire(Duration::ZERO, true, &ignore).await.unwrap_err();
        assert!(again.retry_after <= refused.retry_after);
        assert!(burst(90) + 60.0 * rate(90) <= 90.0);
    }

    #[tokio::test(start_paused = true)]
    async fn tokens_are_refilled_in_the_order_of_requests() {
        let limiter = RateLimiter::new(RateLimits { requests_per_minute: Some(600), ..RateLimits::default() });
        let started = Instant::now();
        for _ in 0..104 {
            limiter.acquire(Duration::from_secs(5), true, &ignore).await.unwrap();
        }
        assert!(started.elapsed() >= Duration::from_millis(450), "{:?}", started.elapsed());
    }

    #[tokio::test]
    async fn requests_in_flight_are_bounded() {
        let limiter = RateLimiter::new(RateLimits { in_flight: Some(1), ..RateLimits::default() });
        let first = limiter.acquire(Duration::ZERO, true, &ignore).await.unwrap();
        let reasons = Mutex::new(Vec::new());
        let on_wait = |reason: &str, _: Duration| reasons.lock().unwrap().push(reason.to_owned());
        limiter.acquire(Duration::from_millis(20), true, &on_wait).await.unwrap_err();
        assert!(reasons.lock().unwrap()[0].contains("1 requests to the vendor are in flight"));
        drop(first);
        limiter.acquire(Duration::ZERO, true, &ignore).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_limit_that_the_vendor_reports_closes_for_every_caller() {
        let limiter = RateLimiter::default();
        let reported = RateLimit {
            retry_after: Some(Duration::from_millis(80)),
            reason: Some("burst".to_owned()),
            ..RateLimit::default()
        };
        limiter.update(StatusCode::TOO_MANY_REQUESTS, &reported);
        let refused = limiter.acquire(Duration::ZERO, true, &ignore).await.unwrap_err();
        assert!(refused.reason.contains("`burst`"), "{refused}");
        limiter.acquire(Duration::ZERO, false, &ignore).await.expect("a caller may ignore the vendor's limits");
        let started = Instant::now();
        limiter.acquire(Duration::from_secs(1), true, &ignore).await.unwrap();
        assert!(started.elapsed() >= Duration::from_millis(60));
    }

    #[tokio::test]
    async fn a_limit_on_one_record_does_not_hold_back_others() {
        let reported = RateLimit {
            retry_after: Some(Duration::from_secs(5)),
            reason: Some("acme-one-parcel-write".to_owned()),
            ..RateLimit::default()
        };
        for (reasons, held_back) in [(&[][..], true), (&["one-parcel".to_owned()], false)] {
            let limits = RateLimits { record_limit_reasons: reasons.to_vec(), ..RateLimits::default() };
            let limiter = RateLimiter::new(limits);
            limiter.update(StatusCode::TOO_MANY_REQUESTS, &reported);
            let permit = limiter.acquire(Duration::ZERO, true, &ignore).await;
            assert_eq!(permit.is_err(), held_back, "{reasons:?}");
        }
    }
}
