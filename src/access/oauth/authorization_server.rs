//! A small authorization server: a client's request, and a link that a person brings or a person who has signed in → a code, and
//! access and refresh tokens for it (RFC 6749, RFC 7636, RFC 7591, RFC 7009, RFC 8414, RFC 9207). What it issues permits what the
//! link permits, ends with it and is revoked with it; or what `[[grants]]` permit the person, for a time. Clients have no secrets: a
//! code is bound to what the client has drawn (PKCE), and a refresh token is used once.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::client_documents::ClientDocuments;
use super::clients::Client;
use super::provider_login::{AskedPerson, ProviderLogin, current};
use super::redirects::RedirectHosts;
use super::request::{AuthorizationRequest, NotAsked, Parameters};
use super::{ProtectedResource, issued_tokens};
use crate::access::links::{Links, link_for, link_of_person};
use crate::access::{Grant, Refusal, Scopes};
use crate::error::ConfigError;
use crate::store::{
    self, AuthorizationCode, Consent, Rotation, Store, StoreError, StoredLink, StoredToken, TakenCode, TokenDigest,
    TokenKind,
};
use toolwright_model::truncate;

/// How long a person may take to decide.
const DECIDED_WITHIN: Duration = Duration::from_secs(600);
/// How long a client may take to exchange a code.
const CODE: Duration = Duration::from_secs(60);
/// For how long an access token is valid.
const ACCESS: Duration = Duration::from_secs(3_600);
/// For how long a refresh token is valid that is not used.
const REFRESH: Duration = Duration::from_secs(30 * 86_400);
/// The beginnings of what is issued: scanners for leaked secrets find it by them.
const CODE_BEGINS: &str = "toolwright_code_";
const REFRESH_BEGINS: &str = "toolwright_refresh_";
/// The lengths of a verifier (RFC 7636).
const VERIFIER: std::ops::RangeInclusive<usize> = 43..=128;

/// Issues tokens.
pub struct AuthorizationServer {
    links: Arc<Links>,
    resource: Arc<ProtectedResource>,
    hosts: RedirectHosts,
    documents: ClientDocuments,
    login: Option<Arc<ProviderLogin>>,
    clock: fn() -> SystemTime,
}

impl fmt::Debug for AuthorizationServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizationServer").field("resource", &self.resource).finish_non_exhaustive()
    }
}

/// What a person is asked to decide.
pub struct Question {
    /// What the page sends back.
    pub ticket: String,
    /// The client's request.
    pub request: AuthorizationRequest,
    /// Who is asked.
    pub giver: Giver,
    /// What there is to give.
    pub grant: Arc<Grant>,
    /// When that ends, at the latest.
    pub ends: Option<SystemTime>,
    /// The scopes that narrow it; `None`: all of it is given.
    pub scopes: Option<Scopes>,
}

/// Who is asked, by a name for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Giver {
    /// Who has brought the link with this name.
    Link(String),
    /// The person with this name, who has signed in.
    Person(String),
}

impl fmt::Debug for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Question")
            .field("client", &self.request.client_name)
            .field("giver", &self.giver)
            .finish_non_exhaustive()
    }
}

/// The error of a token request (RFC 6749, section 5.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenError {
    /// 400, with this code.
    Refused(&'static str, &'static str),
    /// 503: the store can't be reached.
    Unavailable,
}

impl From<StoreError> for TokenError {
    fn from(error: StoreError) -> Self {
        tracing::error!("access tokens can't be issued: {error}");
        Self::Unavailable
    }
}

impl AuthorizationServer {
    /// Issues tokens for a resource to those who bring its links.
    ///
    /// # Errors
    /// TLS can't be set up.
    pub fn new(
        links: Arc<Links>,
        resource: Arc<ProtectedResource>,
        hosts: RedirectHosts,
        clock: fn() -> SystemTime,
    ) -> Result<Self, ConfigError> {
        Ok(Self { links, resource, hosts, documents: ClientDocuments::new()?, login: None, clock })
    }

    /// Lets people sign in, too, in place of bringing a link.
    #[must_use]
    pub fn with_login(mut self, login: Option<Arc<ProviderLogin>>) -> Self {
        self.login = login;
        self
    }

    /// How people sign in; `None`: they bring links.
    pub fn login(&self) -> Option<&ProviderLogin> {
        self.login.as_deref()
    }

    pub(super) fn now(&self) -> SystemTime {
        (self.clock)()
    }

    /// What tokens are issued for.
    pub fn resource(&self) -> &ProtectedResource {
        &self.resource
    }

    pub(super) fn store(&self) -> &Store {
        self.links.store()
    }

