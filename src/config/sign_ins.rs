//! Accounts whose vendors people sign in at in the console → what such a sign-in needs, and what an account's connection takes
//! from it. The variables of an account are those that it was read with last.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::accounts::Variables;
use super::login::login_client;
use super::{Environment, value};
use crate::error::ConfigError;
use crate::upstream::{AccountSignIn, KeptSignIns, KnownSignIn, SignInOf, TokenRequest};
use toolwright_model::Vendor;

/// The sign-ins of a server's accounts.
pub struct SignIns {
    kept: Arc<dyn KeptSignIns>,
    /// The accounts of vendors with a sign-in, by name.
    accounts: Mutex<BTreeMap<String, (Vendor, Variables)>>,
}

/// The app by which a person signs in for an account.
#[derive(Debug)]
pub struct AccountApp {
    /// The vendor; its `oauth` states how people sign in.
    pub vendor: Vendor,
    /// How tokens are requested.
    pub request: TokenRequest,
    /// The id of the site that the settings state, if they do.
    pub site: Option<String>,
}

/// An account's sign-in, and whether it has changed since it was looked at.
pub(super) struct WatchedSignIn {
    kept: Arc<dyn KeptSignIns>,
    of: SignInOf,
    seen: Mutex<Option<String>>,
}

impl fmt::Debug for SignIns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignIns").field("kept", &self.kept).finish_non_exhaustive()
    }
}

impl SignIns {
    /// Those that are kept there.
    pub fn new(kept: Arc<dyn KeptSignIns>) -> Self {
        Self { kept, accounts: Mutex::default() }
    }

    /// Takes note of an account as it is read; returns its sign-in. `None` where people don't sign in at its vendor.
    pub(super) fn watch(&self, account: &str, vendor: &Vendor, env: &Variables) -> Option<WatchedSignIn> {
        vendor.oauth.as_ref()?;
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        accounts.insert(account.to_owned(), (vendor.clone(), Arc::clone(env)));
        let of = SignInOf { account: account.to_owned(), vendor: vendor.id.clone() };
        let seen = Mutex::new(revision(self.kept.known(&of)));
        Some(WatchedSignIn { kept: Arc::clone(&self.kept), of, seen })
    }

    /// The app of an account, as its variables are now; `None` where people don't sign in for such an account.
    ///
    /// # Errors
    /// A variable of the app is missing or wrong.
    pub fn app(&self, account: &str) -> Option<Result<AccountApp, ConfigError>> {
        let found = self.accounts.lock().unwrap_or_else(PoisonError::into_inner).get(account).cloned();
        let (vendor, env) = found?;
        let env = |variable: &str| env(variable);
        let read = || {
            let request = login_client(&vendor, &env)?.request;
            let variable = site_variable(&vendor);
            let site = variable.map(|variable| value(variable, &env)).transpose()?.flatten();
            Ok((request, site.map(|site| site.text)))
        };
        Some(read().map(|(request, site)| AccountApp { vendor: vendor.clone(), request, site }))
    }
}

fn revision(known: Option<KnownSignIn>) -> Option<String> {
    known.map(|known| known.revision)
}

/// The variable that holds the site to act at, where a vendor has several.
fn site_variable(vendor: &Vendor) -> Option<&str> {
    let sites = vendor.oauth.as_ref()?.sites.as_ref()?;
    Some(&sites.variable)
}

impl WatchedSignIn {
    /// Whether somebody has signed in or out since this was made or last returned `true`.
    pub(super) fn has_changed(&self) -> bool {
        let now = revision(self.kept.known(&self.of));
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let has_changed = *seen != now;
        *seen = now;
        has_changed
    }

    /// The sign-in as a connection is made with it.
    pub(super) fn now(&self, vendor: &Vendor, env: Environment<'_>) -> Result<AccountSignIn, ConfigError> {
        let known = self.kept.known(&self.of);
        let stated = site_variable(vendor).map(|variable| value(variable, env)).transpose()?.flatten();
        let chosen = known.as_ref().is_some_and(|known| known.site.is_some());
        let lacks_site = site_variable(vendor).is_some() && stated.is_none() && !chosen;
        Ok(AccountSignIn { kept: Arc::clone(&self.kept), of: self.of.clone(), known, lacks_site })
    }
}

/// Where the address of an account comes from whose variables state no site, for `doctor`; `None` where they do.
pub(super) fn site_source(
    vendor: &Vendor,
    env: Environment<'_>,
    sign_in: &AccountSignIn,
) -> Result<Option<String>, ConfigError> {
    let Some(variable) = site_variable(vendor) else { return Ok(None) };
    if value(variable, env)?.is_some() {
        return Ok(None);
    }
    let source = if sign_in.lacks_site { "an example, until a site is chosen" } else { "the sign-in" };
    Ok(Some(source.to_owned()))
}

/// The variables of an account with the site of its sign-in, where they state none. While none is chosen there is an example
/// in its place: nothing is sent before it is, but the connection needs an address.
pub(super) fn with_site(
    vendor: &Vendor,
    env: Environment<'_>,
    sign_in: &AccountSignIn,
    variable: &str,
) -> Option<String> {
    if let Some(given) = env(variable).filter(|given| !given.trim().is_empty()) {
        return Some(given);
    }
    if site_variable(vendor) != Some(variable) || env(&format!("{variable}_FILE")).is_some_and(|path| !path.is_empty())
    {
        return None;
    }
    let example = || vendor.addresses.iter().find(|address| address.variable == variable).map(|it| it.example.clone());
    sign_in.known.as_ref().and_then(|known| known.site.clone()).or_else(example)
}
