//! The query of an authorization request → what a client asks for, or why it is not asked (RFC 6749, RFC 7636, RFC 8707). What
//! shows that the client is not the one whose redirect this is, is shown to the person; everything else goes back to the client, by
//! itself only to addresses that are known here: else a link to this server would lead wherever the writer of a document likes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use url::Url;

use super::ProtectedResource;
use super::clients::Client;
use super::redirects::{self, RedirectHosts};
use crate::access::Scopes;
use crate::catalog::Catalog;

/// The longest query, and the longest state that a client gets back, in bytes.
const LONGEST: usize = 8 * 1024;
const LONGEST_STATE: usize = 2 * 1024;
/// The length of a challenge: a SHA-256 in base64url.
const CHALLENGE: usize = 43;

/// What a client asks for, checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthorizationRequest {
    /// The client's id.
    pub client: String,
    /// What the client calls itself.
    pub client_name: String,
    /// The host of the client's document; `None` where it has registered.
    pub client_host: Option<String>,
    /// Where people are sent back to.
    pub redirect: String,
    pub(super) state: Option<String>,
    pub(super) challenge: String,
    /// The scopes that it asks for; `None`: whatever the person may give.
    pub scopes: Option<Vec<String>>,
}

/// Why a person is not asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotAsked {
    /// The person is told so: who asks can't be trusted to be sent anybody.
    Told(String),
    /// The client is told so, at this address.
    Back(String),
}

/// The parameters of a request, each once. Tokens may be among them.
pub(super) struct Parameters(BTreeMap<String, String>);

impl Parameters {
    /// Reads a query or a form. `None` where it is too long or has a parameter twice.
    pub(super) fn read(text: &str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let mut read = BTreeMap::new();
        for (name, value) in url::form_urlencoded::parse(text.as_bytes()) {
            if read.insert(name.into_owned(), value.into_owned()).is_some() {
                return None;
            }
        }
        Some(Self(read))
    }

    /// A parameter that is there and not empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

impl AuthorizationRequest {
    /// Checks the request of a client that was found by its id.
    pub(super) fn check(
        parameters: &Parameters,
        client: Client,
        hosts: &RedirectHosts,
        resource: &ProtectedResource,
        catalog: &Catalog,
    ) -> Result<Self, NotAsked> {
        let redirect = match parameters.get("redirect_uri") {
            Some(redirect) if client.has_redirect(redirect) => redirect.to_owned(),
            Some(_) => {
                return Err(NotAsked::Told("the client asks to send you to an address that is not its own".to_owned()));
            }
            None => {
                return Err(NotAsked::Told(
                    "the client does not state where to send you back (`redirect_uri`)".to_owned(),
                ));
            }
        };
        let state = parameters.get("state").map(str::to_owned);
        if state.as_ref().is_some_and(|state| state.len() > LONGEST_STATE) {
            return Err(NotAsked::Told("the client's request is too long".to_owned()));
        }
        let scopes = parameters.get("scope").map(|scope| Scopes::read(scope.split(' '), catalog));
        let request = Self {
            client: client.id,
            client_name: client.name,
            client_host: client.host,
            redirect,
            state,
            challenge: parameters.get("code_challenge").unwrap_or_default().to_owned(),
            scopes: scopes.as_ref().map(Scopes::words),
        };
        match request.fault(parameters, scopes.as_ref(), resource) {
            Some((_, description)) if hosts.permitted(&request.redirect).is_none() => {
                Err(NotAsked::Told(format!("the client's request is not one of this server's: {description}")))
            }
            Some((error, description)) => Err(NotAsked::Back(request.refused(error, description, resource.origin()))),
            None => Ok(request),
        }
    }

    fn fault(
        &self,
        parameters: &Parameters,
        scopes: Option<&Scopes>,
        resource: &ProtectedResource,
    ) -> Option<(&'static str, &'static str)> {
        let is_challenge = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if parameters.get("response_type") != Some("code") {
            return Some(("unsupported_response_type", "response_type must be code"));
        }
        if parameters.get("request").is_some() || parameters.get("request_uri").is_some() {
            return Some(("request_not_supported", "requests are parameters of the address"));
        }
        // Without a method the standard takes the challenge for the secret itself.
        if parameters.get("code_challenge_method") != Some("S256") {
            return Some(("invalid_request", "code_challenge_method must be S256"));
        }
        if self.challenge.len() != CHALLENGE || !self.challenge.chars().all(is_challenge) {
            return Some(("invalid_request", "code_challenge must be a SHA-256 in base64url"));
        }
        if parameters.get("resource").is_some_and(|stated| stated != resource.identifier()) {
            return Some(("invalid_target", "resource must be the address of this server"));
        }
        if scopes.is_some_and(Scopes::is_empty) {
            return Some(("invalid_scope", "none of the scopes is one of this server"));
        }
        None
    }

    /// Where the person goes with a code.
    pub(super) fn granted(&self, code: &str, issuer: &str) -> String {
        self.back(&[("code", code)], issuer)
    }

