//! The MCP server as a client meets it, over an in-memory pipe.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rmcp::model::{CallToolRequestParams, ClientRequest, ErrorCode, ProgressNotificationParam, Request, ServerResult};
use rmcp::service::{NotificationContext, PeerRequestOptions, RunningService, ServiceError};
use rmcp::{ClientHandler, RoleClient, ServiceExt as _};
use serde_json::{Map, Value, json};
use tokio::io::AsyncReadExt as _;
use toolwright::call::Toolbox;
use toolwright::policy::{Defaults, SelectionWords};
use toolwright::server::Server;

use crate::common::{self, jitbit_at, sandbox, toolbox};

async fn client(toolbox: Toolbox) -> RunningService<RoleClient, ()> {
    let (client_side, server_side) = tokio::io::duplex(1 << 20);
    tokio::spawn(async move { Box::pin(Server::new(toolbox).serve(server_side)).await.unwrap().waiting().await });
    ().serve(client_side).await.unwrap()
}

fn arguments(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap()
}

#[tokio::test]
async fn lists_what_is_offered_with_schema_and_hints() {
    let sandbox = sandbox(None).await;
    let client = client(toolbox(&sandbox, &SelectionWords::default(), Defaults::CoreReads)).await;
    let tools = client.list_all_tools().await.unwrap();
    let names: Vec<&str> = tools.iter().map(|tool| tool.name.as_ref()).collect();
    assert!(names.is_sorted(), "the order is the same on every call");
    let search = tools.iter().find(|tool| tool.name == "jitbit_search_tickets").unwrap();
    assert_eq!(search.input_schema["required"], json!(["query"]));
    assert_eq!(search.annotations.as_ref().unwrap().read_only_hint, Some(true));
    assert!(search.output_schema.is_none(), "clients throw away answers that miss a declared schema");
    let info = client.peer_info().unwrap();
    let instructions = info.instructions.as_ref().unwrap();
    assert!(instructions.contains("the server's administrator") && !instructions.contains("--"), "{instructions}");
}

#[tokio::test]
async fn answers_a_call_with_one_text_block() {
    let sandbox = sandbox(None).await;
    let client = client(toolbox(&sandbox, &SelectionWords::default(), Defaults::CoreReads)).await;
    let request =
        CallToolRequestParams::new("jitbit_search_tickets").with_arguments(arguments(&json!({"query": "printer"})));
    let result = client.call_tool(request).await.unwrap();
    assert_eq!(result.is_error, Some(false));
    assert!(result.structured_content.is_none());
    let answer: Value = serde_json::from_str(common::text(&result)).unwrap();
    assert!(answer["items"][0]["Subject"].is_string());
    assert_eq!(answer["page"]["has_more"], json!("unknown"), "fewer came than were asked for, which proves nothing");
    assert_eq!(sandbox.record()[0].query, "count=25&query=printer");
}

#[tokio::test]
async fn the_rest_of_a_cut_answer_is_read_by_its_cursor() {
    let body = json!({"Body": "x".repeat(90_000), "TicketID": 7});
    let script = json!([{"operation": "getTicket", "answer": {"status": 200, "body": body}}]);
    let sandbox = sandbox(Some(&script.to_string())).await;
    let client = client(toolbox(&sandbox, &SelectionWords::default(), Defaults::Reads)).await;
    let mut next = json!({"ticketId": 7});
    let mut length = 0;
    loop {
        let request = CallToolRequestParams::new("jitbit_get_ticket_record").with_arguments(arguments(&next));
        let result = client.call_tool(request).await.unwrap();
        assert!(common::text(&result).len() <= 40_000);
        let answer: Value = serde_json::from_str(common::text(&result)).unwrap();
        length += common::text(&result).matches('x').count();
        let Some(cursor) = answer["page"]["next_cursor"].as_str() else { break };
        next = json!({"cursor": cursor});
    }
    assert!((90_000..90_100).contains(&length), "{length}");
    assert_eq!(sandbox.record().len(), 1, "the vendor is asked once");
}

#[tokio::test]
async fn an_unknown_tool_is_an_invalid_request() {
    let sandbox = sandbox(None).await;
    let client = client(toolbox(&sandbox, &SelectionWords::default(), Defaults::CoreReads)).await;
    let error = client.call_tool(CallToolRequestParams::new("jitbit_search_ticket")).await.unwrap_err();
    let ServiceError::McpError(error) = error else { panic!("{error}") };
    assert_eq!(error.code, ErrorCode::INVALID_PARAMS);
    assert!(error.message.contains("did you mean `jitbit_search_tickets"), "{}", error.message);
}

