//! `toolwright approve`: what waits for a person in a store → a list, one of it, a yes or a no. Who may decide, and with what, is
//! for `approval` to judge.

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, SystemTime};

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::CommandError;
use super::printer::Printer;
use super::store::{StoreArguments, blocking};
use super::table::{ColumnFit, entry, fitted};
use crate::access::links::time_text;
use crate::approval::{
    Decided, Decider, GrantScope, NotDecided, Yes, approve, decline, may_decide, name_to_type, plan_of, state_of,
};
use crate::error::ConfigError;
use crate::store::{Store, StoredApproval};

const YES_HELP: &str = "\
The caller makes the same call again; then exactly what was shown is sent, once. What can't be taken back needs the name of its
target: --name, or typed when it is asked for.

Examples:
  toolwright approve yes k3Jx09QmTa
  toolwright approve yes k3Jx09QmTa --minutes 10 --any-arguments";

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List what waits for a decision
    #[command(after_help = "Examples:\n  toolwright approve list\n  toolwright approve list --all --format json")]
    List {
        /// What was decided too, the newest first
        #[arg(long)]
        all: bool,
        /// How to print it
        #[arg(long, value_enum, default_value_t)]
        format: Format,
        #[command(flatten)]
        store: StoreArguments,
    },
    /// Show what would be sent, and why a person has to approve it
    #[command(after_help = "Example:\n  toolwright approve show k3Jx09QmTa")]
    Show {
        /// The id, from `toolwright approve list` or the tool's answer
        id: String,
        /// How to print it
        #[arg(long, value_enum, default_value_t)]
        format: Format,
        #[command(flatten)]
        store: StoreArguments,
    },
    /// Approve it
    #[command(after_help = YES_HELP)]
    Yes {
        /// The id
        id: String,
        /// The name of what is changed, where that can't be taken back
        #[arg(long)]
        name: Option<String>,
        /// Why, for the record
        #[arg(long)]
        reason: Option<String>,
        #[command(flatten)]
        grant: GrantArguments,
        #[command(flatten)]
        store: StoreArguments,
    },
    /// Decline it, or take back what was approved and not sent
    #[command(after_help = "Example:\n  toolwright approve no k3Jx09QmTa --reason still-in-use")]
    No {
        /// The id
        id: String,
        /// Why: the caller reads it
        #[arg(long)]
        reason: Option<String>,
        #[command(flatten)]
        store: StoreArguments,
    },
}

/// What is granted, where a tool is asked for.
#[derive(Debug, Clone, Copy, Default, Args)]
struct GrantArguments {
    /// Grant the tool with any arguments, not only with those of the request
    #[arg(long)]
    any_arguments: bool,
    /// For how many minutes, 60 at most
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=60))]
    minutes: Option<u64>,
    /// Grant what the server's own selection does not offer to anybody
    #[arg(long)]
    beyond_selection: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
}

pub(super) fn run(arguments: &Arguments, printer: &mut Printer) -> Result<(), CommandError> {
    blocking(async {
        match &arguments.command {
            Command::List { all, format, store } => list(&store.open().await?, !all, *format, printer).await,
            Command::Show { id, format, store } => {
                let found = find(&store.open().await?, id).await?;
                match format {
                    Format::Json => Ok(printer.json(&described(&found))?),
                    Format::Text => Ok(printer.data(&shown(&found, printer.width()))?),
                }
            }
            Command::Yes { id, name, reason, grant, store } => {
                let store = store.open().await?;
                let found = find(&store, id).await?;
                may_decide(&found, &Decider::at_command_line()).map_err(|error| refused(error, id))?;
                let name = typed_name(&found, name.clone(), printer)?;
                let yes = Yes { name, reason: reason.clone(), grant: grant.scope() };
                let decided = approve(&store, id, &Decider::at_command_line(), yes).await;
                printer.note(&done(&found, decided.map_err(|error| refused(error, id))?, grant));
                Ok(())
            }
            Command::No { id, reason, store } => {
                let store = store.open().await?;
                let found = find(&store, id).await?;
                let decided = decline(&store, id, &Decider::at_command_line(), reason.as_deref()).await;
                let decided = decided.map_err(|error| refused(error, id))?;
                printer.note(&done(&found, decided, &GrantArguments::default()));
                Ok(())
            }
        }
    })
}

async fn find(store: &Store, id: &str) -> Result<StoredApproval, CommandError> {
    let hint = "`toolwright approve list --all` shows the ids; `--store` names the store of another server";
    let found = store.approval(id).await?;
    Ok(found.ok_or_else(|| ConfigError::new(format!("there is no approval with this id\nhint: {hint}")))?)
}

/// Why a decision does not count, and which flag may help.
fn refused(error: NotDecided, id: &str) -> CommandError {
    let hint = match &error {
        NotDecided::OfTheSame(_) => "another user of this machine, with access to the store".to_owned(),
        NotDecided::Unnamed => {
            format!("`toolwright approve show {id}` shows what is changed; `--name` takes its name")
        }
        NotDecided::NoGrant => {
            "`--any-arguments`, `--minutes` and `--beyond-selection` are for requests of a tool".to_owned()
        }
        NotDecided::BeyondSelection => "`--beyond-selection` grants it to this caller all the same".to_owned(),
        NotDecided::Unknown | NotDecided::AtClient | NotDecided::Over(..) => {
            return ConfigError::new(error.to_string()).into();
        }
        NotDecided::Store(_) => String::new(),
    };
    match error {
        NotDecided::Store(error) => error.into(),
        error => ConfigError::new(format!("{error}\nhint: {hint}")).into(),
    }
}

