//! `toolwright install CLIENT…`: what is configured → this server in the settings of AI clients, shown before it is
//! written; and out of them again.

mod change;
mod confirm;
mod server;

use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::PossibleValuesParser;

use super::CommandError;
use super::printer::Printer;
use super::selection::environment;
use crate::client_settings::entry::Entry;
use crate::client_settings::places::{System, project_file, user_file};
use crate::client_settings::{CLIENTS, Client, find};
use crate::error::ConfigError;
pub(super) use change::remove_empty_folders;
use change::{Outcome, Target, Wanted};
use server::{Installed, Scope};
pub(super) use server::{forget_secrets, user_secrets};

pub(super) const EXAMPLE: &str = "\
The file is shown with what changes in it, and written after a yes. Comments and other servers in it stay as they are; the
file as it was is kept beside it. Secrets of the environment go into files that only you can read, or the client asks for
them; none is written into a file of a project.

Examples:
  toolwright install claude-code cursor --sandbox
  toolwright install codex --vendor jitbit -- --methods read,write
  toolwright install vscode --project --http https://mcp.example.com/mcp --token-variable HELPDESK_TOKEN
  toolwright install claude-code --uninstall";

#[derive(Debug, Clone, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(super) struct Arguments {
    /// The clients
    #[arg(required = true, value_name = "CLIENT", value_parser = PossibleValuesParser::new(words()))]
    clients: Vec<String>,
    /// The server's name in the client, of a-z, 0-9 and -, at most 9 characters; by default the vendor's, or helpdesk
    #[arg(long)]
    name: Option<String>,
    /// Serve these vendors, in place of every vendor that has credentials
    #[arg(long, value_delimiter = ',', value_name = "VENDOR,…", conflicts_with = "http")]
    vendor: Vec<String>,
    /// Serve the sandbox, without an account
    #[arg(long, conflicts_with = "http")]
    sandbox: bool,
    /// Connect to a server that runs at this address, in place of starting one
    #[arg(long, value_name = "URL")]
    http: Option<String>,
    /// The variable from which the client takes the token that the address demands (`Authorization: Bearer …`)
    #[arg(long, value_name = "VARIABLE", requires = "http")]
    token_variable: Option<String>,
    /// Change the settings of a folder that people share, by default this one, in place of yours
    #[arg(long, value_name = "DIR", require_equals = true)]
    #[expect(clippy::option_option, reason = "how clap spells a flag whose value may be left out")]
    project: Option<Option<PathBuf>>,
    /// How the client starts this program; by default its full path, in a project `toolwright`
    #[arg(long, value_name = "PROGRAM", conflicts_with = "http")]
    command: Option<String>,
    /// Replace an entry of this name that is another server's
    #[arg(long)]
    replace: bool,
    /// Take this server out of the settings again, or the one that --name, --command or --http names
    #[arg(long, conflicts_with_all = ["sandbox", "vendor", "token_variable", "replace", "print"])]
    uninstall: bool,
    /// Print what to paste, and the link that adds it where the client has one; write nothing
    #[arg(long)]
    print: bool,
    /// Write without asking
    #[arg(long, short)]
    yes: bool,
    /// Flags of `toolwright serve`
    #[arg(last = true, value_name = "FLAG", conflicts_with_all = ["http", "uninstall"])]
    flags: Vec<String>,
}

fn words() -> impl Iterator<Item = &'static str> {
    CLIENTS.iter().map(|client| client.word)
}

impl Arguments {
    /// What `setup` runs at its end: these clients, with this account.
    pub(super) fn of_account(clients: Vec<String>, account: &str) -> Self {
        Self {
            clients,
            name: None,
            vendor: Vec::new(),
            sandbox: false,
            http: None,
            token_variable: None,
            project: None,
            command: None,
            replace: false,
            uninstall: false,
            print: false,
            yes: false,
            flags: vec!["--account".to_owned(), account.to_owned()],
        }
    }

    fn scope(&self) -> Scope {
        match &self.project {
            None => Scope::User,
            Some(folder) => Scope::Project(folder.clone().unwrap_or_else(|| PathBuf::from("."))),
        }
    }
}

pub(super) fn run(arguments: &Arguments, printer: &mut Printer) -> Result<(), CommandError> {
    let scope = arguments.scope();
    // Before any file is looked at: what is wrong here is wrong for every client.
    let installed = if arguments.uninstall { None } else { Some(Installed::read(arguments, &scope)?) };
    let mut faults = Vec::new();
    for word in &arguments.clients {
        // The parser knows the words.
        let Some(client) = find(word) else { continue };
        let done = match &installed {
            Some(installed) => install(client, installed, arguments, &scope, printer),
            None => uninstall(client, arguments, &scope, printer),
        };
        match done {
            Ok(true) => {}
            Ok(false) => faults.push(CommandError::Check),
            // One client's file is no reason to leave the others out.
            Err(CommandError::Configuration(error)) => {
                let text = format!("{}: {error}", client.title);
                if arguments.clients.len() == 1 {
                    return Err(ConfigError::new(text).into());
                }
                printer.error(&text);
                faults.push(ConfigError::new(format!("{} is left as it was", client.title)).into());
            }
            Err(error) => return Err(error),
        }
    }
    let worst = faults.iter().position(|fault| matches!(fault, CommandError::Configuration(_)));
    match worst.or_else(|| (!faults.is_empty()).then_some(0)) {
        Some(index) => Err(faults.swap_remove(index)),
        None => Ok(()),
    }
}

