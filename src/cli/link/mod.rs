//! `toolwright link` → links for callers in the store, from their creation to their end; a new one is printed once, with
//! what clients need to use it.

mod configurations;
mod servers;

use std::collections::BTreeMap;
use std::time::SystemTime;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::CommandError;
use super::printer::Printer;
use super::store::{StoreArguments, blocking};
use super::table::{ColumnFit, entry, fitted};
use crate::access::Narrowing;
use crate::access::links::{IssueError, IssuedLink, LinkRequest, LinkTerms, issue, narrow, read_end, time_text};
use crate::catalog::{Catalog, CatalogEntry};
use crate::error::ConfigError;
use crate::store::{Store, StoredLink};
pub(super) use servers::ServerDescription;
use servers::Servers;

const CREATE_HELP: &str = "\
The URL is a key: who has it acts with the server's account, within what the link permits. It is printed this once. With
--second-token, who has only the URL gets nothing.

Example:
  toolwright link create --name Contractor --account acme --tags itsm,support --expires 30d --second-token";

const NARROW_HELP: &str = "\
The new link permits what both permit, ends no later than LINK, and is revoked with it.

Example:
  toolwright link narrow 4f7kq2m9x1ab --name Colleague --methods read --expires 8h";

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Create a link and print its URL, with the configuration of each client
    #[command(after_help = CREATE_HELP)]
    Create(Box<NewLink>),
    /// Create a link that permits a part of what another one does
    #[command(after_help = NARROW_HELP)]
    Narrow {
        /// The id of the link to narrow, from `toolwright link list`
        link: String,
        #[command(flatten)]
        new: Box<NewLink>,
    },
    /// List the links: what they permit, when they were used last and when they end
    #[command(after_help = "Example:\n  toolwright link list --format json")]
    List {
        #[arg(long, value_enum, default_value_t)]
        format: Format,
        #[command(flatten)]
        store: StoreArguments,
    },
    /// Show one link
    #[command(after_help = "Example:\n  toolwright link show 4f7kq2m9x1ab")]
    Show {
        /// Its id, from `toolwright link list`
        link: String,
        #[arg(long, value_enum, default_value_t)]
        format: Format,
        #[command(flatten)]
        store: StoreArguments,
    },
    /// Revoke a link and all that narrow it, within a second on every server
    #[command(after_help = "Example:\n  toolwright link revoke 4f7kq2m9x1ab")]
    Revoke {
        /// Its id, from `toolwright link list`
        link: String,
        #[command(flatten)]
        store: StoreArguments,
    },
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
}

/// What a new link is to permit.
#[derive(Debug, Args)]
struct NewLink {
    /// Its name, for lists, records and logs
    #[arg(long)]
    name: String,
    /// The accounts that serve it, one of a vendor; VENDOR=NAME where no server with this store is running
    #[arg(long, value_delimiter = ',', value_name = "NAME,…")]
    account: Vec<String>,
    /// Offer tools by what a call does: read, write, destructive, all; or by verb
    #[arg(long, value_delimiter = ',', value_name = "WORD,…")]
    methods: Vec<String>,
    /// Offer tools with one of these tags
    #[arg(long, value_delimiter = ',', value_name = "TAG,…")]
    tags: Vec<String>,
    /// Offer tools whose name matches one of these
    #[arg(long, value_delimiter = ',', value_name = "GLOB,…")]
    tools: Vec<String>,
    /// Leave out tools whose name matches one of these
    #[arg(long, value_delimiter = ',', value_name = "GLOB,…")]
    exclude: Vec<String>,
    /// Accept tools with these risks, as far as the server does
    #[arg(long, value_delimiter = ',', value_name = "RISK,…")]
    allow: Vec<String>,
    /// When it ends: a time with its zone, or a span such as 8h or 30d; never without it
    #[arg(long, value_name = "TIME")]
    expires: Option<String>,
    /// Demand a second token with each request, as `Authorization: Bearer …`
    #[arg(long)]
    second_token: bool,
    /// The address of the server as clients reach it, such as https://mcp.example.com; by default what a running server
    /// states
    #[arg(long, value_name = "URL", env = "TOOLWRIGHT_URL")]
    url: Option<String>,
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    store: StoreArguments,
}

