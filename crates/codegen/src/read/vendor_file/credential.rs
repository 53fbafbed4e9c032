//! `[[credentials]]` and `[[refusals]]` → [`Credential`] and [`Refusal`].

use std::collections::{BTreeMap, BTreeSet};

use super::address::check_template;
use super::{choice, optional_text, text, texts, variable};
use crate::read::document::Document;
use crate::read::located::{Located, did_you_mean, one_of};
use toolwright_model::{Address, ClientSecret, Credential, Inbound, Refusal};

/// The longest beginning of tokens, in characters: a longer text may be a pasted token.
const LONGEST_BEGINNING: usize = 12;

/// The longest text around a value, in characters, with `{}` for it.
const LONGEST_TEMPLATE: usize = 40;

/// Reads how a header writes its value.
fn template(at: &Located<'_>) -> Option<String> {
    let entry = at.get("template")?;
    let text = entry.text()?;
    let is_whole = text.matches("{}").count() == 1 && text.len() > "{}".len();
    // A long text is a value that was pasted.
    let is_short = text.chars().count() <= LONGEST_TEMPLATE;
    if !is_whole || !is_short || text.chars().any(char::is_control) {
        let expected =
            format!("a text of at most {LONGEST_TEMPLATE} characters with `{{}}` once, such as `Token token={{}}`");
        entry.wrong(expected);
        return None;
    }
    Some(text.to_owned())
}

/// Reads one credential.
pub(super) fn read(at: &Located<'_>, addresses: &[Address]) -> Option<Credential> {
    let words = || Credential::KINDS.into_iter();
    let kind = at.required("kind", &one_of(words()))?;
    let word = kind.text()?;
    let credential = match word {
        "bearer" => {
            at.only(&["kind", "token", "at", "schemes"]);
            let token = variable(at, "token")?;
            Credential::Bearer { token, at: read_at(at, addresses), schemes: texts(at, "schemes") }
        }
        "basic" => {
            at.only(&["kind", "user", "password", "at", "schemes"]);
            let (user, password) = (variable(at, "user"), variable(at, "password"));
            let schemes = texts(at, "schemes");
            Credential::Basic { user: user?, password: password?, at: read_at(at, addresses), schemes }
        }
        "header" => {
            at.only(&["kind", "header", "value", "template", "further", "at", "schemes"]);
            let (header, value, template) = (header(at), variable(at, "value"), template(at));
            let further = at.get("further").map(|further| read_further(&further)).unwrap_or_default();
            let (at, schemes) = (read_at(at, addresses), texts(at, "schemes"));
            Credential::Header { header: header?, value: value?, template, further, at, schemes }
        }
        "oauth-refresh" => {
            at.only(&[
                "kind",
                "client_id",
                "client_secret",
                "refresh_token_file",
                "endpoint",
                "client",
                "at",
                "schemes",
            ]);
            let (client_id, client_secret) = (variable(at, "client_id"), variable(at, "client_secret"));
            let file = variable(at, "refresh_token_file");
            if let (Some(file), Some(entry)) = (&file, at.get("refresh_token_file"))
                && !file.ends_with("_FILE")
            {
                let hint =
                    "the file is rewritten at each use, which is impossible for an environment variable".to_owned();
                entry.report("a variable whose name ends in `_FILE`".to_owned(), format!("`{file}`"), Some(hint));
            }
            Credential::OauthRefresh {
                client_id: client_id?,
                client_secret: client_secret?,
                refresh_token_file: file?,
                endpoint: text(at, "endpoint", "the address that issues tokens")?,
                client: read_client(at),
                at: read_at(at, addresses),
                schemes: texts(at, "schemes"),
            }
        }
        "oauth-client" => {
            at.only(&["kind", "client_id", "client_secret", "endpoint", "scope", "client", "at", "schemes"]);
            let (client_id, client_secret) = (variable(at, "client_id"), variable(at, "client_secret"));
            Credential::OauthClient {
                client_id: client_id?,
                client_secret: client_secret?,
                endpoint: text(at, "endpoint", "the address that issues tokens")?,
                scope: optional_text(at, "scope"),
                client: read_client(at),
                at: read_at(at, addresses),
                schemes: texts(at, "schemes"),
            }
        }
        other => {
            let near = did_you_mean(other, words());
            kind.report(one_of(words()), format!("`{other}`"), near);
            return None;
        }
    };
    if let (Some(endpoint), Some(entry)) = (credential.endpoint(), at.get("endpoint")) {
        for address in addresses.iter().filter(|address| credential.works_at(&address.name)) {
            // No variables: an address that a user sets must not receive the client's secret.
            check_template(&entry, endpoint, address, &[]);
        }
    }
    Some(credential)
}

