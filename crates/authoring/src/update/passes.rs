//! A description of ours → the same with a vendor's facts: over the whole of it, again until nothing differs any more.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::editor::Editor;
use super::gate::Gate;
use super::merge::Merge;
use super::{
    Identity, Source, compared, components_of, description_of, identities, identity, is_json, names_of_components,
    parse,
};
use crate::CommandError;
use crate::diff::change::Change;
use crate::diff::interface::Interface;
use crate::diff::kind::Severity;
use crate::diff::{self, SameOperation};
use toolwright_codegen::read::paths::operation_pointer;
use toolwright_codegen::read::reference::escape;

/// How often what is still different is tried again: the parts of something that was put together anew.
const PASSES: usize = 3;

/// How often components are found that must stay, before what remains is left to a person.
const ROUNDS: usize = 4;

/// What does not change from pass to pass.
pub(super) struct Task<'t> {
    pub(super) file: &'t str,
    /// The vendor's facts.
    pub(super) theirs: &'t Value,
    pub(super) source: &'t Source<'t>,
    pub(super) wanted: &'t BTreeSet<(String, String)>,
    /// What differs and stays so.
    pub(super) meant: &'t BTreeSet<Identity>,
}

/// A description after all passes.
pub(super) struct Passed {
    pub(super) description: String,
    /// What still differs.
    pub(super) changes: Vec<Change>,
    /// What is left to a person, by pointer.
    pub(super) conflicts: BTreeMap<String, String>,
    /// The pointers of conflicts that a pass met and a later one solved.
    pub(super) solved: BTreeSet<String>,
}

impl Task<'_> {
    /// Goes over `text` until nothing differs any more, or a pass changes nothing. Conflicts at the places in `settled`
    /// are not marked.
    pub(super) fn passes(&self, text: &str, settled: &BTreeSet<String>) -> Result<Passed, CommandError> {
        let mut description = text.to_owned();
        let (mut changes, mut same) = (self.source.changes.to_vec(), self.source.same.to_vec());
        let (mut met, mut last) = (BTreeMap::new(), BTreeMap::new());
        for _ in 0..PASSES {
            let pass = Pass { task: self, text: &description, changes: &changes, same: &same, settled };
            let (after, conflicts) = pass.run()?;
            last.clone_from(&conflicts);
            met.extend(conflicts);
            let is_done = after == description;
            description = after;
            let left = compared(&parse(&description, self.file)?, self.source, self.wanted);
            same = left.same;
            let is_left =
                |change: &Change| change.severity != Severity::Words && !self.meant.contains(&identity(change, &same));
            changes = left.changes.into_iter().filter(is_left).collect();
            if is_done || changes.is_empty() {
                break;
            }
        }
        // What differs still is met by the last pass, too.
        let conflicts = if changes.is_empty() { BTreeMap::new() } else { last };
        let solved = met.into_keys().filter(|pointer| !conflicts.contains_key(pointer)).collect();
        Ok(Passed { description, changes, conflicts, solved })
    }
}

/// One time over the whole description.
struct Pass<'p> {
    task: &'p Task<'p>,
    text: &'p str,
    changes: &'p [Change],
    same: &'p [SameOperation],
    settled: &'p BTreeSet<String>,
}

impl Pass<'_> {
    /// Returns the text with the changes, and what is left to a person, by pointer.
    fn run(&self) -> Result<(String, BTreeMap<String, String>), CommandError> {
        let Task { file, theirs, source, wanted, .. } = *self.task;
        let ours = parse(self.text, file)?;
        let before = identities(&compared(&ours, source, wanted));
        let names = names_of_components(&ours, theirs);
        let interfaces = (Interface::of(&ours, &|_, _, _| true), Interface::of(theirs, &|_, _, _| true));
        let mut frozen = BTreeSet::new();
        let (mut description, mut conflicts) = (self.text.to_owned(), BTreeMap::new());
        for _ in 0..ROUNDS {
            let gate = Gate::new(self.changes, frozen.clone());
            let editor = Editor::new(self.text, is_json(file))
                .map_err(|error| CommandError::usage(format!("{file}: {error}")))?;
            let mut merge = Merge::new((&ours, theirs), names.clone(), editor, (&gate, self.settled));
            description_of(&mut merge, (&interfaces.0, &interfaces.1), (self.changes, self.same));
            let touched = std::mem::take(&mut merge.touched);
            conflicts = std::mem::take(&mut merge.conflicts);
            merge.finish_components();
            description = merge.editor.finish();
            let after = parse(&description, file)?;
            let more = spoiled(&after, &compared(&after, source, wanted), &before, (&ours, &touched));
            if more.is_subset(&frozen) {
                break;
            }
            frozen.extend(more);
        }
        Ok((description, conflicts))
    }
}

/// The components whose change made something wrong that was right: another of their users did not change.
fn spoiled(
    after: &Value,
    differences: &diff::Differences,
    before: &BTreeSet<Identity>,
    (ours, touched): (&Value, &BTreeSet<String>),
) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for change in &differences.changes {
        if before.contains(&identity(change, &differences.same)) {
            continue;
        }
        let is_ours = |pointer: &String| touched.contains(pointer) && ours.pointer(pointer).is_some();
        let owner = change.shared.as_ref().map(|shared| {
            format!("/components/schemas/{}", escape(shared.split(['.', '[']).next().unwrap_or_default()))
        });
        match (owner.filter(is_ours), &change.operation) {
            (Some(owner), _) => drop(found.insert(owner)),
            (None, Some(name)) => {
                let operation = operation_pointer(&name.path, &name.method.to_lowercase());
                found.extend(components_of(after, &operation, &change.place).into_iter().filter(is_ours));
            }
            (None, None) => {}
        }
    }
    found
}
