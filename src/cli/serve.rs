//! `toolwright serve`: flags and environment → an MCP server on stdio or over HTTP.

mod arguments;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::CommandError;
use super::accounts::{self, FoundAccounts};
use super::console::BoundPages;
use super::help_desks;
use super::logs::{self, LogFormat};
use super::oauth::ServedOauth;
use super::printer::Printer;
use super::reload::{self, Reload};
use super::selection::environment;
use super::signals::Signals;
use super::start::{evaluator, sandbox_connections};
use super::team::Team;
use crate::access::links::Links;
use crate::access::{Access, Mode, VendorTokens};
use crate::approval::{Approvals, HelpDesks};
use crate::call::Toolbox;
use crate::catalog::Catalog;
use crate::config::{Account, SignIns};
use crate::error::ConfigError;
use crate::policy::{Defaults, Selection};
use crate::sandbox::Sandbox;
use crate::server::http::admin::AccountState;
use crate::server::http::{Hosts, HttpServer, Origins, TlsIdentity};
use crate::server::{Server, stdio};
use crate::upstream::Unencrypted;

use arguments::AccessWay;
pub(super) use arguments::Arguments;

pub(super) const EXAMPLE: &str = "\
Examples:
  toolwright serve --sandbox
  toolwright serve --vendor jitbit --methods read,write --http 127.0.0.1:8080";

pub(super) fn run(arguments: &Arguments, signals: &Signals) -> Result<(), CommandError> {
    let served = serve_within_runtime(arguments, signals);
    match (arguments.log_format, served) {
        // What reads the log reads this line too.
        (LogFormat::Json, Err(error)) if error.is_printed_at_the_end() => {
            arguments.log_format.announce(&error.to_string(), "ERROR", &mut Printer::new());
            Err(CommandError::Printed(error.code()))
        }
        (_, served) => served,
    }
}

fn serve_within_runtime(arguments: &Arguments, signals: &Signals) -> Result<(), CommandError> {
    // A single thread starts fastest, needs the least memory and has the lowest latency: vendors
    // limit calls to hundreds a minute, one thread serves thousands a second (benches/README.md).
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let served = runtime.block_on(async {
        let traces = logs::start(arguments.log_format, arguments.log_messages)?;
        let served = Box::pin(serve(arguments, signals, &mut Printer::new())).await;
        traces.end().await;
        served
    });
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
    let pages = arguments.bind_pages()?;
    let catalog = arguments.names.catalog();
    let selection = arguments.selection.resolve(arguments.defaults(), &catalog, &environment)?;
    let pinned = arguments.selection.pinned(&catalog, &environment)?;
    let record = arguments.audit.open(arguments.selection.profile())?;
    let learner = arguments.learn.open()?;
    let sandbox = arguments.sandbox.start().await?;
    let mut team = arguments.team.open(arguments.uses_links(), http.as_ref(), &arguments.host).await?;
    let reload = arguments.reload(&catalog, team.as_ref())?;
    let (toolbox, accounts) =
        arguments.toolbox(catalog, selection, sandbox.as_ref(), team.as_mut(), pages.as_ref()).await?;
    let toolbox = toolbox
        .with_retry_policy(arguments.retry.policy())
        .with_most_items(arguments.workflow.most_items())
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
    // Followed in any case: by that it is known whether the store answers.
    let links = match team.as_mut() {
        Some(team) => Some(team.links(toolbox.server_policy()).await?),
        None => None,
    };
    let mut oauth = arguments.oauth(http.as_ref(), &toolbox, &accounts, links.as_ref()).await?;
    let reload = reload.with_grants(oauth.as_mut().and_then(ServedOauth::take_reload));
    let http = match (http, &oauth) {
        (Some(http), Some(oauth)) => Some(oauth.describe(http)),
        (http, _) => http,
    };
    let http = match (http, arguments.gate(&toolbox, links, oauth)?) {
        (Some(http), Some(access)) => Some(http.with_access(access)),
        (http, _) => http,
    };
    let audit = arguments.audit.path();
    let http = match (http, &team) {
        (Some(http), Some(team)) => {
            let (accounts, audit) = (accounts.clone(), audit.clone());
            Some(team.serve(http, &arguments.team, toolbox.server_policy(), accounts, audit))
        }
        (http, _) => http,
    };
    let server = Server::new(toolbox);
    let server = if arguments.discover { server.with_discovery(pinned)? } else { server };
    let pages = match (pages, &team) {
        (Some(pages), Some(team)) => {
            let place = team.sign_in_place(&pages.address(), arguments.sandbox.is_on());
            let operating = team.operating(Arc::clone(server.toolbox()), accounts, audit).with_sign_ins(place);
            Some(pages.serve(operating, arguments.log_format, signals.end_by()).await?)
        }
        _ => None,
    };
    // After the calls in flight, which keep to this server's part of vendors' limits.
    let end = CancellationToken::new();
    let tickets_end = CancellationToken::new();
    let tickets = help_desks::follow(server.toolbox(), tickets_end.clone());
    let following = team.map(|team| team.follow(end.clone()));
    reload::on_hangup(arguments.log_format, &server, reload, signals);
    let done = Box::pin(serve_until_stopped(arguments, server, http, signals, printer)).await;
    if let Some(pages) = pages {
        pages.end().await;
    }
    // Before the store is closed: what was raised has to be in it.
    tickets_end.cancel();
    let _ = tickets.await;
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
            arguments.log_format.announce(&format!("{ready} at {}", http.url()), "INFO", printer);
            for warning in [arguments.in_the_clear(&http), arguments.for_all_comers()].into_iter().flatten() {
                arguments.log_format.announce(&warning, "WARN", printer);
            }
            tracing::info!(tools = offered, address = %http.address(), "serving over HTTP");
            http.serve(server, stop.clone()).await.map_err(CommandError::from)
        }
        None => {
            arguments.log_format.announce(&format!("{ready} on stdio"), "INFO", printer);
            tracing::info!(tools = offered, "serving on stdio");
            Box::pin(stdio::serve(server, stop.clone())).await.map_err(CommandError::System)
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
    let tls = arguments.tls()?;
    let http = if arguments.access.is_empty() {
        HttpServer::bind(address).await?
    } else {
        HttpServer::bind_for_known_callers(address).await?
    };
    Ok(Some(http.with_origins(origins).with_hosts(hosts).with_tls(tls)))
}

