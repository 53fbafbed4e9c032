//! Jira Service Management: changes to many issues, and the stories of Operations and Assets.

use serde_json::{Value, json};
use toolwright::policy::{Defaults, SelectionWords};

use super::{Office, answers, count, once, refuses, row, rows};

const ANN: &str = "712020:4be1f0aa-90c3-4d27-8d0e-6f2f7a1b9c55";
const BOB: &str = "712020:7d1c2f84-5a0b-4e7e-9d4f-2b8a6c3e9f10";

fn issue(key: &str, status: &str, assignee: &str, labels: &[&str]) -> Value {
    json!({"id": "1", "key": key, "fields": {
        "summary": "VPN drops", "status": {"name": status}, "assignee": {"accountId": assignee}, "labels": labels,
    }})
}

fn of(key: &str) -> Value {
    json!({"path": {"issueIdOrKey": key}})
}

fn person(id: &str, name: &str) -> Value {
    answers(
        "getUser",
        json!({"query": {"accountId": id}}),
        json!({"accountId": id, "displayName": name, "active": true}),
    )
}

#[tokio::test]
async fn issues_are_moved_and_those_that_are_there_are_left_alone() {
    let steps = json!({"transitions": [{"id": "31", "name": "Resolve", "to": {"name": "Resolved"}}]});
    let office = Office::open(vec![
        answers("getIssue", of("A-1"), issue("A-1", "Resolved", ANN, &[])),
        answers("getIssue", of("A-2"), issue("A-2", "Open", ANN, &[])),
        answers("getIssue", of("A-3"), issue("A-3", "Open", ANN, &[])),
        answers("getTransitions", json!({}), steps),
        answers(
            "doTransition",
            json!({"path": {"issueIdOrKey": "A-2"}, "body": {"transition": {"id": "31"}}}),
            Value::Null,
        ),
        refuses("doTransition", of("A-3"), 403),
    ])
    .await;
    let arguments = json!({"issues": ["A-1", "A-2", "A-3"], "transition": "Resolved"});
    let answer = office.answer("jsm_transition_many_issues", arguments).await;
    assert_eq!(rows(&answer), [row("A-1", "already so"), row("A-2", "done"), row("A-3", "refused")], "{answer}");
    let unbounded =
        office.refusal("jsm_transition_many_issues", json!({"jql": "ORDER BY created", "transition": "Done"})).await;
    assert!(unbounded.contains("restriction"), "{unbounded}");
}

#[tokio::test]
async fn issues_of_a_query_go_to_one_person_who_is_named_exactly() {
    let found = json!({"issues": [issue("A-1", "Open", ANN, &[]), issue("A-2", "Open", BOB, &[])], "isLast": true});
    let office = Office::open(vec![
        person(BOB, "Bob Example"),
        answers("searchAndReconsileIssuesUsingJqlPost", json!({"body": {"jql": "project = A"}}), found),
        answers("assignIssue", json!({"path": {"issueIdOrKey": "A-1"}, "body": {"accountId": BOB}}), Value::Null),
        answers("findUsers", json!({}), json!([{"accountId": BOB, "displayName": "Bob Example", "active": true}])),
    ])
    .await;
    let answer = office.answer("jsm_assign_many_issues", json!({"jql": "project = A", "assignee": BOB})).await;
    assert_eq!(rows(&answer), [row("A-1", "done"), row("A-2", "already so")]);
    assert_eq!(answer["assignee"], "Bob Example");
    office.sent();
    // Of a person's name the search does not prove that nobody else has it; a change wants that.
    let refusal = office.refusal("jsm_assign_many_issues", json!({"issues": ["A-1"], "assignee": "Bob"})).await;
    assert!(refusal.contains("nothing was sent"), "{refusal}");
    assert_eq!(count(&office.sent(), "assignIssue"), 0);
}

