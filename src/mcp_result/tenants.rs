//! What a call gave for each of several tenants → one result that is keyed by their names: each answer in its own envelope,
//! cut where all together are too long, and with a cursor that leads back to its tenant.

use std::fmt::Write as _;

use rmcp::model::{CallToolResult, ContentBlock};
use serde_json::{Map, Value, json};

use super::size::{self, Bound, ReplyWindow};
use super::{OUTCOME, error, failure_text};
use crate::call::{CallResult, Envelope, Failure, Reply, ReplyOffset, Tenant, TenantResults};
use crate::error::{Audience, Outcome};
use toolwright_model::media_type;

/// What the result has beside the answers, in bytes, at most.
const RESERVED: usize = 2_000;

/// An answer before it is known how much room it has.
enum Part<'r> {
    /// A text of JSON that stays as it is.
    Whole(String),
    /// The vendor's answer, which can be cut.
    Reply(&'r Reply, Envelope),
}

/// Builds the result.
pub(super) fn result(several: &TenantResults) -> CallToolResult {
    let parts: Vec<(&Tenant, Part<'_>)> =
        several.results.iter().map(|(tenant, result)| (tenant, part(tenant, result))).collect();
    let costs = parts.iter().map(|(_, part)| Bound::RESULT.cost(&part.whole())).collect();
    let share = share(costs, Bound::RESULT.less(RESERVED).bytes());
    let mut entries = String::new();
    for (tenant, part) in &parts {
        let comma = if entries.is_empty() { "" } else { "," };
        let name = Value::from(name_of(tenant, several)).to_string();
        let _ = write!(entries, "{comma}{name}:{}", part.shown(tenant, share));
    }
    let mut body = format!("{{{}:{{{entries}}}", json!(several.argument));
    if !several.notes.is_empty() {
        let _ = write!(body, ",\"notes\":{}", json!(several.notes));
    }
    body.push('}');
    match first_failure(several) {
        Some(outcome) => error(body, &json!({OUTCOME: outcome.as_str()})),
        None => CallToolResult::success(vec![ContentBlock::text(body)]),
    }
}

/// How the first call failed, where none succeeded.
fn first_failure(several: &TenantResults) -> Option<Outcome> {
    let failed = |result: &Result<CallResult, Failure>| match result {
        Err(failure) => Some(failure.outcome()),
        Ok(CallResult::Report(report)) if !report.is_plan => Some(report.outcome),
        Ok(_) => None,
    };
    let outcomes: Option<Vec<Outcome>> = several.results.iter().map(|(_, result)| failed(result)).collect();
    outcomes?.first().copied()
}

/// Its name; with the id where another one has the same.
fn name_of(tenant: &Tenant, several: &TenantResults) -> String {
    let same = several.results.iter().filter(|(other, _)| other.name == tenant.name).count();
    if same > 1 { format!("{} ({})", tenant.name, tenant.id) } else { tenant.name.clone() }
}

fn part<'r>(tenant: &Tenant, result: &'r Result<CallResult, Failure>) -> Part<'r> {
    match result {
        Ok(CallResult::Reply(reply)) if is_json(reply) => {
            let mut envelope = reply.envelope();
            if let Some(page) = &mut envelope.page {
                page.next_cursor = page.next_cursor.as_ref().map(|cursor| tenant.cursor(cursor));
            }
            Part::Reply(reply, envelope)
        }
        Ok(CallResult::Reply(reply)) if reply.body.is_empty() => Part::Whole(
            json!({"notes": [format!("the vendor answered {} with an empty body", reply.status)]}).to_string(),
        ),
        Ok(CallResult::Reply(_)) => {
            Part::Whole(json!({"error": "the answer is a file, which only a call for one shows"}).to_string())
        }
        Ok(CallResult::Plan(plan)) => {
            let mut shown = Map::from_iter([("dry_run".to_owned(), json!(true)), ("sent".to_owned(), json!(false))]);
            if let Ok(Value::Object(plan)) = serde_json::to_value(plan) {
                shown.extend(plan);
            }
            Part::Whole(Value::Object(shown).to_string())
        }
        Ok(CallResult::Report(report)) => {
            let (untrusted, notes) = (report.untrusted.clone(), report.notes.clone());
            Part::Whole(Envelope { untrusted, notes, ..Envelope::default() }.wrap(&report.body))
        }
        Ok(CallResult::Tenants(_)) => {
            Part::Whole(json!({"error": "a call within a call; a fault of toolwright"}).to_string())
        }
        Err(failure) => {
            let (text, outcome) = (failure_text(failure, Audience::Model), failure.outcome().as_str());
            Part::Whole(json!({"error": text, "outcome": outcome}).to_string())
        }
    }
}

fn is_json(reply: &Reply) -> bool {
    let kind = media_type::essence(reply.content_type.as_deref().unwrap_or("application/json"));
    reply.parts.is_empty() && !reply.body.is_empty() && (kind == "application/json" || media_type::is_json(&kind))
}

impl Part<'_> {
    fn whole(&self) -> String {
        match self {
            Self::Whole(text) => text.clone(),
            Self::Reply(reply, envelope) => envelope.wrap(&String::from_utf8_lossy(&reply.body)),
        }
    }

    /// What is shown of it within a share of the result.
    fn shown(&self, tenant: &Tenant, share: usize) -> String {
        let whole = self.whole();
        let is_begin = matches!(self, Self::Reply(reply, _) if reply.from == ReplyOffset::default());
        if Bound::RESULT.cost(&whole) <= share && (is_begin || matches!(self, Self::Whole(_))) {
            return object(whole);
        }
        let bound = Bound::RESULT.of_bytes(share);
        match self {
            Self::Reply(reply, envelope) if bound.has_room() => {
                let cursor = |offset| reply.cursor_to(offset).map(|cursor| tenant.cursor(&cursor));
                let cursor: Option<&dyn Fn(ReplyOffset) -> Option<String>> =
                    if reply.has_cursor() { Some(&cursor) } else { None };
                let text = String::from_utf8_lossy(&reply.body);
                object(size::bounded(&text, &ReplyWindow { envelope, bound, from: reply.from, cursor }))
            }
            _ => {
                let kilobytes = whole.len() / 1_000;
                let note =
                    format!("left out: {kilobytes} KB, too much beside the others; name it alone, or state `fields`");
                json!({"notes": [note]}).to_string()
            }
        }
    }
}

/// A text of JSON that is an object, as each entry is.
fn object(text: String) -> String {
    if text.trim_start().starts_with('{') { text } else { format!("{{\"answer\":{text}}}") }
}

/// The largest share by which all costs together stay within `room`, where what costs less leaves its rest to the others.
fn share(mut costs: Vec<usize>, room: usize) -> usize {
    costs.sort_unstable();
    let (mut left, mut count) = (room, costs.len());
    for cost in costs {
        let fair = left / count.max(1);
        if cost > fair {
            return fair;
        }
        left -= cost;
        count -= 1;
    }
    room
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_short_leaves_its_room_to_the_others() {
        for (costs, room, expected) in
            [(vec![], 10, 10), (vec![3, 4], 10, 10), (vec![2, 9, 9], 10, 4), (vec![9, 9], 10, 5), (vec![20], 10, 10)]
        {
            assert_eq!(share(costs.clone(), room), expected, "{costs:?}");
        }
    }
}
