//! Every workflow that is compiled in, with random arguments: each request is one that the description allows, a dry run
//! changes nothing, and no answer is without what became of each change.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use fastrand::Rng;
use serde_json::{Value, json};
use toolwright::catalog::Catalog;
use toolwright::policy::Defaults;
use toolwright_model::Effect;
use toolwright_model::workflow::{Step, StepCall};

use super::desk::called;
use super::me;
use crate::common::{draw, everything, sandbox, toolbox};

/// The operations of a workflow's steps that may change something.
fn changing(steps: &[Step]) -> BTreeSet<&str> {
    let calls = steps.iter().map(|step| &step.call);
    calls.filter(|call: &&StepCall| call.effect != Some(Effect::Read)).map(|call| call.operation.as_str()).collect()
}

#[tokio::test]
async fn random_arguments_make_requests_that_the_vendors_accept() {
    let cases: u64 = std::env::var("TOOLWRIGHT_CASES").map_or(8, |cases| cases.parse().unwrap());
    let (samples, sandbox) = (draw::samples(), sandbox(None).await);
    let toolbox = toolbox(&sandbox, &everything(), Defaults::Everything);
    let mut faults = String::new();
    for entry in Catalog::compiled().entries() {
        let Some(workflow) = &entry.tool.workflow else { continue };
        let name = &entry.tool.name;
        let (schema, own) =
            (Value::Object(entry.tool.checked_schema()), samples.get(name).cloned().unwrap_or_default());
        let changes = changing(&workflow.steps);
        for case in 0..cases {
            let mut arguments = draw::arguments(&schema, &own, &mut Rng::with_seed(case));
            arguments.retain(|name, _| !entry.tool.is_own_argument(name));
            if !changes.is_empty() {
                let mut dry = arguments.clone();
                dry.insert("dry_run".to_owned(), json!(true));
                let shown = called(&toolbox, &me(), name, Value::Object(dry)).await;
                for recorded in sandbox.take_record() {
                    if recorded.operation.as_deref().is_some_and(|operation| changes.contains(operation)) {
                        let _ = writeln!(faults, "{name} {case}: a dry run sent {}: {}", recorded.path, shown.text);
                    }
                }
            }
            let shown = called(&toolbox, &me(), name, Value::Object(arguments)).await;
            let sent = sandbox.take_record();
            for recorded in sent.iter().filter(|recorded| !recorded.is_accepted()) {
                let _ =
                    writeln!(faults, "{name} {case}: {} {}: {:?}", recorded.method, recorded.path, recorded.verdict);
            }
            let is_change = |operation: &Option<String>| operation.as_deref().is_some_and(|it| changes.contains(it));
            let sent_changes = sent.iter().filter(|recorded| is_change(&recorded.operation)).count();
            let told = shown.rows().iter().filter(|(_, _, outcome)| outcome == "done" || outcome == "refused").count();
            if sent_changes > told {
                let _ = writeln!(faults, "{name} {case}: {sent_changes} changes, {told} of them told: {}", shown.text);
            }
        }
    }
    assert!(faults.is_empty(), "{faults}");
}
