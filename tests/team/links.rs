//! What a link permits, until when, and to whom.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use serde_json::json;
use toolwright::access::Narrowing;
use toolwright::access::links::{IssueError, LinkRequest, LinkTerms, issue, narrow};

use super::{Team, call, message, team, team_at, words};

fn narrowing(methods: &[&str], tags: &[&str]) -> Narrowing {
    let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    Narrowing { methods: owned(methods), tags: owned(tags), ..Narrowing::default() }
}

fn request(name: &str, narrowing: Narrowing) -> LinkRequest {
    LinkRequest { name: name.to_owned(), narrowing, ..LinkRequest::default() }
}

#[tokio::test]
async fn a_link_permits_what_it_and_the_server_offer() {
    let team = team("team-links", &words(&["read", "write"], &["all"])).await;
    let link = team.link("jitbit", narrowing(&["read"], &["tickets"]), None, false).await;
    let (url, tools) = (team.url(&link), team.tools(&team.url(&link)).await);
    assert!(tools.contains(&"jitbit_get_ticket".to_owned()), "{tools:?}");
    assert!(!tools.contains(&"jitbit_create_ticket".to_owned()) && !tools.contains(&"jitbit_list_users".to_owned()));
    let (status, answer) = team.ask(&url, &call("jitbit_get_ticket", &json!({"ticketId": 7}))).await;
    assert_eq!((status.as_u16(), &answer["result"]["isError"]), (200, &json!(false)), "{answer}");
    let before = team.sandbox.record().len();
    for (tool, arguments) in [
        ("jitbit_create_ticket", json!({"categoryId": 1, "subject": "a", "body": "b"})),
        ("jitbit_list_users", json!({})),
        ("jitbit_delete_ticket", json!({"ticketId": 7})),
    ] {
        let (_, answer) = team.ask(&url, &call(tool, &arguments)).await;
        let is_refused = answer["error"].is_object() || answer["result"]["isError"] == true;
        assert!(is_refused, "{tool}: {answer}");
    }
    assert_eq!(team.sandbox.record().len(), before, "nothing was sent");
    let (status, _) = team.ask(&format!("http://{}/mcp", team.address), &message("tools/list", &json!({}))).await;
    assert_eq!(status, 401, "without a link");
}

/// Seconds since 2027, for the clock below.
static NOW: AtomicU64 = AtomicU64::new(0);

fn clock() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(1_800_000_000_000 + NOW.load(Ordering::SeqCst))
}

#[tokio::test]
async fn a_link_ends_at_its_second() {
    let team = team_at("team-ends", &words(&[], &[]), clock).await;
    let ends = clock() + Duration::from_secs(100);
    let link = request("ends", Narrowing::default());
    let link =
        LinkRequest { accounts: [("jitbit".to_owned(), "jitbit".to_owned())].into(), expires: Some(ends), ..link };
    let link = issue(&team.store, team.policy.catalog(), None, link, clock()).await.unwrap();
    let (url, list) = (team.url(&link), message("tools/list", &json!({})));
    for (milliseconds, expected) in [(0, 200), (99_999, 200), (100_000, 401), (100_001, 401), (900_000, 401)] {
        NOW.store(milliseconds, Ordering::SeqCst);
        assert_eq!(team.ask(&url, &list).await.0, expected, "{milliseconds} ms");
    }
    assert_eq!(team.store.sweep_links(clock()).await.unwrap(), 1, "and is deleted");
    assert_eq!(team.ask(&url, &list).await.0, 401);
}

#[tokio::test]
async fn a_second_token_has_to_come_and_no_other_is_taken() {
    let team = team("team-second", &words(&[], &[])).await;
    let list = message("tools/list", &json!({}));
    let guarded = team.link("jitbit", Narrowing::default(), None, true).await;
    let second = guarded.second_token.clone().unwrap();
    let other = team.link("jitbit", Narrowing::default(), None, true).await.second_token.unwrap();
    let open = team.link("jitbit", Narrowing::default(), None, false).await;
    let mut refusals = Vec::new();
    for (link, token, expected) in [
        (&guarded, Some(second.as_str()), 200),
        (&guarded, None, 401),
        (&guarded, Some(other.as_str()), 401),
        (&guarded, Some(guarded.token.as_str()), 401),
        (&open, None, 200),
        (&open, Some(second.as_str()), 401),
    ] {
        let request = team.post(&team.url(link), &list);
        let request = if let Some(token) = token { request.bearer_auth(token) } else { request };
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), expected, "{token:?}");
        if expected == 401 {
            assert!(response.headers()["www-authenticate"].to_str().unwrap().starts_with("Bearer"));
            refusals.push(response.text().await.unwrap());
        }
    }
    // Neither a wrong token nor a right one of another link says anything of the link.
    let unknown = team.ask(&format!("http://{}/c/{}/mcp", team.address, "A".repeat(43)), &list).await;
    assert!(refusals.iter().all(|refusal| *refusal == unknown.1.as_str().unwrap()), "{refusals:?} {unknown:?}");
}

