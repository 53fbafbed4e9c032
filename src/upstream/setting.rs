//! A header that goes with every request and is no secret: for whom the vendor is to act.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::CredentialsError;

/// What is sent with every request besides the credentials.
#[derive(Debug, Clone)]
pub struct Setting {
    header: HeaderName,
    value: HeaderValue,
}

impl Setting {
    /// A header and its value.
    ///
    /// # Errors
    /// The name or the value can't be a header.
    pub fn new(header: &str, value: &str) -> Result<Self, CredentialsError> {
        let header = header.parse().map_err(|_| CredentialsError)?;
        Ok(Self { header, value: HeaderValue::from_str(value).map_err(|_| CredentialsError)? })
    }

    /// Puts the header into a request's, in place of any that are there.
    pub(super) fn apply(&self, headers: &mut HeaderMap) {
        headers.insert(self.header.clone(), self.value.clone());
    }
}
