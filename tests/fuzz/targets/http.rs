//! A request to the server over HTTP → an HTTP error, or the MCP message that answers it; the server goes on.
//!
//! ```text
//! POST /mcp
//! Host: localhost
//! Mcp-Session-Id: {session}
//!
//! {"jsonrpc": "2.0", "id": 1, "method": "ping"}
//! ```
//!
//! The length is added. After a first line `RAW` everything is sent as it is.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use toolwright::server::Server;
use toolwright::server::http::HttpServer;

use super::{Target, block_on, first_line};
use crate::fuzz::vendor;

pub(super) const TARGET: Target = Target {
    name: "http",
    changes: 150,
    words: &[
        "POST /mcp",
        "GET /mcp",
        "DELETE /mcp",
        "OPTIONS /mcp",
        "HEAD /mcp",
        "/healthz",
        "/metrics",
        "RAW",
        "Host: localhost",
        "Host: evil.example",
        "Origin: https://evil.example",
        "Origin: null",
        "Accept: application/json",
        "Accept: text/event-stream",
        "Accept: */*;q=0",
        "Content-Type: application/json",
        "Content-Type: text/plain",
        "Mcp-Session-Id: {session}",
        "Mcp-Session-Id: x",
        "MCP-Protocol-Version: 2026-07-28",
        "Last-Event-Id: 1",
        "Transfer-Encoding: chunked",
        "Content-Length: 5",
        "Expect: 100-continue",
        "?organizationID=x",
        "%00",
        "jsonrpc",
        "2.0",
        "id",
        "method",
        "params",
        "arguments",
        "initialize",
        "ping",
        "tools/call",
        "tools/list",
        "server/discover",
        "notifications/cancelled",
        "notifications/initialized",
        "logging/setLevel",
        "protocolVersion",
        "2025-11-25",
        "2025-03-26",
        "2026-07-28",
        "_meta",
        "progressToken",
        "cursor",
        "requestId",
        "clientInfo",
        "capabilities",
        "name",
        "jitbit_get_ticket",
        "\\ud800",
        "result",
        "error",
    ],
    check,
};

/// The longest time for an answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// A server knows 4,096 sessions for hours and then forgets the oldest: it is replaced before its first can be among them.
const INPUTS: usize = 2_000;
/// The headers that the harness writes.
const OWN_HEADERS: [&[u8]; 4] = [b"content-length", b"transfer-encoding", b"connection", b"expect"];

struct Site {
    address: SocketAddr,
    stop: CancellationToken,
    session: String,
    inputs: usize,
}

impl Drop for Site {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Site {
    async fn new() -> Self {
        let http = HttpServer::bind("127.0.0.1:0").await.unwrap();
        let (address, stop) = (http.address(), CancellationToken::new());
        tokio::spawn(http.serve(Server::new(vendor::toolbox()), stop.clone()));
        let mut site = Self { address, stop, session: String::new(), inputs: 0 };
        let client = json!({"name": "test", "version": "0"});
        let params = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client});
        let opens = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params});
        let head =
            "POST /mcp\nHost: localhost\nAccept: application/json, text/event-stream\nContent-Type: application/json";
        let answer = site.exchange(&site.written(format!("{head}\n\n{opens}").as_bytes()), false).await;
        let session = answer.headers.iter().find(|(name, _)| name == "mcp-session-id").expect("a session is opened");
        site.session = String::from_utf8(session.1.clone()).unwrap();
        site
    }

    /// The bytes of a request.
    fn written(&self, input: &[u8]) -> Vec<u8> {
        let (head, body) = vendor::head_and_body(input);
        let mut lines = head.split(|byte| *byte == b'\n');
        let mut bytes = lines.next().unwrap_or_default().trim_ascii().to_vec();
        bytes.extend_from_slice(b" HTTP/1.1\r\n");
        for line in lines {
            let name = line.split(|byte| *byte == b':').next().unwrap_or_default().trim_ascii().to_ascii_lowercase();
            if !OWN_HEADERS.contains(&name.as_slice()) {
                bytes.extend_from_slice(line);
                bytes.extend_from_slice(b"\r\n");
            }
        }
        bytes.extend_from_slice(format!("Connection: close\r\nContent-Length: {}\r\n\r\n", body.len()).as_bytes());
        bytes.extend_from_slice(body);
        match String::from_utf8(bytes) {
            Ok(text) => text.replace("{session}", &self.session).into_bytes(),
            Err(error) => error.into_bytes(),
        }
    }

    /// Sends bytes and reads what comes back; of a stream that stays open, the head.
    async fn exchange(&self, request: &[u8], is_raw: bool) -> Answer {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let (mut reader, mut writer) = stream.split();
        let write = async {
            // The server may refuse a request before it has all of it.
            let _ = writer.write_all(request).await;
            if is_raw {
                let _ = writer.shutdown().await;
            }
        };
        let stays_open = request.starts_with(b"GET ");
        let mut bytes = Vec::new();
        let read = async {
            while reader.read_buf(&mut bytes).await.is_ok_and(|count| count > 0) {
                let is_stream = || Answer::read(&bytes).is_some_and(|answer| answer.is_stream());
                if stays_open && is_stream() {
                    break;
                }
            }
        };
        let both = async { tokio::join!(write, read) };
        let in_time = tokio::time::timeout(ANSWER_WITHIN, both).await;
        assert!(in_time.is_ok(), "no answer within {ANSWER_WITHIN:?}, but {:?}", String::from_utf8_lossy(&bytes));
        Answer::read(&bytes).unwrap_or_default()
    }
}

