//! A sign-in against an authorization server of our own, whose browser is the test: the way there and back, and what tries to
//! get between. The command line where nothing can be signed in to.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use toolwright::catalog::Catalog;
use toolwright::config::{LoginClient, login_client};
use toolwright::login::{SignIn, SignedIn, Site};
use toolwright::upstream::Tls;
use toolwright_model::{Credential, Vendor};

use crate::common::fixture::http_client;
use crate::common::network::fresh_folder;

const CODE: &str = "code-of-the-page";

/// What the page was asked for, and how often a code was exchanged.
#[derive(Clone, Default)]
struct Server(Arc<Mutex<(HashMap<String, String>, usize)>>);

async fn token(State(server): State<Server>, body: String) -> Response {
    let body: Value = serde_json::from_str(&body).unwrap();
    let mut state = server.0.lock().unwrap();
    state.1 += 1;
    let verifier = body["code_verifier"].as_str().unwrap_or_default();
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
    let is_right = body["grant_type"] == "authorization_code"
        && body["code"] == CODE
        && body["client_secret"] == "s3cret"
        && body["redirect_uri"].as_str() == state.0.get("redirect_uri").map(String::as_str)
        && Some(&challenge) == state.0.get("code_challenge");
    if is_right {
        let issued =
            json!({"access_token": "access", "refresh_token": "refresh-1", "expires_in": 3600, "scope": "read:a"});
        issued.to_string().into_response()
    } else {
        (StatusCode::FORBIDDEN, json!({"error": "invalid_grant"}).to_string()).into_response()
    }
}

async fn sites(headers: HeaderMap) -> Response {
    if headers.get("authorization").is_none_or(|value| value != "Bearer access") {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let site = |id: &str, name: &str| json!({"id": id, "name": name, "url": format!("https://{name}.example.com"), "scopes": []});
    json!([site("1", "acme"), site("2", "other")]).to_string().into_response()
}

/// The vendor as it is compiled, at this authorization server.
async fn vendor(server: &Server) -> Vendor {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let router =
        axum::Router::new().route("/token", post(token)).route("/sites", get(sites)).with_state(server.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let mut vendor = Catalog::compiled().vendor("jsm").unwrap().clone();
    let login = vendor.oauth.as_mut().unwrap();
    login.authorize = format!("{address}/authorize");
    login.sites.as_mut().unwrap().endpoint = format!("{address}/sites");
    for credential in &mut vendor.credentials {
        if let Credential::OauthRefresh { endpoint, .. } = credential {
            *endpoint = format!("{address}/token");
        }
    }
    vendor
}

fn app(variable: &str) -> Option<String> {
    let value = match variable {
        "JSM_CLIENT_ID" => "app",
        "JSM_CLIENT_SECRET" => "s3cret",
        _ => return None,
    };
    Some(value.to_owned())
}

async fn begin(client: &LoginClient<'_>, server: &Server) -> SignIn {
    let scopes = BTreeSet::from(["read:a".to_owned(), "read:b".to_owned()]);
    let sign_in = SignIn::begin(client.login, "app", &scopes, 0).await.unwrap();
    server.0.lock().unwrap().0 = sign_in.url().query_pairs().into_owned().collect();
    sign_in
}

/// What the browser is sent back with.
fn back(sign_in: &SignIn, pairs: &[(&str, &str)]) -> impl Future<Output = (u16, String)> + use<> {
    let mut url = url::Url::parse(sign_in.redirect()).unwrap();
    url.query_pairs_mut().extend_pairs(pairs);
    async move {
        let response = http_client().get(url).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }
}

fn state(server: &Server) -> String {
    server.0.lock().unwrap().0["state"].clone()
}

const SOON: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_persons_consent_leads_to_a_refresh_token_and_to_sites() {
    let server = Server::default();
    let vendor = vendor(&server).await;
    let client = login_client(&vendor, &app).unwrap();
    let sign_in = begin(&client, &server).await;
    let asked = server.0.lock().unwrap().0.clone();
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", "app"),
        ("scope", "offline_access read:a read:b"),
        ("audience", "api.atlassian.com"),
        ("code_challenge_method", "S256"),
    ] {
        assert_eq!(asked[name], value, "{asked:?}");
    }
    let state = state(&server);
    let wrong = back(&sign_in, &[("state", "guessed"), ("code", "stolen")]);
    let right = back(&sign_in, &[("state", &state), ("code", CODE)]);
    let browser = async { (wrong.await, right.await) };
    let (signed_in, (wrong, right)) = tokio::join!(sign_in.finish(&client.request, SOON), browser);
    assert_eq!(wrong.0, 400, "another page's code is not taken: {wrong:?}");
    assert_eq!(right.0, 200, "{right:?}");
    let signed_in: SignedIn = signed_in.unwrap();
    assert_eq!(signed_in.refresh_token, "refresh-1");
    assert_eq!(signed_in.scopes, Some(vec!["read:a".to_owned()]));
    let found = signed_in.sites(client.login.sites.as_ref().unwrap(), &Tls::default()).await.unwrap();
    let names = vec!["acme".to_owned(), "https://acme.example.com".to_owned()];
    assert_eq!(found[0], Site { id: "1".to_owned(), names });
    assert_eq!(found.len(), 2);
}

#[tokio::test]
async fn what_is_no_consent_leads_to_nothing() {
    let server = Server::default();
    let vendor = vendor(&server).await;
    let client = login_client(&vendor, &app).unwrap();
    for (pairs, expected) in [
        (&[("error", "access_denied")][..], "ended without consent: access_denied"),
        (&[("error", "<script>s3cret")], "no code came back"),
        (&[("code", "")], "no code came back"),
        (&[("code", "invented")], "invalid_grant"),
        (&[("code", CODE), ("error", "access_denied")], "access_denied"),
    ] {
        let sign_in = begin(&client, &server).await;
        let state = state(&server);
        let pairs: Vec<(&str, &str)> = pairs.iter().copied().chain([("state", state.as_str())]).collect();
        let browser = back(&sign_in, &pairs);
        let (signed_in, _) = tokio::join!(sign_in.finish(&client.request, SOON), browser);
        let error = signed_in.err().unwrap().to_string();
        assert!(error.contains(expected) && !error.contains("s3cret"), "{pairs:?}: {error}");
    }
    let sign_in = begin(&client, &server).await;
    let error = sign_in.finish(&client.request, Duration::from_millis(50)).await.err().unwrap().to_string();
    assert!(error.contains("within 0 s") && error.contains("callback address"), "{error}");
    let exchanged = server.0.lock().unwrap().1;
    assert_eq!(exchanged, 1, "only what a page has sent with the right state is exchanged");
}

fn run(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_toolwright"));
    command.args(arguments).env_clear().env("HOME", folder).env("NO_COLOR", "1").envs(variables.iter().copied());
    command.output().unwrap()
}

#[test]
fn the_command_line_explains_what_is_missing() {
    let folder = fresh_folder("login-usage");
    let app = [("JSM_CLIENT_ID", "app"), ("JSM_CLIENT_SECRET", "s3cret")];
    for (arguments, variables, expected) in [
        (&["login", "jms"][..], &[][..], "did you mean `jsm`?"),
        (&["login", "jumpcloud"], &[], "no sign-in in a browser"),
        (&["login", "jsm"], &app[..1], "needs `JSM_CLIENT_ID` and `JSM_CLIENT_SECRET`"),
        (&["logout", "jsm"], &app, "there is no sign-in to end"),
    ] {
        let output = run(&folder, arguments, variables);
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && text.contains(expected), "{arguments:?}: {text}");
        assert!(!text.contains("s3cret"), "{text}");
    }
}

