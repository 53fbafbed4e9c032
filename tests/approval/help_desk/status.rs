//! A help desk whose vendor does not state who has set a status: only the category's technicians can, and these are the approvers.

use super::*;

fn note() -> Value {
    json!({"issueIdOrKey": "ITS-412", "body": "It works again. <script>alert(1)</script>"})
}

#[tokio::test]
async fn the_status_that_a_technician_sets_decides() {
    let desks = desks("jsm", &at_jitbit(), HOUR);
    let script = jitbit(vec![once(row(1, 500)), row(9, 7)]);
    let site = site("status", script, desks.clone()).await;
    let client = site.client(Era::Handshake, true, yes()).await;
    let result = client.call(NOTE, note()).await;
    assert!(text(&result).contains("ticket 4711 of Jitbit"), "{}", text(&result));
    let raised = site.called("createTicket");
    assert_eq!(raised.len(), 1);
    let body = String::from_utf8(raised[0].body.clone().unwrap()).unwrap();
    assert!(!body.contains("<script"), "{body}");
    let waits = client.call(NOTE, note()).await;
    assert!(text(&waits).contains("not decided yet"), "{}", text(&waits));
    let done = client.call(NOTE, note()).await;
    assert!(!is_error(&done), "{}", text(&done));
    round(&desks, &site).await;
    let comments = site.called("addComment");
    let notes: Vec<&Recorded> = comments.iter().filter(|one| one.api == "jitbit").collect();
    assert_eq!((comments.len(), notes.len()), (2, 1), "{comments:?}");
    let body = String::from_utf8(notes[0].body.clone().unwrap()).unwrap();
    assert!(body.contains("4711") && body.to_lowercase().contains("fortechsonly"), "{body}");
}

#[tokio::test]
async fn whoever_else_has_changed_the_ticket_has_not_approved() {
    let strangers = json!([{"UserID": 500}, {"UserID": 7}, {"UserID": 99}]);
    let moved = json!({"TicketID": 4711, "UserID": 500, "Subject": "Approval", "Body": "plan", "CategoryID": 2});
    let plan = json!({"TicketID": 4711, "UserID": 500, "Subject": "Approval", "Body": "plan", "CategoryID": 18});
    let people = json!([{"UserID": 500}, {"UserID": 7}]);
    let cases: Vec<(&str, Vec<Value>, &str)> = vec![
        ("submitter", vec![row(9, 500)], "not among those"),
        ("stranger", vec![row(9, 99)], "not among those"),
        ("nobody", vec![row(9, Value::Null)], "not among those"),
        ("closed", vec![row(3, 7)], "declined by 7"),
        ("open", vec![row(2, 7)], "not decided yet"),
        ("not-listed", vec![answer("listTickets", 200, json!([]))], "not decided yet"),
        (
            "technician",
            vec![
                once(answer("listTechsForCategory", 200, people)),
                answer("listTechsForCategory", 200, strangers.clone()),
                row(9, 7),
            ],
            "others than the approvers",
        ),
        (
            "moved",
            vec![once(answer("getTicket", 200, plan)), answer("getTicket", 200, moved), row(9, 7)],
            "text is not what was raised",
        ),
    ];
    for (test, first, told) in cases {
        let site = site(&format!("status-{test}"), jitbit(first), desks("jsm", &at_jitbit(), HOUR)).await;
        let client = site.client(Era::Handshake, true, yes()).await;
        client.call(NOTE, note()).await;
        let result = client.call(NOTE, note()).await;
        assert!(is_error(&result) && text(&result).contains(told), "{test}: {}", text(&result));
        let sent = site.called("addComment").into_iter().filter(|one| one.api != "jitbit").count();
        assert_eq!(sent, 0, "{test}");
    }
    // Where others could decide, nothing is raised.
    let script = jitbit(vec![answer("listTechsForCategory", 200, strangers)]);
    let site = site("status-others", script, desks("jsm", &at_jitbit(), HOUR)).await;
    let client = site.client(Era::Handshake, true, yes()).await;
    assert!(is_error(&client.call(NOTE, note()).await));
    assert!(site.called("createTicket").is_empty());
}
