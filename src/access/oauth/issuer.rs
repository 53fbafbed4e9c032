//! The address of the company's identity provider → what it states of itself (RFC 8414, OpenID Connect Discovery), and its
//! keys, which it changes from time to time.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use serde_json::Value;
use tokio::time::Instant;
use url::Url;

use super::keys::{Algorithm, Keys};
use super::signed_token::{Claims, SignedToken};
use crate::error::ConfigError;
use crate::upstream::{Tls, collect, http_client, parse_endpoint};

/// How long the provider may take for an answer.
const WITHIN: Duration = Duration::from_secs(10);
/// The longest answer that is read, in bytes.
const LONGEST: usize = 256 * 1024;
/// How often keys are read at most, whatever keys tokens name.
const BETWEEN: Duration = Duration::from_secs(60);
/// After this time keys are read again, so that one that the provider has withdrawn ends.
const FRESH: Duration = Duration::from_secs(600);
/// For how long keys are used that can't be read again.
const USABLE: Duration = Duration::from_secs(3_600);

/// An identity provider.
pub struct Issuer {
    /// As the provider names itself.
    identifier: String,
    keys_at: Url,
    http: reqwest::Client,
    /// What it states of itself.
    metadata: Value,
    /// What the provider announces that it signs with, of what is taken at all.
    algorithms: Vec<Algorithm>,
    keys: RwLock<Arc<Known>>,
    /// Held while keys are read: when that was begun last, since the first time.
    reading: tokio::sync::Mutex<Option<Instant>>,
}

/// Keys, and when they were read.
struct Known {
    keys: Keys,
    at: Instant,
}

/// Why a token is not taken.
pub(super) enum NotTaken {
    /// It is none, for this reason.
    Invalid(&'static str),
    /// The provider's keys are not known at present.
    Unknown,
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuer").field("issuer", &self.identifier).finish_non_exhaustive()
    }
}

impl Issuer {
    /// Reads what a provider states of itself, and its keys.
    ///
    /// # Errors
    /// The address is none, or the provider can't be reached or states something else.
    pub async fn discover(issuer: &str) -> Result<Self, ConfigError> {
        Self::discover_as(issuer, "--issuer").await
    }

    /// The same for the provider that another setting names.
    ///
    /// # Errors
    /// As [`Self::discover`].
    pub(super) async fn discover_as(issuer: &str, setting: &str) -> Result<Self, ConfigError> {
        let wrong = |what: String| ConfigError::new(format!("`{setting} {issuer}` {what}"));
        let address = parse_endpoint(issuer).map_err(|error| wrong(error.to_string()))?;
        if address.query().is_some() || address.fragment().is_some() {
            return Err(wrong("is no issuer: it has a query or a fragment".to_owned()));
        }
        let metadata = find_metadata(issuer, &address, setting).await.map_err(wrong)?;
        let keys_at = metadata.get("jwks_uri").and_then(Value::as_str).map(parse_endpoint);
        let Some(Ok(keys_at)) = keys_at else {
            return Err(wrong("states no encrypted address of its keys (`jwks_uri`)".to_owned()));
        };
        let http = http_client(&keys_at, &Tls::default(), WITHIN, None, &[])?;
        let algorithms = announced(&metadata);
        if algorithms.is_empty() {
            return Err(wrong("signs with no algorithm of RS256, PS256, ES256 and EdDSA".to_owned()));
        }
        let keys = read_keys(&http, &keys_at).await.map_err(|reason| wrong(format!("has no keys: {reason}")))?;
        let known = Known { keys, at: Instant::now() };
        Ok(Self {
            identifier: issuer.to_owned(),
            keys_at,
            http,
            metadata,
            algorithms,
            keys: RwLock::new(Arc::new(known)),
            reading: tokio::sync::Mutex::default(),
        })
    }

    /// Its identifier.
    pub fn identifier(&self) -> &str {
        &self.identifier
    }

    /// What it states of itself by this name.
    pub(super) fn stated(&self, name: &str) -> Option<&Value> {
        self.metadata.get(name)
    }

    /// Verifies a token: its signature, its issuer, its audience and its times.
    pub(super) async fn verify(&self, text: &str, audiences: &[String], now: SystemTime) -> Result<Claims, NotTaken> {
        let token = SignedToken::read(text).map_err(NotTaken::Invalid)?;
        if !token.states(&self.identifier) {
            return Err(NotTaken::Invalid("another issuer has issued it"));
        }
        if !self.algorithms.contains(&token.algorithm) {
            return Err(NotTaken::Invalid("its algorithm is none that the issuer announces"));
        }
        let known = self.known(token.key.as_deref()).await;
        if known.at.elapsed() > USABLE {
            return Err(NotTaken::Unknown);
        }
        let is_signed = known
            .keys
            .fitting(token.key.as_deref(), token.algorithm)
            .any(|key| key.verifies(token.algorithm, token.message.as_bytes(), &token.signature));
        if !is_signed {
            return Err(NotTaken::Invalid("it is not signed with a key of its issuer"));
        }
        token.claims(&self.identifier, audiences, now).map_err(NotTaken::Invalid)
    }