#[tokio::test]
async fn a_revoked_link_is_refused_with_all_that_narrow_it() {
    let team = team("team-revoked", &words(&["read", "write"], &["all"])).await;
    let list = message("tools/list", &json!({}));
    let first = team.link("jitbit", narrowing(&["read"], &[]), None, false).await;
    let (catalog, now) = (team.policy.catalog(), SystemTime::now());
    let narrowed = request("helper", narrowing(&[], &["tickets"]));
    let second = narrow(&team.store, catalog, &first.link.id, narrowed, now).await.unwrap();
    let third =
        narrow(&team.store, catalog, &second.link.id, request("of the helper", Narrowing::default()), now).await;
    let third = third.unwrap();
    // The MCP session of an older client was opened through it.
    let initialize = message(
        "initialize",
        &json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}),
    );
    let opened = team.post(&team.url(&third), &initialize).send().await.unwrap();
    let session = opened.headers()["mcp-session-id"].to_str().unwrap().to_owned();
    let (of_first, of_third) = (team.tools(&team.url(&first)).await, team.tools(&team.url(&third)).await);
    assert!(of_third.len() < of_first.len() && of_third.iter().all(|tool| of_first.contains(tool)));
    let other = team.link("jitbit", Narrowing::default(), None, false).await;
    let foreign = team.post(&team.url(&other), &list).header("mcp-session-id", &session).send().await.unwrap();
    assert_eq!(foreign.status(), 404, "a session is of one link");

    let revoked = team.api(reqwest::Method::DELETE, &format!("/links/{}", first.link.id)).send().await.unwrap();
    assert_eq!(revoked.status(), 204);
    tokio::time::sleep(Duration::from_secs(1)).await;
    for link in [&first, &second, &third] {
        assert_eq!(team.ask(&team.url(link), &list).await.0, 401);
        let within = team.post(&team.url(link), &list).header("mcp-session-id", &session).send().await.unwrap();
        assert_eq!(within.status(), 401);
    }
    assert_eq!(team.ask(&team.url(&other), &list).await.0, 200);
}

#[tokio::test]
async fn a_link_is_never_wider_than_what_it_is_made_from() {
    let team = team("team-wider", &words(&["read"], &["tickets"])).await;
    let (catalog, now) = (team.policy.catalog(), SystemTime::now());
    let offers = |entry: &toolwright::catalog::CatalogEntry| team.policy.selection().decide(entry);
    let accounts = [("jitbit".to_owned(), "jitbit".to_owned())];
    for (narrowing, expected) in [
        (narrowing(&["read", "write"], &[]), Some("--methods read,write")),
        (narrowing(&[], &["tickets", "users"]), Some("--tags tickets,")),
        (narrowing(&["read"], &["tickets"]), None),
        (narrowing(&[], &[]), None),
    ] {
        let asked = LinkRequest { accounts: accounts.clone().into(), ..request("asked", narrowing.clone()) };
        let issued = issue(&team.store, catalog, Some(&offers), asked, now).await;
        match (issued, expected) {
            (Ok(_), None) => {}
            (Err(IssueError::Wider(reason)), Some(flag)) => assert!(reason.contains(flag), "{reason}"),
            (issued, _) => panic!("{narrowing:?}: {:?}", issued.map(|link| link.link)),
        }
    }
    let nothing = Narrowing { tools: vec!["jitbit_list_users".to_owned()], ..Narrowing::default() };
    let nothing = LinkRequest { accounts: accounts.clone().into(), ..request("nothing", nothing) };
    let issued = issue(&team.store, catalog, Some(&offers), nothing, now).await;
    assert!(matches!(issued, Err(IssueError::Invalid(reason)) if reason.contains("leaves no tool")));
    let soon = Some(now + Duration::from_secs(60));
    let parent = team.link("jitbit", narrowing(&["read"], &["tickets"]), soon, true).await;
    for (what, asked) in [
        ("methods", request("wider", narrowing(&["write"], &[]))),
        ("tags", request("wider", narrowing(&[], &["users"]))),
        (
            "later",
            LinkRequest { expires: Some(now + Duration::from_secs(61)), ..request("later", Narrowing::default()) },
        ),
        (
            "account",
            LinkRequest {
                accounts: [("jsm".to_owned(), "jsm".to_owned())].into(),
                ..request("other", Narrowing::default())
            },
        ),
    ] {
        let refused = narrow(&team.store, catalog, &parent.link.id, asked, now).await;
        assert!(matches!(refused, Err(IssueError::Wider(_))), "{what}");
    }
    let child =
        narrow(&team.store, catalog, &parent.link.id, request("child", Narrowing::default()), now).await.unwrap();
    assert!(child.second_token.is_some(), "who has the URL alone can't do more than before");
    assert!(child.link.expires.is_some() && child.link.expires <= soon);
    let (id, mut depth) = (child.link.id.clone(), 2);
    let mut deepest = id;
    while let Ok(next) = narrow(&team.store, catalog, &deepest, request("deeper", Narrowing::default()), now).await {
        deepest = next.link.id;
        depth += 1;
    }
    assert_eq!(depth, 8, "as deep as it is checked");
}

