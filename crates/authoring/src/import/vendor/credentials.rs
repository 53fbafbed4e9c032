//! Security schemes → the credentials of vendor.toml that a request can carry.

use std::cmp::Reverse;
use std::fmt::{self, Write as _};

use serde_json::{Map, Value};

use super::DescribedApi;
use crate::import::facts::one_line;
use crate::import::yaml::quoted;
use toolwright_codegen::read::paths::METHODS;

/// A credential as vendor.toml writes it.
#[derive(PartialEq)]
pub(super) enum CredentialDraft {
    Basic { prefix: String },
    Bearer { prefix: String },
    Client { prefix: String, endpoint: String, scopes: String },
    Headers(Vec<KeyHeader>),
}

/// A header and the variable of its value.
#[derive(Clone)]
pub(super) struct KeyHeader {
    name: String,
    variable: String,
}

impl PartialEq for KeyHeader {
    fn eq(&self, other: &Self) -> bool {
        self.name.eq_ignore_ascii_case(&other.name)
    }
}

impl fmt::Display for CredentialDraft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Basic { prefix } => {
                write!(f, "kind = \"basic\"\nuser = \"{prefix}_USER\"\npassword = \"{prefix}_PASSWORD\"\n")
            }
            Self::Bearer { prefix } => write!(f, "kind = \"bearer\"\ntoken = \"{prefix}_TOKEN\"\n"),
            Self::Client { prefix, endpoint, scopes } => {
                write!(f, "kind = \"oauth-client\"\nclient_id = \"{prefix}_CLIENT_ID\"\n")?;
                writeln!(f, "client_secret = \"{prefix}_CLIENT_SECRET\"\nendpoint = {}", quoted(endpoint))?;
                if scopes.is_empty() { Ok(()) } else { writeln!(f, "scope = {}", quoted(scopes)) }
            }
            Self::Headers(headers) => {
                let Some((first, further)) = headers.split_first() else { return Ok(()) };
                writeln!(f, "kind = \"header\"\nheader = {}\nvalue = \"{}\"", quoted(&first.name), first.variable)?;
                if further.is_empty() {
                    return Ok(());
                }
                let mut table = String::new();
                for header in further {
                    let joint = if table.is_empty() { "" } else { ", " };
                    write!(table, "{joint}{} = \"{}\"", quoted(&header.name), header.variable)?;
                }
                writeln!(f, "further = {{ {table} }}")
            }
        }
    }
}

/// Returns each credential once, the one that most operations accept first. Headers that an
/// operation requires together form one credential.
pub(super) fn of(prefix: &str, apis: &[DescribedApi], notes: &mut Vec<String>) -> Vec<CredentialDraft> {
    let mut found: Vec<CredentialDraft> = Vec::new();
    let mut headers: Vec<KeyHeader> = Vec::new();
    for api in apis {
        let nothing = Map::new();
        let schemes = api.document.pointer("/components/securitySchemes").and_then(Value::as_object);
        let schemes = schemes.unwrap_or(&nothing);
        let mut in_order: Vec<(&String, &Value)> = schemes.iter().collect();
        in_order.sort_by_cached_key(|(scheme, _)| Reverse(takers(scheme, &api.document)));
        let together = together(&api.document);
        for names in &together {
            let several: Option<Vec<KeyHeader>> =
                names.iter().map(|name| header(prefix, schemes.get(name)?, &mut headers)).collect();
            match several {
                Some(several) => add(CredentialDraft::Headers(several), &mut found),
                None => {
                    let shown: Vec<String> = names.iter().map(|name| one_line(name)).collect();
                    notes.push(format!(
                        "{}: operations require `{}` together, which is not supported",
                        api.name,
                        shown.join("` and `")
                    ));
                }
            }
        }
        for (scheme, about) in in_order {
            let only_together =
                takers(scheme, &api.document) == 0 && together.iter().any(|names| names.contains(scheme));
            if only_together {
                continue;
            }
            let own = credentials(prefix, about, &mut headers);
            if own.is_empty() {
                let text = |key: &str| about.get(key).and_then(Value::as_str).unwrap_or_default();
                let (kind, place) = (one_line(text("type")), one_line(text("in")));
                let scheme = one_line(scheme);
                notes.push(format!(
                    "{}: `{scheme}` ({kind} {place}) is a security scheme that is not supported",
                    api.name
                ));
            }
            for credential in own {
                add(credential, &mut found);
            }
        }
    }
    // The first credential whose variables are all set is used, so several headers precede single ones.
    found.sort_by_key(|credential| !matches!(credential, CredentialDraft::Headers(headers) if headers.len() > 1));
    found
}

