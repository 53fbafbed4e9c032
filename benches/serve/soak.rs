//! 32 callers over HTTP for minutes: reads, changes, plans, filters, lists and errors, in sessions that are closed or
//! left behind and without any → whether every answer was the right one, whether the audit log has every call, and
//! whether memory grows.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use reqwest::Client;
use serde_json::{Value, json};
use toolwright::audit;

use crate::figures::verdict;
use crate::load::Folder;
use crate::peer::{self, HttpPeer};

const CALLERS: u64 = 32;
/// The pause after each request: assistants make some calls a second.
const PAUSE: Duration = Duration::from_millis(30);
/// How much more memory may be in use at the end than after the first minute.
const GROWTH: f64 = 1.1;
const SESSION: &str = "mcp-session-id";

/// What the callers share.
struct Soak {
    server: HttpPeer,
    client: Client,
    end: Instant,
    requests: AtomicU64,
    /// The requests of which the audit log has a line.
    calls: AtomicU64,
    sessions: AtomicU64,
    left_behind: AtomicU64,
    wrong: AtomicU64,
}

/// Runs for `time`; returns whether nothing was lost or wrong and memory did not grow.
pub(crate) async fn run(time: Duration) -> bool {
    let folder = Folder::new();
    let arguments = ["--vendor", "jitbit", "--methods", "read,write", "--audit", folder.record()];
    let soak = Arc::new(Soak {
        server: HttpPeer::start(&arguments),
        client: peer::http_client(),
        end: Instant::now() + time,
        requests: AtomicU64::new(0),
        calls: AtomicU64::new(0),
        sessions: AtomicU64::new(0),
        left_behind: AtomicU64::new(0),
        wrong: AtomicU64::new(0),
    });
    let callers: Vec<_> = (0..CALLERS)
        .map(|number| {
            let soak = Arc::clone(&soak);
            tokio::spawn(async move { soak.call_until_the_end(number).await })
        })
        .collect();
    let first = Duration::from_secs(60).min(time / 6);
    tokio::time::sleep(first).await;
    let early = soak.server.resident_kb();
    for caller in callers {
        caller.await.unwrap();
    }
    let late = soak.server.resident_kb();
    let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    println!(
        "{CALLERS} callers for {} s: {} requests, {} of them calls, in {} sessions, of which {} were left behind",
        time.as_secs(),
        count(&soak.requests),
        count(&soak.calls),
        count(&soak.sessions),
        count(&soak.left_behind),
    );
    println!("  resident {early} kB after {} s, {late} kB at the end", first.as_secs());
    let recorded = recorded(Path::new(folder.record()));
    #[expect(clippy::cast_precision_loss, reason = "counts and kilobytes fit a float")]
    let [wrong, lost, growth] =
        [count(&soak.wrong) as f64, count(&soak.calls).abs_diff(recorded) as f64, late as f64 / early as f64];
    let wrong = verdict("  wrong answers", wrong, 0.0, "");
    let lost = verdict("  calls that the audit log lacks, or has too many", lost, 0.0, "");
    let growth = verdict("  memory at the end", growth, GROWTH, " ×");
    wrong && lost && growth
}

/// How many calls an audit log has, of which no line is missing or changed.
fn recorded(path: &Path) -> u64 {
    let open = || BufReader::new(std::fs::File::open(path).unwrap());
    let report = audit::verify(open()).unwrap();
    assert!(report.fault.is_none() && report.unfinished.is_empty(), "{:?} {:?}", report.fault, report.unfinished);
    let lines = open().lines();
    let ended = lines.filter(|line| {
        let line: Value = serde_json::from_str(line.as_ref().unwrap()).unwrap();
        line["event"] == "call" || line["event"] == "outcome"
    });
    ended.count() as u64
}

