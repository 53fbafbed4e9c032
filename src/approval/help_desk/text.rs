//! An approval that waits → the subject and the text of its ticket. The plan is shown as it is stored, without secrets, and
//! nothing in it is anything but text: no markup, no link, no line that passes for one of ours.

use serde_json::Value;

use crate::access::links::time_text;
use crate::sanitize;
use crate::store::StoredApproval;
use toolwright_model::{Markup, truncate};

/// The longest subject, and the longest text before it is written in markup, in characters. Help desks take about 32,000.
const LONGEST_SUBJECT: usize = 180;
const LONGEST_TEXT: usize = 14_000;
/// What a line of a plan begins with that is not its first: no text in it begins a line of ours.
const CONTINUED: &str = "\n    | ";

/// The subject of a ticket: one line.
pub(super) fn subject(approval: &StoredApproval) -> String {
    let plan = plan(approval);
    let does = plan["does"].as_str().unwrap_or(&approval.tool);
    let name = plan["name"].as_str().map(|name| format!(": {name}")).unwrap_or_default();
    let text = format!("Approval {}: {does}{name} ({})", approval.id, approval.tool);
    let line = sanitize::name(&text).replace(|c: char| c.is_control(), " ");
    truncate(&line, LONGEST_SUBJECT).into_owned()
}

/// The text of a ticket in a vendor's notation; `None` where it is too long to show an agent all that would be sent.
pub(super) fn text(approval: &StoredApproval, markup: Markup) -> Option<String> {
    let mut lines = vec![
        format!("Toolwright asks for approval {}.", approval.id),
        "Approve or decline it by this ticket's own approval or status. What is written here decides nothing."
            .to_owned(),
        String::new(),
        entry("tool", &approval.tool),
        entry("caller", &approval.caller_name),
    ];
    lines.extend(approval.client.as_ref().map(|client| entry("client", client)));
    if let Value::Object(plan) = plan(approval) {
        lines.extend(plan.iter().map(|(name, value)| entry(name, &shown(value))));
    }
    lines.push(entry("ends", &time_text(approval.ends)));
    lines.push(entry("digest", &approval.digest));
    let text = lines.join("\n");
    (text.chars().count() <= LONGEST_TEXT).then(|| inert(&text, markup))
}

fn plan(approval: &StoredApproval) -> Value {
    serde_json::from_str(&approval.plan).unwrap_or_default()
}

/// One line, or one with lines below it that are marked as its own.
fn entry(name: &str, value: &str) -> String {
    let value = sanitize::name(value).replace("\r\n", "\n").replace(['\r', '\u{2028}', '\u{2029}', '\u{85}'], "\n");
    format!("{name}: {}", value.replace('\n', CONTINUED))
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(shown).collect::<Vec<_>>().join("; "),
        other => other.to_string(),
    }
}

/// A text that a vendor shows as it is.
pub(super) fn inert(text: &str, markup: Markup) -> String {
    match markup {
        // Ends only where its own mark comes again.
        Markup::Wiki => {
            let mut inner = text.to_owned();
            for mark in ["noformat", "code"] {
                inner = without_mark(&inner, mark);
            }
            format!("{{noformat}}\n{inner}\n{{noformat}}")
        }
        Markup::Html => {
            let mut html = String::with_capacity(text.len() + 20);
            html.push_str("<pre>");
            for c in text.chars() {
                match c {
                    '&' => html.push_str("&amp;"),
                    '<' => html.push_str("&lt;"),
                    '>' => html.push_str("&gt;"),
                    '"' => html.push_str("&quot;"),
                    '\'' => html.push_str("&#39;"),
                    c => html.push(c),
                }
            }
            html.push_str("</pre>");
            html
        }
    }
}

/// The text with a space in each `{mark`, in whatever letters.
fn without_mark(text: &str, mark: &str) -> String {
    let (lower, open) = (text.to_ascii_lowercase(), format!("{{{mark}"));
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    while let Some(found) = lower.get(from..).and_then(|rest| rest.find(&open)) {
        let at = from + found + 1;
        out.push_str(&text[from..at]);
        out.push(' ');
        from = at;
    }
    out.push_str(&text[from..]);
    out
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use serde_json::json;

    use super::*;
    use crate::store::{ApprovalKind, ApprovalState};

    fn approval(body: &str) -> StoredApproval {
        let plan =
            json!({"does": "Reply", "request": "POST /api/comment", "body": body, "because": "it changes something"});
        StoredApproval {
            id: "k3Jx09QmTa".to_owned(),
            kind: ApprovalKind::Change,
            state: ApprovalState::Pending,
            channel: "help desk".to_owned(),
            caller: "local".to_owned(),
            caller_name: "local".to_owned(),
            client: Some("desk\n1".to_owned()),
            not_by: String::new(),
            tool: "jitbit_reply".to_owned(),
            key: "secret-key".to_owned(),
            digest: "0abc".to_owned(),
            plan: plan.to_string(),
            asked: SystemTime::UNIX_EPOCH,
            ends: SystemTime::UNIX_EPOCH,
            decided: None,
            decided_by: None,
            reason: None,
            scope: None,
            claimed: None,
            outcome: None,
        }
    }

    #[test]
    fn a_plan_is_text_and_nothing_else() {
        let body =
            "x\r\ndigest: forged\n{NoFormat}*bold* [~accountid:5b] {code}</pre><script>alert(1)</script>\u{202e}";
        let wiki = text(&approval(body), Markup::Wiki).unwrap();
        assert_eq!(wiki.to_lowercase().matches("{noformat}").count(), 2, "{wiki}");
        assert!(!wiki.contains("\ndigest: forged") && wiki.contains("| digest: forged"), "{wiki}");
        assert!(!wiki.contains("secret-key") && !wiki.contains('\u{202e}'), "{wiki}");
        let html = text(&approval(body), Markup::Html).unwrap();
        assert!(html.starts_with("<pre>") && html.ends_with("</pre>"), "{html}");
        assert_eq!(html.matches('<').count(), 2, "{html}");
        assert!(!subject(&approval("x")).contains('\n'));
        assert!(text(&approval(&"x".repeat(LONGEST_TEXT)), Markup::Html).is_none(), "what can't be shown whole");
    }
}
