//! Jitbit: what is cleared, addresses, days and times, lists. Its changes are forms, which have no null.

use serde_json::json;

use super::{Bench, described};

#[tokio::test]
async fn a_technician_is_taken_off_with_null() {
    let bench = Bench::new(&json!([])).await;
    for tool in ["jitbit_assign_ticket", "jitbit_update_ticket"] {
        let body = bench.body(tool, json!({"ticketId": 31877, "assignedUserId": null})).await;
        assert_eq!(body, "id=31877&assignedUserId=0", "{tool}");
        assert!(described(&bench, tool, "assignedUserId").contains("null clears it"), "{tool}");
    }
}

#[tokio::test]
async fn null_is_refused_where_it_clears_nothing() {
    let bench = Bench::new(&json!([])).await;
    for (tool, arguments, place) in [
        ("jitbit_update_ticket", json!({"ticketId": 31877, "dueDate": null}), "`dueDate`"),
        ("jitbit_update_ticket", json!({"ticketId": 31877, "subject": null}), "`subject`"),
        ("jitbit_set_ticket_custom_fields", json!({"ticketId": 31877, "values": {"cf7": null}}), "`values.cf7`"),
        ("jitbit_list_tickets", json!({"status": null}), "`status`"),
        ("jitbit_get_ticket", json!({"ticketId": null}), "`ticketId`"),
    ] {
        bench.refuses(tool, arguments, &[place, "but got null", "nothing was sent"]).await;
    }
    // Of our own arguments a null is none at all; a change is never made by it.
    bench.sent("jitbit_list_tickets", json!({"cursor": null, "detail": null, "jq": null})).await;
    let change = json!({"ticketId": 31877, "subject": "s", "dry_run": null});
    bench.refuses("jitbit_update_ticket", change, &["`dry_run`"]).await;
}

#[tokio::test]
async fn days_and_times_are_sent_as_each_operation_takes_them() {
    let bench = Bench::new(&json!([])).await;
    for (given, sent) in [("-2h", "2026-11-20T06%3A00%3A00Z"), ("2026-12-01", "2026-12-01T00%3A00%3A00Z")] {
        let body = bench.body("jitbit_update_ticket", json!({"ticketId": 1, "dueDate": given})).await;
        assert_eq!(body, format!("id=1&dueDate={sent}"), "{given}");
    }
    let days = json!({"dateFrom": "-7d", "dateTo": "2026-11-19T22:00:00Z"});
    let query = bench.sent("jitbit_filter_tickets", days).await.query;
    assert!(query.contains("dateFrom=2026-11-13") && query.contains("dateTo=2026-11-19"), "{query}");
    bench
        .refuses("jitbit_filter_tickets", json!({"dateFrom": "last week"}), &["`dateFrom`: expected a date such as"])
        .await;
}

#[tokio::test]
async fn addresses_are_addresses_and_required_texts_not_empty() {
    let bench = Bench::new(&json!([])).await;
    for wrong in ["", " ", "obrandt", "ola brandt@fenwick.example"] {
        bench.refuses("jitbit_get_user_by_email", json!({"email": wrong}), &["`email`: expected"]).await;
    }
    bench.refuses("jitbit_get_user_by_username", json!({"username": " "}), &["`username`: expected"]).await;
    let query = bench.sent("jitbit_get_user_by_email", json!({"email": " ola@fenwick.example"})).await.query;
    assert_eq!(query, "email=ola%40fenwick.example");
}

#[tokio::test]
async fn one_text_is_a_list_of_numbers() {
    let bench = Bench::new(&json!([])).await;
    for given in [json!("1,2"), json!("1 2"), json!("[1, 2]"), json!([1, 2])] {
        let query = bench.sent("jitbit_filter_tickets", json!({"statusId": given})).await.query;
        assert!(query.contains("statusId=1&statusId=2"), "{given}: {query}");
    }
    bench
        // A name may have a comma in it.
        .refuses("jitbit_filter_tickets", json!({"statusId": "New, Closed"}), &["`statusId`", r#"["New","Closed"]"#])
        .await;
}

#[tokio::test]
async fn all_that_is_wrong_comes_in_one_answer() {
    let bench = Bench::new(&json!([])).await;
    let call = json!({"statusId": [true, {}], "dateFrom": "soon", "dateTo": null, "fromUserID": 5, "limit": 0});
    let refusal = bench.refused("jitbit_filter_tickets", call).await;
    let named: Vec<&str> = refusal.lines().filter_map(|line| line.strip_prefix("- `")?.split('`').next()).collect();
    assert_eq!(named, ["statusId[1]", "dateFrom", "dateTo", "limit", "fromUserID"], "{refusal}");
}
