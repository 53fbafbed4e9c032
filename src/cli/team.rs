//! `--store`, `--store-key`, `--admin-api`, `--console`, `--access link` and `--access oauth` → what a server of a team has beside its
//! tools: links, administrators, people's sign-ins at vendors, and a part of vendors' limits where several servers share a store.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use clap::Args;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::CommandError;
use super::link::ServerDescription;
use super::store::{StoreArguments, StoreKeyArguments};
use crate::access::ServerPolicy;
use crate::access::links::Links;
use crate::call::Toolbox;
use crate::config::{Account, SignIns};
use crate::console::{self, Operating, SignInPlace};
use crate::error::ConfigError;
use crate::policy::{Defaults, SelectionWords};
use crate::server::http::admin::{AccountState, Admin};
use crate::server::http::{HttpServer, NarrowerLinks};
use crate::store::{Member, SharedRefreshTokens, Store, StoreAddress, VendorSignIns};
use crate::upstream::{PaceShare, RefreshTokenChains};

/// `--store`, `--store-key`, `--admin-api`, `--console`
#[derive(Debug, Clone, Default, Args)]
pub(super) struct TeamArguments {
    #[command(flatten)]
    store: StoreArguments,
    #[command(flatten)]
    store_key: StoreKeyArguments,
    /// Serve administrators under /api/v1, with tokens from `toolwright admin token create`
    #[arg(long, requires = "http")]
    admin_api: bool,
    /// Serve administrators pages at http://ADDR, apart from MCP: accounts, links, the record, calls, and every tool. They sign
    /// in with tokens from `toolwright admin token create`
    #[arg(long, value_name = "ADDR", requires = "http")]
    console: Option<String>,
}

/// A server's part in what a store has.
pub(super) struct Team {
    store: Store,
    /// Where clients reach the server.
    address: String,
    /// Where it listens.
    listens: SocketAddr,
    share: PaceShare,
    chains: Option<Arc<dyn RefreshTokenChains>>,
    member: Option<Arc<Member>>,
    links: Option<Arc<Links>>,
    sign_ins: Option<TeamSignIns>,
}

/// People's sign-ins at vendors: where they are kept, and the accounts that act by them.
struct TeamSignIns {
    kept: VendorSignIns,
    apps: Arc<SignIns>,
}

impl TeamArguments {
    /// Where a store is, whether it is open or not.
    pub(super) fn address(&self) -> Result<StoreAddress, ConfigError> {
        self.store.address()
    }

    /// Where the pages for administrators are.
    pub(super) fn console(&self) -> Option<&str> {
        self.console.as_deref()
    }

    /// Opens the store, where anything needs one; `hosts` are those that `--host` names.
    pub(super) async fn open(
        &self,
        has_links: bool,
        http: Option<&HttpServer>,
        hosts: &[String],
    ) -> Result<Option<Team>, CommandError> {
        let is_needed =
            has_links || self.admin_api || self.console.is_some() || self.store.is_given() || self.store_key.is_given();
        // Over stdio a store is for approvals only, and opened when one is needed.
        let Some(http) = http.filter(|_| is_needed) else { return Ok(None) };
        // A key that can't be read is reported before anything is made.
        let key = self.store_key.read()?;
        let store = self.store.open().await?;
        store.serve_alone()?;
        // A file is served by this server alone: the whole of every limit is its own.
        let (share, chains) = if store.is_shared() {
            let chains: Arc<dyn RefreshTokenChains> = Arc::new(SharedRefreshTokens::new(store.clone())?);
            (PaceShare::leased(), Some(chains))
        } else {
            (PaceShare::default(), None)
        };
        let kept = StoreKeyArguments::sign_ins(key, &store).await?;
        let sign_ins = kept.map(|kept| TeamSignIns { apps: Arc::new(SignIns::new(Arc::new(kept.clone()))), kept });
        let (address, listens) = (address(http, hosts), http.address());
        Ok(Some(Team { store, listens, address, share, chains, member: None, links: None, sign_ins }))
    }
}

impl Team {
    /// The store, opened.
    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    /// The accounts that act by people's sign-ins at vendors, where there is a key for those.
    pub(super) fn sign_ins(&self) -> Option<&Arc<SignIns>> {
        self.sign_ins.as_ref().map(|sign_ins| &sign_ins.apps)
    }

