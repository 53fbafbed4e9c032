//! Credentials and addresses of Jira: each kind of token at the address where it works, and the
//! errors where the two do not fit.

use std::collections::{BTreeMap, HashMap};
use std::process::{Command, Output};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinHandle;
use toolwright::call::Toolbox;
use toolwright::catalog::Catalog;
use toolwright::config::{ConnectionConfig, connection};
use toolwright::policy::{Defaults, Selection, SelectionWords};
use toolwright::upstream::{Unencrypted, parse_address};
use toolwright_model::{Credential, Vendor};

use crate::common::{call, sandbox};

const CLOUD: &str = "3f0c9d7e-8a41-4b6e-9c52-d17e60b2a945";
const SITE: (&str, &str) = ("JSM_URL", "https://acme.atlassian.net/jira");
const GATEWAY: (&str, &str) = ("JSM_CLOUD_ID", CLOUD);
const BASIC: [(&str, &str); 2] = [("JSM_EMAIL", "pat@example.com"), ("JSM_API_TOKEN", "t0ken")];
const OAUTH: [(&str, &str); 1] = [("JSM_ACCESS_TOKEN", "t0ken")];
const REFRESH: [(&str, &str); 3] =
    [("JSM_CLIENT_ID", "client"), ("JSM_CLIENT_SECRET", "t0ken"), ("JSM_REFRESH_TOKEN_FILE", "/no/such/file")];

fn vendor() -> Vendor {
    Catalog::compiled().vendors().iter().find(|vendor| vendor.id == "jsm").unwrap().clone()
}

fn resolved(variables: &[(&str, &str)]) -> Result<Option<ConnectionConfig>, String> {
    let value = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    connection(&vendor(), &value, Unencrypted::default()).map_err(|error| error.to_string())
}

/// Answers one request with this JSON; returns its address and the request.
async fn once(answer: Value) -> (String, JoinHandle<String>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let arrived = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = String::new();
        let whole = |request: &str| {
            let (head, body) = request.split_once("\r\n\r\n")?;
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            (body.len() >= length.map_or(0, |length| length.parse().unwrap())).then_some(())
        };
        while whole(&request).is_none() {
            let mut part = [0; 4096];
            let count = stream.read(&mut part).await.unwrap();
            assert!(count > 0, "the request ends too early");
            request.push_str(std::str::from_utf8(&part[..count]).unwrap());
        }
        let body = answer.to_string();
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n";
        stream.write_all(format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes()).await.unwrap();
        request
    });
    (address, arrived)
}

/// The `Authorization` that a call over the connection has on the wire.
async fn sent(connection: ConnectionConfig) -> String {
    let (address, arrived) = once(json!({})).await;
    let connection = ConnectionConfig {
        base: parse_address(&address, &[], Unencrypted::default()).unwrap(),
        roots: BTreeMap::new(),
        ..connection
    };
    let catalog = Catalog::compiled();
    let selection = Selection::resolve(&SelectionWords::default(), Defaults::Reads, &catalog).unwrap();
    let toolbox = Toolbox::new(catalog, selection, &HashMap::from([("jsm".to_owned(), connection)]), false);
    call(&toolbox, "jsm_get_current_user", json!({})).await.unwrap();
    let request = arrived.await.unwrap();
    let line = request.lines().find_map(|line| line.strip_prefix("authorization: "));
    line.unwrap_or_default().to_owned()
}

#[tokio::test]
async fn each_kind_of_token_uses_the_address_where_it_works() {
    let basic = format!("Basic {}", STANDARD.encode("pat@example.com:t0ken"));
    let site = "https://acme.atlassian.net/";
    let gateway = format!("https://api.atlassian.com/ex/jira/{CLOUD}/");
    for (variables, base, header) in [
        ([&[SITE][..], &BASIC].concat(), site, basic.as_str()),
        ([&[GATEWAY][..], &BASIC].concat(), &gateway, &basic),
        ([&[GATEWAY][..], &OAUTH].concat(), &gateway, "Bearer t0ken"),
        // Both addresses: an OAuth token is for the gateway.
        ([&[SITE, GATEWAY][..], &OAUTH].concat(), &gateway, "Bearer t0ken"),
        ([&[SITE, GATEWAY][..], &BASIC].concat(), site, &basic),
    ] {
        let connection = resolved(&variables).unwrap().unwrap();
        for api in ["jsm-platform", "jsm-servicedesk"] {
            assert_eq!(connection.root(api).as_str(), base, "{variables:?}");
        }
        assert!(!format!("{connection:?}").contains("t0ken"));
        assert_eq!(sent(connection).await, header, "{variables:?}");
    }
    let refresh = resolved(&[&[SITE, GATEWAY][..], &REFRESH].concat()).unwrap().unwrap();
    assert_eq!(refresh.base.as_str(), gateway);
    assert!(refresh.credentials.are_renewed() && refresh.credentials_source.contains("JSM_REFRESH_TOKEN_FILE"));
}

