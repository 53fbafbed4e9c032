//! What people try who have no link, or one that ended: they learn nothing, and nothing is sent.

use std::process::Stdio;
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use toolwright::access::Narrowing;
use toolwright::access::links::Links;
use toolwright::store::TokenDigest;

use super::{Team, call, message, team, team_over, words};
use crate::common::fixture::http_client;
use crate::common::network::{fresh_folder, run, toolwright};

#[tokio::test]
async fn paths_and_headers_that_are_a_little_off_open_nothing() {
    let team = team("team-paths", &words(&[], &[])).await;
    let link = team.link("jitbit", Narrowing::default(), None, false).await;
    let token = &link.token;
    let list = message("tools/list", &json!({})).to_string();
    let (head, tail) = token.split_at(20);
    for (path, headers) in [
        (format!("/c/{token}"), ""),
        (format!("/c/{token}/"), ""),
        (format!("/c/{token}/mcp/"), ""),
        (format!("/c/{token}/mcp/extra"), ""),
        (format!("/C/{token}/mcp"), ""),
        (format!("/c//{token}/mcp"), ""),
        (format!("//c/{token}/mcp"), ""),
        (format!("/c/./{token}/mcp"), ""),
        (format!("/c/x/../{token}/mcp"), ""),
        (format!("/c/{token}%2Fmcp"), ""),
        (format!("/c/{head}%{:02X}{}/mcp", tail.as_bytes()[0], &tail[1..]), ""),
        (format!("/c/{token}%00/mcp"), ""),
        (format!("/c/{token}\u{2024}/mcp"), ""),
        (format!("/c/{}/mcp", token.to_ascii_lowercase()), ""),
        (format!("/c/{}/mcp", &token[..42]), ""),
        (format!("/c/{token}a/mcp"), ""),
        (format!("/c/{token};x/mcp"), ""),
        ("/c//mcp".to_owned(), ""),
        ("/c/mcp".to_owned(), ""),
        (format!("/mcp?link={token}"), ""),
        ("/mcp".to_owned(), "X-Original-URL: /c/TOKEN/mcp\r\n"),
        ("/mcp".to_owned(), "X-Rewrite-URL: /c/TOKEN/mcp\r\n"),
        ("/mcp".to_owned(), "X-Forwarded-Uri: /c/TOKEN/mcp\r\n"),
        ("/mcp".to_owned(), "Authorization: Bearer TOKEN\r\n"),
        (format!("/c/{token}/mcp"), "Authorization: Bearer TOKEN\r\n"),
        (format!("/c/{token}/mcp"), "Authorization: Basic eDp5\r\n"),
        (format!("/c/{token}/mcp"), "Authorization: \r\n"),
        (format!("/c/{token}/mcp"), "authorization: Bearer a\r\nAuthorization: Bearer b\r\n"),
    ] {
        let headers = headers.replace("TOKEN", token);
        let mut socket = tokio::net::TcpStream::connect(team.address).await.unwrap();
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json, text/event-stream\r\n\
             Content-Type: application/json\r\nConnection: close\r\n{headers}Content-Length: {}\r\n\r\n{list}",
            list.len()
        );
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        let _ = tokio::time::timeout(Duration::from_secs(10), socket.read_to_string(&mut answer)).await.unwrap();
        let status = answer.split(' ').nth(1).unwrap_or_default();
        assert!(matches!(status, "400" | "401" | "404"), "{path} {headers}: {answer}");
        assert!(!answer.contains("jitbit_"), "{path}");
        assert!(!answer.contains(token.as_str()), "{path}: the token is not repeated");
    }
    assert_eq!(team.ask(&team.url(&link), &message("tools/list", &json!({}))).await.0, 200);
}

#[tokio::test]
async fn tokens_are_in_no_record_no_metric_and_no_file() {
    let team = team("team-scraping", &words(&["read", "write"], &["all"])).await;
    let link = team.link("jitbit", Narrowing::default(), None, true).await;
    let second = link.second_token.clone().unwrap();
    let url = team.url(&link);
    for (tool, arguments) in [
        ("jitbit_get_ticket", json!({"ticketId": 7})),
        ("jitbit_no_such_tool", json!({})),
        ("jitbit_get_ticket", json!({"x": 1})),
    ] {
        let response = team.post(&url, &call(tool, &arguments)).bearer_auth(&second).send().await.unwrap();
        assert!(response.headers().values().all(|value| !value.to_str().unwrap().contains(&link.token)));
        let text = response.text().await.unwrap();
        assert!(!text.contains(&link.token) && !text.contains(&second), "{text}");
    }
    let metrics =
        team.client.get(format!("http://{}/metrics", team.address)).send().await.unwrap().text().await.unwrap();
    let record = std::fs::read_to_string(&team.audit).unwrap();
    assert!(
        record.contains(&format!("link Contractor ({})", link.link.id)) && metrics.contains("jitbit_get_ticket"),
        "{record}"
    );
    let mut places = vec![("metrics", metrics.into_bytes()), ("record", record.into_bytes())];
    for entry in std::fs::read_dir(team.audit.parent().unwrap()).unwrap() {
        places.push(("file", std::fs::read(entry.unwrap().path()).unwrap()));
    }
    places.push(("debug", format!("{:?} {:?} {:?}", team.store, link.link, team.policy).into_bytes()));
    for sent in team.sandbox.record() {
        places.push(("vendor", format!("{sent:?}").into_bytes()));
    }
    for (place, bytes) in places {
        for secret in [&link.token, &second, &team.admin] {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{place}");
        }
    }
}

