//! An HTTP client for addresses that strangers choose: it reaches public addresses only, whatever a name server says, by `https`,
//! without redirects and without a proxy, which would look names up itself.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Name, Resolve, Resolving};

use super::Tls;
use crate::error::ConfigError;

/// Builds the client. A number in place of a name is not looked up: callers refuse such addresses before.
///
/// # Errors
/// TLS can't be set up.
pub(crate) fn public_client(timeout: Duration) -> Result<reqwest::Client, ConfigError> {
    // Fails where a provider is installed already, which serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder()
        .user_agent(concat!("toolwright/", env!("CARGO_PKG_VERSION")))
        .https_only(true)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .dns_resolver(Arc::new(PublicAddresses))
        .connect_timeout(timeout)
        .timeout(timeout);
    Tls::default().apply(client).build().map_err(|_| ConfigError::new("the HTTP client can't be set up"))
}

/// Names → their public addresses. The connection goes to what was found here, so that a second look can't differ.
struct PublicAddresses;

impl Resolve for PublicAddresses {
    fn resolve(&self, name: Name) -> Resolving {
        let name = name.as_str().to_owned();
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            // One that is not public among them shows that the name is not to be trusted.
            if found.is_empty() || !found.iter().all(|at| is_public(at.ip())) {
                return Err("the name leads to no public address".into());
            }
            Ok(Box::new(found.into_iter()) as Box<dyn Iterator<Item = SocketAddr> + Send>)
        })
    }
}

/// Whether an address is one of the internet: none of this machine, of a private network, of one link, for documents, for
/// tests, for many receivers, or one that stands for another address.
fn is_public(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            let [a, b, c, _] = ip.octets();
            let is_special = matches!(
                (a, b, c),
                (0 | 10 | 127, ..) | (100, 64..=127, _) | (169, 254, _) | (172, 16..=31, _) | (192, 168, _)
            ) || matches!(
                (a, b, c),
                (192, 0, 0 | 2) | (192, 88, 99) | (198, 18 | 19, _) | (198, 51, 100) | (203, 0, 113)
            );
            !is_special && a < 224
        }
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let [first, second, ..] = ip.segments();
    // 2000::/3 is what is assigned; of it, 2001::/23 is for protocols, 2001:db8::/32 for documents, 2002::/16 and 3fff::/20 for
    // IPv4 and documents.
    let is_assigned = first & 0xe000 == 0x2000;
    let is_special = (first == 0x2001 && (second < 0x0200 || second == 0x0db8)) || first == 0x2002 || first == 0x3fff;
    is_assigned && !is_special
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_that_leads_to_this_machine_is_not_reached() {
        // The resolver returns an address of text as it is.
        for name in ["localhost", "127.0.0.1", "10.1.2.3", "169.254.169.254"] {
            let error = PublicAddresses.resolve(name.parse().unwrap()).await.err().unwrap().to_string();
            assert_eq!(error, "the name leads to no public address", "{name}");
        }
        assert!(PublicAddresses.resolve("1.1.1.1".parse().unwrap()).await.is_ok());
    }

    #[tokio::test]
    async fn a_name_of_this_machine_is_not_connected_to() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let client = public_client(Duration::from_secs(2)).unwrap();
        for url in [format!("https://localhost:{port}/"), format!("http://1.1.1.1:{port}/")] {
            assert!(client.get(&url).send().await.is_err(), "{url}");
        }
        let arrived = tokio::time::timeout(Duration::from_millis(200), listener.accept()).await;
        assert!(arrived.is_err(), "what was looked up is what is connected to, and that is refused");
    }

    #[test]
    fn what_is_not_of_the_internet_is_not_reached() {
        for (address, expected) in [
            ("1.1.1.1", true),
            ("172.15.0.1", true),
            ("172.32.0.1", true),
            ("2606:4700::1111", true),
            ("0.0.0.0", false),
            ("10.1.2.3", false),
            ("100.64.0.1", false),
            ("127.0.0.1", false),
            ("169.254.169.254", false),
            ("172.16.0.1", false),
            ("192.0.0.8", false),
            ("192.0.2.1", false),
            ("192.168.1.1", false),
            ("198.18.0.1", false),
            ("224.0.0.1", false),
            ("255.255.255.255", false),
            ("::", false),
            ("::1", false),
            ("::ffff:127.0.0.1", false),
            ("::ffff:10.0.0.1", false),
            ("64:ff9b::7f00:1", false),
            ("fc00::1", false),
            ("fe80::1", false),
            ("ff02::1", false),
            ("2001:db8::1", false),
            ("2001::1", false),
            ("2002:7f00:1::", false),
        ] {
            assert_eq!(is_public(address.parse().unwrap()), expected, "{address}");
        }
    }
}
