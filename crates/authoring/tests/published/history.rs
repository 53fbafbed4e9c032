//! Two versions that a vendor published of one description → what `spec diff` reports and what `spec update` takes over,
//! from a folder outside this repository.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Instant;

use serde_json::Value;
use toolwright_codegen::{Tree, generate};

use super::named_folder;
use crate::{PROGRAM, scratch, text};

/// Id, the former description and the later one, and the fewest differences that there are between them.
const VERSIONS: [(&str, &str, &str, usize); 2] = [
    ("pagerduty", "history/pagerduty-2025.json", "pagerduty.json", 500),
    ("jira", "history/jira-platform-2021-05.json", "history/jira-platform-2021-11.json", 150),
];

fn spec(folder: &Path, arguments: &[&str]) -> Output {
    let mut program = Command::new(PROGRAM);
    program.arg("spec").args(arguments).current_dir(folder).env("NO_COLOR", "1").output().unwrap()
}

/// Everything below `specs` and `generated` that an update may write.
fn files(project: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    fn below(folder: &Path, into: &mut Vec<(PathBuf, Vec<u8>)>) {
        let mut entries: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        entries.sort();
        for entry in entries {
            if entry.is_dir() {
                below(&entry, into);
            } else {
                let bytes = std::fs::read(&entry).unwrap();
                into.push((entry, bytes));
            }
        }
    }
    let mut files = Vec::new();
    for folder in ["specs", "generated"] {
        below(&project.join(folder), &mut files);
    }
    files
}

/// The changes that `spec diff` reports, as JSON.
fn changes(project: &Path, description: &str) -> Vec<Value> {
    let output = spec(project, &["diff", description, "--format", "json"]);
    assert!(output.status.code().is_some_and(|code| code <= 2), "{}", text(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    report["changes"].as_array().unwrap().clone()
}

#[test]
#[ignore = "needs TOOLWRIGHT_STRANGERS=<folder>"]
fn what_a_vendor_changed_is_reported_taken_over_and_generated() {
    let strangers = named_folder("TOOLWRIGHT_STRANGERS");
    for (id, old, new, fewest) in VERSIONS {
        let project = scratch(&format!("history-{id}"));
        for folder in ["specs", "generated"] {
            std::fs::create_dir(project.join(folder)).unwrap();
        }
        let (old, new) = (strangers.join(old), strangers.join(new));
        let (old, new) = (old.to_str().unwrap(), new.to_str().unwrap());
        let made = spec(&project, &["new", id, "--from", old]);
        assert!(made.status.success(), "{id}: {}", text(&made.stderr));

        let started = Instant::now();
        let reported = changes(&project, new);
        let compared = started.elapsed();
        assert!(reported.len() >= fewest, "{id}: {} changes", reported.len());
        let started = Instant::now();
        let update = ["update", "--api", id, "--from", new];
        let updated = spec(&project, &update);
        let took = started.elapsed();
        assert!(updated.status.success(), "{id}: {}", text(&updated.stderr));

        let left: Vec<Value> =
            changes(&project, new).into_iter().filter(|change| change["severity"] != "words").collect();
        println!("{id}: {} changes, compared in {compared:.0?}, taken over in {took:.0?}", reported.len());
        assert!(left.is_empty(), "{id}: {left:#?}");
        let tree: Tree =
            generate(&project.join("specs"), |_| true).unwrap_or_else(|errors| panic!("{id}: {errors}")).tree;
        assert!(tree.files().any(|(path, _)| path.ends_with("/tools.json")), "{id}");
        let before = files(&project);
        let again = spec(&project, &update);
        assert!(again.status.success(), "{id}: {}", text(&again.stderr));
        assert!(before == files(&project), "{id}: a second run changes something");
    }
}
