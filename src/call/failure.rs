//! Why a call gave no result, by stage → a text that its reader can act on.

use std::fmt;

use serde::Serialize;

use super::call_tool::CallTool;
use crate::approval::{Held, Waits};
use crate::error::{Audience, CallError, Outcome};
use crate::policy::SelectionRefusal;

/// Why a call gave no result.
#[derive(Debug)]
#[non_exhaustive]
pub enum Failure {
    /// There is no such tool.
    UnknownTool {
        /// The name that was called.
        name: String,
        /// Similar names of tools that are offered.
        near: Vec<String>,
        /// Similar names of tools that are held back.
        held_back: Vec<String>,
    },
    /// The policy does not offer the tool.
    Refused {
        /// The tool.
        tool: String,
        /// The reasons, and the flags that would offer it.
        refusal: SelectionRefusal,
        /// Offered tools that may do instead.
        instead: Vec<String>,
        /// The request by which a person can grant it, where there is one.
        request: Option<Box<Waits>>,
    },
    /// The tool has another effect than the call tool states by which it was called.
    OtherCallTool {
        /// The tool.
        tool: String,
        /// The call tool by which it can be called.
        right: CallTool,
    },
    /// The tool's vendor is not configured, or not correctly.
    NotConfigured(String),
    /// The arguments don't fit the input schema.
    Arguments {
        /// All problems as one text for a model.
        text: String,
        /// The same one by one.
        problems: Vec<ArgumentProblem>,
    },
    /// A person has to approve the call, and has not (yet).
    Held(Box<Held>),
    /// The call itself failed.
    Call(CallError),
    /// The vendor answered, and the requested part of the answer can't be given.
    Projection(String),
    /// A fault of ours, whatever the caller or the operator does.
    Internal(String),
}

/// As a model reads it.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(Audience::Model))
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Call(error) => Some(error),
            _ => None,
        }
    }
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Internal(reason) => Self::Internal(reason),
            error => Self::Call(error),
        }
    }
}

impl From<Held> for Failure {
    fn from(held: Held) -> Self {
        Self::Held(Box::new(held))
    }
}

impl Failure {
    /// Returns what happened and what its reader can do: flags and commands are for people only.
    pub fn text(&self, audience: Audience) -> String {
        let for_model = audience == Audience::Model;
        match self {
            Self::UnknownTool { name, near, .. } if for_model => match near.as_slice() {
                [] => format!("unknown tool `{name}`\nhint: tools/list has every tool that this server offers"),
                near => format!("unknown tool `{name}`\nhint: did you mean `{}`?", near.join("`, `")),
            },
            Self::UnknownTool { name, near, held_back } => {
                match near.iter().chain(held_back).map(String::as_str).collect::<Vec<_>>().as_slice() {
                    [] => format!("unknown tool `{name}`\nhint: `toolwright catalog list` shows every name"),
                    near => format!("unknown tool `{name}`\nhint: did you mean `{}`?", near.join("`, `")),
                }
            }
            Self::Refused { tool, refusal, instead, request } if for_model => {
                let similar = match instead.as_slice() {
                    [] => String::new(),
                    instead => {
                        format!("\nhint: of the tools that are offered, most like it: `{}`", instead.join("`, `"))
                    }
                };
                let refused = refusal.text(audience);
                let ask = request.as_ref().map_or_else(String::new, |waits| {
                    format!(
                        "\nhint: a person can grant it to this caller for an hour, as request {}: {}. Where the user wants that, make \
                         the same call again after it",
                        waits.id,
                        waits.how()
                    )
                });
                format!("`{tool}` is held back by this server's settings, nothing was sent: {refused}{similar}{ask}")
            }
            Self::Refused { tool, refusal, .. } => format!("`{tool}` is held back: {}", refusal.text(audience)),
            Self::OtherCallTool { tool, right } => {
                format!(
                    "`{tool}` {}; nothing was sent\nhint: call it by `{}`, with the same `tool` and `arguments`",
                    right.deed(),
                    right.name()
                )
            }
            Self::NotConfigured(reason) if for_model => {
                format!("{reason}\nhint: ask the server's administrator to configure it; calling again does not help")
            }
            Self::NotConfigured(reason) | Self::Projection(reason) | Self::Arguments { text: reason, .. } => {
                reason.clone()
            }
            Self::Held(held) => held.text(audience),
            Self::Call(error) => error.text(audience),
            Self::Internal(reason) => format!("{reason}; this is a fault of toolwright"),
        }
    }

    /// Returns the stage at which the call ended.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Call(error) => error.outcome(),
            Self::Held(held) => held.outcome(),
            Self::Projection(_) => Outcome::Answered,
            _ => Outcome::NotSent,
        }
    }

    /// Returns the kind of error, as the metrics name it.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::UnknownTool { .. } => "unknown_tool",
            Self::Refused { .. } | Self::OtherCallTool { .. } => "policy",
            Self::NotConfigured(_) => "configuration",
            Self::Arguments { .. } => "arguments",
            Self::Held(_) => "approval",
            Self::Projection(_) => "projection",
            Self::Internal(_) | Self::Call(CallError::Internal(_)) => "internal",
            Self::Call(CallError::NotSent(_)) => "not_sent",
            Self::Call(CallError::Throttled(_)) => "throttled",
            Self::Call(CallError::Rejected(rejection)) if rejection.status == 401 => "credentials_refused",
            Self::Call(CallError::Rejected(rejection)) if rejection.status == 429 => "rate_limited",
            Self::Call(CallError::Rejected(rejection)) if rejection.status >= 500 => "vendor_fault",
            Self::Call(CallError::Rejected(_)) => "rejected",
            Self::Call(CallError::Unknown(_)) => "unknown",
            Self::Call(CallError::WebPage(_)) => "web_page",
            Self::Call(CallError::Broken(_)) => "broken_answer",
            Self::Call(CallError::Cancelled) => "cancelled",
        }
    }

    /// Returns whether the operator's settings, and not the call, have to change.
    pub fn is_configuration(&self) -> bool {
        matches!(self, Self::UnknownTool { .. } | Self::Refused { .. } | Self::NotConfigured(_))
    }
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
