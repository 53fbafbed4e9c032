//! Limits from vendor.toml and from a vendor's own answers → permits to send. All connections to
//! a vendor share one rate limiter, and each request acquires a permit first.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::StatusCode;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until, timeout_at};

use super::pace_share::PaceShare;
use crate::error::{RateLimit, Throttled, seconds};
use crate::fairness::{CallerKey, NoSlot, Shares, Slot, Slots};

/// The longest wait that is believed: vendors count by minutes. What states more is probably wrong.
const LONGEST_BELIEVED: Duration = Duration::from_secs(120);
/// How long a wait beyond that closes a vendor: as long as a call waits at most. After that one request at a time tries
/// whether the limit still holds.
const LONGEST_CLOSED: Duration = Duration::from_secs(30);
/// What is missing of a token by mere rounding.
const TINY: f64 = 1e-6;
/// How often it is looked whether this process has a part of the limits again.
const LOOK: Duration = Duration::from_millis(100);

/// Limits that vendor.toml states; none by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RateLimits {
    /// The most requests in any minute.
    pub requests_per_minute: Option<u32>,
    /// The most requests in flight at once.
    pub in_flight: Option<u32>,
    /// Texts in a reported reason that mark a limit on a single record.
    pub record_limit_reasons: Vec<String>,
    /// The part of the requests in a minute that this process may send.
    pub share: PaceShare,
}

/// The rate limiter of one vendor; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct RateLimiter(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    limits: RateLimits,
    slots: Option<Slots>,
    /// The right to try whether a limit that the vendor stated still holds.
    trial: Arc<Semaphore>,
    state: Mutex<Bucket>,
}

/// A token bucket: one token for each request. Requests take them in their order.
#[derive(Debug)]
struct Bucket {
    /// How many tokens there have been.
    granted: f64,
    /// How many were taken; where these are more, that many requests wait.
    taken: f64,
    refilled: Instant,
    closed: Option<Closed>,
}

impl Bucket {
    /// Adds the tokens since the last time, as far as they can be saved up. Where this process has got a greater part of
    /// the limits since, what it has saved up counts no more, and what it gets counts from then on: before, others may
    /// have used it.
    fn refill(&mut self, now: Instant, share: &PaceShare, per_minute: u32) {
        let part = share.now();
        let (most, rate) = (burst(per_minute) * part, rate(per_minute) * part);
        if let Some(since) = share.since().filter(|since| *since > self.refilled) {
            self.granted = self.granted.min(self.taken);
            self.refilled = since.min(now);
        }
        let added = now.saturating_duration_since(self.refilled).as_secs_f64() * rate;
        self.granted = (self.granted + added).min(self.taken + most);
        self.refilled = self.refilled.max(now);
    }
}

/// A limit that the vendor stated.
#[derive(Debug, Clone)]
struct Closed {
    /// Until when no request is sent.
    until: Instant,
    /// Until when the limit holds by the vendor's words; from `until` on, one request at a time tries it.
    stated: Instant,
    /// The vendor's name for it.
    reason: Option<String>,
}

impl Closed {
    fn text(&self) -> String {
        let named = self.reason.as_ref().map(|reason| format!(" (`{reason}`)")).unwrap_or_default();
        format!("the vendor's rate limit{named} is reached")
    }
}

/// Permission to send one request; while it lives, the request counts as in flight.
#[derive(Debug)]
pub(crate) struct Permit {
    _slot: Option<Slot>,
    _trial: Option<OwnedSemaphorePermit>,
}

