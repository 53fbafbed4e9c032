//! A vendor's new description → our files with its facts: `cargo spec update`. Only what changed is
//! written, at its place; our words, the order and the comments stay.
//!
//! ```text
//! passes       the whole description, again until nothing differs → text, and what is left to a person
//! gate         the changes → which places may be changed
//! operations   an operation before and after → edits
//!   schemas      a schema before and after → edits
//!   merge        where an edit goes, and whether it may
//! overlay      changes → edits of the overlay
//! editor       edits → text
//!   yaml_tree    text → where each value stands
//! journal      several files → all of them written, or none
//! ```

mod editor;
mod gate;
pub(crate) mod journal;
mod merge;
mod operations;
mod overlay;
mod passes;
mod schemas;
#[cfg(test)]
mod tests;
mod yaml_tree;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use crate::CommandError;
use crate::diff::change::{Change, Place};
use crate::diff::interface::Interface;
use crate::diff::kind::Kind;
use crate::diff::ours::OurApi;
use crate::diff::{self, SameOperation};
use crate::import::{self, Description, facts, lint};
use editor::Editor;
use gate::Gate;
use merge::Merge;
use operations::Pair;
use overlay::OverlayEdit;
use passes::{Passed, Task};
use toolwright_codegen::read::load;
use toolwright_codegen::read::paths::{METHODS, operation_pointer};
use toolwright_codegen::read::reference::{below, escape};
use toolwright_codegen::read::source::{LoadedFile, SourceFile};

/// What our description is updated from.
pub(crate) struct Source<'a> {
    pub(crate) new: &'a Description,
    /// What changed, without what is accepted.
    pub(crate) changes: &'a [Change],
    pub(crate) same: &'a [SameOperation],
    /// Everything that differs, accepted or not.
    pub(crate) known: &'a BTreeSet<Identity>,
}

/// Our files after an update.
#[derive(Debug, Default)]
pub(crate) struct Updated {
    /// The files that changed, by their paths below the project.
    pub(crate) files: BTreeMap<String, String>,
    /// What a person has to decide; each is marked at its place where that can hold a comment.
    pub(crate) conflicts: Vec<String>,
}

/// Takes over the facts of `source` into the files of `api`. `names` are those of all tools.
///
/// # Errors
/// A file of ours can't be read.
pub(crate) fn update(
    project: &Path,
    api: &OurApi,
    source: &Source<'_>,
    names: &BTreeSet<String>,
) -> Result<Updated, CommandError> {
    let mut updated = Updated::default();
    if source.changes.is_empty() {
        return Ok(updated);
    }
    let text = read(&project.join(&api.file))?;
    let ours = parse(&text, &api.file)?;
    let wanted = wanted(source);
    let mut theirs =
        facts::facts(&source.new.document, &|_, method, path| wanted.contains(&(method.to_owned(), path.to_owned())));
    facts::tags_of_vendor(&mut theirs, &api.vendor);
    // What differs and is not to be taken over stays as it is.
    let mut meant = identities(&compared(&ours, source, &wanted));
    meant.extend(source.known.iter().cloned());
    let to_do: BTreeSet<Identity> = source.changes.iter().map(|change| identity(change, source.same)).collect();
    meant.retain(|difference| !to_do.contains(difference));
    let task = Task { file: &api.file, theirs: &theirs, source, wanted: &wanted, meant: &meant };
    let mut settled = BTreeSet::new();
    let (description, changes, conflicts) = loop {
        let Passed { description, changes, conflicts, solved } = task.passes(&text, &settled)?;
        if solved.is_subset(&settled) {
            break (description, changes, conflicts);
        }
        // Once more from the beginning: what a later pass solves is not to be marked by an earlier one.
        settled.extend(solved);
    };
    let place =
        |(pointer, what): (String, String)| format!("{} ({}): {what}", api.file, pointer.trim_start_matches('/'));
    updated.conflicts = conflicts.into_iter().map(place).collect();
    let after = parse(&description, &api.file)?;
    if description != text {
        updated.files.insert(api.file.clone(), description);
    }
    follow(project, api, source, (&ours, &after), names, &mut updated)?;
    updated.conflicts.extend(changes.iter().map(|change| {
        let operation = change.operation.as_ref().map(ToString::to_string).unwrap_or_default();
        format!("not taken over: {}, {operation} {}", change.kind.as_str(), change.place)
    }));
    Ok(updated)
}

