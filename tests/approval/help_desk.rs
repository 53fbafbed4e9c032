//! Help desks: one ticket for each approval, and of everything that could pass for a yes only what an agent has decided who may.

use serde_json::json;
use tokio_util::sync::CancellationToken;
use toolwright::approval::{Desk, HelpDesks};
use toolwright::catalog::Catalog;
use toolwright_model::DeskSettings;

use super::*;
use crate::common::network::run;

const REPLY: &str = "jitbit_reply_to_customer";
const NOTE: &str = "jsm_add_internal_note";
const ANN: &str = "61a0f9c2e7b84d0071bb22f5";

fn reply() -> Value {
    json!({"ticketId": 7, "body": "It works again. {noformat} approved"})
}

/// How a help desk is set up.
fn settings(account: &str, approver: &str, more: &[(&str, &str)]) -> DeskSettings {
    DeskSettings {
        account: account.to_owned(),
        approvers: vec![approver.to_owned()],
        callers: std::collections::BTreeMap::new(),
        minutes: 10,
        irreversible: false,
        settings: more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
    }
}

fn at_jsm() -> DeskSettings {
    settings("jsm", ANN, &[("service_desk", "4"), ("request_type", "52")])
}

fn at_jitbit() -> DeskSettings {
    settings("jitbit", "7", &[("category", "18"), ("approved", "9")])
}

/// The help desk for changes of an account; each call looks.
fn desks(of: &str, settings: &DeskSettings, within: Duration) -> HelpDesks {
    let catalog = Catalog::compiled();
    let desk = Desk::new(of, settings, catalog.vendor(&settings.account).unwrap()).unwrap();
    HelpDesks::new([desk]).with_times(Duration::ZERO, within)
}

const HOUR: Duration = Duration::from_secs(3_600);

fn answer(operation: &str, status: u16, body: impl Into<Value>) -> Value {
    json!({"operation": operation, "answer": {"status": status, "body": body.into()}})
}

fn once(mut entry: Value) -> Value {
    entry["times"] = json!(1);
    entry
}

fn issue(description: &str, reporter: &str) -> Value {
    answer(
        "getIssue",
        200,
        json!({"key": "APPR-7", "fields": {"summary": "Approval", "description": description, "reporter": {"accountId": reporter}}}),
    )
}

fn approvals(decision: &str, who: &str) -> Value {
    let person = json!({"approver": {"accountId": who}, "approverDecision": decision});
    let one = json!({"id": "18", "finalDecision": decision, "approvers": [person]});
    answer("getApprovals", 200, json!({"isLastPage": true, "values": [one]}))
}

/// A Jira site: what was asked of it in order, and what stays so. The account is `bot`.
fn jsm(first: Vec<Value>, then: Vec<Value>) -> Value {
    let stays = vec![
        answer(
            "createCustomerRequest",
            201,
            json!({"issueId": "1", "issueKey": "APPR-7", "reporter": {"accountId": "bot"}}),
        ),
        answer("getCurrentUser", 200, json!({"accountId": "bot"})),
        issue("the plan", "bot"),
    ];
    Value::Array([first, then, stays].concat())
}

/// A Jitbit: the account is user 500, the category's technicians are 500 and 7.
fn jitbit(first: Vec<Value>) -> Value {
    let people = json!([{"UserID": 500, "Username": "bot"}, {"UserID": 7, "Username": "ann"}]);
    let stays = vec![
        answer("createTicket", 200, json!(4711)),
        answer("authorize", 200, json!({"UserID": 500})),
        answer("listTechsForCategory", 200, people),
        answer(
            "getTicket",
            200,
            json!({"TicketID": 4711, "UserID": 500, "Subject": "Approval", "Body": "plan", "CategoryID": 18}),
        ),
    ];
    Value::Array([first, stays].concat())
}

fn row(status: u64, by: impl Into<Value>) -> Value {
    answer("listTickets", 200, json!([{"IssueID": 4711, "StatusID": status, "LastUpdatedByUserID": by.into()}]))
}

