//! A vendor that people sign in at: a page, a token endpoint whose refresh tokens are good once, sites, revocation, and an API for
//! each site that takes the access token it has issued last.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use toolwright_model::Vendor;
use url::form_urlencoded;

use crate::common::acme;

pub(super) const SECRET: &str = "s3cret-of-the-app";
/// The ids of two sites.
pub(super) const SITES: [&str; 2] = ["3f0c9d7e-8a41-4b6e-9c52-d17e60b2a945", "7b1d2c3e-8a41-4b6e-9c52-d17e60b2a945"];

/// What it has issued and seen.
#[derive(Default)]
pub(super) struct Issued {
    /// The codes that wait, with what they are bound to: challenge and redirect.
    codes: HashMap<String, (String, String)>,
    last: usize,
    /// The refresh token that is good now; any other one is refused, and counted.
    pub(super) refresh: Option<String>,
    pub(super) access: Option<String>,
    /// Refresh tokens as they were exchanged.
    pub(super) exchanged: Vec<String>,
    pub(super) refused: usize,
    pub(super) revoked: Vec<String>,
    /// How many sites a token reaches, how long the token endpoint takes, and whether revocation fails.
    pub(super) sites: usize,
    pub(super) delay: Duration,
    pub(super) revokes: u16,
}

#[derive(Clone)]
pub(super) struct ScriptedVendor {
    pub(super) address: SocketAddr,
    pub(super) issued: Arc<Mutex<Issued>>,
}

impl ScriptedVendor {
    pub(super) async fn start(sites: usize) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let issued = Arc::new(Mutex::new(Issued { sites, revokes: 200, ..Issued::default() }));
        let vendor = Self { address, issued };
        let router = Router::new()
            .route("/token", post(token))
            .route("/sites", get(reached))
            .route("/revoke", post(revoke))
            .route("/api/{site}/who", get(who))
            .with_state(vendor.clone());
        tokio::spawn(axum::serve(listener, router).into_future());
        vendor
    }

    pub(super) fn set<T>(&self, change: impl FnOnce(&mut Issued) -> T) -> T {
        change(&mut self.issued.lock().unwrap())
    }

    /// The vendor.toml of it.
    pub(super) fn described(&self) -> Vendor {
        let at = format!("http://{}", self.address);
        acme::vendor(&format!(
            "[[addresses]]\nname = \"cloud\"\nvariable = \"ACME_SITE\"\nholds = \"uuid\"\n\
             example = \"00000000-0000-0000-0000-000000000000\"\n\
             [addresses.roots]\na = \"{at}/api/{{ACME_SITE}}\"\nb = \"{at}/api/{{ACME_SITE}}\"\n\
             [[credentials]]\nkind = \"oauth-refresh\"\nclient_id = \"ACME_ID\"\nclient_secret = \"ACME_SECRET\"\n\
             refresh_token_file = \"ACME_TOKEN_FILE\"\nendpoint = \"{at}/token\"\nclient = \"json\"\n\
             [oauth]\nauthorize = \"{at}/authorize\"\nscopes = [\"offline\"]\nrevoke = \"{at}/revoke\"\n\
             [oauth.sites]\nendpoint = \"{at}/sites\"\nvariable = \"ACME_SITE\"\nid = \"/id\"\nnames = [\"/name\"]\n"
        ))
    }

    /// A person consents on the page at this address; returns what the browser is sent back with.
    pub(super) fn consents(&self, address: &str) -> String {
        let url = url::Url::parse(address).unwrap();
        let asked: HashMap<String, String> = url.query_pairs().into_owned().collect();
        assert_eq!((url.path(), asked["client_id"].as_str()), ("/authorize", "app"), "{asked:?}");
        assert_eq!(
            (asked["code_challenge_method"].as_str(), asked["scope"].as_str()),
            ("S256", "offline"),
            "{asked:?}"
        );
        let code = self.set(|issued| {
            issued.last += 1;
            let code = format!("c0de-{}", issued.last);
            issued.codes.insert(code.clone(), (asked["code_challenge"].clone(), asked["redirect_uri"].clone()));
            code
        });
        way_back(&[("code", &code), ("state", &asked["state"])])
    }
}

pub(super) fn way_back(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// The state of an address that a browser is sent to.
pub(super) fn state_of(address: &str) -> String {
    let url = url::Url::parse(address).unwrap();
    url.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned()
}

async fn token(State(vendor): State<ScriptedVendor>, body: String) -> Response {
    let body: HashMap<String, String> = serde_json::from_str(&body).unwrap();
    let text = |name: &str| body.get(name).cloned().unwrap_or_default();
    let (answer, delay) = vendor.set(|issued| {
        let is_good = match text("grant_type").as_str() {
            "authorization_code" => issued.codes.remove(&text("code")).is_some_and(|(challenge, redirect)| {
                let verifier = URL_SAFE_NO_PAD.encode(Sha256::digest(text("code_verifier").as_bytes()));
                challenge == verifier && redirect == text("redirect_uri")
            }),
            "refresh_token" => {
                let given = text("refresh_token");
                issued.exchanged.push(given.clone());
                issued.refresh.as_ref() == Some(&given)
            }
            _ => false,
        };
        if !is_good || text("client_secret") != SECRET {
            issued.refused += 1;
            return ((StatusCode::FORBIDDEN, json!({"error": "invalid_grant"})), issued.delay);
        }
        issued.last += 1;
        let (refresh, access) = (format!("r3fresh-{}", issued.last), format!("acc3ss-{}", issued.last));
        issued.refresh = Some(refresh.clone());
        issued.access = Some(access.clone());
        ((StatusCode::OK, json!({"access_token": access, "refresh_token": refresh, "expires_in": 3600})), issued.delay)
    });
    tokio::time::sleep(delay).await;
    (answer.0, answer.1.to_string()).into_response()
}

fn is_known(vendor: &ScriptedVendor, headers: &HeaderMap) -> bool {
    let given = headers.get("authorization").map(|value| value.to_str().unwrap().to_owned());
    vendor.set(|issued| given == issued.access.as_ref().map(|access| format!("Bearer {access}")))
}

async fn reached(State(vendor): State<ScriptedVendor>, headers: HeaderMap) -> Response {
    if !is_known(&vendor, &headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let count = vendor.set(|issued| issued.sites);
    let sites: Vec<Value> =
        SITES.iter().take(count).map(|id| json!({"id": id, "name": format!("site {}", &id[..4])})).collect();
    json!(sites).to_string().into_response()
}

async fn revoke(State(vendor): State<ScriptedVendor>, body: String) -> StatusCode {
    let given: HashMap<String, String> = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    vendor.set(|issued| {
        issued.revoked.push(given["token"].clone());
        if issued.revokes == 200 {
            (issued.refresh, issued.access) = (None, None);
        }
        StatusCode::from_u16(issued.revokes).unwrap()
    })
}

async fn who(State(vendor): State<ScriptedVendor>, Path(site): Path<String>, headers: HeaderMap) -> Response {
    if !is_known(&vendor, &headers) {
        return (StatusCode::UNAUTHORIZED, "who are you?").into_response();
    }
    ([("content-type", "application/json")], json!({"site": site}).to_string()).into_response()
}
