//! A tool that reads, called once for several organizations, as an MSP does: each answer under the organization's name, each
//! request with its header, and nothing beyond those that the operator allows.

use std::time::Duration;

use rmcp::RoleClient;
use rmcp::service::RunningService;
use serde_json::{Value, json};
use toolwright::audit::Audit;
use toolwright::jq::Evaluator;
use toolwright::policy::{Defaults, SelectionWords};
use toolwright::sandbox::Sandbox;

use super::{ORGANIZATION, ask, client, toolbox_of, words};
use crate::common::sandbox;

const LARKFIELD: &str = ORGANIZATION;
const SOLHEIM: &str = "5f0c1ab2d3e4f5a6b7c8d9e1";
const SOLBERG: &str = "5f0c1ab2d3e4f5a6b7c8d9e2";
const BEYOND: &str = "5f0c1ab2d3e4f5a6b7c8d9e9";

fn allowed() -> String {
    [LARKFIELD, SOLHEIM, SOLBERG].join(",")
}

fn of(organization: &str, operation: &str, answer: Value) -> Value {
    let mut scripted = json!({"operation": operation, "when": {"headers": {"x-org-id": organization}}});
    scripted["answer"] = answer;
    scripted
}

fn users(names: &[&str], total: usize) -> Value {
    let users: Vec<Value> = names.iter().map(|name| json!({"_id": format!("{name:0>24}"), "username": name})).collect();
    json!({"body": {"results": users, "totalCount": total}})
}

/// Three customers: one has two users, one refuses, one has more pages.
fn script() -> Value {
    let organization = |id: &str, name: &str| json!({"_id": id, "displayName": name});
    let known = [(LARKFIELD, "Larkfield"), (SOLHEIM, "Solheim"), (SOLBERG, "Solberg"), (BEYOND, "Beyond")];
    let known: Vec<Value> = known.iter().map(|(id, name)| organization(id, name)).collect();
    let second = json!({"operation": "listUsers", "when": {"headers": {"x-org-id": SOLBERG}, "query": {"skip": "1"}}, "answer": users(&["cy"], 2)});
    json!([
        {"operation": "listOrganizations", "answer": {"body": {"results": known, "totalCount": 4}}},
        of(LARKFIELD, "listUsers", users(&["ann", "bob"], 2)),
        of(SOLHEIM, "listUsers", json!({"status": 403, "body": {"message": "no access"}})),
        second,
        of(SOLBERG, "listUsers", users(&["bea"], 2)),
        {"operation": "*", "answer": {"status": 404, "body": {"message": "not scripted"}}},
    ])
}

async fn msp(words: &SelectionWords, defaults: Defaults) -> (Sandbox, RunningService<RoleClient, ()>) {
    let sandbox = sandbox(Some(&script().to_string())).await;
    let client = client(toolbox_of(&sandbox, words, defaults, &allowed())).await;
    (sandbox, client)
}

/// The organizations of the requests to an operation, in the order of their ids.
fn asked(sandbox: &Sandbox, operation: &str) -> Vec<String> {
    let sent = sandbox.take_record().into_iter().filter(|one| one.operation.as_deref() == Some(operation));
    let mut asked: Vec<String> = sent.map(|one| one.headers["x-org-id"].clone()).collect();
    asked.sort_unstable();
    asked
}

#[tokio::test]
async fn each_answer_is_under_its_organization_and_a_refusal_is_its_own() {
    let (sandbox, client) = msp(&words(&[]), Defaults::Reads).await;
    let answer = ask(&client, "jumpcloud_list_users", &json!({"organizations": ["all"], "limit": 1})).await.unwrap();
    let organizations = answer["organizations"].as_object().unwrap();
    assert_eq!(organizations.keys().collect::<Vec<_>>(), ["Larkfield", "Solheim", "Solberg"]);
    let names = |of: &str| -> Vec<&str> {
        let users = organizations[of]["results"].as_array().unwrap();
        users.iter().map(|user| user["username"].as_str().unwrap()).collect()
    };
    assert_eq!((names("Larkfield"), names("Solberg")), (vec!["ann", "bob"], vec!["bea"]), "{answer}");
    let refused = &organizations["Solheim"];
    assert_eq!(refused["outcome"], "rejected", "{answer}");
    assert!(refused["error"].as_str().unwrap().contains("403"), "{answer}");
    assert_eq!(asked(&sandbox, "listUsers"), [LARKFIELD, SOLHEIM, SOLBERG]);
}

