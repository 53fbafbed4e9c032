//! Clients that can't ask: what waits in the store, `toolwright approve`, and the call that comes again.

use serde_json::json;

use super::*;
use crate::common::network::run;

const REPLY: &str = "jitbit_reply_to_customer";

fn reply() -> Value {
    json!({"ticketId": 7, "body": "It works again."})
}

#[tokio::test]
async fn the_same_call_again_returns_the_outcome() {
    for era in Era::BOTH {
        let site = Site::open(&format!("again-{era:?}"), Terms::default()).await;
        let desk = site.client(era, false, yes()).await;
        let result = desk.call(REPLY, reply()).await;
        let id = id_in(&result);
        assert!(is_error(&result) && text(&result).contains("toolwright approve yes"), "{}", text(&result));
        let waiting = desk.call(REPLY, reply()).await;
        assert!(text(&waiting).contains("not decided yet") && id_in(&waiting) == id, "{}", text(&waiting));
        assert_eq!(site.pending().await.len(), 1, "one for the same call");
        assert!(site.changes().is_empty());
        assert!(site.yes(&id).await);
        let done = desk.call(REPLY, reply()).await;
        assert!(!is_error(&done), "{}", text(&done));
        assert_eq!(site.changes().len(), 1);
        // It is used up.
        let anew = desk.call(REPLY, reply()).await;
        assert!(is_error(&anew) && id_in(&anew) != id, "{}", text(&anew));
        assert_eq!(site.changes().len(), 1);
        assert!(desk.asked().is_empty(), "a client that declares no form is not asked");
    }
}

#[tokio::test]
async fn a_no_and_what_comes_too_late_are_told() {
    let site = Site::open("no", Terms::default()).await;
    let desk = site.client(Era::Handshake, false, yes()).await;
    let id = id_in(&desk.call(REPLY, reply()).await);
    let no = Decision { reason: Some("the customer has left".to_owned()), ..decision(false) };
    assert!(site.store.decide_approval(&id, &no).await.unwrap());
    let result = desk.call(REPLY, reply()).await;
    let told = text(&result);
    assert!(told.contains("declined by ops") && told.contains("the customer has left"), "{told}");
    assert!(!site.yes(&id).await, "what is decided stays so");

    let late = Terms { within: Duration::from_millis(100), ..Terms::default() };
    let site = Site::open("late", late).await;
    let desk = site.client(Era::Handshake, false, yes()).await;
    let id = id_in(&desk.call(REPLY, reply()).await);
    tokio::time::sleep(Duration::from_millis(150)).await;
    assert!(!site.yes(&id).await, "nobody approves what has ended");
    let result = desk.call(REPLY, reply()).await;
    assert!(text(&result).contains("counts as a no") && id_in(&result) == id, "{}", text(&result));
    let result = desk.call(REPLY, reply()).await;
    assert!(id_in(&result) != id, "then it is asked anew: {}", text(&result));

    // Approved in time, and fetched too late.
    let id = id_in(&result);
    assert!(site.yes(&id).await);
    tokio::time::sleep(Duration::from_millis(150)).await;
    let result = desk.call(REPLY, reply()).await;
    assert!(is_error(&result) && text(&result).contains("counts as a no"), "{}", text(&result));
    assert!(site.changes().is_empty());
}

#[tokio::test]
async fn the_command_line_lists_shows_and_decides() {
    let site = Site::open("command", Terms { confirm: &["destructive"], ..Terms::default() }).await;
    let desk = site.client(Era::Handshake, false, yes()).await;
    let (tool, arguments) = ("jitbit_delete_ticket", json!({"ticketId": 7}));
    let id = id_in(&desk.call(tool, arguments.clone()).await);
    let store = site.store.address().to_string();
    let approve = async |words: &[&str]| {
        let words: Vec<&str> = ["approve"].iter().chain(words).copied().chain(["--store", store.as_str()]).collect();
        run(&words, &[]).await
    };
    let (code, out, error) = approve(&["list"]).await;
    assert!(code == Some(0) && out.contains(&id) && out.contains(tool), "{out}{error}");
    let (code, out, error) = approve(&["show", &id]).await;
    assert!(code == Some(0) && out.contains("/api/deleteTicket") && out.contains("irreversible"), "{out}{error}");
    let (code, _, error) = approve(&["yes", &id]).await;
    assert!(code == Some(2) && error.contains("--name"), "the name is missing: {error}");
    let (code, _, error) = approve(&["yes", &id, "--name", "8"]).await;
    assert!(code == Some(2), "the wrong name: {error}");
    let (code, _, error) = approve(&["yes", &id, "--name", "7"]).await;
    assert!(code == Some(0) && error.contains("approved"), "{error}");
    let (code, _, error) = approve(&["yes", &id, "--name", "7"]).await;
    assert!(code == Some(2) && error.contains("it is approved by user"), "{error}");
    let result = desk.call(tool, arguments.clone()).await;
    assert!(!is_error(&result), "{}", text(&result));
    let (_, out, _) = approve(&["show", &id, "--format", "json"]).await;
    let shown: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&shown["state"], &shown["outcome"]), (&json!("done"), &json!("answered")), "{out}");
    let id = id_in(&desk.call(tool, arguments.clone()).await);
    let (code, _, error) = approve(&["no", &id, "--reason", "keep it"]).await;
    assert!(code == Some(0), "{error}");
    assert!(text(&desk.call(tool, arguments).await).contains("keep it"));
    assert_eq!(site.changes().len(), 1);
    let (code, _, error) = approve(&["show", "nobody-knows"]).await;
    assert!(code == Some(2) && error.contains("approve list --all"), "{error}");
}

#[tokio::test]
async fn what_was_approved_can_be_taken_back() {
    let site = Site::open("withdrawn", Terms::default()).await;
    let desk = site.client(Era::Handshake, false, yes()).await;
    let id = id_in(&desk.call(REPLY, reply()).await);
    assert!(site.yes(&id).await);
    let store = site.store.address().to_string();
    let (code, _, error) = run(&["approve", "no", &id, "--store", &store], &[]).await;
    assert!(code == Some(0) && error.contains("taken back"), "{error}");
    let result = desk.call(REPLY, reply()).await;
    assert!(is_error(&result) && text(&result).contains("declined by user"), "{}", text(&result));
    assert!(site.changes().is_empty());
}

#[tokio::test]
async fn somebody_else_has_to_approve_where_that_is_said() {
    let site = Site::open("another", Terms { by_another: true, ..Terms::default() }).await;
    let desk = site.client(Era::Handshake, true, yes()).await;
    let result = desk.call(REPLY, reply()).await;
    let id = id_in(&result);
    assert!(is_error(&result) && desk.asked().is_empty(), "the caller's own person is not asked");
    let store = site.store.address().to_string();
    let (code, _, error) = run(&["approve", "yes", &id, "--store", &store], &[]).await;
    assert!(code == Some(2) && error.contains("somebody else"), "the same user of this machine: {error}");
    assert!(is_error(&desk.call(REPLY, reply()).await));
    assert!(site.yes(&id).await);
    assert!(!is_error(&desk.call(REPLY, reply()).await));
    assert_eq!(site.changes().len(), 1);
}