#[tokio::test]
async fn a_refresh_token_is_exchanged_and_replaced() {
    let issued = json!({"access_token": "b0ught", "refresh_token": "next", "expires_in": 3600, "scope": "read:jira-work read:me"});
    let (address, arrived) = once(issued).await;
    let mut vendor = vendor();
    for credential in &mut vendor.credentials {
        if let Credential::OauthRefresh { endpoint, .. } = credential {
            assert_eq!(endpoint, "https://auth.atlassian.com/oauth/token");
            *endpoint = format!("{address}/oauth/token");
        }
    }
    let file = std::env::temp_dir().join(format!("toolwright-jsm-{}", std::process::id()));
    std::fs::write(&file, "first\n").unwrap();
    let value = |name: &str| match name {
        "JSM_REFRESH_TOKEN_FILE" => Some(file.to_str().unwrap().to_owned()),
        name => {
            [GATEWAY, REFRESH[0], REFRESH[1]].iter().find(|(known, _)| *known == name).map(|(_, is)| (*is).to_owned())
        }
    };
    let connection = connection(&vendor, &value, Unencrypted::default()).unwrap().unwrap();
    let credentials = connection.credentials.clone();
    assert_eq!(sent(connection).await, "Bearer b0ught");
    let request = arrived.await.unwrap();
    assert!(request.starts_with("POST /oauth/token "), "{request}");
    let (_, body) = request.split_once("\r\n\r\n").unwrap();
    let body: Value = serde_json::from_str(body).unwrap();
    let wanted = json!({"grant_type": "refresh_token", "client_id": "client", "client_secret": "t0ken", "refresh_token": "first"});
    assert_eq!(body, wanted);
    assert_eq!(std::fs::read_to_string(&file).unwrap().trim(), "next");
    // Its scopes are known from the token endpoint's answer.
    assert_eq!(credentials.scopes(), Some(vec!["read:jira-work".to_owned(), "read:me".to_owned()]));
    let folder = std::fs::read_dir(std::env::temp_dir()).unwrap();
    for left in folder.flatten().filter(|left| left.path().to_string_lossy().starts_with(&*file.to_string_lossy())) {
        std::fs::remove_file(left.path()).unwrap();
    }
}

