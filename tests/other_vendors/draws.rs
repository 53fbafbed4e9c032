//! Random arguments for every tool of the vendors' published descriptions → requests that the
//! sandbox accepts and that hold every argument. An operation of which the sandbox refuses
//! requests is listed with the reason, or the test fails.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use fastrand::Rng;
use serde_json::{Map, Value, json};
use toolwright::call::{Failure, Toolbox};
use toolwright::catalog::{Catalog, CatalogEntry};
use toolwright::error::CallError;
use toolwright::policy::Defaults;
use toolwright::sandbox::Sandbox;
use toolwright_model::Place;

use super::report;
use crate::common::arrival::Arrival;
use crate::common::draw::{self, Samples};
use crate::common::{everything, sandbox, toolbox};

/// Draws for each tool that must reach the sandbox.
const CASES: u64 = 8;

/// Values for the patterns that the descriptions state.
const PATTERNS: [(&str, &[&str]); 2] = [
    ("^[0-9]{6}$", &["000000", "123456"]),
    ("^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$", &["aGVsbG8=", "AAAA"]),
];

/// Path arguments are one segment each: what they may hold and what must not break out of it.
const SEGMENTS: [&str; 8] = ["42", "a b", "a/b", "%2F", "ü", "100%", "a?b#c", "..x"];

/// The protocol takes blanks off both ends of a header and has no line breaks in it.
const HEADERS: [&str; 4] = ["42", "a b", "a=b&c=d", "100%"];

/// The operations of which the sandbox refuses draws, and why that is no fault of ours.
const EXCUSED: [(&str, &str); 5] = [
    ("bulkSetIssuePropertiesByIssue", MOST_PROPERTIES),
    ("bulkSetIssuesPropertiesList", MOST_PROPERTIES),
    ("getRecent", OBJECTS_IN_QUERY),
    ("searchProjects", OBJECTS_IN_QUERY),
    ("setDefaultValues", "each value is one of many kinds of object; a portable schema offers their union"),
];

const MOST_PROPERTIES: &str = "an object takes ten properties at most, for which a portable schema has no word";
const OBJECTS_IN_QUERY: &str = "a query parameter is a list of objects, which OpenAPI gives no way to write";

/// What became of the draws of some tools.
#[derive(Default)]
struct Count {
    accepted: u64,
    /// Kept by a guard before anything was sent, and drawn again.
    kept: u64,
    refused: u64,
}

/// What the draws show.
#[derive(Default)]
struct Findings {
    /// Draws that were refused or arrived incomplete, a line each.
    faults: String,
    /// The excused operations of which a draw was refused.
    excused: BTreeSet<&'static str>,
}

#[tokio::test]
#[ignore = "runs in a copy of this project, started by crates/authoring/tests/published"]
async fn every_operation_accepts_what_its_schema_allows() {
    let sandbox = sandbox(None).await;
    let toolbox = toolbox(&sandbox, &everything(), Defaults::Everything);
    let catalog = Catalog::compiled();
    let mut findings = Findings::default();
    for vendor in catalog.vendors() {
        let tools: Vec<&CatalogEntry> = catalog.entries().iter().filter(|entry| entry.vendor == vendor.id).collect();
        assert!(!tools.is_empty(), "{} has no tools", vendor.id);
        let mut all = Count::default();
        for entry in &tools {
            let count = draw(entry, &toolbox, &sandbox, &mut findings).await;
            all.accepted += count.accepted;
            all.kept += count.kept;
            all.refused += count.refused;
        }
        report(&format!(
            "{}: {} tools, {} draws accepted, {} refused, {} kept by a guard and drawn again",
            vendor.id,
            tools.len(),
            all.accepted,
            all.refused,
            all.kept
        ));
    }
    let Findings { mut faults, excused } = findings;
    for (operation, why) in EXCUSED.iter().filter(|(operation, _)| !excused.contains(operation)) {
        let _ = writeln!(faults, "{operation} is excused ({why}) and nothing of it was refused: remove the line");
    }
    assert!(faults.is_empty(), "{faults}");
}

