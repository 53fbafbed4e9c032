//! Tools of several calls over a small help desk: what they answer, what they report when a step fails at any place, and
//! that calling them again ends in the wanted state without a change that is made twice.

mod compiled;
mod desk;
mod draws;
mod faults;
mod policy;

use std::time::Duration;

use rmcp::ServiceExt as _;
use rmcp::model::CallToolRequestParams;
use serde_json::{Value, json};
use tokio::sync::mpsc::unbounded_channel;
use toolwright::call::Caller;
use toolwright::server::Server;

use desk::{Desk, called};

const THREAD: &str = "jitbit_test_thread";
const CLOSE_MANY: &str = "jitbit_test_close_many";
const FINISH: &str = "jitbit_test_finish";
const OPEN: &str = "jitbit_test_open";
const BRANCH: &str = "jitbit_test_branch";

fn me() -> Caller {
    Caller::default()
}

#[tokio::test]
async fn a_model_gets_all_in_one_call_and_outsiders_words_stay_marked() {
    let desk = Desk::start(&[7]).await;
    let (client_side, server_side) = tokio::io::duplex(1 << 20);
    let toolbox = desk.toolbox();
    tokio::spawn(async move { Box::pin(Server::new(toolbox).serve(server_side)).await.unwrap().waiting().await });
    let client = ().serve(client_side).await.unwrap();
    let tools = client.list_all_tools().await.unwrap();
    assert!(tools.iter().any(|tool| tool.name == THREAD), "it is listed as each tool");
    let arguments = json!({"ticketId": 7}).as_object().cloned().unwrap();
    let request = CallToolRequestParams::new(THREAD).with_arguments(arguments);
    let result = client.call_tool(request).await.unwrap();
    let answer: Value = serde_json::from_str(crate::common::text(&result)).unwrap();
    let comment = |id: u64| json!({"id": id, "said": "It burns. ".repeat(30)});
    assert_eq!(
        answer,
        json!({
            "untrusted": ["Subject", "headline", "said"],
            "TicketID": 7,
            "Subject": "Printer 7 on fire, see `hxxps⟦:⟧//evil.example/7`",
            "Status": "Open",
            "Priority": 1,
            "headline": "Ticket: Printer 7 on fire, see `hxxps⟦:⟧//evil.example/7`",
            "comments": [comment(0), comment(1)],
        })
    );
    assert_eq!(desk.arrived().len(), 2);
}

#[tokio::test]
async fn steps_with_nothing_between_them_run_at_the_same_time() {
    let desk = Desk::start(&[7]).await.with_delay(Duration::from_millis(100));
    let shown = called(&desk.toolbox(), &me(), THREAD, json!({"ticketId": 7})).await;
    assert!(!shown.is_error, "{}", shown.text);
    assert_eq!(desk.most_under_way(), 2);
    let desk = Desk::start(&[1, 2, 3, 4, 5, 6, 7, 8]).await.with_delay(Duration::from_millis(20));
    let shown = called(&desk.toolbox(), &me(), CLOSE_MANY, json!({"tickets": [1, 2, 3, 4, 5, 6, 7, 8]})).await;
    assert_eq!(shown.json()["summary"], "8 done");
    assert_eq!(desk.most_under_way(), 3, "as many as the step states");
}

#[tokio::test]
async fn a_long_answer_comes_in_parts_and_each_is_within_the_bound() {
    let desk = Desk::start(&[7]).await.with_comments(300);
    let toolbox = desk.toolbox();
    let (mut ids, mut cursor) = (Vec::new(), Value::Null);
    let mut parts = 0;
    loop {
        let arguments = if cursor.is_null() { json!({"ticketId": 7}) } else { json!({"cursor": cursor}) };
        let shown = called(&toolbox, &me(), THREAD, arguments).await;
        assert!(shown.text.len() <= 40_000, "{}", shown.text.len());
        let answer = shown.json();
        ids.extend(answer["comments"].as_array().unwrap().iter().map(|comment| comment["id"].as_u64().unwrap()));
        cursor = answer["page"]["next_cursor"].clone();
        parts += 1;
        if cursor.is_null() {
            break;
        }
    }
    assert_eq!(ids, (0..300).collect::<Vec<u64>>());
    assert!(parts > 1);
    assert_eq!(desk.arrived().len(), 2, "the parts are of one answer");
}

#[tokio::test]
async fn fields_and_filters_are_of_the_answer() {
    let desk = Desk::start(&[7]).await;
    let toolbox = desk.toolbox();
    let few = called(&toolbox, &me(), THREAD, json!({"ticketId": 7, "fields": ["Status"]})).await.json();
    assert_eq!((few["Status"].clone(), few.get("Subject")), (json!("Open"), None), "{few}");
    let wrong = called(&toolbox, &me(), THREAD, json!({"ticketId": 7, "fields": ["NoSuch"]})).await;
    assert!(wrong.is_error && wrong.text.contains("NoSuch"), "{}", wrong.text);
}

