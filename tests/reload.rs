//! SIGHUP to a server: toolwright.toml is read again. What can be changed is changed, and what can't is named.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout};

use crate::common::network::{call_lines, fresh_folder, signal, toolwright, written};
use crate::common::whoami::WhoAmI;

const WHO: &str = "jitbit_get_current_user";

/// A server on stdio that is called and signalled.
struct Serving {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    log: Lines<BufReader<ChildStderr>>,
    calls: u32,
}

impl Serving {
    async fn start(settings: &str, flags: &[&str]) -> Self {
        let arguments = [&["serve", "--config", settings, "--account", "acme"][..], flags].concat();
        let mut command = toolwright(&arguments, &[]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let log = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut serving = Self { child, input, output: BufReader::new(output).lines(), log, calls: 0 };
        assert!(serving.line().await.contains("on stdio"));
        serving
    }

    async fn line(&mut self) -> String {
        let line = tokio::time::timeout(Duration::from_secs(20), self.log.next_line());
        line.await.expect("a line of the log is late").unwrap().expect("the server ended")
    }

    /// Makes a call; returns its answer.
    async fn call(&mut self) -> String {
        let lines = if self.calls == 0 {
            call_lines(WHO, &json!({}))
        } else {
            let id = 100 + self.calls;
            let call = json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": WHO}});
            format!("{call}\n")
        };
        self.calls += 1;
        self.input.write_all(lines.as_bytes()).await.unwrap();
        loop {
            let line = self.output.next_line().await.unwrap().expect("the server ended");
            if line.contains("\"content\"") {
                return line;
            }
        }
    }

    /// Sends the signal; returns as many lines as are expected.
    async fn hang_up(&mut self, count: usize) -> String {
        signal(&self.child, Signal::HUP);
        let mut lines = Vec::new();
        for _ in 0..count {
            lines.push(self.line().await);
        }
        lines.join("\n")
    }
}

fn account(name: &str, url: &str, token: &str) -> String {
    format!("[accounts.{name}]\nvendor = \"jitbit\"\nJITBIT_URL = \"{url}\"\nJITBIT_TOKEN = \"{token}\"\n\n")
}

fn put(folder: &Path, text: &str) -> String {
    written(folder, "toolwright.toml", text)
}

#[tokio::test]
async fn an_account_is_used_as_the_file_has_it_after_the_signal() {
    let (vendor, other) = (WhoAmI::start().await, WhoAmI::start().await);
    let folder = fresh_folder("reload-account");
    let file = put(&folder, &account("acme", &vendor.url(), "t0ken-one"));
    let mut server = Serving::start(&file, &[]).await;
    assert!(server.call().await.contains("t0ken-one"));
    // Not before the signal.
    put(&folder, &account("acme", &other.url(), "t0ken-two"));
    assert!(server.call().await.contains("t0ken-one"));
    let said = server.hang_up(1).await;
    assert!(said.contains("account `acme` is read again") && !said.contains("t0ken"), "{said}");
    assert!(server.call().await.contains("t0ken-two"));
    let seen = other.take();
    assert!(
        !seen.is_empty() && seen.iter().all(|it| it.authorization.as_deref() == Some("Bearer t0ken-two")),
        "{seen:?}"
    );
    let said = server.hang_up(1).await;
    assert!(said.contains("nothing has changed"), "{said}");
    // A file with a fault changes nothing.
    put(&folder, "[accounts.acme]\nvendor = \"jitbit\"\nJITBIT_TOKEN = \"t0ken-three\n");
    let said = server.hang_up(1).await;
    assert!(said.contains("stay as they are") && said.contains("line 3") && !said.contains("t0ken"), "{said}");
    put(&folder, "[accounts.acme]\nvendor = \"jitbit\"\nJITBIT_TOKEN = \"t0ken-three\"\n");
    let said = server.hang_up(1).await;
    assert!(said.contains("account `acme`") && said.contains("serves as it was") && !said.contains("t0ken"), "{said}");
    assert!(server.call().await.contains("t0ken-two"));
}

#[tokio::test]
async fn what_needs_a_restart_is_named_each_time() {
    let vendor = WhoAmI::start().await;
    let folder = fresh_folder("reload-restart");
    let profile = |methods: &str| format!("[profiles.desk]\nmethods = [\"{methods}\"]\n\n");
    let (acme, globex) = (account("acme", &vendor.url(), "t0ken"), account("globex", &vendor.url(), "t0ken"));
    let file = put(&folder, &[profile("read"), acme.clone(), globex].concat());
    let mut server = Serving::start(&file, &["--profile", "desk", "--log-format", "json"]).await;
    put(&folder, &[profile("write"), acme, account("initech", &vendor.url(), "t0ken")].concat());
    for _ in 0..2 {
        let said = server.hang_up(3).await;
        let lines: Vec<serde_json::Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(lines.iter().all(|line| line["level"] == "WARN"), "{said}");
        for part in ["the profile has changed", "account `globex` is gone", "account `initech` is new"] {
            assert!(said.contains(part), "{part}: {said}");
        }
    }
    assert!(server.call().await.contains("t0ken"), "it serves on");
}
