//! Arguments → a command's run → an exit code: 0 done, 1 the call or the check failed, 2 usage,
//! configuration or policy. One file per command.

mod accounts;
mod admin;
mod audit;
mod call;
mod catalog;
mod doctor;
mod link;
mod printer;
mod replay;
mod selection;
mod serve;
mod signals;
mod start;
mod store;
mod table;
mod team;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::error::ConfigError;
use printer::Printer;

/// Help desk and directory tools for AI assistants, compiled from OpenAPI.
#[derive(Debug, Parser)]
#[command(name = "toolwright", version, propagate_version = true)]
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
    Serve(serve::Arguments),
    /// Show the tools that are compiled in
    Catalog(catalog::Arguments),
    /// Call one tool and print its answer
    #[command(after_help = CALL_EXAMPLE)]
    Call(call::Arguments),
    /// Check a record of calls that `--audit` wrote, and sign where it ends
    Audit(audit::Arguments),
    /// Create, list, narrow and revoke links: addresses that permit a part of what the server offers
    Link(link::Arguments),
    /// Create, list and revoke tokens of administrators
    Admin(admin::Arguments),
    /// Copy the store of links and tokens
    Store(store::Arguments),
    /// Check addresses and credentials: one login per vendor
    #[command(after_help = doctor::EXAMPLE)]
    Doctor(doctor::Arguments),
    /// Evaluate one jq filter: the child process of a server
    #[command(name = crate::jq::COMMAND, hide = true)]
    EvaluateJq,
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
        Command::Doctor(arguments) => signals::watch(move |signals| ended(doctor::run(&arguments, signals))),
        Command::Catalog(arguments) => ended(catalog::run(&arguments, &mut Printer::new())),
        Command::Audit(arguments) => ended(audit::run(&arguments, &mut Printer::new())),
        Command::Link(arguments) => ended(link::run(&arguments, &mut Printer::new())),
        Command::Admin(arguments) => ended(admin::run(&arguments, &mut Printer::new())),
        Command::Store(arguments) => ended(store::run(&arguments, &mut Printer::new())),
        Command::EvaluateJq => crate::jq::run_child(),
    }
}

/// Prints why a command failed, and returns its exit code.
fn ended(done: Result<(), CommandError>) -> ExitCode {
    let mut printer = Printer::new();
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(CommandError::Check) => ExitCode::from(1),
        Err(CommandError::Configuration(error)) => {
            printer.error(&error.to_string());
            ExitCode::from(2)
        }
        // The reader of our output has closed it, as `| head` does.
        Err(CommandError::System(error)) if is_broken_pipe(error.as_ref()) => ExitCode::SUCCESS,
        Err(CommandError::System(error)) => {
            printer.error(&error.to_string());
            ExitCode::from(1)
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
