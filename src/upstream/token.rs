//! A client's id and secret, and perhaps a refresh token → access tokens. A token is requested on
//! first use, before it expires, and once after the vendor refused it; never by two callers at once.
//!
//! A refresh token is valid once: its successor comes with the new access token and is written to
//! disk before that is used. A task of its own requests the token, so that it is not lost when the
//! caller is cancelled; before a process ends, it waits for that task.

mod endpoint;
mod file;
mod kept;
mod refusals;
mod shared;

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::header::HeaderValue;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::headers::secret;
use super::tls::Tls;
use crate::error::{CallError, seconds};
pub(crate) use endpoint::exchange_code;
use endpoint::{Grant, IssuedToken};
use file::{Reservation, TokenFile};
pub use kept::{AccountSignIn, KeptSignIns, KnownSignIn, SignInOf};
use kept::{Kept, hint};
use refusals::Refusals;
use shared::Chain;
pub use shared::{Answer as SharedAnswer, Holder, RefreshTokenChains};

/// A token is renewed this long before it expires, or a tenth of its lifetime if that is longer.
const EARLY: Duration = Duration::from_mins(1);
/// How long no request follows a refusal: repeated wrong logins lock accounts out.
const AFTER_REFUSAL: Duration = Duration::from_mins(1);
/// How long no request follows one that the endpoint could not answer.
const AFTER_FAILURE: Duration = Duration::from_secs(5);
/// How long the end of a process waits for a token that was requested: the endpoint may take 20 seconds.
const SETTLE_WITHIN: Duration = Duration::from_secs(21);
/// How long the end of a process tries to write a refresh token that could not be written so far.
const SAVE_WITHIN: Duration = Duration::from_secs(3);
/// How often it tries.
const SAVE_INTERVAL: Duration = Duration::from_millis(250);

/// Why no token is requested before a process ends.
const ENDING: &str = "no access token is requested any more: the server is stopping";

/// How tokens are requested.
#[derive(Clone)]
pub struct TokenRequest {
    /// The vendor's name, for messages.
    pub(crate) vendor: String,
    /// The token endpoint.
    pub(crate) endpoint: Url,
    /// How the client's id and secret travel.
    pub(crate) client: ClientAuthentication,
    /// The client's id.
    pub(crate) client_id: String,
    /// The client's secret.
    pub(crate) client_secret: String,
    /// The scopes to request, separated by spaces.
    pub(crate) scope: Option<String>,
    /// The variable that names the file with the refresh token, and the file; without one the
    /// client requests tokens for itself (client credentials grant).
    pub(crate) refresh_token_file: Option<(String, PathBuf)>,
    /// The person's sign-in whose refresh token is used, in place of one in a file.
    pub(crate) sign_in: Option<AccountSignIn>,
    /// What the endpoint's certificate is checked against.
    pub(crate) tls: Tls,
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
    /// Where successors of the file's token are, if other processes use it too on other machines.
    chains: OnceLock<Arc<dyn RefreshTokenChains>>,
    /// Its name there: another source of this process may use the same token.
    holder: Holder,
    state: Mutex<TokenState>,
    /// Held while a token is requested.
    renewal: tokio::sync::Mutex<()>,
    /// Cancelled before the process ends: no further token is requested.
    closed: CancellationToken,
}

