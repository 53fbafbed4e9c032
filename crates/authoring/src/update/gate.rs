//! The changes that were found, without those that drift.toml accepts → which places of our description
//! may be changed. Facts of ours that differ on purpose, or that no change is about, stay.

use std::collections::BTreeSet;

use crate::diff::change::{Change, OperationName, Place};
use crate::diff::kind::Kind;

/// What may be changed.
#[derive(Debug, Default)]
pub(super) struct Gate {
    places: BTreeSet<(String, String)>,
    shared: BTreeSet<String>,
    kinds: BTreeSet<(String, Kind)>,
    /// Pointers to components that stay as they are: what holds for one of their users is wrong for another.
    frozen: BTreeSet<String>,
}

/// An operation's method and path, by which changes and merges name it.
pub(super) fn request(name: &OperationName) -> String {
    format!("{} {}", name.method, name.path)
}

impl Gate {
    pub(super) fn new(changes: &[Change], frozen: BTreeSet<String>) -> Self {
        let mut gate = Self { frozen, ..Self::default() };
        for change in changes {
            let operation = change.operation.as_ref().map(request).unwrap_or_default();
            gate.places.insert((operation.clone(), change.place.to_string()));
            gate.shared.extend(change.shared.clone());
            gate.kinds.insert((operation, change.kind));
        }
        gate
    }

    /// Whether a change of this place was found, or of the shared thing that it belongs to.
    pub(super) fn allows(&self, operation: &str, place: &Place, shared: Option<&str>) -> bool {
        self.places.contains(&(operation.to_owned(), place.to_string()))
            || shared.is_some_and(|shared| self.shared.contains(shared))
    }

    /// Whether a change was found at a place or inside of it.
    pub(super) fn touches(&self, operation: &str, place: &Place) -> bool {
        let place = place.to_string();
        self.places.iter().any(|(of, found)| of == operation && found.starts_with(&place))
    }

    /// Whether a change of this kind was found; of the whole description with an empty operation.
    pub(super) fn has(&self, operation: &str, kind: Kind) -> bool {
        self.kinds.contains(&(operation.to_owned(), kind))
    }

    /// Whether a component stays as it is.
    pub(super) fn is_frozen(&self, pointer: &str) -> bool {
        self.frozen.iter().any(|frozen| toolwright_codegen::read::reference::below(pointer, frozen).is_some())
    }
}
