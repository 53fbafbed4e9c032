//! How much there is, and what it costs a model.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use toolwright::catalog::Catalog;
use toolwright::policy::Defaults;

use super::{client, toolbox, tools, words};
use crate::common::sandbox;

#[test]
fn every_operation_of_the_vendor_is_reached() {
    for (api, operations) in [("v1", 57), ("v2", 299), ("insights", 7), ("undocumented", 2)] {
        let report = std::fs::read_to_string(format!("generated/jumpcloud-{api}/report.md")).unwrap();
        let expected = format!("{operations} operations in the description, {operations} of them reached by ");
        assert!(
            report.contains(&expected) && report.contains(" 0 skipped.") && report.contains(" 0 wait for review."),
            "{api}"
        );
    }
    let catalog = Catalog::compiled();
    let mut reached: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for call in tools(&catalog).flat_map(|entry| &entry.tool.calls) {
        reached.entry(&call.api).or_default().insert(&call.operation);
    }
    let reached: Vec<(&str, usize)> = reached.into_iter().map(|(api, operations)| (api, operations.len())).collect();
    assert_eq!(
        reached,
        [("jumpcloud-insights", 7), ("jumpcloud-undocumented", 2), ("jumpcloud-v1", 57), ("jumpcloud-v2", 299)]
    );
}

/// A change of these numbers needs a reason in the commit.
#[test]
fn figures() {
    let catalog = Catalog::compiled();
    let count =
        |test: &dyn Fn(&toolwright_model::Tool) -> bool| tools(&catalog).filter(|entry| test(&entry.tool)).count();
    let effect = |word: &str| count(&|tool| tool.effect.is_some_and(|effect| effect.as_str() == word));
    let risk = |word: &str| count(&|tool| tool.risks.iter().any(|risk| risk.as_str() == word));
    let figures = json!({
        "tools": count(&|_| true),
        "core": count(&|tool| tool.is_core()),
        "core reads": count(&|tool| tool.is_core() && tool.annotations.read_only_hint),
        "read": effect("read"),
        "write": effect("write"),
        "destructive": effect("destructive"),
        "notifies": risk("notifies"),
        "disruptive": risk("disruptive"),
        "reveals_secret": risk("reveals_secret"),
        "weakens_security": risk("weakens_security"),
        "irreversible": risk("irreversible"),
        "runs_code": risk("runs_code"),
    });
    let expected = json!({
        "tools": 397,
        "core": 39,
        "core reads": 22,
        "read": 236,
        "write": 128,
        "destructive": 33,
        "notifies": 19,
        "disruptive": 101,
        "reveals_secret": 11,
        "weakens_security": 65,
        "irreversible": 26,
        "runs_code": 10,
    });
    assert_eq!(figures, expected);
}

#[tokio::test]
async fn core_tools_fit_into_a_models_budget() {
    let sandbox = sandbox(None).await;
    let all = words(&[
        ("methods", "all"),
        ("tags", "core"),
        ("allow", "reveals_secret,weakens_security,irreversible,runs_code"),
    ]);
    for (words, most) in [(all, 12_000), (words(&[("tags", "core")]), 8_000)] {
        let client = client(toolbox(&sandbox, &words, Defaults::CoreReads)).await;
        let listed = client.list_all_tools().await.unwrap();
        let tokens = serde_json::to_string(&listed).unwrap().len() / 4;
        assert!(listed.len() <= 40 && tokens <= most, "{} tools, {tokens} tokens", listed.len());
    }
}
