//! A server and its store → the pages of administrators: accounts, links, approvals, the record of calls, and figures. They show
//! what the interface under `/api/v1` and the record show, and no credentials. Every route is behind the guard of the console.

mod accounts;
mod approvals;
mod figures;
mod hours;
mod links;
mod plan_view;
mod record;

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::{get, post};
use tokio::sync::Mutex;

use super::Console;
use super::answer::Fault;
use super::provider::ProviderSignIn;
use super::sessions::Session;
use super::vendor_sign_ins::{VENDOR_CALLBACK, VendorSignIns};
use crate::access::ServerPolicy;
use crate::call::Toolbox;
use crate::catalog::Catalog;
use crate::server::http::admin::AccountState;
use crate::store::Store;

/// What the pages for administrators are made of.
pub struct Operating {
    store: Store,
    toolbox: Arc<Toolbox>,
    accounts: Vec<AccountState>,
    /// The beginning of links' addresses, such as `https://mcp.example.com`.
    address: String,
    /// The audit log.
    audit: Option<PathBuf>,
    /// One record is read at a time: it may be long.
    reading: Mutex<()>,
    /// How administrators sign in at the company's identity provider, beside their tokens.
    provider: Option<ProviderSignIn>,
    /// Where they sign in at vendors for accounts.
    sign_ins: SignInPlace,
}

/// Whether administrators sign in at vendors for the accounts of a server.
#[derive(Debug, Default)]
pub enum SignInPlace {
    /// The server has no key to keep what comes of it.
    #[default]
    NoKey,
    /// It has no accounts, but a sandbox.
    Sandbox,
    /// They do.
    Here(Box<VendorSignIns>),
}

impl std::fmt::Debug for Operating {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Operating").field("store", &self.store).finish_non_exhaustive()
    }
}

impl Operating {
    /// The pages of a server with this store, these tools and these accounts, whose clients reach it at this address.
    pub fn new(
        store: Store,
        toolbox: Arc<Toolbox>,
        accounts: Vec<AccountState>,
        address: String,
        audit: Option<PathBuf>,
    ) -> Self {
        Self {
            store,
            toolbox,
            accounts,
            address,
            audit,
            reading: Mutex::new(()),
            provider: None,
            sign_ins: SignInPlace::NoKey,
        }
    }

    /// Has administrators sign in at the company's identity provider, too.
    #[must_use]
    pub fn with_provider(self, provider: Option<ProviderSignIn>) -> Self {
        Self { provider, ..self }
    }

    /// Has administrators sign in at vendors for the accounts, or says why not.
    #[must_use]
    pub fn with_sign_ins(self, sign_ins: SignInPlace) -> Self {
        Self { sign_ins, ..self }
    }

    pub(super) fn provider(&self) -> Option<&ProviderSignIn> {
        self.provider.as_ref()
    }

    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    /// The catalog that the server offers a part of.
    pub fn catalog(&self) -> &Catalog {
        self.toolbox.catalog()
    }

    fn policy(&self) -> &ServerPolicy {
        self.toolbox.server_policy()
    }
}

/// The routes.
pub(super) fn router() -> Router<Console> {
    Router::new()
        .route("/accounts", get(accounts::list))
        .route(VENDOR_CALLBACK, get(accounts::callback))
        .route("/accounts/{name}/sign-in", post(accounts::sign_in))
        .route("/accounts/{name}/site", get(accounts::sites).post(accounts::choose_site))
        .route("/accounts/{name}/sign-out", post(accounts::sign_out))
        .route("/links", get(links::list).post(links::create))
        .route("/links/{id}", get(links::show))
        .route("/links/{id}/narrow", post(links::narrow))
        .route("/links/{id}/revoke", post(links::revoke))
        .route("/approvals", get(approvals::list))
        .route("/approvals/{id}", get(approvals::show))
        .route("/approvals/{id}/yes", post(approvals::yes))
        .route("/approvals/{id}/no", post(approvals::no))
        .route("/record", get(record::show))
        .route("/figures", get(figures::show))
}

impl Console {
    /// What the pages for administrators are made of, and who asks: only they get here.
    fn of_administrator<'a>(&'a self, session: &'a Session) -> Result<(&'a Operating, &'a str), Fault> {
        let asked = self.operating().zip(session.name());
        asked.ok_or_else(|| Fault::new(StatusCode::UNAUTHORIZED, "These pages are for administrators."))
    }
}
