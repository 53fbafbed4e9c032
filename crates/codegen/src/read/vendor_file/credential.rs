//! `[[credentials]]` and `[[refusals]]` → [`Credential`] and [`Refusal`].

use std::collections::BTreeMap;

use super::address::check_template;
use super::{choice, optional_text, text, texts, variable};
use crate::read::located::{Located, did_you_mean, one_of};
use toolwright_model::{Address, ClientSecret, Credential, Inbound, Refusal};

/// The longest beginning of tokens, in characters: a longer text may be a pasted token.
const LONGEST_BEGINNING: usize = 12;

/// Reads one credential.
pub(super) fn read(at: &Located<'_>, addresses: &[Address]) -> Option<Credential> {
    let words = || Credential::KINDS.into_iter();
    let kind = at.required("kind", &one_of(words()))?;
    let word = kind.text()?;
    let credential = match word {
        "bearer" => {
            at.only(&["kind", "token", "at"]);
            Credential::Bearer { token: variable(at, "token")?, at: read_at(at, addresses) }
        }
        "basic" => {
            at.only(&["kind", "user", "password", "at"]);
            let (user, password) = (variable(at, "user"), variable(at, "password"));
            Credential::Basic { user: user?, password: password?, at: read_at(at, addresses) }
        }
        "header" => {
            at.only(&["kind", "header", "value", "further", "at"]);
            let (header, value) = (header(at), variable(at, "value"));
            let further = at.get("further").map(|further| read_further(&further)).unwrap_or_default();
            Credential::Header { header: header?, value: value?, further, at: read_at(at, addresses) }
        }
        "oauth-refresh" => {
            at.only(&["kind", "client_id", "client_secret", "refresh_token_file", "endpoint", "client", "at"]);
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
            }
        }
        "oauth-client" => {
            at.only(&["kind", "client_id", "client_secret", "endpoint", "scope", "client", "at"]);
            let (client_id, client_secret) = (variable(at, "client_id"), variable(at, "client_secret"));
            Credential::OauthClient {
                client_id: client_id?,
                client_secret: client_secret?,
                endpoint: text(at, "endpoint", "the address that issues tokens")?,
                scope: optional_text(at, "scope"),
                client: read_client(at),
                at: read_at(at, addresses),
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
            check_template(&entry, endpoint, address, false);
        }
    }
    Some(credential)
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
    at.only(&["status", "at", "kinds", "text", "say"]);
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
        kinds: texts(at, "kinds"),
        text: optional_text(at, "text"),
        say: text(at, "say", "the explanation")?.split_whitespace().collect::<Vec<_>>().join(" "),
    })
}
