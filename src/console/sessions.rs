//! Who opened a console → a session: a cookie that no script can read, and a token that each form has to send back. Sessions
//! are in memory, and end with the process.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use crate::access::Principal;
use crate::approval::Decider;
use crate::store::{StoreError, TokenDigest};

/// How long a session lasts at most.
pub(super) const LONGEST: Duration = Duration::from_hours(8);
/// How long it lasts without a request.
const IDLE: Duration = Duration::from_hours(1);
/// How long one lasts at most that began at the identity provider: what changes there is known here when it has ended.
const LONGEST_OF_PERSON: Duration = Duration::from_hours(2);
/// The most sessions at once; the one that was used longest ago makes room.
const MOST: usize = 200;

/// A session, without what opens it.
#[derive(Clone)]
pub(super) struct Session {
    /// The cookie's value.
    cookie: TokenDigest,
    /// The administrator who signed in; `None` where the person at this machine reads.
    pub(super) administrator: Option<Administrator>,
    /// What each form sends back.
    pub(super) csrf: String,
    began: SystemTime,
    used: SystemTime,
}

/// How an administrator has signed in.
#[derive(Clone)]
pub(super) enum Administrator {
    /// With a token of the store, which has this name.
    Token { name: String, token: TokenDigest },
    /// At the company's identity provider, which shows the person by this name; and who the person is as a caller.
    Person { name: String, caller: Principal },
}

impl Administrator {
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Token { name, .. } | Self::Person { name, .. } => name,
        }
    }

    /// How long a session lasts at most.
    fn longest(&self) -> Duration {
        match self {
            Self::Token { .. } => LONGEST,
            Self::Person { .. } => LONGEST_OF_PERSON,
        }
    }

    /// Who decides on approvals. A person's name has no space, so that no token passes for a person.
    pub(super) fn decider(&self) -> Decider {
        match self {
            Self::Token { name, .. } => Decider::in_console(&format!("administrator {name}"), None),
            Self::Person { name, caller } => Decider::in_console(name, Some(caller)),
        }
    }
}

impl Session {
    /// What stands for a session where none is needed: no cookie opens it, and no form fits it.
    pub(super) fn nobody() -> Self {
        let never = SystemTime::UNIX_EPOCH;
        Self { cookie: TokenDigest::of(""), administrator: None, csrf: String::new(), began: never, used: never }
    }

    /// What tells it from others, here and nowhere else.
    pub(super) fn key(&self) -> TokenDigest {
        self.cookie
    }

    /// The name of the administrator.
    pub(super) fn name(&self) -> Option<&str> {
        self.administrator.as_ref().map(Administrator::name)
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("administrator", &self.name()).finish_non_exhaustive()
    }
}

/// The sessions of a console.
#[derive(Debug, Default)]
pub(super) struct Sessions(Mutex<Vec<Session>>);

impl Sessions {
    /// Begins a session; returns the cookie's value, which is nowhere else.
    ///
    /// # Errors
    /// The system has no random numbers.
    pub(super) fn begin(&self, administrator: Option<Administrator>, now: SystemTime) -> Result<String, StoreError> {
        let (value, cookie) = TokenDigest::draw("")?;
        let (csrf, _) = TokenDigest::draw("")?;
        let mut sessions = self.all();
        sessions.retain(|session| session.is_valid(now));
        if sessions.len() >= MOST
            && let Some(oldest) = (0..sessions.len()).min_by_key(|index| sessions[*index].used)
        {
            sessions.remove(oldest);
        }
        sessions.push(Session { cookie, administrator, csrf, began: now, used: now });
        Ok(value)
    }

    /// Returns the valid session of a cookie. All are compared, each in a time that does not depend on it.
    pub(super) fn find(&self, value: &str, now: SystemTime) -> Option<Session> {
        self.find_by_key(TokenDigest::of(value), now)
    }

    /// As [`Self::find`], by what [`Session::key`] returned.
    pub(super) fn find_by_key(&self, digest: TokenDigest, now: SystemTime) -> Option<Session> {
        let mut sessions = self.all();
        let found =
            sessions.iter_mut().fold(None, |found, one| if one.cookie == digest { Some(one) } else { found })?;
        if !found.is_valid(now) {
            return None;
        }
        found.used = now;
        Some(found.clone())
    }

