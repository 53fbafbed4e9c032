//! One thing wrong with one argument, in words a model can act on. Made by [`super::arguments`] before anything is sent.

use std::fmt;

use serde::Serialize;

/// In which way an argument is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ProblemKind {
    /// A required argument was not given.
    Missing,
    /// No argument has this name.
    Unknown,
    /// The value does not fit.
    Invalid,
}

/// One thing wrong with one argument.
///
/// Values of secret arguments never get in here: `given` shows them as `***`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ArgumentProblem {
    /// In which way it is wrong.
    pub kind: ProblemKind,
    /// Path such as `fields[0].name`; empty for the arguments as a whole.
    pub argument: String,
    /// JSON text of what was given, cut to about 80 characters; empty where nothing was given.
    pub given: String,
    /// What would have been accepted: `an integer from 1 to 100`.
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
