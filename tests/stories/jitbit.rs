//! Jitbit: a ticket with its conversation in one call, and changes to many tickets.

use serde_json::{Value, json};
use toolwright::policy::{Defaults, SelectionWords};

use super::{Office, answers, count, once, refuses, row, rows};

fn ticket(id: u64, status: u64) -> Value {
    json!({
        "TicketID": id, "IssueID": id, "Subject": format!("Printer {id} jams"), "Body": "<p>It jams.</p>", "Status": "In process",
        "StatusID": status, "Priority": 0, "CategoryName": "Hardware", "CategoryID": 18, "AssignedToUserID": 1206,
        "Tags": [{"TagID": 1, "Name": "printer", "TagCount": 3}],
    })
}

fn row_of(id: u64, status: u64) -> Value {
    json!({"IssueID": id, "TicketID": id, "StatusID": status, "Priority": 0, "AssignedToUserID": 1206, "Subject": "Jam"})
}

fn comment(id: u64, day: u64, internal: bool) -> Value {
    json!({
        "CommentID": id, "IssueID": 7, "CommentDate": format!("2026-10-{day:02}T08:00:00Z"), "ForTechsOnly": internal,
        "IsSystem": false, "Body": format!("comment {id}"), "FirstName": "Ola", "LastName": "Brandt",
    })
}

fn of(id: u64) -> Value {
    json!({"query": {"id": id.to_string()}})
}

