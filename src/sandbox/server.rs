//! Connections on the loopback port → answers: route, read, script, credentials, checks, the description's answer.

use std::borrow::Cow;
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

use super::answer::SandboxReply;
use super::body::{self, ReceivedBody};
use super::check::{ReceivedRequest, check};
use super::error::SandboxError;
use super::paging;
use super::problem::{CheckedRequest, RequestProblem};
use super::record::{self, Recorded, Verdict};
use super::route::RouteMatch;
use super::script::Script;
use super::table::{SandboxTable, TableOperation};
use super::text;
use toolwright_model::PagingStyle;

/// No request of ours is larger; the bound protects the memory of this process.
const MAX_BODY: usize = 256 * 1024 * 1024;

/// How long to wait after a failed accept, which happens when file descriptors run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// The state that all connections share.
pub(super) struct SandboxState {
    pub(super) apis: Vec<SandboxApi>,
    pub(super) script: Option<Script>,
    /// Absent unless requested, because a load test would fill it.
    pub(super) record: Option<Mutex<Vec<Recorded>>>,
}

/// One API, whose table is parsed at its first request.
pub(super) struct SandboxApi {
    pub(super) id: String,
    text: String,
    table: OnceLock<Result<SandboxTable, String>>,
}

impl SandboxApi {
    pub(super) fn new(id: &str, text: &str) -> Self {
        Self { id: id.to_owned(), text: text.to_owned(), table: OnceLock::new() }
    }

    pub(super) fn table(&self) -> Result<&SandboxTable, SandboxError> {
        let table = self.table.get_or_init(|| SandboxTable::parse(&self.text));
        table.as_ref().map_err(|reason| SandboxError::Table { api: self.id.clone(), reason: reason.clone() })
    }
}

/// A script's `close`: hyper drops the connection if the service fails.
#[derive(Debug, thiserror::Error)]
#[error("the script drops the connection")]
struct ConnectionDropped;

/// The reply to a request, and what is recorded of it.
struct RequestOutcome {
    reply: Option<SandboxReply>,
    operation: Option<String>,
    problems: Vec<RequestProblem>,
    delay: Option<Duration>,
}

impl RequestOutcome {
    fn refused(status: StatusCode, message: &str, operation: Option<&str>, problems: Vec<RequestProblem>) -> Self {
        let reply = refusal(status, message, operation, &problems);
        Self { reply: Some(reply), operation: operation.map(str::to_owned), problems, delay: None }
    }
}

/// Answers connections until the task is aborted, which aborts the connections too.
pub(super) async fn serve(listener: TcpListener, shared: Arc<SandboxState>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => drop(connections.spawn(connection(stream, Arc::clone(&shared)))),
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            },
            // Finished connections are removed, or the set would grow without bound.
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
}

