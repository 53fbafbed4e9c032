//! The gate before every request over HTTP: what a request shows → by which caller it is made, or its refusal.

use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, HeaderName};

use super::caller::Principal;
use super::grant::Grant;
use super::oauth::ScopeLimits;
use super::token_standing::{FirstRequest, TokenStanding};
use crate::error::CallError;
use crate::upstream::Credentials;
use toolwright_model::Credential;

/// The challenge of a server that takes tokens.
const BEARER: &str = "Bearer realm=\"toolwright\"";

/// What a request shows of its caller.
#[derive(Clone, Copy)]
pub struct Presented<'a> {
    /// The token in the path of a link, `/c/<token>/mcp`.
    pub link: Option<&'a str>,
    /// The vendor that the address names, `?vendor=…`.
    pub vendor: Option<&'a str>,
    /// The headers, as they came.
    pub headers: &'a HeaderMap,
}

impl<'a> Presented<'a> {
    /// The token of `Authorization: Bearer …`, if the header is there once and has one.
    pub fn bearer(&self) -> Option<&'a str> {
        let mut all = self.headers.get_all(AUTHORIZATION).iter();
        let (Some(only), None) = (all.next(), all.next()) else { return None };
        let (scheme, token) = only.to_str().ok()?.trim().split_once(' ')?;
        let token = token.trim();
        (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() && !token.contains(char::is_whitespace))
            .then_some(token)
    }

    /// Whether there is an `Authorization`, of whatever kind.
    pub fn has_authorization(&self) -> bool {
        self.headers.contains_key(AUTHORIZATION)
    }
}

impl fmt::Debug for Presented<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (link, authorization) = (self.link.is_some(), self.has_authorization());
        f.debug_struct("Presented").field("link", &link).field("authorization", &authorization).finish()
    }
}

/// A request that is served: who makes it, what the caller may do, and with whose credentials.
#[derive(Debug, Clone)]
pub struct Admitted {
    /// Who calls.
    pub principal: Principal,
    /// What it may do.
    pub grant: Arc<Grant>,
    /// The credentials that the request brings, in place of those of an account. They are used for this request alone.
    pub brought: Option<Arc<BroughtCredentials>>,
    /// What is asked again before its message is served and before anything is sent for it; `None`: what admitted it does
    /// not end.
    pub recheck: Option<Arc<dyn Recheck>>,
    /// What its caller could have with more scopes; `None`: scopes take nothing away.
    pub scopes: Option<Arc<ScopeLimits>>,
}

impl Admitted {
    /// What its caller may still do.
    pub fn standing(&self) -> Standing {
        self.recheck.as_ref().map_or(Standing::Whole, |recheck| recheck.standing())
    }
}

/// What admitted a request. Until its body is read, its turn has come and the vendor's limit allows it, minutes may pass, in
/// which that can end.
pub trait Recheck: Send + Sync + fmt::Debug {
    /// What the caller may still do.
    fn standing(&self) -> Standing;
}

/// What a caller may do now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Everything that its grant offers.
    Whole,
    /// What only reads, for this reason.
    ReadsOnly(&'static str),
    /// Nothing any more.
    Over(Refusal),
}

/// Credentials of a vendor that a request brings.
#[derive(Debug)]
pub struct BroughtCredentials {
    /// The vendor's id: they are sent to no other.
    pub vendor: String,
    /// What authenticates the requests to the vendor.
    pub credentials: Credentials,
    pub(super) standing: TokenStanding,
}

impl BroughtCredentials {
    /// Permits a request with them, waiting at most for `budget`. While the vendor does not know them, one request is under
    /// way at a time: keep what is returned until it was judged.
    ///
    /// # Errors
    /// The vendor refused them a moment ago, or too many that it does not know are being tried.
    pub async fn permit(&self, budget: Duration) -> Result<Option<FirstRequest>, CallError> {
        self.standing.permit(budget).await
    }

    /// Notes what a request with them led to.
    pub fn judge<T>(&self, result: &Result<T, CallError>) {
        match result.as_ref().map_err(CallError::status) {
            Ok(_) => self.standing.judge(true),
            Err(Some(401)) => self.standing.judge(false),
            Err(Some(status)) if status != 429 && status < 500 => self.standing.judge(true),
            // An overloaded vendor, or what is in front of it, may not have looked at them.
            Err(_) => {}
        }
    }
}

/// Why a request is not served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// 401: it carries what the server does not use, or lacks what it demands.
    Unauthorized {
        /// The value of `WWW-Authenticate`.
        challenge: Cow<'static, str>,
        /// What is wrong, and the way to be served.
        text: String,
    },
    /// 403: it is known who calls, and this is not permitted.
    Forbidden {
        /// The value of `WWW-Authenticate`, where another token would be served.
        challenge: Option<String>,
        /// What is wrong, and the way to be served.
        text: String,
    },
    /// 404: there is no such address.
    NotFound,
    /// 503: it can't be decided now.
    Unavailable(String),
}

impl Refusal {
    /// What is wrong, and the way to be served.
    pub fn text(&self) -> &str {
        match self {
            Self::Unauthorized { text, .. } | Self::Forbidden { text, .. } | Self::Unavailable(text) => text,
            Self::NotFound => "there is no such address",
        }
    }

