//! `toolwright doctor`: is each vendor reachable with what is configured, and as whom. One login
//! per vendor and never a second: repeated wrong ones lock addresses out.

use clap::Args;
use serde_json::{Map, Value};

use super::Failed;
use super::printer::Printer;
use super::selection::{SelectionArguments, environment};
use super::start::vendor_connections;
use crate::call::Toolbox;
use crate::catalog::Catalog;
use crate::config::Connection;
use crate::model::Vendor;
use crate::policy::{Defaults, Selection, SelectionWords};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    selection: SelectionArguments,
}

pub(super) fn run(arguments: &Arguments, printer: &mut Printer) -> Result<(), Failed> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(check(arguments, printer))
}

async fn check(arguments: &Arguments, printer: &mut Printer) -> Result<(), Failed> {
    let catalog = Catalog::compiled();
    let selection = arguments.selection.resolve(Defaults::Everything, &catalog, &environment)?;
    let connections = vendor_connections(&catalog, selection.vendors(), &environment)?;
    // The check itself only reads; what the flags leave out does not matter to it.
    let reads = Selection::resolve(&SelectionWords::default(), Defaults::Reads, &catalog)?;
    let toolbox = Toolbox::new(catalog.clone(), reads, &connections, false);
    let mut fine = true;
    for vendor in catalog.vendors() {
        let Some(connection) = connections.get(&vendor.id) else {
            if selection.vendors().is_none() {
                printer.data(&format!("{}: not configured", vendor.title))?;
            }
            continue;
        };
        let offered = catalog
            .entries()
            .iter()
            .filter(|entry| entry.vendor == vendor.id && selection.decide(entry).is_ok())
            .count();
        printer.data(&format!("{}: {offered} tools in the selection", vendor.title))?;
        printer.data(&format!("  address      {}", connection.base))?;
        printer.data(&format!("  credentials  {}", connection.source))?;
        match login(&toolbox, vendor, connection).await {
            Ok(identity) => printer.data(&format!("  login        ok: {identity}"))?,
            Err(reason) => {
                fine = false;
                printer.data(&format!("  login        failed: {}", reason.replace('\n', "\n               ")))?;
            }
        }
    }
    if fine { Ok(()) } else { Err(Failed::Check) }
}

/// Calls the vendor's check once; returns who we are.
async fn login(toolbox: &Toolbox, vendor: &Vendor, connection: &Connection) -> Result<String, String> {
    let Some(check) = &vendor.check else { return Ok("this vendor names no check; nothing was called".to_owned()) };
    let tool = toolbox
        .catalog()
        .entries()
        .iter()
        .find(|entry| matches!(entry.tool.calls.as_slice(), [call] if call.operation == check.operation))
        .ok_or("the vendor's check is no tool; this is a fault of toolwright")?;
    let answer = toolbox.call(&tool.tool.name, Map::new()).await.map_err(|failure| failure.to_string())?;
    let Ok(body) = serde_json::from_slice::<Value>(&answer.body) else {
        return Err(format!(
            "the answer is no JSON: `{}` may be a website or a login page\nhint: {} should lead to the product itself",
            connection.base, connection.place
        ));
    };
    let identity = check.identity.iter().filter_map(|pointer| body.pointer(pointer)?.as_str());
    let identity = identity.map(str::trim).find(|text| !text.is_empty());
    Ok(identity.map_or_else(|| "the answer names nobody".to_owned(), |name| format!("you are {name}")))
}
