//! Flags, environment and toolwright.toml → the server that a client is to have, and the secrets that go into files of
//! their own.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Parser;
use url::Url;

use super::super::selection::environment;
use super::super::{CommandError, serve};
use super::Arguments;
use super::change::remove_empty_folders;
use crate::catalog::Catalog;
use crate::client_settings::places::{System, user_file};
use crate::client_settings::{
    CLIENTS, Client, Connection, Given, LONGEST_NAME, Reference, Server, Token, Variable, server_name,
};
use crate::config::{Account, FILE, KEYRING, is_secret, known_variables, user_settings};
use crate::error::ConfigError;
use crate::upstream::Unencrypted;
use toolwright_model::Vendor;

/// The name of a server that has the tools of several vendors.
const NAME_OF_SEVERAL: &str = "helpdesk";
/// The program's name, where a client finds it by itself.
const PROGRAM: &str = env!("CARGO_PKG_NAME");
/// The folder of secrets, beside toolwright.toml.
const SECRETS: &str = "secrets";

/// Whose settings are changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Scope {
    User,
    /// A folder that people share.
    Project(PathBuf),
}

impl Scope {
    pub(super) fn folder(&self) -> Option<&Path> {
        match self {
            Self::User => None,
            Self::Project(folder) => Some(folder),
        }
    }
}

/// A secret and the file that is to hold it.
pub(super) struct Secret {
    pub(super) path: PathBuf,
    pub(super) text: String,
}

/// The server that is installed.
#[derive(Debug)]
pub(super) struct Installed {
    name: String,
    way: Way,
}

#[derive(Debug)]
enum Way {
    Local { command: String, arguments: Vec<String>, vendors: Vec<Vendor> },
    Remote { url: String, token: Option<Token> },
}

/// The words behind `toolwright serve`, as its own parser reads them.
#[derive(Debug, Parser)]
#[command(name = "toolwright serve", no_binary_name = true)]
struct ServeWords {
    #[command(flatten)]
    serve: serve::Arguments,
}

impl Installed {
    /// # Errors
    /// `serve` would not start so, or a flag is wrong.
    pub(super) fn read(arguments: &Arguments, scope: &Scope) -> Result<Self, CommandError> {
        if let Some(url) = &arguments.http {
            let url = checked_address(url, scope)?;
            let name = checked_name(arguments.name.as_deref().unwrap_or(NAME_OF_SEVERAL))?;
            let token = arguments.token_variable.as_deref().map(checked_variable).transpose()?.map(Token::Variable);
            return Ok(Self { name, way: Way::Remote { url, token } });
        }
        let mut words = vec!["serve".to_owned()];
        if arguments.sandbox {
            words.push("--sandbox".to_owned());
        }
        if !arguments.vendor.is_empty() {
            words.extend(["--vendor".to_owned(), arguments.vendor.join(",")]);
        }
        words.extend(arguments.flags.iter().cloned());
        let parsed = ServeWords::try_parse_from(&words[1..]);
        let serve = parsed.map_err(|error| ConfigError::new(error.render().to_string().trim_end().to_owned()))?.serve;
        let catalog = Catalog::compiled();
        let configured = serve.for_a_client(&catalog)?;
        let name = match (&arguments.name, configured.vendors.iter().next()) {
            (Some(name), _) => checked_name(name)?,
            (None, Some(only)) if configured.vendors.len() == 1 => server_name(only),
            (None, _) => NAME_OF_SEVERAL.to_owned(),
        };
        let vendors = if configured.in_sandbox {
            Vec::new()
        } else {
            in_environment(&catalog, &configured.vendors, configured.unencrypted)?
        };
        let (command, before) = program(arguments.command.as_deref(), scope)?;
        let arguments = before.into_iter().chain(words).collect();
        Ok(Self { name, way: Way::Local { command, arguments, vendors } })
    }

