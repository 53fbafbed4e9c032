//! Two servers on one PostgreSQL, behind HAProxy: what one is told holds for the other, the vendor's limit holds for both
//! together, and neither the end of a server nor that of the database loses or doubles anything.

use std::collections::HashMap;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{Method, Uri};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use super::{answered, call, message};
use crate::common::fixture::http_client;
use crate::common::network::{fresh_folder, toolwright};
use crate::common::postgres::Postgres;

/// What Jitbit's description states.
const PER_MINUTE: usize = 90;

/// A Jitbit that takes note of what arrives.
#[derive(Clone, Default)]
struct Vendor(Arc<Mutex<Vec<(Instant, Method, String)>>>);

impl Vendor {
    async fn start() -> (Self, SocketAddr) {
        let vendor = Self::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let answer = async |State(vendor): State<Self>, method: Method, uri: Uri, body: Bytes| {
            let text = format!("{uri} {}", String::from_utf8_lossy(&body));
            vendor.0.lock().unwrap().push((Instant::now(), method.clone(), text));
            tokio::time::sleep(Duration::from_millis(20)).await;
            let answer = if method == Method::GET { json!({"UserID": 1, "Email": "a@example.com"}) } else { json!(7) };
            ([("content-type", "application/json")], answer.to_string())
        };
        let router = Router::new().fallback(answer).with_state(vendor.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (vendor, address)
    }

    fn arrived(&self) -> Vec<(Instant, Method, String)> {
        self.0.lock().unwrap().clone()
    }

    /// The most requests in any minute.
    fn most_in_a_minute(&self) -> usize {
        let times: Vec<Instant> = self.arrived().iter().map(|(at, ..)| *at).collect();
        let minute = Duration::from_secs(60);
        let from = |from: &Instant| times.iter().filter(|at| **at >= *from && **at < *from + minute).count();
        times.iter().map(from).max().unwrap_or_default()
    }
}

/// A server of its own process.
struct Replica {
    process: Child,
    address: SocketAddr,
}

impl Replica {
    async fn start(store: &str, vendor: SocketAddr, http: &str) -> Self {
        let url = format!("http://{vendor}");
        let arguments = [
            "serve",
            "--vendor",
            "jitbit",
            "--methods",
            "read,write",
            "--tags",
            "all",
            "--http",
            http,
            "--access",
            "link",
            "--admin-api",
        ];
        let variables = [("JITBIT_URL", url.as_str()), ("JITBIT_TOKEN", "t0ken"), ("TOOLWRIGHT_STORE", store)];
        let mut command = toolwright(&arguments, &variables);
        let mut process = command.stderr(Stdio::piped()).stdin(Stdio::null()).kill_on_drop(true).spawn().unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let address = loop {
            let line = lines.next_line().await.unwrap().expect("it serves");
            if let Some((_, url)) = line.split_once(" at http://") {
                break url.strip_suffix("/mcp").unwrap().parse().unwrap();
            }
        };
        // What it logs must not fill the pipe.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self { process, address }
    }

