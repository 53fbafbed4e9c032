//! `toolwright login` and `logout`: a vendor and a person at a browser → a file with a refresh token, and the variables that
//! use it; and their end.

mod settings;
mod token_file;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use super::CommandError;
use super::printer::Printer;
use super::selection::{SelectionArguments, environment};
use super::signals::Signals;
use crate::catalog::Catalog;
use crate::config::{Environment, LoginClient, login_client, settings_accounts, user_settings};
use crate::error::ConfigError;
use crate::login::{LoginError, SignIn, Site, revoke, scopes_of};
use crate::policy::{Defaults, Selection};
use crate::store::data_folder;
use toolwright_model::{Vendor, suggest_one};

pub(super) const EXAMPLE: &str = "\
JSM_CLIENT_ID and JSM_CLIENT_SECRET (or …_FILE) are those of an OAuth app that you make at the vendor; its callback address
is http://localhost:8976/callback.

Examples:
  toolwright login jsm
  toolwright login jsm --account acme --site acme --methods read,write";

pub(super) const LOGOUT_EXAMPLE: &str = "Example:\n  toolwright logout jsm";

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The vendor, such as jsm
    #[arg(id = "of", value_name = "VENDOR")]
    vendor: String,
    /// An account of toolwright.toml, which is written there; without it, variables for the environment are printed
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// The site to act at, by its name, address or id, where the sign-in reaches several
    #[arg(long, value_name = "SITE")]
    site: Option<String>,
    /// The port on this machine that the vendor's app names in its callback address
    #[arg(long, default_value_t = 8976)]
    port: u16,
    /// Print the address of the page, and open no browser
    #[arg(long)]
    no_browser: bool,
    /// How long to wait for the person, in seconds
    #[arg(long, default_value_t = 300, value_name = "SECONDS")]
    wait: u64,
    #[command(flatten)]
    selection: SelectionArguments,
}

#[derive(Debug, Args)]
pub(super) struct LogoutArguments {
    /// The vendor, such as jsm
    #[arg(id = "of", value_name = "VENDOR")]
    vendor: String,
    /// An account of toolwright.toml
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// The settings file that holds the account
    #[arg(long, value_name = "FILE", env = "TOOLWRIGHT_CONFIG")]
    config: Option<PathBuf>,
}

impl From<LoginError> for CommandError {
    fn from(error: LoginError) -> Self {
        match error {
            LoginError::Configuration(error) => Self::Configuration(error),
            error @ LoginError::Refused(_) => Self::System(Box::new(error)),
        }
    }
}

/// Where an account's variables are.
struct Account<'a> {
    name: &'a str,
    /// `None`: the environment alone.
    settings: Option<PathBuf>,
    variables: BTreeMap<String, String>,
}

impl<'a> Account<'a> {
    fn find(name: Option<&'a str>, vendor: &'a Vendor, config: Option<&Path>) -> Result<Self, ConfigError> {
        let Some(name) = name else {
            return Ok(Self { name: &vendor.id, settings: None, variables: BTreeMap::new() });
        };
        let settings = config.map(Path::to_owned).or_else(|| user_settings(&environment));
        let settings = settings
            .ok_or_else(|| ConfigError::new("no folder for toolwright.toml is known\nhint: `--config FILE`"))?;
        let known =
            if settings.is_file() { settings_accounts(Some(&settings), &environment)? } else { BTreeMap::new() };
        let found = known.get(name);
        if let Some(other) = found.filter(|account| account.vendor != vendor.id) {
            return Err(ConfigError::new(format!("account `{name}` is of the vendor `{}`", other.vendor)));
        }
        let variables = found.map(|account| account.variables.clone()).unwrap_or_default();
        Ok(Self { name, settings: Some(settings), variables })
    }

    /// The account's own value, or else that of the environment.
    fn value(&self, variable: &str) -> Option<String> {
        self.variables.get(variable).cloned().or_else(|| environment(variable))
    }
}

pub(super) fn run(arguments: &Arguments, signals: &Signals) -> Result<(), CommandError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let stop = signals.end_by();
    let mut printer = Printer::new();
    let done = runtime.block_on(async {
        tokio::select! {
            done = log_in(arguments, &mut printer) => done,
            () = stop.cancelled() => Err(LoginError::Refused("the sign-in was given up".to_owned()).into()),
        }
    });
    runtime.shutdown_background();
    done
}

async fn log_in(arguments: &Arguments, printer: &mut Printer) -> Result<(), CommandError> {
    let catalog = Catalog::compiled();
    let vendor = vendor(&arguments.vendor, &catalog)?;
    let account = Account::find(arguments.account.as_deref(), vendor, arguments.selection.config())?;
    let env = |variable: &str| account.value(variable);
    let client = login_client(vendor, &env)?;
    let file = file_of(&client, account.name, &env)?;
    let selection = arguments.selection.resolve(Defaults::CoreReads, &catalog, &environment)?;
    let scopes = scopes(vendor, &catalog, &selection);
    let sign_in = SignIn::begin(client.login, &client.request.client_id, &scopes, arguments.port).await?;
    printer.note(&format!("sign in to {} at this page:\n\n{}\n", vendor.title, sign_in.url()));
    printer.note(&format!("its app has to name the callback address {}", sign_in.redirect()));
    if !arguments.no_browser {
        open_browser(sign_in.url().as_str());
    }
    let signed_in = sign_in.finish(&client.request, Duration::from_secs(arguments.wait)).await?;
    // First of all: the token is good once, and nothing has used it yet.
    token_file::write(&file, &signed_in.refresh_token)?;
    printer.note(&format!("the refresh token is in {}", file.display()));
    let mut found = BTreeMap::from([(client.file_variable.to_owned(), file.display().to_string())]);
    if let Some(sites) = &client.login.sites {
        let reached = signed_in.sites(sites, &client.request.tls).await?;
        let site = choose(&reached, arguments.site.as_deref(), printer)?;
        printer.note(&format!("site: {} ({})", site.names.join(", "), site.id));
        found.insert(sites.variable.clone(), site.id.clone());
    }
    match &account.settings {
        Some(path) => {
            found.extend(settings::of_app(&client, &env));
            settings::write(path, account.name, &vendor.id, &found)?;
            printer.note(&format!("account `{}` is in {}", account.name, path.display()));
        }
        None => {
            for (variable, value) in &found {
                printer.data(&format!("{variable}={}", settings::quoted(value)))?;
            }
        }
    }
    Ok(())
}

