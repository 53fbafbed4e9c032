//! HTTP requests → MCP requests at `/mcp`; `/healthz` and `/metrics` for monitoring. Requests for another host
//! and requests from pages of another origin are refused.

pub mod admin;
mod admission;
mod answer_form;
mod bodies;
mod connections;
mod hosts;
mod listening;
mod narrower_links;
mod oauth;
mod origins;
mod refusals;
mod services;
mod sessions;
mod tls;
mod unread_body;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::Server;
use super::incoming::{self, SHORT, Unreadable};
use super::plain_call;
use crate::access::oauth::{AuthorizationServer, ProtectedResource};
use crate::access::{Access, Admitted, Refusal, Standing};
use crate::error::ConfigError;
use crate::store::{Store, StoreHealth};
use admin::Admin;
use answer_form::AnswerForm;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CONNECTION, CONTENT_TYPE, ORIGIN, RETRY_AFTER};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use bodies::{Bodies, Read};
use connections::{Connection, Connections};
pub use hosts::Hosts;
use http_body_util::BodyExt as _;
use listening::Listening;
pub use listening::PageServer;
pub use narrower_links::NarrowerLinks;
pub use origins::Origins;
use refusals::{fault, refusal, refused_form, with_id};
use rmcp::model::{ClientJsonRpcMessage, ClientRequest, ErrorCode, JsonRpcMessage};
use services::{Posted, Services};
pub use tls::TlsIdentity;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long calls in flight may take after a request to stop.
const STOP_WITHIN: Duration = Duration::from_secs(10);
/// How long closing the remaining streams may take after that.
const END_WITHIN: Duration = Duration::from_secs(1);
/// Where MCP is served; below `/c/<token>` too, for the bearers of links.
const MCP_PATH: &str = "/mcp";
/// The headers of arguments, which rmcp compares with those of the message.
const ARGUMENT_HEADER: &str = "mcp-param-";
/// Headers by which a proxy shows that it passes a request on.
const PASSED_ON: [&str; 7] =
    ["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-forwarded-port", "x-real-ip"];
/// The header that names a session.
const SESSION_HEADER: &str = "mcp-session-id";

/// A bound address that is not served yet.
#[derive(Debug)]
pub struct HttpServer {
    listening: Listening,
    origins: Origins,
    hosts: Hosts,
    /// `None`: every program on this machine is served.
    access: Option<Access>,
    /// What has to answer for the server to be ready.
    store: Option<Store>,
    /// `None`: administrators are not served.
    admin: Option<Admin>,
    /// `None`: bearers of links can't narrow them.
    narrower_links: Option<NarrowerLinks>,
    /// `None`: access tokens are not taken.
    resource: Option<Arc<ProtectedResource>>,
    /// `None`: they are issued by another server.
    authorization: Option<Arc<AuthorizationServer>>,
    tls: Option<TlsIdentity>,
}

/// What every request at `/mcp` needs.
#[derive(Clone)]
struct Endpoint {
    services: Services,
    /// The posted requests whose answers are not written completely.
    unanswered: TaskTracker,
    origins: Origins,
    hosts: Hosts,
    access: Access,
    bodies: Bodies,
    store: Option<Store>,
    narrower_links: Option<NarrowerLinks>,
    server: Server,
}

impl HttpServer {
    /// Listens on `address`, such as `127.0.0.1:8080`; port 0 is any free port.
    ///
    /// # Errors
    /// The address is malformed, is not on the loopback interface, or is in use.
    pub async fn bind(address: &str) -> Result<Self, ConfigError> {
        Self::listen_on(address, false).await
    }

    /// Listens on `address`, which other machines may reach: serve with [`HttpServer::with_access`].
    ///
    /// # Errors
    /// The address is malformed, or is in use.
    pub async fn bind_for_known_callers(address: &str) -> Result<Self, ConfigError> {
        Self::listen_on(address, true).await
    }

