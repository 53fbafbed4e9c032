//! An identity provider that the test plays: metadata, keys, and tokens as the test wants them; people sign in there for this server
//! as the provider's client.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use url::Url;

/// This server, as a client of the provider.
pub(crate) const CLIENT: (&str, &str) = ("toolwright", "s3cret of the client");

/// A key of a provider.
pub(crate) enum SigningKey {
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl SigningKey {
    pub(crate) fn p256() -> Self {
        let random = SystemRandom::new();
        let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, key.as_ref(), &random).unwrap();
        Self::P256(pair)
    }

    pub(crate) fn ed25519() -> Self {
        let key = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Self::Ed25519(Ed25519KeyPair::from_pkcs8(key.as_ref()).unwrap())
    }

    pub(crate) fn public(&self) -> Vec<u8> {
        match self {
            Self::P256(pair) => pair.public_key().as_ref().to_vec(),
            Self::Ed25519(pair) => pair.public_key().as_ref().to_vec(),
        }
    }

    fn algorithm(&self) -> &'static str {
        match self {
            Self::P256(_) => "ES256",
            Self::Ed25519(_) => "EdDSA",
        }
    }

    fn jwk(&self, id: &str) -> Value {
        let (public, part) = (self.public(), |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes));
        match self {
            Self::P256(_) => json!({
                "kty": "EC", "crv": "P-256", "kid": id, "use": "sig", "x": part(&public[1..33]), "y": part(&public[33..])
            }),
            Self::Ed25519(_) => json!({"kty": "OKP", "crv": "Ed25519", "kid": id, "alg": "EdDSA", "x": part(&public)}),
        }
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::P256(pair) => pair.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec(),
            Self::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }

    /// A token with this header and these claims.
    pub(crate) fn token(&self, header: &Value, claims: &Value) -> String {
        let message = unsigned(header, claims);
        let signature = URL_SAFE_NO_PAD.encode(self.sign(message.as_bytes()));
        format!("{message}.{signature}")
    }
}

/// What is signed of a token.
pub(crate) fn unsigned(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", part(header), part(claims))
}

/// A provider.
pub(crate) struct Provider {
    address: SocketAddr,
    pub(crate) key: SigningKey,
    keys: Arc<Mutex<Value>>,
    /// How often its keys were read.
    read: Arc<AtomicUsize>,
    codes: Arc<Mutex<HashMap<String, Code>>>,
}

/// What a code is exchanged for, once.
struct Code {
    challenge: String,
    redirect: String,
    token: String,
}

/// Exchanges a code, as the standard asks: by its client, from its address, with its verifier, once.
fn exchange(codes: &Mutex<HashMap<String, Code>>, headers: &HeaderMap, body: &str) -> (StatusCode, String) {
    let form: HashMap<String, String> = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let basic =
        base64::engine::general_purpose::STANDARD.encode(format!("{}:{}", CLIENT.0, CLIENT.1.replace(' ', "+")));
    let is_client = headers.get("authorization").is_some_and(|own| *own == format!("Basic {basic}"));
    let code = codes.lock().unwrap().remove(field("code"));
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(field("code_verifier").as_bytes()));
    let is_sound = |code: &Code| is_client && code.redirect == field("redirect_uri") && code.challenge == challenge;
    match code.filter(is_sound) {
        Some(code) => (StatusCode::OK, json!({"token_type": "Bearer", "id_token": code.token}).to_string()),
        None => (StatusCode::BAD_REQUEST, json!({"error": "invalid_grant"}).to_string()),
    }
}

