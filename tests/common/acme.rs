//! A vendor that exists for tests only, with two APIs, and a server on this machine that plays it
//! and issues tokens. Everything between the variables and that server is the product's own.

use std::collections::{BTreeSet, HashMap};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, post};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use toolwright::call::{CallResult, Toolbox};
use toolwright::catalog::Catalog;
use toolwright::client_runtime::{CompiledApi, connect};
use toolwright::config::{ConnectionConfig, connection};
use toolwright::error::ConfigError;
use toolwright::policy::{Defaults, Selection, SelectionWords};
use toolwright::upstream::Unencrypted;
use toolwright_model::{Annotations, ApiTools, Call, Condition, Effect, Returns, Tool, Vendor, Verb};

pub(crate) static APIS: [CompiledApi; 2] = [api("acme-a"), api("acme-b")];

const fn api(id: &'static str) -> CompiledApi {
    CompiledApi { id, vendor: "acme", tools: "", sandbox: "", answers: "", requests: REQUESTS, connect }
}

/// What its operations send.
const REQUESTS: &str = r#"{
"change": {"method": "POST", "path": "/who"},
"find": {"method": "GET", "path": "/who"},
"look": {"method": "GET", "path": "/who"}
}
"#;

fn tool(name: &str, api: &str, operation: &str, effect: Effect) -> Tool {
    let read = effect == Effect::Read;
    let call = Call {
        api: api.to_owned(),
        operation: operation.to_owned(),
        method: if read { "GET" } else { "POST" }.to_owned(),
        path: "/who".to_owned(),
        when: None,
        scopes: Vec::new(),
        bindings: Vec::new(),
        needs_one_of: Vec::new(),
        fixed: Vec::new(),
        hints: Vec::new(),
        answers: None,
        returns: Returns::default(),
        paging: None,
        read_back: None,
        written_back: false,
        wait: None,
    };
    let dry_run = json!({"type": "boolean"});
    let properties = if read { json!({}) } else { json!({"dry_run": dry_run}) };
    let schema = json!({"type": "object", "properties": properties, "additionalProperties": false});
    Tool {
        name: name.to_owned(),
        title: name.to_owned(),
        description: "For tests.".to_owned(),
        effect: Some(effect),
        verb: if read { Verb::Get } else { Verb::Action },
        risks: BTreeSet::new(),
        tags: BTreeSet::from(["core".to_owned()]),
        aliases: Vec::new(),
        phrases: Vec::new(),
        unlisted: Vec::new(),
        annotations: Annotations {
            read_only_hint: read,
            destructive_hint: !read,
            idempotent_hint: read,
            open_world_hint: true,
        },
        input_schema: RawValue::from_string(schema.to_string()).unwrap(),
        unshown: Vec::new(),
        calls: vec![call],
        workflow: None,
        concise: Vec::new(),
    }
}

/// One tool over two operations, chosen by `object`.
fn choice() -> Tool {
    let mut tool = tool("acme_pick_a", "acme-a", "look", Effect::Write);
    tool.calls.extend(self::tool("", "acme-a", "change", Effect::Write).calls);
    for (call, object) in tool.calls.iter_mut().zip(["looks", "changes"]) {
        call.when = Some(Condition { argument: "object".to_owned(), equals: json!(object) });
    }
    let properties =
        json!({"object": {"type": "string", "enum": ["looks", "changes"]}, "dry_run": {"type": "boolean"}});
    let schema =
        json!({"type": "object", "properties": properties, "required": ["object"], "additionalProperties": false});
    tool.input_schema = RawValue::from_string(schema.to_string()).unwrap();
    tool
}

/// The content of a vendor.toml, with every key spelled out as the build does.
pub(crate) fn vendor(text: &str) -> Vendor {
    let head = "id = \"acme\"\ntitle = \"Acme\"\n";
    toml::from_str(&format!("{head}{text}")).unwrap_or_else(|error| panic!("{error}"))
}

/// Resolves the vendor's connection with these variables.
pub(crate) fn resolved(vendor: &Vendor, variables: &[(&str, &str)]) -> Result<Option<ConnectionConfig>, ConfigError> {
    let value = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    connection(vendor, &value, Unencrypted::default())
}

/// A toolbox over the vendor.
pub(crate) fn toolbox(vendor: Vendor, variables: &[(&str, &str)]) -> Toolbox {
    let connection = resolved(&vendor, variables).unwrap().unwrap();
    toolbox_over(vendor, connection)
}

/// A toolbox over the vendor with this connection.
pub(crate) fn toolbox_over(vendor: Vendor, connection: ConnectionConfig) -> Toolbox {
    toolbox_with(vendor, &HashMap::from([("acme".to_owned(), connection)]))
}

/// A toolbox over the vendor with these connections, by API or vendor.
pub(crate) fn toolbox_with(vendor: Vendor, connections: &HashMap<String, ConnectionConfig>) -> Toolbox {
    let tools = |api: &str, tools| ApiTools { api: api.to_owned(), vendor: "acme".to_owned(), tools };
    let a = vec![
        tool("acme_get_a", "acme-a", "look", Effect::Read),
        tool("acme_change_a", "acme-a", "change", Effect::Write),
        choice(),
    ];
    let b =
        vec![tool("acme_find_b", "acme-b", "find", Effect::Read), tool("acme_get_b", "acme-b", "look", Effect::Read)];
    let catalog = Catalog::new(vec![tools("acme-a", a), tools("acme-b", b)], vec![vendor]);
    let words = SelectionWords { methods: vec!["all".to_owned()], ..SelectionWords::default() };
    let selection = Selection::resolve(&words, Defaults::CoreReads, &catalog).unwrap();
    Toolbox::over(&APIS, catalog, selection, connections, false)
}