/// A token that was taken. Returns it unused on drop, so that a cancelled wait costs no other caller anything.
struct Reservation<'a> {
    limiter: Option<&'a RateLimiter>,
    /// How many tokens there must have been.
    place: f64,
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        if let Some(limiter) = self.limiter {
            limiter.bucket().taken -= 1.0;
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
        let granted = limits.requests_per_minute.map_or(0.0, burst) * limits.share.saved_up();
        let slots = limits.in_flight.map(|most| Slots::new(Shares::all_but_one(most as usize)));
        let state = Mutex::new(Bucket { granted, taken: 0.0, refilled: Instant::now(), closed: None });
        Self(Arc::new(Inner { limits, slots, trial: Arc::new(Semaphore::new(1)), state }))
    }

    /// Waits for a permit, at most for `max_wait`; callers have their turns. With `honor_server_limits` it
    /// also waits until a limit that the vendor reported has passed. `on_wait` receives the reason and the
    /// length of each wait.
    ///
    /// # Errors
    /// The wait would exceed `max_wait`.
    pub(crate) async fn acquire(
        &self,
        caller: CallerKey,
        max_wait: Duration,
        honor_server_limits: bool,
        on_wait: &(dyn Fn(&str, Duration) + Sync),
    ) -> Result<Permit, Throttled> {
        let deadline = Instant::now() + max_wait;
        let slot = self.acquire_slot(caller, deadline, on_wait).await?;
        let mut reservation = self.reserve();
        let mut trial = None;
        loop {
            let ready = self.ready(&reservation, deadline, on_wait).await?;
            let now = Instant::now();
            let closed = self.bucket().closed.clone().filter(|closed| honor_server_limits && closed.stated > now);
            let (at, reason, holds) = match &closed {
                Some(closed) if closed.until > ready => (closed.until, closed.text(), closed.stated),
                _ => (ready, self.rate_reason(), ready),
            };
            if at > now {
                // Who would wait for a mere trial is better told at once.
                if at.max(holds) > deadline {
                    return Err(Throttled { reason, retry_after: at - now });
                }
                on_wait(&reason, at - now);
                sleep_until(at).await;
                continue;
            }
            match closed {
                // Another trial may have ended in the meantime: look again before this one begins.
                Some(closed) if trial.is_none() => trial = Some(self.acquire_trial(&closed, deadline).await?),
                Some(_) => break,
                None => {
                    trial = None;
                    break;
                }
            }
        }
        reservation.limiter = None;
        Ok(Permit { _slot: slot, _trial: trial })
    }

    /// Waits until no other request tries whether a limit still holds.
    async fn acquire_trial(&self, closed: &Closed, deadline: Instant) -> Result<OwnedSemaphorePermit, Throttled> {
        match timeout_at(deadline, Arc::clone(&self.0.trial).acquire_owned()).await {
            Ok(Ok(trial)) => Ok(trial),
            _ => Err(Throttled { reason: closed.text(), retry_after: Duration::from_secs(1) }),
        }
    }

    async fn acquire_slot(
        &self,
        caller: CallerKey,
        deadline: Instant,
        on_wait: &(dyn Fn(&str, Duration) + Sync),
    ) -> Result<Option<Slot>, Throttled> {
        let Some(slots) = &self.0.slots else { return Ok(None) };
        let waits = |no_slot| on_wait(&in_flight_reason(no_slot), deadline - Instant::now());
        match slots.acquire(caller, deadline, waits).await {
            Ok(slot) => Ok(Some(slot)),
            Err(no_slot) => Err(Throttled { reason: in_flight_reason(no_slot), retry_after: no_slot.retry_after }),
        }
    }

    /// Takes a token, which may not be there yet.
    fn reserve(&self) -> Reservation<'_> {
        let RateLimits { requests_per_minute, share, .. } = &self.0.limits;
        let Some(per_minute) = *requests_per_minute else { return Reservation { limiter: None, place: 0.0 } };
        let mut bucket = self.bucket();
        bucket.refill(Instant::now(), share, per_minute);
        bucket.taken += 1.0;
        Reservation { limiter: Some(self), place: bucket.taken }
    }

    /// Returns when a token that was taken is there, as things are: this process may get a smaller part of the limits
    /// while it waits. Where it has no part it waits for one.
    async fn ready(
        &self,
        reservation: &Reservation<'_>,
        deadline: Instant,
        on_wait: &(dyn Fn(&str, Duration) + Sync),
    ) -> Result<Instant, Throttled> {
        let limits = &self.0.limits;
        let Some(per_minute) = limits.requests_per_minute else { return Ok(Instant::now()) };
        let mut is_told = false;
        loop {
            let now = Instant::now();
            let share = limits.share.now();
            {
                let mut bucket = self.bucket();
                bucket.refill(now, &limits.share, per_minute);
                let missing = reservation.place - bucket.granted;
                if missing <= TINY {
                    return Ok(now);
                }
                if share > 0.0 {
                    return Ok(now + Duration::from_secs_f64(missing / (rate(per_minute) * share)));
                }
            }
            let reason = "this server has no part of the vendor's limits, which it shares with others: it has just started, \
                          or can't reach its store";
            if now + LOOK > deadline {
                return Err(Throttled { reason: reason.to_owned(), retry_after: Duration::from_secs(1) });
            }
            if !is_told {
                is_told = true;
                on_wait(reason, deadline - now);
            }
            sleep_until(now + LOOK).await;
        }
    }

    /// Closes until a limit that an answer reports has passed, but not for long; a trial that the vendor did not refuse
    /// opens again.
    pub(super) fn update(&self, status: StatusCode, reported: &RateLimit) {
        let refused = matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
        let spent = reported.remaining == Some(0);
        // A limit on one record does not concern the others.
        let narrow = reported.reason.as_deref().is_some_and(|reason| {
            self.0.limits.record_limit_reasons.iter().any(|of_record| reason.contains(of_record.as_str()))
        });
        let now = Instant::now();
        let mut bucket = self.bucket();
        let Some(wait) = reported.wait().filter(|wait| (refused || spent) && !narrow && !wait.is_zero()) else {
            // Answers to requests from before it was closed prove nothing.
            if !refused && bucket.closed.as_ref().is_some_and(|closed| closed.until <= now) {
                bucket.closed = None;
            }
            return;
        };
        let closed = if wait > LONGEST_BELIEVED { LONGEST_CLOSED } else { wait };
        let (until, stated) = (now + closed, now + wait);
        match &mut bucket.closed {
            Some(closed) if closed.stated >= stated => closed.until = closed.until.max(until),
            closed => *closed = Some(Closed { until, stated, reason: reported.reason.clone() }),
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

fn in_flight_reason(NoSlot { own, most, .. }: NoSlot) -> String {
    if own {
        format!("{most} requests of this caller to the vendor are in flight, which is its share")
    } else {
        format!("{most} requests to the vendor are in flight, which is its limit")
    }
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
    use tokio::time::advance;

    use super::*;

    fn ignore(_: &str, _: Duration) {}

    #[tokio::test]
    async fn a_minute_never_exceeds_its_requests() {
        let limiter = RateLimiter::new(RateLimits { requests_per_minute: Some(90), ..RateLimits::default() });
        for _ in 0..15 {
            limiter.acquire(CallerKey::Only, Duration::ZERO, true, &ignore).await.unwrap();
        }
        let refused = limiter.acquire(CallerKey::Only, Duration::ZERO, true, &ignore).await.unwrap_err();
        assert!(refused.reason.contains("90 requests a minute"), "{refused}");
        assert!(refused.retry_after <= Duration::from_millis(801), "{refused:?}");
        // A refused request returns its token.
        let again = limiter.acquire(CallerKey::Only, Duration::ZERO, true, &ignore).await.unwrap_err();
        assert!(again.retry_after <= refused.retry_after);
        assert!(burst(90) + 60.0 * rate(90) <= 90.0);
    }

    #[tokio::test(start_paused = true)]
    async fn tokens_are_refilled_in_the_order_of_requests() {
        let limiter = RateLimiter::new(RateLimits { requests_per_minute: Some(600), ..RateLimits::default() });
        let started = Instant::now();
        for _ in 0..104 {
            limiter.acquire(CallerKey::Only, Duration::from_secs(5), true, &ignore).await.unwrap();
        }
        assert!(started.elapsed() >= Duration::from_millis(450), "{:?}", started.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn processes_with_parts_of_a_limit_never_exceed_it_together() {
        let minute = Duration::from_secs(60);
        let shares = [PaceShare::leased(), PaceShare::leased(), PaceShare::leased()];
        let lease =
            |at: usize, share: f64, first| shares[at].renew(share, Instant::now() + Duration::from_secs(30), first);
        lease(0, 1.0, true);
        let sent = Arc::new(Mutex::new(Vec::new()));
        for share in &shares {
            let limits = RateLimits { requests_per_minute: Some(90), share: share.clone(), ..RateLimits::default() };
            let limiter = RateLimiter::new(limits);
            for _ in 0..4 {
                let (limiter, sent) = (limiter.clone(), Arc::clone(&sent));
                tokio::spawn(async move {
                    loop {
                        if limiter.acquire(CallerKey::Only, Duration::from_secs(20), true, &ignore).await.is_ok() {
                            sent.lock().unwrap().push(Instant::now());
                        }
                    }
                });
            }
        }
        // One alone; a second joins; the first can't reach the store, and its part is free only when its lease ends; a third.
        for second in 0..200 {
            match second {
                0..40 => lease(0, 1.0, false),
                40 => lease(0, 0.5, false),
                41..80 => {
                    lease(0, 0.5, false);
                    lease(1, 0.5, false);
                }
                80..112 | 140 => lease(1, 0.5, false),
                112..140 => lease(1, 1.0, false),
                _ => {
                    lease(1, 0.5, false);
                    lease(2, 0.5, false);
                }
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        let sent = sent.lock().unwrap();
        let most = sent.iter().map(|from| sent.iter().filter(|at| **at >= *from && **at < *from + minute).count());
        assert!(most.max().unwrap() <= 90, "{sent:?}");
        assert!(sent.len() > 200, "and most of it is used: {}", sent.len());
    }

    #[tokio::test]
    async fn requests_in_flight_are_bounded() {
        let limiter = RateLimiter::new(RateLimits { in_flight: Some(1), ..RateLimits::default() });
        let first = limiter.acquire(CallerKey::Only, Duration::ZERO, true, &ignore).await.unwrap();
        let reasons = Mutex::new(Vec::new());
        let on_wait = |reason: &str, _: Duration| reasons.lock().unwrap().push(reason.to_owned());
        limiter.acquire(CallerKey::Only, Duration::from_millis(20), true, &on_wait).await.unwrap_err();
        assert!(reasons.lock().unwrap()[0].contains("1 requests to the vendor are in flight"));
        drop(first);
        limiter.acquire(CallerKey::Only, Duration::ZERO, true, &ignore).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_with_slow_requests_does_not_hold_back_another() {
        let limiter = RateLimiter::new(RateLimits { in_flight: Some(4), ..RateLimits::default() });
        for _ in 0..16 {
            let limiter = limiter.clone();
            tokio::spawn(async move {
                let permit = limiter.acquire(CallerKey::Known(1), Duration::from_secs(30), true, &ignore).await;
                tokio::time::sleep(Duration::from_secs(20)).await;
                drop(permit);
            });
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        let started = Instant::now();
        for _ in 0..2 {
            limiter.acquire(CallerKey::Known(2), Duration::from_secs(30), true, &ignore).await.unwrap();
        }
        assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
        let refused = limiter.acquire(CallerKey::Known(1), Duration::from_secs(1), true, &ignore).await.unwrap_err();
        assert!(refused.reason.contains("3 requests of this caller"), "{refused}");
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
        let refused = limiter.acquire(CallerKey::Only, Duration::ZERO, true, &ignore).await.unwrap_err();
        assert!(refused.reason.contains("`burst`"), "{refused}");
        limiter
            .acquire(CallerKey::Only, Duration::ZERO, false, &ignore)
            .await
            .expect("a caller may ignore the vendor's limits");
        let started = Instant::now();
        limiter.acquire(CallerKey::Only, Duration::from_secs(1), true, &ignore).await.unwrap();
        assert!(started.elapsed() >= Duration::from_millis(60));
    }

    #[tokio::test(start_paused = true)]
    async fn an_absurd_wait_closes_for_a_short_time_and_then_one_request_at_a_time_tries() {
        let limiter = RateLimiter::default();
        let absurd = RateLimit { retry_after: Some(Duration::from_hours(1)), ..RateLimit::default() };
        limiter.update(StatusCode::TOO_MANY_REQUESTS, &absurd);
        let refused = limiter.acquire(CallerKey::Only, LONGEST_CLOSED, true, &ignore).await.unwrap_err();
        assert!(refused.retry_after <= LONGEST_CLOSED, "{refused}");
        advance(LONGEST_CLOSED).await;
        let trial = limiter.acquire(CallerKey::Only, Duration::ZERO, true, &ignore).await.unwrap();
        let second = limiter.acquire(CallerKey::Only, Duration::from_secs(5), true, &ignore).await.unwrap_err();
        assert!(second.reason.contains("rate limit"), "{second}");
        // The vendor refuses the trial: closed again for as long.
        limiter.update(StatusCode::TOO_MANY_REQUESTS, &absurd);
        drop(trial);
        advance(Duration::from_secs(20)).await;
        limiter.acquire(CallerKey::Only, Duration::ZERO, true, &ignore).await.unwrap_err();
        advance(Duration::from_secs(10)).await;
        let trial = limiter.acquire(CallerKey::Only, Duration::ZERO, true, &ignore).await.unwrap();
        // It accepts the next one: open for everybody, also for a request that waits for the end of the trial.
        let accepted = async {
            limiter.update(StatusCode::OK, &RateLimit::default());
            drop(trial);
        };
        let (waiting, ()) =
            tokio::join!(limiter.acquire(CallerKey::Only, Duration::from_secs(5), true, &ignore), accepted);
        let _both = (waiting.unwrap(), limiter.acquire(CallerKey::Only, Duration::ZERO, true, &ignore).await.unwrap());
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_from_before_it_was_closed_does_not_open_it() {
        let limiter = RateLimiter::default();
        let absurd = RateLimit { retry_after: Some(Duration::from_hours(1)), ..RateLimit::default() };
        limiter.update(StatusCode::TOO_MANY_REQUESTS, &absurd);
        limiter.update(StatusCode::OK, &RateLimit::default());
        limiter.acquire(CallerKey::Only, Duration::ZERO, true, &ignore).await.unwrap_err();
        // An aborted trial gives its place to the next.
        advance(LONGEST_CLOSED).await;
        drop(limiter.acquire(CallerKey::Only, Duration::ZERO, true, &ignore).await.unwrap());
        limiter.acquire(CallerKey::Only, Duration::ZERO, true, &ignore).await.unwrap();
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
            let permit = limiter.acquire(CallerKey::Only, Duration::ZERO, true, &ignore).await;
            assert_eq!(permit.is_err(), held_back, "{reasons:?}");
        }
    }
}
