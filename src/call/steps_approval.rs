//! The requests of a workflow that is planned → what a person approves of it, and then which of its calls may be sent.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use serde_json::{Map, Value, json};

use crate::approval::{Exact, Hasher};

/// The calls of a workflow's steps: collected while it is planned, then those that a person has approved.
#[derive(Debug, Default)]
pub struct StepsApproval {
    /// Whether they are collected.
    is_planning: bool,
    /// The step and the request of each, which may be sent once.
    requests: Mutex<Vec<(String, Exact)>>,
    /// The steps whose requests take what an earlier change answers with: they are approved as they were shown.
    open: BTreeSet<String>,
}

impl StepsApproval {
    /// To collect what would be sent.
    pub(crate) fn planning() -> Self {
        Self { is_planning: true, ..Self::default() }
    }

    /// The calls that were collected, and the steps whose requests are not known yet.
    pub(crate) fn approved(&self, open: BTreeSet<String>) -> Self {
        Self { is_planning: false, requests: Mutex::new(self.requests()), open }
    }

    /// Whether requests are collected.
    pub(super) fn is_planning(&self) -> bool {
        self.is_planning
    }

    fn requests(&self) -> Vec<(String, Exact)> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A digest of all of them.
    pub(super) fn exact(&self, tool: &str, arguments: &Map<String, Value>) -> Exact {
        let mut requests = self.requests();
        requests.sort_unstable();
        let hasher = Hasher::default().part(b"workflow").part(tool.as_bytes());
        let sorted: BTreeMap<&String, &Value> = arguments.iter().collect();
        let hasher = hasher.part(json!(sorted).to_string().as_bytes());
        let hasher = self.open.iter().fold(hasher, |hasher, step| hasher.part(step.as_bytes()));
        let each = |hasher: Hasher, (step, exact): &(String, Exact)| hasher.part(step.as_bytes()).part(exact.bytes());
        requests.iter().fold(hasher, each).exact()
    }

    pub(super) fn add(&self, step: &str, exact: Exact) {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).push((id_of(step).to_owned(), exact));
    }

    /// Takes a request out of those that may be sent; returns whether it was among them.
    pub(super) fn take(&self, step: &str, exact: Exact) -> bool {
        let step = id_of(step);
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let found = requests.iter().position(|(own, known)| own == step && *known == exact);
        found.map(|index| requests.swap_remove(index)).is_some() || self.open.contains(step)
    }
}

/// The id of a step, of the name under which one of its calls is recorded.
fn id_of(step: &str) -> &str {
    step.split_once('[').map_or(step, |(id, _)| id)
}
