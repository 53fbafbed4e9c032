//! The call of a workflow's step → what later steps and the workflow's outputs read: the vendor's answer as it is, with
//! the rules by which it is sanitized when it is shown.

use std::sync::Arc;

use serde_json::Value;

use super::paging::page::Page;
use super::result::PlannedCall;
use crate::sanitize::{AnswerPart, Rules};
use crate::upstream::Headers;

/// What the call of a step gives if it does not fail.
pub(crate) enum StepResult {
    /// The vendor's answer.
    Answered(Box<StepAnswer>),
    /// A dry run: nothing was sent.
    Planned(Box<PlannedCall>),
}

impl From<StepAnswer> for StepResult {
    fn from(answer: StepAnswer) -> Self {
        Self::Answered(Box::new(answer))
    }
}

/// A vendor's answer, not sanitized: for other steps, and to be sanitized where it is shown.
#[derive(Debug, Clone)]
pub(crate) struct StepAnswer {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The vendor's own id of the request.
    pub(crate) request_id: Option<String>,
    /// All headers but cookies.
    pub(crate) headers: Headers,
    /// The body; `None` where it is empty, or no text.
    pub(crate) body: Option<Value>,
    /// What the body is, as far as its trust is concerned.
    pub(crate) part: AnswerPart,
    /// By which it is sanitized.
    pub(crate) rules: Arc<Rules>,
    /// Which records of a listing it holds; `None` if it is no page.
    pub(crate) page: Option<Page>,
    /// How the arguments were understood, where that is not obvious.
    pub(crate) notes: Vec<String>,
}
