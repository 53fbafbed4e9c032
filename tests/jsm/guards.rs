//! Mistakes that models make with Jira → corrected requests or errors that explain the fix.

use serde_json::{Value, json};
use toolwright::formats::adf;

use super::desk::{Desk, answers};

/// A site with custom fields; two have one name.
fn fields() -> Value {
    let field = |id: &str, name: &str| json!({"id": id, "key": id, "name": name, "custom": true});
    let listed = json!([
        field("summary", "Summary"),
        field("comment", "Comment"),
        field("customfield_10016", "Story Points"),
        field("customfield_10050", "Team"),
        field("customfield_10051", "Team"),
    ]);
    answers("getFields", &json!({}), &listed)
}

#[tokio::test]
async fn an_encoded_query_is_decoded_once() {
    let desk = Desk::open(&json!([])).await;
    for tool in ["jsm_search_issues", "jsm_count_issues"] {
        let answer = desk.answer(tool, json!({"jql": "project%20%3D%20ITS"})).await;
        assert!(answer["notes"].to_string().contains("decoded once"), "{answer}");
        assert_eq!(desk.one().json().unwrap()["jql"], "project = ITS");
        let refused = desk.refusal(tool, json!({"jql": "project%2520%253D%2520ITS"})).await;
        assert!(refused.contains("not percent-encoded"), "{refused}");
    }
    assert!(desk.sent().is_empty());
}

#[tokio::test]
async fn a_query_without_bounds_is_refused_with_the_fix() {
    let desk = Desk::open(&json!([])).await;
    for tool in ["jsm_search_issues", "jsm_count_issues"] {
        for jql in ["", "ORDER BY created DESC", "() order by key"] {
            let refused = desk.refusal(tool, json!({"jql": jql})).await;
            assert!(refused.contains("`project = ABC` or `created >= -30d`"), "{tool} {jql}: {refused}");
        }
    }
    assert!(desk.sent().is_empty());
}

#[tokio::test]
async fn a_refused_query_is_explained_by_the_parser() {
    let message = "Field 'prioritaet' does not exist or you do not have permission to view it.";
    let script = json!([
        {"operation": "searchAndReconsileIssuesUsingJqlPost", "answer": {"status": 400, "body": {"errorMessages": ["Bad request."]}}},
        answers("parseJqlQueries", &json!({"query": {"validation": "strict"}}), &json!({"queries": [{"query": "prioritaet = 1", "errors": [message]}]})),
    ]);
    let desk = Desk::open(&script).await;
    let refused = desk.refusal("jsm_search_issues", json!({"jql": "prioritaet = 1"})).await;
    assert!(refused.contains(message) && refused.contains("Bad request."), "{refused}");
    let sent = desk.sent();
    let paths: Vec<&str> = sent.iter().map(|sent| sent.path.as_str()).collect();
    assert_eq!(paths, ["/rest/api/3/search/jql", "/rest/api/3/jql/parse"]);
    assert_eq!(sent[1].json().unwrap(), json!({"queries": ["prioritaet = 1"]}));
}

#[tokio::test]
async fn fields_are_accepted_by_display_name() {
    let desk = Desk::open(&json!([fields()])).await;
    let answer =
        desk.answer("jsm_search_issues", json!({"jql": "project = ITS", "fields": ["summary", "story points"]})).await;
    assert!(answer["notes"].to_string().contains("`story points` is `customfield_10016`"), "{answer}");
    let sent = desk.sent();
    assert_eq!(sent[0].path, "/rest/api/3/field");
    assert_eq!(sent[1].json().unwrap()["fields"], json!(["summary", "customfield_10016"]));
    // The list is remembered, by every tool.
    desk.answer("jsm_get_issue", json!({"issueIdOrKey": "ITS-1", "fields": ["Story Points"]})).await;
    assert_eq!(desk.one().query, "fields=customfield_10016");
    desk.answer("jsm_edit_issue", json!({"issueIdOrKey": "ITS-1", "fields": {"Story Points": 5}})).await;
    assert_eq!(desk.one().json().unwrap()["fields"], json!({"customfield_10016": 5}));
    for (name, expected) in [
        ("Story Pionts", vec!["such as `Story Points`"]),
        ("team", vec!["several have this name", "`customfield_10050`, `customfield_10051`"]),
    ] {
        let refused = desk.refusal("jsm_search_issues", json!({"jql": "project = ITS", "fields": [name]})).await;
        assert!(expected.iter().all(|part| refused.contains(part)), "{refused}");
    }
    assert!(desk.sent().is_empty());
}

