//! `cargo spec update`: the facts of a vendor's new description → our files, and generated/ from them.
//! Exit codes: 0 everything is taken over, 1 something is left to a person, 2 usage or an unreadable file.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;

use clap::Args;

use super::diff::{ReportFormat, named_api, print};
use super::{patterns, read};
use crate::CommandError;
use crate::diff::drift_file::DriftFile;
use crate::diff::ours::{self, OurApi};
use crate::diff::report::DriftReport;
use crate::diff::{self, hits};
use crate::import::{self, Description};
use crate::printer::Printer;
use crate::schemas::committed_tree;
use crate::update::{self, Source, Updated, journal};
use toolwright_codegen::Difference;
use toolwright_model::SettingsFile;

#[derive(Debug, Args)]
pub(super) struct UpdateArguments {
    /// Our API, such as `jsm-servicedesk`
    #[arg(long)]
    api: String,
    /// The vendor's new description: a file or an http(s) URL [default: `source` in vendor.toml]
    #[arg(long, value_name = "FILE|URL")]
    from: Option<String>,
    /// The vendor's former description: take over only what differs between it and the new one
    #[arg(long, value_name = "FILE|URL")]
    base: Option<String>,
    /// Of operations that are new, take over only those whose id, path or `METHOD path` matches
    #[arg(long, value_delimiter = ',', value_name = "GLOB")]
    operations: Vec<String>,
    /// Write nothing; show what would be
    #[arg(long)]
    dry_run: bool,
    /// How to print what changed
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    format: ReportFormat,
}

pub(super) fn run(arguments: &UpdateArguments, printer: &mut Printer) -> Result<ExitCode, CommandError> {
    let specs = super::specs_folder()?;
    let api = named_api(specs, &arguments.api)?;
    let source = api.source();
    let Some(from) = arguments.from.as_ref().or(source.map(|source| &source.from)) else {
        let hint = format!("`--from FILE|URL`, or `[source.{}]` in specs/{}/vendor.toml", api.stem, api.vendor);
        return Err(CommandError::usage(format!("{}: no description to update it from\nhint: {hint}", api.id)));
    };
    let operations = match source {
        Some(source) if arguments.operations.is_empty() => &source.operations,
        _ => &arguments.operations,
    };
    let new = read(from)?;
    let base = arguments.base.as_deref().map(read).transpose()?;
    let (report, updated) = updated(specs, &api, (from, &new), base.as_ref(), &patterns(operations)?)?;
    print(std::slice::from_ref(&report), arguments.format, printer)?;
    for conflict in &updated.conflicts {
        printer.note(&import::shown(&format!("left to you: {conflict}")));
    }
    if updated.files.is_empty() {
        printer.note(&format!("{}: nothing to take over", api.id));
        return Ok(exit_code(&updated));
    }
    for file in updated.files.keys() {
        printer.note(&format!("{}: {file}", if arguments.dry_run { "would change" } else { "changed" }));
    }
    if arguments.dry_run {
        return Ok(exit_code(&updated));
    }
    write(&updated, printer)
}

fn exit_code(updated: &Updated) -> ExitCode {
    if updated.conflicts.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) }
}

fn updated(
    specs: &Path,
    api: &OurApi,
    (from, new): (&str, &Description),
    base: Option<&Description>,
    patterns: &[glob::Pattern],
) -> Result<(DriftReport, Updated), CommandError> {
    let wanted = |id: &str, method: &str, path: &str| super::is_wanted(patterns, id, method, path);
    let own;
    let old = match base {
        Some(base) => base,
        None => {
            own = read(&api.file)?;
            &own
        }
    };
    let drift = DriftFile::of_api(&specs.join(&api.vendor), &api.stem).map_err(CommandError::usage)?;
    let mut differences = diff::compare(&old.document, &new.document, &wanted);
    hits::find(&mut differences.changes, &hits::Reach { api, settings: &SettingsFile::default() });
    let known = differences.changes.iter().map(|change| update::identity(change, &differences.same)).collect();
    let weighed = drift.weigh(differences.changes);
    let names = names(specs)?;
    let source = Source { new, changes: &weighed.changes, same: &differences.same, known: &known };
    let updated = update::update(Path::new("."), api, &source, &names)?;
    let report = DriftReport::new(&api.id, &api.file, from, weighed.changes, weighed.accepted);
    Ok((report, updated))
}

/// The names and aliases of all tools: a new tool gets none of them.
fn names(specs: &Path) -> Result<BTreeSet<String>, CommandError> {
    let apis = ours::read(specs, |_| true).map_err(|errors| super::unreadable(&errors))?;
    let tools = apis.into_iter().flat_map(|api| api.tools);
    Ok(tools.flat_map(|tool| std::iter::once(tool.name).chain(tool.aliases)).collect())
}

/// Writes the files and what the generator makes of them, all at once.
fn write(updated: &Updated, printer: &mut Printer) -> Result<ExitCode, CommandError> {
    let project = Path::new(".");
    let mut files: journal::Files =
        updated.files.iter().map(|(path, text)| (path.clone(), Some(text.clone()))).collect();
    let faults = match regenerated(project, updated)? {
        Ok(generated) => {
            files.extend(generated);
            false
        }
        Err(faults) => {
            printer.error(&import::shown(&faults));
            printer.note("generated/ is as before: correct the faults, then `cargo regenerate`");
            true
        }
    };
    journal::write(project, &files)?;
    Ok(if faults { ExitCode::from(1) } else { exit_code(updated) })
}

/// What changes under generated/; or the faults of the new files.
fn regenerated(project: &Path, updated: &Updated) -> Result<Result<journal::Files, String>, CommandError> {
    journal::recover(project)?;
    let staged = project.join(journal::FOLDER).join("specs");
    copy(&project.join("specs"), &staged)?;
    for (path, text) in &updated.files {
        std::fs::write(project.join(journal::FOLDER).join(path), text)?;
    }
    let tree = committed_tree(&staged);
    journal::recover(project)?;
    let tree = match tree {
        Ok(tree) => tree,
        Err(errors) => return Ok(Err(format!("the new files have {} faults\n{errors}", errors.len()))),
    };
    let mut files = journal::Files::new();
    for (path, difference) in tree.compare(&project.join("generated"))? {
        let text = match difference {
            Difference::LeftOver => None,
            Difference::Missing | Difference::Changed(_) => tree.get(&path).map(str::to_owned),
        };
        files.insert(format!("generated/{path}"), text);
    }
    Ok(Ok(files))
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}