    /// The keys, read again where they are old, or where a token names one that is not among them.
    async fn known(&self, named: Option<&str>) -> Arc<Known> {
        let now = || Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner));
        let is_enough = |known: &Known| known.at.elapsed() < FRESH && named.is_none_or(|named| known.keys.has(named));
        let known = now();
        if is_enough(&known) {
            return known;
        }
        let mut begun = self.reading.lock().await;
        // Another request may have read them while this one waited.
        let known = now();
        if is_enough(&known) || begun.is_some_and(|begun| begun.elapsed() < BETWEEN) {
            return known;
        }
        *begun = Some(Instant::now());
        match read_keys(&self.http, &self.keys_at).await {
            Ok(keys) => {
                let read = Known { keys, at: Instant::now() };
                *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(read);
            }
            Err(reason) => tracing::warn!(issuer = self.identifier, "the keys of the issuer can't be read: {reason}"),
        }
        now()
    }
}

/// Finds the metadata of an issuer at the places that the standards have for it.
async fn find_metadata(issuer: &str, address: &Url, setting: &str) -> Result<Value, String> {
    let http = http_client(address, &Tls::default(), WITHIN, None, &[]).map_err(|error| error.to_string())?;
    let mut found = None;
    for place in places(address) {
        let Ok(metadata) = read_json(&http, place).await else { continue };
        match metadata.get("issuer").and_then(Value::as_str) {
            Some(stated) if stated == issuer => return Ok(metadata),
            Some(stated) => found = Some(toolwright_model::truncate(stated, 200).into_owned()),
            None => {}
        }
    }
    Err(match found {
        Some(stated) => {
            format!("states another issuer\nhint: name it exactly as it names itself: `{setting} {stated}`")
        }
        None => {
            "has no metadata, or can't be reached\nhint: it must serve `/.well-known/oauth-authorization-server` or \
                 `/.well-known/openid-configuration`"
                .to_owned()
        }
    })
}

fn places(issuer: &Url) -> Vec<Url> {
    let path = issuer.path().trim_end_matches('/');
    let mut places = Vec::new();
    for place in [
        format!("/.well-known/oauth-authorization-server{path}"),
        format!("/.well-known/openid-configuration{path}"),
        format!("{path}/.well-known/openid-configuration"),
    ] {
        let mut url = issuer.clone();
        url.set_path(&place);
        if !places.contains(&url) {
            places.push(url);
        }
    }
    places
}

/// The algorithms that are taken of those that a provider announces; where it announces none, all that are taken at all.
fn announced(metadata: &Value) -> Vec<Algorithm> {
    let names = metadata.get("id_token_signing_alg_values_supported").and_then(Value::as_array);
    names.map_or_else(
        || Algorithm::ALL.to_vec(),
        |names| names.iter().filter_map(|name| Algorithm::read(name.as_str()?)).collect(),
    )
}

async fn read_keys(http: &reqwest::Client, at: &Url) -> Result<Keys, String> {
    let keys = read_json(http, at.clone()).await?;
    Keys::read(&keys).filter(|keys| !keys.is_empty()).ok_or_else(|| "none that is taken is among them".to_owned())
}

async fn read_json(http: &reqwest::Client, at: Url) -> Result<Value, String> {
    let request = http.get(at).header("accept", "application/json");
    let response = request.send().await.map_err(|_| "it can't be reached".to_owned())?;
    if response.status() != reqwest::StatusCode::OK {
        return Err(format!("it answers {}", response.status().as_u16()));
    }
    let read = collect(response.bytes_stream(), LONGEST).await.map_err(|_| "its answer breaks off".to_owned())?;
    let (text, is_whole) = read;
    let parsed = serde_json::from_slice(&text).ok().filter(|_| is_whole);
    parsed.ok_or_else(|| "its answer is no JSON, or too long".to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn metadata_is_looked_for_where_the_standards_have_it() {
        for (issuer, expected) in [
            (
                "https://id.example.com",
                &["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"][..],
            ),
            (
                "https://id.example.com/realms/acme/",
                &[
                    "/.well-known/oauth-authorization-server/realms/acme",
                    "/.well-known/openid-configuration/realms/acme",
                    "/realms/acme/.well-known/openid-configuration",
                ],
            ),
        ] {
            let places = places(&Url::parse(issuer).unwrap());
            assert_eq!(places.iter().map(Url::path).collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn what_is_announced_is_taken_only_where_it_is_taken_at_all() {
        let algorithms = |names: Value| announced(&json!({"id_token_signing_alg_values_supported": names}));
        assert_eq!(algorithms(json!(["HS256", "none", "ES256"])), [Algorithm::Es256]);
        assert_eq!(algorithms(json!(["HS256", "none"])), []);
        assert_eq!(announced(&json!({})), Algorithm::ALL);
    }
}
