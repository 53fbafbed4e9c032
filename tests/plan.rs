//! Dry runs → the request, its target and its effect; nothing is sent.

use std::fmt::Write as _;

use serde_json::{Value, json};
use toolwright::audit::Audit;
use toolwright::call::CallResult;
use toolwright::catalog::Catalog;
use toolwright::policy::{Defaults, SelectionWords};
use toolwright_model::{DRY_RUN, Effect, FIELDS};

use crate::common::logs::Logs;
use crate::common::{self, everything, result, sandbox, text, toolbox};

#[test]
fn every_changing_tool_takes_dry_run() {
    for entry in Catalog::compiled().entries() {
        let tool = &entry.tool;
        let schema = tool.parsed_input_schema();
        let (own, other) = if tool.effect == Some(Effect::Read) { (FIELDS, DRY_RUN) } else { (DRY_RUN, FIELDS) };
        // A vendor's own list of fields does the same.
        if own == FIELDS && tool.calls.iter().flat_map(|call| &call.bindings).any(|binding| binding.argument == own) {
            continue;
        }
        let text = schema["properties"][own]["description"].as_str().unwrap();
        assert!(text.chars().count() <= 30, "{}: `{text}`", tool.name);
        assert!(tool.is_own_argument(own) && !tool.is_own_argument(other), "{}", tool.name);
    }
}

#[tokio::test]
async fn a_plan_shows_everything_and_sends_nothing() {
    let sandbox = sandbox(None).await;
    let toolbox = toolbox(&sandbox, &everything(), Defaults::Reads);
    let arguments = json!({"userId": 7, "password": "pl4nted", "email": "pat@example.com", "dry_run": true});
    let result = result(&toolbox, "jitbit_update_user", arguments).await;
    assert_eq!(result.is_error, Some(false));
    let plan: Value = serde_json::from_str(text(&result)).unwrap();
    assert_eq!((&plan["dry_run"], &plan["sent"]), (&json!(true), &json!(false)));
    assert_eq!((&plan["tool"], &plan["effect"]), (&json!("jitbit_update_user"), &json!("write")));
    assert!(plan["risks"].as_array().unwrap().contains(&json!("weakens_security")));
    assert!(sandbox.address("jitbit").starts_with(plan["site"].as_str().unwrap()));
    assert_eq!(plan["request"]["method"], "POST");
    let body = plan["request"]["body"].as_str().unwrap();
    assert!(body.contains("email=pat%40example.com") && body.contains("password=***"), "{body}");
    for secret in ["pl4nted", "test-token", "dry_run\":\"", "dryrun"] {
        assert!(!text(&result).contains(secret), "{}", text(&result));
    }
    assert!(sandbox.record().is_empty());
}

#[tokio::test]
async fn the_policy_applies_to_plans_and_the_audit_log_marks_them() {
    let sandbox = sandbox(None).await;
    let refused = toolbox(&sandbox, &SelectionWords::default(), Defaults::Reads);
    let arguments = json!({"ticketId": 7, "dry_run": true});
    let result_of = result(&refused, "jitbit_close_ticket", arguments.clone()).await;
    assert!(text(&result_of).contains("held back"), "{}", text(&result_of));
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("plan.jsonl");
    let _ = std::fs::remove_file(&path);
    let toolbox = toolbox(&sandbox, &everything(), Defaults::Reads).with_record(Some(Audit::open(&path).unwrap()));
    result(&toolbox, "jitbit_close_ticket", arguments).await;
    let line: Value = serde_json::from_str(std::fs::read_to_string(&path).unwrap().trim_end()).unwrap();
    assert_eq!((&line["decision"], &line["outcome"]), (&json!("planned"), &json!("not_sent")));
    assert!(sandbox.record().is_empty());
}

#[tokio::test]
async fn plans_and_calls_at_once_do_not_mix() {
    let sandbox = sandbox(None).await;
    let toolbox = toolbox(&sandbox, &everything(), Defaults::Reads);
    let plan = |ticket: u64| result(&toolbox, "jitbit_close_ticket", json!({"ticketId": ticket, "dry_run": true}));
    let real = result(&toolbox, "jitbit_close_ticket", json!({"ticketId": 3, "dry_run": false}));
    let (one, two, three) = tokio::join!(plan(1), plan(2), real);
    assert!(text(&one).contains("id=1") && text(&two).contains("id=2"));
    assert!(!text(&three).contains("dry_run"));
    let queries: Vec<String> = sandbox.record().iter().map(|request| request.query.clone()).collect();
    assert_eq!(queries.len(), 1, "{queries:?}");
}

