//! `toolwright setup`: what a person types → an account in toolwright.toml, its secrets in files that only that person can
//! read or in the keyring, one login, and this server in the settings of clients; and back to nothing.

mod remove;
mod settings;
mod store;

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, IsTerminal as _};

use clap::Args;

use super::CommandError;
use super::accounts::check_name;
use super::printer::Printer;
use super::selection::environment;
use super::signals::Signals;
use super::{doctor, install};
use crate::catalog::Catalog;
use crate::client_settings::{CLIENTS, find};
use crate::config::{Account, is_secret, user_settings};
use crate::error::ConfigError;
use crate::upstream::Unencrypted;
use settings::Settings;
use store::{Place, check_keyring, store};
use toolwright_model::{Address, Credential, Vendor};

pub(super) const EXAMPLE: &str = "\
It asks for everything; without a terminal it reads the answers from standard input, a line each. Secrets go into files that
only you can read, and toolwright.toml in your configuration folder names those. With --keyring they go into the keyring of the
operating system.

Examples:
  toolwright setup --vendor jitbit
  toolwright setup --vendor jitbit --keyring
  toolwright setup --remove jitbit";

/// The longest name that is made from an address.
const LONGEST_NAME: usize = 32;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The vendor
    #[arg(long)]
    vendor: Option<String>,
    /// The account's name in toolwright.toml; by default it is made from the address
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// Keep secrets in the keyring of the operating system, in place of files
    #[arg(long)]
    keyring: bool,
    /// Remove what was set up: an account, those of a vendor, or the only one there is
    #[arg(long, value_name = "ACCOUNT", num_args = 0..=1, conflicts_with_all = ["vendor", "account", "keyring"])]
    #[expect(clippy::option_option, reason = "how clap spells a flag whose value may be left out")]
    remove: Option<Option<String>>,
    /// Remove without asking
    #[arg(long, short, requires = "remove")]
    yes: bool,
}

pub(super) fn run(arguments: &Arguments, signals: &Signals) -> Result<(), CommandError> {
    let (mut printer, catalog) = (Printer::new(), Catalog::compiled());
    let settings = user_settings(&environment)
        .ok_or_else(|| ConfigError::new("your home folder is not known\nhint: set `HOME`"))?;
    if let Some(word) = &arguments.remove {
        let vendors: Vec<&str> = catalog.vendors().iter().map(|vendor| vendor.id.as_str()).collect();
        return remove::remove(&settings, word.as_deref(), &vendors, arguments.yes, &mut printer);
    }
    if let Some(name) = &arguments.account {
        check_name(name)?;
    }
    let place = if arguments.keyring { Place::Keyring } else { Place::Files };
    if place == Place::Keyring {
        check_keyring()?;
    }
    let mut person = Person::new();
    let vendor = choose_vendor(arguments.vendor.as_deref(), &catalog, &mut person, &mut printer)?;
    let variables = ask(vendor, &mut person, &mut printer)?;
    let name = match &arguments.account {
        Some(name) => name.clone(),
        None => account_name(vendor, &variables),
    };
    // As `serve` reads it, before anything is written.
    Account::of_settings(&name, vendor, variables.clone(), Unencrypted::OnThisMachine, None)?;
    store(Settings::read(&settings)?, &name, vendor, &variables, place)?;
    let secrets = if place == Place::Keyring { ", its secrets in the keyring" } else { "" };
    printer.note(&format!("stored the account `{name}` in `{}`{secrets}", settings.display()));
    doctor::check_one(&name, signals)?;
    let clients = choose_clients(&mut person, &mut printer)?;
    if clients.is_empty() {
        printer.note("hint: `toolwright install CLIENT` puts it into a client, `toolwright call TOOL` calls a tool");
        return Ok(());
    }
    install::run(&install::Arguments::of_account(clients, &name), &mut printer)
}

/// The person at the terminal, or the lines on standard input.
struct Person {
    is_there: bool,
}

impl Person {
    fn new() -> Self {
        Self { is_there: io::stdin().is_terminal() }
    }

    /// Asks; the answer is not shown where it is a secret.
    fn ask(&mut self, question: &str, secret: bool, printer: &mut Printer) -> Result<String, CommandError> {
        if self.is_there {
            printer.note(question);
        }
        let answer = if self.is_there && secret {
            rpassword::read_password()?
        } else {
            let mut line = String::new();
            if io::stdin().lock().read_line(&mut line)? == 0 {
                return Err(ConfigError::new(format!("no answer to `{question}`; nothing was stored")).into());
            }
            line
        };
        Ok(answer.trim().to_owned())
    }
}

