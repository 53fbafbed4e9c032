//! Whole runs of the command line: arguments → output and exit code. The cases are the Markdown
//! files in tests/cli; `TRYCMD=overwrite` writes what is printed now into them.

use std::process::{Command, Output};

use crate::common;

#[test]
fn command_lines_print_what_tests_cli_shows() {
    let cases = trycmd::TestCases::new();
    for variable in VARIABLES {
        cases.env(*variable, "");
    }
    cases.env("NO_COLOR", "1").case("tests/cli/*.md");
}

/// Variables of the person who runs the tests are emptied; empty counts as unset.
const VARIABLES: &[&str] = &[
    "JITBIT_URL",
    "JITBIT_TOKEN",
    "JITBIT_TOKEN_FILE",
    "JITBIT_USER",
    "JITBIT_USER_FILE",
    "JITBIT_PASSWORD",
    "JITBIT_PASSWORD_FILE",
    "TOOLWRIGHT_VENDOR",
    "TOOLWRIGHT_METHODS",
    "TOOLWRIGHT_TAGS",
    "TOOLWRIGHT_TOOLS",
    "TOOLWRIGHT_EXCLUDE",
    "TOOLWRIGHT_ALLOW",
    "TOOLWRIGHT_CONFIRM",
];

/// Runs the program with these variables set.
fn run(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_toolwright"));
    command.args(arguments).envs(VARIABLES.iter().map(|variable| (*variable, ""))).env("NO_COLOR", "1");
    command.envs(environment.iter().copied()).output().unwrap()
}

