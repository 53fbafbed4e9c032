//! `catalog diff`: an older catalog and this one → what differs for callers, and whether someone has said that it is
//! meant.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::CatalogFormat;
use super::source::{CatalogSource, git};
use crate::cli::CommandError;
use crate::cli::printer::Printer;
use crate::cli::table;
use crate::error::ConfigError;
use toolwright_model::comparison::{self, Change, Comparison, Impact, ToolFacts};

pub(super) const HELP: &str = "\
OLD and NEW are each a binary of toolwright, a tools.json, a folder such as generated/, or a git revision.
Exit code 0: nothing fails; 1: something does, see --fail-on; 2: OLD or NEW can't be read.

Examples:
  toolwright catalog diff v0.1.0 --changelog CHANGELOG.md
  toolwright catalog diff /usr/local/bin/toolwright generated/ --format markdown";

#[derive(Debug, Args)]
pub(super) struct DiffArguments {
    /// The catalog before
    old: String,
    /// The catalog after [default: what is compiled into this program]
    new: Option<String>,
    /// What makes the exit code 1
    #[arg(long, value_enum, default_value_t)]
    fail_on: FailOn,
    /// Changes of tools that FILE names since OLD are meant and don't fail: its new lines where OLD is a git revision,
    /// else its section [Unreleased]
    #[arg(long, value_name = "FILE")]
    changelog: Option<PathBuf>,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: CatalogFormat,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum FailOn {
    /// A name that is gone without an alias or leads elsewhere, an effect or a gated risk that is lowered
    #[default]
    Guarded,
    /// That, and every other change by which a call can fail
    Breaks,
    /// Any difference
    Any,
}

pub(super) fn run(arguments: &DiffArguments, printer: &mut Printer) -> Result<(), CommandError> {
    let old = CatalogSource::read(&arguments.old)?;
    let new = arguments.new.as_deref().map_or_else(|| Ok(CatalogSource::compiled()), CatalogSource::read)?;
    let compared = comparison::compare(&tools(&old)?, &tools(&new)?);
    let named = arguments.changelog.as_deref().map(|file| changelog(file, &old)).transpose()?;
    let named = |tool: &str| named.as_deref().is_some_and(|text| names(text, tool));
    let fails = |change: &Change| {
        let counts = match arguments.fail_on {
            FailOn::Guarded => change.guarded,
            FailOn::Breaks => change.guarded || change.impact == Impact::Breaks,
            FailOn::Any => true,
        };
        counts && !named(&change.tool)
    };
    match arguments.format {
        CatalogFormat::Json => printer.json(&as_json(&old, &new, &compared, &fails))?,
        CatalogFormat::Table => printer.data(&as_text(&old, &new, &compared, printer.width()))?,
        CatalogFormat::Markdown => printer.data(&as_markdown(&old, &new, &compared))?,
    }
    let failing: BTreeSet<&str> =
        compared.changes.iter().filter(|change| fails(change)).map(|change| change.tool.as_str()).collect();
    if failing.is_empty() {
        return Ok(());
    }
    let list = failing.into_iter().map(|tool| format!("`{tool}`")).collect::<Vec<_>>().join(", ");
    let hint = match &arguments.changelog {
        Some(file) => format!("undo it, keep the old name as an alias, or name the tool in {}", file.display()),
        None => "with `--changelog FILE`, tools that FILE names don't fail".to_owned(),
    };
    printer.error(&format!("changes that need someone's word: {list}\nhint: {hint}"));
    Err(CommandError::Check)
}

fn tools(source: &CatalogSource) -> Result<Vec<ToolFacts>, ConfigError> {
    let mut tools = Vec::new();
    for text in &source.texts {
        let read = comparison::read_tools(text);
        tools.extend(read.map_err(|why| ConfigError::new(format!("`{}` can't be read: {why}", source.label)))?);
    }
    Ok(tools)
}

/// What the changelog says of the changes since `old`.
fn changelog(file: &Path, old: &CatalogSource) -> Result<String, ConfigError> {
    let shown = file.display();
    let text =
        std::fs::read_to_string(file).map_err(|error| ConfigError::new(format!("`{shown}` can't be read: {error}")))?;
    if let Some(commit) = &old.commit {
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let (folder, name) = (folder.display().to_string(), file.file_name().unwrap_or_default().to_string_lossy());
        let wrong = |why: String| ConfigError::new(format!("`{shown}` can't be read as of `{}`{why}", old.label));
        let listed = git(&["-C", &folder, "ls-tree", "--name-only", commit, "--", &name]).map_err(wrong)?;
        // Where the revision has no such file, every line is new.
        let before = if listed.is_empty() {
            String::new()
        } else {
            git(&["-C", &folder, "show", &format!("{commit}:./{name}")]).map_err(wrong)?
        };
        let known: BTreeSet<&str> = before.lines().collect();
        return Ok(text.lines().filter(|line| !known.contains(line)).collect::<Vec<_>>().join("\n"));
    }
    let is_heading = |line: &&str| line.starts_with("## ");
    let mut lines = text.lines().skip_while(|line| !(is_heading(line) && line.to_lowercase().contains("unreleased")));
    if lines.next().is_none() {
        return Err(ConfigError::new(format!("`{shown}` has no section `## [Unreleased]`")));
    }
    Ok(lines.take_while(|line| !is_heading(line)).collect::<Vec<_>>().join("\n"))
}

/// Whether a text has the name as a word of its own.
fn names(text: &str, name: &str) -> bool {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(|word| word == name)
}

/// What the sides are called, and the figures of both.
fn heading(old: &CatalogSource, new: &CatalogSource, compared: &Comparison) -> String {
    let signed = |it: comparison::BeforeAfter| {
        let sign = if it.after >= it.before { "+" } else { "-" };
        format!("{} → {} ({sign}{})", it.before, it.after, it.after.abs_diff(it.before))
    };
    let (tools, tokens) = (signed(compared.tools), signed(compared.tokens));
    format!("{} → {}: tools {tools}, tokens {tokens}", old.label, new.label)
}

/// The step of the version number, and the number where OLD is called by one.
fn bump(old: &CatalogSource, compared: &Comparison) -> String {
    let bump = compared.bump();
    match comparison::next_version(&old.label, bump) {
        Some(next) => format!("largest step of the version: {}, so at least {next}", bump.as_str()),
        None => format!("largest step of the version: {}", bump.as_str()),
    }
}

fn as_text(old: &CatalogSource, new: &CatalogSource, compared: &Comparison, width: usize) -> String {
    const INDENT: usize = 4;
    let mut lines = vec![heading(old, new, compared)];
    for impact in Impact::ALL {
        let of_impact: Vec<&Change> = compared.changes.iter().filter(|change| change.impact == *impact).collect();
        if of_impact.is_empty() {
            continue;
        }
        lines.push(format!("\n{impact}: {}", of_impact.len()));
        let mut last = "";
        for change in of_impact {
            if change.tool != last {
                lines.push(format!("  {}", change.tool));
                last = &change.tool;
            }
            lines.push(table::entry(&format!("{:INDENT$}", ""), &said(change), INDENT, width));
        }
    }
    lines.push(format!("\n{}", bump(old, compared)));
    lines.join("\n")
}

/// A change in one line, without its tool.
fn said(change: &Change) -> String {
    let at = if change.at.is_empty() { String::new() } else { format!(" `{}`", change.at) };
    format!("{}{at}: {}", change.kind, change.text)
}

fn as_markdown(old: &CatalogSource, new: &CatalogSource, compared: &Comparison) -> String {
    let cell = |text: &str| text.replace('|', "\\|").replace('\n', " ");
    let rows: Vec<[String; 5]> = compared
        .changes
        .iter()
        .map(|change| {
            let at = if change.at.is_empty() { String::new() } else { format!("`{}`", cell(&change.at)) };
            let impact = if change.guarded { format!("**{}**", change.impact) } else { change.impact.to_string() };
            [format!("`{}`", change.tool), impact, change.kind.to_string(), at, cell(&change.text)]
        })
        .collect();
    let table = if rows.is_empty() {
        "Nothing differs.".to_owned()
    } else {
        table::markdown(&["tool", "for callers", "change", "argument", "what"], &rows)
    };
    format!("{}\n\n{table}\n\n{}", heading(old, new, compared), bump(old, compared))
}

fn as_json(old: &CatalogSource, new: &CatalogSource, compared: &Comparison, fails: &dyn Fn(&Change) -> bool) -> Value {
    let changes: Vec<Value> = compared
        .changes
        .iter()
        .map(|change| {
            let mut value = json!(change);
            value["fails"] = json!(fails(change));
            value
        })
        .collect();
    json!({
        "old": old.label,
        "new": new.label,
        "tools": compared.tools,
        "tokens": compared.tokens,
        "bump": compared.bump(),
        "next_version": comparison::next_version(&old.label, compared.bump()),
        "changes": changes,
    })
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn a_tool_is_named_as_a_word_of_its_own() {
        for (text, expected) in [
            ("- `jitbit_close_ticket` is gone.", true),
            ("jitbit_close_ticket", true),
            ("`jitbit_close_tickets`", false),
            ("my_jitbit_close_ticket", false),
            ("", false),
        ] {
            assert_eq!(names(text, "jitbit_close_ticket"), expected, "{text}");
        }
    }
}
