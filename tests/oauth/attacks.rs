//! What RFC 9700 lists against authorization servers and their clients: each is tried, and leads to nothing.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use super::authorization::{Client, REDIRECT, VERIFIER, challenge, hidden, location, parameters, tokens};
use super::{list, serve_own_tokens};

/// Changes one parameter of a request; an empty value leaves it out.
fn changed(request: &[(String, String)], name: &str, value: &str) -> Vec<(String, String)> {
    let others = request.iter().filter(|(own, _)| own != name).cloned();
    others.chain((!value.is_empty()).then(|| (name.to_owned(), value.to_owned()))).collect()
}

#[tokio::test]
async fn nobody_is_sent_to_an_address_that_is_not_the_clients() {
    let server = serve_own_tokens("oauth-redirects", SystemTime::now).await;
    let mut client = Client::register(&server).await;
    let request = client.request();
    for (name, value) in [
        ("redirect_uri", "https://evil.example.com/"),
        ("redirect_uri", "http://127.0.0.1:33418/other"),
        ("redirect_uri", "http://127.0.0.1:33418/callback/../x"),
        ("redirect_uri", "http://127.0.0.1:33418/callback?next=https://evil.example.com"),
        ("redirect_uri", "http://127.0.0.1:33418/callback#x"),
        ("redirect_uri", "http://127.0.0.1:33418@evil.example.com/callback"),
        ("redirect_uri", "http://localhost:33418/callback"),
        ("redirect_uri", "https://127.0.0.1:33418/callback"),
        ("redirect_uri", "javascript:alert(1)//callback"),
        ("redirect_uri", "//evil.example.com/callback"),
        ("redirect_uri", ""),
        ("client_id", "registered_e30"),
        ("client_id", "unknown"),
        ("client_id", ""),
    ] {
        let page = client.open(&changed(&request, name, value)).await;
        assert_eq!(page.status(), 400, "{name}={value}");
        assert!(
            !page.headers().contains_key("location") && !page.headers().contains_key("set-cookie"),
            "{name}={value}"
        );
        let text = page.text().await.unwrap();
        assert!(!text.contains("evil.example.com"), "{text}");
    }
    let twice: Vec<_> = request.iter().cloned().chain([("redirect_uri".to_owned(), REDIRECT.to_owned())]).collect();
    assert_eq!(client.open(&twice).await.status(), 400, "a parameter that is there twice");
    assert_eq!(
        client.open(&changed(&request, "redirect_uri", "http://127.0.0.1:9/callback")).await.status(),
        200,
        "another port"
    );
    for uri in
        ["https://evil.example.com/", "http://10.0.0.1/", "https://claude.ai.evil.example.com/", "data:text/html,x"]
    {
        let metadata = json!({"redirect_uris": ["http://127.0.0.1/", uri]});
        let refused = server.client.post(format!("{}/register", server.origin())).json(&metadata).send().await.unwrap();
        assert_eq!(refused.status(), 400, "{uri}");
        assert_eq!(refused.json::<Value>().await.unwrap()["error"], "invalid_redirect_uri");
    }
}

#[tokio::test]
async fn pkce_is_not_left_out_and_not_made_weaker_and_the_resource_is_this_one() {
    let server = serve_own_tokens("oauth-pkce", SystemTime::now).await;
    let mut client = Client::register(&server).await;
    let request = client.request();
    for (name, value, expected) in [
        ("code_challenge_method", "plain", "invalid_request"),
        ("code_challenge_method", "", "invalid_request"),
        ("code_challenge_method", "s256", "invalid_request"),
        ("code_challenge", "", "invalid_request"),
        ("code_challenge", VERIFIER.get(1..).unwrap(), "invalid_request"),
        ("response_type", "token", "unsupported_response_type"),
        ("response_type", "code id_token", "unsupported_response_type"),
        ("resource", "https://other.example.com/mcp", "invalid_target"),
        ("scope", "other:read", "invalid_scope"),
    ] {
        let gone = client.open(&changed(&request, name, value)).await;
        assert_eq!(gone.status(), 303, "{name}={value}");
        let back = parameters(&location(&gone));
        assert_eq!(back["error"], expected, "{name}={value}");
        assert_eq!((back["state"].as_str(), back["iss"].as_str()), ("st4te", server.origin().as_str()));
    }
}

