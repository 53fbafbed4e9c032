//! `toolwright serve`: flags and environment → an MCP server on stdio or over HTTP.

use clap::{Args, ValueEnum};
use tokio_util::sync::CancellationToken;

use super::CommandError;
use super::printer::Printer;
use super::selection::{SelectionArguments, environment};
use super::start::{
    AuditArguments, FilesArguments, RetryArguments, SandboxArguments, evaluator, sandbox_connections,
    vendor_connections,
};
use crate::call::Toolbox;
use crate::catalog::Catalog;
use crate::error::ConfigError;
use crate::policy::Defaults;
use crate::server::http::HttpServer;
use crate::server::{Server, stdio};

pub(super) const EXAMPLE: &str = "\
Examples:
  toolwright serve --sandbox
  toolwright serve --vendor jitbit --methods read,write --http 127.0.0.1:8080";

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Serve Streamable HTTP at http://ADDR/mcp instead of stdio, such as 127.0.0.1:8080
    #[arg(long, value_name = "ADDR")]
    http: Option<String>,
    /// How to write logs on standard error
    #[arg(long, value_enum, default_value_t)]
    log_format: LogFormat,
    #[command(flatten)]
    audit: AuditArguments,
    #[command(flatten)]
    files: FilesArguments,
    #[command(flatten)]
    retry: RetryArguments,
    #[command(flatten)]
    sandbox: SandboxArguments,
    #[command(flatten)]
    selection: SelectionArguments,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum LogFormat {
    /// A readable line
    #[default]
    Text,
    /// A JSON object per line
    Json,
}

pub(super) fn run(arguments: &Arguments, printer: &mut Printer) -> Result<(), CommandError> {
    log_to_stderr(arguments.log_format);
    // A single thread starts fastest, needs the least memory and has the lowest latency: vendors
    // limit calls to hundreds a minute, one thread serves thousands a second (benches/README.md).
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let served = runtime.block_on(serve(arguments, printer));
    // A thread that is blocked on reading standard input must not delay the exit.
    runtime.shutdown_background();
    served
}

async fn serve(arguments: &Arguments, printer: &mut Printer) -> Result<(), CommandError> {
    if arguments.http.is_some() {
        arguments.files.refuse_over_http()?;
    }
    let folder = arguments.files.open()?;
    // An address that can't be bound is reported before missing credentials are.
    let http = match &arguments.http {
        Some(address) => Some(HttpServer::bind(address).await?),
        None => None,
    };
    let catalog = Catalog::compiled();
    let mut selection = arguments.selection.resolve(Defaults::CoreReads, &catalog, &environment)?;
    let record = arguments.audit.open()?;
    let sandbox = arguments.sandbox.start().await?;
    let connections = match &sandbox {
        Some(sandbox) => sandbox_connections(sandbox, &catalog, &environment)?,
        None => {
            let connections = vendor_connections(&catalog, selection.vendors(), &environment)?;
            selection.narrow_to_vendors(connections.keys().cloned().collect());
            connections
        }
    };
    let toolbox = Toolbox::new(catalog, selection, &connections, false)
        .with_retry_policy(arguments.retry.policy())
        .with_files(folder)
        .with_record(record)
        .with_evaluator(evaluator()?);
    let offered = toolbox.offered().count();
    if offered == 0 {
        return Err(ConfigError::new(
            "the selection leaves no tool\nhint: flags narrow each other; `toolwright catalog list --served` with the same flags shows what is left",
        )
        .into());
    }
    let of_sandbox = if arguments.sandbox.is_on() { " of the sandbox" } else { "" };
    let server = Server::new(toolbox);
    let ready = format!("toolwright {}: {offered} tools{of_sandbox}", env!("CARGO_PKG_VERSION"));
    let stop = CancellationToken::new();
    stop_on_signal(stop.clone());
    match http {
        Some(http) => {
            printer.note(&format!("{ready} at http://{}/mcp", http.address()));
            Ok(http.serve(server, stop).await?)
        }
        None => {
            printer.note(&format!("{ready} on stdio"));
            stdio::serve(server, stop).await.map_err(CommandError::System)
        }
    }
}

/// Cancels `stop` on SIGTERM or Ctrl-C. Handlers are installed on return, so readiness can be
/// announced.
fn stop_on_signal(stop: CancellationToken) {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::spawn(async move {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = tokio::signal::ctrl_c() => {}
                }
                stop.cancel();
            });
            return;
        }
    }
    tokio::spawn(async move {
        // Fails where no handler can be installed; then the signal ends the process itself.
        if tokio::signal::ctrl_c().await.is_ok() {
            stop.cancel();
        }
    });
}

/// Logs go to standard error, where MCP clients expect them; `RUST_LOG` sets the levels. rmcp's
/// warnings are off by default: they repeat faults that the client is answered.
fn log_to_stderr(format: LogFormat) {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "warn,rmcp=error".into());
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false);
    // A second call, as in tests, fails and keeps the first subscriber.
    let _ = match format {
        LogFormat::Text => log.try_init(),
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    };
}
