//! Arguments drawn at random from the input schema of every compiled workflow → each step's requests, which the sandbox
//! accepts only where they are what the description allows.

use std::fmt::Write as _;

use fastrand::Rng;
use serde_json::{Value, json};
use toolwright::call::Failure;
use toolwright::catalog::Catalog;
use toolwright::policy::Defaults;
use toolwright::{mcp_result, workflow};

use super::me;
use crate::common::draw;
use crate::common::{everything, sandbox, toolbox};

/// The draws for each workflow.
const CASES: u64 = 16;

#[tokio::test]
async fn every_step_sends_what_the_vendor_accepts() {
    let samples = draw::samples();
    let sandbox = sandbox(None).await;
    let toolbox = toolbox(&sandbox, &everything(), Defaults::Everything);
    let catalog = Catalog::compiled();
    let mut faults = String::new();
    for entry in catalog.entries().iter().filter(|entry| entry.tool.workflow.is_some()) {
        let name = &entry.tool.name;
        let schema = Value::Object(entry.tool.checked_schema());
        let own = samples.get(name).cloned().unwrap_or_default();
        let mut whole = 0;
        for case in 0..CASES {
            let mut arguments = draw::arguments(&schema, &own, &mut Rng::with_seed(case));
            arguments.retain(|argument, _| !entry.tool.is_own_argument(argument));
            let shown = json!(arguments);
            match workflow::call_as(&toolbox, &me(), name, arguments).await {
                Ok(result) => {
                    let result = json!(mcp_result::result(&entry.vendor, Ok(result)));
                    if result["isError"] == json!(true) {
                        let _ = writeln!(faults, "{name} (case {case}) {shown}: {result}");
                    } else {
                        whole += 1;
                    }
                }
                Err(Failure::Arguments { .. }) => {}
                Err(failure) => {
                    let _ = writeln!(faults, "{name} (case {case}) {shown}: {failure}");
                }
            }
        }
        if whole * 2 < CASES {
            let _ = writeln!(faults, "{name}: {whole} of {CASES} ran to the end");
        }
    }
    assert!(faults.is_empty(), "{faults}");
}
