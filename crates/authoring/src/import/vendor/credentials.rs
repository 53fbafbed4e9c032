//! Security schemes → the credentials of vendor.toml that a request can carry.

use std::cmp::Reverse;
use std::collections::BTreeMap;
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
    /// How the value is written, where that is more than the value.
    template: Option<String>,
}

impl PartialEq for KeyHeader {
    fn eq(&self, other: &Self) -> bool {
        // Two cookies share one header.
        let is_cookie = self.name.eq_ignore_ascii_case("cookie");
        self.name.eq_ignore_ascii_case(&other.name) && (!is_cookie || self.template == other.template)
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
                if let Some(template) = &first.template {
                    writeln!(f, "template = {}", quoted(template))?;
                }
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

/// A credential with the security schemes that it carries.
pub(super) struct Drafted {
    draft: CredentialDraft,
    schemes: Vec<String>,
    /// Whether its file has to state them: not every credential serves every operation.
    is_chosen: bool,
}

impl fmt::Display for Drafted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.draft.fmt(f)?;
        if !self.is_chosen {
            return Ok(());
        }
        let schemes: Vec<String> = self.schemes.iter().map(|scheme| quoted(scheme)).collect();
        writeln!(f, "schemes = [{}]", schemes.join(", "))
    }
}

/// Returns each credential once, the one that most operations accept first. Headers that an
/// operation requires together form one credential.
pub(super) fn of(prefix: &str, apis: &[DescribedApi], notes: &mut Vec<String>) -> Vec<Drafted> {
    let mut found: Vec<Drafted> = Vec::new();
    let mut headers: Vec<KeyHeader> = Vec::new();
    for api in apis {
        let nothing = Map::new();
        let schemes = api.document.pointer("/components/securitySchemes").and_then(Value::as_object);
        let schemes = schemes.unwrap_or(&nothing);
        let mut in_order: Vec<(&String, &Value)> = schemes.iter().collect();
        in_order.sort_by_cached_key(|(scheme, _)| Reverse(takers(scheme, &api.document)));
        let mut grouped: Vec<String> = Vec::new();
        for names in together(&api.document) {
            let several: Option<Vec<KeyHeader>> =
                names.iter().map(|name| header(prefix, name, schemes.get(name)?, &mut headers)).collect();
            // Of one credential only the first header has a text around its value.
            if let Some(several) = several.filter(|all| all.iter().skip(1).all(|header| header.template.is_none())) {
                add(CredentialDraft::Headers(several), &names, &mut found);
                grouped.extend(names);
            }
        }
        for (scheme, about) in in_order {
            if takers(scheme, &api.document) == 0 && grouped.contains(scheme) {
                continue;
            }
            let own = credentials(prefix, scheme, about, &mut headers);
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
                add(credential, std::slice::from_ref(scheme), &mut found);
            }
        }
        notes.extend(unserved(&api.document, &found).into_iter().map(|(scheme, count)| {
            format!("{}: {count} operations need `{}`, which no credential carries", api.name, one_line(scheme))
        }));
    }
    let is_chosen = apis.iter().any(|api| is_choice(&api.document, &found));
    for one in &mut found {
        one.is_chosen = is_chosen;
    }
    // The first credential whose variables are all set serves where nothing is stated, so several headers precede single ones.
    found.sort_by_key(|one| !matches!(&one.draft, CredentialDraft::Headers(headers) if headers.len() > 1));
    found
}

fn add(draft: CredentialDraft, schemes: &[String], found: &mut Vec<Drafted>) {
    let at = found.iter().position(|known| known.draft == draft).unwrap_or(found.len());
    if at == found.len() {
        found.push(Drafted { draft, schemes: Vec::new(), is_chosen: false });
    }
    if let Some(known) = found.get_mut(at) {
        let new = schemes.iter().filter(|scheme| !known.schemes.contains(scheme)).cloned().collect::<Vec<_>>();
        known.schemes.extend(new);
    }
}

fn credentials(prefix: &str, name: &str, scheme: &Value, headers: &mut Vec<KeyHeader>) -> Vec<CredentialDraft> {
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
        _ => header(&prefix, name, scheme, headers)
            .map(|header| CredentialDraft::Headers(vec![header]))
            .into_iter()
            .collect(),
    }
}

