//! Variables → headers that every request carries besides the credentials.

use serde::{Deserialize, Serialize};

/// A header whose value the operator chooses and a model never sees, such as a tenant's id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// Its name in `doctor`, dry runs and audit records, one word.
    pub title: String,
    /// The header's name.
    pub header: String,
    /// The variable that holds its value; the header is not sent if it is unset.
    pub variable: String,
    /// The variable that lists the values which a connection over HTTP may choose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed: Option<String>,
    /// The query parameter of `/mcp` that holds a connection's choice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// The argument by which a tool that reads is called for several of the allowed values at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub several: Option<String>,
    /// Where the values that the credentials reach are listed, with their names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reached: Option<ReachedTenants>,
}

/// The operation that lists the values of a setting that the credentials reach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ReachedTenants {
    /// The id of an operation that reads and needs no arguments.
    pub operation: String,
    /// JSON pointer to the list in its answer.
    pub records: String,
    /// JSON pointer to the value in a record.
    pub id: String,
    /// JSON pointer to what people call it.
    pub name: String,
}

impl Setting {
    /// The keys of dry runs and audit records, which a title must not repeat.
    pub const TAKEN: [&str; 27] = [
        "account",
        "arguments",
        "body",
        "caller",
        "client",
        "decision",
        "dry_run",
        "duration_ms",
        "effect",
        "event",
        "hash",
        "headers",
        "id",
        "method",
        "operation",
        "outcome",
        "prev",
        "request",
        "request_id",
        "risks",
        "sent",
        "seq",
        "site",
        "status",
        "time",
        "tool",
        "vendor",
    ];
}
