//! The vendors' published descriptions, which lie beside the checkout and are never part of it:
//! random arguments for every tool made of them, against the sandbox. What the sandbox refuses is
//! accounted for operation by operation, or fails.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use toolwright::call::Failure;
use toolwright::catalog::{Catalog, Entry};
use toolwright::error::CallError;
use toolwright::policy::Defaults;
use toolwright_model::Place;

use crate::arrival::Arrival;
use crate::common::{everything, sandbox, toolbox};
use crate::draw::{self, Random, Samples};
use crate::project::{Project, Vendor, say};

/// Vendor in the scratch project, and the file of each of its APIs.
const PUBLISHED: [(&str, &[&str]); 3] = [
    ("jumpcloud", &["jumpcloud-v1.swagger2.json", "jumpcloud-v2.swagger2.json", "jumpcloud-insights.swagger2.json"]),
    ("jira", &["jira-platform.openapi3.json"]),
    ("jsm", &["jsm-servicedesk.openapi3.json"]),
];

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

/// The vendors of the scratch project; none, said aloud, where the files are missing.
pub(crate) fn vendors(project: &Project) -> Vec<Vendor> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/vendor-specs");
    if !folder.is_dir() {
        say("scratch: SKIPPED: no vendor descriptions at ../shared/vendor-specs beside the checkout");
        return Vec::new();
    }
    let new = |(id, files): &(&str, &[&str])| {
        let paths: Vec<_> = files.iter().map(|file| folder.join(file)).collect();
        project.new_vendor(id, &paths.iter().map(PathBuf::as_path).collect::<Vec<_>>())
    };
    PUBLISHED.iter().map(new).collect()
}

/// What became of the draws of one tool.
#[derive(Default)]
struct Count {
    accepted: u64,
    kept: u64,
    refused: u64,
}

#[tokio::test]
#[ignore = "runs in the scratch project, where these vendors are compiled in"]
async fn published_operations_take_what_their_schemas_allow() {
    let sandbox = sandbox(None).await;
    let toolbox = toolbox(&sandbox, &everything(), Defaults::Everything);
    let catalog = Catalog::compiled();
    let compiled: BTreeSet<&str> = catalog.vendors().iter().map(|vendor| vendor.id.as_str()).collect();
    let excuses: BTreeMap<&str, &str> = EXCUSED.into_iter().collect();
    let mut faults = String::new();
    let mut used = BTreeSet::new();
    for (vendor, _) in PUBLISHED.iter().filter(|(vendor, _)| compiled.contains(vendor)) {
        let mut all = Count::default();
        let mut tools = 0;
        for entry in catalog.entries().iter().filter(|entry| entry.vendor == *vendor) {
            tools += 1;
            let schema = drawable(entry);
            let operation = &entry.tool.calls[0].operation;
            let mut count = Count::default();
            let mut seed = 0;
            // What a guard keeps is drawn again: so many draws reach the sandbox.
            while count.accepted + count.refused < CASES && count.kept < 8 * CASES {
                seed += 1;
                let mut arguments = draw::arguments(&schema, &Samples::new(), &mut Random::new(seed));
                arguments.retain(|name, _| !entry.tool.is_own_argument(name));
                let shown = Value::Object(arguments.clone());
                let called = toolbox.call(&entry.tool.name, arguments).await;
                let recorded = sandbox.take_record().pop();
                match (called, recorded) {
                    (Ok(_), Some(recorded)) => {
                        count.accepted += 1;
                        let arrival = Arrival::read(&recorded);
                        for (argument, value) in shown.as_object().into_iter().flatten() {
                            if let Some(lost) = arrival.misses(value) {
                                let _ = writeln!(faults, "{operation}: `{argument}`: {lost} did not arrive: {shown}");
                            }
                        }
                    }
                    (Err(Failure::Call(CallError::NotSent(_))), None) => count.kept += 1,
                    (called, _) => {
                        count.refused += 1;
                        if excuses.contains_key(operation.as_str()) {
                            used.insert(operation.clone());
                        } else {
                            let failure = called.err().map(|failure| failure.to_string()).unwrap_or_default();
                            let _ = writeln!(faults, "{operation} {shown}: {failure}");
                        }
                    }
                }
            }
            if count.accepted + count.refused < CASES {
                let _ = writeln!(faults, "{operation}: only {} draws passed the guards", count.accepted);
            }
            all = Count {
                accepted: all.accepted + count.accepted,
                kept: all.kept + count.kept,
                refused: all.refused + count.refused,
            };
        }
        say(&format!(
            "scratch: {vendor}: {tools} tools, {} draws accepted, {} refused, {} kept by a guard and drawn again",
            all.accepted, all.refused, all.kept
        ));
    }
    for (operation, why) in EXCUSED.iter().filter(|(operation, _)| !used.contains(*operation)) {
        let _ = writeln!(faults, "{operation} is excused ({why}) and nothing of it was refused: take the line out");
    }
    assert!(faults.is_empty(), "{faults}");
}

/// The tool's schema with values to choose from where the type alone does not make one.
fn drawable(entry: &Entry) -> Value {
    let mut schema = Value::Object(entry.tool.parsed_input_schema());
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
