//! What callers can use up: each test is one thing of which a caller takes as much as it can.

use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{LATEST, Running, call, initialize, list, message, start};
use crate::common::fixture::ECHO;

/// Sends a head, and no body, and returns the status of the answer.
async fn status_of_head(server: &Running, headers: &str) -> String {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let head = format!("POST /mcp HTTP/1.1\r\n{headers}Content-Length: 16000000\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer[9..]).into_owned()
}

#[tokio::test]
async fn what_is_refused_by_its_head_is_not_read() {
    let server = start().await;
    let json = "Content-Type: application/json\r\n";
    for (headers, expected) in [
        (format!("Host: evil.example\r\n{json}"), "403"),
        (format!("Host: localhost\r\nOrigin: https://evil.example\r\n{json}"), "403"),
        (format!("Host: localhost\r\nOrigin: null\r\n{json}"), "403"),
        (format!("Host: localhost\r\nAccept: text/html\r\n{json}"), "406"),
        ("Host: localhost\r\nContent-Type: text/plain\r\n".to_owned(), "415"),
        ("Host: localhost\r\n".to_owned(), "415"),
    ] {
        assert_eq!(status_of_head(&server, &headers).await, expected, "{headers}");
    }
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let head = format!("POST /mcp HTTP/1.1\r\nHost: localhost\r\n{json}Content-Length: 99000000\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer[9..], b"413");
}

/// Sends the head of a request that is refused, with a body of so many bytes of which these come later, and then another
/// request. Returns the head of the refusal, and the status of the other answer.
async fn refused_early(server: &Running, length: usize, later: &[u8]) -> (String, String) {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let head = format!("POST /mcp HTTP/1.1\r\nHost: evil.example\r\nContent-Length: {length}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(20)).await;
    stream.write_all(later).await.unwrap();
    let mut answer = vec![0; 2_000];
    let read = stream.read(&mut answer).await.unwrap();
    let refusal = String::from_utf8_lossy(&answer[..read]).to_lowercase();
    // What follows may fail, or end before an answer.
    let _ = stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    let mut status = [0; 12];
    let status = stream.read_exact(&mut status).await.map_or_else(|_| String::new(), |_| text_of(&status));
    (refusal, status)
}

fn text_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[tokio::test]
async fn a_connection_goes_on_after_a_refusal_or_the_client_is_told_that_it_ends() {
    let server = start().await;
    // Its body is in a packet of its own, as many clients send it.
    let (refusal, next) = refused_early(&server, 20, &[b'x'; 20]).await;
    assert!(refusal.starts_with("http/1.1 403") && !refusal.contains("connection: close"), "{refusal}");
    assert_eq!(next, "HTTP/1.1 200");
    for (length, later) in [(20, 7), (16_000_000, 7), (16_000_000, 0)] {
        let (refusal, next) = refused_early(&server, length, &[b'x'; 7][..later]).await;
        assert!(refusal.starts_with("http/1.1 403") && refusal.contains("connection: close"), "{length}: {refusal}");
        assert_eq!(next, "", "{length}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_sends_half_of_a_request_is_not_waited_for() {
    let server = start().await;
    for (sent, expected) in [
        ("", ""),
        ("POST /mcp HTTP/1.1\r\nHost: loc", ""),
        ("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP/1.1 200"),
        (
            "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{",
            "HTTP/1.1 408",
        ),
    ] {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(sent.as_bytes()).await.unwrap();
        let mut answer = String::new();
        // To the end of the connection, in the time of the test.
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with(expected), "{sent}: {answer}");
    }
}

#[tokio::test]
async fn a_name_of_megabytes_is_answered_at_once() {
    let server = start().await;
    let started = Instant::now();
    let answer = message(server.post(&call(&"x_".repeat(1_000_000))).send().await.unwrap()).await;
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    assert_eq!(answer["error"]["code"], -32602);
    assert!(answer.to_string().len() < 1_000, "{}", answer.to_string().len());
    let mut named = call("test_simple_text");
    named["params"]["arguments"] = json!({"x_".repeat(500_000): 1, "y".repeat(500_000): "z".repeat(500_000)});
    let answer = message(server.post(&named).send().await.unwrap()).await;
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    assert_eq!(answer["result"]["isError"], true);
    assert!(answer.to_string().len() < 10_000, "{}", answer.to_string().len());
}

#[tokio::test]
async fn large_arguments_reach_their_tool() {
    let server = super::serve(crate::common::fixture::echoing(&["text"]), &[]).await;
    let session = server.session().await;
    let mut large = call(ECHO);
    large["params"]["arguments"] = json!({"text": "x".repeat(600_000)});
    for session in [None, Some(session)] {
        let mut request = server.post(&large);
        if let Some(session) = session {
            request = request.header("mcp-session-id", session);
        }
        let answer = message(request.send().await.unwrap()).await;
        let text = answer["result"]["content"][0]["text"].as_str().unwrap();
        assert!(text.starts_with(r#"{"page""#) || text.starts_with(r#"{"text":"xxx"#), "{}", &text[..100]);
        assert!(text.matches('x').count() > 10_000);
    }
}

#[tokio::test]
async fn a_message_has_a_bounded_number_of_values() {
    let server = start().await;
    let mut many = call("test_simple_text");
    many["params"]["arguments"] = json!({"x": vec![[1]; 60_000]});
    let response = server.post(&many).send().await.unwrap();
    assert_eq!(response.status(), 400);
    let answer = message(response).await;
    assert_eq!((&answer["id"], &answer["error"]["code"]), (&json!(1), &json!(-32600)), "{answer}");
}

#[tokio::test]
async fn a_body_that_is_no_json_gets_an_error_of_the_protocol() {
    let server = start().await;
    for (body, id) in
        [("{", Value::Null), ("no JSON", Value::Null), (r#"{"method":"x","params":NaN,"id":5}"#, json!(5))]
    {
        let request = server.request(Method::POST).header("content-type", "application/json");
        let response = request.body(body).send().await.unwrap();
        assert_eq!(response.status(), 400, "{body}");
        let answer = message(response).await;
        assert_eq!((&answer["id"], &answer["error"]["code"]), (&id, &json!(-32700)), "{body}: {answer}");
    }
}

#[tokio::test]
async fn an_id_that_is_in_use_is_refused_and_the_first_request_answered() {
    let server = start().await;
    let session = server.session().await;
    let ask = |tool: &str| server.post(&call(tool)).header("mcp-session-id", &session).send();
    let (first, second) = tokio::join!(ask("test_tool_with_progress"), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        ask("test_simple_text").await
    });
    let (first, second) = (message(first.unwrap()).await, message(second.unwrap()).await);
    assert!(first["result"].is_object(), "{first}");
    assert_eq!(second["error"]["code"], -32600, "{second}");
    assert!(message(ask("test_simple_text").await.unwrap()).await["result"].is_object(), "the id is free again");
}

#[tokio::test]
async fn a_session_that_was_put_to_sleep_is_as_it_was() {
    let server = start().await;
    let (first, busy) = (server.session().await, server.session().await);
    let level = json!({"jsonrpc": "2.0", "id": 1, "method": "logging/setLevel", "params": {"level": "info"}});
    server.post(&level).header("mcp-session-id", &first).send().await.unwrap().text().await.unwrap();
    let slow = server.post(&call("test_tool_with_progress")).header("mcp-session-id", &busy).send();
    let (slow, ()) = tokio::join!(async { message(slow.await.unwrap()).await }, async {
        // More than are awake.
        for _ in 0..300 {
            let opened = server.post(&initialize(LATEST)).send().await.unwrap();
            assert_eq!(opened.status(), StatusCode::OK);
        }
    });
    assert!(slow["result"].is_object(), "a session with a call in flight is not put to sleep: {slow}");
    let stream = server.request(Method::GET).header("mcp-session-id", &first).send().await.unwrap();
    assert_eq!(stream.status(), 200);
    let answer = server.post(&call("test_simple_text")).header("mcp-session-id", &first).send().await.unwrap();
    assert!(message(answer).await["result"].is_object());
    let ended = server.request(Method::DELETE).header("mcp-session-id", &first).send().await.unwrap();
    assert_eq!(ended.status(), 204);
    let text = stream.text().await.unwrap();
    assert!(text.contains("notifications/message"), "its log level was kept: {text}");
    let response = server.post(&list()).header("mcp-session-id", &first).send().await.unwrap();
    assert_eq!(response.status(), 404, "a session that was closed does not wake up");
}

#[cfg(feature = "jitbit")]
#[tokio::test]
async fn the_record_names_clients_without_a_session_as_they_name_themselves() {
    use crate::common;
    use toolwright::audit::Audit;
    use toolwright::policy::{Defaults, SelectionWords};

    let path = std::env::temp_dir().join(format!("toolwright-names-{}.jsonl", std::process::id()));
    let sandbox = common::sandbox(None).await;
    let toolbox = common::toolbox(&sandbox, &SelectionWords::default(), Defaults::CoreReads);
    let server = super::serve(toolbox.with_record(Some(Audit::open(&path).unwrap())), &[]).await;
    let mut stated = call("jitbit_list_priorities");
    stated["params"]["_meta"] = json!({"io.modelcontextprotocol/clientInfo": {"name": "stated\n", "version": "7"}});
    server.post(&stated).send().await.unwrap();
    server.post(&call("jitbit_list_priorities")).header("user-agent", "agent/8").send().await.unwrap();
    let session = server.session().await;
    server
        .post(&call("jitbit_list_priorities"))
        .header("mcp-session-id", session)
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let clients: Vec<Value> =
        text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["client"].clone()).collect();
    assert_eq!(clients, [json!("stated  7"), json!("agent/8"), json!("test 0")]);
}