#[tokio::test]
async fn a_code_is_of_its_client_its_verifier_and_its_address_once() {
    let server = serve_own_tokens("oauth-codes", SystemTime::now).await;
    let link = server.link(&["read"], false, None).await;
    let other = Client::register(&server).await;
    for (name, value) in [
        ("code_verifier", "a".repeat(43).as_str()),
        ("code_verifier", challenge().as_str()),
        ("code_verifier", "short"),
        ("code_verifier", ""),
        ("client_id", "registered_other"),
        ("redirect_uri", "http://127.0.0.1:9/callback"),
        ("redirect_uri", ""),
        ("resource", "https://other.example.com/mcp"),
    ] {
        let mut client = Client::register(&server).await;
        let code = client.code(&link, &[]).await;
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("client_id", &client.id),
            ("redirect_uri", REDIRECT),
            ("code_verifier", VERIFIER),
        ];
        let fields = fields.into_iter().filter(|(own, _)| *own != name).chain([(name, value)]);
        let fields: Vec<_> = fields.filter(|(_, value)| !value.is_empty()).collect();
        let (status, answer) = client.token(&fields).await;
        assert_eq!(status, 400, "{name}={value}: {answer}");
        assert!(answer.get("access_token").is_none(), "{answer}");
    }
    // What the first use has made ends with the second.
    let mut client = Client::register(&server).await;
    let code = client.code(&link, &[]).await;
    let (access, refresh) = tokens(&client.exchange(&code).await.1);
    assert_eq!(server.ask(&access, &list()).await.0, 200);
    assert_eq!(client.exchange(&code).await.1["error"], "invalid_grant");
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(server.ask(&access, &list()).await.0, 401);
    assert_eq!(client.refresh(&refresh).await.0, 400);
    assert_eq!(other.exchange("toolwright_code_invented").await.1["error"], "invalid_grant");
}

#[tokio::test]
async fn a_refresh_token_that_comes_again_ends_all_of_its_authorization_and_no_other() {
    let server = serve_own_tokens("oauth-reuse", SystemTime::now).await;
    let link = server.link(&["read"], false, None).await;
    let (mut client, mut other) = (Client::register(&server).await, Client::register(&server).await);
    let (_, stolen) = client.authorized(&link).await;
    let (unhurt, _) = other.authorized(&link).await;
    let (access, next) = tokens(&client.refresh(&stolen).await.1);
    assert_eq!(server.ask(&access, &list()).await.0, 200);
    let (status, answer) = client.refresh(&stolen).await;
    assert_eq!((status.as_u16(), &answer["error"]), (400, &json!("invalid_grant")));
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(server.ask(&access, &list()).await.0, 401);
    assert_eq!(client.refresh(&next).await.0, 400);
    assert_eq!(server.ask(&unhurt, &list()).await.0, 200);
    // One after the other, whichever comes first.
    let (_, raced) = client.authorized(&link).await;
    let (one, two) = tokio::join!(client.refresh(&raced), client.refresh(&raced));
    let issued = [&one, &two].iter().filter(|(status, _)| *status == 200).count();
    assert!(issued <= 1, "{one:?} {two:?}");
    let (_, of_client) = client.authorized(&link).await;
    let fields =
        [("grant_type", "refresh_token"), ("refresh_token", of_client.as_str()), ("client_id", "registered_x")];
    assert_eq!(other.token(&fields).await.0, 400, "of another client");
    assert_eq!(client.refresh(&of_client).await.0, 200, "which ends nothing");
    // For another server, which is told before the token is spent; and for more than was allowed.
    let (_, narrow) = client.authorized(&link).await;
    let other_resource = [
        ("grant_type", "refresh_token"),
        ("refresh_token", narrow.as_str()),
        ("client_id", client.id.as_str()),
        ("resource", "https://other.example.com/mcp"),
    ];
    assert_eq!(client.token(&other_resource).await.1["error"], "invalid_target");
    let wider = [
        ("grant_type", "refresh_token"),
        ("refresh_token", narrow.as_str()),
        ("client_id", client.id.as_str()),
        ("scope", "jitbit:read jitbit:write"),
    ];
    let (status, issued) = client.token(&wider).await;
    assert_eq!((status.as_u16(), &issued["scope"]), (200, &json!("jitbit:read")), "scopes that are asked for later");
    let (access, refresh) = client.authorized(&link).await;
    assert_eq!(client.refresh(&access).await.0, 400, "an access token renews nothing");
    assert_eq!(server.ask(&refresh, &list()).await.0, 401, "and a refresh token calls nothing");
}

