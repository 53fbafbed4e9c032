//! One request for a token → what was bought, or why nothing was. What the endpoint says is told
//! only as far as it is one of the words that the standard has: its answer may hold secrets.

use std::time::Duration;

use reqwest::header::ACCEPT;
use serde_json::{Map, Value};

use super::{ClientAuthentication, Failure, TokenRequest};
use crate::upstream::{LARGEST_REFUSAL, collect, http_client};

/// How long the endpoint may take.
const TIMEOUT: Duration = Duration::from_secs(20);
/// The longest life that is believed.
const LONGEST_LIFE: Duration = Duration::from_secs(24 * 60 * 60);
/// The words of RFC 6749 (and of those who extend it) for a refusal.
const REASONS: [&str; 9] = [
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

/// What was bought.
pub(super) struct IssuedToken {
    pub access_token: String,
    /// The next refresh token, where there is one.
    pub refresh_token: Option<String>,
    pub life: Option<Duration>,
    pub scopes: Option<Vec<String>>,
}

/// Asks for a token once.
pub(super) async fn buy(request: &TokenRequest, refresh_token: Option<&str>) -> Result<IssuedToken, Failure> {
    let site = request.endpoint.origin().ascii_serialization();
    let http = http_client(TIMEOUT, None, &[]).map_err(|error| Failure::Failed(error.to_string()))?;
    let grant = if refresh_token.is_some() { "refresh_token" } else { "client_credentials" };
    let mut fields = vec![("grant_type", grant)];
    fields.extend(refresh_token.map(|token| ("refresh_token", token)));
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
    // What reqwest says of the failure may hold the address, and nothing of the body.
    let response = post.send().await.map_err(|error| {
        let what = if error.is_timeout() { "did not answer in time" } else { "can't be reached" };
        Failure::Failed(format!("`{site}` {what}"))
    })?;
    let status = response.status();
    let answer = collect(response.bytes_stream(), LARGEST_REFUSAL).await;
    let answer = answer.ok().filter(|(_, whole)| *whole).and_then(|(bytes, _)| serde_json::from_slice(&bytes).ok());
    let answer: Value = answer.unwrap_or_default();
    if !status.is_success() {
        let reason = answer.get("error").and_then(Value::as_str).filter(|reason| REASONS.contains(reason));
        let reason = reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
        let text = format!("`{site}` answered {}{reason}", status.as_u16());
        let busy = status.is_server_error() || matches!(status.as_u16(), 408 | 429);
        return Err(if busy { Failure::Failed(text) } else { Failure::Refused(text) });
    }
    let text = |key: &str| answer.get(key).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
    let Some(access_token) = text("access_token") else {
        return Err(Failure::Failed(format!("`{site}` answered {} without an access token", status.as_u16())));
    };
    let life = answer.get("expires_in").and_then(|life| life.as_f64().or_else(|| life.as_str()?.parse().ok()));
    Ok(IssuedToken {
        access_token,
        refresh_token: text("refresh_token"),
        life: life.and_then(|life| Duration::try_from_secs_f64(life).ok()).map(|life| life.min(LONGEST_LIFE)),
        scopes: text("scope").map(|scopes| scopes.split_whitespace().map(str::to_owned).collect()),
    })
}

/// As RFC 6749 wants a client's id and secret before they go into `Basic`.
fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
