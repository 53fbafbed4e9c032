//! What is stored of an approval → what a person reads of it, entry by entry. Texts in it may be outsiders': they are shown as text,
//! and characters that nobody sees are written out, for a person decides by what is seen.

use std::fmt::Write as _;

use serde_json::Value;

use crate::approval::plan_of;
use crate::sanitize::is_invisible;
use crate::store::StoredApproval;

/// Entries that have a place of their own on the page.
const PLACED: [&str; 6] = ["does", "effect", "risks", "because", "text from", "name"];
/// Entries that are read as they are sent.
const EXACT: [&str; 3] = ["request", "body", "arguments"];

/// What is shown of an approval.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct PlanView {
    /// What it does, in a title.
    pub(super) does: String,
    pub(super) effect: String,
    pub(super) risks: Vec<String>,
    /// Why a person has to approve it.
    pub(super) because: String,
    /// Where texts in it were read that outsiders wrote.
    pub(super) sources: Vec<String>,
    /// What it touches and by which account, in the order of the plan.
    pub(super) facts: Vec<(String, Vec<String>)>,
    /// What would be sent: each with its title.
    pub(super) sent: Vec<(String, String)>,
}

impl PlanView {
    pub(super) fn of(approval: &StoredApproval) -> Self {
        let Value::Object(plan) = plan_of(approval) else { return Self::default() };
        let line = |name: &str| plan.get(name).map(text).unwrap_or_default();
        let lines = |name: &str| plan.get(name).map(lines).unwrap_or_default();
        let mut view = Self {
            does: line("does"),
            effect: line("effect"),
            risks: lines("risks"),
            because: line("because"),
            sources: lines("text from"),
            ..Self::default()
        };
        for (name, value) in plan.iter().filter(|(name, _)| !PLACED.contains(&name.as_str())) {
            let title = title(name);
            if EXACT.contains(&name.as_str()) || has_parts(value) {
                view.sent.push((title, block(value)));
            } else {
                view.facts.push((title, self::lines(value)));
            }
        }
        view
    }
}

/// Whether a value is more than lines.
fn has_parts(value: &Value) -> bool {
    match value {
        Value::Object(_) => true,
        Value::Array(items) => items.iter().any(|item| item.is_object() || item.is_array()),
        _ => false,
    }
}

/// The name of an entry, as a title.
fn title(name: &str) -> String {
    let name = visible(name);
    let mut rest = name.chars();
    rest.next().map_or_else(String::new, |first| first.to_uppercase().chain(rest).collect())
}

fn lines(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().map(text).collect(),
        one => vec![text(one)],
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => visible(text),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        other => visible(&other.to_string()),
    }
}

/// A value over several lines: JSON indented, also where it is in a text, as the body of a request is.
fn block(value: &Value) -> String {
    let indented = |value: &Value| serde_json::to_string_pretty(value).unwrap_or_default();
    match value {
        Value::String(text) => match serde_json::from_str::<Value>(text) {
            Ok(inner @ (Value::Object(_) | Value::Array(_))) => visible(&indented(&inner)),
            _ => visible(text),
        },
        other => visible(&indented(other)),
    }
}

/// A text whose every character is seen.
pub(super) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_invisible(c) {
            // Writing to a string can't fail.
            let _ = write!(shown, "⟨U+{:04X}⟩", u32::from(c));
        } else {
            shown.push(c);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use serde_json::json;

    use super::*;
    use crate::store::{ApprovalKind, ApprovalState};

    fn approval(plan: &Value) -> StoredApproval {
        let now = SystemTime::now();
        StoredApproval {
            id: "a".to_owned(),
            kind: ApprovalKind::Change,
            state: ApprovalState::Pending,
            channel: "command line".to_owned(),
            caller: "local".to_owned(),
            caller_name: "local".to_owned(),
            client: None,
            not_by: String::new(),
            tool: "t".to_owned(),
            key: String::new(),
            digest: String::new(),
            plan: plan.to_string(),
            asked: now,
            ends: now,
            decided: None,
            decided_by: None,
            reason: None,
            scope: None,
            claimed: None,
            outcome: None,
        }
    }

    #[test]
    fn a_plan_is_shown_whole_and_nothing_in_it_is_unseen() {
        let plan = json!({
            "does": "Delete a ticket", "effect": "destructive", "risks": ["irreversible"], "account": "acme",
            "text from": ["ticket 7"], "target": ["ticketId: 7 is 7 (Printer)"], "request": "POST https://x/delete?id=7",
            "body": "{\"a\":\"x\u{202e}y\"}", "steps": [{"tool": "t"}], "because": "it is destructive", "name": "7"
        });
        let view = PlanView::of(&approval(&plan));
        let facts = [("Account", "acme"), ("Target", "ticketId: 7 is 7 (Printer)")];
        assert_eq!(view.facts, facts.map(|(title, line)| (title.to_owned(), vec![line.to_owned()])));
        let titles: Vec<&str> = view.sent.iter().map(|(title, _)| title.as_str()).collect();
        assert_eq!(titles, ["Request", "Body", "Steps"]);
        assert_eq!(view.sent[1].1, "{\n  \"a\": \"x⟨U+202E⟩y\"\n}");
        assert_eq!(
            (view.sources.as_slice(), view.because.as_str()),
            (&["ticket 7".to_owned()][..], "it is destructive")
        );
        assert_eq!(PlanView::of(&approval(&json!(7))), PlanView::default());
    }
}
