//! Fields as people name and write them → what Jira takes: kinds, single entries, steps by name, rich
//! text, mentions.

use serde_json::{Value, json};
use toolwright::formats::adf;

use super::desk::{Desk, answers};

const ISSUE: &str = "ITS-1";

/// A site with a few fields of its own, and an issue with two steps.
fn site() -> Value {
    let custom = |name: &str| format!("com.atlassian.jira.plugin.system.customfieldtypes:{name}");
    let field = |id: &str, name: &str, schema: Value| json!({"id": id, "key": id, "name": name, "schema": schema});
    let fields = json!([
        field("labels", "Labels", json!({"type": "array", "items": "string", "system": "labels"})),
        field("comment", "Kommentar", json!({"type": "comments-page", "system": "comment"})),
        field("customfield_10035", "Root cause", json!({"type": "string", "custom": custom("textarea")})),
        field("customfield_10036", "Impact", json!({"type": "option", "custom": custom("select")})),
        field(
            "customfield_10037",
            "Sites",
            json!({"type": "array", "items": "option", "custom": custom("multiselect")})
        ),
        field("customfield_10038", "Ticket at the carrier", json!({"type": "string", "custom": custom("textfield")})),
    ]);
    let step = |id: &str, name: &str, status: &str| json!({"id": id, "name": name, "to": {"name": status}});
    let steps = json!({"transitions": [step("21", "Resolve issue", "Done"), step("31", "Escalate", "Waiting")]});
    let of_customer = json!({"values": [{"id": "761", "name": "Close the request"}, {"id": "801", "name": "Escalate"}], "isLastPage": true});
    json!([
        answers("getFields", &json!({}), &fields),
        answers("getTransitions", &json!({}), &steps),
        answers("getCustomerTransitions", &json!({}), &of_customer),
    ])
}

/// The body of the last request.
fn body(desk: &Desk) -> Value {
    desk.sent().last().and_then(toolwright::sandbox::Recorded::json).unwrap_or_default()
}

#[tokio::test]
async fn a_text_area_gets_a_document_wherever_fields_are_written() {
    let desk = Desk::open(&site()).await;
    let given = json!({"Root cause": "**Cable** broke", "Impact": "High", "customfield_10037": ["Paris", "Rome"],
        "customfield_10038": "*4711*", "priority": "High", "description": "see `log`"});
    let expected = json!({"customfield_10035": adf::document("**Cable** broke"), "customfield_10036": {"value": "High"},
        "customfield_10037": [{"value": "Paris"}, {"value": "Rome"}], "customfield_10038": "*4711*",
        "priority": {"name": "High"}, "description": adf::document("see `log`")});
    for (tool, mut arguments) in [
        ("jsm_edit_issue", json!({"issueIdOrKey": ISSUE, "fields": {}})),
        ("jsm_transition_issue", json!({"issueIdOrKey": ISSUE, "transition": "Done", "fields": {}})),
        ("jsm_create_issue", json!({"fields": {"project": "ITS", "issuetype": "Incident", "summary": "s"}})),
    ] {
        for (name, value) in given.as_object().unwrap() {
            arguments["fields"][name] = value.clone();
        }
        let answer = desk.call(tool, arguments).await;
        assert_ne!(answer.is_error, Some(true), "{tool}: {answer:?}");
        let sent = body(&desk);
        for (id, value) in expected.as_object().unwrap() {
            assert_eq!(&sent["fields"][id], value, "{tool} {id}");
        }
        if tool == "jsm_create_issue" {
            let made = (&sent["fields"]["project"], &sent["fields"]["issuetype"]);
            assert_eq!(made, (&json!({"key": "ITS"}), &json!({"name": "Incident"})));
        }
    }
    // A field by its id needs its kind, too; a document of the caller's own passes.
    let own = json!({"type": "doc", "version": 1, "content": [{"type": "panel", "attrs": {"panelType": "info"}, "content": []}]});
    for (given, arrives) in [(json!("a *b*"), adf::document("a *b*")), (own.clone(), own), (Value::Null, Value::Null)] {
        desk.call("jsm_edit_issue", json!({"issueIdOrKey": ISSUE, "fields": {"customfield_10035": given}})).await;
        assert_eq!(body(&desk)["fields"]["customfield_10035"], arrives);
    }
}

