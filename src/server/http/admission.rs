//! A request → the same, admitted: with who makes it, and without what shows that. Neither the token of a link nor that of
//! a vendor goes further than this, so that no log and no later stage can show it.

use axum::extract::Request;
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};

use super::sessions::Sessions;
use super::{MCP_PATH, SESSION_HEADER, not_found};
use crate::access::{Access, Admitted, Presented, Refusal};

/// The parameter of the address that names the vendor of a token.
const VENDOR: &str = "vendor";
/// The id of no session: what a request with the session of another caller is taken for.
const NO_SESSION: HeaderValue = HeaderValue::from_static("of-another-caller");

/// Admits a request: puts [`Admitted`] into its extensions.
///
/// # Errors
/// The answer to a request that is not served.
pub(super) async fn admit(access: &Access, sessions: &Sessions, request: &mut Request) -> Result<Admitted, Response> {
    let uri = request.uri().clone();
    let vendor = named_vendor(&uri);
    let presented = Presented { link: link_in(uri.path()), vendor: vendor.as_deref(), headers: request.headers() };
    let admitted = access.admit(presented).await.map_err(refused)?;
    let is_vendor_used = admitted.brought.is_some();
    if is_vendor_used || uri.path() != MCP_PATH {
        *request.uri_mut() = without_secrets(&uri, is_vendor_used);
    }
    let headers = request.headers_mut();
    headers.remove(AUTHORIZATION);
    let session = headers.get(SESSION_HEADER).and_then(|id| id.to_str().ok());
    if session.is_some_and(|id| sessions.is_of(id, &admitted) == Some(false)) {
        headers.insert(SESSION_HEADER, NO_SESSION);
    }
    request.extensions_mut().insert(admitted.clone());
    Ok(admitted)
}

/// The token in the path of a link.
pub(super) fn link_in(path: &str) -> Option<&str> {
    path.strip_prefix("/c/")?.strip_suffix(MCP_PATH).filter(|token| !token.contains('/'))
}

fn named_vendor(uri: &Uri) -> Option<String> {
    let mut parameters = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    parameters.find(|(name, _)| name == VENDOR).map(|(_, value)| value.into_owned())
}

/// The address as it goes on: the path without a link's token, the parameters without that which was used.
fn without_secrets(uri: &Uri, is_vendor_used: bool) -> Uri {
    let mut address = MCP_PATH.to_owned();
    let parameters = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let kept: Vec<_> = parameters.filter(|(name, _)| !(is_vendor_used && name == VENDOR)).collect();
    if !kept.is_empty() {
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(kept).finish();
        address = format!("{address}?{query}");
    }
    let path = address.parse::<PathAndQuery>().unwrap_or_else(|_| PathAndQuery::from_static(MCP_PATH));
    Uri::from(path)
}

/// The answer to a request that is not served.
pub(super) fn refused(refusal: Refusal) -> Response {
    let mut response = match refusal {
        Refusal::Unauthorized { challenge, text } => {
            (StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, challenge.as_ref())], format!("{text}\n")).into_response()
        }
        Refusal::Forbidden { challenge, text } => {
            let mut response = (StatusCode::FORBIDDEN, format!("{text}\n")).into_response();
            if let Some(challenge) = challenge.and_then(|challenge| HeaderValue::try_from(challenge).ok()) {
                response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
            }
            response
        }
        Refusal::NotFound => not_found(),
        Refusal::Unavailable(text) => {
            (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "1")], format!("{text}\n")).into_response()
        }
    };
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_shows_the_caller_goes_no_further() {
        for (address, is_vendor_used, expected) in [
            ("/mcp", false, "/mcp"),
            ("/c/s3cret/mcp", false, "/mcp"),
            ("/c/s3cret/mcp?organizationID=a%20b", false, "/mcp?organizationID=a+b"),
            ("/mcp?vendor=jsm&organizationID=7", true, "/mcp?organizationID=7"),
            // Not used, so it has to be refused as any other parameter that is not known.
            ("/mcp?vendor=jsm", false, "/mcp?vendor=jsm"),
        ] {
            let uri: Uri = address.parse().unwrap();
            assert_eq!(without_secrets(&uri, is_vendor_used).to_string(), expected, "{address}");
        }
    }

    #[test]
    fn a_link_is_one_segment_of_the_path() {
        for (path, expected) in [
            ("/c/abc/mcp", Some("abc")),
            ("/c//mcp", Some("")),
            ("/c/a/b/mcp", None),
            ("/c/abc", None),
            ("/c/abc/mcp/", None),
            ("/mcp", None),
        ] {
            assert_eq!(link_in(path), expected, "{path}");
        }
    }
}
