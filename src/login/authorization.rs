//! What a vendor's file states of its sign-in → the address that a person is sent to, and what comes back → tokens: the
//! authorization code grant of RFC 6749 with PKCE (RFC 7636). Where it comes back to is the caller's: this machine for the
//! command line, a server's address for its console.

use std::collections::BTreeSet;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom as _, SystemRandom};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use url::{Url, form_urlencoded};

use super::{LoginError, SignedIn, address};
use crate::upstream::{TokenRequest, exchange_code};
use toolwright_model::{Call, Login};

/// How many random bytes make a state or a verifier unguessable.
const RANDOM_BYTES: usize = 32;
/// The longest code that is passed on, in bytes.
const LONGEST_CODE: usize = 8 * 1024;

/// A consent that a person is asked for.
pub struct Authorization {
    url: Url,
    redirect: String,
    state: String,
    verifier: String,
    /// Where the vendor's page is: an answer that states its issuer (RFC 9207) has to be from there.
    page: Url,
}

/// Neither the state nor the verifier is shown.
impl fmt::Debug for Authorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorization").field("redirect", &self.redirect).finish_non_exhaustive()
    }
}

/// What the vendor's page has returned for a person's consent. It is good once.
pub struct Code(String);

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code")
    }
}

/// The scopes that the calls of tools need: of each call the way with the fewest.
pub fn scopes_of<'a>(calls: impl Iterator<Item = &'a Call>) -> BTreeSet<String> {
    calls.filter_map(|call| call.scopes.iter().min_by_key(|way| way.len())).flatten().cloned().collect()
}

impl Authorization {
    /// Begins one, for an app that the vendor sends people back from to `redirect`.
    ///
    /// # Errors
    /// The vendor's file states no address, or the system has no random numbers.
    pub fn begin(
        login: &Login,
        client_id: &str,
        scopes: &BTreeSet<String>,
        redirect: String,
    ) -> Result<Self, LoginError> {
        let (state, verifier) = (random()?, random()?);
        let page = address(&login.authorize)?;
        let mut url = page.clone();
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
        Ok(Self { url, redirect, state, verifier, page })
    }

    /// The page where the person signs in.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The address that the vendor sends the person back to: its app has to name it.
    pub fn redirect(&self) -> &str {
        &self.redirect
    }

    /// Whether a query that a browser comes back with is the answer to this one.
    pub fn is_answered_by(&self, query: &str) -> bool {
        matches!(parameter(query, "state"), Ok(Some(state)) if bool::from(state.as_bytes().ct_eq(self.state.as_bytes())))
    }

    /// Reads what the vendor's page has returned.
    ///
    /// # Errors
    /// It is no answer to this one, or the person or the vendor refused.
    pub fn code(&self, query: &str) -> Result<Code, LoginError> {
        let refused = |text: &str| Err(LoginError::Refused(text.to_owned()));
        if !self.is_answered_by(query) {
            return refused("this is not the sign-in that was begun");
        }
        let read = |name: &str| parameter(query, name);
        let (Ok(code), Ok(error), Ok(issuer)) = (read("code"), read("error"), read("iss")) else {
            return refused("the vendor's page returned a value twice");
        };
        if issuer.is_some_and(|issuer| !self.is_issuer(&issuer)) {
            return refused("the answer is of another issuer than the page that the sign-in began at");
        }
        match (code.filter(|code| (1..=LONGEST_CODE).contains(&code.len())), error) {
            (Some(code), None) => Ok(Code(code)),
            (_, error) => {
                // Only what the standard lets an error be: the rest of the address is anybody's.
                let is_code = |error: &String| error.chars().all(|c| c.is_ascii_lowercase() || c == '_');
                let error = error.filter(is_code).unwrap_or_else(|| "no code came back".to_owned());
                refused(&format!("the vendor's page ended without consent: {error}"))
            }
        }
    }

    /// Whether an issuer is that of the page: no other one sends people back to it.
    fn is_issuer(&self, issuer: &str) -> bool {
        Url::parse(issuer).is_ok_and(|issuer| issuer.origin() == self.page.origin())
    }

