//! The two workflows of the service desk, by our names and by the aliases: each step uses the answer
//! of the step before, over a script that knows only the ids that they should request.

use serde_json::{Value, json};
use toolwright::formats::adf;

use super::desk::{Desk, answers};

/// Our name and the alias.
const SEARCH: [&str; 2] = ["jsm_search_issues", "list_all_jira_service_management_search_issues"];
const ISSUE: [&str; 2] = ["jsm_get_issue", "get_single_jira_service_management_issue_by_id"];
const COMMENTS: [&str; 2] = ["jsm_list_request_comments", "list_all_jira_service_management_issue_comments"];
const QUEUES: [&str; 2] = ["jsm_list_queues", "list_all_jira_service_management_queues"];
const QUEUE_ISSUES: [&str; 2] = ["jsm_list_queue_issues", "list_all_jira_service_management_queue_issues"];
const USER: [&str; 2] = ["jsm_get_user", "get_single_jira_service_management_user_by_id"];

const REPORTER: &str = "712020:7d1c2f84-5a0b-4e7e-9d4f-2b8a6c3e9f10";

/// A site with one incident, its conversation, its reporter and a desk with queues. Any other id is
/// not found.
fn site() -> Value {
    let incident = json!({"id": "10994", "key": "ITSM-994", "fields": {
        "summary": "VPN drops every ten minutes",
        "description": adf::document("Steps:\n\n1. Connect\n2. **Wait**"),
        "status": {"name": "In Progress"},
        "reporter": {"accountId": REPORTER, "displayName": "Mina Okafor"},
    }});
    let comment = |id: &str, body: &str, public: bool| json!({"id": id, "body": body, "public": public, "author": {"accountId": "a-1", "displayName": "Level 1"}, "created": {"iso8601": "2026-11-20T08:00:00+0000"}});
    let values = |values: Value| json!({"values": values, "isLastPage": true, "start": 0, "size": 0, "limit": 50});
    let comments = values(json!([
        comment("1", "Please send the device log.", true),
        comment("2", "Same firmware as ITSM-871.", false),
    ]));
    let reporter =
        json!({"accountId": REPORTER, "displayName": "Mina Okafor", "active": true, "timeZone": "Africa/Lagos"});
    let queue = |id: &str, name: &str, count: u64| json!({"id": id, "name": name, "jql": format!("project = NET AND labels = {id}"), "issueCount": count, "fields": ["issuekey", "created"]});
    let queues = values(json!([queue("21", "Hardware Requests", 4), queue("34", "Network Outages", 12)]));
    // Twelve, the youngest first; every third is resolved.
    let issue = |number: u32| {
        let resolution = if number.is_multiple_of(3) { json!({"name": "Done"}) } else { Value::Null };
        let created = format!("2026-11-{:02}T09:00:00.000+0000", 20 - number);
        json!({"id": format!("{number}"), "key": format!("NET-{}", 100 - number), "fields": {"summary": "Outage", "created": created, "resolution": resolution}})
    };
    let waiting = values((0..12).map(issue).collect());
    json!([
        answers("getIssue", &json!({"path": {"issueIdOrKey": "ITSM-994"}}), &incident),
        answers("getRequestComments", &json!({"path": {"issueIdOrKey": "ITSM-994"}}), &comments),
        answers("getUser", &json!({"query": {"accountId": REPORTER}}), &reporter),
        answers("getQueues", &json!({"path": {"serviceDeskId": "2"}, "query": {"includeCount": "true"}}), &queues),
        answers("getIssuesInQueue", &json!({"path": {"serviceDeskId": "2", "queueId": "34"}}), &waiting),
        answers("searchAndReconsileIssuesUsingJqlPost", &json!({"body": {"jql": "key = ITSM-994"}}), &json!({"issues": [incident], "isLast": true})),
        {"operation": "*", "answer": {"status": 404, "body": {"errorMessages": ["Not on this site."]}}},
    ])
}

#[tokio::test]
async fn workflow_steps_are_offered_by_default() {
    let desk = Desk::served(&site()).await;
    let tools = desk.tools().await;
    for [ours, _] in [SEARCH, ISSUE, COMMENTS, QUEUES, QUEUE_ISSUES, USER] {
        assert!(tools.iter().any(|tool| tool.name == ours), "{ours}");
    }
    // Writing tools are not offered by default.
    let writing = tools.iter().filter(|tool| tool.annotations.as_ref().unwrap().read_only_hint != Some(true));
    assert_eq!(writing.count(), 0);
}

#[tokio::test]
async fn incident_triage() {
    for names in [0, 1] {
        let desk = Desk::served(&site()).await;
        let issue = desk.answer(ISSUE[names], json!({"issueIdOrKey": "ITSM-994"})).await;
        assert_eq!(issue["fields"]["description"], "Steps:\n\n1. Connect\n2. **Wait**");
        let reporter = issue["fields"]["reporter"]["accountId"].as_str().unwrap();
        let comments = desk.answer(COMMENTS[names], json!({"issueIdOrKey": "ITSM-994"})).await;
        let flags: Vec<_> = comments["values"].as_array().unwrap().iter().map(|one| one["public"].as_bool()).collect();
        assert_eq!(flags, [Some(true), Some(false)]);
        assert_eq!(comments["page"]["has_more"], false);
        // What outsiders wrote is marked as theirs.
        assert!(issue["untrusted"].as_array().unwrap().contains(&json!("description")), "{issue}");
        assert!(comments["untrusted"].as_array().unwrap().contains(&json!("body")), "{comments}");
        let user = desk.answer(USER[names], json!({"accountId": reporter})).await;
        assert_eq!((&user["timeZone"], &user["active"]), (&json!("Africa/Lagos"), &json!(true)));
        let found = desk.answer(SEARCH[names], json!({"jql": "key = ITSM-994"})).await;
        assert_eq!(found["issues"][0]["key"], "ITSM-994");
        assert_eq!(desk.sent().len(), 4, "one request a step");
    }
}

#[tokio::test]
async fn queue_dispatch() {
    for names in [0, 1] {
        let desk = Desk::served(&site()).await;
        let queues = desk.answer(QUEUES[names], json!({"serviceDeskId": "2"})).await;
        let queues = queues["values"].as_array().unwrap();
        let queue = queues.iter().find(|queue| queue["name"] == "Network Outages").unwrap();
        assert_eq!((&queue["jql"], &queue["issueCount"]), (&json!("project = NET AND labels = 34"), &json!(12)));
        assert!(queue["issueCount"].as_u64() > Some(10));
        let given = json!({"serviceDeskId": "2", "queueId": queue["id"], "limit": 50});
        let issues = desk.answer(QUEUE_ISSUES[names], given).await;
        let mut open: Vec<(&str, &str)> = issues["values"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|issue| issue["fields"]["resolution"].is_null())
            .map(|issue| (issue["fields"]["created"].as_str().unwrap(), issue["key"].as_str().unwrap()))
            .collect();
        open.sort_unstable();
        let oldest: Vec<&str> = open.iter().take(5).map(|(_, key)| *key).collect();
        assert_eq!(oldest, ["NET-89", "NET-90", "NET-92", "NET-93", "NET-95"]);
    }
}
