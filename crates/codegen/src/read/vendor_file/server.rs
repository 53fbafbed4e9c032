//! `[servers]` → the addresses that descriptions state for some operations only. Requests go there with the credentials, so
//! each has to be stated, and none may be stated that no operation has.

use std::collections::BTreeMap;

use super::variable;
use crate::read::located::{Located, did_you_mean};
use crate::read::reference::escape;
use toolwright_model::{Operation, Server};

/// Reads the addresses as the descriptions write them.
pub(super) fn read(at: &Located<'_>) -> BTreeMap<String, Server> {
    let mut servers = BTreeMap::new();
    for (address, entry) in at.entries() {
        entry.only(&["variable", "shared"]);
        let shared = entry.get("shared").and_then(|shared| shared.flag()).unwrap_or_default();
        if let Some(variable) = variable(&entry, "variable") {
            servers.insert(address.trim_end_matches('/').to_owned(), Server { variable, shared });
        }
    }
    servers
}

/// Whether an address names a host.
pub fn is_whole(address: &str) -> bool {
    address.starts_with("https://") || address.starts_with("http://")
}

/// Checks that the addresses are those of the operations. `root` is vendor.toml.
pub fn check_servers<'o>(
    servers: &BTreeMap<String, Server>,
    operations: impl Iterator<Item = &'o Operation>,
    root: &Located<'_>,
) {
    let mut used: BTreeMap<&str, &str> = BTreeMap::new();
    for operation in operations {
        if let Some(address) = operation.server.as_deref().filter(|address| is_whole(address)) {
            used.entry(address).or_insert(&operation.id);
        }
    }
    for (address, operation) in used.iter().filter(|(address, _)| !servers.contains_key(**address)) {
        root.report(
            format!("`[servers.\"{address}\"]` with a `variable` that overrides it"),
            "none".to_owned(),
            Some(format!("the description sends `{operation}` there, with the credentials of the account")),
        );
    }
    for address in servers.keys().filter(|address| !used.contains_key(address.as_str())) {
        let at = root.nearest(&format!("/servers/{}", escape(address)));
        let near = did_you_mean(address, used.keys().copied());
        at.report("an address that a description states for an operation or a path", format!("`{address}`"), near);
    }
}
