//! `toolwright console` → pages of the catalog for the person at this machine; `serve --console` → pages for administrators.

use std::path::Path;
use std::time::Duration;

use clap::Args;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::CommandError;
use super::logs::LogFormat;
use super::printer::Printer;
use super::selection::environment;
use super::signals::Signals;
use super::start::{evaluator, sandbox_connections};
use crate::access::oauth::RelyingParty;
use crate::call::Toolbox;
use crate::catalog::{self, Catalog};
use crate::config::{client_secret, settings_console};
use crate::console::{CALLBACK, Console, Operating, ProviderSignIn, SandboxTools};
use crate::error::ConfigError;
use crate::policy::Selection;
use crate::sandbox::Sandbox;
use crate::server::http::{Hosts, PageServer, TlsIdentity};
use toolwright_model::ConsoleSettings;

pub(super) const EXAMPLE: &str = "\
The pages show every tool, try it against the sandbox, and give flags and clients' settings to copy. The address that is
printed opens them once, for one browser.

Examples:
  toolwright console
  toolwright console --http 127.0.0.1:8090";

/// How long pages that are being read may take when the server ends.
const END_WITHIN: Duration = Duration::from_secs(2);

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Serve the pages at this address, of this machine alone; by default a free port
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    http: String,
}

pub(super) fn run(arguments: &Arguments, signals: &Signals) -> Result<(), CommandError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let served = runtime.block_on(async {
        let pages = PageServer::bind_here("--http", &arguments.http)?;
        let catalog = Catalog::compiled();
        let tools = sandbox_tools(&catalog).await?;
        let (console, path) = Console::here(catalog, tools, pages.address().port())?;
        let mut printer = Printer::new();
        printer
            .note(&format!("the console is at {}{path}\nthe address works once; Ctrl-C ends the console", pages.url()));
        pages.serve(console.router(), signals.end_by()).await;
        Ok(())
    });
    runtime.shutdown_background();
    served
}

/// The tools over a sandbox of their own, whatever the environment has.
async fn sandbox_tools(catalog: &Catalog) -> Result<SandboxTools, CommandError> {
    let sandbox = Sandbox::start(&catalog::sandbox_tables(), None).await;
    let sandbox = sandbox.map_err(|error| ConfigError::new(error.to_string()))?;
    let connections = sandbox_connections(&sandbox, catalog, &|_| None)?;
    let toolbox = Toolbox::new(catalog.clone(), Selection::everything(), &connections, false);
    Ok(SandboxTools::new(toolbox.with_evaluator(evaluator()?), sandbox))
}

/// The pages of `serve --console`, bound and not served yet.
pub(super) struct BoundPages {
    server: PageServer,
    hosts: Hosts,
    settings: Option<ConsoleSettings>,
    /// The address that people open.
    address: String,
}

impl BoundPages {
    /// Binds the address; `hosts` are those that `--host` names.
    ///
    /// # Errors
    /// The address can't be bound, or `[console]` of the settings makes no sense.
    pub(super) fn bind(
        address: &str,
        hosts: &[String],
        tls: Option<TlsIdentity>,
        config: Option<&Path>,
    ) -> Result<Self, ConfigError> {
        let settings = settings_console(config, &environment)?;
        let is_encrypted = tls.is_some();
        let server = PageServer::bind("--console", address)?.with_tls(tls);
        let public =
            settings.as_ref().and_then(|settings| settings.address.as_deref()).map(public_address).transpose()?;
        let named: Vec<String> = hosts.iter().chain(public.as_ref().map(|(_, host)| host)).cloned().collect();
        let address = match (public, hosts.first()) {
            (Some((address, _)), _) => address,
            // The certificate is for that name.
            (None, Some(host)) if is_encrypted && !host.contains(':') => {
                format!("https://{host}:{}", server.address().port())
            }
            (None, _) => server.url(),
        };
        Ok(Self { server, hosts: Hosts::parse(&named)?, settings, address })
    }

