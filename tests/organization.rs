//! The tenant header: the administrator sets it, and an HTTP connection may choose among the
//! allowed values. No other value is sent.

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use toolwright::audit::Audit;
use toolwright::call::Toolbox;
use toolwright::server::Server;
use toolwright::server::http::HttpServer;

use crate::common::acme::{Site, toolbox, vendor};
use crate::common::fixture::http_client;

fn acme(site: &Site, variables: &[(&str, &str)]) -> Toolbox {
    let root = format!("http://{}", site.address);
    let vendor = vendor(
        r#"
        [[addresses]]
        variable = "ACME_URL"
        example = ""
        [[credentials]]
        kind = "bearer"
        token = "ACME_TOKEN"
        [[settings]]
        title = "organization"
        header = "x-org-id"
        variable = "ACME_ORG_ID"
        allowed = "ACME_ORG_IDS"
        query = "organizationID"
        several = "organizations"
        "#,
    );
    toolbox(vendor, &[&[("ACME_URL", root.as_str()), ("ACME_TOKEN", "t")][..], variables].concat())
}

async fn serve(toolbox: Toolbox) -> String {
    let http = HttpServer::bind("127.0.0.1:0").await.unwrap();
    let address = http.address();
    tokio::spawn(http.serve(Server::new(toolbox), CancellationToken::new()));
    format!("http://{address}/mcp")
}

fn calling(tool: &str, arguments: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": arguments}})
}

/// Posts, in a session or alone; returns the status and the last message or the text.
async fn post(address: &str, session: Option<&str>, message: &Value) -> (u16, String) {
    let request = http_client().post(address).header("accept", "application/json, text/event-stream").json(message);
    let request = match session {
        Some(session) => request.header("mcp-session-id", session),
        None => request,
    };
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

async fn open(address: &str) -> String {
    let client = json!({"name": "test", "version": "0"});
    let params = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client});
    let message = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params});
    let request = http_client().post(address).header("accept", "application/json, text/event-stream").json(&message);
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    let session = response.headers()["mcp-session-id"].to_str().unwrap().to_owned();
    response.text().await.unwrap();
    let initialized = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    assert_eq!(post(address, Some(&session), &initialized).await.0, 202);
    session
}

/// The organization of the last request that reached the vendor.
fn acted_for(site: &Site) -> Option<String> {
    site.set(|state| state.calls.pop().unwrap().2)
}

#[tokio::test]
async fn a_single_request_chooses_an_allowed_organization() {
    let site = Site::start("").await;
    let address = serve(acme(&site, &[("ACME_ORG_ID", "one"), ("ACME_ORG_IDS", "one, two")])).await;
    for (query, organization) in [("", "one"), ("?organizationID=two", "two"), ("?organizationid=one", "one")] {
        let (status, text) = post(&format!("{address}{query}"), None, &calling("acme_get_a", &json!({}))).await;
        assert_eq!((status, acted_for(&site).as_deref()), (200, Some(organization)), "{query}: {text}");
    }
    for query in [
        "?organizationID=three",
        "?organizationID=",
        "?organizationID",
        "?organizationID=one,two",
        "?organizationID=one&organizationID=two",
        "?organizationID=one&organizationID=three",
        "?organizationID=%6Fne%0D%0Ax-org-id:%20three",
        "?organizationID=ONE",
    ] {
        let (status, text) = post(&format!("{address}{query}"), None, &calling("acme_get_a", &json!({}))).await;
        assert_eq!((status, site.set(|state| state.calls.len())), (403, 0), "{query}: {text}");
        assert!(text.contains("organizationID") && !text.contains("three"), "{query}: {text}");
    }
}

#[tokio::test]
async fn an_unknown_parameter_is_refused_with_the_known_ones() {
    let site = Site::start("").await;
    let address = serve(acme(&site, &[("ACME_ORG_ID", "one"), ("ACME_ORG_IDS", "one, two")])).await;
    for (query, expected) in [
        ("?orgID=two", "unknown parameter `orgID` in the address of the server\nhint: known: `organizationID`"),
        (
            "?organisationID=two",
            "unknown parameter `organisationID` in the address of the server\nhint: did you mean `organizationID`?",
        ),
        ("?other", "unknown parameter `other`"),
        ("?organizationID=two&x=1", "unknown parameter `x`"),
    ] {
        let (status, text) = post(&format!("{address}{query}"), None, &calling("acme_get_a", &json!({}))).await;
        assert_eq!((status, site.set(|state| state.calls.len())), (403, 0), "{query}: {text}");
        assert!(text.contains(expected), "{query}: {text}");
    }
}

#[tokio::test]
async fn a_session_keeps_the_organization_that_opened_it() {
    let site = Site::start("").await;
    let address = serve(acme(&site, &[("ACME_ORG_ID", "one"), ("ACME_ORG_IDS", "one,two")])).await;
    let (two, plain) = (open(&format!("{address}?organizationID=two")).await, open(&address).await);
    let message = calling("acme_get_a", &json!({}));
    for (query, session, organization) in
        [("?organizationID=two", &two, "two"), ("", &two, "two"), ("", &plain, "one"), ("", &two, "two")]
    {
        let (status, text) = post(&format!("{address}{query}"), Some(session), &message).await;
        assert_eq!((status, acted_for(&site).as_deref()), (200, Some(organization)), "{query}: {text}");
    }
    for (query, session) in [("?organizationID=one", &two), ("?organizationID=two", &plain)] {
        let (_, text) = post(&format!("{address}{query}"), Some(session), &message).await;
        assert!(text.contains("open a session of its own"), "{text}");
        assert_eq!(site.set(|state| state.calls.len()), 0);
    }
    let (status, _) = post(&format!("{address}?organizationID=three"), Some(&two), &message).await;
    assert_eq!(status, 403);
}

