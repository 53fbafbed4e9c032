//! `toolwright doctor`: configuration → per vendor the address, the credentials, who we are and for which
//! tenant we act. One login per vendor and never a second: vendors lock addresses after a few wrong ones.

mod further;
mod scopes;
mod tenants;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use clap::Args;
use serde_json::{Map, Value};

use super::CommandError;
use super::accounts::{AccountArguments, FoundAccounts};
use super::printer::Printer;
use super::selection::{SelectionArguments, environment};
use super::signals::Signals;
use super::start::NetworkArguments;
use super::store::{StoreArguments, StoreKeyArguments};
use super::table;
use crate::call::{CallResult, Caller, Toolbox};
use crate::catalog::{Catalog, CatalogEntry};
use crate::config::{Account, ConnectionConfig, SignIns};
use crate::error::{Audience, ConfigError};
use crate::mcp_result;
use crate::policy::{Defaults, Selection, SelectionWords};
use toolwright_model::{ALL, DETAIL, FULL, Vendor};

/// The width of the labels.
const INDENT: usize = 15;

pub(super) const EXAMPLE: &str = "Example:\n  toolwright doctor --vendor jitbit";

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    accounts: AccountArguments,
    #[command(flatten)]
    network: NetworkArguments,
    #[command(flatten)]
    store: StoreArguments,
    #[command(flatten)]
    store_key: StoreKeyArguments,
    #[command(flatten)]
    selection: SelectionArguments,
}

pub(super) fn run(arguments: &Arguments, signals: &Signals) -> Result<(), CommandError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let checked = runtime.block_on(check(arguments, signals, &mut Printer::new()));
    // A name that is still being resolved must not delay the exit.
    runtime.shutdown_background();
    checked
}

/// Checks one account of toolwright.toml, as `setup` does at its end.
pub(super) fn check_one(account: &str, signals: &Signals) -> Result<(), CommandError> {
    let accounts = AccountArguments::named_alone(account);
    let arguments = Arguments {
        accounts,
        network: NetworkArguments::default(),
        store: StoreArguments::default(),
        store_key: StoreKeyArguments::default(),
        selection: SelectionArguments::default(),
    };
    run(&arguments, signals)
}

impl Arguments {
    /// People's sign-ins at vendors, as a server with this store and key has them.
    async fn sign_ins(&self) -> Result<Option<SignIns>, CommandError> {
        if !self.store_key.is_given() {
            return Ok(None);
        }
        let key = self.store_key.read()?;
        let kept = StoreKeyArguments::sign_ins(key, &self.store.open().await?).await?;
        Ok(kept.map(|kept| SignIns::new(Arc::new(kept))))
    }
}

async fn check(arguments: &Arguments, signals: &Signals, printer: &mut Printer) -> Result<(), CommandError> {
    let catalog = Catalog::compiled();
    // As `serve` resolves the same flags: its tools are what the figures and scopes are about.
    let selection = arguments.selection.resolve(Defaults::CoreReads, &catalog, &environment)?;
    let unencrypted = arguments.network.unencrypted();
    let (wanted, settings) = (selection.vendors(), &arguments.selection);
    let sign_ins = arguments.sign_ins().await?;
    let sign_ins = sign_ins.as_ref();
    let mut found = arguments.accounts.look(settings, &catalog, wanted, unencrypted, true, sign_ins)?;
    let nothing = found.accounts.is_empty() && found.wrong.is_empty();
    let is_missing = |id: &String| !found.vendors().contains(id) && !found.wrong.keys().any(|(vendor, _)| vendor == id);
    if nothing || wanted.is_some_and(|wanted| wanted.iter().any(is_missing)) {
        // Fails, with the variables to set.
        arguments.accounts.find(settings, &catalog, wanted, unencrypted, false, sign_ins)?;
    }
    // The check only reads, so the flags need not select its tool.
    let reads = Selection::resolve(&SelectionWords::default(), Defaults::Reads, &catalog)?;
    let accounts: Vec<CheckedAccount> = found.accounts.iter().map(CheckedAccount::of).collect();
    let toolbox = Toolbox::new(catalog.clone(), reads, &HashMap::new(), false);
    let toolbox = toolbox.with_accounts(std::mem::take(&mut found.accounts));
    let stop = signals.end_by();
    let checked = tokio::select! {
        checked = check_vendors(&toolbox, &selection, &accounts, &found, printer) => checked,
        () = stop.cancelled() => Err(CommandError::Check),
    };
    toolbox.settle_tokens().await;
    match (found.wrong.is_empty(), checked?) {
        (false, _) => Err(ConfigError::new("not every vendor can be used as it is configured").into()),
        (true, true) => Ok(()),
        (true, false) => Err(CommandError::Check),
    }
}

/// An account that is checked.
struct CheckedAccount {
    name: String,
    vendor: String,
    connection: ConnectionConfig,
}

impl CheckedAccount {
    fn of(account: &Account) -> Self {
        Self { name: account.name.clone(), vendor: account.vendor.clone(), connection: account.connection.clone() }
    }

