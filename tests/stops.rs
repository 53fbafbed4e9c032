//! Signals to the program: it ends in order and within a bound, loses no refresh token that it obtained, and goes on with
//! a new audit log.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Child;

use crate::common::network::{call_lines, fresh_folder, run, signal, toolwright};

async fn until(what: &str, mut done: impl FnMut() -> bool) {
    for _ in 0..1_000 {
        if done() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{what}");
}

/// Waits until a log has so many lines.
async fn lines(path: &Path, count: usize) {
    let has = || std::fs::read_to_string(path).is_ok_and(|text| text.lines().count() >= count);
    until(&format!("{count} lines in {}", path.display()), has).await;
}

fn serving(arguments: &[&str], variables: &[(&str, &str)]) -> Child {
    let mut command = toolwright(arguments, variables);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

#[cfg(feature = "jitbit")]
#[tokio::test]
async fn a_hangup_opens_the_audit_log_anew() {
    let folder = fresh_folder("stops-hangup");
    let (log, moved) = (folder.join("calls.jsonl"), folder.join("calls.jsonl.1"));
    let mut server = serving(&["serve", "--sandbox", "--audit", log.to_str().unwrap()], &[]);
    let mut input = server.stdin.take().unwrap();
    input.write_all(call_lines("jitbit_get_stats", &json!({})).as_bytes()).await.unwrap();
    lines(&log, 1).await;
    std::fs::rename(&log, &moved).unwrap();
    signal(&server, Signal::HUP);
    lines(&log, 1).await;
    let next = json!({"jsonrpc": "2.0", "id": 3, "method": "tools/call", "params": {"name": "jitbit_get_stats"}});
    input.write_all(format!("{next}\n").as_bytes()).await.unwrap();
    lines(&log, 2).await;
    drop(input);
    let output = server.wait_with_output().await.unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let (code, stdout, stderr) = run(&["audit", "verify", moved.to_str().unwrap(), log.to_str().unwrap()], &[]).await;
    assert!(code == Some(0) && stdout.starts_with("whole up to line 3"), "{stdout}{stderr}");
}

#[cfg(feature = "jitbit")]
#[tokio::test]
async fn a_signal_ends_the_process_whatever_a_file_does() {
    let folder = fresh_folder("stops-files");
    let pipe = folder.join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    // Reading the variable waits for a writer, for ever.
    let variables = [("JITBIT_URL", "https://helpdesk.company.test"), ("JITBIT_TOKEN_FILE", pipe.to_str().unwrap())];
    for (name, number, sent) in [("TERM", 15, Signal::TERM), ("INT", 2, Signal::INT), ("HUP", 1, Signal::HUP)] {
        let mut server = serving(&["serve"], &variables);
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert!(server.try_wait().unwrap().is_none());
        let started = Instant::now();
        signal(&server, sent);
        assert_eq!(server.wait().await.unwrap().code(), Some(128 + number), "{name}");
        assert!(started.elapsed() < Duration::from_secs(5), "{name}: {:?}", started.elapsed());
    }
}

#[cfg(feature = "jsm")]
mod tokens {
    use std::path::PathBuf;
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::common::network::{Answer, Arrived, Authority, Proxy, TlsSite, written};

    const TOOL: &str = "jsm_get_current_user";

    /// The vendor and its token endpoint behind a proxy, and the variables that lead there.
    struct Bench {
        site: TlsSite,
        _proxy: Proxy,
        variables: Vec<(&'static str, String)>,
        token: PathBuf,
    }

    /// The endpoint issues the next refresh token after a second; `before` runs when it is asked for.
    async fn bench(name: &str, before: impl Fn() + Send + Sync + 'static) -> Bench {
        let folder = fresh_folder(name);
        let authority = Authority::new();
        let answer: Arc<Answer> = Arc::new(move |request: &Arrived| {
            if request.path == "/oauth/token" {
                before();
                let issued = json!({"access_token": "b0ught", "refresh_token": "next-t0ken", "expires_in": 3_600});
                (200, issued.to_string(), Duration::from_secs(1))
            } else {
                (200, json!({"displayName": "Pat"}).to_string(), Duration::ZERO)
            }
        });
        let names = ["auth.atlassian.com", "api.atlassian.com"];
        let site = TlsSite::start(&authority.server(&names), None, answer).await;
        let proxy = Proxy::start(site.address).await;
        let token = PathBuf::from(written(&folder, "token", "first-t0ken\n"));
        let variables = vec![
            ("JSM_CLOUD_ID", "11111111-2222-4333-8444-555555555555".to_owned()),
            ("JSM_CLIENT_ID", "client".to_owned()),
            ("JSM_CLIENT_SECRET", "s3cret".to_owned()),
            ("JSM_REFRESH_TOKEN_FILE", token.to_str().unwrap().to_owned()),
            ("HTTPS_PROXY", proxy.url.clone()),
            ("SSL_CERT_FILE", written(&folder, "ca.pem", &authority.pem)),
        ];
        Bench { site, _proxy: proxy, variables, token }
    }

    impl Bench {
        fn start(&self, arguments: &[&str]) -> Child {
            let variables: Vec<(&str, &str)> =
                self.variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
            serving(arguments, &variables)
        }

        fn reset(&self) {
            std::fs::write(&self.token, "first-t0ken\n").unwrap();
        }

        fn held(&self) -> String {
            std::fs::read_to_string(&self.token).unwrap().trim().to_owned()
        }
    }

    /// Begins a call over HTTP, and leaves it.
    async fn call_over_http(address: &str) {
        let http = crate::common::fixture::http_client();
        let post = |body: serde_json::Value| {
            http.post(address).header("accept", "application/json, text/event-stream").json(&body)
        };
        let begun = call_lines(TOOL, &json!({}));
        let mut messages = begun.lines().map(|line| serde_json::from_str(line).unwrap());
        let opened = post(messages.next().unwrap()).send().await.unwrap();
        let session = opened.headers()["mcp-session-id"].to_str().unwrap().to_owned();
        for message in messages {
            let sent = post(message).header("mcp-session-id", &session).send();
            let _ = tokio::time::timeout(Duration::from_millis(500), sent).await;
        }
    }

    #[tokio::test]
    async fn no_stop_loses_a_refresh_token_that_is_on_its_way() {
        let bench = bench("stops-tokens", || ()).await;
        for sent in [Signal::TERM, Signal::INT, Signal::HUP] {
            let before = bench.site.arrived().len();
            bench.reset();
            let mut call = bench.start(&["call", TOOL]);
            bench.site.wait_for(before + 1).await;
            signal(&call, sent);
            let started = Instant::now();
            assert_eq!(call.wait().await.unwrap().code(), Some(1), "{sent:?}");
            assert!(started.elapsed() < Duration::from_secs(10));
            assert_eq!(bench.held(), "next-t0ken", "call, {sent:?}");
            let arrived = bench.site.arrived();
            assert_eq!(arrived.len(), before + 1, "the call itself was not sent any more");
            assert!(arrived[before].body.contains("first-t0ken"), "{}", arrived[before].body);
        }
        for sent in [Some(Signal::TERM), Some(Signal::INT), None] {
            let before = bench.site.arrived().len();
            bench.reset();
            let mut server = bench.start(&["serve"]);
            let mut input = server.stdin.take().unwrap();
            input.write_all(call_lines(TOOL, &json!({})).as_bytes()).await.unwrap();
            bench.site.wait_for(before + 1).await;
            match sent {
                Some(sent) => signal(&server, sent),
                // The client goes away.
                None => drop(input),
            }
            assert_eq!(server.wait().await.unwrap().code(), Some(0), "{sent:?}");
            assert_eq!(bench.held(), "next-t0ken", "serve on stdio, {sent:?}");
        }
        let before = bench.site.arrived().len();
        bench.reset();
        let mut doctor = bench.start(&["doctor", "--vendor", "jsm"]);
        bench.site.wait_for(before + 1).await;
        signal(&doctor, Signal::TERM);
        doctor.wait().await.unwrap();
        assert_eq!(bench.held(), "next-t0ken", "doctor");
    }

    #[tokio::test]
    async fn no_stop_over_http_loses_a_refresh_token() {
        use tokio::io::{AsyncBufReadExt as _, BufReader};
        let bench = bench("stops-tokens-http", || ()).await;
        let mut server = bench.start(&["serve", "--http", "127.0.0.1:0"]);
        let mut log = BufReader::new(server.stderr.take().unwrap()).lines();
        let ready = log.next_line().await.unwrap().unwrap();
        let address = ready.rsplit_once(" at ").map(|(_, address)| address.to_owned()).unwrap();
        let calling = tokio::spawn(async move { call_over_http(&address).await });
        bench.site.wait_for(1).await;
        signal(&server, Signal::TERM);
        assert_eq!(server.wait().await.unwrap().code(), Some(0));
        assert_eq!(bench.held(), "next-t0ken");
        calling.abort();
    }

    /// A disk that is full by the time the token arrives: a small one of its own, where the system lets us have one.
    #[tokio::test]
    async fn a_disk_that_fills_up_meanwhile_loses_no_token() {
        let can_mount = "mount -t tmpfs -o size=64k none /mnt";
        let isolated = |script: &str| {
            let mut command = tokio::process::Command::new("unshare");
            command.args(["--user", "--map-root-user", "--mount", "sh", "-c", script]).kill_on_drop(true);
            command
        };
        if !isolated(can_mount).output().await.is_ok_and(|output| output.status.success()) {
            // The unit test of the reservation shows that the room is on the disk before.
            eprintln!("not run: this system has no disks for users (unshare --mount)");
            return;
        }
        let process: Arc<Mutex<Option<u32>>> = Arc::default();
        let bench = bench("stops-full", {
            let process = Arc::clone(&process);
            move || {
                let disk = format!("/proc/{}/root/mnt", process.lock().unwrap().unwrap());
                // In steps down to the last byte.
                let mut fill = std::fs::File::create(format!("{disk}/fill")).unwrap();
                while std::io::Write::write_all(&mut fill, &[b'x'; 512]).is_ok() {}
                assert!(std::fs::write(format!("{disk}/more"), [b'x'; 4_096]).is_err(), "the disk is not full");
            }
        })
        .await;
        let program = env!("CARGO_BIN_EXE_toolwright");
        let script = format!(
            "{can_mount} && echo first-t0ken >/mnt/token && export JSM_REFRESH_TOKEN_FILE=/mnt/token && \
             {program} call {TOOL}; echo \"code $?\"; cat /mnt/token"
        );
        let mut command = isolated(&script);
        command.envs(bench.variables.iter().map(|(name, value)| (*name, value.as_str())));
        let running = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        *process.lock().unwrap() = running.id();
        let output = running.wait_with_output().await.unwrap();
        let stdout = String::from_utf8_lossy(&output.stdout);
        assert!(stdout.ends_with("code 0\nnext-t0ken\n"), "{stdout}{}", String::from_utf8_lossy(&output.stderr));
    }
}