#[tokio::test]
async fn what_an_optional_step_lacks_is_reported() {
    let desk = Desk::start(&[7]).await.with_fault(2, desk::Fault::Refused);
    // One after the other, so that the second request is known.
    let answer = called(&desk.toolbox(), &me(), THREAD, json!({"ticketId": 7})).await;
    let json = answer.json();
    if answer.is_error {
        assert!(answer.text.contains("failed at `ticket`"), "{}", answer.text);
    } else {
        let note = json["notes"][0].as_str().unwrap();
        assert!(note.starts_with("`comments` is missing or not whole, the step `comments` is refused"), "{note}");
        assert_eq!(json.get("comments"), None);
    }
}

#[tokio::test]
async fn a_dry_run_reads_and_shows_each_change() {
    let desk = Desk::start(&[7]).await;
    let arguments = json!({"ticketId": 7, "note": "done", "dry_run": true});
    let shown = called(&desk.toolbox(), &me(), FINISH, arguments).await;
    assert!(!shown.is_error, "{}", shown.text);
    let plan = shown.json();
    assert_eq!((&plan["dry_run"], &plan["changed"]), (&json!(true), &json!(false)));
    assert_eq!(plan["untrusted"], json!(["body"]), "the note would quote the subject");
    let rows = shown.rows();
    let steps: Vec<(&str, &str)> = rows.iter().map(|(step, _, outcome)| (step.as_str(), outcome.as_str())).collect();
    assert_eq!(steps, [("tag", "planned"), ("close", "planned"), ("note", "planned")]);
    assert_eq!(plan["outcomes"][1]["would_send"]["request"]["method"], "GET");
    assert_eq!(desk.arrived(), ["GET /api/ticket id=7"], "only the read was sent");
}

#[tokio::test]
async fn a_dry_run_has_a_placeholder_for_what_a_change_would_answer() {
    let desk = Desk::start(&[7]).await;
    let shown = called(&desk.toolbox(), &me(), OPEN, json!({"subject": "Fire", "dry_run": true})).await;
    let plan = shown.json();
    let tag = &plan["outcomes"][1];
    assert_eq!(tag["would_call"]["arguments"], json!({"tagName": "new", "ticketId": "⟨$steps.create.outputs.id⟩"}));
    assert!(tag["why"].as_str().unwrap().contains("which a dry run does not have"), "{tag}");
    assert!(desk.arrived().is_empty());
    let done = called(&desk.toolbox(), &me(), OPEN, json!({"subject": "Fire"})).await.json();
    assert_eq!((&done["id"], &done["summary"]), (&json!(8), &json!("2 done")));
    assert_eq!(desk.tickets()[&8].tags, ["new"]);
}

#[tokio::test]
async fn branches_lead_where_the_file_states() {
    // An end after a success: nothing more is read.
    let desk = Desk::start(&[7, 8]).await;
    let ended = called(&desk.toolbox(), &me(), BRANCH, json!({"ticketId": 7, "other": 8})).await.json();
    assert_eq!((&ended["first"], ended.get("third")), (&json!(7), None));
    assert_eq!(desk.arrived().len(), 1);
    // A refusal that passes: it is tried again.
    let desk = Desk::start(&[7, 8]).await.with_fault(1, desk::Fault::Refused);
    let again = called(&desk.toolbox(), &me(), BRANCH, json!({"ticketId": 7, "other": 8})).await.json();
    assert_eq!((&again["first"], desk.arrived().len()), (&json!(7), 2));
    // A jump over the second step.
    let desk = Desk::start(&[8]).await;
    let jumped = called(&desk.toolbox(), &me(), BRANCH, json!({"ticketId": 7, "other": 8})).await.json();
    assert_eq!((jumped.get("first"), &jumped["third"]), (None, &json!(8)));
    assert_eq!(desk.arrived(), ["GET /api/ticket id=7", "GET /api/ticket id=8"]);
    // A criterion that does not hold.
    called(&desk.toolbox(), &me(), CLOSE_MANY, json!({"tickets": [8]})).await;
    let closed = called(&desk.toolbox(), &me(), BRANCH, json!({"ticketId": 7, "other": 8})).await;
    assert!(closed.is_error, "{}", closed.text);
    assert!(closed.text.contains("`$response.body#/Status == 'Open'` does not hold"), "{}", closed.text);
}

#[tokio::test]
async fn progress_names_the_steps_and_counts_the_values() {
    let desk = Desk::start(&[1, 2]).await;
    let (progress, mut lines) = unbounded_channel();
    let caller = Caller { progress: Some(progress), ..Caller::default() };
    called(&desk.toolbox(), &caller, CLOSE_MANY, json!({"tickets": [1, 2]})).await;
    drop(caller);
    let mut texts = Vec::new();
    while let Some(line) = lines.recv().await {
        texts.push(line);
    }
    assert_eq!(texts, ["step 1 of 1: Close the tickets", "Close the tickets: 1 of 2", "Close the tickets: 2 of 2"]);
}