/// What differs from the vendor's description, of operations that are ours or become ours.
fn compared(ours: &Value, source: &Source<'_>, wanted: &BTreeSet<(String, String)>) -> diff::Differences {
    diff::compare(ours, &source.new.document, &|_, method, path| wanted.contains(&(method.to_owned(), path.to_owned())))
}

/// Which component of the vendor's is which of ours, by name; each of ours is one of the vendor's, if possible of
/// the same name.
fn names_of_components(ours: &Value, theirs: &Value) -> BTreeMap<String, String> {
    let found = diff::compare(ours, theirs, &|_, _, _| false).components;
    let mut by_ours: BTreeMap<String, String> = BTreeMap::new();
    for (new, old) in found {
        let known = by_ours.entry(old.clone()).or_insert_with(|| new.clone());
        if new == old {
            *known = new;
        }
    }
    by_ours.into_iter().map(|(old, new)| (new, old)).collect()
}

/// The vendor's operations that are ours, or that become ours.
fn wanted(source: &Source<'_>) -> BTreeSet<(String, String)> {
    let same = source.same.iter().map(|same| same.new.clone());
    same.chain(added(source.changes).map(|name| (name.method.clone(), name.path.clone()))).collect()
}

fn added(changes: &[Change]) -> impl Iterator<Item = &diff::change::OperationName> {
    changes.iter().filter(|change| change.kind == Kind::OperationAdded).filter_map(|change| change.operation.as_ref())
}

/// Merges all operations.
fn description_of<'d>(
    merge: &mut Merge<'d>,
    interfaces: (&Interface<'d>, &Interface<'d>),
    (changes, same): (&[Change], &[SameOperation]),
) {
    let (ours, theirs) = interfaces;
    for one in same {
        let find = |interface: &Interface<'d>, (method, path): &(String, String)| {
            interface.operations.iter().position(|of| of.name.method == *method && of.name.path == *path)
        };
        if let (Some(old), Some(new)) = (find(ours, &one.old), find(theirs, &one.new)) {
            merge.operation(&Pair::new(&ours.operations[old], &theirs.operations[new]), interfaces);
        }
    }
    paths(merge, changes, same);
    if merge.gate.has("", Kind::ServersChanged)
        && let Some(servers) = merge.new.get("servers").cloned()
    {
        let has_words =
            merge.ours.get("servers").is_some_and(|servers| servers.to_string().contains("\"description\""));
        if has_words {
            merge.conflict("/servers", "it names other addresses; ours have texts, so they stay");
        } else {
            merge.editor.set("/servers", servers, &["openapi", "info", "servers"]);
        }
    }
}

/// Renames, removes and adds paths and methods.
fn paths(merge: &mut Merge<'_>, changes: &[Change], same: &[SameOperation]) {
    let removed = changes.iter().filter(|change| change.kind == Kind::OperationRemoved);
    let mut gone: BTreeSet<String> = removed
        .filter_map(|change| change.operation.as_ref())
        .map(|name| operation_pointer(&name.path, &name.method.to_lowercase()))
        .collect();
    // The pointers to paths that are called otherwise now.
    let mut renamed: BTreeMap<String, String> = BTreeMap::new();
    let ours = merge.ours.get("paths").and_then(Value::as_object);
    for (path, item) in ours.into_iter().flatten() {
        let methods: Vec<&str> = METHODS.iter().copied().filter(|method| item.get(*method).is_some()).collect();
        let pointer = format!("/paths/{}", escape(path));
        let moved: Vec<&SameOperation> = same
            .iter()
            .filter(|same| same.old.1 == *path && same.old != same.new && allows_move(merge.gate, same))
            .collect();
        let targets: BTreeSet<&str> = moved.iter().map(|same| same.new.1.as_str()).collect();
        for same in &moved {
            if same.old.0 != same.new.0 {
                merge.editor.rename(&format!("{pointer}/{}", same.old.0.to_lowercase()), &same.new.0.to_lowercase());
            }
        }
        let left = methods.iter().filter(|method| !gone.contains(&format!("{pointer}/{method}"))).count();
        match targets.iter().next() {
            Some(target) if *target != path => {
                let is_taken = merge.ours.pointer(&format!("/paths/{}", escape(target))).is_some();
                if targets.len() == 1 && moved.len() == left && !is_taken {
                    merge.editor.rename(&pointer, target);
                    renamed.insert((*target).to_owned(), pointer.clone());
                } else {
                    move_apart(merge, &pointer, &moved, &mut gone);
                }
            }
            _ => {}
        }
        if !methods.is_empty() && methods.iter().all(|method| gone.contains(&format!("{pointer}/{method}"))) {
            merge.editor.remove(&pointer);
        } else {
            let gone = methods.iter().filter(|method| gone.contains(&format!("{pointer}/{method}")));
            gone.for_each(|method| merge.editor.remove(&format!("{pointer}/{method}")));
        }
    }
    for name in added(changes) {
        let theirs = operation_pointer(&name.path, &name.method.to_lowercase());
        let Some(operation) = merge.new.pointer(&theirs).cloned() else { continue };
        let path = format!("/paths/{}", escape(&name.path));
        let shared = merge.new.pointer(&format!("{path}/parameters")).cloned();
        let path = renamed.get(&name.path).cloned().unwrap_or(path);
        if merge.editor.has(&path) {
            merge.add(&path, &name.method.to_lowercase(), with_parameters(operation, shared));
        } else {
            add_path(merge, name, operation, shared);
        }
    }
}