    /// The server as this client is to have it, and the secrets that its entry refers to by files.
    pub(super) fn for_client(&self, client: &Client, scope: &Scope) -> Result<(Server, Vec<Secret>), ConfigError> {
        let mut secrets = Vec::new();
        let connection = match &self.way {
            Way::Remote { url, token } => Connection::Remote { url: url.clone(), token: token.clone() },
            Way::Local { command, arguments, vendors } => {
                let mut variables = Vec::new();
                for vendor in vendors {
                    for name in known_variables(vendor) {
                        variables.extend(variable(vendor, &name, client, scope, &mut secrets)?);
                    }
                }
                Connection::Local { command: command.clone(), arguments: arguments.clone(), variables }
            }
        };
        Ok((Server { name: self.name.clone(), connection }, secrets))
    }

    /// The server with a text in place of the token, to paste.
    pub(super) fn with_shown_token(&self, token: &str) -> Server {
        let connection = match &self.way {
            Way::Remote { url, .. } => {
                Connection::Remote { url: url.clone(), token: Some(Token::Shown(token.to_owned())) }
            }
            Way::Local { command, arguments, .. } => {
                Connection::Local { command: command.clone(), arguments: arguments.clone(), variables: Vec::new() }
            }
        };
        Server { name: self.name.clone(), connection }
    }
}

/// How a variable of the environment gets to the server that the client starts.
fn variable(
    vendor: &Vendor,
    name: &str,
    client: &Client,
    scope: &Scope,
    secrets: &mut Vec<Secret>,
) -> Result<Option<Variable>, ConfigError> {
    let Some(value) = environment(name).filter(|value| !value.trim().is_empty()) else { return Ok(None) };
    let is_given = |name: &str| environment(name).is_some_and(|value| !value.trim().is_empty());
    let of = |name: &str, given: Given| Ok(Some(Variable { name: name.to_owned(), given }));
    if name.ends_with(KEYRING) {
        // The keyring of this person is of no use to others.
        return of(name, if *scope == Scope::User { Given::Here(value) } else { Given::Elsewhere });
    }
    let bare = name.strip_suffix(FILE);
    // The variable itself has precedence over the one that names a file.
    if bare.is_some_and(is_given) {
        return Ok(None);
    }
    if bare.is_some() {
        // The path of a file on this machine is of no use to others.
        return match scope {
            Scope::Project(_) => of(name, Given::Elsewhere),
            Scope::User => of(name, Given::Here(absolute(&value)?)),
        };
    }
    if !is_secret(vendor, name) {
        return of(name, Given::Here(value.trim().to_owned()));
    }
    if *scope != Scope::User || matches!(client.reference, Reference::Input) {
        return of(name, Given::Elsewhere);
    }
    let path = user_secrets()?.join(name);
    let shown = path.display().to_string();
    secrets.push(Secret { path, text: value.trim().to_owned() });
    of(&format!("{name}{FILE}"), Given::Here(shown))
}

fn absolute(path: &str) -> Result<String, ConfigError> {
    let absolute = std::path::absolute(path);
    let absolute = absolute.map_err(|error| ConfigError::new(format!("a `…_FILE` variable names no file: {error}")))?;
    Ok(absolute.display().to_string())
}

/// The vendors of which the environment holds an account.
fn in_environment(
    catalog: &Catalog,
    vendors: &BTreeSet<String>,
    unencrypted: Unencrypted,
) -> Result<Vec<Vendor>, ConfigError> {
    let mut found = Vec::new();
    for vendor in catalog.vendors().iter().filter(|vendor| vendors.contains(&vendor.id)) {
        if Account::of_environment(vendor, environment, unencrypted, None)?.is_some() {
            found.push((*vendor).clone());
        }
    }
    Ok(found)
}

/// The folder for secrets, beside the user's toolwright.toml.
pub(in crate::cli) fn user_secrets() -> Result<PathBuf, ConfigError> {
    let settings = user_settings(&environment);
    let folder = settings.as_deref().and_then(Path::parent).map(|folder| folder.join(SECRETS));
    folder.ok_or_else(|| ConfigError::new("your home folder is not known\nhint: set `HOME`"))
}

