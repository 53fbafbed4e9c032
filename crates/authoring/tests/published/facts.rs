//! specs/ against what the vendors publish → operations, parameters and sentences that differ or
//! are the same.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use super::published;
use crate::repository;

/// Our file, theirs, and what the two share.
struct Pair {
    ours: &'static str,
    theirs: &'static str,
    /// The fewest operations that are in our file; the number of theirs where all are.
    least: usize,
}

const PAIRS: [Pair; 5] = [
    Pair { ours: "jsm/servicedesk.yaml", theirs: "jsm-servicedesk.openapi3.json", least: 69 },
    Pair { ours: "jsm/platform.yaml", theirs: "jira-platform.openapi3.json", least: 120 },
    Pair { ours: "jumpcloud/v1.yaml", theirs: "jumpcloud-v1.swagger2.json", least: 57 },
    Pair { ours: "jumpcloud/v2.yaml", theirs: "jumpcloud-v2.swagger2.json", least: 299 },
    Pair { ours: "jumpcloud/insights.yaml", theirs: "jumpcloud-insights.swagger2.json", least: 7 },
];

const METHODS: [&str; 7] = ["get", "put", "post", "delete", "options", "head", "patch"];

/// Headers that HTTP itself carries; a description may name them or not.
const TRANSPORT: [&str; 3] = ["accept", "content-type", "authorization"];
/// Headers that the vendor demands in its prose and does not declare.
const UNDECLARED: [&str; 2] = ["x-experimentalapi", "x-atlassian-token"];

/// Shorter sentences are the same by chance.
const OWN_WORDS: usize = 6;

/// An operation's parameters: where and by which name, and whether it is required.
type Parameters = BTreeMap<(String, String), bool>;

struct Description {
    root: Value,
}

impl Description {
    fn ours(name: &str) -> Option<Self> {
        let path = repository().join("specs").join(name);
        let text = std::fs::read_to_string(path).ok()?;
        Some(Self { root: serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}")) })
    }

    fn theirs(path: &Path) -> Self {
        Self { root: serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap() }
    }

    fn resolved<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value.get("$ref").and_then(Value::as_str) {
            Some(reference) => {
                let pointer = reference.trim_start_matches('#');
                self.resolved(self.root.pointer(pointer).unwrap_or_else(|| panic!("{reference} leads nowhere")))
            }
            None => value,
        }
    }

    /// Method and path → parameters, as they travel.
    fn operations(&self) -> BTreeMap<(String, String), Parameters> {
        let mut operations = BTreeMap::new();
        for (path, item) in self.root["paths"].as_object().unwrap() {
            let shared = item.get("parameters").and_then(Value::as_array).cloned().unwrap_or_default();
            for method in METHODS {
                let Some(operation) = item.get(method) else { continue };
                let own = operation.get("parameters").and_then(Value::as_array).cloned().unwrap_or_default();
                let mut parameters = Parameters::new();
                for parameter in shared.iter().chain(&own) {
                    self.parameter(self.resolved(parameter), &mut parameters);
                }
                if let Some(body) = operation.get("requestBody") {
                    self.body(self.resolved(body), &mut parameters);
                }
                operations.insert((method.to_uppercase(), path.trim_end_matches('/').to_owned()), parameters);
            }
        }
        operations
    }

    fn parameter(&self, parameter: &Value, into: &mut Parameters) {
        let text = |key: &str| parameter[key].as_str().unwrap_or_default().to_owned();
        let required = parameter["required"] == Value::Bool(true);
        let (place, mut name) = (text("in"), text("name"));
        if place == "header" {
            name.make_ascii_lowercase();
            if TRANSPORT.contains(&name.as_str()) || UNDECLARED.contains(&name.as_str()) {
                return;
            }
        }
        if place == "body" {
            // Swagger 2.0 calls the body by a name that travels nowhere.
            self.properties(self.resolved(&parameter["schema"]), into);
            return;
        }
        let place = if place == "formData" { "body".to_owned() } else { place };
        into.insert((place, name), required);
    }

    fn body(&self, body: &Value, into: &mut Parameters) {
        if let Some(content) = body["content"].as_object().and_then(|content| content.values().next()) {
            self.properties(self.resolved(&content["schema"]), into);
        }
    }

    /// The properties of an object body; other bodies have no names to compare.
    fn properties(&self, schema: &Value, into: &mut Parameters) {
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.properties(self.resolved(part), into);
        }
        let required: Vec<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        for name in schema["properties"].as_object().into_iter().flat_map(|properties| properties.keys()) {
            let required = required.contains(&name.as_str());
            into.entry(("body".to_owned(), name.clone())).and_modify(|known| *known |= required).or_insert(required);
        }
        for name in required {
            into.insert(("body".to_owned(), name.to_owned()), true);
        }
    }
}