#[tokio::test]
async fn one_entry_is_added_without_the_others() {
    let desk = Desk::open(&site()).await;
    let update = json!({"Labels": [{"add": "vpn"}, {"remove": "new"}], "components": {"add": "Network"},
        "Sites": [{"add": "Paris"}], "fixVersions": [{"set": [{"name": "1.0"}]}],
        "issuelinks": [{"add": {"type": {"name": "Blocks"}, "outwardIssue": {"key": "ITS-2"}}}]});
    let expected = json!({"labels": [{"add": "vpn"}, {"remove": "new"}], "components": [{"add": {"name": "Network"}}],
        "customfield_10037": [{"add": {"value": "Paris"}}], "fixVersions": [{"set": [{"name": "1.0"}]}],
        "issuelinks": [{"add": {"type": {"name": "Blocks"}, "outwardIssue": {"key": "ITS-2"}}}]});
    for (tool, arguments) in [
        ("jsm_edit_issue", json!({"issueIdOrKey": ISSUE})),
        ("jsm_transition_issue", json!({"issueIdOrKey": ISSUE, "transition": "31"})),
        (
            "jsm_create_issue",
            json!({"fields": {"project": {"key": "ITS"}, "issuetype": {"name": "Incident"}, "summary": "s"}}),
        ),
    ] {
        let mut given = arguments.clone();
        given["update"] = update.clone();
        let answer = desk.call(tool, given).await;
        assert_ne!(answer.is_error, Some(true), "{tool}: {answer:?}");
        assert_eq!(body(&desk)["update"], expected, "{tool}");
        // Comments and worklogs have readers of their own, and tools for that.
        for (name, tools) in [
            ("comment", "jsm_add_internal_note or jsm_add_public_comment"),
            ("Kommentar", "jsm_add_internal_note or jsm_add_public_comment"),
            ("worklog", "jsm_add_worklog"),
        ] {
            for change in [json!([{"add": {"body": "x"}}]), json!({"add": "x"}), json!([{"set": []}])] {
                let mut given = arguments.clone();
                given["update"] = json!({"labels": [{"add": "a"}], name: change});
                let refused = desk.refusal(tool, given).await;
                assert!(refused.contains(tools), "{tool} {name} {change}: {refused}");
            }
        }
        let mut given = arguments.clone();
        given["update"] = json!({"issuelinks": [{"add": {"type": {"name": "Blocks"}, "outwardIssue": {"key": "ITS-2"}, "comment": {"body": "x"}}}]});
        assert!(desk.refusal(tool, given).await.contains("a link such as"));
        assert!(desk.sent().iter().all(|sent| sent.operation.as_deref() == Some("getFields")));
    }
    // An edit that changes nothing is not reported as done.
    for given in [json!({}), json!({"fields": {}}), json!({"fields": {}, "update": {}})] {
        let mut given = given;
        given["issueIdOrKey"] = json!(ISSUE);
        let refused = desk.refusal("jsm_edit_issue", given).await;
        assert!(refused.contains("at least one of `fields`, `update`"), "{refused}");
    }
    assert!(desk.sent().is_empty());
}

#[tokio::test]
async fn a_step_is_named_as_people_name_it() {
    let desk = Desk::open(&site()).await;
    for (tool, argument, given, sent) in [
        ("jsm_transition_issue", "transition", json!("Resolve issue"), json!({"id": "21"})),
        ("jsm_transition_issue", "transition", json!("done"), json!({"id": "21"})),
        ("jsm_transition_issue", "transition", json!("31"), json!({"id": "31"})),
        ("jsm_transition_issue", "transition", json!(31), json!({"id": "31"})),
        ("jsm_transition_issue", "transition", json!({"id": "31"}), json!({"id": "31"})),
        ("jsm_transition_request", "transitionId", json!("close the request"), json!("761")),
        ("jsm_transition_request", "transitionId", json!("801"), json!("801")),
        ("jsm_transition_request", "transitionId", json!({"id": "801"}), json!("801")),
    ] {
        let is_name = given.as_str().is_some_and(|text| text.parse::<u32>().is_err());
        let answer = desk.call(tool, json!({"issueIdOrKey": ISSUE, argument: given})).await;
        assert_ne!(answer.is_error, Some(true), "{given}: {answer:?}");
        let requests = desk.sent();
        let last = requests.last().unwrap().json().unwrap();
        assert_eq!(last[if tool.ends_with("issue") { "transition" } else { "id" }], sent, "{given}");
        assert_eq!(requests.len(), if is_name { 2 } else { 1 }, "{given}: {requests:?}");
        assert!(requests.iter().all(|request| request.path.contains(ISSUE)));
        if is_name {
            assert!(format!("{answer:?}").contains("is the step"), "{answer:?}");
        }
    }
    for (tool, argument, steps) in [
        ("jsm_transition_issue", "transition", "21 `Resolve issue` (to `Done`), 31 `Escalate` (to `Waiting`)"),
        ("jsm_transition_request", "transitionId", "761 `Close the request`, 801 `Escalate`"),
    ] {
        let refused = desk.refusal(tool, json!({"issueIdOrKey": ISSUE, argument: "Ecsalate"})).await;
        assert!(refused.contains(steps) && refused.contains("did you mean `Escalate`"), "{refused}");
        assert!(desk.sent().iter().all(|sent| sent.method == "GET"));
    }
}