async fn connection(stream: TcpStream, shared: Arc<SandboxState>) {
    // Without it a small answer waits for the acknowledgement of the previous one.
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| answer(Arc::clone(&shared), request));
    let mut builder = http1::Builder::new();
    builder.header_read_timeout(None);
    // Fails where a client disconnects or a script drops the connection.
    let _ = builder.serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(
    shared: Arc<SandboxState>,
    request: hyper::Request<Incoming>,
) -> Result<Response<Full<Bytes>>, ConnectionDropped> {
    let (head, body) = request.into_parts();
    let bytes = Limited::new(body, MAX_BODY).collect().await.map_err(|_| ConnectionDropped)?.to_bytes();
    let media_type = head.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let parts = body::parts(media_type, &bytes).await;
    let (api, path) = split(head.uri.path());
    let query = head.uri.query().unwrap_or_default();
    let outcome = {
        let body = ReceivedBody { media_type, bytes: &bytes, parts };
        decide(&shared, api, path, head.method.as_str(), query, &head.headers, body)
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
    let reply = outcome.reply.ok_or(ConnectionDropped)?;
    let mut response = Response::new(Full::from(reply.body));
    *response.status_mut() = reply.status;
    *response.headers_mut() = reply.headers;
    Ok(response)
}

/// Splits `/jitbit/api/ticket` into the API's id and the path of its description.
fn split(path: &str) -> (&str, &str) {
    let path = path.strip_prefix('/').unwrap_or(path);
    path.find('/').map_or((path, "/"), |end| path.split_at(end))
}

/// Splits `/@server:ADDRESS/path`, by which a client states that it would send a request to another address than that of
/// the API; an empty address is the API's own.
fn at_server(path: &str) -> (Cow<'_, str>, &str) {
    let Some(rest) = path.strip_prefix("/@server:") else { return (Cow::default(), path) };
    let (server, path) = rest.find('/').map_or((rest, "/"), |end| rest.split_at(end));
    (text::decoded(server).unwrap_or(Cow::Borrowed(server)), path)
}

fn decide(
    shared: &SandboxState,
    api: &str,
    path: &str,
    method: &str,
    query: &str,
    headers: &HeaderMap,
    body: ReceivedBody<'_>,
) -> RequestOutcome {
    let Some(found) = shared.apis.iter().find(|known| known.id == api) else {
        let known: Vec<String> = shared.apis.iter().map(|api| format!("`/{}`", api.id)).collect();
        let problem = format!("`/{api}` is no API of this sandbox; known are {}", known.join(", "));
        return not_found(problem);
    };
    let table = match found.table() {
        Ok(table) => table,
        Err(error) => {
            let problems = vec![RequestProblem::new("table", error.to_string())];
            return RequestOutcome::refused(
                StatusCode::INTERNAL_SERVER_ERROR,
                "the table is not readable",
                None,
                problems,
            );
        }
    };
    let (server, path) = at_server(path);
    let Some(routes) = table.routes.get(&*server) else {
        return not_found(format!("`{server}` is no address of `{api}`"));
    };
    match routes.find(path, method) {
        RouteMatch::Unknown if server.is_empty() => not_found(format!("`{path}` is no path of `{api}`")),
        RouteMatch::Unknown => not_found(format!("`{path}` is no path of `{api}` at `{server}`")),
        RouteMatch::Methods(methods) => {
            let allowed = methods.join(", ");
            let problems =
                vec![RequestProblem::new("method", format!("`{method}` is not known here; known are {allowed}"))];
            let mut outcome = RequestOutcome::refused(
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
        RouteMatch::Operations(indices, texts) => {
            let request = ReceivedRequest { path: &texts, query, headers, body };
            let checked = indices.iter().filter_map(|index| table.operations.get(*index)).map(|operation| {
                let checked = check(operation, table.security(operation), &request);
                (operation, checked)
            });
            // Of several on one path the one that the request fits best.
            let best =
                checked.min_by_key(|(_, checked)| checked.problems.len() + usize::from(checked.unauthorised.is_some()));
            match best {
                Some((operation, checked)) => {
                    outcome(shared.script.as_ref(), operation, &table.paging, checked, headers)
                }
                None => not_found(format!("`{path}` has no operation")),
            }
        }
    }
}

/// Answers a request whose operation is known.
fn outcome(
    script: Option<&Script>,
    operation: &TableOperation,
    styles: &[PagingStyle],
    checked: CheckedRequest,
    headers: &HeaderMap,
) -> RequestOutcome {
    let name = operation.name.as_str();
    let CheckedRequest { values, mut problems, unreadable, unauthorised } = checked;
    let scripted = script.filter(|_| !unreadable).and_then(|script| script.answer(name, &values, headers));
    if let Some(scripted) = scripted {
        problems.extend(unauthorised);
        return RequestOutcome {
            reply: (!scripted.close).then(|| scripted.reply.clone()),
            operation: Some(name.to_owned()),
            problems,
            delay: scripted.delay,
        };
    }
    if let Some(problem) = unauthorised {
        problems.insert(0, problem);
        let message = "the credentials are not what the description asks for";
        return RequestOutcome::refused(StatusCode::UNAUTHORIZED, message, Some(name), problems);
    }
    if !problems.is_empty() {
        let message = "the request does not match the description";
        return RequestOutcome::refused(StatusCode::BAD_REQUEST, message, Some(name), problems);
    }
    let reply = paging::page(styles, operation, &values, operation.answer.reply().clone());
    RequestOutcome { reply: Some(reply), operation: Some(name.to_owned()), problems, delay: None }
}

fn not_found(problem: String) -> RequestOutcome {
    let problems = vec![RequestProblem::new("path", problem)];
    RequestOutcome::refused(StatusCode::NOT_FOUND, "the description knows no such path", None, problems)
}

fn refusal(status: StatusCode, message: &str, operation: Option<&str>, problems: &[RequestProblem]) -> SandboxReply {
    let operation = operation.map_or(Value::Null, Value::from);
    let body = json!({ "sandbox": message, "operation": operation, "problems": problems });
    let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
    SandboxReply { status, headers, body: body.to_string().into() }
}
