//! Who may call a workflow: each of its steps is asked for before anything is sent.

use serde_json::json;
use toolwright::call::Caller;
use toolwright::policy::SelectionWords;

use super::desk::{Desk, called};
use super::{CLOSE_MANY, FINISH, THREAD, me};
use crate::common::everything;

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[tokio::test]
async fn a_step_that_is_refused_refuses_the_whole() {
    let desk = Desk::start(&[7]).await;
    let selection = SelectionWords { exclude: words(&["jitbit_close_ticket"]), ..everything() };
    let shown = called(&desk.toolbox_with(&selection), &me(), FINISH, json!({"ticketId": 7, "note": "x"})).await;
    assert!(shown.is_error, "{}", shown.text);
    assert!(
        shown.text.contains("its step `close` calls `jitbit_close_ticket`: it is excluded by name"),
        "{}",
        shown.text
    );
    assert_eq!(shown.outcome.as_deref(), Some("not_sent"));
    assert!(desk.arrived().is_empty());
    let toolbox = desk.toolbox_with(&selection);
    assert!(toolbox.offered().all(|entry| entry.tool.name != FINISH), "it is not listed either");
}

#[tokio::test]
async fn a_step_that_the_workflow_can_do_without_is_left_out_and_reported() {
    let desk = Desk::start(&[7]).await;
    let selection = SelectionWords { exclude: words(&["jitbit_list_comments"]), ..everything() };
    let answer = called(&desk.toolbox_with(&selection), &me(), THREAD, json!({"ticketId": 7})).await.json();
    assert_eq!((&answer["Status"], answer.get("comments")), (&json!("Open"), None));
    let note = answer["notes"][0].as_str().unwrap();
    assert!(note.contains("`comments` is missing") && note.contains("hold it back"), "{note}");
    assert_eq!(desk.arrived(), ["GET /api/ticket id=7"]);
}

#[tokio::test]
async fn a_workflow_is_chosen_by_its_own_name_and_its_steps_by_what_they_do() {
    let desk = Desk::start(&[7]).await;
    // By default nothing changes, whatever is chosen.
    let selection = SelectionWords { tools: words(&[CLOSE_MANY]), ..SelectionWords::default() };
    let shown = called(&desk.toolbox_with(&selection), &me(), CLOSE_MANY, json!({"tickets": [7]})).await;
    assert!(shown.is_error && shown.text.contains("its effect is `write`"), "{}", shown.text);
    assert!(desk.arrived().is_empty());
    let selection = SelectionWords { methods: words(&["read", "write"]), ..selection };
    let shown = called(&desk.toolbox_with(&selection), &me(), CLOSE_MANY, json!({"tickets": [7]})).await;
    assert_eq!(shown.json()["summary"], "1 done");
    let alone = called(&desk.toolbox_with(&selection), &me(), "jitbit_close_ticket", json!({"ticketId": 7})).await;
    assert!(alone.is_error, "the tool of the step was not chosen");
}

#[tokio::test]
async fn a_call_tool_calls_workflows_of_its_effect() {
    use toolwright::call::CallTool;
    let desk = Desk::start(&[7]).await;
    let toolbox = desk.toolbox();
    let by = |through: CallTool| Caller { through: Some(through), ..Caller::default() };
    let wrong = called(&toolbox, &by(CallTool::Read), CLOSE_MANY, json!({"tickets": [7]})).await;
    assert!(wrong.text.contains("call it by `call_write`"), "{}", wrong.text);
    let right = called(&toolbox, &by(CallTool::Write), CLOSE_MANY, json!({"tickets": [7]})).await;
    assert_eq!(right.json()["summary"], "1 done", "its reads are steps and no calls of the model's");
}

#[tokio::test]
async fn more_values_than_one_call_may_have_are_refused_before_anything_is_sent() {
    let desk = Desk::start(&[]).await;
    let many: Vec<u64> = (1..=101).collect();
    let shown = called(&desk.toolbox(), &me(), CLOSE_MANY, json!({"tickets": many})).await;
    assert!(shown.is_error && shown.text.contains("has 101 values, of at most 100"), "{}", shown.text);
    assert!(desk.arrived().is_empty());
    let toolbox = desk.toolbox().with_most_items(Some(150));
    let shown = called(&toolbox, &me(), CLOSE_MANY, json!({"tickets": many})).await;
    assert_eq!(shown.json()["summary"], "101 not sent", "none of them exists");
    assert_eq!(desk.arrived().len(), 101);
}
