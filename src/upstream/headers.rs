//! The headers of an answer, for whoever knows what a vendor says in them. Cookies are not kept,
//! and no value shows in `Debug`.

use std::fmt;

use reqwest::header::{HeaderMap, SET_COOKIE};

/// The headers of an answer.
#[derive(Clone, Default)]
pub struct Headers(HeaderMap);

impl Headers {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let mut kept = headers.clone();
        kept.remove(SET_COOKIE);
        Self(kept)
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
