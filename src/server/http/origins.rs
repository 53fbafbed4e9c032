//! The origins of web pages that may call → what a browser asks before it lets a page read the answers (CORS). Without
//! a named origin no page may read anything.

use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use url::Url;

use super::SESSION_HEADER;
use crate::error::ConfigError;

/// Pages of this machine: their requests are answered, as are those of any program here, but their browser is not told
/// that they may read the answers.
const LOCAL: [&str; 3] = ["http://localhost:*", "http://127.0.0.1:*", "http://[::1]:*"];
const LOCAL_HOSTS: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];
/// Chromium asks this before a page of the network reaches a server on this machine.
const ASKS_FOR_LOCAL: HeaderName = HeaderName::from_static("access-control-request-private-network");
const ALLOWS_LOCAL: HeaderName = HeaderName::from_static("access-control-allow-private-network");

/// The origins whose pages may call the server from a browser.
#[derive(Debug, Clone, Default)]
pub struct Origins(Vec<Url>);

impl Origins {
    /// Reads origins such as `https://app.example.com`.
    ///
    /// # Errors
    /// One is not an origin.
    pub fn parse(origins: &[String]) -> Result<Self, ConfigError> {
        origins.iter().map(|origin| parse(origin)).collect::<Result<_, _>>().map(Self)
    }

    /// Every origin whose requests are answered, as rmcp takes them: with a port, or any.
    pub(super) fn answered(&self) -> impl Iterator<Item = String> {
        let named = self.0.iter().map(|url| {
            let (host, port) = (url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or_default());
            format!("{}://{host}:{port}", url.scheme())
        });
        LOCAL.into_iter().map(str::to_owned).chain(named)
    }

    /// Returns whether a page makes the request that is neither of this machine nor of a named origin.
    pub(super) fn is_foreign(&self, headers: &HeaderMap) -> bool {
        let Some(origin) = headers.get(ORIGIN) else { return false };
        let Some(url) = origin.to_str().ok().and_then(|origin| Url::parse(origin).ok()) else { return true };
        let is_local = url.scheme() == "http" && url.host_str().is_some_and(|host| LOCAL_HOSTS.contains(&host));
        let is_named = self.0.iter().any(|named| named.origin() == url.origin());
        !(is_local || is_named)
    }

    /// The origin of a request, if it is a named one.
    pub(super) fn named(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let origin = headers.get(ORIGIN)?;
        self.0.iter().any(|named| named.origin().ascii_serialization() == *origin).then(|| origin.clone())
    }

    /// Lets the browser show an answer to the page of `origin`.
    pub(super) fn share(&self, origin: Option<HeaderValue>, response: &mut Response) {
        if !self.0.is_empty() {
            // What a cache keeps for one origin must not be returned to another.
            response.headers_mut().append(VARY, HeaderValue::from_static("Origin"));
        }
        if let Some(origin) = origin {
            let headers = response.headers_mut();
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(SESSION_HEADER));
        }
    }
}

fn parse(origin: &str) -> Result<Url, ConfigError> {
    let wrong = |why: &str| {
        Err(ConfigError::new(format!(
            "`--origin {origin}` {why}\nhint: an origin is what the address of a page begins with, such as `https://app.example.com`"
        )))
    };
    match origin {
        "*" => return wrong("would let every page on the internet call with your credentials"),
        "null" => return wrong("is what pages without an address send, whoever made them"),
        _ => {}
    }
    let Ok(url) = Url::parse(origin) else { return wrong("is no origin") };
    let is_page = matches!(url.scheme(), "http" | "https") && url.host().is_some();
    let has_more = url.path() != "/" || url.query().is_some() || url.fragment().is_some();
    if !is_page || url.host_str().is_some_and(|host| host.contains('*')) {
        return wrong("is no origin");
    }
    if has_more || !url.username().is_empty() || url.password().is_some() {
        return wrong("has more than scheme, host and port");
    }
    Ok(url)
}

/// Returns whether a browser asks with this request what a page may send.
pub(super) fn is_preflight(method: &Method, headers: &HeaderMap) -> bool {
    *method == Method::OPTIONS && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// The answer to a browser that asks what the page of a named origin may send: what MCP uses, and any header, of which
/// the server reads those that it knows.
pub(super) fn preflight(headers: &HeaderMap) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let allowed = response.headers_mut();
    allowed.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST, DELETE"));
    allowed.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("7200"));
    if let Some(requested) = headers.get(ACCESS_CONTROL_REQUEST_HEADERS) {
        allowed.insert(ACCESS_CONTROL_ALLOW_HEADERS, requested.clone());
    }
    if headers.contains_key(ASKS_FOR_LOCAL) {
        allowed.insert(ALLOWS_LOCAL, HeaderValue::from_static("true"));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        for (text, expected) in [
            ("https://app.example.com", Ok("https://app.example.com:443")),
            ("https://APP.example.com/", Ok("https://app.example.com:443")),
            ("http://localhost:6274", Ok("http://localhost:6274")),
            ("http://[::1]:80", Ok("http://[::1]:80")),
            ("*", Err("every page on the internet")),
            ("null", Err("pages without an address")),
            ("app.example.com", Err("is no origin")),
            ("file:///home/page.html", Err("is no origin")),
            ("https://*.example.com", Err("is no origin")),
            ("https://app.example.com/chat", Err("has more than")),
            ("https://user@app.example.com", Err("has more than")),
        ] {
            match (Origins::parse(&[text.to_owned()]), expected) {
                (Ok(origins), Ok(expected)) => assert_eq!(origins.answered().last().as_deref(), Some(expected)),
                (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{text}: {error}"),
                (found, _) => panic!("{text}: {found:?}"),
            }
        }
    }
}