    #[expect(clippy::unused_async, reason = "it needs a runtime, and callers await it")]
    async fn listen_on(address: &str, is_controlled: bool) -> Result<Self, ConfigError> {
        let hint = |parsed: SocketAddr| {
            format!(
                "would be reachable from other machines, where anyone could use your credentials\n\
                 hint: state with `--access` how callers show who they are, such as `--access vendor-token`; or use \
                 `127.0.0.1:{}`, for programs on this machine",
                parsed.port()
            )
        };
        let hint: Option<&dyn Fn(SocketAddr) -> String> = if is_controlled { None } else { Some(&hint) };
        let listening = Listening::open("--http", address, hint)?;
        Ok(Self {
            listening,
            origins: Origins::default(),
            hosts: Hosts::default(),
            access: None,
            store: None,
            admin: None,
            narrower_links: None,
            resource: None,
            authorization: None,
            tls: None,
        })
    }

    /// Lets pages of these origins call from a browser.
    #[must_use]
    pub fn with_origins(mut self, origins: Origins) -> Self {
        self.origins = origins;
        self
    }

    /// Serves requests for these hosts too.
    #[must_use]
    pub fn with_hosts(mut self, hosts: Hosts) -> Self {
        self.hosts = hosts;
        self
    }

    /// Serves callers that this gate admits, in place of every program on this machine.
    #[must_use]
    pub fn with_access(mut self, access: Access) -> Self {
        self.access = Some(access);
        self
    }

    /// Is ready only while a store answers.
    #[must_use]
    pub fn with_store(mut self, store: Store) -> Self {
        self.store = Some(store);
        self
    }

    /// Serves administrators under `/api/v1`.
    #[must_use]
    pub fn with_admin(mut self, admin: Admin) -> Self {
        self.admin = Some(admin);
        self
    }

    /// Lets bearers of links make narrower ones.
    #[must_use]
    pub fn with_narrower_links(mut self, links: NarrowerLinks) -> Self {
        self.narrower_links = Some(links);
        self
    }

    /// Tells clients who issues access tokens for this server.
    #[must_use]
    pub fn with_protected_resource(mut self, resource: Arc<ProtectedResource>) -> Self {
        self.resource = Some(resource);
        self
    }

    /// Issues access tokens itself.
    #[must_use]
    pub fn with_authorization_server(mut self, server: Arc<AuthorizationServer>) -> Self {
        self.authorization = Some(server);
        self
    }

    /// Serves HTTPS in place of HTTP.
    #[must_use]
    pub fn with_tls(mut self, identity: Option<TlsIdentity>) -> Self {
        self.tls = identity;
        self
    }

    /// Where MCP is served.
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}{MCP_PATH}", self.listening.address)
    }

    /// The address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.listening.address
    }

    /// Serves until `stop` is cancelled; then finishes the calls in flight, at most for some seconds.
    ///
    /// # Errors
    /// The system's error of the socket.
    pub async fn serve(self, server: Server, stop: CancellationToken) -> std::io::Result<()> {
        // Cancelled after `stop`: ends the sessions, their streams and the calls in flight on them.
        let end = CancellationToken::new();
        let unanswered = TaskTracker::new();
        let access = self.access.unwrap_or_else(|| Access::open(Arc::clone(server.toolbox.own_grant())));
        let endpoint = Endpoint {
            services: Services::new(&server, &self.origins, &end),
            unanswered: unanswered.clone(),
            origins: self.origins,
            hosts: self.hosts,
            access,
            bodies: Bodies::default(),
            store: self.store,
            narrower_links: self.narrower_links,
            server,
        };
        let sessions = endpoint.services.known();
        let metadata = self.resource.map(|resource| oauth::metadata(&resource, &endpoint.hosts));
        let origins = &endpoint.origins;
        let authorization = self.authorization.map(|server| oauth::authorization(server, &endpoint.hosts, origins));
        let administration = self.admin.map(|admin| admin.router(endpoint.hosts.clone()));
        let router = Router::new()
            .route("/healthz", get(|| async { "ok\n" }))
            .route("/readyz", get(ready))
            .route("/metrics", get(metrics))
            .route(MCP_PATH, any(mcp))
            .fallback(any(elsewhere))
            .with_state(endpoint);
        let router = match administration {
            Some(administration) => router.nest(admin::PREFIX, administration),
            None => router,
        };
        let router = router.merge(metadata.unwrap_or_default()).merge(authorization.unwrap_or_default());
        let serving = Connections::default().serve(self.listening.listener, self.tls, router, stop.clone());
        let ending = async {
            stop.cancelled().await;
            unanswered.close();
            // Open streams without a call in flight would keep the server running without end.
            let _ = tokio::time::timeout(STOP_WITHIN, unanswered.wait()).await;
            end.cancel();
            tokio::time::sleep(END_WITHIN).await;
        };
        tokio::select! {
            () = serving => {}
            () = ending => {}
            () = sessions.sweep(&end) => {}
        }
        end.cancel();
        Ok(())
    }
}

