//! What a format may use besides the value: the time, the opened folder, lookups at the vendor, the
//! record that the call is about.

use std::time::SystemTime;

use serde_json::Value;
use toolwright_model::Place;

use crate::{CallFiles, Lookup, LookupCache};

/// What a format may use besides the value.
#[derive(Clone, Copy)]
pub struct FormatContext<'a> {
    /// The current time.
    pub now: SystemTime,
    /// The files that may be sent by their paths, if the operator opened a folder.
    pub files: Option<&'a CallFiles<'a>>,
    /// Calls the vendor's reading operations.
    pub lookup: &'a dyn Lookup,
    /// What was looked up over the same connection.
    pub cache: &'a LookupCache,
    /// The values in the path of the same call, for lookups about the same record.
    pub path: &'a [(Place, Value)],
    /// The top-level properties of the body of the same call, as far as they are written.
    pub properties: &'a [(Place, Value)],
}

/// A request that the vendor refused.
#[derive(Debug, Clone, Copy)]
pub struct RefusedRequest<'a> {
    /// The HTTP status of the answer.
    pub status: u16,
    /// The answer's body as text.
    pub body: &'a str,
}