/// What a client's `toolwright serve` is going to have.
pub(super) struct ForClient {
    /// The vendors that an account serves; none in the sandbox but those that were named.
    pub(super) vendors: BTreeSet<String>,
    pub(super) in_sandbox: bool,
    pub(super) unencrypted: Unencrypted,
}

impl Arguments {
    /// Checks that a client can start a server with these flags.
    ///
    /// # Errors
    /// The server would end at once: without credentials, by a wrong flag, or by one that is for HTTP.
    pub(super) fn for_a_client(&self, catalog: &Catalog) -> Result<ForClient, CommandError> {
        if self.http.is_some() {
            return Err(ConfigError::new(
                "`--http` among the flags of `serve` starts a server that clients connect to\n\
                 hint: start it yourself, and give `toolwright install` its address",
            )
            .into());
        }
        let selection = self.selection.resolve(self.defaults(), catalog, &environment)?;
        let (wanted, unencrypted) = (selection.vendors(), self.network.unencrypted());
        let in_sandbox = self.sandbox.is_on();
        let vendors = if in_sandbox {
            self.accounts.refuse_in_sandbox()?;
            wanted.cloned().unwrap_or_default()
        } else {
            self.accounts.find(&self.selection, catalog, wanted, unencrypted, true, None)?.vendors()
        };
        Ok(ForClient { vendors, in_sandbox, unencrypted })
    }

    /// The certificate of HTTPS and its key.
    fn tls(&self) -> Result<Option<TlsIdentity>, ConfigError> {
        let files = self.tls_cert.as_deref().zip(self.tls_key.as_deref());
        files.map(|(certificate, key)| TlsIdentity::read(certificate, key)).transpose()
    }

    /// Binds the address of the pages for administrators, if there is one.
    fn bind_pages(&self) -> Result<Option<BoundPages>, ConfigError> {
        let Some(address) = self.team.console() else { return Ok(None) };
        BoundPages::bind(address, &self.host, self.tls()?, self.selection.config()).map(Some)
    }

    /// What the selection starts from. Without a list, the length of the list is no reason to hold tools back.
    fn defaults(&self) -> Defaults {
        if self.discover { Defaults::Reads } else { Defaults::CoreReads }
    }

