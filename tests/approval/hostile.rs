//! What might pass for a yes: answers that a model makes, states that were changed, used or are another's, approvals of
//! something else, several at once.

use rmcp::model::{CallToolResponse, InputRequiredResult};
use serde_json::json;
use toolwright::access::Principal;
use toolwright::call::{CallResult, Caller};
use toolwright::store::ApprovalState;

use super::*;

const REPLY: &str = "jitbit_reply_to_customer";

fn reply() -> Value {
    json!({"ticketId": 7, "body": "It works again."})
}

fn request(arguments: &Value) -> CallToolRequestParams {
    CallToolRequestParams::new(REPLY).with_arguments(arguments.as_object().unwrap().clone())
}

async fn once(desk: &Connected, request: CallToolRequestParams) -> Result<InputRequiredResult, Box<CallToolResult>> {
    match desk.service.call_tool_once(request).await.unwrap() {
        CallToolResponse::InputRequired(ask) => Ok(ask),
        CallToolResponse::Complete(result) => Err(Box::new(result)),
        _ => panic!("a task"),
    }
}

/// The same request with an answer and a state.
fn with(arguments: &Value, state: &str, answer: &Value) -> CallToolRequestParams {
    let mut request = request(arguments);
    request.request_state = Some(state.to_owned());
    request.input_responses = Some([("approval".to_owned(), answer.clone())].into());
    request
}

fn accepted() -> Value {
    json!({"action": "accept", "content": {"approve": true}})
}

#[tokio::test]
async fn a_model_can_not_approve() {
    let site = Site::open("model", Terms::default()).await;
    let desk = site.client(Era::Handshake, false, yes()).await;
    let id = id_in(&desk.call(REPLY, reply()).await);
    for more in [
        json!({"approve": true}),
        json!({"confirm": true, "approval": id}),
        json!({"approval_id": id, "approved": true}),
        json!({"requestState": "x", "inputResponses": {"approval": accepted()}}),
    ] {
        let mut arguments = reply();
        arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let result = desk.call(REPLY, arguments).await;
        assert!(is_error(&result), "{more}: {}", text(&result));
    }
    let tools = desk.service.list_all_tools().await.unwrap();
    let approving: Vec<_> = tools.iter().filter(|tool| tool.name.starts_with("toolwright")).collect();
    assert!(approving.is_empty(), "{approving:?}");
    assert!(site.changes().is_empty());
}

#[tokio::test]
async fn a_state_is_good_for_one_request_of_one_caller() {
    let site = Site::open("state", Terms::default()).await;
    let desk = site.client(Era::Stateless, true, yes()).await;
    let ask = once(&desk, request(&reply())).await.unwrap();
    let state = ask.request_state.unwrap();
    // Without an answer it is asked anew.
    let mut unanswered = request(&reply());
    unanswered.request_state = Some(state.clone());
    assert!(once(&desk, unanswered).await.is_ok());
    // Changed in each of its parts.
    let parts: Vec<&str> = state.split('.').collect();
    let later = (parts[1].parse::<u64>().unwrap() + 600).to_string();
    for (wrong, why) in [
        (format!("{}.{later}.{}", parts[0], parts[2]), "a later end"),
        (format!("{}x.{}.{}", parts[0], parts[1], parts[2]), "another id"),
        (format!("{}.{}.{}", parts[0], parts[1], parts[2].chars().rev().collect::<String>()), "another code"),
        (parts[0].to_owned(), "the id alone"),
        (String::new(), "nothing"),
        ("x".repeat(5_000), "long"),
    ] {
        let told = once(&desk, with(&reply(), &wrong, &accepted())).await;
        match told {
            Err(result) => {
                assert!(is_error(&result) && text(&result).contains("requestState"), "{why}: {}", text(&result));
            }
            Ok(_) => assert_eq!(why, "long", "what can't be a state is no state"),
        }
    }
    // Another caller on the same server.
    let other = Caller { principal: Principal::of_link("1", "Contractor"), ..Caller::default() };
    let given = toolwright::approval::Given {
        state: state.clone(),
        answer: toolwright::approval::Answer::Approved { typed: None },
    };
    let channel = Some(Arc::new(toolwright::approval::Channel::InputRequired(Some(given))));
    let other = Caller { channel, ..other };
    let stolen = site.server_toolbox().call_as(&other, REPLY, reply().as_object().unwrap().clone()).await;
    assert!(stolen.unwrap_err().to_string().contains("requestState"), "another caller");
    assert!(site.changes().is_empty());
    // The right one, then once more.
    let done = once(&desk, with(&reply(), &state, &accepted())).await.unwrap_err();
    assert!(!is_error(&done), "{}", text(&done));
    let again = once(&desk, with(&reply(), &state, &accepted())).await.unwrap_err();
    assert!(is_error(&again) && text(&again).contains("used up"), "{}", text(&again));
    assert_eq!(site.changes().len(), 1);
}

