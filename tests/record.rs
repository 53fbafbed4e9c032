//! The audit log of calls: its content, that edits are detected, and that no call which reached the
//! vendor is missing when the process is killed.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use toolwright::audit::{Audit, Report, verify};
use toolwright::call::{Caller, Toolbox};
use toolwright::mcp_result::OUTCOME;
use toolwright::policy::{Defaults, SelectionWords};
use toolwright::sandbox::Sandbox;

use crate::common::{call, everything, jitbit_at, meta, nothing, result, sandbox, text, toolbox};

fn fresh(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("record-{name}.jsonl"));
    let _ = std::fs::remove_file(&path);
    path
}

fn recording(sandbox: &Sandbox, path: &Path) -> Toolbox {
    toolbox(sandbox, &everything(), Defaults::Reads).with_record(Some(Audit::open(path).unwrap()))
}

fn lines(path: &Path) -> Vec<Value> {
    std::fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn verified(path: &Path) -> Report {
    verify(std::io::BufReader::new(std::fs::File::open(path).unwrap())).unwrap()
}

#[tokio::test]
async fn a_read_is_one_line_and_a_change_two() {
    let script = json!([{
        "operation": "closeTicket",
        "answer": {"status": 200, "headers": {"X-Request-Id": "req-1"}, "body": {}},
    }]);
    let sandbox = sandbox(Some(&script.to_string())).await;
    let path = fresh("lines");
    let toolbox = recording(&sandbox, &path);
    call(&toolbox, "jitbit_get_ticket_record", json!({"ticketId": 7})).await.unwrap();
    let caller = Caller { client: Some("a client 1.0".to_owned()), ..Caller::default() };
    let arguments = json!({"ticketId": 8}).as_object().cloned().unwrap();
    toolbox.call_as(&caller, "jitbit_close_ticket", arguments).await.unwrap();
    let lines = lines(&path);
    let [read, intent, outcome] = lines.as_slice() else { panic!("{lines:#?}") };
    assert_eq!((&read["event"], &read["outcome"], &read["status"]), (&json!("call"), &json!("answered"), &json!(200)));
    for (entry, expected) in [
        ("event", json!("intent")),
        ("client", json!("a client 1.0")),
        ("vendor", json!("jitbit")),
        ("tool", json!("jitbit_close_ticket")),
        ("operation", json!("closeTicket")),
        ("effect", json!("write")),
        ("arguments", json!({"ticketId": 8})),
        ("decision", json!("allowed")),
    ] {
        assert_eq!(intent[entry], expected, "{entry}");
    }
    assert!(intent["site"].as_str().unwrap().starts_with("http://127.0.0.1:"));
    assert!(intent["time"].as_str().unwrap().ends_with('Z'));
    assert_eq!(outcome["id"], intent["seq"]);
    assert_eq!((&outcome["outcome"], &outcome["request_id"]), (&json!("answered"), &json!("req-1")));
    assert!(outcome["duration_ms"].is_u64());
    let report = verified(&path);
    assert_eq!((report.lines, report.fault, report.unfinished.len()), (3, None, 0));
}

#[tokio::test]
async fn refused_and_failed_calls_are_recorded() {
    let script = json!([{"operation": "closeTicket", "answer": {"close": true}}]).to_string();
    let sandbox = sandbox(Some(&script)).await;
    let path = fresh("failures");
    let toolbox =
        toolbox(&sandbox, &SelectionWords::default(), Defaults::Reads).with_record(Some(Audit::open(&path).unwrap()));
    call(&toolbox, "jitbit_close_ticket", json!({"ticketId": 8})).await.unwrap_err();
    call(&toolbox, "jitbit_get_ticket_record", json!({"id": 8})).await.unwrap_err();
    call(&toolbox, "no_such_tool", json!({"password": "pl4nted"})).await.unwrap_err();
    drop(toolbox);
    call(&recording(&sandbox, &path), "jitbit_close_ticket", json!({"ticketId": 8})).await.unwrap_err();
    let outcomes: Vec<(Value, Value)> =
        lines(&path).iter().map(|line| (line["decision"].clone(), line["outcome"].clone())).collect();
    let word = |word: &str| json!(word);
    assert_eq!(
        outcomes,
        [
            (word("refused"), word("not_sent")),
            (word("invalid"), word("not_sent")),
            (word("invalid"), word("not_sent")),
            (word("allowed"), Value::Null),
            (Value::Null, word("unknown")),
        ]
    );
}

#[tokio::test]
async fn a_dropped_call_is_recorded_with_an_unknown_outcome() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let path = fresh("cancelled");
    let toolbox = jitbit_at(&address, Duration::from_secs(60)).with_record(Some(Audit::open(&path).unwrap()));
    let call = tokio::spawn(async move { call(&toolbox, "jitbit_close_ticket", json!({"ticketId": 8})).await });
    let _held = listener.accept().await.unwrap();
    call.abort();
    let _ = call.await;
    let lines = lines(&path);
    assert_eq!(lines.len(), 2);
    assert_eq!((&lines[1]["event"], &lines[1]["outcome"]), (&json!("outcome"), &json!("unknown")));
}