#[test]
#[ignore = "needs TOOLWRIGHT_VENDOR_SPECS=<folder>"]
fn specs_state_the_operations_and_parameters_that_the_vendors_publish() {
    let published = published();
    let mut wrong = Vec::new();
    for pair in PAIRS {
        let Some(ours) = Description::ours(pair.ours) else {
            wrong.push(format!("specs/{} is missing", pair.ours));
            continue;
        };
        let (ours, theirs) = (ours.operations(), Description::theirs(&published.join(pair.theirs)).operations());
        println!("{}: {} of {} operations", pair.ours, ours.len(), theirs.len());
        if ours.len() < pair.least {
            wrong.push(format!("{}: {} operations, {} at least are expected", pair.ours, ours.len(), pair.least));
        }
        for ((method, path), parameters) in &ours {
            let at = format!("{}: {method} {path}", pair.ours);
            let Some(facts) = theirs.get(&(method.clone(), path.clone())) else {
                wrong.push(format!("{at}: the vendor has no such operation"));
                continue;
            };
            wrong.extend(compare(parameters, facts).into_iter().map(|fault| format!("{at}: {fault}")));
        }
    }
    assert!(wrong.is_empty(), "{} differences\n{}", wrong.len(), wrong.join("\n"));
}

fn compare(ours: &Parameters, theirs: &Parameters) -> Vec<String> {
    let mut wrong = Vec::new();
    for ((place, name), required) in ours {
        match theirs.get(&(place.clone(), name.clone())) {
            // An object of any properties has no names that could be compared.
            None if place == "body" && !theirs.keys().any(|(place, _)| place == "body") => {}
            None => wrong.push(format!("the vendor has no {place} parameter `{name}`")),
            Some(fact) if fact != required && place != "body" => {
                wrong.push(format!("`{name}` in {place}: required is {fact} at the vendor"));
            }
            Some(_) => {}
        }
    }
    for ((place, name), _) in theirs.iter().filter(|(_, required)| **required) {
        if !ours.contains_key(&(place.clone(), name.clone())) {
            wrong.push(format!("the required {place} parameter `{name}` is missing"));
        }
    }
    wrong
}

/// The words of a sentence, without case, punctuation and markup.
fn words(sentence: &str) -> String {
    let plain: String =
        sentence.chars().map(|c| if c.is_alphanumeric() { c.to_ascii_lowercase() } else { ' ' }).collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The sentences of all texts for people that have at least `OWN_WORDS` words. A text without a
/// space is a value or a pattern, which is a fact.
fn sentences(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(entries) => entries.values().for_each(|entry| sentences(entry, into)),
        Value::Array(items) => items.iter().for_each(|item| sentences(item, into)),
        Value::String(text) if text.contains(' ') => {
            let ends = |c: char| matches!(c, '.' | '\n' | ';' | ':' | '!' | '?');
            into.extend(text.split(ends).map(words).filter(|words| words.split(' ').count() >= OWN_WORDS));
        }
        _ => {}
    }
}

#[test]
#[ignore = "needs TOOLWRIGHT_VENDOR_SPECS=<folder>"]
fn no_sentence_of_specs_is_a_vendors() {
    let published = published();
    let specs = repository().join("specs");
    let mut theirs = BTreeSet::new();
    for pair in PAIRS {
        sentences(&Description::theirs(&published.join(pair.theirs)).root, &mut theirs);
    }
    assert!(theirs.len() > 5_000, "only {} sentences found in the vendors' files", theirs.len());
    let (mut ours, mut files) = (BTreeSet::new(), 0);
    for vendor in std::fs::read_dir(specs).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
        for file in std::fs::read_dir(vendor).unwrap().map(|entry| entry.unwrap().path()) {
            if file.extension().is_some_and(|kind| kind == "yaml") {
                files += 1;
                let text = std::fs::read_to_string(&file).unwrap();
                sentences(&serde_saphyr::from_str(&text).unwrap(), &mut ours);
            }
        }
    }
    println!("{} sentences in {files} files of ours, {} of the vendors", ours.len(), theirs.len());
    let copied: Vec<&String> = ours.intersection(&theirs).collect();
    assert!(copied.is_empty(), "{} sentences stand in the vendors' files\n{copied:#?}", copied.len());
}
