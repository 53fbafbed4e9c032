//! A client's id and secret, and perhaps a refresh token → access tokens. One is bought when it
//! is first needed, before it expires, and once after the vendor has refused it; never by two
//! callers at once.
//!
//! A refresh token is good for one use: the answer brings the next one, which is on the disk
//! before the new access token is used. What is bought is bought by a task of its own, so that a
//! caller who goes away takes no token along.

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

use super::credentials::secret;
use crate::error::CallError;
use endpoint::IssuedToken;
use file::TokenFile;

/// A token is renewed this long before it expires, or a tenth of its life if that is longer.
const EARLY: Duration = Duration::from_secs(60);
/// How long nobody asks again after a refusal: repeated wrong logins lock accounts out.
const AFTER_REFUSAL: Duration = Duration::from_secs(60);
/// How long nobody asks again after the endpoint could not be reached.
const AFTER_FAILURE: Duration = Duration::from_secs(5);

/// How tokens are bought.
#[derive(Clone)]
pub struct TokenRequest {
    /// The vendor's name, for messages.
    pub vendor: String,
    /// Where they are bought.
    pub endpoint: Url,
    /// How the client's id and secret travel.
    pub client: ClientAuthentication,
    /// The client's id.
    pub client_id: String,
    /// The client's secret.
    pub client_secret: String,
    /// What is asked for.
    pub scope: Option<String>,
    /// The file with the refresh token, and the variable that names it; without one the client
    /// buys in its own name.
    pub refresh_token_file: Option<(String, PathBuf)>,
}

/// How a client's id and secret travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientAuthentication {
    /// `Authorization: Basic …`, the rest as a form.
    Basic,
    /// In the form.
    Form,
    /// In a body of JSON.
    Json,
}

impl fmt::Debug for TokenRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenRequest").field("endpoint", &self.endpoint.as_str()).finish_non_exhaustive()
    }
}

/// The tokens of one client.
pub(super) struct Tokens {
    request: TokenRequest,
    file: Option<TokenFile>,
    state: Mutex<State>,
    /// Held by whoever buys.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    token: Option<Token>,
    /// How many tokens there have been.
    count: u64,
    /// Bought, with a refresh token that is not on the disk yet.
    unwritten: Option<Unwritten>,
    failed: Option<Failed>,
}

#[derive(Clone)]
struct Token {
    header: HeaderValue,
    renew_at: Option<Instant>,
    expires_at: Option<Instant>,
    scopes: Option<Vec<String>>,
}

struct Unwritten {
    bought: IssuedToken,
    /// The refresh token that was used up.
    used: String,
}

/// Why the last attempt came to nothing.
struct Failed {
    until: Instant,
    message: String,
    /// The refresh token that was refused: another one may be tried at once.
    refused: Option<String>,
}

/// Why no token was bought.
enum Failure {
    /// The vendor said no.
    Refused(String),
    /// It could not be asked, or the answer could not be used.
    Failed(String),
}

impl Tokens {
    pub(super) fn new(request: TokenRequest) -> Self {
        let file = request.refresh_token_file.clone().map(|(variable, path)| TokenFile::new(variable, path));
        Self { request, file, state: Mutex::default(), turn: tokio::sync::Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The header with the token; a stand-in where there is none yet.
    pub(super) fn header(&self) -> HeaderValue {
        let token = self.state().token.as_ref().map(|token| token.header.clone());
        token.unwrap_or_else(|| {
            let mut stand_in = HeaderValue::from_static("Bearer");
            stand_in.set_sensitive(true);
            stand_in
        })
    }

    pub(super) fn scopes(&self) -> Option<Vec<String>> {
        self.state().token.as_ref().and_then(|token| token.scopes.clone())
    }

    /// Makes sure of a token that will not expire at once; returns its number.
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
            // What is left of the old one's life is used while a new one can't be had.
            Err(_) if usable => Ok(count),
            Err(error) => Err(error),
            Ok(()) => Ok(self.state().count),
        }
    }

    /// Buys a new token unless somebody has since the one with the number `used`.
    pub(super) async fn renew(self: &Arc<Self>, used: u64) -> Result<(), CallError> {
        let tokens = Arc::clone(self);
        let task = tokio::spawn(async move { tokens.buy(used).await });
        task.await
            .unwrap_or_else(|_| Err("the task that renews the token ended".to_owned()))
            .map_err(CallError::NotSent)
    }

