//! The command line → completions for shells, and manual pages.

use std::io::{self, Write as _};
use std::path::PathBuf;

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::CommandError;

pub(super) const EXAMPLE: &str = "\
Packages bring them along.

Example:
  toolwright completions bash";

pub(super) const MANUAL_EXAMPLE: &str = "Example:\n  toolwright manual target/man1";

#[derive(Debug, Args)]
pub(super) struct Arguments {
    shell: Shell,
}

#[derive(Debug, Args)]
pub(super) struct ManualArguments {
    /// The folder; it is made
    folder: PathBuf,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), CommandError> {
    let mut text = Vec::new();
    clap_complete::generate(arguments.shell, &mut super::Arguments::command(), env!("CARGO_PKG_NAME"), &mut text);
    Ok(io::stdout().lock().write_all(&text)?)
}

/// A page for each command that is no part of another, and the page of the program itself.
pub(super) fn write_manual(arguments: &ManualArguments) -> Result<(), CommandError> {
    std::fs::create_dir_all(&arguments.folder)?;
    let mut command = super::Arguments::command();
    // Names of pages are those of whole commands: `toolwright link create`.
    command.build();
    Ok(clap_mangen::generate_to(command, &arguments.folder)?)
}
