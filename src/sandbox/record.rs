//! Requests → a record of them, for tests.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::HeaderMap;
use serde::ser::{Serialize, SerializeStruct, Serializer};

use super::problem::RequestProblem;
use super::text::header;

/// Headers whose value is a secret.
const SECRET_HEADERS: [&str; 4] = ["authorization", "cookie", "proxy-authorization", "x-api-key"];

/// One request that reached the sandbox.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Recorded {
    /// The API whose prefix the path had; empty if none.
    pub api: String,
    /// The operation of the path and method.
    pub operation: Option<String>,
    /// The method, in capitals.
    pub method: String,
    /// The path after the prefix, still percent-encoded.
    pub path: String,
    /// The query, still percent-encoded.
    pub query: String,
    /// The headers, names in lower case, secrets replaced by `***`.
    pub headers: BTreeMap<String, String>,
    /// The body, if it was not empty.
    pub body: Option<Vec<u8>>,
    /// Whether the request fits the description, also where a script answered.
    pub verdict: Verdict,
    /// The status of the answer; 0 if the connection was dropped.
    pub status: u16,
}

/// Whether a request fits the description.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// It fits.
    Accepted,
    /// It does not, for these reasons.
    Problems(Vec<RequestProblem>),
}

impl Recorded {
    /// Whether the request fits the description.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        self.verdict == Verdict::Accepted
    }

    /// Returns the body as JSON, if it is that.
    #[must_use]
    pub fn json(&self) -> Option<serde_json::Value> {
        serde_json::from_slice(self.body.as_deref()?).ok()
    }
}

impl Serialize for Verdict {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Accepted => serializer.serialize_str("accepted"),
            Self::Problems(problems) => problems.serialize(serializer),
        }
    }
}

impl Serialize for Recorded {
    /// Writes the body as text under `body`, or else in base64 under `body_base64`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_struct("Recorded", 9)?;
        out.serialize_field("api", &self.api)?;
        out.serialize_field("operation", &self.operation)?;
        out.serialize_field("method", &self.method)?;
        out.serialize_field("path", &self.path)?;
        out.serialize_field("query", &self.query)?;
        out.serialize_field("headers", &self.headers)?;
        match self.body.as_deref().map(|bytes| (bytes, std::str::from_utf8(bytes))) {
            None => out.serialize_field("body", &None::<&str>)?,
            Some((_, Ok(text))) => out.serialize_field("body", text)?,
            Some((bytes, Err(_))) => out.serialize_field("body_base64", &STANDARD.encode(bytes))?,
        }
        out.serialize_field("verdict", &self.verdict)?;
        out.serialize_field("status", &self.status)?;
        out.end()
    }
}

/// Returns the headers by name, without their secrets.
pub(super) fn headers(headers: &HeaderMap) -> BTreeMap<String, String> {
    headers
        .keys()
        .map(|name| {
            let name = name.as_str();
            let text =
                if SECRET_HEADERS.contains(&name) { "***".into() } else { header(headers, name).unwrap_or_default() };
            (name.to_owned(), text.into_owned())
        })
        .collect()
}