#[tokio::test]
async fn labels_are_added_and_taken_off() {
    let office = Office::open(vec![
        answers("getIssue", of("A-1"), issue("A-1", "Open", ANN, &["vpn", "new"])),
        answers("getIssue", of("A-2"), issue("A-2", "Open", ANN, &["new"])),
        answers("getFields", json!({}), json!([{"id": "labels", "name": "Labels", "schema": {"type": "array", "items": "string", "system": "labels"}}])),
        answers("editIssue", json!({"body": {"update": {"labels": [{"add": "vpn"}]}}}), Value::Null),
        answers("editIssue", json!({"body": {"update": {"labels": [{"remove": "vpn"}]}}}), Value::Null),
    ])
    .await;
    let added = office.answer("jsm_label_many_issues", json!({"issues": ["A-1", "A-2"], "label": "vpn"})).await;
    let of_issues =
        |answer: &Value| -> Vec<_> { rows(answer).into_iter().filter(|(item, _)| item.starts_with("A-")).collect() };
    assert_eq!(of_issues(&added), [row("A-1", "already so"), row("A-2", "done")], "{added}");
    let removed =
        office.answer("jsm_label_many_issues", json!({"issues": ["A-1", "A-2"], "label": "vpn", "remove": true})).await;
    assert_eq!(of_issues(&removed), [row("A-1", "done"), row("A-2", "already so")], "{removed}");
}

#[tokio::test]
async fn who_reads_a_comment_on_many_issues_is_an_explicit_choice() {
    let internal =
        |is: bool| json!({"body": {"properties": [{"key": "sd.public.comment", "value": {"internal": is}}]}});
    for public in [true, false] {
        let office = Office::open(vec![
            answers("getIssue", of("A-1"), issue("A-1", "Open", ANN, &[])),
            answers("getIssue", of("A-2"), issue("A-2", "Open", ANN, &[])),
            answers("addComment", internal(!public), json!({"id": "1"})),
        ])
        .await;
        let arguments = json!({"issues": ["A-1", "A-2"], "body": "It works again."});
        let refusal = office.refusal("jsm_comment_on_many_issues", arguments.clone()).await;
        assert!(refusal.contains("public"), "{refusal}");
        assert!(office.sent().is_empty());
        let mut arguments = arguments;
        arguments["public"] = json!(public);
        let answer = office.answer("jsm_comment_on_many_issues", arguments).await;
        assert!(answer["summary"].as_str().unwrap().starts_with("2 done"), "{answer}");
        assert_eq!(count(&office.sent(), "addComment"), 2);
    }
}

#[tokio::test]
async fn one_wrong_customer_does_not_keep_the_others_out() {
    let added = |id: &str| json!({"body": {"accountIds": [id]}});
    let office =
        Office::open(vec![answers("addCustomers", added(ANN), Value::Null), refuses("addCustomers", added(BOB), 400)])
            .await;
    let arguments = json!({"serviceDeskId": "28", "people": [ANN, BOB]});
    let answer = office.answer("jsm_add_customers_to_desk", arguments).await;
    assert_eq!(rows(&answer), [row(ANN, "done"), row(BOB, "refused")]);
}

fn incident() -> Vec<Value> {
    let team = "7e3d5a90-1b2c-4d8f-a6e7-0c9b8a7f6e5d";
    let schedule = "5f0c2b7e-93d1-4c66-8f0a-2f4be1a7c3d9";
    vec![
        answers("getIssue", of("ITSM-994"), issue("ITSM-994", "Open", ANN, &["vpn"])),
        answers(
            "listAlerts",
            json!({}),
            json!({"values": [{"id": "a-1", "tinyId": "1294", "message": "VPN of ITSM-994", "status": "open", "priority": "P1",
                "responders": [{"type": "team", "id": team}]}], "count": 1, "links": {}}),
        ),
        answers(
            "listSchedules",
            json!({}),
            json!({"values": [{"id": "other", "name": "Mail", "teamId": "x"}, {"id": schedule, "name": "Network", "teamId": team}], "links": {}}),
        ),
        answers("getOnCalls", json!({"path": {"scheduleId": schedule}}), json!({"onCallUsers": [BOB]})),
        person(BOB, "Bob Example"),
        answers(
            "searchAssetsObjects",
            json!({}),
            json!({"values": [{"id": "88", "label": "vpn-gw-2", "objectKey": "CI-88", "objectType": {"id": "4", "name": "Server"}, "attributes": []}], "isLast": true, "startAt": 0, "maxResults": 25, "total": 1}),
        ),
        answers(
            "getIssueForms",
            of("ITSM-994"),
            json!([{"id": "f-1", "name": "Outage report", "submitted": false, "internal": true, "lock": false}]),
        ),
    ]
}

