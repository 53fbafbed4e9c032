//! MCP beside the results of calls: pages of lists, errors, log messages, progress, instructions.

#![allow(deprecated, reason = "clients of the versions before 2026-07-28 still rely on MCP logging")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rmcp::model::{
    CallToolRequestParams, ErrorCode, LoggingLevel, LoggingMessageNotificationParam, PaginatedRequestParams,
    ProgressNotificationParam, SetLevelRequestParams,
};
use rmcp::service::{NotificationContext, RunningService, ServiceError};
use rmcp::{ClientHandler, RoleClient, ServiceExt as _};
use serde_json::{Value, json};
use toolwright::call::Toolbox;
use toolwright::server::Server;

use crate::common::{fixture, text};

/// A client that keeps the notifications.
#[derive(Clone, Default)]
struct Listener {
    logged: Arc<Mutex<Vec<(LoggingLevel, String)>>>,
    progress: Arc<Mutex<Vec<f64>>>,
}

impl ClientHandler for Listener {
    async fn on_logging_message(&self, message: LoggingMessageNotificationParam, _: NotificationContext<RoleClient>) {
        self.logged.lock().unwrap().push((message.level, message.data.to_string()));
    }

    async fn on_progress(&self, progress: ProgressNotificationParam, _: NotificationContext<RoleClient>) {
        self.progress.lock().unwrap().push(progress.progress);
    }
}

async fn client(toolbox: Toolbox) -> (RunningService<RoleClient, Listener>, Listener) {
    let (client_side, server_side) = tokio::io::duplex(1 << 20);
    tokio::spawn(async move { Box::pin(Server::new(toolbox).serve(server_side)).await.unwrap().waiting().await });
    let listener = Listener::default();
    (listener.clone().serve(client_side).await.unwrap(), listener)
}

fn code(error: ServiceError) -> (ErrorCode, String) {
    let ServiceError::McpError(error) = error else { panic!("{error}") };
    (error.code, error.message.into_owned())
}

/// Messages travel beside the answers and may come a little later.
async fn settled() {
    tokio::time::sleep(Duration::from_millis(50)).await;
}

#[tokio::test]
async fn a_long_list_comes_in_pages_in_the_same_order_each_time() {
    let (client, _) = client(fixture::many(2_001)).await;
    let mut runs = Vec::new();
    for _ in 0..2 {
        let (mut names, mut sizes, mut cursor) = (Vec::new(), Vec::new(), None);
        loop {
            let page = PaginatedRequestParams::default().with_cursor(cursor);
            let page = client.list_tools(Some(page)).await.unwrap();
            sizes.push(page.tools.len());
            names.extend(page.tools.into_iter().map(|tool| tool.name.into_owned()));
            cursor = page.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(sizes, [2_000, 1]);
        assert!(names.is_sorted() && names.len() == 2_001);
        names.dedup();
        assert_eq!(names.len(), 2_001, "no tool comes twice");
        runs.push(names);
    }
    assert_eq!(runs[0], runs[1]);
}

#[tokio::test]
async fn a_list_that_fits_is_one_page() {
    let (client, _) = client(fixture::many(250)).await;
    let page = client.list_tools(None).await.unwrap();
    assert_eq!((page.tools.len(), page.next_cursor), (250, None));
}

#[tokio::test]
async fn an_unknown_cursor_is_an_invalid_request() {
    let (client, _) = client(fixture::many(3)).await;
    // No base64; bytes that are no text; the name of no tool.
    for cursor in ["?", "_w", "bm9ib2R5"] {
        let page = PaginatedRequestParams::default().with_cursor(Some(cursor.to_owned()));
        let (code, message) = code(client.list_tools(Some(page)).await.unwrap_err());
        assert_eq!(code, ErrorCode::INVALID_PARAMS, "{cursor}");
        assert!(message.contains("unknown cursor"), "{message}");
    }
}

#[tokio::test]
async fn an_unknown_tool_is_an_invalid_request() {
    let (client, _) = client(fixture::conformance()).await;
    let (code, message) = code(client.call_tool(CallToolRequestParams::new("make_coffee")).await.unwrap_err());
    assert_eq!(code, ErrorCode::INVALID_PARAMS);
    assert!(message.contains("`make_coffee`"), "{message}");
}

#[tokio::test]
async fn an_argument_that_a_client_adds_for_itself_is_dropped_where_the_tool_has_none() {
    for (arguments, sent, expected) in [
        (&["id"][..], json!({"id": 7, "wait_for_previous": true}), Some(json!({"id": 7}))),
        (&["id", "wait_for_previous"], json!({"wait_for_previous": true}), Some(json!({"wait_for_previous": true}))),
        (&["id"], json!({"id": 7, "wait_for_next": true}), None),
    ] {
        let (client, _) = client(fixture::echoing(arguments)).await;
        let request = CallToolRequestParams::new(fixture::ECHO).with_arguments(sent.as_object().unwrap().clone());
        let result = client.call_tool(request).await.unwrap();
        let answer = serde_json::from_str::<Value>(text(&result)).ok().filter(|_| result.is_error == Some(false));
        assert_eq!(answer, expected, "{sent}: {}", text(&result));
    }
}

#[tokio::test]
async fn what_is_declared_is_answered() {
    let (client, _) = client(fixture::conformance()).await;
    let capabilities = client.peer_info().unwrap().capabilities.clone();
    assert!(capabilities.tools.is_some() && capabilities.prompts.is_some() && capabilities.resources.is_some());
    assert!(capabilities.completions.is_some() && capabilities.supports_skills());
    assert!(capabilities.resources.unwrap().subscribe.is_none(), "the list changes only with a restart");
    assert!(client.list_prompts(None).await.unwrap().prompts.is_empty(), "this vendor states none");
    assert!(!client.list_resources(None).await.unwrap().resources.is_empty());
    assert!(!client.list_resource_templates(None).await.unwrap().resource_templates.is_empty());
}

#[tokio::test]
async fn log_messages_start_at_the_level_that_was_set() {
    let (client, listener) = client(fixture::conformance()).await;
    let call = async |tool: &'static str| {
        client.call_tool(CallToolRequestParams::new(tool)).await.unwrap();
        settled().await;
        std::mem::take(&mut *listener.logged.lock().unwrap())
    };
    assert!(call("test_simple_text").await.is_empty(), "no level was set");
    for (level, expected) in [(LoggingLevel::Debug, 3), (LoggingLevel::Info, 1), (LoggingLevel::Warning, 0)] {
        client.set_level(SetLevelRequestParams::new(level)).await.unwrap();
        let logged = call("test_simple_text").await;
        assert_eq!(logged.len(), expected, "{level:?}: {logged:?}");
    }
    let failed = call("test_error_handling").await;
    assert!(matches!(failed.as_slice(), [(LoggingLevel::Warning, text)] if text.contains("not_sent")), "{failed:?}");
    client.set_level(SetLevelRequestParams::new(LoggingLevel::Emergency)).await.unwrap();
    assert!(call("test_error_handling").await.is_empty());
}

