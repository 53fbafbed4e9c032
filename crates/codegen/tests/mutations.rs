//! Many broken variants of a real vendor's specs → files or findings; the generator never panics.

use std::path::Path;

use fastrand::Rng;
use serde_json::{Map, Value, json};
use toolwright_codegen::generate;

use crate::is_kind;

/// How many broken variants of Jitbit are tried.
const MUTATIONS: u64 = 300;
const THREADS: u64 = 2;
/// The draws are the same in every run.
const SEED: u64 = 0x006a_6974_6269_7400;

/// Each round removes, renames or replaces one value.
#[test]
fn broken_specs_never_panic() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../specs/jitbit");
    let read = |file: &str| std::fs::read_to_string(source.join(file)).unwrap();
    let documents: [(&str, Value); 4] = [
        ("api.yaml", smaller(serde_saphyr::from_str(&read("api.yaml")).unwrap())),
        ("overlay.yaml", serde_saphyr::from_str(&read("overlay.yaml")).unwrap()),
        ("vendor.toml", toml::from_str(&read("vendor.toml")).unwrap()),
        ("workflows.json", workflows()),
    ];
    let documents = without_dropped_targets(documents);
    std::thread::scope(|scope| {
        let documents = &documents;
        for thread in 0..THREADS {
            scope.spawn(move || break_in_many_ways(documents, thread));
        }
    });
}

fn break_in_many_ways(documents: &[(&str, Value)], thread: u64) {
    let specs = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("broken-specs-{thread}"));
    let target = specs.join("jitbit");
    std::fs::create_dir_all(&target).expect("cargo's folder for tests can be written");
    for (file, document) in documents {
        write(&target, file, document);
    }
    if let Err(errors) = generate(&specs, |_| true) {
        panic!("unbroken, it has faults: {errors}");
    }
    let mut random = Rng::with_seed(SEED + thread);
    for round in 0..MUTATIONS / THREADS {
        let (file, document) = &documents[random.usize(..documents.len())];
        let mut broken = document.clone();
        let what = mutate(&mut broken, &mut random);
        write(&target, file, &broken);
        let outcome = std::panic::catch_unwind(|| generate(&specs, |_| true));
        let right = outcome.is_ok_and(|outcome| outcome.err().is_none_or(|errors| !errors.is_empty()));
        assert!(right, "thread {thread}, round {round}, {file}: {what}: a panic, or a refusal without a finding");
        write(&target, file, document);
    }
}

/// The kinds of records that tools over the kept paths look up.
const RESOLVED: [&str; 3] = ["user", "department", "status"];

/// A few paths of each kind: the whole description takes too long three hundred times.
fn smaller(mut api: Value) -> Value {
    const KEPT: [&str; 13] = [
        "/api/UpdateTicket",
        "/api/UserByEmail",
        "/api/Authorization",
        "/api/Tickets",
        "/api/ticket",
        "/api/Close",
        "/api/attachment",
        "/api/AttachFile",
        "/api/SetCustomFields",
        "/api/Users",
        "/api/Assets",
        "/api/comment",
        "/api/TechsForCategory",
    ];
    if let Some(paths) = api["paths"].as_object_mut() {
        paths.retain(|path, _| KEPT.iter().any(|kept| path == kept));
        assert_eq!(paths.len(), KEPT.len(), "the paths have other names now");
    }
    api
}

/// A workflow over the paths that are kept, with each part that a file can state.
fn workflows() -> Value {
    json!({
        "arazzo": "1.0.1",
        "info": {"title": "Workflows", "version": "1"},
        "sourceDescriptions": [{"name": "jitbit", "url": "./api.yaml", "type": "openapi"}],
        "workflows": [{
            "workflowId": "closeAll",
            "description": "Close tickets.",
            "inputs": {
                "type": "object",
                "required": ["tickets"],
                "properties": {"tickets": {
                    "type": "array", "items": {"type": "integer"}, "description": "Numbers.",
                }},
            },
            "failureActions": [{"name": "again", "type": "retry", "retryAfter": 1, "retryLimit": 2}],
            "steps": [
                {
                    "stepId": "ticket",
                    "operationId": "getTicket",
                    "parameters": [{"name": "id", "in": "query", "value": "$inputs.tickets#/0"}],
                    "successCriteria": [
                        {"condition": "$statusCode == 200 && !($response.body#/Subject == null)"},
                        {"context": "$response.body", "condition": "$.Subject", "type": "jsonpath"},
                    ],
                    "outputs": {"ticket": "$response.body"},
                    "x-toolwright": {
                        "tool": "jitbit_get_ticket_record",
                        "optional": true,
                        "outputs": {"tags": {
                            "from": "$response.body#/Tags",
                            "where": [{"field": "/Name", "differs": "x"}],
                            "sort": ["/Name"], "limit": 5, "keep": {"tag": "/Name"},
                        }},
                    },
                },
                {
                    "stepId": "close",
                    "operationId": "closeTicket",
                    "dependsOn": ["ticket"],
                    "parameters": [{"name": "id", "in": "query", "value": "$item"}],
                    "onSuccess": [{"name": "end", "type": "end", "criteria": [{"condition": "$statusCode == 204"}]}],
                    "x-toolwright": {"foreach": {"over": "$inputs.tickets", "most": 10, "concurrency": 2}},
                },
            ],
            "outputs": {"subject": "$steps.ticket.outputs.ticket#/Subject", "tags": "$steps.ticket.outputs.tags"},
            "x-toolwright": {"name": "jitbit_close_all", "tags": ["tickets"], "phrases": ["close them all"]},
        }],
    })
}

