//! What OpenID Connect and RFC 9700 list against a server whose people sign in elsewhere: each is tried, and leads to nothing.

use std::time::SystemTime;

use serde_json::{Value, json};

use super::authorization::{Client, hidden};
use super::login::{authorized, begin, come_back};
use super::provider::{self, Provider, SigningKey, query, unsigned};
use super::serve_with_login;

/// Makes the token of an identity, of the claims that it should have.
type Forge<'a> = Box<dyn Fn(&Value) -> String + 'a>;

#[tokio::test]
async fn a_browser_comes_back_once_with_its_own_sign_in_and_no_other() {
    let provider = Provider::start(SigningKey::p256()).await;
    let server = serve_with_login("login-browsers", SystemTime::now, &provider).await;
    let (mut client, mut thief) = (Client::register(&server).await, Client::register(&server).await);
    let (address, kept) = begin(&mut client).await;
    let (thiefs_address, thiefs_kept) = begin(&mut thief).await;
    let identity = |address: &str| provider.identity_token(&provider.identity(address, "helpdesk"));
    let back = provider.signed_in(&address, identity(&address));
    let thiefs_back = provider.signed_in(&thiefs_address, identity(&thiefs_address));
    let both = format!("{kept}; {thiefs_kept}");
    let (own, thiefs) = (client.cookie.as_str(), thief.cookie.as_str());
    for (what, query, cookies) in [
        ("a stolen way back in another browser", &back, &[thiefs, &thiefs_kept][..]),
        ("with another browser's cookie beside the own", &back, &[thiefs, &kept]),
        ("without what the browser keeps of the sign-in", &back, &[own]),
        ("without what the browser is recognized by", &back, &[&kept]),
        ("without any", &back, &[]),
        ("with two", &back, &[own, &both]),
        ("an attacker's own way back, in the person's browser", &thiefs_back, &[own, &kept]),
        ("no state", &"code=x".to_owned(), &[own, &kept]),
        ("no query", &String::new(), &[own, &kept]),
        ("a state twice", &format!("{back}&state=x"), &[own, &kept]),
    ] {
        let answer = come_back(&server, query, cookies).await;
        assert_eq!(answer.status(), 400, "{what}");
        assert!(!answer.text().await.unwrap().contains("name=\"ticket\""), "{what}");
    }
    // None of that ends what is under way.
    let page = come_back(&server, &back, &[own, &kept]).await;
    assert_eq!(page.status(), 200);
    let (policy, cookie) = (page.headers()["content-security-policy"].clone(), page.headers()["set-cookie"].clone());
    assert!(policy.to_str().unwrap().contains("frame-ancestors 'none'"));
    assert!(cookie.to_str().unwrap().contains("Max-Age=0"), "the browser forgets it");
    let page = page.text().await.unwrap();
    assert_eq!(come_back(&server, &back, &[own, &kept]).await.status(), 400, "the same way back again");
    // The question is answered in the browser that was asked.
    let request = thief.request();
    let theirs = thief.open(&request).await.text().await.unwrap();
    let (ticket, csrf) = (hidden(&page, "ticket"), hidden(&theirs, "csrf"));
    let stolen = [("ticket", ticket.as_str()), ("csrf", &csrf), ("decision", "allow")];
    assert_eq!(thief.form("/authorize/decision", &stolen).send().await.unwrap().status(), 400);
    assert_eq!(client.decide(&page, &[("decision", "allow")]).await.status(), 303);
}

#[tokio::test]
async fn a_sign_in_is_begun_from_a_page_of_this_server_only() {
    let provider = Provider::start(SigningKey::p256()).await;
    let server = serve_with_login("login-csrf", SystemTime::now, &provider).await;
    let mut client = Client::register(&server).await;
    let request = client.request();
    let response = client.open(&request).await;
    let cookie = response.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
    let page = response.text().await.unwrap();
    let (query, csrf) = (hidden(&page, "request"), hidden(&page, "csrf"));
    let url = format!("{}/authorize/login", server.origin());
    let own = server.origin();
    for (what, origin, cookie, csrf) in [
        ("another origin", "https://evil.example.com", client.cookie.as_str(), csrf.as_str()),
        ("a page without an origin", "null", &client.cookie, &csrf),
        ("no cookie", &own, "", &csrf),
        ("another browser", &own, &format!("toolwright={}", "a".repeat(43)), &csrf),
        ("another field", &own, &client.cookie, "x"),
    ] {
        let form = server.client.post(&url).form(&[("request", query.as_str()), ("csrf", csrf)]);
        let answer = form.header("origin", origin).header("cookie", cookie).send().await.unwrap();
        assert_eq!(answer.status(), 403, "{what}");
        assert!(!answer.headers().contains_key("set-cookie"), "{what}");
    }
    assert_eq!(server.client.get(&url).send().await.unwrap().status(), 404);
    // A request that a page has changed is checked again.
    let changed = query.replace("33418", "33418%40evil.example.com");
    assert_ne!(changed, query);
    let answer = client.form("/authorize/login", &[("request", &changed), ("csrf", &csrf)]).send().await.unwrap();
    assert_eq!(answer.status(), 400);
    let mut refused = 0;
    for _ in 0..80 {
        let begun = client.form("/authorize/login", &[("request", &query), ("csrf", &csrf)]).send().await.unwrap();
        refused += usize::from(begun.status() == 429);
    }
    assert!(refused >= 5, "{refused}: sign-ins that are begun are limited");
}

