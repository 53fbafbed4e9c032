//! A message that is not served → the answer that says why, as HTTP and MCP have it.

use axum::body::Body;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use rmcp::model::{ErrorCode, RequestId};

use super::answer_form;
use crate::server::incoming::{self, LARGEST, Unreadable};

/// Why a message is refused by its headers alone.
pub(super) fn refused_form(headers: &HeaderMap) -> Option<(StatusCode, &'static str)> {
    if !answer_form::is_accepted(headers) {
        let reason = "`Accept` must allow `application/json` and `text/event-stream`";
        return Some((StatusCode::NOT_ACCEPTABLE, reason));
    }
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    let is_json = essence.eq_ignore_ascii_case("application/json");
    (!is_json).then_some((StatusCode::UNSUPPORTED_MEDIA_TYPE, "`Content-Type` must be `application/json`"))
}

/// The error of a request whose id is not known.
pub(super) fn fault(status: StatusCode, code: ErrorCode, reason: &str) -> Response {
    let error = incoming::error(code, &serde_json::Value::Null, reason);
    (status, [(CONTENT_TYPE, "application/json")], error.to_string()).into_response()
}

/// Writes a refusal of the transport, such as that a session is not known, as the error of the request that it refuses.
pub(super) async fn with_id(id: &RequestId, response: Response) -> Response {
    let is_message = response.headers().contains_key(CONTENT_TYPE);
    if is_message || !response.status().is_client_error() {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let reason = axum::body::to_bytes(body, LARGEST).await.unwrap_or_default();
    let id = id.clone().into_json_value();
    let error = incoming::error(ErrorCode::INVALID_REQUEST, &id, String::from_utf8_lossy(&reason).trim());
    parts.headers.remove(CONTENT_LENGTH);
    parts.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Response::from_parts(parts, Body::from(error.to_string()))
}

/// The answer to what can't be read as a message.
pub(super) fn refusal(unreadable: Unreadable) -> Response {
    // A request that was understood up to its parameters is answered as any other; clients take 400 for a fault of the
    // connection.
    let status = if unreadable.code == ErrorCode::INVALID_PARAMS { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    match unreadable.answer {
        Some(answer) => (status, [(CONTENT_TYPE, "application/json")], answer.to_string()).into_response(),
        None => fault(status, unreadable.code, "the body is no MCP message"),
    }
}
