//! Requests to `/accounts` and `/audit` → what the server has, without anything secret.

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::bodies::Json;
use super::{AccountState, Admin};

/// The accounts of the server.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Accounts {
    accounts: Vec<AccountState>,
}

/// Whether calls are recorded.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AuditState {
    /// Whether there is an audit log.
    recorded: bool,
    /// The log's file on the server.
    file: Option<String>,
    /// How large it is, in bytes.
    bytes: Option<u64>,
    /// Why it can't be written, if that is so. Changes are refused then.
    fault: Option<String>,
}

/// Lists the accounts of this server, without their credentials.
#[utoipa::path(get, path = "/accounts", tag = "server", responses((status = 200, body = Accounts)))]
pub(super) async fn accounts(State(admin): State<Admin>) -> Json<Accounts> {
    Json(Accounts { accounts: admin.0.accounts.clone() })
}

/// Shows whether this server records calls.
#[utoipa::path(get, path = "/audit", tag = "server", responses((status = 200, body = AuditState)))]
pub(super) async fn audit(State(admin): State<Admin>) -> Json<AuditState> {
    let file = admin.0.audit.clone();
    let found = file.as_ref().map(|file| {
        std::fs::OpenOptions::new().append(true).open(file).and_then(|log| log.metadata()).map(|log| log.len())
    });
    let (bytes, fault) = match found {
        None => (None, None),
        Some(Ok(bytes)) => (Some(bytes), None),
        Some(Err(error)) => (None, Some(error.to_string())),
    };
    Json(AuditState { recorded: file.is_some(), file, bytes, fault })
}
