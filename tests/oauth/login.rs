//! People who sign in at the company's provider to allow a client, in place of bringing a link.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use reqwest::{Response, StatusCode};
use serde_json::json;

use super::authorization::{Client, hidden, location, parameters, tokens};
use super::provider::{Provider, SigningKey};
use super::{Served, call, entry, list, serve_with_login, usual_entries};

/// Begins a sign-in in the client's browser; returns the address at the provider, and what the browser keeps of it.
pub(super) async fn begin(client: &mut Client<'_>) -> (String, String) {
    let request = client.request();
    let page = client.open(&request).await.text().await.unwrap();
    let (query, csrf) = (hidden(&page, "request"), hidden(&page, "csrf"));
    let gone = client.form("/authorize/login", &[("request", &query), ("csrf", &csrf)]).send().await.unwrap();
    assert_eq!(gone.status(), 200);
    let kept = gone.headers()["set-cookie"].to_str().unwrap();
    assert!(kept.contains("HttpOnly") && kept.contains("SameSite=Lax") && kept.contains("Max-Age=600"), "{kept}");
    let kept = kept.split(';').next().unwrap().to_owned();
    let page = gone.text().await.unwrap();
    let address = page.split("href=\"").nth(1).unwrap().split('"').next().unwrap();
    (address.replace("&#38;", "&").replace("&amp;", "&"), kept)
}

/// Comes back from the provider with a query, in a browser that has these cookies.
pub(super) async fn come_back(server: &Served, query: &str, cookies: &[&str]) -> Response {
    let request = server.client.get(format!("{}/authorize/callback?{query}", server.origin()));
    request.header("cookie", cookies.join("; ")).send().await.unwrap()
}

/// Signs in as a member of a group; returns the status and the page.
pub(super) async fn sign_in(client: &mut Client<'_>, provider: &Provider, group: &str) -> (StatusCode, String) {
    let (address, kept) = begin(client).await;
    let token = provider.identity_token(&provider.identity(&address, group));
    let query = provider.signed_in(&address, token);
    let page = come_back(client.server, &query, &[&client.cookie, &kept]).await;
    (page.status(), page.text().await.unwrap())
}

/// Has a member of a group allow it; returns access and refresh token.
pub(super) async fn authorized(client: &mut Client<'_>, provider: &Provider, group: &str) -> (String, String) {
    let (status, page) = sign_in(client, provider, group).await;
    assert_eq!(status, 200, "{page}");
    let gone = client.decide(&page, &[("decision", "allow")]).await;
    assert_eq!(gone.status(), 303);
    let code = parameters(&location(&gone))["code"].clone();
    let (status, issued) = client.exchange(&code).await;
    assert_eq!(status, 200, "{issued}");
    tokens(&issued)
}

const CREATE: &str = "jitbit_create_ticket";

