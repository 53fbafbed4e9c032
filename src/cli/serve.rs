//! `toolwright serve`: the MCP server on standard input and output.

use clap::Args;

use super::Failed;
use super::printer::Printer;
use super::selection::{SelectionArguments, environment};
use super::start::{SandboxArguments, sandbox_connections, vendor_connections};
use crate::call::Toolbox;
use crate::catalog::Catalog;
use crate::error::ConfigError;
use crate::policy::Defaults;
use crate::server::{Server, stdio};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    sandbox: SandboxArguments,
    #[command(flatten)]
    selection: SelectionArguments,
}

pub(super) fn run(arguments: &Arguments, printer: &mut Printer) -> Result<(), Failed> {
    log_to_stderr();
    // One client, one conversation: a single thread starts fastest and needs the least memory.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(serve(arguments, printer))
}

async fn serve(arguments: &Arguments, printer: &mut Printer) -> Result<(), Failed> {
    let catalog = Catalog::compiled();
    let mut selection = arguments.selection.resolve(Defaults::CoreReads, &catalog, &environment)?;
    let sandbox = arguments.sandbox.start().await?;
    let connections = match &sandbox {
        Some(sandbox) => sandbox_connections(sandbox, &catalog)?,
        None => {
            let connections = vendor_connections(&catalog, selection.vendors(), &environment)?;
            selection.narrow_to_vendors(connections.keys().cloned().collect());
            connections
        }
    };
    let toolbox = Toolbox::new(catalog, selection, &connections, false);
    let offered = toolbox.offered().count();
    if offered == 0 {
        return Err(ConfigError::new(
            "the selection leaves no tool\nhint: flags narrow each other; `toolwright catalog list --served` with the same flags shows what is left",
        )
        .into());
    }
    let whom = if arguments.sandbox.is_on() { " of the sandbox" } else { "" };
    printer.note(&format!("toolwright {}: {offered} tools{whom} on stdio", env!("CARGO_PKG_VERSION")));
    stdio::serve(Server::new(toolbox)).await.map_err(Failed::System)
}

/// Logs go to standard error, where MCP clients expect them; `RUST_LOG` chooses. What rmcp warns
/// of is a client's fault that the client is told, such as an unknown tool.
fn log_to_stderr() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "warn,rmcp=error".into());
    // A second call, as in tests, keeps the first subscriber.
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false).try_init();
}
