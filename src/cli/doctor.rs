//! `toolwright doctor`: configuration → per vendor the address, the credentials, who we are and for which
//! tenant we act. One login per vendor and never a second: vendors lock addresses after a few wrong ones.

mod scopes;

use std::collections::{BTreeMap, HashMap};

use clap::Args;
use serde_json::{Map, Value};

use super::CommandError;
use super::printer::Printer;
use super::selection::{SelectionArguments, environment};
use super::start::vendor_connections;
use super::table;
use crate::call::{CallResult, Failure, Toolbox};
use crate::catalog::{Catalog, CatalogEntry};
use crate::config::{ConnectionConfig, connection};
use crate::error::{CallError, ConfigError};
use crate::policy::{Defaults, Selection, SelectionWords};
use toolwright_model::Vendor;

/// The width of the labels.
const INDENT: usize = 15;

pub(super) const EXAMPLE: &str = "Example:\n  toolwright doctor --vendor jitbit";

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    selection: SelectionArguments,
}

pub(super) fn run(arguments: &Arguments, printer: &mut Printer) -> Result<(), CommandError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(check(arguments, printer))
}

async fn check(arguments: &Arguments, printer: &mut Printer) -> Result<(), CommandError> {
    let catalog = Catalog::compiled();
    let selection = arguments.selection.resolve(Defaults::Everything, &catalog, &environment)?;
    let wanted = |vendor: &&Vendor| selection.vendors().is_none_or(|wanted| wanted.contains(&vendor.id));
    let mut connections = HashMap::new();
    let mut wrong = BTreeMap::new();
    for vendor in catalog.vendors().iter().filter(wanted) {
        match connection(vendor, &environment) {
            Ok(Some(connection)) => drop(connections.insert(vendor.id.clone(), connection)),
            Ok(None) => {}
            Err(error) => drop(wrong.insert(vendor.id.clone(), error)),
        }
    }
    let nothing = connections.is_empty() && wrong.is_empty();
    let unconfigured = |id: &String| !connections.contains_key(id) && !wrong.contains_key(id);
    if nothing || selection.vendors().is_some_and(|wanted| wanted.iter().any(unconfigured)) {
        // Fails, with the variables to set.
        vendor_connections(&catalog, selection.vendors(), &environment)?;
    }
    // The check only reads, so the flags need not select its tool.
    let reads = Selection::resolve(&SelectionWords::default(), Defaults::Reads, &catalog)?;
    let toolbox = Toolbox::new(catalog.clone(), reads, &connections, false);
    let mut fine = true;
    for vendor in catalog.vendors() {
        if let Some(error) = wrong.get(&vendor.id) {
            let text = error.to_string();
            let text = text.strip_prefix(&format!("{}: ", vendor.title)).unwrap_or(&text);
            printer.data(&vendor.title)?;
            printer.data(&field("not usable", text, printer.width()))?;
            continue;
        }
        let Some(connection) = connections.get(&vendor.id) else {
            if selection.vendors().is_none() {
                printer.data(&format!("{}: not configured", vendor.title))?;
            }
            continue;
        };
        let selected: Vec<&CatalogEntry> = catalog
            .entries()
            .iter()
            .filter(|entry| entry.vendor == vendor.id && selection.decide(entry).is_ok())
            .collect();
        fine &= report(&toolbox, vendor, connection, &selected, printer).await?;
    }
    match (wrong.is_empty(), fine) {
        (false, _) => Err(ConfigError::new("not every vendor can be used as it is configured").into()),
        (true, true) => Ok(()),
        (true, false) => Err(CommandError::Check),
    }
}

/// Prints a connection, its login and its scopes; returns whether the login succeeded.
async fn report(
    toolbox: &Toolbox,
    vendor: &Vendor,
    connection: &ConnectionConfig,
    selected: &[&CatalogEntry],
    printer: &mut Printer,
) -> Result<bool, CommandError> {
    let width = printer.width();
    printer.data(&format!("{}: {} tools in the selection", vendor.title, selected.len()))?;
    printer.data(&described(connection, width))?;
    let login = login(toolbox, vendor, connection).await;
    let result = match &login {
        Ok(identity) => format!("ok: {identity}"),
        Err(reason) => format!("failed: {reason}"),
    };
    printer.data(&field("login", &result, width))?;
    // The login has requested the token whose scopes are compared here.
    if let Some(text) = scopes::text(selected, connection.credentials.scopes().as_deref()) {
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
async fn login(toolbox: &Toolbox, vendor: &Vendor, connection: &ConnectionConfig) -> Result<String, String> {
    let Some(check) = &vendor.check else { return Ok("this vendor names no check; nothing was called".to_owned()) };
    let tool = toolbox
        .catalog()
        .entries()
        .iter()
        .find(|entry| matches!(entry.tool.calls.as_slice(), [call] if call.operation == check.operation))
        .ok_or("the vendor's check is no tool; this is a fault of toolwright")?;
    let result = toolbox.call(&tool.tool.name, Map::new()).await.map_err(|failure| explained(&failure, connection))?;
    let CallResult::Reply(answer) = result else { return Ok("this is a dry run; nothing was called".to_owned()) };
    let Ok(body) = serde_json::from_slice::<Value>(&answer.body) else {
        return Err(format!(
            "the answer is no JSON: `{}` may be a website or a login page\nhint: {} should lead to the product itself",
            connection.base, connection.address_source
        ));
    };
    let identity = check.identity.iter().filter_map(|pointer| body.pointer(pointer)?.as_str());
    let identity = identity.map(str::trim).find(|text| !text.is_empty());
    Ok(identity.map_or_else(|| "the answer names no user".to_owned(), |name| format!("you are {name}")))
}

/// A failed login, with the advice of the vendor's file: a call without arguments is refused
/// because of the connection only.
fn explained(failure: &Failure, connection: &ConnectionConfig) -> String {
    let text = failure.to_string();
    let Failure::Call(CallError::Rejected(rejection)) = failure else { return text };
    match connection.explain(rejection.status, &rejection.body) {
        Some(advice) if !text.contains(advice) => format!("{text}\nhint: {advice}"),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::ConfiguredSetting;
    use crate::error::Rejection;
    use crate::upstream::{Credentials, parse_address};
    use toolwright_model::{Refusal, Setting};

    fn connection() -> ConnectionConfig {
        let root = |text: &str| parse_address(text, &[]).unwrap();
        let setting = Setting {
            title: "organization".to_owned(),
            header: "x-org-id".to_owned(),
            variable: "ACME_ORG_ID".to_owned(),
            allowed: Some("ACME_ORG_IDS".to_owned()),
            query: Some("organizationID".to_owned()),
        };
        let not_found = Refusal {
            status: 404,
            at: Vec::new(),
            kinds: Vec::new(),
            text: None,
            say: "ACME_CLOUD_ID is none of yours".to_owned(),
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
            refusals: vec![not_found],
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

    #[test]
    fn a_refused_login_has_the_advice_for_the_connection() {
        let rejection = |status| Rejection {
            status,
            body: String::new(),
            advice: Vec::new(),
            rate_limit: crate::error::RateLimit::default(),
            request_id: None,
        };
        let text = |status| explained(&CallError::Rejected(Box::new(rejection(status))).into(), &connection());
        assert!(text(404).ends_with("\nhint: ACME_CLOUD_ID is none of yours"), "{}", text(404));
        assert!(!text(500).contains("none of yours"));
    }
}
