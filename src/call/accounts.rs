//! The accounts of a toolbox → the connections to their vendors' APIs. Pace, tokens and what is looked up are an
//! account's own. An account whose files change is read again.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use super::api_connection::ApiConnection;
use super::tenants::{TenantChoice, TenantChoices};
use crate::access::Grant;
use crate::catalog::Catalog;
use crate::client_runtime::CompiledApi;
use crate::config::{Account, ChosenSettings, ConnectionConfig, ReadAgain};
use crate::upstream::RateLimiter;

/// How long a call waits for the keyring, at most: then it is made with what is known.
const LONGEST_LOOK: Duration = Duration::from_secs(1);

/// The connections of a toolbox, by the name of the account.
pub(super) struct Accounts {
    apis: &'static [CompiledApi],
    catalog: Catalog,
    by_name: HashMap<String, Connected>,
    /// Those that raise and read tickets for approvals, and serve no caller.
    for_desks: BTreeSet<String>,
}

impl Connected {
    fn all(&self) -> Vec<Arc<ApiConnection>> {
        self.apis.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }
}

/// An account that is connected.
struct Connected {
    vendor: String,
    limiter: RateLimiter,
    /// By API id.
    apis: RwLock<HashMap<&'static str, Arc<ApiConnection>>>,
    /// How it is read again, if it is in files. Held while it is read, so that what takes its place is not overwritten.
    again: Mutex<Option<ReadAgain>>,
}

impl Accounts {
    /// Connects those `apis` that `configs` has an entry for, by API id or by vendor id: an account for each vendor, with
    /// the vendor's name.
    pub(super) fn new(
        apis: &'static [CompiledApi],
        catalog: &Catalog,
        configs: &HashMap<String, ConnectionConfig>,
    ) -> Self {
        let mut accounts = Self { apis, catalog: catalog.clone(), by_name: HashMap::new(), for_desks: BTreeSet::new() };
        let vendors: BTreeSet<&str> = apis.iter().map(|api| api.vendor).collect();
        for vendor in vendors {
            let config_of = |api: &CompiledApi| configs.get(api.id).or_else(|| configs.get(vendor));
            let Some(first) = apis.iter().filter(|api| api.vendor == vendor).find_map(config_of) else { continue };
            // A vendor limits all of its APIs together.
            let limiter = RateLimiter::new(first.rate_limits.clone());
            let connected = accounts.connected(vendor, &limiter, |api| config_of(api).cloned());
            let apis = RwLock::new(connected);
            let connected = Connected { vendor: vendor.to_owned(), limiter, apis, again: Mutex::default() };
            accounts.by_name.insert(vendor.to_owned(), connected);
        }
        accounts
    }

    /// Adds an account, in place of the one with its name if there is one.
    pub(super) fn add(&mut self, account: Account) {
        let limiter = RateLimiter::new(account.connection.rate_limits.clone());
        let apis = RwLock::new(self.connected(&account.vendor, &limiter, |_| Some(account.connection.clone())));
        let connected = Connected { vendor: account.vendor, limiter, apis, again: Mutex::new(account.again) };
        self.by_name.insert(account.name, connected);
    }

    /// Puts an account in the place of the one with its name and vendor, which keeps its pace; returns false where there is
    /// none.
    pub(super) fn replace(&self, account: Account) -> bool {
        let Some(connected) = self.by_name.get(&account.name).filter(|it| it.vendor == account.vendor) else {
            return false;
        };
        let mut again = connected.again.lock().unwrap_or_else(PoisonError::into_inner);
        let apis = self.connected(&account.vendor, &connected.limiter, |_| Some(account.connection.clone()));
        *connected.apis.write().unwrap_or_else(PoisonError::into_inner) = apis;
        *again = account.again;
        true
    }

