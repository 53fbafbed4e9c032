//! Clients that take as much as they can, against the program itself: it stays alive for the others, with few
//! descriptors too.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{BOTH, LATEST, call, initialize, list, message};
use crate::common::fixture::http_client;

/// How long `/healthz` may take to answer. What is not optimised takes about ten times as long: the product's bound is
/// tested by `cargo test --release`.
const ALIVE_WITHIN: Duration = Duration::from_millis(if cfg!(debug_assertions) { 500 } else { 100 });

/// The program, serving its sandbox over HTTP.
struct Program {
    child: Child,
    address: String,
    client: reqwest::Client,
}

impl Program {
    /// Starts it with at most so many descriptors.
    fn start(descriptors: Option<usize>, arguments: &[&str]) -> Self {
        let limit = descriptors.map(|most| format!("ulimit -n {most}; ")).unwrap_or_default();
        let mut child = Command::new("sh")
            .args(["-c", &format!("{limit}exec \"$@\""), "sh", env!("CARGO_BIN_EXE_toolwright")])
            .args(["serve", "--http", "127.0.0.1:0", "--vendor", "jitbit"])
            .args(arguments)
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut messages = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        messages.read_line(&mut line).unwrap();
        let address = line.split("http://").nth(1).and_then(|rest| rest.split('/').next());
        let address = address.unwrap_or_else(|| panic!("{line}")).to_owned();
        std::thread::spawn(move || std::io::copy(&mut messages, &mut std::io::sink()));
        Self { child, address, client: http_client() }
    }

