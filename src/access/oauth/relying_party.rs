//! A browser that is sent to the company's identity provider and comes back → who the person is, by the provider's signature:
//! OpenID Connect's authorization code flow with PKCE (RFC 7636), a state and a nonce. For the console's administrators, and for
//! people who consent to a client.
//!
//! The state, the nonce and the verifier of a sign-in follow from one secret that only the browser keeps, in a cookie. So nothing
//! is stored for who begins and does not end, and what another browser brings (a code that was stolen, or an attacker's own) does
//! not fit.

use std::fmt;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use reqwest::header::AUTHORIZATION;
use ring::hmac;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use url::Url;
use url::form_urlencoded;

use super::issuer::{Issuer, NotTaken};
use super::request::Parameters;
use super::signed_token::Claims;
use crate::error::ConfigError;
use crate::store::{StoreError, TokenDigest};
use crate::upstream::{Tls, collect, http_client, parse_endpoint};
use toolwright_model::ProviderClient;

/// How long the provider may take to exchange a code.
const WITHIN: Duration = Duration::from_secs(10);
/// The longest answer that is read, in bytes.
const LONGEST: usize = 256 * 1024;
/// The longest code that is passed on, in bytes.
const LONGEST_CODE: usize = 4 * 1024;
/// The length of what a browser keeps: 256 random bits in base64url.
const KEPT: usize = 43;
/// For how long a browser keeps what a sign-in began with: a person may have to find a password.
pub const SIGN_IN_WITHIN: Duration = Duration::from_secs(600);

/// This server, as a client of an identity provider.
pub struct RelyingParty {
    issuer: Issuer,
    client_id: String,
    secret: Option<String>,
    /// Whether the secret goes into the form, for providers that take it in no other way.
    secret_in_form: bool,
    /// The scopes that are asked for, with spaces between.
    scopes: String,
    /// Where the provider sends browsers back to.
    redirect: String,
    authorize_at: Url,
    token_at: Url,
    http: reqwest::Client,
    /// Whether the provider states itself in each answer (RFC 9207).
    states_itself: bool,
}

/// A sign-in of one browser, which keeps it until it comes back.
pub struct SignIn(String);

/// A person whom the provider has identified, for this server.
#[derive(Clone)]
pub struct Person {
    pub(super) claims: Claims,
}

/// Why nobody is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotSignedIn {
    /// This browser has not begun it, or has ended it already.
    NotBegun,
    /// The provider has refused, with this code.
    Refused(String),
    /// What the provider answered does not show who the person is, for this reason.
    NotShown(&'static str),
    /// The provider can't be reached, or does not answer as it should.
    Unavailable(&'static str),
}

/// Without its secret.
impl fmt::Debug for RelyingParty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("RelyingParty");
        shown.field("issuer", &self.issuer).field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

/// What a browser keeps is as good as the sign-in.
impl fmt::Debug for SignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignIn")
    }
}

impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Person").field("subject", &self.claims.subject).finish_non_exhaustive()
    }
}

impl fmt::Display for NotSignedIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotBegun => f.write_str("this browser has not begun to sign in here, or it took too long"),
            Self::Refused(code) => write!(f, "the identity provider answered `{code}`"),
            Self::NotShown(reason) => write!(f, "the identity provider's answer can't be used: {reason}"),
            Self::Unavailable(reason) => write!(f, "the identity provider can't be asked at present: {reason}"),
        }
    }
}

impl SignIn {
    /// Begins one.
    ///
    /// # Errors
    /// The system has no random numbers.
    pub fn begin() -> Result<Self, StoreError> {
        TokenDigest::draw("").map(|(kept, _)| Self(kept))
    }