    /// Exchanges a code for tokens.
    ///
    /// # Errors
    /// The vendor refuses, can't be reached, or issues no refresh token.
    pub async fn exchange(&self, request: &TokenRequest, code: Code) -> Result<SignedIn, LoginError> {
        let issued = exchange_code(request, &code.0, &self.redirect, &self.verifier).await;
        let issued = issued.map_err(LoginError::Refused)?;
        let Some(refresh_token) = issued.refresh_token else {
            let reason = "the vendor issued no refresh token: its app may not be allowed to ask for one";
            return Err(LoginError::Refused(reason.to_owned()));
        };
        Ok(SignedIn { refresh_token, access_token: issued.access_token, scopes: issued.scopes })
    }
}

/// The only value of a parameter; an error where it is given twice.
fn parameter(query: &str, name: &str) -> Result<Option<String>, ()> {
    let mut values = form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| key == name);
    match (values.next(), values.next()) {
        (value, None) => Ok(value.map(|(_, value)| value.into_owned())),
        _ => Err(()),
    }
}

fn random() -> Result<String, LoginError> {
    let mut bytes = [0; RANDOM_BYTES];
    let drawn = SystemRandom::new().fill(&mut bytes);
    drawn.map_err(|_| LoginError::Refused("the system has no random numbers".to_owned()))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn authorization() -> Authorization {
        let login = Login {
            authorize: "https://auth.example.com/authorize".to_owned(),
            parameters: [("prompt".to_owned(), "consent".to_owned())].into(),
            scopes: vec!["offline".to_owned()],
            revoke: None,
            consents: None,
            sites: None,
        };
        let scopes = BTreeSet::from(["read".to_owned()]);
        Authorization::begin(&login, "app", &scopes, "https://x.example.com/back".to_owned()).unwrap()
    }

    fn query(pairs: &[(&str, &str)]) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
    }

    #[test]
    fn the_page_is_asked_with_pkce_and_nothing_secret_is_shown() {
        let begun = authorization();
        let asked: std::collections::HashMap<String, String> = begun.url().query_pairs().into_owned().collect();
        assert_eq!((asked["scope"].as_str(), asked["code_challenge_method"].as_str()), ("offline read", "S256"));
        assert_eq!(asked["code_challenge"], URL_SAFE_NO_PAD.encode(Sha256::digest(begun.verifier.as_bytes())));
        let shown = format!("{begun:?} {:?}", Code("c0de".to_owned()));
        assert!(
            !shown.contains(&begun.state) && !shown.contains(&begun.verifier) && !shown.contains("c0de"),
            "{shown}"
        );
        assert_ne!(authorization().state, begun.state);
    }

    #[test]
    fn only_the_answer_to_this_sign_in_has_its_code() {
        let begun = authorization();
        let (state, issuer) = (("state", begun.state.as_str()), ("iss", "https://auth.example.com"));
        assert_eq!(begun.code(&query(&[state, ("code", "c")])).unwrap().0, "c");
        assert_eq!(begun.code(&query(&[state, ("code", "c"), issuer])).unwrap().0, "c");
        let long = "c".repeat(LONGEST_CODE + 1);
        for (pairs, expected) in [
            (vec![("code", "c")], "not the sign-in"),
            (vec![("state", "other"), ("code", "c")], "not the sign-in"),
            (vec![state, state, ("code", "c")], "not the sign-in"),
            (vec![state, ("code", "c"), ("code", "d")], "twice"),
            (vec![state, ("code", "c"), ("iss", "https://evil.example")], "another issuer"),
            (vec![state, ("code", "c"), ("iss", "auth.example.com")], "another issuer"),
            (vec![state, ("code", "c"), ("error", "access_denied")], "without consent: access_denied"),
            (vec![state, ("error", "<script>")], "no code came back"),
            (vec![state, ("code", &long)], "no code came back"),
            (vec![state], "no code came back"),
        ] {
            let error = begun.code(&query(&pairs)).unwrap_err().to_string();
            assert!(error.contains(expected) && !error.contains("script"), "{pairs:?}: {error}");
        }
    }
}