#[tokio::test]
async fn reads_return_the_requested_fields() {
    let sandbox = sandbox(None).await;
    let toolbox = toolbox(&sandbox, &everything(), Defaults::Reads);
    let kept = result(&toolbox, "jitbit_search_tickets", json!({"query": "printer", "fields": ["Subject"]})).await;
    let rows: Value = serde_json::from_str(text(&kept)).unwrap();
    assert_eq!(rows["items"][0].as_object().unwrap().keys().collect::<Vec<_>>(), ["Subject"]);
    assert!(!sandbox.record()[0].query.contains("fields"));
    let wrong = result(&toolbox, "jitbit_search_tickets", json!({"query": "printer", "fields": ["topic"]})).await;
    assert_eq!(wrong.is_error, Some(true));
    assert!(text(&wrong).contains("there are ") && text(&wrong).contains("`Subject`"), "{}", text(&wrong));
}

/// Secrets as arguments in every place, with every outcome of a call.
#[tokio::test]
async fn planted_secrets_appear_in_no_output() {
    let logs = Logs::default();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(logs.clone()).finish();
    let _logging = tracing::subscriber::set_default(subscriber);
    // With a single subscriber, `tracing` takes the thread that comes first to a line for the one that decides whether it is
    // written: beside other tests that may be a thread without one.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("planted.jsonl");
    let _ = std::fs::remove_file(&path);
    let script = json!([
        {"operation": "createUser", "answer": {"status": 500, "body": "no"}, "times": 1},
        {"operation": "createUser", "answer": {"close": true}, "times": 1},
    ]);
    let sandbox = sandbox(Some(&script.to_string())).await;
    let toolbox = toolbox(&sandbox, &everything(), Defaults::Reads).with_record(Some(Audit::open(&path).unwrap()));
    let user = |more: Value| {
        let mut user = json!({"username": "pat", "email": "pat@example.com", "password": "pl4nted"});
        user.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        user
    };
    let mut out = format!("{:?}", common::connection("http://localhost", std::time::Duration::from_secs(1)));
    for arguments in [
        user(json!({})),
        user(json!({})),
        user(json!({})),
        user(json!({"dry_run": true})),
        user(json!({"passwrd": "pl4nted"})),
        user(json!({"password": {"nested": "pl4nted"}})),
        user(json!({"password": ["pl4nted"]})),
        json!({"apiKey": "pl4nted", "note": "{\"token\": \"pl4nted\"}"}),
    ] {
        match common::call_result(&toolbox, "jitbit_create_user", arguments.clone()).await {
            Ok(CallResult::Reply(_)) => {}
            Ok(CallResult::Report(report)) => panic!("a workflow: {report:?}"),
            Ok(CallResult::Tenants(several)) => panic!("several answers: {several:?}"),
            Ok(CallResult::Plan(plan)) => {
                let _ = write!(
                    out,
                    "{plan:?} {:?}",
                    toolwright::mcp_result::result("jitbit", Ok(CallResult::Plan(plan.clone())))
                );
            }
            Err(failure) => {
                let _ = write!(out, "{failure} {failure:?}");
                let _ = write!(out, "{:?}", toolwright::mcp_result::result("jitbit", Err(failure)));
            }
        }
    }
    common::call(&toolbox, "no_such_tool", user(json!({}))).await.unwrap_err();
    out.push_str(&std::fs::read_to_string(&path).unwrap());
    let logged = logs.text();
    assert!(logged.contains("TRACE"), "nothing was logged: {logged}");
    out.push_str(&logged);
    assert_eq!(out.matches("\"event\":\"intent\"").count(), 3);
    for secret in ["pl4nted", "test-token"] {
        let at = out.find(secret).map(|at| &out[at.saturating_sub(200)..at + 20]);
        assert_eq!(at, None);
    }
}
