//! What a person gives an OAuth client → a link of the client's own: it narrows the link that the person has brought and ends with
//! it, or it has what `[[grants]]` permit the person who has signed in, for a time. No address leads to that link: its token is
//! drawn and forgotten, and access tokens name it by its id.

use std::sync::Arc;
use std::time::SystemTime;

use tokio::time::Instant;

use super::known::{DEEPEST, KnownLink};
use super::{Held, LinkTerms, Links, UNCONFIRMED, lost};
use crate::access::{Grant, Narrowing, Recheck, Refusal, Scopes};
use crate::error::ConfigError;
use crate::store::{StoreError, StoredLink, TokenDigest};
use toolwright_model::Effect;

/// A link that was brought with all that it needs.
#[derive(Debug, Clone)]
pub struct BroughtLink {
    /// Its id.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// What it permits on this server.
    pub grant: Arc<Grant>,
}

/// What a client was authorized for, as its link has it now.
#[derive(Clone)]
pub(in crate::access) struct AuthorizedClient {
    /// The id of its link.
    pub(in crate::access) id: Arc<str>,
    /// The name of its link.
    pub(in crate::access) name: String,
    /// What it may do.
    pub(in crate::access) grant: Arc<Grant>,
    /// The scopes that narrow it, and what it could do without them; `None`: it was authorized without scopes.
    pub(in crate::access) scopes: Option<(Scopes, Arc<Grant>)>,
    /// Its terms.
    pub(in crate::access) terms: LinkTerms,
}

impl Links {
    /// Finds the valid link with this token, where its second token comes with it or it has none. `None`, whatever is wrong.
    ///
    /// # Errors
    /// The store can't be reached.
    pub async fn brought(&self, token: &str, second: Option<&str>) -> Result<Option<BroughtLink>, Refusal> {
        let (token, second) = (TokenDigest::of(token), second.map(TokenDigest::of));
        let found = || self.state.valid(token).filter(|link| link.second_token == second);
        self.look(found).await?.map(|link| self.shown(&link)).transpose()
    }

    /// Finds what a client was authorized for, by the id of its link.
    ///
    /// # Errors
    /// The store can't be reached.
    pub(in crate::access) async fn authorized(&self, id: &str) -> Result<Option<AuthorizedClient>, Refusal> {
        let Some(link) = self.look(|| self.state.valid_id(id)).await? else { return Ok(None) };
        let grant = self.shown(&link)?.grant;
        let unreadable = |error: ConfigError| Refusal::Unavailable(error.to_string());
        let terms = LinkTerms::read(link.terms()).map_err(unreadable)?;
        let scopes = match &terms.scopes {
            Some(words) => {
                let whole = LinkTerms { scopes: None, person: None, ..terms.clone() };
                let whole = self.grants.of(&whole.text()).map_err(unreadable)?;
                let scopes = Scopes::read(words.iter().map(String::as_str), whole.catalog());
                Some((scopes, whole))
            }
            None => None,
        };
        Ok(Some(AuthorizedClient { id: Arc::clone(&link.id), name: link.name.clone(), grant, scopes, terms }))
    }

    /// What is asked again before a request of a link is served; `ended` is the answer where the link has ended.
    pub(in crate::access) fn held(&self, id: &str, ended: Refusal) -> Option<Arc<dyn Recheck>> {
        let token = self.state.valid_id(id)?.token();
        self.used.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(id.into(), (self.state.clock)());
        Some(Arc::new(Held { state: Arc::clone(&self.state), token, ended }))
    }

    /// Looks for a link among those that are known, and once more when changes were read: it may be new.
    async fn look(&self, find: impl Fn() -> Option<Arc<KnownLink>>) -> Result<Option<Arc<KnownLink>>, Refusal> {
        if self.state.unconfirmed() > UNCONFIRMED {
            return Err(lost());
        }
        if let Some(link) = find() {
            return Ok(Some(link));
        }
        self.ask(Instant::now()).await.map_err(|_| lost())?;
        Ok(find())
    }

    fn shown(&self, link: &KnownLink) -> Result<BroughtLink, Refusal> {
        let grant = link.grant(&self.grants).map_err(|error| {
            tracing::error!(link = %link.id, "the link can't be served: {error}");
            Refusal::Unavailable("this server can't serve the link".to_owned())
        })?;
        Ok(BroughtLink { id: link.id.to_string(), name: link.name.clone(), grant })
    }
}

/// Makes the link of a client out of the one that a person has brought.
///
/// # Errors
/// It is narrowed from too many links already, or can't be read.
pub(in crate::access) fn link_for(
    parent: &StoredLink,
    client: &str,
    scopes: Option<&Scopes>,
    only_reads: bool,
    now: SystemTime,
) -> Result<StoredLink, StoreError> {
    let unreadable = |error: ConfigError| StoreError::Refused(error.to_string());
    let mut terms = LinkTerms::read(&parent.terms).map_err(unreadable)?;
    // Those of the client would take their place.
    if terms.scopes.is_some() {
        return Err(StoreError::Refused("the link is one of a program already".to_owned()));
    }
    if terms.narrowings.len() >= DEEPEST {
        return Err(StoreError::Refused(format!("the link is narrowed from {DEEPEST} links already")));
    }
    narrow_for(&mut terms, scopes, only_reads);
    client_link(client, Some(parent.id.clone()), &terms, now, parent.expires)
}

/// Makes the link of a client out of what a person who has signed in is permitted.
///
/// # Errors
/// The system has no random numbers.
pub(in crate::access) fn link_of_person(
    mut terms: LinkTerms,
    client: &str,
    scopes: Option<&Scopes>,
    only_reads: bool,
    now: SystemTime,
    expires: SystemTime,
) -> Result<StoredLink, StoreError> {
    narrow_for(&mut terms, scopes, only_reads);
    client_link(client, None, &terms, now, Some(expires))
}

/// Narrows terms to what a person gives of them.
fn narrow_for(terms: &mut LinkTerms, scopes: Option<&Scopes>, only_reads: bool) {
    let methods = if only_reads { vec![Effect::Read.as_str().to_owned()] } else { Vec::new() };
    // What the link accepts it has stated itself; a further narrowing has to repeat it.
    let allow = terms.narrowings.last().map(|last| last.allow.clone()).unwrap_or_default();
    terms.narrowings.push(Narrowing { methods, allow, ..Narrowing::default() });
    terms.scopes = scopes.map(Scopes::words);
}

fn client_link(
    name: &str,
    parent: Option<String>,
    terms: &LinkTerms,
    now: SystemTime,
    expires: Option<SystemTime>,
) -> Result<StoredLink, StoreError> {
    // The token is nobody's.
    let (_, token) = TokenDigest::draw("")?;
    Ok(StoredLink {
        id: super::issue::new_id()?,
        token,
        second_token: None,
        name: name.to_owned(),
        parent,
        terms: terms.text(),
        created: now,
        expires,
        revoked: None,
        used: None,
    })
}
