//! Arguments → a command's run → an exit code: 0 done, 1 the call or the check failed, 2 usage,
//! configuration or policy. One file per command.

mod accounts;
mod admin;
mod approvals;
mod approve;
mod audit;
mod call;
mod catalog;
#[cfg(feature = "otlp")]
mod collector;
mod completions;
mod console;
mod doctor;
mod help_desks;
mod install;
mod link;
mod login;
mod logs;
mod oauth;
mod printer;
mod probe;
mod reload;
mod replay;
mod selection;
mod serve;
mod setup;
mod signals;
mod start;
mod store;
mod table;
mod team;

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::sync::LazyLock;

use clap::{Parser, Subcommand};

use crate::build_info;
use crate::catalog::apis;
use crate::error::ConfigError;
use printer::Printer;

/// Help desk and directory tools for AI assistants, compiled from OpenAPI.
#[derive(Debug, Parser)]
#[command(name = "toolwright", version, long_version = long_version(), propagate_version = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const CALL_EXAMPLE: &str = "\
Examples:
  toolwright call jitbit_search_tickets query=printer --sandbox
  toolwright call jitbit_close_ticket ticketId=7 --methods write --dry-run";

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the MCP server, on stdio or over HTTP
    #[command(after_help = serve::EXAMPLE)]
    Serve(Box<serve::Arguments>),
    /// Show the tools that are compiled in
    Catalog(catalog::Arguments),
    /// Call one tool and print its answer
    #[command(after_help = CALL_EXAMPLE)]
    Call(call::Arguments),
    /// Show every tool on pages in a browser on this machine, and try it against the sandbox
    #[command(after_help = console::EXAMPLE)]
    Console(console::Arguments),
    /// Check a record of calls that `--audit` wrote, and sign where it ends
    Audit(audit::Arguments),
    /// Create, list, narrow and revoke links: addresses that permit a part of what the server offers
    Link(link::Arguments),
    /// Create, list and revoke tokens of administrators
    Admin(admin::Arguments),
    /// Approve or decline what waits for a person, and list it
    Approve(approve::Arguments),
    /// Copy the store of links and tokens, and go back to a copy
    Store(store::Arguments),
    /// Check addresses and credentials: one login per vendor
    #[command(after_help = doctor::EXAMPLE)]
    Doctor(doctor::Arguments),
    /// Sign in to a vendor in a browser, and keep the refresh token
    #[command(after_help = login::EXAMPLE)]
    Login(login::Arguments),
    /// Revoke what a sign-in led to, as far as the vendor lets a program do that, and delete it
    #[command(after_help = login::LOGOUT_EXAMPLE)]
    Logout(login::LogoutArguments),
    /// Ask for a vendor's address and credentials, store them, check them, and install into clients
    #[command(after_help = setup::EXAMPLE)]
    Setup(setup::Arguments),
    /// Put this server into the settings of AI clients, or take it out of them
    #[command(after_help = install::EXAMPLE)]
    Install(Box<install::Arguments>),
    /// Print what completes this program's commands in a shell
    #[command(after_help = completions::EXAMPLE)]
    Completions(completions::Arguments),
    /// Write the manual pages into a folder: for packages
    #[command(hide = true, after_help = completions::MANUAL_EXAMPLE)]
    Manual(completions::ManualArguments),
    /// Ask a server on this machine whether it is ready
    #[command(after_help = probe::EXAMPLE)]
    Probe(probe::Arguments),
    /// Evaluate one jq filter: the child process of a server
    #[command(name = crate::jq::COMMAND, hide = true)]
    EvaluateJq,
}

