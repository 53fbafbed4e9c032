//! Secrets in the keyring of the operating system. The tests that are ignored start a D-Bus session and GNOME Keyring of their
//! own, in a folder of their own, and call the program as a user does.

use std::collections::HashMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use secret_service::{EncryptionType, SecretService};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::common::network::{fresh_folder, run, signal, toolwright};
use crate::common::whoami::WhoAmI;

const PASSWORD: &str = "throwaway";
const ENTRY: &str = "toolwright/work-JITBIT_TOKEN";
/// How a keyring is unlocked without a desktop.
const UNLOCK: [&str; 3] = ["--replace", "--unlock", "--components=secrets"];
const NO_SERVICE: &str = "no keyring service answers on this machine";

/// A D-Bus session without services, and a home.
struct Session {
    home: PathBuf,
    runtime: PathBuf,
    address: String,
    bus: Child,
    keyring: Option<Child>,
}

impl Session {
    async fn start(name: &str) -> Self {
        let home = fresh_folder(name);
        let runtime = home.join("run");
        std::fs::create_dir(&runtime).unwrap();
        std::fs::set_permissions(&runtime, std::fs::Permissions::from_mode(0o700)).unwrap();
        let config = home.join("bus.conf");
        // Of no folder of services: it starts nothing by itself.
        std::fs::write(
            &config,
            "<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN\" \"busconfig.dtd\">\n\
             <busconfig><type>session</type><listen>unix:tmpdir=/tmp</listen><policy context=\"default\">\
             <allow send_destination=\"*\" eavesdrop=\"true\"/><allow eavesdrop=\"true\"/><allow own=\"*\"/></policy></busconfig>\n",
        )
        .unwrap();
        let mut bus = Command::new("dbus-daemon")
            .args(["--nofork", "--nopidfile", "--print-address=1", "--config-file"])
            .arg(&config)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the package dbus-daemon is installed");
        let mut address = String::new();
        BufReader::new(bus.stdout.take().unwrap()).read_line(&mut address).await.unwrap();
        let address = address.trim().to_owned();
        assert!(address.starts_with("unix:"), "{address}");
        Self { home, runtime, address, bus, keyring: None }
    }

    fn variables(&self) -> Vec<(String, String)> {
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        vec![
            ("HOME".to_owned(), text(&self.home)),
            ("XDG_RUNTIME_DIR".to_owned(), text(&self.runtime)),
            ("DBUS_SESSION_BUS_ADDRESS".to_owned(), self.address.clone()),
            ("NO_COLOR".to_owned(), "1".to_owned()),
            // Whatever any library logs is read by the tests, too.
            ("RUST_LOG".to_owned(), "trace".to_owned()),
        ]
    }

    /// Starts GNOME Keyring, which reads the password.
    async fn daemon(&self, words: &[&str]) -> Child {
        let mut command = Command::new("gnome-keyring-daemon");
        command.args(words).env_clear().envs(self.variables()).stdin(Stdio::piped());
        command.stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        let mut daemon = command.spawn().expect("the package gnome-keyring is installed");
        daemon.stdin.take().unwrap().write_all(PASSWORD.as_bytes()).await.unwrap();
        daemon
    }

    /// Unlocks the keyring that is there, as the message says.
    async fn unlock(&mut self) {
        let daemon = self.daemon(&[&["--foreground"][..], &UNLOCK[..]].concat()).await;
        let mut replaced = self.keyring.replace(daemon).unwrap();
        replaced.wait().await.unwrap();
        self.wait_for_keyring().await;
    }

    /// Starts GNOME Keyring, with the keyring `login` open or as it is.
    async fn start_keyring(&mut self, is_unlocked: bool) {
        self.stop_keyring().await;
        let mut words = vec!["--foreground", "--components=secrets"];
        words.extend(is_unlocked.then_some("--unlock"));
        self.keyring = Some(self.daemon(&words).await);
        self.wait_for_keyring().await;
    }

