//! Tokens that callers bring → which may be sent to their vendor now. Only the vendor can tell whether a token is one: those
//! that it has not taken yet are few at a time, each in one request, and one that it refused is not sent again at once, so
//! that invented tokens leave the vendor's limits to callers whose tokens are taken.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;
use tokio::time::{Instant, timeout};

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
    /// Those of which a request is under way that will show whether the vendor takes it.
    asked: HashMap<CredentialsDigest, Arc<Notify>>,
}

/// What becomes of a request.
enum Permission {
    /// The vendor has taken its token.
    Free,
    /// It shows whether the vendor takes its token.
    First,
    /// Another one will show that.
    Wait(OwnedNotified),
}

/// A request that shows whether the vendor takes its token. Others with this token wait until it is dropped.
#[derive(Debug)]
pub struct FirstRequest(TokenStanding);

impl Drop for FirstRequest {
    fn drop(&mut self) {
        let Self(TokenStanding { tokens, digest }) = self;
        if let Some(waiting) = tokens.locked(|state, _| state.asked.remove(digest)) {
            waiting.notify_waiters();
        }
    }
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

    /// Permits a request with the token, waiting at most for `budget`.
    ///
    /// # Errors
    /// The vendor refused it a moment ago, or too many others are being tried.
    pub(super) async fn permit(&self, budget: Duration) -> Result<Option<FirstRequest>, CallError> {
        let permitted = async {
            loop {
                match self.tokens.locked(|state, now| state.permit(&self.digest, now))? {
                    Permission::Free => return Ok(None),
                    Permission::First => return Ok(Some(FirstRequest(self.clone()))),
                    Permission::Wait(answered) => answered.await,
                }
            }
        };
        timeout(budget, permitted).await.unwrap_or_else(|_| {
            let reason = "the vendor has not answered the first request with this token yet";
            Err(throttled(reason, Duration::from_secs(1)))
        })
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
        self.taken.get(digest).is_some_and(|at| now.duration_since(*at) < KNOWN_FOR)
    }

    fn permit(&mut self, digest: &CredentialsDigest, now: Instant) -> Result<Permission, CallError> {
        if self.is_taken(digest, now) {
            return Ok(Permission::Free);
        }
        if let Some(asked) = self.asked.get(digest) {
            return Ok(Permission::Wait(Arc::clone(asked).notified_owned()));
        }
        if let Some(at) = self.refused.get(digest).filter(|at| now.duration_since(**at) < WINDOW) {
            let reason = "the vendor refused this token a moment ago, and it was not sent again\nhint: bring a token that is \
                          valid; this one is tried again later";
            return Err(throttled(reason, WINDOW.saturating_sub(now.duration_since(*at))));
        }
        while self.unproved.front().is_some_and(|at| now.duration_since(*at) >= WINDOW) {
            self.unproved.pop_front();
        }
        match self.unproved.front() {
            Some(oldest) if self.unproved.len() >= MOST_UNPROVED => {
                let reason = format!(
                    "{MOST_UNPROVED} requests with tokens that the vendor has not taken before were sent within a minute, and \
                     no more may be"
                );
                Err(throttled(&reason, WINDOW.saturating_sub(now.duration_since(*oldest))))
            }
            _ => {
                self.unproved.push_back(now);
                self.asked.insert(digest.clone(), Arc::default());
                Ok(Permission::First)
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

    const BUDGET: Duration = Duration::from_secs(30);

    #[tokio::test(start_paused = true)]
    async fn invented_tokens_are_bounded_and_leave_the_others_alone() {
        let tokens = Arc::default();
        let known = standing(&tokens, 0);
        let first = known.permit(BUDGET).await.unwrap();
        assert!(first.is_some());
        known.judge(true);
        drop(first);
        let mut sent = 0;
        for token in (1..1_000).map(|token| standing(&tokens, token)) {
            if let Ok(first) = token.permit(BUDGET).await {
                token.judge(false);
                drop(first);
                sent += 1;
            }
        }
        assert_eq!(sent, MOST_UNPROVED - 1, "the known one was new once, too");
        for _ in 0..1_000 {
            assert!(known.permit(BUDGET).await.unwrap().is_none());
        }
        let error = standing(&tokens, 5_000).permit(BUDGET).await.unwrap_err();
        assert!(matches!(&error, CallError::Throttled(throttled) if throttled.retry_after == WINDOW), "{error}");
        advance(WINDOW).await;
        standing(&tokens, 5_000).permit(BUDGET).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_token_is_tried_again_later() {
        let tokens = Arc::default();
        let one = standing(&tokens, 1);
        let first = one.permit(BUDGET).await.unwrap();
        one.judge(false);
        drop(first);
        advance(WINDOW / 2).await;
        assert!(one.permit(BUDGET).await.unwrap_err().to_string().contains("refused this token"));
        advance(WINDOW / 2).await;
        let again = one.permit(BUDGET).await.unwrap();
        one.judge(true);
        drop(again);
        one.judge(false);
        assert!(one.permit(BUDGET).await.unwrap().is_none(), "a vendor refuses single operations, too");
        advance(KNOWN_FOR).await;
        assert!(one.permit(BUDGET).await.unwrap().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_request_of_a_token_decides_for_those_that_wait() {
        for is_taken in [true, false] {
            let tokens = Arc::default();
            let one = standing(&tokens, 1);
            let first = one.permit(BUDGET).await.unwrap();
            assert!(one.permit(Duration::from_secs(1)).await.unwrap_err().to_string().contains("has not answered"));
            let other = standing(&tokens, 2).permit(BUDGET).await.unwrap();
            assert!(other.is_some(), "another token does not wait");
            let waits = futures_util::future::join_all((0..50).map(|_| one.permit(BUDGET)));
            let answered = async {
                tokio::time::sleep(Duration::from_secs(2)).await;
                one.judge(is_taken);
                drop(first);
            };
            let (waited, ()) = tokio::join!(waits, answered);
            assert!(waited.iter().all(|one| one.is_ok() == is_taken), "{waited:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_first_request_that_shows_nothing_is_followed_by_another() {
        let tokens = Arc::default();
        let one = standing(&tokens, 1);
        let first = one.permit(BUDGET).await.unwrap();
        let (second, ()) = tokio::join!(one.permit(BUDGET), async { drop(first) });
        assert!(second.unwrap().is_some(), "such as after a broken connection");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_known_is_bounded() {
        let tokens = Arc::<BroughtTokens>::default();
        for token in 0..MOST_KNOWN + 10 {
            standing(&tokens, token).judge(true);
            advance(Duration::from_millis(1)).await;
        }
        assert!(standing(&tokens, 10).permit(BUDGET).await.unwrap().is_none());
        assert!(
            standing(&tokens, 9).permit(BUDGET).await.unwrap().is_some(),
            "the one that was noted first is forgotten"
        );
        assert_eq!(tokens.0.lock().unwrap().taken.len(), MOST_KNOWN);
    }
}
