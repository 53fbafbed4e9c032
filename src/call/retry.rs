//! One request → its answer: waits for the vendor's rate limit, sends, and sends again while the
//! vendor is busy. Only requests without effect, or without a further one, are repeated.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tracing::Instrument as _;

use super::api_connection::{ApiConnection, Session};
use super::caller::Caller;
use super::resolve::ResolvedCall;
use crate::client_runtime::Inputs;
use crate::error::{CallError, seconds};
use crate::learn::Learner;
use crate::metrics::{Metrics, VendorMetrics};
use crate::sanitize::TextForm;
use crate::traces;
use crate::upstream::{Answer, Permit, wait_message};

/// The first wait where the vendor states none; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// The longest wait that the vendor has not stated.
const LONGEST_WAIT: Duration = Duration::from_secs(8);
/// Shorter waits are scheduling noise and not counted.
const NOTICEABLE: Duration = Duration::from_millis(1);
/// The statuses that are worth a retry. A refused login is never repeated.
const BUSY: [u16; 2] = [429, 503];

/// How long a call may wait and how much it may fetch.
#[derive(Debug, Clone, Copy)]
pub struct RetryPolicy {
    /// How often a request is sent.
    pub tries: u32,
    /// The longest time that one request may wait, for limits and between tries.
    pub budget: Duration,
    /// Whether to wait for limits that the vendor stated in earlier answers.
    pub honor_server_limits: bool,
    /// How many records `all` gathers before it stops.
    pub records: usize,
    /// How long a call waits for the end of work that it began at the vendor; then it returns how the work stands.
    pub background: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            tries: 3,
            budget: Duration::from_secs(30),
            honor_server_limits: true,
            records: 1_000,
            background: Duration::from_secs(20),
        }
    }
}

impl RetryPolicy {
    /// Returns the policy for callers that retry themselves: one try, and every answer is passed
    /// on. The limits of vendor.toml apply all the same.
    pub fn none() -> Self {
        Self { tries: 1, honor_server_limits: false, ..Self::default() }
    }
}

/// Sends the requests of one call.
pub(super) struct Sender<'a> {
    pub(super) session: Arc<Session>,
    connection: Arc<ApiConnection>,
    caller: &'a Caller,
    metrics: VendorMetrics<'a>,
    learner: Option<&'a Learner>,
    policy: RetryPolicy,
    /// The operation that may change something; the others of the call look things up.
    changing: Option<&'a str>,
}

impl<'a> Sender<'a> {
    pub(super) fn new(
        call: &ResolvedCall<'a>,
        policy: RetryPolicy,
        metrics: &'a Metrics,
        learner: Option<&'a Learner>,
    ) -> Self {
        let session = Arc::clone(&call.session);
        let metrics = metrics.of(&call.entry.vendor);
        let changing = (!call.only_reads()).then_some(call.operation.operation.as_str());
        let connection = Arc::clone(&call.connection);
        Self { session, connection, caller: call.caller, metrics, learner, policy, changing }
    }

    /// Sends the request of a session that a person has approved.
    #[must_use]
    pub(super) fn approved(self, session: Session) -> Self {
        Self { session: Arc::new(session), ..self }
    }

    /// Sends lookups of the same call over another connection.
    #[must_use]
    pub(super) fn over(self, connection: Arc<ApiConnection>, session: Session) -> Self {
        Self { connection, session: Arc::new(session), changing: None, ..self }
    }

