//! Variables → address, credentials and organization of each request, by the vendor's real vendor.toml.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::{HeaderMap, Method, Uri};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use toolwright::call::Toolbox;
use toolwright::catalog::Catalog;
use toolwright::config::{ConnectionConfig, connection};
use toolwright::error::ConfigError;
use toolwright::policy::{Defaults, Selection};
use toolwright::server::Server;
use toolwright::server::http::HttpServer;
use toolwright::upstream::Unencrypted;

use super::{ORGANIZATION, USER, ask, client, words};
use crate::common::fixture::http_client;

const OTHER: &str = "5f0c1ab2d3e4f5a6b7c8d9e9";
const KEY: &str = "jca_pl4nted";

fn connected(variables: &[(&str, &str)]) -> Result<ConnectionConfig, ConfigError> {
    let catalog = Catalog::compiled();
    let env = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    connection(catalog.vendor("jumpcloud").unwrap(), &env, Unencrypted::default()).map(Option::unwrap)
}

#[test]
fn one_setting_chooses_the_address_of_every_api() {
    for (region, console, api) in [
        (None, "console.jumpcloud.com", "api.jumpcloud.com"),
        (Some("us"), "console.jumpcloud.com", "api.jumpcloud.com"),
        (Some("EU"), "console.eu.jumpcloud.com", "api.eu.jumpcloud.com"),
        (Some("in"), "console.in.jumpcloud.com", "api.in.jumpcloud.com"),
    ] {
        let mut variables = vec![("JUMPCLOUD_API_KEY", KEY)];
        variables.extend(region.map(|region| ("JUMPCLOUD_REGION", region)));
        let connection = connected(&variables).unwrap();
        let root = |of: &str| connection.root(&format!("jumpcloud-{of}")).as_str().trim_end_matches('/').to_owned();
        assert_eq!(root("v1"), format!("https://{console}/api"));
        assert_eq!(root("v2"), format!("https://{console}/api/v2"));
        assert_eq!(root("undocumented"), format!("https://{console}/api"));
        assert_eq!(root("insights"), format!("https://{api}/insights/directory/v1"));
        assert!(!format!("{connection:?}").contains(KEY));
    }
    let error = connected(&[("JUMPCLOUD_API_KEY", KEY), ("JUMPCLOUD_REGION", "mars")]).unwrap_err().to_string();
    assert!(error.contains("`JUMPCLOUD_REGION` is none of") && error.contains("`eu`"), "{error}");
}

#[test]
fn custom_addresses_are_accepted_with_paths_and_needed_for_every_api() {
    let own = connected(&[
        ("JUMPCLOUD_API_KEY", KEY),
        ("JUMPCLOUD_URL", "https://jc.solheim.example/api/v2/"),
        ("JUMPCLOUD_INSIGHTS_URL", "https://insights.solheim.example/insights/directory/v1"),
    ])
    .unwrap();
    let root = |of: &str| own.root(&format!("jumpcloud-{of}")).as_str().trim_end_matches('/').to_owned();
    assert_eq!(root("v1"), "https://jc.solheim.example/api");
    assert_eq!(root("v2"), "https://jc.solheim.example/api/v2");
    assert_eq!(root("insights"), "https://insights.solheim.example/insights/directory/v1");
    let half = connected(&[("JUMPCLOUD_API_KEY", KEY), ("JUMPCLOUD_URL", "https://jc.solheim.example")]).unwrap_err();
    assert!(half.to_string().contains("`JUMPCLOUD_INSIGHTS_URL` is not set"), "{half}");
    let plain = connected(&[
        ("JUMPCLOUD_API_KEY", KEY),
        ("JUMPCLOUD_URL", "http://jc.solheim.example"),
        ("JUMPCLOUD_INSIGHTS_URL", "https://insights.solheim.example"),
    ]);
    assert!(plain.unwrap_err().to_string().contains("not encrypted"));
}

#[test]
fn a_service_account_replaces_the_key() {
    let account = connected(&[("JUMPCLOUD_CLIENT_ID", "c"), ("JUMPCLOUD_CLIENT_SECRET", KEY)]).unwrap();
    assert_eq!(account.credentials_source.split(' ').next(), Some("OAuth"), "{}", account.credentials_source);
    assert!(!format!("{account:?}").contains(KEY));
    let half = connected(&[("JUMPCLOUD_CLIENT_ID", "c")]).unwrap_err().to_string();
    assert!(half.contains("`JUMPCLOUD_CLIENT_SECRET` is not set"), "{half}");
}

/// One request that reached the vendor: method and path, key, organization.
type Seen = (String, Option<String>, Option<String>);

