//! One vendor: a prepared request → its answer. Adds the credentials, keeps the request under
//! the configured address, follows no redirect away from it and bounds time and size.

mod address;
mod credentials;
mod headers;
mod limits;
mod pace;
mod setting;
mod token;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use reqwest::header::{ACCEPT, HeaderName, HeaderValue, LOCATION};
use reqwest::{Method, Request, Response, StatusCode};
use url::Url;

pub use address::{AddressError, parse_address};
pub use credentials::{Credentials, CredentialsError};
pub use headers::Headers;
pub(crate) use pace::waiting;
pub use pace::{Permit, RateLimiter, RateLimits};
pub use setting::Setting;
pub use token::{ClientAuthentication, TokenRequest};

use crate::error::{CallError, ConfigError, Rejection};

/// The largest answer that is taken into memory.
const LARGEST_ANSWER: usize = 16 * 1024 * 1024;
/// How much of a refusal's body is read: enough for any message, not for a whole page of HTML.
const LARGEST_REFUSAL: usize = 64 * 1024;
/// How much of a refusal's body is told.
const LONGEST_REFUSAL: usize = 2_000;
/// How many redirects below the configured address are followed.
const MOST_REDIRECTS: usize = 5;
/// How long opening a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A connection to one API of a vendor; cheap to clone.
#[derive(Clone)]
pub struct Upstream(Arc<Inner>);

struct Inner {
    http: reqwest::Client,
    base: Url,
    credentials: Credentials,
    /// What is sent with every request besides.
    settings: Vec<Setting>,
    /// Shared by all connections to the same vendor.
    pace: RateLimiter,
    /// With a plan, requests are described here and not sent.
    plan: Option<Mutex<Option<Plan>>>,
}

/// A request that would be sent, secrets masked.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Plan {
    /// The HTTP method.
    pub method: String,
    /// The full address.
    pub url: String,
    /// Name and value; credentials are `***`.
    pub headers: Vec<(String, String)>,
    /// The body as text; what it is where it is no text.
    pub body: Option<String>,
}

/// A vendor's answer with a 2xx status, as it came.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The content type, if the vendor names one.
    pub content_type: Option<String>,
    /// The file name that the vendor gives.
    pub filename: Option<String>,
    /// The vendor's own id of the request.
    pub request_id: Option<String>,
    /// What else its headers say.
    pub headers: Headers,
    /// The body.
    pub body: Bytes,
}

impl Inner {
    /// The same connection without a plan.
    fn copy(&self) -> Self {
        Self {
            http: self.http.clone(),
            base: self.base.clone(),
            credentials: self.credentials.clone(),
            settings: self.settings.clone(),
            pace: self.pace.clone(),
            plan: None,
        }
    }
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upstream").field("base", &self.0.base.as_str()).finish_non_exhaustive()
    }
}

impl Upstream {
    /// Makes the connection to the API under `base`, with a pace of its own that nothing bounds.
    ///
    /// # Errors
    /// The system's TLS can't be set up.
    pub fn new(base: Url, credentials: Credentials, timeout: Duration) -> Result<Self, ConfigError> {
        Self::paced(base, credentials, timeout, RateLimiter::default())
    }

    /// Makes the connection to the API under `base`; what answers say of the vendor's limits goes
    /// into `pace`.
    ///
    /// # Errors
    /// As [`Upstream::new`].
    pub fn paced(
        base: Url,
        credentials: Credentials,
        timeout: Duration,
        pace: RateLimiter,
    ) -> Result<Self, ConfigError> {
        let http = http_client(timeout, None, &[])?;
        Ok(Self(Arc::new(Inner { http, base, credentials, settings: Vec::new(), pace, plan: None })))
    }

    /// The same connection, describing one request instead of sending it.
    #[must_use]
    pub fn planning(&self) -> Self {
        Self(Arc::new(Inner { plan: Some(Mutex::new(None)), ..self.0.copy() }))
    }

    /// The same connection, sending these settings with every request.
    #[must_use]
    pub fn with_settings(&self, settings: Vec<Setting>) -> Self {
        Self(Arc::new(Inner { settings, ..self.0.copy() }))
    }

    /// Makes sure of credentials that are good for a request. Returns what
    /// [`Upstream::renew`] wants to know, where they can be renewed.
    ///
    /// # Errors
    /// The vendor gives none; nothing was sent.
    pub async fn ready(&self) -> Result<Option<u64>, CallError> {
        self.0.credentials.ready().await
    }

