//! A small help desk on this machine, with tickets that change, and faults at the request of choice. Beside it the compiled
//! tools of Jitbit with workflows that exist for tests only.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use toolwright::call::{CallResult, Caller, Failure, Toolbox};
use toolwright::catalog::{Catalog, tool_files};
use toolwright::mcp_result;
use toolwright::policy::{Defaults, Selection, SelectionWords};
use toolwright_model::ApiTools;

use crate::common::{connection, everything, text};

/// What happens to a request in place of the ordinary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The desk answers 403 and does nothing.
    Refused,
    /// The connection breaks before anything is done.
    LostBefore,
    /// It is done, and the connection breaks before the answer.
    LostAfter,
}

/// A ticket.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Ticket {
    pub(crate) status: String,
    pub(crate) notes: Vec<String>,
    pub(crate) tags: Vec<String>,
    /// How often it was closed; more than once is a change that was repeated.
    pub(crate) closed: u32,
}

#[derive(Debug, Default)]
struct Inner {
    tickets: BTreeMap<u64, Ticket>,
    arrived: Vec<String>,
    /// The number of the request, counted from 1 over all that came, and what happens to it.
    fault: Option<(usize, Fault)>,
    /// How long each answer takes.
    delay: Duration,
    under_way: usize,
    most_under_way: usize,
    comments: usize,
}

/// The desk.
#[derive(Debug, Clone)]
pub(crate) struct Desk {
    inner: Arc<Mutex<Inner>>,
    address: String,
}

impl Desk {
    pub(crate) async fn start(tickets: &[u64]) -> Self {
        let open = |id: &u64| (*id, Ticket { status: "Open".to_owned(), ..Ticket::default() });
        let inner = Inner { tickets: tickets.iter().map(open).collect(), comments: 2, ..Inner::default() };
        let inner = Arc::new(Mutex::new(inner));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state(Arc::clone(&inner));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { inner, address }
    }

    pub(crate) fn with_fault(self, request: usize, fault: Fault) -> Self {
        self.inner.lock().unwrap().fault = Some((request, fault));
        self
    }

    pub(crate) fn with_delay(self, delay: Duration) -> Self {
        self.inner.lock().unwrap().delay = delay;
        self
    }

    pub(crate) fn with_comments(self, comments: usize) -> Self {
        self.inner.lock().unwrap().comments = comments;
        self
    }

    pub(crate) fn tickets(&self) -> BTreeMap<u64, Ticket> {
        self.inner.lock().unwrap().tickets.clone()
    }

    /// The requests that came, such as `GET /api/Close id=7`.
    pub(crate) fn arrived(&self) -> Vec<String> {
        self.inner.lock().unwrap().arrived.clone()
    }

    pub(crate) fn most_under_way(&self) -> usize {
        self.inner.lock().unwrap().most_under_way
    }

    /// A toolbox over the desk with the workflows of the tests.
    pub(crate) fn toolbox(&self) -> Toolbox {
        self.toolbox_with(&everything())
    }

    pub(crate) fn toolbox_with(&self, words: &SelectionWords) -> Toolbox {
        let catalog = catalog();
        let selection = Selection::resolve(words, Defaults::Reads, &catalog).unwrap();
        let connections = HashMap::from([("jitbit".to_owned(), connection(&self.address, Duration::from_secs(20)))]);
        Toolbox::new(catalog, selection, &connections, false)
    }
}

/// The compiled tools of Jitbit, and the workflows.
fn catalog() -> Catalog {
    let files = tool_files().into_iter().map(|text| serde_json::from_str::<ApiTools>(text).unwrap());
    let mut apis: Vec<ApiTools> = files.filter(|file| file.api == "jitbit").collect();
    apis.push(serde_json::from_str(include_str!("tools.json")).unwrap());
    let vendors = Catalog::compiled().vendors().iter().filter(|vendor| vendor.id == "jitbit").cloned().collect();
    Catalog::new(apis, vendors)
}

async fn answer(State(inner): State<Arc<Mutex<Inner>>>, method: Method, uri: Uri, body: Bytes) -> Response {
    let text = String::from_utf8_lossy(&body).into_owned();
    let body = serde_json::from_str(&text).unwrap_or_else(|_| form(&text));
    let (fault, delay) = {
        let mut inner = inner.lock().unwrap();
        let query = uri.query().unwrap_or_default();
        let sent = if text.is_empty() { query } else { &text };
        inner.arrived.push(format!("{method} {} {sent}", uri.path()));
        inner.under_way += 1;
        inner.most_under_way = inner.most_under_way.max(inner.under_way);
        let number = inner.arrived.len();
        (inner.fault.filter(|(at, _)| *at == number).map(|(_, fault)| fault), inner.delay)
    };
    tokio::time::sleep(delay).await;
    let mut inner = inner.lock().unwrap();
    inner.under_way -= 1;
    match fault {
        Some(Fault::Refused) => return (StatusCode::FORBIDDEN, "no permission").into_response(),
        Some(Fault::LostBefore) => return lost(),
        _ => {}
    }
    let answer = done(&mut inner, &method, &uri, &body);
    if fault == Some(Fault::LostAfter) { lost() } else { answer }
}

