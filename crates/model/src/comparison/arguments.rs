//! The input schemas of a tool before and after → what differs for the arguments of a call.

use std::collections::{BTreeMap, BTreeSet};

use super::change::{Change, ChangeKind};
use super::facts::ToolFacts;
use super::schema::{self, Difference};

/// Adds what differs of the arguments; `renamed` are those that go to the same place under another name.
pub(super) fn compare(
    old: &ToolFacts,
    new: &ToolFacts,
    renamed: &BTreeMap<String, String>,
    add: &mut impl FnMut(Change),
) {
    let (before, after) = (old.checked_schema(), new.checked_schema());
    let gone = |name: &String| before["properties"].get(name).is_some() && after["properties"].get(name).is_none();
    let renamed: BTreeMap<&String, &String> = renamed.iter().filter(|(name, _)| gone(name)).collect();
    for (from, to) in &renamed {
        add(Change::of(&old.name, ChangeKind::ArgumentRenamed, format!("`{from}` → `{to}`")).at(*from));
        let mut found = Vec::new();
        schema::compare(&before["properties"][from], &after["properties"][to], to, &mut found);
        for difference in found {
            add(change(&old.name, difference));
        }
    }
    let new_names: BTreeSet<&String> = renamed.values().copied().collect();
    let mut found = Vec::new();
    schema::compare(&before, &after, "", &mut found);
    for difference in found {
        let is_told = match difference.kind {
            ChangeKind::ArgumentRemoved => renamed.contains_key(&difference.at),
            ChangeKind::ArgumentAdded | ChangeKind::ArgumentRequired => new_names.contains(&difference.at),
            _ => false,
        };
        if !is_told {
            add(change(&old.name, difference));
        }
    }
}

fn change(tool: &str, difference: Difference) -> Change {
    Change::of(tool, difference.kind, difference.text).at(difference.at)
}
