//! `toolwright serve`: flags and environment → an MCP server on stdio or over HTTP.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::filter::{EnvFilter, filter_fn};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use super::CommandError;
use super::accounts::{AccountArguments, FoundAccounts};
use super::printer::Printer;
use super::selection::{SelectionArguments, environment};
use super::signals::Signals;
use super::start::{
    AuditArguments, FilesArguments, LearnArguments, NetworkArguments, RetryArguments, SandboxArguments, evaluator,
    sandbox_connections,
};
use super::team::{Team, TeamArguments};
use crate::access::{Access, Mode, VendorTokens};
use crate::call::Toolbox;
use crate::catalog::Catalog;
use crate::error::ConfigError;
use crate::policy::{Defaults, Selection};
use crate::sandbox::Sandbox;
use crate::server::http::admin::AccountState;
use crate::server::http::{Hosts, HttpServer, Origins, TlsIdentity};
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
    /// Let web pages of this origin call from a browser, such as https://app.example.com; may be repeated
    #[arg(long, value_name = "URL", requires = "http")]
    origin: Vec<String>,
    /// List a few tools that find and call all others, in place of these; starts from every tool that reads, not only
    /// those tagged core
    #[arg(long)]
    discover: bool,
    /// How callers over HTTP show who they are; without it every program on this machine is served, and no other. Needed
    /// where other machines reach the address
    #[arg(long, value_enum, value_delimiter = ',', value_name = "WAY,…", requires = "http")]
    access: Vec<AccessWay>,
    /// Serve requests for this host too, such as mcp.example.com; may be repeated
    #[arg(long, value_name = "HOST", requires = "http")]
    host: Vec<String>,
    /// Serve HTTPS with this chain of certificates, as PEM, the server's own first; read again when it changes
    #[arg(long, value_name = "FILE", requires_all = ["http", "tls_key"])]
    tls_cert: Option<PathBuf>,
    /// The private key of the certificate, as PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    #[command(flatten)]
    accounts: AccountArguments,
    #[command(flatten)]
    team: TeamArguments,
    /// How to write logs on standard error
    #[arg(long, value_enum, default_value_t)]
    log_format: LogFormat,
    /// Let the log show whole messages where RUST_LOG asks for them: arguments, answers, and the secrets in them
    #[arg(long)]
    log_messages: bool,
    #[command(flatten)]
    audit: AuditArguments,
    #[command(flatten)]
    learn: LearnArguments,
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
}

/// A way in which callers show who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum AccessWay {
    /// Each request comes to a link's address, from `toolwright link create`
    Link,
    /// Each request brings a token of the vendor in `Authorization: Bearer`, and acts with it
    VendorToken,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum LogFormat {
    /// A readable line
    #[default]
    Text,
    /// A JSON object per line
    Json,
}

pub(super) fn run(arguments: &Arguments, signals: &Signals) -> Result<(), CommandError> {
    log_to_stderr(arguments.log_format, arguments.log_messages);
    // A single thread starts fastest, needs the least memory and has the lowest latency: vendors
    // limit calls to hundreds a minute, one thread serves thousands a second (benches/README.md).
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let served = runtime.block_on(serve(arguments, signals, &mut Printer::new()));
    // A thread that is blocked on reading standard input must not delay the exit.
    runtime.shutdown_background();
    served
}

async fn serve(arguments: &Arguments, signals: &Signals, printer: &mut Printer) -> Result<(), CommandError> {
    if arguments.http.is_some() {
        arguments.files.refuse_over_http()?;
    }
    if arguments.sandbox.is_on() {
        arguments.accounts.refuse_in_sandbox()?;
    }
    let folder = arguments.files.open()?;
    // An address that can't be bound is reported before missing credentials are.
    let http = bind(arguments).await?;
    let catalog = Catalog::compiled();
    let selection = arguments.selection.resolve(arguments.defaults(), &catalog, &environment)?;
    let pinned = arguments.selection.pinned(&catalog, &environment)?;
    let record = arguments.audit.open(arguments.selection.profile())?;
    let learner = arguments.learn.open()?;
    let sandbox = arguments.sandbox.start().await?;
    let has_links = arguments.access.contains(&AccessWay::Link);
    let mut team = arguments.team.open(has_links, http.as_ref(), &arguments.host).await?;
    let (toolbox, accounts) = arguments.toolbox(catalog, selection, sandbox.as_ref(), team.as_mut()).await?;
    let toolbox = toolbox
        .with_retry_policy(arguments.retry.policy())
        .with_files(folder)
        .with_record(record)
        .with_learner(learner.clone())
        .with_evaluator(evaluator()?);
    if toolbox.server_policy().most_offered() == 0 {
        return Err(ConfigError::new(
            "the selection leaves no tool\nhint: flags narrow each other; `toolwright catalog list --served` with the same flags shows what is left",
        )
        .into());
    }
    let http = match (http, arguments.gate(&toolbox, team.as_mut()).await?) {
        (Some(http), Some(access)) => Some(http.with_access(access)),
        (http, _) => http,
    };
    let audit = arguments.audit.path();
    let http = match (http, &team) {
        (Some(http), Some(team)) => Some(team.serve(http, &arguments.team, toolbox.server_policy(), accounts, audit)),
        (http, _) => http,
    };
    let server = Server::new(toolbox);
    let server = if arguments.discover { server.with_discovery(pinned)? } else { server };
    // After the calls in flight, which keep to this server's part of vendors' limits.
    let end = CancellationToken::new();
    let following = team.map(|team| team.follow(end.clone()));
    let done = serve_until_stopped(arguments, server, http, signals, printer).await;
    end.cancel();
    if let Some(following) = following {
        let _ = following.await;
    }
    if let Some(learner) = learner {
        learner.finish();
    }
    done
}