    /// Ends a session.
    pub(super) fn end(&self, session: &Session) {
        self.all().retain(|one| one.cookie != session.cookie);
    }

    fn all(&self) -> MutexGuard<'_, Vec<Session>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    fn is_valid(&self, now: SystemTime) -> bool {
        let within = |since: SystemTime, span| now.duration_since(since).unwrap_or_default() < span;
        let longest = self.administrator.as_ref().map_or(LONGEST, Administrator::longest);
        within(self.began, longest) && within(self.used, IDLE)
    }
}

/// A token that opens a console once.
#[derive(Debug)]
pub(super) struct OneTimeToken(Mutex<Option<TokenDigest>>);

impl OneTimeToken {
    /// Draws one; returns it, which is nowhere else.
    ///
    /// # Errors
    /// The system has no random numbers.
    pub(super) fn draw() -> Result<(String, Self), StoreError> {
        let (token, digest) = TokenDigest::draw("")?;
        Ok((token, Self(Mutex::new(Some(digest)))))
    }

    /// Whether this is the token, and the first time that it is used.
    pub(super) fn spend(&self, token: &str) -> bool {
        let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_right = left.is_some_and(|digest| digest == TokenDigest::of(token));
        if is_right {
            *left = None;
        }
        is_right
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_found_by_its_cookie_until_it_ends() {
        let sessions = Sessions::default();
        let now = SystemTime::UNIX_EPOCH + Duration::from_hours(1_000);
        let admin = Some(Administrator::Token { name: "ops".to_owned(), token: TokenDigest::of("t") });
        let cookie = sessions.begin(admin, now).unwrap();
        let other = sessions.begin(None, now).unwrap();
        let found = sessions.find(&cookie, now).unwrap();
        assert_eq!(found.name(), Some("ops"));
        assert_ne!(found.csrf, sessions.find(&other, now).unwrap().csrf);
        assert!(sessions.find("", now).is_none() && sessions.find("x", now).is_none());
        assert!(!format!("{found:?}").contains(&found.csrf));
        // Used every half an hour, it lasts eight hours.
        for half in 1..16 {
            assert!(sessions.find(&cookie, now + Duration::from_mins(30 * half)).is_some(), "{half}");
        }
        assert!(sessions.find(&cookie, now + LONGEST).is_none());
        assert!(sessions.find(&other, now + IDLE).is_none(), "it was not used");
        sessions.end(&found);
        assert!(sessions.find(&cookie, now).is_none());
    }

    #[test]
    fn one_of_a_person_ends_sooner_and_no_token_passes_for_a_person() {
        let sessions = Sessions::default();
        let now = SystemTime::UNIX_EPOCH + Duration::from_hours(1_000);
        let caller = Principal::of_subject("https://id.example.com", "s1", "ann@example.com");
        let ann = Administrator::Person { name: "ann@example.com".to_owned(), caller };
        let token = Administrator::Token { name: "ann@example.com".to_owned(), token: TokenDigest::of("t") };
        assert_ne!(ann.decider().name(), token.decider().name());
        let cookie = sessions.begin(Some(ann), now).unwrap();
        for half in 1..4 {
            assert!(sessions.find(&cookie, now + Duration::from_mins(30 * half)).is_some(), "{half}");
        }
        assert!(sessions.find(&cookie, now + LONGEST_OF_PERSON).is_none());
    }

    #[test]
    fn there_is_room_for_another_session() {
        let sessions = Sessions::default();
        let now = SystemTime::UNIX_EPOCH + Duration::from_hours(1_000);
        let at = |number: usize| now + Duration::from_secs(number as u64);
        let cookies: Vec<String> = (0..=MOST).map(|number| sessions.begin(None, at(number)).unwrap()).collect();
        assert!(sessions.find(&cookies[0], at(MOST)).is_none());
        assert!(sessions.find(&cookies[1], at(MOST)).is_some());
        assert_eq!(sessions.all().len(), MOST);
    }

    #[test]
    fn a_token_opens_once() {
        let (token, one_time) = OneTimeToken::draw().unwrap();
        assert!(!one_time.spend("") && !one_time.spend("wrong"), "a guess does not spend it");
        assert!(one_time.spend(&token));
        assert!(!one_time.spend(&token));
    }
}
