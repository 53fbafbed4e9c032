//! 10,000 links, each call through another → what a link adds to a call and to a list, beside those of every program on
//! this machine.

use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};
use toolwright::store::{Store, StoreAddress, StoredLink, TokenDigest};

use crate::figures::{median, verdict};
use crate::load::Folder;
use crate::peer::{self, HttpPeer};

/// How many links there are, and how many are written at once.
const LINKS: usize = 10_000;
const AT_ONCE: usize = 1_000;
/// How many calls and how many lists of each kind.
const ROUNDS: (usize, usize) = (2_000, 200);

pub(crate) async fn run() -> bool {
    let folder = Folder::new();
    let file = folder.file("links.db");
    let tokens = create(&file).await;
    let client = peer::http_client();
    let open = HttpPeer::start(&["--vendor", "jitbit"]);
    let store = ["--vendor", "jitbit", "--access", "link", "--store", file.to_str().unwrap()];
    let linked = HttpPeer::start(&store);
    let request = json!({"name": "jitbit_search_tickets", "arguments": {"query": "printer"}});
    let (mut plain, mut by_link) = (Vec::new(), Vec::new());
    for number in 0..ROUNDS.0 {
        // In turns, and each through another link: none is in use for longer than the others.
        let token = &tokens[number * 7_919 % LINKS];
        let began = Instant::now();
        open.call(&client, &request).await;
        plain.push(began.elapsed());
        let began = Instant::now();
        linked.call_by_link(&client, token, &request).await;
        by_link.push(began.elapsed());
    }
    let (plain, by_link) = (median(&mut plain), median(&mut by_link));
    println!("one call at the median: without links {plain:.3?}, through one of {LINKS} links {by_link:.3?}");
    let overhead = by_link.saturating_sub(plain).as_secs_f64() * 1e3;
    let call = verdict("  overhead of a link", overhead, 0.1, " ms");
    call & lists(&client, &open, &linked, &tokens).await
}

/// Lists of tools, through links that offer the same.
async fn lists(client: &reqwest::Client, open: &HttpPeer, linked: &HttpPeer, tokens: &[String]) -> bool {
    let server = linked.url().trim_end_matches("/mcp").to_owned();
    let (mut plain, mut by_link) = (Vec::new(), Vec::new());
    for number in 0..ROUNDS.1 {
        let url = format!("{server}/c/{}/mcp", tokens[number * 31 % LINKS]);
        let (took, tools) = list(client, open.url()).await;
        plain.push(took);
        let (took, of_link) = list(client, &url).await;
        by_link.push(took);
        assert_eq!(tools, of_link, "both are offered the same");
    }
    let (plain, by_link) = (median(&mut plain), median(&mut by_link));
    println!("tools/list at the median: without links {plain:.3?}, through a link {by_link:.3?}");
    verdict("  ratio", by_link.as_secs_f64() / plain.as_secs_f64(), 1.2, "")
}

async fn list(client: &reqwest::Client, url: &str) -> (Duration, usize) {
    let request = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"});
    let began = Instant::now();
    let sent = client.post(url).header("accept", "application/json").json(&request).send().await.unwrap();
    let answer = sent.bytes().await.unwrap();
    let took = began.elapsed();
    let answer: Value = serde_json::from_slice(&answer).unwrap();
    (took, answer["result"]["tools"].as_array().unwrap().len())
}

/// Writes links into a new store; returns their tokens.
async fn create(file: &std::path::Path) -> Vec<String> {
    let store = Store::open(&StoreAddress::File(file.to_owned())).await.unwrap();
    let (mut tokens, mut links) = (Vec::new(), Vec::new());
    for number in 0..LINKS {
        let (token, digest) = TokenDigest::draw("").unwrap();
        tokens.push(token);
        links.push(StoredLink {
            id: format!("link{number}"),
            token: digest,
            second_token: None,
            name: format!("Link {number}"),
            parent: None,
            terms: json!({"accounts": {"jitbit": "jitbit"}, "narrowings": [{"methods": ["read"]}]}).to_string(),
            created: SystemTime::now(),
            expires: Some(SystemTime::now() + Duration::from_secs(86_400)),
            revoked: None,
            used: None,
        });
    }
    for some in links.chunks(AT_ONCE) {
        store.create_links(some).await.unwrap();
    }
    store.close().await;
    tokens
}
