//! The forms of requests and answers over HTTP: what a client accepts, the events of older versions, and requests that are
//! written in other ways than the protocol's own.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{LATEST, Running, call, content_type, initialize, list, message, start};
use crate::common::fixture::http_client;

/// What a client of the server gets that writes its requests by itself.
async fn raw(server: &Running, headers: &str, message: &Value) -> (u16, String) {
    let body = message.to_string();
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let head = format!("POST /mcp HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}");
    let request = format!("{head}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (status, answer.split_once("\r\n\r\n").unwrap().1.to_owned())
}

#[tokio::test]
async fn a_client_that_names_no_stream_gets_json() {
    let server = start().await;
    let mut progressing = call("test_simple_text");
    progressing["params"]["_meta"] = json!({"progressToken": "p"});
    for accept in ["", "Accept: */*\r\n", "Accept: application/json\r\n", "Accept: text/html, application/*;q=0.2\r\n"]
    {
        for message in [list(), progressing.clone(), initialize("2025-06-18"), initialize(LATEST)] {
            let (status, body) = raw(&server, accept, &message).await;
            let answer: Value = serde_json::from_str(&body).unwrap_or_else(|error| panic!("{accept}{error}: {body}"));
            assert_eq!((status, &answer["id"]), (200, &message["id"]), "{accept}{message}");
            assert!(answer["result"].is_object(), "{answer}");
        }
        for version in ["2025-06-18", LATEST] {
            let session = format!("{accept}Mcp-Session-Id: {}\r\n", server.session_of(version).await);
            let (status, body) = raw(&server, &session, &progressing).await;
            let answer: Value = serde_json::from_str(&body).unwrap_or_else(|error| panic!("{session}{error}: {body}"));
            assert_eq!(
                (status, &answer["result"]["content"][0]["text"]),
                (200, &json!(r#"{"done":true}"#)),
                "{session}"
            );
        }
    }
}

#[tokio::test]
async fn a_client_that_names_only_streams_gets_one() {
    let server = start().await;
    let request = http_client().post(format!("http://{}/mcp", server.address)).header("accept", "text/event-stream");
    let response = request.json(&list()).send().await.unwrap();
    assert_eq!((response.status(), content_type(&response).as_str()), (StatusCode::OK, "text/event-stream"));
    assert!(message(response).await["result"]["tools"].is_array());
}

#[tokio::test]
async fn a_client_that_accepts_other_forms_only_is_refused() {
    let server = start().await;
    for accept in ["text/html", "application/json;q=0, text/event-stream;q=0"] {
        let request = http_client().post(format!("http://{}/mcp", server.address)).header("accept", accept);
        assert_eq!(request.json(&list()).send().await.unwrap().status(), 406, "{accept}");
    }
}

/// Returns whether an event of a stream has no data, which clients of older versions take for a broken message.
fn has_empty_event(stream: &str) -> bool {
    stream.lines().filter_map(|line| line.strip_prefix("data:")).any(|data| data.trim().is_empty())
}

#[tokio::test]
async fn only_clients_of_newer_versions_get_an_event_without_data() {
    let server = start().await;
    for (version, primed) in
        [("2024-11-05", false), ("2025-03-26", false), ("2025-06-18", false), (LATEST, true), ("2026-07-28", true)]
    {
        let opened = server.post(&initialize(version)).send().await.unwrap();
        assert_eq!(has_empty_event(&opened.text().await.unwrap()), primed, "{version}, initialize");
        // As some clients, without the header that repeats the version.
        let session = server.session_of(version).await;
        let stream = server.request(Method::GET).header("mcp-session-id", &session).send().await.unwrap();
        for asked in [list(), call("test_simple_text"), call("test_tool_with_progress")] {
            let answer = server.post(&asked).header("mcp-session-id", &session).send().await.unwrap();
            let answer = answer.text().await.unwrap();
            assert_eq!(has_empty_event(&answer), primed, "{version}: {answer}");
            assert!(answer.contains(r#""result""#), "{version}: {answer}");
        }
        let ended = server.request(Method::DELETE).header("mcp-session-id", &session).send().await.unwrap();
        assert_eq!(ended.status(), 204, "{version}");
        assert_eq!(has_empty_event(&stream.text().await.unwrap()), primed, "{version}, the session's own stream");
    }
}

#[tokio::test]
async fn a_request_that_can_not_be_read_is_answered_with_its_id() {
    let server = start().await;
    for (text, status, id, code) in [
        (
            r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"test_simple_text","arguments":"{"}}"#,
            200,
            json!(7),
            -32602,
        ),
        (r#"{"jsonrpc":"2.0","id":"a","method":"tools/call","params":{"arguments":{}}}"#, 200, json!("a"), -32602),
        (r#"{"jsonrpc":"2.0","id":8,"method":"tools/list","params":["x"]}"#, 200, json!(8), -32602),
        (r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#, 400, json!(1.5), -32600),
        (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, 400, Value::Null, -32600),
        (r#"{"jsonrpc":"1.0","id":10,"method":"ping"}"#, 400, json!(10), -32600),
        (r#"{"jsonrpc":"2.0","id":11}"#, 400, json!(11), -32600),
        (r#"{"jsonrpc":"2.0","id":12,"method":"tools/call","params":{"name":"x",}}"#, 400, json!(12), -32700),
        (r#"{"jsonrpc":"2.0","id":13,"method":"tools/ca"#, 400, json!(13), -32700),
    ] {
        for session in [None, Some(server.session().await)] {
            let mut request = server.request(Method::POST).header("content-type", "application/json");
            if let Some(session) = session {
                request = request.header("mcp-session-id", session);
            }
            let response = request.body(text).send().await.unwrap();
            assert_eq!(response.status(), status, "{text}");
            let answer = message(response).await;
            assert_eq!((&answer["id"], &answer["error"]["code"]), (&id, &json!(code)), "{text}: {answer}");
        }
    }
    let batch = json!([list(), {"jsonrpc": "2.0", "method": "notifications/initialized"}, {"jsonrpc": "2.0", "id": "b", "method": "ping"}]);
    let answers = message(server.post(&batch).send().await.unwrap()).await;
    assert_eq!((&answers[0]["id"], &answers[1]["id"], &answers[2]), (&json!(1), &json!("b"), &Value::Null));
}

#[tokio::test]
async fn a_method_that_a_version_has_removed_is_not_found() {
    let server = start().await;
    let version = "2026-07-28";
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": version,
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "0"},
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    for method in ["initialize", "ping", "logging/setLevel", "no/such/method"] {
        let asked = json!({"jsonrpc": "2.0", "id": method, "method": method, "params": {"_meta": meta}});
        let request = server.post(&asked).header("mcp-protocol-version", version).header("mcp-method", method);
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 404, "{method}");
        let answer = message(response).await;
        assert_eq!((&answer["id"], &answer["error"]["code"]), (&json!(method), &json!(-32601)), "{answer}");
    }
}

#[tokio::test]
async fn other_ways_to_write_parameters_are_understood() {
    let server = start().await;
    for session in [None, Some(server.session().await)] {
        for (method, params) in [
            ("tools/list", json!([])),
            ("tools/list", Value::Null),
            ("tools/list", json!("")),
            ("tools/list", json!({"cursor": null})),
            ("tools/list", json!({"cursor": ""})),
            ("tools/call", json!({"name": "test_simple_text", "arguments": "{}"})),
            ("tools/call", json!({"name": "test_simple_text", "arguments": []})),
            ("tools/call", json!({"name": "test_simple_text", "arguments": null})),
            ("tools/call", json!({"name": "json_schema_2020_12_tool", "arguments": r#"{"email": "a@b.example"}"#})),
            ("tools/call", json!(r#"{"name": "test_simple_text"}"#)),
        ] {
            let mut request = server.post(&json!({"jsonrpc": "2.0", "id": 3, "method": method, "params": params}));
            if let Some(session) = &session {
                request = request.header("mcp-session-id", session);
            }
            let answer = message(request.send().await.unwrap()).await;
            let result = &answer["result"];
            assert!(result["tools"].is_array() || result["isError"] == false, "{method} {params}: {answer}");
            assert_eq!(answer["id"], 3);
        }
    }
}
