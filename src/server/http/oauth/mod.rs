//! Requests of OAuth clients → the metadata that leads them to an authorization server, and where that is this server itself,
//! pages for people and tokens for clients.

mod authorize;
mod login;
mod pages;
mod token;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL,
    CONTENT_TYPE,
};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;

use super::admin::pace::Pace;
use super::foreign;
use super::hosts::Hosts;
use super::origins::Origins;
use crate::access::oauth::{AuthorizationServer, LOGIN_CALLBACK, ProtectedResource};

/// For how long metadata may be kept.
const KEPT: HeaderValue = HeaderValue::from_static("public, max-age=300");

/// Where the metadata of an authorization server is.
const SERVER_METADATA: &str = "/.well-known/oauth-authorization-server";
/// The longest body, in bytes, and how long it may take.
const LONGEST: usize = 16 * 1024;
const WITHIN: Duration = Duration::from_secs(10);

/// A server's own authorization server; cheap to clone.
#[derive(Clone)]
struct Authorization {
    server: Arc<AuthorizationServer>,
    pace: Arc<Pace>,
    hosts: Hosts,
    origins: Origins,
}

impl Authorization {
    /// Scheme, host and port of its pages.
    fn origin(&self) -> &str {
        self.server.resource().origin()
    }

    fn is_encrypted(&self) -> bool {
        self.origin().starts_with("https:")
    }
}

/// Serves an authorization server.
pub(super) fn authorization(server: Arc<AuthorizationServer>, hosts: &Hosts, origins: &Origins) -> Router {
    let published = Published { text: server.metadata().to_string().into(), hosts: hosts.clone() };
    let authorization = Authorization { server, pace: Arc::default(), hosts: hosts.clone(), origins: origins.clone() };
    let of_login = authorization.server.login().map(|_| [login::LOGIN, LOGIN_CALLBACK]);
    let endpoints = ["/authorize", authorize::DECISION, "/token", "/register", "/revoke"].into_iter();
    let router = endpoints
        .chain(of_login.into_iter().flatten())
        .fold(Router::new(), |router, path| router.route(path, any(answer)));
    router.with_state(authorization).route(SERVER_METADATA, any(publish).with_state(published))
}

async fn answer(State(authorization): State<Authorization>, request: Request) -> Response {
    if let Some(host) = authorization.hosts.foreign(request.headers()) {
        return foreign(&host);
    }
    if request.uri().path().starts_with("/authorize") {
        Box::pin(authorize::answer(&authorization, request)).await
    } else {
        token::answer(&authorization, request).await
    }
}

/// Reads the body of a request, within size and time.
async fn body(request: Request) -> Result<Bytes, Response> {
    let read = tokio::time::timeout(WITHIN, axum::body::to_bytes(request.into_body(), LONGEST)).await;
    match read {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(_)) => Err((StatusCode::PAYLOAD_TOO_LARGE, "the body is too long, or breaks off\n").into_response()),
        Err(_) => Err((StatusCode::REQUEST_TIMEOUT, "the body took too long\n").into_response()),
    }
}

/// A document that anybody may read.
#[derive(Clone)]
struct Published {
    text: Arc<str>,
    hosts: Hosts,
}

/// Serves the metadata of a resource.
pub(super) fn metadata(resource: &ProtectedResource, hosts: &Hosts) -> Router {
    ProtectedResource::metadata_paths().iter().fold(Router::new(), |router, path| {
        let published = Published { text: resource.metadata().to_string().into(), hosts: hosts.clone() };
        router.route(path, any(publish).with_state(published))
    })
}

/// Answers a request for a document. Pages of every origin may read it: it holds no secret, and a client in a browser reads it
/// before it knows anything else.
async fn publish(State(published): State<Published>, request: Request) -> Response {
    if let Some(host) = published.hosts.foreign(request.headers()) {
        return foreign(&host);
    }
    let mut response = match *request.method() {
        Method::GET | Method::HEAD => {
            let headers = [(CONTENT_TYPE, HeaderValue::from_static("application/json")), (CACHE_CONTROL, KEPT)];
            (headers, published.text.to_string()).into_response()
        }
        Method::OPTIONS => StatusCode::NO_CONTENT.into_response(),
        _ => (StatusCode::METHOD_NOT_ALLOWED, "this is read with GET\n").into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET"));
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("*"));
    response
}