    /// Where administrators sign in at vendors, for a console at this address.
    pub(super) fn sign_in_place(&self, console: &str, in_sandbox: bool) -> SignInPlace {
        match &self.sign_ins {
            _ if in_sandbox => SignInPlace::Sandbox,
            None => SignInPlace::NoKey,
            Some(TeamSignIns { kept, apps }) => {
                SignInPlace::Here(Box::new(console::VendorSignIns::new(Arc::clone(apps), kept.clone(), console)))
            }
        }
    }

    /// Takes part among the servers of the store, with these accounts and this selection. From then on the accounts keep
    /// to this server's part of their vendors' limits.
    pub(super) async fn join(
        &mut self,
        accounts: &mut [Account],
        vendors: BTreeMap<String, String>,
        words: SelectionWords,
        defaults: Defaults,
    ) -> Result<(), CommandError> {
        let description = ServerDescription::new(self.address.clone(), vendors, words, defaults).text();
        let member = Member::join(self.store.clone(), self.id(), description, self.share.clone()).await?;
        self.member = Some(Arc::new(member));
        accounts.iter_mut().for_each(self.adjust());
        Ok(())
    }

    /// What makes an account keep to this server's part of its vendor's limits.
    pub(super) fn adjust(&self) -> impl Fn(&mut Account) + Send + Sync + 'static {
        let (share, chains) = (self.share.clone(), self.chains.clone());
        move |account| {
            let (share, chains) = (share.clone(), chains.clone());
            account.adjust(move |connection| {
                connection.rate_limits.share = share.clone();
                if let Some(chains) = &chains {
                    connection.credentials.share(chains);
                }
            });
        }
    }

    /// What no other server has at the same time: two can't listen on one address of one host.
    fn id(&self) -> String {
        #[cfg(unix)]
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        #[cfg(not(unix))]
        let host = std::env::var("COMPUTERNAME").unwrap_or_default();
        format!("{host} {}", self.listens)
    }

    /// Reads the links, for a server with this policy.
    pub(super) async fn links(&mut self, policy: &ServerPolicy) -> Result<Arc<Links>, CommandError> {
        let links = Arc::new(Links::open(self.store.clone(), policy.clone(), SystemTime::now).await?);
        self.links = Some(Arc::clone(&links));
        Ok(links)
    }

    /// Has an HTTP server be ready only with the store, and serve administrators if that is asked for.
    pub(super) fn serve(
        &self,
        http: HttpServer,
        arguments: &TeamArguments,
        policy: &ServerPolicy,
        accounts: Vec<AccountState>,
        audit: Option<String>,
    ) -> HttpServer {
        let http = http.with_store(self.store.clone());
        let http = match &self.links {
            Some(_) => {
                let (store, address) = (self.store.clone(), self.address.clone());
                http.with_narrower_links(NarrowerLinks::new(store, policy.clone(), address, SystemTime::now))
            }
            None => http,
        };
        if !arguments.admin_api {
            return http;
        }
        http.with_admin(Admin::new(self.store.clone(), policy.clone(), accounts, self.address.clone(), audit))
    }

    /// What the pages for administrators are made of.
    pub(super) fn operating(
        &self,
        toolbox: Arc<Toolbox>,
        accounts: Vec<AccountState>,
        audit: Option<String>,
    ) -> Operating {
        Operating::new(self.store.clone(), toolbox, accounts, self.address.clone(), audit.map(PathBuf::from))
    }

    /// Follows the store until `end` is cancelled, and leaves it then.
    pub(super) fn follow(self, end: CancellationToken) -> JoinHandle<()> {
        tokio::spawn(async move {
            let following = async {
                if let Some(links) = &self.links {
                    links.follow(&end).await;
                }
            };
            let keeping = async {
                if let Some(member) = &self.member {
                    member.keep(&end).await;
                    member.leave().await;
                }
            };
            let signing_in = async {
                if let Some(sign_ins) = &self.sign_ins {
                    sign_ins.kept.follow(&end).await;
                }
            };
            tokio::join!(following, keeping, signing_in);
            self.store.close().await;
        })
    }
}

/// Where clients reach a server: a host that was named is reached over HTTPS, by a proxy or by this server.
pub(super) fn address(http: &HttpServer, hosts: &[String]) -> String {
    let own = http.url();
    let own = own.strip_suffix("/mcp").unwrap_or(&own).to_owned();
    match hosts.first() {
        Some(host) if !host.contains(':') && own.starts_with("https:") && http.address().port() != 443 => {
            format!("https://{host}:{}", http.address().port())
        }
        Some(host) => format!("https://{host}"),
        None => own,
    }
}
