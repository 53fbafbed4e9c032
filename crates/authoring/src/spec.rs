//! `cargo spec`: a description → the tools that it would become (`lint`), a new vendor's folder (`new`),
//! or what it changes for an API that we have (`diff`, `check`), taken over into our files (`update`); what answers
//! showed → suggestions (`learn`). Only this command fetches a description; the build has no network.

mod check;
mod diff;
mod learn;
mod update;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};

use crate::CommandError;
use crate::fetch;
use crate::import::losses::Weight;
use crate::import::{self, Description, LintReport, NamedDescription, VendorFolder};
use crate::printer::Printer;
use toolwright_codegen::Errors;

pub(crate) const EXAMPLE: &str = "Example:\n  cargo spec lint specs/jitbit/api.yaml";

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show the tools that a description would become; exit 0 clean, 1 findings, 2 unreadable
    #[command(after_help = "Example:\n  cargo spec lint openapi.yaml --name acme")]
    Lint(LintArguments),
    /// Write specs/NAME/ from a vendor's description: facts, with a TODO for each missing text
    #[command(
        after_help = "Example:\n  cargo spec new acme --from https://api.example.com/openapi.json --operations 'GET /tickets*'"
    )]
    New(NewArguments),
    /// Compare a vendor's new description with ours: what changed, and which tools it hits; exit 0 the same,
    /// 1 changes, 2 breaking changes, 3 unreadable
    #[command(after_help = "Example:\n  cargo spec diff https://api.example.com/openapi.json --api acme")]
    Diff(diff::DiffArguments),
    /// Compare every API with the source that vendor.toml names, for a scheduled job; exit codes as of `diff`
    #[command(after_help = "Example:\n  cargo spec check --format markdown")]
    Check(check::CheckArguments),
    /// Take over the facts of a vendor's new description into specs/, and regenerate; exit 0 done, 1 something is
    /// left to you, 2 unreadable
    #[command(after_help = "Example:\n  cargo spec update --api acme --from https://api.example.com/openapi.json")]
    Update(update::UpdateArguments),
    /// List what the answers that a server noted show and the descriptions do not say
    #[command(after_help = learn::HELP)]
    Learn(learn::Arguments),
}

#[derive(Debug, Args)]
struct LintArguments {
    /// Swagger 2.0 or OpenAPI 3.0 or 3.1, as YAML or JSON; an overlay beside it is applied
    file: PathBuf,
    /// Tool name prefix [default: the folder below specs/, else a word of the title]
    #[arg(long)]
    name: Option<String>,
    /// `json` lists every conversion, `text` three of each rule
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Debug, Args)]
struct NewArguments {
    /// The vendor's id: `a-z` and `0-9`
    name: String,
    /// The description of one API, a file or an http(s) URL; repeat it for each API of the vendor.
    /// API names the files where the name of FILE does not
    #[arg(long, value_name = "[API=]FILE|URL", required = true)]
    from: Vec<String>,
    /// Take only operations whose id, path or `METHOD path` matches one of these patterns
    #[arg(long, value_delimiter = ',', value_name = "GLOB")]
    operations: Vec<String>,
    /// Keep the vendor's descriptions and examples, cut to what a tool can carry. They are the vendor's: for a private
    /// build only
    #[arg(long)]
    keep_texts: bool,
    /// `json` prints files, notes and every finding, `text` the files, with a summary on standard error
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Text,
    Json,
}

pub(crate) fn run(arguments: &Arguments, printer: &mut Printer) -> Result<ExitCode, CommandError> {
    crate::update::journal::recover(Path::new("."))?;
    match &arguments.command {
        Command::Lint(arguments) => lint(arguments, printer),
        Command::Learn(arguments) => learn::run(arguments, printer),
        Command::New(arguments) => new(arguments, printer).map(|()| ExitCode::SUCCESS),
        Command::Diff(arguments) => diff::run(arguments, printer),
        Command::Check(arguments) => check::run(arguments, printer),
        Command::Update(arguments) => update::run(arguments, printer),
    }
}

