//! Rows of links → those that are valid, by their tokens.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::SystemTime;

use super::issue::LinkTerms;
use crate::access::{Grant, ServerPolicy};
use crate::catalog::Catalog;
use crate::error::ConfigError;
use crate::store::{Changes, StoredLink, TokenDigest};

/// How many links may narrow one another in a row.
pub(super) const DEEPEST: usize = 8;
/// How many grants are kept for links that are used for the first time.
const MOST_GRANTS: usize = 1_024;

/// The links that were valid when the store was asked last.
#[derive(Default)]
pub(super) struct Known {
    /// The number of the last change that is known.
    number: Option<i64>,
    by_token: HashMap<u64, Arc<KnownLink>>,
    tokens: HashMap<Arc<str>, u64>,
}

/// Grants by the terms of links: many links have the same, and resolving these takes a millisecond.
pub(super) struct Grants {
    policy: ServerPolicy,
    made: Mutex<HashMap<String, Arc<Grant>>>,
}

impl Grants {
    pub(super) fn new(policy: ServerPolicy) -> Self {
        Self { policy, made: Mutex::default() }
    }

    /// The catalog of the server.
    pub(super) fn catalog(&self) -> &Catalog {
        self.policy.catalog()
    }

    /// The grant of these terms, for any bearer.
    pub(super) fn of(&self, terms: &str) -> Result<Arc<Grant>, ConfigError> {
        let made = || self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(grant) = made().get(terms) {
            return Ok(Arc::clone(grant));
        }
        let grant = Arc::new(self.policy.grant(LinkTerms::read(terms)?.of("", "", None))?);
        let mut made = made();
        // Links keep theirs; this is for those that are used for the first time.
        if made.len() >= MOST_GRANTS {
            made.clear();
        }
        made.insert(terms.to_owned(), Arc::clone(&grant));
        Ok(grant)
    }
}

/// A link that is valid, but for the time.
pub(super) struct KnownLink {
    pub(super) id: Arc<str>,
    pub(super) name: String,
    pub(super) second_token: Option<TokenDigest>,
    token: TokenDigest,
    parent: Option<Arc<str>>,
    expires: Option<SystemTime>,
    terms: String,
    /// Made at first use.
    grant: OnceLock<Arc<Grant>>,
}

impl Known {
    pub(super) fn number(&self) -> Option<i64> {
        self.number
    }

    /// Takes over changes; with `is_whole` they are all that there is.
    pub(super) fn apply(&mut self, changes: Changes, is_whole: bool, now: SystemTime) {
        if is_whole {
            let found: std::collections::HashSet<&str> = changes.links.iter().map(|link| link.id.as_str()).collect();
            let gone: Vec<_> = self.tokens.keys().filter(|id| !found.contains(&***id)).cloned().collect();
            for id in gone {
                self.forget(&id);
            }
        }
        for link in changes.links {
            if link.is_valid(now) { self.insert(link) } else { self.forget(&link.id) }
        }
        self.number = Some(changes.number);
    }

    /// A link never changes but by being revoked, so that one that is known stays as it is, with its grant.
    fn insert(&mut self, link: StoredLink) {
        if self.tokens.contains_key(&*link.id) {
            return;
        }
        let id: Arc<str> = link.id.into();
        self.tokens.insert(Arc::clone(&id), link.token.index());
        let known = KnownLink {
            id,
            name: link.name,
            token: link.token,
            second_token: link.second_token,
            parent: link.parent.map(Arc::from),
            expires: link.expires,
            terms: link.terms,
            grant: OnceLock::new(),
        };
        self.by_token.insert(link.token.index(), Arc::new(known));
    }

    fn forget(&mut self, id: &str) {
        if let Some(token) = self.tokens.remove(id) {
            self.by_token.remove(&token);
        }
    }

    /// Forgets what has expired.
    pub(super) fn forget_expired(&mut self, now: SystemTime) {
        let expired = self.by_token.values().filter(|link| link.is_over(now)).map(|link| Arc::clone(&link.id));
        for id in expired.collect::<Vec<_>>() {
            self.forget(&id);
        }
    }

    /// Returns the valid link with this id, as [`Self::valid`].
    pub(super) fn valid_id(&self, id: &str, now: SystemTime) -> Option<Arc<KnownLink>> {
        let token = self.by_token.get(self.tokens.get(id)?)?.token;
        self.valid(token, now)
    }

    /// Returns the valid link with this token. It is valid only together with all that it narrows.
    pub(super) fn valid(&self, token: TokenDigest, now: SystemTime) -> Option<Arc<KnownLink>> {
        let found = self.by_token.get(&token.index()).filter(|link| link.token == token && !link.is_over(now))?;
        let mut above = found.parent.as_ref();
        for _ in 0..DEEPEST {
            let Some(id) = above else { return Some(Arc::clone(found)) };
            let parent = self.by_token.get(self.tokens.get(id)?).filter(|link| !link.is_over(now))?;
            above = parent.parent.as_ref();
        }
        above.is_none().then(|| Arc::clone(found))
    }
}

impl KnownLink {
    /// The digest of its token.
    pub(super) fn token(&self) -> TokenDigest {
        self.token
    }

    /// Its terms, as its row has them.
    pub(super) fn terms(&self) -> &str {
        &self.terms
    }

    fn is_over(&self, now: SystemTime) -> bool {
        self.expires.is_some_and(|expires| now >= expires)
    }

    /// What it permits on a server.
    pub(super) fn grant(&self, grants: &Grants) -> Result<Arc<Grant>, ConfigError> {
        if let Some(grant) = self.grant.get() {
            return Ok(Arc::clone(grant));
        }
        let grant = Arc::new(grants.of(&self.terms)?.for_another(&self.id, &self.name, self.expires));
        Ok(Arc::clone(self.grant.get_or_init(|| grant)))
    }
}
