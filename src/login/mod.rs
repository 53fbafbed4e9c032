//! A vendor's sign-in page and a person's consent → a refresh token, and the sites that it reaches. The authorization is the same
//! wherever the person comes back to; here it is this machine (RFC 8252).

mod authorization;
mod redirect;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::net::TcpListener;
use url::Url;

use crate::error::ConfigError;
use crate::upstream::{Tls, TokenRequest, Unencrypted, http_client, parse_address};
pub use authorization::{Authorization, Code, scopes_of};
use redirect::Redirect;
use toolwright_model::{Login, LoginSites, answer_limits};

/// How long the vendor may take to list sites or to revoke a token.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Why a sign-in did not lead to a token.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// Something is configured wrongly; nothing was sent.
    #[error(transparent)]
    Configuration(#[from] ConfigError),
    /// The person or the vendor refused, or could not be reached.
    #[error("{0}")]
    Refused(String),
}

/// A sign-in on this machine that waits for a person.
#[derive(Debug)]
pub struct SignIn {
    listener: TcpListener,
    authorization: Arc<Authorization>,
}

/// What a person has consented to.
pub struct SignedIn {
    /// The refresh token; its next use replaces it.
    pub refresh_token: String,
    access_token: String,
    /// The scopes, where the vendor states them.
    pub scopes: Option<Vec<String>>,
}

/// Without its tokens.
impl fmt::Debug for SignedIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedIn").field("scopes", &self.scopes).finish_non_exhaustive()
    }
}

/// A site that a token reaches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub names: Vec<String>,
}

impl SignIn {
    /// Listens on this machine for the way back, at a port that the vendor's app names; 0 is any.
    ///
    /// # Errors
    /// The port is in use, or the vendor's file states no address.
    pub async fn begin(
        login: &Login,
        client_id: &str,
        scopes: &BTreeSet<String>,
        port: u16,
    ) -> Result<Self, LoginError> {
        let listener = TcpListener::bind(("127.0.0.1", port)).await;
        let listening = listener.and_then(|listener| Ok((listener.local_addr()?.port(), listener)));
        let (port, listener) = listening.map_err(|error| {
            ConfigError::new(format!(
                "can't listen on port {port} for the way back from the vendor's page: {error}\n\
                 hint: `--port` names another one, which the app has to name as well"
            ))
        })?;
        // By the name: apps are registered with it, and compared as text.
        let redirect = format!("http://localhost:{port}{}", redirect::PATH);
        let authorization = Authorization::begin(login, client_id, scopes, redirect)?;
        Ok(Self { listener, authorization: Arc::new(authorization) })
    }

    /// The page where the person signs in.
    pub fn url(&self) -> &Url {
        self.authorization.url()
    }

    /// The address that the vendor sends the person back to: its app has to name it.
    pub fn redirect(&self) -> &str {
        self.authorization.redirect()
    }

    /// Waits for the person, and exchanges what the vendor's page returns for a refresh token.
    ///
    /// # Errors
    /// The person or the vendor refused, or `within` is over.
    pub async fn finish(self, request: &TokenRequest, within: Duration) -> Result<SignedIn, LoginError> {
        let back = Redirect::wait(self.listener, &self.authorization);
        let returned = tokio::time::timeout(within, back).await;
        let code = match returned {
            Ok(code) => code?,
            Err(_) => {
                let waited = within.as_secs();
                return Err(LoginError::Refused(format!(
                    "nobody came back from the vendor's page within {waited} s\n\
                     hint: the app of the vendor has to name `{}` as its callback address; `--wait` is for longer",
                    self.authorization.redirect()
                )));
            }
        };
        self.authorization.exchange(request, code).await
    }
}

impl SignedIn {
    /// Returns the sites that the token reaches, in the vendor's order.
    ///
    /// # Errors
    /// The vendor can't be reached, or answers with something else.
    pub async fn sites(&self, sites: &LoginSites, tls: &Tls) -> Result<Vec<Site>, LoginError> {
        let endpoint = address(&sites.endpoint)?;
        let http = http_client(&endpoint, tls, TIMEOUT, None, &[])?;
        let wrong = |what: &str| LoginError::Refused(format!("`{}` {what}", endpoint.origin().ascii_serialization()));
        let request = http.get(endpoint.clone()).bearer_auth(&self.access_token).header("accept", "application/json");
        let response = request.send().await.map_err(|_| wrong("can't be reached, so that the sites are not known"))?;
        if !response.status().is_success() {
            return Err(wrong(&format!("answered {} to the question for the sites", response.status().as_u16())));
        }
        let answer = crate::upstream::collect(response.bytes_stream(), answer_limits::REFUSAL_BYTES).await;
        let whole = answer.ok().filter(|(_, is_whole)| *is_whole).map(|(bytes, _)| bytes);
        let list: Option<Vec<Value>> = whole.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let list = list.ok_or_else(|| wrong("answered with no list of sites"))?;
        let text = |entry: &Value, pointer: &str| entry.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let found = list.iter().filter_map(|entry| {
            let names = sites.names.iter().filter_map(|pointer| text(entry, pointer)).collect();
            Some(Site { id: text(entry, &sites.id)?, names })
        });
        Ok(found.collect())
    }
}

/// Revokes a refresh token at the vendor.
///
/// # Errors
/// The vendor can't be reached, or refuses.
pub async fn revoke(endpoint: &str, request: &TokenRequest, refresh_token: &str) -> Result<(), LoginError> {
    let endpoint = address(endpoint)?;
    let http = http_client(&endpoint, &request.tls, TIMEOUT, None, &[])?;
    let fields = [
        ("token", refresh_token),
        ("token_type_hint", "refresh_token"),
        ("client_id", &request.client_id),
        ("client_secret", &request.client_secret),
    ];
    let site = endpoint.origin().ascii_serialization();
    match http.post(endpoint).form(&fields).send().await {
        Ok(response) if response.status().is_success() => Ok(()),
        Ok(response) => {
            Err(LoginError::Refused(format!("`{site}` answered {} to the revocation", response.status().as_u16())))
        }
        Err(_) => Err(LoginError::Refused(format!("`{site}` can't be reached, so that nothing was revoked"))),
    }
}

/// An address of the vendor's file.
fn address(text: &str) -> Result<Url, ConfigError> {
    let mut url = parse_address(text, &[], Unencrypted::OnThisMachine)
        .map_err(|error| ConfigError::new(format!("`{text}` {error}; this is a fault of toolwright")))?;
    // An address of an API ends with `/`, so that paths can be appended.
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}
