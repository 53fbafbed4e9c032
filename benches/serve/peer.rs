//! A server process → a client of it, over stdio or HTTP.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use crate::minimal;

/// A server on stdio.
pub(crate) struct Peer {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    last: u64,
}

/// What the server has as vendors.
#[derive(Clone, Copy)]
pub(crate) enum Vendors {
    /// Configured addresses that are never called.
    Configured,
    /// The server's own sandbox, which has no rate limits.
    Sandbox,
}

fn toolwright(arguments: &[&str], vendors: Vendors) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_toolwright"));
    command.arg("serve").args(arguments);
    match vendors {
        Vendors::Sandbox => command.arg("--sandbox"),
        Vendors::Configured => command
            .envs([("JITBIT_URL", "https://helpdesk.example.com"), ("JITBIT_TOKEN", "t")])
            .envs([("JSM_URL", "https://site.example.com"), ("JSM_EMAIL", "a@example.com"), ("JSM_API_TOKEN", "t")])
            .env("JUMPCLOUD_API_KEY", "k"),
    };
    command
}

impl Peer {
    /// The release binary.
    pub(crate) fn toolwright(arguments: &[&str], vendors: Vendors) -> Self {
        Self::spawn(toolwright(arguments, vendors))
    }

    /// This bench as the minimal server.
    pub(crate) fn minimal() -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg(minimal::MODE);
        Self::spawn(command)
    }

    fn spawn(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { child, input, output, last: 0 }
    }

    /// Sends a request and waits for its answer.
    pub(crate) fn request(&mut self, method: &str, params: &Value) -> Value {
        self.last += 1;
        let request = json!({"jsonrpc": "2.0", "id": self.last, "method": method, "params": params});
        writeln!(self.input, "{request}").unwrap();
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }

    /// Initializes the session and returns the number of tools.
    pub(crate) fn open_and_list(&mut self) -> usize {
        let client = json!({"name": "bench", "version": "0"});
        let hello = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client});
        self.request("initialize", &hello);
        writeln!(self.input, "{}", json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).unwrap();
        let (mut tools, mut params) = (0, json!({}));
        loop {
            let listed = self.request("tools/list", &params);
            tools += listed["result"]["tools"].as_array().unwrap().len();
            let Some(cursor) = listed["result"]["nextCursor"].as_str() else { return tools };
            params = json!({"cursor": cursor});
        }
    }

    /// The resident memory, in kilobytes.
    pub(crate) fn resident_kb(&self) -> u64 {
        resident_kb(self.child.id())
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn resident_kb(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|kb| kb.parse().ok()).unwrap_or_default()
}

/// A client for the bench's own requests.
pub(crate) fn http_client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().tcp_nodelay(true).build().unwrap()
}

/// The release binary over HTTP.
pub(crate) struct HttpPeer {
    child: Child,
    url: String,
}

impl HttpPeer {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut command = toolwright(&[&["--http", "127.0.0.1:0"], arguments].concat(), Vendors::Sandbox);
        let mut child = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut messages = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        tokio::task::block_in_place(|| messages.read_line(&mut line)).unwrap();
        let url = line.split_whitespace().last().unwrap().to_owned();
        assert!(url.starts_with("http://"), "{line}");
        // Further lines on standard error must not fill the pipe.
        std::thread::spawn(move || std::io::copy(&mut messages, &mut std::io::sink()));
        Self { child, url }
    }

    /// One call; returns the size of the answer in bytes.
    pub(crate) async fn call(&self, client: &reqwest::Client, params: &Value) -> usize {
        self.call_at(client, &self.url, params).await
    }

    /// One call through a link of this server.
    pub(crate) async fn call_by_link(&self, client: &reqwest::Client, token: &str, params: &Value) -> usize {
        let server = self.url.trim_end_matches("/mcp");
        self.call_at(client, &format!("{server}/c/{token}/mcp"), params).await
    }

    async fn call_at(&self, client: &reqwest::Client, url: &str, params: &Value) -> usize {
        let request = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
        let sent = client.post(url).header("accept", "application/json, text/event-stream").json(&request);
        let answer = sent.send().await.unwrap().bytes().await.unwrap();
        let error = b"\"isError\":false";
        assert!(answer.windows(error.len()).any(|part| part == error), "{}", String::from_utf8_lossy(&answer));
        answer.len()
    }

    /// The address of the endpoint.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn resident_kb(&self) -> u64 {
        resident_kb(self.child.id())
    }
}

impl Drop for HttpPeer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
