//! Requests at `/authorize` and below → pages that ask a person, and the way back to the client. A form is answered only from a page of this
//! server in the browser that was asked: its `Origin` is this server's, and it repeats what the browser keeps in a cookie.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::extract::Request;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_TYPE, COOKIE, LOCATION, ORIGIN, REFERRER_POLICY, RETRY_AFTER, SET_COOKIE,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use subtle::ConstantTimeEq as _;

use super::{Authorization, login, pages};
use crate::access::Refusal;
use crate::access::oauth::{AuthorizationRequest, LOGIN_CALLBACK, NotAsked, ProviderLogin};
use crate::store::{StoreError, TokenDigest};

/// The path of the second form.
pub(super) const DECISION: &str = "/authorize/decision";
/// For how long a browser keeps what it is recognized by.
const COOKIE_FOR: Duration = Duration::from_secs(3_600);
/// How many characters that has.
const COOKIE_LENGTH: usize = 43;
/// What is said of a link that opens nothing, whatever is wrong.
const NO_LINK: &str =
    "This link is not valid: it is unknown, was revoked or has expired, or its second token is missing or wrong.";

/// Answers a request at `/authorize`.
pub(super) async fn answer(authorization: &Authorization, request: Request) -> Response {
    match request.method().clone() {
        Method::GET => {
            let (uri, headers) = (request.uri().clone(), request.headers().clone());
            drop(request);
            let query = uri.query().unwrap_or_default();
            match uri.path() {
                LOGIN_CALLBACK => login::end(authorization, query, &headers).await,
                DECISION | login::LOGIN => pages::fault(StatusCode::NOT_FOUND, "There is nothing to decide here."),
                _ => ask(authorization, query, &headers).await,
            }
        }
        Method::POST => {
            let path = request.uri().path().to_owned();
            match (path.as_str(), form(authorization, request).await) {
                (_, Err(refused)) => refused,
                (DECISION, Ok((form, browser))) => decide(authorization, &form, &browser).await,
                (login::LOGIN, Ok((form, browser))) => login::begin(authorization, &form, &browser).await,
                (LOGIN_CALLBACK, Ok(_)) => (StatusCode::METHOD_NOT_ALLOWED, "this is read with GET\n").into_response(),
                (_, Ok((form, browser))) => look(authorization, &form, &browser).await,
            }
        }
        _ => (StatusCode::METHOD_NOT_ALLOWED, "this is read with GET and answered with POST\n").into_response(),
    }
}

/// Asks for a link, or for a sign-in.
async fn ask(authorization: &Authorization, query: &str, headers: &HeaderMap) -> Response {
    let asked = match checked(authorization, query).await {
        Ok(asked) => asked,
        Err(refused) => return refused,
    };
    // One that the browser has serves all of its tabs.
    let browser = match browser(authorization, headers) {
        Some(known) => known,
        None => match TokenDigest::draw("") {
            Ok((drawn, _)) => drawn,
            Err(error) => return unavailable(&error.to_string()),
        },
    };
    let mut page = ask_for_link(authorization, &asked, query, &browser, None);
    let secure = if authorization.is_encrypted() { "; Secure" } else { "" };
    // A person who comes back from the identity provider has to be recognized, too: the way there leads over another site.
    let same_site = if authorization.server.login().is_some() { "Lax" } else { "Strict" };
    let cookie = format!(
        "{}={browser}; Path=/; Max-Age={}; HttpOnly; SameSite={same_site}{secure}",
        cookie_name(authorization),
        COOKIE_FOR.as_secs()
    );
    if let Ok(cookie) = HeaderValue::try_from(cookie) {
        page.headers_mut().insert(SET_COOKIE, cookie);
    }
    page
}

fn ask_for_link(
    authorization: &Authorization,
    asked: &AuthorizationRequest,
    query: &str,
    browser: &str,
    wrong: Option<(StatusCode, &str)>,
) -> Response {
    let provider = authorization.server.login().map(ProviderLogin::host);
    pages::ask_for_link(asked, query, browser, authorization.origin(), provider.as_deref(), wrong)
}

/// Checks a client's request, as it came or as a form repeats it.
pub(super) async fn checked(authorization: &Authorization, query: &str) -> Result<AuthorizationRequest, Response> {
    if authorization.server.would_fetch(query)
        && let Err(wait) = authorization.pace.may_fetch()
    {
        return Err(too_many(wait));
    }
    authorization.server.request(query).await.map_err(|not_asked| match not_asked {
        NotAsked::Told(reason) => pages::fault(StatusCode::BAD_REQUEST, &sentence(&reason)),
        NotAsked::Back(url) => go(&url),
    })
}