#[tokio::test]
async fn a_mention_that_names_no_account_is_refused() {
    let desk = Desk::open(&site()).await;
    let writers = [
        ("jsm_add_internal_note", json!({"issueIdOrKey": ISSUE}), "/body"),
        ("jsm_add_public_comment", json!({"issueIdOrKey": ISSUE}), "/body"),
        ("jsm_edit_internal_note", json!({"issueIdOrKey": ISSUE, "commentId": "7"}), "/body"),
        ("jsm_add_worklog", json!({"issueIdOrKey": ISSUE, "timeSpent": "1h"}), "/comment"),
        ("jsm_edit_issue", json!({"issueIdOrKey": ISSUE, "fields": {}}), "/fields/description"),
        ("jsm_edit_issue", json!({"issueIdOrKey": ISSUE, "fields": {}}), "/fields/customfield_10035"),
    ];
    for (tool, arguments, at) in writers {
        let with = |text: &str| {
            let mut given = arguments.clone();
            match at.strip_prefix("/fields/") {
                Some(field) => given["fields"][field] = json!(text),
                None => given[&at[1..]] = json!(text),
            }
            given
        };
        for text in ["[~ann] look", "hi @Ann Lee", "@[Ann Lee], look", "[~accountid:no id]"] {
            let refused = desk.refusal(tool, with(text)).await;
            assert!(
                refused.contains("`@[Name](accountid:…)`") && refused.contains("jsm_find_users"),
                "{tool}: {refused}"
            );
        }
        assert!(desk.sent().iter().all(|sent| sent.method == "GET"), "{tool}");
        desk.call(tool, with("@[Ann](accountid:5b:1) or ann@example.com, `@x`, \\@y")).await;
        let sent = body(&desk).pointer(at).cloned().unwrap();
        assert_eq!(sent["content"][0]["content"][0]["type"], "mention", "{tool}: {sent}");
    }
    // A model reads how before it writes one.
    for tool in desk.tools().await.iter().filter(|tool| {
        ["jsm_add_internal_note", "jsm_add_public_comment", "jsm_add_worklog"].contains(&tool.name.as_ref())
    }) {
        assert!(json!(tool.input_schema).to_string().contains("@[Name](accountid:ID)"), "{}", tool.name);
    }
}

#[tokio::test]
async fn what_was_understood_of_wiki_markup_is_in_the_answer() {
    let desk = Desk::open(&site()).await;
    let text = "h3. Found\nsee https://example.com/a.\n{code:sh}\ndf -h\n{code}\n[log|https://example.com/l]";
    let answer = desk.answer("jsm_add_internal_note", json!({"issueIdOrKey": ISSUE, "body": text})).await;
    let expected = "### Found\n\nsee [https://example.com/a](https://example.com/a).\n\n```sh\ndf -h\n```\n\n[log](https://example.com/l)";
    assert_eq!(body(&desk)["body"], adf::document(expected));
    let notes = answer["notes"].to_string();
    assert!(notes.contains("`{code}`") && notes.contains("`h3.`") && notes.contains("wiki markup"), "{notes}");
    let plain = desk.answer("jsm_add_internal_note", json!({"issueIdOrKey": ISSUE, "body": "# Found"})).await;
    assert_eq!(plain.get("notes"), None);
}

#[tokio::test]
async fn the_fields_of_a_new_issue_show_their_kind() {
    let kind = "com.atlassian.jira.plugin.system.customfieldtypes:textarea";
    let field = json!({"fieldId": "customfield_10035", "name": "Root cause", "required": true, "operations": ["set"],
        "schema": {"type": "string", "custom": kind, "customId": 10035}, "autoCompleteUrl": "https://example.com"});
    let page = json!({"startAt": 0, "maxResults": 50, "total": 1, "fields": [field]});
    let desk = Desk::open(&json!([answers("getCreateIssueMetaIssueTypeId", &json!({}), &page)])).await;
    let listed = desk.answer("jsm_list_create_fields", json!({"projectIdOrKey": "ITS", "issueTypeId": "1"})).await;
    assert_eq!(listed["fields"][0]["schema"], json!({"type": "string", "custom": kind}));
    assert_eq!(listed["fields"][0].get("autoCompleteUrl"), None);
}