#[tokio::test]
async fn forms_of_other_pages_and_browsers_are_refused() {
    let server = serve_own_tokens("oauth-csrf", SystemTime::now).await;
    let link = server.link(&["read"], false, None).await;
    let mut client = Client::register(&server).await;
    let request = client.request();
    let response = client.open(&request).await;
    let headers = response.headers().clone();
    let header = |name: &str| headers[name].to_str().unwrap().to_owned();
    assert_eq!(header("x-frame-options"), "DENY");
    let policy = header("content-security-policy");
    for part in
        ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self' http://127.0.0.1:33418"]
    {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!policy.contains("unsafe") && header("cache-control") == "no-store", "{policy}");
    let cookie = header("set-cookie");
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    let page = response.text().await.unwrap();
    let (query, csrf) = (hidden(&page, "request"), hidden(&page, "csrf"));
    let fields = [("request", query.as_str()), ("csrf", &csrf), ("link", &link.token)];
    let bare = |origin: Option<&str>, cookie: &str, fields: &[(&str, &str)]| {
        let request = server.client.post(format!("{}/authorize", server.origin())).form(fields);
        let request = if cookie.is_empty() { request } else { request.header("cookie", cookie) };
        origin.into_iter().fold(request, |request, origin| request.header("origin", origin)).send()
    };
    let (own, kept) = (server.origin(), client.cookie.clone());
    let others = format!("toolwright={}", "a".repeat(43));
    let other_csrf = [("request", query.as_str()), ("csrf", "x"), ("link", &link.token)];
    let no_csrf = [("request", query.as_str()), ("link", link.token.as_str())];
    for (what, origin, cookie, fields) in [
        ("another origin", Some("https://evil.example.com"), kept.as_str(), &fields[..]),
        ("no origin", None, &kept, &fields),
        ("a page without an origin", Some("null"), &kept, &fields),
        ("no cookie", Some(own.as_str()), "", &fields),
        ("another browser", Some(&own), &others, &fields),
        ("another field", Some(&own), &kept, &other_csrf),
        ("no field", Some(&own), &kept, &no_csrf),
        ("two cookies", Some(&own), &format!("{kept}; {others}"), &fields),
    ] {
        assert_eq!(bare(origin, cookie, fields).await.unwrap().status(), 403, "{what}");
    }
    assert_eq!(bare(Some(&own), &kept, &fields).await.unwrap().status(), 200);
    // A question is answered in the browser that was asked.
    let (_, page) = client.bring(&link.token, "").await;
    let mut thief = Client::register(&server).await;
    let request = thief.request();
    let their_page = thief.open(&request).await.text().await.unwrap();
    let (ticket, csrf) = (hidden(&page, "ticket"), hidden(&their_page, "csrf"));
    let fields = [("ticket", ticket.as_str()), ("csrf", &csrf), ("decision", "allow")];
    assert_eq!(thief.form("/authorize/decision", &fields).send().await.unwrap().status(), 400);
    assert_eq!(client.decide(&page, &[("decision", "allow")]).await.status(), 303);
}

#[tokio::test]
async fn links_are_not_learned_here_either() {
    let server = serve_own_tokens("oauth-guesses", SystemTime::now).await;
    let guarded = server.link(&["read"], true, None).await;
    let open = server.link(&["read"], false, None).await;
    let revoked = server.link(&["read"], false, None).await;
    server.store.as_ref().unwrap().revoke_link(&revoked.link.id, SystemTime::now()).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let second = guarded.second_token.clone().unwrap();
    let mut client = Client::register(&server).await;
    let mut pages = Vec::new();
    for (link, second) in [
        (guarded.token.as_str(), ""),
        (&guarded.token, "wrong"),
        (&open.token, &second),
        (&revoked.token, ""),
        ("unknown", ""),
        ("", ""),
        (&second, ""),
    ] {
        let (status, page) = client.bring(link, second).await;
        assert_eq!(status, 403);
        pages.push(page.split("role=\"alert\">").nth(1).unwrap().split('<').next().unwrap().to_owned());
    }
    pages.dedup();
    assert_eq!(pages.len(), 1, "{pages:?}");
    let mut refused = 0;
    for guess in 0..40 {
        let (status, _) = client.bring(&format!("guess {guess}"), "").await;
        refused += usize::from(status == 429);
    }
    assert!(refused >= 5, "{refused}: guesses are limited");
    assert_eq!(client.bring(&guarded.token, &second).await.0, 200, "and hold nobody back who has a link");
}