/// Looks at the link that was brought, and asks for a decision.
async fn look(authorization: &Authorization, form: &BTreeMap<String, String>, browser: &str) -> Response {
    let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let query = field("request");
    let asked = match checked(authorization, query).await {
        Ok(asked) => asked,
        Err(refused) => return refused,
    };
    let second = Some(field("second_token").trim()).filter(|second| !second.is_empty());
    match authorization.server.question(asked.clone(), field("link"), second, browser).await {
        Ok(Some(question)) => pages::ask_for_decision(&question, browser),
        Ok(None) => match authorization.pace.may_guess() {
            Ok(()) => {
                let wrong = Some((StatusCode::FORBIDDEN, NO_LINK));
                ask_for_link(authorization, &asked, query, browser, wrong)
            }
            Err(wait) => too_many(wait),
        },
        Err(refusal) => refused(&refusal),
    }
}

/// Takes a decision.
async fn decide(authorization: &Authorization, form: &BTreeMap<String, String>, browser: &str) -> Response {
    let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let permits = match field("decision") {
        "allow" => true,
        "deny" => false,
        _ => return pages::fault(StatusCode::BAD_REQUEST, "The form has no decision."),
    };
    let only_reads = form.contains_key("only_reads");
    match authorization.server.decide(field("ticket"), browser, permits, only_reads).await {
        Ok(Some(url)) => go(&url),
        Ok(None) => pages::fault(StatusCode::BAD_REQUEST, "This question was answered already, or took too long."),
        Err(StoreError::Refused(reason)) => pages::fault(StatusCode::FORBIDDEN, &sentence(&reason)),
        Err(error @ StoreError::Unreachable(_)) => unavailable(&error.to_string()),
    }
}

/// Reads a form of a page of this server, and what its browser is recognized by.
async fn form(authorization: &Authorization, request: Request) -> Result<(BTreeMap<String, String>, String), Response> {
    let of_others = || pages::fault(StatusCode::FORBIDDEN, "This form does not come from this server's own page.");
    let headers = request.headers();
    let is_own = headers.get(ORIGIN).is_some_and(|origin| origin == authorization.origin());
    let is_form = headers
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.to_str().is_ok_and(|kind| kind.starts_with("application/x-www-form-urlencoded")));
    let browser = browser(authorization, headers).filter(|_| is_own && is_form).ok_or_else(of_others)?;
    let body = super::body(request).await?;
    let mut fields = BTreeMap::new();
    for (name, value) in url::form_urlencoded::parse(&body) {
        fields.insert(name.into_owned(), value.into_owned());
    }
    let repeats = fields.get("csrf").is_some_and(|csrf| bool::from(csrf.as_bytes().ct_eq(browser.as_bytes())));
    if repeats { Ok((fields, browser)) } else { Err(of_others()) }
}

/// What a browser is recognized by. Where pages are encrypted, its name keeps other servers of the domain from setting it.
fn cookie_name(authorization: &Authorization) -> &'static str {
    if authorization.is_encrypted() { "__Host-toolwright" } else { "toolwright" }
}

pub(super) fn browser(authorization: &Authorization, headers: &HeaderMap) -> Option<String> {
    cookie(headers, cookie_name(authorization))
}

/// A random value that a browser keeps under a name, once.
pub(super) fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|cookies| cookies.to_str().ok());
    let mut found = cookies
        .flat_map(|cookies| cookies.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .filter(|(own, _)| *own == name);
    let is_random = |value: &str| {
        value.len() == COOKIE_LENGTH && value.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
    };
    match (found.next(), found.next()) {
        (Some((_, value)), None) if is_random(value) => Some(value.to_owned()),
        _ => None,
    }
}

/// Sends a browser to an address.
fn go(url: &str) -> Response {
    let Ok(location) = HeaderValue::try_from(url) else {
        return pages::fault(StatusCode::BAD_REQUEST, "The client's address can't be used.");
    };
    let headers = [
        (LOCATION, location),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    (StatusCode::SEE_OTHER, headers).into_response()
}

fn refused(refusal: &Refusal) -> Response {
    unavailable(refusal.text())
}

pub(super) fn unavailable(reason: &str) -> Response {
    tracing::error!("a client can't be authorized: {reason}");
    pages::fault(StatusCode::SERVICE_UNAVAILABLE, "This server can't answer at present. Try again later.")
}

pub(super) fn too_many(wait: Duration) -> Response {
    let mut response =
        pages::fault(StatusCode::TOO_MANY_REQUESTS, "There were too many attempts. Wait a little and try again.");
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
    response
}

/// A reason as a sentence.
pub(super) fn sentence(reason: &str) -> String {
    let mut characters = reason.chars();
    let first = characters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", characters.as_str())
}
