//! Bearers of links who make narrower ones, over HTTP.

use std::time::{Duration, SystemTime};

use reqwest::{Method, Response};
use serde_json::{Value, json};
use toolwright::access::Narrowing;
use toolwright::access::links::IssuedLink;

use super::{Team, answered, message, team, words};

/// Asks for a narrower link as the bearer of `link` does.
async fn made(team: &Team, link: &IssuedLink, body: &Value) -> Response {
    let url = team.url(link).replace("/mcp", "/links");
    let request = team.client.post(url).json(body);
    let request = match &link.second_token {
        Some(token) => request.bearer_auth(token),
        None => request,
    };
    request.send().await.unwrap()
}

async fn is_refused(team: &Team, link: &IssuedLink, body: &Value, with: (u16, &str)) {
    let (status, problem) = answered(made(team, link, body).await).await;
    assert_eq!(status.as_u16(), with.0, "{body}: {problem}");
    assert!(problem.to_string().contains(with.1), "{body}: {problem}");
}

#[tokio::test]
async fn the_bearer_of_a_link_makes_a_narrower_one_that_ends_with_it() {
    let team = team("team-bearer", &words(&["read", "write"], &["all"])).await;
    let link = team.link("jitbit", Narrowing::default(), None, false).await;
    let body = json!({"name": "Reader", "config": {"methods": ["read"], "tags": ["tickets"]}});
    let (status, answer) = answered(made(&team, &link, &body).await).await;
    assert_eq!(status, 201, "{answer}");
    assert_eq!(answer["parent"], json!(link.link.id));
    assert_eq!(answer["accounts"], json!({"jitbit": "jitbit"}));
    let ends = answer["expires_at"].as_str().unwrap_or_else(|| panic!("{answer}"));
    let ends = toolwright::access::links::read_time(ends).unwrap();
    let left = ends.duration_since(SystemTime::now()).unwrap();
    assert!(left > Duration::from_mins(59) && left <= Duration::from_hours(1), "{left:?}");
    let url = answer["url"].as_str().unwrap().to_owned();
    let (of_parent, own) = (team.tools(&team.url(&link)).await, team.tools(&url).await);
    assert_eq!(answer["tools"], json!(own.len()));
    assert!(!own.is_empty() && own.len() < of_parent.len() && own.iter().all(|tool| of_parent.contains(tool)));

    let revoked = team.api(Method::DELETE, &format!("/links/{}", link.link.id)).send().await.unwrap();
    assert_eq!(revoked.status(), 204);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(team.ask(&url, &message("tools/list", &json!({}))).await.0, 401);
    is_refused(&team, &link, &body, (401, "")).await;
}

#[tokio::test]
async fn nothing_wider_or_longer_is_made() {
    let team = team("team-bearer-wide", &words(&["read", "write"], &["all"])).await;
    let soon = SystemTime::now() + Duration::from_mins(10);
    let narrowing = Narrowing { methods: vec!["read".to_owned()], ..Narrowing::default() };
    let link = team.link("jitbit", narrowing, Some(soon), true).await;
    for (body, refusal) in [
        (json!({"name": "w", "config": {"methods": ["write"]}}), (422, "wider")),
        (json!({"name": "w", "accounts": ["jsm"]}), (422, "no account `jsm`")),
        (json!({"name": "w", "expires_at": "2999-01-01T00:00:00Z"}), (422, "too late")),
        (json!({"name": ""}), (422, "needs a name")),
        (json!({"name": "w", "more": 1}), (422, "unknown field")),
    ] {
        is_refused(&team, &link, &body, refusal).await;
    }
    // One hour would be longer than the link itself; its second token is asked of the narrower one, too.
    let (_, answer) = answered(made(&team, &link, &json!({"name": "w"})).await).await;
    let ends = toolwright::access::links::read_time(answer["expires_at"].as_str().unwrap()).unwrap();
    assert!(ends <= soon, "{answer}");
    assert_eq!(answer["require_api_token_auth"], true);
    let url = answer["url"].as_str().unwrap();
    assert_eq!(team.ask(url, &message("tools/list", &json!({}))).await.0, 401);

    let bare = IssuedLink { second_token: None, link: link.link.clone(), token: link.token.clone() };
    is_refused(&team, &bare, &json!({"name": "w"}), (401, "")).await;
    let unknown = IssuedLink { second_token: None, link: link.link.clone(), token: "A".repeat(43) };
    is_refused(&team, &unknown, &json!({"name": "w"}), (401, "")).await;
}

#[tokio::test]
async fn how_links_are_made_is_bounded() {
    let team = team("team-bearer-bounds", &words(&["read"], &["all"])).await;
    let link = team.link("jitbit", Narrowing::default(), None, false).await;
    let url = team.url(&link).replace("/mcp", "/links");
    assert_eq!(team.client.get(&url).send().await.unwrap().status(), 405);
    let body = json!({"name": "w"});
    let of_page = team.client.post(&url).header("origin", "https://example.com").json(&body).send().await.unwrap();
    assert_eq!(of_page.status(), 403);
    let of_host = team.client.post(&url).header("host", "evil.example").json(&body).send().await.unwrap();
    assert_eq!(of_host.status(), 403);
    let (_, child) = answered(made(&team, &link, &body).await).await;
    let child = child["url"].as_str().unwrap().replace("/mcp", "/links");
    for number in 0..9 {
        // What a narrower link makes counts for the one that it comes from.
        let url = if number % 2 == 0 { &url } else { &child };
        assert_eq!(team.client.post(url).json(&body).send().await.unwrap().status(), 201);
    }
    assert_eq!(team.client.post(&child).json(&body).send().await.unwrap().status(), 429);
    let refused = made(&team, &link, &body).await;
    assert_eq!(refused.status(), 429);
    assert!(refused.headers()["retry-after"].to_str().unwrap().parse::<u64>().unwrap() > 300);
    let other = team.link("jitbit", Narrowing::default(), None, false).await;
    assert_eq!(made(&team, &other, &body).await.status(), 201, "each link has its own pace");
}
