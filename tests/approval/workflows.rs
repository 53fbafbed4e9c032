//! Tools of several calls: a person is asked once, with all that would be sent, and nothing else is sent.

use serde_json::json;

use super::*;

const CLOSE: &str = "jitbit_close_tickets";

/// A ticket that is open.
fn open_ticket(id: u64) -> Value {
    let body = json!({"TicketID": id, "StatusID": 2, "Status": "In process", "Subject": "Printer"});
    json!({"operation": "getTicket", "when": {"query": {"id": id.to_string()}}, "answer": {"status": 200, "body": body}})
}

fn script(more: Vec<Value>) -> Value {
    let closes = json!({"operation": "closeTicket", "answer": {"status": 200}});
    more.into_iter().chain([open_ticket(7), open_ticket(8), open_ticket(9), closes]).collect()
}

/// Closing is a GET at this vendor.
fn closed(site: &Site) -> usize {
    site.sandbox.record().iter().filter(|one| one.operation.as_deref() == Some("closeTicket")).count()
}

#[tokio::test]
async fn a_workflow_asks_once_with_its_whole_plan() {
    for era in Era::BOTH {
        let terms = Terms { script: Some(script(Vec::new())), ..Terms::default() };
        let site = Site::open(&format!("workflow-{era:?}"), terms).await;
        let desk = site.client(era, true, yes()).await;
        let result = desk.call(CLOSE, json!({"tickets": [7, 8, 9]})).await;
        assert!(!is_error(&result), "{era:?}: {}", text(&result));
        let asked = desk.asked();
        assert_eq!((asked.len(), closed(&site)), (1, 3), "{era:?}: {}", text(&result));
        let shown = asked[0].0.to_lowercase();
        assert_eq!(shown.matches("would_send").count(), 3, "{era:?}: {shown}");
        assert!(shown.contains("3 planned"), "{era:?}: {shown}");
    }
}

#[tokio::test]
async fn a_workflow_that_is_not_approved_changes_nothing() {
    let terms = || Terms { script: Some(script(Vec::new())), ..Terms::default() };
    let site = Site::open("workflow-no", terms()).await;
    let desk = site.client(Era::Handshake, true, Person::Declines).await;
    let result = desk.call(CLOSE, json!({"tickets": [7, 8]})).await;
    assert!(is_error(&result) && text(&result).contains("declined by"), "{}", text(&result));
    assert_eq!(closed(&site), 0);

    let site = Site::open("workflow-later", terms()).await;
    let desk = site.client(Era::Handshake, false, yes()).await;
    let result = desk.call(CLOSE, json!({"tickets": [7, 8]})).await;
    assert!(site.yes(&id_in(&result)).await);
    let other = desk.call(CLOSE, json!({"tickets": [7, 8, 9]})).await;
    assert!(is_error(&other) && closed(&site) == 0, "another plan: {}", text(&other));
    let done = desk.call(CLOSE, json!({"tickets": [7, 8]})).await;
    assert!(!is_error(&done), "{}", text(&done));
    assert_eq!(closed(&site), 2);
}

#[tokio::test]
async fn what_has_changed_since_the_plan_is_not_sent() {
    // Ticket 7 is closed already while it is planned, and open again when its turn comes.
    let body = json!({"TicketID": 7, "StatusID": 3, "Status": "Closed", "Subject": "Printer"});
    let when = json!({"query": {"id": "7"}});
    let once = json!({"operation": "getTicket", "when": when, "answer": {"status": 200, "body": body}, "times": 1});
    let terms = Terms { script: Some(script(vec![once])), ..Terms::default() };
    let site = Site::open("workflow-changed", terms).await;
    let desk = site.client(Era::Handshake, true, yes()).await;
    let result = desk.call(CLOSE, json!({"tickets": [7, 8]})).await;
    assert!(text(&result).contains("not among the requests that were approved"), "{}", text(&result));
    assert_eq!(closed(&site), 1, "ticket 8 alone: {}", text(&result));
}
