//! A tool before and after → what differs of it.

use std::collections::BTreeSet;

use super::change::{Change, ChangeKind};
use super::facts::ToolFacts;
use super::{Names, arguments, operations, shown_operations};
use crate::{CORE_TAG, Effect, HELD_BACK_TAGS};

/// The hints of MCP, and the value that promises more.
const HINTS: [(&str, bool); 4] =
    [("readOnlyHint", true), ("destructiveHint", false), ("idempotentHint", true), ("openWorldHint", false)];

/// Adds what differs between `old` and `new`, which takes its place in the catalog `all`. `states_returns` is whether the
/// old catalog states what operations answer with.
pub(super) fn compare(
    old: &ToolFacts,
    new: &ToolFacts,
    names: &Names<'_>,
    all: &[ToolFacts],
    states_returns: bool,
    changes: &mut Vec<Change>,
) {
    let mut add = |change: Change| changes.push(change);
    compare_names(old, new, names, all, &mut add);
    compare_effects(old, new, &mut add);
    compare_hints(old, new, &mut add);
    compare_tags(old, new, &mut add);
    let change = |kind, text: String| Change::of(&old.name, kind, text);
    if old.verb != new.verb {
        let word = |tool: &ToolFacts| tool.verb.map_or("none", crate::Verb::as_str);
        add(change(ChangeKind::VerbChanged, format!("verb: `{}` → `{}`", word(old), word(new))));
    }
    let same_words = [
        ("title", old.title == new.title),
        ("description", old.description == new.description),
        ("phrases", old.phrases == new.phrases),
    ];
    for (what, _) in same_words.into_iter().filter(|(_, same)| !same) {
        add(change(ChangeKind::Words, format!("{what} of the tool")));
    }
    if old.concise != new.concise {
        add(change(ChangeKind::AnswerChanged, concise(&old.concise, &new.concise)));
    }
    for key in keys_that_differ(&old.more, &new.more) {
        add(change(ChangeKind::OtherChange, format!("`{key}` differs")));
    }
    let renamed = operations::compare(old, new, states_returns, &mut add);
    arguments::compare(old, new, &renamed, &mut add);
}

fn compare_names(old: &ToolFacts, new: &ToolFacts, names: &Names<'_>, all: &[ToolFacts], add: &mut impl FnMut(Change)) {
    let reached = |name: &str| names.reached(name).map(|index| &all[index]);
    if old.name != new.name {
        let renamed = Change::of(&old.name, ChangeKind::ToolRenamed, format!("`{}` → `{}`", old.name, new.name));
        // The name leads on to it as an alias.
        add(if reached(&old.name).is_some() { renamed.harmless() } else { renamed });
    }
    for alias in &old.aliases {
        match reached(alias) {
            None => add(Change::of(&old.name, ChangeKind::AliasRemoved, format!("the alias `{alias}` is gone"))),
            Some(other) if other.name != new.name => {
                let text = format!("`{alias}` calls `{}` now", other.name);
                add(Change::of(&old.name, ChangeKind::OtherTool, text));
            }
            Some(_) => {}
        }
    }
    for alias in new.aliases.iter().filter(|alias| !old.aliases.contains(alias) && **alias != old.name) {
        add(Change::of(&old.name, ChangeKind::AliasAdded, format!("also called `{alias}`")));
    }
    if !operations::share_one(old, new) {
        let text = format!("{} → {}", shown_operations(old), shown_operations(new));
        add(Change::of(&old.name, ChangeKind::OperationChanged, text));
    }
}

