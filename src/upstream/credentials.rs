//! The values of a vendor's credential variables → the header that carries them. The values are
//! never printed: not by `Debug`, not by an error.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};

/// The credentials of one connection, as the header that carries them.
#[derive(Clone)]
pub struct Credentials {
    header: HeaderName,
    value: HeaderValue,
}

/// Why credentials can't be used; never repeats them.
#[derive(Debug, thiserror::Error)]
#[error("holds characters that no HTTP header can carry")]
pub struct CredentialsError;

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials({}: ***)", self.header)
    }
}

impl Credentials {
    /// `Authorization: Bearer …`
    ///
    /// # Errors
    /// No header can carry the token.
    pub fn bearer(token: &str) -> Result<Self, CredentialsError> {
        Self::header_value(AUTHORIZATION, &format!("Bearer {token}"))
    }

    /// `Authorization: Basic …`, the user name as it is: `DOMAIN\user` too.
    ///
    /// # Errors
    /// Never in practice: base64 fits into a header.
    pub fn basic(user: &str, password: &str) -> Result<Self, CredentialsError> {
        Self::header_value(AUTHORIZATION, &format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))))
    }

    /// A header of the vendor's own.
    ///
    /// # Errors
    /// The name or the value can't be a header.
    pub fn custom(name: &str, value: &str) -> Result<Self, CredentialsError> {
        Self::header_value(name.parse().map_err(|_| CredentialsError)?, value)
    }

    fn header_value(header: HeaderName, value: &str) -> Result<Self, CredentialsError> {
        let mut value = HeaderValue::from_str(value).map_err(|_| CredentialsError)?;
        value.set_sensitive(true);
        Ok(Self { header, value })
    }

    /// Puts the credentials into a request's headers, in place of any that are there.
    pub(crate) fn apply(&self, headers: &mut HeaderMap) {
        headers.insert(self.header.clone(), self.value.clone());
    }

    /// The header that carries them.
    pub(crate) fn header(&self) -> &HeaderName {
        &self.header
    }
}