    fn connected(
        &self,
        vendor: &str,
        limiter: &RateLimiter,
        config_of: impl Fn(&CompiledApi) -> Option<ConnectionConfig>,
    ) -> HashMap<&'static str, Arc<ApiConnection>> {
        let of_vendor = self.apis.iter().filter(|api| api.vendor == vendor);
        let connect = |api: &'static CompiledApi| {
            let connection = ApiConnection::new(api, &self.catalog, config_of(api)?, limiter.clone());
            Some((api.id, Arc::new(connection)))
        };
        of_vendor.filter_map(connect).collect()
    }

    /// Keeps accounts for help desks: whoever could act by them could approve.
    pub(super) fn keep_for_desks(&mut self, accounts: BTreeSet<String>) {
        self.for_desks = accounts;
    }

    /// Whether an account serves no caller.
    pub(super) fn is_for_desks(&self, account: &str) -> bool {
        self.for_desks.contains(account)
    }

    /// Returns an account's connection to an API, if it is configured.
    pub(super) fn get(&self, account: &str, api: &str) -> Option<Arc<ApiConnection>> {
        let connected = self.by_name.get(account)?;
        self.read_again(account, connected);
        connected.apis.read().unwrap_or_else(PoisonError::into_inner).get(api).cloned()
    }

    /// Has the keyring asked whether a secret of the account has changed, before [`Self::get`] takes what is known. The thread
    /// that serves goes on meanwhile.
    pub(super) async fn look_again(&self, account: &str) {
        let Some(connected) = self.by_name.get(account) else { return };
        let looking = {
            let again = connected.again.lock().unwrap_or_else(PoisonError::into_inner);
            again.as_ref().and_then(ReadAgain::begin_look)
        };
        if let Some(looking) = looking {
            let _ = tokio::time::timeout(LONGEST_LOOK, looking).await;
        }
    }

    /// Reads an account again where one of its files has changed. What can't be read, as a file that is just being written,
    /// leaves it as it is until it can be read.
    fn read_again(&self, name: &str, connected: &Connected) {
        let again = connected.again.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(changed) = again.as_ref().and_then(ReadAgain::if_changed) else { return };
        match changed {
            Ok(config) => {
                let apis = self.connected(&connected.vendor, &connected.limiter, |_| Some(config.clone()));
                *connected.apis.write().unwrap_or_else(PoisonError::into_inner) = apis;
                tracing::info!(account = name, "the account's files or secrets have changed and were read again");
            }
            Err(error) => {
                tracing::warn!(
                    account = name,
                    "the account's files or secrets have changed and can't be read: {error}"
                );
            }
        }
    }

    /// By vendor, the account without credentials, to whose address callers bring their own.
    pub(super) fn of_callers(&self) -> BTreeMap<String, String> {
        let is_for_callers = |connected: &Connected| {
            connected.all().iter().any(|connection| connection.config.credentials.are_missing())
        };
        let accounts = self.by_name.iter().filter(|(_, connected)| is_for_callers(connected));
        accounts.map(|(name, connected)| (connected.vendor.clone(), name.clone())).collect()
    }

    /// Returns every connection.
    pub(super) fn all(&self) -> Vec<Arc<ApiConnection>> {
        self.by_name.values().flat_map(Connected::all).collect()
    }

    /// Returns the tenants, by vendor, of which a caller of a grant may name several. A client that has chosen one acts for
    /// that one alone.
    pub(super) fn tenants(&self, grant: &Grant, chosen: &ChosenSettings) -> TenantChoices {
        let mut choices = BTreeMap::new();
        for (vendor, account) in &grant.terms().accounts {
            let connection = self.by_name.get(account).and_then(|connected| connected.all().into_iter().next());
            let Some(connection) = connection else { continue };
            let several = connection.config.settings.iter().find(|one| {
                one.setting.several.is_some()
                    && !one.allowed.is_empty()
                    && !chosen.0.contains_key(&one.setting.variable)
            });
            if let Some(one) = several {
                let (setting, allowed) = (one.setting.clone(), one.allowed.clone());
                choices.insert(vendor.clone(), TenantChoice { setting, allowed });
            }
        }
        Arc::new(choices)
    }

    /// Returns the connections of the accounts that serve a grant.
    pub(super) fn of(&self, grant: &Grant) -> Vec<Arc<ApiConnection>> {
        let accounts = grant.terms().accounts.values();
        accounts.filter_map(|name| self.by_name.get(name)).flat_map(Connected::all).collect()
    }
}
