//! One call, tried as often as it may be: takes a turn in the vendor's pace, sends, and where the
//! vendor is busy tries again. Only what has no effect, or no further one, is ever repeated.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::Caller;
use crate::client_runtime::Pending;
use crate::error::{CallError, seconds};
use crate::metrics::VendorMetrics;
use crate::upstream::{Answer, RateLimiter, wait_message};

/// How long the first wait is where the vendor names none; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// The longest wait that the vendor has not asked for.
const LONGEST_WAIT: Duration = Duration::from_secs(8);
/// What is shorter was no wait for anybody, but the time that taking a turn takes.
const NOTICEABLE: Duration = Duration::from_millis(1);
/// A refused login is repeated by nobody, and other refusals say the same the second time.
const BUSY: [u16; 2] = [429, 503];

/// How much waiting a call is worth.
#[derive(Debug, Clone, Copy)]
pub struct RetryPolicy {
    /// How often a call is tried.
    pub tries: u32,
    /// How long it may wait in all, for its turn and between tries.
    pub budget: Duration,
    /// Whether to wait for what the vendor said to earlier calls.
    pub heed: bool,
    /// How many records `all` gathers before it gives what there is.
    pub records: usize,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { tries: 3, budget: Duration::from_secs(30), heed: true, records: 1_000 }
    }
}

impl RetryPolicy {
    /// For callers that do their own waiting: one try, and every answer is passed on. The pace
    /// that vendor.toml states holds all the same.
    pub fn none() -> Self {
        Self { tries: 1, heed: false, ..Self::default() }
    }
}

/// Sends what `request` makes until it is answered, or patience ends. `repeatable` says whether
/// a second try can do no harm.
pub(super) async fn run<'a>(
    patience: RetryPolicy,
    repeatable: bool,
    pace: &RateLimiter,
    caller: &Caller,
    metrics: VendorMetrics<'_>,
    request: impl Fn() -> Pending<'a>,
) -> Result<Answer, CallError> {
    let started = Instant::now();
    let tell = |reason: &str, span: Duration| caller.tell(wait_message(reason, span));
    let mut tries = 0;
    let mut last = None;
    loop {
        let left = patience.budget.saturating_sub(started.elapsed());
        let asked = Instant::now();
        let turn = pace.acquire(left, patience.heed, &tell).await;
        let waited = asked.elapsed();
        if waited >= NOTICEABLE {
            metrics.waited(waited);
        }
        let turn = match turn {
            Ok(turn) => turn,
            // What the vendor said to the try before tells more.
            Err(throttled) => return Err(last.unwrap_or_else(|| CallError::Throttled(Box::new(throttled)))),
        };
        tries += 1;
        let sent = Instant::now();
        let answered = request().await;
        metrics.took(sent.elapsed());
        let error = match answered {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        drop(turn);
        let Some(status) = error.status().filter(|status| BUSY.contains(status)) else { return Err(error) };
        let wait = match error.retry_after() {
            Some(named) => {
                named + jitter(named.div_f64(10.0).clamp(Duration::from_millis(100), Duration::from_secs(1)))
            }
            None => pause(tries),
        };
        let error = told(error, tries, started.elapsed());
        let left = patience.budget.saturating_sub(started.elapsed());
        if !repeatable || tries >= patience.tries || wait > left {
            return Err(error);
        }
        tell(&format!("the vendor answered {status}; try {} of {} follows", tries + 1, patience.tries), wait);
        last = Some(error);
        sleep(wait).await;
        metrics.waited(wait);
    }
}

/// Between half of the span and all of it: callers that failed together come back apart.
fn pause(tries: u32) -> Duration {
    let span = FIRST_WAIT.saturating_mul(2_u32.saturating_pow(tries.saturating_sub(1))).min(LONGEST_WAIT);
    span / 2 + jitter(span / 2)
}

fn jitter(most: Duration) -> Duration {
    most.mul_f64(fastrand::f64())
}

/// Adds to a refusal how often it was tried and when to come back.
fn told(error: CallError, tries: u32, spent: Duration) -> CallError {
    let retry_after = error.retry_after();
    let CallError::Rejected(mut rejection) = error else { return error };
    let mut parts: Vec<String> = rejection.advice.take().into_iter().collect();
    if let Some(reason) = &rejection.rate_limit.reason {
        parts.push(format!("the vendor names the limit `{reason}`"));
    }
    if tries > 1 {
        parts.push(format!("tried {tries} times within {} s", seconds(spent)));
    }
    if let Some(wait) = retry_after {
        parts.push(format!("retry_after_seconds: {}", seconds(wait)));
    }
    rejection.advice = Some(parts.join("; "));
    CallError::Rejected(rejection)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_differ() {
        for (tries, least, most) in [(1, 250, 500), (2, 500, 1_000), (3, 1_000, 2_000), (40, 4_000, 8_000)] {
            for _ in 0..50 {
                let millis = pause(tries).as_millis();
                assert!((least..=most).contains(&millis), "{tries}: {millis}");
            }
        }
    }
}
