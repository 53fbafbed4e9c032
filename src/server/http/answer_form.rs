//! `Accept` of a request → the form of its answer, JSON or a stream of events. The protocol wants both accepted, and
//! rmcp refuses a client that does not; programs that take what comes (`*/*`, no header) or JSON alone are served too.

use axum::body::{Body, Bytes};
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use serde::de::IgnoredAny;

const JSON: &str = "application/json";
const EVENTS: &str = "text/event-stream";
/// What rmcp wants to find.
const BOTH: HeaderValue = HeaderValue::from_static("application/json, text/event-stream");

/// The form in which a client reads an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AnswerForm {
    /// Either, or none: rmcp decides.
    Any,
    Json,
    Events,
}

/// What a client's `Accept` names.
#[derive(Debug, Default)]
struct Accepted {
    json: bool,
    events: bool,
    /// Everything is accepted, by `*/*` or by no header at all.
    anything: bool,
}

impl Accepted {
    fn of(headers: &HeaderMap) -> Self {
        let mut accepted = Self { anything: !headers.contains_key(ACCEPT), ..Self::default() };
        let values = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
        for range in values.flat_map(|value| value.split(',')) {
            let mut parts = range.split(';').map(|part| part.trim().to_ascii_lowercase());
            let name = parts.next().unwrap_or_default();
            let weight = parts.find_map(|part| part.strip_prefix("q=")?.trim().parse::<f32>().ok());
            if weight == Some(0.0) {
                continue;
            }
            match name.as_str() {
                JSON | "application/*" => accepted.json = true,
                EVENTS | "text/*" => accepted.events = true,
                "*/*" => accepted.anything = true,
                _ => {}
            }
        }
        accepted
    }
}

impl AnswerForm {
    /// Reads how the answer to a posted message is to be written, and states in `headers` what rmcp wants to find.
    pub(super) fn of_post(headers: &mut HeaderMap) -> Self {
        let form = match Accepted::of(headers) {
            Accepted { json: true, events: true, .. } | Accepted { events: true, anything: true, .. } => Self::Any,
            // Who does not name a stream may not be able to read one.
            Accepted { json: true, .. } | Accepted { anything: true, .. } => Self::Json,
            Accepted { events: true, .. } => Self::Events,
            // rmcp refuses it.
            Accepted { json: false, events: false, anything: false } => return Self::Any,
        };
        headers.insert(ACCEPT, BOTH);
        form
    }

    /// Brings an answer into this form.
    pub(super) async fn apply(self, response: Response) -> Response {
        let content_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let is = |form: &str| content_type.is_some_and(|found| found.starts_with(form));
        match self {
            Self::Json if is(EVENTS) => last_event(response).await,
            Self::Events if is(JSON) && response.status() == StatusCode::OK => as_event(response).await,
            _ => response,
        }
    }
}

/// Returns whether an answer to a posted message is accepted, in headers that [`AnswerForm::of_post`] has read.
pub(super) fn is_accepted(headers: &HeaderMap) -> bool {
    headers.get(ACCEPT) == Some(&BOTH)
}

/// States in the headers of a request for the stream of a session that a stream is accepted, where anything is.
pub(super) fn accept_stream(headers: &mut HeaderMap) {
    let accepted = Accepted::of(headers);
    if accepted.anything || accepted.events {
        headers.insert(ACCEPT, BOTH);
    }
}

/// The members of a message by which an answer is known from a notification.
#[derive(Deserialize)]
struct AnswerMembers {
    result: Option<IgnoredAny>,
    error: Option<IgnoredAny>,
}

/// A stream of events → the answer in it, as JSON. Progress and log messages before it are dropped.
async fn last_event(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let Ok(events) = axum::body::to_bytes(body, usize::MAX).await else {
        return StatusCode::BAD_GATEWAY.into_response();
    };
    let answer = events.split(|byte| *byte == b'\n').rev().find_map(|line| {
        let data = line.strip_prefix(b"data:")?.trim_ascii();
        let members: AnswerMembers = serde_json::from_slice(data).ok()?;
        (members.result.is_some() || members.error.is_some()).then(|| Bytes::copy_from_slice(data))
    });
    // Without one, the server was stopped meanwhile.
    let Some(answer) = answer else { return StatusCode::SERVICE_UNAVAILABLE.into_response() };
    parts.headers.insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
    Response::from_parts(parts, Body::from(answer))
}

/// A JSON answer → a stream with it as the only event.
async fn as_event(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let Ok(answer) = axum::body::to_bytes(body, usize::MAX).await else {
        return StatusCode::BAD_GATEWAY.into_response();
    };
    let event = [b"data: ".as_slice(), &answer, b"\n\n"].concat();
    parts.headers.insert(CONTENT_TYPE, HeaderValue::from_static(EVENTS));
    parts.headers.remove(axum::http::header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(event))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_follows_from_what_is_accepted() {
        for (accept, expected, stated) in [
            (Some("application/json, text/event-stream"), AnswerForm::Any, true),
            (Some("text/event-stream, */*;q=0.1"), AnswerForm::Any, true),
            (None, AnswerForm::Json, true),
            (Some("*/*"), AnswerForm::Json, true),
            (Some("application/json"), AnswerForm::Json, true),
            (Some("Application/JSON;charset=utf-8, text/plain, */*"), AnswerForm::Json, true),
            (Some("application/json, text/event-stream;q=0"), AnswerForm::Json, true),
            (Some("text/event-stream"), AnswerForm::Events, true),
            (Some("text/html"), AnswerForm::Any, false),
            (Some("application/json;q=0.0"), AnswerForm::Any, false),
            (Some(""), AnswerForm::Any, false),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(accept) = accept {
                headers.insert(ACCEPT, HeaderValue::from_static(accept));
            }
            assert_eq!(AnswerForm::of_post(&mut headers), expected, "{accept:?}");
            assert_eq!(headers.get(ACCEPT) == Some(&BOTH), stated, "{accept:?}");
        }
    }
}