#[tokio::test]
async fn without_a_list_no_other_organization_can_be_chosen() {
    let site = Site::start("").await;
    let message = calling("acme_get_a", &json!({}));
    let one = serve(acme(&site, &[("ACME_ORG_ID", "one")])).await;
    assert_eq!(post(&format!("{one}?organizationID=one"), None, &message).await.0, 200);
    assert_eq!(acted_for(&site).as_deref(), Some("one"));
    assert_eq!(post(&format!("{one}?organizationID=two"), None, &message).await.0, 403);
    let none = serve(acme(&site, &[])).await;
    assert_eq!(post(&format!("{none}?organizationID=one"), None, &message).await.0, 403);
    assert_eq!(post(&none, None, &message).await.0, 200);
    assert_eq!(acted_for(&site), None);
}

#[tokio::test]
async fn dry_runs_and_the_audit_log_name_the_organization() {
    let site = Site::start("").await;
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("organization.jsonl");
    let _ = std::fs::remove_file(&path);
    let toolbox = acme(&site, &[("ACME_ORG_ID", "one"), ("ACME_ORG_IDS", "one,two")]);
    let address = serve(toolbox.with_record(Some(Audit::open(&path).unwrap()))).await;
    let dry = calling("acme_change_a", &json!({"dry_run": true}));
    let (_, text) = post(&format!("{address}?organizationID=two"), None, &dry).await;
    assert!(text.contains(r#"\"organization\":\"two\""#) && text.contains(r#"[\"x-org-id\",\"two\"]"#), "{text}");
    assert_eq!(site.set(|state| state.calls.len()), 0);
    post(&format!("{address}?organizationID=two"), None, &calling("acme_change_a", &json!({}))).await;
    post(&address, None, &calling("acme_get_a", &json!({}))).await;
    let record = std::fs::read_to_string(&path).unwrap();
    let named: Vec<Value> = record
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|line| line["event"] != "outcome")
        .map(|line| json!([line["event"], line["tool"], line["organization"]]))
        .collect();
    assert_eq!(
        json!(named),
        json!([["call", "acme_change_a", "two"], ["intent", "acme_change_a", "two"], ["call", "acme_get_a", "one"]])
    );
}

#[tokio::test]
async fn no_tool_has_an_argument_for_the_organization() {
    let site = Site::start("").await;
    let address = serve(acme(&site, &[("ACME_ORG_ID", "one")])).await;
    let (_, text) = post(&address, None, &json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"})).await;
    assert!(text.contains("acme_get_a") && !text.to_lowercase().contains("org"), "{text}");
}

#[tokio::test]
async fn one_call_reads_from_several_unless_the_client_chose_one() {
    let site = Site::start("").await;
    let address = serve(acme(&site, &[("ACME_ORG_ID", "one"), ("ACME_ORG_IDS", "one, two")])).await;
    let list = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"});
    let (_, all) = post(&address, None, &list).await;
    assert!(all.contains("organizations"), "{all}");
    let (_, chosen) = post(&format!("{address}?organizationID=two"), None, &list).await;
    assert!(chosen.contains("acme_get_a") && !chosen.contains("organizations"), "{chosen}");
    let call = calling("acme_get_a", &json!({"organizations": ["two", "one"]}));
    let (status, text) = post(&address, None, &call).await;
    assert_eq!(status, 200);
    for expected in [
        r#"\"two\":{"#,
        r#"\"organization\":\"two\"}"#,
        r#"\"one\":{"#,
        r#"\"organization\":\"one\"}"#,
        "the vendor has no list of them",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    assert!(text.find("two").unwrap() < text.find("one").unwrap(), "in the order in which they were named: {text}");
    assert_eq!(site.set(|state| std::mem::take(&mut state.calls).len()), 2);
    let (_, text) = post(&format!("{address}?organizationID=two"), None, &call).await;
    assert!(text.contains("organizations") && text.contains("nothing was sent"), "{text}");
    for refused in [json!({"organizations": ["three"]}), json!({"organizations": ["all"], "cursor": "x"})] {
        let (_, text) = post(&address, None, &calling("acme_get_a", &refused)).await;
        assert!(text.contains("nothing was sent") && !text.contains("three ("), "{text}");
    }
    let (_, text) = post(&address, None, &calling("acme_change_a", &json!({"organizations": ["all"]}))).await;
    assert!(text.contains("one organization at a time"), "{text}");
    assert_eq!(site.set(|state| state.calls.len()), 0);
}

#[tokio::test]
async fn what_fails_for_one_is_not_the_failure_of_the_others() {
    let site = Site::start("").await;
    let address = serve(acme(&site, &[("ACME_ORG_ID", "one"), ("ACME_ORG_IDS", "one, two, three")])).await;
    site.set(|state| state.refusals = 1);
    let call = calling("acme_get_a", &json!({"organizations": "all"}));
    let (_, text) = post(&address, None, &call).await;
    assert!(
        text.contains(r#"\"outcome\":\"rejected\""#) && text.matches(r#"\"path\":\"/who\""#).count() == 2,
        "{text}"
    );
    assert!(!text.contains(r#""isError":true"#), "{text}");
    site.set(|state| state.refusals = 9);
    let (_, text) = post(&address, None, &call).await;
    assert!(text.contains(r#""isError":true"#) && text.contains(r#""toolwright/outcome":"rejected""#), "{text}");
}