    /// Its metadata (RFC 8414).
    pub fn metadata(&self) -> Value {
        let at = |path: &str| format!("{}{path}", self.resource.origin());
        json!({
            "issuer": self.resource.origin(),
            "authorization_endpoint": at("/authorize"),
            "token_endpoint": at("/token"),
            "registration_endpoint": at("/register"),
            "revocation_endpoint": at("/revoke"),
            "scopes_supported": self.resource.scopes().words(),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_methods_supported": ["none"],
            "revocation_endpoint_auth_methods_supported": ["none"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": true,
            "client_id_metadata_document_supported": true,
        })
    }

    /// Registers a client.
    ///
    /// # Errors
    /// The error of RFC 7591 and what is wrong.
    pub fn register(&self, metadata: &Value) -> Result<Value, (&'static str, String)> {
        Client::register(metadata, &self.hosts)
    }

    /// Whether an authorization request makes this server fetch a document.
    pub fn would_fetch(&self, query: &str) -> bool {
        let parameters = Parameters::read(query);
        parameters
            .is_some_and(|parameters| parameters.get("client_id").is_some_and(|id| self.documents.would_fetch(id)))
    }

    /// Reads an authorization request.
    ///
    /// # Errors
    /// The person is not asked.
    pub async fn request(&self, query: &str) -> Result<AuthorizationRequest, NotAsked> {
        let twice = || NotAsked::Told("the client's request is too long, or states something twice".to_owned());
        let parameters = Parameters::read(query).ok_or_else(twice)?;
        let Some(id) = parameters.get("client_id") else {
            return Err(NotAsked::Told("the client does not state its id (`client_id`)".to_owned()));
        };
        let client = Client::find(id, &self.hosts, &self.documents).await.map_err(NotAsked::Told)?;
        AuthorizationRequest::check(&parameters, client, &self.hosts, &self.resource, self.catalog())
    }

    fn catalog(&self) -> &crate::catalog::Catalog {
        self.links.catalog()
    }

    /// Makes the question for a request, where a valid link is brought with its second token or needs none. `browser` is what
    /// the browser keeps that is asked.
    ///
    /// # Errors
    /// The store can't be reached.
    pub async fn question(
        &self,
        request: AuthorizationRequest,
        link: &str,
        second: Option<&str>,
        browser: &str,
    ) -> Result<Option<Question>, Refusal> {
        let Some(link) = self.links.brought(token_in(link), second).await? else { return Ok(None) };
        let unreachable = |error: StoreError| Refusal::Unavailable(error.to_string());
        let giver = store::Giver::Link(link.id);
        let ticket = self.ask(&request, giver, TokenDigest::of(browser)).await.map_err(unreachable)?;
        let ends = link.grant.terms().expires;
        Ok(Some(self.asked(ticket, request, Giver::Link(link.name), link.grant, ends)))
    }

    /// Stores a question; returns what its page sends back.
    pub(super) async fn ask(
        &self,
        request: &AuthorizationRequest,
        giver: store::Giver,
        browser: TokenDigest,
    ) -> Result<String, StoreError> {
        let (ticket, digest) = TokenDigest::draw("")?;
        let request = serde_json::to_string(request).map_err(|error| StoreError::Refused(error.to_string()))?;
        let consent = Consent { ticket: digest, browser, giver, request, expires: self.now() + DECIDED_WITHIN };
        self.store().create_consent(&consent).await?;
        Ok(ticket)
    }

    pub(super) fn asked(
        &self,
        ticket: String,
        request: AuthorizationRequest,
        giver: Giver,
        grant: Arc<Grant>,
        ends: Option<SystemTime>,
    ) -> Question {
        let scopes = self.scopes(&request);
        Question { ticket, request, giver, grant, ends, scopes }
    }

    /// The scopes that a client asks for.
    fn scopes(&self, request: &AuthorizationRequest) -> Option<Scopes> {
        let words = request.scopes.as_ref().map(|words| words.iter().map(String::as_str));
        words.map(|words| Scopes::read(words, self.catalog()))
    }

    /// Takes a person's decision, once, from the browser that was asked. Returns where the person goes; `None` where the
    /// question is not open any more.
    ///
    /// # Errors
    /// The link has ended, or the store can't be reached.
    pub async fn decide(
        &self,
        ticket: &str,
        browser: &str,
        permits: bool,
        only_reads: bool,
    ) -> Result<Option<String>, StoreError> {
        let now = (self.clock)();
        let taken = self.store().take_consent(TokenDigest::of(ticket), TokenDigest::of(browser), now).await?;
        let Some(consent) = taken else { return Ok(None) };
        let Ok(request) = serde_json::from_str::<AuthorizationRequest>(&consent.request) else { return Ok(None) };
        let issuer = self.resource.origin();
        if !permits {
            return Ok(Some(request.refused("access_denied", "the person declined", issuer)));
        }
        let (link, by) = self.given(consent.giver, &request, only_reads, now).await?;
        let (code, digest) = TokenDigest::draw(CODE_BEGINS)?;
        let code_row = AuthorizationCode {
            code: digest,
            link: link.id.clone(),
            client: request.client.clone(),
            redirect: request.redirect.clone(),
            challenge: request.challenge.clone(),
            expires: now + CODE,
        };
        self.store().authorize(&link, &code_row).await?;
        tracing::warn!(by, link = link.id, name = link.name, "a client was authorized");
        Ok(Some(request.granted(&code, issuer)))
    }

    /// Makes the link of a client out of what a person gives, and names who that is.
    async fn given(
        &self,
        giver: store::Giver,
        request: &AuthorizationRequest,
        only_reads: bool,
        now: SystemTime,
    ) -> Result<(StoredLink, String), StoreError> {
        let scopes = self.scopes(request);
        match giver {
            store::Giver::Link(id) => {
                let ended = || StoreError::Refused("the link is not valid any more".to_owned());
                let parent = self.store().link(&id).await?.filter(|link| link.is_valid(now)).ok_or_else(ended)?;
                let name = format!("{} by {}", request.client_name, truncate(&parent.name, 30));
                Ok((link_for(&parent, &name, scopes.as_ref(), only_reads, now)?, parent.name))
            }
            store::Giver::Person(text) => {
                let ended = || StoreError::Refused("nobody signs in here any more".to_owned());
                let login = self.login().ok_or_else(ended)?;
                let AskedPerson { name: by, terms } = serde_json::from_str(&text).map_err(|_| ended())?;
                let name = format!("{} by {by}", request.client_name);
                let ends = now + login.lasts();
                Ok((link_of_person(terms, &name, scopes.as_ref(), only_reads, now, ends)?, by))
            }
        }
    }

    /// Answers a token request.
    ///
    /// # Errors
    /// No token is issued.
    pub async fn token(&self, form: &str) -> Result<Value, TokenError> {
        let parameters = Parameters::read(form).ok_or(TokenError::Refused("invalid_request", "the form is none"))?;
        if parameters.get("resource").is_some_and(|stated| stated != self.resource.identifier()) {
            return Err(TokenError::Refused("invalid_target", "resource must be the address of this server"));
        }
        match parameters.get("grant_type") {
            Some("authorization_code") => self.exchange(&parameters).await,
            Some("refresh_token") => self.refresh(&parameters).await,
            _ => {
                Err(TokenError::Refused("unsupported_grant_type", "grant_type is authorization_code or refresh_token"))
            }
        }
    }

    async fn exchange(&self, parameters: &Parameters) -> Result<Value, TokenError> {
        const NO_CODE: TokenError = TokenError::Refused("invalid_grant", "the code is not valid");
        let missing =
            TokenError::Refused("invalid_request", "code, client_id, redirect_uri and code_verifier are needed");
        let all = ["code", "client_id", "redirect_uri", "code_verifier"].map(|name| parameters.get(name));
        let [Some(code), Some(client), Some(redirect), Some(verifier)] = all else { return Err(missing) };
        let now = (self.clock)();
        let taken = match self.store().take_code(TokenDigest::of(code), now).await? {
            TakenCode::First(taken) => taken,
            // Somebody has the code of somebody else: what was issued for it ends too.
            TakenCode::Again(link) => {
                return Err(self.end(&link, now, "a code came again").await.err().unwrap_or(NO_CODE));
            }
            TakenCode::Unknown => return Err(NO_CODE),
        };
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
        let is_clients = bool::from(challenge.as_bytes().ct_eq(taken.challenge.as_bytes()));
        let is_sound = VERIFIER.contains(&verifier.len()) && is_clients;
        if !is_sound || taken.client != client || taken.redirect != redirect {
            let ended = self.end(&taken.link, now, "a code came with what is not its client's").await;
            return Err(ended.err().unwrap_or(NO_CODE));
        }
        let drawn = Drawn::draw(&taken.link, client, now)?;
        let answer = self.answer(&drawn, &taken.link).await?;
        self.store().create_tokens(&drawn.rows).await?;
        Ok(answer)
    }

    async fn refresh(&self, parameters: &Parameters) -> Result<Value, TokenError> {
        const NO_TOKEN: TokenError = TokenError::Refused("invalid_grant", "the refresh token is not valid");
        let (Some(refresh), Some(client)) = (parameters.get("refresh_token"), parameters.get("client_id")) else {
            return Err(TokenError::Refused("invalid_request", "refresh_token and client_id are needed"));
        };
        let (now, digest) = ((self.clock)(), TokenDigest::of(refresh));
        let Some(known) = self.store().oauth_token(digest).await? else { return Err(NO_TOKEN) };
        let drawn = Drawn::draw(&known.link, client, now)?;
        // Before the token is spent: where the link has ended nothing can come of it.
        let answer = self.answer(&drawn, &known.link).await?;
        match self.store().rotate(digest, client, &drawn.rows, now).await? {
            Rotation::Done => Ok(answer),
            // Either the client or somebody else has used it before, and nobody can tell which.
            Rotation::Reused(link) => {
                Err(self.end(&link, now, "a refresh token came again").await.err().unwrap_or(NO_TOKEN))
            }
            Rotation::Refused => Err(NO_TOKEN),
        }
    }

    /// Revokes what was issued with a token (RFC 7009); a token that there is not is revoked already.
    ///
    /// # Errors
    /// The store can't be reached.
    pub async fn revoke(&self, form: &str) -> Result<(), TokenError> {
        let parameters = Parameters::read(form).ok_or(TokenError::Refused("invalid_request", "the form is none"))?;
        let missing = TokenError::Refused("invalid_request", "token is needed");
        let token = TokenDigest::of(parameters.get("token").ok_or(missing)?);
        let Some(known) = self.store().oauth_token(token).await? else { return Ok(()) };
        if parameters.get("client_id").is_some_and(|client| client != known.client) {
            return Err(TokenError::Refused("invalid_client", "the token is of another client"));
        }
        self.end(&known.link, (self.clock)(), "the client revoked its token").await
    }

    /// Ends an authorization.
    async fn end(&self, link: &str, now: SystemTime, why: &str) -> Result<(), TokenError> {
        if self.store().revoke_link(link, now).await? > 0 {
            tracing::warn!(link, "an authorization was revoked: {why}");
        }
        Ok(())
    }

    async fn answer(&self, drawn: &Drawn, link: &str) -> Result<Value, TokenError> {
        let authorized = self.links.authorized(link).await.map_err(|_| TokenError::Unavailable)?;
        let ended = TokenError::Refused("invalid_grant", "the access has ended or was revoked");
        let authorized = match current(self.login(), authorized.ok_or_else(|| ended.clone())?, &self.resource) {
            Ok(authorized) => authorized,
            Err(Refusal::Unavailable(_)) => return Err(TokenError::Unavailable),
            Err(_) => return Err(ended),
        };
        let left = authorized.grant.terms().expires.map(|ends| ends.duration_since(self.now()).unwrap_or_default());
        let grant = &authorized.grant;
        let entries = grant.catalog().entries().iter().filter(|entry| grant.decide(entry).is_ok());
        let scopes = match &authorized.scopes {
            Some((granted, _)) => granted.of_use(&entries),
            None => Scopes::widest_of(entries),
        };
        Ok(json!({
            "access_token": drawn.access,
            "token_type": "Bearer",
            "expires_in": left.map_or(ACCESS, |left| left.min(ACCESS)).as_secs(),
            "refresh_token": drawn.refresh,
            "scope": scopes.to_string(),
        }))
    }
}

/// The token in what a person has pasted: a link's whole address, or its token alone.
fn token_in(pasted: &str) -> &str {
    let pasted = pasted.trim();
    let after = pasted.split_once("/c/").map_or(pasted, |(_, after)| after);
    after.split(['/', '?', '#']).next().unwrap_or_default()
}

/// New tokens. They are nowhere else.
struct Drawn {
    access: String,
    refresh: String,
    rows: [StoredToken; 2],
}

impl Drawn {
    fn draw(link: &str, client: &str, now: SystemTime) -> Result<Self, StoreError> {
        let (access, access_digest) = TokenDigest::draw(issued_tokens::BEGINS)?;
        let (refresh, refresh_digest) = TokenDigest::draw(REFRESH_BEGINS)?;
        let row = |token, kind, lasts| StoredToken {
            token,
            kind,
            link: link.to_owned(),
            client: client.to_owned(),
            expires: now + lasts,
        };
        let rows = [row(access_digest, TokenKind::Access, ACCESS), row(refresh_digest, TokenKind::Refresh, REFRESH)];
        Ok(Self { access, refresh, rows })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_pasted_whole_or_as_its_token() {
        for pasted in ["t0ken", " t0ken\n", "https://mcp.example.com/c/t0ken/mcp", "/c/t0ken/mcp?x=1", "/c/t0ken"] {
            assert_eq!(token_in(pasted), "t0ken", "{pasted}");
        }
    }
}