fn compare_effects(old: &ToolFacts, new: &ToolFacts, add: &mut impl FnMut(Change)) {
    let kind = match (old.effect, new.effect) {
        (old, new) if old == new => None,
        (None, _) => Some(ChangeKind::EffectStated),
        (_, None) => Some(ChangeKind::EffectWithdrawn),
        (Some(old), Some(new)) if rank(new) < rank(old) => Some(ChangeKind::EffectLowered),
        _ => Some(ChangeKind::EffectRaised),
    };
    let word = |tool: &ToolFacts| tool.effect.map_or("unreviewed", Effect::as_str);
    if let Some(kind) = kind {
        add(Change::of(&old.name, kind, format!("effect: `{}` → `{}`", word(old), word(new))));
    }
    for risk in old.risks.difference(&new.risks) {
        let lowered = Change::of(&old.name, ChangeKind::RiskLowered, format!("no longer `{risk}`"));
        // What only `--allow` opened is offered by default.
        add(if risk.is_gated() { lowered.guarded() } else { lowered });
    }
    for risk in new.risks.difference(&old.risks) {
        let raised = Change::of(&old.name, ChangeKind::RiskRaised, format!("now also `{risk}`"));
        add(if risk.is_gated() { raised } else { raised.harmless() });
    }
}

fn rank(effect: Effect) -> usize {
    Effect::ALL.iter().position(|other| *other == effect).unwrap_or(usize::MAX)
}

/// The hints follow effect and verb; one that changes alone is as dangerous.
fn compare_hints(old: &ToolFacts, new: &ToolFacts, add: &mut impl FnMut(Change)) {
    for key in keys_that_differ(&old.annotations, &new.annotations) {
        let shown = |tool: &ToolFacts| tool.annotations.get(&key).map_or("none".to_owned(), ToString::to_string);
        let promise = HINTS.iter().find(|(name, _)| **name == key).map(|(_, promise)| *promise);
        let promises = promise.is_some() && new.annotations.get(&key).and_then(serde_json::Value::as_bool) == promise;
        let change = Change::of(
            &old.name,
            if promises { ChangeKind::HintLowered } else { ChangeKind::HintRaised },
            format!("{key}: {} → {}", shown(old), shown(new)),
        );
        // Clients ask less of a person before what is said to read or to destroy nothing.
        let is_trusted = matches!(key.as_str(), "readOnlyHint" | "destructiveHint");
        add(if promises && !is_trusted { change.harmless() } else { change });
    }
}

fn compare_tags(old: &ToolFacts, new: &ToolFacts, add: &mut impl FnMut(Change)) {
    for tag in old.tags.difference(&new.tags) {
        let removed = Change::of(&old.name, ChangeKind::TagRemoved, format!("no longer tagged `{tag}`"));
        let opens = HELD_BACK_TAGS.contains(&tag.as_str());
        // While an effect is unreviewed, its tag is no choice of ours: stating the effect takes it away.
        let is_review = tag == crate::UNREVIEWED_TAG;
        add(if opens && !is_review { removed.guarded() } else { removed });
    }
    for tag in new.tags.difference(&old.tags) {
        let text =
            if tag == CORE_TAG { "tagged `core`: served by default".to_owned() } else { format!("tagged `{tag}`") };
        add(Change::of(&old.name, ChangeKind::TagAdded, text));
    }
}

fn concise(old: &[String], new: &[String]) -> String {
    let set = |list: &[String]| list.iter().cloned().collect::<BTreeSet<String>>();
    let (old, new) = (set(old), set(new));
    let list = |names: Vec<&String>| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let (gone, come): (Vec<_>, Vec<_>) = (old.difference(&new).collect(), new.difference(&old).collect());
    match (old.is_empty(), new.is_empty()) {
        (true, false) => format!("only these fields are kept by default: {}", list(come)),
        (false, true) => "every field is kept by default".to_owned(),
        _ if gone.is_empty() && come.is_empty() => "the fields that are kept by default have another order".to_owned(),
        _ if gone.is_empty() => format!("also kept by default: {}", list(come)),
        _ if come.is_empty() => format!("no longer kept by default: {}", list(gone)),
        _ => format!("no longer kept by default: {}; kept now: {}", list(gone), list(come)),
    }
}

/// The keys of either object whose values differ, in order.
pub(super) fn keys_that_differ<'a>(
    old: &'a serde_json::Map<String, serde_json::Value>,
    new: &'a serde_json::Map<String, serde_json::Value>,
) -> Vec<String> {
    let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    keys.into_iter().filter(|key| old.get(*key) != new.get(*key)).cloned().collect()
}
