//! `cargo spec learn`: the file of `serve --learn` and specs/ → what a description does not say yet, as suggestions.
//! What it says by now is left out, so that an update makes the list shorter. Nothing is written.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::CommandError;
use crate::import;
use crate::printer::Printer;
use toolwright_codegen::generate;
use toolwright_model::answers::{
    AnswerSchema, DescribedAnswers, DescribedOperation, Learned, MisfitKind, is_described, shown_path,
};
use toolwright_model::{EACH_ENTRY, EACH_ITEM};

pub(crate) const HELP: &str = "\
Answers show what is, not what is promised: look at each suggestion before it goes into a description.
Exit code 0: nothing is suggested; 1: something is; 2: unreadable.

Example:
  cargo spec learn learned.json --format markdown";

/// The longest file that is read, in bytes: more than the longest that is written.
const LONGEST: u64 = 4 * 1024 * 1024;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The file that `toolwright serve --learn` names
    file: PathBuf,
    /// Only this API, such as jsm-servicedesk
    #[arg(long)]
    api: Option<String>,
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Text,
    Json,
    Markdown,
}

/// What a description may say in addition.
#[derive(Debug, Serialize)]
struct Suggestion {
    api: String,
    /// The description.
    file: String,
    operation: String,
    method: String,
    path: String,
    kind: MisfitKind,
    /// Where in the answer.
    at: String,
    /// What was met, in words.
    seen: String,
    /// In how many answers.
    answers: u64,
    /// Of how many.
    of: u64,
    /// What the description may say, and where.
    say: String,
}

