//! The values of a vendor's credential variables → the headers that carry them. The values are
//! never printed: not by `Debug`, not by an error.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderName, HeaderValue};

use super::headers::{InvalidHeader, secret};
use super::token::{RefreshTokenChains, TokenRequest, TokenSource, scopes_in};
use crate::error::CallError;

/// The credentials of one connection; cheap to clone.
#[derive(Clone)]
pub struct Credentials {
    inner: Inner,
    /// Those among which an operation's security schemes choose; empty where these serve for all.
    by_scheme: Arc<[SchemeCredentials]>,
}

/// Credentials that are for some operations.
#[derive(Clone)]
pub struct SchemeCredentials {
    /// The security schemes that they carry; empty where they serve for all.
    pub schemes: Vec<String>,
    /// The credentials, or the variables to set.
    pub credentials: Result<Credentials, String>,
}

#[derive(Clone)]
enum Inner {
    /// Headers that stay the same.
    Fixed {
        headers: Vec<(HeaderName, HeaderValue)>,
        /// The scopes that a bearer token states.
        scopes: Option<Vec<String>>,
    },
    /// Access tokens that are requested and renewed.
    Renewed(Arc<TokenSource>),
    /// What an operation needs together.
    Several(Vec<Credentials>),
    /// None: each call brings its own.
    Missing,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.names().into_iter().map(HeaderName::as_str).collect();
        write!(f, "Credentials({}: ***)", names.join(", "))
    }
}

impl Credentials {
    fn of(inner: Inner) -> Self {
        Self { inner, by_scheme: Arc::default() }
    }

    /// The same, where an operation's security schemes choose among several. An operation that states none takes these.
    #[must_use]
    pub fn by_scheme(self, several: Vec<SchemeCredentials>) -> Self {
        Self { by_scheme: several.into(), ..self }
    }

    /// Returns whether an operation's security schemes choose among several.
    pub(super) fn are_chosen(&self) -> bool {
        !self.by_scheme.is_empty()
    }

    /// The credentials of a request that needs all security schemes of any one of `ways`, and none at all where there is
    /// no way; these where nothing is stated, or where there is no choice.
    ///
    /// # Errors
    /// The variables of no such credentials are set.
    pub(super) fn for_schemes(&self, ways: Option<&[Vec<String>]>) -> Result<Self, CallError> {
        let Some(ways) = ways.filter(|_| !self.by_scheme.is_empty()) else { return Ok(self.clone()) };
        let mut unset: Option<CallError> = None;
        // A way that needs nothing comes last: who has credentials may be shown more.
        for way in ways.iter().filter(|way| !way.is_empty()) {
            match self.together(way) {
                Ok(mut several) if several.len() == 1 => return Ok(several.remove(0)),
                Ok(several) => return Ok(Self::of(Inner::Several(several))),
                Err(error) => unset = unset.or(Some(error)),
            }
        }
        match unset {
            Some(error) if !ways.iter().any(Vec::is_empty) => Err(error),
            _ => Ok(Self::of(Inner::Fixed { headers: Vec::new(), scopes: None })),
        }
    }

    /// The credentials that carry these security schemes together: one that carries all, or several.
    fn together(&self, way: &[String]) -> Result<Vec<Self>, CallError> {
        let carries =
            |one: &&SchemeCredentials, scheme: &String| one.schemes.is_empty() || one.schemes.contains(scheme);
        let mut whole = self.by_scheme.iter().filter(|one| way.iter().all(|scheme| carries(one, scheme)));
        if let Some(credentials) = whole.find_map(|one| one.credentials.as_ref().ok()) {
            return Ok(vec![credentials.clone()]);
        }
        let of_scheme = |scheme: &String| {
            let mut fit = self.by_scheme.iter().filter(|one| carries(one, scheme));
            let set = fit.clone().find_map(|one| one.credentials.as_ref().ok());
            set.cloned().ok_or_else(|| match fit.find_map(|one| one.credentials.as_ref().err()) {
                Some(variables) => CallError::NotSent(format!(
                    "the operation needs the credentials `{scheme}`, which are not set: their variables are {variables}"
                )),
                None => CallError::NotSent(format!(
                    "the operation needs the credentials `{scheme}`, which vendor.toml does not state"
                )),
            })
        };
        way.iter().map(of_scheme).collect()
    }

    /// `Authorization: Bearer …`
    ///
    /// # Errors
    /// No header can carry the token.
    pub fn bearer(token: &str) -> Result<Self, InvalidHeader> {
        let headers = vec![(AUTHORIZATION, secret(&format!("Bearer {token}"))?)];
        Ok(Self::of(Inner::Fixed { headers, scopes: scopes_in(token) }))
    }

