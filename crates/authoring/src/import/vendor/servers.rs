//! Addresses that a description states for some operations only → `[servers]` of vendor.toml, each with a variable.

use std::fmt::Write as _;

use serde_json::Value;

use super::{DescribedApi, first_server};
use crate::import::yaml::quoted;
use toolwright_codegen::read::paths::METHODS;

/// Writes the addresses; nothing where every operation is sent to the address of its API, or to another path there.
pub(super) fn write(prefix: &str, apis: &[DescribedApi], notes: &mut Vec<String>) -> String {
    let mut found: Vec<(String, String)> = Vec::new();
    for address in apis.iter().flat_map(|api| own(&api.document)) {
        if found.iter().any(|(known, _)| *known == address) {
            continue;
        }
        let host = address.split("://").nth(1).and_then(|rest| rest.split(['/', ':']).next()).unwrap_or_default();
        let words = host.split('.').next().unwrap_or_default().to_uppercase();
        let words: String = words.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        let numbers = std::iter::once(String::new()).chain((2..1_000).map(|number| format!("_{number}")));
        let names = numbers.map(|number| format!("{prefix}_{words}{number}_URL"));
        let taken = |name: &String| *name == format!("{prefix}_URL") || found.iter().any(|(_, known)| known == name);
        if let Some(variable) = names.into_iter().find(|name| !taken(name)) {
            found.push((address, variable));
        }
    }
    if found.is_empty() {
        return String::new();
    }
    notes.push(format!(
        "some operations are sent to other addresses, with the credentials: review `[servers]` ({})",
        found.iter().map(|(address, _)| format!("`{address}`")).collect::<Vec<_>>().join(", ")
    ));
    let mut out = "\n# Where some operations are sent instead. `shared = true` states that every account uses the address as it is here;\n\
                   # without it, each account sets the variable.\n[servers]\n"
        .to_owned();
    for (address, variable) in found {
        let _ = writeln!(out, "{} = {{ variable = \"{variable}\" }}", quoted(&address));
    }
    out
}

/// The whole addresses of operations and paths that are not that of their API.
fn own(document: &Value) -> Vec<String> {
    let of_api = first_server(document);
    let items = document.get("paths").and_then(Value::as_object).into_iter().flatten().map(|(_, item)| item);
    let of_operation = |item: &Value, method: &str| first_server(item.get(method)?).or_else(|| first_server(item));
    let all = items.flat_map(|item| METHODS.iter().filter_map(move |method| of_operation(item, method)));
    let is_whole = |address: &String| address.starts_with("https://") || address.starts_with("http://");
    all.filter(|address| is_whole(address) && of_api.as_ref() != Some(address)).collect()
}
