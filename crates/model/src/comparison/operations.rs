//! The operations of a tool before and after → what differs of the requests.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::change::{Change, ChangeKind};
use super::facts::{BindingFacts, CallFacts, ToolFacts};
use super::tool::keys_that_differ;

/// Returns whether both tools call the same operations.
pub(super) fn are_same(old: &ToolFacts, new: &ToolFacts) -> bool {
    let all =
        |a: &ToolFacts, b: &ToolFacts| a.calls.iter().all(|one| b.calls.iter().any(|it| it.is_same_operation(one)));
    !old.calls.is_empty() && old.vendor == new.vendor && all(old, new) && all(new, old)
        // Presets are several tools over one operation.
        && fixed(old) == fixed(new)
}

fn fixed(tool: &ToolFacts) -> Vec<Option<&Value>> {
    tool.calls.iter().map(|call| call.more.get("fixed")).collect()
}

/// Returns whether an operation is left of those that the tool called.
pub(super) fn share_one(old: &ToolFacts, new: &ToolFacts) -> bool {
    old.calls.is_empty() || old.calls.iter().any(|one| new.calls.iter().any(|it| it.is_same_operation(one)))
}

/// Adds what differs of the requests; returns the arguments that have another name, old → new.
pub(super) fn compare(
    old: &ToolFacts,
    new: &ToolFacts,
    states_returns: bool,
    add: &mut impl FnMut(Change),
) -> BTreeMap<String, String> {
    let mut renamed = BTreeMap::new();
    let mut met = vec![false; new.calls.len()];
    let change = |kind, text: String| Change::of(&old.name, kind, text);
    for call in &old.calls {
        let same = |other: &CallFacts| other.is_same_operation(call);
        // Where several calls are of one operation, the condition tells them apart.
        let exact = new.calls.iter().position(|other| same(other) && other.when == call.when);
        let Some(index) = exact.or_else(|| new.calls.iter().position(same)) else {
            if share_one(old, new) {
                let text = format!("{} {} is no longer called", call.method, call.path);
                add(change(ChangeKind::OperationChanged, text));
            }
            continue;
        };
        met[index] = true;
        let found = &new.calls[index];
        if call.returns != found.returns {
            let kind = if states_returns { ChangeKind::AnswerChanged } else { ChangeKind::Words };
            let returns = [call, found].map(|call| shown(call.returns.as_ref()));
            add(change(kind, format!("`returns`: {} → {}", returns[0], returns[1])));
        }
        compare_calls(&old.name, call, found, &mut renamed, add);
    }
    for call in new.calls.iter().zip(&met).filter(|(_, met)| !**met).map(|(call, _)| call) {
        if share_one(old, new) {
            add(change(ChangeKind::RequestChanged, format!("may also call {} {}", call.method, call.path)));
        }
    }
    renamed
}

fn compare_calls(
    tool: &str,
    old: &CallFacts,
    new: &CallFacts,
    renamed: &mut BTreeMap<String, String>,
    add: &mut impl FnMut(Change),
) {
    let change = |kind, text: String| Change::of(tool, kind, text);
    if !old.is_same_request(new) {
        let text = format!("moved: {} {} → {} {}", old.method, old.path, new.method, new.path);
        add(change(ChangeKind::RequestChanged, text));
    } else if (&old.api, &old.operation) != (&new.api, &new.operation) {
        let text = format!("`{}` of {} is called `{}` of {}", old.operation, old.api, new.operation, new.api);
        add(change(ChangeKind::RequestChanged, text));
    }
    if old.when != new.when {
        add(change(
            ChangeKind::OperationChanged,
            format!("{} is called where {}, before where {}", new.operation, new.when, old.when),
        ));
    }
    if old.scopes != new.scopes {
        // Each token that sufficed has to suffice.
        let suffices =
            |token: &BTreeSet<String>| new.scopes.is_empty() || new.scopes.iter().any(|all| all.is_subset(token));
        let nothing = [BTreeSet::new()];
        let tokens = if old.scopes.is_empty() { nothing.as_slice() } else { old.scopes.as_slice() };
        let kind = if tokens.iter().all(suffices) { ChangeKind::ScopesLowered } else { ChangeKind::ScopesRaised };
        add(change(kind, format!("scopes: {} → {}", shown_scopes(&old.scopes), shown_scopes(&new.scopes))));
    }
    if old.needs_one_of != new.needs_one_of {
        let list = new.needs_one_of.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let is_wider = new.needs_one_of.is_empty()
            || !old.needs_one_of.is_empty() && old.needs_one_of.is_subset(&new.needs_one_of);
        let kind = if is_wider { ChangeKind::ArgumentOptional } else { ChangeKind::ArgumentRequired };
        add(change(kind, format!("at least one of {} is needed", if list.is_empty() { "none" } else { &list })));
    }
    if old.hints != new.hints {
        add(change(ChangeKind::Words, "advice for refusals".to_owned()));
    }
    for key in keys_that_differ(&old.more, &new.more) {
        let kind = if key == "answers" { ChangeKind::AnswerChanged } else { ChangeKind::RequestChanged };
        add(change(kind, format!("`{key}`: {} → {}", shown(old.more.get(&key)), shown(new.more.get(&key)))));
    }
    compare_bindings(tool, old, new, renamed, add);
}

fn compare_bindings(
    tool: &str,
    old: &CallFacts,
    new: &CallFacts,
    renamed: &mut BTreeMap<String, String>,
    add: &mut impl FnMut(Change),
) {
    let place = |binding: &BindingFacts| (binding.more.get("in").cloned(), binding.more.get("parameter").cloned());
    let named = |call: &CallFacts, name: &str| call.bindings.iter().any(|binding| binding.argument == name);
    for binding in &old.bindings {
        let same = new.bindings.iter().find(|other| other.argument == binding.argument);
        let moved = || {
            let is_new = |other: &&BindingFacts| !named(old, &other.argument);
            new.bindings.iter().filter(is_new).find(|other| place(other) == place(binding))
        };
        let Some(other) = same.or_else(moved) else { continue };
        if other.argument != binding.argument {
            renamed.insert(binding.argument.clone(), other.argument.clone());
        }
        for key in keys_that_differ(&binding.more, &other.more) {
            let kind = if key == "default" { ChangeKind::DefaultChanged } else { ChangeKind::RequestChanged };
            let text = format!("sent `{key}`: {} → {}", shown(binding.more.get(&key)), shown(other.more.get(&key)));
            add(Change::of(tool, kind, text).at(&binding.argument));
        }
    }
}

/// A value in a message.
fn shown(value: Option<&Value>) -> String {
    const LONGEST: usize = 120;
    value.map_or_else(|| "none".to_owned(), |value| crate::truncate(&value.to_string(), LONGEST).into_owned())
}

fn shown_scopes(scopes: &[BTreeSet<String>]) -> String {
    let one = |all: &BTreeSet<String>| all.iter().map(String::as_str).collect::<Vec<_>>().join(" + ");
    match scopes {
        [] => "none".to_owned(),
        scopes => scopes.iter().map(one).collect::<Vec<_>>().join(", or "),
    }
}
