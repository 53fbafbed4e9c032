//! Turns connections on the loopback port into answers: route, read, script, credentials, checks, and then the
//! description's answer.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{HeaderMap, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::answer::Reply;
use super::body::{self, Content};
use super::check::{Checked, Problem, Request, check};
use super::error::SandboxError;
use super::record::{self, Recorded, Verdict};
use super::route::Route;
use super::script::Script;
use super::table::{Operation, Table};

/// No request of ours is larger; a runaway one must not fill the memory.
const MAX_BODY: usize = 256 * 1024 * 1024;

/// How long to wait when no connection can be accepted, which happens when file descriptors run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// What all connections share.
pub(super) struct Shared {
    pub(super) apis: Vec<Api>,
    pub(super) script: Option<Script>,
    /// Absent unless asked for, because a load test would fill it.
    pub(super) record: Option<Mutex<Vec<Recorded>>>,
}

/// One API, whose table is parsed at its first request.
pub(super) struct Api {
    pub(super) id: String,
    text: String,
    table: OnceLock<Result<Table, String>>,
}

impl Api {
    pub(super) fn new(id: &str, text: &str) -> Self {
        Self { id: id.to_owned(), text: text.to_owned(), table: OnceLock::new() }
    }

    pub(super) fn table(&self) -> Result<&Table, SandboxError> {
        let table = self.table.get_or_init(|| Table::parse(&self.text));
        table.as_ref().map_err(|reason| SandboxError::Table { api: self.id.clone(), reason: reason.clone() })
    }
}

/// A script wants the connection dropped; hyper does so if the service fails.
#[derive(Debug, thiserror::Error)]
#[error("the connection is dropped as the script says")]
struct Dropped;

/// What is done with a request, and what is remembered of it.
struct Outcome {
    reply: Option<Reply>,
    operation: Option<String>,
    problems: Vec<Problem>,
    delay: Option<Duration>,
}

impl Outcome {
    fn refused(status: StatusCode, message: &str, operation: Option<&str>, problems: Vec<Problem>) -> Self {
        let reply = refusal(status, message, operation, &problems);
        Self { reply: Some(reply), operation: operation.map(str::to_owned), problems, delay: None }
    }
}

/// Answers connections until it is aborted, and its connections with it.
pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => drop(connections.spawn(connection(stream, Arc::clone(&shared)))),
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            },
            // Finished connections are let go, or their list would grow for ever.
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
}

async fn connection(stream: TcpStream, shared: Arc<Shared>) {
    // Without it small answers wait for the acknowledgement of the one before.
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| answer(Arc::clone(&shared), request));
    let mut builder = http1::Builder::new();
    builder.header_read_timeout(None);
    // An error here is a client that went away, or a script that drops the connection.
    let _ = builder.serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(shared: Arc<Shared>, request: hyper::Request<Incoming>) -> Result<Response<Full<Bytes>>, Dropped> {
    let (head, body) = request.into_parts();
    let bytes = Limited::new(body, MAX_BODY).collect().await.map_err(|_| Dropped)?.to_bytes();
    let media_type = head.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let parts = body::parts(media_type, &bytes).await;
    let (api, path) = split(head.uri.path());
    let query = head.uri.query().unwrap_or_default();
    let outcome = {
        let content = Content { media_type, bytes: &bytes, parts };
        decide(&shared, api, path, head.method.as_str(), query, &head.headers, content)
    };
    let status = outcome.reply.as_ref().map_or(0, |reply| reply.status.as_u16());
    if let Some(record) = &shared.record {
        let problems = outcome.problems;
        let is_known = shared.apis.iter().any(|known| known.id == api);
        let recorded = Recorded {
            api: if is_known { api.to_owned() } else { String::new() },
            operation: outcome.operation,
            method: head.method.as_str().to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: record::headers(&head.headers),
            body: (!bytes.is_empty()).then(|| bytes.to_vec()),
            verdict: if problems.is_empty() { Verdict::Accepted } else { Verdict::Problems(problems) },
            status,
        };
        record.lock().unwrap_or_else(PoisonError::into_inner).push(recorded);
    }
    if let Some(delay) = outcome.delay {
        tokio::time::sleep(delay).await;
    }
    let reply = outcome.reply.ok_or(Dropped)?;
    let mut response = Response::new(Full::from(reply.body));
    *response.status_mut() = reply.status;
    *response.headers_mut() = reply.headers;
    Ok(response)
}

