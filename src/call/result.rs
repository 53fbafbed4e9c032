//! What a call gives if it does not fail: the vendor's reply, or in a dry run the plan of the call.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::failure::Failure;
use super::paging::page::Page;
use super::reply::Reply;
use super::resolved_name::ResolvedName;
use super::tenants::Tenant;
use crate::error::Outcome;
use crate::upstream::Plan;
use toolwright_model::{Effect, Risk};

/// What a call gives if it does not fail.
#[derive(Debug)]
pub enum CallResult {
    /// The vendor's answer.
    Reply(Box<Reply>),
    /// A dry run: nothing was sent.
    Plan(Box<PlannedCall>),
    /// What a workflow would send, or how far it came.
    Report(Box<WorkflowReport>),
    /// What came of the call for each of several tenants.
    Tenants(Box<TenantResults>),
}

/// A workflow that changed nothing because it was a dry run, or that did not come to its end.
#[derive(Debug)]
pub struct WorkflowReport {
    /// The report, a JSON object.
    pub body: String,
    /// What else has to be known.
    pub notes: Vec<String>,
    /// The names of the fields in it whose text outsiders wrote.
    pub untrusted: Vec<String>,
    /// Whether it is the plan of a dry run; otherwise the workflow failed or was cancelled.
    pub is_plan: bool,
    /// How far it came, as records name it.
    pub outcome: Outcome,
    /// The status with which a vendor refused the step that failed.
    pub status: Option<u16>,
    /// After how many seconds to call again, if that is known.
    pub retry_after: Option<u64>,
}

impl From<PlannedCall> for CallResult {
    fn from(plan: PlannedCall) -> Self {
        Self::Plan(Box::new(plan))
    }
}

impl From<Reply> for CallResult {
    fn from(reply: Reply) -> Self {
        Self::Reply(Box::new(reply))
    }
}

/// What a call would do, secrets masked.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedCall {
    /// Who would make it.
    pub caller: String,
    /// The account that would serve it.
    pub account: String,
    /// The tool's name.
    pub tool: String,
    /// Its effect, if it was reviewed.
    pub effect: Option<Effect>,
    /// Its risks.
    pub risks: BTreeSet<Risk>,
    /// Scheme, host and port of the vendor's address.
    pub site: String,
    /// The settings that are sent with the request, such as the tenant, by title.
    #[serde(flatten)]
    pub settings: BTreeMap<String, String>,
    /// The request.
    pub request: Plan,
    /// How the arguments were understood, where that is not obvious.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// The records that names in the arguments mean.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resolved: Vec<ResolvedName>,
    /// The names of the entries whose text outsiders wrote.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub untrusted: Vec<String>,
}

/// What a call gave for each of its tenants.
#[derive(Debug)]
pub struct TenantResults {
    /// The argument that named them.
    pub argument: String,
    /// What has to be known of all answers.
    pub notes: Vec<String>,
    /// In the order in which they were named.
    pub results: Vec<(Tenant, Result<CallResult, Failure>)>,
}

/// What a workflow answers with.
pub(crate) struct Composed {
    /// A JSON text of values that were sanitized when the steps were answered.
    pub(crate) body: String,
    /// The names of the fields in it whose text outsiders wrote.
    pub(crate) untrusted: Vec<String>,
    /// What the steps' pages prove of the records in it.
    pub(crate) page: Option<Page>,
    /// What else has to be known.
    pub(crate) notes: Vec<String>,
}

/// What the steps of a workflow lead to.
pub(crate) enum Ending {
    /// Its outputs.
    Answer(Composed),
    /// A plan, or how far it came.
    Report(WorkflowReport),
}
