//! The form that is written into `tools.json` is a promise between build and program.

use serde_json::Value;

use super::{Source, Workflow};

const SAMPLE: &str = include_str!("sample.json");

#[test]
fn every_construct_is_read_and_written_alike() {
    let workflow: Workflow = serde_json::from_str(SAMPLE).unwrap();
    let written = serde_json::to_value(&workflow).unwrap();
    assert_eq!(written, serde_json::from_str::<Value>(SAMPLE).unwrap());
    // Tools are also read from a JSON value, where numbers are kept in another way.
    let again: Workflow = serde_json::from_value(written).unwrap();
    assert_eq!(again, workflow);
}

#[test]
fn expressions_are_shown_as_files_write_them() {
    let workflow: Workflow = serde_json::from_str(SAMPLE).unwrap();
    let mut shown = Vec::new();
    for output in &workflow.outputs {
        output.value.visit(&mut |expression| shown.push(expression.to_string()));
    }
    assert_eq!(shown, ["$steps.queues.outputs.queue#/issueCount", "$steps.issues.outputs.keys"]);
    let mut status = 0;
    for criterion in &workflow.steps[1].success {
        criterion.visit(&mut |expression| status += u32::from(expression.source == Source::Status));
    }
    assert_eq!(status, 1);
}
