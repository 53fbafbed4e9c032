//! What people ask of alerts, on-call schedules and forms, each in at most two calls through an MCP client, over a scripted
//! site that knows only the ids that the calls should find.

use serde_json::{Value, json};

use super::desk::{Desk, answers, words};
use crate::common::everything;
use toolwright::policy::Defaults;

const PERSON: &str = "712020:7d1c2f84-5a0b-4e7e-9d4f-2b8a6c3e9f10";
const NEXT: &str = "712020:9e2d3a95-6b1c-4f8f-8e5a-3c9b7d4f0a21";
const TEAM: &str = "7e3d5a90-1b2c-4d8f-a6e7-0c9b8a7f6e5d";
const SCHEDULE: &str = "5f0c2b7e-93d1-4c66-8f0a-2f4be1a7c3d9";
const FORM: &str = "1c2d3e4f-5a6b-4c7d-8e9f-0a1b2c3d4e5f";
const ALERT: &str = "8b1f6c02-55e7-4d0a-9a39-7c1b20e4d6f5-1796000000000";

fn values(values: Value) -> Value {
    Value::from_iter([("values", values), ("links", json!({}))])
}

fn form() -> Value {
    json!({"id": FORM, "state": {"status": "o", "visibility": "e", "answers": {}}, "design": {
        "settings": {"name": "Onboarding"},
        "questions": {
            "3": {"label": "First day", "type": "da"},
            "7": {"label": "Laptop", "type": "cd", "choices": [{"id": "1", "label": "Air"}, {"id": "2", "label": "Pro"}]},
        },
    }})
}

/// A site with a team, its schedule, an alert and an issue with a form. Any other id is not found.
fn site() -> Value {
    let alert = json!({"id": ALERT, "tinyId": "1294", "message": "Disk of db-7 is full", "status": "open", "priority": "P1", "acknowledged": false, "alias": "disk-full-db-7"});
    let open_p1 = "status: open AND priority: P1 AND teams: Network";
    let schedule = json!({"id": SCHEDULE, "name": "Network on-call", "teamId": TEAM});
    let on_call = json!({"path": {"scheduleId": SCHEDULE}, "query": {"flat": "true"}});
    let shift = |person: &str, start: &str, end: &str| json!({"startDate": start, "endDate": end, "type": "base", "responder": {"type": "user", "id": person}});
    let periods = json!([
        shift(PERSON, "2026-11-27T17:00:00Z", "2026-11-28T17:00:00Z"),
        shift(NEXT, "2026-11-28T17:00:00Z", "2026-11-30T07:00:00Z"),
    ]);
    let rule = json!({"condition": "if-not-acked", "notifyType": "default", "delay": 10, "recipient": {"type": "team", "id": TEAM}});
    let log = json!({"log": "No contact method of the person on call is enabled", "logType": "system", "logTime": "2026-11-23T18:00:00Z"});
    let of_issue = json!({"path": {"issueIdOrKey": "HR-12"}});
    let of_form = json!({"path": {"issueIdOrKey": "HR-12", "formId": FORM}});
    let queued = json!({"result": "Request will be processed", "requestId": "d1c0a7be-3f42-4b8e-92f7-6a5e0c4b9d13"});
    json!([
        answers("listSchedules", &json!({"query": {"query": "Network on-call"}}), &values(json!([schedule]))),
        answers("listSchedules", &json!({}), &values(json!([schedule]))),
        answers("listTeams", &json!({}), &json!({"platformTeams": [{"teamId": TEAM, "teamName": "Network"}]})),
        answers("getOnCalls", &on_call, &json!({"onCallUsers": [PERSON]})),
        answers("getNextOnCalls", &on_call, &json!({"nextOnCallUsers": [NEXT]})),
        answers("getScheduleTimeline", &json!({"path": {"scheduleId": SCHEDULE}}), &json!({"startDate": "2026-11-27T17:00:00Z", "finalTimeline": {"rotations": [{"name": "Weekly", "periods": periods}]}})),
        answers("getUser", &json!({"query": {"accountId": PERSON}}), &json!({"accountId": PERSON, "displayName": "Mina Okafor"})),
        answers("getUser", &json!({"query": {"accountId": NEXT}}), &json!({"accountId": NEXT, "displayName": "Noor Haddad"})),
        answers("findUsers", &json!({"query": {"query": "Noor"}}), &json!([{"accountId": NEXT, "displayName": "Noor Haddad"}])),
        answers("listAlerts", &json!({"query": {"query": open_p1}}), &values(json!([alert]))),
        answers("listAlerts", &json!({"query": {"query": "tinyId: 1294"}}), &values(json!([alert]))),
        answers("acknowledgeAlert", &json!({"path": {"id": ALERT}}), &queued),
        answers("listAlertLogs", &json!({"path": {"id": ALERT}}), &values(json!([log]))),
        answers("createOverride", &json!({"path": {"scheduleId": SCHEDULE}}), &json!({"alias": "cover-1"})),
        answers("listEscalations", &json!({"path": {"teamId": TEAM}}), &values(json!([{"id": "e-1", "name": "Network", "rules": [rule]}]))),
        answers("listHeartbeats", &json!({"path": {"teamId": TEAM}}), &values(json!([{"name": "Nightly backup", "status": "Unresponsive"}]))),
        answers("listMaintenances", &json!({"query": {"type": "non-expired"}}), &values(json!([{"id": "m-1", "status": "active", "description": "Update of the switches"}]))),
        answers("getIssueForms", &of_issue, &json!([{"id": FORM, "name": "Onboarding", "submitted": false, "internal": false}])),
        answers("getIssueForm", &of_form, &form()),
        answers("getIssueFormAnswers", &of_form, &json!([{"label": "Laptop", "answer": "Pro"}, {"label": "First day", "answer": "1 Dec 2026"}])),
        answers("saveIssueFormAnswers", &of_form, &form()),
        answers("submitIssueForm", &of_form, &json!({"status": "s"})),
        {"operation": "*", "answer": {"status": 404, "body": {"errors": [{"title": "Not on this site."}]}}},
    ])
}