#[tokio::test]
async fn a_cursor_leads_on_in_its_own_organization() {
    let (sandbox, client) = msp(&words(&[]), Defaults::Reads).await;
    let arguments = json!({"organizations": ["Solberg", "larkfield"], "limit": 1});
    let answer = ask(&client, "jumpcloud_list_users", &arguments).await.unwrap();
    let keys: Vec<&String> = answer["organizations"].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["Solberg", "Larkfield"], "in the order in which they were named");
    let page = &answer["organizations"]["Solberg"]["page"];
    assert_eq!(page["has_more"], true, "{answer}");
    asked(&sandbox, "listUsers");
    let next = json!({"cursor": page["next_cursor"]});
    let rest = ask(&client, "jumpcloud_list_users", &next).await.unwrap();
    assert_eq!(rest["organizations"]["Solberg"]["results"][0]["username"], "cy", "{rest}");
    assert_eq!(asked(&sandbox, "listUsers"), [SOLBERG]);
    let mixed = json!({"organizations": ["Larkfield"], "cursor": page["next_cursor"]});
    let refusal = ask(&client, "jumpcloud_list_users", &mixed).await.unwrap_err();
    assert!(refusal.contains("nothing was sent") && refusal.contains("cursor"), "{refusal}");
    let beyond = page["next_cursor"].as_str().unwrap().replace(SOLBERG, BEYOND);
    ask(&client, "jumpcloud_list_users", &json!({"cursor": beyond})).await.unwrap_err();
    assert!(asked(&sandbox, "listUsers").is_empty());
}

#[tokio::test]
async fn names_mean_one_allowed_organization_or_nothing_is_sent() {
    let (sandbox, client) = msp(&words(&[]), Defaults::Reads).await;
    let answer = ask(&client, "jumpcloud_list_users", &json!({"organizations": "lark"})).await.unwrap();
    assert_eq!(answer["organizations"].as_object().unwrap().keys().collect::<Vec<_>>(), ["Larkfield"]);
    sandbox.take_record();
    for (given, expected) in [
        (json!(["Sol"]), "whose names all fit `Sol`"),
        (json!(["Beyond"]), "`Larkfield`"),
        (json!([BEYOND]), "`Larkfield`"),
        (json!(["Larkfield", "nobody"]), "`Solheim`"),
        (json!([]), "a list of names or ids"),
        (json!(7), "a list of names or ids"),
    ] {
        let refusal = ask(&client, "jumpcloud_list_users", &json!({"organizations": given})).await.unwrap_err();
        assert!(refusal.contains("nothing was sent") && refusal.contains(expected), "{given}: {refusal}");
        assert!(!refusal.contains(&format!("`Beyond` ({BEYOND})")), "{refusal}");
    }
    assert!(asked(&sandbox, "listUsers").is_empty());
}

#[tokio::test]
async fn a_change_is_for_one_organization_at_a_time() {
    let (sandbox, client) = msp(&words(&[("methods", "all")]), Defaults::Everything).await;
    for tool in ["jumpcloud_suspend_user", "jumpcloud_suspend_users"] {
        let arguments = json!({"user_id": super::USER, "users": [super::USER], "organizations": ["all"]});
        let refusal = ask(&client, tool, &arguments).await.unwrap_err();
        assert!(refusal.contains("one organization at a time"), "{refusal}");
    }
    assert!(sandbox.take_record().is_empty());
}

#[tokio::test]
async fn a_filter_is_applied_to_each_answer() {
    let sandbox = sandbox(Some(&script().to_string())).await;
    let evaluator = Evaluator::new(env!("CARGO_BIN_EXE_toolwright")).with_deadline(Duration::from_secs(30));
    let toolbox = toolbox_of(&sandbox, &words(&[]), Defaults::Reads, &allowed()).with_evaluator(evaluator);
    let client = client(toolbox).await;
    let arguments = json!({"organizations": ["Larkfield", "Solberg"], "jq": ".results | length", "limit": 2});
    let answer = ask(&client, "jumpcloud_list_users", &arguments).await.unwrap();
    let counts = ["Larkfield", "Solberg"].map(|organization| answer["organizations"][organization]["answer"].clone());
    assert_eq!(counts, [json!(2), json!(1)], "{answer}");
    // Where it fails everywhere, the call does.
    let arguments = json!({"organizations": ["Larkfield", "Solberg"], "jq": ".results | nonsense"});
    let refusal = ask(&client, "jumpcloud_list_users", &arguments).await.unwrap_err();
    let refused: Value = serde_json::from_str(&refusal).unwrap();
    for organization in ["Larkfield", "Solberg"] {
        assert!(refused["organizations"][organization]["error"].as_str().unwrap().contains("jq"), "{refusal}");
    }
}

