//! Published descriptions → what `spec lint` reports, what `spec new` writes, and what the
//! generator makes of that. The emitted code is not compiled here.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Instant;

use serde_json::Value;
use toolwright_codegen::generate;
use toolwright_model::ApiTools;

use super::published;
use crate::{PROGRAM, scratch, text};

/// File, id, operations.
const PUBLISHED: [(&str, &str, usize); 6] = [
    ("jumpcloud-insights.swagger2.json", "insights", 7),
    ("jumpcloud-v1.swagger2.json", "one", 57),
    ("jsm-servicedesk.openapi3.json", "desk", 69),
    ("jumpcloud-v2.swagger2.json", "two", 299),
    ("jsm-assets.openapi3.json", "assets", 54),
    ("jira-platform.openapi3.json", "platform", 595),
];

/// The fewest of a hundred operations that become tools.
const LEAST: usize = 99;

fn spec(folder: &Path, arguments: &[&str], description: &Path) -> Output {
    let mut program = Command::new(PROGRAM);
    program.arg("spec").args(arguments).arg(description).current_dir(folder).env("NO_COLOR", "1").output().unwrap()
}

/// What `spec new` writes for one description: a folder like the project's top.
fn new_vendor(test: &str, id: &str, description: &Path) -> PathBuf {
    let folder = scratch(&format!("published-{test}-{id}"));
    std::fs::create_dir(folder.join("specs")).unwrap();
    let output = spec(&folder, &["new", id, "--from"], description);
    assert!(output.status.success(), "{id}: {}", text(&output.stderr));
    folder
}

#[test]
#[ignore = "needs TOOLWRIGHT_VENDOR_SPECS=<folder>"]
fn published_descriptions_become_tools() {
    let published = published();
    let (mut operations, mut reached) = (0, 0);
    for (file, id, expected) in PUBLISHED {
        let started = Instant::now();
        lint(&published.join(file), id, expected);
        let folder = new_vendor("tools", id, &published.join(file));
        let made = started.elapsed();

        let started = Instant::now();
        let generated = generate(&folder.join("specs"), |_| true).unwrap_or_else(|errors| panic!("{file}: {errors}"));
        let generation = started.elapsed();
        let files: Vec<(&str, &str)> = generated.tree.files().collect();
        let code = files.iter().filter(|(path, _)| Path::new(path).extension().is_some_and(|kind| kind == "rs"));
        let lines: usize = code.map(|(_, text)| text.lines().count()).sum();
        let (_, tools) = files.iter().find(|(path, _)| path.ends_with("/tools.json")).unwrap();
        let ApiTools { tools, .. } = serde_json::from_str(tools).unwrap();
        for tool in &tools {
            assert!(!tool.reviewed() && tool.tags.contains("unreviewed"), "{}: counts as reviewed", tool.name);
        }
        let calls = tools.iter().flat_map(|tool| &tool.calls);
        let called: BTreeSet<&str> = calls.map(|call| call.operation.as_str()).collect();
        println!(
            "{file}: {expected} operations, {} tools, lint and new {made:.1?}, generate {generation:.1?}, {lines} lines of Rust",
            tools.len(),
        );
        operations += expected;
        reached += called.len();
    }
    assert!(reached * 100 >= operations * LEAST, "{reached} of {operations} operations become tools");
}

/// Every operation is a tool or skipped with a reason, and every tool is portable.
fn lint(description: &Path, id: &str, operations: usize) {
    let folder = scratch(&format!("published-lint-{id}"));
    let output = spec(&folder, &["lint", "--format", "json", "--name", id], description);
    let lint: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{id}: {}", text(&output.stderr)));
    assert_eq!(lint["operations"], operations, "{id}");
    let lines = |list: &str| lint[list].as_array().unwrap().iter();
    for skipped in lines("skipped") {
        assert_ne!(skipped["why"], "", "{id}: {skipped}");
    }
    let place = |line: &Value| (line["method"].to_string(), line["path"].to_string());
    let seen: BTreeSet<(String, String)> = lines("tools").chain(lines("skipped")).map(place).collect();
    assert_eq!(seen.len(), operations, "{id}: operations that are neither tool nor skipped");
    for finding in lines("findings") {
        assert!(finding["kind"] != "portability" && finding["kind"] != "fault", "{id}: {finding}");
    }
}

/// None of a vendor's texts of some length is in what is written.
#[test]
#[ignore = "needs TOOLWRIGHT_VENDOR_SPECS=<folder>"]
fn no_sentence_of_a_vendor_is_taken_over() {
    let published = published();
    for (file, id, _) in &PUBLISHED[..3] {
        let folder = new_vendor("sentences", id, &published.join(file)).join("specs").join(id);
        let files = std::fs::read_dir(folder).unwrap();
        let written: String = files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect();
        let source: Value = serde_json::from_slice(&std::fs::read(published.join(file)).unwrap()).unwrap();
        let mut texts = Vec::new();
        sentences(&source, "", &mut texts);
        assert!(texts.len() > 10, "{file}: no sentences to look for");
        for text in texts {
            assert!(!written.contains(&text), "{file}: `{text}` is the vendor's");
        }
    }
}

fn sentences(value: &Value, key: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(object) => object.iter().for_each(|(key, entry)| sentences(entry, key, found)),
        Value::Array(items) => items.iter().for_each(|item| sentences(item, key, found)),
        Value::String(text) if matches!(key, "description" | "summary") && text.contains(' ') && text.len() > 20 => {
            found.push(text.clone());
        }
        _ => {}
    }
}
