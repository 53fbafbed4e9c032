//! `toolwright catalog`: the compiled tools and a selection → lists, one tool, statistics; two catalogs → what differs.

mod diff;
pub(super) mod source;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::CommandError;
use super::printer::Printer;
use super::selection::{SelectionArguments, environment};
use super::table::{self, ColumnFit};
use crate::catalog::{self, Catalog, CatalogEntry};
use crate::console::{FilesError, write_files};
use crate::error::{Audience, ConfigError};
use crate::policy::{Defaults, Selection};
use crate::search::Search;
use toolwright_model::{Effect, Risk};

const HTML_HELP: &str = "\
The pages link to each other by relative addresses, and need neither a server nor a script. A folder that holds anything else
is left as it is; written again, pages of tools that are not selected any more are removed.

Example:
  toolwright catalog html site --vendor jitbit";

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Every tool with its effect, risks and title
    #[command(after_help = "Example:\n  toolwright catalog list --served --vendor jitbit")]
    List(CatalogOptions),
    /// One tool with its input schema
    #[command(after_help = "Example:\n  toolwright catalog show jitbit_get_ticket")]
    Show {
        /// The tool's name or alias
        name: String,
        #[command(flatten)]
        options: CatalogOptions,
    },
    /// The tools for what you want to do, best first
    #[command(after_help = "Example:\n  toolwright catalog search somebody lost a laptop, wipe it")]
    Search {
        /// What you want to know or to do, in your words
        #[arg(required = true)]
        query: Vec<String>,
        /// The most tools to show
        #[arg(long, default_value_t = 10)]
        limit: usize,
        #[command(flatten)]
        options: CatalogOptions,
    },
    /// The number of tools, and the tokens that their descriptions take
    #[command(after_help = "Example:\n  toolwright catalog stats --served --format json")]
    Stats(CatalogOptions),
    /// What differs for callers between an older catalog and this one
    #[command(after_help = diff::HELP)]
    Diff(diff::DiffArguments),
    /// Write the tools as pages into a folder, for a docs site
    #[command(after_help = HTML_HELP)]
    Html {
        /// The folder: a new one, an empty one, or one that this command wrote
        folder: PathBuf,
        /// Apply the defaults of `serve`: tools that only read and have the tag core
        #[arg(long)]
        served: bool,
        #[command(flatten)]
        selection: Box<SelectionArguments>,
    },
    /// Every tool as generated/*/tools.json has it, as a JSON list of the APIs
    #[command(after_help = "Example:\n  toolwright catalog export")]
    Export,
}

#[derive(Debug, Args)]
struct CatalogOptions {
    /// Apply the defaults of `serve`: tools that only read and have the tag core
    #[arg(long)]
    served: bool,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: CatalogFormat,
    #[command(flatten)]
    selection: SelectionArguments,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum CatalogFormat {
    /// Columns that fit the terminal; 80 wide where there is none
    #[default]
    Table,
    /// JSON, for programs
    Json,
    /// Markdown, every column
    Markdown,
}

pub(super) fn run(arguments: &Arguments, printer: &mut Printer) -> Result<(), CommandError> {
    let catalog = Catalog::compiled();
    match &arguments.command {
        Command::List(options) => list(&options.select(&catalog, catalog.entries().iter())?, options.format, printer),
        Command::Search { query, limit, options } => {
            let selection = options.resolve(&catalog)?;
            let search = Search::new(&catalog);
            let found = search.find(&query.join(" "), |entry| selection.decide(entry).is_ok(), *limit);
            list(&found, options.format, printer)
        }
        Command::Show { name, options } => show(&catalog, name, options, printer),
        Command::Diff(arguments) => diff::run(arguments, printer),
        Command::Export => export(printer),
        Command::Html { folder, served, selection } => html(&catalog, folder, *served, selection, printer),
        Command::Stats(options) => stats(&options.select(&catalog, catalog.entries().iter())?, options.format, printer),
    }
}

impl CatalogOptions {
    fn resolve(&self, catalog: &Catalog) -> Result<Selection, CommandError> {
        let defaults = if self.served { Defaults::CoreReads } else { Defaults::Everything };
        self.selection.resolve(defaults, catalog, &environment)
    }

    fn select<'a>(
        &self,
        catalog: &Catalog,
        entries: impl Iterator<Item = &'a CatalogEntry>,
    ) -> Result<Vec<&'a CatalogEntry>, CommandError> {
        let selection = self.resolve(catalog)?;
        Ok(entries.filter(|entry| selection.decide(entry).is_ok()).collect())
    }
}

fn effect(entry: &CatalogEntry) -> &'static str {
    entry.tool.effect.map_or("unreviewed", Effect::as_str)
}

