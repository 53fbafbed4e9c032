//! An administrator who signs in at the company's identity provider → a session, if a claim makes the person one. The sign-in
//! itself is `access::oauth`'s; this is the way there, the way back, and the rule.

use std::time::{Duration, SystemTime};

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use tokio::sync::Semaphore;
use url::Url;

use super::Console;
use super::answer::{Fault, see};
use super::guard::{cookie, opened, outside};
use super::sessions::Administrator;
use super::wanted::Wanted;
use crate::access::Principal;
use crate::access::oauth::{NotSignedIn, Person, RelyingParty, SIGN_IN_WITHIN, SignIn};
use crate::error::ConfigError;
use toolwright_model::AdminClaim;

/// The way to the provider.
pub(super) const AT_PROVIDER: &str = "/login/provider";
/// The way back; the provider has to know it.
pub const CALLBACK: &str = "/callback";
/// What the cookie of a sign-in that is under way is named after the session's.
pub(super) const KEPT_FOR_PROVIDER: &str = "-provider";
/// How many codes are exchanged at once: each waits for the provider.
const AT_ONCE: usize = 8;

/// How administrators sign in at the company's identity provider.
#[derive(Debug)]
pub struct ProviderSignIn {
    party: RelyingParty,
    admins: AdminClaim,
    exchanges: Semaphore,
}

impl ProviderSignIn {
    /// Has those be administrators that have a claim with one of its values.
    ///
    /// # Errors
    /// The claim has no name or no value: nobody, or everybody, would be one.
    pub fn new(party: RelyingParty, admins: AdminClaim) -> Result<Self, ConfigError> {
        let is_empty = |text: &String| text.trim().is_empty();
        if is_empty(&admins.claim) || admins.values.is_empty() || admins.values.iter().any(is_empty) {
            return Err(ConfigError::new(
                "`admins` of `[console]` names no claim, or none of its values\n\
                 hint: such as `admins = { claim = \"groups\", values = [\"it-admins\"] }`",
            ));
        }
        Ok(Self { party, admins, exchanges: Semaphore::new(AT_ONCE) })
    }

    /// The provider's host, as people know it.
    pub(super) fn host(&self) -> String {
        let host = Url::parse(self.party.issuer()).ok().and_then(|url| url.host_str().map(str::to_owned));
        host.unwrap_or_else(|| self.party.issuer().to_owned())
    }
}

/// Sends the browser to the provider. That a page of another site can do so too gives it nothing.
pub(super) async fn begin(State(console): State<Console>, request: Request) -> Response {
    let Some(provider) = console.operating().and_then(|operating| operating.provider()) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let sign_in = match SignIn::begin() {
        Ok(sign_in) => sign_in,
        Err(error) => return outside(&error.into()),
    };
    let wanted = Wanted::of_query(request.uri().query());
    let kept = format!("{}.{}", sign_in.kept(), wanted.id());
    let answer = see(&provider.party.address(&sign_in));
    console.with_cookie(answer, request.headers(), KEPT_FOR_PROVIDER, &kept, SIGN_IN_WITHIN)
}

/// Takes a browser that the provider has sent back.
pub(super) async fn callback(State(console): State<Console>, request: Request) -> Response {
    let Some(provider) = console.operating().and_then(|operating| operating.provider()) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let (headers, query) = (request.headers(), request.uri().query().unwrap_or_default());
    let kept = cookie(headers, &format!("{}{KEPT_FOR_PROVIDER}", console.0.cookie)).unwrap_or_default();
    let (kept, wanted) = kept.split_once('.').unwrap_or((kept, ""));
    let wanted = Wanted::of_id(wanted);
    let signed_in = async {
        let person = provider.person(SignIn::of_browser(kept).as_ref(), query, console.now()).await?;
        let administrator = provider.administrator(&person)?;
        console.begin(headers, Some(administrator), opened(&wanted))
    };
    let answer = match signed_in.await {
        Ok(response) => response,
        Err(fault) => console.login_form(headers, fault.status, Some(&fault), wanted.clone()),
    };
    // It is of use once, whatever came of it.
    console.with_cookie(answer, headers, KEPT_FOR_PROVIDER, "", Duration::ZERO)
}

impl ProviderSignIn {
    async fn person(&self, sign_in: Option<&SignIn>, query: &str, now: SystemTime) -> Result<Person, Fault> {
        let busy = |_| Fault::new(StatusCode::SERVICE_UNAVAILABLE, "Too many sign in at once; try again.");
        let _place = self.exchanges.try_acquire().map_err(busy)?;
        self.party.person(sign_in, query, now).await.map_err(|error| {
            tracing::warn!(issuer = self.party.issuer(), "nobody was signed in to the console: {error}");
            let status = match &error {
                NotSignedIn::NotBegun | NotSignedIn::Refused(_) | NotSignedIn::NotShown(_) => StatusCode::FORBIDDEN,
                NotSignedIn::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            };
            Fault::new(status, &format!("You are not signed in: {error}. Try again."))
        })
    }

    fn administrator(&self, person: &Person) -> Result<Administrator, Fault> {
        let (name, issuer) = (person.name(), self.party.issuer());
        if !person.has(&self.admins.claim, &self.admins.values) {
            tracing::warn!(person = name, issuer, "is no administrator, and was not signed in to the console");
            let text = format!(
                "The identity provider knows you as {name}, and you are no administrator here. An operator names the claim of \
                 administrators in `[console]` of toolwright.toml."
            );
            return Err(Fault::new(StatusCode::FORBIDDEN, &text));
        }
        tracing::warn!(administrator = name, issuer, "signed in to the console");
        let caller = Principal::of_subject(issuer, person.subject(), &name);
        Ok(Administrator::Person { name, caller })
    }
}
