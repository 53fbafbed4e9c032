//! JumpCloud: the 26 tools of the vendor's own server by their names, the filters and pages of its
//! three APIs, what is never done by default, and where requests go.

mod connection;
mod figures;
mod official;
mod organizations;
mod parameters;
mod queries;
mod unasked;

use std::collections::HashMap;
use std::time::Duration;

use rmcp::model::CallToolRequestParams;
use rmcp::service::RunningService;
use rmcp::{RoleClient, ServiceExt as _};
use serde_json::Value;
use toolwright::call::Toolbox;
use toolwright::catalog::{Catalog, CatalogEntry, sandbox_tables};
use toolwright::config::{ConnectionConfig, sandbox_credentials, settings};
use toolwright::policy::{Defaults, Selection, SelectionWords};
use toolwright::sandbox::{Recorded, Sandbox};
use toolwright::server::Server;

use crate::common;

/// The organization that the tests act for.
const ORGANIZATION: &str = "5f0c1ab2d3e4f5a6b7c8d9e0";
/// Ids in the vendor's form.
const USER: &str = "66f1a0c2d4e5f6a7b8c9d0e1";
const DEVICE: &str = "66f1a0c2d4e5f6a7b8c9d0e2";
const APPLICATION: &str = "66f1a0c2d4e5f6a7b8c9d0e3";

/// Every tool of the vendor.
fn tools(catalog: &Catalog) -> impl Iterator<Item = &CatalogEntry> {
    catalog.entries().iter().filter(|entry| entry.vendor == "jumpcloud")
}

/// The flags of a command line.
fn words(flags: &[(&str, &str)]) -> SelectionWords {
    let mut words = SelectionWords::default();
    for (flag, values) in flags {
        let list = match *flag {
            "vendor" => &mut words.vendors,
            "methods" => &mut words.methods,
            "tags" => &mut words.tags,
            "tools" => &mut words.tools,
            "allow" => &mut words.allow,
            other => panic!("no flag `{other}`"),
        };
        list.extend(values.split(',').map(str::to_owned));
    }
    words
}

/// A toolbox over the sandbox that acts for the organization.
fn toolbox(sandbox: &Sandbox, words: &SelectionWords, defaults: Defaults) -> Toolbox {
    toolbox_of(sandbox, words, defaults, ORGANIZATION)
}

/// The same where callers may choose among the allowed organizations.
fn toolbox_of(sandbox: &Sandbox, words: &SelectionWords, defaults: Defaults, allowed: &str) -> Toolbox {
    let catalog = Catalog::compiled();
    let vendor = catalog.vendor("jumpcloud").unwrap();
    let env = |name: &str| match name {
        "JUMPCLOUD_ORG_ID" => Some(ORGANIZATION.to_owned()),
        "JUMPCLOUD_ORG_IDS" => Some(allowed.to_owned()),
        _ => None,
    };
    let mut connections = HashMap::new();
    for (api, _) in sandbox_tables().into_iter().filter(|(api, _)| api.starts_with("jumpcloud-")) {
        let connection = common::connection(&sandbox.address(api), Duration::from_secs(20));
        let credentials = sandbox_credentials(Some(vendor)).unwrap();
        let settings = settings(vendor, &env).unwrap();
        connections.insert(api.to_owned(), ConnectionConfig { credentials, settings, ..connection });
    }
    // Other vendors may be compiled in, too.
    let words = SelectionWords { vendors: vec!["jumpcloud".to_owned()], ..words.clone() };
    let selection = Selection::resolve(&words, defaults, &catalog).unwrap();
    Toolbox::new(catalog, selection, &connections, false)
}

/// A client of the server over a toolbox.
async fn client(toolbox: Toolbox) -> RunningService<RoleClient, ()> {
    let (client_side, server_side) = tokio::io::duplex(1 << 20);
    tokio::spawn(async move { Box::pin(Server::new(toolbox).serve(server_side)).await.unwrap().waiting().await });
    ().serve(client_side).await.unwrap()
}

/// Calls as a model does; returns the answer as JSON, or the error's text.
async fn ask(client: &RunningService<RoleClient, ()>, tool: &str, arguments: &Value) -> Result<Value, String> {
    let request = CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments.as_object().cloned().unwrap());
    let result = client.call_tool(request).await.map_err(|error| error.to_string())?;
    let text = common::text(&result);
    match result.is_error {
        Some(true) => Err(text.to_owned()),
        _ => Ok(serde_json::from_str(text).unwrap_or(Value::from(text))),
    }
}

/// A request's query as a person would write it: decoded, `&` between.
fn query(recorded: &Recorded) -> String {
    let pairs = url::form_urlencoded::parse(recorded.query.as_bytes());
    pairs.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}
