//! The six everyday tools of the service desk: what each sends by default, and what it returns.

use serde_json::{Value, json};
use toolwright::formats::adf;
use toolwright::policy::Defaults;

use super::desk::{Desk, answers, words};
use crate::common::everything;

fn pairs(query: &str) -> Vec<(String, String)> {
    url::form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

fn value<'a>(pairs: &'a [(String, String)], name: &str) -> Vec<&'a str> {
    pairs.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect()
}

#[tokio::test]
async fn a_search_requests_its_fields_in_the_body() {
    let desk = Desk::served(&json!([])).await;
    desk.answer("jsm_search_issues", json!({"jql": "project = ITS AND text ~ \"a & b\""})).await;
    let sent = desk.one();
    assert_eq!((sent.method.as_str(), sent.path.as_str(), sent.query.as_str()), ("POST", "/rest/api/3/search/jql", ""));
    let body = sent.json().unwrap();
    assert_eq!((&body["jql"], &body["maxResults"]), (&json!("project = ITS AND text ~ \"a & b\""), &json!(25)));
    let fields = body["fields"].as_array().unwrap();
    for name in ["summary", "status", "priority", "assignee", "reporter", "created"] {
        assert!(fields.contains(&json!(name)), "{name}");
    }
    // The vendor's own default, ids only or every field, is not used.
    assert!(!fields.contains(&json!("*all")));
}

#[tokio::test]
async fn a_search_can_return_text_and_comments() {
    let fields = json!({
        "description": adf::document("a **b**"),
        "comment": {"total": 1, "comments": [{"id": "7", "body": adf::document("- c"), "jsdPublic": false}]},
    });
    let found = json!({"issues": [{"id": "1", "key": "ITS-1", "fields": fields}], "isLast": true});
    let desk = Desk::served(&json!([answers("searchAndReconsileIssuesUsingJqlPost", &json!({}), &found)])).await;
    let given = json!({"jql": "project = ITS", "fields": ["description", "comment"]});
    let answer = desk.answer("jsm_search_issues", given).await;
    assert_eq!(desk.one().json().unwrap()["fields"], json!(["description", "comment"]));
    let fields = &answer["issues"][0]["fields"];
    assert_eq!(fields["description"], "a **b**");
    let comment = &fields["comment"]["comments"][0];
    assert_eq!((&comment["body"], &comment["jsdPublic"]), (&json!("- c"), &json!(false)));
}

#[tokio::test]
async fn a_search_continues_at_the_vendors_page_token() {
    let page = |token: Value| json!({"issues": [{"id": "1", "key": "ITS-1"}], "isLast": token.is_null(), "nextPageToken": token});
    let script = json!([
        answers(
            "searchAndReconsileIssuesUsingJqlPost",
            &json!({"body": {"nextPageToken": "more"}}),
            &page(Value::Null)
        ),
        answers("searchAndReconsileIssuesUsingJqlPost", &json!({}), &page(json!("more"))),
    ]);
    let desk = Desk::served(&script).await;
    let first = desk.answer("jsm_search_issues", json!({"jql": "project = ITS"})).await;
    assert_eq!(first["page"]["has_more"], true);
    let next = json!({"cursor": first["page"]["next_cursor"]});
    let second = desk.answer("jsm_search_issues", next).await;
    assert_eq!(second["page"]["has_more"], false);
    let bodies: Vec<Value> = desk.sent().iter().map(|sent| sent.json().unwrap()).collect();
    assert_eq!((&bodies[1]["nextPageToken"], &bodies[1]["jql"]), (&json!("more"), &json!("project = ITS")));
}