/// Removes the secrets that entries referred to which are gone, unless another client of this person refers to them, or
/// toolwright.toml.
pub(in crate::cli) fn forget_secrets(entries: &[String]) -> Result<(), CommandError> {
    let folder = user_secrets()?;
    let Ok(files) = std::fs::read_dir(&folder) else { return Ok(()) };
    let settings = CLIENTS.iter().filter_map(|client| user_file(client.user.as_ref()?, System::this(), &environment));
    let texts: Vec<String> =
        settings.chain(user_settings(&environment)).filter_map(|path| std::fs::read_to_string(path).ok()).collect();
    for path in files.filter_map(|file| Some(file.ok()?.path())) {
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        let refers = |text: &String| refers_to(text, name);
        if entries.iter().any(refers) && !texts.iter().any(refers) {
            std::fs::remove_file(&path)?;
        }
    }
    // Only where it is empty.
    if std::fs::remove_dir(&folder).is_ok() {
        remove_empty_folders(&folder, None);
    }
    Ok(())
}

/// Whether a text has the path of a secret by this name, in whatever notation. Entries of the keyring have like names.
fn refers_to(text: &str, name: &str) -> bool {
    let is_own = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    text.match_indices(name).any(|(at, _)| {
        let (before, after) = (&text[..at], text[at + name.len()..].chars().next());
        let folder = before.trim_end_matches(['/', '\\']);
        folder.len() < before.len() && folder.ends_with(SECRETS) && !after.is_some_and(is_own)
    })
}

/// How a client starts this program: a command, and what precedes `serve`.
fn program(named: Option<&str>, scope: &Scope) -> Result<(String, Vec<String>), CommandError> {
    if let Some(command) = named {
        return Ok((command.to_owned(), Vec::new()));
    }
    if *scope != Scope::User {
        // A full path would be of this machine only.
        return Ok((PROGRAM.to_owned(), Vec::new()));
    }
    let program = std::env::current_exe()?;
    // npx keeps programs in a cache, which it empties.
    if program.iter().any(|part| part == "_npx") {
        return Ok(("npx".to_owned(), vec!["-y".to_owned(), PROGRAM.to_owned()]));
    }
    // Clients that are started from a desktop may have another PATH than a shell.
    Ok((program.display().to_string(), Vec::new()))
}

fn checked_name(name: &str) -> Result<String, ConfigError> {
    let is_name = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if is_name && (1..=LONGEST_NAME).contains(&name.len()) {
        return Ok(name.to_owned());
    }
    let example = Some(server_name(name)).filter(|name| !name.is_empty());
    let example = example.map_or_else(String::new, |name| format!(", such as `{name}`"));
    Err(ConfigError::new(format!(
        "`--name` takes 1 to {LONGEST_NAME} characters of `a-z`, `0-9` and `-`{example}\n\
         hint: clients put it before each tool's name, and both together have to fit 64 characters"
    )))
}

fn checked_variable(name: &str) -> Result<String, ConfigError> {
    let is_first = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if is_first && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Ok(name.to_owned());
    }
    // What was given may be the token.
    Err(ConfigError::new(
        "`--token-variable` takes the name of a variable, such as `HELPDESK_TOKEN`, and not the token",
    ))
}

/// Checks an address of a server that runs. The address of a link is a key, and no file of a project holds one.
fn checked_address(text: &str, scope: &Scope) -> Result<String, ConfigError> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let url = url.filter(|url| url.username().is_empty() && url.password().is_none() && url.fragment().is_none());
    let mut url = url.ok_or_else(|| {
        ConfigError::new("`--http` is no address of a server\nhint: such as `https://mcp.example.com/mcp`")
    })?;
    if url.path() == "/" {
        url.set_path("/mcp");
    }
    let is_link = url.path_segments().is_some_and(|mut segments| segments.next() == Some("c"));
    if is_link && *scope != Scope::User {
        return Err(ConfigError::new(
            "`--http` is the address of a link, which is a key: it is not written into a project\n\
             hint: without `--project` it goes into your own settings",
        ));
    }
    Ok(url.to_string())
}
