//! SIGHUP to a server that takes access tokens: `[[grants]]` are read again, all or none.

use std::process::Stdio;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStderr};

use super::list;
use super::provider::{CLIENT, Provider, SigningKey};
use crate::common::fixture::http_client;
use crate::common::network::{fresh_folder, signal, toolwright, written};

const SCOPES: &str = "jitbit:read jitbit:write";
const CREATE: &str = "jitbit_create_ticket";

fn entry(name: &str, methods: &str) -> String {
    format!(
        "[[grants]]\nname = \"{name}\"\nclaims = {{ groups = [\"helpdesk\"] }}\naccounts = [\"jitbit\"]\nmethods = [{methods}]\n\n"
    )
}

/// A server over the sandbox.
struct Serving {
    child: Child,
    log: Lines<BufReader<ChildStderr>>,
    url: String,
}

impl Serving {
    async fn start(settings: &str, flags: &[&str], env: &[(&str, &str)]) -> Self {
        let usual = ["serve", "--sandbox", "--http", "127.0.0.1:0", "--config", settings, "--access", "oauth"];
        let selection = ["--vendor", "jitbit", "--methods", "read,write", "--tags", "tickets"];
        let mut command = toolwright(&[&usual[..], &selection, flags].concat(), env);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let log = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut serving = Self { child, log, url: String::new() };
        let line = serving.line().await;
        line.split_once(" at ").unwrap_or_else(|| panic!("{line}")).1.trim().clone_into(&mut serving.url);
        serving
    }

    async fn line(&mut self) -> String {
        let line = tokio::time::timeout(Duration::from_secs(60), self.log.next_line());
        line.await.expect("a line of the log is late").unwrap().expect("the server ended")
    }

    async fn hang_up(&mut self) -> String {
        signal(&self.child, Signal::HUP);
        self.line().await
    }

    /// Reads the further lines of what was said.
    async fn read_on(&mut self) {
        while tokio::time::timeout(Duration::from_millis(300), self.log.next_line()).await.is_ok() {}
    }

    /// The status of a request for the tools, and whether the one that creates tickets is among them.
    async fn tools(&self, provider: &Provider, group: &str) -> (u16, bool) {
        let token = provider.token(&self.url, group, SCOPES);
        let request = http_client().post(&self.url).header("accept", "application/json, text/event-stream");
        let answer = request.bearer_auth(token).json(&list()).send().await.unwrap();
        let (status, text) = (answer.status().as_u16(), answer.text().await.unwrap());
        (status, text.contains(CREATE))
    }
}

#[tokio::test]
async fn entries_hold_as_the_file_has_them_from_the_next_request_on() {
    let provider = Provider::start(SigningKey::p256()).await;
    let folder = fresh_folder("oauth-reload");
    let put = |text: &str| written(&folder, "toolwright.toml", text);
    let file = put(&entry("help desk", "\"read\", \"write\""));
    let mut server = Serving::start(&file, &["--issuer", &provider.issuer()], &[]).await;
    assert_eq!(server.tools(&provider, "helpdesk").await, (200, true));
    // Not before the signal.
    put(&entry("help desk", "\"read\""));
    assert_eq!(server.tools(&provider, "helpdesk").await, (200, true));
    let said = server.hang_up().await;
    assert!(said.contains("`[[grants]]` are read again: 1 hold"), "{said}");
    assert_eq!(server.tools(&provider, "helpdesk").await, (200, false));
    let said = server.hang_up().await;
    assert!(said.contains("nothing has changed"), "{said}");
    // With a fault they stay as they are, whatever it is.
    let wide = entry("help desk", "\"read\", \"write\"");
    for (text, part) in [
        (format!("{wide}[[grants]\n"), "line 7"),
        (format!("{wide}{}", entry("other", "\"raed\"")), "`other`"),
        (format!("{wide}[[grants]]\nname = \"all\"\naccounts = [\"jitbit\"]\n"), "fits every token"),
        (wide.replace("\"jitbit\"", "\"acme\""), "`acme`"),
        (String::new(), "need `[[grants]]`"),
    ] {
        put(&text);
        let said = server.hang_up().await;
        assert!(said.contains("stay as they are") && said.contains(part), "{part}: {said}");
        server.read_on().await;
        assert_eq!(server.tools(&provider, "helpdesk").await, (200, false), "{text}");
    }
    put(&entry("other", "\"read\"").replace("helpdesk", "auditors"));
    let said = server.hang_up().await;
    assert!(said.contains("are read again"), "{said}");
    assert_eq!(server.tools(&provider, "helpdesk").await.0, 403);
    assert_eq!(server.tools(&provider, "auditors").await, (200, false));
    put(&format!("[oauth]\nrequire_scopes = false\n\n{}", entry("help desk", "\"read\"")));
    let said = [server.hang_up().await, server.line().await].join("\n");
    assert!(said.contains("`[oauth]` has changed") && said.contains("are read again"), "{said}");
    assert_eq!(server.tools(&provider, "helpdesk").await, (200, false));
}

