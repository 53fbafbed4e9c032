//! The corpus of changes to our own descriptions, and random ones → what an update writes: only what changed,
//! the second time nothing, and no words of ours are lost.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use fastrand::Rng;
use serde_json::Value;

use super::{Source, Updated, parse, update};
use crate::diff::change::Change;
use crate::diff::hits::{self, Reach};
use crate::diff::kind::Severity;
use crate::diff::tests::{Subject, break_one, compared, fixture, mutated, mutations, repository, subjects};
use crate::import::Description;
use toolwright_model::SettingsFile;

/// A project with the files of one vendor.
fn project(test: &str, subject: &Subject) -> PathBuf {
    let project = repository().join("target/tmp/update").join(test);
    let _ = std::fs::remove_dir_all(&project);
    let folder = Path::new(&subject.api.file).parent().unwrap();
    std::fs::create_dir_all(project.join(folder)).unwrap();
    for entry in std::fs::read_dir(repository().join(folder)).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), project.join(folder).join(entry.file_name())).unwrap();
    }
    project
}

/// Our description in the project, as it is now.
fn current(project: &Path, subject: &Subject) -> Value {
    crate::import::read(&project.join(&subject.api.file), &subject.api.file).unwrap().document
}

fn run(project: &Path, subject: &Subject, new: &Value) -> (Vec<Change>, Updated) {
    let old = current(project, subject);
    let mut differences = compared(&old, new);
    let settings = SettingsFile::default();
    hits::find(&mut differences.changes, &Reach { api: &subject.api, settings: &settings });
    let new = Description {
        document: new.clone(),
        steps: Vec::new(),
        format: String::new(),
        dropped: Vec::new(),
        text: None,
    };
    let known = differences.changes.iter().map(|change| super::identity(change, &differences.same)).collect();
    let source = Source { new: &new, changes: &differences.changes, same: &differences.same, known: &known };
    let names = subject.api.tools.iter().map(|tool| tool.name.clone()).collect();
    let updated = update(project, &subject.api, &source, &names).unwrap();
    (differences.changes, updated)
}

fn write(project: &Path, updated: &Updated) {
    for (path, text) in &updated.files {
        std::fs::write(project.join(path), text).unwrap();
    }
}

/// The lines that differ, without their surroundings. A long run of removed lines is shown by its ends: what a person wrote
/// of an operation that goes is not of interest here, and would change this snapshot each time it is worded better.
fn difference(before: &str, after: &str) -> String {
    let diff = similar::TextDiff::from_lines(before, after);
    let changes: Vec<_> = diff.iter_all_changes().filter(|change| change.tag() != similar::ChangeTag::Equal).collect();
    let mut shown = String::new();
    for run in
        changes.chunk_by(|one, next| one.tag() == next.tag() && one.old_index().map(|at| at + 1) == next.old_index())
    {
        let is_long = run[0].tag() == similar::ChangeTag::Delete && run.len() > 8;
        for (index, change) in run.iter().enumerate() {
            if !is_long || index < 2 || index + 1 == run.len() {
                let _ = writeln!(shown, "  {}{}", change.tag(), change.value().trim_end_matches('\n'));
            } else if index == 2 {
                shown.push_str("  - […]\n");
            }
        }
    }
    shown
}