impl Provider {
    pub(crate) async fn start(key: SigningKey) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let keys = Arc::new(Mutex::new(json!({"keys": [key.jwk("first")]})));
        let read = Arc::new(AtomicUsize::new(0));
        let metadata = json!({
            "issuer": format!("http://{address}"), "jwks_uri": format!("http://{address}/keys?all=yes"),
            "id_token_signing_alg_values_supported": ["ES256", "EdDSA", "HS256", "none"],
            "authorization_endpoint": format!("http://{address}/sign-in"), "token_endpoint": format!("http://{address}/exchange"),
            "code_challenge_methods_supported": ["S256"], "authorization_response_iss_parameter_supported": true
        })
        .to_string();
        let served = (Arc::clone(&keys), Arc::clone(&read));
        let codes = Arc::<Mutex<HashMap<String, Code>>>::default();
        let exchanged = Arc::clone(&codes);
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(move || async move { metadata }))
            .route(
                "/keys",
                get(|State((keys, read)): State<(Arc<Mutex<Value>>, Arc<AtomicUsize>)>| async move {
                    read.fetch_add(1, Ordering::SeqCst);
                    keys.lock().unwrap().to_string()
                }),
            )
            .route(
                "/exchange",
                post(move |headers: HeaderMap, body: String| async move { exchange(&exchanged, &headers, &body) }),
            )
            .with_state(served);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, key, keys, read, codes }
    }

    pub(crate) fn issuer(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn reads(&self) -> usize {
        self.read.load(Ordering::SeqCst)
    }

    /// Replaces its keys.
    pub(crate) fn publish(&self, keys: &[(&str, &SigningKey)]) {
        let keys: Vec<Value> = keys.iter().map(|(id, key)| key.jwk(id)).collect();
        *self.keys.lock().unwrap() = json!({"keys": keys});
    }

    pub(crate) fn header(&self) -> Value {
        json!({"alg": self.key.algorithm(), "typ": "at+jwt", "kid": "first"})
    }

    /// The claims of a member of a group.
    pub(crate) fn claims(&self, audience: &str, group: &str, scope: &str) -> Value {
        json!({
            "iss": self.issuer(), "aud": audience, "sub": "ann", "exp": super::now() + 600, "iat": super::now(),
            "groups": ["staff", group], "scope": scope, "email": "ann@example.com", "email_verified": true
        })
    }

    /// A token of a member of a group.
    pub(crate) fn token(&self, audience: &str, group: &str, scope: &str) -> String {
        self.key.token(&self.header(), &self.claims(audience, group, scope))
    }

    /// The claims of a member of a group who signs in for a client, at the address to which this server sends a browser.
    pub(crate) fn identity(&self, address: &str, group: &str) -> Value {
        let mut claims = self.claims(CLIENT.0, group, "");
        claims["nonce"] = json!(query(address)["nonce"]);
        claims
    }

    /// Has a person sign in at the address to which this server sends a browser, with this token; returns the query with which the
    /// browser comes back.
    pub(crate) fn signed_in(&self, address: &str, token: String) -> String {
        assert!(address.starts_with(&format!("{}/sign-in?", self.issuer())), "{address}");
        let asked = query(address);
        assert_eq!((asked["response_type"].as_str(), asked["client_id"].as_str()), ("code", CLIENT.0));
        assert_eq!(asked["code_challenge_method"], "S256");
        let (challenge, redirect) = (asked["code_challenge"].clone(), asked["redirect_uri"].clone());
        let code = format!("c0de-{}", asked["state"]);
        self.codes.lock().unwrap().insert(code.clone(), Code { challenge, redirect, token });
        way_back(&[("code", &code), ("state", &asked["state"]), ("iss", &self.issuer())])
    }

    /// A token of a person who signs in: it has the header of an identity.
    pub(crate) fn identity_token(&self, claims: &Value) -> String {
        self.key.token(&json!({"alg": self.key.algorithm(), "typ": "JWT", "kid": "first"}), claims)
    }
}

/// A query with which a browser comes back.
pub(crate) fn way_back(parameters: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish()
}

/// The parameters of an address.
pub(crate) fn query(address: &str) -> HashMap<String, String> {
    Url::parse(address).unwrap().query_pairs().into_owned().collect()
}