/// Answers a request at another address: that of a link is one of MCP, or of links that are narrower.
async fn elsewhere(state: State<Endpoint>, request: Request) -> Response {
    let path = request.uri().path();
    if admission::link_in(path).is_some() {
        return mcp(state, request).await;
    }
    match &state.narrower_links {
        Some(links) if narrower_links::link_in(path).is_some() => match state.hosts.foreign(request.headers()) {
            Some(host) => foreign(&host),
            None => links.answer(&state.access, request).await,
        },
        _ => not_found(),
    }
}

/// The answer to a request for a host that is not served.
fn foreign(host: &str) -> Response {
    let reason = format!(
        "the host `{host}` is not served\n\
         hint: programs on this machine connect to `localhost` or `127.0.0.1`; for others the operator of this \
         server names the host with `--host`\n"
    );
    (StatusCode::FORBIDDEN, reason).into_response()
}

/// Whether requests can be served: for what sends them to one of several servers.
async fn ready(State(endpoint): State<Endpoint>) -> Response {
    let is_up = endpoint.store.as_ref().is_none_or(|store| store.health() == StoreHealth::Up);
    if is_up && endpoint.access.is_ready() {
        return "ready\n".into_response();
    }
    (StatusCode::SERVICE_UNAVAILABLE, "the store can't be reached\n").into_response()
}

fn not_found() -> Response {
    (StatusCode::NOT_FOUND, "MCP is at /mcp\n").into_response()
}

/// Answers a request at `/mcp`, and lets the pages of named origins read the answer.
async fn mcp(State(mut endpoint): State<Endpoint>, request: Request) -> Response {
    let origin = endpoint.origins.named(request.headers());
    let mut response = if origin.is_some() && origins::is_preflight(request.method(), request.headers()) {
        origins::preflight(request.headers())
    } else {
        answer(&mut endpoint, request).await
    };
    endpoint.origins.share(origin, &mut response);
    response
}

async fn answer(endpoint: &mut Endpoint, mut request: Request) -> Response {
    let connection = request.extensions_mut().remove::<Arc<Connection>>();
    if connection.as_ref().is_some_and(|connection| connection.is_surplus()) {
        let reason = "too many connections are in use; try again later\n";
        return (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "1"), (CONNECTION, "close")], reason).into_response();
    }
    if let Some(host) = endpoint.hosts.foreign(request.headers()) {
        return foreign(&host);
    }
    // rmcp refuses it too, when it has read all of the request.
    if endpoint.origins.is_foreign(request.headers()) {
        let reason =
            "pages of this origin are not served\nhint: the operator of this server can name it with `--origin`\n";
        return (StatusCode::FORBIDDEN, reason).into_response();
    }
    let known = endpoint.services.known();
    let admitted = match admission::admit(&endpoint.access, &known, &mut request).await {
        Ok(admitted) => admitted,
        Err(refused) => return refused,
    };
    // Checked again where the call is made; here every other request of a wrong tenant is refused too.
    if let Err(reason) = endpoint.server.chosen_in(&admitted.grant, request.uri()) {
        return (StatusCode::FORBIDDEN, format!("{reason}\n")).into_response();
    }
    if request.method() != Method::POST {
        if request.method() == Method::GET {
            answer_form::accept_stream(request.headers_mut());
        }
        let closes = request.method() == Method::DELETE;
        let mut response = endpoint.services.answer(request, Posted::Nothing).await;
        // rmcp answers 202 to a closed session, which the Python SDK takes for a failure.
        if closes && response.status() == StatusCode::ACCEPTED {
            *response.status_mut() = StatusCode::NO_CONTENT;
        }
        return response;
    }
    let pending = endpoint.unanswered.token();
    let form = AnswerForm::of_post(request.headers_mut());
    let response = form.apply(post(endpoint, request, connection).await).await;
    // The body is dropped when it is written completely, or when the client has disconnected.
    response.map(|body| {
        Body::new(body.map_err(move |error| {
            let _ = &pending;
            error
        }))
    })
}

