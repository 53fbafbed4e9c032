//! The operations of an API → how the end of each is waited for that the vendor works on in the background, as the overlay
//! states it.

use std::collections::BTreeMap;

use crate::lower::spec_operation::SpecOperation;
use crate::read::keys::{EXTENSION, WaitKeys};
use crate::read::located::{Located, did_you_mean};
use toolwright_model::{Effect, Location, Place, Wait};

/// By the id of the operation that begins the work.
#[derive(Debug, Default)]
pub struct Waits(BTreeMap<String, Wait>);

impl Waits {
    /// Finds them; what the overlay states and does not fit is reported through `root`.
    pub fn of(operations: &[SpecOperation], root: &Located<'_>) -> Self {
        let stated = operations.iter().filter_map(|spec| Some((spec, spec.keys.wait.as_ref()?)));
        let waits = stated.filter_map(|(spec, keys)| Some((spec.id.clone(), wait(spec, keys, operations, root)?)));
        Self(waits.collect())
    }

    /// Returns how the end of an operation's work is waited for.
    pub fn of_operation(&self, operation: &str) -> Option<&Wait> {
        self.0.get(operation)
    }
}

fn reads(spec: &SpecOperation) -> bool {
    spec.keys.skip.is_none() && spec.keys.tool.effect == Some(Effect::Read)
}

fn wait(spec: &SpecOperation, keys: &WaitKeys, operations: &[SpecOperation], root: &Located<'_>) -> Option<Wait> {
    let at = |key: &str| root.nearest(&format!("{}/{EXTENSION}/wait{key}", spec.pointer));
    if reads(spec) {
        at("").report("`wait` on an operation that changes something", "one that reads", None);
    }
    let known = || operations.iter().filter(|spec| reads(spec));
    let Some(asked) = known().find(|known| known.id == keys.operation) else {
        let near = did_you_mean(&keys.operation, known().map(|spec| spec.id.as_str()));
        at("/operation").report("the id of an operation that reads", format!("`{}`", keys.operation), near);
        return None;
    };
    let Some(input) = asked.parameters.iter().find(|parameter| parameter.name == keys.input) else {
        let near = did_you_mean(&keys.input, asked.parameters.iter().map(|parameter| parameter.name.as_str()));
        at("/input").report(format!("a parameter of `{}`", asked.id), format!("`{}`", keys.input), near);
        return None;
    };
    if let Some(other) = asked.parameters.iter().find(|other| other.required && other.name != input.name) {
        let expected = "an operation that needs one input".to_owned();
        at("/operation").report(expected, format!("`{}`, which needs `{}` too", asked.id, other.name), None);
    }
    let name = input.name.clone();
    let input = match input.location {
        Location::Path => Place::Path(name),
        Location::Query => Place::Query(name),
        Location::Header => Place::Header(name),
        Location::Cookie => Place::Cookie(name),
    };
    let WaitKeys { operation, value, state, running, .. } = keys.clone();
    Some(Wait { operation, input, value, state, running })
}
