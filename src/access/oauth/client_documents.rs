//! The address of a client's document, which is its id → the client (OAuth Client ID Metadata Documents). Whoever asks for an
//! authorization chooses that address, so it is fetched as a hostile one: by `https`, from public addresses only, without
//! redirects and proxies, within time and size.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use url::{Host, Url};

use super::clients::{Client, MOST_REDIRECTS, shown_name};
use super::redirects::RedirectHosts;
use crate::error::ConfigError;
use crate::upstream::{collect, public_client};

/// How long a document may take, with looking up its host.
const WITHIN: Duration = Duration::from_secs(5);
/// The longest document, in bytes.
const LONGEST: usize = 64 * 1024;
/// For how long a document is kept.
const KEPT: Duration = Duration::from_secs(600);
/// How many are kept.
const MOST_KEPT: usize = 256;
/// How many are fetched at once.
const MOST_AT_ONCE: usize = 4;

/// Reads documents.
pub(super) struct ClientDocuments {
    http: reqwest::Client,
    fetching: Semaphore,
    kept: Mutex<HashMap<String, (Client, Instant)>>,
}

impl fmt::Debug for ClientDocuments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientDocuments").finish_non_exhaustive()
    }
}

/// Whether the id of a client is the address of a document: `https`, a name and no number as host, a path, nothing else, and
/// written as it is understood.
pub(super) fn is_document(id: &str) -> bool {
    let Ok(url) = Url::parse(id) else { return false };
    let is_plain = url.scheme() == "https"
        && url.username().is_empty()
        && url.password().is_none()
        && url.port().is_none()
        && url.fragment().is_none()
        && url.query().is_none();
    let is_name = matches!(url.host(), Some(Host::Domain(name)) if name.contains('.'));
    is_plain && is_name && url.path() != "/" && url.as_str() == id
}

impl ClientDocuments {
    /// Reads documents over the network.
    ///
    /// # Errors
    /// TLS can't be set up.
    pub(super) fn new() -> Result<Self, ConfigError> {
        Ok(Self { http: public_client(WITHIN)?, fetching: Semaphore::new(MOST_AT_ONCE), kept: Mutex::default() })
    }

    /// Whether a document has to be fetched.
    pub(super) fn would_fetch(&self, id: &str) -> bool {
        is_document(id) && self.kept(id).is_none()
    }

    fn kept(&self, id: &str) -> Option<Client> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(id).filter(|(_, at)| at.elapsed() < KEPT).map(|(client, _)| client.clone())
    }

    /// Reads the document of a client.
    pub(super) async fn read(&self, id: &str, hosts: &RedirectHosts) -> Result<Client, String> {
        if let Some(client) = self.kept(id) {
            return Ok(client);
        }
        let document = tokio::time::timeout(WITHIN, self.fetch(id)).await;
        let document = document.map_err(|_| "the client's document did not come in time".to_owned())??;
        let client = client_of(id, &document, hosts)?;
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST_KEPT {
            kept.retain(|_, (_, at)| at.elapsed() < KEPT);
        }
        if kept.len() < MOST_KEPT {
            kept.insert(id.to_owned(), (client.clone(), Instant::now()));
        }
        Ok(client)
    }

    async fn fetch(&self, id: &str) -> Result<Value, String> {
        let _place = self.fetching.try_acquire().map_err(|_| "too many clients ask at once; try again".to_owned())?;
        let request = self.http.get(id).header("accept", "application/json");
        // Why a host can't be reached would show what is on this server's network.
        let response = request.send().await.map_err(|_| "the client's document can't be reached".to_owned())?;
        let wrong = || "the client's address leads to no document".to_owned();
        if response.status() != reqwest::StatusCode::OK {
            return Err(wrong());
        }
        let (text, is_whole) = collect(response.bytes_stream(), LONGEST).await.map_err(|_| wrong())?;
        serde_json::from_slice(&text).ok().filter(|_| is_whole).ok_or_else(wrong)
    }
}

/// Reads a document.
fn client_of(id: &str, document: &Value, hosts: &RedirectHosts) -> Result<Client, String> {
    let text = |name: &str| document.get(name).and_then(Value::as_str);
    if text("client_id") != Some(id) {
        return Err("the client's document is of another client".to_owned());
    }
    if text("token_endpoint_auth_method").is_some_and(|method| method != "none") {
        return Err("the client's document asks for a way to authenticate that this server does not have".to_owned());
    }
    let host = Url::parse(id).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
    let redirects = document.get("redirect_uris").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let redirects = redirects.iter().filter_map(Value::as_str).take(MOST_REDIRECTS);
    let redirects: Vec<String> =
        redirects.filter(|redirect| hosts.permitted_to(redirect, &host).is_some()).map(str::to_owned).collect();
    if redirects.is_empty() {
        return Err("the client's document names no address that people may be sent back to".to_owned());
    }
    let name = shown_name(text("client_name").unwrap_or(&host));
    Ok(Client { id: id.to_owned(), name, host: Some(host), redirects })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_plain_public_names_lead_to_a_document() {
        for (id, expected) in [
            ("https://app.example.com/oauth/client.json", true),
            ("http://app.example.com/client.json", false),
            ("https://app.example.com/", false),
            ("https://app.example.com", false),
            ("https://127.0.0.1/client.json", false),
            ("https://[::1]/client.json", false),
            ("https://2130706433/client.json", false),
            ("https://0x7f.1/client.json", false),
            ("https://localhost/client.json", false),
            ("https://metadata/client.json", false),
            ("https://app.example.com:8443/client.json", false),
            ("https://user@app.example.com/client.json", false),
            ("https://app.example.com/client.json#x", false),
            ("https://app.example.com/client.json?x=1", false),
            ("https://app.example.com/a/../client.json", false),
            ("https://APP.example.com/client.json", false),
            ("file:///etc/passwd", false),
            ("gopher://app.example.com/x", false),
        ] {
            assert_eq!(is_document(id), expected, "{id}");
        }
    }

    #[test]
    fn a_document_is_of_the_client_that_it_names() {
        const ID: &str = "https://app.example.com/client.json";
        let read = |document: Value| client_of(ID, &document, &RedirectHosts::default());
        let back = "https://app.example.com/back";
        let client =
            read(json!({"client_id": ID, "client_name": "App", "redirect_uris": [back, "https://evil.example.com/"]}));
        let client = client.unwrap();
        assert_eq!(
            (client.redirects.as_slice(), client.host.as_deref()),
            (&[back.to_owned()][..], Some("app.example.com"))
        );
        for document in [
            json!({"client_id": "https://other.example.com/client.json", "redirect_uris": [back]}),
            json!({"redirect_uris": [back]}),
            json!({"client_id": ID, "redirect_uris": ["https://evil.example.com/"]}),
            json!({"client_id": ID, "redirect_uris": [back], "token_endpoint_auth_method": "private_key_jwt"}),
            json!([]),
        ] {
            assert!(read(document.clone()).is_err(), "{document}");
        }
    }
}
