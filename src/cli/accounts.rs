//! `--account`, the environment and toolwright.toml → the accounts of the vendors, and which of them serves each vendor.

use std::collections::{BTreeMap, BTreeSet};

use clap::Args;

use super::CommandError;
use super::help_desks::raising;
use super::selection::{SelectionArguments, environment};
use crate::catalog::Catalog;
use crate::config::{Account, SignIns, settings_accounts, setup_options};
use crate::error::ConfigError;
use crate::server::http::admin::AccountState;
use crate::upstream::Unencrypted;
use toolwright_model::{AccountVariables, Vendor, suggest_one};

/// The longest name of an account, in characters.
const LONGEST_NAME: usize = 64;

/// # Errors
/// An account can't have this name.
pub(super) fn check_name(name: &str) -> Result<(), ConfigError> {
    let is_name = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.'));
    if !is_name || name.is_empty() || name.len() > LONGEST_NAME {
        let text = format!("account `{name}` has a name other than of `a-z`, `0-9`, `-`, `_` and `.`");
        return Err(ConfigError::new(text));
    }
    Ok(())
}

/// `--account NAME,…`
#[derive(Debug, Clone, Default, Args)]
pub(super) struct AccountArguments {
    /// The accounts to act with, one of a vendor: the vendor's name for the one in the environment, or the name of one in
    /// toolwright.toml
    #[arg(long, value_delimiter = ',', value_name = "NAME,…")]
    account: Vec<String>,
}

/// What is configured.
#[derive(Debug, Default)]
pub(super) struct FoundAccounts {
    /// The accounts that can be used.
    pub(super) accounts: Vec<Account>,
    /// The account that serves each vendor, by the vendor's id, where no grant names another.
    pub(super) serving: BTreeMap<String, String>,
    /// What is wrong with the others, by vendor and name.
    pub(super) wrong: BTreeMap<(String, String), ConfigError>,
}

/// The accounts of toolwright.toml, checked.
pub(super) struct InSettings(pub(super) BTreeMap<String, AccountVariables>);

impl InSettings {
    pub(super) fn read(selection: &SelectionArguments, catalog: &Catalog) -> Result<Self, ConfigError> {
        let accounts = settings_accounts(selection.config(), &environment)?;
        for (name, account) in &accounts {
            let wrong = |what: &str| Err(ConfigError::new(format!("account `{name}` {what}")));
            check_name(name)?;
            if catalog.vendor(name).is_some() {
                return wrong("has the name of a vendor\nhint: that is the account which the environment holds");
            }
            if catalog.vendor(&account.vendor).is_none() {
                let known = catalog.vendors().iter().map(|vendor| vendor.id.as_str());
                let near = suggest_one(&account.vendor, known.clone());
                let hint = near.map_or_else(
                    || format!("there are {}", known.collect::<Vec<_>>().join(", ")),
                    |near| format!("did you mean `{near}`?"),
                );
                return wrong(&format!("is of the vendor `{}`, which there is not\nhint: {hint}", account.vendor));
            }
        }
        Ok(Self(accounts))
    }

    fn of(&self, vendor: &str) -> impl Iterator<Item = (&String, &AccountVariables)> {
        self.0.iter().filter(move |(_, account)| account.vendor == vendor)
    }
}

impl AccountArguments {
    /// As a person names one account.
    pub(super) fn named_alone(name: &str) -> Self {
        Self { account: vec![name.to_owned()] }
    }

