//! An address and what is trusted → an HTTP client for it: without redirects, within bounds of time, through the proxy
//! that the environment names. Nothing that is not encrypted passes a proxy, and so does nothing for this machine.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Name, Resolve, Resolving};
use reqwest::header::{HeaderMap, HeaderValue};
use url::Url;

use super::address::{is_private, is_this_machine};
use super::credentials::Credentials;
use super::headers::SettingHeader;
use super::tls::Tls;
use crate::error::ConfigError;

/// How this program names itself to vendors.
const USER_AGENT: &str = concat!("toolwright/", env!("CARGO_PKG_VERSION"));
/// The longest name of a calling program that is passed on, in characters.
const LONGEST_CLIENT: usize = 100;

/// How this program names itself on behalf of another one, as `toolwright/1.0 (claude-code 2.1)`. `None` where nothing of
/// the other's name can be sent.
pub(super) fn user_agent(client: &str) -> Option<HeaderValue> {
    let sent = |c: &char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '.' | '-' | '_' | '/' | '+');
    let name: String = client.chars().filter(sent).take(LONGEST_CLIENT).collect();
    let name = name.trim();
    (!name.is_empty()).then(|| HeaderValue::from_str(&format!("{USER_AGENT} ({name})")).ok()).flatten()
}

/// How long opening a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Builds an HTTP client for requests to one address. `credentials` and `settings` are sent with every request, for the
/// typed clients; an [`super::Upstream`] adds them to each request itself.
///
/// # Errors
/// TLS can't be set up with these certificates.
pub(crate) fn http_client(
    address: &Url,
    tls: &Tls,
    timeout: Duration,
    credentials: Option<&Credentials>,
    settings: &[SettingHeader],
) -> Result<reqwest::Client, ConfigError> {
    // Fails where a provider is installed already, which serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut headers = HeaderMap::new();
    if let Some(credentials) = credentials {
        credentials.apply(&mut headers);
    }
    for setting in settings {
        setting.apply(&mut headers);
    }
    let mut client = reqwest::Client::builder()
        .default_headers(headers)
        .user_agent(USER_AGENT)
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT.min(timeout))
        .timeout(timeout)
        .tcp_nodelay(true);
    let is_clear = address.scheme() == "http";
    if is_clear || is_this_machine(address) {
        client = client.no_proxy();
    }
    if is_clear {
        client = client.dns_resolver(Arc::new(NearAddresses { only_this_machine: is_this_machine(address) }));
    }
    tls.apply(client).build().map_err(|error| {
        let mut cause: &dyn std::error::Error = &error;
        while let Some(inner) = cause.source() {
            cause = inner;
        }
        ConfigError::new(format!("the HTTP client can't be set up: {cause}"))
    })
}

/// Names → their addresses on this machine, or on a private network too: what is not encrypted goes nowhere else,
/// whatever a name server says.
struct NearAddresses {
    only_this_machine: bool,
}

impl Resolve for NearAddresses {
    fn resolve(&self, name: Name) -> Resolving {
        let name = name.as_str().to_owned();
        let only_this_machine = self.only_this_machine;
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let is_near = |at: &SocketAddr| {
                if only_this_machine { at.ip().to_canonical().is_loopback() } else { is_private(at.ip()) }
            };
            let near: Vec<SocketAddr> = found.into_iter().filter(is_near).collect();
            if near.is_empty() {
                let place = if only_this_machine { "this machine" } else { "a private network" };
                return Err(format!("`{name}` is not on {place}, and `http` is not encrypted").into());
            }
            Ok(Box::new(near.into_iter()) as Box<dyn Iterator<Item = SocketAddr> + Send>)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    #[tokio::test]
    async fn a_name_without_a_private_address_is_not_called_in_the_clear() {
        let resolved = |name: &str| NearAddresses { only_this_machine: false }.resolve(name.parse().unwrap());
        assert!(resolved("localhost").await.unwrap().all(|at| at.ip().is_loopback()));
        // The resolver returns an address of text as it is.
        let error = resolved("192.0.2.7").await.err().unwrap().to_string();
        assert_eq!(error, "`192.0.2.7` is not on a private network, and `http` is not encrypted");
        assert!(resolved("10.1.2.3").await.is_ok());
        let own = NearAddresses { only_this_machine: true };
        assert!(own.resolve("localhost".parse().unwrap()).await.unwrap().all(|at| at.ip().is_loopback()));
        let error = own.resolve("10.1.2.3".parse().unwrap()).await.err().unwrap().to_string();
        assert_eq!(error, "`10.1.2.3` is not on this machine, and `http` is not encrypted");
        assert_eq!(resolved("10.1.2.3").await.unwrap().next().map(|at| at.ip()), Some(IpAddr::from([10, 1, 2, 3])));
    }
}
