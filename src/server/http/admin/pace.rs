//! Requests of administrators, and of bearers of links that narrow them → how many are answered: of each token or link, and
//! of all that have none or a wrong one.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::store::TokenDigest;

/// How many requests at once, and how many a second.
#[derive(Debug, Clone, Copy)]
struct Limit {
    burst: f64,
    each_second: f64,
}

/// Of one token.
const OF_TOKEN: Limit = Limit { burst: 60.0, each_second: 10.0 };
/// Of requests without a valid token, together.
const OF_GUESSES: Limit = Limit { burst: 20.0, each_second: 2.0 };
/// Looks at the store for tokens that were not valid so far, together.
const OF_LOOKS: Limit = Limit { burst: 200.0, each_second: 100.0 };
/// Of links that are narrowed by the bearer of one: one every six minutes.
const OF_LINK: Limit = Limit { burst: 10.0, each_second: 1.0 / 360.0 };

/// Of documents that are fetched because a client that nobody knows names them, together.
const OF_DOCUMENTS: Limit = Limit { burst: 20.0, each_second: 0.5 };

/// Of sign-ins that are begun, together: each is a row until it ends.
const OF_SIGN_INS: Limit = Limit { burst: 60.0, each_second: 2.0 };

/// How many are counted before those are forgotten that were not used lately.
const MOST_COUNTED: usize = 10_000;
/// How long it takes at most until a limit is whole again.
const FORGOTTEN: Duration = Duration::from_hours(1);

/// How many valid tokens are remembered: as many as there may be.
const REMEMBERED: usize = 200;

/// Counts requests.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    counted: Mutex<HashMap<Counted, (f64, Instant)>>,
    /// Tokens that were valid when they were seen last, and their names, the oldest first.
    valid: Mutex<Vec<(TokenDigest, String)>>,
}

#[derive(Debug, PartialEq, Eq, Hash)]
enum Counted {
    Guesses,
    Documents,
    SignIns,
    Looks,
    /// By its name; there are as many as tokens.
    Token(String),
    /// By its id; there are as many as links that were used for that.
    Link(String),
}

impl Pace {
    /// Whether the store may be asked for a token. One that was valid the last time counts for itself, so that a flood of
    /// guesses does not hold it back.
    ///
    /// # Errors
    /// How long to wait.
    pub(crate) fn may_look(&self, token: TokenDigest) -> Result<(), Duration> {
        let known = self.valid().iter().find(|(valid, _)| *valid == token).map(|(_, name)| name.clone());
        known.map_or_else(|| self.take(Counted::Looks, OF_LOOKS), |name| self.take(Counted::Token(name), OF_TOKEN))
    }

    /// Whether one more request of a token is answered that the store has under this name.
    ///
    /// # Errors
    /// How long to wait.
    pub(crate) fn may_ask(&self, token: TokenDigest, name: &str) -> Result<(), Duration> {
        {
            let mut valid = self.valid();
            if valid.iter().any(|(known, named)| *known == token && named == name) {
                // Counted before the look.
                return Ok(());
            }
            valid.retain(|(known, named)| *known != token && named != name);
            if valid.len() >= REMEMBERED {
                valid.remove(0);
            }
            valid.push((token, name.to_owned()));
        }
        self.take(Counted::Token(name.to_owned()), OF_TOKEN)
    }

    /// Notes that the store has no such token.
    pub(crate) fn is_unknown(&self, token: TokenDigest) {
        self.valid().retain(|(known, _)| *known != token);
    }

    /// Whether one more request without a valid token is answered as such.
    ///
    /// # Errors
    /// How long to wait.
    pub(crate) fn may_guess(&self) -> Result<(), Duration> {
        self.take(Counted::Guesses, OF_GUESSES)
    }

    /// Whether one more document of a client may be fetched.
    ///
    /// # Errors
    /// How long to wait.
    pub(in crate::server::http) fn may_fetch(&self) -> Result<(), Duration> {
        self.take(Counted::Documents, OF_DOCUMENTS)
    }

    /// Whether one more person may begin to sign in.
    ///
    /// # Errors
    /// How long to wait.
    pub(in crate::server::http) fn may_sign_in(&self) -> Result<(), Duration> {
        self.take(Counted::SignIns, OF_SIGN_INS)
    }

    /// Whether the bearer of a link may narrow it once more.
    ///
    /// # Errors
    /// How long to wait.
    pub(crate) fn may_narrow(&self, link: &str) -> Result<(), Duration> {
        self.take(Counted::Link(link.to_owned()), OF_LINK)
    }

    fn valid(&self) -> MutexGuard<'_, Vec<(TokenDigest, String)>> {
        self.valid.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, of: Counted, limit: Limit) -> Result<(), Duration> {
        let now = Instant::now();
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        if counted.len() >= MOST_COUNTED {
            // What was not used for as long as it takes to fill up counts as if it were new.
            counted.retain(|_, (_, since)| now.duration_since(*since) < FORGOTTEN);
        }
        let (left, since) = counted.entry(of).or_insert((limit.burst, now));
        *left = (*left + (now - *since).as_secs_f64() * limit.each_second).min(limit.burst);
        *since = now;
        if *left < 1.0 {
            return Err(Duration::from_secs_f64((1.0 - *left) / limit.each_second));
        }
        *left -= 1.0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn guesses_do_not_hold_back_who_has_a_token() {
        let pace = Pace::default();
        let refused = (0..100).filter(|_| pace.may_guess().is_err()).count();
        assert_eq!(refused, 80);
        assert_eq!((0..100).filter(|_| pace.may_fetch().is_ok()).count(), 20, "documents are counted by themselves");
        let ops = TokenDigest::of("ops");
        assert!(pace.may_ask(ops, "ops").is_ok());
        let wait = pace.may_guess().unwrap_err();
        tokio::time::advance(wait).await;
        assert!(pace.may_guess().is_ok());
        let asked = || pace.may_look(ops).is_ok() && pace.may_ask(ops, "ops").is_ok();
        assert_eq!((0..100).filter(|_| asked()).count(), 60, "59 of the burst and what came since");
    }

    #[tokio::test(start_paused = true)]
    async fn looks_for_guesses_do_not_hold_back_a_token_that_was_valid() {
        let pace = Pace::default();
        let (ops, other) = (TokenDigest::of("ops"), TokenDigest::of("other"));
        assert!(pace.may_look(ops).is_ok() && pace.may_ask(ops, "ops").is_ok());
        let looks = (0..1_000).filter(|guess| pace.may_look(TokenDigest::of(&guess.to_string())).is_ok()).count();
        assert_eq!(looks, 199);
        assert!(pace.may_look(other).is_err(), "one that was not seen yet has to wait");
        assert!(pace.may_look(ops).is_ok() && pace.may_ask(ops, "ops").is_ok());
        // Revoked: a guess like the others.
        pace.is_unknown(ops);
        assert!(pace.may_look(ops).is_err());
        for number in 0..2 * REMEMBERED {
            let _ = pace.may_ask(TokenDigest::of(&number.to_string()), &number.to_string());
        }
        assert_eq!(pace.valid().len(), REMEMBERED);
    }
}
