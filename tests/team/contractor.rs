//! The managed server of the JSM guide: its call, and the contractor whose client uses what it returns.

use reqwest::Method;
use serde_json::{Value, json};

use super::{call, message, team, team_over, words};

/// The guide's hero tools, by its names.
const HEROES: [&str; 6] = [
    "list_all_jira_service_management_search_issues",
    "get_single_jira_service_management_issue_by_id",
    "list_all_jira_service_management_issue_comments",
    "list_all_jira_service_management_queues",
    "list_all_jira_service_management_queue_issues",
    "get_single_jira_service_management_user_by_id",
];

fn body() -> Value {
    json!({
        "name": "JSM Triage Agent Access",
        "config": {"methods": ["read", "write"], "tags": ["itsm", "support"]},
        "expires_at": "2099-12-31T23:59:59Z"
    })
}

#[tokio::test]
async fn the_guides_call_returns_a_url_with_the_hero_tools() {
    let team = team("team-contractor", &words(&["read", "write"], &["itsm", "support", "core"])).await;
    let response = team.api(Method::POST, "/accounts/jsm/mcp").json(&body()).send().await.unwrap();
    assert_eq!(response.status(), 201);
    let created: Value = response.json().await.unwrap();
    let url = created["url"].as_str().unwrap();
    let tools = team.tools(url).await;
    assert_eq!(json!(tools.len()), created["tools"]);
    let catalog = team.policy.catalog();
    for hero in HEROES {
        let entry = catalog.get(hero).unwrap();
        assert!(tools.contains(&entry.tool.name), "{hero}: {tools:?}");
    }
    for tool in &tools {
        let tags = &catalog.get(tool).unwrap().tool.tags;
        assert!(tags.contains("itsm") || tags.contains("support"), "{tool}");
    }
    let (status, answer) = team.ask(url, &call(HEROES[3], &json!({"serviceDeskId": "3"}))).await;
    assert_eq!((status.as_u16(), &answer["result"]["isError"]), (200, &json!(false)), "{answer}");

    // Writes outside the tags are in no list, are refused by every name, and named by no refusal or description.
    let outside: Vec<&str> = catalog
        .entries()
        .iter()
        .filter(|entry| !entry.tool.tags.contains("itsm") && !entry.tool.tags.contains("support"))
        .map(|entry| entry.tool.name.as_str())
        .collect();
    let before = team.sandbox.record().len();
    for tool in outside.iter().filter(|tool| tool.starts_with("jsm_")).take(60) {
        assert!(!tools.contains(&(*tool).to_owned()));
        let (_, answer) = team.ask(url, &call(tool, &json!({}))).await;
        assert!(answer["error"].is_object() || answer["result"]["isError"] == true, "{tool}: {answer}");
    }
    assert_eq!(team.sandbox.record().len(), before);
    let (_, list) = team.ask(url, &message("tools/list", &json!({}))).await;
    let text = list.to_string();
    let is_named =
        |tool: &&&str| text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).any(|word| word == **tool);
    assert_eq!(outside.iter().find(is_named), None);
}

#[tokio::test]
async fn a_cursor_leads_only_its_own_link_further() {
    let page = json!({"startAt": 0, "maxResults": 1, "total": 3, "isLast": false, "values": [{"groupId": "1", "name": "agents"}]});
    let script = json!([{"operation": "bulkGetGroups", "answer": {"body": page}}]).to_string();
    let team = team_over("team-cursor", &words(&["read"], &["all"]), std::time::SystemTime::now, Some(&script)).await;
    let narrowing = toolwright::access::Narrowing { tags: vec!["itsm".to_owned()], ..Default::default() };
    let (wide, narrow) = (
        team.link("jsm", toolwright::access::Narrowing::default(), None, false).await,
        team.link("jsm", narrowing, None, false).await,
    );
    let (_, answer) = team.ask(&team.url(&wide), &call("jsm_list_groups", &json!({"maxResults": 1}))).await;
    let text = answer["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{answer}"));
    let cursor = serde_json::from_str::<Value>(text).unwrap()["page"]["next_cursor"].clone();
    assert!(cursor.is_string(), "{answer}");
    let before = team.sandbox.record().len();
    let (_, refused) = team.ask(&team.url(&narrow), &call("jsm_list_groups", &json!({"cursor": cursor}))).await;
    assert!(refused["error"].is_object() || refused["result"]["isError"] == true, "{refused}");
    assert_eq!(team.sandbox.record().len(), before, "{refused}");
    let (_, next) = team.ask(&team.url(&wide), &call("jsm_list_groups", &json!({"cursor": cursor}))).await;
    assert_eq!(next["result"]["isError"], false, "the link that it is of goes on: {next}");
    assert_eq!(team.sandbox.record().len(), before + 1);
}

#[tokio::test]
async fn a_link_wider_than_the_server_is_refused_with_the_flags() {
    let team = team("team-narrow-server", &words(&[], &[])).await;
    let response = team.api(Method::POST, "/accounts/jsm/mcp").json(&body()).send().await.unwrap();
    assert_eq!(response.status(), 422);
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let problem: Value = response.json().await.unwrap();
    assert_eq!(problem["type"], "urn:toolwright:problem:wider", "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("--"), "{problem}");
    assert_eq!(team.store.links().await.unwrap(), []);
}

#[tokio::test]
async fn require_api_token_auth_asks_for_a_second_token() {
    let team = team("team-guarded", &words(&["read", "write"], &["itsm", "support"])).await;
    let mut body = body();
    body["require_api_token_auth"] = json!(true);
    let created: Value =
        team.api(Method::POST, "/accounts/jsm/mcp").json(&body).send().await.unwrap().json().await.unwrap();
    let (url, token) = (created["url"].as_str().unwrap(), created["api_token"].as_str().unwrap());
    let list = message("tools/list", &json!({}));
    assert_eq!(team.ask(url, &list).await.0, 401);
    assert_eq!(team.post(url, &list).bearer_auth(token).send().await.unwrap().status(), 200);
}