/// A server that plays the vendor, at both of its addresses.
struct Vendor {
    address: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Vendor {
    async fn start() -> Self {
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let record = Arc::clone(&seen);
        let router = Router::new().fallback(move |method: Method, address: Uri, headers: HeaderMap| async move {
            let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
            let request = format!("{method} {}", address.path());
            record.lock().unwrap().push((request, text("x-api-key"), text("x-org-id")));
            ([("content-type", "application/json")], "{}")
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(axum::serve(listener, router).into_future());
        Self { address, seen }
    }

    /// A toolbox over the vendor, with these variables besides.
    fn toolbox(&self, variables: &[(&str, &str)]) -> Toolbox {
        let own = [
            ("JUMPCLOUD_URL", self.address.as_str()),
            ("JUMPCLOUD_INSIGHTS_URL", &self.address),
            ("JUMPCLOUD_API_KEY", KEY),
        ];
        let connection = connected(&[&own[..], variables].concat()).unwrap();
        let catalog = Catalog::compiled();
        let words = words(&[("vendor", "jumpcloud"), ("methods", "read,write"), ("tags", "core,undocumented")]);
        let selection = Selection::resolve(&words, Defaults::CoreReads, &catalog).unwrap();
        Toolbox::new(catalog, selection, &[("jumpcloud".to_owned(), connection)].into(), false)
    }

    fn take(&self) -> Vec<Seen> {
        std::mem::take(&mut self.seen.lock().unwrap())
    }
}

#[tokio::test]
async fn every_api_gets_the_key_and_the_organization() {
    let vendor = Vendor::start().await;
    let client = client(vendor.toolbox(&[("JUMPCLOUD_ORG_ID", ORGANIZATION)])).await;
    let user = json!({"user_id": USER});
    for (tool, arguments, request) in [
        ("jumpcloud_get_user", &user, format!("GET /api/systemusers/{USER}")),
        ("jumpcloud_list_user_memberships", &user, format!("GET /api/v2/users/{USER}/memberof")),
        ("jumpcloud_list_admins", &json!({}), "GET /api/users".to_owned()),
        ("jumpcloud_count_events", &json!({}), "POST /insights/directory/v1/events/count".to_owned()),
    ] {
        let answered = ask(&client, tool, arguments).await;
        assert!(!format!("{answered:?}").contains(KEY));
        assert_eq!(
            vendor.take(),
            [(request, Some(KEY.to_owned()), Some(ORGANIZATION.to_owned()))],
            "{tool}: {answered:?}"
        );
    }
    // Without a setting the header is not sent: most keys belong to one organization.
    let client = super::client(vendor.toolbox(&[])).await;
    let _ = ask(&client, "jumpcloud_get_user", &user).await;
    assert_eq!(vendor.take()[0].2, None);
}

#[tokio::test]
async fn the_organization_appears_in_plans_only() {
    let vendor = Vendor::start().await;
    let client = client(vendor.toolbox(&[("JUMPCLOUD_ORG_ID", ORGANIZATION)])).await;
    for tool in client.list_all_tools().await.unwrap() {
        let schema = serde_json::to_string(&tool.input_schema).unwrap().to_lowercase();
        assert!(!schema.contains("x-org-id") && !schema.contains("x-api-key"), "{}", tool.name);
    }
    let plan = ask(&client, "user_suspend", &json!({"user_id": USER, "dry_run": true})).await.unwrap();
    assert_eq!(plan["organization"], ORGANIZATION, "{plan}");
    assert_eq!((&plan["effect"], &plan["sent"]), (&json!("write"), &json!(false)), "{plan}");
    let text = plan.to_string();
    assert!(text.contains("x-org-id") && text.contains("SUSPENDED") && !text.contains(KEY), "{text}");
    assert_eq!(vendor.take(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_sends_one_request_and_names_the_organization() {
    let vendor = Vendor::start().await;
    let address = vendor.address.clone();
    let doctor = move || {
        std::process::Command::new(env!("CARGO_BIN_EXE_toolwright"))
            .args(["doctor", "--vendor", "jumpcloud"])
            .env_clear()
            .envs([("JUMPCLOUD_URL", &address), ("JUMPCLOUD_INSIGHTS_URL", &address)])
            .envs([("JUMPCLOUD_API_KEY", KEY), ("JUMPCLOUD_ORG_ID", ORGANIZATION)])
            .output()
            .unwrap()
    };
    let output = tokio::task::spawn_blocking(doctor).await.unwrap();
    let shown = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{shown}");
    assert!(shown.contains(ORGANIZATION) && shown.contains("JUMPCLOUD_API_KEY") && !shown.contains(KEY), "{shown}");
    let asked = ("GET /api/organizations".to_owned(), Some(KEY.to_owned()), Some(ORGANIZATION.to_owned()));
    assert_eq!(vendor.take(), [asked]);
}

#[tokio::test]
async fn a_connection_over_http_chooses_its_organization() {
    let vendor = Vendor::start().await;
    let both = format!("{ORGANIZATION},{OTHER}");
    let toolbox = vendor.toolbox(&[("JUMPCLOUD_ORG_ID", ORGANIZATION), ("JUMPCLOUD_ORG_IDS", &both)]);
    let http = HttpServer::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/mcp", http.address());
    tokio::spawn(http.serve(Server::new(toolbox), CancellationToken::new()));
    let params = json!({"name": "user_get", "arguments": {"user_id": USER}});
    let message: Value = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
    for (query, status, organization) in [
        (String::new(), 200, Some(ORGANIZATION)),
        (format!("?organizationID={OTHER}"), 200, Some(OTHER)),
        (format!("?organizationID={ORGANIZATION}"), 200, Some(ORGANIZATION)),
        ("?organizationID=5f0c1ab2d3e4f5a6b7c8d9ff".to_owned(), 403, None),
    ] {
        let accept = "application/json, text/event-stream";
        let request = http_client().post(format!("{address}{query}")).header("accept", accept).json(&message);
        let response = request.send().await.unwrap();
        assert_eq!(response.status().as_u16(), status, "{query}");
        response.text().await.unwrap();
        let seen: Vec<Option<String>> = vendor.take().into_iter().map(|(_, _, organization)| organization).collect();
        let expected: Vec<Option<String>> = organization.map(|one| Some(one.to_owned())).into_iter().collect();
        assert_eq!(seen, expected, "{query}");
    }
}
