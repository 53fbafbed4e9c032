//! Calls that the vendor refused with their access token → whether a new token is worth a request. A token that was issued
//! for a refusal and is refused as well says that something else is missing, such as a scope: each further token would
//! be refused too.

use std::collections::HashSet;
use std::time::Duration;

use tokio::time::Instant;

/// How long no token is requested for a refusal after a new one did not help; twice as long each further time.
const FIRST_PAUSE: Duration = Duration::from_mins(1);
/// The longest such pause.
const LONGEST_PAUSE: Duration = Duration::from_mins(16);
/// How often a token that was good for an operation and is not any more ends a pause early.
const MOST_EXCEPTIONS: u32 = 2;

/// What the vendor made of the tokens of one client.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    /// The operations that the present token was good for.
    accepted: HashSet<String>,
    pause: Option<Pause>,
    /// The number of the token that was judged last, for a pause: calls at the same time judge a token once.
    judged: u64,
}

#[derive(Debug)]
struct Pause {
    until: Instant,
    /// How many new tokens in a row did not help.
    times: u32,
}

impl Refusals {
    /// The present token is another one.
    pub(super) fn new_token(&mut self) {
        self.accepted.clear();
    }

    /// A call of this operation was not refused.
    pub(super) fn accepted(&mut self, operation: &str) {
        if !self.accepted.contains(operation) {
            self.accepted.insert(operation.to_owned());
        }
    }

    /// Whether a new token may be requested because a call of this operation was refused.
    ///
    /// # Errors
    /// How long none will be.
    pub(super) fn may_renew(&self, operation: &str, now: Instant) -> Result<(), Duration> {
        let Some(pause) = self.pause.as_ref().filter(|pause| now < pause.until) else { return Ok(()) };
        // It was good for the same operation, so that it was withdrawn, and no scope is missing.
        let was_withdrawn = self.accepted.contains(operation) && pause.times <= MOST_EXCEPTIONS;
        if was_withdrawn { Ok(()) } else { Err(pause.until - now) }
    }

    /// A call was sent again with the token of this number, which was issued for a refusal.
    pub(super) fn judge(&mut self, token: u64, helped: bool, now: Instant) {
        if token <= self.judged {
            return;
        }
        self.judged = token;
        if helped {
            self.pause = None;
            return;
        }
        let times = self.pause.as_ref().map_or(0, |pause| pause.times) + 1;
        let length = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(times - 1)).min(LONGEST_PAUSE);
        self.pause = Some(Pause { until: now + length, times });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_token_that_is_refused_too_pauses_further_requests() {
        let start = Instant::now();
        let mut refusals = Refusals::default();
        assert_eq!(refusals.may_renew("a", start), Ok(()));
        let mut now = start;
        for (token, minutes) in [(2, 1), (3, 2), (4, 4), (5, 8), (6, 16), (7, 16)] {
            refusals.new_token();
            // Sixteen calls at the same time find the same out.
            for _ in 0..16 {
                refusals.judge(token, false, now);
            }
            let pause = Duration::from_mins(minutes);
            assert_eq!(refusals.may_renew("a", now), Err(pause), "{token}");
            now += pause;
            assert_eq!(refusals.may_renew("a", now), Ok(()), "{token}");
        }
        refusals.judge(8, true, now);
        refusals.judge(9, false, now);
        assert_eq!(refusals.may_renew("a", now), Err(FIRST_PAUSE), "a token that helped begins anew");
    }

    #[test]
    fn a_token_that_was_good_before_is_renewed_in_spite_of_a_pause() {
        let now = Instant::now();
        let mut refusals = Refusals::default();
        refusals.judge(2, false, now);
        refusals.accepted("b");
        assert!(refusals.may_renew("a", now).is_err());
        assert_eq!(refusals.may_renew("b", now), Ok(()));
        // What is refused for one record and accepted for the next does not request a token for each.
        for token in 3..10 {
            refusals.new_token();
            refusals.judge(token, false, now);
            refusals.accepted("b");
        }
        assert!(refusals.may_renew("b", now).is_err());
    }
}
