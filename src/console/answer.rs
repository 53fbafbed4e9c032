//! A page, or why there is none → an HTTP answer with what keeps it from being used by others.

use askama::Template;
use axum::http::StatusCode;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::response::{IntoResponse, Response};

use super::frame::Frame;
use crate::access::links::IssueError;
use crate::store::StoreError;

/// What a browser may do with a page: our stylesheet and script, forms to this console, nothing else, in no frame.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; \
                      base-uri 'none'; frame-ancestors 'none'";

/// Why there is no page: a status, and what a person reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) status: StatusCode,
    pub(super) text: String,
    /// The seconds after which to try again.
    pub(super) retry_after: Option<u64>,
}

impl Fault {
    pub(super) fn new(status: StatusCode, text: &str) -> Self {
        Self { status, text: text.to_owned(), retry_after: None }
    }

    pub(super) fn not_found(text: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, text)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Refused(text) => Self::new(StatusCode::CONFLICT, &text),
            StoreError::Unreachable(_) => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "The store can't be reached. Try again later.")
            }
        }
    }
}

impl From<IssueError> for Fault {
    fn from(error: IssueError) -> Self {
        match error {
            IssueError::Store(error) => error.into(),
            error => Self::new(StatusCode::UNPROCESSABLE_ENTITY, &error.to_string()),
        }
    }
}

/// The page of a fault.
#[derive(Template)]
#[template(path = "fault.html", config = "src/console/askama.toml")]
struct FaultPage<'a> {
    frame: Frame,
    text: &'a str,
}

impl Fault {
    /// The page of the fault, for who has this frame around it.
    pub(super) fn page(&self, frame: Frame) -> Response {
        let mut response = page(self.status, &FaultPage { frame, text: &self.text });
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(axum::http::header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }

    /// What the heading of its page says.
    pub(super) fn heading(&self) -> &'static str {
        match self.status {
            StatusCode::NOT_FOUND => "Not found",
            StatusCode::UNAUTHORIZED => "Not signed in",
            StatusCode::FORBIDDEN => "Not permitted",
            StatusCode::SERVICE_UNAVAILABLE => "Not available at present",
            _ => "This can't be done as it is",
        }
    }
}

/// Writes a page.
pub(super) fn page(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(text) => (status, [(CONTENT_TYPE, "text/html; charset=utf-8")], text).into_response(),
        Err(error) => {
            tracing::error!("a page can't be written: {error}");
            (StatusCode::INTERNAL_SERVER_ERROR, "the page can't be written; the server's log says why\n")
                .into_response()
        }
    }
}

/// Sends the browser to another page.
pub(super) fn see(path: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    if let Ok(path) = HeaderValue::from_str(path) {
        response.headers_mut().insert(LOCATION, path);
    }
    response
}

/// Adds what each answer has: nothing may frame it, keep it, guess its type or load from elsewhere for it.
pub(super) fn protect(response: &mut Response) {
    let headers = response.headers_mut();
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        // With `no-referrer` a browser would state the origin of forms as `null`.
        (REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}
