//! What came back from a vendor → an [`Answer`], or the [`CallError`] of the stage that failed.

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt as _};
use reqwest::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderMap, LOCATION};
use reqwest::{Response, StatusCode};
use serde_json::json;
use toolwright_model::answer_limits::{BYTES, REFUSAL_BYTES, REFUSAL_CHARACTERS};
use toolwright_model::{media_type, truncate};
use url::{Position, Url};

use super::content_disposition::{filename_of, header_text};
use super::headers::Headers;
use super::limit_headers;
use crate::error::{Advice, CallError, Rejection, WEB_PAGE};

/// The longest request id, in characters: it goes into the audit log.
const LONGEST_REQUEST_ID: usize = 100;
/// The headers in which vendors send their id of a request.
const REQUEST_ID: [&str; 6] =
    ["x-request-id", "x-arequestid", "atl-traceid", "request-id", "x-correlation-id", "x-amzn-requestid"];

/// A vendor's answer with a 2xx status, as it came.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The `Content-Type`, if there is one.
    pub content_type: Option<String>,
    /// The file name from `Content-Disposition`.
    pub filename: Option<String>,
    /// The vendor's own id of the request.
    pub request_id: Option<String>,
    /// All headers but cookies.
    pub headers: Headers,
    /// The body.
    pub body: Bytes,
}

/// Reads an answer with a 2xx status.
///
/// # Errors
/// The body breaks off or exceeds [`BYTES`].
pub(crate) async fn read_answer(
    status: u16,
    headers: &HeaderMap,
    body: impl Stream<Item = reqwest::Result<Bytes>> + Unpin,
) -> Result<Answer, CallError> {
    let (body, complete) = collect(body, BYTES).await.map_err(|error| {
        let reason = format!("the vendor answered {status}, and the answer broke off: {}", cause(&error));
        CallError::Unknown(reason.into())
    })?;
    if !complete {
        let most = BYTES / 1024 / 1024;
        let reason = format!("the vendor answered {status} with more than {most} MB; ask for less");
        return Err(CallError::Unknown(reason.into()));
    }
    Ok(Answer {
        status,
        content_type: content_type(headers).map(str::to_owned),
        filename: headers.get(CONTENT_DISPOSITION).and_then(|value| filename_of(&header_text(value.as_bytes()))),
        request_id: request_id(headers),
        headers: Headers::of(headers),
        body,
    })
}

/// Reads a redirect that is the operation's success: its target becomes the answer and is not
/// followed.
pub(crate) fn read_redirect(response: &Response) -> Answer {
    let status = response.status().as_u16();
    let body = json!({"status": status, "location": redirect_location(response).map(String::from)}).to_string();
    let content_type = Some("application/json".to_owned());
    let request_id = request_id(response.headers());
    Answer { status, content_type, request_id, body: Bytes::from(body), ..Answer::default() }
}

/// Reads an answer with any other status.
pub(crate) async fn read_rejection(response: Response) -> CallError {
    let status = response.status();
    let is_html = content_type(response.headers()).is_some_and(media_type::is_html);
    let advice = if status.is_redirection() {
        vec![redirect_advice(redirect_location(&response).as_ref())]
    } else {
        advice(status)
    };
    let rate_limit = limit_headers::read(response.headers());
    let request_id = request_id(response.headers());
    // Without its body, the status is still an answer.
    let (bytes, _) = collect(response.bytes_stream(), REFUSAL_BYTES).await.unwrap_or_default();
    let body = if is_html {
        WEB_PAGE.to_owned()
    } else {
        truncate(String::from_utf8_lossy(&bytes).trim(), REFUSAL_CHARACTERS).into_owned()
    };
    CallError::Rejected(Box::new(Rejection { status: status.as_u16(), body, advice, rate_limit, request_id }))
}

/// Returns the absolute target of a redirect.
pub(super) fn redirect_location(response: &Response) -> Option<Url> {
    response.url().join(response.headers().get(LOCATION)?.to_str().ok()?).ok()
}

fn content_type(headers: &HeaderMap) -> Option<&str> {
    headers.get(CONTENT_TYPE)?.to_str().ok()
}

fn request_id(headers: &HeaderMap) -> Option<String> {
    let value = REQUEST_ID.iter().find_map(|name| headers.get(*name))?.to_str().ok()?;
    Some(truncate(value, LONGEST_REQUEST_ID).into_owned())
}

fn redirect_advice(target: Option<&Url>) -> Advice {
    match target {
        // Written so that no reader makes a link of it: who redirects has chosen the address, and its path can hold another.
        Some(target) => Advice::Operator(format!(
            "a redirect to `{}{}` by {} was not followed; if the vendor moved, correct the configured address",
            &target[Position::BeforeHost..Position::AfterPort],
            target.path().replace(':', "%3A"),
            target.scheme(),
        )),
        None => Advice::Operator("a redirect without a usable address".to_owned()),
    }
}

fn advice(status: StatusCode) -> Vec<Advice> {
    let text = match status {
        StatusCode::UNAUTHORIZED => {
            "the credentials were refused; don't try again, repeated wrong logins can lock the address out"
        }
        StatusCode::FORBIDDEN => "the account behind the credentials may not do this",
        StatusCode::SERVICE_UNAVAILABLE => "the vendor is busy or down for now",
        StatusCode::TOO_MANY_REQUESTS => "the vendor's rate limit is reached; wait before the next call",
        _ => return Vec::new(),
    };
    let mut advice = vec![Advice::Caller(text.to_owned())];
    if status == StatusCode::UNAUTHORIZED {
        advice.push(Advice::Doctor);
    }
    advice
}

/// Collects a body up to `max_bytes`; the flag is false where there was more.
pub(crate) async fn collect(
    mut body: impl Stream<Item = reqwest::Result<Bytes>> + Unpin,
    max_bytes: usize,
) -> reqwest::Result<(Bytes, bool)> {
    let mut collected = BytesMut::new();
    while let Some(chunk) = body.next().await {
        let chunk = chunk?;
        let room = max_bytes - collected.len();
        if chunk.len() > room {
            collected.extend_from_slice(&chunk[..room]);
            return Ok((collected.freeze(), false));
        }
        collected.extend_from_slice(&chunk);
    }
    Ok((collected.freeze(), true))
}

/// Maps a failure of the HTTP client to the stage at which it happened.
pub(crate) fn transport_error(error: &reqwest::Error) -> CallError {
    if error.is_builder() || error.is_connect() {
        CallError::NotSent(format!("no connection to the vendor: {}", cause(error)))
    } else if error.is_timeout() {
        CallError::Unknown("the vendor did not answer in time".to_owned().into())
    } else {
        CallError::Unknown(format!("the connection to the vendor broke: {}", cause(error)).into())
    }
}

/// Returns the innermost reason; the outer ones repeat it, and the address may hold arguments.
fn cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
