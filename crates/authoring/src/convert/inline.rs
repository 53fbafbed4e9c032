//! References in place of a path item or an operation → what they lead to, written out. Every version of OpenAPI has
//! only one place where operations are read, so this goes before all other steps.

use serde_json::{Map, Value};

use super::Steps;
use toolwright_codegen::read::paths::METHODS;
use toolwright_codegen::read::reference::{LONGEST_CHAIN, escape, raw_target, reference_of};

/// Writes them out; one that leads nowhere stays, for the next steps to report.
pub(super) fn write_out(document: &mut Value, steps: &mut Steps) {
    let source = document.clone();
    let Some(Value::Object(paths)) = document.get_mut("paths") else { return };
    for (path, item) in paths.iter_mut() {
        let pointer = format!("/paths/{}", escape(path));
        write_out_one(item, &source, &pointer, "path-reference", steps);
        let Value::Object(item) = item else { continue };
        for method in METHODS {
            if let Some(operation) = item.get_mut(method) {
                write_out_one(operation, &source, &format!("{pointer}/{method}"), "operation-reference", steps);
            }
        }
    }
}

fn write_out_one(node: &mut Value, source: &Value, pointer: &str, rule: &'static str, steps: &mut Steps) {
    let Some(reference) = reference_of(node).map(str::to_owned) else { return };
    let Some(target) = target(source, &reference) else { return };
    let Value::Object(own) = node else { return };
    own.shift_remove("$ref");
    for (key, value) in target {
        own.entry(key.clone()).or_insert_with(|| value.clone());
    }
    steps.add(rule, pointer, format!("what `{reference}` holds is written out"));
}

/// What a reference leads to in the end, if that is an object.
fn target<'v>(source: &'v Value, reference: &str) -> Option<&'v Map<String, Value>> {
    let mut found = raw_target(source, reference)?;
    for _ in 0..LONGEST_CHAIN {
        match reference_of(found) {
            Some(further) => found = raw_target(source, further)?,
            None => return found.as_object(),
        }
    }
    None
}
