//! A token of the company's identity provider → its bearer, and what `[[grants]]` and its scopes permit.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use super::claim_grants::{ClaimGrants, GrantsInUse};
use super::issuer::{Issuer, NotTaken};
use super::resource::{ProtectedResource, ScopeLimits};
use super::signed_token::{Claims, SignedToken};
use crate::access::{
    Admission, Admitted, GrantTerms, Mode, Presented, Principal, Recheck, Refusal, Scopes, ServerPolicy, Standing,
};

/// Callers that sign in at the company's identity provider.
#[derive(Debug)]
pub struct IssuerTokens {
    issuer: Issuer,
    resource: Arc<ProtectedResource>,
    /// What tokens may be for: the server's address, and what the settings add.
    audiences: Vec<String>,
    grants: GrantsInUse,
    policy: ServerPolicy,
    /// Whether a token needs scopes of this server.
    needs_scopes: bool,
    /// Whether no other mode takes tokens in `Authorization`.
    is_alone: bool,
    clock: fn() -> SystemTime,
}

/// What ends a request's admission: its token's end, and another entry than the one that it was admitted by.
struct Ends {
    claims: Claims,
    /// The entries that were in use, and the id of the one that fitted.
    entries: Arc<ClaimGrants>,
    entry: String,
    grants: GrantsInUse,
    clock: fn() -> SystemTime,
    resource: Arc<ProtectedResource>,
}

impl fmt::Debug for Ends {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ends").field("entry", &self.entry).finish_non_exhaustive()
    }
}

impl Recheck for Ends {
    fn standing(&self) -> Standing {
        if (self.clock)() >= self.claims.expires {
            return Standing::Over(self.resource.invalid_token("it has expired"));
        }
        let now = self.grants.now();
        let is_as_before = || now.of(&self.claims).is_some_and(|terms| terms.id == self.entry);
        if Arc::ptr_eq(&now, &self.entries) || is_as_before() {
            return Standing::Whole;
        }
        Standing::Over(Refusal::Forbidden {
            challenge: None,
            text: "what you may do was changed while the request waited\nhint: send it again".to_owned(),
        })
    }
}

impl IssuerTokens {
    /// Takes tokens of an issuer for a resource.
    pub fn new(
        issuer: Issuer,
        resource: Arc<ProtectedResource>,
        grants: GrantsInUse,
        policy: ServerPolicy,
        clock: fn() -> SystemTime,
    ) -> Self {
        let audiences = vec![resource.identifier()];
        let (needs_scopes, is_alone) = (true, true);
        Self { issuer, resource, audiences, grants, policy, needs_scopes, is_alone, clock }
    }

    /// Takes tokens for this audience too, where the provider does not issue them for addresses.
    #[must_use]
    pub fn for_audience(mut self, audience: Option<String>) -> Self {
        self.audiences.extend(audience);
        self
    }

    /// Takes tokens without scopes of this server, too: what their bearers may do is then what `[[grants]]` permit.
    #[must_use]
    pub fn without_scopes(mut self) -> Self {
        self.needs_scopes = false;
        self
    }

    /// Leaves tokens that do not state this issuer to another mode.
    #[must_use]
    pub fn beside_others(mut self) -> Self {
        self.is_alone = false;
        self
    }

    async fn admitted(&self, presented: Presented<'_>) -> Result<Admitted, Refusal> {
        let Some(token) = presented.bearer() else {
            return Err(self.resource.invalid_token("`Authorization` is not a single Bearer token"));
        };
        let verified = self.issuer.verify(token, &self.audiences, (self.clock)()).await;
        let claims = verified.map_err(|error| match error {
            NotTaken::Invalid(reason) => self.resource.invalid_token(reason),
            NotTaken::Unknown => Refusal::Unavailable(
                "the keys of the identity provider can't be read at present; try again later".to_owned(),
            ),
        })?;
        let entries = self.grants.now();
        let Some(terms) = entries.of(&claims) else {
            return Err(Refusal::Forbidden {
                challenge: None,
                text: format!(
                    "you are signed in as `{}`, and this server permits nothing to you\n\
                     hint: ask its administrator for an entry in `[[grants]]` that fits your groups",
                    claims.name()
                ),
            });
        };
        let scopes = Scopes::read(claims.scopes(), self.policy.catalog());
        let whole = entries.grant(terms.clone())?;
        if scopes.is_empty() && self.needs_scopes {
            return Err(self.resource.insufficient_scope(self.resource.scopes()));
        }
        let narrowed = if scopes.is_empty() {
            Arc::clone(&whole)
        } else {
            let id = format!("{} {scopes}", terms.id);
            entries.grant(GrantTerms { id, scopes: Some(scopes.words()), ..terms.clone() })?
        };
        let limits = ScopeLimits { whole, granted: scopes, resource: Arc::clone(&self.resource) };
        let entry = terms.id.clone();
        let principal = Principal::of_subject(self.issuer.identifier(), &claims.subject, &claims.name());
        let (grants, resource) = (self.grants.clone(), Arc::clone(&self.resource));
        let ends = Ends { claims, entries, entry, grants, clock: self.clock, resource };
        Ok(Admitted {
            principal,
            grant: narrowed,
            brought: None,
            recheck: Some(Arc::new(ends)),
            scopes: Some(Arc::new(limits)),
        })
    }
}

impl Mode for IssuerTokens {
    fn takes(&self, presented: Presented<'_>) -> bool {
        let is_of_issuer = || {
            let token = presented.bearer().map(SignedToken::read);
            token.is_some_and(|token| token.is_ok_and(|token| token.states(self.issuer.identifier())))
        };
        presented.link.is_none() && presented.has_authorization() && (self.is_alone || is_of_issuer())
    }

    fn admit<'a>(&'a self, presented: Presented<'a>) -> Admission<'a> {
        Box::pin(self.admitted(presented))
    }

    fn way(&self) -> String {
        "sign in: your client finds the identity provider by the challenge of this answer".to_owned()
    }

    fn challenge(&self) -> Option<String> {
        Some(self.resource.challenge())
    }
}