/// Has the person type the name of what can't be taken back, where there is a terminal to type at.
fn typed_name(
    approval: &StoredApproval,
    given: Option<String>,
    printer: &mut Printer,
) -> Result<Option<String>, CommandError> {
    if given.is_some() || name_to_type(approval).is_none() || !std::io::stdin().is_terminal() {
        return Ok(given);
    }
    printer.data(&shown(approval, printer.width()))?;
    let mut stderr = std::io::stderr().lock();
    write!(stderr, "this can't be taken back; type the name of what is changed: ")?;
    stderr.flush()?;
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    Ok(Some(line))
}

impl GrantArguments {
    fn scope(self) -> GrantScope {
        GrantScope {
            any_arguments: self.any_arguments,
            lasts: self.minutes.map(|minutes| Duration::from_secs(minutes * 60)),
            beyond_selection: self.beyond_selection,
        }
    }
}

/// What was decided, and what follows from it.
fn done(approval: &StoredApproval, decided: Decided, grant: &GrantArguments) -> String {
    match decided {
        Decided::Approved(until) => {
            let until = time_text(until);
            format!("approved; the caller has to make the same call until {until}: it is sent then, once")
        }
        Decided::Granted(until) => {
            let which = if grant.any_arguments { "with any arguments" } else { "with the arguments of the request" };
            format!("granted `{}` {which} to {} until {}", approval.tool, approval.caller_name, time_text(until))
        }
        Decided::Declined => "declined".to_owned(),
        Decided::TakenBack => "taken back; nothing was sent".to_owned(),
    }
}

async fn list(store: &Store, pending: bool, format: Format, printer: &mut Printer) -> Result<(), CommandError> {
    let found = store.approvals(pending).await?;
    if format == Format::Json {
        return Ok(printer.json(&found.iter().map(described).collect::<Vec<_>>())?);
    }
    if found.is_empty() {
        printer.note(if pending { "nothing waits for a decision" } else { "nothing was asked for" });
        return Ok(());
    }
    let now = SystemTime::now();
    let columns = [
        ("id", ColumnFit::Whole),
        ("state", ColumnFit::Whole),
        ("tool", ColumnFit::Wrapped),
        ("caller", ColumnFit::Wrapped),
        ("asked", ColumnFit::Whole),
        ("ends", ColumnFit::Optional),
    ];
    let row = |one: StoredApproval| {
        let state = state_of(&one, now).to_owned();
        [one.id, state, one.tool, one.caller_name, time_text(one.asked), time_text(one.ends)]
    };
    let rows: Vec<[String; 6]> = found.into_iter().map(row).collect();
    Ok(printer.data(&fitted(&columns, &rows, printer.width()))?)
}

fn shown(approval: &StoredApproval, width: usize) -> String {
    let mut lines: Vec<(String, String)> = vec![
        ("id".to_owned(), approval.id.clone()),
        ("state".to_owned(), state_of(approval, SystemTime::now()).to_owned()),
        ("caller".to_owned(), approval.caller_name.clone()),
        ("tool".to_owned(), approval.tool.clone()),
    ];
    lines.extend(approval.client.clone().map(|client| ("client".to_owned(), client)));
    if let Value::Object(plan) = plan_of(approval) {
        lines.extend(plan.into_iter().map(|(name, value)| (name, text(&value))));
    }
    lines.push(("asked".to_owned(), format!("{}, by {}", time_text(approval.asked), approval.channel)));
    lines.push(("ends".to_owned(), time_text(approval.ends)));
    if let Some(by) = &approval.decided_by {
        let at = approval.decided.map(time_text).unwrap_or_default();
        lines.push(("decided".to_owned(), format!("by {by} {at}").trim().to_owned()));
    }
    lines.extend(approval.reason.clone().map(|reason| ("reason".to_owned(), reason)));
    lines.extend(approval.outcome.clone().map(|outcome| ("outcome".to_owned(), outcome)));
    lines.push(("digest".to_owned(), approval.digest.clone()));
    lines.iter().map(|(label, text)| entry(label, text, 14, width)).collect::<Vec<_>>().join("\n")
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join("; "),
        other => other.to_string(),
    }
}

fn described(approval: &StoredApproval) -> Value {
    json!({
        "id": approval.id,
        "kind": approval.kind.as_str(),
        "state": state_of(approval, SystemTime::now()),
        "channel": approval.channel,
        "caller": approval.caller_name,
        "client": approval.client,
        "tool": approval.tool,
        "plan": plan_of(approval),
        "digest": approval.digest,
        "asked_at": time_text(approval.asked),
        "ends_at": time_text(approval.ends),
        "decided_at": approval.decided.map(time_text),
        "decided_by": approval.decided_by,
        "reason": approval.reason,
        "outcome": approval.outcome,
    })
}