fn choose_vendor<'a>(
    named: Option<&str>,
    catalog: &'a Catalog,
    person: &mut Person,
    printer: &mut Printer,
) -> Result<&'a Vendor, CommandError> {
    let ids: Vec<&str> = catalog.vendors().iter().map(|vendor| vendor.id.as_str()).collect();
    let word = match named {
        Some(word) => word.to_owned(),
        None => person.ask(&format!("Vendor ({}):", ids.join(", ")), false, printer)?,
    };
    let vendor = catalog.vendor(&word);
    Ok(vendor
        .ok_or_else(|| ConfigError::new(format!("there is no vendor `{word}`\nhint: there are {}", ids.join(", "))))?)
}

/// Asks for the variables of an address and of credentials that work there.
fn ask(vendor: &Vendor, person: &mut Person, printer: &mut Printer) -> Result<BTreeMap<String, String>, CommandError> {
    let mut variables = BTreeMap::new();
    // A refresh token comes from a sign-in in a browser, for which docs/ has the steps.
    let kinds: Vec<&Credential> =
        vendor.credentials.iter().filter(|kind| !matches!(kind, Credential::OauthRefresh { .. })).collect();
    let titles: Vec<String> = kinds.iter().map(|kind| kind.variables().join(" and ")).collect();
    let chosen = choose("Credentials", &titles, person, printer)?;
    let Some(credential) = kinds.get(chosen) else {
        return Err(ConfigError::new(format!("{} takes no credentials that can be typed", vendor.title)).into());
    };
    let addresses: Vec<&Address> =
        vendor.addresses.iter().filter(|address| credential.works_at(&address.name)).collect();
    let titles: Vec<String> =
        addresses.iter().map(|address| format!("{}, such as {}", address.variable, address.example)).collect();
    let chosen = choose("Address", &titles, person, printer)?;
    if let Some(address) = addresses.get(chosen) {
        let default = address.default.as_ref().map_or_else(String::new, |default| format!("; empty for {default}"));
        let question = format!("{} (such as {}{default}):", address.variable, address.example);
        let answer = person.ask(&question, false, printer)?;
        if !answer.is_empty() {
            variables.insert(address.variable.clone(), answer);
        }
    }
    for variable in credential.variables() {
        let answer = person.ask(&format!("{variable}:"), is_secret(vendor, variable), printer)?;
        if answer.is_empty() {
            return Err(ConfigError::new(format!("`{variable}` is needed; nothing was stored")).into());
        }
        variables.insert(variable.to_owned(), answer);
    }
    Ok(variables)
}

/// Has the person choose by number; there is nothing to ask where there is one.
fn choose(what: &str, titles: &[String], person: &mut Person, printer: &mut Printer) -> Result<usize, CommandError> {
    if titles.len() < 2 {
        return Ok(0);
    }
    let list: Vec<String> =
        titles.iter().enumerate().map(|(index, title)| format!("  {}  {title}", index + 1)).collect();
    let question = format!("{what}:\n{}\nNumber (1):", list.join("\n"));
    let answer = person.ask(&question, false, printer)?;
    let number = if answer.is_empty() { Some(1) } else { answer.parse::<usize>().ok() };
    let number = number.filter(|number| (1..=titles.len()).contains(number));
    let number = number.ok_or_else(|| ConfigError::new(format!("{what}: a number from 1 to {}", titles.len())))?;
    Ok(number - 1)
}

fn choose_clients(person: &mut Person, printer: &mut Printer) -> Result<Vec<String>, CommandError> {
    let words: Vec<&str> = CLIENTS.iter().filter(|client| client.user.is_some()).map(|client| client.word).collect();
    if !person.is_there {
        return Ok(Vec::new());
    }
    let question = format!("Install into which clients? ({}; empty for none):", words.join(", "));
    let answer = person.ask(&question, false, printer)?;
    let chosen: Vec<String> = answer.split([',', ' ']).filter(|word| !word.is_empty()).map(str::to_owned).collect();
    if let Some(unknown) = chosen.iter().find(|word| find(word).is_none()) {
        let hint = format!("`toolwright install CLIENT` with one of {}", words.join(", "));
        return Err(ConfigError::new(format!("there is no client `{unknown}`\nhint: {hint}")).into());
    }
    Ok(chosen)
}

/// A name for the account: the first part of its address, else the vendor's with `-account`.
fn account_name(vendor: &Vendor, variables: &BTreeMap<String, String>) -> String {
    let host = vendor.addresses.iter().filter_map(|address| variables.get(&address.variable)).find_map(|text| {
        let url = url::Url::parse(text).ok()?;
        match url.host()? {
            url::Host::Domain(host) => host.split('.').next().map(str::to_ascii_lowercase),
            _ => None,
        }
    });
    let is_name = |name: &String| {
        !name.is_empty() && name.len() <= LONGEST_NAME && *name != vendor.id && !matches!(name.as_str(), "www" | "api")
    };
    host.filter(is_name).unwrap_or_else(|| format!("{}-account", vendor.id))
}
