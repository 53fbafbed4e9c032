//! Variables of an account, from the environment or from `[accounts.<name>]` in toolwright.toml → its connection, which is
//! read again when a file or an entry of the keyring that one of its variables names has changed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::connection::{ConnectionConfig, address_alone, connection, signed_in_connection};
use super::given_value::{FILE, KEYRING};
use super::read_again::{Read, ReadAgain, Watched};
use super::sign_ins::{SignIns, WatchedSignIn};
use crate::error::ConfigError;
use crate::keyring::EntryName;
use crate::upstream::Unencrypted;
use toolwright_model::{Credential, Vendor};

/// One vendor at one address with one set of credentials.
#[derive(Debug)]
pub struct Account {
    /// Its name: that of the vendor where it comes from the environment.
    pub name: String,
    /// The vendor's id.
    pub vendor: String,
    /// How it is reached.
    pub connection: ConnectionConfig,
    /// How it is read again; `None` where no file and no keyring holds a part of it.
    pub again: Option<ReadAgain>,
}

impl Account {
    /// Changes the connection, now and whenever it is read again.
    pub fn adjust(&mut self, change: impl Fn(&mut ConnectionConfig) + Send + Sync + 'static) {
        change(&mut self.connection);
        self.again = self.again.take().map(|again| again.adjusted(change));
    }
}

/// The values of an account's variables.
pub(super) type Variables = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

impl Account {
    /// Reads the account that the environment holds for a vendor, which has the vendor's name; `None` where it holds
    /// nothing of it. With `sign_ins`, people may sign in for it.
    ///
    /// # Errors
    /// As [`connection`].
    pub fn of_environment(
        vendor: &Vendor,
        env: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
        unencrypted: Unencrypted,
        sign_ins: Option<&SignIns>,
    ) -> Result<Option<Self>, ConfigError> {
        Self::read_own(&vendor.id, vendor, &(Arc::new(env) as Variables), unencrypted, sign_ins)
    }

    /// Reads an account of toolwright.toml by its variables. Nothing of the environment is added to it: it would send
    /// credentials of one account to the address of another. With `sign_ins`, people may sign in for it.
    ///
    /// # Errors
    /// As [`connection`]; or its variables are not complete.
    pub fn of_settings(
        name: &str,
        vendor: &Vendor,
        variables: BTreeMap<String, String>,
        unencrypted: Unencrypted,
        sign_ins: Option<&SignIns>,
    ) -> Result<Self, ConfigError> {
        let wrong = |text: String| ConfigError::new(format!("account `{name}`: {text}"));
        let known = known_variables(vendor);
        if let Some(unknown) = variables.keys().find(|variable| !known.contains(variable)) {
            let near = toolwright_model::suggest_one(unknown, known.iter().map(String::as_str));
            let hint = near
                .map_or_else(|| format!("there are {}", known.join(", ")), |near| format!("did you mean `{near}`?"));
            return Err(wrong(format!("`{unknown}` is no variable of {}\nhint: {hint}", vendor.title)));
        }
        let env: Variables = Arc::new(move |variable: &str| variables.get(variable).cloned());
        let account = Self::read_own(name, vendor, &env, unencrypted, sign_ins);
        match account.map_err(|error| wrong(error.to_string()))? {
            Some(account) => Ok(account),
            None => Err(wrong(format!("it has no credentials\nhint: set {}", super::setup_options(vendor)))),
        }
    }

    /// Reads the address of an account of toolwright.toml, as [`Account::for_callers`].
    ///
    /// # Errors
    /// A variable's value is wrong.
    pub fn for_callers_of_settings(
        vendor: &Vendor,
        variables: BTreeMap<String, String>,
        unencrypted: Unencrypted,
    ) -> Result<Option<Self>, ConfigError> {
        Self::for_callers(vendor, move |variable| variables.get(variable).cloned(), unencrypted)
    }

    /// Reads the address alone to which callers bring credentials of their own; `None` where none is set at which those
    /// work. The account has a name that no other can have.
    ///
    /// # Errors
    /// A variable's value is wrong.
    pub fn for_callers(
        vendor: &Vendor,
        env: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
        unencrypted: Unencrypted,
    ) -> Result<Option<Self>, ConfigError> {
        let name = format!("{} of its callers", vendor.id);
        let by = move |vendor: &Vendor, env: super::Environment<'_>| address_alone(vendor, env, unencrypted);
        Self::read(&name, vendor, &(Arc::new(env) as Variables), by, None)
    }