#[tokio::test]
async fn a_refused_tool_sends_a_model_to_the_administrator() {
    let sandbox = sandbox(None).await;
    let client = client(toolbox(&sandbox, &SelectionWords::default(), Defaults::CoreReads)).await;
    let result = client.call_tool(CallToolRequestParams::new("jitbit_close_ticket")).await.unwrap();
    assert_eq!(result.is_error, Some(true));
    assert_eq!(
        common::text(&result),
        "`jitbit_close_ticket` is held back by this server's settings, nothing was sent: its effect is `write`\n\
         hint: the server's administrator decides what is offered; if the user needs this tool, \
         tell them to ask the administrator"
    );
    assert!(sandbox.record().is_empty());
}

#[tokio::test]
async fn cancelling_a_call_cancels_the_request_to_the_vendor() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let client = client(jitbit_at(&address, Duration::from_secs(60))).await;
    let request = ClientRequest::CallToolRequest(Request::new(CallToolRequestParams::new("jitbit_get_stats")));
    let handle = client.send_cancellable_request(request, PeerRequestOptions::no_options()).await.unwrap();
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut request = [0; 4096];
    assert!(stream.read(&mut request).await.unwrap() > 0);
    handle.cancel(Some("changed my mind".to_owned())).await.unwrap();
    let closed = tokio::time::timeout(Duration::from_secs(5), stream.read(&mut request)).await;
    assert_eq!(closed.expect("the request outlived the call").unwrap_or(0), 0);
}

#[tokio::test]
async fn calls_run_side_by_side() {
    let script = json!([{"operation": "getStats", "answer": {"status": 200, "body": {}, "delay_ms": 400}}]);
    let sandbox = sandbox(Some(&script.to_string())).await;
    let client = client(toolbox(&sandbox, &SelectionWords::default(), Defaults::CoreReads)).await;
    let slow = client.send_cancellable_request(
        ClientRequest::CallToolRequest(Request::new(CallToolRequestParams::new("jitbit_get_stats"))),
        PeerRequestOptions::no_options(),
    );
    let slow = slow.await.unwrap();
    let quick = client.call_tool(CallToolRequestParams::new("jitbit_list_priorities")).await.unwrap();
    assert_eq!(quick.is_error, Some(false));
    let answered = sandbox.record().iter().map(|r| r.operation.clone().unwrap()).collect::<Vec<_>>();
    assert!(answered.contains(&"listPriorities".to_owned()), "{answered:?}");
    let ServerResult::CallToolResult(slow) = slow.await_response().await.unwrap() else { panic!("another result") };
    assert_eq!(slow.is_error, Some(false));
}

/// A client that keeps the progress notifications.
#[derive(Clone, Default)]
struct Listener(Arc<Mutex<Vec<(f64, String)>>>);

impl ClientHandler for Listener {
    async fn on_progress(&self, params: ProgressNotificationParam, _: NotificationContext<RoleClient>) {
        self.0.lock().unwrap().push((params.progress, params.message.unwrap_or_default()));
    }
}

#[tokio::test]
async fn progress_names_what_the_call_waits_for() {
    let script = json!([{"operation": "getStats", "answer": {"status": 503, "body": "busy"}, "times": 2}]);
    let sandbox = sandbox(Some(&script.to_string())).await;
    let toolbox = toolbox(&sandbox, &SelectionWords::default(), Defaults::CoreReads);
    let (client_side, server_side) = tokio::io::duplex(1 << 20);
    tokio::spawn(async move { Box::pin(Server::new(toolbox).serve(server_side)).await.unwrap().waiting().await });
    let listener = Listener::default();
    let client = listener.clone().serve(client_side).await.unwrap();
    let result = client.call_tool(CallToolRequestParams::new("jitbit_get_stats")).await.unwrap();
    assert_eq!(result.is_error, Some(false));
    let received = listener.0.lock().unwrap().clone();
    let waits: Vec<&str> =
        received.iter().map(|(_, text)| text.as_str()).filter(|text| text.contains("follows")).collect();
    assert_eq!(waits.len(), 2, "{received:?}");
    assert!(waits[0].contains("the vendor answered 503; try 2 of 3 follows"), "{received:?}");
    assert!(received.is_sorted_by(|one, next| one.0 < next.0), "progress only grows: {received:?}");
}