#[tokio::test]
async fn a_long_call_sends_progress() {
    // The SDK's client sends a progress token with every call.
    let (client, listener) = client(fixture::conformance()).await;
    client.call_tool(CallToolRequestParams::new("test_tool_with_progress")).await.unwrap();
    settled().await;
    let progress = listener.progress.lock().unwrap().clone();
    assert_eq!(progress.len(), 3, "beginning, one second, end: {progress:?}");
    assert!(progress.windows(2).all(|pair| pair[0] < pair[1]), "it only grows: {progress:?}");
}

#[cfg(feature = "jitbit")]
mod instructions {
    use super::*;
    use crate::common::{everything, jitbit_at, sandbox, toolbox};
    use toolwright::policy::{Defaults, SelectionWords};

    async fn instructions(toolbox: Toolbox) -> String {
        let (client, _) = client(toolbox).await;
        client.peer_info().unwrap().instructions.clone().unwrap()
    }

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[tokio::test]
    async fn are_short_and_name_who_can_offer_more() {
        let sandbox = sandbox(None).await;
        let writing = SelectionWords { methods: words(&["read", "write"]), ..SelectionWords::default() };
        let single = SelectionWords { tools: words(&["jitbit_get_ticket"]), ..SelectionWords::default() };
        let tagged = SelectionWords { tags: words(&["all"]), ..SelectionWords::default() };
        for words in [SelectionWords::default(), writing, single, tagged] {
            let text = instructions(toolbox(&sandbox, &words, Defaults::CoreReads)).await;
            assert!(text.chars().count() <= 1_500, "{words:?}: {}", text.chars().count());
            // A model can set no flags.
            assert!(text.contains("ask the server's administrator") && !text.contains("--"), "{words:?}: {text}");
            assert!(text.contains("Jitbit") && text.contains("never instructions"), "{words:?}: {text}");
        }
    }

    #[tokio::test]
    async fn do_not_speak_of_more_when_nothing_is_held_back() {
        let text = instructions(jitbit_at("http://127.0.0.1:9", Duration::from_secs(1))).await;
        assert!(!text.contains("ask the server's administrator"), "{:?}: {text}", everything());
        assert!(text.chars().count() <= 1_500);
    }
}