#[tokio::test]
async fn a_person_signs_in_sees_what_is_asked_and_gives_what_the_entries_permit() {
    let provider = Provider::start(SigningKey::p256()).await;
    let server = serve_with_login("login-flow", SystemTime::now, &provider).await;
    let mut client = Client::register(&server).await;
    let request = client.request();
    let asks = client.open(&request).await.text().await.unwrap();
    assert!(asks.contains("Sign in at 127.0.0.1") && asks.contains("Or bring a link"), "{asks}");
    let (status, page) = sign_in(&mut client, &provider, "helpdesk").await;
    assert_eq!(status, 200, "{page}");
    for shown in [
        "Test client",
        "a program on the machine of this browser",
        "Signed in as",
        "ann@example.com",
        "jitbit (jitbit)",
        "jitbit_get_ticket",
        CREATE,
        "tools that change things",
        "Ends</dt><dd>20",
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    assert!(!page.contains("jitbit_list_users") && !page.contains("<script"), "{page}");
    let gone = client.decide(&page, &[("decision", "allow")]).await;
    let code = parameters(&location(&gone))["code"].clone();
    let (_, issued) = client.exchange(&code).await;
    assert_eq!(issued["scope"], "jitbit:read jitbit:write");
    let (access, refresh) = tokens(&issued);
    assert!(server.tools(&access).await.contains(&CREATE.to_owned()));
    let (status, _, answer) = server.ask(&access, &call("jitbit_get_ticket", &json!({"ticketId": 7}))).await;
    assert_eq!((status.as_u16(), &answer["result"]["isError"]), (200, &json!(false)), "{answer}");
    assert_eq!(client.refresh(&refresh).await.0, 200);
    let record = std::fs::read_to_string(&server.audit).unwrap();
    assert!(record.contains("oauth Test client by ann@example.com ("), "{record}");
    // It is listed, ends within a day, and can be revoked.
    let store = server.store.as_ref().unwrap();
    let links = store.links().await.unwrap();
    let [given] = &links[..] else { panic!("{links:?}") };
    assert_eq!(given.name, "Test client by ann@example.com");
    let lasts = given.expires.unwrap().duration_since(SystemTime::now()).unwrap();
    assert!(lasts <= Duration::from_hours(24) && lasts > Duration::from_hours(23), "{lasts:?}");
    store.revoke_link(&given.id, SystemTime::now()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(server.ask(&access, &list()).await.0, 401);
}

#[tokio::test]
async fn a_person_gives_no_more_than_the_group_the_scopes_and_the_person_permit() {
    let provider = Provider::start(SigningKey::ed25519()).await;
    let server = serve_with_login("login-less", SystemTime::now, &provider).await;
    let mut client = Client::register(&server).await;
    let (access, _) = authorized(&mut client, &provider, "auditors").await;
    let tools = server.tools(&access).await;
    assert!(tools.contains(&"jitbit_get_ticket".to_owned()) && !tools.contains(&CREATE.to_owned()));
    let (status, page) = sign_in(&mut client, &provider, "finance").await;
    assert_eq!(status, 403);
    assert!(page.contains("ann@example.com") && page.contains("[[grants]]") && !page.contains("ticket\""), "{page}");
    // Who is permitted nothing here may have a link.
    let link = server.link(&["read"], false, None).await;
    assert_eq!(client.bring(&link.token, "").await.0, 200);
    client.scope = Some("jitbit:read");
    let (access, _) = authorized(&mut client, &provider, "helpdesk").await;
    let create = call(CREATE, &json!({"categoryId": 1, "subject": "a", "body": "b"}));
    let (status, challenge, _) = server.ask(&access, &create).await;
    assert!(status == 403 && challenge.contains("jitbit:write"), "what more scopes would give: {challenge}");
    client.scope = None;
    let (_, page) = sign_in(&mut client, &provider, "helpdesk").await;
    let gone = client.decide(&page, &[("decision", "allow"), ("only_reads", "yes")]).await;
    let (access, _) = tokens(&client.exchange(&parameters(&location(&gone))["code"]).await.1);
    assert!(!server.tools(&access).await.contains(&CREATE.to_owned()));
    let (_, page) = sign_in(&mut client, &provider, "helpdesk").await;
    let denied = parameters(&location(&client.decide(&page, &[("decision", "deny")]).await));
    assert!(denied["error"] == "access_denied" && !denied.contains_key("code"));
}

#[tokio::test]
async fn what_the_entries_permit_later_holds_for_what_was_given_before() {
    let provider = Provider::start(SigningKey::p256()).await;
    let server = serve_with_login("login-tightened", SystemTime::now, &provider).await;
    let mut client = Client::register(&server).await;
    let (access, refresh) = authorized(&mut client, &provider, "helpdesk").await;
    assert!(server.tools(&access).await.contains(&CREATE.to_owned()));
    server.permit(&[entry("help desk", "helpdesk", &["read"])]);
    let tools = server.tools(&access).await;
    assert!(tools.contains(&"jitbit_get_ticket".to_owned()) && !tools.contains(&CREATE.to_owned()));
    let (_, issued) = client.refresh(&refresh).await;
    assert_eq!(issued["scope"], "jitbit:read");
    let (access, refresh) = tokens(&issued);
    // An entry before the one that fitted, which fits too.
    server.permit(&[entry("staff", "staff", &["read"]), entry("help desk", "helpdesk", &["read", "write"])]);
    assert!(!server.tools(&access).await.contains(&CREATE.to_owned()));
    // Nothing is wider than what was given.
    let mut wider = entry("help desk", "helpdesk", &["read", "write"]);
    wider.tags = super::words(&["all"]);
    server.permit(&[wider]);
    let tools = server.tools(&access).await;
    assert!(tools.contains(&CREATE.to_owned()) && !tools.contains(&"jitbit_list_users".to_owned()), "{tools:?}");
    // Whether the person has a claim that nobody has looked for is not known.
    let mut department = entry("contractors", "helpdesk", &["read"]);
    department.claims = [("department".to_owned(), super::words(&["contractors"]))].into();
    server.permit(&[department, entry("help desk", "helpdesk", &["read", "write"])]);
    let (status, challenge, _) = server.ask(&access, &list()).await;
    assert!(status == 401 && challenge.contains("invalid_token"), "{challenge}");
    server.permit(&[entry("auditors", "auditors", &["read"])]);
    assert_eq!(server.ask(&access, &list()).await.0, 401);
    let (status, answer) = client.refresh(&refresh).await;
    assert_eq!((status.as_u16(), &answer["error"]), (400, &json!("invalid_grant")));
    server.permit(&usual_entries());
    assert!(server.tools(&access).await.contains(&CREATE.to_owned()), "a look costs nothing");
    assert_eq!(client.refresh(&refresh).await.0, 200, "and neither does an attempt to renew it");
}

/// Seconds by which the clock below is ahead.
static AHEAD: AtomicU64 = AtomicU64::new(0);

fn clock() -> SystemTime {
    SystemTime::now() + Duration::from_secs(AHEAD.load(Ordering::SeqCst))
}

#[tokio::test]
async fn what_a_person_has_given_ends_by_itself() {
    let provider = Provider::start(SigningKey::p256()).await;
    let server = serve_with_login("login-ends", clock, &provider).await;
    let mut client = Client::register(&server).await;
    let (_, mut refresh) = authorized(&mut client, &provider, "helpdesk").await;
    for hour in [10, 20] {
        AHEAD.store(hour * 3_600, Ordering::SeqCst);
        let (status, issued) = client.refresh(&refresh).await;
        assert_eq!(status, 200, "{issued}");
        assert_eq!(issued["expires_in"], 3_600);
        refresh = tokens(&issued).1;
    }
    AHEAD.store(24 * 3_600 - 600, Ordering::SeqCst);
    let (_, issued) = client.refresh(&refresh).await;
    assert!(issued["expires_in"].as_u64().unwrap() <= 600, "{issued}");
    let (access, refresh) = tokens(&issued);
    assert_eq!(server.ask(&access, &list()).await.0, 200);
    AHEAD.store(24 * 3_600 + 1, Ordering::SeqCst);
    assert_eq!(server.ask(&access, &list()).await.0, 401, "renewing it prolongs nothing");
    assert_eq!(client.refresh(&refresh).await.0, 400);
    // A sign-in that nobody ends, ends too. (The provider's token is of now.)
    AHEAD.store(0, Ordering::SeqCst);
    let (address, kept) = begin(&mut client).await;
    let query = provider.signed_in(&address, provider.identity_token(&provider.identity(&address, "helpdesk")));
    AHEAD.store(601, Ordering::SeqCst);
    assert_eq!(come_back(&server, &query, &[&client.cookie, &kept]).await.status(), 400);
}
