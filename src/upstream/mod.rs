//! A request to one vendor → its answer. Adds the credentials, keeps the request and its redirects
//! below the configured address, and bounds time and size.

mod address;
mod answer;
mod content_disposition;
mod credentials;
mod digest;
mod headers;
mod http_client;
mod limit_headers;
mod named_file;
mod pace_share;
mod public_client;
mod rate_limiter;
mod servers;
mod tls;
mod token;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::{ACCEPT, HeaderName, HeaderValue, USER_AGENT};
use reqwest::{Method, Request, Response, StatusCode};
use url::Url;

pub(crate) use address::parse_endpoint;
pub use address::{AddressError, Unencrypted, parse_address};
pub use answer::Answer;
pub(crate) use answer::{collect, read_answer, read_redirect, read_rejection, transport_error};
pub(crate) use content_disposition::{filename_of, header_text};
pub use credentials::{Credentials, SchemeCredentials};
pub(crate) use digest::RequestDigest;
pub use headers::{Headers, InvalidHeader, SettingHeader};
pub(crate) use http_client::http_client;
use http_client::user_agent;
pub(crate) use named_file::named_file;
pub use pace_share::PaceShare;
pub(crate) use public_client::public_client;
pub use rate_limiter::RateLimits;
pub(crate) use rate_limiter::{Permit, RateLimiter, wait_message};
pub use servers::{ServerAddress, Servers};
pub(crate) use tls::holds_key;
pub use tls::{Tls, TlsError};
pub use token::{AccountSignIn, KeptSignIns, KnownSignIn, SignInOf, TokenRequest};
pub(crate) use token::{ClientAuthentication, exchange_code};
pub use token::{Holder, RefreshTokenChains, SharedAnswer};

use crate::error::{CallError, ConfigError};

/// How many redirects below the configured address are followed.
const MOST_REDIRECTS: usize = 5;

/// A connection to one API of a vendor; cheap to clone.
#[derive(Clone)]
pub struct Upstream {
    inner: Arc<Inner>,
    /// Names the calling program beside this one; `None` where it is not known.
    user_agent: Option<HeaderValue>,
}

struct Inner {
    http: reqwest::Client,
    base: Url,
    /// Where operations are sent that have an address of their own.
    servers: Servers,
    credentials: Credentials,
    settings: Vec<SettingHeader>,
    /// Shared by all connections to the same vendor.
    rate_limiter: RateLimiter,
    /// In a dry run, where the request is described instead of sent.
    plan: Option<Arc<Mutex<Option<Plan>>>>,
    /// The only request that may be sent, where a person has approved it.
    approved: Option<RequestDigest>,
}

/// A request that would be sent, secrets masked.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Plan {
    /// The HTTP method.
    pub method: String,
    /// The full address.
    pub url: String,
    /// Names and values; credentials are `***`.
    pub headers: Vec<(String, String)>,
    /// The body as text, or what kind of body it is in brackets.
    pub body: Option<String>,
    /// Of the request as it is, not of what is shown of it.
    #[serde(skip)]
    pub(crate) digest: RequestDigest,
}

impl Inner {
    /// The same connection; where it only plans, its copy does too, into the same plan.
    fn copy(&self) -> Self {
        Self {
            http: self.http.clone(),
            base: self.base.clone(),
            servers: self.servers.clone(),
            credentials: self.credentials.clone(),
            settings: self.settings.clone(),
            rate_limiter: self.rate_limiter.clone(),
            plan: self.plan.clone(),
            approved: self.approved,
        }
    }
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upstream").field("base", &self.inner.base.as_str()).finish_non_exhaustive()
    }
}

impl Upstream {
    /// Connects to the API under `base`, without a rate limit.
    ///
    /// # Errors
    /// The system's TLS can't be set up.
    pub fn new(base: Url, credentials: Credentials, timeout: Duration) -> Result<Self, ConfigError> {
        Self::with_rate_limiter(base, &Tls::default(), credentials, timeout, RateLimiter::default())
    }

