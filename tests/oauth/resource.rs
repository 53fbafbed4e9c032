//! The server as a protected resource of the company's identity provider.

use reqwest::Method;
use serde_json::{Value, json};

use super::provider::{Provider, SigningKey, unsigned};
use super::{call, list, now, serve_tokens_of};

const TICKETS: &str = "jitbit:read jitbit:write openid";

#[tokio::test]
async fn a_client_finds_the_provider_by_the_challenge_and_the_metadata_of_the_exact_path() {
    let provider = Provider::start(SigningKey::p256()).await;
    let server = serve_tokens_of("oauth-metadata", &provider, true).await;
    let response = server.post(&list()).send().await.unwrap();
    assert_eq!(response.status(), 401);
    let challenge = response.headers()["www-authenticate"].to_str().unwrap().to_owned();
    let at = format!("{}/.well-known/oauth-protected-resource/mcp", server.origin());
    assert!(
        challenge.starts_with("Bearer ") && challenge.contains(&format!("resource_metadata=\"{at}\"")),
        "{challenge}"
    );
    for path in ["/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-protected-resource"] {
        let (status, metadata) = server.get(path).await;
        assert_eq!(status, 200, "{path}");
        assert_eq!(metadata["resource"], format!("{}/mcp", server.origin()));
        assert_eq!(metadata["authorization_servers"], json!([provider.issuer()]));
        let scopes = metadata["scopes_supported"].as_array().unwrap();
        assert!(scopes.contains(&json!("jitbit:read")) && scopes.contains(&json!("jitbit:write")), "{scopes:?}");
    }
    for path in
        ["/.well-known/oauth-protected-resource/c/x/mcp", "/.well-known/oauth-authorization-server", "/authorize"]
    {
        assert_eq!(server.get(path).await.0, 404, "{path}");
    }
    let page =
        server.client.request(Method::OPTIONS, &at).header("origin", "https://app.example.com").send().await.unwrap();
    assert_eq!(page.headers()["access-control-allow-origin"], "*", "a client in a browser may read it");
    let foreign = server.client.get(&at).header("host", "evil.example.com").send().await.unwrap();
    assert_eq!(foreign.status(), 403);
}

#[tokio::test]
async fn a_token_permits_what_its_groups_and_its_scopes_permit() {
    for key in [SigningKey::p256(), SigningKey::ed25519()] {
        let provider = Provider::start(key).await;
        let server = serve_tokens_of("oauth-permits", &provider, true).await;
        let audience = format!("{}/mcp", server.origin());
        let whole = server.tools(&provider.token(&audience, "helpdesk", TICKETS)).await;
        for (name, expected) in [
            ("jitbit_get_ticket", true),
            ("jitbit_create_ticket", true),
            ("jitbit_list_users", false),
            ("jsm_get_request", false),
        ] {
            assert_eq!(whole.iter().any(|tool| tool == name), expected, "{name}");
        }
        let reads = server.tools(&provider.token(&audience, "helpdesk", "jitbit:tickets:read")).await;
        assert!(reads.contains(&"jitbit_get_ticket".to_owned()) && !reads.contains(&"jitbit_create_ticket".to_owned()));
        let wide = server.tools(&provider.token(&audience, "auditors", TICKETS)).await;
        assert!(!wide.contains(&"jitbit_create_ticket".to_owned()), "scopes widen nothing");
        let (status, _, answer) = server
            .ask(&provider.token(&audience, "helpdesk", TICKETS), &call("jitbit_get_ticket", &json!({"ticketId": 7})))
            .await;
        assert_eq!((status.as_u16(), &answer["result"]["isError"]), (200, &json!(false)), "{answer}");
        let record = std::fs::read_to_string(&server.audit).unwrap();
        assert!(record.contains("oauth ann@example.com ("), "{record}");
    }
}

