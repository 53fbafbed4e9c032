//! `toolwright call`: a tool's name and arguments → its answer, through the same gate as the server.

use std::collections::{BTreeSet, HashMap};
use std::io::Read as _;

use clap::{Args, ValueEnum};
use rmcp::model::{CallToolResult, ContentBlock, ResourceContents};
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use super::CommandError;
use super::accounts::{AccountArguments, FoundAccounts};
use super::printer::Printer;
use super::selection::{SelectionArguments, environment};
use super::signals::Signals;
use super::start::{
    AuditArguments, FilesArguments, NetworkArguments, RetryArguments, SandboxArguments, WorkflowArguments, evaluator,
    sandbox_connections,
};
use crate::call::{CallResult, Caller, Failure, Toolbox};
use crate::catalog::Catalog;
use crate::error::{Audience, ConfigError};
use crate::mcp_result;
use crate::policy::Defaults;
use crate::workflow;
use toolwright_model::DRY_RUN;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The tool's name or alias
    name: String,
    /// The tool's arguments; a name that is given twice makes a list
    #[arg(value_name = "KEY=VALUE")]
    pairs: Vec<String>,
    /// The tool's arguments as a JSON object, from a file with @FILE, from standard input with -
    #[arg(long, value_name = "JSON|@FILE|-")]
    args: Option<String>,
    /// Show the request that would be sent, and send nothing; of a tool of several calls that changes something, the reads
    /// are sent
    #[arg(long)]
    dry_run: bool,
    /// How to print the answer
    #[arg(long, value_enum, default_value_t)]
    format: OutputFormat,
    #[command(flatten)]
    accounts: AccountArguments,
    #[command(flatten)]
    audit: AuditArguments,
    #[command(flatten)]
    files: FilesArguments,
    #[command(flatten)]
    network: NetworkArguments,
    #[command(flatten)]
    retry: RetryArguments,
    #[command(flatten)]
    sandbox: SandboxArguments,
    #[command(flatten)]
    selection: SelectionArguments,
    #[command(flatten)]
    workflow: WorkflowArguments,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum OutputFormat {
    /// What a model would read
    #[default]
    Text,
    /// The MCP result
    Json,
}

pub(super) fn run(arguments: &Arguments, signals: &Signals) -> Result<(), CommandError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let called = runtime.block_on(call(arguments, signals, &mut Printer::new()));
    // A name that is still being resolved must not delay the exit.
    runtime.shutdown_background();
    called
}

async fn call(arguments: &Arguments, signals: &Signals, printer: &mut Printer) -> Result<(), CommandError> {
    let catalog = Catalog::compiled();
    let selection = arguments.selection.resolve(Defaults::Reads, &catalog, &environment)?;
    let mut tool_arguments = tool_arguments(arguments)?;
    let entry = catalog.get(&arguments.name);
    let vendor = entry.map(|entry| entry.vendor.clone());
    let vendors: BTreeSet<String> = entry.iter().flat_map(|entry| entry.vendors()).map(str::to_owned).collect();
    // What a workflow would change is known only by what it reads.
    let plans_itself = entry.is_some_and(|entry| entry.tool.workflow.is_some() && entry.tool.is_own_argument(DRY_RUN));
    if arguments.dry_run && plans_itself {
        tool_arguments.insert(DRY_RUN.to_owned(), Value::Bool(true));
    }
    let folder = arguments.files.open()?;
    if arguments.sandbox.is_on() {
        arguments.accounts.refuse_in_sandbox()?;
    }
    let sandbox = arguments.sandbox.start().await?;
    let connections = match &sandbox {
        Some(sandbox) => sandbox_connections(sandbox, &catalog, &environment)?,
        None => HashMap::new(),
    };
    let (found, not_connected) = match arguments.find_accounts(&vendors, &catalog) {
        Ok(found) => (found, None),
        // An unknown or refused tool needs no connection, so that the call decides.
        Err(CommandError::Configuration(error)) => (FoundAccounts::default(), Some(error)),
        Err(error) => return Err(error),
    };
    let mut toolbox = Toolbox::new(catalog, selection, &connections, arguments.dry_run && !plans_itself)
        .with_retry_policy(arguments.retry.policy())
        .with_files(folder)
        .with_record(arguments.audit.open(arguments.selection.profile())?)
        .with_most_items(arguments.workflow.most_items())
        .with_evaluator(evaluator()?);
    if !found.accounts.is_empty() {
        toolbox = toolbox.with_accounts(found.accounts).serving(found.serving);
    }
    let result = run_call(&toolbox, &arguments.name, tool_arguments, &signals.end_by(), printer).await;
    toolbox.settle_tokens().await;
    match (result?, not_connected) {
        (Err(failure @ (Failure::UnknownTool { .. } | Failure::Refused { .. })), _) => {
            Err(ConfigError::new(failure.text(Audience::Person)).into())
        }
        (_, Some(error)) => Err(error.into()),
        (result, None) => print(arguments.format, &vendor.unwrap_or_default(), result, printer),
    }
}

