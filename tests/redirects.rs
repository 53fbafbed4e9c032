//! Vendors that answer with another address → followed within the configured address and for reads only.

use serde_json::json;
use toolwright::policy::Defaults;

use crate::common::{everything, result, sandbox, text, toolbox};
use crate::failures::{answered, assert_rejected};

#[tokio::test]
async fn a_redirect_to_another_origin_is_not_followed() {
    let elsewhere = sandbox(None).await;
    let target = format!("{}/api/ticket?id=7", elsewhere.address("jitbit"));
    let (_sandbox, result) = answered(json!({"status": 302, "headers": {"Location": target}})).await;
    assert_rejected(&result, 302, &["was not followed"]);
    assert!(elsewhere.record().is_empty(), "nothing may arrive elsewhere, credentials least of all");
}

#[tokio::test]
async fn a_redirect_out_of_the_configured_path_is_not_followed() {
    let (sandbox, result) = answered(json!({"status": 302, "headers": {"Location": "/User/Login?ReturnUrl=1"}})).await;
    assert_rejected(&result, 302, &["/User/Login` by http was not followed"]);
    assert_eq!(sandbox.record().len(), 1);
}

#[tokio::test]
async fn a_redirect_below_the_configured_address_is_followed_for_reads_only() {
    let script = json!([
        {"operation": "getTicket", "answer": {"status": 301, "headers": {"Location": "Stats"}}},
        {"operation": "updateTicket", "answer": {"status": 302, "headers": {"Location": "Stats"}}},
    ]);
    let sandbox = sandbox(Some(&script.to_string())).await;
    let toolbox = toolbox(&sandbox, &everything(), Defaults::Reads);
    let read = result(&toolbox, "jitbit_get_ticket_record", json!({"ticketId": 7})).await;
    assert!(text(&read).contains("TotalTickets"), "{}", text(&read));
    let write = result(&toolbox, "jitbit_update_ticket", json!({"ticketId": 7, "subject": "s"})).await;
    assert_rejected(&write, 302, &["was not followed"]);
}

#[tokio::test]
async fn redirects_in_a_circle_are_bounded() {
    let (sandbox, result) = answered(json!({"status": 302, "headers": {"Location": "ticket?id=7"}})).await;
    assert_rejected(&result, 302, &[]);
    assert!(sandbox.record().len() <= 6);
}
