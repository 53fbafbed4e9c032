//! specs/ against what the vendors publish → operations, parameters and sentences that differ or
//! are the same.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::descriptions::{Description, Input, InputKey, PAIRS};
use super::published;
use crate::repository;

/// Shorter sentences are the same by chance.
const OWN_WORDS: usize = 6;

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
            wrong.extend(compare(path, parameters, facts).into_iter().map(|fault| format!("{at}: {fault}")));
        }
    }
    assert!(wrong.is_empty(), "{} differences\n{}", wrong.len(), wrong.join("\n"));
}

fn compare(path: &str, ours: &BTreeMap<InputKey, Input>, theirs: &BTreeMap<InputKey, Input>) -> Vec<String> {
    let mut wrong = Vec::new();
    for ((place, name), Input { required, .. }) in ours {
        match theirs.get(&(place.clone(), name.clone())) {
            // An object of any properties has no names that could be compared.
            None if place == "body" && !theirs.keys().any(|(place, _)| place == "body") => {}
            // The vendor names it in the path and forgets to declare it.
            None if place == "path" && path.contains(&format!("{{{name}}}")) => {}
            None => wrong.push(format!("the vendor has no {place} parameter `{name}`")),
            Some(fact) if fact.required != *required && place != "body" => {
                wrong.push(format!("`{name}` in {place}: required is {} at the vendor", fact.required));
            }
            Some(_) => {}
        }
    }
    for ((place, name), _) in theirs.iter().filter(|(_, fact)| fact.required) {
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
