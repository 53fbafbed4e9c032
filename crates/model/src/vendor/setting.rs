//! What is sent with every request besides the credentials.

use serde::{Deserialize, Serialize};

/// A header whose value whoever runs the program chooses, and no model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// What it is, in one word: `doctor`, dry runs and the record name it so.
    pub title: String,
    /// The header.
    pub header: String,
    /// The variable that holds its value; without one the header is not sent.
    pub variable: String,
    /// The variable that lists the values among which a connection over HTTP may choose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed: Option<String>,
    /// The query parameter of `/mcp` by which a connection chooses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
}

impl Setting {
    /// The words that dry runs and records use themselves.
    pub const TAKEN: [&str; 25] = [
        "arguments",
        "body",
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
