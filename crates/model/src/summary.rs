//! A tool → its entry in the JSON of `catalog list`.

use serde::Serialize;

use crate::workflow::StepCall;
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
    /// The effect of a call at the vendor; `null` if it is unreviewed.
    pub effect: Option<Effect>,
    /// The kind of call.
    pub verb: Verb,
    /// Consequences of a call besides its effect.
    pub risks: Vec<Risk>,
    /// The vendor's tags and ours.
    pub tags: Vec<&'a str>,
    /// Whether it has the tag `core`: an assistant needs it every day.
    pub core: bool,
    /// Whether a reviewer has stated the effect.
    pub reviewed: bool,
    /// Names that other servers use.
    pub aliases: Vec<&'a str>,
    /// The description that a model reads.
    pub description: &'a str,
    /// The tool's bytes in tools/list divided by four, an estimate of its tokens.
    pub tokens: usize,
    /// The operations it calls; of a workflow those of its steps.
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

    /// Describes the operation of a workflow's step.
    pub fn of_step(call: &'a StepCall) -> Self {
        Self { api: &call.api, operation: &call.operation, method: &call.method, path: &call.path }
    }
}