    /// The one that a browser keeps.
    pub fn of_browser(kept: &str) -> Option<Self> {
        (kept.len() == KEPT && kept.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)))
            .then(|| Self(kept.to_owned()))
    }

    /// What the browser keeps, in a cookie that no script reads and that comes back from another site (`SameSite=Lax`).
    pub fn kept(&self) -> &str {
        &self.0
    }

    /// Whether a query that a browser comes back with is the answer to it.
    pub fn is_answered_by(&self, query: &str) -> bool {
        let parameters = Parameters::read(query);
        parameters.is_some_and(|it| it.get("state").is_some_and(|state| is_same(state, &self.state())))
    }

    /// What only this sign-in has, for a purpose.
    fn derived(&self, purpose: &str) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.0.as_bytes());
        URL_SAFE_NO_PAD.encode(hmac::sign(&key, format!("toolwright sign-in 1 {purpose}").as_bytes()))
    }

    fn state(&self) -> String {
        self.derived("state")
    }

    fn nonce(&self) -> String {
        self.derived("nonce")
    }

    fn verifier(&self) -> String {
        self.derived("verifier")
    }
}

impl RelyingParty {
    /// Finds the provider of a client that is registered there with this redirect. `setting` names the provider's setting in
    /// messages, such as `[console] issuer`.
    ///
    /// # Errors
    /// The provider can't be reached, or has no such sign-in.
    pub async fn discover(
        client: &ProviderClient,
        secret: Option<String>,
        redirect: &str,
        setting: &str,
    ) -> Result<Self, ConfigError> {
        let issuer = Issuer::discover_as(&client.issuer, setting).await?;
        let wrong = |what: &str| ConfigError::new(format!("`{setting}`: {} {what}", client.issuer));
        let endpoint = |name: &str| {
            let stated = issuer.stated(name).and_then(Value::as_str).map(parse_endpoint);
            let wrong = || wrong(&format!("states no encrypted address where people sign in (`{name}`)"));
            stated.and_then(Result::ok).ok_or_else(wrong)
        };
        let (authorize_at, token_at) = (endpoint("authorization_endpoint")?, endpoint("token_endpoint")?);
        let lists = |name: &str, word: &str| {
            let listed = issuer.stated(name).and_then(Value::as_array);
            listed.is_none_or(|words| words.iter().any(|listed| listed == word))
        };
        if !lists("code_challenge_methods_supported", "S256") {
            return Err(wrong("has no PKCE with S256, without which a stolen code could be used"));
        }
        let http = http_client(&token_at, &Tls::default(), WITHIN, None, &[])?;
        let methods = "token_endpoint_auth_methods_supported";
        let secret_in_form = !lists(methods, "client_secret_basic") && lists(methods, "client_secret_post");
        let asked = client.scopes.iter().map(String::as_str).filter(|scope| *scope != "openid");
        let scopes = std::iter::once("openid").chain(asked).collect::<Vec<_>>().join(" ");
        let stated = issuer.stated("authorization_response_iss_parameter_supported");
        let states_itself = stated == Some(&Value::Bool(true));
        let (client_id, redirect) = (client.client_id.clone(), redirect.to_owned());
        Ok(Self {
            issuer,
            client_id,
            secret,
            secret_in_form,
            scopes,
            redirect,
            authorize_at,
            token_at,
            http,
            states_itself,
        })
    }

    /// The provider, as it names itself.
    pub fn issuer(&self) -> &str {
        self.issuer.identifier()
    }