/// Checks that credentials carry security schemes that a description has. `root` is vendor.toml.
pub fn check_schemes<'d>(
    credentials: &[Credential],
    documents: impl Iterator<Item = &'d Document>,
    root: &Located<'_>,
) {
    let components = documents.filter_map(|document| document.api.components.as_ref());
    let known: BTreeSet<&str> =
        components.flat_map(|components| components.security_schemes.keys()).map(String::as_str).collect();
    for (index, credential) in credentials.iter().enumerate() {
        for (place, scheme) in credential.schemes().iter().enumerate() {
            if !known.contains(scheme.as_str()) {
                let at = root.nearest(&format!("/credentials/{index}/schemes/{place}"));
                let near = did_you_mean(scheme, known.iter().copied());
                at.report("the name of a security scheme of a description", format!("`{scheme}`"), near);
            }
        }
    }
}

/// Reads names of addresses and checks that each exists.
fn read_at(at: &Located<'_>, addresses: &[Address]) -> Vec<String> {
    let Some(list) = at.get("at") else { return Vec::new() };
    for item in list.items() {
        let name = item.value.as_str().unwrap_or_default();
        if !addresses.is_empty() && !addresses.iter().any(|address| address.name == name) {
            let names = addresses.iter().map(|address| address.name.as_str());
            item.wrong(one_of(names));
        }
    }
    list.texts()
}

fn read_client(at: &Located<'_>) -> ClientSecret {
    at.get("client").and_then(|client| choice(&client, &ClientSecret::ALL)).unwrap_or_default()
}

fn header(at: &Located<'_>) -> Option<String> {
    let name = text(at, "header", "the header's name")?;
    if let Some(entry) = at.get("header")
        && !is_header(&name)
    {
        entry.wrong("the name of an HTTP header");
    }
    Some(name)
}

pub(super) fn is_header(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c))
}

/// Headers by name, each with its variable.
fn read_further(at: &Located<'_>) -> BTreeMap<String, String> {
    let mut further = BTreeMap::new();
    for (name, entry) in at.entries() {
        if !is_header(name) {
            entry.report("the name of an HTTP header".to_owned(), format!("`{name}`"), None);
        }
        if let Some(variable) = variable(at, name) {
            further.insert(name.to_owned(), variable);
        }
    }
    further
}

/// Reads what a caller may bring in place of the server's credentials.
pub(super) fn read_inbound(at: &Located<'_>, addresses: &[Address]) -> Option<Inbound> {
    at.only(&["token", "begins", "header", "at"]);
    let begins = optional_text(at, "begins");
    if let (Some(begins), Some(entry)) = (&begins, at.get("begins"))
        && (begins.is_empty() || begins.len() > LONGEST_BEGINNING || !begins.chars().all(|c| c.is_ascii_graphic()))
    {
        let hint = "what every such token begins with; never a whole token".to_owned();
        let expected = format!("1 to {LONGEST_BEGINNING} characters of ASCII");
        entry.report(expected, "something else".to_owned(), Some(hint));
    }
    let header = at.get("header").and_then(|_| header(at));
    Some(Inbound { token: text(at, "token", "what the vendor calls it")?, begins, header, at: read_at(at, addresses) })
}

/// Reads the explanation of one kind of refusal.
pub(super) fn read_refusal(at: &Located<'_>, addresses: &[Address]) -> Option<Refusal> {
    at.only(&["status", "at", "apis", "kinds", "text", "say"]);
    let status = at.required("status", "an HTTP status")?;
    let Some(number) = status.value.as_u64().and_then(|s| u16::try_from(s).ok()).filter(|s| (400..600).contains(s))
    else {
        status.wrong("an HTTP status from 400 to 599");
        return None;
    };
    if let Some(kinds) = at.get("kinds") {
        for kind in kinds.items() {
            if !kind.value.as_str().is_some_and(|word| Credential::KINDS.contains(&word)) {
                kind.wrong(one_of(Credential::KINDS.into_iter()));
            }
        }
    }
    Some(Refusal {
        status: number,
        at: read_at(at, addresses),
        apis: texts(at, "apis"),
        kinds: texts(at, "kinds"),
        text: optional_text(at, "text"),
        say: text(at, "say", "the explanation")?.split_whitespace().collect::<Vec<_>>().join(" "),
    })
}

/// Checks that refusals name files of the vendor. `root` is vendor.toml.
pub fn check_refusals(refusals: &[Refusal], apis: &[&str], root: &Located<'_>) {
    for (index, refusal) in refusals.iter().enumerate() {
        for name in refusal.apis.iter().filter(|name| !apis.contains(&name.as_str())) {
            let at = root.nearest(&format!("/refusals/{index}/apis"));
            at.report(
                "the names of the vendor's files".to_owned(),
                format!("`{name}`"),
                did_you_mean(name, apis.iter().copied()),
            );
        }
    }
}
