//! `toolwright audit replay`: an audit log and a catalog → what would become of the recorded calls.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;
use std::time::SystemTime;

use clap::{Args, ValueEnum};
use serde_json::json;

use super::CommandError;
use super::catalog::source::CatalogSource;
use super::printer::Printer;
use super::selection::{SelectionArguments, environment};
use super::table::{self, ColumnFit};
use crate::audit::{Fault, RecordedCall, Verifier};
use crate::catalog::Catalog;
use crate::error::ConfigError;
use crate::policy::{Defaults, Selection};
use crate::replay::{CALL, Fate, NoSelection, Replay, Report};
use toolwright_model::ApiTools;

pub(super) const HELP: &str = "\
Nothing is sent. A call is checked under the profile that its record names, from toolwright.toml here or --config;
selection flags replace that for all calls. Without either, no policy is applied. Values that the record masks or cuts
are not judged.
Exit code 0: no call would be refused or do something else; 1: some would, or the record is damaged; 2: unreadable.

Examples:
  toolwright audit replay calls.jsonl
  toolwright audit replay calls.jsonl --catalog ../new/generated --format markdown";

#[derive(Debug, Args)]
pub(super) struct ReplayArguments {
    /// The file that `--audit` names; after a rotation, all files, the oldest first
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Another catalog than this program's: a binary, a tools.json, a folder such as generated/, or a git revision
    #[arg(long, value_name = "NEW")]
    catalog: Option<String>,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: ReplayFormat,
    #[command(flatten)]
    selection: SelectionArguments,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum ReplayFormat {
    /// A readable report
    #[default]
    Text,
    /// JSON, for programs
    Json,
    /// Markdown
    Markdown,
}

pub(super) fn run(arguments: &ReplayArguments, printer: &mut Printer) -> Result<(), CommandError> {
    let compiled = Catalog::compiled();
    let (new, old, label) = match &arguments.catalog {
        Some(word) => (read_catalog(word, &compiled)?, Some(compiled), word.clone()),
        None => (compiled, None, format!("this program, {}", env!("CARGO_PKG_VERSION"))),
    };
    let selection_of =
        |catalog: &Catalog, profile: Option<&str>, client: Option<&str>| selection(arguments, catalog, profile, client);
    // Flags that don't fit are refused once, before anything is read.
    if arguments.selection.is_given() {
        arguments.selection.resolve(Defaults::CoreReads, &new, &environment)?;
    }
    let mut replay = Replay::new(new, old, SystemTime::now(), &selection_of);
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let fault = each_call(&arguments.files, &mut |call| runtime.block_on(replay.add(&call)))?;
    let report = replay.finish();
    let shown = match arguments.format {
        ReplayFormat::Json => {
            let mut value = json!(report);
            value["catalog"] = json!(label);
            serde_json::to_string_pretty(&value).map_err(std::io::Error::from)?
        }
        ReplayFormat::Text => as_text(&report, &label, printer.width()),
        ReplayFormat::Markdown => as_markdown(&report, &label),
    };
    printer.data(&shown)?;
    if let Some(Fault { file, line, what }) = &fault {
        let file = arguments.files.get(*file).map(|path| path.display().to_string()).unwrap_or_default();
        printer.error(&format!("line {line} of `{file}`: {what}; nothing from there on was replayed"));
    }
    if fault.is_some() || report.is_bad() { Err(CommandError::Check) } else { Ok(()) }
}

/// Gives the recorded calls up to the first fault to `each`; returns the fault.
fn each_call(files: &[PathBuf], each: &mut dyn FnMut(RecordedCall)) -> Result<Option<Fault>, ConfigError> {
    let mut verifier = Verifier::default();
    for file in files {
        let read = File::open(file).and_then(|log| verifier.read_each(BufReader::new(log), each));
        read.map_err(|error| ConfigError::new(format!("`{}` can't be read: {error}", file.display())))?;
    }
    Ok(verifier.finish().fault)
}

/// Reads a catalog whose tools can be checked against: of the same format as this program's.
fn read_catalog(word: &str, compiled: &Catalog) -> Result<Catalog, ConfigError> {
    let source = CatalogSource::read(word)?;
    let wrong = |error: serde_json::Error| {
        ConfigError::new(format!(
            "`{word}` can't be replayed against: {error}\nhint: its tools.json is of another version; run the `audit \
             replay` of that version"
        ))
    };
    let mut apis: Vec<ApiTools> = Vec::new();
    for text in &source.texts {
        // A list cannot be told from one file before it is read; raw schemas need the text itself.
        if text.trim_start().starts_with('[') {
            apis.extend(serde_json::from_str::<Vec<ApiTools>>(text).map_err(wrong)?);
        } else {
            apis.push(serde_json::from_str(text).map_err(wrong)?);
        }
    }
    Ok(Catalog::new(apis, compiled.vendors().to_vec()))
}

/// The selection for the calls of a profile.
fn selection(
    arguments: &ReplayArguments,
    catalog: &Catalog,
    profile: Option<&str>,
    client: Option<&str>,
) -> Result<Selection, NoSelection> {
    let defaults = if client == Some(CALL) { Defaults::Reads } else { Defaults::CoreReads };
    let text = |error: CommandError| error.to_string().replace('\n', "; ");
    if arguments.selection.is_given() {
        return arguments
            .selection
            .resolve(defaults, catalog, &environment)
            .map_err(|it| NoSelection::Broken(text(it)));
    }
    let Some(profile) = profile else { return Ok(Selection::everything()) };
    let of_profile = arguments.selection.of_profile(profile);
    let words = of_profile.words(&environment).map_err(|error| {
        NoSelection::Unknown(format!("the policy of profile `{profile}` is not applied: {}", text(error.into())))
    })?;
    Selection::resolve(&words, defaults, catalog)
        .map_err(|error| NoSelection::Broken(format!("profile `{profile}`: {}", text(error.into()))))
}

/// What was replayed, and what was not.
fn heading(report: &Report, label: &str) -> String {
    let span = report.from_to.as_ref().map(|(first, last)| format!(" from {first} to {last}")).unwrap_or_default();
    let mut heading = format!("{} calls{span}, checked against {label}", report.calls);
    if report.not_replayed > 0 {
        let _ = write!(heading, "; {} more were refused at the time and are not replayed", report.not_replayed);
    }
    if report.values_not_judged > 0 {
        let _ = write!(heading, "; {} values are masked or cut and can't be judged", report.values_not_judged);
    }
    heading
}

/// The counts, a row for each profile and client.
fn rows(report: &Report) -> Vec<[String; 4]> {
    let name = |name: &Option<String>| name.clone().unwrap_or_else(|| "–".to_owned());
    let mut rows = Vec::new();
    for group in &report.groups {
        for (fate, count) in &group.counts {
            rows.push([name(&group.profile), name(&group.client), fate.text().to_owned(), count.to_string()]);
        }
    }
    rows
}

fn as_text(report: &Report, label: &str, width: usize) -> String {
    const INDENT: usize = 4;
    let mut lines = vec![heading(report, label), String::new()];
    let columns = [
        ("profile", ColumnFit::Whole),
        ("client", ColumnFit::Whole),
        ("what becomes of the calls", ColumnFit::Wrapped),
        ("calls", ColumnFit::Whole),
    ];
    lines.push(table::fitted(&columns, &rows(report), width));
    for fate in Fate::ALL.into_iter().filter(|fate| *fate != Fate::AsBefore) {
        let examples: Vec<_> = report.examples.iter().filter(|example| example.fate == fate).collect();
        if examples.is_empty() {
            continue;
        }
        lines.push(format!("\n{}", fate.text()));
        for example in examples {
            lines.push(format!("  {}: {} calls, such as {}", example.tool, example.calls, numbers(&example.lines)));
            for text in &example.texts {
                lines.push(table::entry(&format!("{:INDENT$}", ""), text, INDENT, width));
            }
        }
    }
    let broken = report.broken_profiles.iter().map(|text| format!("\n{text}; a server would not start with it"));
    lines.extend(broken);
    lines.extend(report.notes.iter().map(|note| format!("\nnote: {note}")));
    lines.join("\n")
}

fn numbers(lines: &[u64]) -> String {
    let list = lines.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
    format!("seq {list}")
}

fn as_markdown(report: &Report, label: &str) -> String {
    let cell = |text: &str| text.replace('|', "\\|").replace('\n', " ");
    let counts: Vec<[String; 4]> = rows(report).into_iter().map(|row| row.map(|text| cell(&text))).collect();
    let mut parts = vec![heading(report, label)];
    parts.push(table::markdown(&["profile", "client", "what becomes of the calls", "calls"], &counts));
    let mut rows: Vec<[String; 4]> = Vec::new();
    let by_fate: BTreeMap<Fate, Vec<_>> = report.examples.iter().fold(BTreeMap::new(), |mut all, example| {
        all.entry(example.fate).or_insert_with(Vec::new).push(example);
        all
    });
    for example in by_fate.into_values().flatten() {
        let texts: Vec<String> = example.texts.iter().map(|text| cell(text)).collect();
        let row = [
            format!("`{}`", cell(&example.tool)),
            example.fate.text().to_owned(),
            format!("{}, {}", example.calls, numbers(&example.lines)),
            texts.join("<br>"),
        ];
        rows.push(row);
    }
    if !rows.is_empty() {
        parts.push(table::markdown(&["tool", "what becomes of the calls", "calls", "why"], &rows));
    }
    parts.extend(report.broken_profiles.iter().map(|text| format!("**{text}; a server would not start with it.**")));
    parts.extend(report.notes.iter().map(|note| format!("Note: {note}")));
    parts.join("\n\n")
}
