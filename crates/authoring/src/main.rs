//! The author's program: specs/ → generated/ (`regenerate`), and a vendor's description → the tools
//! that it would become (`spec lint`) or a new folder under specs/ (`spec new`). Exit codes: 0 done,
//! 1 findings, differences or a system error, 2 usage or an unreadable file.

mod convert;
mod fetch;
mod import;
mod printer;
mod regenerate;
mod schemas;
mod spec;

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
    // clap prints help (exit code 0) and usage errors (2) itself.
    let arguments = Arguments::parse();
    let mut printer = Printer;
    let result = match arguments.command {
        Command::Regenerate(arguments) => regenerate::run(&arguments, &mut printer),
        Command::Spec(arguments) => spec::run(&arguments, &mut printer),
    };
    match result {
        Ok(code) => code,
        Err(CommandError::Usage(text)) => {
            printer.error(&text);
            ExitCode::from(2)
        }
        // The reader of our output closed its end, as `| head` does.
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