    /// Connects to the API under `base`; limits that answers report close `rate_limiter`.
    ///
    /// # Errors
    /// As [`Upstream::new`].
    pub(crate) fn with_rate_limiter(
        base: Url,
        tls: &Tls,
        credentials: Credentials,
        timeout: Duration,
        rate_limiter: RateLimiter,
    ) -> Result<Self, ConfigError> {
        let http = http_client(&base, tls, timeout, None, &[])?;
        let inner = Inner {
            http,
            base,
            servers: Servers::default(),
            credentials,
            settings: Vec::new(),
            rate_limiter,
            plan: None,
            approved: None,
        };
        Ok(Self { inner: Arc::new(inner), user_agent: None })
    }

    /// Returns the same connection, describing one request instead of sending it.
    #[must_use]
    pub(crate) fn planning(&self) -> Self {
        self.with(|inner| inner.plan = Some(Arc::default()))
    }

    /// Returns the same connection, sending nothing but the request with this digest.
    #[must_use]
    pub(crate) fn approved(&self, digest: RequestDigest) -> Self {
        self.with(|inner| inner.approved = Some(digest))
    }

    /// Returns the same connection, sending these settings with every request.
    #[must_use]
    pub(crate) fn with_settings(&self, settings: Vec<SettingHeader>) -> Self {
        self.with(|inner| inner.settings = settings)
    }

    /// Returns the same connection to another root of the same vendor.
    #[must_use]
    pub(crate) fn with_base(&self, base: Url) -> Self {
        self.with(|inner| inner.base = base)
    }

    /// Returns the same connection, with the addresses of operations that have their own.
    #[must_use]
    pub(crate) fn with_servers(&self, servers: Servers) -> Self {
        self.with(|inner| inner.servers = servers)
    }

    /// Returns the connection for requests of an operation that states an address of its own, or the security schemes
    /// that it takes.
    ///
    /// # Errors
    /// The account does not have the address, or the credentials.
    pub(crate) fn for_operation(
        &self,
        server: Option<&str>,
        security: Option<&[Vec<String>]>,
    ) -> Result<Self, CallError> {
        if server.is_none() && security.is_none() {
            return Ok(self.clone());
        }
        let base = server.map(|server| self.inner.servers.at(&self.inner.base, server)).transpose()?;
        let credentials = self.inner.credentials.for_schemes(security)?;
        Ok(self.with(|inner| {
            inner.credentials = credentials;
            if let Some(base) = base {
                inner.base = base;
            }
        }))
    }

    /// Returns the same connection for requests of one caller, with the credentials that it brings.
    #[must_use]
    pub(crate) fn with_credentials(&self, credentials: Credentials) -> Self {
        self.with(|inner| inner.credentials = credentials)
    }

    /// Returns the same connection for requests on behalf of a program with this name: the vendor's own records then show
    /// which of its users' programs called.
    #[must_use]
    pub(crate) fn for_client(&self, client: Option<&str>) -> Self {
        let user_agent = client.and_then(user_agent).or_else(|| self.user_agent.clone());
        Self { inner: Arc::clone(&self.inner), user_agent }
    }

    /// Returns the connection with a change.
    fn with(&self, change: impl FnOnce(&mut Inner)) -> Self {
        let mut inner = self.inner.copy();
        change(&mut inner);
        Self { inner: Arc::new(inner), user_agent: self.user_agent.clone() }
    }

    /// Returns whether an operation's security schemes choose among several credentials.
    pub(crate) fn chooses_credentials(&self) -> bool {
        self.inner.credentials.are_chosen()
    }

    /// Makes sure that the credentials are valid for a request, requesting an access token where
    /// one is needed. Returns its number for [`Upstream::renew`].
    ///
    /// # Errors
    /// The vendor issues no token; the request was not sent.
    pub(crate) async fn ready(&self) -> Result<Option<u64>, CallError> {
        self.inner.credentials.ready().await
    }

    /// Renews the access token with the number `used`, which the vendor refused for this operation, unless another
    /// caller has renewed it already or a newer one would not help; returns the number of the new one.
    ///
    /// # Errors
    /// The vendor issues no token, or none is requested.
    pub(crate) async fn renew_refused(&self, used: u64, operation: &str) -> Result<u64, CallError> {
        self.inner.credentials.renew_refused(used, operation).await
    }

    /// Takes note that the vendor did not refuse the access token with the number `used` for this operation.
    pub(crate) fn accepted(&self, used: u64, operation: &str) {
        self.inner.credentials.accepted(used, operation);
    }