fn vendor<'c>(id: &str, catalog: &'c Catalog) -> Result<&'c Vendor, ConfigError> {
    catalog.vendor(id).ok_or_else(|| {
        let known = || catalog.vendors().iter().map(|vendor| vendor.id.as_str());
        let hint = suggest_one(id, known()).map_or_else(
            || format!("there are {}", known().collect::<Vec<_>>().join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        ConfigError::new(format!("there is no vendor `{id}`\nhint: {hint}"))
    })
}

/// The scopes that the selected tools need.
fn scopes(vendor: &Vendor, catalog: &Catalog, selection: &Selection) -> BTreeSet<String> {
    let served = catalog.entries().iter().filter(|entry| entry.vendor == vendor.id && selection.decide(entry).is_ok());
    scopes_of(served.flat_map(|entry| &entry.tool.calls))
}

/// The file for the refresh token: the one that is named, or one in the folder of programs' data.
fn file_of(client: &LoginClient<'_>, account: &str, env: Environment<'_>) -> Result<PathBuf, ConfigError> {
    let named = client.file.clone().or_else(|| Some(data_folder(env)?.join(format!("{account}.refresh-token"))));
    named.ok_or_else(|| {
        let variable = client.file_variable;
        ConfigError::new(format!("no folder for the refresh token is known\nhint: `{variable}` names a file"))
    })
}

/// The site to act at.
fn choose<'s>(sites: &'s [Site], wanted: Option<&str>, printer: &mut Printer) -> Result<&'s Site, CommandError> {
    let listed = || {
        let lines = sites.iter().map(|site| format!("  {} ({})", site.names.join(", "), site.id));
        lines.collect::<Vec<_>>().join("\n")
    };
    let fits = |site: &&Site, wanted: &str| {
        site.id == wanted
            || site
                .names
                .iter()
                .any(|name| name.trim_end_matches('/').eq_ignore_ascii_case(wanted.trim_end_matches('/')))
    };
    let refused = |text: String| Err(ConfigError::new(text).into());
    match (wanted, sites) {
        (_, []) => refused("the sign-in reaches no site\nhint: choose a site on the vendor's page".to_owned()),
        (Some(wanted), _) => match sites.iter().filter(|site| fits(site, wanted)).collect::<Vec<_>>()[..] {
            [only] => Ok(only),
            [] => refused(format!("the sign-in reaches no site `{wanted}`; it reaches\n{}", listed())),
            _ => refused(format!("several sites are called `{wanted}`\nhint: `--site ID`; there are\n{}", listed())),
        },
        (None, [only]) => Ok(only),
        (None, _) if std::io::stdin().is_terminal() => {
            printer.note(&format!("the sign-in reaches several sites:\n{}", listed()));
            let _ = write!(std::io::stderr(), "name or id: ");
            let mut line = String::new();
            std::io::stdin().read_line(&mut line)?;
            let chosen: Vec<&Site> = sites.iter().filter(|site| fits(site, line.trim())).collect();
            match chosen[..] {
                [only] => Ok(only),
                _ => refused(format!("`{}` is none of them\nhint: `--site ID`", line.trim())),
            }
        }
        (None, _) => refused(format!("the sign-in reaches several sites\nhint: `--site ID`; there are\n{}", listed())),
    }
}

/// Opens a page in the person's browser; where there is none, the address is printed anyway.
fn open_browser(url: &str) {
    let program = if cfg!(target_os = "macos") {
        "open"
    } else if cfg!(windows) {
        "explorer"
    } else {
        "xdg-open"
    };
    let silent = std::process::Stdio::null;
    let _ = std::process::Command::new(program).arg(url).stdin(silent()).stdout(silent()).stderr(silent()).spawn();
}

pub(super) fn log_out(arguments: &LogoutArguments, printer: &mut Printer) -> Result<(), CommandError> {
    let catalog = Catalog::compiled();
    let vendor = vendor(&arguments.vendor, &catalog)?;
    let account = Account::find(arguments.account.as_deref(), vendor, arguments.config.as_deref())?;
    let env = |variable: &str| account.value(variable);
    let client = login_client(vendor, &env)?;
    let file = file_of(&client, account.name, &env)?;
    let Some(token) = token_file::read(&file)? else {
        return Err(ConfigError::new(format!("there is no sign-in to end: {} is not there", file.display())).into());
    };
    if let Some(endpoint) = &client.login.revoke {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(revoke(endpoint, &client.request, &token))?;
        printer.note(&format!("{} has revoked the sign-in", vendor.title));
    }
    token_file::remove(&file)?;
    printer.note(&format!("{} is deleted", file.display()));
    if let (None, Some(page)) = (&client.login.revoke, &client.login.consents) {
        printer.note(&format!("{} lets no program revoke a sign-in: take your consent back at {page}", vendor.title));
    }
    Ok(())
}