/// Splits `/jitbit/api/ticket` into the API and the path that its description knows.
fn split(path: &str) -> (&str, &str) {
    let path = path.strip_prefix('/').unwrap_or(path);
    path.find('/').map_or((path, "/"), |end| path.split_at(end))
}

fn decide(
    shared: &Shared,
    api: &str,
    path: &str,
    method: &str,
    query: &str,
    headers: &HeaderMap,
    content: Content<'_>,
) -> Outcome {
    let Some(found) = shared.apis.iter().find(|known| known.id == api) else {
        let known: Vec<String> = shared.apis.iter().map(|api| format!("`/{}`", api.id)).collect();
        let problem = format!("`/{api}` is no API of this sandbox; known are {}", known.join(", "));
        return not_found(problem);
    };
    let table = match found.table() {
        Ok(table) => table,
        Err(error) => {
            let problems = vec![Problem::new("table", error.to_string())];
            return Outcome::refused(StatusCode::INTERNAL_SERVER_ERROR, "the table is not readable", None, problems);
        }
    };
    match table.routes.find(path, method) {
        Route::Unknown => not_found(format!("`{path}` is no path of `{api}`")),
        Route::Methods(methods) => {
            let allowed = methods.join(", ");
            let problems = vec![Problem::new("method", format!("`{method}` is not known here; known are {allowed}"))];
            let mut outcome = Outcome::refused(
                StatusCode::METHOD_NOT_ALLOWED,
                "the path is not known with this method",
                None,
                problems,
            );
            if let (Some(reply), Ok(allowed)) = (&mut outcome.reply, HeaderValue::from_str(&allowed)) {
                reply.headers.insert(ALLOW, allowed);
            }
            outcome
        }
        Route::Operation(index, texts) => {
            let operation = &table.operations[index];
            let request = Request { path: &texts, query, headers, content };
            let checked = check(operation, table.security(operation), &request);
            operated(shared.script.as_ref(), operation, checked, headers)
        }
    }
}

/// Decides over a request whose operation is known.
fn operated(script: Option<&Script>, operation: &Operation, checked: Checked, headers: &HeaderMap) -> Outcome {
    let name = operation.name.as_str();
    let Checked { values, mut problems, unreadable, unauthorised } = checked;
    let scripted = script.filter(|_| !unreadable).and_then(|script| script.answer(name, &values, headers));
    if let Some(scripted) = scripted {
        problems.extend(unauthorised);
        return Outcome {
            reply: (!scripted.close).then(|| scripted.reply.clone()),
            operation: Some(name.to_owned()),
            problems,
            delay: scripted.delay,
        };
    }
    if let Some(problem) = unauthorised {
        problems.insert(0, problem);
        let message = "the credentials are not what the description asks for";
        return Outcome::refused(StatusCode::UNAUTHORIZED, message, Some(name), problems);
    }
    if !problems.is_empty() {
        let message = "the request does not match the description";
        return Outcome::refused(StatusCode::BAD_REQUEST, message, Some(name), problems);
    }
    let reply = operation.answer.reply().clone();
    Outcome { reply: Some(reply), operation: Some(name.to_owned()), problems, delay: None }
}

fn not_found(problem: String) -> Outcome {
    let problems = vec![Problem::new("path", problem)];
    Outcome::refused(StatusCode::NOT_FOUND, "the description knows no such path", None, problems)
}

fn refusal(status: StatusCode, message: &str, operation: Option<&str>, problems: &[Problem]) -> Reply {
    let operation = operation.map_or(Value::Null, Value::from);
    let body = json!({ "sandbox": message, "operation": operation, "problems": problems });
    let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
    Reply { status, headers, body: body.to_string().into() }
}
