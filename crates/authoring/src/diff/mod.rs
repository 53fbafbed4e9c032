//! Our description of an API and the vendor's new one → what changed, what it means for calls, and which
//! of our tools it hits: `cargo spec diff`.
//!
//! ```text
//! interface    a description → operations as a caller meets them
//!   shape        a schema → what it allows, whatever way it is written
//! matching     two interfaces → which operations are the same
//! operations   an operation before and after → changes
//!   schemas      two schemas → what differs, for a request or an answer
//!   renames      gone and new → what is the same under another name
//! kind         the kinds of change, each with severity and meaning
//! hits         a change → the tools, presets, choices and profiles that it reaches
//! drift_file   drift.toml → other severities, and differences that are known
//! report       changes → text, JSON, Markdown
//! ```

pub(crate) mod change;
pub(crate) mod drift_file;
pub(crate) mod hits;
pub(crate) mod interface;
pub(crate) mod kind;
mod markdown;
pub(crate) mod matching;
pub(crate) mod operations;
pub(crate) mod ours;
pub(crate) mod renames;
pub(crate) mod report;
mod resolves;
pub(crate) mod schemas;
pub(crate) mod shape;
#[cfg(test)]
pub(crate) mod tests;

use serde_json::Value;

use change::{Change, Place};
use interface::{Interface, Operation};
use kind::Kind;
use schemas::Schemas;

/// Chooses operations by id, method and path.
pub(crate) type Wanted<'a> = dyn Fn(&str, &str, &str) -> bool + 'a;

/// The operations that two descriptions have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SameOperation {
    /// Method in upper case and path, before and after.
    pub(crate) old: (String, String),
    pub(crate) new: (String, String),
}

/// What differs between two descriptions.
#[derive(Debug, Default)]
pub(crate) struct Differences {
    pub(crate) changes: Vec<Change>,
    /// Which operation became which.
    pub(crate) same: Vec<SameOperation>,
    /// Which component of the new description is which of the old one, by name.
    pub(crate) components: std::collections::BTreeMap<String, String>,
    /// What a reader has to know about the comparison.
    pub(crate) notes: Vec<String>,
}

/// Compares two descriptions in OpenAPI 3.0. Of the new one `wanted` chooses operations; one that the old
/// description has is always compared.
pub(crate) fn compare(old: &Value, new: &Value, wanted: &Wanted<'_>) -> Differences {
    let (old, new) = (Interface::of(old, &|_, _, _| true), Interface::of(new, &|_, _, _| true));
    let matched = matching::matched(&old, &new);
    let mut differences = Differences::default();
    let mut schemas = Schemas::new(old.document, new.document);
    let words = texts_are_shared(&old, &new, &matched.pairs);
    if !words {
        differences
            .notes
            .push("the texts of the two descriptions have different authors: they are not compared".to_owned());
    }
    if !old.servers.is_empty() && !new.servers.is_empty() && old.servers != new.servers {
        let values = (Some(old.servers.join(", ")), Some(new.servers.join(", ")));
        differences.changes.push(Change::new(Kind::ServersChanged, None, Place::Whole).values(values.0, values.1));
    }
    for (index, operation) in old.operations.iter().enumerate() {
        let Some(now) = matched.pairs[index].map(|at| &new.operations[at]) else {
            differences.changes.push(Change::new(Kind::OperationRemoved, Some(&operation.name), Place::Whole));
            continue;
        };
        let request = |of: &Operation<'_>| (of.name.method.clone(), of.name.path.clone());
        differences.same.push(SameOperation { old: request(operation), new: request(now) });
        let comparison = operations::Comparison {
            schemas: &mut schemas,
            documents: (old.document, new.document),
            name: operation.name.clone(),
            changes: Vec::new(),
        };
        differences.changes.extend(comparison.run(operation, now, words));
    }
    differences.components = schemas.components;
    for operation in matched.added.iter().map(|at| &new.operations[*at]) {
        let name = &operation.name;
        if wanted(&name.id, &name.method, &name.path) {
            let mut change = Change::new(Kind::OperationAdded, Some(name), Place::Whole);
            let guess = crate::import::guess(&name.method, &name.path);
            change.next = format!("{}; a guess from method and path: `{guess}`", change.kind.next());
            differences.changes.push(change);
        }
    }
    differences
}

/// Whether the two descriptions have their texts from the same author. Ours are our own words where we
/// wrote them: that they differ from the vendor's says nothing.
fn texts_are_shared(old: &Interface<'_>, new: &Interface<'_>, pairs: &[Option<usize>]) -> bool {
    const FEWEST: usize = 4;
    let pairs =
        pairs.iter().enumerate().filter_map(|(index, at)| Some((&old.operations[index], &new.operations[(*at)?])));
    let written: Vec<bool> = pairs
        .filter(|(old, new)| !old.words.is_empty() && !new.words.is_empty())
        .map(|(old, new)| old.words == new.words)
        .collect();
    let same = written.iter().filter(|same| **same).count();
    written.len() < FEWEST || same * 2 >= written.len()
}

/// How many operations two descriptions have in common, by method and path.
pub(crate) fn shared_operations(ours: &Value, new: &Value) -> usize {
    let (ours, new) = (Interface::of(ours, &|_, _, _| true), Interface::of(new, &|_, _, _| true));
    matching::matched(&ours, &new).pairs.iter().flatten().count()
}
