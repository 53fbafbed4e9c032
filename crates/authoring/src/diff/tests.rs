//! A corpus of changes to our own descriptions → the kinds that are found and the tools that are hit; and
//! what holds for every pair of descriptions.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use fastrand::Rng;
use serde_json::{Value, json};

use super::change::Change;
use super::hits::{self, Reach};
use super::kind::Kind;
use super::ours::{self, OurApi};
use super::{Differences, compare};
use crate::import;
use toolwright_model::SettingsFile;

/// The top of this repository.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// An API of ours and its description as the comparison reads it.
pub(crate) struct Subject {
    pub(crate) api: OurApi,
    pub(crate) description: Value,
}

pub(crate) fn subjects() -> BTreeMap<String, Subject> {
    let apis = ours::read(&repository().join("specs"), |_| true).unwrap();
    let subject = |api: OurApi| {
        let description = import::read(&repository().join(&api.file), &api.file).unwrap().document;
        (api.id.clone(), Subject { api, description })
    };
    apis.into_iter().map(subject).collect()
}

pub(crate) fn compared(old: &Value, new: &Value) -> Differences {
    compare(old, new, &|_, _, _| true)
}

pub(crate) fn mutations() -> Vec<Value> {
    let text = std::fs::read_to_string(fixture("mutations.yaml")).unwrap();
    serde_saphyr::from_str(&text).unwrap()
}

pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/drift").join(name)
}

/// Makes one change; see the head of mutations.yaml.
fn edit(document: &mut Value, base: &str, edit: &Value) {
    let pointer = |key: &str| {
        let at = edit[key].as_str()?;
        Some(if at.starts_with('/') { at.to_owned() } else { format!("{base}/{at}") })
    };
    let at = pointer("at").unwrap();
    let (parent, key) = at.rsplit_once('/').unwrap();
    let key = key.replace("~1", "/").replace("~0", "~");
    if let Some(value) = edit.get("push") {
        document.pointer_mut(&at).and_then(Value::as_array_mut).expect(&at).push(value.clone());
        return;
    }
    if let Some(value) = edit.get("set") {
        match document.pointer_mut(parent).expect(&at) {
            Value::Array(items) => items[key.parse::<usize>().unwrap()] = value.clone(),
            other => other[key] = value.clone(),
        }
        return;
    }
    let taken = match document.pointer_mut(parent).expect(&at) {
        Value::Array(items) => items.remove(key.parse::<usize>().unwrap()),
        other => other.as_object_mut().unwrap().shift_remove(&key).expect(&at),
    };
    if let Some(to) = pointer("to") {
        let (parent, key) = to.rsplit_once('/').unwrap();
        let key = key.replace("~1", "/").replace("~0", "~");
        document.pointer_mut(parent).expect(&to)[key] = taken;
    }
}

pub(crate) fn mutated(description: &Value, mutation: &Value) -> Value {
    let mut document = description.clone();
    let base = mutation["operation"].as_str().map(|operation| {
        let (method, path) = operation.split_once(' ').unwrap();
        toolwright_codegen::read::paths::operation_pointer(path, method)
    });
    for one in mutation["edits"].as_array().unwrap() {
        edit(&mut document, base.as_deref().unwrap_or_default(), one);
    }
    document
}

fn kinds(differences: &Differences) -> BTreeSet<&'static str> {
    differences.changes.iter().map(|change| change.kind.as_str()).collect()
}

fn expected_kinds(mutation: &Value, key: &str) -> BTreeSet<String> {
    mutation[key].as_array().unwrap().iter().map(|kind| kind.as_str().unwrap().to_owned()).collect()
}