#[test]
fn each_mutation_is_taken_over_and_nothing_else() {
    let subjects = subjects();
    let (mut found, mut wrong) = (String::new(), Vec::new());
    for (index, mutation) in mutations().iter().enumerate() {
        let subject = &subjects[mutation["api"].as_str().unwrap()];
        let what = mutation["what"].as_str().unwrap();
        let new = mutated(&subject.description, mutation);
        let project = project("mutations", subject);
        let (_, updated) = run(&project, subject, &new);
        let _ = writeln!(found, "{what}");
        for (path, text) in &updated.files {
            let before = std::fs::read_to_string(project.join(path)).unwrap();
            let _ = write!(found, " {path}\n{}", difference(&before, text));
        }
        for conflict in &updated.conflicts {
            let _ = writeln!(found, "  ! {conflict}");
        }
        write(&project, &updated);
        let left = compared(&current(&project, subject), &new).changes;
        let left: Vec<&Change> = left.iter().filter(|change| change.severity != Severity::Words).collect();
        if !left.is_empty() && updated.conflicts.is_empty() {
            wrong.push(format!("{what}: left without a word: {left:?}"));
        }
        // Some of each kind are enough: the random ones are run twice, too.
        if index % 4 == 0 && !run(&project, subject, &new).1.files.is_empty() {
            wrong.push(format!("{what}: the second run changes something"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let expected = fixture("updates.txt");
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        std::fs::write(&expected, &found).unwrap();
    }
    let expected = std::fs::read_to_string(expected).unwrap_or_default();
    assert!(expected == found, "{}", similar::TextDiff::from_lines(&expected, &found).unified_diff().context_radius(3));
}

#[test]
fn what_is_accepted_of_one_operation_stays_where_another_changes_likewise() {
    let subjects = subjects();
    let subject = &subjects["jitbit"];
    let mut new = subject.description.clone();
    for path in ["/api/Tickets", "/api/Search"] {
        let list = new["paths"][path]["get"]["parameters"].as_array_mut().unwrap();
        list.retain(|parameter| parameter["name"] != "categoryId");
    }
    let project = project("accepted", subject);
    let mut found = compared(&current(&project, subject), &new);
    hits::find(&mut found.changes, &Reach { api: &subject.api, settings: &SettingsFile::default() });
    let known = found.changes.iter().map(|change| super::identity(change, &found.same)).collect();
    let is_meant = |change: &&Change| change.operation.as_ref().is_some_and(|name| name.path == "/api/Search");
    let changes: Vec<Change> = found.changes.iter().filter(is_meant).cloned().collect();
    let new = Description { document: new, steps: Vec::new(), format: String::new(), dropped: Vec::new(), text: None };
    let source = Source { new: &new, changes: &changes, same: &found.same, known: &known };
    let updated = update(&project, &subject.api, &source, &BTreeSet::new()).unwrap();
    let after = parse(&updated.files[&subject.api.file], &subject.api.file).unwrap();
    let has = |path: &str| after["paths"][path]["get"]["parameters"].to_string().contains("\"categoryId\"");
    assert!(has("/api/Tickets") && !has("/api/Search"), "{:?}", updated.conflicts);
}

/// What a person wrote of each operation that stays: the keys of its action.
fn actions(project: &Path, subject: &Subject) -> BTreeMap<String, Value> {
    let name = toolwright_codegen::overlay_name(Path::new(&subject.api.file).file_stem().unwrap().to_str().unwrap());
    let file = Path::new(&subject.api.file).with_file_name(name);
    let text = std::fs::read_to_string(project.join(&file)).unwrap();
    let overlay = parse(&text, "overlay.yaml").unwrap();
    let actions = overlay["actions"].as_array().unwrap();
    actions.iter().map(|action| (action["target"].as_str().unwrap().to_owned(), action["update"].clone())).collect()
}

/// Every text that a person wrote in a description, by its operation or component.
fn texts(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            for (key, entry) in object {
                match entry {
                    Value::String(text) if matches!(key.as_str(), "description" | "summary") => {
                        into.insert(text.clone());
                    }
                    entry => texts(entry, into),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| texts(item, into)),
        _ => {}
    }
}

/// Vendors add what they like: nothing of ours is lost by it. What they remove takes its own words with it.
#[test]
fn random_additions_lose_no_words_of_ours() {
    const ROUNDS: usize = 5;
    let subjects = subjects();
    let mut random = Rng::with_seed(0x7570_6461_7465);
    let subjects: Vec<&Subject> = subjects.values().collect();
    for round in 0..ROUNDS {
        let subject = subjects[random.usize(..subjects.len())];
        let mut new = subject.description.clone();
        for _ in 0..random.usize(1..30) {
            add_one(&mut new, &mut random);
        }
        let project = project("additions", subject);
        let before = (actions(&project, subject), current(&project, subject));
        let (changes, updated) = run(&project, subject, &new);
        assert!(changes.is_empty() || !updated.files.is_empty(), "round {round}");
        write(&project, &updated);
        assert_eq!(actions(&project, subject), before.0, "round {round}");
        let (mut old, mut now) = (BTreeSet::new(), BTreeSet::new());
        texts(&before.1, &mut old);
        texts(&current(&project, subject), &mut now);
        let lost: Vec<&String> = old.difference(&now).collect();
        assert!(lost.is_empty(), "round {round}: {lost:?}");
        assert!(run(&project, subject, &new).1.files.is_empty(), "round {round}: the second run changes something");
    }
}

/// Adds a parameter or a property somewhere.
fn add_one(document: &mut Value, random: &mut Rng) {
    let mut places = Vec::new();
    crate::convert::grammar::visit(document, &mut |role, value, pointer| {
        use crate::convert::grammar::Role;
        let fits = match role {
            Role::Operation => value.get("parameters").is_some(),
            Role::Schema => value.get("properties").is_some(),
            _ => false,
        };
        if fits {
            places.push(pointer.to_owned());
        }
    });
    let name = format!("added{}", random.u32(..100_000));
    let Some(place) = document.pointer_mut(&places[random.usize(..places.len())]) else { return };
    if let Some(parameters) = place.get_mut("parameters").and_then(Value::as_array_mut) {
        parameters.push(serde_json::json!({"name": name, "in": "query", "schema": {"type": "string"}}));
    } else if let Some(properties) = place.get_mut("properties").and_then(Value::as_object_mut) {
        properties.insert(name, serde_json::json!({"type": "boolean"}));
    }
}

#[test]
fn hostile_descriptions_are_taken_over_or_left_without_a_panic() {
    const ROUNDS: usize = 6;
    let subjects = subjects();
    let mut random = Rng::with_seed(0x0068_6f73_7469_6c65);
    let subjects: Vec<&Subject> = subjects.values().collect();
    for round in 0..ROUNDS {
        let subject = subjects[random.usize(..subjects.len())];
        let mut broken = subject.description.clone();
        for _ in 0..random.usize(1..15) {
            break_one(&mut broken, &mut random);
        }
        let project = project("hostile", subject);
        let kept = actions(&project, subject);
        let (changes, updated) = run(&project, subject, &broken);
        write(&project, &updated);
        let gone = changes.iter().filter(|change| change.kind == crate::diff::kind::Kind::OperationRemoved).count();
        let now = actions(&project, subject);
        assert!(
            now.len() + gone >= kept.len(),
            "round {round}: {} of {} actions, {gone} operations gone",
            now.len(),
            kept.len()
        );
        let (_, again) = run(&project, subject, &broken);
        assert!(again.files.is_empty(), "round {round}: the second run changes {:?}", again.files.keys());
    }
}