    async fn wait_for_keyring(&self) {
        let begun = Instant::now();
        while self.run(&["setup", "--keyring"], "").await.1.contains(NO_SERVICE) {
            assert!(begun.elapsed() < Duration::from_secs(20), "GNOME Keyring does not answer");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn stop_keyring(&mut self) {
        if let Some(mut keyring) = self.keyring.take() {
            keyring.kill().await.unwrap();
        }
    }

    /// Runs the program with lines on standard input: exit code, and what it wrote.
    async fn run(&self, words: &[&str], input: &str) -> (Option<i32>, String) {
        self.run_with(words, input, &[]).await
    }

    async fn run_with(&self, words: &[&str], input: &str, more: &[(&str, &str)]) -> (Option<i32>, String) {
        let mut command = toolwright(words, &[]);
        command.envs(self.variables()).envs(more.iter().copied()).current_dir(&self.home);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // It may end before it has read everything.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes()).await;
        let output = child.wait_with_output().await.unwrap();
        let (out, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        // The vendor's answer has the token as a name, on standard output.
        assert!(!error.contains("t0ken"), "{error}");
        (output.status.code(), in_one_line(&format!("{out}{error}")))
    }

    /// Sets the account `work` up, with its token in the keyring.
    async fn set_up(&self, vendor: &WhoAmI) -> String {
        let answers = format!("1\n{}\nt0ken-of-keyring\n", vendor.url());
        let (code, shown) =
            self.run(&["setup", "--vendor", "jitbit", "--account", "work", "--keyring"], &answers).await;
        assert_eq!(code, Some(0), "{shown}");
        shown
    }

    /// The keyring, as another program opens it.
    async fn keyring(&self) -> SecretService<'static> {
        let connection = zbus::connection::Builder::address(self.address.as_str()).unwrap().build().await.unwrap();
        SecretService::connect_with_existing(EncryptionType::Dh, connection).await.unwrap()
    }

    /// Puts a secret into the keyring as another program does, in place of what is there or beside it.
    async fn put(&self, entry: &str, secret: &str, replace: bool) {
        let service = self.keyring().await;
        let collection = service.get_default_collection().await.unwrap();
        let created = collection.create_item("of a test", attributes(entry), secret.as_bytes(), replace, "text/plain");
        created.await.unwrap();
    }

    /// The secrets of an entry.
    async fn secrets(&self, entry: &str) -> Vec<String> {
        let service = self.keyring().await;
        let found = service.search_items(attributes(entry)).await.unwrap();
        let mut secrets = Vec::new();
        for item in found.unlocked {
            secrets.push(String::from_utf8(item.get_secret().await.unwrap()).unwrap());
        }
        secrets
    }

    fn settings(&self) -> PathBuf {
        self.home.join(".config/toolwright/toolwright.toml")
    }

    async fn end(mut self) {
        self.stop_keyring().await;
        // In order: it removes its socket.
        signal(&self.bus, rustix::process::Signal::TERM);
        self.bus.wait().await.unwrap();
    }
}

/// Without the breaks of lines, which are where the width has them.
fn in_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn attributes(entry: &str) -> HashMap<&str, &str> {
    let (service, user) = entry.split_once('/').unwrap();
    HashMap::from([("service", service), ("username", user)])
}

#[tokio::test]
async fn two_ways_to_give_a_secret_clash() {
    let url = ("JITBIT_URL", "https://acme.example.com");
    let keyring = ("JITBIT_TOKEN_KEYRING", "toolwright/jitbit");
    for (other, value) in [("JITBIT_TOKEN", "s3cret"), ("JITBIT_TOKEN_FILE", "/no/such/file")] {
        let (code, out, error) = run(&["doctor", "--vendor", "jitbit"], &[url, keyring, (other, value)]).await;
        let out = in_one_line(&out);
        let expected = format!("`{other}` and `JITBIT_TOKEN_KEYRING` are both set");
        assert!(code == Some(2) && out.contains(&expected) && out.contains("leave one of the two out"), "{out}{error}");
        assert!(!out.contains("s3cret") && !error.contains("s3cret"), "{out}{error}");
    }
    let (code, _, error) =
        run(&["call", "jitbit_list_priorities"], &[url, ("JITBIT_TOKEN_KEYRING", "s3cr/et+base64==")]).await;
    assert!(code == Some(2) && error.contains("names no entry of a keyring (not shown"), "{error}");
    assert!(!error.contains("s3cr"), "{error}");
}

#[tokio::test]
async fn without_a_keyring_nothing_is_asked_for() {
    let home = fresh_folder("keyring-none");
    let home = home.to_str().unwrap();
    let nowhere = [
        ("HOME", home),
        ("XDG_RUNTIME_DIR", home),
        ("DBUS_SESSION_BUS_ADDRESS", "unix:path=/no/such/bus"),
        ("JITBIT_URL", "https://acme.example.com"),
        ("JITBIT_TOKEN_KEYRING", "toolwright/jitbit"),
    ];
    let (code, _, error) = run(&["call", "jitbit_list_priorities"], &nowhere).await;
    assert!(code == Some(2) && error.contains(NO_SERVICE), "{error}");
    assert!(error.contains("`toolwright/jitbit`") && error.contains("gnome-keyring-daemon --unlock"), "{error}");
    let (code, _, error) = run(&["setup", "--keyring"], &nowhere).await;
    assert!(code == Some(2) && error.contains(NO_SERVICE), "{error}");
    assert!(
        error.contains("nothing was stored") && error.contains("Without `--keyring` secrets go into files"),
        "{error}"
    );
    assert!(!error.contains("no answer to"), "it asked first: {error}");
}

#[ignore = "starts D-Bus and GNOME Keyring"]
#[tokio::test]
async fn what_setup_stores_is_used_and_remove_leaves_nothing() {
    let vendor = WhoAmI::start().await;
    let mut session = Session::start("keyring-setup").await;
    session.start_keyring(true).await;
    let shown = session.set_up(&vendor).await;
    assert!(shown.contains("its secrets in the keyring") && shown.contains("you are t0ken-of-keyring"), "{shown}");
    let text = std::fs::read_to_string(session.settings()).unwrap();
    assert!(text.contains(&format!("JITBIT_TOKEN_KEYRING = \"{ENTRY}\"")) && !text.contains("t0ken"), "{text}");
    assert!(!session.home.join(".config/toolwright/secrets").exists());
    assert_eq!(session.secrets(ENTRY).await, ["t0ken-of-keyring"]);
    vendor.take();
    let (code, shown) = session.run(&["doctor"], "").await;
    assert!(code == Some(0) && shown.contains("from JITBIT_TOKEN_KEYRING"), "{shown}");
    let (code, shown) = session.run(&["call", "jitbit_get_current_user"], "").await;
    assert_eq!(code, Some(0), "{shown}");
    let arrived = vendor.take();
    assert!(
        arrived.len() == 2 && arrived.iter().all(|it| it.authorization.as_deref() == Some("Bearer t0ken-of-keyring"))
    );
    // Set up again with a file: the entry goes. And back: the file goes.
    let answers = format!("1\n{}\nt0ken-of-file\n", vendor.url());
    let (code, shown) = session.run(&["setup", "--vendor", "jitbit", "--account", "work"], &answers).await;
    assert!(code == Some(0) && session.secrets(ENTRY).await.is_empty(), "{shown}");
    let file = session.home.join(".config/toolwright/secrets/work-JITBIT_TOKEN");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "t0ken-of-file");
    session.set_up(&vendor).await;
    assert!(!file.exists() && session.secrets(ENTRY).await == ["t0ken-of-keyring"]);
    let (code, shown) = session.run(&["setup", "--remove", "work"], "").await;
    assert!(code == Some(2) && shown.contains("`--yes` removes it"), "{shown}");
    assert!(session.settings().exists() && session.secrets(ENTRY).await.len() == 1, "nobody has agreed");
    let (code, shown) = session.run(&["setup", "--remove", "jitbit", "--yes"], "").await;
    assert!(code == Some(0) && shown.contains("removed work") && shown.contains(ENTRY), "{shown}");
    assert!(session.secrets(ENTRY).await.is_empty());
    assert!(!session.home.join(".config/toolwright").exists(), "a folder is left");
    let (code, shown) = session.run(&["setup", "--remove"], "").await;
    assert!(code == Some(0) && shown.contains("nothing is there to remove"), "{shown}");
    session.end().await;
}

#[ignore = "starts D-Bus and GNOME Keyring"]
#[tokio::test]
async fn what_can_not_be_read_names_the_command_that_helps() {
    let vendor = WhoAmI::start().await;
    let mut session = Session::start("keyring-faults").await;
    let call = ["call", "jitbit_get_current_user"];
    let (code, shown) = session.run(&["setup", "--keyring"], "").await;
    assert!(code == Some(2) && shown.contains(NO_SERVICE), "a bus without a keyring: {shown}");
    session.start_keyring(true).await;
    session.set_up(&vendor).await;
    session.start_keyring(false).await;
    for words in [&call[..], &["doctor"]] {
        let (code, shown) = session.run(words, "").await;
        assert!(code == Some(2) && shown.contains("the keyring is locked"), "{shown}");
        assert!(shown.contains(&format!("`gnome-keyring-daemon {}`", UNLOCK.join(" "))), "{shown}");
    }
    let (code, shown) = session.run(&["setup", "--remove", "work", "--yes"], "").await;
    assert!(
        code == Some(2) && shown.contains("the keyring is locked") && shown.contains("its account stays"),
        "{shown}"
    );
    assert!(session.settings().exists());
    // What the message names.
    session.unlock().await;
    let (code, shown) = session.run(&call, "").await;
    assert_eq!(code, Some(0), "{shown}");
    session.put(ENTRY, "t0ken-of-another", false).await;
    let (code, shown) = session.run(&call, "").await;
    assert!(code == Some(2) && shown.contains("the keyring has 2 entries of this name"), "{shown}");
    assert!(shown.contains("secret-tool clear service toolwright username work-JITBIT_TOKEN"), "{shown}");
    let service = session.keyring().await;
    for item in service.search_items(attributes(ENTRY)).await.unwrap().unlocked {
        item.delete().await.unwrap();
    }
    let (code, shown) = session.run(&call, "").await;
    assert!(code == Some(2) && shown.contains("the keyring has no such entry"), "{shown}");
    assert!(shown.contains("`toolwright setup --keyring`") && shown.contains("secret-tool store"), "{shown}");
    // What is gone already is no reason to keep the account.
    let (code, shown) = session.run(&["setup", "--remove", "work", "--yes"], "").await;
    assert!(code == Some(0) && !session.settings().exists(), "{shown}");
    session.end().await;
}

#[ignore = "starts D-Bus and GNOME Keyring"]
#[tokio::test]
async fn a_variable_names_an_entry_of_another_program() {
    let vendor = WhoAmI::start().await;
    let mut session = Session::start("keyring-environment").await;
    session.start_keyring(true).await;
    session.put("helpdesk/jitbit", "t0ken-of-another\n", true).await;
    let url = vendor.url();
    let variables = [("JITBIT_URL", url.as_str()), ("JITBIT_TOKEN_KEYRING", "helpdesk/jitbit")];
    let (code, shown) = session.run_with(&["call", "jitbit_get_current_user"], "", &variables).await;
    assert_eq!(code, Some(0), "{shown}");
    assert_eq!(vendor.take().pop().unwrap().authorization.as_deref(), Some("Bearer t0ken-of-another"));
    // A client gets the name, and no secret.
    let install = ["install", "cursor", "--yes", "--command", "/opt/toolwright"];
    let (code, shown) = session.run_with(&install, "", &variables).await;
    assert_eq!(code, Some(0), "{shown}");
    let entry = std::fs::read_to_string(session.home.join(".cursor/mcp.json")).unwrap();
    assert!(entry.contains("\"JITBIT_TOKEN_KEYRING\": \"helpdesk/jitbit\"") && !entry.contains("t0ken"), "{entry}");
    let (code, shown) = session.run(&["install", "cursor", "--uninstall", "--yes"], "").await;
    assert!(code == Some(0) && !session.home.join(".cursor").exists(), "{shown}");
    assert_eq!(session.secrets("helpdesk/jitbit").await.len(), 1, "it is another program's");
    session.end().await;
}

/// A server on stdio that is asked line by line.
struct Serving {
    child: Child,
    lines: tokio::io::Lines<BufReader<tokio::process::ChildStdout>>,
}

impl Serving {
    async fn start(session: &Session) -> Self {
        let mut command = toolwright(&["serve", "--vendor", "jitbit"], &[]);
        command.envs(session.variables()).env_remove("RUST_LOG").current_dir(&session.home).stderr(Stdio::null());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut serving = Self { child, lines };
        serving
            .send(
                1,
                "initialize",
                &serde_json::json!({
                    "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}
                }),
            )
            .await;
        assert_eq!(serving.answered().await, 1);
        serving.write("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}").await;
        serving
    }

