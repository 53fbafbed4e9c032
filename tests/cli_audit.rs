//! `toolwright call --audit` passes the same gate as a call over MCP: what never reaches a vendor is
//! recorded too.

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;

fn fresh(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("cli-audit-{name}.jsonl"));
    let _ = std::fs::remove_file(&path);
    path
}

/// Runs `toolwright call` with nothing configured.
fn call(record: &PathBuf, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_toolwright"))
        .arg("call")
        .args(arguments)
        .arg("--audit")
        .arg(record)
        .env_clear()
        .output()
        .unwrap()
}

fn lines(record: &PathBuf) -> Vec<Value> {
    let text = std::fs::read_to_string(record).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn calls_that_are_not_sent_are_recorded() {
    for (name, arguments, code, message, decision, tool) in [
        (
            "refused",
            ["jitbit_close_ticket", "ticketId=8"].as_slice(),
            2,
            "`jitbit_close_ticket` is held back: its effect is `write`\nhint: `--methods write` would allow it",
            "refused",
            "jitbit_close_ticket",
        ),
        ("unknown", &["no_such_tool"], 2, "unknown tool `no_such_tool`", "invalid", "no_such_tool"),
        (
            "not-configured",
            &["jitbit_get_ticket_record", "ticketId=8"],
            2,
            "no credentials",
            "invalid",
            "jitbit_get_ticket_record",
        ),
        (
            "arguments",
            &["jitbit_get_ticket_record", "--sandbox", "id=8"],
            1,
            "the arguments of jitbit_get_ticket_record were not accepted",
            "invalid",
            "jitbit_get_ticket_record",
        ),
    ] {
        let record = fresh(name);
        let output = call(&record, arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{name}: {stderr}");
        assert!(stderr.contains(message), "{name}: {stderr}");
        assert!(output.stdout.is_empty(), "{name}");
        let lines = lines(&record);
        let [line] = lines.as_slice() else { panic!("{name}: {lines:#?}") };
        let (event, outcome) = (&line["event"], &line["outcome"]);
        assert_eq!((event.as_str(), outcome.as_str()), (Some("call"), Some("not_sent")), "{name}: {line}");
        assert_eq!((&line["decision"], &line["tool"]), (&decision.into(), &tool.into()), "{name}: {line}");
        assert_eq!(line["client"], "toolwright call", "{name}: {line}");
    }
}

#[test]
fn the_arguments_of_a_refused_call_are_recorded_without_secrets() {
    let record = fresh("secrets");
    let output = call(&record, &["jitbit_create_user", "username=pat", "email=pat@example.com", "password=pl4nted"]);
    assert_eq!(output.status.code(), Some(2));
    let lines = lines(&record);
    assert_eq!(lines[0]["arguments"]["username"], "pat", "{lines:?}");
    assert_eq!(lines[0]["arguments"]["password"], "***", "{lines:?}");
}
