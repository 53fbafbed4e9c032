//! Access tokens: of an identity provider that the test plays, and of the server's own authorization server. The attacks are those
//! that RFC 9700 and RFC 8725 list: each is tried, and must lead to nothing.

mod attacks;
mod authorization;
mod login;
mod login_attacks;
pub(crate) mod provider;
#[cfg(unix)]
mod reload;
mod resource;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use toolwright::access::links::{IssuedLink, LinkRequest, Links, issue};
use toolwright::access::oauth::{
    AuthorizationServer, ClaimGrants, GrantsInUse, IssuedTokens, Issuer, IssuerTokens, LOGIN_CALLBACK,
    ProtectedResource, ProviderLogin, RedirectHosts, RelyingParty,
};
use toolwright::access::{Access, Mode, Narrowing, Scopes, ServerPolicy};
use toolwright::audit::Audit;
use toolwright::call::Toolbox;
use toolwright::policy::{Defaults, SelectionWords};
use toolwright::sandbox::Sandbox;
use toolwright::server::Server;
use toolwright::server::http::HttpServer;
use toolwright::store::{Store, StoreAddress};

use crate::common::fixture::http_client;
use crate::common::network::fresh_folder;
use crate::common::{sandbox, toolbox};
use provider::Provider;

/// A server that takes access tokens, over the sandbox.
struct Served {
    address: SocketAddr,
    client: reqwest::Client,
    sandbox: Sandbox,
    audit: std::path::PathBuf,
    policy: ServerPolicy,
    /// Where it issues tokens itself.
    store: Option<Store>,
    /// What the bearers of tokens may do, where entries state it.
    grants: Option<GrantsInUse>,
    stop: CancellationToken,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn selection() -> SelectionWords {
    SelectionWords { methods: words(&["read", "write"]), tags: words(&["all"]), ..SelectionWords::default() }
}

fn all_scopes(policy: &ServerPolicy) -> Scopes {
    let entries = policy.catalog().entries().iter();
    Scopes::widest_of(entries.filter(|entry| policy.selection().decide(entry).is_ok()))
}

/// A client that shows where it is sent, in place of going there.
fn without_redirects() -> reqwest::Client {
    // It sets up what encrypts.
    drop(http_client());
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

/// Binds an address and prepares a toolbox.
async fn prepared(test: &str) -> (HttpServer, Toolbox, Sandbox, std::path::PathBuf) {
    let sandbox = sandbox(None).await;
    let audit = fresh_folder(test).join("calls.jsonl");
    let toolbox = toolbox(&sandbox, &selection(), Defaults::CoreReads).with_record(Some(Audit::open(&audit).unwrap()));
    (HttpServer::bind("127.0.0.1:0").await.unwrap(), toolbox, sandbox, audit)
}

/// An entry that permits the members of a group these tickets of Jitbit.
fn entry(name: &str, group: &str, methods: &[&str]) -> toolwright_model::ClaimGrant {
    toolwright_model::ClaimGrant {
        name: name.to_owned(),
        claims: [("groups".to_owned(), words(&[group]))].into(),
        accounts: words(&["jitbit"]),
        methods: words(methods),
        tags: words(&["tickets"]),
        ..toolwright_model::ClaimGrant::default()
    }
}

/// Members of `helpdesk` may read and write tickets of Jitbit, those of `auditors` read.
fn usual_entries() -> Vec<toolwright_model::ClaimGrant> {
    vec![entry("help desk", "helpdesk", &["read", "write"]), entry("auditors", "auditors", &["read"])]
}

fn claim_grants(entries: &[toolwright_model::ClaimGrant], policy: &ServerPolicy) -> ClaimGrants {
    ClaimGrants::new(entries, &policy.accounts_named_as_vendors(), policy).unwrap()
}

/// Serves callers with tokens of a provider, by the usual entries.
async fn serve_tokens_of(test: &str, provider: &Provider, needs_scopes: bool) -> Served {
    let (http, toolbox, sandbox, audit) = prepared(test).await;
    let (address, policy) = (http.address(), toolbox.server_policy().clone());
    let grants = GrantsInUse::new(claim_grants(&usual_entries(), &policy));
    let issuer = Issuer::discover(&provider.issuer()).await.unwrap();
    let scopes = if needs_scopes { all_scopes(&policy) } else { Scopes::default() };
    let resource = Arc::new(ProtectedResource::new(&format!("http://{address}"), &provider.issuer(), scopes));
    let tokens = IssuerTokens::new(issuer, Arc::clone(&resource), grants.clone(), policy.clone(), SystemTime::now);
    let tokens = if needs_scopes { tokens } else { tokens.without_scopes() };
    let access = Access::by(vec![Arc::new(tokens) as Arc<dyn Mode>], toolbox.own_grant());
    let stop = CancellationToken::new();
    let http = http.with_access(access).with_protected_resource(resource);
    tokio::spawn(http.serve(Server::new(toolbox), stop.clone()));
    let client = without_redirects();
    Served { address, client, sandbox, audit, policy, store: None, grants: Some(grants), stop }
}

/// Serves callers with tokens that the server issues itself, and those with links.
async fn serve_own_tokens(test: &str, clock: fn() -> SystemTime) -> Served {
    serve_issued(test, clock, None).await
}

/// The same, and people may sign in at a provider in place of bringing a link: what they allow lasts a day.
async fn serve_with_login(test: &str, clock: fn() -> SystemTime, provider: &Provider) -> Served {
    serve_issued(test, clock, Some(provider)).await
}

async fn provider_login(origin: &str, provider: &Provider, grants: &GrantsInUse) -> Arc<ProviderLogin> {
    let client = toolwright_model::ProviderClient {
        issuer: provider.issuer(),
        client_id: provider::CLIENT.0.to_owned(),
        client_secret_file: None,
        scopes: words(&["email"]),
    };
    let redirect = format!("{origin}{LOGIN_CALLBACK}");
    let party = RelyingParty::discover(&client, Some(provider::CLIENT.1.to_owned()), &redirect, "[oauth.login] issuer");
    Arc::new(ProviderLogin::new(party.await.unwrap(), grants.clone(), Duration::from_hours(24)))
}

async fn serve_issued(test: &str, clock: fn() -> SystemTime, provider: Option<&Provider>) -> Served {
    let (http, toolbox, sandbox, audit) = prepared(test).await;
    let (address, policy) = (http.address(), toolbox.server_policy().clone());
    let store = Store::open(&StoreAddress::File(audit.with_file_name("store.db"))).await.unwrap();
    let links = Arc::new(Links::open(store.clone(), policy.clone(), clock).await.unwrap());
    let origin = format!("http://{address}");
    let resource = Arc::new(ProtectedResource::new(&origin, &origin, all_scopes(&policy)));
    let grants = GrantsInUse::new(claim_grants(&usual_entries(), &policy));
    let login = match provider {
        Some(provider) => Some(provider_login(&origin, provider, &grants).await),
        None => None,
    };
    let tokens = IssuedTokens::new(Arc::clone(&links), Arc::clone(&resource), true, clock).with_login(login.clone());
    let issuing =
        AuthorizationServer::new(Arc::clone(&links), Arc::clone(&resource), RedirectHosts::default(), clock).unwrap();
    let issuing = issuing.with_login(login);
    let modes: Vec<Arc<dyn Mode>> = vec![links.clone(), Arc::new(tokens)];
    let access = Access::by(modes, toolbox.own_grant());
    let stop = CancellationToken::new();
    let http = http.with_access(access).with_store(store.clone());
    let http = http.with_protected_resource(resource).with_authorization_server(Arc::new(issuing));
    tokio::spawn(http.serve(Server::new(toolbox), stop.clone()));
    tokio::spawn({
        let stop = stop.clone();
        async move { links.follow(&stop).await }
    });
    let client = without_redirects();
    Served { address, client, sandbox, audit, policy, store: Some(store), grants: Some(grants), stop }
}

impl Served {
    fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    fn post(&self, message: &Value) -> RequestBuilder {
        let request = self.client.post(format!("{}/mcp", self.origin()));
        request.header("accept", "application/json, text/event-stream").json(message)
    }

    /// What a request with a token is answered: status, challenge and body.
    async fn ask(&self, token: &str, message: &Value) -> (StatusCode, String, Value) {
        let response = self.post(message).bearer_auth(token).send().await.unwrap();
        let challenge = response.headers().get("www-authenticate").map(|it| it.to_str().unwrap().to_owned());
        let (status, text) = (response.status(), response.text().await.unwrap());
        (status, challenge.unwrap_or_default(), serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    /// The names of the tools that a token lists.
    async fn tools(&self, token: &str) -> Vec<String> {
        let (status, _, answer) = self.ask(token, &list()).await;
        assert_eq!(status, 200, "{answer}");
        let tools = answer["result"]["tools"].as_array().unwrap_or_else(|| panic!("{answer}"));
        tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
    }

    /// Has these entries hold from the next request on, as after SIGHUP.
    fn permit(&self, entries: &[toolwright_model::ClaimGrant]) {
        self.grants.as_ref().unwrap().replace(claim_grants(entries, &self.policy));
    }

    async fn get(&self, path: &str) -> (StatusCode, Value) {
        let response = self.client.get(format!("{}{path}", self.origin())).send().await.unwrap();
        let (status, text) = (response.status(), response.text().await.unwrap());
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    /// A link of Jitbit that permits what this narrowing leaves.
    async fn link(&self, methods: &[&str], second_token: bool, expires: Option<SystemTime>) -> IssuedLink {
        let request = LinkRequest {
            name: "Contractor".to_owned(),
            accounts: [("jitbit".to_owned(), "jitbit".to_owned())].into(),
            narrowing: Narrowing { methods: words(methods), tags: words(&["tickets"]), ..Narrowing::default() },
            expires,
            second_token,
        };
        let store = self.store.as_ref().unwrap();
        issue(store, self.policy.catalog(), None, request, SystemTime::now()).await.unwrap()
    }
}

fn list() -> Value {
    json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}})
}

fn call(name: &str, arguments: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": name, "arguments": arguments}})
}

/// Seconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs()
}