/// Calls without arguments; returns the answer's body or the failure's text.
pub(crate) async fn call(toolbox: &Toolbox, tool: &str) -> Result<Value, String> {
    match toolbox.call(tool, Map::new()).await {
        Ok(CallResult::Reply(reply)) => Ok(serde_json::from_slice(&reply.body).unwrap()),
        Ok(other) => panic!("no reply: {other:?}"),
        Err(failure) => Err(failure.to_string()),
    }
}

/// The server that plays the vendor.
pub(crate) struct Site {
    pub(crate) address: SocketAddr,
    pub(crate) state: Arc<Mutex<SiteState>>,
}

/// Its state, and how it is to behave.
#[derive(Default)]
pub(crate) struct SiteState {
    /// What arrived at the token endpoint.
    pub(crate) token_requests: Vec<TokenRequest>,
    /// The valid refresh token; with `leeway` the one before it is valid too.
    pub(crate) refresh_token: String,
    pub(crate) before: Option<String>,
    pub(crate) leeway: bool,
    /// The valid access token.
    pub(crate) access_token: String,
    pub(crate) expires_in: Option<u64>,
    /// How long the token endpoint takes.
    pub(crate) delay: Duration,
    /// What the token endpoint answers instead.
    pub(crate) answer: Option<(u16, String)>,
    /// How often the API refuses a valid token.
    pub(crate) refusals: usize,
    /// Every request to the APIs: path, and the headers that matter.
    pub(crate) calls: Vec<(String, Option<String>, Option<String>)>,
    /// Their methods.
    pub(crate) methods: Vec<String>,
    /// A file, and what it held when an API was called.
    pub(crate) watched: Option<PathBuf>,
    pub(crate) seen: Vec<String>,
}

/// One request for a token.
pub(crate) struct TokenRequest {
    pub(crate) authorization: Option<String>,
    pub(crate) fields: HashMap<String, String>,
}

impl Site {
    pub(crate) async fn start(refresh_token: &str) -> Self {
        let state = Arc::new(Mutex::new(SiteState {
            refresh_token: refresh_token.to_owned(),
            expires_in: Some(3_600),
            ..SiteState::default()
        }));
        let router = Router::new().route("/token", post(issue)).fallback(any(answer)).with_state(Arc::clone(&state));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(axum::serve(listener, router).into_future());
        Self { address, state }
    }

    pub(crate) fn set<T>(&self, change: impl FnOnce(&mut SiteState) -> T) -> T {
        change(&mut self.state.lock().unwrap())
    }

    pub(crate) fn token_requests(&self) -> usize {
        self.set(|state| state.token_requests.len())
    }
}

async fn issue(State(state): State<Arc<Mutex<SiteState>>>, headers: HeaderMap, body: Bytes) -> Response {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let json = text("content-type").is_some_and(|kind| kind.contains("json"));
    let fields: HashMap<String, String> = if json {
        serde_json::from_slice(&body).unwrap()
    } else {
        url::form_urlencoded::parse(&body).into_owned().collect()
    };
    let given = fields.get("refresh_token").cloned();
    let (delay, answer) = {
        let mut state = state.lock().unwrap();
        state.token_requests.push(TokenRequest { authorization: text("authorization"), fields });
        let number = state.token_requests.len();
        let answer = state.answer.clone().unwrap_or_else(|| {
            let good = given.as_ref().is_none_or(|given| {
                *given == state.refresh_token || state.leeway && state.before.as_ref() == Some(given)
            });
            if !good {
                return (403, json!({"error": "invalid_grant", "error_description": given}).to_string());
            }
            state.access_token = format!("access-{number}");
            let mut issued = json!({"access_token": state.access_token, "token_type": "Bearer", "scope": "read write"});
            if let Some(life) = state.expires_in {
                issued["expires_in"] = json!(life);
            }
            if given.is_some() {
                state.before = given;
                state.refresh_token = format!("refresh-{number}");
                issued["refresh_token"] = json!(state.refresh_token);
            }
            (200, issued.to_string())
        });
        (state.delay, answer)
    };
    tokio::time::sleep(delay).await;
    (StatusCode::from_u16(answer.0).unwrap(), answer.1).into_response()
}

async fn answer(
    State(state): State<Arc<Mutex<SiteState>>>,
    method: Method,
    address: Uri,
    headers: HeaderMap,
) -> Response {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let mut state = state.lock().unwrap();
    if let Some(path) = &state.watched {
        let seen = std::fs::read_to_string(path).unwrap();
        state.seen.push(seen);
    }
    let authorization = text("authorization");
    state.methods.push(method.to_string());
    state.calls.push((address.path().to_owned(), authorization.clone(), text("x-org-id")));
    let requested = !state.token_requests.is_empty();
    let good = !requested || authorization == Some(format!("Bearer {}", state.access_token));
    if !good || state.refusals > 0 {
        state.refusals = state.refusals.saturating_sub(1);
        return (StatusCode::UNAUTHORIZED, "who are you?").into_response();
    }
    let shown = json!({"path": address.path(), "organization": text("x-org-id")});
    (StatusCode::OK, [("content-type", "application/json")], shown.to_string()).into_response()
}