#[tokio::test]
async fn an_issue_is_returned_with_text_and_people() {
    let document = adf::document("# Steps\n\n- **Restart** it");
    let issue =
        json!({"id": "1", "key": "ITS-1", "fields": {"description": document, "reporter": {"accountId": "a:1"}}});
    let desk = Desk::served(&json!([answers("getIssue", &json!({}), &issue)])).await;
    let read = desk.answer("jsm_get_issue", json!({"issueIdOrKey": "ITS-1"})).await;
    assert_eq!(read["fields"]["description"], "# Steps\n\n- **Restart** it");
    let asked = pairs(&desk.one().query);
    let fields = value(&asked, "fields").join(",");
    for name in ["description", "reporter", "subtasks", "issuelinks", "timetracking", "worklog", "watches"] {
        assert!(fields.split(',').any(|field| field == name), "{name} in {fields}");
    }
    assert!(value(&asked, "expand").is_empty());
    let raw = desk.answer("jsm_get_issue", json!({"issueIdOrKey": "ITS-1", "adf": true})).await;
    assert_eq!(raw["fields"]["description"], document);
    // Fields of the caller's choice are the ones that are requested.
    desk.answer("jsm_get_issue", json!({"issueIdOrKey": "ITS-1", "fields": ["*all"]})).await;
    assert_eq!(value(&pairs(&desk.sent().pop().unwrap().query), "fields"), ["*all"]);
}

#[tokio::test]
async fn queues_include_their_counts_by_default() {
    let desk = Desk::served(&json!([])).await;
    let queues = desk.answer("jsm_list_queues", json!({"serviceDeskId": "3"})).await;
    let sent = desk.one();
    assert_eq!(sent.path, "/rest/servicedeskapi/servicedesk/3/queue");
    assert_eq!(value(&pairs(&sent.query), "includeCount"), ["true"]);
    let first = &queues["values"][0];
    assert!(first["jql"].is_string() && first["issueCount"].is_number() && first["id"].is_string(), "{queues}");
    desk.answer("jsm_list_queues", json!({"serviceDeskId": "ITS", "includeCount": false})).await;
    assert_eq!(value(&pairs(&desk.one().query), "includeCount"), ["false"]);
    let issues = desk.answer("jsm_list_queue_issues", json!({"serviceDeskId": "3", "queueId": "7", "limit": 5})).await;
    let sent = desk.one();
    assert_eq!(sent.path, "/rest/servicedeskapi/servicedesk/3/queue/7/issue");
    assert_eq!(value(&pairs(&sent.query), "limit"), ["5"]);
    assert!(issues["values"][0]["key"].is_string(), "{issues}");
}

#[tokio::test]
async fn comments_show_their_audience() {
    let desk = Desk::served(&json!([])).await;
    let comments = desk.answer("jsm_list_request_comments", json!({"issueIdOrKey": "ITS-1"})).await;
    for comment in comments["values"].as_array().unwrap() {
        assert!(comment["public"].is_boolean() && comment["body"].is_string() && comment["author"].is_object());
        assert!(comment["created"]["iso8601"].is_string());
    }
    assert!(!pairs(&desk.one().query).iter().any(|(name, _)| name == "public" || name == "internal"), "both kinds");
    desk.answer("jsm_list_request_comments", json!({"issueIdOrKey": "ITS-1", "public": false})).await;
    assert_eq!(value(&pairs(&desk.one().query), "public"), ["false"]);
}

#[tokio::test]
async fn people_are_read_by_account_id_only() {
    let desk = Desk::served(&json!([])).await;
    let id = "712020:4be1f0aa-90c3-4d27-8d0e-6f2f7a1b9c55";
    let user = desk.answer("jsm_get_user", json!({"accountId": id})).await;
    let sent = desk.one();
    assert_eq!(sent.path, "/rest/api/3/user");
    assert_eq!(value(&pairs(&sent.query), "accountId"), [id]);
    assert_eq!(value(&pairs(&sent.query), "expand"), ["groups"]);
    assert!(user["displayName"].is_string() && user["active"].is_boolean() && user["timeZone"].is_string(), "{user}");
    // The names of old are not offered any more.
    let refused = desk.refusal("jsm_get_user", json!({"username": "mina"})).await;
    assert!(refused.contains("username") && refused.contains("accountId"), "{refused}");
    assert!(desk.sent().is_empty());
}

