//! HTTP requests → MCP requests at `/mcp`; `/healthz` and `/metrics` for monitoring. Requests for another host
//! and requests from pages of another origin are refused.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_TYPE, HOST, ORIGIN};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use axum::serve::ListenerExt as _;
use http_body_util::BodyExt as _;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService};
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_service::Service as _;

use super::Server;
use crate::error::ConfigError;

/// The largest request, in bytes: a file of 10 MB in base64 and its envelope.
const LARGEST_REQUEST: usize = 16 * 1024 * 1024;
/// How long calls in flight may take after a request to stop.
const STOP_WITHIN: Duration = Duration::from_secs(10);
/// How long closing the remaining streams may take after that.
const END_WITHIN: Duration = Duration::from_secs(1);
/// The header that names a session.
const SESSION_HEADER: &str = "mcp-session-id";

/// A bound address that is not served yet.
#[derive(Debug)]
pub struct HttpServer {
    listener: TcpListener,
    address: SocketAddr,
}

/// The two services behind `/mcp`, by whether a request belongs to a session.
#[derive(Clone)]
struct McpServices {
    /// For clients that open a session with `initialize`: answers may stream.
    sessions: StreamableHttpService<Server, LocalSessionManager>,
    /// For requests without a session: one JSON answer each.
    stateless: StreamableHttpService<Server, LocalSessionManager>,
    /// The posted requests whose answers are not written completely.
    unanswered: TaskTracker,
    server: Server,
}

impl HttpServer {
    /// Listens on `address`, such as `127.0.0.1:8080`; port 0 is any free port.
    ///
    /// # Errors
    /// The address is malformed, is not on the loopback interface, or is in use.
    pub async fn bind(address: &str) -> Result<Self, ConfigError> {
        let parsed = address.parse::<SocketAddr>().ok();
        let parsed = parsed.or_else(|| format!("127.0.0.1:{address}").parse().ok().filter(|_| !address.contains(':')));
        let parsed = parsed.or_else(|| format!("127.0.0.1:{}", address.strip_prefix("localhost:")?).parse().ok());
        let Some(parsed) = parsed else {
            return Err(ConfigError::new(format!(
                "`--http {address}` is no address\nhint: for example `127.0.0.1:8080`"
            )));
        };
        if !parsed.ip().is_loopback() {
            return Err(ConfigError::new(format!(
                "`--http {address}` would be reachable from other machines, and there is no access control yet: \
                 anyone who reaches it could use your credentials\n\
                 hint: use `127.0.0.1:{}` and, where others need it, a proxy that checks who is calling",
                parsed.port()
            )));
        }
        let listen = async {
            let listener = TcpListener::bind(parsed).await?;
            let address = listener.local_addr()?;
            Ok::<_, std::io::Error>(Self { listener, address })
        };
        listen.await.map_err(|error| ConfigError::new(format!("can't listen on `{address}`: {error}")))
    }

