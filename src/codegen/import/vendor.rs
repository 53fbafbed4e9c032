//! Servers and security schemes → vendor.toml. It names variables and never holds a value.

use std::fmt::Write as _;

use serde_json::Value;

use super::super::spec::METHODS;
use super::yaml::quoted;

/// One API of the vendor.
pub(super) struct Api {
    /// The name that its files begin with.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// Its description, as it is written.
    pub document: Value,
}

/// Writes the vendor's file; returns it and what its descriptions disagree on.
pub(super) fn write(name: &str, apis: &[Api]) -> (String, Vec<String>) {
    let prefix = name.to_uppercase();
    let mut notes = Vec::new();
    let title = apis.first().map(|api| api.title.as_str()).unwrap_or_default();
    let (example, note) = address(name, apis, &mut notes);
    let what = match apis {
        [api] => format!("What it offers: {0}.yaml. What a model sees: {1}.", api.name, overlay_name(&api.name)),
        _ => "What each of its APIs offers: <api>.yaml. What a model sees: <api>.overlay.yaml.".to_owned(),
    };
    let mut out = format!(
        "# How to reach {title}. {what}\n\
         id = {}\ntitle = {}\n\n[address]\n{note}variable = \"{prefix}_URL\"\nexample = {}\n",
        quoted(name),
        quoted(title),
        quoted(&example),
    );
    let credentials = credentials(&prefix, apis, &mut notes);
    if credentials.is_empty() {
        out += "\n# The description names no way to sign in that we know: to be reviewed.\n";
        let _ = write!(out, "[[credentials]]\nkind = \"bearer\"\ntoken = \"{prefix}_TOKEN\"\n");
    }
    for credential in credentials {
        let _ = write!(out, "\n[[credentials]]\n{}", credential.text());
    }
    (out, notes)
}

fn overlay_name(api: &str) -> String {
    super::super::overlay_name(api)
}

/// One address for all APIs: the first that a description names, and comments on it.
fn address(name: &str, apis: &[Api], notes: &mut Vec<String>) -> (String, String) {
    let named: Vec<(&Api, String)> = apis.iter().filter_map(|api| Some((api, server(&api.document)?))).collect();
    let Some((_, first)) = named.first() else {
        let path = apis.iter().find_map(|api| relative_server(&api.document)).unwrap_or_default();
        let note = "# The description names no host: to be reviewed.\n".to_owned();
        return (format!("https://{name}.example.com{path}"), note);
    };
    if named.iter().all(|(_, address)| address == first) {
        return (first.clone(), String::new());
    }
    let mut note = "# The descriptions name different addresses: to be reviewed.\n".to_owned();
    let mut said = Vec::new();
    for (api, address) in &named {
        let _ = writeln!(note, "#   {}: {}", api.name, super::facts::one_line(address));
        said.push(format!("{}: {address}", api.name));
    }
    notes.push(format!("the descriptions name different addresses ({}); vendor.toml has the first", said.join(", ")));
    (first.clone(), note)
}

/// The first server that a description names, with its variables put in.
fn first_server(document: &Value) -> Option<String> {
    let server = document.get("servers").and_then(Value::as_array).and_then(|servers| servers.first())?;
    let mut url = server.get("url").and_then(Value::as_str)?.to_owned();
    for (variable, about) in server.get("variables").and_then(Value::as_object).into_iter().flatten() {
        let default = about.get("default").and_then(Value::as_str).unwrap_or(variable);
        url = url.replace(&format!("{{{variable}}}"), default);
    }
    Some(url.trim_end_matches('/').to_owned())
}

fn server(document: &Value) -> Option<String> {
    first_server(document).filter(|url| url.starts_with("https://") || url.starts_with("http://"))
}

fn relative_server(document: &Value) -> Option<String> {
    first_server(document).filter(|url| url.starts_with('/'))
}

/// A way to sign in that we can send.
#[derive(PartialEq)]
enum Credential {
    Basic { prefix: String },
    Bearer { prefix: String },
    Header { header: String, variable: String },
}

impl Credential {
    fn text(&self) -> String {
        match self {
            Self::Basic { prefix } => {
                format!("kind = \"basic\"\nuser = \"{prefix}_USER\"\npassword = \"{prefix}_PASSWORD\"\n")
            }
            Self::Bearer { prefix } => format!("kind = \"bearer\"\ntoken = \"{prefix}_TOKEN\"\n"),
            Self::Header { header, variable } => {
                format!("kind = \"header\"\nheader = {}\nvalue = \"{variable}\"\n", quoted(header))
            }
        }
    }
}