#[test]
fn each_mutation_is_found_with_its_kind_and_tools() {
    let subjects = subjects();
    let settings: SettingsFile = toml::from_str("[profiles.desk]\nvendor = [\"jsm\"]\ntags = [\"all\"]\n").unwrap();
    let (mut found, mut wrong, mut seen) = (String::new(), Vec::new(), BTreeSet::new());
    let mutations = mutations();
    for mutation in &mutations {
        let subject = &subjects[mutation["api"].as_str().unwrap()];
        let what = mutation["what"].as_str().unwrap();
        let new = mutated(&subject.description, mutation);
        for (key, old, new) in [("forward", &subject.description, &new), ("back", &new, &subject.description)] {
            let mut differences = compared(old, new);
            hits::find(&mut differences.changes, &Reach { api: &subject.api, settings: &settings });
            let kinds = kinds(&differences);
            let expected = expected_kinds(mutation, key);
            if !kinds.iter().copied().eq(expected.iter().map(String::as_str)) && key == "forward" {
                wrong.push(format!("{what}, {key}: expected {expected:?}, found {kinds:?}"));
            }
            // Paging is known of our side only.
            if key == "back"
                && !kinds
                    .iter()
                    .filter(|kind| **kind != "paging-changed")
                    .copied()
                    .eq(expected.iter().map(String::as_str))
            {
                wrong.push(format!("{what}, {key}: expected {expected:?}, found {kinds:?}"));
            }
            seen.extend(kinds);
            if key == "forward" {
                let _ = writeln!(found, "{what}");
                differences.changes.iter().for_each(|change| line(change, &mut found));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(mutations.len() >= 60, "{} mutations", mutations.len());
    let missing: Vec<&str> = Kind::ALL.iter().map(|kind| kind.as_str()).filter(|kind| !seen.contains(kind)).collect();
    assert!(missing.is_empty(), "no mutation is of the kinds {missing:?}");
    let expected = fixture("expected.txt");
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        std::fs::write(&expected, &found).unwrap();
    }
    let expected = std::fs::read_to_string(expected).unwrap_or_default();
    let diff = similar::TextDiff::from_lines(&expected, &found);
    assert!(expected == found, "{}", diff.unified_diff().context_radius(3));
}

/// `breaking enum-narrowed, query mode: unclosed → nothing; jitbit_list_tickets (mode)`.
fn line(change: &Change, out: &mut String) {
    let Change { severity, kind, place, before, after, hits, .. } = change;
    let place = Some(place.to_string()).filter(|place| !place.is_empty());
    let place = place.map(|place| format!(", {place}")).unwrap_or_default();
    let shown = |value: &Option<String>| value.as_deref().unwrap_or("nothing").replace('\n', " / ");
    let tools: Vec<String> = hits
        .tools
        .iter()
        .map(|tool| {
            let argument = tool.argument.as_ref().map(|argument| format!(" ({argument})")).unwrap_or_default();
            format!("{} by {:?}{argument}", tool.name, tool.made_by)
        })
        .collect();
    let others = [
        ("concise", &hits.concise),
        ("paging", &hits.paging),
        ("looked up by it", &hits.resolve),
        ("samples", &hits.samples),
        ("named by", &hits.references),
        ("workflows", &hits.workflows),
        ("profiles", &hits.profiles),
    ];
    let others: Vec<String> = others
        .iter()
        .filter(|(_, all)| !all.is_empty())
        .map(|(name, all)| format!("; {name}: {}", all.join(", ")))
        .collect();
    let others = others.concat();
    let none = hits.no_tool.as_ref().map(|reason| format!("; {reason}")).unwrap_or_default();
    let _ = writeln!(
        out,
        "  {} {}{place}: {} → {}; {}{others}{none}",
        severity.as_str(),
        kind.as_str(),
        shown(before),
        shown(after),
        tools.join(", ")
    );
}

#[test]
fn a_description_does_not_differ_from_itself() {
    for (id, subject) in subjects() {
        let differences = compared(&subject.description, &subject.description.clone());
        assert!(differences.changes.is_empty(), "{id}: {:?}", differences.changes);
    }
}

#[test]
fn what_says_the_same_in_another_way_does_not_differ() {
    let schema = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
    let document = |id: Value, schemas: Value, schemes: Value, security: Value, parameters: [Value; 2]| {
        json!({
            "openapi": "3.0.3", "info": {"title": "A", "version": "1"},
            "paths": {"/a/{id}": {parameters[0]["on"].as_str().unwrap(): parameters[0]["is"], "get": {
                "parameters": parameters[1], "security": security,
                "responses": {"200": {"description": "", "content": {"application/json": {"schema": id}}}},
            }}},
            "components": {"schemas": schemas, "securitySchemes": schemes},
        })
    };
    let id = json!({"name": "id", "in": "path", "required": true, "schema": {"type": "string"}});
    let one = document(
        schema("Thing"),
        json!({"Thing": {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}, "next": schema("Thing")}}}),
        json!({"basic": {"type": "http", "scheme": "basic"}}),
        json!([{"basic": []}]),
        [json!({"on": "parameters", "is": [id]}), json!([])],
    );
    let other = document(
        json!({"allOf": [schema("Base"), {"properties": {"next": schema("Other")}}]}),
        json!({
            "Base": {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]},
            "Other": {"allOf": [schema("Base"), {"type": "object", "properties": {"next": schema("Other")}}]},
        }),
        json!({"password": {"type": "http", "scheme": "Basic"}}),
        json!([{"password": []}]),
        [json!({"on": "x-none", "is": null}), json!([id])],
    );
    assert_eq!(compared(&one, &other).changes, []);
}

/// Each round removes, renames or replaces values at random: there is a result, it is the same each time,
/// and the broken description does not differ from itself.
#[test]
fn hostile_descriptions_are_compared_without_a_panic() {
    const ROUNDS: usize = 20;
    let subjects = subjects();
    let mut random = Rng::with_seed(0x0064_7269_6674);
    let documents: Vec<&Value> = subjects.values().map(|subject| &subject.description).collect();
    for round in 0..ROUNDS {
        let original = documents[random.usize(..documents.len())];
        let mut broken = original.clone();
        for _ in 0..random.usize(1..20) {
            break_one(&mut broken, &mut random);
        }
        let first = compared(original, &broken);
        assert_eq!(first.changes, compared(original, &broken).changes, "round {round}");
        let itself = compared(&broken, &broken.clone());
        // Two operations of one method and path can't be in one file, so each finds itself.
        assert_eq!(itself.changes, [], "round {round}");
        compared(&broken, original);
    }
    for hostile in [
        json!(null),
        json!([]),
        json!({"paths": {"/a": {"get": 1, "put": {"parameters": {"x": 1}, "responses": [1]}}}}),
    ] {
        assert_eq!(compared(&hostile, &hostile.clone()).changes, []);
    }
}

/// Replaces, removes or redirects one value somewhere in the document.
pub(crate) fn break_one(value: &mut Value, random: &mut Rng) {
    let mut here = value;
    loop {
        let count = match &*here {
            Value::Object(object) => object.len(),
            Value::Array(items) => items.len(),
            _ => 0,
        };
        if count == 0 || random.usize(..8) == 0 {
            break;
        }
        let at = random.usize(..count);
        here = match here {
            Value::Object(object) => object.values_mut().nth(at).expect("below the count"),
            Value::Array(items) => &mut items[at],
            _ => unreachable!("it has no entries"),
        };
    }
    *here = match random.usize(..6) {
        0 => Value::Null,
        1 => json!({"$ref": "#/components/schemas/Nowhere"}),
        2 => json!({"$ref": "#"}),
        3 => json!([{}, "", 1]),
        4 => json!({"allOf": [{"$ref": "#/components/schemas/User"}, true]}),
        _ => json!("\u{202e}text"),
    };
}
