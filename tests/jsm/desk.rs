//! What scripts and selections of JSM's tests have in common, over the scripted site of all tests.

use serde_json::{Value, json};
use toolwright::policy::{Defaults, SelectionWords};

pub(crate) use crate::common::desk::Desk;

impl Desk {
    /// What `toolwright serve --vendor jsm` offers.
    pub(crate) async fn served(script: &Value) -> Self {
        Self::with(script, &words(&[], &[]), Defaults::CoreReads, None).await
    }
}

/// The vendor's tools with these methods and tags.
pub(crate) fn words(methods: &[&str], tags: &[&str]) -> SelectionWords {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    SelectionWords { vendors: words(&["jsm"]), methods: words(methods), tags: words(tags), ..SelectionWords::default() }
}

/// An answer of a script.
pub(crate) fn answers(operation: &str, when: &Value, body: &Value) -> Value {
    json!({"operation": operation, "when": when, "answer": {"body": body}})
}