    /// The address that people open.
    pub(super) fn address(&self) -> String {
        self.address.clone()
    }

    /// Serves administrators until `stop` is cancelled.
    ///
    /// # Errors
    /// The sandbox can't be started, or the identity provider is not found.
    pub(super) async fn serve(
        self,
        operating: Operating,
        log_format: LogFormat,
        stop: CancellationToken,
    ) -> Result<ServedPages, CommandError> {
        let operating = operating.with_provider(self.provider().await?);
        let tools = sandbox_tools(operating.catalog()).await?;
        let mut printer = Printer::new();
        log_format.announce(&format!("the console is at {}", self.address), "INFO", &mut printer);
        if self.server.is_in_the_clear() {
            let warning = "warning: tokens of administrators reach the console unencrypted; use `--tls-cert` and `--tls-key`, or a \
                           proxy on this machine that ends HTTPS, with `--console 127.0.0.1:PORT`";
            log_format.announce(warning, "WARN", &mut printer);
        }
        let console = Console::for_administrators(operating, tools, self.hosts, self.server.address().port());
        Ok(ServedPages(tokio::spawn(self.server.serve(console.router(), stop))))
    }

    /// How administrators sign in at the identity provider that the settings name.
    async fn provider(&self) -> Result<Option<ProviderSignIn>, ConfigError> {
        let Some(settings) = &self.settings else { return Ok(None) };
        let sign_in = settings.sign_in().map_err(|missing| {
            ConfigError::new(format!(
                "`[console]` has no `{}`, without which nobody signs in at an identity provider\n\
                 hint: such as `issuer = \"https://id.example.com\"`, `client_id = \"toolwright\"`, \
                 `admins = {{ claim = \"groups\", values = [\"it-admins\"] }}`",
                missing.join("`, no `")
            ))
        })?;
        let Some((client, admins)) = sign_in else { return Ok(None) };
        let secret = client_secret(&client, "[console] client_secret_file")?;
        let redirect = format!("{}{CALLBACK}", self.address);
        let party = RelyingParty::discover(&client, secret, &redirect, "[console] issuer").await?;
        ProviderSignIn::new(party, admins).map(Some)
    }
}

/// Reads the console's address: as a browser has it, and its host.
fn public_address(text: &str) -> Result<(String, String), ConfigError> {
    let wrong = || {
        ConfigError::new(format!(
            "`[console] address` is `{text}`, which is no address of a console\n\
             hint: scheme, host and port alone, encrypted unless it is this machine, such as `https://console.example.com`"
        ))
    };
    let url = Url::parse(text).map_err(|_| wrong())?;
    let host = url.host_str().ok_or_else(wrong)?.to_owned();
    let is_here = Hosts::parse(std::slice::from_ref(&host)).is_ok_and(|hosts| !hosts.are_public());
    let is_encrypted = url.scheme() == "https" || url.scheme() == "http" && is_here;
    let has_more = url.path() != "/" || url.query().is_some() || url.fragment().is_some() || !url.username().is_empty();
    if has_more || !is_encrypted {
        return Err(wrong());
    }
    Ok((url.origin().ascii_serialization(), host))
}

/// Pages that are served.
pub(super) struct ServedPages(JoinHandle<()>);

impl ServedPages {
    /// Waits until the last answers are written, within a bound.
    pub(super) async fn end(self) {
        let _ = tokio::time::timeout(END_WITHIN, self.0).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_a_console_is_one_that_a_browser_opens() {
        let read = |text: &str| public_address(text).map(|(address, _)| address).map_err(|error| error.to_string());
        assert_eq!(read("https://console.example.com/"), Ok("https://console.example.com".to_owned()));
        assert_eq!(read("http://127.0.0.1:8090"), Ok("http://127.0.0.1:8090".to_owned()));
        for text in ["http://console.example.com", "console.example.com", "https://x/console", "https://u@x", "ftp://x"]
        {
            assert!(read(text).is_err_and(|error| error.contains("hint: scheme, host and port")), "{text}");
        }
    }
}