    /// Where a browser is sent to sign in.
    pub fn address(&self, sign_in: &SignIn) -> String {
        let mut url = self.authorize_at.clone();
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(sign_in.verifier().as_bytes()));
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.client_id)
            .append_pair("redirect_uri", &self.redirect)
            .append_pair("scope", &self.scopes)
            .append_pair("state", &sign_in.state())
            .append_pair("nonce", &sign_in.nonce())
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        url.into()
    }

    /// The person who comes back with this query, in the browser that keeps this sign-in.
    ///
    /// # Errors
    /// Nobody is signed in.
    pub async fn person(&self, sign_in: Option<&SignIn>, query: &str, now: SystemTime) -> Result<Person, NotSignedIn> {
        let parameters = Parameters::read(query).ok_or(NotSignedIn::NotBegun)?;
        let sign_in = sign_in.ok_or(NotSignedIn::NotBegun)?;
        let is_own = parameters.get("state").is_some_and(|state| is_same(state, &sign_in.state()));
        if !is_own {
            return Err(NotSignedIn::NotBegun);
        }
        // An answer of another provider would have its code sent to this one (RFC 9207).
        let stated = parameters.get("iss");
        if stated.map_or(self.states_itself, |stated| stated != self.issuer.identifier()) {
            return Err(NotSignedIn::NotShown("it is of another issuer"));
        }
        if let Some(error) = parameters.get("error") {
            return Err(NotSignedIn::Refused(code_word(error)));
        }
        let code = parameters.get("code").filter(|code| code.len() <= LONGEST_CODE);
        let code = code.ok_or(NotSignedIn::NotShown("it has no code"))?;
        let token = self.exchange(code, sign_in).await?;
        let claims = self.issuer.verify(&token, std::slice::from_ref(&self.client_id), now).await;
        let claims = claims.map_err(|error| match error {
            NotTaken::Invalid(reason) => NotSignedIn::NotShown(reason),
            NotTaken::Unknown => NotSignedIn::Unavailable("its keys can't be read"),
        })?;
        check_own(&claims, &self.client_id, &sign_in.nonce()).map_err(NotSignedIn::NotShown)?;
        Ok(Person { claims })
    }

    /// Exchanges a code for the token that states who the person is.
    async fn exchange(&self, code: &str, sign_in: &SignIn) -> Result<String, NotSignedIn> {
        let verifier = sign_in.verifier();
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", self.redirect.as_str()),
            ("code_verifier", verifier.as_str()),
        ];
        let mut request = self.http.post(self.token_at.clone()).header("accept", "application/json");
        match &self.secret {
            Some(secret) if !self.secret_in_form => {
                let part = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
                let basic = STANDARD.encode(format!("{}:{}", part(&self.client_id), part(secret)));
                request = request.header(AUTHORIZATION, format!("Basic {basic}"));
            }
            Some(secret) => form.extend([("client_id", self.client_id.as_str()), ("client_secret", secret.as_str())]),
            None => form.push(("client_id", self.client_id.as_str())),
        }
        let unreachable = |_| NotSignedIn::Unavailable("it can't be reached");
        let response = request.form(&form).send().await.map_err(unreachable)?;
        let status = response.status();
        let (text, is_whole) = collect(response.bytes_stream(), LONGEST).await.map_err(unreachable)?;
        let answer: Option<Value> = serde_json::from_slice(&text).ok().filter(|_| is_whole);
        let answer = answer.ok_or(NotSignedIn::Unavailable("its answer is no JSON, or too long"))?;
        if !status.is_success() {
            let error = answer.get("error").and_then(Value::as_str).unwrap_or("no reason");
            return Err(NotSignedIn::Refused(code_word(error)));
        }
        let token = answer.get("id_token").and_then(Value::as_str);
        token.map(str::to_owned).ok_or(NotSignedIn::NotShown("it has no `id_token`"))
    }
}

impl Person {
    /// What no other person of this provider has.
    pub fn subject(&self) -> &str {
        &self.claims.subject
    }

    /// What pages and records show: the verified address for mail, or the subject.
    pub fn name(&self) -> String {
        self.claims.name()
    }

    /// Whether a claim has one of these values; the claim as in `[[grants]]`.
    pub fn has(&self, claim: &str, values: &[String]) -> bool {
        // An address for mail that the provider has not verified is anybody's.
        let found = if claim == "email" { self.claims.email().into_iter().collect() } else { self.claims.texts(claim) };
        found.iter().any(|found| values.iter().any(|value| value == found))
    }
}

