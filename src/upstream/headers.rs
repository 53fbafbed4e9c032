//! HTTP headers on both ways: those that go with every request, and those of an answer, for the
//! formats that read them. No value shows in `Debug`.

use std::fmt;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue, SET_COOKIE};

/// A name or value that no HTTP header can carry; never repeats it.
#[derive(Debug, thiserror::Error)]
#[error("holds characters that no HTTP header can carry")]
pub struct InvalidHeader;

/// A header that goes with every request and is not secret, such as the tenant to act for.
#[derive(Debug, Clone)]
pub struct SettingHeader {
    name: HeaderName,
    value: HeaderValue,
}

impl SettingHeader {
    /// A header and its value.
    ///
    /// # Errors
    /// No header can carry the name or the value.
    pub fn new(name: &str, value: &str) -> Result<Self, InvalidHeader> {
        let name = name.parse().map_err(|_| InvalidHeader)?;
        Ok(Self { name, value: HeaderValue::from_str(value).map_err(|_| InvalidHeader)? })
    }

    /// Sets the header on a request, in place of any of its name.
    pub(super) fn apply(&self, headers: &mut HeaderMap) {
        headers.insert(self.name.clone(), self.value.clone());
    }
}

/// A header's value that `Debug` and dry runs mask.
pub(super) fn secret(text: &str) -> Result<HeaderValue, InvalidHeader> {
    let mut value = HeaderValue::from_str(text).map_err(|_| InvalidHeader)?;
    value.set_sensitive(true);
    Ok(value)
}

/// The headers of an answer, without cookies.
#[derive(Clone, Default)]
pub struct Headers(HeaderMap);

impl Headers {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let mut headers = headers.clone();
        headers.remove(SET_COOKIE);
        Self(headers)
    }

    /// Returns the header's value as text; the name is in lower case.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.to_str().ok()
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.keys()).finish()
    }
}