    /// Finds every account of the vendors, and which serves each; `wanted` are vendors that must have one. Where
    /// `must_serve`, an account of each vendor has to be the one that serves callers without a grant of their own. With
    /// `sign_ins`, accounts act by them.
    ///
    /// # Errors
    /// An account that serves can't be used, or a vendor that is wanted has none.
    pub(super) fn find(
        &self,
        selection: &SelectionArguments,
        catalog: &Catalog,
        wanted: Option<&BTreeSet<String>>,
        unencrypted: Unencrypted,
        must_serve: bool,
        sign_ins: Option<&SignIns>,
    ) -> Result<FoundAccounts, CommandError> {
        let mut found = self.look(selection, catalog, wanted, unencrypted, false, sign_ins)?;
        found.choose_serving(must_serve, &raising(selection)?)?;
        let serves =
            |(vendor, name): &(String, String)| found.serving.get(vendor).is_none_or(|serving| serving == name);
        if let Some(key) = found.wrong.keys().find(|key| serves(key)).cloned()
            && let Some(error) = found.wrong.remove(&key)
        {
            return Err(error.into());
        }
        for ((_, name), error) in &found.wrong {
            tracing::warn!(account = name, "the account can't be used: {error}");
        }
        let selected =
            catalog.vendors().iter().filter(|vendor| wanted.is_none_or(|wanted| wanted.contains(&vendor.id)));
        let missing: Vec<&Vendor> =
            selected.filter(|vendor| !found.accounts.iter().any(|it| it.vendor == vendor.id)).collect();
        if found.accounts.is_empty() || (wanted.is_some() && !missing.is_empty()) {
            return Err(no_credentials(&missing).into());
        }
        Ok(found)
    }

    /// Finds every account of the vendors, and what is wrong with those that can't be used; only those that `--account`
    /// names if it names any and `only_named` is set.
    ///
    /// # Errors
    /// toolwright.toml has a fault, or `--account` names what is not there.
    pub(super) fn look(
        &self,
        selection: &SelectionArguments,
        catalog: &Catalog,
        wanted: Option<&BTreeSet<String>>,
        unencrypted: Unencrypted,
        only_named: bool,
        sign_ins: Option<&SignIns>,
    ) -> Result<FoundAccounts, ConfigError> {
        let settings = InSettings::read(selection, catalog)?;
        let mut found = FoundAccounts::default();
        for vendor in catalog.vendors().iter().filter(|vendor| wanted.is_none_or(|wanted| wanted.contains(&vendor.id)))
        {
            let mut note = |name: &str, read: Result<Option<Account>, ConfigError>| match read {
                Ok(account) => found.accounts.extend(account),
                Err(error) => drop(found.wrong.insert((vendor.id.clone(), name.to_owned()), error)),
            };
            note(&vendor.id, Account::of_environment(vendor, environment, unencrypted, sign_ins));
            for (name, account) in settings.of(&vendor.id) {
                let read = Account::of_settings(name, vendor, account.variables.clone(), unencrypted, sign_ins);
                note(name, read.map(Some));
            }
            if let Some(name) = self.named_of(vendor, &settings, catalog)? {
                found.serving.insert(vendor.id.clone(), name.to_owned());
            }
        }
        if self.named().next().is_some() && only_named {
            let is_named = |name: &str| self.named().any(|named| named == name);
            found.accounts.retain(|account| is_named(&account.name));
            found.wrong.retain(|(_, name), _| is_named(name));
        }
        for name in self.named() {
            let is_found = found.accounts.iter().any(|account| account.name == name)
                || found.wrong.keys().any(|(_, wrong)| wrong == name);
            if !is_found {
                return Err(no_such_account(name, &settings, catalog));
            }
        }
        Ok(found)
    }

