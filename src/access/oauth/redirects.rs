//! Addresses that clients want people sent back to → whether one may be, and whether it is one that the client has registered.
//! Hosts are those of known clients, further ones that the operator names, and this machine, at any port (RFC 8252).

use url::{Host, Url};

use crate::error::ConfigError;

/// The longest address, in bytes.
const LONGEST: usize = 512;
/// The hosts of known clients: Claude, ChatGPT, Cursor, VS Code.
const KNOWN: [&str; 7] =
    ["claude.ai", "claude.com", "chatgpt.com", "cursor.com", "www.cursor.com", "vscode.dev", "insiders.vscode.dev"];
/// The addresses of known clients that are no web pages: scheme and host.
const KNOWN_SCHEMES: [(&str, &str); 1] = [("cursor", "anysphere.cursor-mcp")];

/// The hosts that people may be sent back to, beside the known ones.
#[derive(Debug, Clone, Default)]
pub struct RedirectHosts(Vec<String>);

impl RedirectHosts {
    /// Reads names of hosts.
    ///
    /// # Errors
    /// One is no name of a host.
    pub fn new(hosts: &[String]) -> Result<Self, ConfigError> {
        let read = |host: &String| match Host::parse(host) {
            Ok(Host::Domain(name)) if name.contains('.') && !name.contains('*') => Ok(name),
            _ => Err(ConfigError::new(format!(
                "`{host}` in `redirect_hosts` of `[oauth]` is no name of a host\nhint: such as `assistant.example.com`"
            ))),
        };
        hosts.iter().map(read).collect::<Result<_, _>>().map(Self)
    }

    /// Reads an address that people may be sent back to.
    pub(super) fn permitted(&self, text: &str) -> Option<Url> {
        let url = redirect(text)?;
        let is_known = |host: &str| KNOWN.contains(&host) || self.0.iter().any(|own| own == host);
        let may = match url.scheme() {
            "https" => url.port().is_none() && url.host_str().is_some_and(is_known),
            _ => is_of_this_machine(&url) || is_of_known_program(&url),
        };
        may.then_some(url)
    }

    /// Reads an address that a client's own document names: also one on the document's host.
    pub(super) fn permitted_to(&self, text: &str, host: &str) -> Option<Url> {
        let is_own = |url: &Url| url.scheme() == "https" && url.port().is_none() && url.host_str() == Some(host);
        self.permitted(text).or_else(|| redirect(text).filter(is_own))
    }
}

/// Reads an address without a fragment and without credentials, which is written as it is understood.
fn redirect(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok().filter(|_| text.len() <= LONGEST && text.chars().all(|c| c.is_ascii_graphic()))?;
    let is_plain = url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
    let is_as_understood = url.as_str() == text || url.as_str() == format!("{text}/");
    // A backslash or a quote has no place in an address, and other readers understand it in other ways.
    (is_plain && is_as_understood && !text.contains(['\\', '"', '\'', '<', '>', ';', ','])).then_some(url)
}

/// Whether it is an address of this machine by `http`.
fn is_of_this_machine(url: &Url) -> bool {
    url.scheme() == "http"
        && match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(ip)) => ip.is_loopback(),
            Some(Host::Ipv6(ip)) => ip.is_loopback(),
            None => false,
        }
}

fn is_of_known_program(url: &Url) -> bool {
    KNOWN_SCHEMES.iter().any(|(scheme, host)| url.scheme() == *scheme && url.host_str() == Some(host))
}

/// Whether an address is the registered one: to the letter, but for the port on this machine.
pub(super) fn is_registered(registered: &str, requested: &str) -> bool {
    if registered == requested {
        return true;
    }
    let (Some(mut registered), Some(mut requested)) = (redirect(registered), redirect(requested)) else { return false };
    if !is_of_this_machine(&registered) || !is_of_this_machine(&requested) {
        return false;
    }
    registered.set_port(None).is_ok() && requested.set_port(None).is_ok() && registered == requested
}

/// What a page's policy names, so that its form may lead there: the origin, or the scheme of what is no web page.
pub(super) fn source(redirect: &Url) -> String {
    match redirect.scheme() {
        // A policy has no words for a number of IPv6.
        "http" if matches!(redirect.host(), Some(Host::Ipv6(_))) => "http:".to_owned(),
        "http" | "https" => redirect.origin().ascii_serialization(),
        scheme => format!("{scheme}:"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_sent_to_known_hosts_and_this_machine_only() {
        let hosts = RedirectHosts::new(&["assistant.example.com".to_owned()]).unwrap();
        for (address, expected) in [
            ("https://claude.ai/api/mcp/auth_callback", true),
            ("https://chatgpt.com/connector_platform_oauth_redirect", true),
            ("https://assistant.example.com/back?x=1", true),
            ("https://vscode.dev/redirect", true),
            ("cursor://anysphere.cursor-mcp/oauth/callback", true),
            ("http://127.0.0.1:33418/", true),
            ("http://127.0.0.1:33418", true),
            ("http://localhost:6274/oauth/callback", true),
            ("http://[::1]:1/x", true),
            ("https://evil.example.com/", false),
            ("https://claude.ai.evil.example.com/", false),
            ("https://claude.ai@evil.example.com/", false),
            ("https://evil.example.com#claude.ai", false),
            ("https://claude.ai:8443/", false),
            ("http://claude.ai/", false),
            ("https://claude.ai\\@evil.example.com/", false),
            ("https://claude.ai/../x", false),
            ("https://CLAUDE.ai/", false),
            ("https://claude.ai/a#b", false),
            ("https://claude.ai/\"onload=x", false),
            ("https://claude.ai/;script-src", false),
            ("http://127.0.0.1.evil.example.com/", false),
            ("http://10.0.0.1/", false),
            ("javascript:alert(1)", false),
            ("data:text/html,x", false),
            ("cursor://evil/oauth", false),
            ("vbscript://claude.ai/", false),
            ("//claude.ai/", false),
            ("", false),
        ] {
            assert_eq!(hosts.permitted(address).is_some(), expected, "{address}");
        }
        assert!(hosts.permitted_to("https://own.example.com/back", "own.example.com").is_some());
        assert!(hosts.permitted_to("https://other.example.com/back", "own.example.com").is_none());
        for wrong in ["*.example.com", "https://x.example.com", "localhost", "10.0.0.1", ""] {
            assert!(RedirectHosts::new(&[wrong.to_owned()]).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_registered_address_differs_at_most_in_the_port_of_this_machine() {
        for (registered, requested, expected) in [
            ("https://claude.ai/a", "https://claude.ai/a", true),
            ("https://claude.ai/a", "https://claude.ai/a/", false),
            ("https://claude.ai/a", "https://claude.ai/a?x=1", false),
            ("https://claude.ai/a", "https://claude.com/a", false),
            ("http://127.0.0.1/a", "http://127.0.0.1:7/a", true),
            ("http://127.0.0.1:1/a", "http://127.0.0.1:7/a", true),
            ("http://127.0.0.1:1/a", "http://127.0.0.1:7/b", false),
            ("http://127.0.0.1:1/a", "http://localhost:1/a", false),
            ("http://127.0.0.1:1/a", "https://claude.ai/a", false),
        ] {
            assert_eq!(is_registered(registered, requested), expected, "{registered} {requested}");
        }
    }
}