#[derive(Default)]
struct TokenState {
    refusals: Refusals,
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
        let (state, renewal, closed) = (Mutex::default(), tokio::sync::Mutex::default(), CancellationToken::new());
        Self { request, file, chains: OnceLock::new(), holder: Holder::new(), state, renewal, closed }
    }

    /// Keeps successors of the refresh token in the file where other processes find them.
    pub(super) fn share(&self, chains: &Arc<dyn RefreshTokenChains>) {
        let _ = self.chains.set(Arc::clone(chains));
    }

    /// Where the refresh token is that is taken in turn: of a sign-in, or the chain of the token that is in the file now.
    fn kept(&self) -> Result<Option<Kept>, String> {
        if let Some(sign_in) = &self.request.sign_in {
            return Ok(Some(Kept::SignIn(sign_in.clone(), self.holder)));
        }
        let Some((chains, file)) = self.chains.get().zip(self.file.as_ref()) else { return Ok(None) };
        Chain::new(chains, self.holder, &self.request, file.read()?).map(|chain| Some(Kept::Chain(Box::new(chain))))
    }

    pub(super) fn is_of_sign_in(&self) -> bool {
        self.request.sign_in.is_some()
    }

    /// Checks that a sign-in can be used, if the tokens are those of one.
    pub(super) fn check_sign_in(&self) -> Result<(), CallError> {
        let checked = self.request.sign_in.as_ref().map_or(Ok(()), AccountSignIn::check);
        checked.map_err(|reason| CallError::NotSent(format!("{}: {reason}", self.request.vendor)))
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
        self.check_sign_in()?;
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

    /// Requests a new token for a call of this operation, which was refused with the token with the number `used`;
    /// returns the number of the token to send it again with.
    pub(super) async fn renew_refused(self: &Arc<Self>, used: u64, operation: &str) -> Result<u64, CallError> {
        let is_present = self.state().count == used;
        let allowed = self.state().refusals.may_renew(operation, Instant::now());
        if let (true, Err(pause)) = (is_present, allowed) {
            return Err(CallError::NotSent(format!(
                "a token that was issued for such a refusal was refused as well, so that a permission is missing (a scope, or a \
                 right of the account) and no newer token helps; the next one is requested in {} s at the earliest",
                seconds(pause)
            )));
        }
        self.renew(used).await?;
        Ok(self.state().count)
    }

    /// Takes note that a call of this operation was not refused.
    pub(super) fn accepted(&self, used: u64, operation: &str) {
        let mut state = self.state();
        if state.count == used {
            state.refusals.accepted(operation);
        }
    }

    /// Takes note of what a token was good for that was issued for a refusal.
    pub(super) fn judge(&self, renewed: u64, helped: bool) {
        self.state().refusals.judge(renewed, helped, Instant::now());
    }

    /// Finishes what has begun, within a bound: a token that was requested is received and written. No further one is
    /// requested.
    pub(super) async fn settle(&self) {
        self.closed.cancel();
        let finished = async {
            let _renewal = self.renewal.lock().await;
            let until = Instant::now() + SAVE_WITHIN;
            while self.state().unsaved.is_some() && Instant::now() < until {
                if self.save_unsaved().await.is_err() {
                    sleep(SAVE_INTERVAL).await;
                }
            }
        };
        if timeout(SETTLE_WITHIN, finished).await.is_err() || self.state().unsaved.is_some() {
            tracing::error!(
                "{}: the process ends before a new refresh token could be stored; a person has to sign in again",
                self.request.vendor
            );
        }
    }

    /// Writes a refresh token that could not be written before.
    async fn save_unsaved(&self) -> Result<(), String> {
        if self.check_sign_in().is_err() {
            // The sign-in that it follows was ended or replaced.
            self.state().unsaved = None;
            return Ok(());
        }
        if let Some(kept) = self.kept()? {
            let present = kept.lease().await?;
            let Some(unsaved) = self.state().unsaved.take() else { return kept.release(None).await };
            if unsaved.used == present {
                return self.save_in(&kept, unsaved).await.map(drop);
            }
            return kept.release(None).await;
        }
        let Some(file) = &self.file else { return Ok(()) };
        let locked = file.lock().await?;
        let present = locked.read()?;
        let Some(unsaved) = self.state().unsaved.take() else { return Ok(()) };
        // Otherwise another process has written a newer one, and ours is spent.
        if unsaved.used == present {
            self.save(locked.reserve(), unsaved)?;
        }
        Ok(())
    }

    /// Requests a new token unless there is a newer one than the one with the number `used`.
    async fn renew(self: &Arc<Self>, used: u64) -> Result<(), CallError> {
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
        self.check_open()?;
        let issued = match (self.kept(), &self.file) {
            (Err(error), _) => Err(error),
            (Ok(Some(kept)), _) => self.request_with_kept(&kept).await,
            (Ok(None), Some(file)) => self.request_with_file(file).await,
            (Ok(None), None) => self.request_as_client().await,
        };
        let token = issued.and_then(|issued| access_token(issued, Instant::now()));
        let token = token.map_err(|message| format!("{}: {message}", self.request.vendor))?;
        let mut state = self.state();
        state.token = Some(token);
        state.count += 1;
        state.last_failure = None;
        state.refusals.new_token();
        Ok(())
    }

    async fn request_as_client(&self) -> Result<IssuedToken, String> {
        self.check_last_failure(None)?;
        let issued = endpoint::request_token(&self.request, Grant::Client).await;
        issued.map_err(|error| self.record_failure(error, None))
    }

    /// As [`Self::request_with_file`], where the token is in a store.
    async fn request_with_kept(&self, kept: &Kept) -> Result<IssuedToken, String> {
        let present = tokio::select! {
            present = kept.lease() => present?,
            () = self.closed.cancelled() => return Err(ENDING.to_owned()),
        };
        let unsaved = self.state().unsaved.take().filter(|unsaved| unsaved.used == present);
        if let Some(unsaved) = unsaved {
            return self.save_in(kept, unsaved).await;
        }
        let issued = match self.check_last_failure(Some(&present)) {
            Ok(()) => endpoint::request_token(&self.request, Grant::Refresh(&present))
                .await
                .map_err(|error| self.record_failure(error, Some(present.clone()))),
            Err(failure) => Err(failure),
        };
        match issued {
            Ok(issued) => self.save_in(kept, UnsavedRefreshToken { issued, used: present }).await,
            Err(error) => {
                // Otherwise its turn ends by itself.
                let _ = kept.release(None).await;
                Err(error)
            }
        }
    }

    /// Stores the next refresh token, if there is one; only then may the access token be used.
    async fn save_in(&self, kept: &Kept, unsaved: UnsavedRefreshToken) -> Result<IssuedToken, String> {
        let next = unsaved.issued.refresh_token.as_deref().filter(|next| *next != unsaved.used);
        match kept.release(next).await {
            Ok(()) => Ok(unsaved.issued),
            Err(error) => {
                self.state().unsaved = Some(unsaved);
                Err(error)
            }
        }
    }

    async fn request_with_file(&self, file: &TokenFile) -> Result<IssuedToken, String> {
        // Other processes may use the same file.
        let locked = tokio::select! {
            locked = file.lock() => locked?,
            () = self.closed.cancelled() => return Err(ENDING.to_owned()),
        };
        let present = locked.read()?;
        let unsaved = self.state().unsaved.take();
        if let Some(unsaved) = unsaved
            // Otherwise another process has written a newer one, and ours is spent.
            && unsaved.used == present
        {
            return self.save(locked.reserve(), unsaved);
        }
        self.check_last_failure(Some(&present))?;
        let reservation = locked.reserve()?;
        let issued = endpoint::request_token(&self.request, Grant::Refresh(&present)).await;
        let issued = issued.map_err(|error| self.record_failure(error, Some(present.clone())))?;
        self.save(Ok(reservation), UnsavedRefreshToken { issued, used: present })
    }

    /// Writes the next refresh token, if there is one; only then may the access token be used.
    fn save(
        &self,
        reservation: Result<Reservation<'_>, String>,
        unsaved: UnsavedRefreshToken,
    ) -> Result<IssuedToken, String> {
        let written = match &unsaved.issued.refresh_token {
            Some(next) if *next != unsaved.used => reservation.and_then(|reservation| reservation.write(next)),
            _ => Ok(()),
        };
        match written {
            Ok(()) => Ok(unsaved.issued),
            Err(error) => {
                self.state().unsaved = Some(unsaved);
                Err(error)
            }
        }
    }

    fn check_open(&self) -> Result<(), String> {
        if self.closed.is_cancelled() { Err(ENDING.to_owned()) } else { Ok(()) }
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
                let hint = hint(self.request.sign_in.as_ref(), self.file.as_ref().map(TokenFile::variable));
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
