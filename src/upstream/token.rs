//! A client's id and secret, and perhaps a refresh token → access tokens. A token is requested on
//! first use, before it expires, and once after the vendor refused it; never by two callers at once.
//!
//! A refresh token is valid once: its successor comes with the new access token and is written to
//! disk before that is used. A task of its own requests the token, so that it is not lost when the
//! caller is cancelled.

mod endpoint;
mod file;

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::header::HeaderValue;
use tokio::time::Instant;
use url::Url;

use super::headers::secret;
use crate::error::CallError;
use endpoint::IssuedToken;
use file::{LockedTokenFile, TokenFile};

/// A token is renewed this long before it expires, or a tenth of its lifetime if that is longer.
const EARLY: Duration = Duration::from_mins(1);
/// How long no request follows a refusal: repeated wrong logins lock accounts out.
const AFTER_REFUSAL: Duration = Duration::from_mins(1);
/// How long no request follows one that the endpoint could not answer.
const AFTER_FAILURE: Duration = Duration::from_secs(5);

/// How tokens are requested.
#[derive(Clone)]
pub(crate) struct TokenRequest {
    /// The vendor's name, for messages.
    pub vendor: String,
    /// The token endpoint.
    pub endpoint: Url,
    /// How the client's id and secret travel.
    pub client: ClientAuthentication,
    /// The client's id.
    pub client_id: String,
    /// The client's secret.
    pub client_secret: String,
    /// The scopes to request, separated by spaces.
    pub scope: Option<String>,
    /// The variable that names the file with the refresh token, and the file; without one the
    /// client requests tokens for itself (client credentials grant).
    pub refresh_token_file: Option<(String, PathBuf)>,
}

/// How a client's id and secret travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClientAuthentication {
    /// `Authorization: Basic …`, the other fields as a form.
    Basic,
    /// In the form.
    Form,
    /// In a JSON body.
    Json,
}

impl fmt::Debug for TokenRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenRequest").field("endpoint", &self.endpoint.as_str()).finish_non_exhaustive()
    }
}