impl From<IssueError> for CommandError {
    fn from(error: IssueError) -> Self {
        match error {
            IssueError::Store(error) => error.into(),
            error => Self::Configuration(ConfigError::new(error.to_string())),
        }
    }
}

pub(super) fn run(arguments: &Arguments, printer: &mut Printer) -> Result<(), CommandError> {
    blocking(async {
        match &arguments.command {
            Command::Create(new) => create(new, None, printer).await,
            Command::Narrow { link, new } => create(new, Some(link), printer).await,
            Command::List { format, store } => list(&store.open().await?, *format, printer).await,
            Command::Show { link, format, store } => {
                let link = find(&store.open().await?, link).await?;
                match format {
                    Format::Json => Ok(printer.json(&described(&link))?),
                    Format::Text => Ok(printer.data(&shown(&link, printer.width()))?),
                }
            }
            Command::Revoke { link, store } => {
                let store = store.open().await?;
                let link = find(&store, link).await?;
                let count = store.revoke_link(&link.id, SystemTime::now()).await?;
                let others = if count > 1 { format!(", and {} that narrowed it", count - 1) } else { String::new() };
                printer.note(&match count {
                    0 => format!("`{}` was not valid any more", link.name),
                    _ => format!("revoked `{}`{others}", link.name),
                });
                Ok(())
            }
        }
    })
}

async fn find(store: &Store, id: &str) -> Result<StoredLink, CommandError> {
    let found = store.link(id).await?;
    // What is not found may be a token that was pasted, so it is not repeated.
    Ok(found
        .ok_or_else(|| ConfigError::new("there is no link with this id\nhint: `toolwright link list` shows the ids"))?)
}

async fn create(new: &NewLink, parent: Option<&str>, printer: &mut Printer) -> Result<(), CommandError> {
    let (now, catalog) = (SystemTime::now(), Catalog::compiled());
    let store = new.store.open().await?;
    let servers = Servers::read(&store, &catalog).await?;
    // Before anything is created: without an address it could not be used.
    let address = match &new.url {
        Some(url) => servers::checked_url(url)?,
        None => servers.address().ok_or_else(|| {
            ConfigError::new(
                "no server with this store is running, so the address of the link is not known\n\
                 hint: `--url https://mcp.example.com` states it, or start the server first",
            )
        })?,
    };
    let request = new.request(&servers, &catalog, now)?;
    let issued = match parent {
        Some(parent) => {
            find(&store, parent).await?;
            narrow(&store, &catalog, parent, request, now).await?
        }
        None => {
            let offers = |entry: &CatalogEntry| servers.decide(entry);
            let offers: Option<crate::access::links::Decide<'_>> = servers.are_known().then_some(&offers);
            issue(&store, &catalog, offers, request, now).await?
        }
    };
    print(&issued, &address, new.format, printer)?;
    if !servers.are_known() {
        printer.note(
            "no server with this store is running: what a server does not offer, this link does not offer there either",
        );
    }
    Ok(())
}

impl NewLink {
    fn request(&self, servers: &Servers, catalog: &Catalog, now: SystemTime) -> Result<LinkRequest, ConfigError> {
        let present = |words: &[String]| -> Vec<String> {
            words.iter().map(|word| word.trim().to_owned()).filter(|word| !word.is_empty()).collect()
        };
        let mut accounts = BTreeMap::new();
        for word in present(&self.account) {
            let (vendor, name) = servers.account(&word, catalog)?;
            if accounts.insert(vendor.clone(), name).is_some() {
                return Err(ConfigError::new(format!("`--account` names two accounts of `{vendor}`")));
            }
        }
        let expires = self.expires.as_deref().map(|text| read_end(text, now)).transpose();
        Ok(LinkRequest {
            name: self.name.clone(),
            accounts,
            narrowing: Narrowing {
                methods: present(&self.methods),
                tags: present(&self.tags),
                tools: present(&self.tools),
                exclude: present(&self.exclude),
                allow: present(&self.allow),
            },
            expires: expires.map_err(|error| ConfigError::new(format!("`--expires`: {error}")))?,
            second_token: self.second_token,
        })
    }
}

