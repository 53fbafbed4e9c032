//! The server over Streamable HTTP as programs, and pages that should not, meet it.

use std::net::SocketAddr;
use std::time::Duration;

use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use toolwright::server::Server;
use toolwright::server::http::HttpServer;

use crate::common::fixture::{SLOW, conformance, http_client};

const BOTH: &str = "application/json, text/event-stream";

struct Running {
    address: SocketAddr,
    stop: CancellationToken,
    serving: JoinHandle<std::io::Result<()>>,
}

async fn start() -> Running {
    let http = HttpServer::bind("127.0.0.1:0").await.unwrap();
    let (address, stop) = (http.address(), CancellationToken::new());
    let serving = tokio::spawn(http.serve(Server::new(conformance()), stop.clone()));
    Running { address, stop, serving }
}

impl Running {
    fn request(&self, method: Method) -> RequestBuilder {
        http_client().request(method, format!("http://{}/mcp", self.address)).header("accept", BOTH)
    }

    fn post(&self, message: &Value) -> RequestBuilder {
        self.request(Method::POST).json(message)
    }

    /// Opens a session and returns its id.
    async fn session(&self) -> String {
        let response = self.post(&initialize()).send().await.unwrap();
        assert_eq!(response.status(), 200);
        let id = response.headers()["mcp-session-id"].to_str().unwrap().to_owned();
        let opened = message(response).await;
        assert_eq!(opened["result"]["serverInfo"]["name"], "toolwright", "{opened}");
        let initialized = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
        let response = self.post(&initialized).header("mcp-session-id", &id).send().await.unwrap();
        assert_eq!(response.status(), 202);
        id
    }
}

fn initialize() -> Value {
    let client = json!({"name": "test", "version": "0"});
    let params = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client});
    json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params})
}

fn list() -> Value {
    json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"})
}

fn call(tool: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": {}}})
}

fn content_type(response: &Response) -> String {
    response.headers()["content-type"].to_str().unwrap().to_owned()
}

/// The last message of an answer, whether it came as JSON or as a stream of events.
async fn message(response: Response) -> Value {
    let stream = content_type(&response).starts_with("text/event-stream");
    let text = response.text().await.unwrap();
    if !stream {
        return serde_json::from_str(&text).unwrap();
    }
    let last = text.lines().filter_map(|line| line.strip_prefix("data:")).rfind(|data| !data.trim().is_empty());
    serde_json::from_str(last.unwrap()).unwrap()
}

