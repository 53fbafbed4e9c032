//! How many calls may run at once, in all and for one caller: further calls wait for their turn, so that one
//! client can neither exhaust the process nor block the others.

use std::time::Duration;

use tokio::time::Instant;

use super::caller::Caller;
use crate::error::Throttled;
use crate::fairness::{CallerKey, NoSlot, Shares, Slot, Slots};

/// The most calls that run at once in the process.
const MOST: usize = 256;
/// The most calls of one caller that run at once: more than any assistant makes.
const MOST_OF_CALLER: usize = 16;
/// How many of all are kept for callers that can be told apart.
const KEPT: usize = 16;

/// Limits the calls of a process. A call counts as long as its slot exists.
#[derive(Debug)]
pub(super) struct CallerLimiter(Slots);

impl Default for CallerLimiter {
    fn default() -> Self {
        let of_one = |key, all: usize| match key {
            CallerKey::Only | CallerKey::Known(_) => MOST_OF_CALLER,
            CallerKey::Named(_) | CallerKey::Anonymous => all - KEPT,
        };
        Self(Slots::new(Shares { all: MOST, of_one, waiting: usize::MAX }))
    }
}

impl CallerLimiter {
    /// Waits for a slot, at most for `budget`.
    ///
    /// # Errors
    /// It would take longer.
    pub(super) async fn slot(&self, caller: &Caller, budget: Duration) -> Result<Slot, Throttled> {
        let slot = self.0.acquire(caller.key(), Instant::now() + budget, |no_slot| caller.report(reason(no_slot)));
        slot.await.map_err(|no_slot| Throttled { reason: reason(no_slot), retry_after: no_slot.retry_after })
    }
}

fn reason(NoSlot { own, most, .. }: NoSlot) -> String {
    let whose = if own { " of this caller" } else { "" };
    format!("{most} calls{whose} are under way, and no more may be")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Principal;

    fn of(session: Option<u64>) -> Caller {
        Caller { session, ..Caller::default() }
    }

    fn with(token: &str, session: Option<u64>) -> Caller {
        Caller { principal: Principal::of_token("acme", token), session, ..Caller::default() }
    }

    #[tokio::test(start_paused = true)]
    async fn one_caller_can_not_block_the_others() {
        for (busy, other) in [(of(Some(1)), of(Some(2))), (with("a", None), with("b", None))] {
            let limiter = CallerLimiter::default();
            let budget = Duration::from_secs(30);
            let mut slots = Vec::new();
            for _ in 0..MOST_OF_CALLER {
                slots.push(limiter.slot(&busy, budget).await.unwrap());
            }
            let refused = limiter.slot(&busy, budget).await.unwrap_err();
            assert!(refused.reason.contains("16 calls of this caller"), "{}", refused.reason);
            assert!(limiter.slot(&other, budget).await.is_ok());
            slots.pop();
            assert!(limiter.slot(&busy, budget).await.is_ok(), "one has ended");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn callers_without_a_session_leave_slots_to_the_others() {
        let limiter = CallerLimiter::default();
        let mut slots = Vec::new();
        for _ in 0..MOST - KEPT {
            slots.push(limiter.slot(&of(None), Duration::ZERO).await.unwrap());
        }
        let refused = limiter.slot(&of(None), Duration::from_secs(1)).await.unwrap_err();
        assert!(refused.reason.contains("240 calls of this caller are under way"), "{}", refused.reason);
        for _ in 0..KEPT {
            slots.push(limiter.slot(&of(Some(1)), Duration::ZERO).await.unwrap());
        }
        let refused = limiter.slot(&of(Some(2)), Duration::from_secs(1)).await.unwrap_err();
        assert!(refused.reason.contains("256 calls are under way"), "{}", refused.reason);
        slots.pop();
        assert!(limiter.slot(&of(Some(2)), Duration::ZERO).await.is_ok());
    }
}