#[tokio::test]
async fn another_request_than_the_one_that_was_shown_is_not_sent() {
    let site = Site::open("changed", Terms::default()).await;
    let desk = site.client(Era::Stateless, true, yes()).await;
    let state = once(&desk, request(&reply())).await.unwrap().request_state.unwrap();
    let other = json!({"ticketId": 8, "body": "It works again."});
    let result = once(&desk, with(&other, &state, &accepted())).await.unwrap_err();
    assert!(is_error(&result) && text(&result).contains("not what the person was shown"), "{}", text(&result));
    let result = once(&desk, with(&reply(), &state, &accepted())).await.unwrap_err();
    assert!(is_error(&result), "the approval is void now: {}", text(&result));
    assert!(site.changes().is_empty());

    let site = Site::open("changed-command", Terms::default()).await;
    let desk = site.client(Era::Handshake, false, yes()).await;
    let id = id_in(&desk.call(REPLY, reply()).await);
    assert!(site.yes(&id).await);
    for other in [other, json!({"ticketId": 7, "body": "It works again!"})] {
        let result = desk.call(REPLY, other).await;
        assert!(is_error(&result) && id_in(&result) != id, "{}", text(&result));
    }
    let stranger = Caller { principal: Principal::of_link("1", "Contractor"), ..Caller::default() };
    let result = site.server_toolbox().call_as(&stranger, REPLY, reply().as_object().unwrap().clone()).await;
    assert!(result.is_err(), "another caller has no part in it");
    assert!(site.changes().is_empty());
    assert!(!is_error(&desk.call(REPLY, reply()).await), "the one that was shown");
    assert_eq!(site.changes().len(), 1);
}

#[tokio::test]
async fn of_two_at_once_one_decides_and_one_is_sent() {
    let script = json!([{"operation": "*", "answer": {"status": 200, "body": {}, "delay_ms": 300}}]);
    let site = Site::open("at-once", Terms { script: Some(script), ..Terms::default() }).await;
    let desk = site.client(Era::Handshake, false, yes()).await;
    let (one, two) = tokio::join!(desk.call(REPLY, reply()), desk.call(REPLY, reply()));
    assert_eq!(id_in(&one), id_in(&two), "one approval for two equal calls at once");
    let id = id_in(&one);
    let (no, yes) = (decision(false), decision(true));
    let (first, second) = tokio::join!(site.store.decide_approval(&id, &yes), site.store.decide_approval(&id, &no));
    assert!(first.unwrap() != second.unwrap(), "one of them decides");
    let state = site.store.approval(&id).await.unwrap().unwrap().state;
    if state == ApprovalState::Declined {
        assert!(is_error(&desk.call(REPLY, reply()).await));
        assert!(site.changes().is_empty());
        return;
    }
    let mut calls: Vec<_> = Vec::new();
    for _ in 0..8 {
        calls.push(desk.call(REPLY, reply()));
    }
    let results = futures_util::future::join_all(calls).await;
    let sent = results.iter().filter(|result| !is_error(result)).count();
    assert_eq!((sent, site.changes().len()), (1, 1), "{:?}", results.iter().map(text).collect::<Vec<_>>());
}

#[tokio::test]
async fn without_a_store_nothing_is_sent() {
    use toolwright::approval::{Approvals, Confirm};
    let sandbox = sandbox(None).await;
    let confirm = Confirm::parse(&["write".to_owned()]).unwrap();
    let approvals = Approvals::at(confirm, Err("no folder for the store is known".to_owned()));
    let toolbox = toolbox(&sandbox, &everything(), Defaults::Everything).with_approvals(Some(Arc::new(approvals)));
    let failure = toolbox.call(REPLY, reply().as_object().unwrap().clone()).await.unwrap_err();
    assert!(failure.to_string().contains("approvals can't be kept"), "{failure}");
    let read = toolbox.call("jitbit_get_ticket_record", json!({"ticketId": 7}).as_object().unwrap().clone()).await;
    assert!(matches!(read, Ok(CallResult::Reply(_))), "reads go on: {read:?}");
    assert!(sandbox.record().iter().all(|request| request.method == "GET"));
}
