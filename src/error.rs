//! How one call can fail, by stage: whether anything was sent, and whether the vendor answered.
//! Code branches on these stages and never on an error's text. A text is written for its reader: a
//! model can call and ask, a person can set flags and variables.

use std::fmt;
use std::time::Duration;

/// Who reads a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// A model. It knows no flags, variables and commands; it can ask the server's administrator.
    Model,
    /// A person at the command line.
    Person,
    /// The same person, reading what `toolwright doctor` reports.
    Doctor,
}

/// A next step, by who can take it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Advice {
    /// For the caller.
    Caller(String),
    /// For the person who configures the program.
    Operator(String),
    /// For the same person: `toolwright doctor`.
    Doctor,
}

impl From<String> for Advice {
    fn from(text: String) -> Self {
        Self::Caller(text)
    }
}

/// Why a call did not end in an answer with a 2xx status.
#[derive(Debug)]
#[non_exhaustive]
pub enum CallError {
    /// Nothing reached the vendor.
    NotSent(String),
    /// The vendor answered and refused.
    Rejected(Box<Rejection>),
    /// A rate limit would have delayed it longer than a call may wait; nothing reached the vendor.
    Throttled(Box<Throttled>),
    /// The request was sent, and its effect is not known.
    Unknown(UnknownOutcome),
    /// The vendor's address answered with a web page, mostly a login page; the effect of the call
    /// is not known.
    WebPage(u16),
    /// The vendor answered with success, and the answer is not what its description states.
    Broken(Box<BrokenAnswer>),
    /// The caller cancelled; the request was dropped at whatever stage it was.
    Cancelled,
    /// Generated code and catalog contradict each other; nothing reached the vendor.
    Internal(String),
}

/// As a model reads it.
impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(Audience::Model))
    }
}

impl std::error::Error for CallError {}

impl CallError {
    /// Returns what happened and what its reader can do.
    pub fn text(&self, audience: Audience) -> String {
        match self {
            Self::NotSent(reason) => format!("not sent: {reason}"),
            Self::Rejected(rejection) => rejection.text(audience),
            Self::Throttled(throttled) => format!("not sent: {throttled}"),
            Self::Unknown(unknown) => {
                format!("unknown outcome: {}{}", unknown.reason, hints(&unknown.advice, audience))
            }
            Self::WebPage(status) => {
                let address = "the configured address leads to a website or a login page";
                let advice = [Advice::Operator(address.to_owned()), Advice::Doctor];
                let hints = hints(&advice, audience);
                format!("the vendor answered {status} with an HTML page where data was expected{hints}")
            }
            Self::Broken(broken) => {
                let hints = hints(&broken.advice, audience);
                format!("the vendor answered {}, but its answer {}{hints}", broken.status, broken.reason)
            }
            Self::Cancelled => "cancelled by the caller".to_owned(),
            Self::Internal(reason) => format!("{reason}; this is a fault of toolwright"),
        }
    }
}

/// What precedes the body of a vendor's refusal: it may quote what outsiders wrote.
const UNTRUSTED_BODY: &str = "(its words, untrusted)";

/// What stands for the body of an answer that is a web page.
pub const WEB_PAGE: &str = "(an HTML page)";

/// An answer that is no success.
#[derive(Debug)]
pub struct Rejection {
    /// The HTTP status.
    pub status: u16,
    /// The body as text, cut to a length that a model can read.
    pub body: String,
    /// What we know about this refusal that the vendor does not explain, in order of writing.
    pub advice: Vec<Advice>,
    /// The vendor's limits by the answer's headers.
    pub rate_limit: RateLimit,
    /// The vendor's own id of the request.
    pub request_id: Option<String>,
}

/// An answer with a 2xx status that can't be read.
#[derive(Debug)]
pub struct BrokenAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The vendor's own id of the request.
    pub request_id: Option<String>,
    /// What is wrong with it; completes a sentence that begins with "the answer".
    pub reason: String,
    /// What to do.
    pub advice: Vec<Advice>,
}

/// A request that was sent, and whose effect is not known.
#[derive(Debug)]
pub struct UnknownOutcome {
    /// What happened.
    pub reason: String,
    /// How to find out.
    pub advice: Vec<Advice>,
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

impl Rejection {
    /// Returns whether the answer is none of the vendor's interface: a web page, or nothing at all.
    pub fn is_no_data(&self) -> bool {
        matches!(self.body.trim(), "" | WEB_PAGE)
    }

    fn text(&self, audience: Audience) -> String {
        let reason = reqwest::StatusCode::from_u16(self.status).ok().and_then(|status| status.canonical_reason());
        let reason = reason.map(|reason| format!(" {reason}")).unwrap_or_default();
        let body = match self.body.trim() {
            "" => " with an empty body".to_owned(),
            WEB_PAGE => format!(": {WEB_PAGE}"),
            // On one line: none of its own passes for a hint of ours.
            body => format!(" {UNTRUSTED_BODY}: {}", body.replace(char::is_control, " ")),
        };
        format!("rejected: the vendor answered {}{reason}{body}{}", self.status, hints(&self.advice, audience))
    }
}

/// Writes advice for its reader; the only place that joins it. What a model can't do itself, it is
/// told to pass on.
fn hints(advice: &[Advice], audience: Audience) -> String {
    let mut own: Vec<&str> = Vec::new();
    let mut passed_on: Vec<&str> = Vec::new();
    for one in advice {
        match (one, audience) {
            (Advice::Caller(text), _) | (Advice::Operator(text), Audience::Person | Audience::Doctor) => own.push(text),
            (Advice::Operator(text), Audience::Model) => passed_on.push(text),
            (Advice::Doctor, Audience::Person) => own.push("`toolwright doctor` shows what is configured"),
            (Advice::Doctor, Audience::Model) => passed_on.push("`toolwright doctor` shows what is configured"),
            (Advice::Doctor, Audience::Doctor) => {}
        }
    }
    let line = |label: &str, texts: &[&str]| match texts {
        [] => String::new(),
        texts => format!("\n{label}: {}", texts.join("; ")),
    };
    line("hint", &own) + &line("for the server's administrator", &passed_on)
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
    /// Of the calls of a workflow some were made, and none is unknown.
    Partial,
}

impl Outcome {
    /// Returns its name in results, records and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotSent => "not_sent",
            Self::Rejected => "rejected",
            Self::Unknown => "unknown",
            Self::Answered => "answered",
            Self::Partial => "partial",
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
            Self::Broken(_) => Outcome::Answered,
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
            Self::Broken(broken) => Some(broken.status),
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