fn tags(entry: &CatalogEntry) -> String {
    entry.tool.tags.iter().cloned().collect::<Vec<_>>().join(", ")
}

fn risks(entry: &CatalogEntry) -> String {
    entry.tool.risks.iter().map(|risk| risk.as_str()).collect::<Vec<_>>().join(", ")
}

fn list(entries: &[&CatalogEntry], format: CatalogFormat, printer: &mut Printer) -> Result<(), CommandError> {
    if entries.is_empty() {
        printer.note("no tool matches");
    }
    match format {
        CatalogFormat::Json => Ok(printer.json(&entries.iter().map(|entry| entry.summary()).collect::<Vec<_>>())?),
        CatalogFormat::Table => {
            let columns = [
                ("name", ColumnFit::Whole),
                ("effect, risks", ColumnFit::Wrapped),
                ("tags", ColumnFit::Optional),
                ("tokens", ColumnFit::Optional),
                ("title", ColumnFit::Wrapped),
            ];
            let rows: Vec<_> = entries
                .iter()
                .map(|entry| {
                    let tool = &entry.tool;
                    let words: Vec<&str> =
                        std::iter::once(effect(entry)).chain(tool.risks.iter().map(|risk| risk.as_str())).collect();
                    [tool.name.clone(), words.join(", "), tags(entry), entry.tokens().to_string(), tool.title.clone()]
                })
                .collect();
            Ok(printer.data(&table::fitted(&columns, &rows, printer.width()))?)
        }
        CatalogFormat::Markdown => {
            let header = ["name", "effect", "risks", "tags", "tokens", "title"];
            let rows: Vec<_> = entries
                .iter()
                .map(|entry| {
                    let tool = &entry.tool;
                    [
                        tool.name.clone(),
                        effect(entry).into(),
                        risks(entry),
                        tags(entry),
                        entry.tokens().to_string(),
                        tool.title.clone(),
                    ]
                })
                .collect();
            Ok(printer.data(&table::markdown(&header, &rows))?)
        }
    }
}

fn show(catalog: &Catalog, name: &str, options: &CatalogOptions, printer: &mut Printer) -> Result<(), CommandError> {
    let Some(entry) = catalog.get(name) else {
        let near = catalog.near(name);
        let hint = if near.is_empty() {
            "`toolwright catalog search WORDS` finds tools".to_owned()
        } else {
            format!("did you mean `{}`?", near.join("`, `"))
        };
        return Err(ConfigError::new(format!("unknown tool `{name}`\nhint: {hint}")).into());
    };
    if let Err(refusal) = options.resolve(catalog)?.decide(entry) {
        return Err(
            ConfigError::new(format!("`{name}` is not in the selection: {}", refusal.text(Audience::Person))).into()
        );
    }
    let details = entry.details();
    match options.format {
        CatalogFormat::Json => Ok(printer.json(&details)?),
        CatalogFormat::Table => Ok(printer.data(&describe(entry, &details, ["input schema:", ""]))?),
        CatalogFormat::Markdown => Ok(printer.data(&describe(entry, &details, ["```json", "```"]))?),
    }
}

