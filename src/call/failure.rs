//! Why a call gave no result, by stage → a text that a model can act on.

use std::fmt;

use serde::Serialize;

use crate::error::{CallError, Outcome};
use crate::policy::SelectionRefusal;

/// Why a call gave no result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// There is no such tool.
    #[error("unknown tool `{name}`{}", did_you_mean(near))]
    UnknownTool {
        /// The name that was called.
        name: String,
        /// Similar names of existing tools.
        near: Vec<String>,
    },
    /// The policy does not offer the tool.
    #[error("`{tool}` is held back by toolwright's own settings, nothing was sent: {refusal}")]
    Refused {
        /// The tool.
        tool: String,
        /// The reasons, and the flags that would offer it.
        refusal: SelectionRefusal,
    },
    /// The tool's vendor is not configured, or not correctly.
    #[error("{0}")]
    NotConfigured(String),
    /// The arguments don't fit the input schema.
    #[error("{text}")]
    Arguments {
        /// All problems as one text for a model.
        text: String,
        /// The same one by one.
        problems: Vec<ArgumentProblem>,
    },
    /// The call itself failed.
    #[error("{0}")]
    Call(#[source] CallError),
    /// The vendor answered, and the requested part of the answer can't be given.
    #[error("{0}")]
    Projection(String),
    /// A fault of ours, whatever the caller or the operator does.
    #[error("{0}; this is a fault of toolwright")]
    Internal(String),
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Internal(reason) => Self::Internal(reason),
            error => Self::Call(error),
        }
    }
}

impl Failure {
    /// Returns the stage at which the call ended.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Call(error) => error.outcome(),
            Self::Projection(_) => Outcome::Answered,
            _ => Outcome::NotSent,
        }
    }

    /// Returns the kind of error, as the metrics name it.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::UnknownTool { .. } => "unknown_tool",
            Self::Refused { .. } => "policy",
            Self::NotConfigured(_) => "configuration",
            Self::Arguments { .. } => "arguments",
            Self::Projection(_) => "projection",
            Self::Internal(_) | Self::Call(CallError::Internal(_)) => "internal",
            Self::Call(CallError::NotSent(_)) => "not_sent",
            Self::Call(CallError::Throttled(_)) => "throttled",
            Self::Call(CallError::Rejected(rejection)) if rejection.status == 429 => "rate_limited",
            Self::Call(CallError::Rejected(rejection)) if rejection.status >= 500 => "vendor_fault",
            Self::Call(CallError::Rejected(_)) => "rejected",
            Self::Call(CallError::Unknown(_)) => "unknown",
            Self::Call(CallError::WebPage(_)) => "web_page",
            Self::Call(CallError::Cancelled) => "cancelled",
        }
    }

    /// Returns whether the operator's settings, and not the call, have to change.
    pub fn is_configuration(&self) -> bool {
        matches!(self, Self::UnknownTool { .. } | Self::Refused { .. } | Self::NotConfigured(_))
    }
}

fn did_you_mean(near: &[String]) -> String {
    if near.is_empty() { String::new() } else { format!("; did you mean `{}`?", near.join("`, `")) }
}

/// In which way an argument is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ProblemKind {
    /// A required argument is missing.
    Missing,
    /// No argument has this name.
    Unknown,
    /// The value does not fit.
    Invalid,
}

/// One thing wrong with one argument.
///
/// Holds no value of a secret argument: `given` is `***` then.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ArgumentProblem {
    /// In which way it is wrong.
    pub kind: ProblemKind,
    /// Path such as `fields[0].name`; empty for the arguments as a whole.
    pub argument: String,
    /// JSON text of the value, cut to about 80 characters; empty if there is none.
    pub given: String,
    /// What would be accepted: `an integer from 1 to 100`.
    pub expected: String,
    /// The nearest valid name or value, if one is near.
    pub suggestion: Option<String>,
}

impl fmt::Display for ArgumentProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.argument.is_empty() {
            f.write_str("the arguments: ")?;
        } else {
            write!(f, "`{}`: ", self.argument)?;
        }
        match self.kind {
            ProblemKind::Missing => write!(f, "required argument is missing; expected {}", self.expected)?,
            ProblemKind::Invalid => {
                write!(f, "expected {}, but got {}", self.expected, self.given)?;
            }
            ProblemKind::Unknown if self.suggestion.is_some() => f.write_str("unknown argument")?,
            ProblemKind::Unknown => write!(f, "unknown argument; expected {}", self.expected)?,
        }
        match &self.suggestion {
            Some(suggestion) => write!(f, "; did you mean `{suggestion}`?"),
            None => Ok(()),
        }
    }
}