/// Random chains of narrowings over a server with random words: no link offers what the one above it lacks.
#[tokio::test]
async fn a_thousand_random_narrowings_only_narrow() {
    let mut draw = fastrand::Rng::with_seed(15);
    let policies: Vec<Team> = vec![
        team("team-random-1", &words(&["all"], &["all"])).await,
        team("team-random-2", &words(&["read", "create"], &["tickets", "users", "assets"])).await,
        team("team-random-3", &words(&[], &[])).await,
    ];
    let catalog = policies[0].policy.catalog().clone();
    let tags: Vec<String> = catalog.entries().iter().flat_map(|entry| entry.tool.tags.iter().cloned()).collect();
    let names: Vec<String> = catalog.entries().iter().map(|entry| entry.tool.name.clone()).collect();
    let methods =
        ["read", "write", "destructive", "all", "list", "get", "search", "create", "update", "delete", "action"];
    let risks = ["reveals_secret", "weakens_security", "irreversible", "runs_code"];
    let (mut narrower, mut checked) = (0, 0);
    while checked < 1_000 {
        let policy = &policies[draw.usize(0..policies.len())].policy;
        let mut terms =
            LinkTerms { accounts: [("jitbit".to_owned(), "jitbit".to_owned())].into(), ..LinkTerms::default() };
        let mut above = policy.grant(terms.clone().of("0", "whole", None)).unwrap();
        for depth in 1..=draw.usize(1..5) {
            let mut some = |from: &dyn Fn(&mut fastrand::Rng) -> String| -> Vec<String> {
                let count = draw.usize(0..4).saturating_sub(1);
                (0..count).map(|_| from(&mut draw)).collect()
            };
            let glob = |draw: &mut fastrand::Rng| {
                let name = &names[draw.usize(0..names.len())];
                format!("{}*", &name[..draw.usize(7..name.len())])
            };
            terms.narrowings.push(Narrowing {
                methods: some(&|draw| methods[draw.usize(0..methods.len())].to_owned()),
                tags: some(&|draw| tags[draw.usize(0..tags.len())].clone()),
                tools: some(&glob),
                exclude: some(&glob),
                allow: some(&|draw| risks[draw.usize(0..risks.len())].to_owned()),
            });
            let below = policy.grant(terms.clone().of(&depth.to_string(), "narrowed", None)).unwrap();
            assert!(below.offered().is_within(above.offered()), "{terms:?}");
            for entry in catalog.entries() {
                let (own, whole) = (below.decide(entry).is_ok(), policy.selection().decide(entry).is_ok());
                assert!(!own || (whole && above.decide(entry).is_ok()), "{}: {terms:?}", entry.tool.name);
            }
            narrower += usize::from(below.offered().len() < above.offered().len());
            checked += 1;
            above = below;
        }
    }
    assert!(narrower > 200, "and many of them leave less: {narrower}");
}
