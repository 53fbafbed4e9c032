//! Why a request of an administrator was refused → an answer as RFC 9457 has it.

use std::time::Duration;

use axum::http::header::{CONTENT_TYPE as CONTENT_TYPE_HEADER, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::access::links::IssueError;
use crate::error::seconds;
use crate::store::StoreError;

/// The content type of problems.
pub(super) const CONTENT_TYPE: &str = "application/problem+json";

/// Why a request was refused, as RFC 9457 has it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Problem {
    /// What kind of problem it is.
    #[serde(rename = "type")]
    #[schema(example = "urn:toolwright:problem:wider")]
    kind: String,
    /// The kind in words.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What is wrong here, and what to do.
    detail: String,
    #[serde(skip)]
    retry_after: Option<u64>,
}

impl Problem {
    fn new(status: StatusCode, kind: &str, title: &'static str, detail: &str) -> Self {
        let kind = format!("urn:toolwright:problem:{kind}");
        Self { kind, title, status: status.as_u16(), detail: detail.to_owned(), retry_after: None }
    }

    pub(super) fn unauthorized() -> Self {
        let detail = "send an administrator's token as `Authorization: Bearer …`; `toolwright admin token create NAME` makes one";
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "The token is missing or not valid", detail)
    }

    pub(in crate::server::http) fn forbidden(detail: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", "The request is not served", detail)
    }

    pub(in crate::server::http) fn not_found(detail: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", "It is not there", detail)
    }

    /// The same where what the address names is not there.
    pub(super) fn into_not_found(self) -> Self {
        Self::not_found(&self.detail)
    }

    pub(in crate::server::http) fn method(detail: &str) -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method", "The method is not served", detail)
    }

    pub(in crate::server::http) fn invalid(detail: &str) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", "The request can't be done as it is", detail)
    }

    pub(super) fn too_large() -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "The body is too large", "a body has at most 64 KB")
    }

    pub(super) fn media_type() -> Self {
        let detail = "send the body as `Content-Type: application/json`";
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media-type", "The body is no JSON", detail)
    }

    pub(in crate::server::http) fn too_many(wait: Duration) -> Self {
        let detail = format!("ask again in {} s", seconds(wait));
        let problem = Self::new(StatusCode::TOO_MANY_REQUESTS, "too-many", "Too many requests", &detail);
        Self { retry_after: Some(seconds(wait)), ..problem }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Refused(reason) => {
                Self::new(StatusCode::CONFLICT, "conflict", "It contradicts what is there", &reason)
            }
            error @ StoreError::Unreachable(_) => {
                tracing::warn!("{error}");
                // What the database says is for the operator's log.
                let detail = "the store can't be reached; nothing was changed, or it is not known whether it was";
                let problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, "store", "The store can't be reached", detail);
                Self { retry_after: Some(1), ..problem }
            }
        }
    }
}

impl From<IssueError> for Problem {
    fn from(error: IssueError) -> Self {
        match error {
            IssueError::Invalid(reason) => Self::invalid(&reason),
            IssueError::Wider(reason) => {
                let title = "It is wider than what there is to give";
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "wider", title, &reason)
            }
            error @ IssueError::NoParent(_) => Self::not_found(&error.to_string()),
            IssueError::Store(error) => error.into(),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        // Text and numbers can't fail.
        let body = serde_json::to_string(&self).unwrap_or_default();
        let mut response = (status, [(CONTENT_TYPE_HEADER, CONTENT_TYPE)], body).into_response();
        if status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Bearer realm=\"toolwright administration\"");
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