/// Issues the access tokens of one client.
pub(super) struct TokenSource {
    request: TokenRequest,
    file: Option<TokenFile>,
    state: Mutex<TokenState>,
    /// Held while a token is requested.
    renewal: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct TokenState {
    token: Option<AccessToken>,
    /// How many tokens were issued; the number of the present one.
    count: u64,
    unsaved: Option<UnsavedRefreshToken>,
    last_failure: Option<TokenFailure>,
}

#[derive(Clone)]
struct AccessToken {
    header: HeaderValue,
    renew_at: Option<Instant>,
    expires_at: Option<Instant>,
    scopes: Option<Vec<String>>,
}

/// Tokens that were issued and whose refresh token could not be written to disk yet.
struct UnsavedRefreshToken {
    issued: IssuedToken,
    /// The refresh token that was exchanged for them.
    used: String,
}

/// A failed request, returned again until `until`.
struct TokenFailure {
    until: Instant,
    message: String,
    /// The refresh token that was used: another one may be tried at once.
    refresh_token: Option<String>,
}

/// Why the endpoint issued no token.
enum TokenError {
    /// It refused.
    Refused(String),
    /// It could not be reached, or its answer could not be used.
    Unavailable(String),
}

impl TokenSource {
    pub(super) fn new(request: TokenRequest) -> Self {
        let file = request.refresh_token_file.clone().map(|(variable, path)| TokenFile::new(variable, path));
        Self { request, file, state: Mutex::default(), renewal: tokio::sync::Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, TokenState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the header with the token; a placeholder where there is none yet.
    pub(super) fn header(&self) -> HeaderValue {
        let token = self.state().token.as_ref().map(|token| token.header.clone());
        token.unwrap_or_else(|| {
            let mut placeholder = HeaderValue::from_static("Bearer");
            placeholder.set_sensitive(true);
            placeholder
        })
    }

    pub(super) fn scopes(&self) -> Option<Vec<String>> {
        self.state().token.as_ref().and_then(|token| token.scopes.clone())
    }

    /// Makes sure of a token that is not about to expire; returns its number.
    pub(super) async fn ready(self: &Arc<Self>) -> Result<u64, CallError> {
        let now = Instant::now();
        let (count, fresh, usable) = {
            let state = self.state();
            let before = |moment: Option<Instant>| moment.is_none_or(|moment| now < moment);
            let fresh = state.token.as_ref().is_some_and(|token| before(token.renew_at));
            (state.count, fresh, state.token.as_ref().is_some_and(|token| before(token.expires_at)))
        };
        if fresh {
            return Ok(count);
        }
        match self.renew(count).await {
            // The old token is used until it expires while no new one is issued.
            Err(_) if usable => Ok(count),
            Err(error) => Err(error),
            Ok(()) => Ok(self.state().count),
        }
    }

    /// Requests a new token unless there is a newer one than the one with the number `used`.
    pub(super) async fn renew(self: &Arc<Self>, used: u64) -> Result<(), CallError> {
        let source = Arc::clone(self);
        let task = tokio::spawn(async move { source.replace(used).await });
        task.await
            .unwrap_or_else(|_| Err("the task that renews the token ended".to_owned()))
            .map_err(CallError::NotSent)
    }

    async fn replace(&self, used: u64) -> Result<(), String> {
        let _renewal = self.renewal.lock().await;
        if self.state().count > used {
            return Ok(());
        }
        let issued = match &self.file {
            Some(file) => self.request_with_refresh_token(file).await,
            None => self.request_as_client().await,
        };
        let token = issued.and_then(|issued| access_token(issued, Instant::now()));
        let token = token.map_err(|message| format!("{}: {message}", self.request.vendor))?;
        let mut state = self.state();
        state.token = Some(token);
        state.count += 1;
        state.last_failure = None;
        Ok(())
    }

    async fn request_as_client(&self) -> Result<IssuedToken, String> {
        self.check_last_failure(None)?;
        let issued = endpoint::request_token(&self.request, None).await;
        issued.map_err(|error| self.record_failure(error, None))
    }

    async fn request_with_refresh_token(&self, file: &TokenFile) -> Result<IssuedToken, String> {
        // Other processes may use the same file.
        let locked = file.lock().await?;
        let present = locked.read()?;
        let unsaved = self.state().unsaved.take();
        if let Some(unsaved) = unsaved
            // Otherwise another process has written a newer one, and ours is spent.
            && unsaved.used == present
        {
            return self.save(&locked, unsaved);
        }
        self.check_last_failure(Some(&present))?;
        // Without a place to write the next refresh token, this one must not be spent.
        locked.prepare()?;
        let issued = endpoint::request_token(&self.request, Some(&present)).await;
        let issued = issued.map_err(|error| {
            locked.discard();
            self.record_failure(error, Some(present.clone()))
        })?;
        self.save(&locked, UnsavedRefreshToken { issued, used: present })
    }

    /// Writes the next refresh token, if there is one; only then may the access token be used.
    fn save(&self, locked: &LockedTokenFile<'_>, unsaved: UnsavedRefreshToken) -> Result<IssuedToken, String> {
        match &unsaved.issued.refresh_token {
            Some(next) if *next != unsaved.used => match locked.write(next) {
                Ok(()) => Ok(unsaved.issued),
                Err(error) => {
                    self.state().unsaved = Some(unsaved);
                    Err(error)
                }
            },
            _ => {
                locked.discard();
                Ok(unsaved.issued)
            }
        }
    }

    /// Returns a recent failure again instead of repeating the request.
    fn check_last_failure(&self, refresh_token: Option<&str>) -> Result<(), String> {
        match &self.state().last_failure {
            Some(failure) if Instant::now() < failure.until && failure.refresh_token.as_deref() == refresh_token => {
                Err(failure.message.clone())
            }
            _ => Ok(()),
        }
    }

    fn record_failure(&self, error: TokenError, refresh_token: Option<String>) -> String {
        let (message, pause) = match error {
            TokenError::Refused(reason) => {
                let hint = match &self.file {
                    Some(file) => format!(
                        "sign in again, and put the new refresh token into the file that `{}` names",
                        file.variable()
                    ),
                    None => {
                        "check the client's id and secret; `toolwright doctor` shows where they come from".to_owned()
                    }
                };
                (format!("no access token was issued: {reason}\nhint: {hint}"), AFTER_REFUSAL)
            }
            TokenError::Unavailable(reason) => (format!("no access token could be requested: {reason}"), AFTER_FAILURE),
        };
        let until = Instant::now() + pause;
        self.state().last_failure = Some(TokenFailure { until, message: message.clone(), refresh_token });
        message
    }
}

/// Turns an issued token into what requests carry.
fn access_token(issued: IssuedToken, now: Instant) -> Result<AccessToken, String> {
    let header = secret(&format!("Bearer {}", issued.access_token));
    let header = header.map_err(|_| "the access token holds what no HTTP header can carry".to_owned())?;
    let early = |lifetime: Duration| now + lifetime.saturating_sub((lifetime / 10).max(EARLY)).max(lifetime / 2);
    Ok(AccessToken {
        header,
        renew_at: issued.lifetime.map(early),
        expires_at: issued.lifetime.map(|lifetime| now + lifetime),
        scopes: issued.scopes.or_else(|| scopes_in(&issued.access_token)),
    })
}

/// Returns the scopes that a JSON Web Token states. Nothing is verified: they are only shown to
/// the owner of the token.
pub(super) fn scopes_in(token: &str) -> Option<Vec<String>> {
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?.trim_end_matches('=')).ok()?;
    let claims: serde_json::Value = serde_json::from_slice(&claims).ok()?;
    match claims.get("scope").or_else(|| claims.get("scp"))? {
        serde_json::Value::String(text) => Some(text.split_whitespace().map(str::to_owned).collect()),
        serde_json::Value::Array(items) => Some(items.iter().filter_map(|i| i.as_str().map(str::to_owned)).collect()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_read_from_a_json_web_token() {
        let token = |claims: &str| format!("head.{}.sign", URL_SAFE_NO_PAD.encode(claims));
        let of = |claims: &str| scopes_in(&token(claims)).map(|scopes| scopes.join(" "));
        assert_eq!(of(r#"{"scope":"read:a  write:b"}"#).as_deref(), Some("read:a write:b"));
        assert_eq!(of(r#"{"scope":["read:a"]}"#).as_deref(), Some("read:a"));
        assert_eq!(of(r#"{"aud":"x"}"#), None);
        for plain in ["", "ATATT3xFf", "a.b.c", "a.!!.c"] {
            assert_eq!(scopes_in(plain), None, "{plain}");
        }
    }

    #[test]
    fn a_token_is_renewed_before_it_expires() {
        for (lifetime, renewed) in [(3_600, 3_240), (300, 240), (100, 50), (10, 5)] {
            let issued = IssuedToken {
                access_token: "t".to_owned(),
                refresh_token: None,
                lifetime: Some(Duration::from_secs(lifetime)),
                scopes: None,
            };
            let now = Instant::now();
            let renew_at = access_token(issued, now).map(|token| token.renew_at);
            assert_eq!(renew_at, Ok(Some(now + Duration::from_secs(renewed))), "{lifetime}");
        }
    }
}
