//! A team's server: links and the interface of administrators, over HTTP, on a store in a file; and several servers that
//! share one.

mod admin;
mod attacks;
mod commands;
#[cfg(feature = "jsm")]
mod contractor;
mod links;
mod narrower;
#[cfg(unix)]
mod replicas;
mod standing;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::SystemTime;

use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use toolwright::access::links::{IssuedLink, LinkRequest, Links, create_admin_token, issue};
use toolwright::access::{Access, Narrowing, ServerPolicy};
use toolwright::audit::Audit;
use toolwright::call::Toolbox;
use toolwright::policy::{Defaults, SelectionWords};
use toolwright::sandbox::Sandbox;
use toolwright::server::Server;
use toolwright::server::http::admin::{AccountState, Admin};
use toolwright::server::http::{HttpServer, NarrowerLinks};
use toolwright::store::{Store, StoreAddress};

use crate::common::fixture::http_client;
use crate::common::network::fresh_folder;
use crate::common::{sandbox, toolbox};

/// A server with links and administrators, over the sandbox.
struct Team {
    store: Store,
    policy: ServerPolicy,
    address: SocketAddr,
    client: reqwest::Client,
    /// An administrator's token.
    admin: String,
    audit: std::path::PathBuf,
    sandbox: Sandbox,
    stop: CancellationToken,
}

impl Drop for Team {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn words(methods: &[&str], tags: &[&str]) -> SelectionWords {
    let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    SelectionWords { methods: owned(methods), tags: owned(tags), ..SelectionWords::default() }
}

/// Serves a selection as `serve` does.
async fn team(test: &str, words: &SelectionWords) -> Team {
    team_at(test, words, SystemTime::now).await
}

async fn team_at(test: &str, words: &SelectionWords, clock: fn() -> SystemTime) -> Team {
    team_over(test, words, clock, None).await
}

/// With a vendor that answers as a script has it.
async fn team_over(test: &str, words: &SelectionWords, clock: fn() -> SystemTime, script: Option<&str>) -> Team {
    let folder = fresh_folder(test);
    let store = Store::open(&StoreAddress::File(folder.join("store.db"))).await.unwrap();
    let audit = folder.join("calls.jsonl");
    let sandbox = sandbox(script).await;
    let toolbox: Toolbox =
        toolbox(&sandbox, words, Defaults::CoreReads).with_record(Some(Audit::open(&audit).unwrap()));
    let policy = toolbox.server_policy().clone();
    let links = Arc::new(Links::open(store.clone(), policy.clone(), clock).await.unwrap());
    let access = Access::by(vec![links.clone()], toolbox.own_grant());
    let vendors = policy.catalog().vendors().iter();
    let accounts = vendors.map(|vendor| AccountState {
        name: vendor.id.clone(),
        vendor: vendor.id.clone(),
        serves: true,
        state: "ready".to_owned(),
    });
    let http = HttpServer::bind("127.0.0.1:0").await.unwrap();
    let (address, stop) = (http.address(), CancellationToken::new());
    let (accounts, at) = (accounts.collect(), format!("http://{address}"));
    let admin = Admin::new(store.clone(), policy.clone(), accounts, at, Some(audit.display().to_string()));
    let narrower = NarrowerLinks::new(store.clone(), policy.clone(), format!("http://{address}"), clock);
    let http = http.with_access(access).with_store(store.clone()).with_admin(admin).with_narrower_links(narrower);
    tokio::spawn(http.serve(Server::new(toolbox), stop.clone()));
    tokio::spawn({
        let stop = stop.clone();
        async move { links.follow(&stop).await }
    });
    let admin = create_admin_token(&store, "ops", SystemTime::now()).await.unwrap();
    Team { store, policy, address, client: http_client(), admin, audit, sandbox, stop }
}

impl Team {
    /// A request of an administrator.
    fn api(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("http://{}/api/v1{path}", self.address)).bearer_auth(&self.admin)
    }

    /// Creates a link of the account of a vendor.
    async fn link(&self, vendor: &str, narrowing: Narrowing, expires: Option<SystemTime>, second: bool) -> IssuedLink {
        let request = LinkRequest {
            name: "Contractor".to_owned(),
            accounts: [(vendor.to_owned(), vendor.to_owned())].into(),
            narrowing,
            expires,
            second_token: second,
        };
        issue(&self.store, self.policy.catalog(), None, request, SystemTime::now()).await.unwrap()
    }

    fn url(&self, link: &IssuedLink) -> String {
        link.url(&format!("http://{}", self.address))
    }

    /// A request through a link.
    fn post(&self, url: &str, message: &Value) -> RequestBuilder {
        self.client.post(url).header("accept", "application/json, text/event-stream").json(message)
    }

    /// What a request through a link is answered: status and message.
    async fn ask(&self, url: &str, message: &Value) -> (StatusCode, Value) {
        answered(self.post(url, message).send().await.unwrap()).await
    }

    /// The names of the tools that a link lists.
    async fn tools(&self, url: &str) -> Vec<String> {
        let (status, answer) = self.ask(url, &message("tools/list", &json!({}))).await;
        assert_eq!(status, 200, "{answer}");
        let tools = answer["result"]["tools"].as_array().unwrap_or_else(|| panic!("{answer}"));
        tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
    }
}

/// A request that stands alone.
fn message(method: &str, params: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
}

fn call(name: &str, arguments: &Value) -> Value {
    message("tools/call", &json!({"name": name, "arguments": arguments}))
}

async fn answered(response: Response) -> (StatusCode, Value) {
    let (status, text) = (response.status(), response.text().await.unwrap());
    let data = text.lines().rev().find_map(|line| line.strip_prefix("data: ").filter(|data| !data.is_empty()));
    (status, serde_json::from_str(data.unwrap_or(&text)).unwrap_or(Value::String(text)))
}