    /// Reads an account with credentials of its own, or with the sign-in of a person.
    fn read_own(
        name: &str,
        vendor: &Vendor,
        env: &Variables,
        unencrypted: Unencrypted,
        sign_ins: Option<&SignIns>,
    ) -> Result<Option<Self>, ConfigError> {
        let sign_in = sign_ins.and_then(|sign_ins| sign_ins.watch(name, vendor, env)).map(Arc::new);
        let of_person = sign_in.clone();
        let by = move |vendor: &Vendor, env: super::Environment<'_>| match &of_person {
            Some(sign_in) => signed_in_connection(vendor, env, unencrypted, &sign_in.now(vendor, env)?),
            None => connection(vendor, env, unencrypted),
        };
        Self::read(name, vendor, env, by, sign_in)
    }

    fn read(
        name: &str,
        vendor: &Vendor,
        env: &Variables,
        by: impl Fn(&Vendor, super::Environment<'_>) -> Result<Option<ConnectionConfig>, ConfigError>
        + Send
        + Sync
        + 'static,
        sign_in: Option<Arc<WatchedSignIn>>,
    ) -> Result<Option<Self>, ConfigError> {
        let watched = Watched::new(files(vendor, env), entries(vendor, env), sign_in);
        let Some(connection) = by(vendor, &|variable| env(variable))? else { return Ok(None) };
        let again = watched.map(|watched| {
            let (vendor, env) = (vendor.clone(), Arc::clone(env));
            let read: Read = Arc::new(move || {
                let read = by(&vendor, &|variable| env(variable))?;
                read.ok_or_else(|| ConfigError::new(format!("{}: nothing is configured any more", vendor.title)))
            });
            ReadAgain::new(read, watched)
        });
        Ok(Some(Self { name: name.to_owned(), vendor: vendor.id.clone(), connection, again }))
    }
}

/// The variables that an account of a vendor may have, each also with `_FILE`, and those that hold a secret with `_KEYRING`.
pub(crate) fn known_variables(vendor: &Vendor) -> Vec<String> {
    let addresses = vendor.addresses.iter().flat_map(toolwright_model::Address::variables).map(str::to_owned);
    let credentials = vendor.credentials.iter().flat_map(Credential::variables).map(str::to_owned);
    let settings = vendor.settings.iter().flat_map(|one| std::iter::once(&one.variable).chain(&one.allowed)).cloned();
    let tls = super::tls::variables(vendor);
    let servers = vendor.servers.values().map(|server| server.variable.clone());
    let mut known: Vec<String> = addresses.chain(servers).chain(credentials).chain(settings).chain(tls).collect();
    let files: Vec<String> =
        known.iter().filter(|name| !name.ends_with(FILE)).map(|name| format!("{name}{FILE}")).collect();
    known.extend(by_keyring(vendor));
    known.extend(files);
    known.sort_unstable();
    known.dedup();
    known
}

/// Whether a variable of a vendor holds a secret itself.
pub(crate) fn is_secret(vendor: &Vendor, variable: &str) -> bool {
    let mut credentials = vendor.credentials.iter().flat_map(Credential::secrets);
    credentials.any(|secret| secret == variable) || super::tls::is_secret(vendor, variable)
}

/// The variables that name entries of the keyring, one for each secret.
fn by_keyring(vendor: &Vendor) -> impl Iterator<Item = String> {
    let credentials = vendor.credentials.iter().flat_map(Credential::secrets).map(str::to_owned);
    let secrets = credentials.chain(super::tls::variables(vendor).filter(|name| super::tls::is_secret(vendor, name)));
    secrets.map(|name| format!("{name}{KEYRING}"))
}

/// The entries of the keyring that hold an account's secrets.
fn entries(vendor: &Vendor, env: &Variables) -> Vec<EntryName> {
    by_keyring(vendor).filter_map(|name| EntryName::parse(&env(&name)?)).collect()
}

/// The files that hold values of a vendor's variables. A file with a refresh token is not among them: each use rewrites
/// it, and it is read by those who use it.
fn files(vendor: &Vendor, env: &Variables) -> Vec<PathBuf> {
    let rewritten = |variable: &String| {
        vendor.credentials.iter().any(|credential| {
            matches!(credential, Credential::OauthRefresh { refresh_token_file, .. } if refresh_token_file == variable)
        })
    };
    let named = known_variables(vendor).into_iter().filter(|name| name.ends_with(FILE)).filter(|name| !rewritten(name));
    let paths = named.filter_map(|name| env(&name)).filter(|path| !path.is_empty());
    paths.map(|path| Path::new(&path).to_owned()).collect()
}