    /// `Authorization: Basic …`; the user name is sent as it is, `DOMAIN\user` too.
    ///
    /// # Errors
    /// Never in practice: base64 fits into a header.
    pub fn basic(user: &str, password: &str) -> Result<Self, InvalidHeader> {
        let value = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
        Ok(Self::of(Inner::Fixed { headers: vec![(AUTHORIZATION, secret(&value)?)], scopes: None }))
    }

    /// Headers that the vendor defines: names and values.
    ///
    /// # Errors
    /// A name or a value can't be a header.
    pub fn headers<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Result<Self, InvalidHeader> {
        let header = |(name, value): (&str, &str)| Ok((name.parse().map_err(|_| InvalidHeader)?, secret(value)?));
        Ok(Self::of(Inner::Fixed { headers: pairs.map(header).collect::<Result<_, _>>()?, scopes: None }))
    }

    /// An access token that is requested on first use and renewed.
    pub(crate) fn renewed(request: TokenRequest) -> Self {
        Self::of(Inner::Renewed(Arc::new(TokenSource::new(request))))
    }

    /// Shares refresh tokens with other processes, where these credentials have one.
    pub fn share(&self, chains: &Arc<dyn RefreshTokenChains>) {
        for tokens in self.all_tokens() {
            tokens.share(chains);
        }
    }

    /// Every source of tokens, also of those that only some operations take.
    fn all_tokens(&self) -> impl Iterator<Item = &Arc<TokenSource>> {
        let others = self.by_scheme.iter().filter_map(|one| one.credentials.as_ref().ok());
        std::iter::once(self).chain(others).filter_map(Self::tokens)
    }

    /// The source of the tokens that a request carries; of several, the first.
    fn tokens(&self) -> Option<&Arc<TokenSource>> {
        match &self.inner {
            Inner::Renewed(tokens) => Some(tokens),
            Inner::Several(several) => several.iter().find_map(Self::tokens),
            Inner::Fixed { .. } | Inner::Missing => None,
        }
    }

    /// No credentials, for an address to which callers bring their own: nothing is sent without those.
    pub fn missing() -> Self {
        Self::of(Inner::Missing)
    }

    /// Returns whether there are none.
    pub(crate) fn are_missing(&self) -> bool {
        matches!(self.inner, Inner::Missing)
    }

    /// Checks that the sign-in of a person can be used, where these are tokens of one: before that not even the address is
    /// known.
    ///
    /// # Errors
    /// Nobody has signed in, or the sign-in has ended.
    pub(crate) fn check_sign_in(&self) -> Result<(), CallError> {
        self.tokens().map_or(Ok(()), |tokens| tokens.check_sign_in())
    }

    /// Returns whether these are the tokens of a person's sign-in that is kept in a store.
    pub(crate) fn are_of_sign_in(&self) -> bool {
        self.tokens().is_some_and(|tokens| tokens.is_of_sign_in())
    }

    /// Returns whether these are tokens that have to be renewed.
    pub fn are_renewed(&self) -> bool {
        self.tokens().is_some()
    }

    /// Returns the token's scopes, where the token or its issuer states them.
    pub fn scopes(&self) -> Option<Vec<String>> {
        match &self.inner {
            Inner::Fixed { scopes, .. } => scopes.clone(),
            Inner::Renewed(tokens) => tokens.scopes(),
            Inner::Several(several) => several.iter().find_map(Self::scopes),
            Inner::Missing => None,
        }
    }

    /// Makes sure of a valid token; returns its number.
    pub(super) async fn ready(&self) -> Result<Option<u64>, CallError> {
        match self.tokens() {
            Some(tokens) => tokens.ready().await.map(Some),
            None => Ok(None),
        }
    }

    /// Requests a new token for a call of this operation, which was refused with the token with the number `used`;
    /// returns the number of the token to send it again with.
    pub(super) async fn renew_refused(&self, used: u64, operation: &str) -> Result<u64, CallError> {
        match self.tokens() {
            Some(tokens) => tokens.renew_refused(used, operation).await,
            None => Ok(used),
        }
    }

    /// Takes note that a call of this operation was not refused with the token with the number `used`.
    pub(super) fn accepted(&self, used: u64, operation: &str) {
        if let Some(tokens) = self.tokens() {
            tokens.accepted(used, operation);
        }
    }

    /// Takes note of whether a token that was issued for a refusal has helped.
    pub(super) fn judge(&self, renewed: u64, helped: bool) {
        if let Some(tokens) = self.tokens() {
            tokens.judge(renewed, helped);
        }
    }

