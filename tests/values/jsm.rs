//! Jira: fields that are cleared, keys, people, times, lists.

use serde_json::json;

use super::{Bench, described};

#[tokio::test]
async fn a_field_is_cleared_with_null() {
    let fields = json!([{"id": "priority", "name": "Priority"}, {"id": "customfield_10050", "name": "Root cause"}]);
    let bench = Bench::new(&json!([{"operation": "getFields", "answer": {"body": fields}}])).await;
    let given = json!({"priority": null, "labels": null, "components": null, "description": null, "duedate": null});
    let body = bench.body("jsm_edit_issue", json!({"issueIdOrKey": "ITS-1", "fields": given})).await;
    assert_eq!(body["fields"], given);
    // By the name that people use, and beside a value.
    let named = json!({"Priority": null, "Root cause": null, "labels": ["vpn"]});
    let body = bench.body("jsm_edit_issue", json!({"issueIdOrKey": "ITS-1", "fields": named})).await;
    assert_eq!(body["fields"], json!({"priority": null, "customfield_10050": null, "labels": ["vpn"]}));
    assert!(described(&bench, "jsm_edit_issue", "fields/properties/priority").contains("null clears it"));
}

#[tokio::test]
async fn a_step_of_a_workflow_clears_fields_too() {
    let bench = Bench::new(&json!([])).await;
    let given = json!({"resolution": null, "assignee": null});
    let call = json!({"issueIdOrKey": "ITS-1", "transition": {"id": "21"}, "fields": given});
    assert_eq!(bench.body("jsm_transition_issue", call).await["fields"], given);
}

#[tokio::test]
async fn each_place_is_cleared_in_the_form_that_jira_takes() {
    let bench = Bench::new(&json!([])).await;
    let nobody = bench.body("jsm_assign_issue", json!({"issueIdOrKey": "ITS-1", "accountId": null})).await;
    assert_eq!(nobody, json!({"accountId": null}));
    let leaderless = bench.body("jsm_edit_component", json!({"componentId": "10000", "leadAccountId": null})).await;
    assert_eq!(leaderless, json!({"leadAccountId": ""}));
    let uncategorised = bench.body("jsm_edit_project", json!({"projectIdOrKey": "ITS", "categoryId": null})).await;
    assert_eq!(uncategorised, json!({"categoryId": -1}));
}

#[tokio::test]
async fn null_is_refused_where_it_clears_nothing() {
    let bench = Bench::new(&json!([])).await;
    for (tool, arguments, place) in [
        ("jsm_edit_issue", json!({"issueIdOrKey": "ITS-1", "fields": {"summary": null}}), "`fields.summary`"),
        ("jsm_edit_issue", json!({"issueIdOrKey": "ITS-1", "fields": {"labels": [null]}}), "`fields.labels[0]`"),
        ("jsm_add_worklog", json!({"issueIdOrKey": "ITS-1", "timeSpent": "1h", "comment": null}), "`comment`"),
        ("jsm_add_worklog", json!({"issueIdOrKey": "ITS-1", "timeSpent": "1h", "started": null}), "`started`"),
        ("jsm_edit_component", json!({"componentId": "10000", "name": null}), "`name`"),
        ("jsm_find_users", json!({"query": "anna", "maxResults": null}), "`maxResults`"),
        ("jsm_get_issue", json!({"issueIdOrKey": null}), "`issueIdOrKey`"),
    ] {
        bench.refuses(tool, arguments, &[place, "but got null", "nothing was sent"]).await;
    }
}

#[tokio::test]
async fn a_worklog_begins_at_any_notation_of_a_time() {
    let bench = Bench::new(&json!([])).await;
    for (given, sent) in [
        ("2026-11-28T10:00:00Z", "2026-11-28T10:00:00.000+0000"),
        ("2026-11-28T10:00:00+02:00", "2026-11-28T08:00:00.000+0000"),
        ("2026-11-28T10:00:00.000+0000", "2026-11-28T10:00:00.000+0000"),
        ("2026-11-28", "2026-11-28T00:00:00.000+0000"),
        ("-2h", "2026-11-20T06:00:00.000+0000"),
    ] {
        for tool in ["jsm_add_worklog", "jsm_edit_worklog"] {
            let mut call = json!({"issueIdOrKey": "ITS-1", "timeSpent": "1h", "started": given});
            if tool == "jsm_edit_worklog" {
                call["worklogId"] = json!("10");
            }
            assert_eq!(bench.body(tool, call).await["started"], sent, "{tool} {given}");
        }
    }
    let call = json!({"issueIdOrKey": "ITS-1", "timeSpent": "1h", "started": "this morning"});
    bench.refuses("jsm_add_worklog", call, &["`started`: expected a time such as", "`-24h`"]).await;
}

