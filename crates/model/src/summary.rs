//! The JSON of `catalog list`: one tool and the operations that it calls.

use serde::Serialize;

use crate::{Call, Effect, Risk, Verb};

/// One tool in the JSON of `catalog list`.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schemars", schemars(rename = "Summary"))]
pub struct ToolSummary<'a> {
    /// The tool's name.
    pub name: &'a str,
    /// A few words for a person.
    pub title: &'a str,
    /// The vendor's id.
    pub vendor: &'a str,
    /// The API's id; empty where the tool has several operations, as `method` and `path` are.
    pub api: &'a str,
    /// Upper-case HTTP method.
    pub method: &'a str,
    /// The path as the vendor's description writes it.
    pub path: &'a str,
    /// What calling it does at the vendor; `null` while nobody has reviewed it.
    pub effect: Option<Effect>,
    /// The kind of call.
    pub verb: Verb,
    /// What it may bring about besides.
    pub risks: Vec<Risk>,
    /// The vendor's tags and ours.
    pub tags: Vec<&'a str>,
    /// Whether an assistant needs it every day.
    pub core: bool,
    /// Whether somebody has stated the effect.
    pub reviewed: bool,
    /// Names that other servers use.
    pub aliases: Vec<&'a str>,
    /// What a model reads.
    pub description: &'a str,
    /// Bytes of the tool as tools/list sends it, divided by four.
    pub tokens: usize,
    /// The operations it calls.
    pub operations: Vec<OperationSummary<'a>>,
}

/// One operation in the JSON of `catalog list`.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct OperationSummary<'a> {
    /// The API's id.
    pub api: &'a str,
    /// The operation's id.
    pub operation: &'a str,
    /// Upper-case HTTP method.
    pub method: &'a str,
    /// The path as the vendor's description writes it.
    pub path: &'a str,
}

impl<'a> OperationSummary<'a> {
    /// Describes the operation of a call.
    pub fn of(call: &'a Call) -> Self {
        Self { api: &call.api, operation: &call.operation, method: &call.method, path: &call.path }
    }
}