/// Whether a token was issued to this client for this sign-in.
fn check_own(claims: &Claims, client_id: &str, nonce: &str) -> Result<(), &'static str> {
    let text = |name: &str| claims.all.get(name).and_then(Value::as_str);
    if !text("nonce").is_some_and(|stated| is_same(stated, nonce)) {
        return Err("it is of another sign-in");
    }
    let has_several = claims.all.get("aud").and_then(Value::as_array).is_some_and(|audiences| audiences.len() > 1);
    match claims.all.get("azp") {
        None if !has_several => Ok(()),
        Some(party) if party == client_id => Ok(()),
        _ => Err("it was issued to another client"),
    }
}

fn is_same(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

/// An error code of RFC 6749, which comes from outside: what is no code is not shown.
fn code_word(error: &str) -> String {
    let is_code = error.len() <= 100 && error.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if is_code { error.to_owned() } else { "an error of its own".to_owned() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_sign_in_sends_follows_from_what_its_browser_keeps() {
        let sign_in = SignIn::begin().unwrap();
        let again = SignIn::of_browser(sign_in.kept()).unwrap();
        let sent = |of: &SignIn| [of.state(), of.nonce(), of.verifier()];
        assert_eq!(sent(&sign_in), sent(&again));
        let all = sent(&sign_in);
        assert!(all.iter().all(|text| text.len() == 43 && *text != sign_in.kept()), "as long as a verifier has to be");
        assert!(all[0] != all[1] && all[1] != all[2] && all[0] != all[2]);
        assert_ne!(sent(&SignIn::begin().unwrap()), all);
        assert!(!format!("{sign_in:?}").contains(sign_in.kept()));
        let long = "a".repeat(44);
        for kept in ["", "short", long.as_str(), "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa;a"] {
            assert!(SignIn::of_browser(kept).is_none(), "{kept}");
        }
    }

    #[test]
    fn a_token_is_of_this_sign_in_and_this_client() {
        let judge = |claims: Value| {
            let Value::Object(all) = claims else { panic!("an object") };
            let claims = Claims { subject: "ann".to_owned(), expires: SystemTime::UNIX_EPOCH, all };
            check_own(&claims, "console", "n")
        };
        assert_eq!(judge(json!({"aud": "console", "nonce": "n"})), Ok(()));
        assert_eq!(judge(json!({"aud": ["console"], "nonce": "n", "azp": "console"})), Ok(()));
        assert_eq!(judge(json!({"aud": ["console", "x"], "nonce": "n", "azp": "console"})), Ok(()));
        for claims in [json!({"aud": "console"}), json!({"aud": "console", "nonce": "m"}), json!({"nonce": ["n"]})] {
            assert_eq!(judge(claims), Err("it is of another sign-in"));
        }
        for claims in [
            json!({"aud": ["console", "x"], "nonce": "n"}),
            json!({"aud": ["console", "x"], "nonce": "n", "azp": "x"}),
            json!({"aud": "console", "nonce": "n", "azp": "x"}),
        ] {
            assert_eq!(judge(claims), Err("it was issued to another client"));
        }
    }

    #[test]
    fn a_person_has_a_claim_by_its_value_and_an_address_only_if_it_is_verified() {
        let person = |claims: Value| {
            let Value::Object(all) = claims else { panic!("an object") };
            Person { claims: Claims { subject: "s1".to_owned(), expires: SystemTime::UNIX_EPOCH, all } }
        };
        let values = ["it-admins".to_owned(), "ann@example.com".to_owned()];
        assert!(person(json!({"groups": ["staff", "it-admins"]})).has("groups", &values));
        assert!(!person(json!({"groups": ["it-admins-not"]})).has("groups", &values));
        assert!(person(json!({"email": "ann@example.com", "email_verified": true})).has("email", &values));
        assert!(!person(json!({"email": "ann@example.com"})).has("email", &values));
        assert!(!person(json!({})).has("groups", &values));
    }

    #[test]
    fn an_error_from_outside_is_shown_only_as_a_code() {
        assert_eq!(code_word("access_denied"), "access_denied");
        for text in ["<b>x</b>", "Ask me", &"a".repeat(101)] {
            assert_eq!(code_word(text), "an error of its own");
        }
    }
}
