//! The values of a vendor's credential variables → the headers that carry them. The values are
//! never printed: not by `Debug`, not by an error.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};

use super::token::{TokenRequest, Tokens, scopes_in};
use crate::error::CallError;

/// The credentials of one connection; cheap to clone.
#[derive(Clone)]
pub struct Credentials(Kind);

#[derive(Clone)]
enum Kind {
    /// Headers that stay the same.
    Fixed {
        headers: Vec<(HeaderName, HeaderValue)>,
        /// What the token says that it opens, if it says so.
        scopes: Option<Vec<String>>,
    },
    /// A bearer token that is renewed.
    Renewed(Arc<Tokens>),
}

/// Why credentials can't be used; never repeats them.
#[derive(Debug, thiserror::Error)]
#[error("holds characters that no HTTP header can carry")]
pub struct CredentialsError;

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
    pub fn bearer(token: &str) -> Result<Self, CredentialsError> {
        let headers = vec![(AUTHORIZATION, secret(&format!("Bearer {token}"))?)];
        Ok(Self(Kind::Fixed { headers, scopes: scopes_in(token) }))
    }

    /// `Authorization: Basic …`, the user name as it is: `DOMAIN\user` too.
    ///
    /// # Errors
    /// Never in practice: base64 fits into a header.
    pub fn basic(user: &str, password: &str) -> Result<Self, CredentialsError> {
        let value = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
        Ok(Self(Kind::Fixed { headers: vec![(AUTHORIZATION, secret(&value)?)], scopes: None }))
    }

    /// Headers of the vendor's own: name and value.
    ///
    /// # Errors
    /// A name or a value can't be a header.
    pub fn headers<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Result<Self, CredentialsError> {
        let header = |(name, value): (&str, &str)| Ok((name.parse().map_err(|_| CredentialsError)?, secret(value)?));
        Ok(Self(Kind::Fixed { headers: pairs.map(header).collect::<Result<_, _>>()?, scopes: None }))
    }

    /// A token that is bought when it is first needed, and renewed.
    pub fn renewed(request: TokenRequest) -> Self {
        Self(Kind::Renewed(Arc::new(Tokens::new(request))))
    }

    /// Whether these are tokens that have to be renewed.
    pub fn are_renewed(&self) -> bool {
        matches!(self.0, Kind::Renewed(_))
    }

    /// What the token opens, where it or whoever gave it says so.
    pub fn scopes(&self) -> Option<Vec<String>> {
        match &self.0 {
            Kind::Fixed { scopes, .. } => scopes.clone(),
            Kind::Renewed(tokens) => tokens.scopes(),
        }
    }

    /// Makes sure of a token that is good for a request; returns its number.
    pub(super) async fn ready(&self) -> Result<Option<u64>, CallError> {
        match &self.0 {
            Kind::Fixed { .. } => Ok(None),
            Kind::Renewed(tokens) => tokens.ready().await.map(Some),
        }
    }

    /// Buys a new token unless somebody has since the one with this number.
    pub(super) async fn renew(&self, used: u64) -> Result<(), CallError> {
        match &self.0 {
            Kind::Fixed { .. } => Ok(()),
            Kind::Renewed(tokens) => tokens.renew(used).await,
        }
    }

    /// Puts the credentials into a request's headers, in place of any that are there. A token
    /// that was not bought yet has a stand-in, as dry runs show it.
    pub(crate) fn apply(&self, headers: &mut HeaderMap) {
        match &self.0 {
            Kind::Fixed { headers: own, .. } => {
                for (name, value) in own {
                    headers.insert(name.clone(), value.clone());
                }
            }
            Kind::Renewed(tokens) => {
                headers.insert(AUTHORIZATION, tokens.header());
            }
        }
    }

    /// The headers that carry them.
    pub(crate) fn names(&self) -> impl Iterator<Item = &HeaderName> {
        let fixed = match &self.0 {
            Kind::Fixed { headers, .. } => headers.as_slice(),
            Kind::Renewed(_) => &[],
        };
        let renewed = matches!(self.0, Kind::Renewed(_)).then_some(&AUTHORIZATION);
        fixed.iter().map(|(name, _)| name).chain(renewed)
    }
}

/// A header's value that nothing prints.
pub(super) fn secret(text: &str) -> Result<HeaderValue, CredentialsError> {
    let mut value = HeaderValue::from_str(text).map_err(|_| CredentialsError)?;
    value.set_sensitive(true);
    Ok(value)
}
