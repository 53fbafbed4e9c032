//! What a client declares → the way to the person who sits at it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// What a person is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// What would be sent, and what it does.
    pub message: String,
    /// What the person has to type, where the change can't be taken back.
    pub name: Option<String>,
}

/// What a person has answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Yes; with what was typed.
    Approved {
        /// The name, where one was asked for.
        typed: Option<String>,
    },
    /// No, or the form was closed.
    Declined,
    /// Nothing, in time.
    TimedOut,
    /// The client can't ask.
    Failed(String),
}

/// The answer that came with a later request, and the state by which it belongs to an earlier result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// The state, as the client returned it.
    pub state: String,
    /// The answer.
    pub answer: Answer,
}

/// Shows a form to the person at a client, and waits.
pub trait ClientForm: Send + Sync + fmt::Debug {
    /// Asks, and returns what was answered within a time.
    fn ask<'a>(&'a self, question: &'a Question, within: Duration)
    -> Pin<Box<dyn Future<Output = Answer> + Send + 'a>>;
}

/// The way to the person at a client.
#[derive(Debug, Clone)]
pub enum Channel {
    /// The client is asked while the call waits: versions before 2026-07-28.
    Elicitation(Arc<dyn ClientForm>),
    /// The call ends with the question; the client calls again with the answer: 2026-07-28.
    InputRequired(Option<Given>),
}

impl Channel {
    /// Its name in rows and records.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Elicitation(_) => "elicitation",
            Self::InputRequired(_) => "input required",
        }
    }
}
