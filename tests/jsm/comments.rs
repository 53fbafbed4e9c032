//! No comment reaches a customer by accident: its audience is a required argument, and no other
//! tool writes comments.

use serde_json::{Value, json};

use super::desk::{Desk, answers};

const ISSUE: &str = "ITS-1";

#[tokio::test]
async fn a_comment_needs_its_audience() {
    let desk = Desk::open(&json!([])).await;
    for (tool, rest) in [
        ("jsm_add_request_comment", json!({"issueIdOrKey": ISSUE, "body": "b"})),
        ("jsm_add_request_attachments", json!({"issueIdOrKey": ISSUE, "temporaryAttachmentIds": ["temp-1"]})),
    ] {
        for public in [None, Some(Value::Null), Some(json!("internal")), Some(json!(0)), Some(json!([]))] {
            let mut given = rest.clone();
            if let Some(public) = public {
                given["public"] = public;
            }
            let refused = desk.refusal(tool, given.clone()).await;
            assert!(refused.contains("public"), "{tool} {given}: {refused}");
        }
        assert!(desk.sent().is_empty());
        for public in [true, false] {
            let mut given = rest.clone();
            given["public"] = json!(public);
            desk.call(tool, given).await;
            assert_eq!(desk.one().json().unwrap()["public"], public, "{tool}");
        }
    }
}

#[tokio::test]
async fn comments_of_the_platform_are_internal_or_public_by_their_tool() {
    let desk = Desk::open(&json!([])).await;
    for (tool, internal) in [
        ("jsm_add_internal_note", true),
        ("jsm_add_public_comment", false),
        ("jsm_edit_internal_note", true),
        ("jsm_edit_public_comment", false),
    ] {
        let mut given = json!({"issueIdOrKey": ISSUE, "body": "b"});
        if tool.contains("_edit_") {
            given["commentId"] = json!("7");
        }
        desk.call(tool, given.clone()).await;
        let flag = json!([{"key": "sd.public.comment", "value": {"internal": internal}}]);
        let body = desk.one().json().unwrap();
        assert_eq!(body["properties"], flag, "{tool}");
        assert_eq!(body.get("visibility"), None, "{tool}");
        // A caller can't change what the tool fixes.
        for name in ["properties", "visibility", "jsdPublic", "public"] {
            let mut given = given.clone();
            given[name] = json!([{"key": "sd.public.comment", "value": {"internal": !internal}}]);
            let refused = desk.refusal(tool, given).await;
            assert!(refused.contains(name), "{tool} {name}: {refused}");
        }
        assert!(desk.sent().is_empty());
    }
    // Nothing else calls these operations.
    let catalog = toolwright::catalog::Catalog::compiled();
    for entry in catalog.entries().iter().filter(|entry| entry.vendor == "jsm") {
        for call in &entry.tool.calls {
            if ["addComment", "updateComment"].contains(&call.operation.as_str()) {
                let fixed = serde_json::to_string(&call.fixed).unwrap();
                assert!(fixed.contains("sd.public.comment"), "{}", entry.tool.name);
            }
        }
    }
}