/// A server that logs all it can: no token is in it, for every caller and every end.
#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_in_no_line_of_the_log() {
    let folder = fresh_folder("team-log");
    let store = folder.join("store.db").to_str().unwrap().to_owned();
    let (of_store, nowhere) = (("TOOLWRIGHT_STORE", store.as_str()), ("JITBIT_URL", "http://127.0.0.1:9"));
    let (code, admin, stderr) = run(&["admin", "token", "create", "ops"], &[of_store]).await;
    assert_eq!(code, Some(0), "{stderr}");
    let mut server = toolwright(
        &["serve", "--vendor", "jitbit", "--http", "127.0.0.1:0", "--access", "link", "--admin-api"],
        &[of_store, nowhere, ("JITBIT_TOKEN", "v3nd0r-s3cret"), ("RUST_LOG", "trace")],
    );
    let mut server = server.stderr(Stdio::piped()).stdin(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(server.stderr.take().unwrap()).lines();
    let mut log = Vec::new();
    let address: String = loop {
        let line = lines.next_line().await.unwrap().unwrap_or_else(|| panic!("it serves: {log:?}"));
        let found = line.split_once(" at http://").and_then(|(_, url)| url.strip_suffix("/mcp").map(str::to_owned));
        log.push(line);
        if let Some(address) = found {
            break address;
        }
    };
    let rest = tokio::spawn(async move {
        while let Ok(Some(line)) = lines.next_line().await {
            log.push(line);
        }
        log
    });
    let (client, api) = (http_client(), format!("http://{address}/api/v1"));
    let new = json!({"name": "Contractor", "accounts": ["jitbit"], "require_api_token_auth": true});
    let created = client.post(format!("{api}/links")).bearer_auth(admin.trim()).json(&new).send().await.unwrap();
    assert_eq!(created.status(), 201);
    let created: Value = created.json().await.unwrap();
    let (url, second) = (created["url"].as_str().unwrap(), created["api_token"].as_str().unwrap());
    let token = url.split('/').nth_back(1).unwrap();
    let ask = async |url: &str, bearer: &str, message: &Value| {
        let request = client.post(url).header("accept", "application/json, text/event-stream").json(message);
        request.bearer_auth(bearer).send().await.unwrap().status().as_u16()
    };
    let url = format!("http://{address}/c/{token}/mcp");
    let get = call("jitbit_get_ticket", &json!({"ticketId": 7}));
    assert_eq!(ask(&url, second, &get).await, 200);
    for (url, bearer) in [
        (url.clone(), "wr0ng-second-token"),
        (format!("{url}/{token}"), second),
        (format!("http://{address}/c/{}/mcp", "B".repeat(43)), second),
        (format!("http://{address}/mcp?link={token}"), token),
        (format!("{api}/links/{token}"), admin.trim()),
        (format!("{api}/links/{token}"), "wr0ng-second-token"),
    ] {
        assert_ne!(ask(&url, bearer, &get).await, 200, "{url}");
    }
    let revoke = format!("{api}/links/{}", created["id"].as_str().unwrap());
    assert_eq!(client.delete(revoke).bearer_auth(admin.trim()).send().await.unwrap().status(), 204);
    assert_eq!(
        client.delete(format!("{api}/tokens/ops")).bearer_auth(admin.trim()).send().await.unwrap().status(),
        204
    );
    server.kill().await.unwrap();
    let log = rest.await.unwrap().join("\n");
    let id = created["id"].as_str().unwrap();
    for act in ["created a link", "revoked a link", "revoked a token of an administrator"] {
        assert!(
            log.lines().any(|line| line.contains("WARN") && line.contains(act) && line.contains("ops")),
            "{act}: {log}"
        );
    }
    assert!(log.lines().count() >= 4 && log.contains(id), "{log}");
    for secret in [token, second, admin.trim(), "wr0ng-second-token", &"B".repeat(43), "v3nd0r-s3cret"] {
        let line = log.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "a secret is in the log");
    }
}