fn both(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Runs the program while the sandbox of this test answers.
async fn run_beside_sandbox(arguments: &'static [&'static str], environment: Vec<(&'static str, String)>) -> Output {
    tokio::task::spawn_blocking(move || {
        let environment: Vec<(&str, &str)> = environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
        run(arguments, &environment)
    })
    .await
    .unwrap()
}

#[tokio::test]
async fn doctor_reports_the_account_after_one_login() {
    let sandbox = common::sandbox(None).await;
    let url = format!("{}/api/", sandbox.address("jitbit"));
    let output =
        run_beside_sandbox(&["doctor"], vec![("JITBIT_URL", url), ("JITBIT_TOKEN", "s3cret-token".to_owned())]).await;
    let shown = both(&output);
    assert_eq!(output.status.code(), Some(0), "{shown}");
    assert!(shown.contains("login        ok: you are") && shown.contains("bearer token from JITBIT_TOKEN"), "{shown}");
    let served = String::from_utf8(run(&["catalog", "list", "--served", "--format", "json"], &[]).stdout).unwrap();
    let served: Vec<serde_json::Value> = serde_json::from_str(&served).unwrap();
    let count = served.iter().filter(|tool| tool["vendor"] == "jitbit").count();
    let first = format!("Jitbit Helpdesk: `serve` with the same flags offers {count} of ");
    assert!(shown.starts_with(&first), "{first}: {shown}");
    assert!(!shown.contains("s3cret-token"));
    let recorded = sandbox.record();
    assert_eq!(recorded.len(), 1);
    assert_eq!((recorded[0].method.as_str(), recorded[0].path.as_str()), ("POST", "/api/Authorization"));
}

#[tokio::test]
async fn doctor_never_repeats_a_refused_login() {
    let sandbox = common::sandbox(None).await;
    let environment = vec![
        ("JITBIT_URL", sandbox.address("jitbit")),
        ("JITBIT_USER", "ACME\\pat".to_owned()),
        ("JITBIT_PASSWORD", "wrong".to_owned()),
    ];
    let output = run_beside_sandbox(&["doctor"], environment).await;
    let shown = both(&output);
    assert_eq!(output.status.code(), Some(1), "{shown}");
    assert!(shown.contains("401") && shown.contains("don't try again"), "{shown}");
    assert!(!shown.contains("toolwright doctor"), "it is running: {shown}");
    assert_eq!(sandbox.record().len(), 1, "three wrong logins lock the address out");
}

#[test]
fn doctor_notices_what_was_pasted_along() {
    for (url, token, expected) in [
        ("https://x.jitbit.com", "Bearer s3cret", "not usable   `JITBIT_TOKEN` holds `Bearer` before the value itself"),
        ("https://x.jitbit.com/User/Ticket", "s3cret", "hint: the root is needed: `https://x.jitbit.com`"),
    ] {
        let output = run(&["doctor", "--vendor", "jitbit"], &[("JITBIT_URL", url), ("JITBIT_TOKEN", token)]);
        let shown = both(&output);
        assert_eq!(output.status.code(), Some(2), "{shown}");
        assert!(shown.contains(expected) && !shown.contains("s3cret"), "{shown}");
    }
}

#[tokio::test]
async fn credentials_are_read_from_files() {
    let sandbox = common::sandbox(None).await;
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("token.txt");
    std::fs::write(&path, "token-from-file\n").unwrap();
    let environment =
        vec![("JITBIT_URL", sandbox.address("jitbit")), ("JITBIT_TOKEN_FILE", path.to_string_lossy().into_owned())];
    let output = run_beside_sandbox(&["call", "jitbit_list_priorities"], environment).await;
    assert_eq!(output.status.code(), Some(0), "{}", both(&output));
    assert_eq!(sandbox.record().len(), 1);
}

#[test]
fn an_incomplete_configuration_names_the_missing_variables() {
    for (environment, expected) in [
        (&[("JITBIT_TOKEN", "t0ken")][..], "`JITBIT_URL` is not set"),
        (&[("JITBIT_URL", "https://acme.example.com")], "no credentials are"),
        (&[("JITBIT_URL", "https://acme.example.com"), ("JITBIT_USER", "pat")], "`JITBIT_PASSWORD` is not set"),
        (&[("JITBIT_URL", "http://acme.example.com"), ("JITBIT_TOKEN", "t0ken")], "is not encrypted"),
        (&[("JITBIT_URL", "https://u:t0ken@acme.example.com"), ("JITBIT_TOKEN", "x")], "holds credentials"),
        (&[("JITBIT_URL", "https://acme.example.com"), ("JITBIT_TOKEN_FILE", "/no/such/file")], "can't be read"),
        (&[("JITBIT_URL", "https://acme.example.com"), ("JITBIT_TOKEN", "t0ken\nx: y")], "no HTTP header can carry"),
    ] {
        let output = run(&["call", "jitbit_get_stats"], environment);
        let shown = both(&output);
        assert_eq!(output.status.code(), Some(2), "{environment:?}: {shown}");
        assert!(shown.contains(expected), "{environment:?}: {shown}");
        assert!(!shown.contains("t0ken"), "{shown}");
    }
}

#[test]
fn a_profile_selects_and_a_flag_replaces_its_list() {
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("profiles.toml");
    std::fs::write(&path, "[profiles.support]\nmethods = [\"write\"]\ntags = [\"comments\"]\n").unwrap();
    let path = path.to_string_lossy();
    let list = |more: &[&str]| {
        let arguments = [&["catalog", "list", "--served", "--config", &*path, "--profile", "support"], more].concat();
        String::from_utf8(run(&arguments, &[]).stdout).unwrap()
    };
    assert!(list(&[]).contains("jitbit_add_comment") && !list(&[]).contains("jitbit_list_comments"));
    let replaced = list(&["--methods", "read"]);
    assert!(replaced.contains("jitbit_list_comments") && !replaced.contains("jitbit_add_comment"));
    let output = run(&["catalog", "list", "--config", &path, "--profile", "sales"], &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(both(&output).contains("no profile `sales`\nhint: there are support"), "{}", both(&output));
}

#[test]
fn a_settings_file_that_is_named_is_read() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let (missing, broken) = (folder.join("none.toml"), folder.join("broken.toml"));
    std::fs::write(&broken, "profiles = 5\n").unwrap();
    for (path, expected) in [(missing, "can't be read"), (broken, "invalid type")] {
        let output = run(&["catalog", "list", "--config", &path.to_string_lossy()], &[]);
        assert_eq!(output.status.code(), Some(2), "{}", both(&output));
        assert!(both(&output).contains(expected) && output.stdout.is_empty(), "{}", both(&output));
    }
}

#[test]
fn arguments_are_read_from_standard_input() {
    use std::io::Write as _;
    let mut child = Command::new(env!("CARGO_BIN_EXE_toolwright"))
        .args(["call", "jitbit_search_tickets", "--args", "-", "--sandbox"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"{\"query\": \"printer\"}").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8(output.stdout).unwrap().contains("\"Subject\""));
}

#[test]
fn audit_verify_names_the_faults_of_a_log() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let path = folder.join("cli-record.jsonl");
    let _ = std::fs::remove_file(&path);
    let path = path.to_string_lossy().into_owned();
    let close = ["call", "jitbit_close_ticket", "ticketId=7", "--methods", "write", "--sandbox", "--audit", &path];
    assert_eq!(run(&close, &[]).status.code(), Some(0));
    let output = run(&["audit", "verify", &path], &[]);
    assert_eq!(output.status.code(), Some(0), "{}", both(&output));
    assert!(both(&output).starts_with("whole up to line 2, "), "{}", both(&output));
    let text = std::fs::read_to_string(&path).unwrap();
    let (intent, _) = text.split_once('\n').unwrap();
    std::fs::write(&path, format!("{intent}\n")).unwrap();
    let output = run(&["audit", "verify", &path], &[]);
    assert_eq!(output.status.code(), Some(0));
    assert!(both(&output).contains("no outcome: line 1, ") && both(&output).contains("jitbit_close_ticket"));
    std::fs::write(&path, text.replace("\"ticketId\":7", "\"ticketId\":8")).unwrap();
    let output = run(&["audit", "verify", &path], &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        both(&output).contains(": its text does not match its hash; nothing from there on is proved"),
        "{}",
        both(&output)
    );
    assert_eq!(run(&["audit", "verify", "/no/such/file"], &[]).status.code(), Some(2));
}

