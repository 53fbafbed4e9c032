//! The body of a posted form → its fields, if it comes from a page of this console and this session.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, HOST, ORIGIN};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode};
use subtle::ConstantTimeEq as _;
use url::form_urlencoded;

use super::answer::Fault;
use crate::server::http::Hosts;

/// The largest body, in bytes.
const LARGEST: usize = 256 * 1024;
/// The field that every form has.
const CSRF: &str = "csrf";

/// The fields of a form, in order.
#[derive(Debug, Clone, Default)]
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads a body whose form has the token of the session.
    ///
    /// # Errors
    /// It is no form, is too large, or does not have the token.
    pub(super) async fn read(headers: &HeaderMap, body: Body, csrf: &str) -> Result<Self, Fault> {
        let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(Fault::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "The request is no form of this page."));
        }
        let bytes = axum::body::to_bytes(body, LARGEST).await;
        let bytes =
            bytes.map_err(|_| Fault::new(StatusCode::PAYLOAD_TOO_LARGE, "What was sent is larger than 256 KB."))?;
        let form = Self(form_urlencoded::parse(&bytes).into_owned().collect());
        let given = form.text(CSRF);
        if csrf.is_empty() || !bool::from(given.as_bytes().ct_eq(csrf.as_bytes())) {
            return Err(Fault::new(
                StatusCode::FORBIDDEN,
                "The form is not of your session; it may have ended since. Load the page again.",
            ));
        }
        Ok(form)
    }

    /// The text of a field; empty where there is none.
    pub(super) fn text(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.trim())
    }

    /// The words of a field: of each of its values, between commas.
    pub(super) fn words(&self, name: &str) -> Vec<String> {
        let values = self.0.iter().filter(|(key, _)| key == name);
        let words = values.flat_map(|(_, value)| value.split(',')).map(str::trim).filter(|word| !word.is_empty());
        words.map(str::to_owned).collect()
    }

    /// The fields whose names begin so, without the beginning.
    pub(super) fn below(&self, beginning: &str) -> BTreeMap<String, String> {
        let named =
            self.0.iter().filter_map(|(key, value)| Some((key.strip_prefix(beginning)?.to_owned(), value.clone())));
        named.collect()
    }
}

/// Whether another page than one of this console makes the request. A browser states where a form is from; what states
/// nothing still needs the session's token.
pub(super) fn is_foreign(headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site").and_then(|value| value.to_str().ok());
    if site.is_some_and(|site| !matches!(site, "same-origin" | "none")) {
        return true;
    }
    let Some(origin) = headers.get(ORIGIN) else { return false };
    let origin = origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, authority)| authority);
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let (Some(origin), Some(host)) = (origin, host) else { return true };
    if origin.eq_ignore_ascii_case(host) {
        return false;
    }
    // A proxy may pass on a host without its port; on this machine each port is another program.
    let name = |authority: &str| authority.parse::<Authority>().ok().map(|it| it.host().to_ascii_lowercase());
    Hosts::is_own(headers) || name(origin).is_none() || name(origin) != name(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(host: &str, origin: Option<&str>, site: Option<&str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(ORIGIN, origin.parse().unwrap());
        }
        if let Some(site) = site {
            headers.insert("sec-fetch-site", site.parse().unwrap());
        }
        headers
    }

    #[test]
    fn only_pages_of_this_console_post() {
        for (host, origin, site, foreign) in [
            ("127.0.0.1:9000", Some("http://127.0.0.1:9000"), Some("same-origin"), false),
            ("127.0.0.1:9000", None, None, false),
            ("127.0.0.1:9000", Some("http://127.0.0.1:9001"), None, true),
            ("127.0.0.1:9000", Some("http://localhost:9000"), None, true),
            ("127.0.0.1:9000", Some("null"), None, true),
            ("127.0.0.1:9000", Some("https://page.example"), None, true),
            ("127.0.0.1:9000", None, Some("cross-site"), true),
            ("127.0.0.1:9000", None, Some("same-site"), true),
            ("mcp.example.com", Some("https://mcp.example.com:8443"), Some("same-origin"), false),
            ("mcp.example.com", Some("https://mcp.example.com.evil.example"), None, true),
            ("mcp.example.com", Some("https://mcp.example.com@evil.example"), None, true),
        ] {
            assert_eq!(is_foreign(&headers(host, origin, site)), foreign, "{host} {origin:?} {site:?}");
        }
    }

    #[tokio::test]
    async fn a_form_without_the_token_is_refused() {
        let mut form = HeaderMap::new();
        form.insert(CONTENT_TYPE, "application/x-www-form-urlencoded; charset=utf-8".parse().unwrap());
        let read = |body: &'static str, csrf: &'static str| Form::read(&form, Body::from(body), csrf);
        let found = read("csrf=t&name=a+b&methods=read&methods=write,delete&arg.q=1&arg.r=", "t").await.unwrap();
        assert_eq!(found.text("name"), "a b");
        assert_eq!(found.words("methods"), ["read", "write", "delete"]);
        assert_eq!(found.below("arg."), [("q", "1"), ("r", "")].map(|(a, b)| (a.to_owned(), b.to_owned())).into());
        for (body, csrf) in [("name=a", "t"), ("csrf=x", "t"), ("csrf=", ""), ("csrf=tt", "t")] {
            assert!(read(body, csrf).await.is_err(), "{body}");
        }
        assert!(Form::read(&HeaderMap::new(), Body::from("csrf=t"), "t").await.is_err(), "no form");
    }
}