    /// Sends a request until it is answered or the policy ends the waiting. `repeatable` is true
    /// where a second request does no harm.
    ///
    /// # Errors
    /// By stage: not sent, rejected, or unknown.
    pub(super) async fn send(
        &self,
        operation: &str,
        repeatable: bool,
        inputs: impl Fn() -> Inputs + Send + Sync,
    ) -> Result<Answer, CallError> {
        let policy = self.policy;
        let started = Instant::now();
        let left = || policy.budget.saturating_sub(started.elapsed());
        let mut tries = 0;
        let mut refused = None;
        loop {
            let first = match &self.caller.brought {
                Some(brought) => match brought.permit(left()).await {
                    Ok(first) => first,
                    Err(error) => return Err(refused.unwrap_or(error)),
                },
                None => None,
            };
            let permit = match self.permit(left()).await {
                Ok(permit) => permit,
                // The vendor's own refusal explains more than our limit does.
                Err(throttled) => return Err(refused.unwrap_or(throttled)),
            };
            // After each wait: what admitted the call may have ended meanwhile.
            if let Err(ended) = self.caller.may_send(self.changing == Some(operation)) {
                return Err(refused.unwrap_or(ended));
            }
            tries += 1;
            let result = self.try_once(operation, tries, &inputs).await;
            drop(permit);
            if let Some(brought) = &self.caller.brought {
                brought.judge(&result);
            }
            drop(first);
            if let Some(learner) = self.learner {
                learner.note(self.connection.id(), operation, &result);
            }
            let error = match result {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let Some(status) = error.status().filter(|status| BUSY.contains(status)) else { return Err(error) };
            let wait = wait_before(tries, error.retry_after());
            let error = with_tries(error, tries, started.elapsed());
            if !repeatable || tries >= policy.tries || wait > left() {
                return Err(error);
            }
            let reason = format!("the vendor answered {status}; try {} of {} follows", tries + 1, policy.tries);
            self.caller.report(wait_message(&reason, wait));
            refused = Some(error);
            sleep(wait).await;
            self.metrics.waited(wait);
        }
    }

    /// Sends a request once, measured and traced.
    async fn try_once(
        &self,
        operation: &str,
        tries: u32,
        inputs: &(impl Fn() -> Inputs + Send + Sync),
    ) -> Result<Answer, CallError> {
        let sent = Instant::now();
        let span = traces::request(self.connection.id(), operation, tries);
        let result = self.session.send(operation, inputs).instrument(span.clone()).await;
        self.metrics.took(sent.elapsed());
        traces::answered(&span, status_of(&result), result.is_ok());
        result
    }

    /// Returns an error as text, with what the vendor wrote in it made inert.
    pub(super) fn inert(&self, error: &CallError) -> String {
        self.connection.rules.text(&error.to_string(), TextForm::Inert)
    }

    /// Waits until the vendor's limits allow a request.
    async fn permit(&self, budget: Duration) -> Result<Permit, CallError> {
        let asked = Instant::now();
        let report = |reason: &str, span: Duration| self.caller.report(wait_message(reason, span));
        let permit =
            self.connection.limiter.acquire(self.caller.key(), budget, self.policy.honor_server_limits, &report).await;
        let waited = asked.elapsed();
        if waited >= NOTICEABLE {
            self.metrics.waited(waited);
        }
        permit.map_err(|throttled| CallError::Throttled(Box::new(throttled)))
    }
}

/// The vendor's status, if it answered.
fn status_of(result: &Result<Answer, CallError>) -> Option<u16> {
    result.as_ref().map_or_else(CallError::status, |answer| Some(answer.status))
}

/// Returns how long to wait after a try: as long as the vendor states and a little longer, or else
/// between half of a growing span and all of it, so that callers that failed together don't
/// return together.
fn wait_before(tries: u32, stated: Option<Duration>) -> Duration {
    if let Some(stated) = stated {
        return stated + jitter(stated.div_f64(10.0).clamp(Duration::from_millis(100), Duration::from_secs(1)));
    }
    let span = FIRST_WAIT.saturating_mul(2_u32.saturating_pow(tries.saturating_sub(1))).min(LONGEST_WAIT);
    span / 2 + jitter(span / 2)
}

fn jitter(most: Duration) -> Duration {
    most.mul_f64(fastrand::f64())
}

/// Adds to a refusal how often the request was sent and when to call again.
fn with_tries(error: CallError, tries: u32, spent: Duration) -> CallError {
    let retry_after = error.retry_after();
    let CallError::Rejected(mut rejection) = error else { return error };
    if let Some(reason) = &rejection.rate_limit.reason {
        rejection.advice.push(format!("the vendor names the limit `{reason}`").into());
    }
    if tries > 1 {
        rejection.advice.push(format!("tried {tries} times within {} s", seconds(spent)).into());
    }
    if let Some(wait) = retry_after {
        rejection.advice.push(format!("retry_after_seconds: {}", seconds(wait)).into());
    }
    CallError::Rejected(rejection)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_differ() {
        for (tries, least, most) in [(1, 250, 500), (2, 500, 1_000), (3, 1_000, 2_000), (40, 4_000, 8_000)] {
            for _ in 0..50 {
                let millis = wait_before(tries, None).as_millis();
                assert!((least..=most).contains(&millis), "{tries}: {millis}");
            }
        }
    }

    #[test]
    fn a_stated_wait_is_never_shortened() {
        for stated in [Duration::ZERO, Duration::from_secs(1), Duration::from_mins(5)] {
            let wait = wait_before(3, Some(stated));
            assert!(wait >= stated && wait <= stated + Duration::from_secs(1), "{stated:?}: {wait:?}");
        }
    }
}
