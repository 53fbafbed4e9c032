//! The server over Streamable HTTP: `/mcp` for the protocol, `/healthz` and `/metrics` for whoever
//! watches the process. Only requests that name this host, and come from no page of another, get through.

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

/// The largest request: a file of 10 MB in base64, and some.
const LARGEST_REQUEST: usize = 16 * 1024 * 1024;
/// How long calls in flight may take after the server was told to stop.
const STOP_WITHIN: Duration = Duration::from_secs(10);
/// How long closing what is left may take after that.
const END_WITHIN: Duration = Duration::from_secs(1);
/// The header that names a session.
const SESSION_HEADER: &str = "mcp-session-id";

/// A server that listens and does not serve yet.
#[derive(Debug)]
pub struct HttpServer {
    listener: TcpListener,
    address: SocketAddr,
}

/// The two ways in which `/mcp` is served.
#[derive(Clone)]
struct Services {
    /// For clients that open a session with `initialize`: answers may stream.
    sessions: StreamableHttpService<Server, LocalSessionManager>,
    /// For requests that stand alone: one JSON answer each.
    stateless: StreamableHttpService<Server, LocalSessionManager>,
    /// What was posted and is not answered to the end.
    unanswered: TaskTracker,
    server: Server,
}

impl HttpServer {
    /// Listens on `address`, such as `127.0.0.1:8080`; port 0 takes any that is free.
    ///
    /// # Errors
    /// The address is none, is not on the loopback, or is taken.
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
                 whoever reaches it could use your credentials\n\
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

    /// Serves until `stop` is cancelled; then finishes what is in flight, within a bound.
    ///
    /// # Errors
    /// What the system says of the socket.
    pub async fn serve(self, server: Server, stop: CancellationToken) -> std::io::Result<()> {
        // Ends sessions and their streams, with whatever is in flight on them: only after `stop`.
        let end = CancellationToken::new();
        let service = |sessions: bool| {
            let server = server.clone();
            let config = StreamableHttpServerConfig::default()
                .with_legacy_session_mode(sessions)
                .with_json_response(true)
                .with_max_request_body_bytes(LARGEST_REQUEST)
                .with_cancellation_token(end.child_token())
                // No page has business here: any Origin that is not this machine's is refused.
                .with_allowed_origins(["http://localhost:*", "http://127.0.0.1:*", "http://[::1]:*"])
                .enforce_origin_validation();
            StreamableHttpService::new(move || Ok(server.for_session()), LocalSessionManager::default().into(), config)
        };
        let unanswered = TaskTracker::new();
        let services = Services {
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
            // Streams on which nobody waits for an answer would keep the server for ever.
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

/// The part of a request that says whether it opens a session.
#[derive(Deserialize)]
struct Opening<'a> {
    #[serde(borrow, default)]
    method: Option<std::borrow::Cow<'a, str>>,
}

/// A request that names or opens a session goes to the sessions; any other stands alone.
async fn mcp(State(mut services): State<Services>, request: Request) -> Response {
    // Asked again where the call is made; here so that nobody else even gets an answer.
    if let Err(reason) = services.server.chosen_in(request.uri()) {
        return (StatusCode::FORBIDDEN, format!("{reason}\n")).into_response();
    }
    if request.method() != Method::POST {
        let ends = request.method() == Method::DELETE;
        let mut response = forward(&mut services.sessions, request).await;
        // rmcp says 202, which the Python SDK takes for a failure; the session is gone by now.
        if ends && response.status() == StatusCode::ACCEPTED {
            *response.status_mut() = StatusCode::NO_CONTENT;
        }
        return response;
    }
    let pending = services.unanswered.token();
    let response = post(&mut services, request).await;
    // The body goes away when all of it is written, or the client is gone.
    response.map(|body| {
        Body::new(body.map_err(move |error| {
            let _ = &pending;
            error
        }))
    })
}

/// The numbers of this process. Which tools are called is nobody else's business: a page that
/// had its name point to this machine would come with that name.
async fn metrics(State(services): State<Services>, headers: HeaderMap) -> Response {
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

async fn post(services: &mut Services, request: Request) -> Response {
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
    serde_json::from_slice::<Opening<'_>>(body).is_ok_and(|opening| opening.method.as_deref() == Some("initialize"))
}

async fn forward(service: &mut StreamableHttpService<Server, LocalSessionManager>, request: Request) -> Response {
    match service.call(request).await {
        Ok(response) => response.map(Body::new),
        Err(never) => match never {},
    }
}