/// The tool as text; the lines of `fence` are put before and after the input schema.
fn describe(entry: &CatalogEntry, details: &Value, fence: [&str; 2]) -> String {
    let tool = &entry.tool;
    let mut lines = vec![format!("# {}", tool.name), String::new(), tool.description.clone(), String::new()];
    let mut fact = |name: &str, value: String| {
        if !value.is_empty() {
            lines.push(format!("- {name}: {value}"));
        }
    };
    fact("title", tool.title.clone());
    fact("effect", effect(entry).to_owned());
    fact("risks", risks(entry));
    fact("tags", tags(entry));
    fact("aliases", tool.aliases.join(", "));
    for call in &tool.calls {
        let when = call.when.as_ref().map(|when| format!(" where {} is {}", when.argument, text(&when.equals)));
        fact("calls", format!("{} {} ({}){}", call.method, call.path, call.operation, when.unwrap_or_default()));
    }
    for step in tool.workflow.iter().flat_map(|workflow| &workflow.steps) {
        let after = if step.after.is_empty() { String::new() } else { format!(" after {}", step.after.join(", ")) };
        fact("step", format!("{}: {} ({} {}){after}", step.id, step.call.tool, step.call.method, step.call.path));
    }
    fact("tokens", entry.tokens().to_string());
    lines.push(String::new());
    lines.push(fence[0].to_owned());
    lines.push(serde_json::to_string_pretty(&details["inputSchema"]).unwrap_or_default());
    lines.push(fence[1].to_owned());
    lines.join("\n")
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The API that a tool calls first.
fn api(entry: &CatalogEntry) -> Option<&str> {
    let of_step = || Some(entry.tool.workflow.as_ref()?.steps.first()?.call.api.as_str());
    entry.tool.calls.first().map(|call| call.api.as_str()).or_else(of_step)
}

fn stats(entries: &[&CatalogEntry], format: CatalogFormat, printer: &mut Printer) -> Result<(), CommandError> {
    let count = |test: &dyn Fn(&CatalogEntry) -> bool| entries.iter().filter(|entry| test(entry)).count();
    let tokens = |test: &dyn Fn(&CatalogEntry) -> bool| -> usize {
        entries.iter().filter(|entry| test(entry)).map(|entry| entry.tokens()).sum()
    };
    let mut rows: Vec<(String, usize)> = vec![
        ("tools".to_owned(), entries.len()),
        ("tokens".to_owned(), tokens(&|_| true)),
        ("largest tokens".to_owned(), entries.iter().map(|entry| entry.tokens()).max().unwrap_or_default()),
        ("core".to_owned(), count(&|entry| entry.tool.is_core())),
        ("core tokens".to_owned(), tokens(&|entry| entry.tool.is_core())),
        ("unreviewed".to_owned(), count(&|entry| !entry.tool.reviewed())),
    ];
    for effect in Effect::ALL {
        rows.push((format!("effect {effect}"), count(&|entry| entry.tool.effect == Some(*effect))));
    }
    for risk in Risk::ALL {
        rows.push((format!("risk {risk}"), count(&|entry| entry.tool.risks.contains(risk))));
    }
    let vendors: BTreeSet<&str> = entries.iter().map(|entry| entry.vendor.as_str()).collect();
    for vendor in vendors {
        let of_vendor = |entry: &CatalogEntry| entry.vendor == vendor;
        rows.push((format!("vendor {vendor}"), count(&of_vendor)));
        rows.push((format!("vendor {vendor} tokens"), tokens(&of_vendor)));
        let apis: BTreeSet<&str> =
            entries.iter().filter(|entry| of_vendor(entry)).filter_map(|entry| api(entry)).collect();
        // The figures of a vendor's only API are the vendor's.
        for one in apis.iter().filter(|_| apis.len() > 1) {
            let of_api = |entry: &CatalogEntry| of_vendor(entry) && api(entry) == Some(*one);
            rows.push((format!("api {one}"), count(&of_api)));
            rows.push((format!("api {one} tokens"), tokens(&of_api)));
        }
    }
    let cells: Vec<_> = rows.iter().map(|(what, count)| [what.clone(), count.to_string()]).collect();
    match format {
        CatalogFormat::Json => {
            let object: serde_json::Map<String, Value> =
                rows.iter().map(|(what, count)| (what.replace(' ', "_"), json!(count))).collect();
            Ok(printer.json(&Value::Object(object))?)
        }
        CatalogFormat::Table => {
            let columns = [("what", ColumnFit::Whole), ("count", ColumnFit::Whole)];
            Ok(printer.data(&table::fitted(&columns, &cells, printer.width()))?)
        }
        CatalogFormat::Markdown => Ok(printer.data(&table::markdown(&["what", "count"], &cells))?),
    }
}

/// Writes the pages of a selection.
fn html(
    catalog: &Catalog,
    folder: &Path,
    served: bool,
    selection: &SelectionArguments,
    printer: &mut Printer,
) -> Result<(), CommandError> {
    let defaults = if served { Defaults::CoreReads } else { Defaults::Everything };
    let words = selection.words(&environment)?;
    let count = write_files(folder, catalog, &Selection::resolve(&words, defaults, catalog)?, words, served)?;
    printer.note(&format!("{count} tools are in `{}`", folder.join("index.html").display()));
    Ok(())
}

impl From<FilesError> for CommandError {
    fn from(error: FilesError) -> Self {
        match error {
            FilesError::Configuration(error) => Self::Configuration(error),
            error => Self::System(Box::new(error)),
        }
    }
}

/// Prints the files that are compiled in as they are committed, joined to a list.
fn export(printer: &mut Printer) -> Result<(), CommandError> {
    let readable = |text| serde_json::from_str::<Value>(text).and_then(|file| serde_json::to_string_pretty(&file));
    let files: Result<Vec<String>, serde_json::Error> = catalog::tool_files().into_iter().map(readable).collect();
    let files = files.map_err(|error| CommandError::System(Box::new(error)))?;
    Ok(printer.data(&format!("[\n{}\n]", files.join(",\n")))?)
}