    /// The address of each vendor to which callers bring their own tokens: that of the account which `--account` names,
    /// else that in the environment. A default address serves only where the vendor is `wanted`.
    ///
    /// # Errors
    /// A variable's value is wrong, or a vendor that is wanted takes no tokens.
    pub(super) fn for_callers(
        &self,
        selection: &SelectionArguments,
        catalog: &Catalog,
        wanted: Option<&BTreeSet<String>>,
        unencrypted: Unencrypted,
    ) -> Result<Vec<Account>, CommandError> {
        let settings = InSettings::read(selection, catalog)?;
        let mut accounts = Vec::new();
        for vendor in catalog.vendors().iter().filter(|vendor| wanted.is_none_or(|wanted| wanted.contains(&vendor.id)))
        {
            let named = self.named_of(vendor, &settings, catalog)?;
            let account = match named.and_then(|name| settings.0.get(name)) {
                Some(account) => Account::for_callers_of_settings(vendor, account.variables.clone(), unencrypted),
                None => Account::for_callers(vendor, environment, unencrypted),
            };
            match account? {
                Some(account) if wanted.is_some() || !account.connection.address_is_default => accounts.push(account),
                None if wanted.is_some() => return Err(takes_no_tokens(vendor).into()),
                _ => {}
            }
        }
        if accounts.is_empty() {
            let ways: Vec<String> = catalog
                .vendors()
                .iter()
                .filter_map(|vendor| {
                    let inbound = vendor.inbound.as_ref()?;
                    let at = vendor.addresses.iter().find(|address| inbound.works_at(&address.name))?;
                    Some(format!("{}: set `{}`, or name it with `--vendor {}`", vendor.title, at.variable, vendor.id))
                })
                .collect();
            return Err(ConfigError::new(format!(
                "no address to which callers could bring their tokens\n{}",
                ways.join("\n")
            ))
            .into());
        }
        Ok(accounts)
    }

    /// Refuses the flag in the sandbox, which has no accounts.
    pub(super) fn refuse_in_sandbox(&self) -> Result<(), ConfigError> {
        match self.named().next() {
            Some(name) => Err(ConfigError::new(format!(
                "`--account {name}` has no effect in the sandbox, which has no accounts\nhint: leave one of the two out"
            ))),
            None => Ok(()),
        }
    }

    fn named(&self) -> impl Iterator<Item = &str> {
        self.account.iter().map(|name| name.trim()).filter(|name| !name.is_empty())
    }

    /// The account of a vendor that `--account` names.
    fn named_of(&self, vendor: &Vendor, settings: &InSettings, catalog: &Catalog) -> Result<Option<&str>, ConfigError> {
        let vendor_of = |name: &str| match settings.0.get(name) {
            Some(account) => account.vendor.clone(),
            None => catalog.vendor(name).map_or_else(String::new, |vendor| vendor.id.clone()),
        };
        let mut of_vendor = self.named().filter(|name| vendor_of(name) == vendor.id);
        match (of_vendor.next(), of_vendor.next()) {
            (Some(one), Some(other)) if one != other => Err(ConfigError::new(format!(
                "`--account {one},{other}` names two accounts of {}\nhint: one serves each vendor; a server with links has others besides",
                vendor.title
            ))),
            (one, _) => Ok(one),
        }
    }
}

impl FoundAccounts {
    /// Chooses the account of each vendor that serves where none is named: the environment's, else the only one.
    /// Those that only raise tickets for approvals are left out.
    fn choose_serving(&mut self, must_serve: bool, raising: &BTreeSet<String>) -> Result<(), ConfigError> {
        if let Some(name) = self.serving.values().find(|name| raising.contains(*name)) {
            return Err(ConfigError::new(format!(
                "`--account {name}` names an account that raises tickets for approvals and serves no caller\n\
                 hint: another account of this vendor, with credentials of another user"
            )));
        }
        let serves = |account: &&Account| !raising.contains(&account.name);
        let vendors: BTreeSet<String> =
            self.accounts.iter().filter(serves).map(|account| account.vendor.clone()).collect();
        for vendor in vendors {
            if self.serving.contains_key(&vendor) || self.wrong.contains_key(&(vendor.clone(), vendor.clone())) {
                continue;
            }
            let names: Vec<&str> = self
                .accounts
                .iter()
                .filter(serves)
                .filter(|it| it.vendor == vendor)
                .map(|it| it.name.as_str())
                .collect();
            let chosen = names.iter().find(|name| **name == vendor);
            let chosen = match (chosen, names.as_slice()) {
                (Some(name), _) => *name,
                (None, [only]) => *only,
                (None, _) if !must_serve => continue,
                (None, several) => {
                    return Err(ConfigError::new(format!(
                        "`{vendor}` has the accounts `{}`\nhint: `--account NAME` states which one serves",
                        several.join("`, `")
                    )));
                }
            };
            self.serving.insert(vendor, chosen.to_owned());
        }
        Ok(())
    }