/// Every operation that could carry a comment without an audience.
#[tokio::test]
async fn no_other_tool_sends_a_comment() {
    let fields = json!([
        {"id": "comment", "name": "Kommentar"},
        {"id": "worklog", "name": "Log Work"},
        {"id": "summary", "name": "Summary"},
    ]);
    let desk = Desk::open(&json!([answers("getFields", &json!({}), &fields)])).await;
    let document = json!({"type": "doc", "version": 1, "content": []});
    let comment = json!([{"add": {"body": document}}]);
    let whole = json!({"project": {"key": "ITS"}, "issuetype": {"name": "Incident"}, "summary": "s"});
    let tools = [
        ("jsm_create_issue", json!({"fields": whole})),
        ("jsm_edit_issue", json!({"issueIdOrKey": ISSUE, "fields": {"summary": "s"}})),
        ("jsm_transition_issue", json!({"issueIdOrKey": ISSUE, "transition": {"id": "31"}, "fields": {}})),
    ];
    for (tool, fine) in &tools {
        for name in ["comment", "comments", "properties", "historyMetadata", "additionalComment", "*", "body"] {
            let mut given = fine.clone();
            given[name] = json!({"comment": comment});
            let refused = desk.refusal(tool, given).await;
            assert!(refused.contains(&format!("`{name}`")), "{tool} {name}: {refused}");
        }
        for name in ["comment", "worklog", " comment", "comment ", "-comment", "Kommentar", "KOMMENTAR", "log work"] {
            for value in [comment.clone(), json!({"body": document}), json!("text"), json!({"comments": comment})] {
                let mut given = fine.clone();
                given["fields"][name] = value;
                let refused = desk.refusal(tool, given).await;
                assert!(refused.contains("which state who reads them"), "{tool} {name}: {refused}");
            }
        }
        // Nor as a change of an entry.
        for name in ["comment", "worklog", " comment", "-comment", "Kommentar", "log work"] {
            for change in [comment.clone(), comment[0].clone(), json!([{"set": []}]), json!([{"edit": {"id": "7"}}])] {
                let mut given = fine.clone();
                given["update"] = json!({"labels": [{"add": "vpn"}], name: change});
                let refused = desk.refusal(tool, given).await;
                let edits = refused.contains("one of `add`, `remove`, `set`");
                assert!(edits || refused.contains("which state who reads them"), "{tool} {name}: {refused}");
            }
        }
        // Nor as text that would be read as an object.
        let mut given = fine.clone();
        given["fields"] = json!(json!({"comment": comment, "summary": "s"}).to_string());
        desk.refusal(tool, given).await;
    }
    // Beside the transition's id nothing travels.
    for name in ["update", "fields", "comment"] {
        let given = json!({"issueIdOrKey": ISSUE, "transition": {"id": "31", name: {"comment": comment}}});
        let refused = desk.refusal("jsm_transition_issue", given).await;
        assert!(refused.contains(name), "{refused}");
    }
    for (tool, name, given) in [
        ("jsm_transition_request", "additionalComment", json!({"issueIdOrKey": ISSUE, "transitionId": "5"})),
        (
            "jsm_link_issues",
            "comment",
            json!({"type": {"name": "Blocks"}, "fromIssue": {"key": ISSUE}, "toIssue": {"key": "ITS-2"}}),
        ),
    ] {
        let mut given = given;
        given[name] = json!({"body": "text"});
        let refused = desk.refusal(tool, given).await;
        assert!(refused.contains(&format!("`{name}`")), "{tool}: {refused}");
    }
    let sent = desk.sent();
    assert!(sent.iter().all(|sent| sent.operation.as_deref() == Some("getFields")), "{sent:?}");
}

/// An id is one segment of the path, whatever it holds.
#[tokio::test]
async fn ids_stay_in_their_path_segment() {
    let desk = Desk::open(&json!([])).await;
    for id in ["ITS-1/comment/7", "../comment/7", "ITS-1?x=", "ITS-1#", "ITS-1%2Fcomment", "ITS-1;x"] {
        let given = json!({"issueIdOrKey": id, "propertyKey": "sd.public.comment", "value": {"internal": false}});
        desk.call("jsm_set_issue_property", given).await;
        for sent in desk.sent() {
            assert_eq!(sent.operation.as_deref(), Some("setIssueProperty"), "{id}");
            assert_eq!(sent.path.matches('/').count(), 7, "{id}: {}", sent.path);
        }
    }
    for id in ["..", "."] {
        let given = json!({"issueIdOrKey": id, "propertyKey": "sd.public.comment", "value": {"internal": false}});
        desk.refusal("jsm_set_issue_property", given).await;
    }
    assert!(desk.sent().is_empty());
}