/// Draws arguments for one tool until enough of them reach the sandbox.
async fn draw(entry: &CatalogEntry, toolbox: &Toolbox, sandbox: &Sandbox, findings: &mut Findings) -> Count {
    let schema = drawable(entry);
    let operation = &entry.tool.calls[0].operation;
    let excuse = EXCUSED.iter().map(|(operation, _)| *operation).find(|excused| excused == operation);
    let mut count = Count::default();
    let mut seed = 0;
    while count.accepted + count.refused < CASES && count.kept < 8 * CASES {
        seed += 1;
        let mut arguments = draw::arguments(&schema, &Samples::new(), &mut Rng::with_seed(seed));
        arguments.retain(|name, _| !entry.tool.is_own_argument(name));
        let shown = Value::Object(arguments.clone());
        let called = toolbox.call(&entry.tool.name, arguments).await;
        match (called, sandbox.take_record().pop()) {
            (Ok(_), Some(recorded)) => {
                count.accepted += 1;
                let arrival = Arrival::read(&recorded);
                for (argument, value) in shown.as_object().into_iter().flatten() {
                    if let Some(lost) = arrival.misses(value) {
                        let _ = writeln!(findings.faults, "{operation}: `{argument}`: no {lost} arrived: {shown}");
                    }
                }
            }
            (Err(Failure::Call(CallError::NotSent(_))), None) => count.kept += 1,
            // A guard of paths, which a schema can't state.
            (Err(failure), None) if failure.to_string().contains("can be a part of an address") => count.kept += 1,
            (called, _) => {
                count.refused += 1;
                if let Some(excuse) = excuse {
                    findings.excused.insert(excuse);
                } else {
                    let failure = called.err().map(|failure| failure.to_string()).unwrap_or_default();
                    let _ = writeln!(findings.faults, "{operation} {shown}: {failure}");
                }
            }
        }
    }
    if count.accepted + count.refused < CASES {
        let _ = writeln!(findings.faults, "{operation}: only {} draws passed the guards", count.accepted);
    }
    count
}

/// The tool's schema with values to choose from where the type alone does not make one.
fn drawable(entry: &CatalogEntry) -> Value {
    let mut schema = Value::Object(entry.tool.checked_schema());
    for binding in &entry.tool.calls[0].bindings {
        let values: &[&str] = match binding.place {
            Place::Path(_) => &SEGMENTS,
            Place::Header(_) => &HEADERS,
            _ => continue,
        };
        if let Some(Value::Object(argument)) =
            schema.pointer_mut(&format!("/properties/{}", pointer(&binding.argument)))
        {
            let plain = argument.get("type") == Some(&json!("string"))
                && ["enum", "format", "pattern", "maxLength"].iter().all(|key| !argument.contains_key(*key));
            if plain {
                argument.insert("enum".to_owned(), json!(values));
            }
        }
    }
    with_samples(&mut schema);
    schema
}

fn pointer(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

fn with_samples(schema: &mut Value) {
    let Value::Object(node) = schema else { return };
    if let Some(pattern) = node.get("pattern").and_then(Value::as_str) {
        let samples = PATTERNS.iter().find(|(known, _)| *known == pattern);
        let (_, samples) = samples.unwrap_or_else(|| panic!("no values are listed for the pattern {pattern}"));
        let enumerated = json!(samples);
        node.insert("enum".to_owned(), enumerated);
    }
    node.get_mut("items").into_iter().for_each(with_samples);
    node.get_mut("additionalProperties").into_iter().for_each(with_samples);
    let properties = node.get_mut("properties").and_then(Value::as_object_mut).map(Map::values_mut);
    properties.into_iter().flatten().for_each(with_samples);
}
