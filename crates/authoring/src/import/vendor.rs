//! Servers and security schemes → vendor.toml, which names variables and never holds their values.

mod credentials;
mod servers;

use std::fmt::Write as _;

use serde_json::Value;

use super::facts::one_line;
use super::yaml::quoted;

/// One API of a new vendor.
pub(super) struct DescribedApi {
    /// The name with which its files begin.
    pub name: String,
    /// Its title.
    pub title: String,
    /// The facts that are written to its file.
    pub document: Value,
}

/// Writes vendor.toml; returns it and what the author has to decide.
pub(super) fn write(name: &str, apis: &[DescribedApi]) -> (String, Vec<String>) {
    let prefix = name.to_uppercase();
    let mut notes = Vec::new();
    let title = apis.first().map(|api| api.title.as_str()).unwrap_or_default();
    let what = match apis {
        [api] => {
            let overlay = toolwright_codegen::overlay_name(&api.name);
            format!("What it offers: {}.yaml. What a model sees: {overlay}.", api.name)
        }
        _ => "What each of its APIs offers: <api>.yaml. What a model sees: <api>.overlay.yaml.".to_owned(),
    };
    let mut out = format!("# How to reach {title}. {what}\nid = {}\ntitle = {}\n", quoted(name), quoted(title));
    out += &address(name, &prefix, apis, &mut notes);
    out += &servers::write(&prefix, apis, &mut notes);
    let credentials = credentials::of(&prefix, apis, &mut notes);
    if credentials.is_empty() {
        out += "\n# The description names no way to sign in that we know: to be reviewed.\n";
        let _ = write!(out, "[[credentials]]\nkind = \"bearer\"\ntoken = \"{prefix}_TOKEN\"\n");
    }
    for credential in credentials {
        let _ = write!(out, "\n[[credentials]]\n{credential}");
    }
    (out, notes)
}

/// A host of the descriptions, its variable, and the common start of the addresses there.
struct Host {
    variable: String,
    root: String,
}

/// Writes the address; for several hosts, one variable for each, and the root of each API.
fn address(name: &str, prefix: &str, apis: &[DescribedApi], notes: &mut Vec<String>) -> String {
    let named: Vec<(&DescribedApi, String)> =
        apis.iter().filter_map(|api| Some((api, server(&api.document)?))).collect();
    let mut hosts: Vec<Host> = Vec::new();
    for (api, address) in &named {
        match hosts.iter_mut().find(|host| origin(&host.root) == origin(address)) {
            Some(host) => host.root = common(&host.root, address),
            None => {
                let variable = if hosts.is_empty() {
                    format!("{prefix}_URL")
                } else {
                    format!("{prefix}_{}_URL", api.name.to_uppercase().replace('-', "_"))
                };
                hosts.push(Host { variable, root: address.clone() });
            }
        }
    }
    let mut out = "\n[address]\n".to_owned();
    let Some((main, further)) = hosts.split_first() else {
        let path = apis.iter().find_map(|api| relative_server(&api.document)).unwrap_or_default();
        let example = format!("https://{name}.example.com{path}");
        out += "# The description names no host: to be reviewed.\n";
        let _ = write!(out, "variable = \"{prefix}_URL\"\nexample = {}\n", quoted(&example));
        return out;
    };
    let _ = write!(out, "variable = \"{}\"\nexample = {}\n", main.variable, quoted(&main.root));
    if named.len() == apis.len() && named.iter().all(|(_, address)| *address == main.root) {
        return out;
    }
    if !further.is_empty() {
        let also: Vec<String> = further
            .iter()
            .map(|host| format!("{{ variable = \"{}\", example = {} }}", host.variable, quoted(&host.root)))
            .collect();
        let _ = writeln!(out, "also = [{}]", also.join(", "));
        let addresses: Vec<&str> = hosts.iter().map(|host| host.root.as_str()).collect();
        notes.push(format!("the descriptions name different addresses: {}", one_line(&addresses.join(", "))));
    }
    let mut roots = Vec::new();
    for api in apis {
        let address = named.iter().find(|(other, _)| other.name == api.name).map(|(_, address)| address);
        let host = address.and_then(|address| hosts.iter().find(|host| origin(&host.root) == origin(address)));
        let (variable, rest) = match (host, address) {
            (Some(host), Some(address)) => {
                (&host.variable, address.strip_prefix(&host.root).unwrap_or_default().to_owned())
            }
            _ => {
                notes.push(format!("{}: its description names no host", api.name));
                (&main.variable, relative_server(&api.document).unwrap_or_default())
            }
        };
        roots.push(format!("{} = {}", api.name, quoted(&format!("{{{variable}}}{rest}"))));
    }
    let _ = writeln!(out, "roots = {{ {} }}", roots.join(", "));
    out
}

/// Scheme and host.
fn origin(address: &str) -> &str {
    let host = address.find("://").map_or(0, |at| at + 3);
    let end = address[host..].find('/').map_or(address.len(), |at| host + at);
    &address[..end]
}

/// The common start of two addresses of one host, up to the end of a path segment.
fn common(one: &str, other: &str) -> String {
    let same = one.split('/').zip(other.split('/')).take_while(|(a, b)| a == b).map(|(a, _)| a);
    same.collect::<Vec<_>>().join("/")
}

/// The first server of a description, with the defaults of its variables.
fn first_server(document: &Value) -> Option<String> {
    let server = document.get("servers").and_then(Value::as_array).and_then(|servers| servers.first())?;
    let mut url = server.get("url").and_then(Value::as_str)?.to_owned();
    for (variable, about) in server.get("variables").and_then(Value::as_object).into_iter().flatten() {
        let default = about.get("default").and_then(Value::as_str).unwrap_or(variable);
        url = url.replace(&format!("{{{variable}}}"), default);
    }
    // Remaining braces would be read as a template of vendor.toml.
    Some(url.trim_end_matches('/').replace(['{', '}'], ""))
}

fn server(document: &Value) -> Option<String> {
    first_server(document).filter(|url| url.starts_with("https://") || url.starts_with("http://"))
}

fn relative_server(document: &Value) -> Option<String> {
    first_server(document).filter(|url| url.starts_with('/'))
}
