//! `toolwright audit`: audit logs → up to where they are proved whole, which calls have no outcome, and signed anchors
//! of their ends.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::CommandError;
use super::printer::Printer;
use super::replay;
use crate::audit::{self, Anchor, AnchorError, AnchorKey, Fault, Report, Verifier};
use crate::error::ConfigError;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const VERIFY_EXAMPLES: &str = "\
Exits 0 where everything is proved that was asked for, and 1 where a line was changed or left out. That the end was cut, or
everything written anew, shows by --expect and --anchors only.

Examples:
  toolwright audit verify calls.jsonl
  toolwright audit verify calls.jsonl.1 calls.jsonl --expect HASH
  toolwright audit verify calls.jsonl --anchors anchors.jsonl --public-key KEY";

#[derive(Debug, Subcommand)]
enum Command {
    /// Check that no line of an audit log was changed or removed, and list the calls without an outcome
    #[command(after_help = VERIFY_EXAMPLES)]
    Verify(VerifyArguments),
    /// Print a signed statement of where a log ends now, to be kept where the log's writer can't write
    #[command(after_help = "Example:\n  toolwright audit anchor calls.jsonl --key anchor.key")]
    Anchor {
        /// The file that `--audit` names, after the files that it continues, if any
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// The private key that signs, from `toolwright audit key`
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
    },
    /// Make a private key that signs anchors, and print its public key
    #[command(after_help = "Example:\n  toolwright audit key anchor.key")]
    Key {
        /// The new file; only its owner can read it
        file: PathBuf,
    },
    /// Check recorded calls against this catalog or another one: which would be refused, renamed or reach something else
    #[command(after_help = replay::HELP)]
    Replay(Box<replay::ReplayArguments>),
}

#[derive(Debug, Args)]
struct VerifyArguments {
    /// The file that `--audit` names; after a rotation, all files, the oldest first
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// The hash of a line that was noted earlier: the line has to be there; may be repeated
    #[arg(long, value_name = "HASH")]
    expect: Vec<String>,
    /// The hash of the last line before FILES, where older files are not kept
    #[arg(long, value_name = "HASH")]
    after: Option<String>,
    /// What `toolwright audit anchor` has printed, a line each: the log has to fit all of it
    #[arg(long, value_name = "FILE", requires = "public_key")]
    anchors: Option<PathBuf>,
    /// The key with which the anchors have to be signed, as `toolwright audit key` printed it
    #[arg(long, value_name = "KEY", requires = "anchors")]
    public_key: Option<String>,
}

pub(super) fn run(arguments: &Arguments, printer: &mut Printer) -> Result<(), CommandError> {
    match &arguments.command {
        Command::Verify(arguments) => verify(arguments, printer),
        Command::Replay(arguments) => replay::run(arguments, printer),
        Command::Anchor { files, key } => anchor(files, key, printer),
        Command::Key { file } => {
            let key = AnchorKey::create(file).map_err(|error| wrong(file, &error))?;
            Ok(printer.data(&key.public_key())?)
        }
    }
}

fn wrong(path: &Path, error: &AnchorError) -> ConfigError {
    ConfigError::new(format!("`{}` {error}", path.display()))
}

fn unreadable(path: &Path, error: &std::io::Error) -> ConfigError {
    ConfigError::new(format!("`{}` can't be read: {error}", path.display()))
}

fn read(mut verifier: Verifier, files: &[PathBuf]) -> Result<Report, ConfigError> {
    for file in files {
        let log = File::open(file).and_then(|log| verifier.read(BufReader::new(log)));
        log.map_err(|error| unreadable(file, &error))?;
    }
    Ok(verifier.finish())
}