    /// Takes note of whether an access token that was issued for a refusal has helped.
    pub(crate) fn judge(&self, renewed: u64, helped: bool) {
        self.inner.credentials.judge(renewed, helped);
    }

    /// Returns scheme, host and port of the vendor, for messages.
    pub(crate) fn site(&self) -> String {
        self.inner.base.origin().ascii_serialization()
    }

    /// Returns the address of an operation's path, which begins with a slash and whose parameters are encoded.
    ///
    /// # Errors
    /// The description's path makes no address.
    pub(crate) fn address_of(&self, path: &str) -> Result<Url, CallError> {
        let base = &self.inner.base;
        // A description may write a query or a fragment into a path.
        if path.contains(['?', '#']) {
            let address = format!("{}{path}", base.as_str().trim_end_matches('/'));
            return Url::parse(&address).map_err(|error| CallError::NotSent(format!("`{path}` is no path: {error}")));
        }
        // The base was read when it was configured: only the path is read for each request.
        let mut address = base.clone();
        address.set_path(&format!("{}{path}", base.path().trim_end_matches('/')));
        Ok(address)
    }

    /// Returns the HTTP client.
    pub(crate) fn http(&self) -> reqwest::Client {
        self.inner.http.clone()
    }

    /// Takes the request that was planned last.
    pub(crate) fn take_plan(&self) -> Option<Plan> {
        self.inner.plan.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Checks a request's address and adds the credentials and settings.
    ///
    /// # Errors
    /// The address is not below the configured one, or this connection only plans.
    pub(crate) fn prepare(&self, request: &mut Request) -> Result<(), CallError> {
        if !self.is_below(request.url()) {
            return Err(CallError::NotSent(format!(
                "the address `{}` is not below the configured one",
                request.url().path()
            )));
        }
        let headers = request.headers_mut();
        headers.entry(ACCEPT).or_insert(HeaderValue::from_static("application/json, */*;q=0.8"));
        if let Some(user_agent) = &self.user_agent {
            headers.insert(USER_AGENT, user_agent.clone());
        }
        if self.inner.credentials.are_missing() {
            return Err(CallError::NotSent("no credentials came with this call".to_owned()));
        }
        self.inner.credentials.check_sign_in()?;
        self.inner.credentials.apply(headers);
        for setting in &self.inner.settings {
            setting.apply(headers);
        }
        if let Some(plan) = &self.inner.plan {
            *plan.lock().unwrap_or_else(PoisonError::into_inner) = Some(self.describe(request));
            return Err(CallError::NotSent("this is a dry run".to_owned()));
        }
        if self.inner.approved.is_some_and(|approved| approved != self.digest(request)) {
            return Err(CallError::NotSent("it is not the request that was approved".to_owned()));
        }
        Ok(())
    }

    /// Sends a prepared request and follows redirects below the configured address.
    ///
    /// # Errors
    /// There is no connection, or no answer in time.
    pub(crate) async fn execute(&self, request: Request) -> reqwest::Result<Response> {
        let mut again = request.try_clone();
        let mut response = self.send(request).await?;
        for _ in 0..MOST_REDIRECTS {
            let Some(target) = self.redirect_target(&response, again.as_ref()) else { break };
            let Some(mut request) = again.take() else { break };
            *request.url_mut() = target;
            again = request.try_clone();
            response = self.send(request).await?;
        }
        Ok(response)
    }

    async fn send(&self, request: Request) -> reqwest::Result<Response> {
        let response = self.inner.http.execute(request).await?;
        self.inner.rate_limiter.update(response.status(), &limit_headers::read(response.headers()));
        Ok(response)
    }

    /// Returns the target of a redirect that may be followed: it is below the configured address
    /// and keeps the method.
    fn redirect_target(&self, response: &Response, request: Option<&Request>) -> Option<Url> {
        let method = request?.method();
        let follow = match response.status() {
            StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT => true,
            StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND | StatusCode::SEE_OTHER => {
                method == Method::GET || method == Method::HEAD
            }
            _ => false,
        };
        answer::redirect_location(response).filter(|target| follow && self.is_below(target))
    }

    fn is_below(&self, url: &Url) -> bool {
        let base = &self.inner.base;
        let prefix = base.path().trim_end_matches('/');
        url.scheme() == base.scheme()
            && url.host_str().is_some_and(|host| Some(host) == base.host_str())
            && url.port_or_known_default() == base.port_or_known_default()
            && url.username().is_empty()
            && url.path().strip_prefix(prefix).is_some_and(|rest| rest.starts_with('/'))
            && !url.path().split('/').any(|segment| matches!(segment.split(';').next(), Some("." | "..")))
    }

    fn describe(&self, request: &Request) -> Plan {
        let headers = request
            .headers()
            .iter()
            .map(|(name, value)| {
                let shown = if self.is_credential(name) || value.is_sensitive() {
                    "***"
                } else {
                    value.to_str().unwrap_or("(not text)")
                };
                (name.to_string(), shown.to_owned())
            })
            .collect();
        let body = request.body().map(|body| match body.as_bytes().map(std::str::from_utf8) {
            Some(Ok(text)) => text.to_owned(),
            Some(Err(_)) => "(bytes)".to_owned(),
            None => "(multipart form)".to_owned(),
        });
        let digest = self.digest(request);
        Plan { method: request.method().to_string(), url: request.url().to_string(), headers, body, digest }
    }

    fn digest(&self, request: &Request) -> RequestDigest {
        RequestDigest::of(request, |name| self.is_credential(name))
    }

    fn is_credential(&self, name: &HeaderName) -> bool {
        self.inner.credentials.names().contains(&name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_outside_of_the_configured_address_is_not_sent() {
        let base = parse_address("https://acme.example.com/helpdesk", &[], Unencrypted::default()).unwrap();
        let credentials = Credentials::bearer("secret").unwrap();
        let upstream = Upstream::new(base, credentials, Duration::from_secs(1)).unwrap();
        let prepared = |url: &str| {
            let mut request = Request::new(Method::GET, Url::parse(url).unwrap());
            upstream.prepare(&mut request).map(|()| request)
        };
        let fine = prepared("https://acme.example.com/helpdesk/api/Tickets").unwrap();
        assert!(fine.headers().contains_key("authorization"));
        for elsewhere in [
            "https://acme.example.com/other/api",
            "https://acme.example.com/helpdesk-of-another/api",
            "https://acme.example.com/helpdesk/../admin",
            "https://acme.example.com/helpdesk",
            "https://evil.example.com/helpdesk/api",
            "http://acme.example.com/helpdesk/api",
            "https://acme.example.com:8443/helpdesk/api",
            "https://user@acme.example.com/helpdesk/api",
        ] {
            let error = prepared(elsewhere).unwrap_err();
            assert!(matches!(error, CallError::NotSent(_)), "{elsewhere}: {error}");
        }
    }

    #[test]
    fn an_address_is_that_of_base_and_path_as_one_text() {
        for base in ["https://acme.example.com/", "https://acme.example.com/help%20desk/", "http://127.0.0.1:8080/a/b"]
        {
            let base = parse_address(base, &[], Unencrypted::default()).unwrap();
            let upstream =
                Upstream::new(base.clone(), Credentials::bearer("secret").unwrap(), Duration::from_secs(1)).unwrap();
            for path in [
                "/",
                "/api/Tickets",
                "/a%2Fb/c%3Fd",
                "/a b/é/\"<>`{}|^",
                "/a/../b/./c/",
                "/%2e%2e/x",
                "//x",
                "/a\\b",
                "/a:b@c;d=e,f",
                "/a?action=list&b=c d",
                "/#Action=List",
                "/a#b?c",
                "/tab\tand\nline",
            ] {
                let one = Url::parse(&format!("{}{path}", base.as_str().trim_end_matches('/'))).unwrap();
                assert_eq!(upstream.address_of(path).unwrap(), one, "{base} {path}");
            }
        }
    }

    #[test]
    fn debug_output_holds_no_secret() {
        let base = parse_address("https://acme.example.com", &[], Unencrypted::default()).unwrap();
        let credentials = Credentials::basic("ACME\\pat", "s3cret").unwrap();
        let shown = format!("{credentials:?} {:?}", Upstream::new(base, credentials.clone(), Duration::from_secs(1)));
        assert!(!shown.contains("s3cret") && !shown.contains("QUNNRVxwYXQ6czNjcmV0"), "{shown}");
    }
}