#[tokio::test]
async fn an_answer_of_another_provider_or_for_another_sign_in_shows_nobody() {
    let provider = Provider::start(SigningKey::p256()).await;
    let server = serve_with_login("login-answers", SystemTime::now, &provider).await;
    let mut client = Client::register(&server).await;
    let stranger = SigningKey::p256();
    let (header, none) = (json!({"alg": "ES256", "typ": "JWT", "kid": "first"}), json!({"alg": "none"}));
    let with = |name: &'static str, value: Value| -> Forge<'_> {
        let provider = &provider;
        Box::new(move |claims: &Value| {
            let mut changed = claims.clone();
            changed[name] = value.clone();
            provider.identity_token(&changed)
        })
    };
    let forged: Vec<(&str, Forge<'_>)> = vec![
        ("the nonce of another sign-in", with("nonce", json!("another"))),
        ("no nonce", with("nonce", Value::Null)),
        ("for another client", with("aud", json!("another"))),
        ("for this server as a resource", with("aud", json!(format!("{}/mcp", server.origin())))),
        ("issued to another party", with("azp", json!("another"))),
        ("of another issuer", with("iss", json!("https://evil.example.com"))),
        ("expired", with("exp", json!(super::now() - 61))),
        ("without a subject", with("sub", json!(""))),
        ("not signed", Box::new(|claims| format!("{}.", unsigned(&none, claims)))),
        ("signed by another", Box::new(|claims| stranger.token(&header, claims))),
        ("no token", Box::new(|_| "token".to_owned())),
    ];
    for (what, forge) in forged {
        let (address, kept) = begin(&mut client).await;
        let back = provider.signed_in(&address, forge(&provider.identity(&address, "helpdesk")));
        let page = come_back(&server, &back, &[&client.cookie, &kept]).await;
        assert_eq!(page.status(), 403, "{what}");
        assert!(!page.text().await.unwrap().contains("name=\"ticket\""), "{what}");
    }
    // The code of one sign-in in the answer of another, and one that was used (RFC 9700, code injection and reuse).
    let (address, kept) = begin(&mut client).await;
    let sound = provider.identity_token(&provider.identity(&address, "helpdesk"));
    let stolen = {
        let mut other = Client::register(&server).await;
        let (address, _) = begin(&mut other).await;
        provider.signed_in(&address, sound.clone());
        format!("c0de-{}", query(&address)["state"])
    };
    let (state, issuer) = (query(&address)["state"].clone(), provider.issuer());
    let injected = provider::way_back(&[("code", &stolen), ("state", &state), ("iss", &issuer)]);
    assert_eq!(come_back(&server, &injected, &[&client.cookie, &kept]).await.status(), 403, "its verifier is another");
    for (what, parameters, status) in [
        ("mix-up: the answer of another provider", vec![("code", "x"), ("iss", "https://evil.example.com")], 403),
        ("mix-up: an answer that does not state whose it is", vec![("code", "x")], 403),
        ("no code", vec![("iss", issuer.as_str())], 403),
        ("a refusal", vec![("error", "access_denied"), ("iss", &issuer)], 403),
        ("a refusal in words", vec![("error", "<script>alert(1)</script>"), ("iss", &issuer)], 403),
        ("an invented code", vec![("code", "invented"), ("iss", &issuer)], 403),
    ] {
        let (address, kept) = begin(&mut client).await;
        let state = query(&address)["state"].clone();
        let parameters: Vec<_> = parameters.into_iter().chain([("state", state.as_str())]).collect();
        let page = come_back(&server, &provider::way_back(&parameters), &[&client.cookie, &kept]).await;
        assert_eq!(page.status(), status, "{what}");
        let text = page.text().await.unwrap();
        assert!(!text.contains("name=\"ticket\"") && !text.contains("<script"), "{what}: {text}");
    }
}

#[tokio::test]
async fn no_secret_of_a_sign_in_is_kept_here() {
    let provider = Provider::start(SigningKey::p256()).await;
    let server = serve_with_login("login-secrets", SystemTime::now, &provider).await;
    let mut client = Client::register(&server).await;
    let (access, refresh) = authorized(&mut client, &provider, "helpdesk").await;
    let (address, kept) = begin(&mut client).await;
    let kept = kept.split_once('=').unwrap().1.to_owned();
    let cookie = client.cookie.split_once('=').unwrap().1.to_owned();
    let asked = query(&address);
    server.tools(&access).await;
    for file in std::fs::read_dir(server.audit.parent().unwrap()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        for secret in [&access, &refresh, &kept, &cookie, &asked["state"], &asked["nonce"]] {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()));
        }
    }
}

#[tokio::test]
async fn what_a_person_has_given_is_not_narrowed_to_a_link() {
    let provider = Provider::start(SigningKey::p256()).await;
    let server = serve_with_login("login-narrow", SystemTime::now, &provider).await;
    let mut client = Client::register(&server).await;
    authorized(&mut client, &provider, "helpdesk").await;
    let store = server.store.as_ref().unwrap();
    let given = store.links().await.unwrap().remove(0);
    let request = toolwright::access::links::LinkRequest { name: "Narrower".to_owned(), ..Default::default() };
    let narrowed =
        toolwright::access::links::narrow(store, server.policy.catalog(), &given.id, request, SystemTime::now());
    let error = narrowed.await.err().unwrap().to_string();
    assert!(error.contains("has allowed a program"), "a link would follow no entry: {error}");
}
