//! One call of a step → its answer, what a dry run would send, or how it failed. Each call passes the ordinary stages, as
//! a call of its own.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::time::sleep;

use super::datum::Datum;
use super::scope::{Arguments, Scope};
use crate::call::{Caller, Failure, PlannedCall, StepAnswer, StepOf, StepResult, StepsApproval, Toolbox};
use crate::error::CallError;
use toolwright_model::workflow::StepCall;
use toolwright_model::{DETAIL, DRY_RUN, Effect, RAW};

/// How often a call is made again that a limit kept from being sent.
const THROTTLED_TRIES: u32 = 5;
/// The longest wait for a limit before such a call.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// What the calls of one run have in common.
pub(super) struct Calls<'a> {
    pub(super) toolbox: &'a Toolbox,
    pub(super) caller: &'a Caller,
    pub(super) run: Arc<str>,
    /// Whether the workflow may change something.
    pub(super) changes: bool,
    /// Whether changes are planned and not sent.
    pub(super) dry_run: bool,
    /// What a person has approved of it; while it is planned for that, what would be sent.
    pub(super) approval: Option<Arc<StepsApproval>>,
    /// Whether the caller wants texts as the vendor has them.
    pub(super) raw: bool,
    /// How many calls of the run may be under way at once.
    pub(super) places: Semaphore,
}

/// How a call ended.
pub(super) enum Attempt {
    Answered(Box<StepAnswer>),
    /// What a dry run would send, and whether outsiders wrote a part of it.
    Planned(Box<PlannedCall>, bool),
    /// A dry run can't say what would be sent: an argument comes from the answer to a change.
    Unsent(Datum),
    Failed(Failure),
}

impl Calls<'_> {
    /// Whether the caller has cancelled.
    pub(super) fn is_cancelled(&self) -> bool {
        self.caller.cancelled.is_cancelled()
    }

    /// Waits, unless the caller cancels.
    pub(super) async fn wait(&self, span: Duration) {
        tokio::select! {
            () = sleep(span) => {}
            () = self.caller.cancelled.cancelled() => {}
        }
    }

    /// Makes a call; `step` is the name under which it is recorded.
    ///
    /// # Errors
    /// The arguments can't be made.
    pub(super) async fn attempt(&self, call: &StepCall, scope: &Scope, step: &str) -> Result<Attempt, String> {
        let Arguments { mut values, shown } = scope.arguments(call)?;
        let reads = call.effect == Some(Effect::Read);
        if shown.is_unsent() {
            return Ok(Attempt::Unsent(shown));
        }
        if self.dry_run && !reads && self.approval.is_none() {
            values.insert(DRY_RUN.to_owned(), Value::Bool(true));
        }
        if self.raw && call.written_back && !values.contains_key(DETAIL) {
            values.insert(DETAIL.to_owned(), Value::from(RAW));
        }
        let caller = Caller {
            through: None,
            workflow: Some(StepOf {
                run: Arc::clone(&self.run),
                step: step.into(),
                changes: self.changes,
                approval: self.approval.clone(),
            }),
            ..self.caller.clone()
        };
        let mut tries = 0;
        loop {
            // The semaphore is never closed.
            let place = self.places.acquire().await;
            let result = self.toolbox.call_step(&caller, &call.tool, &values).await;
            drop(place);
            tries += 1;
            let failure = match result {
                Ok(StepResult::Answered(answer)) => return Ok(Attempt::Answered(answer)),
                Ok(StepResult::Planned(plan)) => return Ok(Attempt::Planned(plan, shown.has_untrusted())),
                Err(failure) => failure,
            };
            // Nothing was sent, so that it can be.
            let wait = match &failure {
                Failure::Call(CallError::Throttled(throttled)) => Some(throttled.retry_after),
                _ => None,
            };
            match wait.filter(|wait| tries < THROTTLED_TRIES && *wait <= LONGEST_WAIT && !self.is_cancelled()) {
                Some(wait) => {
                    self.caller.report(format!("`{step}` waits {} s for a limit", crate::error::seconds(wait)));
                    self.wait(wait).await;
                }
                None => return Ok(Attempt::Failed(failure)),
            }
        }
    }
}