/// The file of a client's settings.
fn path(client: &Client, scope: &Scope) -> Result<PathBuf, ConfigError> {
    match scope {
        Scope::User => {
            let file = client.user.as_ref().ok_or_else(|| {
                ConfigError::new(format!(
                    "it has no settings of a person\nhint: `--project=DIR` with the folder of its `{}`",
                    client.project.last().unwrap_or(&"settings")
                ))
            })?;
            user_file(file, System::this(), &environment)
                .ok_or_else(|| ConfigError::new("your home folder is not known\nhint: set `HOME`"))
        }
        Scope::Project(folder) => {
            if !folder.is_dir() {
                return Err(ConfigError::new(format!("`--project={}` is no folder", folder.display())));
            }
            project_file(client.project, folder).ok_or_else(|| {
                ConfigError::new("it has no settings of a folder\nhint: without `--project` yours are changed")
            })
        }
    }
}

/// Installs into one client; returns whether it is there as far as could be found out.
fn install(
    client: &'static Client,
    installed: &Installed,
    arguments: &Arguments,
    scope: &Scope,
    printer: &mut Printer,
) -> Result<bool, CommandError> {
    let path = path(client, scope)?;
    let (server, secrets) = installed.for_client(client, scope)?;
    let entry = client.entry(&server).ok_or_else(|| no_address(client, &server))?;
    if arguments.print {
        return print(client, &path, &server, &entry, printer).map(|()| true);
    }
    if arguments.token_variable.is_some() && !entry.from_environment.is_empty() {
        return Err(no_reference(client, installed, scope)?.into());
    }
    let target = Target { client, path: &path, name: &server.name };
    let wanted = Wanted { entry: &entry, secrets: &secrets, replace: arguments.replace };
    match change::put(&target, &wanted, arguments.yes, printer)? {
        Outcome::Unchanged => printer.note(&format!("{}: `{}` has it already", client.title, path.display())),
        Outcome::Refused => return Ok(false),
        Outcome::Written => {
            for variable in &entry.from_environment {
                printer.note(&format!(
                    "{}: `{variable}` has to be in its environment; it has no way to refer to it",
                    client.title
                ));
            }
            printer.note(&format!("{}: {}", client.title, client.then));
        }
    }
    confirm::ask(client, &server.name, scope, printer)
}

fn print(
    client: &Client,
    path: &Path,
    server: &crate::client_settings::Server,
    entry: &Entry,
    printer: &mut Printer,
) -> Result<(), CommandError> {
    printer.note(&format!("{}: {}", client.title, path.display()));
    printer.data(&client.snippet(&server.name, entry))?;
    if let Some(link) = client.link(server, entry) {
        printer.data(&link)?;
    }
    Ok(())
}

/// The error of a client that ignores addresses in its file.
fn no_address(client: &Client, server: &crate::client_settings::Server) -> ConfigError {
    let address = match &server.connection {
        crate::client_settings::Connection::Remote { url, .. } => url.as_str(),
        crate::client_settings::Connection::Local { .. } => "the address",
    };
    ConfigError::new(format!(
        "{} ignores addresses in its file\nhint: Settings > Connectors > Add custom connector, with {address}",
        client.title
    ))
}

/// The error of a client that has no way to take a token from elsewhere; it has what to paste.
fn no_reference(client: &Client, installed: &Installed, scope: &Scope) -> Result<ConfigError, CommandError> {
    let server = installed.with_shown_token("the-token");
    let snippet = client.entry(&server).map(|entry| client.snippet(&server.name, &entry)).unwrap_or_default();
    let path = path(client, scope)?;
    Ok(ConfigError::new(format!(
        "it takes a token from nowhere but its file, where it is not written for you\n\
         hint: put this into `{}` yourself, if only you can read that:\n{}",
        path.display(),
        snippet.trim_end()
    )))
}

fn uninstall(
    client: &'static Client,
    arguments: &Arguments,
    scope: &Scope,
    printer: &mut Printer,
) -> Result<bool, CommandError> {
    let path = path(client, scope)?;
    let (name, url, command) = (arguments.name.as_deref(), arguments.http.as_deref(), arguments.command.as_deref());
    let found = change::installed(client, &path, name, url, command)?;
    if found.is_empty() {
        printer.note(&format!("{}: nothing of this server is in `{}`", client.title, path.display()));
        return Ok(true);
    }
    let mut entries = Vec::new();
    for (name, entry) in found {
        let target = Target { client, path: &path, name: &name };
        if change::remove(&target, arguments.yes, printer)? == Outcome::Refused {
            return Ok(false);
        }
        entries.push(entry.to_string());
    }
    forget_secrets(&entries)?;
    remove_empty_folders(&path, scope.folder());
    Ok(true)
}