pub(crate) fn run(arguments: &Arguments, printer: &mut Printer) -> Result<ExitCode, CommandError> {
    let learned = read(&arguments.file)?;
    let specs = Path::new("specs");
    if !specs.is_dir() {
        return Err(CommandError::usage("there is no folder `specs` here\nhint: run this at the top of the project"));
    }
    let generated = generate(specs, |_| true).map_err(|errors| {
        CommandError::usage(format!("the specs have faults\n{}", import::shown(&errors.to_string())))
    })?;
    let described: BTreeMap<String, DescribedAnswers> = generated
        .tree
        .files()
        .filter(|(path, _)| path.ends_with("/answers.json"))
        .filter_map(|(_, text)| serde_json::from_str::<DescribedAnswers>(text).ok())
        .map(|answers| (answers.api.clone(), answers))
        .collect();
    if let Some(api) = arguments.api.as_ref().filter(|api| !described.contains_key(*api)) {
        let known: Vec<&str> = described.keys().map(String::as_str).collect();
        let hint = format!("hint: there are `{}`", known.join("`, `"));
        return Err(CommandError::usage(format!("`--api {api}`: specs/ has no such API\n{hint}")));
    }
    let (suggestions, notes) = suggestions(&learned, &described, arguments.api.as_deref());
    let text = match arguments.format {
        Format::Text => as_text(&suggestions),
        Format::Markdown => as_markdown(&suggestions),
        Format::Json => {
            serde_json::to_string_pretty(&suggestions).map_err(|error| CommandError::System(error.into()))?
        }
    };
    printer.data(&import::shown(&text))?;
    for note in &notes {
        printer.note(&import::shown(&format!("note: {note}")));
    }
    Ok(if suggestions.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn read(file: &Path) -> Result<Learned, CommandError> {
    let shown = file.display();
    let unreadable = |what: String| CommandError::usage(format!("`{shown}` can't be read: {what}"));
    let size = std::fs::metadata(file).map_err(|error| unreadable(error.to_string()))?.len();
    if size > LONGEST {
        return Err(unreadable(format!("it has {size} bytes, more than `--learn` writes")));
    }
    let text = std::fs::read_to_string(file).map_err(|error| unreadable(error.to_string()))?;
    Learned::parse(&text).map_err(unreadable)
}

/// What is suggested, and what has to be known of the list.
fn suggestions(
    learned: &Learned,
    described: &BTreeMap<String, DescribedAnswers>,
    only: Option<&str>,
) -> (Vec<Suggestion>, Vec<String>) {
    let (mut found, mut notes) = (Vec::new(), Vec::new());
    for of in learned.operations.iter().filter(|it| only.is_none_or(|only| only == it.api)) {
        let known = described.get(&of.api).and_then(|answers| Some((answers, answers.operation(&of.operation)?)));
        let Some((answers, operation)) = known else {
            notes.push(format!("`{}` of {} is in no description here and is left out", of.operation, of.api));
            continue;
        };
        for it in of.misfits.iter().filter(|it| !is_described(answers, operation, &it.misfit)) {
            found.push(Suggestion {
                api: of.api.clone(),
                file: answers.description.clone(),
                operation: of.operation.clone(),
                method: operation.method.clone(),
                path: operation.path.clone(),
                kind: it.misfit.kind,
                at: it.misfit.path(),
                seen: seen(it.misfit.kind, &it.misfit.found, &it.misfit.expected),
                answers: it.seen,
                of: of.answers,
                say: suggestion(answers, operation, it.misfit.kind, &it.misfit.at, &it.misfit.found),
            });
        }
        if of.dropped > 0 {
            notes.push(format!("`{}` had findings that were not kept, {} times", of.operation, of.dropped));
        }
    }
    if learned.skipped > 0 {
        notes.push(format!("{} answers were not looked at, because too many came at once", learned.skipped));
    }
    found.sort_by(|a, b| (&a.api, &a.path, &a.method, &a.at, a.kind).cmp(&(&b.api, &b.path, &b.method, &b.at, b.kind)));
    (found, notes)
}

/// What was met, in words.
fn seen(kind: MisfitKind, found: &str, expected: &str) -> String {
    match kind {
        MisfitKind::UnknownField => format!("a field that is not described: {found}"),
        MisfitKind::MissingField => "a required field was missing".to_owned(),
        MisfitKind::OtherType => format!("{found}, described as {expected}"),
        MisfitKind::UnlistedValue => format!("a {found} that `enum` does not list"),
        MisfitKind::FreeNames => "many names that are not described".to_owned(),
        MisfitKind::UnknownStatus => format!("the status {found}"),
        MisfitKind::UnknownMedia => format!("the media type {found}"),
        MisfitKind::NoJson => "an answer that says it is JSON and is not".to_owned(),
    }
}

/// What the description may say.
fn suggestion(
    answers: &DescribedAnswers,
    operation: &DescribedOperation,
    kind: MisfitKind,
    at: &[String],
    found: &str,
) -> String {
    let (name, parent) = at.split_last().map_or(("", at), |(name, parent)| (name.as_str(), parent));
    let place = |at: &[String]| format!("in {}", place(answers, operation, at));
    match kind {
        MisfitKind::UnknownField if name == EACH_ENTRY => {
            format!("{}: `additionalProperties`, if these names are data", place(parent))
        }
        MisfitKind::UnknownField => format!("{}: `{name}: {}` under `properties`", place(parent), schema(found)),
        MisfitKind::FreeNames => format!("{}: `additionalProperties: true`", place(parent)),
        MisfitKind::MissingField => format!("{}: `{name}` out of `required`", place(parent)),
        MisfitKind::OtherType if found == "null" => format!("{}: `nullable: true`", place(at)),
        MisfitKind::OtherType => format!("{}: `type: {found}`, if it is always so", place(at)),
        MisfitKind::UnlistedValue => format!("{}: look up the vendor's values for `enum`, or leave it out", place(at)),
        MisfitKind::UnknownStatus => format!("a response `{found}` of the operation"),
        MisfitKind::UnknownMedia => format!("`{found}` under the response's `content`"),
        MisfitKind::NoJson => "find out what the vendor sends here".to_owned(),
    }
}

/// A schema in one line.
fn schema(found: &str) -> String {
    match found.strip_prefix("array of ") {
        Some(items) if !items.contains(" or ") => format!("{{type: array, items: {{type: {items}}}}}"),
        Some(_) => "{type: array}".to_owned(),
        None if found == "null" => "{nullable: true}".to_owned(),
        None => format!("{{type: {found}}}"),
    }
}

/// The schema in the description that a path leads to: the last that it refers to by name, and the rest of the path.
fn place(answers: &DescribedAnswers, operation: &DescribedOperation, at: &[String]) -> String {
    let roots = operation.answers.iter().filter_map(|answer| answer.schema.as_ref());
    // Of several answers, the one that has most of the path.
    let furthest = roots.map(|root| walk(answers, root, at)).max_by_key(|(taken, _, _)| *taken);
    match furthest.map_or((None, at), |(_, named, rest)| (named, rest)) {
        (None, []) => "the answer".to_owned(),
        (None, rest) => format!("`{}` of the answer", shown_path(rest)),
        (Some(named), []) => format!("`{named}`"),
        (Some(named), rest) => format!("`{}` of `{named}`", shown_path(rest)),
    }
}

/// How many steps of a path a schema has, the last reference on it, and the steps after that.
fn walk<'a>(
    answers: &'a DescribedAnswers,
    root: &'a AnswerSchema,
    at: &'a [String],
) -> (usize, Option<&'a str>, &'a [String]) {
    let (mut here, mut named, mut rest) = (root, None, at);
    for taken in 0..=at.len() {
        // Each reference is followed once at most.
        for _ in 0..answers.schemas.len() {
            let Some(reference) = here.reference.as_deref() else { break };
            let Some(target) = answers.schemas.get(reference) else { break };
            (here, named, rest) = (target, Some(reference), &at[taken..]);
        }
        let next = at.get(taken).and_then(|step| match step.as_str() {
            EACH_ITEM => here.items.as_deref(),
            name => here.properties.get(name),
        });
        match next {
            Some(next) => here = next,
            None => return (taken, named, rest),
        }
    }
    (at.len(), named, rest)
}

fn as_text(suggestions: &[Suggestion]) -> String {
    if suggestions.is_empty() {
        return "Nothing that the descriptions do not say.".to_owned();
    }
    let mut out = String::new();
    let mut last = None;
    for it in suggestions {
        if last != Some((&it.api, &it.operation)) {
            let blank = if last.is_some() { "\n" } else { "" };
            let _ = writeln!(out, "{blank}{}: {} {} ({})", it.file, it.method, it.path, it.operation);
            last = Some((&it.api, &it.operation));
        }
        let at = if it.at.is_empty() { String::new() } else { format!("{}: ", it.at) };
        let _ = writeln!(out, "  {at}{}, in {} of {} answers\n    {}", it.seen, it.answers, it.of, it.say);
    }
    out
}

fn as_markdown(suggestions: &[Suggestion]) -> String {
    if suggestions.is_empty() {
        return "Nothing that the descriptions do not say.".to_owned();
    }
    let cell = |text: &str| text.replace('|', "\\|").replace('\n', " ");
    let mut out =
        String::from("| operation | where | seen | answers | the description may say |\n|---|---|---|---|---|\n");
    for it in suggestions {
        let at = if it.at.is_empty() { String::new() } else { format!("`{}`", cell(&it.at)) };
        let _ = writeln!(
            out,
            "| `{}` of {} | {at} | {} | {} of {} | {} |",
            cell(&it.operation),
            it.api,
            cell(&it.seen),
            it.answers,
            it.of,
            cell(&it.say)
        );
    }
    out
}