    /// Where the person goes with an error.
    pub(super) fn refused(&self, error: &str, description: &str, issuer: &str) -> String {
        self.back(&[("error", error), ("error_description", description)], issuer)
    }

    /// With the client's state, and with who answers (RFC 9207), so that a client that uses several servers does not take the
    /// answer of one for that of another.
    fn back(&self, answer: &[(&str, &str)], issuer: &str) -> String {
        // It was read as an address before.
        let Ok(mut url) = Url::parse(&self.redirect) else { return String::new() };
        {
            let mut pairs = url.query_pairs_mut();
            pairs.extend_pairs(answer);
            if let Some(state) = &self.state {
                pairs.append_pair("state", state);
            }
            pairs.append_pair("iss", issuer);
        }
        url.into()
    }

    /// The host that people are sent back to.
    pub fn redirect_host(&self) -> String {
        let url = Url::parse(&self.redirect).ok();
        url.and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
    }

    /// Whether people are sent back to a program on this machine.
    pub fn is_of_this_machine(&self) -> bool {
        self.redirect.starts_with("http:")
    }

    /// What a page's policy names, so that its form may lead back to the client.
    pub fn redirect_source(&self) -> String {
        Url::parse(&self.redirect).map(|url| redirects::source(&url)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    fn checked(query: &str) -> Result<AuthorizationRequest, NotAsked> {
        let redirects = ["https://claude.ai/back?x=1", "https://own.example.com/back"].map(str::to_owned).to_vec();
        let client = Client { id: "c".to_owned(), name: "Claude".to_owned(), host: None, redirects };
        let resource = ProtectedResource::new("https://mcp.example.com", "https://mcp.example.com", Scopes::default());
        let parameters = Parameters::read(query).ok_or_else(|| NotAsked::Told("twice".to_owned()))?;
        AuthorizationRequest::check(&parameters, client, &RedirectHosts::default(), &resource, &Catalog::compiled())
    }

    #[test]
    fn a_fault_is_told_to_the_person_or_to_the_client_whose_redirect_it_is() {
        let sound = format!(
            "response_type=code&client_id=c&redirect_uri=https%3A%2F%2Fclaude.ai%2Fback%3Fx%3D1&state=s%26t\
             &code_challenge={CHALLENGE}&code_challenge_method=S256&resource=https%3A%2F%2Fmcp.example.com%2Fmcp"
        );
        let request = checked(&sound).unwrap();
        assert_eq!(
            request.granted("c0de", "https://mcp.example.com"),
            "https://claude.ai/back?x=1&code=c0de&state=s%26t&iss=https%3A%2F%2Fmcp.example.com"
        );
        for (from, to, expected) in [
            ("claude.ai%2Fback", "evil.example.com%2Fback", "told"),
            ("redirect_uri=", "x=", "told"),
            ("&state", "&redirect_uri=https%3A%2F%2Fevil.example.com&state", "told"),
            ("response_type=code", "response_type=token", "unsupported_response_type"),
            ("S256", "plain", "invalid_request"),
            ("&code_challenge_method=S256", "", "invalid_request"),
            ("code_challenge=", "x=", "invalid_request"),
            (CHALLENGE, "short", "invalid_request"),
            ("%2Fmcp", "%2Fother", "invalid_target"),
            ("mcp.example.com%2Fmcp", "other.example.com%2Fmcp", "invalid_target"),
            ("&state", "&scope=nothing%20openid&state", "invalid_scope"),
            ("&state", "&request=e30&state", "request_not_supported"),
        ] {
            let changed = sound.replace(from, to);
            assert_ne!(changed, sound, "{from}");
            match checked(&changed).unwrap_err() {
                NotAsked::Told(_) => assert_eq!(expected, "told", "{from} {to}"),
                NotAsked::Back(url) => {
                    assert!(url.starts_with("https://claude.ai/back?x=1&error="), "{url}");
                    assert!(url.contains(&format!("error={expected}&")) && url.contains("&iss="), "{from} {to}: {url}");
                }
            }
        }
    }

    #[test]
    fn nobody_is_led_by_itself_to_an_address_that_only_a_clients_document_names() {
        let query = |redirect: &str, method: &str| {
            format!(
                "response_type=code&client_id=c&redirect_uri={redirect}&code_challenge={CHALLENGE}\
                 &code_challenge_method={method}"
            )
        };
        let own = "https%3A%2F%2Fown.example.com%2Fback";
        assert!(checked(&query(own, "S256")).is_ok());
        let NotAsked::Told(reason) = checked(&query(own, "plain")).unwrap_err() else {
            panic!("the person is led there")
        };
        assert!(reason.contains("code_challenge_method"), "{reason}");
        let known = "https%3A%2F%2Fclaude.ai%2Fback%3Fx%3D1";
        assert!(matches!(checked(&query(known, "plain")).unwrap_err(), NotAsked::Back(_)));
    }
}
