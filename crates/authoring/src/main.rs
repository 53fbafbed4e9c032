//! The author's program: specs/ → generated/ (`regenerate`), and a vendor's description → what
//! would come out of it (`spec lint`) or a new folder under specs/ (`spec new`). Exit code 0 done,
//! 1 findings or differences, 2 usage or a file that can't be read.

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

/// Writes generated/ from specs/, and looks at vendors' descriptions.
#[derive(Debug, Parser)]
#[command(name = "cargo", bin_name = "cargo", version, propagate_version = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write generated/ anew from specs/
    Regenerate(regenerate::Arguments),
    /// Look at a vendor's description, or begin a new vendor with it
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
    // clap prints help and usage itself and ends with 0 or 2.
    let arguments = Arguments::parse();
    let mut printer = Printer;
    let done = match arguments.command {
        Command::Regenerate(arguments) => regenerate::run(&arguments, &mut printer),
        Command::Spec(arguments) => spec::run(&arguments, &mut printer),
    };
    match done {
        Ok(code) => code,
        Err(CommandError::Usage(text)) => {
            printer.error(&text);
            ExitCode::from(2)
        }
        // The reader of our output closed it, as `| head` does.
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
