//! `cargo spec diff`: a vendor's new description against ours, in terms of tools. Exit codes: 0 the same,
//! 1 changes, 2 a change that breaks calls, 3 something can't be read, which never counts as the same.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::{patterns, read};
use crate::CommandError;
use crate::diff::drift_file::DriftFile;
use crate::diff::kind::Severity;
use crate::diff::ours::{self, OurApi};
use crate::diff::report::{self, DriftReport};
use crate::diff::{self, Wanted, hits};
use crate::import;
use crate::printer::Printer;
use toolwright_model::SettingsFile;

#[derive(Debug, Args)]
pub(super) struct DiffArguments {
    /// The vendor's new description: a file or an http(s) URL
    new: String,
    /// Our API, such as `jsm-servicedesk` [default: the one that has most operations in common]
    #[arg(long)]
    api: Option<String>,
    /// The vendor's former description: compare NEW with it, and show what of ours the changes hit
    #[arg(long, value_name = "FILE|URL")]
    base: Option<String>,
    /// Of operations that are new, report only those whose id, path or `METHOD path` matches
    #[arg(long, value_delimiter = ',', value_name = "GLOB")]
    operations: Vec<String>,
    /// The file with the profiles that a change may hit
    #[arg(long, value_name = "FILE", default_value = "toolwright.toml")]
    settings: PathBuf,
    /// How to print the report
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    format: ReportFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ReportFormat {
    Text,
    Json,
    Markdown,
}

pub(super) fn run(arguments: &DiffArguments, printer: &mut Printer) -> Result<ExitCode, CommandError> {
    match compared(arguments) {
        Ok(report) => {
            print(std::slice::from_ref(&report), arguments.format, printer)?;
            Ok(exit_code(report.severity))
        }
        Err(error) => Ok(unreadable(&error, printer)),
    }
}

/// Prints why there is no comparison: exit 3.
pub(super) fn unreadable(error: &CommandError, printer: &mut Printer) -> ExitCode {
    printer.error(&error.to_string());
    ExitCode::from(3)
}

pub(super) fn exit_code(severity: Option<Severity>) -> ExitCode {
    match severity {
        None | Some(Severity::Ignore) => ExitCode::SUCCESS,
        Some(Severity::Words | Severity::Change) => ExitCode::from(1),
        Some(Severity::Breaking) => ExitCode::from(2),
    }
}

pub(super) fn print(reports: &[DriftReport], format: ReportFormat, printer: &mut Printer) -> Result<(), CommandError> {
    let text = match format {
        ReportFormat::Text => {
            let texts: Vec<String> = reports.iter().map(DriftReport::text).collect();
            import::shown(&texts.join("\n"))
        }
        ReportFormat::Markdown => report::markdown(reports),
        ReportFormat::Json => {
            let json = match reports {
                [one] => serde_json::to_string_pretty(one),
                all => serde_json::to_string_pretty(all),
            };
            json.map_err(|error| CommandError::System(error.into()))?
        }
    };
    printer.data(&text)?;
    Ok(())
}

fn compared(arguments: &DiffArguments) -> Result<DriftReport, CommandError> {
    let specs = super::specs_folder()?;
    let settings = ours::profiles(&arguments.settings).map_err(CommandError::usage)?;
    let new = read(&arguments.new)?;
    let api = find_api(specs, arguments.api.as_deref(), &new)?;
    let patterns = patterns(&arguments.operations)?;
    let wanted = |id: &str, method: &str, path: &str| super::is_wanted(&patterns, id, method, path);
    let base = arguments.base.as_deref().map(read).transpose()?;
    let new = NewDescription { from: &arguments.new, description: &new, base: base.as_ref() };
    report(specs, &api, &new, &wanted, &settings)
}

/// What our description is compared with.
pub(super) struct NewDescription<'a> {
    /// As messages name it.
    pub(super) from: &'a str,
    pub(super) description: &'a import::Description,
    /// The vendor's former description, in place of ours.
    pub(super) base: Option<&'a import::Description>,
}

/// Compares one of our APIs with a description.
pub(super) fn report(
    specs: &Path,
    api: &OurApi,
    new: &NewDescription<'_>,
    wanted: &Wanted<'_>,
    settings: &SettingsFile,
) -> Result<DriftReport, CommandError> {
    let own;
    let old = match new.base {
        Some(base) => base,
        None => {
            own = read(&api.file)?;
            &own
        }
    };
    let drift = DriftFile::of_api(&specs.join(&api.vendor), &api.stem).map_err(CommandError::usage)?;
    let mut differences = diff::compare(&old.document, &new.description.document, wanted);
    hits::find(&mut differences.changes, &hits::Reach { api, settings });
    let weighed = drift.weigh(differences.changes);
    let mut report = DriftReport::new(&api.id, &api.file, new.from, weighed.changes, weighed.accepted);
    report.notes = differences.notes;
    for dropped in &new.description.dropped {
        report.notes.push(format!("{} {} is not compared: {}", dropped.method, dropped.path, dropped.why));
    }
    for unused in weighed.unused {
        report.notes.push(format!("drift.toml accepts `{unused}`, of which there is no difference"));
    }
    Ok(report)
}

/// The API of ours by its name, or the one that has most operations in common with the description.
fn find_api(specs: &Path, name: Option<&str>, new: &import::Description) -> Result<OurApi, CommandError> {
    if let Some(name) = name {
        return named_api(specs, name);
    }
    let apis = ours::read(specs, |_| true).map_err(|errors| super::unreadable(&errors))?;
    let known: Vec<String> = apis.iter().map(|api| api.id.clone()).collect();
    let shared = apis.into_iter().map(|api| (diff::shared_operations(&api.overlaid, &new.document), api));
    let found = shared.filter(|(shared, _)| *shared > 0).max_by_key(|(shared, _)| *shared);
    found.map(|(_, api)| api).ok_or_else(|| {
        let what = "no API under specs/ has an operation of it";
        CommandError::usage(format!("{what}\nhint: `--api NAME`, one of: {}", known.join(", ")))
    })
}

/// The API of ours by its name. Of other vendors nothing has to be right.
pub(super) fn named_api(specs: &Path, name: &str) -> Result<OurApi, CommandError> {
    let vendor = name.split('-').next().unwrap_or_default();
    let apis = ours::read(specs, |id| id == vendor).map_err(|errors| super::unreadable(&errors))?;
    let known: Vec<String> = apis.iter().map(|api| api.id.clone()).collect();
    apis.into_iter().find(|api| api.id == name).ok_or_else(|| {
        let hint = if known.is_empty() {
            "cargo regenerate names the folders that it reads".to_owned()
        } else {
            format!("one of: {}", known.join(", "))
        };
        CommandError::usage(format!("there is no API `{name}`\nhint: {hint}"))
    })
}
