//! Spans of calls at a collector on this machine: what they name, how they belong together, and what is in none of them.

use std::process::Stdio;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

use crate::common::network::{call_lines, run, toolwright};

/// A request to the collector: its `authorization` and its body.
type Batch = (Option<String>, Bytes);

/// A collector that keeps what comes, and answers with a status.
struct Collector {
    url: String,
    batches: Arc<Mutex<Vec<Batch>>>,
}

impl Collector {
    async fn start(status: StatusCode) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let batches = Arc::<Mutex<Vec<Batch>>>::default();
        let keep = async move |State(batches): State<Arc<Mutex<Vec<Batch>>>>, headers: HeaderMap, body: Bytes| {
            let authorization = headers.get("authorization").map(|value| value.to_str().unwrap().to_owned());
            batches.lock().unwrap().push((authorization, body));
            status
        };
        let router = Router::new().route("/v1/traces", axum::routing::post(keep)).with_state(Arc::clone(&batches));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, batches }
    }

    fn take(&self) -> Vec<Batch> {
        std::mem::take(&mut self.batches.lock().unwrap())
    }
}

/// The fields of a message of protobuf: number and bytes; numbers are left out.
fn fields(mut bytes: &[u8]) -> Vec<(u64, &[u8])> {
    fn number(bytes: &mut &[u8]) -> u64 {
        let (mut value, mut shift) = (0, 0);
        loop {
            let byte = bytes[0];
            *bytes = &bytes[1..];
            value |= u64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 {
                return value;
            }
        }
    }
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let key = number(&mut bytes);
        let length = match key & 7 {
            0 => {
                number(&mut bytes);
                continue;
            }
            1 => 8,
            5 => 4,
            _ => usize::try_from(number(&mut bytes)).unwrap(),
        };
        let (field, rest) = bytes.split_at(length);
        bytes = rest;
        found.push((key >> 3, field));
    }
    found
}

/// The messages in a field of a message.
fn within(bytes: &[u8], wanted: u64) -> Vec<&[u8]> {
    fields(bytes).into_iter().filter(|(number, _)| *number == wanted).map(|(_, field)| field).collect()
}

/// A span, as far as it is looked at.
#[derive(Debug)]
struct Span {
    trace: Vec<u8>,
    id: Vec<u8>,
    parent: Vec<u8>,
    name: String,
}

/// The spans of a batch, as OTLP nests them: resource, scope, span.
fn spans(batch: &[u8]) -> Vec<Span> {
    let scopes = within(batch, 1).into_iter().flat_map(|resource| within(resource, 2));
    let spans = scopes.flat_map(|scope| within(scope, 2));
    let one = |span: &[u8], number| within(span, number).first().map(|bytes| bytes.to_vec()).unwrap_or_default();
    spans
        .map(|span| Span {
            trace: one(span, 1),
            id: one(span, 2),
            parent: one(span, 4),
            name: String::from_utf8(one(span, 5)).unwrap(),
        })
        .collect()
}

/// Serves on stdio while one call is made; returns answer and log.
async fn called(tool: &str, arguments: &Value, variables: &[(&str, &str)], flags: &[&str]) -> (String, String) {
    let mut server = toolwright(&[&["serve", "--sandbox", "--tags", "all"][..], flags].concat(), variables)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = server.stdin.take().unwrap();
    input.write_all(call_lines(tool, arguments).as_bytes()).await.unwrap();
    // The end of its input lets it finish and end.
    drop(input);
    let output = server.wait_with_output().await.unwrap();
    assert_eq!(output.status.code(), Some(0));
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr))
}

#[tokio::test]
async fn a_call_and_its_requests_are_one_trace_without_what_was_written() {
    let collector = Collector::start(StatusCode::OK).await;
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url.as_str()),
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20c0llector"),
        ("JITBIT_TOKEN", "t0ken-of-the-vendor"),
    ];
    let (answer, log) =
        called("jitbit_search_tickets", &json!({"query": "pl4nted words"}), &variables, &["--vendor", "jitbit"]).await;
    assert!(answer.contains("\"isError\":false"), "{answer}{log}");
    let batches = collector.take();
    let [(authorization, batch)] = batches.as_slice() else { panic!("{} batches: {log}", batches.len()) };
    assert_eq!(authorization.as_deref(), Some("Bearer c0llector"));
    let spans = spans(batch);
    let call = spans.iter().find(|span| span.name == "tools/call jitbit_search_tickets").unwrap();
    let request = spans.iter().find(|span| !span.name.starts_with("tools/call")).unwrap();
    assert!(call.parent.is_empty() && request.parent == call.id && request.trace == call.trace, "{spans:?}");
    let text = String::from_utf8_lossy(batch);
    for named in ["jitbit", "answered", "local", "toolwright", env!("CARGO_PKG_VERSION"), "http.response.status_code"] {
        assert!(text.contains(named), "{named} in {text}");
    }
    for planted in ["pl4nted", "t0ken-of-the-vendor", "c0llector", "127.0.0.1"] {
        assert!(!text.contains(planted), "{planted} in {text}");
    }
    assert!(!log.contains("c0llector") && !log.contains("tools/call"), "{log}");
}

#[tokio::test]
async fn a_name_that_a_caller_made_up_is_in_no_span() {
    let collector = Collector::start(StatusCode::OK).await;
    let variables = [("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", &*format!("{}/v1/traces", collector.url))];
    called("pl4nted_tool", &json!({}), &variables, &["--vendor", "jitbit"]).await;
    let batches = collector.take();
    let text = String::from_utf8_lossy(&batches[0].1);
    assert!(text.contains("unknown_tool") && !text.contains("pl4nted"), "{text}");
}

#[tokio::test]
async fn a_collector_that_is_not_there_holds_nothing_up() {
    let gone = Collector::start(StatusCode::SERVICE_UNAVAILABLE).await;
    for url in [gone.url.as_str(), "http://127.0.0.1:9"] {
        let variables = [("OTEL_EXPORTER_OTLP_ENDPOINT", url)];
        let (answer, log) = called("jitbit_get_stats", &json!({}), &variables, &["--vendor", "jitbit"]).await;
        assert!(answer.contains("\"isError\":false") && log.contains("the collector takes no traces"), "{answer}{log}");
    }
    // What is not encrypted goes to no address of the internet.
    for url in ["http://192.0.2.7:4318", "ftp://collector.example.com"] {
        let (code, _, error) = run(&["serve", "--sandbox"], &[("OTEL_EXPORTER_OTLP_ENDPOINT", url)]).await;
        assert!(code == Some(2) && error.contains("`OTEL_EXPORTER_OTLP_ENDPOINT`"), "{error}");
    }
}
