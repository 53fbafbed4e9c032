//! A vendor's sign-in page and a person's consent → a refresh token, and the sites that it reaches: the authorization code
//! grant of RFC 6749 with PKCE (RFC 7636), whose redirect arrives at this machine (RFC 8252).

mod redirect;

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom as _, SystemRandom};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;
use url::Url;

use crate::error::ConfigError;
use crate::upstream::{Tls, TokenRequest, Unencrypted, exchange_code, http_client, parse_address};
use redirect::Redirect;
use toolwright_model::{Login, LoginSites, answer_limits};

/// How long the vendor may take to list sites or to revoke a token.
const TIMEOUT: Duration = Duration::from_secs(20);
/// How many random bytes make a state or a verifier unguessable.
const RANDOM_BYTES: usize = 32;

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

/// A sign-in that waits for a person.
#[derive(Debug)]
pub struct SignIn {
    listener: TcpListener,
    url: Url,
    redirect: String,
    state: String,
    verifier: Secret,
}

/// What must not be shown.
struct Secret(String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// What a person has consented to.
pub struct SignedIn {
    /// The refresh token; its next use replaces it.
    pub refresh_token: String,
    access_token: String,
    /// The scopes, where the vendor states them.
    pub scopes: Option<Vec<String>>,
}

/// A site that a token reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
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
        let (state, verifier) = (random()?, random()?);
        let mut url = address(&login.authorize)?;
        let requested: BTreeSet<&str> = login.scopes.iter().chain(scopes).map(String::as_str).collect();
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
        url.query_pairs_mut()
            .extend_pairs(&login.parameters)
            .append_pair("response_type", "code")
            .append_pair("client_id", client_id)
            .append_pair("redirect_uri", &redirect)
            .append_pair("scope", &requested.into_iter().collect::<Vec<_>>().join(" "))
            .append_pair("state", &state)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        Ok(Self { listener, url, redirect, state, verifier: Secret(verifier) })
    }

    /// The page where the person signs in.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The address that the vendor sends the person back to: its app has to name it.
    pub fn redirect(&self) -> &str {
        &self.redirect
    }

    /// Waits for the person, and exchanges what the vendor's page returns for a refresh token.
    ///
    /// # Errors
    /// The person or the vendor refused, or `within` is over.
    pub async fn finish(self, request: &TokenRequest, within: Duration) -> Result<SignedIn, LoginError> {
        let back = Redirect::wait(self.listener, &self.state);
        let returned = tokio::time::timeout(within, back).await;
        let code = match returned {
            Ok(code) => code?,
            Err(_) => {
                let waited = within.as_secs();
                return Err(LoginError::Refused(format!(
                    "nobody came back from the vendor's page within {waited} s\n\
                     hint: the app of the vendor has to name `{}` as its callback address; `--wait` is for longer",
                    self.redirect
                )));
            }
        };
        let issued = exchange_code(request, &code, &self.redirect, &self.verifier.0).await;
        let issued = issued.map_err(LoginError::Refused)?;
        let Some(refresh_token) = issued.refresh_token else {
            let reason = "the vendor issued no refresh token: its app may not be allowed to ask for one";
            return Err(LoginError::Refused(reason.to_owned()));
        };
        Ok(SignedIn { refresh_token, access_token: issued.access_token, scopes: issued.scopes })
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

fn random() -> Result<String, LoginError> {
    let mut bytes = [0; RANDOM_BYTES];
    let drawn = SystemRandom::new().fill(&mut bytes);
    drawn.map_err(|_| LoginError::Refused("the system has no random numbers".to_owned()))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}