/// Returns the header of a key. Keys in the query are not supported: addresses are logged everywhere.
fn header(prefix: &str, of: &str, scheme: &Value, known: &mut Vec<KeyHeader>) -> Option<KeyHeader> {
    let text = |key: &str| scheme.get(key).and_then(Value::as_str).unwrap_or_default();
    let name = match (text("type"), text("in")) {
        ("apiKey", "header") => text("name"),
        ("apiKey", "cookie") if is_cookie(text("name")) => "Cookie",
        // A scheme of the vendor's own, before the value.
        ("http", _) if !matches!(text("scheme").to_lowercase().as_str(), "" | "basic" | "bearer") => "Authorization",
        _ => return None,
    };
    let is_cookie = text("in") == "cookie";
    let template = match text("type") {
        "http" => Some(format!("{} {{}}", one_line(text("scheme")))),
        _ if is_cookie => Some(format!("{}={{}}", text("name"))),
        _ => template(text("description"), name).or_else(|| named_template(of, name)),
    };
    let named = if is_cookie { text("name") } else { name };
    let words: String =
        named.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect();
    let words = words.trim_start_matches("X_").trim_matches('_');
    // `X-Acme-Key` of Acme is `ACME_KEY`.
    let words = words.strip_prefix(&format!("{prefix}_")).unwrap_or(words);
    let words = if words.is_empty() { "API_KEY" } else { words };
    let mut header = KeyHeader { name: name.to_owned(), variable: format!("{prefix}_{words}"), template };
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

/// Whether vendor.toml can state the cookie.
fn is_cookie(name: &str) -> bool {
    const LONGEST: usize = 36;
    let fits = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    (1..=LONGEST).contains(&name.len()) && name.chars().all(fits)
}

/// The text around the value of `Authorization`, as some descriptions state it in words only: `Token token=<key>`,
/// `Authorization: SSWS {key}`, `GenieKey $key`.
fn template(description: &str, header: &str) -> Option<String> {
    const NO_SCHEMES: [&str; 6] = ["bearer", "basic", "header", "the", "key", "with"];
    if !header.eq_ignore_ascii_case("authorization") {
        return None;
    }
    let is_opening = |c: char| matches!(c, '<' | '{' | '[' | '$');
    description.match_indices(is_opening).find_map(|(at, _)| {
        let before = description[..at].trim_end_matches(['"', '\'']);
        let quote = description[before.len()..at].chars().next();
        let line = before.rsplit(['\n', '`', ':']).next()?.trim_start();
        // One word, or `Token token=`.
        let words: Vec<&str> = line.split_whitespace().collect();
        let tail = if line.ends_with('=') { words.len().checked_sub(2)? } else { words.len().checked_sub(1)? };
        let words = words.get(tail..)?;
        let is_scheme = |word: &str| word.chars().all(|c| c.is_ascii_alphanumeric() || "-_=".contains(c));
        let first = words.first()?;
        if !words.iter().all(|word| is_scheme(word)) || NO_SCHEMES.contains(&first.to_lowercase().as_str()) {
            return None;
        }
        let joint = if line.ends_with('=') { "" } else { " " };
        let quote = quote.map(String::from).unwrap_or_default();
        Some(format!("{}{joint}{quote}{{}}{quote}", words.join(" ")))
    })
}

/// A scheme whose name is the word before the value, such as `GenieKey` or `Bearer`, and none that says only that there
/// is a key.
fn named_template(of: &str, header: &str) -> Option<String> {
    const SAYS_NOTHING: [&str; 10] =
        ["access", "admin", "api", "auth", "header", "jwt", "security", "session", "token", "user"];
    let lower = of.to_lowercase();
    let is_word = of.starts_with(|c: char| c.is_ascii_uppercase()) && of.chars().all(|c| c.is_ascii_alphanumeric());
    let says_nothing = lower == "key" || SAYS_NOTHING.iter().any(|word| lower.contains(word));
    (header.eq_ignore_ascii_case("authorization") && is_word && !says_nothing).then(|| format!("{of} {{}}"))
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

/// The names of the schemes of one way to authenticate.
fn names(way: &Value) -> impl Iterator<Item = &str> {
    way.as_object().into_iter().flat_map(Map::keys).map(String::as_str)
}

/// Whether some credential does not serve some operation by itself.
fn is_choice(document: &Value, found: &[Drafted]) -> bool {
    let serves = |one: &Drafted, way: &Value| names(way).all(|name| one.schemes.iter().any(|scheme| scheme == name));
    let mut needing = requirements(document).filter(|ways| !ways.is_empty());
    needing.any(|ways| found.iter().any(|one| !ways.iter().any(|way| serves(one, way))))
}

/// The first scheme that no credential carries, of each operation that can't be called for that reason, with the number of
/// these operations.
fn unserved<'d>(document: &'d Value, found: &[Drafted]) -> BTreeMap<&'d str, usize> {
    let is_carried = |name: &&str| found.iter().any(|one| one.schemes.iter().any(|scheme| scheme == name));
    let mut without: BTreeMap<&str, usize> = BTreeMap::new();
    for ways in requirements(document) {
        if !ways.is_empty()
            && ways.iter().all(|way| !names(way).all(|name| is_carried(&name)))
            && let Some(name) = ways.iter().flat_map(names).find(|name| !is_carried(name))
        {
            *without.entry(name).or_default() += 1;
        }
    }
    without
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
