//! Flags that `serve` and `call` share → connections to vendors or the sandbox, and what a toolbox is made of.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use super::CommandError;
use crate::audit::Audit;
use crate::call::RetryPolicy;
use crate::catalog::{self, Catalog};
use crate::config::{ConnectionConfig, Environment, sandbox_credentials, settings};
use crate::error::ConfigError;
use crate::formats::Folder;
use crate::jq::Evaluator;
use crate::learn::Learner;
use crate::sandbox::{Sandbox, Script};
use crate::upstream::{Servers, Unencrypted, parse_address};

/// `--sandbox[=FILE]`
#[derive(Debug, Clone, Default, Args)]
pub(super) struct SandboxArguments {
    /// Call a built-in sandbox instead of the vendors: it checks each request and answers with
    /// examples. FILE holds scripted answers, as JSON
    #[arg(long, value_name = "FILE", require_equals = true)]
    #[expect(clippy::option_option, reason = "how clap spells a flag whose value may be left out")]
    sandbox: Option<Option<PathBuf>>,
}

impl SandboxArguments {
    pub(super) fn is_on(&self) -> bool {
        self.sandbox.is_some()
    }

    /// Starts the sandbox over every API that is compiled in.
    pub(super) async fn start(&self) -> Result<Option<Sandbox>, CommandError> {
        let Some(file) = &self.sandbox else { return Ok(None) };
        let script = match file {
            None => None,
            Some(file) => {
                let text = std::fs::read_to_string(file)
                    .map_err(|error| ConfigError::new(format!("`{}` can't be read: {error}", file.display())))?;
                Some(Script::parse(&text).map_err(|error| ConfigError::new(format!("`{}`: {error}", file.display())))?)
            }
        };
        let sandbox = Sandbox::start(&catalog::sandbox_tables(), script)
            .await
            .map_err(|error| ConfigError::new(error.to_string()))?;
        Ok(Some(sandbox))
    }
}

/// `--audit FILE`
#[derive(Debug, Clone, Default, Args)]
pub(super) struct AuditArguments {
    /// Append every call to FILE as JSON Lines; write calls fail while FILE is unwritable
    #[arg(long, value_name = "FILE")]
    audit: Option<PathBuf>,
}

impl AuditArguments {
    /// The path of the log.
    pub(super) fn path(&self) -> Option<String> {
        self.audit.as_ref().map(|path| path.display().to_string())
    }

    /// Opens the log; calls are recorded with the profile under which they are made.
    pub(super) fn open(&self, profile: Option<&str>) -> Result<Option<Audit>, ConfigError> {
        let audit = self.audit.as_deref().map(Audit::open).transpose()?;
        Ok(audit.map(|audit| audit.with_profile(profile.map(str::to_owned))))
    }
}

/// `--learn FILE`
#[derive(Debug, Clone, Default, Args)]
pub(super) struct LearnArguments {
    /// Note in FILE where answers differ from the descriptions: fields by name and type, statuses; no values. For
    /// `cargo spec learn`
    #[arg(long, value_name = "FILE")]
    learn: Option<PathBuf>,
}

impl LearnArguments {
    pub(super) fn open(&self) -> Result<Option<Learner>, ConfigError> {
        self.learn.as_deref().map(|path| Learner::open(path, catalog::answer_tables())).transpose()
    }
}

/// `--files DIR`
#[derive(Debug, Clone, Default, Args)]
pub(super) struct FilesArguments {
    /// Accept paths of files in DIR as file arguments, besides their bytes in base64
    #[arg(long, value_name = "DIR")]
    files: Option<PathBuf>,
}

impl FilesArguments {
    pub(super) fn open(&self) -> Result<Option<Folder>, ConfigError> {
        let wrong = |path: &Path, error| ConfigError::new(format!("`--files {}`: {error}", path.display()));
        self.files.as_deref().map(|path| Folder::open(path).map_err(|error| wrong(path, error))).transpose()
    }

    /// Refuses the flag over HTTP, where a path from another machine would name a file on this one.
    pub(super) fn refuse_over_http(&self) -> Result<(), ConfigError> {
        match self.files {
            Some(_) => Err(ConfigError::new(
                "`--files` works over stdio only\nhint: over HTTP a file argument takes the bytes in base64",
            )),
            None => Ok(()),
        }
    }
}

/// `--unencrypted-on-private-network`
#[derive(Debug, Clone, Copy, Default, Args)]
pub(super) struct NetworkArguments {
    /// Accept `http` addresses of vendors on a private network: credentials and answers then pass unencrypted, and
    /// everyone who is on the way can read them
    #[arg(long)]
    unencrypted_on_private_network: bool,
}

impl NetworkArguments {
    pub(super) fn unencrypted(self) -> Unencrypted {
        if self.unencrypted_on_private_network { Unencrypted::OnPrivateNetwork } else { Unencrypted::OnThisMachine }
    }
}

/// The most values that an operator can let one call change.
const MOST_ITEMS: i64 = 10_000;

/// `--no-retry`
#[derive(Debug, Clone, Copy, Default, Args)]
pub(super) struct RetryArguments {
    /// Never retry; otherwise reads that are answered `429` or `503` wait and are sent again
    #[arg(long)]
    no_retry: bool,
}

impl RetryArguments {
    pub(super) fn policy(self) -> RetryPolicy {
        if self.no_retry { RetryPolicy::none() } else { RetryPolicy::default() }
    }
}

/// `--most-items`
#[derive(Debug, Clone, Copy, Default, Args)]
pub(super) struct WorkflowArguments {
    /// How many users, devices or tickets one call may change, where that is more than its tool states
    #[arg(long, value_name = "N", env = "TOOLWRIGHT_MOST_ITEMS", value_parser = clap::value_parser!(u32).range(1..=MOST_ITEMS))]
    most_items: Option<u32>,
}

impl WorkflowArguments {
    pub(super) fn most_items(self) -> Option<u32> {
        self.most_items
    }
}

/// The evaluator of callers' jq filters: a child process of this program.
pub(super) fn evaluator() -> Result<Evaluator, CommandError> {
    Ok(Evaluator::new(std::env::current_exe()?))
}

/// Connections into the sandbox, by API id.
pub(super) fn sandbox_connections(
    sandbox: &Sandbox,
    catalog: &Catalog,
    env: Environment<'_>,
) -> Result<HashMap<String, ConnectionConfig>, CommandError> {
    let mut connections = HashMap::new();
    for api in catalog::apis() {
        let vendor = catalog.vendor(api.vendor);
        let timeout = vendor.map_or(30, |vendor| vendor.limits.timeout_seconds);
        let base = parse_address(&sandbox.address(api.id), &[], Unencrypted::OnThisMachine)
            .map_err(|error| ConfigError::new(error.to_string()))?;
        let connection = ConnectionConfig::new(base, sandbox_credentials(vendor)?, Duration::from_secs(timeout));
        // Settings are no secrets, so the sandbox receives them too.
        let settings = vendor.map(|vendor| settings(vendor, env)).transpose()?.unwrap_or_default();
        connections
            .insert(api.id.to_owned(), ConnectionConfig { settings, servers: Servers::in_sandbox(), ..connection });
    }
    Ok(connections)
}
