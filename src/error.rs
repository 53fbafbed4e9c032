//! What can go wrong with one call, told from the caller's side: was anything sent, and did the
//! vendor answer. Everything else decides by these stages and never by an error's text.

use std::fmt;

/// A call that did not end in an answer with a 2xx status.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// Nothing reached the vendor.
    #[error("not sent: {0}")]
    NotSent(String),
    /// The vendor answered, and it was no.
    #[error("{0}")]
    Rejected(Box<Rejection>),
    /// The request left, and what became of it is not known.
    #[error("unknown outcome: {0}")]
    Unknown(String),
    /// The caller went away; the request was dropped wherever it was.
    #[error("cancelled by the caller")]
    Cancelled,
}

/// An answer that is no success.
#[derive(Debug)]
pub struct Rejection {
    /// The HTTP status.
    pub status: u16,
    /// What the vendor said, as text, cut to a length that a model can read.
    pub body: String,
    /// What we know about this status that the vendor does not say.
    pub advice: Option<String>,
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = reqwest::StatusCode::from_u16(self.status).ok().and_then(|status| status.canonical_reason());
        write!(f, "rejected: the vendor answered {}", self.status)?;
        if let Some(reason) = reason {
            write!(f, " {reason}")?;
        }
        match self.body.trim() {
            "" => write!(f, " with an empty body")?,
            body => write!(f, ": {body}")?,
        }
        if let Some(advice) = &self.advice {
            write!(f, "\nhint: {advice}")?;
        }
        Ok(())
    }
}

/// The stage at which a call ended, as results and records name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing reached the vendor.
    NotSent,
    /// The vendor answered, and it was no.
    Rejected,
    /// The request left, and what became of it is not known.
    Unknown,
}

impl Outcome {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotSent => "not_sent",
            Self::Rejected => "rejected",
            Self::Unknown => "unknown",
        }
    }
}

impl CallError {
    /// Returns the stage at which the call ended.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::NotSent(_) => Outcome::NotSent,
            Self::Rejected(_) => Outcome::Rejected,
            Self::Unknown(_) | Self::Cancelled => Outcome::Unknown,
        }
    }

    /// Returns the vendor's status, if it answered.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Rejected(rejection) => Some(rejection.status),
            _ => None,
        }
    }
}

/// Something wrong with flags, environment or files: the program ends with exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct ConfigError {
    message: String,
}

impl ConfigError {
    /// A complaint that says what to do about it.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into() }
    }
}