    /// Before a process ends: finishes a request for a token that has begun, within a bound, and begins no further one.
    pub(crate) async fn settle(&self) {
        for tokens in self.all_tokens() {
            tokens.settle().await;
        }
    }

    /// Sets the credentials on a request's headers, in place of any that are there; cookies are added to those of the
    /// request. A token that was not requested yet has a placeholder, for dry runs.
    pub(crate) fn apply(&self, headers: &mut HeaderMap) {
        match &self.inner {
            Inner::Fixed { headers: own, .. } => {
                for (name, value) in own {
                    let before = headers.get(name).filter(|_| *name == COOKIE);
                    let value = before.and_then(|before| both_cookies(before, value)).unwrap_or_else(|| value.clone());
                    headers.insert(name.clone(), value);
                }
            }
            Inner::Renewed(tokens) => {
                headers.insert(AUTHORIZATION, tokens.header());
            }
            Inner::Several(several) => several.iter().for_each(|one| one.apply(headers)),
            Inner::Missing => {}
        }
    }

    /// Returns the names of the headers that carry the credentials.
    pub(crate) fn names(&self) -> Vec<&HeaderName> {
        match &self.inner {
            Inner::Fixed { headers, .. } => headers.iter().map(|(name, _)| name).collect(),
            Inner::Renewed(_) => vec![&AUTHORIZATION],
            Inner::Several(several) => several.iter().flat_map(Self::names).collect(),
            Inner::Missing => Vec::new(),
        }
    }
}

/// The cookies of a request and those of the credentials, as one header that is not shown.
fn both_cookies(of_request: &HeaderValue, own: &HeaderValue) -> Option<HeaderValue> {
    let both = [of_request.as_bytes(), b"; ", own.as_bytes()].concat();
    let mut both = HeaderValue::from_bytes(&both).ok()?;
    both.set_sensitive(true);
    Some(both)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a request with these ways carries, or why it is not sent.
    fn sent(credentials: &Credentials, ways: &[&[&str]]) -> Result<Vec<String>, String> {
        let ways: Vec<Vec<String>> =
            ways.iter().map(|way| way.iter().map(|scheme| (*scheme).to_owned()).collect()).collect();
        let chosen = credentials.for_schemes(Some(&ways)).map_err(|error| error.to_string())?;
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, HeaderValue::from_static("theme=dark"));
        chosen.apply(&mut headers);
        let shown = headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()));
        let mut shown: Vec<String> = shown.filter(|line| line != "cookie: theme=dark").collect();
        shown.sort();
        Ok(shown)
    }

    #[test]
    fn an_operation_takes_the_credentials_of_its_schemes() {
        let header = |name: &str, value: &str| Credentials::headers([(name, value)].into_iter()).unwrap();
        let set = |schemes: &[&str], credentials: &Credentials| SchemeCredentials {
            schemes: schemes.iter().map(|scheme| (*scheme).to_owned()).collect(),
            credentials: Ok(credentials.clone()),
        };
        let (key, app, sid) = (header("x-key", "k"), header("x-app", "a"), header("cookie", "sid=s"));
        let unset = SchemeCredentials { schemes: vec!["basic".to_owned()], credentials: Err("`A_USER`".to_owned()) };
        let all = vec![set(&["key"], &key), set(&["app"], &app), set(&["session"], &sid), unset];
        let credentials = key.clone().by_scheme(all);
        let texts = |lines: &[&str]| Ok(lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>());
        assert_eq!(sent(&credentials, &[&["key"]]), texts(&["x-key: k"]));
        assert_eq!(sent(&credentials, &[&["key", "app"]]), texts(&["x-app: a", "x-key: k"]));
        // The first of several ways whose credentials are set.
        assert_eq!(sent(&credentials, &[&["basic"], &["app"], &["key"]]), texts(&["x-app: a"]));
        assert_eq!(sent(&credentials, &[&[], &["key"]]), texts(&["x-key: k"]));
        assert_eq!(sent(&credentials, &[&["basic"], &[]]), texts(&[]));
        assert_eq!(sent(&credentials, &[]), texts(&[]));
        assert_eq!(sent(&credentials, &[&["session"]]), texts(&["cookie: theme=dark; sid=s"]));
        for (ways, expected) in [(&[&["key", "basic"][..]][..], "`A_USER`"), (&[&["other"]], "does not state")] {
            let error = sent(&credentials, ways).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
        // Nothing is stated; or there is no choice.
        assert_eq!(credentials.for_schemes(None).unwrap().names(), key.names());
        assert_eq!(sent(&app, &[&["key"]]), texts(&["x-app: a"]));
    }
}