    async fn write(&mut self, line: &str) {
        self.child.stdin.as_mut().unwrap().write_all(format!("{line}\n").as_bytes()).await.unwrap();
    }

    async fn send(&mut self, id: u64, method: &str, params: &serde_json::Value) {
        let message = serde_json::json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        self.write(&message.to_string()).await;
    }

    async fn call(&mut self, id: u64) {
        let params = serde_json::json!({"name": "jitbit_get_current_user", "arguments": {}});
        self.send(id, "tools/call", &params).await;
    }

    /// The id of the next answer, which is no error.
    async fn answered(&mut self) -> u64 {
        loop {
            let line = tokio::time::timeout(Duration::from_secs(30), self.lines.next_line()).await;
            let line = line.expect("an answer").unwrap().expect("it has ended");
            let message: serde_json::Value = serde_json::from_str(&line).unwrap();
            if let Some(id) = message["id"].as_u64() {
                assert!(message["result"].is_object() && message["result"]["isError"] != true, "{message}");
                return id;
            }
        }
    }
}

#[ignore = "starts D-Bus and GNOME Keyring"]
#[tokio::test]
async fn a_secret_that_changes_is_used_and_a_keyring_that_hangs_holds_nothing_up() {
    let vendor = WhoAmI::start().await;
    let mut session = Session::start("keyring-changes").await;
    session.start_keyring(true).await;
    session.set_up(&vendor).await;
    vendor.take();
    let mut serving = Serving::start(&session).await;
    let sent = || vendor.take().pop().unwrap().authorization.unwrap();
    serving.call(2).await;
    assert_eq!((serving.answered().await, sent()), (2, "Bearer t0ken-of-keyring".to_owned()));
    session.put(ENTRY, "t0ken-that-is-new", true).await;
    tokio::time::sleep(Duration::from_millis(2_100)).await;
    serving.call(3).await;
    assert_eq!((serving.answered().await, sent()), (3, "Bearer t0ken-that-is-new".to_owned()));
    // It does not answer any more: other requests are served meanwhile, and the call goes on with what is known.
    signal(session.keyring.as_ref().unwrap(), rustix::process::Signal::STOP);
    tokio::time::sleep(Duration::from_millis(2_100)).await;
    let asked = Instant::now();
    serving.call(4).await;
    serving.send(5, "ping", &serde_json::json!({})).await;
    assert_eq!(serving.answered().await, 5, "the call held the thread that serves");
    assert_eq!((serving.answered().await, sent()), (4, "Bearer t0ken-that-is-new".to_owned()));
    let took = asked.elapsed();
    assert!((Duration::from_millis(900)..Duration::from_secs(5)).contains(&took), "{took:?}");
    drop(serving.child.stdin.take());
    assert!(serving.child.wait().await.unwrap().success());
    signal(session.keyring.as_ref().unwrap(), rustix::process::Signal::CONT);
    session.end().await;
}