fn allows_move(gate: &Gate, same: &SameOperation) -> bool {
    let request = format!("{} {}", same.old.0, same.old.1);
    [Kind::OperationMoved, Kind::OperationMethodChanged, Kind::PathParameterRenamed]
        .into_iter()
        .any(|kind| gate.has(&request, kind))
}

/// Moves single operations of a path to other paths, with the text that a person wrote.
fn move_apart(merge: &mut Merge<'_>, pointer: &str, moved: &[&SameOperation], gone: &mut BTreeSet<String>) {
    for same in moved {
        let from = format!("{pointer}/{}", same.old.0.to_lowercase());
        let what = format!(
            "{} {} is at {} {} now, apart from the others of its path: move it by hand",
            same.old.0, same.old.1, same.new.0, same.new.1
        );
        merge.conflict(&from, &what);
        gone.remove(&from);
    }
}

/// The parameters of a path that is ours already belong to its other operations.
fn with_parameters(mut operation: Value, shared: Option<Value>) -> Value {
    if let (Some(object), Some(Value::Array(shared))) = (operation.as_object_mut(), shared) {
        let own = object.entry("parameters").or_insert_with(|| Value::Array(Vec::new()));
        if let Some(own) = own.as_array_mut() {
            own.extend(shared);
        }
    }
    operation
}

fn add_path(merge: &mut Merge<'_>, name: &diff::change::OperationName, operation: Value, shared: Option<Value>) {
    let method = name.method.to_lowercase();
    merge.add_path(&name.path, &method, with_parameters(operation, shared));
}

/// A change: its kind, its operation as the vendor's new description names it, its place, what is shared.
pub(crate) type Identity = (Kind, Option<(String, String)>, String, Option<String>);

pub(crate) fn identity(change: &Change, same: &[SameOperation]) -> Identity {
    let operation = change.operation.as_ref().map(|name| {
        let ours = (name.method.clone(), name.path.clone());
        same.iter().find(|same| same.old == ours).map_or(ours, |same| same.new.clone())
    });
    (change.kind, operation, change.place.to_string(), change.shared.clone())
}

fn identities(differences: &diff::Differences) -> BTreeSet<Identity> {
    differences.changes.iter().map(|change| identity(change, &differences.same)).collect()
}

/// The components that an operation refers to at the part that a change is about.
fn components_of(document: &Value, operation: &str, place: &Place) -> Vec<String> {
    let path = operation.rsplit_once('/').map_or("", |(path, _)| path);
    let lists = match place {
        Place::Parameter { .. } => vec![format!("{operation}/parameters"), format!("{path}/parameters")],
        Place::Body { .. } => vec![format!("{operation}/requestBody")],
        Place::Answer { .. } | Place::AnswerHeader { .. } => vec![format!("{operation}/responses")],
        Place::Whole => Vec::new(),
    };
    let mut found = Vec::new();
    for list in lists {
        let mut part = document.pointer(&list).cloned().unwrap_or_default();
        crate::convert::grammar::references(&mut part, &mut |reference| {
            found.extend(reference.strip_prefix('#').map(str::to_owned));
        });
    }
    found
}

