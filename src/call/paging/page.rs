//! Where a page of records begins, and which part of all records an answer holds.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Where a page begins.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::call) struct Start {
    /// The vendor's position; none for the first page.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub(in crate::call) at: Option<Value>,
    /// How many records come before it, if all of them were read.
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub(in crate::call) seen: Option<u64>,
    /// A digest of the records of the page before.
    #[serde(rename = "m", default, skip_serializing_if = "Option::is_none")]
    pub(in crate::call) mark: Option<String>,
    /// How many records to request, if the arguments don't state it.
    #[serde(rename = "z", default, skip_serializing_if = "Option::is_none")]
    pub(in crate::call) size: Option<u64>,
}

impl Start {
    pub(super) fn is_first(&self) -> bool {
        *self == Self::default()
    }
}

/// Which part of all matching records an answer holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Page {
    /// How many records the answer holds.
    pub returned: usize,
    /// Whether there are more records; `false` only if that is proved.
    pub has_more: bool,
    /// The `cursor` argument for the next records.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// How many matching records there are in all, as the vendor states it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// What else a reader has to know of this part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}