fn print(issued: &IssuedLink, address: &str, format: Format, printer: &mut Printer) -> Result<(), CommandError> {
    let url = issued.url(address);
    let second = issued.second_token.as_deref();
    if format == Format::Json {
        let mut link = described(&issued.link);
        link["url"] = json!(url);
        link["second_token"] = json!(second);
        return Ok(printer.json(&link)?);
    }
    printer.data(&shown(&issued.link, printer.width()))?;
    printer.data(&format!("{:<14}{url}", "url"))?;
    if let Some(second) = second {
        printer.data(&format!("{:<14}{second}", "second token"))?;
    }
    printer.data("")?;
    printer.data(&configurations::all(&issued.link.name, &url, second))?;
    printer.note("the URL and the second token are shown this once; the store has only their hashes");
    Ok(())
}

async fn list(store: &Store, format: Format, printer: &mut Printer) -> Result<(), CommandError> {
    let links = store.links().await?;
    if format == Format::Json {
        return Ok(printer.json(&links.iter().map(described).collect::<Vec<_>>())?);
    }
    let now = SystemTime::now();
    let columns = [
        ("id", ColumnFit::Whole),
        ("name", ColumnFit::Wrapped),
        ("state", ColumnFit::Whole),
        ("expires", ColumnFit::Whole),
        ("permits", ColumnFit::Wrapped),
        ("last used", ColumnFit::Optional),
        ("created", ColumnFit::Optional),
    ];
    let row = |link: StoredLink| {
        let permits = permits(&link);
        let state = link.state(now).to_owned();
        let expires = link.expires.map_or_else(|| "never".to_owned(), time_text);
        let used = link.used.map_or_else(|| "never".to_owned(), time_text);
        [link.id, link.name, state, expires, permits, used, time_text(link.created)]
    };
    let rows: Vec<[String; 7]> = links.into_iter().map(row).collect();
    Ok(printer.data(&fitted(&columns, &rows, printer.width()))?)
}

/// What a link permits, in a line.
fn permits(link: &StoredLink) -> String {
    let terms = LinkTerms::read(&link.terms).unwrap_or_default();
    let mut parts: Vec<String> = terms.accounts.into_values().collect();
    for narrowing in &terms.narrowings {
        for (word, list) in words(narrowing) {
            parts.push(format!("{word} {}", list.join(",")));
        }
    }
    if link.second_token.is_some() {
        parts.push("second token".to_owned());
    }
    parts.join("; ")
}

fn words(narrowing: &Narrowing) -> impl Iterator<Item = (&'static str, &Vec<String>)> {
    let Narrowing { methods, tags, tools, exclude, allow } = narrowing;
    let all = [("methods", methods), ("tags", tags), ("tools", tools), ("exclude", exclude), ("allow", allow)];
    all.into_iter().filter(|(_, list)| !list.is_empty())
}

fn shown(link: &StoredLink, width: usize) -> String {
    let never = || "never".to_owned();
    let mut lines = vec![
        ("id", link.id.clone()),
        ("name", link.name.clone()),
        ("state", link.state(SystemTime::now()).to_owned()),
        ("permits", permits(link)),
        ("created", time_text(link.created)),
        ("expires", link.expires.map_or_else(never, time_text)),
        ("last used", link.used.map_or_else(never, time_text)),
    ];
    lines.extend(link.parent.clone().map(|parent| ("narrows", parent)));
    lines.iter().map(|(label, text)| entry(label, text, 14, width)).collect::<Vec<_>>().join("\n")
}

fn described(link: &StoredLink) -> Value {
    let terms = LinkTerms::read(&link.terms).unwrap_or_default();
    json!({
        "id": link.id,
        "name": link.name,
        "state": link.state(SystemTime::now()),
        "accounts": terms.accounts,
        "narrowings": terms.narrowings,
        "parent": link.parent,
        "requires_second_token": link.second_token.is_some(),
        "created_at": time_text(link.created),
        "expires_at": link.expires.map(time_text),
        "last_used_at": link.used.map(time_text),
    })
}