/// How long a request through a link takes, which is answered.
async fn median(team: &Team, token: &str) -> Duration {
    let (url, list) = (format!("http://{}/c/{token}/mcp", team.address), message("ping", &json!({})));
    let mut times = Vec::new();
    for _ in 0..41 {
        let started = Instant::now();
        assert_eq!(team.ask(&url, &list).await.0, 200);
        times.push(started.elapsed());
    }
    times.sort();
    times[times.len() / 2]
}

/// Twenty thousand links: reading them, finding one, and refusing a guess take a bounded time and no look-up each.
#[tokio::test]
async fn many_links_cost_a_request_nothing() {
    let team = team("team-many", &words(&[], &[])).await;
    let only = team.link("jitbit", Narrowing::default(), None, false).await;
    let alone = median(&team, &only.token).await;
    let template = only.link;
    let mut links = Vec::new();
    for number in 0..20_000 {
        let token = TokenDigest::of(&format!("{number:043}"));
        links.push(toolwright::store::StoredLink { id: format!("link{number}"), token, ..template.clone() });
    }
    for some in links.chunks(1_000) {
        team.store.create_links(some).await.unwrap();
    }
    let started = Instant::now();
    let known = Links::open(team.store.clone(), team.policy.clone(), SystemTime::now).await.unwrap();
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    drop(known);
    let list = message("tools/list", &json!({}));
    let url = |token: &str| format!("http://{}/c/{token}/mcp", team.address);
    assert_eq!(team.ask(&url(&"A".repeat(43)), &list).await.0, 401);
    let coded = format!("%30{:042}", 7);
    assert_eq!(team.ask(&url(&coded), &list).await.0, 401, "a token is text and never decoded");
    for number in [0, 7, 19_999] {
        let among = median(&team, &format!("{number:043}")).await;
        assert!(among < 3 * alone + Duration::from_millis(5), "{number}: {among:?}, alone {alone:?}");
    }
    assert_eq!(team.store.revoke_link("link7", SystemTime::now()).await.unwrap(), 1);
}

/// The rest of an answer that is kept for one link is returned to no other one, though both offer the tool.
#[tokio::test]
async fn what_is_kept_of_an_answer_is_kept_for_its_link() {
    let rows: Vec<_> = (0..100).map(|id| json!({"IssueID": id, "Subject": "s".repeat(900)})).collect();
    let script = json!([{"operation": "listTickets", "answer": {"body": rows}}]).to_string();
    let team = team_over("team-kept", &words(&["read"], &["all"]), SystemTime::now, Some(&script)).await;
    let own = team.link("jitbit", Narrowing::default(), None, false).await;
    let other = team.link("jitbit", Narrowing::default(), None, false).await;
    let list = call("jitbit_list_tickets", &json!({"mode": "all", "limit": 100}));
    let (_, first) = team.ask(&team.url(&own), &list).await;
    let text = first["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{first}"));
    let cursor = serde_json::from_str::<Value>(text).unwrap()["page"]["next_cursor"].clone();
    assert!(cursor.is_string(), "{text}");
    let next = call("jitbit_list_tickets", &json!({"cursor": cursor}));
    team.sandbox.take_record();
    team.ask(&team.url(&other), &next).await;
    assert_eq!(team.sandbox.take_record().len(), 1, "the vendor is asked with the other link's own account");
    let (_, rest) = team.ask(&team.url(&own), &next).await;
    assert_eq!(rest["result"]["isError"], false, "{rest}");
    assert_eq!(team.sandbox.take_record().len(), 0, "it is kept for the link that it is of");
}

#[tokio::test]
async fn guesses_are_looked_up_together_and_hold_nobody_back() {
    const GUESSES: usize = 300;
    let team = team("team-guesses", &words(&[], &[])).await;
    // The store is looked at twenty times a second at most.
    let alone = Duration::from_millis(50) * u32::try_from(GUESSES).unwrap();
    let link = team.link("jitbit", Narrowing::default(), None, false).await;
    let list = message("tools/list", &json!({}));
    let guess = |number: usize| {
        let (client, url) = (team.client.clone(), format!("http://{}/c/{number:043}/mcp", team.address));
        let (accept, list) = ("application/json, text/event-stream", list.clone());
        tokio::spawn(
            async move { client.post(url).header("accept", accept).json(&list).send().await.unwrap().status() },
        )
    };
    let started = Instant::now();
    let guesses: Vec<_> = (0..GUESSES).map(guess).collect();
    for _ in 0..20 {
        assert_eq!(team.ask(&team.url(&link), &list).await.0, 200);
    }
    let valid = started.elapsed();
    for guess in guesses {
        assert_eq!(guess.await.unwrap(), 401);
    }
    let all = started.elapsed();
    assert!(valid < alone / 3 && all < alone / 3, "{valid:?}, {all:?}; each for itself takes {alone:?}");
}
