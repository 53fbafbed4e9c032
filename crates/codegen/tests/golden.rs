//! Small specs folders → the files or the errors that the generator makes of them, byte for byte:
//! `fixtures/<case>/specs` → `fixtures/<case>/expected`. The name of a case begins with its group.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::json;
use similar::TextDiff;
use toolwright_codegen::{Difference, Generated, Tree, generate};

/// The command that makes what comes out what is expected.
const ACCEPT: &str = "UPDATE_EXPECTED=1 cargo test -p toolwright-codegen";

/// Each has a test below; the groups whose name begins with `bad-` expect errors.
const GROUPS: [&str; 9] = [
    "requests-",
    "tools-",
    "specs-",
    "workflows-",
    "bad-vendor-",
    "bad-description-",
    "bad-overlay-",
    "bad-tools-",
    "bad-workflows-",
];

#[test]
fn requests() {
    check_group("requests-");
}

#[test]
fn tools() {
    check_group("tools-");
}

#[test]
fn specs() {
    check_group("specs-");
}

#[test]
fn workflows() {
    check_group("workflows-");
}

#[test]
fn bad_workflows() {
    check_group("bad-workflows-");
}

#[test]
fn bad_vendor() {
    check_group("bad-vendor-");
}

#[test]
fn bad_description() {
    check_group("bad-description-");
}

#[test]
fn bad_overlay() {
    check_group("bad-overlay-");
}

#[test]
fn bad_tools() {
    check_group("bad-tools-");
}

#[test]
fn every_case_is_in_one_group() {
    for case in cases() {
        let groups = GROUPS.iter().filter(|group| name(&case).starts_with(**group)).count();
        assert_eq!(groups, 1, "the case {} is in {groups} groups", name(&case));
    }
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

fn cases() -> Vec<PathBuf> {
    let mut cases: Vec<PathBuf> = std::fs::read_dir(fixtures())
        .expect("the fixtures are part of the project")
        .map(|entry| entry.expect("a folder can be listed").path())
        .filter(|path| path.is_dir())
        .collect();
    cases.sort();
    cases
}

fn name(case: &Path) -> &str {
    case.file_name().and_then(|name| name.to_str()).expect("fixtures have plain names")
}

fn check_group(group: &str) {
    let cases: Vec<PathBuf> = cases().into_iter().filter(|case| name(case).starts_with(group)).collect();
    assert!(!cases.is_empty(), "no case is named {group}…");
    let failures: Vec<String> = cases.iter().filter_map(|case| check(case).err()).collect();
    let (failed, all) = (failures.len(), cases.len());
    assert!(
        failures.is_empty(),
        "{failed} of {all} cases differ:\n\n{}\nhint: to accept: {ACCEPT}",
        failures.join("\n")
    );
}

/// Compares what a case gives with what it expects.
fn check(case: &Path) -> Result<(), String> {
    let expected = case.join("expected");
    let name = name(case);
    let found = match (generate(&case.join("specs"), |_| true), name.starts_with("bad-")) {
        (Ok(generated), false) => {
            syn::parse_file(&generated.index).map_err(|error| format!("{name}: index.rs is no Rust: {error}\n"))?;
            good(&generated, name, &expected)
        }
        (Err(errors), true) => {
            let mut tree = Tree::default();
            tree.insert("error.txt", errors.to_string());
            tree
        }
        (Ok(_), true) => return Err(format!("{name}: no errors, but cases named `bad-` expect some\n")),
        (Err(errors), false) => return Err(format!("{name}: {errors}\n")),
    };
    if std::env::var_os("UPDATE_EXPECTED").is_some_and(|value| value == "1") {
        found.replace(&expected).map_err(|error| error.to_string())?;
        return Ok(());
    }
    if !expected.is_dir() {
        return Err(format!("{name}: it has no folder `expected`\n"));
    }
    let differences = found.compare(&expected).map_err(|error| error.to_string())?;
    if differences.is_empty() { Ok(()) } else { Err(show(name, &differences, &found)) }
}

/// The files of a case with one API are in `expected` itself. The sandbox table and the answers are compared where the case
/// has them, and the index where the case is about the layout of specs/.
fn good(generated: &Generated, name: &str, expected: &Path) -> Tree {
    let folder = |path: &str| path.split('/').next().unwrap_or_default().to_owned();
    let mut apis: Vec<String> = generated.tree.files().map(|(path, _)| folder(path)).collect();
    apis.dedup();
    let mut tree = Tree::default();
    for (path, text) in generated.tree.files() {
        let path = if apis.len() == 1 { path.split_once('/').map_or(path, |(_, file)| file) } else { path };
        let compared = match path.rsplit('/').next() {
            Some("sandbox.json" | "answers.json") => expected.join(path).exists(),
            // What becomes of the vendor itself is shown by the other groups.
            _ if name.starts_with("workflows-") => path.starts_with("workflows/"),
            _ => true,
        };
        if compared {
            tree.insert(path, text);
        }
    }
    if !generated.samples.is_empty() {
        tree.insert("samples.json", format!("{:#}", json!(generated.samples)));
    }
    if name.starts_with("specs-") || name == "workflows-across" {
        tree.insert("index.rs", generated.index.as_str());
    }
    tree
}

fn show(name: &str, differences: &BTreeMap<String, Difference>, found: &Tree) -> String {
    let mut out = String::new();
    for (path, difference) in differences {
        let (what, before, after) = match difference {
            Difference::Missing => ("is not expected", "", found.get(path).unwrap_or_default()),
            Difference::LeftOver => ("is expected and was not made", "", ""),
            Difference::Changed(before) => ("differs", before.as_str(), found.get(path).unwrap_or_default()),
        };
        let _ = writeln!(out, "{name}: {path} {what}");
        out += &TextDiff::from_lines(before, after).unified_diff().header("expected", "found").to_string();
    }
    out
}