#[tokio::test]
async fn a_call_that_lacks_scopes_is_told_all_that_it_needs() {
    let provider = Provider::start(SigningKey::p256()).await;
    let server = serve_tokens_of("oauth-scopes", &provider, true).await;
    let audience = format!("{}/mcp", server.origin());
    let create = call("jitbit_create_ticket", &json!({"categoryId": 1, "subject": "a", "body": "b"}));
    let (status, challenge, _) =
        server.ask(&provider.token(&audience, "helpdesk", "jitbit:tickets:read"), &create).await;
    assert_eq!(status, 403);
    assert!(challenge.contains("error=\"insufficient_scope\""), "{challenge}");
    assert!(challenge.contains("scope=\"jitbit:write jitbit:tickets:read\""), "all, and those it has: {challenge}");
    assert!(challenge.contains("resource_metadata="), "{challenge}");
    // No scope helps where the group does not permit it: the answer is the usual one of a tool that is not offered.
    let (status, challenge, answer) = server.ask(&provider.token(&audience, "auditors", TICKETS), &create).await;
    assert_eq!((status.as_u16(), challenge.as_str()), (200, ""), "{answer}");
    assert!(answer["error"].is_object() || answer["result"]["isError"] == true, "{answer}");
    let (status, challenge, _) = server.ask(&provider.token(&audience, "helpdesk", "openid"), &list()).await;
    assert_eq!(status, 403);
    assert!(challenge.contains("insufficient_scope") && challenge.contains("jitbit:read"), "{challenge}");
    let (status, challenge, text) = server.ask(&provider.token(&audience, "finance", TICKETS), &list()).await;
    assert_eq!((status.as_u16(), challenge.as_str()), (403, ""));
    assert!(
        text.as_str().unwrap().contains("ann@example.com") && text.as_str().unwrap().contains("[[grants]]"),
        "{text}"
    );
    assert!(server.sandbox.record().is_empty(), "nothing was sent");
    let lenient = serve_tokens_of("oauth-no-scopes", &provider, false).await;
    let audience = format!("{}/mcp", lenient.origin());
    assert!(
        lenient
            .tools(&provider.token(&audience, "helpdesk", "openid"))
            .await
            .contains(&"jitbit_create_ticket".to_owned())
    );
    let narrowed = lenient.tools(&provider.token(&audience, "helpdesk", "jitbit:read")).await;
    assert!(!narrowed.contains(&"jitbit_create_ticket".to_owned()), "scopes that are there narrow");
}

#[tokio::test]
async fn tokens_that_are_not_for_this_server_now_are_refused() {
    let provider = Provider::start(SigningKey::p256()).await;
    let (server, stranger) = (serve_tokens_of("oauth-refused", &provider, true).await, SigningKey::p256());
    let audience = format!("{}/mcp", server.origin());
    let (header, claims) = (provider.header(), provider.claims(&audience, "helpdesk", TICKETS));
    let with = |name: &str, value: Value| {
        let mut changed = claims.clone();
        changed[name] = value;
        provider.key.token(&header, &changed)
    };
    let with_header = |name: &str, value: Value| {
        let mut changed = header.clone();
        changed[name] = value;
        changed
    };
    let sound = provider.token(&audience, "helpdesk", TICKETS);
    let signature = sound.rsplit('.').next().unwrap().to_owned();
    let admin = provider.claims(&audience, "helpdesk", "jitbit:read jitbit:write jitbit:destructive");
    let none = unsigned(&json!({"alg": "none"}), &claims);
    let shared = with_header("alg", json!("HS256"));
    let by_public_key = {
        let message = unsigned(&shared, &claims);
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &provider.key.public());
        let tag = ring::hmac::sign(&key, message.as_bytes());
        format!("{message}.{}", base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, tag.as_ref()))
    };
    for (attack, token, reason) in [
        ("other audience", with("aud", json!("https://other.example.com/mcp")), "another server"),
        ("audience of the host", with("aud", json!(server.origin())), "another server"),
        ("no audience", with("aud", json!([])), "another server"),
        ("expired", with("exp", json!(now() - 61)), "expired"),
        ("endless", with("exp", Value::Null), "times"),
        ("not yet", with("nbf", json!(now() + 600)), "not valid yet"),
        ("other issuer", with("iss", json!("https://evil.example.com")), "another issuer"),
        ("none", format!("{none}."), "algorithm"),
        ("none with a signature", format!("{none}.{signature}"), "algorithm"),
        ("shared secret of the public key", by_public_key, "algorithm"),
        ("another algorithm of the key", provider.key.token(&with_header("alg", json!("RS256")), &claims), "algorithm"),
        ("a stranger's key under the same id", stranger.token(&header, &claims), "not signed"),
        ("changed claims", format!("{}.{signature}", unsigned(&header, &admin)), "not signed"),
        ("key in the header", stranger.token(&with_header("jwk", json!({"kty": "EC"})), &claims), "not signed"),
        (
            "keys at an address",
            stranger.token(&with_header("jku", json!("https://evil.example.com/k")), &claims),
            "not signed",
        ),
        ("unknown key", stranger.token(&with_header("kid", json!("evil")), &claims), "not signed"),
        ("a path as key", provider.key.token(&with_header("kid", json!("../../dev/null")), &claims), "not signed"),
        ("critical extension", provider.key.token(&with_header("crit", json!(["exp"])), &claims), "extensions"),
        ("another kind", provider.key.token(&with_header("typ", json!("logout+jwt")), &claims), "another kind"),
        ("cut", sound[..sound.len() - 2].to_owned(), "not signed"),
        ("no token", "abc".to_owned(), "no signed token"),
        ("a token of a vendor", "jca_0123456789".to_owned(), "no signed token"),
    ] {
        let (status, challenge, text) = server.ask(&token, &list()).await;
        assert_eq!(status, 401, "{attack}: {text}");
        assert!(
            challenge.contains("error=\"invalid_token\"") && challenge.contains("resource_metadata="),
            "{attack}: {challenge}"
        );
        assert!(challenge.contains(reason), "{attack}: {challenge}");
        assert!(!challenge.contains(&token) && !text.to_string().contains(&token), "{attack}");
    }
    let twice = server.post(&list()).bearer_auth(&sound).header("authorization", format!("Bearer {sound}"));
    assert_eq!(twice.send().await.unwrap().status(), 401);
    let in_query = server.client.post(format!("{audience}?access_token={sound}")).json(&list());
    assert_eq!(in_query.header("accept", "application/json").send().await.unwrap().status(), 401);
    assert_eq!(server.ask(&sound, &list()).await.0, 200);
    assert!(server.sandbox.record().is_empty());
}