/// An unreadable file counts as wrong usage: exit 2.
fn unreadable(errors: &Errors) -> CommandError {
    CommandError::usage(import::shown(&errors.to_string()))
}

fn lint(arguments: &LintArguments, printer: &mut Printer) -> Result<ExitCode, CommandError> {
    let file = arguments.file.display().to_string();
    let description = import::read(&arguments.file, &file).map_err(|errors| unreadable(&errors))?;
    let vendor = match &arguments.name {
        Some(name) if !import::is_vendor_id(name) => {
            return Err(CommandError::usage(format!("`--name {name}`: expected `a-z` and `0-9`, a letter first")));
        }
        Some(name) => name.clone(),
        None => vendor_of(&arguments.file).unwrap_or_else(|| import::vendor_id(&description)),
    };
    let overlay = import::overlay_beside(&arguments.file).map_err(|errors| unreadable(&errors))?;
    let lint = import::lint(&description, &file, &vendor, overlay.as_ref()).map_err(|errors| unreadable(&errors))?;
    let text = match arguments.format {
        Format::Text => import::shown(&text(&lint)),
        Format::Json => serde_json::to_string_pretty(&lint).map_err(|error| CommandError::System(error.into()))?,
    };
    printer.data(&text)?;
    Ok(if lint.findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// A description under specs/ belongs to the vendor of its folder.
fn vendor_of(file: &Path) -> Option<String> {
    let folder = file.canonicalize().ok()?.parent()?.to_owned();
    let above = folder.parent()?.file_name()?;
    let name = folder.file_name()?.to_str()?;
    (above == "specs" && import::is_vendor_id(name)).then(|| name.to_owned())
}

fn text(lint: &LintReport) -> String {
    let mut out = format!("{}: {}, {}\n", lint.file, lint.title, lint.format);
    let tokens: usize = lint.tools.iter().map(|tool| tool.tokens).sum();
    let _ = writeln!(
        out,
        "{} operations: {} tools, {} skipped; about {tokens} tokens in all\n\nTools (method, path, verb, effect, arguments, schema bytes, tokens)",
        lint.operations,
        lint.tools.len(),
        lint.skipped.len(),
    );
    for tool in &lint.tools {
        let _ = writeln!(
            out,
            "  {:48} {:6} {} {} {} {} {} {}",
            tool.name,
            tool.method,
            tool.path,
            tool.verb,
            tool.effect.map_or("unreviewed", toolwright_model::Effect::as_str),
            tool.arguments,
            tool.schema_bytes,
            tool.tokens
        );
    }
    if !lint.skipped.is_empty() {
        out.push_str("\nSkipped\n");
        for skipped in &lint.skipped {
            let _ = writeln!(out, "  {} {}: {}", skipped.method, skipped.path, skipped.why);
        }
    }
    steps(lint, &mut out);
    if lint.findings.is_empty() {
        out.push_str("\nNo findings.\n");
    } else {
        let _ = writeln!(out, "\n{} findings", lint.findings.len());
        for finding in &lint.findings {
            let _ = writeln!(out, "  {}: {}: {}", finding.kind, finding.place, finding.what);
        }
    }
    let _ = writeln!(out, "\n{}", counts(lint));
    out
}

/// Groups conversions by rule, because a large description has thousands. JSON lists each.
fn steps(lint: &LintReport, out: &mut String) {
    const SHOWN: usize = 3;
    if lint.steps.is_empty() {
        return;
    }
    let mut rules: Vec<&str> = lint.steps.iter().map(|step| step.rule.as_str()).collect();
    rules.sort_unstable();
    rules.dedup();
    out.push_str("\nConversions and corrections\n");
    for rule in rules {
        let of_rule: Vec<_> = lint.steps.iter().filter(|step| step.rule == rule).collect();
        let loss = of_rule.first().filter(|step| step.weight != Weight::Changed);
        let loss = loss.map(|step| format!("; a caller loses: {}", step.loss)).unwrap_or_default();
        let _ = writeln!(out, "  {rule}: {} places{loss}", of_rule.len());
        for step in of_rule.iter().take(SHOWN) {
            let at = step.line.map(|line| format!(" (line {line})")).unwrap_or_default();
            let _ = writeln!(out, "    #{}{at}: {}", step.pointer, step.what);
        }
        if of_rule.len() > SHOWN {
            let _ = writeln!(out, "    and {} more; --format json has them all", of_rule.len() - SHOWN);
        }
    }
}

fn new(arguments: &NewArguments, printer: &mut Printer) -> Result<(), CommandError> {
    let name = &arguments.name;
    // Checked before anything is read, because the name becomes a folder.
    if !import::is_vendor_id(name) {
        let expected =
            "expected `a-z` and `0-9`, a letter first, at most 20 of them, no word of Rust and no cargo feature";
        return Err(CommandError::usage(format!("`{name}` can't be a vendor's id: {expected}")));
    }
    let specs = specs_folder()?;
    let target = specs.join(name);
    // `exists` would miss a dangling link.
    if target.symlink_metadata().is_ok() {
        let hint = "hint: take another name, or move that folder away; nothing is overwritten";
        return Err(CommandError::usage(format!("specs/{name} exists already\n{hint}")));
    }
    let patterns = patterns(&arguments.operations)?;
    let wanted = |id: &str, method: &str, path: &str| is_wanted(&patterns, id, method, path);
    let named = apis(name, &arguments.from)?;
    let descriptions: Vec<Description> = named.iter().map(|(_, from)| read(from)).collect::<Result<_, _>>()?;
    let sources: Vec<NamedDescription<'_>> = named
        .iter()
        .zip(&descriptions)
        .map(|((api, file), description)| NamedDescription { api, file, description })
        .collect();
    let taken = import::Taken { wanted: &wanted, keep_texts: arguments.keep_texts };
    let folder = import::folder(&sources, name, &taken).map_err(|errors| unreadable(&errors))?;
    std::fs::create_dir(&target)?;
    folder.tree.write_to(&target)?;
    match arguments.format {
        Format::Text => {
            for (path, _) in folder.tree.files() {
                printer.data(&format!("specs/{name}/{path}"))?;
            }
        }
        Format::Json => printer.data(&json_of(name, &folder)?)?,
    }
    for note in &folder.notes {
        printer.note(&import::shown(&format!("note: {note}")));
    }
    for report in &folder.reports {
        printer.note(&import::shown(&summary(report)));
    }
    let is_api = |path: &&str| path.strip_suffix(".yaml").is_some_and(|stem| !stem.contains("overlay"));
    let api = folder.tree.files().map(|(path, _)| path).find(is_api).unwrap_or_default();
    printer.note(&format!(
        "next:\n  1. in Cargo.toml, under [features]: `{name} = []`, and \"{name}\" in the list `default`\n  \
         2. `cargo spec lint specs/{name}/{api}` lists what is missing: texts, effects, verbs to check\n  \
         3. `cargo build`; until their effects are stated, the tools are served under `--tags unreviewed` only"
    ));
    Ok(())
}

/// What `spec new` prints for a program.
fn json_of(name: &str, folder: &VendorFolder) -> Result<String, CommandError> {
    let files: Vec<String> = folder.tree.files().map(|(path, _)| format!("specs/{name}/{path}")).collect();
    let sum = |of: &dyn Fn(&LintReport) -> usize| folder.reports.iter().map(of).sum::<usize>();
    let printed = serde_json::json!({
        "vendor": name,
        "files": files,
        "notes": folder.notes,
        "summary": {
            "tools": sum(&|report| report.tools.len()),
            "skipped": sum(&|report| report.skipped.len()),
            "weakened": sum(&|report| report.weakened),
            "dropped": sum(&|report| report.dropped),
            "to_review": sum(&|report| report.to_review),
        },
        "descriptions": folder.reports,
    });
    serde_json::to_string_pretty(&printed).map_err(|error| CommandError::System(error.into()))
}

/// What became of a description, in a few lines.
fn summary(report: &LintReport) -> String {
    let mut out = String::new();
    let mut kinds: Vec<&str> = report.findings.iter().map(|finding| finding.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    for kind in kinds {
        let mut of_kind = report.findings.iter().filter(|finding| finding.kind == kind);
        let count = of_kind.clone().count();
        let Some(first) = of_kind.next() else { continue };
        let more = if count > 1 { format!("; {} more, --format json has them all", count - 1) } else { String::new() };
        let _ = writeln!(out, "{kind}: {}: {}{more}", first.place, first.what);
    }
    out + &counts(report)
}

/// The last line of a report.
fn counts(report: &LintReport) -> String {
    let drafts = &report.drafts;
    let mut out = format!(
        "{} tools, {} operations skipped, {} constructs weakened, {} dropped, {} tools to review",
        report.tools.len(),
        report.skipped.len(),
        report.weakened,
        report.dropped,
        report.to_review
    );
    if drafts.listings + drafts.concise > 0 {
        let _ = write!(
            out,
            "\ndrafts: paging of {} of {} listings ({} open), concise fields of {} tools",
            drafts.paging, drafts.listings, drafts.open_paging, drafts.concise
        );
    }
    out
}

fn specs_folder() -> Result<&'static Path, CommandError> {
    let specs = Path::new("specs");
    if !specs.is_dir() {
        return Err(CommandError::usage("there is no folder `specs` here\nhint: run this at the top of the project"));
    }
    Ok(specs)
}

/// Reads the patterns of `--operations`.
fn patterns(of: &[String]) -> Result<Vec<glob::Pattern>, CommandError> {
    let patterns = of.iter().map(|pattern| glob::Pattern::new(pattern.trim()));
    patterns.collect::<Result<_, _>>().map_err(|error| CommandError::usage(format!("`--operations`: {error}")))
}

/// Whether a pattern matches the operation; without patterns each is wanted.
fn is_wanted(patterns: &[glob::Pattern], id: &str, method: &str, path: &str) -> bool {
    let request = format!("{method} {path}");
    patterns.is_empty() || patterns.iter().any(|p| p.matches(id) || p.matches(path) || p.matches(&request))
}

/// Returns each description's API name and file. A vendor's only API is called `api`.
fn apis(vendor: &str, from: &[String]) -> Result<Vec<(String, String)>, CommandError> {
    let mut named = Vec::new();
    for from in from {
        let stated = from.split_once('=').filter(|(name, _)| import::is_api_name(name));
        let (name, file) = match stated {
            Some((name, file)) => (name.to_owned(), file.to_owned()),
            None => (String::new(), from.clone()),
        };
        named.push((name, file));
    }
    let only = named.len() == 1;
    for (name, file) in named.iter_mut().filter(|(name, _)| name.is_empty()) {
        *name = if only { "api".to_owned() } else { api_name(vendor, file) };
        if !import::is_api_name(name) {
            let what = format!("`--from {file}`: expected a name for its API, made of `a-z`, `0-9` and `-`");
            return Err(CommandError::usage(format!("{what}\nhint: for example `--from v1={file}`")));
        }
    }
    for index in 1..named.len() {
        if let Some((_, other)) = named[..index].iter().find(|(name, _)| *name == named[index].0) {
            let (name, file) = &named[index];
            let what = format!("`{other}` and `{file}` are both called `{name}`");
            return Err(CommandError::usage(format!("{what}\nhint: give one a name: `--from NAME={file}`")));
        }
    }
    Ok(named)
}

/// `acme-v1.swagger2.json` of acme is `v1`.
fn api_name(vendor: &str, file: &str) -> String {
    let path = file.split(['?', '#']).next().unwrap_or_default();
    let name = path.rsplit(['/', '\\']).next().unwrap_or_default().to_lowercase();
    let stem = name.split('.').next().unwrap_or_default().replace('_', "-");
    stem.strip_prefix(&format!("{vendor}-")).unwrap_or(&stem).to_owned()
}

fn read(from: &str) -> Result<Description, CommandError> {
    if !from.contains("://") {
        return import::read(Path::new(from), from).map_err(|errors| unreadable(&errors));
    }
    let fetched = fetch::fetch(from)?;
    import::read(&fetched.path, from).map_err(|errors| unreadable(&errors))
}