    /// A person who calls with this account alone.
    fn caller(&self, toolbox: &Toolbox) -> Caller {
        let accounts = [(self.vendor.clone(), self.name.clone())].into();
        let grant = Arc::new(toolbox.server_policy().whole(&self.name, accounts));
        Caller { grant: Some(grant), client: Some("toolwright doctor".to_owned()), ..Caller::default() }
    }
}

/// Prints each vendor with its accounts or what is wrong with those; returns whether every login succeeded.
async fn check_vendors(
    toolbox: &Toolbox,
    selection: &Selection,
    accounts: &[CheckedAccount],
    found: &FoundAccounts,
    printer: &mut Printer,
) -> Result<bool, CommandError> {
    let catalog = toolbox.catalog();
    let mut fine = true;
    for vendor in catalog.vendors() {
        let of_vendor = || catalog.entries().iter().filter(|entry| entry.vendor == vendor.id);
        let accounts: Vec<&CheckedAccount> = accounts.iter().filter(|account| account.vendor == vendor.id).collect();
        let wrong: Vec<(&String, &ConfigError)> = found
            .wrong
            .iter()
            .filter(|((of, _), _)| *of == vendor.id)
            .map(|((_, name), error)| (name, error))
            .collect();
        if accounts.is_empty() && wrong.is_empty() {
            if selection.vendors().is_none() {
                printer.data(&format!("{}: not configured", vendor.title))?;
            }
            continue;
        }
        let served: Vec<&CatalogEntry> = of_vendor().filter(|entry| selection.decide(entry).is_ok()).collect();
        let (title, count) = (&vendor.title, of_vendor().count());
        let offers = format!("{title}: `serve` with the same flags offers {} of {count} tools", served.len());
        printer.data(if accounts.is_empty() { title } else { &offers })?;
        for (name, error) in wrong {
            let text = error.to_string();
            let text = text.strip_prefix(&format!("{}: ", vendor.title)).unwrap_or(&text);
            print_name(name, vendor, printer)?;
            printer.data(&field("not usable", text, printer.width()))?;
        }
        for account in accounts {
            print_name(&account.name, vendor, printer)?;
            fine &= report(toolbox, vendor, account, &served, printer).await?;
        }
    }
    Ok(fine)
}

/// Prints the name of an account, but for that of the environment.
fn print_name(name: &str, vendor: &Vendor, printer: &mut Printer) -> Result<(), CommandError> {
    if name != vendor.id {
        printer.data(&field("account", name, printer.width()))?;
    }
    Ok(())
}

/// Prints an account, its login and its scopes; returns whether the login succeeded.
async fn report(
    toolbox: &Toolbox,
    vendor: &Vendor,
    account: &CheckedAccount,
    served: &[&CatalogEntry],
    printer: &mut Printer,
) -> Result<bool, CommandError> {
    let width = printer.width();
    let connection = &account.connection;
    printer.data(&described(connection, width))?;
    let login = login(toolbox, vendor, account).await;
    let result = match &login {
        Ok(identity) => format!("ok: {identity}"),
        Err(reason) => format!("failed: {reason}"),
    };
    printer.data(&field("login", &result, width))?;
    if let (Ok(_), Some(check)) = (&login, &vendor.check) {
        let caller = account.caller(toolbox);
        for checked in further::check(toolbox, &caller, check).await {
            printer.data(&field(&checked.title, &checked.result, width))?;
        }
    }
    if login.is_ok() {
        let caller = account.caller(toolbox);
        // Where there is nothing to choose, the login is the only request.
        for one in connection.settings.iter().filter(|one| one.allowed.len() > 1) {
            if let Some(text) = tenants::text(toolbox, &caller, one).await {
                printer.data(&field("reaches", &text, width))?;
            }
        }
    }
    // The login has requested the token whose scopes are compared here.
    if let Some(text) = scopes::text(toolbox.catalog(), served, connection.credentials.scopes().as_deref()) {
        printer.data(&field("scopes", &text, width))?;
    }
    Ok(login.is_ok())
}

fn field(label: &str, text: &str, width: usize) -> String {
    table::entry(&format!("  {label:<12} "), text, INDENT, width)
}

/// Each root once, with its APIs where there are several.
fn addresses(connection: &ConnectionConfig) -> String {
    let mut roots: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (api, root) in &connection.roots {
        roots.entry(root.as_str()).or_default().push(api);
    }
    if roots.len() < 2 {
        return connection.base.to_string();
    }
    let roots: Vec<String> = roots.iter().map(|(root, apis)| format!("{root} for {}", apis.join(", "))).collect();
    roots.join("\n")
}