impl Soak {
    async fn call_until_the_end(&self, caller: u64) {
        let mut number = 0;
        while Instant::now() < self.end {
            // One in three works without a session.
            let session = if fastrand::u8(..3) == 0 { None } else { Some(self.open().await) };
            let header = match &session {
                Some(id) => (SESSION, id.as_str()),
                None => ("x-soak", "without a session"),
            };
            for _ in 0..fastrand::u8(5..30) {
                number += 1;
                self.request(header, &format!("caller-{caller}-request-{number}"), number).await;
                tokio::time::sleep(PAUSE).await;
            }
            if let Some(id) = session {
                self.leave(&id).await;
            }
        }
    }

    async fn post(&self, (name, value): (&str, &str), message: &Value) -> reqwest::Response {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let accept = "application/json, text/event-stream";
        let sent =
            self.client.post(self.server.url()).header("accept", accept).header(name, value).json(message).send();
        sent.await.unwrap()
    }

    async fn open(&self) -> String {
        let client = json!({"name": "soak", "version": "0"});
        let params = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client});
        let message = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params});
        let response = self.post(("x-soak", "opens"), &message).await;
        let id = response.headers()[SESSION].to_str().unwrap().to_owned();
        response.bytes().await.unwrap();
        let initialized = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
        self.post((SESSION, &id), &initialized).await.bytes().await.unwrap();
        self.sessions.fetch_add(1, Ordering::Relaxed);
        id
    }

    /// Closes a session, or leaves it behind: alone, or with an unread stream.
    async fn leave(&self, id: &str) {
        let chance = fastrand::u8(..10);
        if chance < 4 {
            self.client.delete(self.server.url()).header(SESSION, id).send().await.unwrap();
            return;
        }
        self.left_behind.fetch_add(1, Ordering::Relaxed);
        if chance == 9 {
            let level = json!({"jsonrpc": "2.0", "id": 1, "method": "logging/setLevel", "params": {"level": "debug"}});
            self.post((SESSION, id), &level).await.bytes().await.unwrap();
            let stream = self.client.get(self.server.url()).header("accept", "text/event-stream").header(SESSION, id);
            let stream = stream.send().await.unwrap();
            for number in 2..10 {
                self.request((SESSION, id), &format!("stream-of-{id}-{number}"), number).await;
            }
            drop(stream);
        }
    }

    /// Asks one thing, and looks whether the answer is the one to this very request.
    async fn request(&self, header: (&str, &str), mark: &str, id: u64) {
        let call = |tool: &str, arguments: Value| ("tools/call", json!({"name": tool, "arguments": arguments}));
        let ((method, params), expected) = match fastrand::u8(..20) {
            0..6 => (call("jitbit_search_tickets", json!({"query": mark})), "Subject".to_owned()),
            6..9 => (call("jitbit_list_priorities", json!({"fields": ["Name"]})), "Name".to_owned()),
            9..12 => {
                (call("jitbit_update_ticket", json!({"ticketId": 7, "subject": mark})), r#""isError":false"#.to_owned())
            }
            12..14 => {
                let arguments = json!({"ticketId": 7, "subject": mark, "dry_run": true});
                (call("jitbit_update_ticket", arguments), mark.to_owned())
            }
            14 => (call("jitbit_list_priorities", json!({"jq": json!(mark).to_string()})), mark.to_owned()),
            15 => (call("jitbit_get_ticket", json!({"ticketId": mark})), mark.to_owned()),
            16 => (call(&format!("jitbit_{}", "x".repeat(2_000)), json!({})), "unknown tool".to_owned()),
            17 => (call("jitbit_search_tickets", json!({"x": mark})), "unknown argument".to_owned()),
            18 => (("tools/call", json!({"name": 5})), "-32602".to_owned()),
            _ => (("tools/list", json!({})), "jitbit_search_tickets".to_owned()),
        };
        let is_call = method == "tools/call" && params["name"].is_string();
        let message = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        let answer = self.post(header, &message).await.text().await.unwrap();
        self.calls.fetch_add(u64::from(is_call), Ordering::Relaxed);
        if !answer.contains(&expected)
            || !answer.contains(&format!("\"id\":{id},")) && !answer.contains(&format!("\"id\":{id}}}"))
        {
            self.wrong.fetch_add(1, Ordering::Relaxed);
            println!("  to {message} the answer is {answer}");
        }
    }
}
