//! What can go wrong with one call, told from the caller's side: was anything sent, and did the
//! vendor answer. Everything else decides by these stages and never by an error's text.

use std::fmt;
use std::time::Duration;

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
    /// It had to wait for its turn longer than a call may; nothing reached the vendor.
    #[error("not sent: {0}")]
    Throttled(Box<Throttled>),
    /// The request left, and what became of it is not known.
    #[error("unknown outcome: {0}")]
    Unknown(String),
    /// The vendor's address answered with a web page, a login page most often; what became of the
    /// call is not known.
    #[error(
        "the vendor answered {0} with an HTML page where data was expected\n\
         hint: the configured address leads to a website or a login page; `toolwright doctor` checks it"
    )]
    WebPage(u16),
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
    /// What the answer's headers say of the vendor's limits.
    pub rate_limit: RateLimit,
    /// The vendor's own id of the request.
    pub request_id: Option<String>,
}

/// What the headers of one answer say of a vendor's limits, whatever their spelling.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RateLimit {
    /// How many requests the vendor takes in its span of time.
    pub limit: Option<u64>,
    /// How many of them are left.
    pub remaining: Option<u64>,
    /// When there are new ones.
    pub reset: Option<Duration>,
    /// When to come back.
    pub retry_after: Option<Duration>,
    /// Which of its limits the vendor names.
    pub reason: Option<String>,
}

impl RateLimit {
    /// When to come back, by whatever header says so.
    pub fn wait(&self) -> Option<Duration> {
        let spent = self.remaining.is_none_or(|remaining| remaining == 0);
        self.retry_after.or(self.reset.filter(|_| spent))
    }
}

/// A call that would have had to wait too long for its turn.
#[derive(Debug, Clone)]
pub struct Throttled {
    /// What it would have waited for.
    pub reason: String,
    /// When its turn would have come.
    pub retry_after: Duration,
}

impl fmt::Display for Throttled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = seconds(self.retry_after);
        write!(f, "{}; retry_after_seconds: {seconds}\nhint: call again in {seconds} s", self.reason)
    }
}

/// A span in whole seconds, rounded up: who waits that long has waited long enough.
pub fn seconds(span: Duration) -> u64 {
    span.as_secs() + u64::from(span.subsec_nanos() > 0)
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
    /// The vendor answered, and it was yes.
    Answered,
}

impl Outcome {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotSent => "not_sent",
            Self::Rejected => "rejected",
            Self::Unknown => "unknown",
            Self::Answered => "answered",
        }
    }
}

impl CallError {
    /// Returns the stage at which the call ended.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::NotSent(_) | Self::Throttled(_) => Outcome::NotSent,
            Self::Rejected(_) => Outcome::Rejected,
            Self::Unknown(_) | Self::WebPage(_) | Self::Cancelled => Outcome::Unknown,
        }
    }

    /// Returns when calling again makes sense, where that is known.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Rejected(rejection) if matches!(rejection.status, 429 | 503) => rejection.rate_limit.wait(),
            Self::Throttled(throttled) => Some(throttled.retry_after),
            _ => None,
        }
    }

    /// Returns the vendor's status, if it answered.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Rejected(rejection) => Some(rejection.status),
            Self::WebPage(status) => Some(*status),
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