    /// Renews credentials that the vendor has refused, unless somebody has meanwhile.
    ///
    /// # Errors
    /// The vendor gives none.
    pub async fn renew(&self, used: u64) -> Result<(), CallError> {
        self.0.credentials.renew(used).await
    }

    /// Scheme, host and port: who is asked, for a person.
    pub fn site(&self) -> String {
        self.0.base.origin().ascii_serialization()
    }

    /// The vendor's pace.
    pub fn pace(&self) -> &RateLimiter {
        &self.0.pace
    }

    /// The address that paths are appended to, without a slash at the end.
    pub fn base(&self) -> String {
        self.0.base.as_str().trim_end_matches('/').to_owned()
    }

    /// The HTTP client.
    pub fn http(&self) -> reqwest::Client {
        self.0.http.clone()
    }

    /// Takes the request that was planned last.
    pub fn take_plan(&self) -> Option<Plan> {
        self.0.plan.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Makes a request ready: checks its address, adds the credentials.
    ///
    /// # Errors
    /// The address does not lie under the configured one, or this connection only plans.
    pub fn prepare(&self, request: &mut Request) -> Result<(), CallError> {
        if !self.is_below(request.url()) {
            return Err(CallError::NotSent(format!(
                "the address `{}` does not lie under the configured one",
                request.url().path()
            )));
        }
        let headers = request.headers_mut();
        // progenitor's mark; vendors don't know it, and one may come to read it.
        headers.remove("api-version");
        headers.entry(ACCEPT).or_insert(HeaderValue::from_static("application/json, */*;q=0.8"));
        self.0.credentials.apply(headers);
        for setting in &self.0.settings {
            setting.apply(headers);
        }
        if let Some(plan) = &self.0.plan {
            *plan.lock().unwrap_or_else(PoisonError::into_inner) = Some(self.describe(request));
            return Err(CallError::NotSent("this is a dry run".to_owned()));
        }
        Ok(())
    }

    /// Sends a prepared request and follows redirects below the configured address.
    ///
    /// # Errors
    /// What reqwest says: no connection, no answer in time.
    pub async fn execute(&self, request: Request) -> reqwest::Result<Response> {
        let mut again = request.try_clone();
        let mut response = self.send(request).await?;
        for _ in 0..MOST_REDIRECTS {
            let Some(target) = self.redirect_target(&response, again.as_ref()) else { break };
            let Some(mut request) = again.take() else { break };
            *request.url_mut() = target;
            again = request.try_clone();
            response = self.send(request).await?;
        }
        Ok(response)
    }

    async fn send(&self, request: Request) -> reqwest::Result<Response> {
        let response = self.0.http.execute(request).await?;
        self.0.pace.learn(response.status(), &limits::read(response.headers()));
        Ok(response)
    }

    /// Where a redirect leads, if it may be followed: below the configured address, and without
    /// turning a request into another one.
    fn redirect_target(&self, response: &Response, request: Option<&Request>) -> Option<Url> {
        let method = request?.method();
        let follow = match response.status() {
            StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT => true,
            StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND | StatusCode::SEE_OTHER => {
                method == Method::GET || method == Method::HEAD
            }
            _ => false,
        };
        let location = response.headers().get(LOCATION)?.to_str().ok()?;
        let target = response.url().join(location).ok()?;
        (follow && self.is_below(&target)).then_some(target)
    }

    fn is_below(&self, url: &Url) -> bool {
        let base = &self.0.base;
        let prefix = base.path().trim_end_matches('/');
        url.origin() == base.origin()
            && url.username().is_empty()
            && url.path().strip_prefix(prefix).is_some_and(|rest| rest.starts_with('/'))
            && !url.path().split('/').any(|segment| matches!(segment, "." | ".."))
    }

    fn describe(&self, request: &Request) -> Plan {
        let headers = request
            .headers()
            .iter()
            .map(|(name, value)| {
                let shown = if self.is_credential(name) || value.is_sensitive() {
                    "***"
                } else {
                    value.to_str().unwrap_or("(not text)")
                };
                (name.to_string(), shown.to_owned())
            })
            .collect();
        let body = request.body().map(|body| match body.as_bytes().map(std::str::from_utf8) {
            Some(Ok(text)) => text.to_owned(),
            Some(Err(_)) => "(bytes)".to_owned(),
            None => "(multipart form)".to_owned(),
        });
        Plan { method: request.method().to_string(), url: request.url().to_string(), headers, body }
    }

    fn is_credential(&self, name: &HeaderName) -> bool {
        self.0.credentials.names().any(|own| own == name)
    }
}

/// An HTTP client with our bounds: no redirects, a time for everything. `credentials` and
/// `settings` are sent with every request, for the typed clients; an [`Upstream`] adds them to
/// each request itself.
///
/// # Errors
/// The system's TLS can't be set up.
pub(crate) fn http_client(
    timeout: Duration,
    credentials: Option<&Credentials>,
    settings: &[Setting],
) -> Result<reqwest::Client, ConfigError> {
    // Fails when another provider was installed before, which serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut headers = reqwest::header::HeaderMap::new();
    if let Some(credentials) = credentials {
        credentials.apply(&mut headers);
    }
    for setting in settings {
        setting.apply(&mut headers);
    }
    reqwest::Client::builder()
        .default_headers(headers)
        .user_agent(concat!("toolwright/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT.min(timeout))
        .timeout(timeout)
        .tcp_nodelay(true)
        .build()
        .map_err(|error| ConfigError::new(format!("the HTTP client can't be set up: {error}")))
}

/// Reads an answer with a 2xx status.
///
/// # Errors
/// The body breaks off or is larger than we take.
pub(crate) async fn read_answer(
    status: u16,
    headers: &reqwest::header::HeaderMap,
    body: impl futures_util::Stream<Item = reqwest::Result<Bytes>> + Unpin,
) -> Result<Answer, CallError> {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let filename = text(reqwest::header::CONTENT_DISPOSITION).and_then(|value| filename_of(&value));
    let (body, whole) = collect(body, LARGEST_ANSWER).await.map_err(|error| {
        let reason = format!("the vendor answered {status}, and the answer broke off: {}", cause(&error));
        CallError::Unknown(reason.into())
    })?;
    if !whole {
        let most = LARGEST_ANSWER / 1024 / 1024;
        let reason = format!("the vendor answered {status} with more than {most} MB; ask for less");
        return Err(CallError::Unknown(reason.into()));
    }
    let request_id = request_id(headers);
    let content_type = text(reqwest::header::CONTENT_TYPE);
    Ok(Answer { status, content_type, filename, request_id, headers: Headers::of(headers), body })
}

/// The `filename` of a `Content-Disposition` header, without folders.
pub(crate) fn filename_of(disposition: &str) -> Option<String> {
    let value = disposition.split(';').find_map(|part| part.trim().strip_prefix("filename="))?;
    let name = value.trim_matches('"').rsplit(['/', '\\']).next()?.trim();
    (!name.is_empty()).then(|| name.chars().filter(|c| !c.is_control()).collect())
}

/// Reads a redirect that is what was asked for: where it leads is the answer, and nobody goes there.
pub(crate) fn read_redirect(response: &Response) -> Answer {
    let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
    let target = location.and_then(|location| response.url().join(location).ok());
    let status = response.status().as_u16();
    let body = serde_json::json!({"status": status, "location": target.map(String::from)}).to_string();
    let content_type = Some("application/json".to_owned());
    let request_id = request_id(response.headers());
    Answer { status, content_type, request_id, body: Bytes::from(body), ..Answer::default() }
}

/// Reads a refusal.
pub(crate) async fn read_rejection(response: Response) -> CallError {
    let status = response.status();
    let html = response
        .headers()
        .get(reqwest::header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.contains("html"));
    let elsewhere = status.is_redirection().then(|| {
        let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
        location.and_then(|location| response.url().join(location).ok())
    });
    let rate_limit = limits::read(response.headers());
    let request_id = request_id(response.headers());
    // A body that breaks off still says what came of it.
    let (bytes, _) = collect(response.bytes_stream(), LARGEST_REFUSAL).await.unwrap_or_default();
    let body = if html { "(an HTML page)".to_owned() } else { cut(&String::from_utf8_lossy(&bytes)) };
    let advice = match elsewhere {
        Some(Some(target)) => Some(format!(
            "a redirect to `{}{}` was not followed; if the vendor moved, correct the configured address",
            target.origin().ascii_serialization(),
            target.path(),
        )),
        Some(None) => Some("a redirect without a usable address".to_owned()),
        None => advice(status).map(str::to_owned),
    };
    let advice = advice.into_iter().collect();
    CallError::Rejected(Box::new(Rejection { status: status.as_u16(), body, advice, rate_limit, request_id }))
}

/// The id under which the vendor can find the request; cut, because it goes into the record.
fn request_id(headers: &reqwest::header::HeaderMap) -> Option<String> {
    let names = ["x-request-id", "x-arequestid", "atl-traceid", "request-id", "x-correlation-id", "x-amzn-requestid"];
    let value = names.iter().find_map(|name| headers.get(*name))?.to_str().ok()?;
    Some(value.chars().take(100).collect())
}

fn advice(status: StatusCode) -> Option<&'static str> {
    match status {
        StatusCode::UNAUTHORIZED => Some(
            "the credentials were refused; don't try again, repeated wrong logins can lock the address out; `toolwright doctor` shows what is configured",
        ),
        StatusCode::FORBIDDEN => Some("the account behind the credentials may not do this"),
        StatusCode::SERVICE_UNAVAILABLE => Some("the vendor is busy or down for now"),
        StatusCode::TOO_MANY_REQUESTS => Some("the vendor's rate limit is reached; wait before the next call"),
        _ => None,
    }
}

fn cut(text: &str) -> String {
    let text = text.trim();
    if text.chars().count() <= LONGEST_REFUSAL {
        return text.to_owned();
    }
    format!("{}… (cut)", text.chars().take(LONGEST_REFUSAL).collect::<String>())
}

/// Collects a body up to `most` bytes; the flag says whether that was all of it.
async fn collect(
    mut body: impl futures_util::Stream<Item = reqwest::Result<Bytes>> + Unpin,
    most: usize,
) -> reqwest::Result<(Bytes, bool)> {
    let mut collected = BytesMut::new();
    while let Some(chunk) = body.next().await {
        let chunk = chunk?;
        if collected.len() + chunk.len() > most {
            collected.extend_from_slice(&chunk[..most - collected.len()]);
            return Ok((collected.freeze(), false));
        }
        collected.extend_from_slice(&chunk);
    }
    Ok((collected.freeze(), true))
}

/// Tells by stage what went wrong between us and the vendor.
pub(crate) fn transport_error(error: &reqwest::Error) -> CallError {
    if error.is_builder() || error.is_request() && error.is_connect() || error.is_connect() {
        CallError::NotSent(format!("no connection to the vendor: {}", cause(error)))
    } else if error.is_timeout() {
        CallError::Unknown("the vendor did not answer in time".to_owned().into())
    } else {
        CallError::Unknown(format!("the connection to the vendor broke: {}", cause(error)).into())
    }
}

/// The innermost reason; the outer ones repeat it, and the address may hold arguments.
fn cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_lies_below_the_address_is_sent() {
        let base = parse_address("https://acme.example.com/helpdesk", &[]).unwrap();
        let credentials = Credentials::bearer("secret").unwrap();
        let upstream = Upstream::new(base, credentials, Duration::from_secs(1)).unwrap();
        let prepared = |url: &str| {
            let mut request = Request::new(Method::GET, Url::parse(url).unwrap());
            upstream.prepare(&mut request).map(|()| request)
        };
        let fine = prepared("https://acme.example.com/helpdesk/api/Tickets").unwrap();
        assert!(fine.headers().contains_key("authorization"));
        for elsewhere in [
            "https://acme.example.com/other/api",
            "https://acme.example.com/helpdesk-of-another/api",
            "https://acme.example.com/helpdesk/../admin",
            "https://acme.example.com/helpdesk",
            "https://evil.example.com/helpdesk/api",
            "http://acme.example.com/helpdesk/api",
            "https://acme.example.com:8443/helpdesk/api",
            "https://user@acme.example.com/helpdesk/api",
        ] {
            let error = prepared(elsewhere).unwrap_err();
            assert!(matches!(error, CallError::NotSent(_)), "{elsewhere}: {error}");
        }
    }

    #[test]
    fn secrets_are_in_no_debug_text() {
        let base = parse_address("https://acme.example.com", &[]).unwrap();
        let credentials = Credentials::basic("ACME\\pat", "s3cret").unwrap();
        let shown = format!("{credentials:?} {:?}", Upstream::new(base, credentials.clone(), Duration::from_secs(1)));
        assert!(!shown.contains("s3cret") && !shown.contains("QUNNRVxwYXQ6czNjcmV0"), "{shown}");
    }

    #[test]
    fn file_names_lose_their_folders() {
        for (header, expected) in [
            ("attachment; filename=\"jam.png\"", Some("jam.png")),
            ("attachment; filename=../../etc/passwd", Some("passwd")),
            ("attachment; filename=\"C:\\temp\\a.txt\"", Some("a.txt")),
            ("inline", None),
            ("attachment; filename=\"\"", None),
        ] {
            assert_eq!(filename_of(header).as_deref(), expected, "{header}");
        }
    }
}
