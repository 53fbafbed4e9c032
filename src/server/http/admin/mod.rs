//! Requests of administrators under `/api/v1` → links, their own tokens, accounts and what is served. Off unless it is
//! asked for. Every request needs an administrator's token, but for the description of the interface. What one changes is
//! logged as a warning, so that it is in a log with default levels.

pub(super) mod bodies;
mod links;
pub(crate) mod pace;
mod problem;
mod state;
mod tokens;

use std::sync::Arc;
use std::time::SystemTime;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HeaderValue, ORIGIN};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, InfoBuilder, OpenApi, Ref, ResponseBuilder};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::hosts::Hosts;
use crate::access::{Presented, ServerPolicy};
use crate::store::{Store, TokenDigest};
use pace::Pace;
pub use problem::Problem;

/// Where the interface is.
pub(super) const PREFIX: &str = "/api/v1";
/// Its description.
const DESCRIPTION: &str = "/openapi.json";
/// How the description names the way to sign in.
const SCHEME: &str = "admin_token";

/// An account of the server, as administrators see it: without its credentials.
#[derive(Debug, Clone, serde::Serialize, utoipa::ToSchema)]
pub struct AccountState {
    /// Its name.
    pub name: String,
    /// The vendor's id.
    pub vendor: String,
    /// Whether callers without a link, or with one that names no account, are served by it.
    pub serves: bool,
    /// `ready`, or why it can't be used.
    pub state: String,
}

/// What the interface works on; cheap to clone.
#[derive(Clone)]
pub struct Admin(Arc<Inner>);

struct Inner {
    store: Store,
    policy: ServerPolicy,
    accounts: Vec<AccountState>,
    /// The beginning of links' addresses, such as `https://mcp.example.com`.
    address: String,
    /// The path of the audit log.
    audit: Option<String>,
    clock: fn() -> SystemTime,
    pace: Pace,
}

impl std::fmt::Debug for Admin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Admin").field("store", &self.0.store).finish_non_exhaustive()
    }
}

/// Who makes a request: the name of the token.
#[derive(Debug, Clone)]
struct Administrator(String);

impl Admin {
    /// An interface over a store, for the server with this policy and these accounts at this address.
    pub fn new(
        store: Store,
        policy: ServerPolicy,
        accounts: Vec<AccountState>,
        address: String,
        audit: Option<String>,
    ) -> Self {
        let clock = SystemTime::now;
        Self(Arc::new(Inner { store, policy, accounts, address, audit, clock, pace: Pace::default() }))
    }

    /// The routes, below [`PREFIX`].
    pub(super) fn router(&self, hosts: Hosts) -> Router {
        let (router, _) = routes().split_for_parts();
        let description: Arc<str> = description().to_json().unwrap_or_default().into();
        let described = get(move || async move { ([(CONTENT_TYPE, "application/json")], description.to_string()) });
        let guarded = router
            .with_state(self.clone())
            .fallback(|| async { Problem::not_found("there is no such path") })
            .method_not_allowed_fallback(|| async {
                Problem::method("the path has other methods; `/api/v1/openapi.json` describes them")
            })
            .layer(axum::middleware::from_fn_with_state(self.clone(), guard));
        let all = Router::new().route(DESCRIPTION, described).merge(guarded);
        all.layer(axum::middleware::from_fn_with_state(hosts, check_host))
    }
}

/// The description of the interface, as the server serves it.
pub fn description() -> OpenApi {
    let mut description = OpenApiRouter::new().nest(PREFIX, routes()).into_openapi();
    description.info = InfoBuilder::new()
        .title("Toolwright: administration")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some("Links for callers, tokens of administrators, and what a server has."))
        .build();
    complete(&mut description);
    description
}

/// The routes without the prefix, each with its description.
fn routes() -> OpenApiRouter<Admin> {
    OpenApiRouter::new()
        .routes(routes!(links::list, links::create))
        .routes(routes!(links::show, links::revoke))
        .routes(routes!(links::narrow))
        .routes(routes!(links::tools))
        .routes(routes!(links::create_for_account))
        .routes(routes!(state::accounts))
        .routes(routes!(state::audit))
        .routes(routes!(tokens::list, tokens::create))
        .routes(routes!(tokens::revoke))
}

/// Adds what holds for every operation: the way to sign in, and the refusals that any request may get.
fn complete(description: &mut OpenApi) {
    let components = description.components.get_or_insert_default();
    let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
    components.security_schemes.insert(SCHEME.to_owned(), SecurityScheme::Http(scheme).into());
    let refusal = |text: &str| {
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
        ResponseBuilder::new().description(text).content(problem::CONTENT_TYPE, content).build()
    };
    let paths = description.paths.paths.values_mut();
    let operations =
        paths.flat_map(|path| [&mut path.get, &mut path.post, &mut path.delete].into_iter().filter_map(Option::as_mut));
    for operation in operations {
        let requirement = utoipa::openapi::SecurityRequirement::new::<_, [&str; 0], &str>(SCHEME, []);
        operation.security = Some(vec![requirement]);
        for (status, text) in [
            ("401", "The administrator's token is missing or not valid"),
            ("403", "The host is not served, or a web page asks"),
            ("429", "Too many requests; `Retry-After` states when to ask again"),
            ("503", "The store can't be reached"),
        ] {
            operation.responses.responses.entry(status.to_owned()).or_insert_with(|| refusal(text).into());
        }
    }
}

/// Refuses hosts that are not served, and web pages: no page is meant to have an administrator's token.
async fn check_host(State(hosts): State<Hosts>, request: Request, next: Next) -> Response {
    if let Some(host) = hosts.foreign(request.headers()) {
        let detail = format!("the host `{host}` is not served; the operator names it with `--host {host}`");
        return Problem::forbidden(&detail).into_response();
    }
    if request.headers().contains_key(ORIGIN) {
        return Problem::forbidden("web pages are not served").into_response();
    }
    let mut response = next.run(request).await;
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Lets a request pass that has an administrator's token, at a bounded rate.
async fn guard(State(admin): State<Admin>, mut request: Request, next: Next) -> Response {
    match admin.administrator(request.headers()).await {
        Ok(administrator) => {
            // It goes no further.
            request.headers_mut().remove(AUTHORIZATION);
            request.extensions_mut().insert(administrator);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

impl Admin {
    async fn administrator(&self, headers: &HeaderMap) -> Result<Administrator, Problem> {
        let presented = Presented { link: None, vendor: None, headers };
        let Some(token) = presented.bearer() else { return Err(self.refused()) };
        // Before the store is asked, which a flood of guesses would keep busy.
        let token = TokenDigest::of(token);
        self.0.pace.may_look(token).map_err(Problem::too_many)?;
        let Some(found) = self.0.store.admin_token(token).await? else {
            self.0.pace.is_unknown(token);
            return Err(self.refused());
        };
        self.0.pace.may_ask(token, &found.name).map_err(Problem::too_many)?;
        let now = (self.0.clock)();
        if found.used.is_none_or(|used| now > used + std::time::Duration::from_mins(1)) {
            self.0.store.admin_token_used(&found.name, now).await?;
        }
        Ok(Administrator(found.name))
    }

    fn refused(&self) -> Problem {
        match self.0.pace.may_guess() {
            Ok(()) => Problem::unauthorized(),
            Err(wait) => Problem::too_many(wait),
        }
    }
}