impl Arguments {
    /// Finds the accounts of the tool's vendors; none is needed in the sandbox, or for a tool that is not known.
    fn find_accounts(&self, vendors: &BTreeSet<String>, catalog: &Catalog) -> Result<FoundAccounts, CommandError> {
        if vendors.is_empty() || self.sandbox.is_on() {
            return Ok(FoundAccounts::default());
        }
        self.accounts.find(&self.selection, catalog, Some(vendors), self.network.unencrypted(), true, None)
    }
}

/// Runs the call and prints its progress. A signal drops the request; a workflow ends before its next step.
async fn run_call(
    toolbox: &Toolbox,
    name: &str,
    arguments: Map<String, Value>,
    stop: &CancellationToken,
    printer: &mut Printer,
) -> Result<Result<CallResult, Failure>, CommandError> {
    let (progress, mut lines) = tokio::sync::mpsc::unbounded_channel();
    let client = Some("toolwright call".to_owned());
    let caller = Caller { client, progress: Some(progress), ..Caller::default() };
    let is_workflow = toolbox.catalog().get(name).is_some_and(|entry| entry.tool.workflow.is_some());
    let cancelled = caller.cancelled.clone();
    let mut call = std::pin::pin!(workflow::call_as(toolbox, &caller, name, arguments));
    loop {
        tokio::select! {
            result = &mut call => return Ok(result),
            Some(line) = lines.recv() => printer.note(&line),
            () = stop.cancelled(), if !cancelled.is_cancelled() => {
                if !is_workflow {
                    return Err(CommandError::Check);
                }
                cancelled.cancel();
            }
        }
    }
}

/// Prints the result: data on stdout, a failure as text on stderr.
fn print(
    format: OutputFormat,
    vendor: &str,
    result: Result<CallResult, Failure>,
    printer: &mut Printer,
) -> Result<(), CommandError> {
    let is_configuration = result.as_ref().is_err_and(Failure::is_configuration);
    // The MCP result is a model's; here a person reads, who can set flags and variables.
    let failure = result.as_ref().err().map(|failure| mcp_result::failure_text(failure, Audience::Person));
    let is_report = matches!(result, Ok(CallResult::Report(_)));
    let result = mcp_result::result(vendor, result);
    let failed = result.is_error == Some(true);
    match format {
        OutputFormat::Json => printer.json(&result)?,
        // How far a workflow came is data.
        OutputFormat::Text if is_report => printer.data(&text(&result))?,
        OutputFormat::Text if failed => printer.error(&failure.unwrap_or_else(|| text(&result))),
        OutputFormat::Text => printer.data(&text(&result))?,
    }
    match (failed, is_configuration) {
        (false, _) => Ok(()),
        (true, false) => Err(CommandError::Check),
        (true, true) => Err(ConfigError::new("nothing was sent").into()),
    }
}

fn tool_arguments(arguments: &Arguments) -> Result<Map<String, Value>, CommandError> {
    let mut map = match arguments.args.as_deref() {
        None => Map::new(),
        Some(source) => {
            let text = match source.strip_prefix('@') {
                Some(path) => std::fs::read_to_string(path)
                    .map_err(|error| ConfigError::new(format!("`--args @{path}` can't be read: {error}")))?,
                None if source == "-" => {
                    let mut text = String::new();
                    std::io::stdin().read_to_string(&mut text)?;
                    text
                }
                None => source.to_owned(),
            };
            match serde_json::from_str(&text) {
                Ok(Value::Object(map)) => map,
                Ok(_) => {
                    return Err(
                        ConfigError::new("`--args` takes a JSON object, such as `{\"query\": \"printer\"}`").into()
                    );
                }
                Err(error) => return Err(ConfigError::new(format!("`--args` is no JSON: {error}")).into()),
            }
        }
    };
    for pair in &arguments.pairs {
        let Some((key, value)) = pair.split_once('=') else {
            return Err(ConfigError::new(format!(
                "`{pair}` is no `KEY=VALUE`\nhint: `toolwright catalog show {}` names the arguments; a file for the sandbox is given as `--sandbox=FILE`",
                arguments.name
            ))
            .into());
        };
        let value = Value::from(value);
        match map.get_mut(key) {
            None => {
                map.insert(key.to_owned(), value);
            }
            Some(Value::Array(items)) => items.push(value),
            Some(one) => *one = Value::Array(vec![one.take(), value]),
        }
    }
    Ok(map)
}

/// The result as a person reads it: JSON indented, files named.
fn text(result: &CallToolResult) -> String {
    let blocks: Vec<String> = result
        .content
        .iter()
        .map(|block| match block {
            ContentBlock::Text(text) => mcp_result::indented(&text.text).unwrap_or_else(|| text.text.clone()),
            ContentBlock::Image(image) => format!("({}, {} bytes in base64)", image.mime_type, image.data.len()),
            ContentBlock::Resource(resource) => match &resource.resource {
                ResourceContents::BlobResourceContents { uri, mime_type, blob, .. } => {
                    let kind = mime_type.as_deref().unwrap_or("file");
                    format!("({kind} {uri}, {} bytes in base64; --format json prints them)", blob.len())
                }
                _ => "(a resource; --format json prints it)".to_owned(),
            },
            _ => "(content of another kind; --format json prints it)".to_owned(),
        })
        .collect();
    blocks.join("\n")
}