    /// The state of each account, without its credentials.
    pub(super) fn states(&self) -> Vec<AccountState> {
        let state = |name: &str, vendor: &str, state: String| AccountState {
            name: name.to_owned(),
            vendor: vendor.to_owned(),
            serves: self.serving.get(vendor).is_some_and(|serving| serving == name),
            state,
        };
        let ready = self.accounts.iter().map(|account| {
            let credentials = &account.connection.credentials;
            let text = if credentials.are_missing() {
                "without credentials: its callers bring theirs"
            } else if credentials.are_of_sign_in() {
                "by a sign-in at the vendor, in the store"
            } else {
                "ready"
            };
            state(&account.name, &account.vendor, text.to_owned())
        });
        let wrong = self.wrong.iter().map(|((vendor, name), error)| state(name, vendor, error.to_string()));
        ready.chain(wrong).collect()
    }

    /// The vendors that an account serves.
    pub(super) fn vendors(&self) -> BTreeSet<String> {
        self.accounts.iter().map(|account| account.vendor.clone()).collect()
    }
}

/// The accounts of the sandbox: one of each vendor, by its name.
pub(super) fn in_sandbox(catalog: &Catalog) -> Vec<AccountState> {
    let state = |id: &String| AccountState {
        name: id.clone(),
        vendor: id.clone(),
        serves: true,
        state: "the sandbox answers".to_owned(),
    };
    catalog.vendors().iter().map(|vendor| state(&vendor.id)).collect()
}

fn no_such_account(name: &str, settings: &InSettings, catalog: &Catalog) -> ConfigError {
    let known =
        || settings.0.keys().map(String::as_str).chain(catalog.vendors().iter().map(|vendor| vendor.id.as_str()));
    let hint = match suggest_one(name, known()) {
        Some(near) if near != name => format!("did you mean `{near}`?"),
        _ if catalog.vendor(name).is_some() => "the environment holds nothing of it".to_owned(),
        _ if settings.0.is_empty() => {
            "toolwright.toml has none; it is looked for in the user's configuration folder, or `--config FILE` names it"
                .to_owned()
        }
        _ => format!("there are {}", settings.0.keys().map(String::as_str).collect::<Vec<_>>().join(", ")),
    };
    ConfigError::new(format!("there is no account `{name}`\nhint: {hint}"))
}

fn no_credentials(missing: &[&Vendor]) -> ConfigError {
    let missing: Vec<String> =
        missing.iter().map(|vendor| format!("{}: set {}", vendor.title, setup_options(vendor))).collect();
    ConfigError::new(format!(
        "no credentials\n{}\nhint: `serve` and `call` need none with `--sandbox`; a variable with the suffix `_FILE` may name a file that holds the value instead",
        missing.join("\n")
    ))
}

fn takes_no_tokens(vendor: &Vendor) -> ConfigError {
    let reason = match &vendor.inbound {
        None => "takes no tokens of callers".to_owned(),
        Some(inbound) => {
            let at = vendor.addresses.iter().filter(|address| inbound.works_at(&address.name));
            let variables: Vec<String> = at.map(|address| format!("`{}`", address.variable)).collect();
            format!(
                "takes each caller's {} at the address in {}, which is not set",
                inbound.token,
                variables.join(" or ")
            )
        }
    };
    ConfigError::new(format!("{} {reason}", vendor.title))
}