/// Serves until a signal ends it, or over stdio until the client leaves.
async fn serve_until_stopped(
    arguments: &Arguments,
    server: Server,
    http: Option<HttpServer>,
    signals: &Signals,
    printer: &mut Printer,
) -> Result<(), CommandError> {
    let offered = server.toolbox().server_policy().most_offered();
    let of_sandbox = if arguments.sandbox.is_on() { " of the sandbox" } else { "" };
    let ready = format!("toolwright {}: {offered} tools{of_sandbox}", env!("CARGO_PKG_VERSION"));
    let stop = signals.end_by();
    signals.on_hangup({
        let toolbox = Arc::clone(server.toolbox());
        move || reopen_record(&toolbox)
    });
    // At the same time as calls in flight are finished: a token that was requested must not be lost with them.
    let settling = tokio::spawn({
        let (toolbox, stop) = (Arc::clone(server.toolbox()), stop.clone());
        async move {
            stop.cancelled().await;
            toolbox.settle_tokens().await;
        }
    });
    let done = match http {
        Some(http) => {
            printer.note(&format!("{ready} at {}", http.url()));
            for warning in [arguments.in_the_clear(&http), arguments.for_all_comers()].into_iter().flatten() {
                printer.note(&warning);
            }
            tracing::info!(tools = offered, address = %http.address(), "serving over HTTP");
            http.serve(server, stop.clone()).await.map_err(CommandError::from)
        }
        None => {
            printer.note(&format!("{ready} on stdio"));
            tracing::info!(tools = offered, "serving on stdio");
            stdio::serve(server, stop.clone()).await.map_err(CommandError::System)
        }
    };
    stop.cancel();
    let _ = settling.await;
    done
}

/// Binds the address, if there is one.
async fn bind(arguments: &Arguments) -> Result<Option<HttpServer>, ConfigError> {
    let Some(address) = &arguments.http else { return Ok(None) };
    let (origins, hosts) = (Origins::parse(&arguments.origin)?, Hosts::parse(&arguments.host)?);
    let files = arguments.tls_cert.as_deref().zip(arguments.tls_key.as_deref());
    let tls = files.map(|(certificate, key)| TlsIdentity::read(certificate, key)).transpose()?;
    let http = if arguments.access.is_empty() {
        HttpServer::bind(address).await?
    } else {
        HttpServer::bind_for_known_callers(address).await?
    };
    Ok(Some(http.with_origins(origins).with_hosts(hosts).with_tls(tls)))
}

impl Arguments {
    /// What the selection starts from. Without a list, the length of the list is no reason to hold tools back.
    fn defaults(&self) -> Defaults {
        if self.discover { Defaults::Reads } else { Defaults::CoreReads }
    }

    /// Whether callers act with accounts of the server, and not only with tokens of their own.
    fn uses_own_accounts(&self) -> bool {
        self.access.is_empty() || self.access.iter().any(|way| *way != AccessWay::VendorToken)
    }

    /// The tools over the sandbox, or over the accounts that are configured, and the state of those.
    async fn toolbox(
        &self,
        catalog: Catalog,
        mut selection: Selection,
        sandbox: Option<&Sandbox>,
        team: Option<&mut Team>,
    ) -> Result<(Toolbox, Vec<AccountState>), CommandError> {
        let mut found = match sandbox {
            Some(_) => FoundAccounts::default(),
            None => self.accounts(&catalog, &selection)?,
        };
        let states = if sandbox.is_some() { in_sandbox(&catalog) } else { found.states() };
        if let Some(team) = team {
            let vendors = states.iter().map(|account| (account.name.clone(), account.vendor.clone())).collect();
            let words = self.selection.words(&environment)?;
            team.join(&mut found.accounts, vendors, words, self.defaults()).await?;
        }
        if let Some(sandbox) = sandbox {
            let connections = sandbox_connections(sandbox, &catalog, &environment)?;
            return Ok((Toolbox::new(catalog, selection, &connections, false), states));
        }
        selection.narrow_to_vendors(found.vendors());
        let toolbox = Toolbox::new(catalog, selection, &HashMap::new(), false);
        Ok((toolbox.with_accounts(found.accounts).serving(found.serving), states))
    }