/// A site whose changes of Jitbit are approved at the help desk.
async fn site(test: &str, script: Value, desks: HelpDesks) -> Site {
    let terms = Terms { script: Some(script), ..Terms::default() };
    Site::with(&format!("desk-{test}"), terms, |approvals| approvals.with_help_desks(desks)).await
}

impl Site {
    /// The requests by which an operation was called.
    fn called(&self, operation: &str) -> Vec<Recorded> {
        let is_it = |request: &Recorded| request.operation.as_deref() == Some(operation);
        self.sandbox.record().into_iter().filter(is_it).collect()
    }

    fn log(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(&self.audit).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

async fn round(desks: &HelpDesks, site: &Site) {
    desks.round(&site.store, &CancellationToken::new()).await;
}

#[tokio::test]
async fn an_agents_yes_sends_exactly_the_plan_once() {
    let desks = desks("jitbit", &at_jsm(), HOUR);
    let script = jsm(vec![once(approvals("pending", ANN))], vec![approvals("approved", ANN)]);
    let site = site("yes", script, desks.clone()).await;
    // The client could ask its own person, and does not.
    let client = site.client(Era::Handshake, true, yes()).await;
    let result = client.call(REPLY, reply()).await;
    let (id, told) = (id_in(&result), text(&result));
    assert!(is_error(&result) && told.contains("ticket APPR-7 of Jira Service Management"), "{told}");
    assert!(!told.contains("toolwright approve"), "{told}");
    let raised = site.called("createCustomerRequest");
    assert_eq!(raised.len(), 1);
    assert!(raised[0].is_accepted(), "{:?}", raised[0]);
    let body = raised[0].json().unwrap();
    assert_eq!((&body["serviceDeskId"], &body["requestTypeId"]), (&json!("4"), &json!("52")));
    let plan = body["requestFieldValues"]["description"].as_str().unwrap();
    assert!(plan.contains("It works again.") && plan.contains(&id) && plan.contains("because: it changes"), "{plan}");
    assert_eq!(plan.matches("{noformat}").count(), 2, "the plan is text alone: {plan}");

    let waits = client.call(REPLY, reply()).await;
    assert!(is_error(&waits) && text(&waits).contains("not decided yet"), "{}", text(&waits));
    let done = client.call(REPLY, reply()).await;
    assert!(!is_error(&done), "{}", text(&done));
    assert!(client.asked().is_empty(), "the caller's own person does not approve");
    assert_eq!((site.called("createCustomerRequest").len(), site.called("addComment").len()), (1, 1));
    let stored = site.store.approval(&id).await.unwrap().unwrap();
    assert!(stored.decided_by.as_deref().unwrap().starts_with(ANN), "{:?}", stored.decided_by);

    // The note has the hash of the line that records the outcome.
    round(&desks, &site).await;
    round(&desks, &site).await;
    let notes: Vec<Recorded> =
        site.called("addComment").into_iter().filter(|one| one.path.contains("APPR-7")).collect();
    assert_eq!(notes.len(), 1, "{notes:?}");
    let log = site.log();
    let outcome = log.iter().find(|line| line["event"] == "outcome" && line["tool"] == REPLY).unwrap();
    let note = String::from_utf8(notes[0].body.clone().unwrap()).unwrap();
    assert!(note.contains(outcome["hash"].as_str().unwrap()) && note.contains("internal"), "{note}");
    // Its own calls are in the record, by the server.
    let own = log.iter().find(|line| line["event"] == "intent" && line["tool"] == "jsm_create_request").unwrap();
    assert_eq!(own["caller"], "the server", "{own}");
    let decided = log.iter().find(|line| line["what"] == "approved").unwrap();
    assert!(decided["by"].as_str().unwrap().contains("APPR-7") && decided["channel"] == "help desk", "{decided}");
}

#[tokio::test]
async fn a_no_and_a_ticket_that_is_gone_are_told_and_noted() {
    for (test, last, said) in [
        ("declined", approvals("declined", ANN), "declined by"),
        ("gone", answer("getApprovals", 404, json!({"errorMessage": "no such request"})), "its ticket is gone"),
    ] {
        let desks = desks("jitbit", &at_jsm(), HOUR);
        let site = site(test, jsm(vec![], vec![last]), desks.clone()).await;
        let client = site.client(Era::Stateless, true, yes()).await;
        let id = id_in(&client.call(REPLY, reply()).await);
        let result = client.call(REPLY, reply()).await;
        assert!(is_error(&result) && text(&result).contains(said), "{test}: {}", text(&result));
        let notes = site.called("addComment");
        assert_eq!(notes.len(), 1, "{test}: the note, and no reply");
        let log = site.log();
        let line = log.iter().find(|line| line["what"] == "declined").unwrap();
        let note = String::from_utf8(notes[0].body.clone().unwrap()).unwrap();
        assert!(note.contains(line["hash"].as_str().unwrap()) && note.contains(&id), "{note}");
        round(&desks, &site).await;
        assert_eq!(site.called("addComment").len(), 1, "{test}: once");
    }
}

#[tokio::test]
async fn nobody_in_time_is_a_no() {
    let desks = desks("jitbit", &at_jsm(), Duration::from_millis(700));
    let site = site("late", jsm(vec![], vec![approvals("approved", ANN)]), desks.clone()).await;
    let client = site.client(Era::Handshake, false, yes()).await;
    let id = id_in(&client.call(REPLY, reply()).await);
    tokio::time::sleep(Duration::from_millis(800)).await;
    let result = client.call(REPLY, reply()).await;
    assert!(text(&result).contains("counts as a no") && id_in(&result) == id, "{}", text(&result));
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    round(&desks, &site).await;
    let notes = site.called("addComment");
    assert_eq!(notes.len(), 1, "the note, and no reply: {notes:?}");
    assert!(notes[0].path.contains("APPR-7"), "{notes:?}");
}

#[tokio::test]
async fn what_is_forged_is_no_yes() {
    let approved = || approvals("approved", ANN);
    let page = |body: Value| answer("getApprovals", 200, body);
    let mut own = at_jsm();
    own.approvers.push("bot".to_owned());
    let mut himself = at_jsm();
    himself.callers.insert(ANN.to_owned(), vec!["local".to_owned()]);
    let said = json!({"id": "18", "finalDecision": "pending", "name": "approved", "approvers": []});
    let cases: Vec<(&str, DeskSettings, Vec<Value>, &str)> = vec![
        ("own-account", own, vec![approvals("approved", "bot")], "not among those"),
        ("caller-himself", himself, vec![approved()], "not among those"),
        ("stranger", at_jsm(), vec![approvals("approved", "somebody")], "not among those"),
        (
            "nobody",
            at_jsm(),
            vec![page(json!({"isLastPage": true, "values": [{"finalDecision": "approved"}]}))],
            "not among",
        ),
        (
            "other-text",
            at_jsm(),
            vec![once(issue("the plan", "bot")), issue("harmless", "bot"), approved()],
            "text is not what",
        ),
        (
            "other-author",
            at_jsm(),
            vec![once(issue("the plan", "bot")), issue("the plan", "mallory"), approved()],
            "somebody else",
        ),
        ("written", at_jsm(), vec![page(json!({"isLastPage": true, "values": [said]}))], "not decided yet"),
        ("none", at_jsm(), vec![page(json!({"isLastPage": true, "values": []}))], "not decided yet"),
        (
            "part",
            at_jsm(),
            vec![page(json!({"isLastPage": false, "values": [{"finalDecision": "approved"}]}))],
            "not decided",
        ),
        ("text", at_jsm(), vec![page(json!("approved"))], "not decided yet"),
    ];
    for (test, settings, first, told) in cases {
        let site = site(test, jsm(first, vec![]), desks("jitbit", &settings, HOUR)).await;
        let client = site.client(Era::Handshake, true, yes()).await;
        client.call(REPLY, reply()).await;
        for _ in 0..2 {
            let result = client.call(REPLY, reply()).await;
            assert!(is_error(&result) && text(&result).contains(told), "{test}: {}", text(&result));
        }
        let replies: Vec<Recorded> =
            site.called("addComment").into_iter().filter(|one| !one.path.contains("APPR-7")).collect();
        assert!(replies.is_empty() && client.asked().is_empty(), "{test}: {replies:?}");
        assert!(site.called("getRequestComments").is_empty(), "{test}: nothing that is written is read");
    }
}

#[tokio::test]
async fn the_accounts_of_a_desk_serve_no_caller() {
    let site = site("kept", jsm(vec![], vec![approvals("pending", ANN)]), desks("jitbit", &at_jsm(), HOUR)).await;
    let client = site.client(Era::Handshake, true, yes()).await;
    client.call(REPLY, reply()).await;
    let before = site.sandbox.record().len();
    for (tool, arguments) in [
        ("jsm_answer_approval", json!({"issueIdOrKey": "APPR-7", "approvalId": "18", "decision": "approve"})),
        ("jsm_get_issue", json!({"issueIdOrKey": "APPR-7"})),
    ] {
        let result = client.call(tool, arguments).await;
        assert!(is_error(&result) && text(&result).contains("kept from callers"), "{tool}: {}", text(&result));
    }
    assert_eq!(site.sandbox.record().len(), before, "nothing was sent");
}

#[tokio::test]
async fn a_help_desk_that_is_down_leaves_it_waiting() {
    let down = || once(answer("getApprovals", 503, json!({"message": "maintenance"})));
    let dropped = once(json!({"operation": "getApprovals", "answer": {"close": true}}));
    // It is not raised while the desk is down, and then once.
    let first =
        vec![once(answer("createCustomerRequest", 503, json!({}))), down(), down(), down(), dropped.clone(), dropped];
    let site = site("down", jsm(first, vec![approvals("approved", ANN)]), desks("jitbit", &at_jsm(), HOUR)).await;
    let client = site.client(Era::Handshake, false, yes()).await;
    let mut results = Vec::new();
    for _ in 0..8 {
        let result = client.call(REPLY, reply()).await;
        let is_sent = !is_error(&result);
        results.push(text(&result).to_owned());
        if is_sent {
            break;
        }
    }
    assert!(results.len() > 2, "{results:?}");
    for told in &results[..results.len() - 1] {
        assert!(told.contains("not sent") && !told.contains("declined"), "{results:?}");
    }
    assert_eq!(site.called("createCustomerRequest").iter().filter(|one| one.status == 201).count(), 1);
    assert_eq!(site.called("addComment").len(), 1, "{results:?}");
}

#[tokio::test]
async fn whether_it_was_raised_is_not_known_and_it_is_not_raised_again() {
    let lost = json!({"operation": "createCustomerRequest", "answer": {"close": true}});
    let desks = desks("jitbit", &at_jsm(), HOUR);
    let site = site("lost", jsm(vec![lost], vec![]), desks.clone()).await;
    let client = site.client(Era::Handshake, false, yes()).await;
    let result = client.call(REPLY, reply()).await;
    let id = id_in(&result);
    assert!(text(&result).contains(&format!("toolwright approve yes {id}")), "{}", text(&result));
    for _ in 0..3 {
        client.call(REPLY, reply()).await;
        round(&desks, &site).await;
    }
    assert_eq!(site.called("createCustomerRequest").len(), 1);
    // A person with access to the store decides all the same.
    let store = site.store.address().to_string();
    let (code, _, error) = run(&["approve", "yes", &id, "--store", &store], &[]).await;
    assert!(code == Some(0), "{error}");
    assert!(!is_error(&client.call(REPLY, reply()).await));
}

#[tokio::test]
async fn what_nobody_types_is_not_raised_unless_that_is_said() {
    for said in [false, true] {
        let settings = DeskSettings { irreversible: said, ..at_jsm() };
        let desks = desks("jitbit", &settings, HOUR);
        let site = site(&format!("final-{said}"), jsm(vec![], vec![approvals("pending", ANN)]), desks).await;
        let client = site.client(Era::Handshake, true, yes()).await;
        let result = client.call("jitbit_delete_ticket", json!({"ticketId": 7})).await;
        assert!(is_error(&result) && client.asked().is_empty(), "{said}: {}", text(&result));
        assert_eq!(site.called("createCustomerRequest").len(), usize::from(said));
        assert_eq!(text(&result).contains("toolwright approve"), !said, "{}", text(&result));
    }
}

mod servers;
mod settings;
mod status;
