//! `[approvals.<account>]` of toolwright.toml → the help desks of a server, their accounts, and the task that sees to their
//! tickets.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::accounts::{AccountArguments, FoundAccounts};
use super::selection::{SelectionArguments, environment};
use crate::approval::{Desk, HelpDesks};
use crate::call::Toolbox;
use crate::catalog::Catalog;
use crate::config::{SignIns, settings_accounts, settings_approvals};
use crate::error::ConfigError;
use crate::upstream::Unencrypted;
use toolwright_model::{AccountVariables, DeskSettings, suggest_one};

/// The accounts that raise tickets and serve no caller.
pub(super) fn raising(selection: &SelectionArguments) -> Result<BTreeSet<String>, ConfigError> {
    let given = settings_approvals(selection.config(), &environment)?;
    Ok(given.into_values().map(|desk| desk.account).collect())
}

/// Reads the help desks, and adds the accounts that raise their tickets where they are not among those that were found.
///
/// # Errors
/// A setting is wrong, or an account is not there or can't be used.
pub(super) fn read(
    selection: &SelectionArguments,
    catalog: &Catalog,
    unencrypted: Unencrypted,
    found: &mut FoundAccounts,
    sign_ins: Option<&SignIns>,
) -> Result<HelpDesks, ConfigError> {
    let given = settings_approvals(selection.config(), &environment)?;
    let accounts = settings_accounts(selection.config(), &environment)?;
    let raising: BTreeSet<&String> = given.values().map(|desk| &desk.account).collect();
    let mut desks = Vec::new();
    for (of, desk) in &given {
        let wrong = |text: String| ConfigError::new(format!("`[approvals.{of}]`: {text}"));
        vendor_of(of, &accounts, catalog).map_err(wrong)?;
        if raising.contains(of) {
            return Err(wrong(
                "this account raises tickets, so it serves no caller and changes nothing that could be approved\n\
                 hint: raise tickets by an account of their own, with credentials of another user"
                    .to_owned(),
            ));
        }
        let vendor = vendor_of(&desk.account, &accounts, catalog).map_err(wrong)?;
        add(desk, &vendor, selection, catalog, unencrypted, found, sign_ins)
            .map_err(|error| wrong(error.to_string()))?;
        // Its vendor was found by the catalog.
        if let Some(vendor) = catalog.vendor(&vendor) {
            desks.push(Desk::new(of, desk, vendor)?);
        }
    }
    Ok(HelpDesks::new(desks))
}

/// The vendor of an account, whether it can be used or not.
fn vendor_of(
    account: &str,
    accounts: &BTreeMap<String, AccountVariables>,
    catalog: &Catalog,
) -> Result<String, String> {
    if let Some(found) = accounts.get(account) {
        return Ok(found.vendor.clone());
    }
    if let Some(vendor) = catalog.vendor(account) {
        return Ok(vendor.id.clone());
    }
    let known = accounts.keys().map(String::as_str).chain(catalog.vendors().iter().map(|vendor| vendor.id.as_str()));
    let near = suggest_one(account, known).map(|near| format!("\nhint: did you mean `{near}`?")).unwrap_or_default();
    Err(format!("there is no account `{account}`{near}"))
}

/// Adds the account that raises a desk's tickets.
fn add(
    desk: &DeskSettings,
    vendor: &str,
    selection: &SelectionArguments,
    catalog: &Catalog,
    unencrypted: Unencrypted,
    found: &mut FoundAccounts,
    sign_ins: Option<&SignIns>,
) -> Result<(), ConfigError> {
    if found.accounts.iter().any(|account| account.name == desk.account) {
        return Ok(());
    }
    let wanted = BTreeSet::from([vendor.to_owned()]);
    let named = AccountArguments::named_alone(&desk.account);
    let mut looked = named.look(selection, catalog, Some(&wanted), unencrypted, true, sign_ins)?;
    if let Some(error) = looked.wrong.remove(&(vendor.to_owned(), desk.account.clone())) {
        return Err(error);
    }
    found.accounts.extend(looked.accounts.into_iter().filter(|account| account.name == desk.account));
    Ok(())
}

/// Sees to the tickets of a server until `end` is cancelled.
pub(super) fn follow(toolbox: &Arc<Toolbox>, end: CancellationToken) -> JoinHandle<()> {
    let toolbox = Arc::clone(toolbox);
    tokio::spawn(async move { toolbox.follow_tickets(end).await })
}
