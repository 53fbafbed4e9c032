//! Tokens that callers bring → which may be sent to their vendor now. Only the vendor can tell whether a token is one: those
//! that it has not taken yet are few at a time, and one that it refused is not sent again at once, so that invented
//! tokens leave the vendor's limits to callers whose tokens are taken.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::caller::CredentialsDigest;
use crate::error::{CallError, Throttled};

/// How many requests with tokens that the vendor has not taken yet are sent within [`WINDOW`], of all callers together:
/// enough for a team that begins its day, and a part of what vendors allow.
const MOST_UNPROVED: usize = 20;
/// The time in which they are counted, and for which a refused token is not sent again.
const WINDOW: Duration = Duration::from_mins(1);
/// For how long a token that the vendor took is known.
const KNOWN_FOR: Duration = Duration::from_hours(8);
/// How many tokens are known, of each kind.
const MOST_KNOWN: usize = 4_096;

/// The tokens of one vendor, by their digests.
#[derive(Debug, Default)]
pub(super) struct BroughtTokens(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// When the vendor took it last.
    taken: HashMap<CredentialsDigest, Instant>,
    /// When the vendor refused it.
    refused: HashMap<CredentialsDigest, Instant>,
    /// When the requests with other tokens were sent, the oldest first.
    unproved: VecDeque<Instant>,
}

/// What is known of the token of one request.
#[derive(Debug, Clone)]
pub(super) struct TokenStanding {
    tokens: Arc<BroughtTokens>,
    digest: CredentialsDigest,
}

impl TokenStanding {
    pub(super) fn new(tokens: &Arc<BroughtTokens>, digest: CredentialsDigest) -> Self {
        Self { tokens: Arc::clone(tokens), digest }
    }

    /// Whether the vendor has taken the token lately.
    pub(super) fn is_proved(&self) -> bool {
        self.tokens.locked(|state, now| state.is_taken(&self.digest, now))
    }

    /// Permits a request with the token.
    ///
    /// # Errors
    /// The vendor refused it a moment ago, or too many others are being tried.
    pub(super) fn permit(&self) -> Result<(), CallError> {
        self.tokens.locked(|state, now| state.permit(&self.digest, now))
    }

    /// Notes whether the vendor took the token.
    pub(super) fn judge(&self, is_taken: bool) {
        self.tokens.locked(|state, now| state.judge(&self.digest, is_taken, now));
    }
}

impl BroughtTokens {
    fn locked<T>(&self, act: impl FnOnce(&mut State, Instant) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner), Instant::now())
    }
}

impl State {
    fn is_taken(&self, digest: &CredentialsDigest, now: Instant) -> bool {
        self.taken.get(digest).is_some_and(|at| now - *at < KNOWN_FOR)
    }

    fn permit(&mut self, digest: &CredentialsDigest, now: Instant) -> Result<(), CallError> {
        if self.is_taken(digest, now) {
            return Ok(());
        }
        if let Some(at) = self.refused.get(digest).filter(|at| now - **at < WINDOW) {
            let reason = "the vendor refused this token a moment ago, and it was not sent again\nhint: bring a token that is \
                          valid; this one is tried again later";
            return Err(throttled(reason, WINDOW - (now - *at)));
        }
        while self.unproved.front().is_some_and(|at| now - *at >= WINDOW) {
            self.unproved.pop_front();
        }
        match self.unproved.front() {
            Some(oldest) if self.unproved.len() >= MOST_UNPROVED => {
                let reason = format!(
                    "{MOST_UNPROVED} requests with tokens that the vendor has not taken before were sent within a minute, and \
                     no more may be"
                );
                Err(throttled(&reason, WINDOW - (now - *oldest)))
            }
            _ => {
                self.unproved.push_back(now);
                Ok(())
            }
        }
    }

    fn judge(&mut self, digest: &CredentialsDigest, is_taken: bool, now: Instant) {
        if is_taken {
            self.refused.remove(digest);
            note(&mut self.taken, digest, now);
        } else if !self.is_taken(digest, now) {
            // A vendor may refuse single operations with the same status: a token that it took for others is one.
            note(&mut self.refused, digest, now);
        }
    }
}

/// Adds a token; where there are too many, the one that was noted longest ago goes.
fn note(tokens: &mut HashMap<CredentialsDigest, Instant>, digest: &CredentialsDigest, now: Instant) {
    if tokens.len() >= MOST_KNOWN && !tokens.contains_key(digest) {
        let oldest = tokens.iter().min_by_key(|(_, at)| **at).map(|(digest, _)| digest.clone());
        oldest.map(|digest| tokens.remove(&digest));
    }
    tokens.insert(digest.clone(), now);
}

fn throttled(reason: &str, retry_after: Duration) -> CallError {
    CallError::Throttled(Box::new(Throttled { reason: reason.to_owned(), retry_after }))
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    fn standing(tokens: &Arc<BroughtTokens>, token: usize) -> TokenStanding {
        TokenStanding::new(tokens, CredentialsDigest::of(&token.to_be_bytes()))
    }

    #[tokio::test(start_paused = true)]
    async fn invented_tokens_are_bounded_and_leave_the_others_alone() {
        let tokens = Arc::default();
        let known = standing(&tokens, 0);
        known.permit().unwrap();
        known.judge(true);
        let sent = (1..1_000).map(|token| standing(&tokens, token)).filter(|token| {
            let is_sent = token.permit().is_ok();
            if is_sent {
                token.judge(false);
            }
            is_sent
        });
        assert_eq!(sent.count(), MOST_UNPROVED - 1, "the known one was new once, too");
        assert!((0..1_000).all(|_| known.permit().is_ok()));
        let error = standing(&tokens, 5_000).permit().unwrap_err();
        assert!(matches!(&error, CallError::Throttled(throttled) if throttled.retry_after == WINDOW), "{error}");
        advance(WINDOW).await;
        standing(&tokens, 5_000).permit().unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_token_is_tried_again_later() {
        let tokens = Arc::default();
        let one = standing(&tokens, 1);
        one.permit().unwrap();
        one.judge(false);
        advance(WINDOW / 2).await;
        assert!(one.permit().unwrap_err().to_string().contains("refused this token"));
        advance(WINDOW / 2).await;
        one.permit().unwrap();
        one.judge(true);
        one.judge(false);
        one.permit().expect("a vendor refuses single operations, too");
        advance(KNOWN_FOR).await;
        assert!(!one.is_proved());
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_known_is_bounded() {
        let tokens = Arc::<BroughtTokens>::default();
        for token in 0..MOST_KNOWN + 10 {
            standing(&tokens, token).judge(true);
            advance(Duration::from_millis(1)).await;
        }
        assert!(!standing(&tokens, 9).is_proved() && standing(&tokens, 10).is_proved());
        assert_eq!(tokens.0.lock().unwrap().taken.len(), MOST_KNOWN);
    }
}