    /// The accounts that serve: the server's own, and the addresses to which callers bring tokens.
    fn accounts(&self, catalog: &Catalog, selection: &Selection) -> Result<FoundAccounts, CommandError> {
        let (wanted, unencrypted) = (selection.vendors(), self.network.unencrypted());
        let mut found = if self.uses_own_accounts() {
            self.accounts.find(&self.selection, catalog, wanted, unencrypted, self.access.is_empty())?
        } else {
            FoundAccounts::default()
        };
        if self.access.contains(&AccessWay::VendorToken) {
            let of_callers = self.accounts.for_callers(&self.selection, catalog, wanted, unencrypted)?;
            // Where the server has no account of a vendor, its tools are those that callers with tokens are offered.
            for account in &of_callers {
                found.serving.entry(account.vendor.clone()).or_insert_with(|| account.name.clone());
            }
            found.accounts.extend(of_callers);
        }
        Ok(found)
    }

    /// The gate; `None` where every program on this machine is served.
    ///
    /// # Errors
    /// No vendor takes what callers are to bring.
    async fn gate(&self, toolbox: &Toolbox, team: Option<&mut Team>) -> Result<Option<Access>, CommandError> {
        let policy = toolbox.server_policy();
        let mut modes: Vec<Arc<dyn Mode>> = Vec::new();
        if let Some(team) = team {
            // Followed in any case: by that it is known whether the store answers.
            let links = team.links(policy).await?;
            if self.access.contains(&AccessWay::Link) {
                modes.push(links);
            }
        }
        if self.access.is_empty() {
            return Ok(None);
        }
        if self.access.contains(&AccessWay::VendorToken) {
            let in_sandbox = || policy.accounts_named_as_vendors();
            let accounts = if self.sandbox.is_on() { in_sandbox() } else { toolbox.accounts_of_callers() };
            let tokens = VendorTokens::new(policy, &accounts);
            modes.push(Arc::new(
                tokens.ok_or_else(|| ConfigError::new("no vendor that is served takes tokens of callers"))?,
            ));
        }
        Ok(Some(Access::by(modes, toolbox.own_grant())))
    }

    /// What to say of an address at which tokens could be read on their way.
    fn in_the_clear(&self, http: &HttpServer) -> Option<String> {
        let is_exposed = !http.address().ip().is_loopback() && self.tls_cert.is_none();
        is_exposed.then(|| {
            "warning: callers' tokens reach this address unencrypted; use `--tls-cert` and `--tls-key`, or a proxy on this \
             machine that ends HTTPS, with `--http 127.0.0.1:PORT`"
                .to_owned()
        })
    }

    /// What to say where something passes requests on for a host of other machines, and nothing is asked of callers.
    fn for_all_comers(&self) -> Option<String> {
        let public =
            self.host.iter().find(|host| Hosts::parse(std::slice::from_ref(host)).is_ok_and(|it| it.are_public()));
        public.filter(|_| self.access.is_empty()).map(|host| {
            format!(
                "warning: every caller that reaches `{host}` acts with the credentials of this server, unless what passes requests on \
                 checks who calls; `--access` has this server check"
            )
        })
    }
}

/// The accounts of the sandbox: one of each vendor, by its name.
fn in_sandbox(catalog: &Catalog) -> Vec<AccountState> {
    let state = |id: &String| AccountState {
        name: id.clone(),
        vendor: id.clone(),
        serves: true,
        state: "the sandbox answers".to_owned(),
    };
    catalog.vendors().iter().map(|vendor| state(&vendor.id)).collect()
}

fn reopen_record(toolbox: &Toolbox) {
    if let Err(error) = toolbox.reopen_record() {
        tracing::error!("the audit log can't be opened anew: {error}; changes are refused until it can");
    }
}

/// Logs go to standard error, where MCP clients expect them; `RUST_LOG` sets the levels. rmcp's
/// warnings are off by default: they repeat faults that the client is answered, and over HTTP its errors are clients that
/// have disconnected.
fn log_to_stderr(format: LogFormat, log_messages: bool) {
    let levels = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| "warn,rmcp=error,rmcp::transport::streamable_http_server=off".into());
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(false);
    let shown = filter_fn(move |line| log_messages || holds_no_message(line));
    let log = tracing_subscriber::registry().with(levels);
    // A second call, as in tests, fails and keeps the first subscriber.
    let _ = match format {
        LogFormat::Text => log.with(lines.with_filter(shown)).try_init(),
        LogFormat::Json => log.with(lines.json().flatten_event(true).with_filter(shown)).try_init(),
    };
}

/// Whether a line of the log can hold no argument, answer or secret, whatever level is asked for: those of our own code,
/// which has none in its lines, and errors of other code, which are about connections. The protocol and HTTP libraries
/// write messages, headers and bytes at the levels below.
fn holds_no_message(line: &tracing::Metadata<'_>) -> bool {
    let is_own = line.target().split("::").next() == Some(env!("CARGO_CRATE_NAME"));
    is_own || *line.level() == tracing::Level::ERROR
}
