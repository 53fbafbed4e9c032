//! The author's program: specs/ → generated/ (`regenerate`), and a vendor's description → the tools that it would
//! become (`spec lint`), a new folder under specs/ (`spec new`), what it changes (`spec diff`, `spec check`), its facts
//! in our files (`spec update`); what answers showed → suggestions (`spec learn`). Exit codes: 0 done, 1 findings,
//! differences or a system error, 2 usage or an unreadable file; in `spec diff` and `spec check` every failure is 3,
//! in `spec update` 2.

mod convert;
mod diff;
mod fetch;
mod import;
mod printer;
mod regenerate;
mod schemas;
mod spec;
mod update;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use printer::Printer;

/// Write generated/ from specs/, check vendors' descriptions, start a new vendor.
#[derive(Debug, Parser)]
#[command(name = "cargo", bin_name = "cargo", version, propagate_version = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Rewrite generated/ from specs/
    #[command(after_help = regenerate::EXAMPLE)]
    Regenerate(regenerate::Arguments),
    /// Check a vendor's description, or start a new vendor from it
    #[command(after_help = spec::EXAMPLE)]
    Spec(spec::Arguments),
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
enum CommandError {
    /// Wrong usage, or a file that can't be read: exit 2.
    #[error("{0}")]
    Usage(String),
    /// The operating system refused something: exit 1.
    #[error("{0}")]
    System(Box<dyn std::error::Error + Send + Sync>),
}

impl CommandError {
    fn usage(text: impl Into<String>) -> Self {
        Self::Usage(text.into())
    }
}

impl From<std::io::Error> for CommandError {
    fn from(error: std::io::Error) -> Self {
        Self::System(Box::new(error))
    }
}

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // A closed standard error leaves no way to report it.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { failure_code(2) } else { 0 });
        }
    };
    let mut printer = Printer;
    let result = match arguments.command {
        Command::Regenerate(arguments) => regenerate::run(&arguments, &mut printer),
        Command::Spec(arguments) => spec::run(&arguments, &mut printer),
    };
    match result {
        Ok(code) => code,
        Err(CommandError::Usage(text)) => {
            printer.error(&text);
            ExitCode::from(failure_code(2))
        }
        // The reader of our output closed its end, as `| head` does.
        Err(CommandError::System(error)) if is_broken_pipe(error.as_ref()) => ExitCode::SUCCESS,
        Err(CommandError::System(error)) => {
            printer.error(&error.to_string());
            ExitCode::from(failure_code(1))
        }
    }
}

/// The exit code of a failure: the usual one, but none that states something about differences.
fn failure_code(usual: u8) -> u8 {
    let words: Vec<String> = std::env::args().skip(1).take(2).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["spec", "diff" | "check"] => 3,
        ["spec", "update"] => 2,
        _ => usual,
    }
}

fn is_broken_pipe(error: &(dyn std::error::Error + 'static)) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}
