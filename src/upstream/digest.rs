//! A prepared request → a digest of all that matters in it: method, address, headers but for credentials and the program's
//! own name, and the body.

use std::fmt;

use reqwest::Request;
use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue, USER_AGENT};
use sha2::{Digest as _, Sha256};

/// What the content type of a form with parts has before a text that is drawn for each request.
const BOUNDARY: &[u8] = b"boundary=";

/// The SHA-256 of a request. Two requests with the same one ask the same of a vendor.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct RequestDigest(pub(crate) [u8; 32]);

/// Not shown: of a short secret in the request it would be a test.
impl fmt::Debug for RequestDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RequestDigest")
    }
}

impl RequestDigest {
    /// Of a request; `is_credential` names the headers that authenticate it, which may be renewed. The body of a form with
    /// parts is a stream, and not among what is hashed.
    pub(super) fn of(request: &Request, is_credential: impl Fn(&HeaderName) -> bool) -> Self {
        let mut hash = Sha256::new();
        let mut part = |bytes: &[u8]| {
            hash.update((bytes.len() as u64).to_be_bytes());
            hash.update(bytes);
        };
        part(request.method().as_str().as_bytes());
        part(request.url().as_str().as_bytes());
        let own = |name: &HeaderName| *name == USER_AGENT || is_credential(name);
        let headers = request.headers().iter().filter(|(name, value)| !own(name) && !value.is_sensitive());
        let mut headers: Vec<(&str, &[u8])> =
            headers.map(|(name, value)| (name.as_str(), hashed(name, value))).collect();
        headers.sort_unstable();
        for (name, value) in headers {
            part(name.as_bytes());
            part(value);
        }
        part(match request.body() {
            None => b"none",
            Some(body) if body.as_bytes().is_some() => b"bytes",
            Some(_) => b"parts",
        });
        part(request.body().and_then(|body| body.as_bytes()).unwrap_or_default());
        Self(hash.finalize().into())
    }
}

fn hashed<'a>(name: &HeaderName, value: &'a HeaderValue) -> &'a [u8] {
    let bytes = value.as_bytes();
    let drawn = bytes.windows(BOUNDARY.len()).position(|window| window == BOUNDARY).filter(|_| *name == CONTENT_TYPE);
    drawn.map_or(bytes, |at| &bytes[..at])
}