#[tokio::test]
async fn an_incident_comes_with_alert_people_assets_and_forms() {
    let office = Office::with(
        incident(),
        &SelectionWords {
            vendors: vec!["jsm".to_owned()],
            tools: vec!["jsm_get_incident".to_owned()],
            ..SelectionWords::default()
        },
        Defaults::CoreReads,
    )
    .await;
    let answer = office.answer("jsm_get_incident", json!({"issueIdOrKey": "ITSM-994"})).await;
    assert_eq!(answer["issue"]["fields"]["status"]["name"], "Open");
    assert_eq!((&answer["alerts"][0]["tinyId"], &answer["alerts"][0]["priority"]), (&json!("1294"), &json!("P1")));
    assert_eq!(answer["teamOnCall"][0]["displayName"], "Bob Example", "{answer}");
    assert_eq!(answer["assets"][0]["objectKey"], "CI-88");
    assert_eq!(
        (&answer["forms"][0]["name"], &answer["forms"][0]["submitted"]),
        (&json!("Outage report"), &json!(false))
    );
    office.sent();
}

#[tokio::test]
async fn what_an_incident_lacks_is_named_and_the_rest_is_there() {
    let mut site = incident();
    site.retain(|entry| !["listAlerts", "searchAssetsObjects"].contains(&entry["operation"].as_str().unwrap()));
    let office = Office::open(site).await;
    let answer = office.answer("jsm_get_incident", json!({"issueIdOrKey": "ITSM-994"})).await;
    assert_eq!(answer["issue"]["key"], "ITSM-994");
    assert_eq!(answer["forms"][0]["name"], "Outage report");
    let notes = answer["notes"].to_string();
    for lacking in ["`alerts` is missing", "`assets` is missing", "`teamOnCall` is missing"] {
        assert!(notes.contains(lacking), "{lacking}: {notes}");
    }
}

fn on_call() -> Vec<Value> {
    let schedule = json!({"id": "5f0c2b7e-93d1-4c66-8f0a-2f4be1a7c3d9", "name": "Network on-call"});
    vec![
        answers("getSchedule", json!({}), schedule),
        answers("getOnCalls", json!({}), json!({"onCallUsers": [BOB]})),
        person(BOB, "Bob Example"),
        answers(
            "createAlert",
            json!({"body": {"message": "Disk full", "responders": [{"type": "schedule", "id": "5f0c2b7e-93d1-4c66-8f0a-2f4be1a7c3d9"}]}}),
            json!({"result": "Request will be processed", "requestId": "r-1", "took": 0.1}),
        ),
        json!({"operation": "getAlertRequest", "when": {"path": {"requestId": "r-1"}}, "answer": {"status": 404, "body": "not yet"}, "times": 1}),
        answers(
            "getAlertRequest",
            json!({"path": {"requestId": "r-1"}}),
            json!({"isSuccess": true, "status": "Created alert", "alertId": "a-9"}),
        ),
    ]
}

#[tokio::test]
async fn paging_needs_a_policy_that_allows_it_and_shows_first_who_it_is() {
    let arguments = json!({"schedule": "5f0c2b7e-93d1-4c66-8f0a-2f4be1a7c3d9", "message": "Disk full"});
    let reads = Office::with(on_call(), &SelectionWords::default(), Defaults::Reads).await;
    let refusal = reads.refusal("jsm_page_on_call", arguments.clone()).await;
    assert!(refusal.contains("nothing was sent"), "{refusal}");
    assert!(reads.sent().is_empty());
    let office = Office::open(on_call()).await;
    let mut dry = arguments.clone();
    dry["dry_run"] = json!(true);
    let plan = office.answer("jsm_page_on_call", dry).await;
    assert_eq!(plan["outcomes"][0]["would_send"]["request"]["method"], "POST", "{plan}");
    assert_eq!(count(&office.sent(), "createAlert"), 0);
    let done = office.answer("jsm_page_on_call", arguments).await;
    assert_eq!(
        (&done["onCall"], &done["isSuccess"], &done["alertId"]),
        (&json!(["Bob Example"]), &json!(true), &json!("a-9")),
        "{done}"
    );
    let sent = office.sent();
    assert_eq!((count(&sent, "createAlert"), count(&sent, "getAlertRequest")), (1, 2));
}