#[tokio::test]
async fn secrets_and_long_texts_stay_out() {
    let sandbox = sandbox(None).await;
    let path = fresh("secrets");
    let toolbox = recording(&sandbox, &path);
    let arguments = json!({"username": "pat", "email": "pat@example.com", "password": "pl4nted"});
    call(&toolbox, "jitbit_create_user", arguments).await.unwrap();
    let arguments = json!({"ticketId": 8, "body": "long ".repeat(10_000), "forTechsOnly": true});
    call(&toolbox, "jitbit_add_comment", arguments).await.unwrap();
    let written = std::fs::read_to_string(&path).unwrap();
    assert!(written.contains("\"password\":\"***\"") && written.contains("(50000 characters)"), "{written}");
    assert!(!written.contains("pl4nted") && !written.contains("test-token"));
    assert!(written.len() < 6_000, "{}", written.len());
    assert!(!format!("{:?}", Audit::open(&fresh("debug"))).contains("pl4nted"));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn changes_are_refused_while_the_log_is_unwritable() {
    let sandbox = sandbox(None).await;
    // A disk that is full.
    let toolbox = recording(&sandbox, Path::new("/dev/full"));
    let refused = result(&toolbox, "jitbit_close_ticket", json!({"ticketId": 8})).await;
    assert_eq!(meta(&refused, OUTCOME), Some(&json!("not_sent")));
    assert!(text(&refused).contains("`/dev/full` can't be written: No space left"), "{}", text(&refused));
    assert!(sandbox.record().is_empty());
    call(&toolbox, "jitbit_get_stats", nothing()).await.expect("reading goes on");
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_reads_a_log_and_one_process_writes_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let path = fresh("mode");
    std::fs::write(&path, "").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let first = Audit::open(&path).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let second = Audit::open(&path).unwrap_err().to_string();
    assert!(second.contains("is in use by another toolwright"), "{second}");
    drop(first);
    let other = fresh("no-record");
    std::fs::write(&other, "{\"name\": \"something else\"}\n").unwrap();
    let refused = Audit::open(&other).unwrap_err().to_string();
    assert!(refused.contains("is not an audit log of toolwright"), "{refused}");
    assert_eq!(std::fs::read_to_string(&other).unwrap(), "{\"name\": \"something else\"}\n");
}

#[tokio::test]
async fn edits_of_a_log_are_detected_and_a_torn_end_is_no_fault() {
    let sandbox = sandbox(None).await;
    let path = fresh("chain");
    for ticket in 1..=3 {
        call(&recording(&sandbox, &path), "jitbit_close_ticket", json!({"ticketId": ticket})).await.unwrap();
    }
    let whole = std::fs::read_to_string(&path).unwrap();
    assert_eq!(verified(&path).lines, 6, "three processes, one chain");
    let lines: Vec<&str> = whole.split_inclusive('\n').collect();
    let forged = |text: String| verify(text.as_bytes()).unwrap().fault.map(|fault| fault.line);
    assert_eq!(forged(whole.replace("\"ticketId\":2", "\"ticketId\":9")), Some(3));
    assert_eq!(forged([lines[0], lines[1], lines[4], lines[5]].concat()), Some(3));
    assert_eq!(forged([lines[0], lines[1], lines[3], lines[2]].concat()), Some(3));
    assert_eq!(forged(lines[2..].concat()), Some(1));
    assert_eq!(forged([lines[0], "{\"torn\n", lines[1]].concat()), Some(2));
    assert_eq!(forged("\n".repeat(10)), Some(1));
    assert_eq!(forged("x".repeat(3_000_000)), Some(1));
    // Stopped while writing, at every point of the last line.
    let before = lines[..5].concat();
    for cut in 0..lines[5].len() {
        std::fs::write(&path, before.clone() + &lines[5][..cut]).unwrap();
        let report = verified(&path);
        assert_eq!((report.lines, report.torn, report.fault, report.unfinished.len()), (5, cut, None, 1));
        if cut % 50 == 1 {
            drop(Audit::open(&path).unwrap());
            // And again, while that was being mended.
            let length = std::fs::metadata(&path).unwrap().len();
            std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(length - 20).unwrap();
            call(&recording(&sandbox, &path), "jitbit_get_stats", nothing()).await.unwrap();
            let report = verified(&path);
            assert_eq!((report.lines, report.torn, report.fault), (7, 0, None), "{cut}");
        }
    }
}

/// The tickets of which a record has an intent.
fn intended(path: &Path) -> BTreeSet<u64> {
    let text = String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
    let whole = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    whole.filter(|line| line["event"] == "intent").filter_map(|line| line["arguments"]["ticketId"].as_u64()).collect()
}

#[tokio::test]
#[ignore = "no test of its own: the process that the next test starts and kills"]
async fn changes_many_tickets() {
    let job = std::env::var("TOOLWRIGHT_TEST_CHANGES").expect("another test starts this one");
    let job: Value = serde_json::from_str(&job).unwrap();
    let toolbox = jitbit_at(job["address"].as_str().unwrap(), Duration::from_secs(20))
        .with_record(Some(Audit::open(Path::new(job["record"].as_str().unwrap())).unwrap()));
    let first = job["first"].as_u64().unwrap();
    println!("ready");
    std::io::stdout().flush().unwrap();
    for pair in 0..100 {
        let ticket = first + pair * 2;
        // Two at a time, so that intents and outcomes mix.
        let (one, other) = tokio::join!(
            call(&toolbox, "jitbit_close_ticket", json!({"ticketId": ticket})),
            call(&toolbox, "jitbit_close_ticket", json!({"ticketId": ticket + 1})),
        );
        let _ = (one, other);
    }
}

#[tokio::test]
async fn no_call_is_missing_whenever_the_process_ends() {
    let sandbox = sandbox(None).await;
    let path = fresh("killed");
    let mut arrived = 0;
    let mut unfinished = 0;
    for round in 0..12_u64 {
        let job = json!({"address": sandbox.address("jitbit"), "record": path, "first": 1_000 * (round + 1)});
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "record::changes_many_tickets", "--nocapture"])
            .env("TOOLWRIGHT_TEST_CHANGES", job.to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut output = std::io::BufReader::new(child.stdout.take().unwrap());
        tokio::task::spawn_blocking(move || {
            let mut line = String::new();
            while std::io::BufRead::read_line(&mut output, &mut line).unwrap() > 0 && !line.contains("ready") {}
        })
        .await
        .unwrap();
        // The last round is left to its end: the chain goes on after every kill.
        if round < 11 {
            tokio::time::sleep(Duration::from_micros(fastrand::u64(0..250_000))).await;
            child.kill().unwrap();
        }
        tokio::task::spawn_blocking(move || child.wait().unwrap()).await.unwrap();
        // What was sent just before the end may still be on its way.
        tokio::time::sleep(Duration::from_millis(50)).await;
        let report = verified(&path);
        assert_eq!(report.fault, None, "round {round}");
        unfinished = report.unfinished.len();
        let intended = intended(&path);
        for request in sandbox.take_record() {
            let pairs = url::form_urlencoded::parse(request.query.as_bytes());
            let ticket = pairs.into_iter().find_map(|(name, value)| (name == "id").then(|| value.into_owned()));
            let ticket: u64 = ticket.unwrap().parse().unwrap();
            assert!(intended.contains(&ticket), "round {round}: ticket {ticket} was changed without a record");
            arrived += 1;
        }
    }
    assert!(arrived >= 200, "{arrived}");
    assert!(unfinished <= 22, "at most two calls were under way at each kill: {unfinished}");
}
