//! The operations of an API → which one reads the record that another one changes, so that a text
//! can be written back without loss. For PUT and PATCH it is the GET at the same path, for others
//! what the overlay states.

use std::collections::BTreeMap;

use crate::lower::inputs::{self, BodyChoice};
use crate::lower::spec_operation::SpecOperation;
use crate::read::keys::EXTENSION;
use crate::read::located::{Located, did_you_mean};
use toolwright_model::{Effect, Location, Place, ReadBack};

/// By the id of the operation that changes.
#[derive(Debug, Default)]
pub struct ReadBacks(BTreeMap<String, ReadBack>);

impl ReadBacks {
    /// Finds them; what the overlay states and does not fit is reported through `root`.
    pub fn of(operations: &[SpecOperation], root: &Located<'_>) -> Self {
        let changes = operations.iter().filter(|spec| spec.keys.skip.is_none() && !reads(spec));
        let pairs = changes.filter_map(|change| {
            let read = match &change.keys.read_back {
                Some(id) => stated(id, change, operations, root)?,
                None => of_same_path(change, operations)?,
            };
            let operation = read.id.clone();
            Some((change.id.clone(), ReadBack { operation, inputs: required(read).collect() }))
        });
        Self(pairs.collect())
    }

    /// Returns what reads the record that an operation changes.
    pub fn of_change(&self, operation: &str) -> Option<&ReadBack> {
        self.0.get(operation)
    }

    /// Returns whether the operation reads what another one changes.
    pub fn is_read(&self, operation: &str) -> bool {
        self.0.values().any(|read_back| read_back.operation == operation)
    }
}

fn reads(spec: &SpecOperation) -> bool {
    spec.keys.tool.effect == Some(Effect::Read)
}

/// The inputs without which an operation is refused.
fn required(spec: &SpecOperation) -> impl Iterator<Item = Place> {
    spec.parameters.iter().filter(|parameter| parameter.required).map(|parameter| match parameter.location {
        Location::Path => Place::Path(parameter.name.clone()),
        Location::Query => Place::Query(parameter.name.clone()),
        Location::Header => Place::Header(parameter.name.clone()),
        Location::Cookie => Place::Cookie(parameter.name.clone()),
    })
}

/// The first input that `read` needs and `change` does not have.
fn lacking(change: &SpecOperation, read: &SpecOperation) -> Option<Place> {
    let body = change.body.as_ref().and_then(|body| BodyChoice::of(body).ok());
    let inputs = inputs::inputs(change, body.as_ref());
    required(read).find(|place| !inputs.iter().any(|input| input.place.name() == place.name()))
}

fn of_same_path<'a>(change: &SpecOperation, operations: &'a [SpecOperation]) -> Option<&'a SpecOperation> {
    if !matches!(change.method.as_str(), "PUT" | "PATCH") {
        return None;
    }
    let read = operations.iter().find(|spec| spec.method == "GET" && spec.path == change.path)?;
    (read.keys.skip.is_none() && reads(read) && lacking(change, read).is_none()).then_some(read)
}

fn stated<'a>(
    id: &str,
    change: &SpecOperation,
    operations: &'a [SpecOperation],
    root: &Located<'_>,
) -> Option<&'a SpecOperation> {
    let known = || operations.iter().filter(|spec| spec.keys.skip.is_none() && reads(spec));
    let read = known().find(|spec| spec.id == id);
    let (found, hint) = match read.map(|read| lacking(change, read)) {
        Some(None) => return read,
        Some(Some(place)) => {
            let name = place.name().unwrap_or_default();
            (format!("`{id}`, which needs `{name}`: the change does not have it"), None)
        }
        None => (format!("`{id}`"), did_you_mean(id, known().map(|spec| spec.id.as_str()))),
    };
    let at = root.nearest(&format!("{}/{EXTENSION}/read_back", change.pointer));
    at.report("the id of an operation that reads the record, by inputs that the change has too", found, hint);
    None
}
