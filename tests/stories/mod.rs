//! The tools of several calls that are compiled in, through an MCP client over scripted sites: what they answer in one call, what
//! they change and leave alone, and what they report when a part fails.

#[cfg(feature = "jitbit")]
mod jitbit;
#[cfg(feature = "jsm")]
mod jsm;
#[cfg(feature = "jumpcloud")]
mod jumpcloud;
#[cfg(all(feature = "jitbit", feature = "jsm", feature = "jumpcloud"))]
mod people;

use std::ops::Deref;

use serde_json::{Value, json};
use toolwright::policy::{Defaults, SelectionWords};

use crate::common::desk::Desk;
use crate::common::everything;

/// A scripted site: what its script does not state is not there.
pub(crate) struct Office(Desk);

impl Office {
    /// Everything may be called.
    pub(crate) async fn open(entries: Vec<Value>) -> Self {
        Self::with(entries, &everything(), Defaults::Everything).await
    }

    pub(crate) async fn with(mut entries: Vec<Value>, words: &SelectionWords, defaults: Defaults) -> Self {
        entries.push(json!({"operation": "*", "answer": {"status": 404, "body": {"message": "not scripted"}}}));
        Self(Desk::with(&Value::Array(entries), words, defaults, None).await)
    }

    pub(crate) async fn tools(&self) -> Vec<String> {
        self.0.tools().await.into_iter().map(|tool| tool.name.into_owned()).collect()
    }

    /// The operations of the requests since the last call of this, all of them accepted by the descriptions.
    pub(crate) fn sent(&self) -> Vec<String> {
        self.0.sent().into_iter().map(|one| one.operation.unwrap_or_default()).collect()
    }
}

impl Deref for Office {
    type Target = Desk;

    fn deref(&self) -> &Desk {
        &self.0
    }
}

/// An answer of a script.
pub(crate) fn answers(operation: &str, when: Value, body: Value) -> Value {
    let answer = Value::from_iter([("body", body)]);
    Value::from_iter([("operation", operation.into()), ("when", when), ("answer", answer)])
}

/// An answer of a script that is given once.
pub(crate) fn once(operation: &str, when: Value, body: Value) -> Value {
    let mut answer = answers(operation, when, body);
    answer["times"] = 1.into();
    answer
}

/// A refusal of a script.
pub(crate) fn refuses(operation: &str, when: Value, status: u16) -> Value {
    let answer = json!({"status": status, "body": "no"});
    Value::from_iter([("operation", operation.into()), ("when", when), ("answer", answer)])
}

/// The rows of a table of outcomes: item and outcome.
pub(crate) fn rows(report: &Value) -> Vec<(String, String)> {
    let word = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let rows = report["outcomes"].as_array().unwrap_or_else(|| panic!("a table: {report}"));
    rows.iter().map(|row| (word(&row["item"]), word(&row["outcome"]))).collect()
}

/// How many requests went to an operation.
pub(crate) fn count(sent: &[String], operation: &str) -> usize {
    sent.iter().filter(|one| *one == operation).count()
}

/// Rows as tests state them.
pub(crate) fn row(item: &str, outcome: &str) -> (String, String) {
    (item.to_owned(), outcome.to_owned())
}