    async fn buy(&self, used: u64) -> Result<(), String> {
        let _turn = self.turn.lock().await;
        if self.state().count > used {
            return Ok(());
        }
        let bought = match &self.file {
            Some(file) => self.buy_with_refresh_token(file).await,
            None => self.buy_as_client().await,
        };
        let bought = bought.map_err(|message| format!("{}: {message}", self.request.vendor))?;
        let token = token(bought, Instant::now()).map_err(|message| format!("{}: {message}", self.request.vendor))?;
        let mut state = self.state();
        state.token = Some(token);
        state.count += 1;
        state.failed = None;
        Ok(())
    }

    async fn buy_as_client(&self) -> Result<IssuedToken, String> {
        self.heed_failure(None)?;
        let bought = endpoint::buy(&self.request, None).await;
        bought.map_err(|failure| self.failed(failure, None))
    }

    async fn buy_with_refresh_token(&self, file: &TokenFile) -> Result<IssuedToken, String> {
        // Other processes may use the same file.
        let locked = file.lock().await?;
        let present = locked.read()?;
        let unwritten = self.state().unwritten.take();
        if let Some(unwritten) = unwritten
            // Somebody else has written a newer one otherwise, and ours is used up.
            && unwritten.used == present
        {
            return self.keep(&locked, unwritten);
        }
        self.heed_failure(Some(&present))?;
        // What can't be written must not be bought: the old token is worth nothing afterwards.
        locked.prepare()?;
        let bought = endpoint::buy(&self.request, Some(&present)).await;
        let bought = bought.map_err(|failure| {
            locked.discard();
            self.failed(failure, Some(present.clone()))
        })?;
        self.keep(&locked, Unwritten { bought, used: present })
    }

    /// Writes the new refresh token, if there is one; only then the access token may be used.
    fn keep(&self, locked: &file::Locked<'_>, unwritten: Unwritten) -> Result<IssuedToken, String> {
        match &unwritten.bought.refresh_token {
            Some(next) if *next != unwritten.used => match locked.write(next) {
                Ok(()) => Ok(unwritten.bought),
                Err(error) => {
                    self.state().unwritten = Some(unwritten);
                    Err(error)
                }
            },
            _ => {
                locked.discard();
                Ok(unwritten.bought)
            }
        }
    }

    /// Says again what was wrong a moment ago, without asking again.
    fn heed_failure(&self, refresh_token: Option<&str>) -> Result<(), String> {
        match &self.state().failed {
            Some(failed) if Instant::now() < failed.until && failed.refused.as_deref() == refresh_token => {
                Err(failed.message.clone())
            }
            _ => Ok(()),
        }
    }

    fn failed(&self, failure: Failure, refresh_token: Option<String>) -> String {
        let (message, wait) = match failure {
            Failure::Refused(reason) => {
                let hint = match &self.file {
                    Some(file) => format!(
                        "sign in again, and put the new refresh token into the file that `{}` names",
                        file.variable()
                    ),
                    None => {
                        "check the client's id and secret; `toolwright doctor` shows where they come from".to_owned()
                    }
                };
                (format!("no access token was given: {reason}\nhint: {hint}"), AFTER_REFUSAL)
            }
            Failure::Failed(reason) => (format!("no access token could be had: {reason}"), AFTER_FAILURE),
        };
        let until = Instant::now() + wait;
        self.state().failed = Some(Failed { until, message: message.clone(), refused: refresh_token });
        message
    }
}

/// What was bought, as requests carry it.
fn token(bought: IssuedToken, now: Instant) -> Result<Token, String> {
    let header = secret(&format!("Bearer {}", bought.access_token));
    let header = header.map_err(|_| "the access token holds what no HTTP header can carry".to_owned())?;
    let early = |life: Duration| now + life.saturating_sub((life / 10).max(EARLY)).max(life / 2);
    Ok(Token {
        header,
        renew_at: bought.life.map(early),
        expires_at: bought.life.map(|life| now + life),
        scopes: bought.scopes.or_else(|| scopes_in(&bought.access_token)),
    })
}

/// What a token says that it opens, where it is a JSON Web Token that says so. Nothing is
/// verified: it is only told to whoever holds the token.
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
    fn a_token_may_say_what_it_opens() {
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
        for (life, renewed) in [(3_600, 3_240), (300, 240), (100, 50), (10, 5)] {
            let bought = IssuedToken {
                access_token: "t".to_owned(),
                refresh_token: None,
                life: Some(Duration::from_secs(life)),
                scopes: None,
            };
            let now = Instant::now();
            let renew_at = token(bought, now).map(|token| token.renew_at);
            assert_eq!(renew_at, Ok(Some(now + Duration::from_secs(renewed))), "{life}");
        }
    }
}
