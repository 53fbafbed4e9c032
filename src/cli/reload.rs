//! SIGHUP → toolwright.toml, read again: an account that it has changed is used as it is now, `[[grants]]` hold as they are now, and
//! a line names what waits for a restart. While the file has a fault, everything stays as it is.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::runtime::Handle;

use super::accounts::InSettings;
use super::logs::LogFormat;
use super::printer::Printer;
use super::selection::{SelectionArguments, environment};
use super::signals::Signals;
use crate::access::ServerPolicy;
use crate::access::oauth::{ClaimGrants, GrantsInUse};
use crate::call::Toolbox;
use crate::catalog::Catalog;
use crate::config::{Account, SignIns, settings_oauth};
use crate::error::ConfigError;
use crate::policy::SelectionWords;
use crate::server::Server;
use crate::upstream::Unencrypted;
use toolwright_model::{AccountVariables, ClaimGrant, OauthSettings};

/// What is done to an account before it is used.
type Adjust = Box<dyn Fn(&mut Account) + Send + Sync>;

/// Settings that are in use, and how they are read again.
pub(super) struct Reload {
    selection: SelectionArguments,
    unencrypted: Unencrypted,
    adjust: Option<Adjust>,
    /// People's sign-ins at vendors, where accounts act by them.
    sign_ins: Option<Arc<SignIns>>,
    /// Accounts are not read in the sandbox, which has its own.
    in_sandbox: bool,
    in_use: Mutex<InUse>,
    grants: Option<GrantsReload>,
}

/// `[[grants]]` that are in use, and how they are read again.
pub(super) struct GrantsReload {
    config: Option<PathBuf>,
    in_use: GrantsInUse,
    /// What toolwright.toml had when it was read.
    read: Mutex<OauthInFile>,
    /// The vendor of each account.
    accounts: BTreeMap<String, String>,
    policy: ServerPolicy,
}

/// What toolwright.toml has of access tokens.
type OauthInFile = (OauthSettings, Vec<ClaimGrant>);

/// What toolwright.toml had when it was read.
struct InUse {
    accounts: BTreeMap<String, AccountVariables>,
    profile: (SelectionWords, Vec<String>),
}

