//! Bodies of requests → links and tokens; links and tokens → bodies of answers, without anything secret.

use std::collections::BTreeMap;
use std::time::SystemTime;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderValue, LOCATION};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::problem::Problem;
use crate::access::Narrowing;
use crate::access::links::{IssuedLink, LinkRequest, LinkTerms, read_time, time_text};
use crate::store::{AdminToken, StoredLink};

/// The largest body, in bytes.
const LARGEST: usize = 64 * 1024;

/// A body of JSON: read with problems for what is wrong with it, written with a status.
pub(in crate::server::http) struct Json<T>(pub(in crate::server::http) T);

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let essence = content_type.and_then(|value| value.split(';').next()).unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/json") {
            return Err(Problem::media_type());
        }
        let bytes = axum::body::to_bytes(request.into_body(), LARGEST).await.map_err(|_| Problem::too_large())?;
        serde_json::from_slice(&bytes).map(Self).map_err(|error| Problem::invalid(&format!("the body: {error}")))
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        // What is answered is text, numbers and lists of them, which can't fail.
        let body = serde_json::to_vec(&self.0).unwrap_or_default();
        ([(CONTENT_TYPE, "application/json")], Body::from(body)).into_response()
    }
}

/// An answer to what was created, with its address.
pub(super) fn created(path: &str, body: impl Serialize) -> Response {
    let mut response = (StatusCode::CREATED, Json(body)).into_response();
    if let Ok(path) = HeaderValue::from_str(path) {
        response.headers_mut().insert(LOCATION, path);
    }
    response
}

/// What a link leaves of the tools; a list that is left out or empty takes nothing away.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    /// Effects (`read`, `write`, `destructive`, `all`) or verbs.
    #[serde(default)]
    #[schema(example = json!(["read", "write"]))]
    methods: Vec<String>,
    /// Tags.
    #[serde(default)]
    #[schema(example = json!(["itsm", "support"]))]
    tags: Vec<String>,
    /// Globs of the names of tools.
    #[serde(default)]
    tools: Vec<String>,
    /// Globs of the names of tools that are left out.
    #[serde(default)]
    exclude: Vec<String>,
    /// Risks that are accepted, of those that the server accepts.
    #[serde(default)]
    allow: Vec<String>,
}

impl From<Config> for Narrowing {
    fn from(Config { methods, tags, tools, exclude, allow }: Config) -> Self {
        Self { methods, tags, tools, exclude, allow }
    }
}

impl From<Narrowing> for Config {
    fn from(Narrowing { methods, tags, tools, exclude, allow }: Narrowing) -> Self {
        Self { methods, tags, tools, exclude, allow }
    }
}

/// What a link is to permit.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::server::http) struct NewLink {
    /// Its name, for lists, records and logs.
    #[schema(example = "JSM Triage Agent Access")]
    pub(super) name: String,
    /// The accounts that serve it, at most one of a vendor. Required where the address names none; a link that narrows
    /// another one has those of that one by default.
    #[serde(default)]
    pub(in crate::server::http) accounts: Vec<String>,
    /// What it leaves of the tools.
    #[serde(default)]
    pub(super) config: Config,
    /// When it ends, with a time zone; never where it is left out.
    #[serde(default)]
    #[schema(example = "2026-12-31T23:59:59Z")]
    pub(super) expires_at: Option<String>,
    /// Whether a second token has to come with each request, as `Authorization: Bearer …`.
    #[serde(default)]
    pub(super) require_api_token_auth: bool,
}

/// What a body asks for.
pub(in crate::server::http) fn request(
    new: NewLink,
    accounts: BTreeMap<String, String>,
) -> Result<LinkRequest, Problem> {
    let expires = new.expires_at.as_deref().map(read_time).transpose();
    Ok(LinkRequest {
        name: new.name,
        accounts,
        narrowing: new.config.into(),
        expires: expires.map_err(|error| Problem::invalid(&format!("`expires_at`: {error}")))?,
        second_token: new.require_api_token_auth,
    })
}

/// A link, without what opens it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct Link {
    id: String,
    name: String,
    /// The account of each vendor.
    accounts: BTreeMap<String, String>,
    /// What takes tools away: of each link, from the first that was narrowed to this one.
    narrowings: Vec<Config>,
    /// The link that it narrows.
    parent: Option<String>,
    /// `valid`, `expired` or `revoked`.
    state: &'static str,
    require_api_token_auth: bool,
    created_at: String,
    expires_at: Option<String>,
    /// When it was used last, to about a minute.
    last_used_at: Option<String>,
}

impl Link {
    pub(super) fn of(link: StoredLink, now: SystemTime) -> Self {
        let terms = LinkTerms::read(&link.terms).unwrap_or_default();
        Self {
            state: link.state(now),
            id: link.id,
            name: link.name,
            accounts: terms.accounts,
            narrowings: terms.narrowings.into_iter().map(Config::from).collect(),
            parent: link.parent,
            require_api_token_auth: link.second_token.is_some(),
            created_at: time_text(link.created),
            expires_at: link.expires.map(time_text),
            last_used_at: link.used.map(time_text),
        }
    }
}

/// Links.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Links {
    pub(super) links: Vec<Link>,
}

/// A link that was created. Its address and second token are shown this once.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::server::http) struct CreatedLink {
    /// What clients connect to. Who has it may use the link, unless a second token is required.
    #[schema(example = "https://mcp.example.com/c/k3J…/mcp")]
    url: String,
    /// The token that clients send as `Authorization: Bearer …`, where one is required.
    api_token: Option<String>,
    /// How many tools it offers on this server.
    tools: usize,
    #[serde(flatten)]
    link: Link,
}

impl CreatedLink {
    pub(in crate::server::http) fn of(issued: IssuedLink, address: &str, tools: usize, now: SystemTime) -> Self {
        let url = issued.url(address);
        Self { url, api_token: issued.second_token, tools, link: Link::of(issued.link, now) }
    }
}

/// A token of an administrator, without what opens it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Token {
    name: String,
    created_at: String,
    /// When it was used last, to about a minute.
    last_used_at: Option<String>,
}

impl From<AdminToken> for Token {
    fn from(token: AdminToken) -> Self {
        let (created_at, last_used_at) = (time_text(token.created), token.used.map(time_text));
        Self { name: token.name, created_at, last_used_at }
    }
}

/// Tokens of administrators.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Tokens {
    pub(super) tokens: Vec<Token>,
}

/// The name of a new token.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewToken {
    pub(super) name: String,
}

/// A token that was created, shown this once.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CreatedToken {
    pub(super) name: String,
    pub(super) token: String,
}