    /// Ends it as a crash would.
    async fn kill(&mut self) {
        self.process.kill().await.unwrap();
    }
}

/// HAProxy in front of two servers, which it looks at five times a second.
struct Proxy {
    process: Child,
    address: SocketAddr,
    folder: PathBuf,
}

impl Proxy {
    fn start(servers: [SocketAddr; 2]) -> Self {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let folder = fresh_folder("team-proxy");
        let [a, b] = servers;
        let text = format!(
            "global\n maxconn 500\ndefaults\n mode http\n retries 0\n timeout connect 2s\n timeout client 130s\n timeout server 130s\n\
             frontend all\n bind {address}\n default_backend servers\n\
             backend servers\n balance roundrobin\n option httpchk GET /healthz\n\
             server a {a} check inter 200ms fall 1 rise 1\n server b {b} check inter 200ms fall 1 rise 1\n"
        );
        let file = folder.join("haproxy.cfg");
        std::fs::write(&file, text).unwrap();
        let mut command = Command::new("/usr/sbin/haproxy");
        command.arg("-db").arg("-f").arg(file).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        Self { process: command.spawn().unwrap(), address, folder }
    }
}

/// The command line on the store that the servers share.
async fn command(store: &str, arguments: &[&str]) -> String {
    let output = toolwright(arguments, &[("TOOLWRIGHT_STORE", store)]).output().await.unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

struct Clients {
    client: reqwest::Client,
    token: String,
}

impl Clients {
    /// What a call through a server is answered; an error where the connection broke.
    async fn ask(&self, at: SocketAddr, message: &Value) -> Result<(u16, Value), String> {
        let url = format!("http://{at}/c/{}/mcp", self.token);
        let request = self.client.post(url).header("accept", "application/json, text/event-stream").json(message);
        let response = request.send().await.map_err(|error| error.to_string())?;
        let (status, answer) = answered(response).await;
        Ok((status.as_u16(), answer))
    }

    async fn status(&self, at: SocketAddr) -> u16 {
        self.ask(at, &message("tools/list", &json!({}))).await.unwrap().0
    }
}

fn token_of(created: &str) -> (String, String) {
    let created: Value = serde_json::from_str(created).unwrap();
    let token = created["url"].as_str().unwrap().split('/').nth_back(1).unwrap().to_owned();
    (created["id"].as_str().unwrap().to_owned(), token)
}

async fn get(at: SocketAddr, path: &str) -> u16 {
    http_client().get(format!("http://{at}{path}")).send().await.unwrap().status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn what_one_server_is_told_holds_for_the_other() {
    let postgres = Postgres::start("told").await;
    let store = postgres.url();
    let (_, vendor) = Vendor::start().await;
    let a = Replica::start(&store, vendor, "127.0.0.1:0").await;
    let b = Replica::start(&store, vendor, "127.0.0.1:0").await;
    let create = ["link", "create", "--name", "Shared", "--account", "jitbit", "--format", "json"];
    let (id, token) = token_of(&command(&store, &create).await);
    let clients = Clients { client: http_client(), token };
    for server in [&b, &a] {
        assert_eq!(clients.status(server.address).await, 200, "at once");
    }
    let admin = command(&store, &["admin", "token", "create", "ops"]).await;
    let revoke = format!("http://{}/api/v1/links/{id}", b.address);
    let revoked = clients.client.delete(revoke).bearer_auth(admin.trim()).send().await.unwrap();
    assert_eq!(revoked.status(), 204);
    tokio::time::sleep(Duration::from_secs(1)).await;
    for server in [&a, &b] {
        assert_eq!(clients.status(server.address).await, 401, "replayed after its revocation");
    }
    // Too wide for what the servers have stated in the store.
    let wide = toolwright(
        &[
            "link",
            "create",
            "--name",
            "Wide",
            "--account",
            "jitbit",
            "--methods",
            "destructive",
            "--allow",
            "irreversible",
        ],
        &[("TOOLWRIGHT_STORE", store.as_str())],
    );
    let output = { wide }.output().await.unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--methods read,write,destructive"));
}

/// Calls until `until`, each change with a text of its own; returns the texts of those that were answered with success.
async fn load(clients: &Clients, proxy: SocketAddr, number: usize, until: Instant) -> Vec<String> {
    let mut answered = Vec::new();
    let mut count = 0;
    while Instant::now() < until {
        count += 1;
        let text = format!("change-{number}-{count}-");
        let asked = if count % 3 == 0 {
            call("jitbit_create_ticket", &json!({"categoryId": 1, "subject": text, "body": "b", "priorityId": 0}))
        } else {
            call("jitbit_get_current_user", &json!({}))
        };
        match clients.ask(proxy, &asked).await {
            Ok((200, answer)) if count % 3 == 0 && answer["result"]["isError"] == false => answered.push(text),
            Ok((200, _)) => {}
            // The proxy has no server for a moment, or the server has ended.
            _ => tokio::time::sleep(Duration::from_millis(200)).await,
        }
    }
    answered
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn two_servers_under_load_lose_nothing_and_keep_to_the_limit() {
    let mut postgres = Postgres::start("load").await;
    let store = postgres.url();
    let (vendor, at) = Vendor::start().await;
    let mut a = Replica::start(&store, at, "127.0.0.1:0").await;
    let b = Replica::start(&store, at, "127.0.0.1:0").await;
    let proxy = Proxy::start([a.address, b.address]);
    let create = ["link", "create", "--name", "Load", "--account", "jitbit", "--format", "json"];
    let (_, token) = token_of(&command(&store, &create).await);
    let clients = Arc::new(Clients { client: http_client(), token });
    let started = Instant::now();
    let until = started + Duration::from_secs(110);
    let loads = (0..8).map(|number| {
        let (clients, proxy) = (Arc::clone(&clients), proxy.address);
        tokio::spawn(async move { load(&clients, proxy, number, until).await })
    });
    let loads: Vec<_> = loads.collect();
    let wait = |seconds| tokio::time::sleep_until((started + Duration::from_secs(seconds)).into());
    wait(8).await;
    a.kill().await;
    wait(16).await;
    a = Replica::start(&store, at, &a.address.to_string()).await;
    wait(24).await;
    postgres.stop();
    wait(28).await;
    outage(&clients, &b).await;
    wait(59).await;
    let (status, _) = clients.ask(b.address, &call("jitbit_get_current_user", &json!({}))).await.unwrap();
    assert_eq!(status, 503, "after half a minute nothing is known any more");
    postgres.resume().await;
    wait(70).await;
    for server in [&a, &b] {
        assert_eq!(get(server.address, "/readyz").await, 200);
    }
    let mut answered = Vec::new();
    for load in loads {
        answered.extend(load.await.unwrap());
    }
    let mut changes: HashMap<String, usize> = HashMap::new();
    for (_, _, text) in vendor.arrived() {
        if let Some(from) = text.find("change-") {
            let change = text[from..].split(['&', '"', ',']).next().unwrap().to_owned();
            *changes.entry(change).or_default() += 1;
        }
    }
    assert!(answered.len() > 10, "{}", answered.len());
    for change in &answered {
        assert!(changes.contains_key(change), "answered and not there: {change}");
    }
    let doubled: Vec<_> = changes.iter().filter(|(_, times)| **times > 1).collect();
    assert!(doubled.is_empty(), "{doubled:?}");
    let most = vendor.most_in_a_minute();
    assert!(most <= PER_MINUTE, "{most} requests in a minute");
    assert!(most > PER_MINUTE / 3, "and a good part of the limit is used: {most}");
    drop(proxy);
}

/// What a server does that can't reach its store: reads go on, changes are refused, and it is alive and not ready.
async fn outage(clients: &Clients, server: &Replica) {
    assert_eq!((get(server.address, "/healthz").await, get(server.address, "/readyz").await), (200, 503));
    assert_eq!(clients.status(server.address).await, 200);
    let change =
        call("jitbit_create_ticket", &json!({"categoryId": 1, "subject": "outage", "body": "b", "priorityId": 0}));
    let (status, answer) = clients.ask(server.address, &change).await.unwrap();
    assert_eq!((status, &answer["result"]["isError"]), (200, &json!(true)), "{answer}");
    assert!(answer.to_string().contains("can't reach its store"), "{answer}");
    let unknown = Clients { client: http_client(), token: "A".repeat(43) };
    assert_eq!(unknown.status(server.address).await, 503, "whether it is a link can't be known");
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.process.start_kill();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
