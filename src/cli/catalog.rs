//! `toolwright catalog`: what is compiled in, and what of it a selection leaves.

use std::collections::BTreeSet;

use clap::{Args, Subcommand, ValueEnum};
use comfy_table::{ContentArrangement, Table, TableStyle, presets};
use serde_json::{Value, json};

use super::CommandError;
use super::printer::Printer;
use super::selection::{SelectionArguments, environment};
use crate::catalog::{Catalog, Entry};
use crate::error::ConfigError;
use crate::policy::{Defaults, Selection};
use toolwright_model::{Effect, Risk};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Every tool, one line each
    List(Options),
    /// One tool with its input schema
    Show {
        /// The tool's name or alias
        name: String,
        #[command(flatten)]
        options: Options,
    },
    /// The tools that match some words, best first
    Search {
        /// The words
        #[arg(required = true)]
        query: Vec<String>,
        #[command(flatten)]
        options: Options,
    },
    /// How many tools there are, and what they cost a model
    Stats(Options),
}

#[derive(Debug, Args)]
struct Options {
    /// Apply the defaults of `serve`: reading tools with the tag core
    #[arg(long)]
    served: bool,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    selection: SelectionArguments,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Format {
    /// Columns for a terminal
    #[default]
    Table,
    /// For programs
    Json,
    /// For documents
    Markdown,
}

pub(super) fn run(arguments: &Arguments, printer: &mut Printer) -> Result<(), CommandError> {
    let catalog = Catalog::compiled();
    match &arguments.command {
        Command::List(options) => list(&options.select(&catalog, catalog.entries().iter())?, options.format, printer),
        Command::Search { query, options } => {
            let found = options.select(&catalog, catalog.search(&query.join(" ")).into_iter())?;
            list(&found, options.format, printer)
        }
        Command::Show { name, options } => show(&catalog, name, options, printer),
        Command::Stats(options) => stats(&options.select(&catalog, catalog.entries().iter())?, options.format, printer),
    }
}

impl Options {
    fn resolve(&self, catalog: &Catalog) -> Result<Selection, CommandError> {
        let defaults = if self.served { Defaults::CoreReads } else { Defaults::Everything };
        self.selection.resolve(defaults, catalog, &environment)
    }

    fn select<'a>(
        &self,
        catalog: &Catalog,
        entries: impl Iterator<Item = &'a Entry>,
    ) -> Result<Vec<&'a Entry>, CommandError> {
        let selection = self.resolve(catalog)?;
        Ok(entries.filter(|entry| selection.decide(entry).is_ok()).collect())
    }
}

fn effect(entry: &Entry) -> &'static str {
    entry.tool.effect.map_or("unreviewed", Effect::as_str)
}

fn risks(entry: &Entry) -> String {
    entry.tool.risks.iter().map(|risk| risk.as_str()).collect::<Vec<_>>().join(", ")
}

fn list(entries: &[&Entry], format: Format, printer: &mut Printer) -> Result<(), CommandError> {
    if entries.is_empty() {
        printer.note("no tool fits");
    }
    let header = ["name", "effect", "risks", "tags", "tokens", "title"];
    let rows = entries.iter().map(|entry| {
        let tags = entry.tool.tags.iter().cloned().collect::<Vec<_>>().join(", ");
        let tool = &entry.tool;
        [tool.name.clone(), effect(entry).into(), risks(entry), tags, entry.tokens().to_string(), tool.title.clone()]
    });
    match format {
        Format::Json => print_json(&entries.iter().map(|entry| entry.summary()).collect::<Vec<_>>(), printer),
        Format::Table => print_table(&header, rows, presets::NOTHING, printer),
        Format::Markdown => print_table(&header, rows, presets::ASCII_MARKDOWN, printer),
    }
}