/// What came back.
#[derive(Debug, Default)]
struct Answer {
    /// 0 where the connection ended without an answer.
    status: u16,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

impl Answer {
    fn read(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
        let head: Vec<u8> = bytes[..end].iter().copied().filter(|byte| *byte != b'\r').collect();
        // A request of version 1.0 is answered in it.
        let answered = head.strip_prefix(b"HTTP/1.1 ").or_else(|| head.strip_prefix(b"HTTP/1.0 "));
        let head = answered.unwrap_or_else(|| panic!("no answer of HTTP: {bytes:?}"));
        // `200 OK`
        let (status, rest) = (head.get(..3)?, head.iter().position(|byte| *byte == b'\n'));
        let head = [status, rest.map_or(b"".as_slice(), |at| &head[at..])].concat();
        let (status, headers) = vendor::read_head(&head);
        let is_chunked = headers.iter().any(|(name, value)| name == "transfer-encoding" && value == b"chunked");
        let body = &bytes[end + 4..];
        let body = if is_chunked { without_chunks(body) } else { body.to_vec() };
        Some(Self { status, headers, body })
    }

    fn is_stream(&self) -> bool {
        self.headers.iter().any(|(name, value)| name == "content-type" && value.starts_with(b"text/event-stream"))
    }

    /// The messages in it.
    fn messages(&self) -> Vec<Value> {
        let text = String::from_utf8_lossy(&self.body);
        if !self.is_stream() {
            return serde_json::from_str(&text).into_iter().collect();
        }
        let data = text.lines().filter_map(|line| line.strip_prefix("data:"));
        data.filter_map(|data| serde_json::from_str(data).ok()).collect()
    }
}

fn without_chunks(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = rest.windows(2).position(|window| window == b"\r\n") {
        let length = std::str::from_utf8(&rest[..end]).ok().and_then(|text| usize::from_str_radix(text, 16).ok());
        let Some(chunk) = length.filter(|length| *length > 0).and_then(|length| rest.get(end + 2..end + 2 + length))
        else {
            break;
        };
        body.extend_from_slice(chunk);
        rest = rest.get(end + 4 + chunk.len()..).unwrap_or_default();
    }
    body
}

fn check(input: &[u8]) {
    thread_local! {
        static SITE: RefCell<Option<Site>> = const { RefCell::new(None) };
    }
    SITE.with_borrow_mut(|site| {
        let used_up = site.as_ref().is_none_or(|site| site.inputs >= INPUTS);
        if used_up {
            *site = Some(block_on(Site::new()));
        }
        let Some(site) = site else { return };
        site.inputs += 1;
        vendor::set_answers(b"200\nContent-Type: application/json\n\n{\"a\": 1}");
        block_on(check_at(site, input));
    });
}

async fn check_at(site: &Site, input: &[u8]) {
    let (line, rest) = first_line(input);
    if line == "RAW" {
        site.exchange(rest, true).await;
    } else {
        let request = site.written(input);
        let answer = site.exchange(&request, false).await;
        assert!((200..500).contains(&answer.status), "{answer:?}");
        let body =
            request.windows(4).position(|window| window == b"\r\n\r\n").map_or(b"".as_slice(), |at| &request[at + 4..]);
        if let Some(id) = asks(body).filter(|_| line.starts_with("POST /mcp") && answer.status < 400) {
            let answered = |message: &Value| {
                message["id"] == id && (message.get("result").is_some() || message.get("error").is_some())
            };
            assert!(answer.messages().iter().any(answered), "{id} is not answered: {answer:?}");
        }
    }
    let alive = site.exchange(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", false).await;
    assert_eq!(alive.status, 200);
}

/// The id of a message that has to be answered.
fn asks(body: &[u8]) -> Option<Value> {
    let message: Value = serde_json::from_slice(body).ok()?;
    let is_request = message["jsonrpc"] == "2.0" && message["method"].is_string();
    let is_answer = message.get("result").is_some() || message.get("error").is_some();
    let id = message.get("id").filter(|id| id.is_string() || id.is_i64())?;
    (is_request && !is_answer).then(|| id.clone())
}
