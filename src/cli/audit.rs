//! `toolwright audit verify`: an audit log → up to where it is proved whole, and which calls have no outcome.

use std::io::BufReader;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::CommandError;
use super::printer::Printer;
use crate::audit;
use crate::error::ConfigError;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check that no line of an audit log was changed or removed, and list the calls without an outcome
    #[command(after_help = "Example:\n  toolwright audit verify calls.jsonl")]
    Verify {
        /// The file that `--audit` names
        file: PathBuf,
    },
}

pub(super) fn run(arguments: &Arguments, printer: &mut Printer) -> Result<(), CommandError> {
    let Command::Verify { file } = &arguments.command;
    let unreadable = |error: std::io::Error| ConfigError::new(format!("`{}` can't be read: {error}", file.display()));
    let record = std::fs::File::open(file).map_err(unreadable)?;
    let report = audit::verify(BufReader::new(record)).map_err(unreadable)?;
    match &report.last {
        Some((seq, time, hash)) => printer.data(&format!("whole up to line {seq}, {time}, hash {hash}"))?,
        None => printer.data("no whole line")?,
    }
    for open in &report.unfinished {
        printer.data(&format!("no outcome: line {}, {}, {}", open.seq, open.time, open.tool))?;
    }
    if report.torn > 0 {
        printer.data(&format!("{} bytes at the end are no whole line: the writer was stopped there", report.torn))?;
    }
    match &report.fault {
        None => Ok(()),
        Some((line, what)) => {
            printer.error(&format!("line {line} of the file: {what}; nothing from there on is proved"));
            Err(CommandError::Check)
        }
    }
}
