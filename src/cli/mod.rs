//! The command line: what was typed → a command's run → an exit code. 0 done, 1 the call or the
//! check failed, 2 usage, configuration or policy.

mod audit;
mod call;
mod catalog;
mod doctor;
mod printer;
mod selection;
mod serve;
mod start;

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

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the MCP server, on stdio or over HTTP
    Serve(serve::Arguments),
    /// Show the tools that are compiled in
    Catalog(catalog::Arguments),
    /// Call one tool and print its answer
    Call(call::Arguments),
    /// Check a record of calls that `--audit` wrote
    Audit(audit::Arguments),
    /// Check addresses and credentials: one login per vendor
    Doctor(doctor::Arguments),
    /// Evaluate one filter of a caller's
    #[command(name = crate::jq::COMMAND, hide = true)]
    EvaluateJq,
}

/// How a command ended, if not well.
#[derive(Debug, thiserror::Error)]
enum CommandError {
    /// The call or the check failed; what there is to say has been said.
    #[error("")]
    Check,
    /// Usage, configuration or policy.
    #[error(transparent)]
    Configuration(#[from] ConfigError),
    /// Something between us and the system.
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
    let arguments = Arguments::parse();
    let mut printer = Printer::new();
    let done = match arguments.command {
        Command::Serve(arguments) => serve::run(&arguments, &mut printer),
        Command::Catalog(arguments) => catalog::run(&arguments, &mut printer),
        Command::Call(arguments) => call::run(&arguments, &mut printer),
        Command::Audit(arguments) => audit::run(&arguments, &mut printer),
        Command::Doctor(arguments) => doctor::run(&arguments, &mut printer),
        Command::EvaluateJq => return crate::jq::run_child(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(CommandError::Check) => ExitCode::from(1),
        Err(CommandError::Configuration(error)) => {
            printer.error(&error.to_string());
            ExitCode::from(2)
        }
        // Whoever reads our output has seen enough, as `| head` does.
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
