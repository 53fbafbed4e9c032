//! Answers that are a lot of work: other callers are answered meanwhile, and what the model gets is bounded.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Running, call, message, serve};
use crate::common;

/// How long `/healthz` may take while an answer is worked on.
const ANSWERED_WITHIN: Duration = Duration::from_millis(100);
/// How often it has to be answered during a call, of which each asks every few milliseconds: a thread that works on the
/// answer itself would answer once, after the work.
const LEAST_ANSWERS: usize = 10;

/// A vendor in threads of its own, which answers every request with this.
fn vendor(content_type: &str, body: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n", body.len());
    let answer = Arc::new(format!("{head}Connection: close\r\n\r\n{body}"));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let answer = Arc::clone(&answer);
            std::thread::spawn(move || {
                let mut request = [0; 8_192];
                let _ = stream.read(&mut request);
                let _ = stream.write_all(answer.as_bytes());
            });
        }
    });
    address
}

/// How long the server takes for one `/healthz`.
fn healthz(address: SocketAddr) -> Duration {
    let started = Instant::now();
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .write_all(format!("GET /healthz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").as_bytes())
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with("ok\n"), "{answer}");
    started.elapsed()
}

/// Asks for `/healthz` again and again, from a thread of its own, until the call is answered; returns how long each took.
async fn while_others_ask(server: &Running, request: &Value) -> (Value, Vec<Duration>) {
    let (address, done) = (server.address, Arc::new(AtomicBool::new(false)));
    let ends = Arc::clone(&done);
    let asking = std::thread::spawn(move || {
        let mut times = Vec::new();
        while !ends.load(Ordering::Relaxed) {
            times.push(healthz(address));
            std::thread::sleep(Duration::from_millis(2));
        }
        times
    });
    let answer = message(server.post(request).send().await.unwrap()).await;
    done.store(true, Ordering::Relaxed);
    (answer, tokio::task::spawn_blocking(move || asking.join().unwrap()).await.unwrap())
}

/// A table of one wide row and many empty ones.
fn table(cells: usize, rows: usize) -> String {
    let cells = vec![r#"{"type":"tableCell","content":[]}"#; cells].join(",");
    let rows = vec![r#"{"type":"tableRow","content":[]}"#; rows].join(",");
    format!(
        r#"{{"id":"1","key":"A-1","fields":{{"description":{{"type":"doc","version":1,"content":[{{"type":"table","content":[{{"type":"tableRow","content":[{cells}]}},{rows}]}}]}}}}}}"#
    )
}

/// Objects inside of each other, with much in the innermost.
fn deep(depth: usize, bytes: usize) -> String {
    let items = vec![r#"{"name":"https://evil.example/?a=1 text"}"#; bytes / 40].join(",");
    format!("{}[{items}]{}", "{\"id\":7,\"a\":".repeat(depth), "}".repeat(depth))
}

#[tokio::test]
async fn others_are_answered_while_an_answer_is_worked_on() {
    let html =
        format!(r#"{{"TicketID":7,"Body":"{}"}}"#, "<div><b>a</b> <a href='http://x.example/?q'>b</a>".repeat(30_000));
    let parts = format!(
        "{}--b--",
        format!("--b\r\nContent-Type: text/plain\r\n\r\n{}\r\n", "http://x.example/?a ".repeat(200)).repeat(300)
    );
    for (name, vendor_id, tool, arguments, content_type, body) in [
        #[cfg(feature = "jsm")]
        (
            "table",
            "jsm",
            "jsm_get_issue",
            json!({"issueIdOrKey": "A-1", "detail": "full"}),
            "application/json",
            table(20_000, 19_000),
        ),
        #[cfg(feature = "jsm")]
        (
            "deep",
            "jsm",
            "jsm_get_issue",
            json!({"issueIdOrKey": "A-1", "detail": "full"}),
            "application/json",
            deep(118, 1_500_000),
        ),
        (
            "html",
            "jitbit",
            "jitbit_get_ticket_record",
            json!({"ticketId": 7, "detail": "full"}),
            "application/json",
            html,
        ),
        ("parts", "jitbit", "jitbit_get_ticket_record", json!({"ticketId": 7}), "multipart/mixed; boundary=b", parts),
    ] {
        let server = serve(common::vendor_at(vendor_id, &vendor(content_type, &body)), &[]).await;
        let mut request = call(tool);
        request["params"]["arguments"] = arguments;
        // Other programs share the machine: what the server itself does slowly is slow each time.
        let mut best = Duration::MAX;
        for _ in 0..3 {
            let (answer, times) = while_others_ask(&server, &request).await;
            assert_eq!(answer["result"]["isError"], json!(false), "{name}: {answer}");
            let text = answer.to_string();
            assert!(text.len() < 90_000, "{name}: {} bytes", text.len());
            assert!(times.len() >= LEAST_ANSWERS, "{name}: {times:?}");
            best = best.min(times.into_iter().max().unwrap_or_default());
            if best <= ANSWERED_WITHIN {
                break;
            }
        }
        assert!(best <= ANSWERED_WITHIN, "{name}: {best:?}");
    }
}