/// A call: the tool, and its arguments by the answer before.
type Call = (&'static str, fn(&Value) -> Value);

/// Asks a question with at most two calls; returns the last answer.
async fn ask(desk: &Desk, calls: &[Call]) -> Value {
    assert!((1..=2).contains(&calls.len()), "{} calls", calls.len());
    let mut answer = Value::Null;
    for (tool, arguments) in calls {
        answer = desk.answer(tool, arguments(&answer)).await;
    }
    answer
}

#[tokio::test]
async fn who_is_on_call_now_next_and_at_the_weekend() {
    let desk = Desk::open(&site()).await;
    // Who is on call for the network?
    let calls: [Call; 2] = [
        ("jsm_get_on_calls", |_| json!({"scheduleId": "network on-call"})),
        ("jsm_get_user", |on_call| json!({"accountId": on_call["onCallUsers"][0]})),
    ];
    assert_eq!(ask(&desk, &calls).await["displayName"], "Mina Okafor");
    // Who is on call for a team, by the team's name?
    let calls: [Call; 1] = [("jsm_get_team_on_call", |_| json!({"team": "network"}))];
    let on_call = ask(&desk, &calls).await;
    assert_eq!(
        (&on_call["team"]["name"], &on_call["schedules"][0]["name"]),
        (&json!("Network"), &json!("Network on-call"))
    );
    assert_eq!(on_call["onCall"][0]["displayName"], "Mina Okafor", "{on_call}");
    let nobody = desk.refusal("jsm_get_team_on_call", json!({"team": "Netwrk"})).await;
    assert!(nobody.contains("has no such record by `$inputs.team`"), "{nobody}");
    // Who takes over from them?
    let calls: [Call; 2] = [
        ("jsm_get_next_on_calls", |_| json!({"scheduleId": "Network on-call"})),
        ("jsm_get_user", |next| json!({"accountId": next["nextOnCallUsers"][0]})),
    ];
    assert_eq!(ask(&desk, &calls).await["displayName"], "Noor Haddad");
    // Who has the weekend?
    let calls: [Call; 1] = [(
        "jsm_get_schedule_timeline",
        |_| json!({"scheduleId": SCHEDULE, "at": "2026-11-27T17:00:00Z", "interval": 3, "intervalUnit": "days"}),
    )];
    let periods = ask(&desk, &calls).await["finalTimeline"]["rotations"][0]["periods"].clone();
    assert_eq!(periods[1]["responder"]["id"], NEXT);
    assert_eq!(periods[1]["startDate"], "2026-11-28T17:00:00Z");
}

#[tokio::test]
async fn what_was_answered_in_the_onboarding_form() {
    let desk = Desk::open(&site()).await;
    let calls: [Call; 1] = [("jsm_list_form_answers", |_| json!({"issueIdOrKey": "HR-12", "formId": "onboarding"}))];
    let answered = ask(&desk, &calls).await;
    let answered = answered["items"].as_array().or_else(|| answered.as_array()).unwrap().clone();
    assert_eq!((&answered[0]["label"], &answered[0]["answer"]), (&json!("Laptop"), &json!("Pro")));
    // Is it submitted?
    let calls: [Call; 1] = [("jsm_list_issue_forms", |_| json!({"issueIdOrKey": "hr-12"}))];
    let forms = ask(&desk, &calls).await.to_string();
    assert!(forms.contains("Onboarding") && forms.contains("\"submitted\":false"), "{forms}");
}

#[tokio::test]
async fn a_form_is_filled_in_by_its_labels_and_submitted() {
    let desk = Desk::open(&site()).await;
    let calls: [Call; 2] = [
        (
            "jsm_save_form_answers",
            |_| json!({"issueIdOrKey": "HR-12", "formId": "Onboarding", "answers": {"Laptop": "Pro", "First day": {"date": "2026-12-01"}}}),
        ),
        ("jsm_submit_form", |_| json!({"issueIdOrKey": "HR-12", "formId": FORM})),
    ];
    assert_eq!(ask(&desk, &calls).await["status"], "s");
    let sent = desk.sent();
    let saved = sent.iter().find(|sent| sent.method == "PUT" && !sent.path.contains("action")).unwrap();
    let expected = json!({"answers": {"7": {"choices": ["2"]}, "3": {"date": "2026-12-01"}}});
    assert_eq!(saved.json().unwrap(), expected);
    let refusal = desk
        .refusal(
            "jsm_save_form_answers",
            json!({"issueIdOrKey": "HR-12", "formId": FORM, "answers": {"Laptop": "Ultra"}}),
        )
        .await;
    assert!(refusal.contains("`Air`, `Pro`"), "{refusal}");
    assert!(desk.sent().iter().all(|sent| sent.method == "GET"), "nothing was saved");
}

#[tokio::test]
async fn the_open_p1_alerts_of_a_team_are_acknowledged() {
    let desk = Desk::open(&site()).await;
    let calls: [Call; 2] = [
        ("jsm_list_alerts", |_| json!({"query": "status: open AND priority: P1 AND teams: Network"})),
        ("jsm_acknowledge_alert", |alerts| json!({"alertId": alerts["values"][0]["id"]})),
    ];
    let queued = ask(&desk, &calls).await;
    assert_eq!(queued["requestId"], "d1c0a7be-3f42-4b8e-92f7-6a5e0c4b9d13");
    // All of them, however many: one call.
    let calls: [Call; 1] =
        [("jsm_acknowledge_alerts", |_| json!({"query": "status: open AND priority: P1 AND teams: Network"}))];
    let done = ask(&desk, &calls).await;
    assert_eq!((&done["summary"], &done["outcomes"][0]["item"]), (&json!("1 done"), &json!("1294")), "{done}");
    // Why did nobody react to alert 1294?
    let calls: [Call; 2] = [
        ("jsm_list_alerts", |_| json!({"query": "tinyId: 1294"})),
        ("jsm_list_alert_logs", |alerts| json!({"alertId": alerts["values"][0]["id"]})),
    ];
    let log = ask(&desk, &calls).await;
    assert!(log["values"][0]["log"].as_str().unwrap().starts_with("No contact method"), "{log}");
    assert!(log["untrusted"].as_array().unwrap().contains(&json!("log")), "{log}");
    assert_eq!(log["page"]["has_more"], false);
}

#[tokio::test]
async fn duty_is_swapped_and_settings_of_a_team_are_read() {
    let desk = Desk::open(&site()).await;
    // Let Noor take over tonight.
    let calls: [Call; 2] = [
        ("jsm_find_users", |_| json!({"query": "Noor"})),
        ("jsm_create_override", |found| {
            let person = found.pointer("/items/0/accountId").or_else(|| found.pointer("/0/accountId")).unwrap();
            json!({
                "scheduleId": "Network on-call", "responder": {"type": "user", "id": person},
                "startDate": "2026-11-29T17:00:00Z", "endDate": "2026-11-30T07:00:00Z",
            })
        }),
    ];
    assert_eq!(ask(&desk, &calls).await["alias"], "cover-1");
    // What happens when nobody reacts? Which jobs are overdue? Is a maintenance going on?
    let escalations: [Call; 1] = [("jsm_list_escalations", |_| json!({"teamId": "network"}))];
    assert_eq!(ask(&desk, &escalations).await["values"][0]["rules"][0]["delay"], 10);
    let heartbeats: [Call; 1] = [("jsm_list_heartbeats", |_| json!({"teamId": "Network"}))];
    assert_eq!(ask(&desk, &heartbeats).await["values"][0]["status"], "Unresponsive");
    let maintenance: [Call; 1] = [("jsm_list_maintenances", |_| json!({"type": "non-expired"}))];
    assert_eq!(ask(&desk, &maintenance).await["values"][0]["status"], "active");
}

#[tokio::test]
async fn an_unknown_schedule_is_refused_with_those_that_there_are() {
    let desk = Desk::open(&site()).await;
    let refusal = desk.refusal("jsm_get_on_calls", json!({"scheduleId": "Netwrk on-call"})).await;
    assert!(refusal.contains("`Network on-call`"), "{refusal}");
    let sent = desk.sent();
    assert!(sent.iter().all(|sent| sent.path.ends_with("/v1/schedules")), "{sent:?}");
}

/// What pages somebody is not offered by default, and neither is what can't be undone.
#[tokio::test]
async fn nothing_pages_by_default() {
    let desk = Desk::with(&site(), &words(&[], &[]), Defaults::Reads, None).await;
    for (tool, arguments) in [
        ("jsm_acknowledge_alert", json!({"alertId": ALERT})),
        ("jsm_create_alert", json!({"message": "Fire"})),
        ("jsm_escalate_alert", json!({"alertId": ALERT, "escalationId": "e-1"})),
        ("jsm_ping_heartbeat", json!({"teamId": TEAM, "name": "Nightly backup"})),
        ("jsm_get_integration", json!({"integrationId": SCHEDULE})),
        ("jsm_submit_form", json!({"issueIdOrKey": "HR-12", "formId": FORM})),
    ] {
        desk.refusal(tool, arguments).await;
    }
    let writes = Desk::with(&site(), &words(&["write"], &[]), Defaults::Reads, None).await;
    for tool in ["jsm_close_alert", "jsm_run_alert_action", "jsm_assign_ops_role", "jsm_create_integration"] {
        writes.refusal(tool, json!({"alertId": ALERT, "actionName": "x", "accountId": PERSON, "roleId": "1", "name": "x", "type": "API"})).await;
    }
    assert!(desk.sent().is_empty() && writes.sent().is_empty(), "nothing was sent");
    let all = Desk::with(&site(), &everything(), Defaults::Everything, None).await;
    assert!(all.refusal("jsm_close_alert", json!({"alertId": "unknown"})).await.contains("404"));
}