/// Overlay and vendor.toml follow.
fn follow(
    project: &Path,
    api: &OurApi,
    source: &Source<'_>,
    (ours, after): (&Value, &Value),
    names: &BTreeSet<String>,
    updated: &mut Updated,
) -> Result<(), CommandError> {
    let file = Path::new(&api.file);
    let stem = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let name = file.with_file_name(toolwright_codegen::overlay_name(stem)).display().to_string();
    if project.join(&name).is_file() {
        let text = read(&project.join(&name))?;
        let overlay = parse(&text, &name)?;
        let editor = Editor::new(&text, false).map_err(|error| CommandError::usage(format!("{name}: {error}")))?;
        let mut edit = OverlayEdit { api, ours, overlay: &overlay, editor, conflicts: Vec::new() };
        let moved: Vec<SameOperation> = source
            .same
            .iter()
            .filter(|same| after.pointer(&operation_pointer(&same.new.1, &same.new.0.to_lowercase())).is_some())
            .cloned()
            .collect();
        edit.run(source.changes, &moved);
        updated.conflicts.extend(edit.conflicts.drain(..).map(|what| format!("{name}: {what}")));
        let edited = edit.editor.finish();
        let edited = with_new_operations(api, source, after, (&name, &edited), names, updated)?;
        if edited != text {
            updated.files.insert(name, edited);
        }
    }
    let name = file.with_file_name("vendor.toml").display().to_string();
    let ids = source.changes.iter().filter(|change| change.kind == Kind::OperationIdChanged);
    let check = api.connection.as_ref().and_then(|connection| connection.check.as_ref());
    for change in ids {
        if let (Some(check), Some(before), Some(now)) = (check, &change.before, &change.after)
            && check.operation == *before
        {
            let text = read(&project.join(&name))?;
            let quoted = |id: &str| format!("operation = {}", import::yaml::quoted(id));
            updated.files.insert(name.clone(), text.replacen(&quoted(before), &quoted(now), 1));
        }
    }
    Ok(())
}

/// Adds an action for each new operation: unreviewed, with the guess in a comment.
fn with_new_operations(
    api: &OurApi,
    source: &Source<'_>,
    after: &Value,
    (name, overlay): (&str, &str),
    names: &BTreeSet<String>,
    updated: &mut Updated,
) -> Result<String, CommandError> {
    let added: BTreeSet<(String, String)> =
        added(source.changes).map(|name| (name.method.clone(), name.path.clone())).collect();
    if added.is_empty() {
        return Ok(overlay.to_owned());
    }
    let description = Description {
        document: after.clone(),
        steps: Vec::new(),
        format: String::new(),
        dropped: Vec::new(),
        text: None,
    };
    let loaded = LoadedFile { file: SourceFile::yaml(name, overlay.to_owned()), value: parse(overlay, name)? };
    let mut taken = names.clone();
    let drafts = match lint::draft(&description, &api.file, &api.vendor, Some(&loaded), None, &mut taken) {
        Ok((drafts, _)) => drafts,
        Err(errors) => {
            updated.conflicts.push(format!("new operations are not in the overlay yet, because of this:\n{errors}"));
            return Ok(overlay.to_owned());
        }
    };
    let mut editor = Editor::new(overlay, false).map_err(|error| CommandError::usage(format!("{name}: {error}")))?;
    let is_new = |operation: &&toolwright_codegen::lower::spec_operation::SpecOperation| {
        added.contains(&(operation.method.clone(), operation.path.clone()))
    };
    for operation in drafts.operations.iter().filter(is_new) {
        if !has_action(&loaded.value, after, &operation.pointer) {
            editor.add_lines("/actions", "", &import::action(operation, None, import::TO_BE_WRITTEN));
        }
    }
    Ok(editor.finish())
}

fn has_action(overlay: &Value, description: &Value, pointer: &str) -> bool {
    let actions = overlay.get("actions").and_then(Value::as_array).into_iter().flatten();
    let mut paths = actions.filter_map(|action| serde_json_path::JsonPath::parse(action.get("target")?.as_str()?).ok());
    paths.any(|path| {
        path.query_located(description).locations().any(|at| {
            let at = at.to_json_pointer();
            !at.is_empty() && below(pointer, &at).is_some()
        })
    })
}

fn is_json(file: &str) -> bool {
    Path::new(file).extension().is_some_and(|extension| extension == "json")
}

fn read(path: &Path) -> Result<String, CommandError> {
    std::fs::read_to_string(path).map_err(|error| CommandError::usage(format!("{}: {error}", path.display())))
}

fn parse(text: &str, file: &str) -> Result<Value, CommandError> {
    let parsed = if is_json(file) {
        serde_json::from_str(text).map_err(|error| error.to_string())
    } else {
        load::yaml(text).map_err(|error| error.to_string())
    };
    parsed.map_err(|error| CommandError::usage(format!("{file}: {error}")))
}
