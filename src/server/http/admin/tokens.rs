//! Requests to `/tokens` → tokens of administrators. The first comes from the command line.

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};

use super::bodies::{CreatedToken, Json, NewToken, Tokens, created};
use super::problem::Problem;
use super::{Admin, Administrator, PREFIX};
use crate::access::links::create_admin_token;

/// Lists the tokens of administrators.
#[utoipa::path(get, path = "/tokens", tag = "tokens", responses((status = 200, body = Tokens)))]
pub(super) async fn list(State(admin): State<Admin>) -> Result<Json<Tokens>, Problem> {
    let tokens = admin.0.store.admin_tokens().await?.into_iter().map(Into::into).collect();
    Ok(Json(Tokens { tokens }))
}

/// Creates a token of an administrator.
#[utoipa::path(
    post, path = "/tokens", tag = "tokens", request_body = NewToken,
    responses(
        (status = 201, body = CreatedToken),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 413, body = Problem, content_type = "application/problem+json"),
        (status = 415, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn create(
    State(admin): State<Admin>,
    Extension(by): Extension<Administrator>,
    Json(new): Json<NewToken>,
) -> Result<Response, Problem> {
    let token = create_admin_token(&admin.0.store, &new.name, (admin.0.clock)()).await?;
    tracing::warn!(administrator = by.0, token = new.name, "created a token of an administrator");
    Ok(created(&format!("{PREFIX}/tokens/{}", new.name), CreatedToken { name: new.name, token }))
}

/// Revokes a token of an administrator, at once.
#[utoipa::path(
    delete, path = "/tokens/{name}", tag = "tokens",
    params(("name" = String, Path, description = "The name of the token")),
    responses(
        (status = 204, description = "It is revoked"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn revoke(
    State(admin): State<Admin>,
    Path(name): Path<String>,
    Extension(by): Extension<Administrator>,
) -> Result<Response, Problem> {
    if !admin.0.store.revoke_admin_token(&name).await? {
        return Err(Problem::not_found("there is no token with this name; `/api/v1/tokens` lists them"));
    }
    tracing::warn!(administrator = by.0, token = name, "revoked a token of an administrator");
    Ok(StatusCode::NO_CONTENT.into_response())
}
