//! `cargo regenerate`: specs/ → generated/; with `--check` it reports differences instead.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use similar::TextDiff;

use crate::CommandError;
use crate::printer::Printer;
use crate::schemas::{REGENERATE, committed_tree};
use toolwright_codegen::Difference;

pub(crate) const EXAMPLE: &str = "Example:\n  cargo regenerate --check";

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Write nothing; show differences and exit with 1 if there are any
    #[arg(long)]
    check: bool,
}

/// At most this many lines of difference are shown per file.
const MAX_LINES: usize = 60;

pub(crate) fn run(arguments: &Arguments, printer: &mut Printer) -> Result<ExitCode, CommandError> {
    let project = Path::new(".");
    if !project.join("specs").is_dir() {
        return Err(CommandError::usage("there is no folder `specs` here\nhint: run this at the top of the project"));
    }
    crate::update::journal::recover(project)?;
    let tree = match committed_tree(&project.join("specs")) {
        Ok(tree) => tree,
        Err(errors) => {
            printer.error(&format!("the specs have {} faults\n{errors}", errors.len()));
            return Ok(ExitCode::from(1));
        }
    };
    let folder = project.join("generated");
    let differences = if arguments.check { tree.compare(&folder)? } else { tree.replace(&folder)? };
    for (path, difference) in &differences {
        let (what, before, after) = match difference {
            Difference::Missing => ("missing", "", tree.get(path).unwrap_or_default()),
            Difference::LeftOver => ("left over", "", ""),
            Difference::Changed(found) => ("changed", found.as_str(), tree.get(path).unwrap_or_default()),
        };
        printer.data(&format!("{what}: generated/{path}"))?;
        if arguments.check && *difference != Difference::LeftOver {
            let diff = TextDiff::from_lines(before, after);
            let text = diff.unified_diff().context_radius(2).header("committed", "generated").to_string();
            let lines: Vec<&str> = text.lines().take(MAX_LINES).collect();
            printer.data(&lines.join("\n"))?;
        }
    }
    if !arguments.check {
        printer.note(&format!(
            "generated/ is up to date: {} files, {} changed",
            tree.files().count(),
            differences.len()
        ));
        return Ok(ExitCode::SUCCESS);
    }
    if differences.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    printer.error(&format!(
        "generated/ differs from what specs/ gives in {} files\nhint: run `{REGENERATE}` and commit the result",
        differences.len()
    ));
    Ok(ExitCode::from(1))
}
