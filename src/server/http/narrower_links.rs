//! Requests to `/c/<token>/links` → a link that permits less than the one of the address and ends sooner: for a helper of
//! its bearer, such as a second assistant. No administrator is asked: a bearer could pass on all of the link.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::extract::{FromRequest as _, Request};
use axum::http::header::{CACHE_CONTROL, HeaderValue, ORIGIN};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse as _, Response};

use super::admin::Problem;
use super::admin::bodies::{CreatedLink, Json, NewLink, request};
use super::admin::pace::Pace;
use super::admission;
use crate::access::links::{LinkTerms, narrow};
use crate::access::{Access, Presented, ServerPolicy};
use crate::store::{Store, StoredLink};

/// For how long such a link is valid where nothing is said.
const USUAL: Duration = Duration::from_hours(1);
/// For how long it can be valid.
const LONGEST: Duration = Duration::from_hours(24);

/// Makes links for the bearers of links; cheap to clone.
#[derive(Clone)]
pub struct NarrowerLinks(Arc<Inner>);

struct Inner {
    store: Store,
    policy: ServerPolicy,
    /// The beginning of links' addresses, such as `https://mcp.example.com`.
    address: String,
    clock: fn() -> SystemTime,
    pace: Pace,
}

impl std::fmt::Debug for NarrowerLinks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NarrowerLinks").field("store", &self.0.store).finish_non_exhaustive()
    }
}

/// The token in the path of this interface.
pub(super) fn link_in(path: &str) -> Option<&str> {
    path.strip_prefix("/c/")?.strip_suffix("/links").filter(|token| !token.contains('/'))
}

impl NarrowerLinks {
    /// Makes links in a store, for the server with this policy at this address.
    pub fn new(store: Store, policy: ServerPolicy, address: String, clock: fn() -> SystemTime) -> Self {
        Self(Arc::new(Inner { store, policy, address, clock, pace: Pace::default() }))
    }

    /// Answers a request whose host is served.
    pub(super) async fn answer(&self, access: &Access, incoming: Request) -> Response {
        let presented = Presented { link: link_in(incoming.uri().path()), vendor: None, headers: incoming.headers() };
        let mut response = match access.admit(presented).await {
            Err(refusal) => admission::refused(refusal),
            Ok(admitted) => match admitted.principal.link() {
                Some(link) => {
                    let link = link.to_owned();
                    self.create(&link, incoming).await.unwrap_or_else(Problem::into_response)
                }
                None => super::not_found(),
            },
        };
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }

    /// The id of the link that was not made from another one. There are few above any link: their number is bounded.
    async fn root(&self, link: &StoredLink) -> Result<String, Problem> {
        let (mut id, mut above) = (link.id.clone(), link.parent.clone());
        while let Some(parent) = above {
            above = self.0.store.link(&parent).await?.and_then(|link| link.parent);
            id = parent;
        }
        Ok(id)
    }

    async fn create(&self, link: &str, incoming: Request) -> Result<Response, Problem> {
        if incoming.method() != Method::POST {
            return Err(Problem::method("a link is made with POST"));
        }
        if incoming.headers().contains_key(ORIGIN) {
            return Err(Problem::forbidden("web pages are not served"));
        }
        let Inner { store, policy, address, clock, pace } = &*self.0;
        pace.may_narrow(link).map_err(Problem::too_many)?;
        let Json(new): Json<NewLink> = Json::from_request(incoming, &()).await?;
        // Read again, with all that may have ended while the body came.
        let gone = || Problem::not_found("the link is not valid any more");
        let parent = store.link(link).await?.ok_or_else(gone)?;
        let root = self.root(&parent).await?;
        if root != parent.id {
            // Counted for the first one too: otherwise each new link could make ten more.
            pace.may_narrow(&root).map_err(Problem::too_many)?;
        }
        let now = clock();
        let accounts = accounts_of(&parent, &new.accounts)?;
        let mut request = request(new, accounts)?;
        let latest = parent.expires.map_or(now + LONGEST, |ends| ends.min(now + LONGEST));
        match request.expires {
            None => request.expires = Some(latest.min(now + USUAL)),
            Some(ends) if ends > latest => {
                let detail =
                    "`expires_at` is too late: such a link ends within 24 hours, and with the one that it narrows";
                return Err(Problem::invalid(detail));
            }
            Some(_) => {}
        }
        let issued = narrow(store, policy.catalog(), link, request, now).await?;
        tracing::warn!(by = parent.name, link = issued.link.id, name = issued.link.name, "a link made a narrower one");
        let terms = LinkTerms::read(&issued.link.terms)
            .map(|terms| terms.of(&issued.link.id, &issued.link.name, issued.link.expires));
        let tools = terms.and_then(|terms| policy.grant(terms)).map_or(0, |grant| grant.offered().len());
        // Without `Location`: its address is a secret.
        Ok((StatusCode::CREATED, Json(CreatedLink::of(issued, address, tools, now))).into_response())
    }
}

/// Those of a link's accounts that are named; all of them where none is.
fn accounts_of(parent: &StoredLink, names: &[String]) -> Result<BTreeMap<String, String>, Problem> {
    let terms = LinkTerms::read(&parent.terms).map_err(|error| Problem::invalid(&error.to_string()))?;
    if let Some(unknown) = names.iter().find(|name| !terms.accounts.values().any(|account| account == *name)) {
        return Err(Problem::invalid(&format!(
            "the link has no account `{}`",
            toolwright_model::truncate(unknown, 80)
        )));
    }
    let accounts = terms.accounts.into_iter();
    Ok(accounts.filter(|(_, account)| names.is_empty() || names.contains(account)).collect())
}
