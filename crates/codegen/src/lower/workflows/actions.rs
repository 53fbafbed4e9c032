//! `onSuccess` and `onFailure` → what follows a step.

use super::criteria;
use super::scope::{Scope, near_or_all};
use crate::read::located::Located;
use toolwright_model::workflow::{Action, Retry, Then};

/// The longest that a step waits before it is run again, in seconds.
const LONGEST_WAIT: f64 = 300.0;
/// The most often that a step is run again.
const MOST_RETRIES: u64 = 10;

/// Reads the actions of a step, and those that the workflow states for all steps; `None` where one is wrong.
pub(super) fn read(
    scope: &Scope<'_>,
    own: Option<&Located<'_>>,
    of_all: Option<&Located<'_>>,
    on_failure: bool,
) -> Option<Vec<Action>> {
    let mut actions: Vec<Action> = Vec::new();
    let mut is_right = true;
    let own = own.map(Located::items).unwrap_or_default();
    let own_count = own.len();
    for (index, at) in own.into_iter().chain(of_all.map(Located::items).unwrap_or_default()).enumerate() {
        let Some(action) = read_action(scope, &at, on_failure) else {
            is_right = false;
            continue;
        };
        match actions.iter().any(|other| other.name == action.name) {
            // A step's own action counts more than that of the workflow.
            true if index >= own_count => {}
            true => {
                at.report("a name of its own for each action", format!("`{}` twice", action.name), None);
                is_right = false;
            }
            false => actions.push(action),
        }
    }
    is_right.then_some(actions)
}

fn read_action(scope: &Scope<'_>, at: &Located<'_>, on_failure: bool) -> Option<Action> {
    at.object()?;
    if let Some(reference) = at.get("reference") {
        reference.wrong_with_hint("the action itself", "state it where it is used");
        return None;
    }
    at.only(&["name", "type", "stepId", "workflowId", "retryAfter", "retryLimit", "criteria"]);
    let name = at.required("name", "a name")?.text()?.to_owned();
    let kinds = if on_failure { "`end`, `goto` or `retry`" } else { "`end` or `goto`" };
    let kind = at.required("type", kinds)?;
    if let Some(other) = at.get("workflowId") {
        other.wrong_with_hint("`stepId`", "a workflow leads to its own steps only");
        return None;
    }
    let criteria = criteria::read_all(scope, at.get("criteria").as_ref())?;
    let step = match at.get("stepId") {
        Some(step) => Some(read_step(scope, &step)?),
        None => None,
    };
    let then = match kind.value.as_str() {
        Some("end") => Then::End,
        Some("goto") => {
            let Some(step) = step else {
                at.report("`stepId`: the step that is next", "nothing".to_owned(), None);
                return None;
            };
            return Some(Action { name, criteria, then: Then::Goto(step) });
        }
        Some("retry") if on_failure => {
            return Some(Action { name, criteria, then: Then::Retry(read_retry(at, step)?) });
        }
        Some("retry") => {
            kind.wrong_with_hint(kinds, "what succeeded is not run again");
            return None;
        }
        _ => {
            kind.wrong(kinds);
            return None;
        }
    };
    if let Some(step) = at.get("stepId") {
        step.wrong_with_hint("no `stepId`", "the workflow ends here");
        return None;
    }
    for key in ["retryAfter", "retryLimit"] {
        if let Some(retry) = at.get(key) {
            retry.wrong_with_hint(format!("no `{key}`"), "it belongs to the type `retry`");
            return None;
        }
    }
    Some(Action { name, criteria, then })
}

fn read_step(scope: &Scope<'_>, at: &Located<'_>) -> Option<String> {
    let id = at.text()?;
    if !scope.ids.iter().any(|known| known == id) {
        at.report(
            "the `stepId` of a step of the workflow",
            format!("`{id}`"),
            near_or_all(id, scope.ids.iter().map(String::as_str)),
        );
        return None;
    }
    Some(id.to_owned())
}

fn read_retry(at: &Located<'_>, step: Option<String>) -> Option<Retry> {
    let after_ms = match at.get("retryAfter") {
        None => 0,
        Some(after) => match after.value.as_f64().filter(|seconds| (0.0..=LONGEST_WAIT).contains(seconds)) {
            // At most 300,000.
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the number is within bounds")]
            Some(seconds) => (seconds * 1_000.0).round() as u64,
            None => {
                after.wrong(format!("seconds, 0 to {LONGEST_WAIT}"));
                return None;
            }
        },
    };
    let limit = match at.get("retryLimit") {
        None => 1,
        Some(limit) => match limit.value.as_u64().filter(|limit| (1..=MOST_RETRIES).contains(limit)) {
            Some(limit) => u32::try_from(limit).ok()?,
            None => {
                limit.wrong(format!("how often at most, 1 to {MOST_RETRIES}"));
                return None;
            }
        },
    };
    Some(Retry { after_ms, limit, step })
}
