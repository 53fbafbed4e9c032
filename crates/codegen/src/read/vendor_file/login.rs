//! `[oauth]` → [`Login`], how a person signs in.

use super::{optional_text, table, text, texts, variable};
use crate::read::located::Located;
use toolwright_model::{Address, Credential, Login, LoginSites};

/// Reads how people sign in. Their refresh tokens are used by one of `credentials`.
pub(super) fn read(at: &Located<'_>, credentials: &[Credential], addresses: &[Address]) -> Option<Login> {
    at.only(&["authorize", "parameters", "scopes", "revoke", "consents", "sites"]);
    match credentials.iter().find(|credential| matches!(credential, Credential::OauthRefresh { .. })) {
        Some(credential) if credential.endpoint().is_some_and(|endpoint| endpoint.contains('{')) => {
            let hint = "nothing of the address is known before a person has signed in".to_owned();
            at.report("an `endpoint` of the refresh tokens without words".to_owned(), "words".to_owned(), Some(hint));
        }
        Some(_) => {}
        None => at.wrong("one of `[[credentials]]` of the kind `oauth-refresh`, which uses what a login returns"),
    }
    let authorize = address(at, "authorize");
    for key in ["revoke", "consents"] {
        if at.get(key).is_some() {
            address(at, key);
        }
    }
    let sites = at.get("sites").map(|sites| read_sites(&sites, addresses));
    let parameters = at.get("parameters").map(|entry| table(&entry)).unwrap_or_default();
    Some(Login {
        authorize: authorize?,
        parameters,
        scopes: texts(at, "scopes"),
        revoke: optional_text(at, "revoke"),
        consents: optional_text(at, "consents"),
        sites: match sites {
            Some(sites) => Some(sites?),
            None => None,
        },
    })
}

fn read_sites(at: &Located<'_>, addresses: &[Address]) -> Option<LoginSites> {
    at.only(&["endpoint", "variable", "id", "names"]);
    let variable = variable(at, "variable");
    if let (Some(variable), Some(entry)) = (&variable, at.get("variable"))
        && !addresses.iter().any(|address| address.variables().any(|known| known == variable))
    {
        entry.wrong("a variable of one of the addresses");
    }
    let endpoint = address(at, "endpoint");
    let id = text(at, "id", "a JSON pointer into an entry");
    let names = at.required("names", "JSON pointers into an entry").map(|entry| entry.texts())?;
    for pointer in names.iter().chain(&id).filter(|pointer| !pointer.starts_with('/')) {
        at.report("JSON pointers, such as `/name`".to_owned(), format!("`{pointer}`"), None);
    }
    Some(LoginSites { endpoint: endpoint?, variable: variable?, id: id?, names })
}

/// An address that never depends on a variable: secrets are sent there.
fn address(at: &Located<'_>, key: &str) -> Option<String> {
    let text = text(at, key, "an address")?;
    if let Some(entry) = at.get(key)
        && (!text.starts_with("https://") || text.contains(['{', ' ']))
    {
        entry.wrong("an address that begins with `https://`, without words in `{}`");
    }
    Some(text)
}