#[tokio::test]
async fn what_a_person_has_is_found_by_the_account_of_the_name() {
    let query = json!({"body": {"qlQuery": format!("objectType = \"Laptop\" AND \"Owner\" = \"{BOB}\"")}});
    let laptop = json!({"id": "7", "label": "NB-7", "objectKey": "HW-7", "objectType": {"id": "1", "name": "Laptop"}, "attributes": []});
    let page = |values: Value| json!({"values": values, "isLast": true, "startAt": 0, "maxResults": 25, "total": 1});
    let office = Office::open(vec![
        once("findUsers", json!({}), json!([{"accountId": BOB, "displayName": "Bob Example", "emailAddress": "bob@example.com", "active": true}])),
        person(BOB, "Bob Example"),
        answers("searchAssetsObjects", query, page(json!([laptop]))),
        answers("searchAssetsObjects", json!({}), page(json!([]))),
    ])
    .await;
    let answer =
        office.answer("jsm_find_asset_of_person", json!({"person": "bob@example.com", "type": "Laptop"})).await;
    assert_eq!(answer["person"]["displayName"], "Bob Example");
    assert_eq!(answer["assets"][0]["objectKey"], "HW-7", "{answer}");
}

#[tokio::test]
async fn a_search_brings_text_and_comments_where_they_are_included() {
    let fields = json!(["summary", "description", "comment"]);
    let found = json!({"issues": [{"id": "1", "key": "A-1", "fields": {
        "summary": "VPN drops", "description": toolwright::formats::adf::document("It **drops**."),
        "comment": {"comments": [{"id": "7", "body": toolwright::formats::adf::document("Same here.")}], "total": 1},
    }}], "isLast": true});
    let office =
        Office::open(vec![answers("searchAndReconsileIssuesUsingJqlPost", json!({"body": {"fields": fields}}), found)])
            .await;
    let arguments = json!({"jql": "project = A", "fields": ["summary"], "include": ["description", "comments"]});
    let answer = office.answer("jsm_search_issues", arguments).await;
    let fields = &answer["issues"][0]["fields"];
    assert_eq!(
        (&fields["description"], &fields["comment"]["comments"][0]["body"]),
        (&json!("It **drops**."), &json!("Same here."))
    );
    // Added to what comes by default, too, and nothing else is understood.
    let office = Office::open(vec![answers(
        "searchAndReconsileIssuesUsingJqlPost",
        json!({}),
        json!({"issues": [], "isLast": true}),
    )])
    .await;
    office.answer("jsm_search_issues", json!({"jql": "project = A", "include": ["comments"]})).await;
    assert_eq!(office.sent().len(), 1);
    let refusal = office.refusal("jsm_search_issues", json!({"jql": "project = A", "include": ["everything"]})).await;
    assert!(refusal.contains("include"), "{refusal}");
}

#[tokio::test]
async fn alerts_of_a_query_are_acknowledged_and_each_has_its_outcome() {
    let alert = |id: &str, tiny: &str, acknowledged: bool| json!({"id": id, "tinyId": tiny, "message": "m", "status": "open", "acknowledged": acknowledged});
    let alerts = json!({"values": [alert("a", "1", false), alert("b", "2", true), alert("c", "3", false), alert("d", "4", false)], "count": 4, "links": {}});
    let queued = json!({"result": "Request will be processed", "requestId": "r", "took": 0.1});
    let of = |id: &str| json!({"path": {"id": id}});
    let office = Office::open(vec![
        answers("listAlerts", json!({"query": {"query": "status: open"}}), alerts),
        answers("acknowledgeAlert", of("a"), queued),
        refuses("acknowledgeAlert", of("c"), 422),
        json!({"operation": "acknowledgeAlert", "when": of("d"), "answer": {"close": true}}),
    ])
    .await;
    let answer = office.answer("jsm_acknowledge_alerts", json!({"query": "status: open"})).await;
    let expected = [row("1", "done"), row("2", "already so"), row("3", "refused"), row("4", "unknown")];
    assert_eq!(rows(&answer), expected, "{answer}");
    assert_eq!(count(&office.sent(), "acknowledgeAlert"), 3, "nothing is sent twice");
}