/// The kinds of credentials that we can send, each once: first what most operations take.
fn credentials(prefix: &str, apis: &[Api], notes: &mut Vec<String>) -> Vec<Credential> {
    let mut found: Vec<Credential> = Vec::new();
    for api in apis {
        let schemes = api.document.pointer("/components/securitySchemes").and_then(Value::as_object);
        let mut schemes: Vec<(&String, &Value)> = schemes.into_iter().flatten().collect();
        schemes.sort_by_cached_key(|(scheme, _)| std::cmp::Reverse(takers(scheme, &api.document)));
        for (scheme, about) in schemes {
            let Some(credential) = credential(prefix, about) else {
                let kind = about.get("type").and_then(Value::as_str).unwrap_or_default();
                let place = about.get("in").and_then(Value::as_str).unwrap_or_default();
                let scheme = super::facts::one_line(scheme);
                notes.push(format!("{}: `{scheme}` ({kind} {place}) is a way to sign in that can't be sent", api.name));
                continue;
            };
            add(credential, &mut found);
        }
    }
    let together = apis.iter().find_map(|api| Some((api, together(&api.document)?)));
    if let Some((api, names)) = together {
        notes.push(format!(
            "{}: operations want `{}` together, and one way to sign in is sent at a time",
            api.name,
            names.join("` and `")
        ));
    }
    found
}

/// Security schemes that some operation wants together, where it takes nothing else.
fn together(document: &Value) -> Option<Vec<String>> {
    let demand = |security: &Value| {
        let ways = security.as_array()?;
        let several = |way: &Value| way.as_object().is_some_and(|way| way.len() > 1);
        let first = ways.first().filter(|_| ways.iter().all(several))?;
        Some(first.as_object()?.keys().map(|name| super::facts::one_line(name)).collect())
    };
    let everywhere = document.get("security");
    let paths = document.get("paths").and_then(Value::as_object).into_iter().flatten();
    let mut operations = paths.flat_map(|(_, item)| METHODS.iter().filter_map(|method| item.get(*method)));
    operations.find_map(|operation| operation.get("security").or(everywhere).and_then(demand))
}

/// How many operations take the scheme by itself.
fn takers(scheme: &str, document: &Value) -> usize {
    let alone = |security: &Value| {
        security
            .as_array()
            .into_iter()
            .flatten()
            .any(|ways| ways.as_object().is_some_and(|ways| ways.len() == 1 && ways.contains_key(scheme)))
    };
    let everywhere = document.get("security").is_some_and(alone);
    let paths = document.get("paths").and_then(Value::as_object).into_iter().flatten();
    let operations = paths.flat_map(|(_, item)| METHODS.iter().filter_map(|method| item.get(*method)));
    operations.filter(|operation| operation.get("security").map_or(everywhere, alone)).count()
}

fn credential(prefix: &str, scheme: &Value) -> Option<Credential> {
    let text = |key: &str| scheme.get(key).and_then(Value::as_str).unwrap_or_default();
    let prefix = prefix.to_owned();
    match (text("type"), text("scheme").to_lowercase().as_str(), text("in")) {
        ("http", "basic", _) => Some(Credential::Basic { prefix }),
        ("http", "bearer", _) | ("oauth2" | "openIdConnect", ..) => Some(Credential::Bearer { prefix }),
        ("apiKey", _, "header") => {
            let header = text("name").to_owned();
            let words: String =
                header.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect();
            let words = words.trim_start_matches("X_").trim_matches('_');
            // `X-Acme-Key` of Acme is `ACME_KEY`.
            let words = words.strip_prefix(&format!("{prefix}_")).unwrap_or(words);
            let words = if words.is_empty() { "API_KEY" } else { words };
            Some(Credential::Header { variable: format!("{prefix}_{words}"), header })
        }
        // A key in the query or a cookie can't be sent yet.
        _ => None,
    }
}

/// Adds a credential unless it is there; headers are the same whatever their case, and no two of
/// them share a variable.
fn add(credential: Credential, found: &mut Vec<Credential>) {
    let Credential::Header { header, variable } = &credential else {
        if !found.contains(&credential) {
            found.push(credential);
        }
        return;
    };
    let same = |other: &Credential| matches!(other, Credential::Header { header: own, .. } if own.eq_ignore_ascii_case(header));
    if found.iter().any(same) {
        return;
    }
    let taken =
        |name: &str| found.iter().any(|other| matches!(other, Credential::Header { variable, .. } if variable == name));
    let free = std::iter::once(variable.clone())
        .chain((2..100).map(|number| format!("{variable}_{number}")))
        .find(|name| !taken(name));
    let variable = free.unwrap_or_else(|| variable.clone());
    found.push(Credential::Header { header: header.clone(), variable });
}