fn show(catalog: &Catalog, name: &str, options: &Options, printer: &mut Printer) -> Result<(), CommandError> {
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
        return Err(ConfigError::new(format!("`{name}` is not in the selection: {refusal}")).into());
    }
    let details = entry.details();
    match options.format {
        Format::Json => print_json(&details, printer),
        Format::Table => Ok(printer.data(&describe(entry, &details, ["input schema:", ""]))?),
        Format::Markdown => Ok(printer.data(&describe(entry, &details, ["```json", "```"]))?),
    }
}

/// The tool for a person; `around` opens and closes the input schema.
fn describe(entry: &Entry, details: &Value, around: [&str; 2]) -> String {
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
    fact("tags", tool.tags.iter().cloned().collect::<Vec<_>>().join(", "));
    fact("aliases", tool.aliases.join(", "));
    for call in &tool.calls {
        let when = call.when.as_ref().map(|when| format!(" where {} is {}", when.argument, text(&when.equals)));
        fact("calls", format!("{} {} ({}){}", call.method, call.path, call.operation, when.unwrap_or_default()));
    }
    fact("tokens", entry.tokens().to_string());
    lines.push(String::new());
    lines.push(around[0].to_owned());
    lines.push(serde_json::to_string_pretty(&details["inputSchema"]).unwrap_or_default());
    lines.push(around[1].to_owned());
    lines.join("\n")
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The API that a tool calls.
fn api(entry: &Entry) -> Option<&str> {
    entry.tool.calls.first().map(|call| call.api.as_str())
}

fn stats(entries: &[&Entry], format: Format, printer: &mut Printer) -> Result<(), CommandError> {
    let count = |test: &dyn Fn(&Entry) -> bool| entries.iter().filter(|entry| test(entry)).count();
    let tokens = |test: &dyn Fn(&Entry) -> bool| -> usize {
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
        let of_vendor = |entry: &Entry| entry.vendor == vendor;
        rows.push((format!("vendor {vendor}"), count(&of_vendor)));
        rows.push((format!("vendor {vendor} tokens"), tokens(&of_vendor)));
        let apis: BTreeSet<&str> =
            entries.iter().filter(|entry| of_vendor(entry)).filter_map(|entry| api(entry)).collect();
        // One API says nothing that the vendor does not.
        for one in apis.iter().filter(|_| apis.len() > 1) {
            let of_api = |entry: &Entry| of_vendor(entry) && api(entry) == Some(*one);
            rows.push((format!("api {one}"), count(&of_api)));
            rows.push((format!("api {one} tokens"), tokens(&of_api)));
        }
    }
    let header = ["what", "count"];
    let cells = rows.iter().map(|(what, count)| [what.clone(), count.to_string()]);
    match format {
        Format::Json => {
            let object: serde_json::Map<String, Value> =
                rows.iter().map(|(what, count)| (what.replace(' ', "_"), json!(count))).collect();
            print_json(&Value::Object(object), printer)
        }
        Format::Table => print_table(&header, cells, presets::NOTHING, printer),
        Format::Markdown => print_table(&header, cells, presets::ASCII_MARKDOWN, printer),
    }
}

fn print_json(value: &impl serde::Serialize, printer: &mut Printer) -> Result<(), CommandError> {
    Ok(printer.data(&serde_json::to_string_pretty(value).map_err(std::io::Error::from)?)?)
}

fn print_table<const N: usize>(
    header: &[&str; N],
    rows: impl Iterator<Item = [String; N]>,
    style: TableStyle,
    printer: &mut Printer,
) -> Result<(), CommandError> {
    let mut table = Table::new();
    // Not wrapped to the terminal: one line a tool, so that `grep` finds whole lines.
    table.load_style(style).set_content_arrangement(ContentArrangement::Disabled).set_header(header);
    table.add_rows(rows);
    for column in table.column_iter_mut() {
        column.set_padding(if style == presets::NOTHING { (0, 2) } else { (1, 1) });
    }
    let text: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    Ok(printer.data(&text.join("\n"))?)
}
