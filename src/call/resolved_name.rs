//! A name in place of an id → what its caller is told of the record that it means. Shared by the stages that carry it and
//! by replies and plans, which show it.

use serde::Serialize;
use serde_json::{Map, Value};

/// A name that was given, and the record that it means. Its texts are those that people entered at the vendor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ResolvedName {
    /// The argument, with the path inside it.
    pub argument: String,
    /// What was given.
    pub given: String,
    /// The id that is sent in its place.
    pub id: String,
    /// What tells the record from others, by the names of its fields.
    pub record: Map<String, Value>,
    /// What its reader has to know of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}
