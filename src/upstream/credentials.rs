//! The values of a vendor's credential variables → the headers that carry them. The values are
//! never printed: not by `Debug`, not by an error.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};

use super::headers::{InvalidHeader, secret};
use super::token::{RefreshTokenChains, TokenRequest, TokenSource, scopes_in};
use crate::error::CallError;

/// The credentials of one connection; cheap to clone.
#[derive(Clone)]
pub struct Credentials(Inner);

#[derive(Clone)]
enum Inner {
    /// Headers that stay the same.
    Fixed {
        headers: Vec<(HeaderName, HeaderValue)>,
        /// The scopes that a bearer token states.
        scopes: Option<Vec<String>>,
    },
    /// Access tokens that are requested and renewed.
    Renewed(Arc<TokenSource>),
    /// None: each call brings its own.
    Missing,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.names().map(HeaderName::as_str).collect();
        write!(f, "Credentials({}: ***)", names.join(", "))
    }
}

impl Credentials {
    /// `Authorization: Bearer …`
    ///
    /// # Errors
    /// No header can carry the token.
    pub fn bearer(token: &str) -> Result<Self, InvalidHeader> {
        let headers = vec![(AUTHORIZATION, secret(&format!("Bearer {token}"))?)];
        Ok(Self(Inner::Fixed { headers, scopes: scopes_in(token) }))
    }

    /// `Authorization: Basic …`; the user name is sent as it is, `DOMAIN\user` too.
    ///
    /// # Errors
    /// Never in practice: base64 fits into a header.
    pub fn basic(user: &str, password: &str) -> Result<Self, InvalidHeader> {
        let value = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
        Ok(Self(Inner::Fixed { headers: vec![(AUTHORIZATION, secret(&value)?)], scopes: None }))
    }

    /// Headers that the vendor defines: names and values.
    ///
    /// # Errors
    /// A name or a value can't be a header.
    pub fn headers<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Result<Self, InvalidHeader> {
        let header = |(name, value): (&str, &str)| Ok((name.parse().map_err(|_| InvalidHeader)?, secret(value)?));
        Ok(Self(Inner::Fixed { headers: pairs.map(header).collect::<Result<_, _>>()?, scopes: None }))
    }

    /// An access token that is requested on first use and renewed.
    pub(crate) fn renewed(request: TokenRequest) -> Self {
        Self(Inner::Renewed(Arc::new(TokenSource::new(request))))
    }

    /// Shares refresh tokens with other processes, where these credentials have one.
    pub fn share(&self, chains: &Arc<dyn RefreshTokenChains>) {
        if let Inner::Renewed(tokens) = &self.0 {
            tokens.share(chains);
        }
    }

    /// No credentials, for an address to which callers bring their own: nothing is sent without those.
    pub fn missing() -> Self {
        Self(Inner::Missing)
    }

    /// Returns whether there are none.
    pub(crate) fn are_missing(&self) -> bool {
        matches!(self.0, Inner::Missing)
    }

    /// Returns whether these are tokens that have to be renewed.
    pub fn are_renewed(&self) -> bool {
        matches!(self.0, Inner::Renewed(_))
    }

    /// Returns the token's scopes, where the token or its issuer states them.
    pub fn scopes(&self) -> Option<Vec<String>> {
        match &self.0 {
            Inner::Fixed { scopes, .. } => scopes.clone(),
            Inner::Renewed(tokens) => tokens.scopes(),
            Inner::Missing => None,
        }
    }

    /// Makes sure of a valid token; returns its number.
    pub(super) async fn ready(&self) -> Result<Option<u64>, CallError> {
        match &self.0 {
            Inner::Fixed { .. } | Inner::Missing => Ok(None),
            Inner::Renewed(tokens) => tokens.ready().await.map(Some),
        }
    }

    /// Requests a new token for a call of this operation, which was refused with the token with the number `used`;
    /// returns the number of the token to send it again with.
    pub(super) async fn renew_refused(&self, used: u64, operation: &str) -> Result<u64, CallError> {
        match &self.0 {
            Inner::Fixed { .. } | Inner::Missing => Ok(used),
            Inner::Renewed(tokens) => tokens.renew_refused(used, operation).await,
        }
    }

    /// Takes note that a call of this operation was not refused with the token with the number `used`.
    pub(super) fn accepted(&self, used: u64, operation: &str) {
        if let Inner::Renewed(tokens) = &self.0 {
            tokens.accepted(used, operation);
        }
    }

    /// Takes note of whether a token that was issued for a refusal has helped.
    pub(super) fn judge(&self, renewed: u64, helped: bool) {
        if let Inner::Renewed(tokens) = &self.0 {
            tokens.judge(renewed, helped);
        }
    }

    /// Before a process ends: finishes a request for a token that has begun, within a bound, and begins no further one.
    pub(crate) async fn settle(&self) {
        if let Inner::Renewed(tokens) = &self.0 {
            tokens.settle().await;
        }
    }

    /// Sets the credentials on a request's headers, in place of any that are there. A token that
    /// was not requested yet has a placeholder, for dry runs.
    pub(crate) fn apply(&self, headers: &mut HeaderMap) {
        match &self.0 {
            Inner::Fixed { headers: own, .. } => {
                for (name, value) in own {
                    headers.insert(name.clone(), value.clone());
                }
            }
            Inner::Renewed(tokens) => {
                headers.insert(AUTHORIZATION, tokens.header());
            }
            Inner::Missing => {}
        }
    }

    /// Returns the names of the headers that carry the credentials.
    pub(crate) fn names(&self) -> impl Iterator<Item = &HeaderName> {
        let fixed = match &self.0 {
            Inner::Fixed { headers, .. } => headers.as_slice(),
            Inner::Renewed(_) | Inner::Missing => &[],
        };
        let renewed = matches!(self.0, Inner::Renewed(_)).then_some(&AUTHORIZATION);
        fixed.iter().map(|(name, _)| name).chain(renewed)
    }
}