#[test]
fn the_key_of_a_store_is_made_once_and_doctor_says_who_has_signed_in() {
    let folder = fresh_folder("login-store-key");
    let text = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let (key, store) = (text("store.key"), text("store.db"));
    let made = run(&folder, &["store", "key", "create", &key], &[]);
    let said = String::from_utf8_lossy(&made.stderr).into_owned();
    assert!(made.status.success() && said.contains(&format!("serve --store-key {key}")), "{said}");
    let written = std::fs::read_to_string(&key).unwrap();
    assert!(!said.contains(written.trim()), "the key itself is not shown");
    let again = run(&folder, &["store", "key", "create", &key], &[]);
    let said = String::from_utf8_lossy(&again.stderr);
    assert!(again.status.code() == Some(2) && said.contains("never replaced"), "{said}");
    assert_eq!(std::fs::read_to_string(&key).unwrap(), written);
    let app = [("JSM_CLIENT_ID", "app"), ("JSM_CLIENT_SECRET", "s3cret"), ("TOOLWRIGHT_STORE_KEY_FILE", key.as_str())];
    let doctor = || run(&folder, &["doctor", "--vendor", "jsm", "--store", &store], &app);
    let output = doctor();
    let shown = String::from_utf8_lossy(&output.stdout).split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(output.status.code(), Some(1), "{shown}");
    for part in
        ["sign-in of the console, in the store: nobody has signed in", "nobody has signed in for the account `jsm`"]
    {
        assert!(shown.contains(part) && !shown.contains("s3cret"), "{part}: {shown}");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o640)).unwrap();
        let refused = doctor();
        let said = String::from_utf8_lossy(&refused.stderr);
        assert!(refused.status.code() == Some(2) && said.contains("chmod 600"), "{said}");
    }
}

#[test]
fn logging_out_deletes_the_token_and_names_the_page() {
    let folder = fresh_folder("login-out");
    let file = folder.join(".local/share/toolwright/jsm.refresh-token");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, "refresh-1").unwrap();
    let output = run(&folder, &["logout", "jsm"], &[("JSM_CLIENT_ID", "app"), ("JSM_CLIENT_SECRET", "s3cret")]);
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("take your consent back at https://"), "{text}");
    assert!(!file.exists() && !text.contains("refresh-1"), "{text}");
}