/// Seconds by which the clock below is ahead.
static AHEAD: AtomicU64 = AtomicU64::new(0);

fn clock() -> SystemTime {
    SystemTime::now() + Duration::from_secs(AHEAD.load(Ordering::SeqCst))
}

#[tokio::test]
async fn codes_questions_and_tokens_end_in_time() {
    let server = serve_own_tokens("oauth-times", clock).await;
    let link = server.link(&["read"], false, None).await;
    let mut client = Client::register(&server).await;
    let code = client.code(&link, &[]).await;
    AHEAD.store(61, Ordering::SeqCst);
    assert_eq!(client.exchange(&code).await.1["error"], "invalid_grant", "a code after a minute");
    let (access, refresh) = client.authorized(&link).await;
    let (_, page) = client.bring(&link.token, "").await;
    AHEAD.store(61 + 601, Ordering::SeqCst);
    assert_eq!(client.decide(&page, &[("decision", "allow")]).await.status(), 400, "a question after ten minutes");
    assert_eq!(server.ask(&access, &list()).await.0, 200);
    AHEAD.store(61 + 3_600, Ordering::SeqCst);
    assert_eq!(server.ask(&access, &list()).await.0, 401, "an access token after an hour");
    let (access, next) = tokens(&client.refresh(&refresh).await.1);
    assert_eq!(server.ask(&access, &list()).await.0, 200);
    AHEAD.store(61 + 3_600 + 31 * 86_400, Ordering::SeqCst);
    assert_eq!(client.refresh(&next).await.0, 400, "a refresh token after a month");
    let store = server.store.as_ref().unwrap();
    store.sweep_oauth(clock()).await.unwrap();
    let left = store.links().await.unwrap();
    let valid: Vec<_> = left.iter().filter(|link| link.is_valid(clock())).map(|link| link.name.as_str()).collect();
    assert_eq!(valid, ["Contractor"], "what has no token any more is revoked");
}

#[tokio::test]
async fn documents_of_clients_at_private_addresses_are_not_fetched() {
    let server = serve_own_tokens("oauth-ssrf", SystemTime::now).await;
    let mut client = Client::register(&server).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let request = client.request();
    for id in [
        format!("https://127.0.0.1:{port}/client.json"),
        format!("https://localhost:{port}/client.json"),
        "https://localhost/client.json".to_owned(),
        "https://169.254.169.254/latest/meta-data".to_owned(),
        "https://[::ffff:127.0.0.1]/client.json".to_owned(),
        "https://2130706433/client.json".to_owned(),
        format!("http://127.0.0.1:{port}/client.json"),
        "file:///etc/passwd".to_owned(),
    ] {
        let page = client.open(&changed(&request, "client_id", &id)).await;
        assert_eq!(page.status(), 400, "{id}");
        assert!(!page.headers().contains_key("location"));
    }
    let arrived = tokio::time::timeout(Duration::from_millis(300), listener.accept()).await;
    assert!(arrived.is_err(), "nothing was asked");
}

#[tokio::test]
async fn what_clients_state_of_themselves_is_not_fetched_and_changes_no_way_back() {
    let server = serve_own_tokens("oauth-metadata-urls", SystemTime::now).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://127.0.0.1:{}/x", listener.local_addr().unwrap().port());
    let metadata = json!({
        "redirect_uris": ["http://127.0.0.1/callback"], "logo_uri": url, "client_uri": url, "policy_uri": url, "jwks_uri": url,
        "sector_identifier_uri": url, "request_uris": [url], "initiate_login_uri": url, "software_statement": "e30.e30."
    });
    let registered = server.client.post(format!("{}/register", server.origin())).json(&metadata).send().await.unwrap();
    assert_eq!(registered.status(), 201);
    let mut client = Client::register(&server).await;
    client.id = registered.json::<Value>().await.unwrap()["client_id"].as_str().unwrap().to_owned();
    let request = client.request();
    let page = client.open(&request).await;
    assert_eq!(page.status(), 200);
    assert!(!page.text().await.unwrap().contains(&url));
    for (name, value) in [("request_uri", url.as_str()), ("request", "e30.e30.")] {
        let gone = client.open(&changed(&request, name, value)).await;
        assert_eq!(parameters(&location(&gone))["error"], "request_not_supported", "{name}");
    }
    // The code is in the query, whatever else is asked for, and comes by 303: the form is not sent on (RFC 9700, 4.12).
    let link = server.link(&["read"], false, None).await;
    let more = [("response_mode", "fragment"), ("prompt", "none"), ("id_token_hint", "e30.e30.")];
    let asked: Vec<_> =
        request.iter().cloned().chain(more.map(|(name, value)| (name.to_owned(), value.to_owned()))).collect();
    let page = client.open(&asked).await.text().await.unwrap();
    let (query, csrf) = (hidden(&page, "request"), hidden(&page, "csrf"));
    let fields = [("request", query.as_str()), ("csrf", &csrf), ("link", &link.token)];
    let page = client.form("/authorize", &fields).send().await.unwrap().text().await.unwrap();
    let gone = client.decide(&page, &[("decision", "allow")]).await;
    assert_eq!((gone.status().as_u16(), gone.headers()["referrer-policy"].to_str().unwrap()), (303, "no-referrer"));
    assert!(location(&gone).fragment().is_none() && parameters(&location(&gone)).contains_key("code"));
    let arrived = tokio::time::timeout(Duration::from_millis(300), listener.accept()).await;
    assert!(arrived.is_err(), "nothing was asked");
}

