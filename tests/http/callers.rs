//! Who calls over HTTP, and with whose credentials a vendor is asked: each caller's own, or the request is refused.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use toolwright::access::{Access, VendorTokens};
use toolwright::audit::Audit;
use toolwright::call::Toolbox;
use toolwright::catalog::Catalog;
use toolwright::policy::{Defaults, Selection};
use toolwright::server::http::{Hosts, HttpServer};

#[cfg(feature = "jumpcloud")]
use super::Running;
use super::{LATEST, call, initialize, list, message, run, serve, serve_tokens};
use crate::common::whoami::WhoAmI;
use crate::common::{connection, everything};

/// The tool that asks the vendor who calls.
const WHO: &str = "jitbit_get_current_user";

pub(super) fn toolbox(vendor: &WhoAmI) -> Toolbox {
    let catalog = Catalog::compiled();
    let selection = Selection::resolve(&everything(), Defaults::Reads, &catalog).unwrap();
    let connection = connection(&vendor.url(), Duration::from_secs(20));
    Toolbox::new(catalog, selection, &HashMap::from([("jitbit".to_owned(), connection)]), false)
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

/// The text of an answer, and the status with which it came.
async fn answered(request: reqwest::RequestBuilder) -> (StatusCode, String) {
    let response = request.send().await.unwrap();
    (response.status(), response.text().await.unwrap())
}

/// Asks many times and at once, with and without a session, as several people; each answer is for who asked.
async fn mixed(calls: usize) {
    let vendor = WhoAmI::start().await;
    let server = serve_tokens(toolbox(&vendor)).await;
    let mut people = Vec::new();
    for person in ["ann-0a1b2c", "bob-3d4e5f"] {
        let opening = server.post(&initialize(LATEST)).header("authorization", bearer(person)).send().await.unwrap();
        assert_eq!(opening.status(), 200);
        people.push((person, opening.headers()["mcp-session-id"].to_str().unwrap().to_owned()));
        opening.text().await.unwrap();
    }
    let ask = async |number: usize| {
        let (person, session) = &people[number % people.len()];
        let mut asked = call(if number.is_multiple_of(3) { "jitbit_list_users" } else { WHO });
        asked["id"] = json!(number);
        let request = server.post(&asked).header("authorization", bearer(person));
        let request = if number % 5 < 2 { request.header("mcp-session-id", session) } else { request };
        let answer = message(request.send().await.unwrap()).await;
        assert_eq!(answer["result"]["isError"], false, "{answer}");
        let text = answer["result"]["content"][0]["text"].as_str().unwrap();
        for (other, _) in &people {
            assert_eq!(text.contains(other), other == person, "{person}: {text}");
        }
    };
    // As many at a time as callers may have.
    let mut number = 0;
    while number < calls {
        let at_once = 24.min(calls - number);
        futures_util::future::join_all((number..number + at_once).map(&ask)).await;
        number += at_once;
    }
    let arrived = vendor.take();
    assert_eq!(arrived.len(), calls);
    for (person, _) in &people {
        let own = arrived.iter().filter(|seen| seen.authorization == Some(bearer(person))).count();
        assert!(own.abs_diff(calls / people.len()) <= 1, "{person}: {own}");
    }
    // None came without a token, and none with the server's own.
    assert!(arrived.iter().all(|seen| people.iter().any(|(person, _)| seen.authorization == Some(bearer(person)))));
}

#[tokio::test]
async fn each_request_reaches_the_vendor_with_its_own_token() {
    mixed(1_000).await;
}

#[tokio::test]
#[ignore = "takes a minute without optimisation: `cargo test --release -- --ignored each_of_ten_thousand`"]
async fn each_of_ten_thousand_requests_reaches_the_vendor_with_its_own_token() {
    mixed(10_000).await;
}

#[tokio::test]
async fn what_this_server_does_not_use_is_refused() {
    let vendor = WhoAmI::start().await;
    let open = serve(toolbox(&vendor), &[]).await;
    let tokens = serve_tokens(toolbox(&vendor)).await;
    let token = "`Authorization: Bearer …` with an API token of Jitbit Helpdesk";
    for (server, headers, expected) in [
        (&open, vec![("authorization", "Bearer a")], "`--access vendor-token`"),
        (&open, vec![("authorization", "Basic YTpi")], "`--access vendor-token`"),
        (&open, vec![("authorization", "")], "is not used by this server"),
        (&tokens, vec![], token),
        (&tokens, vec![("authorization", "Basic YTpi")], token),
        (&tokens, vec![("authorization", "")], token),
        (&tokens, vec![("authorization", "Bearer")], token),
        (&tokens, vec![("authorization", "Bearer ")], token),
        (&tokens, vec![("authorization", "Bearer a b")], token),
        (&tokens, vec![("authorization", "a")], token),
        // Which of two is meant is not known.
        (&tokens, vec![("authorization", "Bearer a"), ("authorization", "Bearer b")], token),
        (&tokens, vec![("authorization", "Bearer a"), ("authorization", "Basic YTpi")], token),
        (&tokens, vec![("proxy-authorization", "Bearer a")], token),
        (&tokens, vec![("cookie", "authorization=Bearer a")], token),
    ] {
        for method in [Method::POST, Method::GET, Method::DELETE] {
            let request = server.request(method.clone());
            let request = if method == Method::POST { request.json(&call(WHO)) } else { request };
            let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
            let response = request.send().await.unwrap();
            let challenge = response.headers().get("www-authenticate").map(|it| it.to_str().unwrap().to_owned());
            let status = response.status();
            let text = response.text().await.unwrap();
            assert_eq!(status, StatusCode::UNAUTHORIZED, "{method} {headers:?}: {text}");
            assert_eq!(challenge.as_deref(), Some("Bearer realm=\"toolwright\""), "{method} {headers:?}");
            assert!(text.contains(expected), "{method} {headers:?}: {text}");
        }
    }
    // Without one the server of this machine serves as before.
    assert_eq!(open.post(&call(WHO)).send().await.unwrap().status(), StatusCode::OK);
    let arrived = vendor.take();
    assert_eq!(arrived.len(), 1, "{arrived:?}");
    assert_eq!(arrived[0].authorization.as_deref(), Some("Bearer test-token"));
}

#[tokio::test]
async fn a_token_goes_to_the_vendor_that_it_is_of_and_to_no_other() {
    let vendor = WhoAmI::start().await;
    let server = serve_tokens(toolbox(&vendor)).await;
    let ask = async |path: &str, token: &str| {
        let address = format!("http://{}{path}", server.address);
        let request = server.client.post(address).header("accept", super::BOTH).json(&call(WHO));
        answered(request.header("authorization", bearer(token))).await
    };
    assert_eq!(ask("/mcp", "t0ken").await.0, StatusCode::OK);
    assert_eq!(ask("/mcp?vendor=jitbit", "t0ken").await.0, StatusCode::OK);
    let mut refused = vec![("/mcp?vendor=jsm", "t0ken", "of none of the vendors")];
    if cfg!(feature = "jumpcloud") {
        refused.push(("/mcp", "jca_0123456789", "is one of JumpCloud"));
        refused.push(("/mcp?vendor=jitbit", "jca_0123456789", "is one of JumpCloud"));
    }
    let long = "x".repeat(9_000);
    refused.push(("/mcp", &long, "is not a single `Bearer` token"));
    for (path, token, expected) in refused {
        let (status, text) = ask(path, token).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{path}: {text}");
        assert!(text.contains(expected) && !text.contains(token), "{path}: {text}");
    }
    for path in ["/", "/mcp/", "/mcp/jitbit", "/c/abc", "/c/abc/mcp", "/c/abc/mcp/", "/c/../mcp/x", "/MCP", "//mcp"] {
        let (status, text) = ask(path, "a").await;
        assert_eq!((status, text.as_str()), (StatusCode::NOT_FOUND, "MCP is at /mcp\n"), "{path}");
    }
    assert_eq!(vendor.take().len(), 2);
}

#[cfg(feature = "jsm")]
#[tokio::test]
async fn a_token_that_does_not_show_its_vendor_is_sent_to_none_until_the_address_names_it() {
    let vendor = WhoAmI::start().await;
    let offered = toolbox(&vendor);
    let accounts = ["jitbit", "jsm"].map(|vendor| (vendor.to_owned(), vendor.to_owned())).into();
    let tokens = VendorTokens::new(offered.server_policy(), &accounts).unwrap();
    let access = Access::by(vec![Arc::new(tokens)], offered.own_grant());
    let server = run(HttpServer::bind("127.0.0.1:0").await.unwrap().with_access(access), offered);
    let ask = |query: &str| {
        let address = format!("http://{}/mcp{query}", server.address);
        let request = server.client.post(address).header("accept", super::BOTH).json(&call(WHO));
        answered(request.header("authorization", bearer("t0ken")))
    };
    let (status, text) = ask("").await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert!(text.contains("`/mcp?vendor=jitbit`") && text.contains("`/mcp?vendor=jsm`"), "{text}");
    // A caller with a token of the one is offered nothing of the other.
    let (status, text) = ask("?vendor=jsm").await;
    assert!(status == StatusCode::OK && text.contains("`jitbit` is not among the selected vendors"), "{text}");
    assert!(vendor.take().is_empty());
    assert_eq!(ask("?vendor=jitbit").await.0, StatusCode::OK);
    assert_eq!(vendor.take()[0].authorization, Some(bearer("t0ken")));
}

#[tokio::test]
async fn a_session_is_of_use_to_nobody_but_who_opened_it() {
    let vendor = WhoAmI::start().await;
    let server = serve_tokens(toolbox(&vendor)).await;
    let opening = server.post(&initialize(LATEST)).header("authorization", "Bearer ann").send().await.unwrap();
    let session = opening.headers()["mcp-session-id"].to_str().unwrap().to_owned();
    opening.text().await.unwrap();
    let with = |method: Method, token: &str, session: &str| {
        let request = server.request(method.clone()).header("authorization", bearer(token));
        let request = request.header("mcp-session-id", session);
        if method == Method::POST { request.json(&call(WHO)) } else { request }
    };
    for method in [Method::POST, Method::GET, Method::DELETE] {
        // The same as for a session that never was.
        let other = answered(with(method.clone(), "bob", &session)).await;
        let unknown = answered(with(method.clone(), "bob", "made-up")).await;
        assert_eq!(other, unknown, "{method}");
        assert!(method == Method::DELETE || other.0 == StatusCode::NOT_FOUND, "{method}: {other:?}");
        // Without a token it is not even looked for.
        let nobody = server.request(method.clone()).header("mcp-session-id", &session);
        let nobody = if method == Method::POST { nobody.json(&call(WHO)) } else { nobody };
        assert_eq!(nobody.send().await.unwrap().status(), StatusCode::UNAUTHORIZED, "{method}");
    }
    assert!(vendor.take().is_empty());
    let (status, text) = answered(with(Method::POST, "ann", &session)).await;
    assert!(status == StatusCode::OK && text.contains("ann"), "{text}");
    assert_eq!(vendor.take().len(), 1);
}

#[tokio::test]
async fn a_call_names_its_caller_and_shows_no_token() {
    let vendor = WhoAmI::start().await;
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("callers-record.jsonl");
    let _ = std::fs::remove_file(&path);
    let toolbox = toolbox(&vendor).with_record(Some(Audit::open(&path).unwrap()));
    let server = serve_tokens(toolbox).await;
    let secret = "s3cret-t0ken-of-ann";
    let client = json!({"name": "claude-code", "version": "2.1"});
    let mut asked = call(WHO);
    asked["params"]["_meta"] = json!({"io.modelcontextprotocol/clientInfo": client});
    let answer =
        answered(server.post(&asked).header("authorization", bearer(secret)).header("user-agent", "agent/8")).await;
    assert_eq!(answer.0, StatusCode::OK, "{}", answer.1);
    let mut planned = call("jitbit_update_ticket");
    planned["params"]["arguments"] = json!({"ticketId": 7, "subject": "s", "dry_run": true});
    let (_, plan) = answered(server.post(&planned).header("authorization", bearer(secret))).await;
    assert!(
        plan.contains("jitbit token ") && plan.contains("\\\"account\\\": \\\"jitbit\\\"")
            || plan.contains("\\\"account\\\":\\\"jitbit\\\""),
        "{plan}"
    );
    assert!(!plan.contains(secret), "{plan}");
    let seen = vendor.take();
    let agent = seen[0].user_agent.as_deref().unwrap();
    assert!(agent.starts_with("toolwright/") && agent.ends_with(')'), "{agent}");
    let record = std::fs::read_to_string(&path).unwrap();
    let first: Value = serde_json::from_str(record.lines().next().unwrap()).unwrap();
    assert!(first["caller"].as_str().unwrap().starts_with("jitbit token "), "{first}");
    assert_eq!((&first["account"], &first["tool"]), (&json!("jitbit"), &json!(WHO)));
    let metrics = format!("http://{}/metrics", server.address);
    let metrics = server.client.get(metrics).send().await.unwrap().text().await.unwrap();
    assert!(metrics.contains(r#"caller="vendor-token""#), "{metrics}");
    for text in [record, metrics] {
        assert!(!text.contains(secret) && !text.contains("s3cret"), "{text}");
    }
}

#[tokio::test]
async fn named_hosts_are_served_and_others_told_the_flag() {
    let vendor = WhoAmI::start().await;
    let http = HttpServer::bind("127.0.0.1:0").await.unwrap();
    let http = http.with_hosts(Hosts::parse(&["mcp.example.com".to_owned()]).unwrap());
    let server = run(http, toolbox(&vendor));
    let ask = async |host: &str| answered(server.post(&list()).header("host", host)).await;
    for host in ["mcp.example.com", "mcp.example.com:443", "localhost", "127.0.0.1:9"] {
        assert_eq!(ask(host).await.0, StatusCode::OK, "{host}");
    }
    let (status, text) = ask("other.example.com").await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(text.contains("`other.example.com`") && text.contains("`--host`"), "{text}");
    // Figures are for this machine, by whatever name others know it.
    let metrics = format!("http://{}/metrics", server.address);
    let refused = server.client.get(metrics).header("host", "mcp.example.com").send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn an_address_for_others_needs_a_way_to_know_callers() {
    let http = HttpServer::bind_for_known_callers("0.0.0.0:0").await.unwrap();
    let vendor = WhoAmI::start().await;
    let offered = toolbox(&vendor);
    let accounts = [("jitbit".to_owned(), "jitbit".to_owned())].into();
    let tokens = VendorTokens::new(offered.server_policy(), &accounts).unwrap();
    let access = Access::by(vec![Arc::new(tokens)], offered.own_grant());
    let server = run(http.with_access(access), offered);
    let address = format!("http://127.0.0.1:{}/mcp", server.address.port());
    let ask = |token: Option<&str>| {
        let request = server.client.post(&address).header("accept", super::BOTH).json(&call(WHO));
        token.iter().fold(request, |request, token| request.header("authorization", bearer(token)))
    };
    assert_eq!(ask(None).send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    assert_eq!(ask(Some("ann")).send().await.unwrap().status(), StatusCode::OK);
}

#[cfg(feature = "jumpcloud")]
mod jumpcloud {
    use toolwright::access::{Admission, Admitted, Grant, Mode, Presented, Principal};
    use toolwright::config::Account;
    use toolwright::policy::SelectionWords;
    use toolwright::upstream::Unencrypted;

    use super::*;

    /// A server for those who bring keys of JumpCloud; it has none of its own.
    async fn serve_keys(vendor: &WhoAmI) -> Running {
        let (url, catalog) = (vendor.url(), Catalog::compiled());
        let variables: HashMap<&str, String> = HashMap::from([
            ("JUMPCLOUD_URL", url.clone()),
            ("JUMPCLOUD_INSIGHTS_URL", url),
            ("JUMPCLOUD_ORG_ID", "one".to_owned()),
            ("JUMPCLOUD_ORG_IDS", "one,two".to_owned()),
        ]);
        let jumpcloud = catalog.vendor("jumpcloud").unwrap().clone();
        let env = move |name: &str| variables.get(name).cloned();
        let account = Account::for_callers(&jumpcloud, env, Unencrypted::default()).unwrap().unwrap();
        let serving = [("jumpcloud".to_owned(), account.name.clone())].into();
        let words = SelectionWords { vendors: vec!["jumpcloud".to_owned()], ..SelectionWords::default() };
        let selection = Selection::resolve(&words, Defaults::CoreReads, &catalog).unwrap();
        let toolbox =
            Toolbox::new(catalog, selection, &HashMap::new(), false).with_accounts([account]).serving(serving);
        let tokens = VendorTokens::new(toolbox.server_policy(), &toolbox.accounts_of_callers()).unwrap();
        let access = Access::by(vec![Arc::new(tokens)], toolbox.own_grant());
        run(HttpServer::bind("127.0.0.1:0").await.unwrap().with_access(access), toolbox)
    }

    #[tokio::test]
    async fn a_key_comes_as_the_vendors_own_server_takes_it() {
        let vendor = WhoAmI::start().await;
        let server = serve_keys(&vendor).await;
        let ask = |query: &str, headers: &[(&str, &str)]| {
            let address = format!("http://{}/mcp{query}", server.address);
            let request = server.client.post(address).header("accept", super::super::BOTH);
            let request = request.json(&call("jumpcloud_list_users"));
            answered(headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)))
        };
        let right = "`Authorization: Bearer jca_…` with an API key of JumpCloud";
        for (query, headers, status, expected) in [
            ("", &[("authorization", "Bearer jca_ann")][..], 200, "jca_ann"),
            ("?organizationID=two", &[("authorization", "Bearer jca_ann")], 200, "jca_ann"),
            ("?organizationID=three", &[("authorization", "Bearer jca_ann")], 403, "does not allow"),
            ("", &[("x-api-key", "jca_ann")], 401, right),
            ("", &[("x-api-key", "jca_ann"), ("authorization", "Bearer jca_ann")], 401, right),
            ("", &[("authorization", "Bearer some-other-token")], 401, right),
            ("", &[], 401, right),
        ] {
            let (found, text) = ask(query, headers).await;
            assert_eq!(found.as_u16(), status, "{query} {headers:?}: {text}");
            assert!(text.contains(expected), "{query} {headers:?}: {text}");
        }
        let arrived: Vec<_> =
            vendor.take().into_iter().map(|seen| (seen.key, seen.organization, seen.authorization)).collect();
        let key = || Some("jca_ann".to_owned());
        assert_eq!(arrived, [(key(), Some("one".to_owned()), None), (key(), Some("two".to_owned()), None)]);
    }

    #[tokio::test]
    async fn a_key_of_the_vendor_is_refused_where_it_is_not_used() {
        let vendor = WhoAmI::start().await;
        let server = serve(toolbox(&vendor), &[]).await;
        let (status, text) = answered(server.post(&call(WHO)).header("x-api-key", "jca_ann")).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
        assert!(text.contains("`x-api-key` is not used by this server"), "{text}");
        assert!(vendor.take().is_empty());
    }

    /// Takes any link.
    #[derive(Debug)]
    struct AnyLink(Arc<Grant>);

    impl Mode for AnyLink {
        fn takes(&self, presented: Presented<'_>) -> bool {
            presented.link.is_some()
        }

        fn admit<'a>(&'a self, _: Presented<'a>) -> Admission<'a> {
            let (principal, grant) = (Principal::of_link("1", "any"), Arc::clone(&self.0));
            Box::pin(async { Ok(Admitted { principal, grant, brought: None, recheck: None, scopes: None }) })
        }

        fn way(&self) -> String {
            "connect to a link".to_owned()
        }
    }

    #[tokio::test]
    async fn a_link_takes_no_key_of_a_vendor() {
        let vendor = WhoAmI::start().await;
        let offered = toolbox(&vendor);
        let access = Access::by(vec![Arc::new(AnyLink(Arc::clone(offered.own_grant())))], offered.own_grant());
        let server = run(HttpServer::bind("127.0.0.1:0").await.unwrap().with_access(access), offered);
        let ask = |path: &str| {
            let address = format!("http://{}{path}", server.address);
            server.client.post(address).header("accept", super::super::BOTH).json(&call(WHO))
        };
        let (status, text) = answered(ask("/c/t0ken/mcp").header("x-api-key", "jca_ann")).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
        assert!(text.contains("`x-api-key` is not taken here") && !text.contains("t0ken"), "{text}");
        assert_eq!(answered(ask("/c/t0ken/mcp")).await.0, StatusCode::OK);
        assert_eq!(answered(ask("/mcp")).await.0, StatusCode::UNAUTHORIZED);
        assert_eq!(vendor.take().len(), 1);
    }
}