#[test]
fn the_scopes_of_an_access_token_are_known() {
    let claims = URL_SAFE_NO_PAD.encode(r#"{"scope": "read:jira-work write:jira-work"}"#);
    let token = format!("head.{claims}.sign");
    let connection = resolved(&[GATEWAY, ("JSM_ACCESS_TOKEN", &token)]).unwrap().unwrap();
    let scopes = vec!["read:jira-work".to_owned(), "write:jira-work".to_owned()];
    assert_eq!(connection.credentials.scopes(), Some(scopes));
}

#[test]
fn conflicting_settings_are_explained() {
    for (variables, expected) in [
        ([&[SITE][..], &OAUTH].concat(), "JSM_CLOUD_ID"),
        ([&[SITE][..], &REFRESH].concat(), "JSM_CLOUD_ID"),
        ([&[SITE][..], &BASIC[..1]].concat(), "JSM_API_TOKEN"),
        (BASIC.to_vec(), "JSM_URL"),
        ([&[("JSM_CLOUD_ID", "acme")][..], &OAUTH].concat(), "tenant_info"),
        ([&[("JSM_URL", "http://acme.atlassian.net")][..], &BASIC].concat(), "https"),
    ] {
        let error = resolved(&variables).unwrap_err();
        assert!(error.contains(expected) && !error.contains("t0ken"), "{variables:?}: {error}");
    }
    let explained = |variables: &[(&str, &str)], status, answer: &str| {
        resolved(variables).unwrap().unwrap().explain("jsm-platform", status, answer).unwrap_or_default().to_owned()
    };
    for (variables, status, answer, expected) in [
        ([&[SITE][..], &BASIC].concat(), 401, "Client must be authenticated", "works with JSM_CLOUD_ID"),
        ([&[SITE][..], &BASIC].concat(), 404, "", "set JSM_CLOUD_ID in place of JSM_URL"),
        ([&[GATEWAY][..], &BASIC].concat(), 401, "Unauthorized", "classic API token works with JSM_URL"),
        ([&[GATEWAY][..], &BASIC].concat(), 401, "Unauthorized; scope does not match", "lacks a scope"),
        ([&[GATEWAY][..], &OAUTH].concat(), 401, "Unauthorized", "JSM_ACCESS_TOKEN is over"),
        ([&[GATEWAY][..], &OAUTH].concat(), 404, "", "JSM_CLOUD_ID the id of this site"),
    ] {
        let explanation = explained(&variables, status, answer);
        assert!(explanation.contains(expected), "{variables:?} {status}: {explanation}");
    }
}

/// `doctor` with these variables and no others.
async fn doctor(variables: Vec<(&'static str, String)>) -> (Output, String) {
    let output = tokio::task::spawn_blocking(move || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_toolwright"));
        let known = ["JSM_URL", "JSM_CLOUD_ID", "JSM_EMAIL", "JSM_API_TOKEN", "JSM_ACCESS_TOKEN", "JSM_CLIENT_ID"];
        command.args(["doctor", "--vendor", "jsm"]).envs(known.map(|name| (name, "")));
        command.env("NO_COLOR", "1").envs(variables).output().unwrap()
    })
    .await
    .unwrap();
    let shown = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output, shown)
}

fn classic(address: String) -> Vec<(&'static str, String)> {
    vec![("JSM_URL", address), ("JSM_EMAIL", "pat@example.com".to_owned()), ("JSM_API_TOKEN", "t0ken".to_owned())]
}

#[tokio::test]
async fn doctor_reports_the_account() {
    let script = json!([{"operation": "getCurrentUser", "answer": {"body": {"accountId": "a:1", "displayName": "Pat Doe", "active": true}}}]);
    let sandbox = sandbox(Some(&script.to_string())).await;
    let (output, shown) = doctor(classic(sandbox.address("jsm-platform"))).await;
    assert_eq!(output.status.code(), Some(0), "{shown}");
    assert!(shown.contains("ok: you are Pat Doe") && shown.contains("from JSM_EMAIL and JSM_API_TOKEN"), "{shown}");
    assert!(shown.contains("scopes       unknown: these credentials name none, like a classic token"), "{shown}");
    assert!(!shown.contains("t0ken"));
    let logins = sandbox.record().iter().filter(|sent| sent.path.ends_with("/myself")).count();
    assert_eq!(logins, 1, "asked once");
    // This site states no cloud id, so what is elsewhere can't be reached; the login counts all the same.
    for line in ["  operations   failed: ", "  forms        failed: "] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
}

#[tokio::test]
async fn doctor_suggests_the_address_that_fits_the_token() {
    let script = json!([{"operation": "*", "answer": {"status": 401, "body": {"message": "Client must be authenticated to access this resource."}}}]);
    let sandbox = sandbox(Some(&script.to_string())).await;
    let (output, shown) = doctor(classic(sandbox.address("jsm-platform"))).await;
    assert_ne!(output.status.code(), Some(0), "{shown}");
    // The lines are wrapped.
    let words = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("works with JSM_CLOUD_ID in place of JSM_URL") && !shown.contains("t0ken"), "{shown}");
    assert_eq!(sandbox.record().len(), 1, "asked once");
    let wrong = vec![("JSM_URL", "https://acme.atlassian.net".to_owned()), ("JSM_ACCESS_TOKEN", "t0ken".to_owned())];
    let (output, shown) = doctor(wrong).await;
    assert_ne!(output.status.code(), Some(0), "{shown}");
    assert!(shown.contains("JSM_CLOUD_ID") && !shown.contains("t0ken"), "{shown}");
}