#[tokio::test]
async fn a_sign_in_on_the_page_is_set_up_by_the_file() {
    let provider = Provider::start(SigningKey::p256()).await;
    let folder = fresh_folder("oauth-login-settings");
    let secret = written(&folder, "secret", &format!("{}\n", CLIENT.1));
    let store = format!("{}", folder.join("store.db").display());
    let settings = |more: &str| {
        let login = format!(
            "[oauth.login]\nissuer = \"{}\"\nclient_id = \"toolwright\"\nclient_secret_file = {secret:?}\n{more}\n",
            provider.issuer()
        );
        format!("{login}\n{}", entry("help desk", "\"read\""))
    };
    let put = |text: &str| written(&folder, "toolwright.toml", text);
    let file = put(&settings("lasts_hours = 8"));
    let env = [("TOOLWRIGHT_STORE", store.as_str())];
    let mut server = Serving::start(&file, &[], &env).await;
    let origin = server.url.strip_suffix("/mcp").unwrap().to_owned();
    let registered = http_client().post(format!("{origin}/register"));
    let registered = registered.json(&json!({"redirect_uris": ["http://127.0.0.1/back"]})).send().await.unwrap();
    let registered: Value = registered.json().await.unwrap();
    let mut page = url::Url::parse(&format!("{origin}/authorize")).unwrap();
    page.query_pairs_mut().extend_pairs([
        ("response_type", "code"),
        ("client_id", registered["client_id"].as_str().unwrap()),
        ("redirect_uri", "http://127.0.0.1:7/back"),
        ("code_challenge", &"a".repeat(43)),
        ("code_challenge_method", "S256"),
    ]);
    let page = http_client().get(page).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("Sign in at 127.0.0.1"), "{page}");
    put(&settings("lasts_hours = 8").replace("\"read\"", "\"write\""));
    let said = server.hang_up().await;
    assert!(said.contains("are read again") && !said.contains(CLIENT.1), "{said}");
    drop(server.child.kill().await);
    for (text, flags, part) in [
        (settings("lasts_hours = 0"), &[][..], "between 1 and 720"),
        (settings("lasts_hours = 721"), &[], "between 1 and 720"),
        (settings("").replace("/secret", "/missing"), &[], "can't be read"),
        (settings("").split("[[grants]]").next().unwrap().to_owned(), &[], "[[grants]]"),
        (settings("").replace(&provider.issuer(), "http://127.0.0.1:9"), &[], "[oauth.login]"),
        (settings(""), &["--issuer", "https://id.example.com"], "no effect with `--issuer`"),
    ] {
        let file = put(&text);
        let usual = ["serve", "--sandbox", "--http", "127.0.0.1:0", "--config", &file, "--access", "oauth"];
        let output = toolwright(&[&usual[..], flags].concat(), &env).output().await.unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{part}: {said}");
        assert!(said.contains(part) && !said.contains(CLIENT.1), "{part}: {said}");
    }
}
