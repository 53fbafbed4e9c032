//! The vendors' published descriptions, which lie beside the checkout and are never part of it:
//! each goes through lint and new, and what comes out through the generator. Where they are
//! missing this says so and passes. The emitted code is not compiled here.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a fault fails the test, and figures are shown"
)]

#[path = "common/portable.rs"]
mod portable;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::Value;
use toolwright_codegen::{Tree, generate, import};
use toolwright_model::ApiTools;

/// File, id, operations.
const PUBLISHED: [(&str, &str, usize); 5] = [
    ("jumpcloud-insights.swagger2.json", "insights", 7),
    ("jumpcloud-v1.swagger2.json", "one", 57),
    ("jsm-servicedesk.openapi3.json", "desk", 69),
    ("jumpcloud-v2.swagger2.json", "two", 299),
    ("jira-platform.openapi3.json", "platform", 595),
];

/// Of a hundred operations, so many at least become tools.
const LEAST: usize = 99;

fn published() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/vendor-specs");
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: no vendor descriptions at ../shared/vendor-specs beside the checkout");
    None
}

#[test]
fn published_descriptions_become_tools() {
    let Some(published) = published() else { return };
    let specs = Path::new(env!("CARGO_TARGET_TMPDIR")).join("vendor-specs");
    let _ = std::fs::remove_dir_all(&specs);
    let (mut operations, mut reached) = (0, 0);
    for (file, id, expected) in PUBLISHED {
        let started = Instant::now();
        let description = import::read(&published.join(file), file).unwrap_or_else(|errors| panic!("{errors}"));
        let lint = import::lint(&description, file, id, None).unwrap_or_else(|errors| panic!("{errors}"));
        assert_eq!(lint.operations, expected, "{file}");
        accounted_for(&lint, file);
        for finding in &lint.findings {
            assert!(!matches!(finding.kind, "portability" | "fault"), "{file}: {}: {}", finding.place, finding.what);
        }
        let tree = folder(&description, file, id);
        tree.write_to(&specs.join(id)).unwrap();
        let made = started.elapsed();

        let started = Instant::now();
        let generated = generate(&specs, |vendor| vendor == id).unwrap_or_else(|errors| panic!("{errors}"));
        let lines: usize = generated
            .tree
            .files()
            .filter(|(path, _)| Path::new(path).extension().is_some_and(|kind| kind == "rs"))
            .map(|(_, text)| text.lines().count())
            .sum();
        let text = generated.tree.get(&format!("{id}/tools.json")).unwrap();
        let tools: ApiTools = serde_json::from_str(text).unwrap();
        let calls: BTreeSet<&str> =
            tools.tools.iter().flat_map(|tool| &tool.calls).map(|call| call.operation.as_str()).collect();
        for tool in &tools.tools {
            let schema = Value::Object(tool.parsed_input_schema());
            portable::input_schema(&schema).unwrap_or_else(|fault| panic!("{file}: {}: {fault}", tool.name));
            assert!(!tool.reviewed() && tool.tags.contains("unreviewed"), "{}: nobody has looked", tool.name);
        }
        println!(
            "{file}: {expected} operations, {} tools, lint and new {made:.1?}, generate {:.1?}, {lines} lines of Rust, {} bytes of YAML",
            tools.tools.len(),
            started.elapsed(),
            tree.get("api.yaml").unwrap_or_default().len(),
        );
        operations += expected;
        reached += calls.len();
    }
    assert!(reached * 100 >= operations * LEAST, "{reached} of {operations} operations become tools");
}

fn folder(description: &import::Description, file: &str, id: &str) -> Tree {
    let source = import::Source { api: "api", file, description };
    import::folder(&[source], id, &|_, _, _| true).unwrap_or_else(|errors| panic!("{errors}")).tree
}

/// Every operation is a tool or skipped with a reason.
fn accounted_for(lint: &import::Lint, file: &str) {
    let mut seen: BTreeSet<(&str, &str)> =
        lint.tools.iter().map(|tool| (tool.method.as_str(), tool.path.as_str())).collect();
    for skipped in &lint.skipped {
        assert!(!skipped.why.is_empty(), "{file}: {} {}", skipped.method, skipped.path);
        seen.insert((&skipped.method, &skipped.path));
    }
    assert_eq!(seen.len(), lint.operations, "{file}: operations that are neither tool nor skipped");
}

/// No sentence of a vendor's comes over: none of its texts of some length stands in what is written.
#[test]
fn no_sentence_of_a_vendor_is_taken_over() {
    let Some(published) = published() else { return };
    for (file, id, _) in &PUBLISHED[..3] {
        let description = import::read(&published.join(file), file).unwrap_or_else(|errors| panic!("{errors}"));
        let tree = folder(&description, file, id);
        let written: String = tree.files().map(|(_, text)| text).collect();
        let source: Value = serde_json::from_str(&std::fs::read_to_string(published.join(file)).unwrap()).unwrap();
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