fn add(credential: CredentialDraft, found: &mut Vec<CredentialDraft>) {
    if !found.contains(&credential) {
        found.push(credential);
    }
}

fn credentials(prefix: &str, scheme: &Value, headers: &mut Vec<KeyHeader>) -> Vec<CredentialDraft> {
    let text = |key: &str| scheme.get(key).and_then(Value::as_str).unwrap_or_default();
    let prefix = prefix.to_owned();
    match (text("type"), text("scheme").to_lowercase().as_str()) {
        ("http", "basic") => vec![CredentialDraft::Basic { prefix }],
        ("http", "bearer") | ("openIdConnect", _) => vec![CredentialDraft::Bearer { prefix }],
        ("oauth2", _) => {
            let bearer = CredentialDraft::Bearer { prefix: prefix.clone() };
            let flow = scheme.pointer("/flows/clientCredentials");
            let endpoint = flow.and_then(|flow| flow.get("tokenUrl")).and_then(Value::as_str);
            // Anything else would be a guess.
            let Some(endpoint) =
                endpoint.filter(|url| url.starts_with("https://") && !url.contains(['{', '}', '?', '#', '@', ' ']))
            else {
                return vec![bearer];
            };
            let scopes = flow.and_then(|flow| flow.get("scopes")).and_then(Value::as_object).into_iter().flatten();
            let scopes = scopes.map(|(scope, _)| scope.as_str()).collect::<Vec<_>>().join(" ");
            vec![bearer, CredentialDraft::Client { prefix, endpoint: endpoint.to_owned(), scopes }]
        }
        _ => {
            header(&prefix, scheme, headers).map(|header| CredentialDraft::Headers(vec![header])).into_iter().collect()
        }
    }
}

/// Returns the header of a key. Keys in the query or in cookies are not supported.
fn header(prefix: &str, scheme: &Value, known: &mut Vec<KeyHeader>) -> Option<KeyHeader> {
    let text = |key: &str| scheme.get(key).and_then(Value::as_str).unwrap_or_default();
    if (text("type"), text("in")) != ("apiKey", "header") {
        return None;
    }
    let name = text("name");
    let words: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect();
    let words = words.trim_start_matches("X_").trim_matches('_');
    // `X-Acme-Key` of Acme is `ACME_KEY`.
    let words = words.strip_prefix(&format!("{prefix}_")).unwrap_or(words);
    let words = if words.is_empty() { "API_KEY" } else { words };
    let mut header = KeyHeader { name: name.to_owned(), variable: format!("{prefix}_{words}") };
    if let Some(same) = known.iter().find(|other| **other == header) {
        return Some(same.clone());
    }
    // Two headers have two variables.
    let free = |variable: &String| !known.iter().any(|other| other.variable == *variable);
    let numbered = (2..100).map(|number| format!("{prefix}_{words}_{number}"));
    header.variable = std::iter::once(header.variable.clone()).chain(numbered).find(free)?;
    known.push(header.clone());
    Some(header)
}

/// The security requirements of a document's operations: for each, the alternatives.
fn requirements(document: &Value) -> impl Iterator<Item = &Vec<Value>> {
    let everywhere = document.get("security");
    let paths = document.get("paths").and_then(Value::as_object).into_iter().flatten();
    let operations = paths.flat_map(|(_, item)| METHODS.iter().filter_map(|method| item.get(*method)));
    operations.filter_map(move |operation| operation.get("security").or(everywhere)?.as_array())
}

/// How many operations accept the scheme by itself.
fn takers(scheme: &str, document: &Value) -> usize {
    let alone = |way: &Value| way.as_object().is_some_and(|way| way.len() == 1 && way.contains_key(scheme));
    requirements(document).filter(|ways| ways.iter().any(alone)).count()
}

/// The schemes that some operation requires together and accepts nothing else.
fn together(document: &Value) -> Vec<Vec<String>> {
    let mut found: Vec<Vec<String>> = Vec::new();
    for ways in requirements(document) {
        let several = |way: &Value| way.as_object().is_some_and(|way| way.len() > 1);
        let first = ways.first().filter(|_| ways.iter().all(several)).and_then(Value::as_object);
        let names: Option<Vec<String>> = first.map(|way| way.keys().cloned().collect());
        if let Some(names) = names.filter(|names| !found.contains(names)) {
            found.push(names);
        }
    }
    found
}
