//! The server over Streamable HTTP as programs, and pages that should not, meet it.

#[cfg(all(unix, feature = "jitbit"))]
mod attacks;
mod bounds;
#[cfg(feature = "jitbit")]
mod callers;
#[cfg(any(feature = "jitbit", feature = "jsm"))]
mod encrypted;
mod forms;
#[cfg(feature = "jitbit")]
mod grants;
#[cfg(feature = "jitbit")]
mod heavy;
mod origins;
#[cfg(feature = "jitbit")]
mod turns;

use std::net::SocketAddr;
#[cfg(feature = "jitbit")]
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
#[cfg(feature = "jitbit")]
use toolwright::access::{Access, VendorTokens};
use toolwright::call::Toolbox;
use toolwright::server::Server;
use toolwright::server::http::{HttpServer, Origins};

use crate::common::fixture::{SLOW, conformance, http_client};

const BOTH: &str = "application/json, text/event-stream";
const LATEST: &str = "2025-11-25";

struct Running {
    address: SocketAddr,
    client: reqwest::Client,
    stop: CancellationToken,
    serving: JoinHandle<std::io::Result<()>>,
}

async fn start() -> Running {
    serve(conformance(), &[]).await
}

/// Serves a toolbox, to pages of these origins too.
async fn serve(toolbox: Toolbox, origins: &[&str]) -> Running {
    let origins: Vec<String> = origins.iter().map(|origin| (*origin).to_owned()).collect();
    let http = HttpServer::bind("127.0.0.1:0").await.unwrap().with_origins(Origins::parse(&origins).unwrap());
    run(http, toolbox)
}

/// Serves a toolbox to callers that bring a token of Jitbit, and to no others.
#[cfg(feature = "jitbit")]
async fn serve_tokens(toolbox: Toolbox) -> Running {
    let accounts = [("jitbit".to_owned(), "jitbit".to_owned())].into();
    let tokens = VendorTokens::new(toolbox.server_policy(), &accounts).unwrap();
    let access = Access::by(vec![Arc::new(tokens)], toolbox.own_grant());
    run(HttpServer::bind("127.0.0.1:0").await.unwrap().with_access(access), toolbox)
}

fn run(http: HttpServer, toolbox: Toolbox) -> Running {
    let (address, stop) = (http.address(), CancellationToken::new());
    let serving = tokio::spawn(http.serve(Server::new(toolbox), stop.clone()));
    Running { address, client: http_client(), stop, serving }
}

impl Running {
    fn request(&self, method: Method) -> RequestBuilder {
        self.client.request(method, format!("http://{}/mcp", self.address)).header("accept", BOTH)
    }

    fn post(&self, message: &Value) -> RequestBuilder {
        self.request(Method::POST).json(message)
    }

    /// Opens a session and returns its id.
    async fn session(&self) -> String {
        self.session_of(LATEST).await
    }

    /// Opens a session as a client of this version does.
    async fn session_of(&self, version: &str) -> String {
        let response = self.post(&initialize(version)).send().await.unwrap();
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

fn initialize(version: &str) -> Value {
    let client = json!({"name": "test", "version": "0"});
    let params = json!({"protocolVersion": version, "capabilities": {}, "clientInfo": client});
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

#[cfg(feature = "jitbit")]
#[tokio::test]
async fn what_is_kept_for_one_caller_is_returned_to_no_other() {
    use crate::common;
    use toolwright::policy::{Defaults, SelectionWords};

    let body = json!({"Body": "x".repeat(90_000), "TicketID": 7});
    let script = json!([{"operation": "getTicket", "answer": {"status": 200, "body": body}}]);
    let sandbox = common::sandbox(Some(&script.to_string())).await;
    let words = SelectionWords { tags: vec!["tickets".to_owned()], ..SelectionWords::default() };
    let offered = || common::toolbox(&sandbox, &words, Defaults::CoreReads);
    let (open, tokens) = (serve(offered(), &[]).await, serve_tokens(offered()).await);
    let session = async || (&open, "mcp-session-id", open.session().await);
    let token = |token: &str| (&tokens, "authorization", format!("Bearer {token}"));
    let nobody = (&open, "user-agent", "test".to_owned());
    let ask = async |(server, name, value): &(&Running, &str, String), arguments: Value| {
        let mut call = call("jitbit_get_ticket_record");
        call["params"]["arguments"] = arguments;
        let answer = message(server.post(&call).header(*name, value).send().await.unwrap()).await;
        let text = answer["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{answer}"));
        serde_json::from_str::<Value>(text).unwrap()
    };
    for (mine, others) in [
        (session().await, vec![session().await, nobody.clone()]),
        (token("a"), vec![token("b"), token("A"), token("a.")]),
        (nobody, vec![session().await]),
    ] {
        let first = ask(&mine, json!({"ticketId": 7})).await;
        let rest = json!({"cursor": first["page"]["next_cursor"]});
        let asked = sandbox.record().len();
        let kept = ask(&mine, rest.clone()).await;
        assert_eq!(sandbox.record().len(), asked, "{mine:?}: it was kept", mine = mine.2);
        for (number, other) in others.iter().enumerate() {
            let fetched = ask(other, rest.clone()).await;
            assert_eq!(sandbox.record().len(), asked + number + 1, "{}: the vendor is asked again", other.2);
            assert_eq!(fetched["Body"], kept["Body"], "{}", other.2);
        }
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
    let answer = message(response).await;
    assert_eq!((&answer["id"], &answer["error"]["code"]), (&json!(1), &json!(-32600)), "{answer}");
    let response = server.post(&list()).header("mcp-protocol-version", "1999-01-01").send().await.unwrap();
    assert_eq!(response.status(), 400);
    assert_eq!(message(response).await["id"], 1);
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
    assert_eq!(
        (elsewhere.status(), elsewhere.text().await.unwrap().as_str()),
        (StatusCode::NOT_FOUND, "MCP is at /mcp\n")
    );
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
        r#"toolwright_calls_total{vendor="fixture",tool="test_simple_text",caller="local",outcome="answered"} 1"#,
        r#"toolwright_calls_total{vendor="fixture",tool="test_error_handling",caller="local",outcome="not_sent"} 1"#,
        // A name that a caller made up is no label.
        r#"toolwright_calls_total{vendor="",tool="",caller="local",outcome="not_sent"} 1"#,
        r#"toolwright_errors_total{vendor="",kind="unknown_tool"} 1"#,
        r#"toolwright_upstream_seconds_count{vendor="fixture"} 2"#,
        "toolwright_calls_in_flight 0",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    for (name, value) in [
        ("host", "rebound.example.com"),
        ("origin", "https://page.example.com"),
        ("x-forwarded-for", "192.0.2.7"),
        ("x-forwarded-proto", "https"),
        ("forwarded", "for=192.0.2.7"),
        ("via", "1.1 proxy"),
    ] {
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
    assert!(TcpStream::connect(server.address).await.is_err(), "nobody new is let in");
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
