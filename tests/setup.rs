//! `toolwright setup`: what a person types → an account that `serve`, `call` and `install` use.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::common;
use crate::common::network::fresh_folder;

/// Runs the program with a home and lines on standard input, and nothing of this process's environment.
fn run(home: &Path, words: &[&str], input: &str) -> (Option<i32>, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_toolwright"))
        .args(words)
        .env_clear()
        .env("HOME", home)
        .env("NO_COLOR", "1")
        .current_dir(home)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may end before it has read everything.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    (status.code(), format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr)))
}

fn settings(home: &Path) -> PathBuf {
    home.join(".config/toolwright/toolwright.toml")
}

#[tokio::test]
async fn answers_become_an_account_whose_secret_only_its_owner_can_read() {
    let sandbox = common::sandbox(None).await;
    let home = fresh_folder("setup");
    fs::create_dir_all(settings(&home).parent().unwrap()).unwrap();
    fs::write(settings(&home), "# mine\n[profiles.support]\nmethods = [\"read\"] # only\n").unwrap();
    let answers = format!("jitbit\n1\n{}\ns3cret-token\n", sandbox.address("jitbit"));
    let (code, shown) = {
        let home = home.clone();
        tokio::task::spawn_blocking(move || run(&home, &["setup", "--account", "work"], &answers)).await.unwrap()
    };
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("stored the account `work`") && shown.contains("ok: you are"), "{shown}");
    assert!(!shown.contains("s3cret"), "{shown}");
    let text = fs::read_to_string(settings(&home)).unwrap();
    assert!(text.starts_with("# mine\n") && text.contains("# only") && text.contains("[accounts.work]"), "{text}");
    assert!(!text.contains("s3cret"), "{text}");
    let secret = home.join(".config/toolwright/secrets/work-JITBIT_TOKEN");
    assert_eq!(fs::read_to_string(&secret).unwrap(), "s3cret-token");
    #[cfg(unix)]
    for path in [secret.clone(), settings(&home)] {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600, "{}", path.display());
    }
    assert_eq!(sandbox.record().len(), 1, "one login");
    // A client needs no variable then, and uninstalling keeps what the account names.
    let (code, shown) = run(&home, &["install", "cursor", "--yes", "--command", "/opt/toolwright"], "");
    assert_eq!(code, Some(0), "{shown}");
    let entry = fs::read_to_string(home.join(".cursor/mcp.json")).unwrap();
    assert!(entry.contains("\"jitbit\"") && !entry.contains("env"), "{entry}");
    let (code, shown) = run(&home, &["install", "cursor", "--uninstall", "--yes"], "");
    assert!(code == Some(0) && secret.is_file() && !home.join(".cursor").exists(), "{shown}");
}

#[test]
fn what_can_not_be_used_is_not_stored() {
    let home = fresh_folder("setup-refused");
    for (words, input, part) in [
        (&["setup"][..], "jitbits\n", "there is no vendor `jitbits`"),
        (&["setup", "--vendor", "jitbit"], "3\n", "a number from 1 to 2"),
        (&["setup", "--vendor", "jitbit"], "1\nhttps://acme.jitbit.com\n", "nothing was stored"),
        (&["setup", "--vendor", "jitbit"], "1\nhttps://acme.jitbit.com\n\n", "`JITBIT_TOKEN` is needed"),
        (&["setup", "--vendor", "jitbit"], "1\nhttps://acme.jitbit.com\nBearer s3cret\n", "holds `Bearer` before"),
        (&["setup", "--vendor", "jitbit"], "1\nhttp://acme.example.com\ns3cret\n", "is not encrypted"),
    ] {
        let (code, shown) = run(&home, words, input);
        assert!(code == Some(2) && shown.contains(part) && !shown.contains("s3cret"), "{part}: {code:?} {shown}");
        assert!(!home.join(".config").exists(), "{part}");
    }
    fs::create_dir_all(settings(&home).parent().unwrap()).unwrap();
    fs::write(settings(&home), "accounts = [s3cret\n").unwrap();
    let (code, shown) = run(&home, &["setup", "--vendor", "jitbit"], "1\nhttps://acme.jitbit.com\nt0ken\n");
    assert!(code == Some(2) && shown.contains("left as it is") && !shown.contains("s3cret"), "{shown}");
    assert!(!home.join(".config/toolwright/secrets").exists());
}
