//! How one call can fail, by stage: whether anything was sent, and whether the vendor answered.
//! Code branches on these stages and never on an error's text.

use std::fmt;
use std::time::Duration;

/// Why a call did not end in an answer with a 2xx status.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// Nothing reached the vendor.
    #[error("not sent: {0}")]
    NotSent(String),
    /// The vendor answered and refused.
    #[error("{0}")]
    Rejected(Box<Rejection>),
    /// A rate limit would have delayed it longer than a call may wait; nothing reached the vendor.
    #[error("not sent: {0}")]
    Throttled(Box<Throttled>),
    /// The request was sent, and its effect is not known.
    #[error("unknown outcome: {0}")]
    Unknown(UnknownOutcome),
    /// The vendor's address answered with a web page, mostly a login page; the effect of the call
    /// is not known.
    #[error(
        "the vendor answered {0} with an HTML page where data was expected\n\
         hint: the configured address leads to a website or a login page; `toolwright doctor` checks it"
    )]
    WebPage(u16),
    /// The caller cancelled; the request was dropped at whatever stage it was.
    #[error("cancelled by the caller")]
    Cancelled,
    /// Generated code and catalog contradict each other; nothing reached the vendor.
    #[error("{0}; this is a fault of toolwright")]
    Internal(String),
}

/// An answer that is no success.
#[derive(Debug)]
pub struct Rejection {
    /// The HTTP status.
    pub status: u16,
    /// The body as text, cut to a length that a model can read.
    pub body: String,
    /// What we know about this refusal that the vendor does not explain, in order of writing.
    pub advice: Vec<String>,
    /// The vendor's limits by the answer's headers.
    pub rate_limit: RateLimit,
    /// The vendor's own id of the request.
    pub request_id: Option<String>,
}

/// A request that was sent, and whose effect is not known.
#[derive(Debug)]
pub struct UnknownOutcome {
    /// What happened.
    pub reason: String,
    /// How to find out.
    pub advice: Vec<String>,
}

impl From<String> for UnknownOutcome {
    fn from(reason: String) -> Self {
        Self { reason, advice: Vec::new() }
    }
}

/// A vendor's limits by the headers of one answer, in whichever spelling.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RateLimit {
    /// How many requests the vendor accepts in its window of time.
    pub limit: Option<u64>,
    /// How many of them are left.
    pub remaining: Option<u64>,
    /// Time until the window starts anew.
    pub reset: Option<Duration>,
    /// Time until the vendor accepts another request.
    pub retry_after: Option<Duration>,
    /// The vendor's name for the limit that was hit.
    pub reason: Option<String>,
}

impl RateLimit {
    /// Returns how long to wait before the next request, by whichever header states it.
    pub fn wait(&self) -> Option<Duration> {
        let spent = self.remaining.is_none_or(|remaining| remaining == 0);
        self.retry_after.or(self.reset.filter(|_| spent))
    }
}

/// A call that a limit would have delayed too long.
#[derive(Debug, Clone)]
pub struct Throttled {
    /// The limit.
    pub reason: String,
    /// Time until a call could be sent.
    pub retry_after: Duration,
}

impl fmt::Display for Throttled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = seconds(self.retry_after);
        write!(f, "{}; retry_after_seconds: {seconds}\nhint: call again in {seconds} s", self.reason)
    }
}

/// Returns a span in whole seconds, rounded up so that waiting for them is long enough.
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
        write_advice(f, &self.advice)
    }
}

impl fmt::Display for UnknownOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)?;
        write_advice(f, &self.advice)
    }
}

/// Writes advice as one line; the only place that joins it.
fn write_advice(f: &mut fmt::Formatter<'_>, advice: &[String]) -> fmt::Result {
    if advice.is_empty() { Ok(()) } else { write!(f, "\nhint: {}", advice.join("; ")) }
}

/// The stage at which a call ended, as results and records name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing reached the vendor.
    NotSent,
    /// The vendor answered and refused.
    Rejected,
    /// The request was sent, and its effect is not known.
    Unknown,
    /// The vendor answered with success.
    Answered,
}

impl Outcome {
    /// Returns its name in results, records and metrics.
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
            Self::NotSent(_) | Self::Throttled(_) | Self::Internal(_) => Outcome::NotSent,
            Self::Rejected(_) => Outcome::Rejected,
            Self::Unknown(_) | Self::WebPage(_) | Self::Cancelled => Outcome::Unknown,
        }
    }

    /// Returns how long to wait before calling again, if that is known.
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

/// A fault in flags, environment or files: the program ends with exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct ConfigError {
    message: String,
}

impl ConfigError {
    /// Makes the error; the message names what to change.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into() }
    }
}