/// Starts `serve` over the sandbox and leaves its input open.
#[cfg(unix)]
fn serving(more: &[&str]) -> (std::process::Child, std::io::BufReader<std::process::ChildStderr>) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_toolwright"))
        .args([&["serve", "--sandbox"], more].concat())
        .env("RUST_LOG", "info")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut errors = std::io::BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("tools of the sandbox on stdio") {
        line.clear();
        assert!(std::io::BufRead::read_line(&mut errors, &mut line).unwrap() > 0, "ended before it served");
    }
    (child, errors)
}

#[cfg(unix)]
#[test]
fn a_stdio_server_stops_on_a_signal() {
    use std::io::Write as _;
    for speaks in [false, true] {
        let (mut child, _errors) = serving(&[]);
        let mut input = child.stdin.take().unwrap();
        if speaks {
            let hello = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"test","version":"1"}}}"#;
            writeln!(input, "{hello}").unwrap();
            let mut answer = String::new();
            let mut output = std::io::BufReader::new(child.stdout.take().unwrap());
            std::io::BufRead::read_line(&mut output, &mut answer).unwrap();
            assert!(answer.contains("serverInfo"), "{answer}");
            writeln!(input, r#"{{"jsonrpc":"2.0","method":"notifications/initialized"}}"#).unwrap();
        }
        assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
        let asked = std::time::Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if asked.elapsed() > std::time::Duration::from_secs(10) {
                child.kill().unwrap();
                panic!("still there 10 s after the signal");
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        };
        // Its input is still open, so the signal has ended it.
        drop(input);
        assert_eq!(status.code(), Some(0), "{speaks}: {status:?}");
    }
}

#[cfg(unix)]
#[test]
fn logs_are_json_with_log_format_json() {
    use std::io::{BufRead as _, Write as _};
    let (mut child, errors) = serving(&["--log-format", "json"]);
    let hello = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"test","version":"1"}}}"#;
    let mut input = child.stdin.take().unwrap();
    writeln!(input, "{hello}").unwrap();
    writeln!(input, r#"{{"jsonrpc":"2.0","method":"notifications/initialized"}}"#).unwrap();
    drop(input);
    let lines: Vec<String> = errors.lines().map(Result::unwrap).collect();
    child.wait().unwrap();
    assert!(!lines.is_empty(), "RUST_LOG=info logs something");
    for line in lines {
        let entry: serde_json::Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("no JSON: {line}"));
        assert!(entry["level"].is_string() && entry["timestamp"].is_string(), "{entry}");
    }
}

#[test]
fn with_log_format_json_the_first_line_is_json_too() {
    let output = run(&["serve", "--sandbox", "--log-format", "json"], &[]);
    let text = String::from_utf8(output.stderr).unwrap();
    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let message = lines[0]["message"].as_str().unwrap();
    assert!(message.contains("tools of the sandbox on stdio") && lines[0]["level"] == "INFO", "{text}");
    // Also where it does not start.
    let output = run(&["serve", "--vendor", "jitbit", "--log-format", "json"], &[]);
    let text = String::from_utf8(output.stderr).unwrap();
    let line: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert!(line["level"] == "ERROR" && line["message"].as_str().unwrap().contains("JITBIT_URL"), "{text}");
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn the_version_names_what_was_built() {
    let output = run(&["--version"], &[]);
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], concat!("toolwright ", env!("CARGO_PKG_VERSION")));
    for (line, start) in lines[1..].iter().zip(["commit: ", "target: ", "vendors: jitbit", "traces: ", "keyring: "]) {
        assert!(line.starts_with(start), "{start}: {text}");
    }
    let short = String::from_utf8(run(&["-V"], &[]).stdout).unwrap();
    assert_eq!(short.trim_end(), lines[0]);
}
