//! Requests to `/links` and `/accounts/{account}/mcp` → links in the store, from their creation to their end.

use std::collections::BTreeMap;

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::bodies::{CreatedLink, Json, Link, Links, NewLink, created, request};
use super::problem::Problem;
use super::{Admin, Administrator, PREFIX};
use crate::access::Grant;
use crate::access::links::{IssuedLink, LinkTerms, issue, narrow as narrow_link};
use crate::store::StoredLink;

/// A tool that a link offers.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OfferedTool {
    name: String,
    title: String,
    vendor: String,
    /// `read`, `write` or `destructive`; null where no person has looked.
    effect: Option<String>,
    risks: Vec<String>,
    tags: Vec<String>,
    description: String,
}

/// The tools that a link offers on this server.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OfferedTools {
    tools: Vec<OfferedTool>,
}

/// Lists every link, the newest first.
#[utoipa::path(get, path = "/links", tag = "links", responses((status = 200, body = Links)))]
pub(super) async fn list(State(admin): State<Admin>) -> Result<Json<Links>, Problem> {
    let now = (admin.0.clock)();
    let links = admin.0.store.links().await?.into_iter().map(|link| Link::of(link, now)).collect();
    Ok(Json(Links { links }))
}

/// Creates a link.
#[utoipa::path(
    post, path = "/links", tag = "links", request_body = NewLink,
    responses(
        (status = 201, body = CreatedLink),
        (status = 413, body = Problem, content_type = "application/problem+json"),
        (status = 415, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn create(
    State(admin): State<Admin>,
    Extension(by): Extension<Administrator>,
    Json(new): Json<NewLink>,
) -> Result<Response, Problem> {
    let accounts = admin.accounts_of(&new.accounts)?;
    admin.create_link(new, accounts, &by).await
}

/// Creates a link for one account.
#[utoipa::path(
    post, path = "/accounts/{account}/mcp", tag = "links", request_body = NewLink,
    params(("account" = String, Path, description = "The name of the account")),
    responses(
        (status = 201, body = CreatedLink),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 413, body = Problem, content_type = "application/problem+json"),
        (status = 415, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn create_for_account(
    State(admin): State<Admin>,
    Path(account): Path<String>,
    Extension(by): Extension<Administrator>,
    Json(new): Json<NewLink>,
) -> Result<Response, Problem> {
    if !new.accounts.is_empty() {
        return Err(Problem::invalid("`accounts` is for `/links`; here the address names the account"));
    }
    let accounts = admin.accounts_of(&[account]).map_err(Problem::into_not_found)?;
    admin.create_link(new, accounts, &by).await
}

/// Shows a link, also one that is not valid any more.
#[utoipa::path(
    get, path = "/links/{id}", tag = "links", params(("id" = String, Path, description = "The id of the link")),
    responses(
        (status = 200, body = Link),
        (status = 404, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn show(State(admin): State<Admin>, Path(id): Path<String>) -> Result<Json<Link>, Problem> {
    let link = admin.link(&id).await?;
    Ok(Json(Link::of(link, (admin.0.clock)())))
}

/// Revokes a link and all that narrow it. A link that was revoked before stays so.
#[utoipa::path(
    delete, path = "/links/{id}", tag = "links", params(("id" = String, Path, description = "The id of the link")),
    responses(
        (status = 204, description = "It is revoked, within a second on every server"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn revoke(
    State(admin): State<Admin>,
    Path(id): Path<String>,
    Extension(by): Extension<Administrator>,
) -> Result<Response, Problem> {
    let link = admin.link(&id).await?;
    let count = admin.0.store.revoke_link(&link.id, (admin.0.clock)()).await?;
    tracing::warn!(administrator = by.0, link = link.id, name = link.name, count, "revoked a link");
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Creates a link that narrows another one: it permits what both permit, ends no later, and is revoked with it.
#[utoipa::path(
    post, path = "/links/{id}/narrow", tag = "links", request_body = NewLink,
    params(("id" = String, Path, description = "The id of the link that is narrowed")),
    responses(
        (status = 201, body = CreatedLink),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 413, body = Problem, content_type = "application/problem+json"),
        (status = 415, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn narrow(
    State(admin): State<Admin>,
    Path(id): Path<String>,
    Extension(by): Extension<Administrator>,
    Json(new): Json<NewLink>,
) -> Result<Response, Problem> {
    let accounts = admin.accounts_of(&new.accounts)?;
    let request = request(new, accounts)?;
    let (store, catalog) = (&admin.0.store, admin.0.policy.catalog());
    let issued = narrow_link(store, catalog, &id, request, (admin.0.clock)()).await?;
    Ok(admin.answer(issued, &by))
}

/// Lists the tools that a link offers on this server.
#[utoipa::path(
    get, path = "/links/{id}/tools", tag = "links", params(("id" = String, Path, description = "The id of the link")),
    responses(
        (status = 200, body = OfferedTools),
        (status = 404, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn tools(State(admin): State<Admin>, Path(id): Path<String>) -> Result<Json<OfferedTools>, Problem> {
    let link = admin.link(&id).await?;
    let grant = admin.grant(&link)?;
    let entries = admin.0.policy.catalog().entries().iter().enumerate();
    let offered = entries.filter(|(position, _)| grant.offered().contains(*position)).map(|(_, entry)| OfferedTool {
        name: entry.tool.name.clone(),
        title: entry.tool.title.clone(),
        vendor: entry.vendor.clone(),
        effect: entry.tool.effect.map(|effect| effect.as_str().to_owned()),
        risks: entry.tool.risks.iter().map(|risk| risk.as_str().to_owned()).collect(),
        tags: entry.tool.tags.iter().cloned().collect(),
        description: entry.tool.description.clone(),
    });
    Ok(Json(OfferedTools { tools: offered.collect() }))
}

impl Admin {
    async fn link(&self, id: &str) -> Result<StoredLink, Problem> {
        let found = self.0.store.link(id).await?;
        found.ok_or_else(|| Problem::not_found("there is no link with this id; `/api/v1/links` lists them"))
    }

    /// The accounts with these names, by their vendors.
    fn accounts_of(&self, names: &[String]) -> Result<BTreeMap<String, String>, Problem> {
        let mut accounts = BTreeMap::new();
        for name in names {
            let known = self.0.accounts.iter().find(|account| account.name == *name);
            let Some(account) = known else {
                return Err(Problem::invalid("there is no such account; `/api/v1/accounts` lists them"));
            };
            if accounts.insert(account.vendor.clone(), name.clone()).is_some() {
                return Err(Problem::invalid(&format!("`accounts` names two of the vendor `{}`", account.vendor)));
            }
        }
        Ok(accounts)
    }

    async fn create_link(
        &self,
        new: NewLink,
        accounts: BTreeMap<String, String>,
        by: &Administrator,
    ) -> Result<Response, Problem> {
        let request = request(new, accounts)?;
        let policy = &self.0.policy;
        let offers = |entry: &crate::catalog::CatalogEntry| policy.selection().decide(entry);
        let issued = issue(&self.0.store, policy.catalog(), Some(&offers), request, (self.0.clock)()).await?;
        Ok(self.answer(issued, by))
    }

    fn answer(&self, issued: IssuedLink, by: &Administrator) -> Response {
        tracing::warn!(administrator = by.0, link = issued.link.id, name = issued.link.name, "created a link");
        let tools = self.grant(&issued.link).map_or(0, |grant| grant.offered().len());
        let path = format!("{PREFIX}/links/{}", issued.link.id);
        created(&path, CreatedLink::of(issued, &self.0.address, tools, (self.0.clock)()))
    }

    /// What a link permits on this server.
    fn grant(&self, link: &StoredLink) -> Result<Grant, Problem> {
        let terms = LinkTerms::read(&link.terms).map(|terms| terms.of(&link.id, &link.name, link.expires));
        terms.and_then(|terms| self.0.policy.grant(terms)).map_err(|error| Problem::invalid(&error.to_string()))
    }
}