#[tokio::test]
async fn a_request_that_stands_alone_is_answered_with_json() {
    let server = start().await;
    let response = server.post(&call("test_simple_text")).send().await.unwrap();
    assert_eq!((response.status(), content_type(&response).as_str()), (StatusCode::OK, "application/json"));
    assert!(!response.headers().contains_key("mcp-session-id"));
    assert_eq!(message(response).await["result"]["content"][0]["text"], r#"{"done":true}"#);
}

#[tokio::test]
async fn a_call_with_progress_is_answered_with_a_stream() {
    let server = start().await;
    let mut progressing = call("test_simple_text");
    progressing["params"]["_meta"] = json!({"progressToken": "p"});
    let response = server.post(&progressing).send().await.unwrap();
    assert_eq!(content_type(&response), "text/event-stream");
    let text = response.text().await.unwrap();
    assert!(text.contains("notifications/progress"), "{text}");
    assert!(text.contains(r#""result""#), "{text}");
}

#[tokio::test]
async fn a_client_must_accept_json_and_event_streams() {
    let server = start().await;
    for accept in ["text/html", "application/json"] {
        let request = http_client().post(format!("http://{}/mcp", server.address)).header("accept", accept);
        assert_eq!(request.json(&list()).send().await.unwrap().status(), 406, "{accept}");
    }
}

#[tokio::test]
async fn a_session_is_opened_used_and_closed() {
    let server = start().await;
    let id = server.session().await;
    let response = server.post(&list()).header("mcp-session-id", &id).send().await.unwrap();
    let listed = message(response).await;
    assert!(listed["result"]["tools"].as_array().unwrap().len() >= 12, "{listed}");
    let ended = server.request(Method::DELETE).header("mcp-session-id", &id).send().await.unwrap();
    assert_eq!(ended.status(), 204);
    let response = server.post(&list()).header("mcp-session-id", &id).send().await.unwrap();
    assert_eq!(response.status(), 404, "a session that ended is not found");
}

#[tokio::test]
async fn an_unknown_session_is_not_found() {
    let server = start().await;
    let response = server.post(&list()).header("mcp-session-id", "made-up").send().await.unwrap();
    assert_eq!(response.status(), 404);
}

#[tokio::test]
async fn sessions_have_log_levels_of_their_own() {
    let server = start().await;
    let (talkative, silent) = (server.session().await, server.session().await);
    let level = json!({"jsonrpc": "2.0", "id": 1, "method": "logging/setLevel", "params": {"level": "info"}});
    server.post(&level).header("mcp-session-id", &talkative).send().await.unwrap().text().await.unwrap();
    for (session, expected) in [(talkative, true), (silent, false)] {
        // What belongs to no request travels on the session's own stream.
        let stream = server.request(Method::GET).header("mcp-session-id", &session).send().await.unwrap();
        let response = server.post(&call("test_simple_text")).header("mcp-session-id", &session).send().await.unwrap();
        response.text().await.unwrap();
        server.request(Method::DELETE).header("mcp-session-id", &session).send().await.unwrap();
        let text = stream.text().await.unwrap();
        assert_eq!(text.contains("notifications/message"), expected, "{text}");
    }
}

#[tokio::test]
async fn pages_of_other_origins_are_refused() {
    let server = start().await;
    for (origin, expected) in [
        ("https://evil.example", 403),
        ("http://localhost.evil.example", 403),
        ("null", 403),
        ("http://localhost:6274", 200),
        ("http://127.0.0.1:3000", 200),
    ] {
        let response = server.post(&list()).header("origin", origin).send().await.unwrap();
        assert_eq!(response.status(), expected, "{origin}");
    }
}

#[tokio::test]
async fn names_that_are_not_this_host_are_refused() {
    let server = start().await;
    for (host, expected) in [("evil.example", 403), ("evil.example:80", 403), ("localhost", 200), ("127.0.0.1:1", 200)]
    {
        let response = server.post(&list()).header("host", host).send().await.unwrap();
        assert_eq!(response.status(), expected, "{host}");
    }
}

#[tokio::test]
async fn a_request_over_the_limit_is_refused() {
    let server = start().await;
    let session = server.session().await;
    let mut large = call("test_simple_text");
    large["params"]["arguments"] = json!({"x": "x".repeat(17 * 1024 * 1024)});
    let alone = server.post(&large).send().await.unwrap();
    assert_eq!(alone.status(), 413);
    let in_session = server.post(&large).header("mcp-session-id", session).send().await.unwrap();
    assert_eq!(in_session.status(), 413);
}

#[tokio::test]
async fn a_body_that_is_no_message_is_a_bad_request() {
    let server = start().await;
    let request = server.request(Method::POST).header("content-type", "application/json");
    assert!(request.body("{").send().await.unwrap().status().is_client_error());
    let request = server.request(Method::POST).header("content-type", "text/plain");
    assert_eq!(request.body(list().to_string()).send().await.unwrap().status(), 415);
}

#[tokio::test]
async fn health_checks_are_answered() {
    let server = start().await;
    let response = http_client().get(format!("http://{}/healthz", server.address)).send().await.unwrap();
    assert_eq!((response.status(), response.text().await.unwrap().as_str()), (StatusCode::OK, "ok\n"));
    let elsewhere = http_client().get(format!("http://{}/", server.address)).send().await.unwrap();
    assert_eq!(elsewhere.status(), 404);
}

#[tokio::test]
async fn metrics_count_the_calls_of_the_process() {
    let server = start().await;
    for tool in ["test_simple_text", "test_error_handling", "no_such_tool\"} 1"] {
        server.post(&call(tool)).send().await.unwrap();
    }
    let address = format!("http://{}/metrics", server.address);
    let response = http_client().get(&address).send().await.unwrap();
    assert!(content_type(&response).starts_with("application/openmetrics-text"), "{response:?}");
    let text = response.text().await.unwrap();
    for line in [
        r#"toolwright_calls_total{vendor="fixture",tool="test_simple_text",outcome="answered"} 1"#,
        r#"toolwright_calls_total{vendor="fixture",tool="test_error_handling",outcome="not_sent"} 1"#,
        // A name that a caller made up is no label.
        r#"toolwright_calls_total{vendor="",tool="",outcome="not_sent"} 1"#,
        r#"toolwright_errors_total{vendor="",kind="unknown_tool"} 1"#,
        r#"toolwright_upstream_seconds_count{vendor="fixture"} 2"#,
        "toolwright_calls_in_flight 0",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    for (name, value) in [("host", "rebound.example.com"), ("origin", "https://page.example.com")] {
        let refused = http_client().get(&address).header(name, value).send().await.unwrap();
        assert_eq!(refused.status(), StatusCode::FORBIDDEN, "{name}");
    }
}

#[tokio::test]
async fn addresses_off_the_loopback_are_refused() {
    for address in ["0.0.0.0:0", "192.0.2.1:8080", "[::]:0"] {
        let error = HttpServer::bind(address).await.unwrap_err().to_string();
        assert!(error.contains(address) && error.contains("reachable from other machines"), "{error}");
    }
    for address in ["", "example.com:80", "127.0.0.1", "127.0.0.1:70000"] {
        let error = HttpServer::bind(address).await.unwrap_err().to_string();
        assert!(error.contains("is no address"), "{address}: {error}");
    }
    for address in ["0", "localhost:0", "[::1]:0"] {
        // On a machine without IPv6 the error is the system's.
        if let Err(error) = HttpServer::bind(address).await {
            assert!(address == "[::1]:0" && error.to_string().contains("can't listen"), "{address}: {error}");
        }
    }
}

#[tokio::test]
async fn an_address_in_use_is_an_error() {
    let first = HttpServer::bind("127.0.0.1:0").await.unwrap();
    let error = HttpServer::bind(&first.address().to_string()).await.unwrap_err().to_string();
    assert!(error.contains("can't listen"), "{error}");
}

/// Stops the server while a slow call is in flight, and returns what became of the call.
async fn stopped_in_flight(server: Running, session: Option<&str>) -> Value {
    let mut request = server.post(&call("test_tool_with_progress"));
    if let Some(session) = session {
        request = request.header("mcp-session-id", session);
    }
    let in_flight = tokio::spawn(async move { message(request.send().await.unwrap()).await });
    tokio::time::sleep(SLOW / 4).await;
    server.stop.cancel();
    tokio::time::sleep(SLOW / 4).await;
    assert!(tokio::net::TcpStream::connect(server.address).await.is_err(), "nobody new is let in");
    let finished = in_flight.await.unwrap();
    tokio::time::timeout(Duration::from_secs(5), server.serving).await.expect("ends soon").unwrap().unwrap();
    finished
}

#[tokio::test]
async fn a_stop_lets_a_call_in_flight_finish() {
    let finished = stopped_in_flight(start().await, None).await;
    assert_eq!(finished["result"]["content"][0]["text"], r#"{"done":true}"#, "{finished}");
}

#[tokio::test]
async fn a_stop_lets_a_call_of_a_session_finish() {
    let server = start().await;
    let session = server.session().await;
    let finished = stopped_in_flight(server, Some(&session)).await;
    assert_eq!(finished["result"]["content"][0]["text"], r#"{"done":true}"#, "{finished}");
}

#[tokio::test]
async fn a_stop_does_not_wait_for_idle_sessions() {
    let server = start().await;
    let session = server.session().await;
    let stream = server.request(Method::GET).header("mcp-session-id", session).send().await.unwrap();
    assert_eq!(content_type(&stream), "text/event-stream");
    server.stop.cancel();
    let ended = tokio::time::timeout(Duration::from_secs(5), server.serving).await;
    ended.expect("an open stream without a call is no reason to stay").unwrap().unwrap();
}
