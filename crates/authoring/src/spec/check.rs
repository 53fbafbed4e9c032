//! `cargo spec check`: each API against the source that its vendor.toml names, for a scheduled job. Exit codes
//! as those of `cargo spec diff`; one source that can't be read makes it 3, whatever the others are.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::diff::{NewDescription, ReportFormat, exit_code, print, report};
use super::{patterns, read};
use crate::CommandError;
use crate::diff::drift_file;
use crate::diff::ours::{self, OurApi};
use crate::diff::report::DriftReport;
use crate::printer::Printer;
use toolwright_model::{DescriptionSource, SettingsFile};

#[derive(Debug, Args)]
pub(super) struct CheckArguments {
    /// Only this API, such as `jsm-servicedesk`; repeat it for several
    #[arg(long)]
    api: Vec<String>,
    /// Accept the differences that there are: write them into specs/VENDOR/API.known, for review
    #[arg(long)]
    accept: bool,
    /// The file with the profiles that a change may hit
    #[arg(long, value_name = "FILE", default_value = "toolwright.toml")]
    settings: PathBuf,
    /// How to print the reports
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    format: ReportFormat,
}

pub(super) fn run(arguments: &CheckArguments, printer: &mut Printer) -> Result<ExitCode, CommandError> {
    let (apis, settings) = match prepared(arguments) {
        Ok(prepared) => prepared,
        Err(error) => return Ok(super::diff::unreadable(&error, printer)),
    };
    let specs = Path::new("specs");
    let (mut reports, mut failed) = (Vec::new(), false);
    for api in &apis {
        let Some(source) = api.source() else {
            printer.note(&format!("{}: specs/{}/vendor.toml names no source: not checked", api.id, api.vendor));
            continue;
        };
        match checked(specs, api, source, &settings) {
            Ok(report) => reports.push(report),
            Err(error) => {
                printer.error(&format!("{}: {error}", api.id));
                failed = true;
            }
        }
    }
    if reports.is_empty() && !failed {
        let hint = "hint: `[source.<api>]` with `from` in vendor.toml";
        return Ok(super::diff::unreadable(&CommandError::usage(format!("nothing was checked\n{hint}")), printer));
    }
    print(&reports, arguments.format, printer)?;
    if arguments.accept {
        accept(specs, &apis, &reports, printer)?;
    }
    if failed {
        return Ok(ExitCode::from(3));
    }
    Ok(exit_code(reports.iter().filter_map(|report| report.severity).max()))
}

fn prepared(arguments: &CheckArguments) -> Result<(Vec<OurApi>, SettingsFile), CommandError> {
    let specs = super::specs_folder()?;
    let settings = ours::profiles(&arguments.settings).map_err(CommandError::usage)?;
    let mut apis = ours::read(specs, |_| true).map_err(|errors| super::unreadable(&errors))?;
    if let Some(unknown) = arguments.api.iter().find(|name| !apis.iter().any(|api| api.id == **name)) {
        return Err(CommandError::usage(format!("there is no API `{unknown}`")));
    }
    apis.retain(|api| arguments.api.is_empty() || arguments.api.contains(&api.id));
    Ok((apis, settings))
}

fn checked(
    specs: &Path,
    api: &OurApi,
    source: &DescriptionSource,
    settings: &SettingsFile,
) -> Result<DriftReport, CommandError> {
    let patterns = patterns(&source.operations)?;
    let wanted = |id: &str, method: &str, path: &str| super::is_wanted(&patterns, id, method, path);
    let description = read(&source.from)?;
    let new = NewDescription { from: &source.from, description: &description, base: None };
    report(specs, api, &new, &wanted, settings)
}

/// Writes what differs beside the description; what was accepted before and is still there stays.
fn accept(specs: &Path, apis: &[OurApi], reports: &[DriftReport], printer: &mut Printer) -> Result<(), CommandError> {
    for report in reports.iter().filter(|report| !report.changes.is_empty()) {
        let Some(api) = apis.iter().find(|api| api.id == report.api) else { continue };
        let path = specs.join(&api.vendor).join(format!("{}.known", api.stem));
        let before = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error.into()),
        };
        std::fs::write(&path, drift_file::known(&before, &report.changes))?;
        printer.note(&format!("{} differences accepted in {}", report.changes.len(), path.display()));
    }
    Ok(())
}
