//! What a call gives if it does not fail: the vendor's reply, or in a dry run the plan of the call.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::reply::Reply;
use crate::upstream::Plan;
use toolwright_model::{Effect, Risk};

/// What a call gives if it does not fail.
#[derive(Debug)]
pub enum CallResult {
    /// The vendor's answer.
    Reply(Box<Reply>),
    /// A dry run: nothing was sent.
    Plan(Box<PlannedCall>),
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
}
