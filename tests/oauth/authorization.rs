//! The server's own authorization server, as an honest client and an honest person use it.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::{RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use toolwright::access::links::IssuedLink;
use url::Url;

use super::{Served, call, list, serve_own_tokens};

pub(super) const REDIRECT: &str = "http://127.0.0.1:33418/callback";
pub(super) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// An OAuth client on a person's machine, and the person's browser.
pub(super) struct Client<'s> {
    pub(super) server: &'s Served,
    pub(super) id: String,
    /// What the browser keeps.
    pub(super) cookie: String,
    pub(super) scope: Option<&'static str>,
}

pub(super) fn challenge() -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER.as_bytes()))
}

pub(super) fn hidden(page: &str, name: &str) -> String {
    let field = format!("name=\"{name}\" value=\"");
    let value = page.split(&field).nth(1).unwrap_or_else(|| panic!("no {name}: {page}"));
    value.split('"').next().unwrap().replace("&#38;", "&").replace("&amp;", "&").replace("&#x26;", "&")
}

pub(super) fn location(response: &Response) -> Url {
    Url::parse(response.headers()["location"].to_str().unwrap()).unwrap()
}

pub(super) fn parameters(url: &Url) -> HashMap<String, String> {
    url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

impl<'s> Client<'s> {
    /// Registers a client.
    pub(super) async fn register(server: &'s Served) -> Self {
        let metadata = json!({"client_name": "Test client", "redirect_uris": ["http://127.0.0.1/callback"]});
        let registered =
            server.client.post(format!("{}/register", server.origin())).json(&metadata).send().await.unwrap();
        assert_eq!(registered.status(), 201);
        let registered: Value = registered.json().await.unwrap();
        let id = registered["client_id"].as_str().unwrap().to_owned();
        Self { server, id, cookie: String::new(), scope: None }
    }

    /// The parameters of its authorization request.
    pub(super) fn request(&self) -> Vec<(String, String)> {
        let (resource, challenge) = (format!("{}/mcp", self.server.origin()), challenge());
        let pairs = [
            ("response_type", "code"),
            ("client_id", &self.id),
            ("redirect_uri", REDIRECT),
            ("state", "st4te"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
            ("resource", &resource),
        ];
        let pairs = pairs.into_iter().chain(self.scope.map(|scope| ("scope", scope)));
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    /// Opens the page of a request in the browser.
    pub(super) async fn open(&mut self, request: &[(String, String)]) -> Response {
        let mut url = Url::parse(&format!("{}/authorize", self.server.origin())).unwrap();
        url.query_pairs_mut().extend_pairs(request);
        let page = self.server.client.get(url).send().await.unwrap();
        if let Some(cookie) = page.headers().get("set-cookie") {
            cookie.to_str().unwrap().split(';').next().unwrap().clone_into(&mut self.cookie);
        }
        page
    }

    /// Sends a form of a page of the server.
    pub(super) fn form(&self, path: &str, fields: &[(&str, &str)]) -> RequestBuilder {
        let request = self.server.client.post(format!("{}{path}", self.server.origin()));
        request.header("origin", self.server.origin()).header("cookie", &self.cookie).form(fields)
    }

    /// Brings a link; returns the status and the page.
    pub(super) async fn bring(&mut self, link: &str, second: &str) -> (StatusCode, String) {
        let request = self.request();
        let page = self.open(&request).await.text().await.unwrap();
        let (query, csrf) = (hidden(&page, "request"), hidden(&page, "csrf"));
        let fields = [("request", query.as_str()), ("csrf", &csrf), ("link", link), ("second_token", second)];
        let answer = self.form("/authorize", &fields).send().await.unwrap();
        (answer.status(), answer.text().await.unwrap())
    }

    /// Decides; returns where the browser goes.
    pub(super) async fn decide(&self, page: &str, more: &[(&str, &str)]) -> Response {
        let (ticket, csrf) = (hidden(page, "ticket"), hidden(page, "csrf"));
        let mut fields = vec![("ticket", ticket.as_str()), ("csrf", &csrf)];
        fields.extend(more);
        self.form("/authorize/decision", &fields).send().await.unwrap()
    }

    /// Has the person allow it with a link; returns the code.
    pub(super) async fn code(&mut self, link: &IssuedLink, more: &[(&str, &str)]) -> String {
        let second = link.second_token.clone().unwrap_or_default();
        let (status, page) = self.bring(&link.url(&self.server.origin()), &second).await;
        assert_eq!(status, 200, "{page}");
        let decision: Vec<_> = [("decision", "allow")].into_iter().chain(more.iter().copied()).collect();
        let gone = self.decide(&page, &decision).await;
        assert_eq!(gone.status(), 303, "{}", gone.text().await.unwrap());
        let back = location(&gone);
        assert!(back.as_str().starts_with(REDIRECT), "{back}");
        let parameters = parameters(&back);
        assert_eq!(parameters["state"], "st4te");
        assert_eq!(parameters["iss"], self.server.origin());
        parameters["code"].clone()
    }

    /// Asks for tokens.
    pub(super) async fn token(&self, fields: &[(&str, &str)]) -> (StatusCode, Value) {
        let answer =
            self.server.client.post(format!("{}/token", self.server.origin())).form(fields).send().await.unwrap();
        assert_eq!(answer.headers()["cache-control"], "no-store");
        (answer.status(), answer.json().await.unwrap())
    }

    pub(super) async fn exchange(&self, code: &str) -> (StatusCode, Value) {
        let resource = format!("{}/mcp", self.server.origin());
        self.token(&[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("client_id", &self.id),
            ("redirect_uri", REDIRECT),
            ("code_verifier", VERIFIER),
            ("resource", &resource),
        ])
        .await
    }

    pub(super) async fn refresh(&self, refresh: &str) -> (StatusCode, Value) {
        self.token(&[("grant_type", "refresh_token"), ("refresh_token", refresh), ("client_id", &self.id)]).await
    }

    /// Has the person allow it with a link; returns access and refresh token.
    pub(super) async fn authorized(&mut self, link: &IssuedLink) -> (String, String) {
        let code = self.code(link, &[]).await;
        let (status, issued) = self.exchange(&code).await;
        assert_eq!(status, 200, "{issued}");
        tokens(&issued)
    }
}

pub(super) fn tokens(issued: &Value) -> (String, String) {
    let text = |name: &str| issued[name].as_str().unwrap_or_else(|| panic!("{issued}")).to_owned();
    (text("access_token"), text("refresh_token"))
}

#[tokio::test]
async fn a_client_registers_is_allowed_with_a_link_calls_and_renews_its_tokens() {
    let server = serve_own_tokens("oauth-flow", SystemTime::now).await;
    let (status, metadata) = server.get("/.well-known/oauth-authorization-server").await;
    assert_eq!(status, 200);
    assert_eq!(metadata["issuer"], server.origin());
    assert_eq!(metadata["code_challenge_methods_supported"], json!(["S256"]));
    let (_, resource) = server.get("/.well-known/oauth-protected-resource/mcp").await;
    assert_eq!(resource["authorization_servers"], json!([server.origin()]));
    let link = server.link(&["read", "write"], true, None).await;
    let mut client = Client::register(&server).await;
    let code = client.code(&link, &[]).await;
    let (status, issued) = client.exchange(&code).await;
    assert_eq!(status, 200, "{issued}");
    assert_eq!((&issued["token_type"], &issued["expires_in"]), (&json!("Bearer"), &json!(3_600)));
    assert_eq!(issued["scope"], "jitbit:read jitbit:write");
    let (access, refresh) = tokens(&issued);
    let tools = server.tools(&access).await;
    assert!(tools.contains(&"jitbit_create_ticket".to_owned()) && !tools.contains(&"jitbit_list_users".to_owned()));
    let (status, _, answer) = server.ask(&access, &call("jitbit_get_ticket", &json!({"ticketId": 7}))).await;
    assert_eq!((status.as_u16(), &answer["result"]["isError"]), (200, &json!(false)), "{answer}");
    let (status, renewed) = client.refresh(&refresh).await;
    assert_eq!(status, 200, "{renewed}");
    let (next, next_refresh) = tokens(&renewed);
    assert_eq!(server.ask(&next, &list()).await.0, 200);
    let record = std::fs::read_to_string(&server.audit).unwrap();
    assert!(record.contains("oauth Test client by Contractor ("), "{record}");
    let metrics = server.client.get(format!("{}/metrics", server.origin())).send().await.unwrap().text().await.unwrap();
    let mut places = vec![("record", record.into_bytes()), ("metrics", metrics.into_bytes())];
    for entry in std::fs::read_dir(server.audit.parent().unwrap()).unwrap() {
        places.push(("file", std::fs::read(entry.unwrap().path()).unwrap()));
    }
    for (place, bytes) in places {
        for secret in [&access, &refresh, &next, &next_refresh, &code, &link.token] {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{place}");
        }
    }
}

#[tokio::test]
async fn what_was_allowed_ends_with_the_link() {
    let server = serve_own_tokens("oauth-ends", SystemTime::now).await;
    let store = server.store.as_ref().unwrap();
    let link = server.link(&["read"], false, None).await;
    let (access, refresh) = Client::register(&server).await.authorized(&link).await;
    assert_eq!(server.ask(&access, &list()).await.0, 200);
    assert_eq!(store.revoke_link(&link.link.id, SystemTime::now()).await.unwrap(), 2, "with that of the client");
    tokio::time::sleep(Duration::from_secs(1)).await;
    let (status, challenge, _) = server.ask(&access, &list()).await;
    assert_eq!(status, 401);
    assert!(challenge.contains("invalid_token"), "{challenge}");
    let client = Client::register(&server).await;
    let (status, answer) = client.refresh(&refresh).await;
    assert_eq!((status.as_u16(), &answer["error"]), (400, &json!("invalid_grant")));
    let short = server.link(&["read"], false, Some(SystemTime::now() + Duration::from_secs(3))).await;
    let (access, _) = Client::register(&server).await.authorized(&short).await;
    assert_eq!(server.ask(&access, &list()).await.0, 200);
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(server.ask(&access, &list()).await.0, 401, "the link has expired");
}

#[tokio::test]
async fn a_person_sees_what_is_asked_and_can_give_less_or_nothing() {
    let server = serve_own_tokens("oauth-consent", SystemTime::now).await;
    let link = server.link(&["read", "write"], false, None).await;
    let mut client = Client::register(&server).await;
    let (_, page) = client.bring(&link.token, "").await;
    for shown in [
        "Test client",
        "a program on the machine of this browser",
        "Contractor",
        "jitbit (jitbit)",
        "jitbit_get_ticket",
        "jitbit_create_ticket",
        "tools that only read",
        "tools that change things",
        "nobody has verified this name",
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    assert!(!page.contains("jitbit_list_users") && !page.contains(&link.token) && !page.contains("<script"), "{page}");
    let denied = location(&client.decide(&page, &[("decision", "deny")]).await);
    let told = parameters(&denied);
    assert_eq!((told["error"].as_str(), told["iss"].as_str()), ("access_denied", server.origin().as_str()));
    assert!(!told.contains_key("code"));
    let again = client.decide(&page, &[("decision", "allow")]).await;
    assert_eq!(again.status(), 400, "a question is answered once");
    let code = client.code(&link, &[("only_reads", "yes")]).await;
    let (access, _) = tokens(&client.exchange(&code).await.1);
    assert!(!server.tools(&access).await.contains(&"jitbit_create_ticket".to_owned()));
    client.scope = Some("jitbit:read jitbit:users:write");
    let code = client.code(&link, &[]).await;
    let (_, issued) = client.exchange(&code).await;
    assert_eq!(issued["scope"], "jitbit:read", "of those, what the link has any tools of");
    let (access, _) = tokens(&issued);
    let create = call("jitbit_create_ticket", &json!({"categoryId": 1, "subject": "a", "body": "b"}));
    let (status, challenge, _) = server.ask(&access, &create).await;
    assert_eq!(status, 403);
    assert!(challenge.contains("insufficient_scope") && challenge.contains("jitbit:write"), "{challenge}");
}

#[tokio::test]
async fn a_client_revokes_what_it_has() {
    let server = serve_own_tokens("oauth-revoke", SystemTime::now).await;
    let link = server.link(&["read"], false, None).await;
    for is_access in [true, false] {
        let mut client = Client::register(&server).await;
        let (access, refresh) = client.authorized(&link).await;
        let token = if is_access { &access } else { &refresh };
        let revoke = server.client.post(format!("{}/revoke", server.origin()));
        let answer = revoke.form(&[("token", token.as_str()), ("client_id", &client.id)]).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(client.refresh(&refresh).await.0, 400);
        tokio::time::sleep(Duration::from_millis(700)).await;
        assert_eq!(server.ask(&access, &list()).await.0, 401);
    }
    let unknown =
        server.client.post(format!("{}/revoke", server.origin())).form(&[("token", "x")]).send().await.unwrap();
    assert_eq!(unknown.status(), 200, "it is revoked already");
    assert_eq!(server.client.get(link.url(&server.origin())).send().await.unwrap().status().as_u16() / 100, 4);
}