/// What `--version` prints; `-V` prints the first line.
fn long_version() -> &'static str {
    static TEXT: LazyLock<String> = LazyLock::new(|| {
        let vendors: BTreeSet<&str> = apis().iter().map(|api| api.vendor).collect();
        let vendors: Vec<&str> = vendors.into_iter().collect();
        let keyring = if cfg!(feature = "keyring") { "of the system" } else { "not compiled in (feature keyring)" };
        let traces = if cfg!(feature = "otlp") { "OTLP" } else { "not compiled in (feature otlp)" };
        format!(
            "{}\ncommit: {}\ntarget: {}\nvendors: {}\ntraces: {traces}\nkeyring: {keyring}",
            build_info::VERSION,
            build_info::COMMIT,
            build_info::target(),
            if vendors.is_empty() { "none".to_owned() } else { vendors.join(", ") },
        )
    });
    &TEXT
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
enum CommandError {
    /// The call or the check failed, and has printed why.
    #[error("")]
    Check,
    /// Usage, configuration or policy.
    #[error(transparent)]
    Configuration(#[from] ConfigError),
    /// Printed already, with the exit code that it has.
    #[error("")]
    Printed(u8),
    /// A fault of the system: a stream, a file, the runtime.
    #[error("{0}")]
    System(Box<dyn std::error::Error + Send + Sync>),
}

impl From<std::io::Error> for CommandError {
    fn from(error: std::io::Error) -> Self {
        Self::System(Box::new(error))
    }
}

/// Runs the program.
pub fn main() -> ExitCode {
    // clap prints help and usage itself and ends with 0 or 2.
    match Arguments::parse().command {
        Command::Serve(arguments) => signals::watch(move |signals| ended(serve::run(&arguments, signals))),
        Command::Call(arguments) => signals::watch(move |signals| ended(call::run(&arguments, signals))),
        Command::Console(arguments) => signals::watch(move |signals| ended(console::run(&arguments, signals))),
        Command::Doctor(arguments) => signals::watch(move |signals| ended(doctor::run(&arguments, signals))),
        Command::Catalog(arguments) => ended(catalog::run(&arguments, &mut Printer::new())),
        Command::Audit(arguments) => ended(audit::run(&arguments, &mut Printer::new())),
        Command::Link(arguments) => ended(link::run(&arguments, &mut Printer::new())),
        Command::Admin(arguments) => ended(admin::run(&arguments, &mut Printer::new())),
        Command::Approve(arguments) => ended(approve::run(&arguments, &mut Printer::new())),
        Command::Store(arguments) => ended(store::run(&arguments, &mut Printer::new())),
        Command::Login(arguments) => signals::watch(move |signals| ended(login::run(&arguments, signals))),
        Command::Logout(arguments) => ended(login::log_out(&arguments, &mut Printer::new())),
        Command::Setup(arguments) => signals::watch(move |signals| ended(setup::run(&arguments, signals))),
        Command::Install(arguments) => ended(install::run(&arguments, &mut Printer::new())),
        Command::Completions(arguments) => ended(completions::run(&arguments)),
        Command::Manual(arguments) => ended(completions::write_manual(&arguments)),
        Command::Probe(arguments) => ended(probe::run(&arguments, &mut Printer::new())),
        Command::EvaluateJq => crate::jq::run_child(),
    }
}

impl CommandError {
    fn code(&self) -> u8 {
        match self {
            Self::Check | Self::System(_) => 1,
            Self::Configuration(_) => 2,
            Self::Printed(code) => *code,
        }
    }

    /// Whether it has a text that nobody has read yet.
    fn is_printed_at_the_end(&self) -> bool {
        match self {
            Self::Check | Self::Printed(_) => false,
            Self::Configuration(_) => true,
            Self::System(error) => !is_broken_pipe(error.as_ref()),
        }
    }
}

/// Prints why a command failed, and returns its exit code.
fn ended(done: Result<(), CommandError>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        // The reader of our output has closed it, as `| head` does.
        Err(CommandError::System(error)) if is_broken_pipe(error.as_ref()) => ExitCode::SUCCESS,
        Err(error) => {
            if error.is_printed_at_the_end() {
                Printer::new().error(&error.to_string());
            }
            ExitCode::from(error.code())
        }
    }
}

fn is_broken_pipe(error: &(dyn std::error::Error + 'static)) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    /// The commands that have no subcommands, with their help's examples.
    fn examples(command: &clap::Command, path: &str) -> Vec<(String, Vec<String>)> {
        if command.has_subcommands() {
            let subcommands = command.get_subcommands().filter(|subcommand| !subcommand.is_hide_set());
            return subcommands.flat_map(|sub| examples(sub, &format!("{path} {}", sub.get_name()))).collect();
        }
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let lines = help.lines().map(str::trim).filter(|line| line.starts_with("toolwright "));
        vec![(path.to_owned(), lines.map(str::to_owned).collect())]
    }

    #[test]
    fn every_help_page_has_an_example_that_parses() {
        let pages = examples(&Arguments::command(), "toolwright");
        assert!(pages.len() >= 8, "{pages:?}");
        for (page, examples) in pages {
            assert!(!examples.is_empty(), "`{page} --help` has no example");
            for example in examples {
                assert!(example.starts_with(&page), "`{example}` is on the page of `{page}`");
                let parsed = Arguments::try_parse_from(example.split_whitespace());
                assert!(parsed.is_ok(), "{example}: {}", parsed.unwrap_err());
            }
        }
    }
}