#[tokio::test]
async fn keys_that_the_provider_changes_are_followed_and_invented_ones_cost_it_nothing() {
    let provider = Provider::start(SigningKey::ed25519()).await;
    let server = serve_tokens_of("oauth-rotation", &provider, true).await;
    let audience = format!("{}/mcp", server.origin());
    assert_eq!(provider.reads(), 1);
    let (next, claims) = (SigningKey::p256(), provider.claims(&audience, "helpdesk", TICKETS));
    provider.publish(&[("first", &provider.key), ("second", &next)]);
    let token = next.token(&json!({"alg": "ES256", "kid": "second"}), &claims);
    assert_eq!(server.ask(&token, &list()).await.0, 200, "a key that is new");
    assert_eq!(server.ask(&provider.token(&audience, "helpdesk", TICKETS), &list()).await.0, 200);
    assert_eq!(provider.reads(), 2);
    for guess in 0..50 {
        let token = next.token(&json!({"alg": "ES256", "kid": format!("guess {guess}")}), &claims);
        assert_eq!(server.ask(&token, &list()).await.0, 401);
    }
    assert_eq!(provider.reads(), 2, "at most once a minute");
}

#[tokio::test]
async fn a_session_is_found_with_the_tokens_of_its_person_only() {
    let provider = Provider::start(SigningKey::p256()).await;
    let server = serve_tokens_of("oauth-session", &provider, true).await;
    let audience = format!("{}/mcp", server.origin());
    let opens = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}});
    let ann = provider.token(&audience, "helpdesk", TICKETS);
    let opened = server.post(&opens).bearer_auth(&ann).send().await.unwrap();
    let session = opened.headers()["mcp-session-id"].to_str().unwrap().to_owned();
    let mut claims = provider.claims(&audience, "helpdesk", TICKETS);
    claims["sub"] = json!("ben");
    let ben = provider.key.token(&provider.header(), &claims);
    let renewed = provider.token(&audience, "helpdesk", TICKETS);
    for (who, token, expected) in [("ann", &ann, 200), ("ann with a new token", &renewed, 200), ("ben", &ben, 404)] {
        let request = server.post(&list()).header("mcp-session-id", &session).bearer_auth(token);
        assert_eq!(request.send().await.unwrap().status(), expected, "{who}");
    }
}
