//! One difference between two descriptions: what, where, and what stood there before and after.

use std::fmt;

use serde::Serialize;

use super::hits::Hits;
use super::kind::{Kind, Severity};

/// An operation as reports name it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub(crate) struct OperationName {
    /// Upper-case HTTP method.
    pub method: String,
    pub path: String,
    /// Its `operationId`; empty where it has none.
    pub id: String,
}

impl fmt::Display for OperationName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)?;
        if self.id.is_empty() { Ok(()) } else { write!(f, " ({})", self.id) }
    }
}

/// The part of an operation that a change is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Place {
    /// The description, or the operation as a whole.
    Whole,
    /// A parameter: `path`, `query` or `header`, its name, and the way inside of its value.
    Parameter { location: String, name: String, inside: String },
    /// The request body, and the way inside of it: `fields[].name`.
    Body { inside: String },
    /// An answer by its status, and the way inside of it.
    Answer { status: String, inside: String },
    /// A header of an answer.
    AnswerHeader { status: String, name: String },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joint = |inside: &str| if inside.is_empty() || inside.starts_with('[') { "" } else { "." };
        match self {
            Self::Whole => Ok(()),
            Self::Parameter { location, name, inside } => write!(f, "{location} {name}{}{inside}", joint(inside)),
            Self::Body { inside } if inside.is_empty() => f.write_str("body"),
            Self::Body { inside } => write!(f, "body {inside}"),
            Self::Answer { status, inside } if inside.is_empty() => write!(f, "answer {status}"),
            Self::Answer { status, inside } => write!(f, "answer {status} {inside}"),
            Self::AnswerHeader { status, name } => write!(f, "answer {status} header {name}"),
        }
    }
}

impl Serialize for Place {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// One change of one operation, or of the description as a whole.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Change {
    pub kind: Kind,
    pub severity: Severity,
    /// As our description names it; as the new one does where it is new; `None`: the whole description.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<OperationName>,
    /// Its place in the request or the answer; empty for the operation as a whole.
    pub place: Place,
    /// What is changed, where several operations share it: `UserDTO.timeZone`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shared: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// What it means for a call.
    pub means: &'static str,
    /// What to do about it.
    pub next: String,
    /// What of ours it hits.
    pub hits: Hits,
}

impl Change {
    pub(crate) fn new(kind: Kind, operation: Option<&OperationName>, place: Place) -> Self {
        Self {
            kind,
            severity: kind.severity(),
            operation: operation.cloned(),
            place,
            shared: None,
            before: None,
            after: None,
            means: kind.means(),
            next: kind.next().to_owned(),
            hits: Hits::default(),
        }
    }

    /// Adds what stood there before and what does now.
    #[must_use]
    pub(crate) fn values(mut self, before: Option<String>, after: Option<String>) -> Self {
        self.before = before;
        self.after = after;
        self
    }

    /// What reports put together: the same change of something that several operations share.
    pub(crate) fn group(&self) -> (Kind, String, Option<&str>, Option<&str>) {
        let what = match &self.shared {
            Some(shared) => shared.clone(),
            None => match &self.operation {
                Some(operation) => format!("{operation} {}", self.place),
                None => self.place.to_string(),
            },
        };
        (self.kind, what, self.before.as_deref(), self.after.as_deref())
    }
}