#[tokio::test]
async fn markdown_is_sent_as_a_document() {
    let desk = Desk::open(&json!([])).await;
    let text = "# Findings\n\n- `fs-03` is **full**\n- [log](https://example.com/l)\n\n```sh\ndf -h\n```";
    let document = adf::document(text);
    assert_eq!((&document["type"], &document["version"]), (&json!("doc"), &json!(1)));
    let own = json!({"type": "doc", "version": 1, "content": [{"type": "panel", "attrs": {"panelType": "info"}, "content": []}]});
    let fields = |description: &Value| json!({"project": {"key": "ITS"}, "issuetype": {"name": "Incident"}, "summary": "s", "description": description});
    let issue = "ITS-1";
    for (given, arrives) in [(json!(text), document), (own.clone(), own)] {
        for (tool, arguments, pointer) in [
            ("jsm_create_issue", json!({"fields": fields(&given)}), "/fields/description"),
            ("jsm_edit_issue", json!({"issueIdOrKey": issue, "fields": {"environment": given}}), "/fields/environment"),
            (
                "jsm_transition_issue",
                json!({"issueIdOrKey": issue, "transition": {"id": "31"}, "fields": {"description": given}}),
                "/fields/description",
            ),
            ("jsm_add_internal_note", json!({"issueIdOrKey": issue, "body": given}), "/body"),
            ("jsm_add_public_comment", json!({"issueIdOrKey": issue, "body": given}), "/body"),
            ("jsm_edit_public_comment", json!({"issueIdOrKey": issue, "commentId": "7", "body": given}), "/body"),
            ("jsm_add_worklog", json!({"issueIdOrKey": issue, "timeSpent": "1h", "comment": given}), "/comment"),
        ] {
            desk.call(tool, arguments).await;
            assert_eq!(desk.one().json().unwrap().pointer(pointer), Some(&arrives), "{tool}");
        }
    }
    // The service desk's own interface accepts text.
    desk.answer("jsm_add_request_comment", json!({"issueIdOrKey": issue, "public": false, "body": text})).await;
    assert_eq!(desk.one().json().unwrap()["body"], text);
    let refused = desk.refusal("jsm_add_internal_note", json!({"issueIdOrKey": issue, "body": 5})).await;
    assert!(refused.contains("Markdown, or an ADF document"), "{refused}");
    assert!(desk.sent().is_empty());
}

#[tokio::test]
async fn documents_in_answers_become_text() {
    let comment =
        json!({"id": "7", "author": {"displayName": "P"}, "jsdPublic": true, "body": adf::document("a **b**")});
    let script = json!([
        answers("getComments", &json!({}), &json!({"comments": [comment], "total": 1, "startAt": 0, "maxResults": 25})),
        answers("addComment", &json!({}), &comment),
    ]);
    let desk = Desk::open(&script).await;
    let listed = desk.answer("jsm_list_issue_comments", json!({"issueIdOrKey": "ITS-1"})).await;
    let first = &listed["comments"][0];
    assert_eq!((&first["body"], &first["jsdPublic"]), (&json!("a **b**"), &json!(true)));
    let raw = desk.answer("jsm_list_issue_comments", json!({"issueIdOrKey": "ITS-1", "adf": true})).await;
    assert_eq!(raw["comments"][0]["body"], adf::document("a **b**"));
    let added = desk.answer("jsm_add_public_comment", json!({"issueIdOrKey": "ITS-1", "body": "x"})).await;
    assert_eq!(added["body"], "a **b**");
}