#[tokio::test]
async fn a_link_that_has_scopes_gives_no_others() {
    let server = serve_own_tokens("oauth-scoped-link", SystemTime::now).await;
    let link = server.link(&["read", "write"], false, None).await;
    let mut client = Client::register(&server).await;
    client.scope = Some("jitbit:read");
    let code = client.code(&link, &[]).await;
    assert_eq!(client.exchange(&code).await.0, 200);
    let store = server.store.as_ref().unwrap();
    let given = store.links().await.unwrap().into_iter().find(|it| it.parent.is_some()).unwrap();
    let request = toolwright::access::links::LinkRequest { name: "Narrower".to_owned(), ..Default::default() };
    let narrowed =
        toolwright::access::links::narrow(store, server.policy.catalog(), &given.id, request, SystemTime::now());
    let error = narrowed.await.err().unwrap().to_string();
    assert!(error.contains("has allowed a program"), "the scopes of a further client would take their place: {error}");
}

#[tokio::test]
async fn what_clients_name_themselves_stays_text() {
    let server = serve_own_tokens("oauth-text", SystemTime::now).await;
    let name = "<script>alert(1)</script>\" onfocus=x \u{202e}";
    let metadata = json!({"client_name": name, "redirect_uris": ["http://127.0.0.1/callback"]});
    let registered = server.client.post(format!("{}/register", server.origin())).json(&metadata).send().await.unwrap();
    let registered: Value = registered.json().await.unwrap();
    let mut client = Client::register(&server).await;
    client.id = registered["client_id"].as_str().unwrap().to_owned();
    let request = changed(&client.request(), "state", "\"><script>alert(2)</script>");
    let page = client.open(&request).await.text().await.unwrap();
    assert!(!page.contains("<script") && !page.contains("onfocus=") && !page.contains('\u{202e}'), "{page}");
}

#[tokio::test]
async fn tokens_of_others_and_guesses_are_refused_and_the_server_stays_ready() {
    let server = serve_own_tokens("oauth-foreign", SystemTime::now).await;
    let link = server.link(&["read"], true, None).await;
    let (second, random) = (link.second_token.clone().unwrap(), "a".repeat(43));
    for token in [
        second.clone(),
        link.token.clone(),
        format!("toolwright_access_{random}"),
        format!("toolwright_access_{}", &random[1..]),
        format!("toolwright_refresh_{random}"),
        "eyJhbGciOiJub25lIn0.e30.".to_owned(),
        "jca_0123456789".to_owned(),
    ] {
        let (status, challenge, text) = server.ask(&token, &list()).await;
        assert_eq!(status, 401, "{text}");
        assert!(challenge.contains("invalid_token") && !challenge.contains(&token), "{challenge}");
    }
    assert_eq!(server.get("/readyz").await.0, 200);
    let answer = server.client.get(format!("{}/token", server.origin())).send().await.unwrap();
    assert_eq!(answer.status(), 405);
    let json = server.client.post(format!("{}/token", server.origin())).json(&json!({})).send().await.unwrap();
    assert_eq!(json.status(), 400);
    let long = server.client.post(format!("{}/token", server.origin())).form(&[("code", "a".repeat(20_000))]);
    assert_eq!(long.send().await.unwrap().status(), 413);
}
