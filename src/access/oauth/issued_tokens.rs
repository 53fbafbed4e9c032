//! An access token of this server's own → the client that was authorized, and what the link behind it permits. A token is looked
//! up once; whether its authorization holds is known from the links, which are followed, and for a person who has signed in from
//! `[[grants]]` as they are now.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use tokio::sync::Semaphore;

use super::provider_login::{ProviderLogin, current};
use super::resource::{ProtectedResource, ScopeLimits};
use crate::access::links::{AuthorizedClient, Links};
use crate::access::{Admission, Admitted, Mode, Presented, Principal, Recheck, Refusal, Standing};
use crate::store::{TokenDigest, TokenKind};

/// The beginning of an access token.
pub(super) const BEGINS: &str = "toolwright_access_";
/// How many random characters follow.
const RANDOM: usize = 43;
/// How many tokens are known.
const MOST_KNOWN: usize = 10_000;
/// How many tokens are looked up at once: guesses share these places, and known tokens need none.
const LOOKS_AT_ONCE: usize = 8;

/// Callers with access tokens of this server.
pub struct IssuedTokens {
    links: Arc<Links>,
    resource: Arc<ProtectedResource>,
    /// How people sign in who have brought no link.
    login: Option<Arc<ProviderLogin>>,
    /// Whether no other mode takes tokens in `Authorization`.
    is_alone: bool,
    clock: fn() -> SystemTime,
    looks: Semaphore,
    known: Mutex<HashMap<u64, Known>>,
}

/// A token that was found. It never changes but by ending, and by its link.
#[derive(Clone)]
struct Known {
    token: TokenDigest,
    link: Arc<str>,
    expires: SystemTime,
}

/// What ends a request's admission: its token's end, its link's, or a change of what a person may do.
struct Held {
    expires: SystemTime,
    clock: fn() -> SystemTime,
    link: Arc<dyn Recheck>,
    person: Option<HeldPerson>,
    ended: Refusal,
}

/// What a person who has signed in has given, and the id of the grant by which the request was admitted.
struct HeldPerson {
    client: AuthorizedClient,
    grant: String,
    login: Option<Arc<ProviderLogin>>,
    resource: Arc<ProtectedResource>,
}

impl HeldPerson {
    fn holds(&self) -> bool {
        let now = current(self.login.as_deref(), self.client.clone(), &self.resource);
        now.is_ok_and(|now| now.grant.id() == self.grant)
    }
}

impl fmt::Debug for IssuedTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssuedTokens").field("resource", &self.resource).finish_non_exhaustive()
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held").field("expires", &self.expires).finish_non_exhaustive()
    }
}

impl Recheck for Held {
    fn standing(&self) -> Standing {
        let holds = (self.clock)() < self.expires && self.person.as_ref().is_none_or(HeldPerson::holds);
        if holds { self.link.standing() } else { Standing::Over(self.ended.clone()) }
    }
}

impl IssuedTokens {
    /// Takes the tokens that were issued for a resource; `is_alone` where no other mode takes tokens.
    pub fn new(links: Arc<Links>, resource: Arc<ProtectedResource>, is_alone: bool, clock: fn() -> SystemTime) -> Self {
        let (looks, known) = (Semaphore::new(LOOKS_AT_ONCE), Mutex::default());
        Self { links, resource, login: None, is_alone, clock, looks, known }
    }

    /// Takes tokens for people who have signed in, too.
    #[must_use]
    pub fn with_login(mut self, login: Option<Arc<ProviderLogin>>) -> Self {
        self.login = login;
        self
    }

    /// Whether a text has the form of a token: what has another is not looked up.
    fn is_token(text: &str) -> bool {
        text.strip_prefix(BEGINS).is_some_and(|random| random.len() == RANDOM && random.is_ascii())
    }

    async fn find(&self, token: TokenDigest) -> Result<Known, Refusal> {
        let unknown = || self.resource.invalid_token("it is unknown, was revoked or has expired");
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&token.index()).cloned();
        if let Some(known) = known.filter(|known| known.token == token) {
            return Ok(known);
        }
        let busy = || Refusal::Unavailable("too many unknown access tokens came at once; try again".to_owned());
        let _place = self.looks.try_acquire().map_err(|_| busy())?;
        let found = self.links.store().oauth_token(token).await;
        let found =
            found.map_err(|_| Refusal::Unavailable("this server can't reach its store; try again later".to_owned()))?;
        let found = found.filter(|found| found.kind == TokenKind::Access).ok_or_else(unknown)?;
        let known = Known { token, link: found.link.into(), expires: found.expires };
        let now = (self.clock)();
        let mut all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST_KNOWN {
            all.retain(|_, known| now < known.expires);
        }
        if all.len() < MOST_KNOWN && now < known.expires {
            all.insert(token.index(), known.clone());
        }
        Ok(known)
    }

    async fn admitted(&self, presented: Presented<'_>) -> Result<Admitted, Refusal> {
        let ended = || self.resource.invalid_token("it is unknown, was revoked or has expired");
        let Some(token) = presented.bearer() else {
            return Err(self.resource.invalid_token("`Authorization` is not a single Bearer token"));
        };
        if !Self::is_token(token) {
            return Err(self.resource.invalid_token("it is none that this server has issued"));
        }
        let known = self.find(TokenDigest::of(token)).await?;
        if (self.clock)() >= known.expires {
            return Err(ended());
        }
        let authorized = self.links.authorized(&known.link).await?.ok_or_else(ended)?;
        let client = current(self.login.as_deref(), authorized.clone(), &self.resource)?;
        let principal = Principal::of_authorization(&client.id, &client.name);
        let principal = match &authorized.terms.person {
            Some(person) => principal.authorized_by(&person.issuer, &person.subject),
            None => principal,
        };
        let person = authorized.terms.person.is_some().then(|| HeldPerson {
            client: authorized,
            grant: client.grant.id().to_owned(),
            login: self.login.clone(),
            resource: Arc::clone(&self.resource),
        });
        let link = self.links.held(&known.link, ended()).ok_or_else(ended)?;
        let limits = client
            .scopes
            .map(|(granted, whole)| Arc::new(ScopeLimits { whole, granted, resource: Arc::clone(&self.resource) }));
        let held = Held { expires: known.expires, clock: self.clock, link, person, ended: ended() };
        Ok(Admitted { principal, grant: client.grant, brought: None, recheck: Some(Arc::new(held)), scopes: limits })
    }
}

impl Mode for IssuedTokens {
    fn takes(&self, presented: Presented<'_>) -> bool {
        let is_own = || presented.bearer().is_some_and(|token| token.starts_with(BEGINS));
        presented.link.is_none() && presented.has_authorization() && (self.is_alone || is_own())
    }

    fn admit<'a>(&'a self, presented: Presented<'a>) -> Admission<'a> {
        Box::pin(self.admitted(presented))
    }

    fn is_ready(&self) -> bool {
        self.links.is_ready()
    }

    fn way(&self) -> String {
        "connect without a token: your client finds the way to one by the challenge of this answer".to_owned()
    }

    fn challenge(&self) -> Option<String> {
        Some(self.resource.challenge())
    }
}