    fn post(&self, message: &Value) -> impl Future<Output = reqwest::Response> + use<> {
        let request = self.client.post(format!("http://{}/mcp", self.address)).header("accept", BOTH);
        let sent = request.json(message).send();
        async { sent.await.unwrap() }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How long `/healthz` takes to answer on a new connection.
fn health(address: &str) -> Duration {
    let started = Instant::now();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    started.elapsed()
}

/// How long threads have waited until now for a processor that others used.
fn waited_for_processor(of: &str) -> Duration {
    let text = std::fs::read_to_string(format!("/proc/{of}/schedstat")).unwrap_or_default();
    let nanoseconds = text.split_whitespace().nth(1).and_then(|text| text.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or_default())
}

/// Asks a server whether it is alive, until it is told to end. The machine may be busy with other things: the time in
/// which the server could not run is no time of the server.
struct Watch {
    /// What is being done to the server; `None` at the end.
    attack: Arc<Mutex<Option<&'static str>>>,
    watching: JoinHandle<Vec<(&'static str, Duration)>>,
}

impl Watch {
    fn start(attacked: &Program) -> Self {
        let attack = Arc::new(Mutex::new(Some("nothing")));
        let (address, server) = (attacked.address.clone(), attacked.child.id().to_string());
        let current = Arc::clone(&attack);
        let watching = std::thread::spawn(move || {
            let mut answers = Vec::new();
            let waited = || waited_for_processor(&server) + waited_for_processor("thread-self");
            loop {
                let Some(attack) = *current.lock().unwrap() else { return answers };
                let before = waited();
                let took = health(&address);
                answers.push((attack, took.saturating_sub(waited().saturating_sub(before))));
                std::thread::sleep(Duration::from_millis(10));
            }
        });
        Self { attack, watching }
    }

    fn next(&self, attack: &'static str) {
        *self.attack.lock().unwrap() = Some(attack);
    }

    /// The answers, by what was being done.
    fn end(self) -> Vec<(&'static str, Duration)> {
        *self.attack.lock().unwrap() = None;
        self.watching.join().unwrap()
    }
}

/// Half of a request on each of so many connections.
fn half_open(address: &str, count: usize, text: &[u8]) -> Vec<TcpStream> {
    let open = |_| {
        let mut stream = TcpStream::connect(address).unwrap();
        // It may be closed already, to make room.
        let _ = stream.write_all(text);
        stream
    };
    (0..count).map(open).collect()
}

async fn together<T>(calls: impl IntoIterator<Item = impl Future<Output = T>>) -> Vec<T> {
    futures_util::future::join_all(calls).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_server_stays_alive() {
    let script = std::env::temp_dir().join(format!("toolwright-attacks-{}.json", std::process::id()));
    let slow = json!([{"operation": "getStats", "answer": {"status": 200, "body": {}, "delay_ms": 1_000}}]);
    std::fs::write(&script, slow.to_string()).unwrap();
    let sandbox = format!("--sandbox={}", script.display());
    let attacked = Program::start(None, &[&sandbox]);
    // It has started when it answers.
    attacked.post(&list()).await;
    std::fs::remove_file(&script).unwrap();
    let watch = Watch::start(&attacked);
    watch.next("long names");
    let name = "x_".repeat(500_000);
    together((0..4).map(|_| attacked.post(&call(&name)))).await;
    watch.next("sessions");
    for _ in 0..20 {
        together((0..20).map(|_| attacked.post(&initialize(LATEST)))).await;
    }
    watch.next("half-open connections");
    let _halves = half_open(&attacked.address, 200, b"POST /mcp HTTP/1.1\r\nHost: loc");
    watch.next("half bodies");
    let head =
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 900000\r\n\r\n{";
    let _bodies = half_open(&attacked.address, 50, head.as_bytes());
    watch.next("foreign bodies");
    let foreign = format!("{}{}", head.replace("localhost", "evil.example"), "x".repeat(200_000));
    drop(half_open(&attacked.address, 20, foreign.as_bytes()));
    watch.next("slow calls");
    together((0..30).map(|_| attacked.post(&call("jitbit_get_stats")))).await;
    watch.next("endless filters");
    let mut endless = call("jitbit_list_priorities");
    endless["params"]["arguments"] = json!({"jq": "last(repeat(1))"});
    together((0..6).map(|_| attacked.post(&endless))).await;
    watch.next("lists");
    together((0..30).map(|_| attacked.post(&list()))).await;
    watch.next("large messages");
    let mut large = call("jitbit_list_priorities");
    large["params"]["arguments"] = json!({"x": "y".repeat(1_000_000)});
    together((0..4).map(|_| attacked.post(&large))).await;
    watch.next("many values");
    large["params"]["arguments"] = json!({"x": vec![1; 300_000]});
    for response in together((0..4).map(|_| attacked.post(&large))).await {
        assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    }
    let answers = watch.end();
    assert!(answers.len() >= 20, "only {} answers were measured", answers.len());
    let late: Vec<_> = answers.iter().filter(|(_, took)| *took > ALIVE_WITHIN).collect();
    assert!(late.is_empty(), "of {} answers these were late: {late:?}", answers.len());
}

#[tokio::test]
async fn few_descriptors_are_enough_for_many_idle_connections() {
    let program = Program::start(Some(64), &["--sandbox"]);
    let idle = half_open(&program.address, 150, b"");
    let half = half_open(&program.address, 150, b"GET /healthz HTTP/1.1\r\nHost: ");
    for _ in 0..3 {
        let answers = together((0..8).map(|_| program.post(&call("jitbit_list_priorities")))).await;
        for answer in together(answers.into_iter().map(message)).await {
            assert_eq!(answer["result"]["isError"], false, "{answer}");
        }
    }
    let mut filtered = call("jitbit_list_priorities");
    filtered["params"]["arguments"] = json!({"jq": ".items | length"});
    let answer = message(program.post(&filtered).await).await;
    assert_eq!(answer["result"]["isError"], false, "{answer}");
    health(&program.address);
    let is_closed = |mut stream: TcpStream| {
        stream.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
        matches!(stream.read(&mut [0]), Ok(0)) || stream.take_error().unwrap().is_some()
    };
    let closed = idle.into_iter().chain(half).map(is_closed).filter(|closed| *closed).count();
    assert!(closed >= 250, "{closed} of 300 made room");
}
