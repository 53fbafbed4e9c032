//! `--confirm`, `--approver-other`, `--approval-webhook` → which calls of a server people approve, and who is told.

use std::path::Path;

use clap::Args;

use crate::approval::{Approvals, Confirm, Webhook};
use crate::config::Environment;
use crate::error::ConfigError;

/// The variable with the webhook's secret, and the one that names a file which holds it.
const SECRET: &str = "TOOLWRIGHT_APPROVAL_WEBHOOK_SECRET";
const SECRET_FILE: &str = "TOOLWRIGHT_APPROVAL_WEBHOOK_SECRET_FILE";

/// `--confirm`, `--approver-other`, `--approval-webhook`
#[derive(Debug, Clone, Default, Args)]
pub(super) struct ApprovalArguments {
    /// Have a person approve calls before they are sent: destructive, write (every change), names of risks, or none. By default
    /// destructive; over stdio only where the client can ask its user
    #[arg(long, value_delimiter = ',', value_name = "WORD,…", env = "TOOLWRIGHT_CONFIRM")]
    confirm: Vec<String>,
    /// Take approvals only from another person than the caller: by `toolwright approve` or in the console, not in the client's own
    /// form
    #[arg(long)]
    approver_other: bool,
    /// Have a refusal of the policy become a request: a person can grant that tool to that caller for an hour
    #[arg(long)]
    ask_for_more: bool,
    /// Report approvals that wait to this address, over HTTPS or on this machine; TOOLWRIGHT_APPROVAL_WEBHOOK_SECRET_FILE
    /// names the file with the secret that signs
    #[arg(long, value_name = "URL", env = "TOOLWRIGHT_APPROVAL_WEBHOOK", hide_env_values = true)]
    approval_webhook: Option<String>,
}

impl ApprovalArguments {
    /// Which calls have to be approved; `of_profile` are the words of the profile, for where the flag is absent.
    pub(super) fn confirm(&self, of_profile: Vec<String>, over_http: bool) -> Result<Confirm, ConfigError> {
        let typed: Vec<String> =
            self.confirm.iter().map(|word| word.trim().to_owned()).filter(|word| !word.is_empty()).collect();
        let words = if typed.is_empty() { of_profile } else { typed };
        match (words.is_empty(), over_http) {
            (false, _) => Confirm::parse(&words),
            (true, true) => Ok(Confirm::destructive()),
            (true, false) => Ok(Confirm::destructive_where_asked()),
        }
    }

    /// Sets who may approve, and who is told.
    pub(super) fn apply(&self, approvals: Approvals, env: Environment<'_>) -> Result<Approvals, ConfigError> {
        let address = self.approval_webhook.as_deref().filter(|address| !address.is_empty());
        let webhook = address.map(|address| Webhook::new(address, &secret(env)?)).transpose()?;
        Ok(approvals.by_another(self.approver_other).with_webhook(webhook).taking_requests(self.ask_for_more))
    }
}

fn secret(env: Environment<'_>) -> Result<String, ConfigError> {
    let given = |name: &str| env(name).filter(|value| !value.trim().is_empty());
    if let Some(secret) = given(SECRET) {
        return Ok(secret);
    }
    let path = given(SECRET_FILE).ok_or_else(|| {
        ConfigError::new(format!("`--approval-webhook` needs a secret that signs its messages\nhint: `{SECRET_FILE}` names a file that holds it"))
    })?;
    std::fs::read_to_string(Path::new(&path))
        .map_err(|error| ConfigError::new(format!("`{SECRET_FILE}` names `{path}`, which can't be read: {error}")))
}
