//! A token request (RFC 6749) → the issued tokens, or why there are none. Of an error answer only
//! standard error codes are returned: the rest may hold secrets.

use std::time::Duration;

use reqwest::header::ACCEPT;
use serde_json::{Map, Value};

use super::{ClientAuthentication, TokenError, TokenRequest};
use crate::upstream::answer::collect;
use crate::upstream::http_client;
use toolwright_model::answer_limits;

/// How long the endpoint may take.
const TIMEOUT: Duration = Duration::from_secs(20);
/// The longest lifetime that is assumed, whatever the endpoint states.
const LONGEST_LIFETIME: Duration = Duration::from_hours(24);
/// The error codes of RFC 6749 and its extensions.
const ERROR_CODES: [&str; 9] = [
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unauthorized",
    "unsupported_grant_type",
    "invalid_scope",
    "access_denied",
    "invalid_target",
];

/// What the endpoint issued.
pub(crate) struct IssuedToken {
    pub access_token: String,
    /// The next refresh token, where the endpoint rotates them.
    pub refresh_token: Option<String>,
    pub lifetime: Option<Duration>,
    pub scopes: Option<Vec<String>>,
}

/// What a token is requested for.
#[derive(Clone, Copy)]
pub(super) enum Grant<'a> {
    /// The client itself.
    Client,
    /// The bearer of a refresh token.
    Refresh(&'a str),
    /// A person who has just consented: with the address that the code came back to, and the verifier of PKCE.
    Code { code: &'a str, redirect: &'a str, verifier: &'a str },
}

impl<'a> Grant<'a> {
    fn fields(self) -> Vec<(&'static str, &'a str)> {
        match self {
            Self::Client => vec![("grant_type", "client_credentials")],
            Self::Refresh(token) => vec![("grant_type", "refresh_token"), ("refresh_token", token)],
            Self::Code { code, redirect, verifier } => vec![
                ("grant_type", "authorization_code"),
                ("code", code),
                ("redirect_uri", redirect),
                ("code_verifier", verifier),
            ],
        }
    }
}

/// Exchanges the code that a person's consent led to.
///
/// # Errors
/// The endpoint refuses, or can't be reached; the text holds no secret.
pub(crate) async fn exchange_code(
    request: &TokenRequest,
    code: &str,
    redirect: &str,
    verifier: &str,
) -> Result<IssuedToken, String> {
    let issued = request_token(request, Grant::Code { code, redirect, verifier }).await;
    issued.map_err(|(TokenError::Refused(text) | TokenError::Unavailable(text))| text)
}

/// Requests a token, once.
pub(super) async fn request_token(request: &TokenRequest, grant: Grant<'_>) -> Result<IssuedToken, TokenError> {
    let site = request.endpoint.origin().ascii_serialization();
    let http = http_client(&request.endpoint, &request.tls, TIMEOUT, None, &[])
        .map_err(|error| TokenError::Unavailable(error.to_string()))?;
    let mut fields = grant.fields();
    fields.extend(request.scope.as_deref().map(|scope| ("scope", scope)));
    if request.client != ClientAuthentication::Basic {
        fields.push(("client_id", &request.client_id));
        fields.push(("client_secret", &request.client_secret));
    }
    let post = http.post(request.endpoint.clone()).header(ACCEPT, "application/json");
    let post = match request.client {
        ClientAuthentication::Basic => {
            post.basic_auth(encoded(&request.client_id), Some(encoded(&request.client_secret))).form(&fields)
        }
        ClientAuthentication::Form => post.form(&fields),
        ClientAuthentication::Json => {
            let body: Map<String, Value> =
                fields.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect();
            post.json(&body)
        }
    };
    // reqwest's own message repeats the whole address.
    let response = post.send().await.map_err(|error| {
        let what = if error.is_timeout() { "did not answer in time" } else { "can't be reached" };
        TokenError::Unavailable(format!("`{site}` {what}"))
    })?;
    let status = response.status();
    let answer = collect(response.bytes_stream(), answer_limits::REFUSAL_BYTES).await;
    let answer = answer.ok().filter(|(_, whole)| *whole).and_then(|(bytes, _)| serde_json::from_slice(&bytes).ok());
    let answer: Value = answer.unwrap_or_default();
    if !status.is_success() {
        let reason = answer.get("error").and_then(Value::as_str).filter(|reason| ERROR_CODES.contains(reason));
        let reason = reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
        let text = format!("`{site}` answered {}{reason}", status.as_u16());
        let busy = status.is_server_error() || matches!(status.as_u16(), 408 | 429);
        return Err(if busy { TokenError::Unavailable(text) } else { TokenError::Refused(text) });
    }
    let text = |key: &str| answer.get(key).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
    let Some(access_token) = text("access_token") else {
        return Err(TokenError::Unavailable(format!("`{site}` answered {} without an access token", status.as_u16())));
    };
    let seconds = answer.get("expires_in").and_then(|value| value.as_f64().or_else(|| value.as_str()?.parse().ok()));
    let lifetime = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    Ok(IssuedToken {
        access_token,
        refresh_token: text("refresh_token"),
        lifetime: lifetime.map(|lifetime| lifetime.min(LONGEST_LIFETIME)),
        scopes: text("scope").map(|scopes| scopes.split_whitespace().map(str::to_owned).collect()),
    })
}

/// Encodes a client's id or secret for `Basic`, as RFC 6749 section 2.3.1 demands.
fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
