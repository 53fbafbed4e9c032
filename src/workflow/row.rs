//! What became of one call of a workflow → a row of the table that a reader gets.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::datum::Datum;
use crate::call::PlannedCall;
use crate::call::arguments::masked_by_name;
use crate::sanitize::{Rules, TextForm, marks};

/// The longest name of a value in a row, in characters.
const LONGEST_LABEL: usize = 120;

/// What became of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RowOutcome {
    /// The vendor answered with success.
    Done,
    /// It was so before, and nothing was sent.
    AlreadySo,
    /// The vendor answered and refused.
    Refused,
    /// It was sent, and its effect is not known.
    Unknown,
    /// Nothing reached the vendor.
    NotSent,
    /// A dry run: it would be sent.
    Planned,
    /// Its condition did not hold, or it was passed over.
    Skipped,
}

impl RowOutcome {
    /// The order in which a summary counts them.
    pub(super) const ALL: [Self; 7] =
        [Self::Done, Self::AlreadySo, Self::Refused, Self::Unknown, Self::NotSent, Self::Planned, Self::Skipped];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::AlreadySo => "already so",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
            Self::NotSent => "not sent",
            Self::Planned => "planned",
            Self::Skipped => "skipped",
        }
    }
}

/// What became of one call of a step.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) step: String,
    /// The value that it was for, where the step is repeated.
    pub(super) item: Option<Datum>,
    pub(super) outcome: RowOutcome,
    pub(super) why: Option<String>,
    /// Whether the step may change something.
    pub(super) changes: bool,
    /// What takes it back.
    pub(super) undo: Option<Undo>,
    /// What a dry run would send.
    pub(super) plan: Option<Plan>,
    /// Whether outsiders wrote a part of that.
    pub(super) outside: bool,
    pub(super) status: Option<u16>,
    pub(super) retry_after: Option<Duration>,
}

/// A call that takes another one back.
#[derive(Debug, Clone)]
pub(super) struct Undo {
    pub(super) tool: String,
    pub(super) arguments: Datum,
}

/// What a dry run would send.
#[derive(Debug, Clone)]
pub(super) enum Plan {
    /// The request.
    Request(Value),
    /// The arguments of a tool, of which some are not known yet.
    Arguments(String, Datum),
}

impl Row {
    pub(super) fn new(step: &str, outcome: RowOutcome, why: Option<String>) -> Self {
        Self {
            step: step.to_owned(),
            item: None,
            outcome,
            why,
            changes: false,
            undo: None,
            plan: None,
            outside: false,
            status: None,
            retry_after: None,
        }
    }

    pub(super) fn of_item(self, item: Datum) -> Self {
        Self { item: Some(item), ..self }
    }

    pub(super) fn planned(self, plan: &PlannedCall, outside: bool) -> Self {
        let mut plan = plan.clone();
        if outside {
            // It is shown as it is sent, but for what a client would make a link of.
            plan.request.body = plan.request.body.map(|body| Rules::default().text(&body, TextForm::Inert));
        }
        Self { outside, plan: serde_json::to_value(plan).ok().map(Plan::Request), ..self }
    }

    pub(super) fn with_arguments(self, tool: &str, arguments: Datum) -> Self {
        let why = "it takes what an earlier change answers with, which a dry run does not have: ⟨…⟩ is in its place";
        Self { plan: Some(Plan::Arguments(tool.to_owned(), arguments)), why: Some(why.to_owned()), ..self }
    }

    /// Whether a dry run knows the whole request.
    pub(super) fn is_request(&self) -> bool {
        matches!(self.plan, Some(Plan::Request(_)))
    }

    /// Whether the call did not lead to what was wanted.
    pub(super) fn is_failure(&self) -> bool {
        matches!(self.outcome, RowOutcome::Refused | RowOutcome::Unknown | RowOutcome::NotSent)
            || self.outcome == RowOutcome::Done && self.why.is_some()
    }

    /// Returns the row as it is shown.
    pub(super) fn shown(&self, untrusted: &mut Vec<String>) -> Value {
        let mut row = Map::new();
        if let Some(item) = &self.item {
            row.insert("item".to_owned(), label(item, untrusted));
        }
        row.insert("step".to_owned(), json!(self.step));
        row.insert("outcome".to_owned(), json!(self.outcome.as_str()));
        row.extend(self.why.as_ref().map(|why| ("why".to_owned(), json!(why))));
        match &self.plan {
            Some(Plan::Request(plan)) => {
                row.insert("would_send".to_owned(), plan.clone());
                if self.outside && !untrusted.iter().any(|name| name == "body") {
                    untrusted.push("body".to_owned());
                }
            }
            Some(Plan::Arguments(tool, arguments)) => {
                let arguments = arguments.shown("arguments", TextForm::Inert, untrusted);
                row.insert("would_call".to_owned(), json!({"tool": tool, "arguments": masked(arguments)}));
            }
            None => {}
        }
        Value::Object(row)
    }

    /// Returns the call that takes it back, as it is shown; `None` where there is nothing to take back.
    pub(super) fn undo_shown(&self, untrusted: &mut Vec<String>) -> Option<Value> {
        let undo = self.undo.as_ref().filter(|_| self.changes)?;
        let mut shown = Map::new();
        shown.insert("step".to_owned(), json!(self.step));
        if let Some(item) = &self.item {
            shown.insert("item".to_owned(), label(item, untrusted));
        }
        shown.insert("tool".to_owned(), json!(undo.tool));
        let arguments = undo.arguments.shown("arguments", TextForm::Inert, untrusted);
        shown.insert("arguments".to_owned(), masked(arguments));
        if self.outcome == RowOutcome::Unknown {
            shown.insert("only_if".to_owned(), json!("the step turns out to be done"));
        }
        Some(Value::Object(shown))
    }
}

/// The arguments of a call without secrets.
fn masked(arguments: Option<Value>) -> Value {
    match arguments {
        Some(Value::Object(arguments)) => Value::Object(masked_by_name(&arguments)),
        Some(other) => other,
        None => json!({}),
    }
}

/// The name of a value: a scalar as it is, of an object what names it.
fn label(item: &Datum, untrusted: &mut Vec<String>) -> Value {
    match item.shown("item", TextForm::Inert, untrusted) {
        Some(Value::String(text)) => Value::from(marks::truncated(&text, LONGEST_LABEL)),
        Some(value @ (Value::Number(_) | Value::Bool(_))) => value,
        Some(value) => Value::from(marks::truncated(&value.to_string(), LONGEST_LABEL)),
        None => Value::Null,
    }
}