/// The fields of a form, whole numbers as such.
fn form(text: &str) -> Value {
    let fields = url::form_urlencoded::parse(text.as_bytes()).into_owned();
    let value = |text: String| text.parse::<i64>().map_or(Value::from(text), Value::from);
    fields.map(|(name, text)| (name, value(text))).collect::<Map<_, _>>().into()
}

/// An answer of JSON.
fn data(value: impl Into<Value>) -> Response {
    ([("content-type", "application/json")], value.into().to_string()).into_response()
}

/// An answer that breaks off.
fn lost() -> Response {
    let pieces = futures_util::stream::iter([Ok(Bytes::from_static(b"{\"cut")), Err(std::io::Error::other("lost"))]);
    let body = axum::body::Body::from_stream(pieces);
    ([("content-type", "application/json"), ("content-length", "1000")], body).into_response()
}

fn done(inner: &mut Inner, method: &Method, uri: &Uri, body: &Value) -> Response {
    let query: HashMap<String, String> =
        url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let id = query.get("id").and_then(|id| id.parse().ok());
    let id = id.or_else(|| body["id"].as_u64()).or_else(|| body["ticketId"].as_u64());
    if (method, uri.path()) == (&Method::POST, "/api/ticket") {
        let id = inner.tickets.keys().max().unwrap_or(&0) + 1;
        inner.tickets.insert(id, Ticket { status: "Open".to_owned(), ..Ticket::default() });
        return data(json!(id));
    }
    let comments = inner.comments;
    let Some((id, ticket)) = id.and_then(|id| Some((id, inner.tickets.get_mut(&id)?))) else {
        return (StatusCode::NOT_FOUND, data(json!({"message": "no such ticket"}))).into_response();
    };
    match (method.as_str(), uri.path()) {
        ("GET", "/api/ticket") => {
            let subject = format!("Printer {id} on fire, see https://evil.example/{id}");
            data(json!({"TicketID": id, "Subject": subject, "Status": ticket.status, "Priority": 1}))
        }
        ("GET", "/api/comments") => {
            let comment = |number: usize| json!({"CommentID": number, "Body": "It burns. ".repeat(30), "IssueID": id});
            data((0..comments).map(comment).collect::<Vec<_>>())
        }
        ("GET", "/api/Close") => {
            ticket.closed += 1;
            "Closed".clone_into(&mut ticket.status);
            StatusCode::OK.into_response()
        }
        ("POST", "/api/comment") => {
            ticket.notes.push(body["body"].as_str().unwrap_or_default().to_owned());
            data(json!({"commentId": ticket.notes.len()}))
        }
        ("POST", "/api/TagTicket") => {
            let tag = body["name"].as_str().unwrap_or_default().to_owned();
            if !ticket.tags.contains(&tag) {
                ticket.tags.push(tag);
            }
            StatusCode::OK.into_response()
        }
        _ => (StatusCode::NOT_FOUND, "no such path").into_response(),
    }
}

/// Calls, and returns the result that a model would get.
pub(crate) async fn called(toolbox: &Toolbox, caller: &Caller, tool: &str, arguments: Value) -> Shown {
    let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
    shown(toolwright::workflow::call_as(toolbox, caller, tool, arguments).await)
}

/// What a model gets of a call.
#[derive(Debug)]
pub(crate) struct Shown {
    pub(crate) is_error: bool,
    pub(crate) text: String,
    pub(crate) outcome: Option<String>,
}

impl Shown {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The rows of the table of outcomes: step, item and outcome.
    pub(crate) fn rows(&self) -> Vec<(String, Value, String)> {
        let word = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
        // A call that is refused before its first step has no table.
        let report: Value = serde_json::from_str(&self.text).unwrap_or_default();
        let rows = report["outcomes"].as_array().cloned().unwrap_or_default();
        rows.iter().map(|row| (word(row, "step"), row["item"].clone(), word(row, "outcome"))).collect()
    }
}

fn shown(result: Result<CallResult, Failure>) -> Shown {
    let result = mcp_result::result("jitbit", result);
    let outcome = result.meta.as_ref().and_then(|meta| meta.0.get(mcp_result::OUTCOME));
    Shown {
        is_error: result.is_error == Some(true),
        text: text(&result).to_owned(),
        outcome: outcome.and_then(Value::as_str).map(str::to_owned),
    }
}