#[tokio::test]
async fn times_and_days_are_sent_as_each_operation_takes_them() {
    let bench = Bench::new(&json!([])).await;
    let worklogs = json!({"issueIdOrKey": "ITS-1", "startedAfter": "-1d", "startedBefore": "2026-11-20"});
    let query = bench.sent("jsm_list_issue_worklogs", worklogs).await.query;
    assert!(query.contains("startedAfter=1795075200000") && query.contains("startedBefore=1795132800000"), "{query}");
    let query = bench.sent("jsm_list_audit_records", json!({"from": "-1d"})).await.query;
    assert!(query.contains("from=2026-11-19T08%3A00%3A00.000%2B0000"), "{query}");
    let version = json!({"projectId": 10000, "name": "1.4", "releaseDate": "+7d", "startDate": "2026-11-01T09:00:00Z"});
    let body = bench.body("jsm_create_version", version).await;
    assert_eq!((&body["releaseDate"], &body["startDate"]), (&json!("2026-11-27"), &json!("2026-11-01")));
}

#[tokio::test]
async fn keys_of_issues_are_in_capitals_and_nothing_else() {
    let bench = Bench::new(&json!([])).await;
    for (given, path) in [("its-1", "ITS-1"), (" ITS-1 ", "ITS-1"), ("10041", "10041")] {
        let sent = bench.sent("jsm_get_issue", json!({"issueIdOrKey": given})).await;
        assert!(sent.path.ends_with(&format!("/issue/{path}")), "{given}: {}", sent.path);
    }
    for wrong in ["", " ", "ITS", "ITS-1/comment", "ITS%2D1", "../ITS-1", "ITS-1?x=1", "The printer ticket"] {
        let call = json!({"issueIdOrKey": wrong});
        let refusal = bench.refused("jsm_get_issue", call).await;
        assert!(refusal.contains("`issueIdOrKey`: expected "), "{wrong}: {refusal}");
        assert!(!refusal.contains("[A-Z]"), "no pattern in words: {refusal}");
    }
    let pasted = json!({"issueIdOrKey": "https://acme.atlassian.net/browse/ITS-12"});
    bench
        .refuses("jsm_get_issue", pasted, &["an issue key such as ITS-12, or a numeric id", "did you mean `ITS-12`?"])
        .await;
    let requests = json!({"issueIdOrKey": "its-7", "body": "b", "public": false});
    assert!(bench.sent("jsm_add_request_comment", requests).await.path.contains("/request/ITS-7/"));
}

#[tokio::test]
async fn people_are_account_ids() {
    let bench = Bench::new(&json!([])).await;
    for wrong in ["Anna Lind", "anna@example.com", "@anna", ""] {
        for (tool, call) in [
            ("jsm_assign_issue", json!({"issueIdOrKey": "ITS-1", "accountId": wrong})),
            ("jsm_get_user", json!({"accountId": wrong})),
            ("jsm_add_organization_users", json!({"organizationId": 1, "accountIds": ["712020:4be1f0aa", wrong]})),
            ("jsm_edit_component", json!({"componentId": "10000", "leadAccountId": wrong})),
        ] {
            bench.refuses_name(tool, call, &["nothing was sent"]).await;
        }
    }
    let call = json!({"issueIdOrKey": "ITS-1", "accountId": "anna@example.com"});
    bench.refuses_name("jsm_assign_issue", call, &["an accountId", "jsm_find_"]).await;
    let nested = json!({"project": {"key": "ITS"}, "issuetype": {"name": "Task"}, "summary": "s", "assignee": {"accountId": "Anna Lind"}});
    bench.refuses_name("jsm_create_issue", json!({"fields": nested}), &["`fields.assignee.accountId`"]).await;
}

#[tokio::test]
async fn one_text_is_a_list_where_its_values_have_no_comma() {
    let bench = Bench::new(&json!([])).await;
    let body = bench.body("jsm_get_issues", json!({"issueIdsOrKeys": "its-1, ITS-2 10041"})).await;
    assert_eq!(body["issueIdsOrKeys"], json!(["ITS-1", "ITS-2", "10041"]));
    let body = bench.body("jsm_get_issues", json!({"issueIdsOrKeys": "ITS-1", "fields": "summary,status"})).await;
    assert_eq!(body["fields"], json!(["summary", "status"]));
    let call = json!({"issueIdOrKey": "ITS-1", "fields": {"labels": "vpn,new"}});
    bench.refuses("jsm_edit_issue", call, &["`fields.labels`", r#"`["vpn","new"]` for several"#]).await;
}

#[tokio::test]
async fn all_that_is_wrong_comes_in_one_answer() {
    let bench = Bench::new(&json!([])).await;
    let call = json!({"issueIdOrKey": "ITS", "timeSpentSeconds": "long", "started": "soon", "newEstimat": "2d", "comment": null});
    let refusal = bench.refused("jsm_add_worklog", call).await;
    let named: Vec<&str> = refusal.lines().filter_map(|line| line.strip_prefix("- `")?.split('`').next()).collect();
    assert_eq!(named, ["issueIdOrKey", "comment", "started", "timeSpentSeconds", "newEstimat"], "{refusal}");
}