#[tokio::test]
async fn a_ticket_comes_with_all_comments_and_custom_fields() {
    let office = Office::with(
        vec![
            answers("getTicket", of(7), ticket(7, 2)),
            answers("listComments", of(7), json!([comment(3, 9, true), comment(1, 2, false), comment(2, 5, false)])),
            answers("listTicketCustomFields", of(7), json!([{"FieldID": 305, "FieldName": "Site", "Value": "York"}])),
        ],
        &SelectionWords { vendors: vec!["jitbit".to_owned()], ..SelectionWords::default() },
        Defaults::CoreReads,
    )
    .await;
    let answer = office.answer("jitbit_get_ticket", json!({"ticketId": 7})).await;
    let told: Vec<(u64, bool)> = answer["comments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["CommentID"].as_u64().unwrap(), one["ForTechsOnly"].as_bool().unwrap()))
        .collect();
    assert_eq!(told, [(1, false), (2, false), (3, true)], "the oldest first, internal ones marked");
    assert_eq!(
        (&answer["Subject"], &answer["Status"], &answer["Priority"], &answer["CategoryName"], &answer["Body"]),
        (&json!("Printer 7 jams"), &json!("In process"), &json!(0), &json!("Hardware"), &json!("It jams.")),
    );
    assert_eq!(answer["Tags"][0]["Name"], "printer");
    assert_eq!(
        (&answer["CustomFields"][0]["FieldName"], &answer["CustomFields"][0]["Value"]),
        (&json!("Site"), &json!("York"))
    );
    let untrusted = answer["untrusted"].as_array().unwrap();
    assert!(untrusted.contains(&json!("Body")) && untrusted.contains(&json!("Subject")), "{answer}");
    let mut sent = office.sent();
    sent.sort();
    assert_eq!(sent, ["getTicket", "listComments", "listTicketCustomFields"]);
}

#[tokio::test]
async fn three_hundred_comments_come_in_parts_within_the_bound() {
    let long = |id: u64| {
        let mut one = comment(id, 1 + id % 28, false);
        one["Body"] = json!("The same again. ".repeat(40));
        one
    };
    let office = Office::open(vec![
        answers("getTicket", of(7), ticket(7, 2)),
        answers("listComments", of(7), (0..300).map(long).collect()),
        answers("listTicketCustomFields", of(7), json!([])),
    ])
    .await;
    let (mut seen, mut cursor, mut parts) = (0, Value::Null, 0);
    loop {
        let arguments = if cursor.is_null() { json!({"ticketId": 7}) } else { json!({"cursor": cursor}) };
        let result = office.call("jitbit_get_ticket", arguments).await;
        let text = crate::common::text(&result);
        assert!(text.len() <= 40_000, "{}", text.len());
        let answer: Value = serde_json::from_str(text).unwrap();
        seen += answer["comments"].as_array().map_or(0, Vec::len);
        cursor = answer["page"]["next_cursor"].clone();
        parts += 1;
        if cursor.is_null() {
            break;
        }
    }
    assert_eq!(seen, 300);
    assert!(parts > 1);
    assert_eq!(office.sent().len(), 3, "the parts are of one answer");
}

#[tokio::test]
async fn what_of_a_ticket_cannot_be_read_is_named() {
    let office = Office::open(vec![
        answers("getTicket", of(7), ticket(7, 2)),
        refuses("listComments", of(7), 403),
        answers("listTicketCustomFields", of(7), json!([])),
    ])
    .await;
    let answer = office.answer("jitbit_get_ticket", json!({"ticketId": 7})).await;
    assert_eq!((&answer["TicketID"], answer.get("comments")), (&json!(7), None));
    assert!(answer["notes"][0].as_str().unwrap().starts_with("`comments` is missing"), "{answer}");
    let missing = Office::open(vec![]).await;
    let refusal = missing.refusal("jitbit_get_ticket", json!({"ticketId": 7})).await;
    assert!(refusal.contains("failed at `ticket`") && refusal.contains("404"), "{refusal}");
}

#[tokio::test]
async fn by_default_no_change_to_many_is_offered() {
    let served = Office::with(vec![], &SelectionWords::default(), Defaults::CoreReads).await.tools().await;
    assert!(served.iter().any(|name| name == "jitbit_get_ticket"));
    let all = Office::with(vec![], &SelectionWords::default(), Defaults::Reads).await;
    for tool in ["jitbit_close_tickets", "jitbit_assign_tickets", "jitbit_tag_tickets", "jitbit_prioritize_tickets"] {
        assert!(!served.iter().any(|name| name == tool), "{tool}");
        let refusal = all.refusal(tool, json!({"tickets": [7]})).await;
        assert!(refusal.contains("nothing was sent"), "{refusal}");
    }
    assert!(all.sent().is_empty());
}

#[tokio::test]
async fn tickets_are_closed_and_calling_again_sends_only_the_rest() {
    let office = Office::open(vec![
        answers("getTicket", of(1), ticket(1, 3)),
        once("getTicket", of(2), ticket(2, 2)),
        answers("getTicket", of(2), ticket(2, 3)),
        answers("getTicket", of(3), ticket(3, 1)),
        answers("closeTicket", of(2), Value::Null),
        json!({"operation": "closeTicket", "when": of(3), "answer": {"status": 403, "body": "no"}, "times": 1}),
        answers("closeTicket", of(3), Value::Null),
    ])
    .await;
    let first = office.answer("jitbit_close_tickets", json!({"tickets": [1, 2, 3, 4]})).await;
    assert_eq!(
        rows(&first),
        [row("4", "refused"), row("1", "already so"), row("2", "done"), row("3", "refused")],
        "{first}"
    );
    assert_eq!(count(&office.sent(), "closeTicket"), 2);
    let second = office.answer("jitbit_close_tickets", json!({"tickets": [1, 2, 3]})).await;
    assert_eq!(second["summary"], "1 done, 2 already so");
    assert_eq!(count(&office.sent(), "closeTicket"), 1);
}

#[tokio::test]
async fn tickets_are_found_by_conditions_and_a_dry_run_changes_nothing() {
    let found = json!({"query": {"mode": "unclosed", "updatedTo": "2026-09-30"}});
    let page =
        |offset: u64| json!({"query": {"mode": "unclosed", "updatedTo": "2026-09-30", "offset": offset.to_string()}});
    let office = Office::open(vec![
        answers("listTickets", page(2), json!([])),
        answers("listTickets", page(300), json!([])),
        answers("listTickets", found, json!([row_of(5, 1), row_of(6, 2)])),
        answers("closeTicket", json!({}), Value::Null),
    ])
    .await;
    let conditions = json!({"mode": "unclosed", "updatedTo": "2026-09-30"});
    let plan = office.answer("jitbit_close_tickets", json!({"where": conditions, "dry_run": true})).await;
    assert_eq!((&plan["dry_run"], &plan["changed"]), (&json!(true), &json!(false)));
    assert_eq!(rows(&plan), [row("5", "planned"), row("6", "planned")]);
    assert_eq!(count(&office.sent(), "closeTicket"), 0);
    let done = office.answer("jitbit_close_tickets", json!({"where": conditions})).await;
    assert_eq!(done["summary"], "2 done");
    // Without a condition nothing is found by accident.
    let none = office.refusal("jitbit_close_tickets", json!({"where": {}})).await;
    assert!(none.contains("mode"), "{none}");
    let nothing = office.answer("jitbit_close_tickets", json!({})).await;
    assert_eq!(nothing["summary"], "nothing to do");
}

#[tokio::test]
async fn more_than_a_hundred_are_refused_before_anything_is_sent() {
    let office = Office::open(vec![]).await;
    let many: Vec<u64> = (1..=101).collect();
    let refusal = office.refusal("jitbit_close_tickets", json!({"tickets": many})).await;
    assert!(refusal.contains("has 101 values, of at most 100"), "{refusal}");
    assert!(office.sent().is_empty());
}

#[tokio::test]
async fn a_technician_is_named_exactly_or_nothing_is_sent() {
    let techs = json!([
        {"UserID": 1138, "Username": "obrandt", "FullName": "Ola Brandt", "Email": "ola@example.com"},
        {"UserID": 1206, "Username": "sdegroot", "FullName": "Sanne de Groot", "Email": "sanne@example.com"},
    ]);
    let office = Office::open(vec![
        answers("listUsers", json!({"query": {"page": "1"}}), techs),
        answers("listUsers", json!({}), json!([])),
        answers("getUser", json!({"query": {"userId": "1138"}}), json!({"UserID": 1138, "FullName": "Ola Brandt"})),
        answers("getTicket", of(7), ticket(7, 2)),
        answers("updateTicket", json!({}), Value::Null),
    ])
    .await;
    let refusal = office.refusal("jitbit_assign_tickets", json!({"tickets": [7], "technician": "Ola"})).await;
    assert!(refusal.contains("Ola Brandt"), "it names the nearest: {refusal}");
    assert_eq!(count(&office.sent(), "updateTicket"), 0);
    let done = office.answer("jitbit_assign_tickets", json!({"tickets": [7], "technician": "Ola Brandt"})).await;
    assert_eq!((&done["technician"], &done["summary"]), (&json!("Ola Brandt"), &json!("1 done")));
}

#[tokio::test]
async fn priorities_and_tags_that_are_so_already_are_left_alone() {
    let office = Office::open(vec![
        answers("getTicket", of(7), ticket(7, 2)),
        answers("updateTicket", json!({}), Value::Null),
        answers("tagTicket", json!({}), Value::Null),
    ])
    .await;
    let same = office.answer("jitbit_prioritize_tickets", json!({"tickets": [7], "priority": 0})).await;
    assert_eq!(same["summary"], "1 already so");
    let other = office.answer("jitbit_prioritize_tickets", json!({"tickets": [7], "priority": 2})).await;
    assert_eq!(other["summary"], "1 done");
    let tagged = office.answer("jitbit_tag_tickets", json!({"tickets": [7], "tag": "Printer"})).await;
    assert_eq!(tagged["summary"], "1 already so");
    let new = office.answer("jitbit_tag_tickets", json!({"tickets": [7], "tag": "floor 3"})).await;
    assert_eq!(new["summary"], "1 done");
}