fn without_dropped_targets(mut documents: [(&str, Value); 4]) -> [(&str, Value); 4] {
    let paths = documents[0].1["paths"].clone();
    if let Some(actions) = documents[1].1["actions"].as_array_mut() {
        actions.retain(|action| {
            let target = action["target"].as_str().unwrap_or_default();
            target.split('\'').nth(1).is_some_and(|path| paths.get(path).is_some())
        });
    }
    // The real finders and prompts name tools of the other paths.
    let vendor = &mut documents[2].1;
    vendor["finders"] = json!({"ticketId": ["jitbit_list_tickets"]});
    vendor["prompts"] = json!([]);
    if let Some(kinds) = vendor["resolve"].as_object_mut() {
        kinds.retain(|kind, _| RESOLVED.contains(&kind.as_str()));
        assert_eq!(kinds.len(), RESOLVED.len(), "the kinds have other names now");
    }
    if let Some(rules) = vendor["arguments"].as_array_mut() {
        rules.retain(|rule| rule["resolve"].as_str().is_none_or(|kind| RESOLVED.contains(&kind)));
    }
    documents
}

fn write(folder: &Path, file: &str, document: &Value) {
    let text = match document.as_object() {
        Some(table) if is_kind(file, "toml") => {
            table.iter().filter_map(|(key, value)| Some(format!("{key:?} = {}\n", inline_toml(value)?))).collect()
        }
        // JSON is YAML too.
        _ => document.to_string(),
    };
    std::fs::write(folder.join(file), text).expect("cargo's folder for tests can be written");
}

/// A value as TOML writes it within a line; TOML has no null.
fn inline_toml(value: &Value) -> Option<String> {
    Some(match value {
        Value::Null => return None,
        Value::Array(items) => format!("[{}]", items.iter().filter_map(inline_toml).collect::<Vec<_>>().join(", ")),
        Value::Object(table) => {
            let entries = table.iter().filter_map(|(key, value)| Some(format!("{key:?} = {}", inline_toml(value)?)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
        scalar => scalar.to_string(),
    })
}

/// Breaks the document at one place; returns what was done.
fn mutate(document: &mut Value, random: &mut Rng) -> String {
    let mut places = Vec::new();
    collect(document, "", &mut places);
    let pointer = places.swap_remove(random.usize(..places.len()));
    if random.usize(..5) == 0
        && let Some((parent, key)) = pointer.rsplit_once('/')
        && let Some(Value::Object(object)) = document.pointer_mut(parent)
    {
        const NAMES: [&str; 8] = ["", "$ref", "/a/{b", "/{x}/{x}", "get", "x-toolwright", "2é", "allOf"];
        let new = NAMES[random.usize(..NAMES.len())];
        let value = object.shift_remove(&key.replace("~1", "/").replace("~0", "~"));
        object.insert(new.to_owned(), value.expect("it was collected from this document"));
        return format!("{pointer} is renamed to {new:?}");
    }
    if random.usize(..3) == 0
        && let Some((parent, key)) = pointer.rsplit_once('/')
    {
        match document.pointer_mut(parent) {
            Some(Value::Object(object)) => {
                object.shift_remove(&key.replace("~1", "/").replace("~0", "~"));
            }
            Some(Value::Array(items)) => {
                items.remove(key.parse().expect("the items of a list are numbered"));
            }
            _ => unreachable!("what has something below it is an object or a list"),
        }
        return format!("{pointer} is removed");
    }
    let mut values = vec![
        Value::Null,
        json!(true),
        json!(-1),
        json!(1.5),
        json!(u64::MAX),
        json!(""),
        json!("é"),
        json!("{x}"),
        json!("#/components"),
        json!("a\nb\0"),
        json!([]),
        json!([null, {"$ref": "#/components/schemas/None"}]),
        json!({}),
        json!({"$ref": "#"}),
        json!({"type": "array"}),
        json!({"name": "type", "in": "query", "schema": {"type": "object"}}),
    ];
    let value = values.swap_remove(random.usize(..values.len()));
    let what = format!("{pointer} becomes {value}");
    *document.pointer_mut(&pointer).expect("it was collected from this document") = value;
    what
}

fn collect(value: &Value, pointer: &str, places: &mut Vec<String>) {
    places.push(pointer.to_owned());
    let below: Map<String, Value> = match value {
        Value::Object(object) => object.clone(),
        Value::Array(items) => {
            items.iter().enumerate().map(|(index, item)| (index.to_string(), item.clone())).collect()
        }
        _ => return,
    };
    for (key, value) in &below {
        collect(value, &format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1")), places);
    }
}
