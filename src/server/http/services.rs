//! A request → the service that answers it: by session, by the version that opens one, or without any.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse as _, Response};
use rmcp::model::{ClientJsonRpcMessage, ClientRequest, JsonRpcMessage, ProtocolVersion};
use rmcp::transport::streamable_http_server::session::SessionStore;
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService};
use tokio_util::sync::CancellationToken;
use tower_service::Service as _;

use super::SESSION_HEADER;
use super::origins::Origins;
use super::sessions::{Manager, Sessions};
use crate::server::Server;
use crate::server::incoming::LARGEST;

type McpService = StreamableHttpService<Server, Manager>;

/// From this version on, a stream begins with an event without data, by which a client resumes it after a break. Older
/// clients take the event for a message and fail: one of them then offers no tools at all.
const PRIMED_FROM: ProtocolVersion = ProtocolVersion::V_2025_11_25;

/// The services behind `/mcp`.
#[derive(Clone)]
pub(super) struct Services {
    /// For clients that open a session with `initialize`: answers may stream.
    sessions: McpService,
    /// For such clients of versions before [`PRIMED_FROM`].
    older_sessions: McpService,
    /// Knows which sessions are of [`Self::older_sessions`]: not every client repeats its version with each request.
    known: Arc<Sessions>,
    /// For requests without a session: one JSON answer each.
    stateless: McpService,
}

impl Services {
    /// The services over one server; `end` ends the sessions, their streams and the calls in flight on them.
    pub(super) fn new(server: &Server, origins: &Origins, end: &CancellationToken) -> Self {
        let config = StreamableHttpServerConfig::default()
            .with_json_response(true)
            .with_max_request_body_bytes(LARGEST)
            // The host is checked before.
            .disable_allowed_hosts()
            // Against pages of other sites.
            .with_allowed_origins(origins.answered())
            .enforce_origin_validation();
        let known = Arc::<Sessions>::default();
        let service = |sessions: bool, is_older: bool| {
            let server = server.clone();
            let mut config =
                config.clone().with_legacy_session_mode(sessions).with_cancellation_token(end.child_token());
            if sessions {
                config.session_store = Some(Arc::clone(&known) as Arc<dyn SessionStore>);
            }
            if is_older {
                config = config.with_sse_retry(None);
            }
            let serve = move || Ok(server.for_client());
            StreamableHttpService::new(serve, Arc::new(Manager::new(&known, is_older)), config)
        };
        Self {
            sessions: service(true, false),
            older_sessions: service(true, true),
            stateless: service(false, false),
            known,
        }
    }

    /// The sessions.
    pub(super) fn known(&self) -> Arc<Sessions> {
        Arc::clone(&self.known)
    }

    /// Answers a request by the service of the session that it names, or the one that its message needs.
    pub(super) async fn answer(&mut self, request: Request, posted: Posted<'_>) -> Response {
        let session = request.headers().get(SESSION_HEADER).map(|id| id.to_str().unwrap_or_default());
        let has_room = match session {
            Some(id) => self.known.can_wake(id),
            None => !matches!(posted, Posted::Opens(_)) || self.known.make_room(),
        };
        if !has_room {
            let reason = "too many sessions are in use; try again later";
            return (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "1")], reason).into_response();
        }
        let service = match posted {
            // An unknown session is found by neither.
            _ if session.is_some_and(|id| self.known.is_older(id)) => &mut self.older_sessions,
            _ if session.is_some() => &mut self.sessions,
            Posted::Opens(version) if *version >= PRIMED_FROM => &mut self.sessions,
            Posted::Opens(_) => &mut self.older_sessions,
            Posted::Message => &mut self.stateless,
            // Other methods than POST are for sessions.
            Posted::Nothing => &mut self.sessions,
        };
        match service.call(request).await {
            Ok(response) => response.map(Body::new),
            Err(never) => match never {},
        }
    }
}

/// What comes with a request.
#[derive(Debug, Clone, Copy)]
pub(super) enum Posted<'a> {
    /// A message that opens a session, with this version.
    Opens(&'a ProtocolVersion),
    /// Another message.
    Message,
    /// None.
    Nothing,
}

impl<'a> Posted<'a> {
    pub(super) fn of(message: &'a ClientJsonRpcMessage) -> Self {
        match message {
            JsonRpcMessage::Request(request) => match &request.request {
                ClientRequest::InitializeRequest(initialize) => Self::Opens(&initialize.params.protocol_version),
                _ => Self::Message,
            },
            _ => Self::Message,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use axum::http::header::{ACCEPT, CONTENT_TYPE, HOST};
    use serde_json::{Value, json};

    use super::*;
    use crate::access::{Admitted, Principal};
    use crate::call::Toolbox;
    use crate::catalog::Catalog;
    use crate::policy::{Defaults, Selection, SelectionWords};

    async fn answered(services: &mut Services, message: &Value, admitted: Option<Admitted>) -> Value {
        let request = Request::post("/mcp")
            .header(ACCEPT, "application/json, text/event-stream")
            .header(CONTENT_TYPE, "application/json")
            .header(HOST, "localhost");
        let mut request = request.body(Body::from(message.to_string())).unwrap();
        if let Some(admitted) = admitted {
            request.extensions_mut().insert(admitted);
        }
        let response = services.answer(request, Posted::Message).await;
        let body = axum::body::to_bytes(response.into_body(), LARGEST).await.unwrap();
        serde_json::from_slice(&body).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&body)))
    }

    #[tokio::test]
    async fn what_the_gate_has_not_admitted_is_answered_by_nothing() {
        let catalog = Catalog::compiled();
        let selection = Selection::resolve(&SelectionWords::default(), Defaults::CoreReads, &catalog).unwrap();
        let server = Server::new(Toolbox::new(catalog, selection, &HashMap::new(), true));
        let mut services = Services::new(&server, &Origins::default(), &CancellationToken::new());
        let tool = server.toolbox().offered().next().unwrap().tool.name.clone();
        let grant = server.toolbox().own_grant();
        for (method, params) in [
            ("tools/list", json!({})),
            ("tools/call", json!({"name": tool, "arguments": {}})),
            ("prompts/list", json!({})),
            ("resources/list", json!({})),
            ("resources/read", json!({"uri": "toolwright://catalog"})),
        ] {
            let message = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
            let refused = answered(&mut services, &message, None).await;
            assert_eq!(refused["error"]["message"], "the request was not admitted", "{method}: {refused}");
            let admitted = Admitted {
                principal: Principal::local(),
                grant: Arc::clone(grant),
                brought: None,
                recheck: None,
                scopes: None,
            };
            let answer = answered(&mut services, &message, Some(admitted)).await;
            assert_ne!(answer["error"]["message"], "the request was not admitted", "{method}");
            assert!(method != "tools/list" || answer["result"]["tools"][0].is_object(), "{answer}");
        }
    }
}