fn verify(arguments: &VerifyArguments, printer: &mut Printer) -> Result<(), CommandError> {
    let expected = arguments.expect.iter().map(|text| hash("--expect", text)).collect::<Result<Vec<_>, _>>()?;
    let after = arguments.after.as_deref().map(|text| hash("--after", text)).transpose()?;
    let anchors = match (&arguments.anchors, &arguments.public_key) {
        (Some(path), Some(key)) => {
            let text = std::fs::read_to_string(path).map_err(|error| unreadable(path, &error))?;
            match audit::read_anchors(&text, key) {
                Ok(anchors) => anchors,
                Err(error) => {
                    printer.error(&format!("`{}`: {error}", path.display()));
                    return Err(CommandError::Check);
                }
            }
        }
        _ => Vec::new(),
    };
    let mut verifier = Verifier::default();
    for hash in expected.iter().chain(anchors.iter().map(|anchor| &anchor.hash)) {
        verifier.look_for(hash);
    }
    let report = read(verifier, &arguments.files)?;
    describe(&report, printer)?;
    let mut faults = faults(&report, &arguments.files);
    faults.extend(unknown_beginning(&report, after.as_deref(), &anchors));
    for hash in &expected {
        match report.line_with(hash) {
            Some(line) => printer.data(&format!("hash {hash} is that of line {line}"))?,
            None if report.fault.is_some() => faults.push(format!(
                "hash {hash} is not among the lines up to {}; nothing after the fault was read",
                report.lines
            )),
            None => faults.push(format!("no line has the hash {hash}: it was cut off, or the log was written anew")),
        }
    }
    let mut fitting = 0;
    for anchor in &anchors {
        match report.check_anchor(anchor) {
            Ok(fits) => fitting += usize::from(fits),
            Err(fault) => faults.push(fault),
        }
    }
    if !anchors.is_empty() && faults.is_empty() {
        let earlier = anchors.len() - fitting;
        let rest = match earlier {
            0 => String::new(),
            _ => format!("; {earlier} are of lines in earlier files and were not checked"),
        };
        printer.data(&format!("{fitting} anchors fit{rest}"))?;
    }
    for fault in &faults {
        printer.error(fault);
    }
    if faults.is_empty() { Ok(()) } else { Err(CommandError::Check) }
}

/// What is wrong with the lines themselves.
fn faults(report: &Report, files: &[PathBuf]) -> Vec<String> {
    match (&report.fault, &report.last) {
        (Some(fault), _) => {
            vec![format!("{}: {}; nothing from there on is proved", place(fault, files), fault.what)]
        }
        (None, None) => vec!["there is no whole line: nothing is proved".to_owned()],
        (None, Some(_)) => Vec::new(),
    }
}

fn place(fault: &Fault, files: &[PathBuf]) -> String {
    let file = files.get(fault.file).map(|path| path.display().to_string()).unwrap_or_default();
    format!("line {} of `{file}`", fault.line)
}

/// Why the beginning is not proved, where it isn't: an earlier file has the lines before, and nothing says which.
fn unknown_beginning(report: &Report, after: Option<&str>, anchors: &[Anchor]) -> Option<String> {
    match (&report.begins_after, after) {
        (Some((_, hash)), Some(after)) if hash == after => None,
        (Some((seq, hash)), _) if anchors.iter().any(|anchor| anchor.seq == *seq && anchor.hash == *hash) => None,
        (Some((seq, hash)), _) => Some(format!(
            "the lines up to {seq} are not here: the first one follows hash {hash}\n\
             hint: name the earlier files first, or that hash with `--after` if you know it from elsewhere"
        )),
        (None, Some(after)) if report.last.is_some() => {
            Some(format!("`--after {after}`: the log begins with its first line, which follows none"))
        }
        (None, _) => None,
    }
}

fn describe(report: &Report, printer: &mut Printer) -> Result<(), CommandError> {
    match &report.last {
        Some((seq, time, hash)) => printer.data(&format!("whole up to line {seq}, {time}, hash {hash}"))?,
        None => printer.data("no whole line")?,
    }
    for open in &report.unfinished {
        printer.data(&format!("no outcome: line {}, {}, {}", open.seq, open.time, open.tool))?;
    }
    if report.torn > 0 {
        printer.data(&format!("{} bytes at the end are no whole line: the writer was stopped there", report.torn))?;
    }
    Ok(())
}

fn anchor(files: &[PathBuf], key: &Path, printer: &mut Printer) -> Result<(), CommandError> {
    let signing = AnchorKey::read(key).map_err(|error| wrong(key, &error))?;
    let report = read(Verifier::default(), files)?;
    match (&report.fault, &report.last) {
        (None, Some((seq, _, hash))) => {
            let anchor = signing.anchor(*seq, hash);
            Ok(printer.data(&serde_json::to_string(&anchor).map_err(std::io::Error::from)?)?)
        }
        (Some(fault), _) => {
            printer.error(&format!("{}: {}; nothing was signed", place(fault, files), fault.what));
            Err(CommandError::Check)
        }
        (None, None) => {
            printer.error("there is no whole line; nothing was signed");
            Err(CommandError::Check)
        }
    }
}

/// A whole hash: to the beginning of one, another line could be made that has it.
fn hash(flag: &str, text: &str) -> Result<String, ConfigError> {
    let text = text.trim().to_ascii_lowercase();
    if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        Ok(text)
    } else {
        Err(ConfigError::new(format!(
            "`{flag}` takes the hash of a line: 64 hexadecimal digits\nhint: `toolwright audit verify` shows the last one"
        )))
    }
}