/// The metrics of this process, for programs on this machine.
async fn metrics(State(endpoint): State<Endpoint>, request: Request) -> Response {
    let headers = request.headers();
    let is_near =
        request.extensions().get::<Arc<Connection>>().is_some_and(|connection| connection.is_of_this_machine());
    // A proxy on this machine is near, too, and may name this machine: what it passes on comes from elsewhere.
    let is_passed_on = PASSED_ON.iter().any(|name| headers.contains_key(*name));
    if !is_near || is_passed_on || !Hosts::is_own(headers) || headers.contains_key(ORIGIN) {
        return (StatusCode::FORBIDDEN, "the metrics are for programs on this machine\n").into_response();
    }
    ([(CONTENT_TYPE, crate::metrics::CONTENT_TYPE)], endpoint.server.toolbox.metrics().text()).into_response()
}

/// Answers a posted message. What is known to be refused is refused before its body is read.
async fn post(endpoint: &mut Endpoint, request: Request, connection: Option<Arc<Connection>>) -> Response {
    let (parts, body) = request.into_parts();
    if let Some((status, reason)) = refused_form(&parts.headers) {
        return fault(status, ErrorCode::INVALID_REQUEST, reason);
    }
    let read = match endpoint.bodies.read(&parts, body, connection.as_deref()).await {
        Ok(read) => read,
        Err((status, reason)) => return fault(status, ErrorCode::INVALID_REQUEST, &reason),
    };
    // Its head may have come minutes before its body.
    if let Some(Standing::Over(refusal)) = parts.extensions.get::<Admitted>().map(Admitted::standing) {
        return admission::refused(refusal);
    }
    if let Some(connection) = connection {
        connection.answers();
    }
    // Which tool is called decides where scopes are short.
    let has_scopes = parts.extensions.get::<Admitted>().is_some_and(|admitted| admitted.scopes.is_some());
    if read.bytes.len() <= SHORT
        && !has_scopes
        && let Some(id) = plain_call::id_of(&read.bytes)
    {
        let request = Request::from_parts(parts, Body::from(read.bytes.clone()));
        let response = endpoint.services.answer(request, Posted::Message).await;
        // rmcp could not read it: something in its arguments is no JSON.
        let is_unreadable = response.status() == StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return match is_unreadable.then(|| incoming::read(&read.bytes)) {
            Some(Err(unreadable)) => refusal(unreadable),
            _ => with_id(&id, response).await,
        };
    }
    read_and_answer(endpoint, parts, read).await
}

async fn read_and_answer(endpoint: &mut Endpoint, mut parts: Parts, read: Read) -> Response {
    let body = read.bytes.clone();
    let message = if body.len() > SHORT {
        tokio::task::spawn_blocking(move || incoming::read(&body)).await.unwrap_or_else(|_| Err(Unreadable::unread()))
    } else {
        incoming::read(&body)
    };
    let mut message = match message {
        Ok(message) => message,
        Err(unreadable) => return refusal(unreadable),
    };
    if let Some(lacking) = lacking_scopes(&parts, &message.message) {
        return admission::refused(lacking);
    }
    let is_compared = parts.headers.keys().any(|name| name.as_str().starts_with(ARGUMENT_HEADER));
    if read.bytes.len() > SHORT
        && !is_compared
        && let Some(arguments) = message.take_arguments()
    {
        parts.extensions.insert(arguments);
    }
    let body = message.rewritten.take().map_or_else(|| Body::from(read.bytes), Body::from);
    let response = endpoint.services.answer(Request::from_parts(parts, body), Posted::of(&message.message)).await;
    match &message.message {
        JsonRpcMessage::Request(request) => with_id(&request.id, response).await,
        _ => response,
    }
}

/// The refusal of a call that the caller's token has too few scopes for, so that its client can ask for more.
fn lacking_scopes(parts: &Parts, message: &ClientJsonRpcMessage) -> Option<Refusal> {
    let JsonRpcMessage::Request(request) = message else { return None };
    let ClientRequest::CallToolRequest(call) = &request.request else { return None };
    parts.extensions.get::<Admitted>()?.lacks_scopes(&call.params.name)
}