/// Whether people are named in a part of the schema.
fn names_people(name: &str, schema: &Value) -> bool {
    const PEOPLE: [&str; 7] =
        ["accountId", "accountIds", "leadAccountId", "raiseOnBehalfOf", "requestParticipants", "user", "users"];
    let inside = schema["properties"].as_object().into_iter().flatten();
    PEOPLE.contains(&name)
        || inside.into_iter().any(|(name, part)| names_people(name, part))
        || schema.get("items").is_some_and(|items| names_people("", items))
}

#[tokio::test]
async fn every_account_id_argument_explains_where_ids_come_from() {
    let mut count = 0;
    for tool in Desk::with(&json!([]), &everything(), Defaults::Everything, None).await.tools().await {
        let properties = tool.input_schema["properties"].as_object().unwrap();
        let of_jsm = tool.name.starts_with("jsm_");
        for (name, argument) in properties.iter().filter(|(name, argument)| of_jsm && names_people(name, argument)) {
            let text = argument["description"].as_str().unwrap_or_default();
            // Where a name does, no id has to be looked for.
            let takes_names = text.contains("name or e-mail");
            let is_explained = takes_names || text.contains("accountId") && text.contains("jsm_");
            assert!(is_explained, "{} {name}: {text}", tool.name);
            count += 1;
        }
    }
    assert!(count > 25, "{count}");
}

#[tokio::test]
async fn experimental_tools_are_held_back_and_marked() {
    let defaults = [("all of jsm", words(&["all"], &[])), ("one tag", words(&["all"], &["customers"]))];
    for (case, selection) in defaults {
        let desk = Desk::with(&json!([]), &selection, Defaults::CoreReads, None).await;
        let refused = desk.refusal("jsm_list_service_desk_customers", json!({"serviceDeskId": "3"})).await;
        assert!(refused.contains("experimental"), "{case}: {refused}");
        assert!(desk.sent().is_empty());
    }
    let desk = Desk::with(&json!([]), &words(&["all"], &["experimental"]), Defaults::CoreReads, None).await;
    let mut called = 0;
    for (tool, given) in [
        ("jsm_list_service_desk_customers", json!({"serviceDeskId": "3"})),
        ("jsm_list_comment_attachments", json!({"issueIdOrKey": "ITS-1", "commentId": "7"})),
        ("jsm_get_request_feedback", json!({"requestIdOrKey": "ITS-1"})),
        ("jsm_search_request_types", json!({"searchQuery": "laptop"})),
        ("jsm_remove_service_desk_customers", json!({"serviceDeskId": "3", "accountIds": ["a:1"]})),
        ("jsm_create_request_feedback", json!({"requestIdOrKey": "ITS-1", "rating": 4})),
        ("jsm_list_request_type_properties", json!({"serviceDeskId": "3", "requestTypeId": "9"})),
    ] {
        desk.call(tool, given).await;
        let sent = desk.one();
        assert_eq!(sent.headers.get("x-experimentalapi").map(String::as_str), Some("opt-in"), "{tool}");
        called += 1;
    }
    assert_eq!(called, 7);
    // All of them: fixed in the tool, so that no caller has to know it.
    let table = toolwright::catalog::Catalog::compiled();
    let experimental = table.entries().iter().filter(|entry| {
        entry.tool.tags.contains("experimental") && entry.tool.calls.iter().all(|call| call.api == "jsm-servicedesk")
    });
    let mut count = 0;
    for entry in experimental {
        let fixed = serde_json::to_string(&entry.tool.calls[0].fixed).unwrap();
        assert!(fixed.contains("\"X-ExperimentalApi\",\"value\":\"opt-in\""), "{}: {fixed}", entry.tool.name);
        count += 1;
    }
    assert_eq!(count, 14);
}
