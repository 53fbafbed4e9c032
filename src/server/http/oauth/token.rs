//! Requests at `/token`, `/register` and `/revoke` → tokens, ids of clients, and the end of both. Clients send them, not browsers:
//! no cookie counts here.

use std::time::Duration;

use axum::extract::Request;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use super::super::origins;
use super::{Authorization, body};
use crate::access::oauth::TokenError;

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

/// Answers a request of a client; the pages of named origins may read the answer.
pub(super) async fn answer(authorization: &Authorization, request: Request) -> Response {
    let origin = authorization.origins.named(request.headers());
    let mut response = if origin.is_some() && origins::is_preflight(request.method(), request.headers()) {
        origins::preflight(request.headers())
    } else {
        answer_client(authorization, request).await
    };
    authorization.origins.share(origin, &mut response);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn answer_client(authorization: &Authorization, request: Request) -> Response {
    if request.method() != Method::POST {
        return (StatusCode::METHOD_NOT_ALLOWED, "this takes POST\n").into_response();
    }
    let path = request.uri().path().to_owned();
    let expected = if path == "/register" { JSON } else { FORM };
    let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case(expected) {
        let description = format!("`Content-Type` must be `{expected}`");
        return error(StatusCode::BAD_REQUEST, "invalid_request", &description);
    }
    let body = match body(request).await {
        Ok(body) => body,
        Err(refused) => return refused,
    };
    let text = String::from_utf8_lossy(&body);
    match path.as_str() {
        "/register" => register(authorization, &body),
        "/revoke" => match authorization.server.revoke(&text).await {
            Ok(()) => StatusCode::OK.into_response(),
            Err(refused) => refusal(authorization, &refused),
        },
        _ => match authorization.server.token(&text).await {
            Ok(issued) => answered(StatusCode::OK, &issued),
            Err(refused) => refusal(authorization, &refused),
        },
    }
}

fn register(authorization: &Authorization, body: &[u8]) -> Response {
    let Ok(metadata) = serde_json::from_slice::<Value>(body) else {
        return error(StatusCode::BAD_REQUEST, "invalid_client_metadata", "the body is no JSON");
    };
    match authorization.server.register(&metadata) {
        Ok(registered) => answered(StatusCode::CREATED, &registered),
        Err((code, description)) => error(StatusCode::BAD_REQUEST, code, &description),
    }
}

fn refusal(authorization: &Authorization, refused: &TokenError) -> Response {
    match refused {
        TokenError::Refused(code, description) => match authorization.pace.may_guess() {
            Ok(()) => error(StatusCode::BAD_REQUEST, code, description),
            Err(wait) => later(StatusCode::TOO_MANY_REQUESTS, wait),
        },
        TokenError::Unavailable => later(StatusCode::SERVICE_UNAVAILABLE, Duration::from_secs(1)),
    }
}

fn later(status: StatusCode, wait: Duration) -> Response {
    let mut response = error(status, "temporarily_unavailable", "try again later");
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
    response
}

fn error(status: StatusCode, code: &str, description: &str) -> Response {
    answered(status, &json!({"error": code, "error_description": description}))
}

fn answered(status: StatusCode, body: &Value) -> Response {
    (status, [(CONTENT_TYPE, JSON)], body.to_string()).into_response()
}