/// A line for the person who sent the signal: its level and its text.
pub(super) type Line = (&'static str, String);

impl Reload {
    /// # Errors
    /// The settings can't be read.
    pub(super) fn new(
        selection: &SelectionArguments,
        unencrypted: Unencrypted,
        adjust: Option<Adjust>,
        sign_ins: Option<Arc<SignIns>>,
        catalog: &Catalog,
        in_sandbox: bool,
    ) -> Result<Self, ConfigError> {
        let in_use = Mutex::new(read(selection, catalog, in_sandbox)?);
        Ok(Self { selection: selection.clone(), unencrypted, adjust, sign_ins, in_sandbox, in_use, grants: None })
    }

    /// Reads `[[grants]]` again, too.
    pub(super) fn with_grants(mut self, grants: Option<GrantsReload>) -> Self {
        self.grants = grants;
        self
    }

    /// Whether there is anything to read again.
    pub(super) fn is_of_use(&self) -> bool {
        !self.in_sandbox || self.grants.is_some()
    }

    /// Reads the settings again. What waits for a restart is reported each time.
    pub(super) fn run(&self, toolbox: &Toolbox) -> Vec<Line> {
        let read = read(&self.selection, toolbox.catalog(), self.in_sandbox);
        let oauth = self.grants.as_ref().map(GrantsReload::read).transpose();
        let (found, oauth) = match read.and_then(|found| Ok((found, oauth?))) {
            Ok(found) => found,
            Err(error) => return vec![("ERROR", format!("the settings stay as they are: {error}"))],
        };
        let mut in_use = self.in_use.lock().unwrap_or_else(PoisonError::into_inner);
        let mut lines = Vec::new();
        if found.profile != in_use.profile {
            let text = "the profile has changed: what is offered changes with a restart";
            lines.push(("WARN", text.to_owned()));
        }
        let names: BTreeSet<&String> = in_use.accounts.keys().chain(found.accounts.keys()).collect();
        let names: Vec<String> = names.into_iter().cloned().collect();
        for name in names {
            match (in_use.accounts.get(&name), found.accounts.get(&name)) {
                (Some(old), Some(new)) if old.vendor == new.vendor && old.variables == new.variables => {}
                (Some(old), Some(new)) if old.vendor == new.vendor => match self.reload(&name, new, toolbox) {
                    Ok(reloaded) => {
                        lines.extend(reloaded);
                        in_use.accounts.insert(name, new.clone());
                    }
                    Err(error) => lines.push(("ERROR", format!("an account serves as it was: {error}"))),
                },
                (Some(_), Some(_)) => lines.push(waits(&name, "is of another vendor: that takes a restart")),
                (None, _) => lines.push(waits(&name, "is new: a restart adds it")),
                (Some(_), None) => lines.push(waits(&name, "is gone: it serves until a restart")),
            }
        }
        lines.extend(self.grants.as_ref().zip(oauth).into_iter().flat_map(|(grants, found)| grants.take(found)));
        if lines.is_empty() {
            lines.push(("INFO", "the settings are read again: nothing has changed".to_owned()));
        }
        lines
    }

    /// # Errors
    /// The account can't be used as it is now.
    fn reload(&self, name: &str, now: &AccountVariables, toolbox: &Toolbox) -> Result<Vec<Line>, ConfigError> {
        // The file was checked: its vendors are there.
        let Some(vendor) = toolbox.catalog().vendor(&now.vendor) else { return Ok(Vec::new()) };
        let mut account =
            Account::of_settings(name, vendor, now.variables.clone(), self.unencrypted, self.sign_ins.as_deref())?;
        if let Some(adjust) = &self.adjust {
            adjust(&mut account);
        }
        let mut lines = Vec::new();
        lines.push(if toolbox.replace_account(account) {
            ("INFO", format!("account `{name}` is read again, and used so from the next call on"))
        } else {
            waits(name, "has changed and does not serve: a restart takes it in")
        });
        if toolbox.accounts_of_callers().contains_key(&now.vendor) {
            lines.push(waits(name, "has changed: the address to which callers bring tokens changes with a restart"));
        }
        Ok(lines)
    }
}

fn waits(name: &str, what: &str) -> Line {
    ("WARN", format!("account `{name}` {what}"))
}

impl GrantsReload {
    /// `[[grants]]` as they were read from this file, for a server with these accounts and this policy.
    pub(super) fn new(
        config: Option<&Path>,
        read: OauthInFile,
        accounts: BTreeMap<String, String>,
        policy: ServerPolicy,
        in_use: GrantsInUse,
    ) -> Self {
        Self { config: config.map(Path::to_owned), in_use, read: Mutex::new(read), accounts, policy }
    }

    fn read(&self) -> Result<OauthInFile, ConfigError> {
        settings_oauth(self.config.as_deref(), &environment)
    }

    /// Uses what was found from the next request on, all entries or none.
    fn take(&self, (settings, entries): OauthInFile) -> Vec<Line> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let mut lines = Vec::new();
        if settings != read.0 {
            lines.push(("WARN", "`[oauth]` has changed: that takes a restart".to_owned()));
        }
        if entries == read.1 {
            return lines;
        }
        match ClaimGrants::new(&entries, &self.accounts, &self.policy) {
            Ok(grants) => {
                self.in_use.replace(grants);
                let text = format!("`[[grants]]` are read again: {} hold from the next request on", entries.len());
                lines.push(("INFO", text));
                read.1 = entries;
            }
            Err(error) => lines.push(("ERROR", format!("`[[grants]]` stay as they are: {error}"))),
        }
        lines
    }
}

fn read(selection: &SelectionArguments, catalog: &Catalog, in_sandbox: bool) -> Result<InUse, ConfigError> {
    let accounts = if in_sandbox { BTreeMap::new() } else { InSettings::read(selection, catalog)?.0 };
    Ok(InUse { accounts, profile: (selection.words(&environment)?, selection.pins(&environment)?) })
}

/// Has SIGHUP open the audit log anew and read the settings again.
pub(super) fn on_hangup(log_format: LogFormat, server: &Server, reload: Reload, signals: &Signals) {
    let reload = Some(reload).filter(Reload::is_of_use);
    let (toolbox, runtime) = (Arc::clone(server.toolbox()), Handle::current());
    signals.on_hangup(move || {
        let _entered = runtime.enter();
        if let Err(error) = toolbox.reopen_record() {
            tracing::error!("the audit log can't be opened anew: {error}; changes are refused until it can");
        }
        for (level, text) in reload.iter().flat_map(|reload| reload.run(&toolbox)) {
            log_format.announce(&text, level, &mut Printer::new());
        }
    });
}