    /// A 401 with this text.
    pub fn unauthorized(text: impl Into<String>) -> Self {
        Self::Unauthorized { challenge: Cow::Borrowed(BEARER), text: text.into() }
    }
}

/// The answer of a [`Mode`], which may have to look something up.
pub type Admission<'a> = Pin<Box<dyn Future<Output = Result<Admitted, Refusal>> + Send + 'a>>;

/// A way in which callers show who they are.
pub trait Mode: Send + Sync + fmt::Debug {
    /// Whether a request is for this mode. The modes of a server exclude each other.
    fn takes(&self, presented: Presented<'_>) -> bool;

    /// Admits a request that is for this mode.
    fn admit<'a>(&'a self, presented: Presented<'a>) -> Admission<'a>;

    /// Whether it can decide now about every request, changes included.
    fn is_ready(&self) -> bool {
        true
    }

    /// What a caller has to send, as a part of a sentence: for callers that sent something else.
    fn way(&self) -> String;

    /// The value of `WWW-Authenticate` for a request that shows nothing of its caller, where it is more than that tokens are
    /// taken.
    fn challenge(&self) -> Option<String> {
        None
    }
}

/// The gate of a server: its modes.
#[derive(Debug, Clone)]
pub struct Access {
    modes: Vec<Arc<dyn Mode>>,
    /// What any program on this machine may do, where nothing is asked of it.
    open: Option<Arc<Grant>>,
    /// Headers in which vendors take credentials: callers send them here by mistake.
    of_vendors: Vec<HeaderName>,
}

impl Access {
    /// Serves every program on this machine under one grant.
    pub fn open(grant: Arc<Grant>) -> Self {
        let of_vendors = credential_headers(&grant);
        Self { modes: Vec::new(), open: Some(grant), of_vendors }
    }

    /// Serves callers that show who they are in one of these ways; `whole` is what the server offers.
    pub fn by(modes: Vec<Arc<dyn Mode>>, whole: &Grant) -> Self {
        Self { modes, open: None, of_vendors: credential_headers(whole) }
    }

    /// Whether callers have to show who they are.
    pub fn is_controlled(&self) -> bool {
        self.open.is_none()
    }

    /// Whether each of its modes can decide now.
    pub fn is_ready(&self) -> bool {
        self.modes.iter().all(|mode| mode.is_ready())
    }

    /// Decides about a request.
    ///
    /// # Errors
    /// It is not served.
    pub async fn admit(&self, presented: Presented<'_>) -> Result<Admitted, Refusal> {
        // Before a link is looked for: the answer says nothing about it.
        if let Some(name) = self.key_of_vendor(presented).filter(|_| presented.link.is_some()) {
            return Err(Refusal::unauthorized(self.unused(name.as_str())));
        }
        if let Some(mode) = self.modes.iter().find(|mode| mode.takes(presented)) {
            let admitted = mode.admit(presented).await?;
            // The mode has used `Authorization`; beside it nothing may be left that the sender thinks is used.
            return match self.key_of_vendor(presented) {
                Some(name) => Err(Refusal::unauthorized(self.unused(name.as_str()))),
                None => Ok(admitted),
            };
        }
        if presented.link.is_some() {
            return Err(Refusal::NotFound);
        }
        if presented.has_authorization() {
            return Err(self.challenged(self.unused("Authorization")));
        }
        if let Some(name) = self.key_of_vendor(presented) {
            return Err(self.challenged(self.unused(name.as_str())));
        }
        match &self.open {
            Some(grant) => {
                let (principal, grant) = (Principal::local(), Arc::clone(grant));
                Ok(Admitted { principal, grant, brought: None, recheck: None, scopes: None })
            }
            None => Err(self.challenged(format!("this server serves known callers only\nhint: {}", self.way()))),
        }
    }

    /// A 401 that shows the way to a token, where there is one.
    fn challenged(&self, text: String) -> Refusal {
        let challenge = self.modes.iter().find_map(|mode| mode.challenge());
        Refusal::Unauthorized { challenge: challenge.map_or(Cow::Borrowed(BEARER), Cow::Owned), text }
    }

    /// The header in which a request brings a vendor's key as the vendor would take it.
    fn key_of_vendor(&self, presented: Presented<'_>) -> Option<&HeaderName> {
        self.of_vendors.iter().find(|name| presented.headers.contains_key(*name))
    }

    /// What to tell a caller whose header is of no use here.
    fn unused(&self, header: &str) -> String {
        match &self.open {
            Some(_) => format!(
                "`{header}` is not used by this server, which acts with credentials of its own\n\
                 hint: connect without it; to act with your own token, ask the operator to start the server with \
                 `--access vendor-token`"
            ),
            None => format!("`{header}` is not taken here\nhint: {}", self.way()),
        }
    }

    fn way(&self) -> String {
        let ways: Vec<String> = self.modes.iter().map(|mode| mode.way()).collect();
        ways.join(", or ")
    }
}

/// The headers other than `Authorization` in which the vendors of a catalog take credentials.
fn credential_headers(grant: &Grant) -> Vec<HeaderName> {
    let vendors = grant.catalog().vendors().iter();
    let names = vendors.flat_map(|vendor| &vendor.credentials).flat_map(Credential::headers);
    names.filter_map(|name| name.parse().ok()).filter(|name| *name != AUTHORIZATION).collect()
}
