//! What a format may use besides the value: the time, the opened folder, lookups at the vendor.

use std::time::SystemTime;

use crate::{Folder, Lookup, LookupCache};

/// What a format may use besides the value.
pub struct FormatContext<'a> {
    /// The current time.
    pub now: SystemTime,
    /// The folder whose files may be sent, if the operator opened one.
    pub folder: Option<&'a Folder>,
    /// Calls the vendor's reading operations.
    pub lookup: &'a dyn Lookup,
    /// What was looked up over the same connection.
    pub cache: &'a LookupCache,
}

/// A request that the vendor refused.
#[derive(Debug, Clone, Copy)]
pub struct RefusedRequest<'a> {
    /// The HTTP status of the answer.
    pub status: u16,
    /// The answer's body as text.
    pub body: &'a str,
}
