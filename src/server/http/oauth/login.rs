//! Requests at `/authorize/login` and `/authorize/callback` → a browser that goes to the company's identity provider, and the person
//! who comes back with it, who is then asked about the client.

use std::collections::BTreeMap;

use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;

use super::authorize::{browser, checked, cookie, sentence, too_many, unavailable};
use super::{Authorization, pages};
use crate::access::oauth::{NotAllowed, NotSignedIn, ProviderLogin, SIGN_IN_WITHIN, SignIn};

/// The path of the form that begins it.
pub(super) const LOGIN: &str = "/authorize/login";

/// Sends a browser to the provider.
pub(super) async fn begin(authorization: &Authorization, form: &BTreeMap<String, String>, browser: &str) -> Response {
    let query = form.get("request").map(String::as_str).unwrap_or_default();
    let asked = match checked(authorization, query).await {
        Ok(asked) => asked,
        Err(refused) => return refused,
    };
    if let Err(wait) = authorization.pace.may_sign_in() {
        return too_many(wait);
    }
    let host = authorization.server.login().map(ProviderLogin::host).unwrap_or_default();
    match authorization.server.begin_login(&asked, browser).await {
        Ok(Some((sign_in, address))) => {
            let mut page = pages::go_to_provider(&host, &address);
            keep(authorization, &mut page, sign_in.kept(), SIGN_IN_WITHIN.as_secs());
            page
        }
        Ok(None) => pages::fault(StatusCode::NOT_FOUND, "Nobody signs in here."),
        Err(error) => unavailable(&error.to_string()),
    }
}

/// Asks the person who comes back from the provider.
pub(super) async fn end(authorization: &Authorization, query: &str, headers: &HeaderMap) -> Response {
    let sign_in = cookie(headers, cookie_name(authorization)).and_then(|kept| SignIn::of_browser(&kept));
    let (Some(sign_in), Some(browser)) = (sign_in, browser(authorization, headers)) else {
        return not_signed_in(&NotSignedIn::NotBegun);
    };
    match authorization.server.end_login(&sign_in, query, &browser).await {
        Ok(question) => {
            let mut page = pages::ask_for_decision(&question, &browser);
            keep(authorization, &mut page, "", 0);
            page
        }
        Err(NotAllowed::NotSignedIn(reason)) => not_signed_in(&reason),
        Err(NotAllowed::NothingPermitted(name)) => {
            tracing::warn!("a person who has signed in is permitted nothing: {name}");
            let reason = format!(
                "You are signed in as {name}, and this server permits nothing to you. Its administrator can change that: an entry in \
                 [[grants]] has to fit your groups."
            );
            pages::fault(StatusCode::FORBIDDEN, &reason)
        }
        Err(NotAllowed::Unavailable(reason)) => unavailable(&reason),
    }
}

fn not_signed_in(reason: &NotSignedIn) -> Response {
    let status = match reason {
        NotSignedIn::NotBegun => StatusCode::BAD_REQUEST,
        NotSignedIn::Refused(_) | NotSignedIn::NotShown(_) => StatusCode::FORBIDDEN,
        NotSignedIn::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
    };
    if *reason != NotSignedIn::NotBegun {
        tracing::warn!("a person is not signed in: {reason}");
    }
    pages::fault(status, &sentence(&reason.to_string()))
}

/// What a browser keeps of a sign-in. It has to come back with the way from the provider, so other sites may lead to it.
fn keep(authorization: &Authorization, page: &mut Response, kept: &str, seconds: u64) {
    let secure = if authorization.is_encrypted() { "; Secure" } else { "" };
    let name = cookie_name(authorization);
    let cookie = format!("{name}={kept}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
    if let Ok(cookie) = HeaderValue::try_from(cookie) {
        page.headers_mut().append(SET_COOKIE, cookie);
    }
}

fn cookie_name(authorization: &Authorization) -> &'static str {
    if authorization.is_encrypted() { "__Host-toolwright-sign-in" } else { "toolwright-sign-in" }
}
