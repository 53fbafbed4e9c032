//! `toolwright serve`: the MCP server, on standard input and output or over HTTP.

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
    /// A line for a person
    #[default]
    Text,
    /// An object of JSON a line
    Json,
}

pub(super) fn run(arguments: &Arguments, printer: &mut Printer) -> Result<(), CommandError> {
    log_to_stderr(arguments.log_format);
    // A single thread starts fastest, needs the least memory and, over HTTP too, answers soonest:
    // calls wait for vendors, which take a hundred a minute where one thread serves thousands a
    // second (benches/README.md).
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let served = runtime.block_on(serve(arguments, printer));
    // A thread may still wait for input that nobody will send.
    runtime.shutdown_background();
    served
}

async fn serve(arguments: &Arguments, printer: &mut Printer) -> Result<(), CommandError> {
    if arguments.http.is_some() {
        arguments.files.refuse_over_http()?;
    }
    let folder = arguments.files.open()?;
    // What is wrong with the address is said before credentials are asked for.
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
        .with_patience(arguments.retry.patience())
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
    let whom = if arguments.sandbox.is_on() { " of the sandbox" } else { "" };
    let server = Server::new(toolbox);
    let what = format!("toolwright {}: {offered} tools{whom}", env!("CARGO_PKG_VERSION"));
    let stop = CancellationToken::new();
    stop_on_signal(stop.clone());
    match http {
        Some(http) => {
            printer.note(&format!("{what} at http://{}/mcp", http.address()));
            Ok(http.serve(server, stop).await?)
        }
        None => {
            printer.note(&format!("{what} on stdio"));
            stdio::serve(server, stop).await.map_err(CommandError::System)
        }
    }
}

/// Cancels `stop` when the system or the person at the terminal asks the program to end. When
/// this returns, the system's wish is heard: whoever starts us may be told that we serve.
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
        // Without the signal there is nothing to wait for but the end of the process.
        if tokio::signal::ctrl_c().await.is_ok() {
            stop.cancel();
        }
    });
}

/// Logs go to standard error, where MCP clients expect them; `RUST_LOG` chooses. What rmcp warns
/// of is a client's fault that the client is told, such as an unknown tool.
fn log_to_stderr(format: LogFormat) {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "warn,rmcp=error".into());
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false);
    // A second call, as in tests, keeps the first subscriber.
    let _ = match format {
        LogFormat::Text => log.try_init(),
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    };
}