    /// Whether callers come by links, or authorize clients with them.
    fn uses_links(&self) -> bool {
        let issues_tokens = self.access.contains(&AccessWay::Oauth) && !self.oauth.has_issuer();
        issues_tokens || self.access.contains(&AccessWay::Link)
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
        mut team: Option<&mut Team>,
        pages: Option<&BoundPages>,
    ) -> Result<(Toolbox, Vec<AccountState>), CommandError> {
        let sign_ins = team.as_deref().and_then(Team::sign_ins).cloned();
        let sign_ins = sign_ins.as_deref();
        let mut found = match sandbox {
            Some(_) => FoundAccounts::default(),
            None => self.accounts(&catalog, &selection, sign_ins)?,
        };
        let states = if sandbox.is_some() { accounts::in_sandbox(&catalog) } else { found.states() };
        let desks = match sandbox {
            Some(_) => HelpDesks::default(),
            None => help_desks::read(&self.selection, &catalog, self.network.unencrypted(), &mut found, sign_ins)?,
        };
        let approvals = Some(self.approvals(team.as_deref(), pages, desks)?);
        if let Some(team) = &mut team {
            let vendors = states.iter().map(|account| (account.name.clone(), account.vendor.clone())).collect();
            let words = self.selection.words(&environment)?;
            team.join(&mut found.accounts, vendors, words, self.defaults()).await?;
        }
        if let Some(sandbox) = sandbox {
            let connections = sandbox_connections(sandbox, &catalog, &environment)?;
            return Ok((Toolbox::new(catalog, selection, &connections, false).with_approvals(approvals), states));
        }
        selection.narrow_to_vendors(found.vendors());
        let toolbox = Toolbox::new(catalog, selection, &HashMap::new(), false);
        Ok((toolbox.with_accounts(found.accounts).serving(found.serving).with_approvals(approvals), states))
    }

    /// Who approves what, and where that is kept: in the store of a team's server, else in one that is opened when it is needed.
    fn approvals(
        &self,
        team: Option<&Team>,
        pages: Option<&BoundPages>,
        desks: HelpDesks,
    ) -> Result<Arc<Approvals>, ConfigError> {
        let words = self.selection.confirmed(&environment)?;
        let confirm = self.approval.confirm(words, self.http.is_some())?;
        let approvals = match team {
            Some(team) => Approvals::in_store(confirm, team.store().clone()),
            None => Approvals::at(confirm, self.team.address().map_err(|error| error.to_string())),
        };
        let approvals = approvals.with_console(pages.map(BoundPages::address)).with_help_desks(desks);
        Ok(Arc::new(self.approval.apply(approvals, &environment)?))
    }

    /// How the settings are read again.
    fn reload(&self, catalog: &Catalog, team: Option<&Team>) -> Result<Reload, ConfigError> {
        let adjust = team.map(|team| Box::new(team.adjust()) as Box<dyn Fn(&mut Account) + Send + Sync>);
        let sign_ins = team.and_then(Team::sign_ins).cloned();
        Reload::new(&self.selection, self.network.unencrypted(), adjust, sign_ins, catalog, self.sandbox.is_on())
    }

    /// The accounts that serve: the server's own, and the addresses to which callers bring tokens.
    fn accounts(
        &self,
        catalog: &Catalog,
        selection: &Selection,
        sign_ins: Option<&SignIns>,
    ) -> Result<FoundAccounts, CommandError> {
        let (wanted, unencrypted) = (selection.vendors(), self.network.unencrypted());
        let mut found = if self.uses_own_accounts() {
            self.accounts.find(&self.selection, catalog, wanted, unencrypted, self.access.is_empty(), sign_ins)?
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
    fn gate(
        &self,
        toolbox: &Toolbox,
        links: Option<Arc<Links>>,
        oauth: Option<ServedOauth>,
    ) -> Result<Option<Access>, CommandError> {
        if self.access.is_empty() {
            return Ok(None);
        }
        let policy = toolbox.server_policy();
        let mut modes: Vec<Arc<dyn Mode>> = Vec::new();
        if let Some(links) = links.filter(|_| self.access.contains(&AccessWay::Link)) {
            modes.push(links);
        }
        // Before the tokens of vendors: it leaves to them what is not its own.
        modes.extend(oauth.map(ServedOauth::into_mode));
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

    /// How access tokens are taken; `None` where they are not.
    async fn oauth(
        &self,
        http: Option<&HttpServer>,
        toolbox: &Toolbox,
        accounts: &[AccountState],
        links: Option<&Arc<Links>>,
    ) -> Result<Option<ServedOauth>, CommandError> {
        let is_asked_for = self.access.contains(&AccessWay::Oauth);
        self.oauth.refuse_without(is_asked_for)?;
        let Some(http) = http.filter(|_| is_asked_for) else { return Ok(None) };
        if http.address().ip().is_unspecified() && self.host.is_empty() {
            return Err(ConfigError::new(
                "`--access oauth` on every address of this machine needs `--host`: tokens are for the one that clients connect to\n\
                 hint: such as `--host mcp.example.com`",
            )
            .into());
        }
        let is_alone = !self.access.contains(&AccessWay::VendorToken);
        let origin = super::team::address(http, &self.host);
        let (policy, config) = (toolbox.server_policy(), self.selection.config());
        self.oauth.open(&origin, config, policy, accounts, links, is_alone).await.map(Some)
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
