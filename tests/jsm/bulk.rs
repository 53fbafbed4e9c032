//! Changes of several issues at once: the call waits for the end of the vendor's work within a bound, and returns how the
//! work stands; what is not known of it is never taken for done.

use std::time::Duration;

use serde_json::{Value, json};
use toolwright::call::RetryPolicy;
use toolwright::policy::Defaults;

use super::desk::answers;
use crate::common::{call, everything, sandbox, toolbox};

const TOOLS: [&str; 6] = [
    "jsm_delete_issues",
    "jsm_edit_issues",
    "jsm_move_issues",
    "jsm_transition_issues",
    "jsm_unwatch_issues",
    "jsm_watch_issues",
];

fn given(tool: &str) -> Value {
    match tool {
        "jsm_edit_issues" => json!({
            "issueIdsOrKeys": ["ITS-12", "its-15"], "fieldIds": ["labels"],
            "editedFieldsInput": {"labelsFields": [{"fieldId": "labels", "bulkEditMultiSelectFieldOption": "ADD", "labels": [{"name": "vpn"}]}]},
        }),
        "jsm_move_issues" => json!({"targets": {"HELP,10001": {
            "inferClassificationDefaults": true, "inferFieldDefaults": true, "inferStatusDefaults": true,
            "inferSubtaskTypeDefault": true, "issueIdsOrKeys": ["ITS-12"],
        }}}),
        "jsm_transition_issues" => json!({"steps": [{"transitionId": "31", "selectedIssueIdsOrKeys": ["ITS-12"]}]}),
        _ => json!({"issueIdsOrKeys": ["ITS-12", "ITS-15"]}),
    }
}

fn progress(status: &str) -> Value {
    json!({"taskId": "10641", "status": status, "progressPercent": 50, "totalIssueCount": 2, "processedAccessibleIssues": [10041]})
}

/// A site that is asked `running` times before the work ends with this state.
fn site(running: u64, end: &Value) -> Value {
    let mut script = Vec::new();
    if running > 0 {
        script.push(
            json!({"operation": "getBulkOperationProgress", "times": running, "answer": {"body": progress("RUNNING")}}),
        );
    }
    script.push(answers("getBulkOperationProgress", &json!({"path": {"taskId": "10641"}}), end));
    Value::Array(script)
}

/// Calls a tool and returns the answer with its notes, and the requests that arrived.
async fn called(script: &Value, tool: &str, background: Duration) -> (Value, Vec<String>, Vec<String>) {
    let sandbox = sandbox(Some(&script.to_string())).await;
    let policy = RetryPolicy { background, ..RetryPolicy::default() };
    let toolbox = toolbox(&sandbox, &everything(), Defaults::Everything).with_retry_policy(policy);
    let reply = call(&toolbox, tool, given(tool)).await.unwrap_or_else(|failure| panic!("{tool}: {failure}"));
    let sent = sandbox.record().iter().map(|sent| format!("{} {}", sent.method, sent.path)).collect();
    assert!(sandbox.record().iter().all(toolwright::sandbox::Recorded::is_accepted), "{tool}");
    (serde_json::from_slice(&reply.answer.body).unwrap(), reply.notes, sent)
}

#[tokio::test]
async fn the_end_of_the_work_is_waited_for() {
    for tool in TOOLS {
        let (answer, notes, sent) = called(&site(1, &progress("COMPLETE")), tool, Duration::from_secs(20)).await;
        assert_eq!(answer["status"], "COMPLETE", "{tool}");
        assert!(notes.iter().any(|note| note == "the work ended as `COMPLETE`"), "{tool}: {notes:?}");
        assert_eq!(sent.len(), 3, "{tool}: {sent:?}");
        assert_eq!(sent[2], "GET /rest/api/3/bulk/queue/10641");
    }
}

#[tokio::test]
async fn after_a_bound_the_task_is_returned() {
    let (answer, notes, sent) = called(&site(9, &progress("COMPLETE")), "jsm_delete_issues", Duration::ZERO).await;
    assert_eq!((&answer["taskId"], &answer["status"]), (&json!("10641"), &json!("RUNNING")));
    assert!(notes[0].contains("still goes on") && notes[0].contains("`jsm_get_bulk_task`"), "{notes:?}");
    assert_eq!(sent.len(), 2);
}

#[tokio::test]
async fn an_end_that_failed_or_is_not_known_is_reported_as_that() {
    let (_, notes, _) = called(&site(0, &progress("DEAD")), "jsm_edit_issues", Duration::ZERO).await;
    assert_eq!(notes, ["the work ended as `DEAD`"]);
    let (_, notes, _) = called(&site(0, &json!({"taskId": "10641"})), "jsm_edit_issues", Duration::ZERO).await;
    assert!(notes[0].contains("did not report whether the work has ended"), "{notes:?}");
    let refused = json!([{"operation": "getBulkOperationProgress", "answer": {"status": 403, "body": {"errors": [{"message": "No."}]}}}]);
    let (answer, notes, _) = called(&refused, "jsm_edit_issues", Duration::ZERO).await;
    assert_eq!(answer["taskId"], "10641");
    assert!(notes[0].contains("how it stands is not known") && notes[0].contains("403"), "{notes:?}");
    let nameless = json!([{"operation": "submitBulkEdit", "answer": {"status": 201, "body": {"taskId": ""}}}]);
    let (_, notes, sent) = called(&nameless, "jsm_edit_issues", Duration::ZERO).await;
    assert!(notes[0].contains("names no task"), "{notes:?}");
    assert_eq!(sent.len(), 1);
}

#[tokio::test]
async fn no_mail_is_sent_unless_it_is_wanted() {
    let sandbox = sandbox(Some(&site(0, &progress("COMPLETE")).to_string())).await;
    let toolbox = toolbox(&sandbox, &everything(), Defaults::Everything);
    for (mail, expected) in [(None, false), (Some(true), true)] {
        let mut arguments = given("jsm_edit_issues");
        if let Some(mail) = mail {
            arguments["sendMail"] = json!(mail);
        }
        call(&toolbox, "jsm_edit_issues", arguments).await.unwrap();
        let sent = sandbox.take_record();
        let body = sent[0].json().unwrap();
        assert_eq!(body["sendBulkNotification"], expected);
        assert_eq!(body["selectedIssueIdsOrKeys"], json!(["ITS-12", "ITS-15"]));
    }
}

#[tokio::test]
async fn what_several_issues_can_do_is_listed() {
    let sandbox = sandbox(None).await;
    let toolbox = toolbox(&sandbox, &everything(), Defaults::Everything);
    for tool in ["jsm_list_bulk_fields", "jsm_list_bulk_transitions"] {
        call(&toolbox, tool, json!({"issueIdsOrKeys": ["ITS-12", "ITS-15"]})).await.unwrap();
        assert_eq!(sandbox.take_record()[0].query, "issueIdsOrKeys=ITS-12%2CITS-15", "{tool}");
    }
}