    /// The address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop` is cancelled; then finishes the calls in flight, at most for some seconds.
    ///
    /// # Errors
    /// The system's error of the socket.
    pub async fn serve(self, server: Server, stop: CancellationToken) -> std::io::Result<()> {
        // Cancelled after `stop`: ends the sessions, their streams and the calls in flight on them.
        let end = CancellationToken::new();
        let service = |sessions: bool| {
            let server = server.clone();
            let config = StreamableHttpServerConfig::default()
                .with_legacy_session_mode(sessions)
                .with_json_response(true)
                .with_max_request_body_bytes(LARGEST_REQUEST)
                .with_cancellation_token(end.child_token())
                // Against pages of other sites: only origins of this machine are accepted.
                .with_allowed_origins(["http://localhost:*", "http://127.0.0.1:*", "http://[::1]:*"])
                .enforce_origin_validation();
            let serve = move || Ok(if sessions { server.for_session() } else { server.for_request() });
            StreamableHttpService::new(serve, LocalSessionManager::default().into(), config)
        };
        let unanswered = TaskTracker::new();
        let services = McpServices {
            sessions: service(true),
            stateless: service(false),
            unanswered: unanswered.clone(),
            server: server.clone(),
        };
        let router = Router::new()
            .route("/healthz", get(|| async { "ok\n" }))
            .route("/metrics", get(metrics))
            .route("/mcp", any(mcp))
            .with_state(services);
        // Without it an answer in two writes waits 40 ms for the client's acknowledgement.
        let listener = self.listener.tap_io(|stream| {
            let _ = stream.set_nodelay(true);
        });
        let stopped = stop.clone();
        let serving = axum::serve(listener, router).with_graceful_shutdown(async move { stopped.cancelled().await });
        let ending = async {
            stop.cancelled().await;
            unanswered.close();
            // Open streams without a call in flight would keep the server running without end.
            let _ = tokio::time::timeout(STOP_WITHIN, unanswered.wait()).await;
            end.cancel();
            tokio::time::sleep(END_WITHIN).await;
        };
        tokio::select! {
            done = serving.into_future() => done,
            () = ending => Ok(()),
        }
    }
}

/// The method of a JSON-RPC request; the rest is left to rmcp.
#[derive(Deserialize)]
struct RequestMethod<'a> {
    #[serde(borrow, default)]
    method: Option<std::borrow::Cow<'a, str>>,
}

/// Routes a request that names or opens a session to the sessions, any other to the stateless service.
async fn mcp(State(mut services): State<McpServices>, request: Request) -> Response {
    // Checked again where the call is made; here every other request of a wrong tenant is refused too.
    if let Err(reason) = services.server.chosen_in(request.uri()) {
        return (StatusCode::FORBIDDEN, format!("{reason}\n")).into_response();
    }
    if request.method() != Method::POST {
        let closes = request.method() == Method::DELETE;
        let mut response = forward(&mut services.sessions, request).await;
        // rmcp answers 202 to a closed session, which the Python SDK takes for a failure.
        if closes && response.status() == StatusCode::ACCEPTED {
            *response.status_mut() = StatusCode::NO_CONTENT;
        }
        return response;
    }
    let pending = services.unanswered.token();
    let response = post(&mut services, request).await;
    // The body is dropped when it is written completely, or when the client has disconnected.
    response.map(|body| {
        Body::new(body.map_err(move |error| {
            let _ = &pending;
            error
        }))
    })
}

/// The metrics of this process, for programs on this machine: a page whose host name was made to resolve to
/// this machine (DNS rebinding) sends that name and is refused.
async fn metrics(State(services): State<McpServices>, headers: HeaderMap) -> Response {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()?.parse::<Authority>().ok());
    let local = host.is_some_and(|host| {
        let name = host.host().trim_start_matches('[').trim_end_matches(']');
        name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    });
    if !local || headers.contains_key(ORIGIN) {
        return (StatusCode::FORBIDDEN, "the metrics are for programs on this machine\n").into_response();
    }
    ([(CONTENT_TYPE, crate::metrics::CONTENT_TYPE)], services.server.toolbox.metrics().text()).into_response()
}

async fn post(services: &mut McpServices, request: Request) -> Response {
    if request.headers().contains_key(SESSION_HEADER) {
        return forward(&mut services.sessions, request).await;
    }
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, LARGEST_REQUEST).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let opens = opens_session(&body);
    let request = Request::from_parts(parts, Body::from(body));
    let service = if opens { &mut services.sessions } else { &mut services.stateless };
    forward(service, request).await
}

fn opens_session(body: &Bytes) -> bool {
    serde_json::from_slice::<RequestMethod<'_>>(body)
        .is_ok_and(|request| request.method.as_deref() == Some("initialize"))
}

async fn forward(service: &mut StreamableHttpService<Server, LocalSessionManager>, request: Request) -> Response {
    match service.call(request).await {
        Ok(response) => response.map(Body::new),
        Err(never) => match never {},
    }
}
