//! The id of a client → the client: its name, and where people may be sent back to. A client that has registered (RFC 7591) has
//! an id that holds its registration, so that nothing of it is stored and nobody can fill the store; writing such an id by hand
//! is the same as registering. The id of any other client is the address of its document.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::client_documents::{ClientDocuments, is_document};
use super::redirects::{RedirectHosts, is_registered};

/// The beginning of the id of a client that has registered.
const REGISTERED: &str = "registered_";
/// The longest id, in bytes.
const LONGEST_ID: usize = 2_048;
/// The longest name, in characters.
const LONGEST_NAME: usize = 60;
/// The most addresses of one client.
pub(super) const MOST_REDIRECTS: usize = 10;

/// A client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Client {
    /// Its id.
    pub id: String,
    /// What it calls itself, for people; nobody has verified it.
    pub name: String,
    /// The host of its document, which has verified its id; `None` where it has registered.
    pub host: Option<String>,
    /// Where people may be sent back to.
    pub(super) redirects: Vec<String>,
}

/// What the id of a client that has registered holds.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Registration {
    #[serde(rename = "n")]
    name: String,
    #[serde(rename = "r")]
    redirects: Vec<String>,
}

impl Client {
    /// Whether people may be sent back to this address.
    pub(super) fn has_redirect(&self, address: &str) -> bool {
        self.redirects.iter().any(|own| is_registered(own, address))
    }

    /// Finds a client by its id.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) async fn find(id: &str, hosts: &RedirectHosts, documents: &ClientDocuments) -> Result<Self, String> {
        if id.len() > LONGEST_ID {
            return Err("the client's id is too long".to_owned());
        }
        if let Some(registration) = id.strip_prefix(REGISTERED) {
            return Self::registered(id, registration, hosts).ok_or_else(|| "the client's id is not valid".to_owned());
        }
        if is_document(id) {
            return documents.read(id, hosts).await;
        }
        Err("the client is not known: its id is neither one of this server nor the `https` address of a document"
            .to_owned())
    }

    fn registered(id: &str, registration: &str, hosts: &RedirectHosts) -> Option<Self> {
        let text = URL_SAFE_NO_PAD.decode(registration).ok()?;
        let Registration { name, redirects } = serde_json::from_slice(&text).ok()?;
        let may_all = redirects.iter().all(|redirect| hosts.permitted(redirect).is_some());
        let is_sound = may_all && (1..=MOST_REDIRECTS).contains(&redirects.len()) && name == shown_name(&name);
        is_sound.then(|| Self { id: id.to_owned(), name, host: None, redirects })
    }

    /// Registers a client.
    ///
    /// # Errors
    /// The error of RFC 7591 and what is wrong.
    pub(super) fn register(metadata: &Value, hosts: &RedirectHosts) -> Result<Value, (&'static str, String)> {
        let texts = |name: &str| -> Vec<&str> {
            let values = metadata.get(name).and_then(Value::as_array);
            values.map(|values| values.iter().filter_map(Value::as_str).collect()).unwrap_or_default()
        };
        let redirects = texts("redirect_uris");
        if redirects.is_empty() || redirects.len() > MOST_REDIRECTS {
            return Err((
                "invalid_redirect_uri",
                format!("`redirect_uris` has between 1 and {MOST_REDIRECTS} addresses"),
            ));
        }
        if let Some(other) = redirects.iter().find(|redirect| hosts.permitted(redirect).is_none()) {
            return Err((
                "invalid_redirect_uri",
                format!(
                    "`{}` is not on this server's list of redirect addresses: those of known clients and of this machine; \
                     the operator can add its host to `redirect_hosts`",
                    shown_address(other)
                ),
            ));
        }
        for (member, own) in [("grant_types", "authorization_code"), ("response_types", "code")] {
            let stated = texts(member);
            if !stated.is_empty() && !stated.contains(&own) {
                return Err(("invalid_client_metadata", format!("`{member}` must have `{own}`")));
            }
        }
        let name = shown_name(metadata.get("client_name").and_then(Value::as_str).unwrap_or_default());
        let redirects: Vec<String> = redirects.into_iter().map(str::to_owned).collect();
        let registration = Registration { name: name.clone(), redirects: redirects.clone() };
        let id = serde_json::to_vec(&registration).map(|text| format!("{REGISTERED}{}", URL_SAFE_NO_PAD.encode(text)));
        let id = id.ok().filter(|id| id.len() <= LONGEST_ID);
        let id = id.ok_or_else(|| ("invalid_client_metadata", "the metadata is too long".to_owned()))?;
        Ok(json!({
            "client_id": id,
            "client_name": name,
            "redirect_uris": redirects,
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "none",
        }))
    }
}

/// A client's name as people are shown it: letters, digits and plain marks, so that it can't turn the text around it.
pub(super) fn shown_name(name: &str) -> String {
    let is_plain = |c: &char| c.is_alphanumeric() || " .,-_()+&/".contains(*c);
    let name: String = name.chars().filter(is_plain).take(LONGEST_NAME).collect();
    let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
    if name.is_empty() { "A client without a name".to_owned() } else { name }
}

fn shown_address(address: &str) -> String {
    address.chars().filter(char::is_ascii_graphic).take(100).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_registration_is_read_back_from_its_id() {
        let (hosts, documents) = (RedirectHosts::default(), ClientDocuments::new().unwrap());
        let metadata = json!({
            "client_name": "Claude \u{202e}<b>", "redirect_uris": ["https://claude.ai/api/mcp/auth_callback"],
            "token_endpoint_auth_method": "client_secret_post", "grant_types": ["authorization_code"]
        });
        let registered = Client::register(&metadata, &hosts).unwrap();
        assert_eq!(registered["client_name"], "Claude b");
        assert_eq!(registered["token_endpoint_auth_method"], "none");
        let id = registered["client_id"].as_str().unwrap();
        let client = Client::find(id, &hosts, &documents).await.unwrap();
        assert!(client.has_redirect("https://claude.ai/api/mcp/auth_callback") && client.name == "Claude b");
        assert!(!client.has_redirect("https://claude.ai/other"));
        let forged = |text: &str| format!("{REGISTERED}{}", URL_SAFE_NO_PAD.encode(text));
        for id in [
            forged(r#"{"n":"Claude","r":["https://evil.example.com/"]}"#),
            forged(r#"{"n":"Claude","r":[]}"#),
            forged(r#"{"n":"<b>","r":["https://claude.ai/"]}"#),
            forged(r#"{"n":"Claude","r":["https://claude.ai/"],"x":1}"#),
            forged("x"),
            format!("{REGISTERED}%%"),
            "claude".to_owned(),
            String::new(),
            "a".repeat(LONGEST_ID + 1),
        ] {
            assert!(Client::find(&id, &hosts, &documents).await.is_err(), "{id}");
        }
    }

    #[test]
    fn a_registration_names_redirects_of_the_list() {
        for (metadata, expected) in [
            (json!({}), "invalid_redirect_uri"),
            (json!({"redirect_uris": []}), "invalid_redirect_uri"),
            (json!({"redirect_uris": ["https://claude.ai/a", "https://evil.example.com/"]}), "invalid_redirect_uri"),
            (json!({"redirect_uris": ["https://claude.ai/a"], "grant_types": ["implicit"]}), "invalid_client_metadata"),
            (json!({"redirect_uris": ["https://claude.ai/a"], "response_types": ["token"]}), "invalid_client_metadata"),
        ] {
            assert_eq!(Client::register(&metadata, &RedirectHosts::default()).unwrap_err().0, expected, "{metadata}");
        }
    }
}