/// The address, the credentials and the settings of a connection, without secrets.
fn described(connection: &ConnectionConfig, width: usize) -> String {
    let address = format!("{} (from {})", addresses(connection), connection.address_source);
    let mut lines =
        vec![field("address", &address, width), field("credentials", &connection.credentials_source, width)];
    if !connection.tls_source.is_empty() {
        lines.push(field("certificates", &connection.tls_source, width));
    }
    for one in &connection.settings {
        let setting = &one.setting;
        let value = one.value.as_deref().map_or_else(
            || format!("none: `{}` is not set", setting.variable),
            |value| format!("{value} (from {})", setting.variable),
        );
        let others = match (&setting.query, one.allowed.len()) {
            (Some(query), 2..) => format!("; over HTTP, `{query}` chooses among {}", one.allowed.len()),
            _ => String::new(),
        };
        lines.push(field(&setting.title, &format!("{value}{others}"), width));
    }
    lines.join("\n")
}

/// Calls the vendor's check once; returns who we are.
async fn login(toolbox: &Toolbox, vendor: &Vendor, account: &CheckedAccount) -> Result<String, String> {
    let Some(check) = &vendor.check else { return Ok("this vendor names no check; nothing was called".to_owned()) };
    let answer = call(toolbox, &account.caller(toolbox), &check.operation, Map::new()).await?;
    let Ok(body) = serde_json::from_slice::<Value>(&answer) else {
        return Err(format!(
            "the answer is no JSON: `{}` may be a website or a login page\nhint: {} should lead to the product itself",
            account.connection.base, account.connection.address_source
        ));
    };
    let identity = check.identity.iter().filter_map(|pointer| body.pointer(pointer)?.as_str());
    let identity = identity.map(str::trim).find(|text| !text.is_empty());
    Ok(identity.map_or_else(|| "the answer names no user".to_owned(), |name| format!("you are {name}")))
}

/// Returns the tool of an operation.
fn tool_of<'a>(toolbox: &'a Toolbox, operation: &str) -> Result<&'a CatalogEntry, String> {
    let calls_it = |entry: &&CatalogEntry| matches!(entry.tool.calls.as_slice(), [call] if call.operation == operation);
    let tool = toolbox.catalog().entries().iter().find(calls_it);
    tool.ok_or_else(|| "the vendor's check is no tool; this is a fault of toolwright".to_owned())
}

/// Calls the tool of an operation for all pages, if it has pages, and for whole records.
async fn call_with_all(
    toolbox: &Toolbox,
    caller: &Caller,
    operation: &str,
    mut arguments: Map<String, Value>,
) -> Result<Vec<u8>, String> {
    let tool = &tool_of(toolbox, operation)?.tool;
    for (name, value) in [(ALL, Value::Bool(true)), (DETAIL, Value::from(FULL))] {
        if tool.is_own_argument(name) {
            arguments.insert(name.to_owned(), value);
        }
    }
    call(toolbox, caller, operation, arguments).await
}

/// Calls the tool of an operation; returns the answer's body.
async fn call(
    toolbox: &Toolbox,
    caller: &Caller,
    operation: &str,
    arguments: Map<String, Value>,
) -> Result<Vec<u8>, String> {
    let tool = tool_of(toolbox, operation)?;
    let result = toolbox.call_as(caller, &tool.tool.name, arguments).await;
    match result.map_err(|failure| mcp_result::failure_text(&failure, Audience::Doctor))? {
        CallResult::Reply(answer) => Ok(answer.body.to_vec()),
        CallResult::Plan(_) => Err("this is a dry run; nothing was called".to_owned()),
        CallResult::Report(_) | CallResult::Tenants(_) => {
            Err("the vendor's check is a workflow; this is a fault of toolwright".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::ConfiguredSetting;
    use crate::upstream::{Credentials, Unencrypted, parse_address};
    use toolwright_model::Setting;

    fn connection() -> ConnectionConfig {
        let root = |text: &str| parse_address(text, &[], Unencrypted::default()).unwrap();
        let setting = Setting {
            title: "organization".to_owned(),
            header: "x-org-id".to_owned(),
            variable: "ACME_ORG_ID".to_owned(),
            allowed: Some("ACME_ORG_IDS".to_owned()),
            query: Some("organizationID".to_owned()),
            several: None,
            reached: None,
        };
        let base = root("https://console.example.com/api");
        ConnectionConfig {
            roots: [("acme-a".to_owned(), base.clone()), ("acme-b".to_owned(), root("https://events.example.com"))]
                .into(),
            address_source: "ACME_REGION, which is not set".to_owned(),
            credentials_source: "key from ACME_KEY".to_owned(),
            settings: vec![ConfiguredSetting {
                setting,
                value: Some("one".to_owned()),
                allowed: vec!["one".to_owned(), "two".to_owned()],
            }],
            ..ConnectionConfig::new(base, Credentials::bearer("s3cret").unwrap(), Duration::from_secs(1))
        }
    }

    #[test]
    fn a_connection_is_shown_in_full_without_secrets() {
        let shown = described(&connection(), 120);
        assert_eq!(
            shown,
            "  address      https://console.example.com/api/ for acme-a\n               \
             https://events.example.com/ for acme-b (from ACME_REGION, which is not set)\n  \
             credentials  key from ACME_KEY\n  \
             organization one (from ACME_ORG_ID); over HTTP, `organizationID` chooses among 2"
        );
    }
}