#[tokio::test]
async fn the_argument_is_offered_only_where_there_are_several() {
    let (sandbox, client) = msp(&words(&[("methods", "all")]), Defaults::Everything).await;
    let tools = client.list_all_tools().await.unwrap();
    let has = |name: &str| {
        let tool = tools.iter().find(|tool| tool.name == name).unwrap();
        tool.input_schema["properties"].get("organizations").is_some()
    };
    assert!(has("jumpcloud_list_users") && has("jumpcloud_get_device"));
    assert!(!has("jumpcloud_suspend_user") && !has("jumpcloud_suspend_users") && !has("jumpcloud_lock_devices"));
    let alone = super::client(toolbox_of(&sandbox, &words(&[]), Defaults::Reads, ORGANIZATION)).await;
    let tools = alone.list_all_tools().await.unwrap();
    assert!(tools.iter().all(|tool| tool.input_schema["properties"].get("organizations").is_none()));
    let refusal = ask(&alone, "jumpcloud_list_users", &json!({"organizations": ["all"]})).await.unwrap_err();
    assert!(refusal.contains("organizations"), "{refusal}");
}

#[tokio::test]
async fn each_call_has_a_line_of_its_own_in_the_audit_log() {
    let sandbox = sandbox(Some(&script().to_string())).await;
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("organizations.jsonl");
    let _ = std::fs::remove_file(&path);
    let toolbox = toolbox_of(&sandbox, &words(&[]), Defaults::Reads, &allowed());
    let client = client(toolbox.with_record(Some(Audit::open(&path).unwrap()))).await;
    ask(&client, "jumpcloud_list_users", &json!({"organizations": ["all"]})).await.unwrap();
    ask(&client, "jumpcloud_list_users", &json!({"organizations": ["Beyond"]})).await.unwrap_err();
    let record = std::fs::read_to_string(&path).unwrap();
    let mut lines: Vec<(String, String, String)> = record
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|line| {
            let text = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
            (text("tool"), text("organization"), text("outcome"))
        })
        .collect();
    lines.sort_unstable();
    let line = |tool: &str, organization: &str, outcome: &str| {
        (format!("jumpcloud_list_{tool}"), organization.to_owned(), outcome.to_owned())
    };
    assert_eq!(
        lines,
        [
            line("organizations", LARKFIELD, "answered"),
            line("users", "", "not_sent"),
            line("users", LARKFIELD, "answered"),
            line("users", SOLHEIM, "rejected"),
            line("users", SOLBERG, "answered"),
        ]
    );
}

#[tokio::test]
async fn without_the_list_organizations_are_named_by_id() {
    let excluded = SelectionWords { exclude: vec!["jumpcloud_list_organizations".to_owned()], ..words(&[]) };
    let (sandbox, client) = msp(&excluded, Defaults::CoreReads).await;
    let answer = ask(&client, "jumpcloud_list_users", &json!({"organizations": [SOLBERG]})).await.unwrap();
    assert!(answer["organizations"][SOLBERG]["results"].is_array(), "{answer}");
    assert!(answer["notes"][0].as_str().unwrap().contains("named by id"), "{answer}");
    assert!(asked(&sandbox, "listOrganizations").is_empty());
    // What is not listed can be looked up all the same, as a step of a workflow can be called.
    let (_sandbox, client) = msp(&words(&[]), Defaults::CoreReads).await;
    assert!(client.list_all_tools().await.unwrap().iter().all(|tool| tool.name != "jumpcloud_list_organizations"));
    let answer = ask(&client, "jumpcloud_list_users", &json!({"organizations": ["Solberg"]})).await.unwrap();
    assert!(answer["organizations"]["Solberg"]["results"].is_array(), "{answer}");
}
