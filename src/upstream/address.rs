//! An address as a person enters it → the address that the description's paths are appended to.

use std::net::IpAddr;

use url::{Host, Url};

/// How far requests may go that are not encrypted, by `http`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Unencrypted {
    /// Not beyond this machine.
    #[default]
    OnThisMachine,
    /// Over a private network as well, where everyone who is on the way can read credentials and answers.
    OnPrivateNetwork,
}

/// Why an address can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// It is not an absolute address.
    #[error("is not an address: {0}")]
    Invalid(String),
    /// It is not a web address.
    #[error("has the scheme `{0}`, expected `https`")]
    Scheme(String),
    /// Credentials would be sent unencrypted.
    #[error(
        "is not encrypted: credentials are sent by `https` only, except to this machine, and to a private network with \
         `--unencrypted-on-private-network`"
    )]
    Clear,
    /// Credentials would be sent unencrypted, and not to a private network.
    #[error("is not encrypted, and leads to a public address: there, credentials are sent by `https` only")]
    ClearAndPublic,
    /// It holds a user name or password.
    #[error("holds credentials: they have variables of their own")]
    Credentials,
}

/// Reads an address. `suffixes` such as `/api`, with which the description's paths begin
/// themselves, are cut, as are a query and a fragment; the path ends in a slash. A host without a
/// scheme is read as https. `http` is accepted as far as `unencrypted` allows; where a name leads shows with each
/// connection only, and is checked there.
///
/// # Errors
/// By the reasons of [`AddressError`].
pub fn parse_address(text: &str, suffixes: &[String], unencrypted: Unencrypted) -> Result<Url, AddressError> {
    let text = text.trim();
    let with_scheme = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    let mut url = Url::parse(&with_scheme).map_err(|error| AddressError::Invalid(error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(AddressError::Scheme(url.scheme().to_owned()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(AddressError::Credentials);
    }
    if url.host().is_none() {
        return Err(AddressError::Invalid("it names no host".to_owned()));
    }
    if url.scheme() == "http" && !is_this_machine(&url) {
        match unencrypted {
            Unencrypted::OnThisMachine => return Err(AddressError::Clear),
            Unencrypted::OnPrivateNetwork if ip_of(&url).is_some_and(|ip| !is_private(ip)) => {
                return Err(AddressError::ClearAndPublic);
            }
            Unencrypted::OnPrivateNetwork => {}
        }
    }
    url.set_query(None);
    url.set_fragment(None);
    let mut path = url.path().trim_end_matches('/').to_owned();
    for suffix in suffixes {
        let cut = path.len().saturating_sub(suffix.len());
        if path.get(cut..).is_some_and(|tail| tail.eq_ignore_ascii_case(suffix)) {
            path.truncate(cut);
            path.truncate(path.trim_end_matches('/').len());
        }
    }
    url.set_path(&format!("{path}/"));
    Ok(url)
}

/// Reads an address that a provider states of itself, such as that of its keys: as it is, with path and query.
///
/// # Errors
/// As [`parse_address`].
pub(crate) fn parse_endpoint(text: &str) -> Result<Url, AddressError> {
    parse_address(text, &[], Unencrypted::OnThisMachine)?;
    Url::parse(text).map_err(|error| AddressError::Invalid(error.to_string()))
}

/// Whether an address leads to this machine, by its text alone.
pub(super) fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.to_canonical().is_loopback(),
        None => false,
    }
}

/// The address, where a number is in place of a name.
fn ip_of(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        Host::Domain(_) => None,
        Host::Ipv4(ip) => Some(ip.into()),
        Host::Ipv6(ip) => Some(ip.into()),
    }
}

/// Whether an address is on this machine or a private network: those of RFC 1918, RFC 4193 and RFC 6598, and those of
/// one link.
pub(super) fn is_private(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            let is_shared = ip.octets()[0] == 100 && ip.octets()[1] & 0xc0 == 64;
            ip.is_loopback() || ip.is_private() || ip.is_link_local() || is_shared
        }
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_as_people_enter_it_becomes_the_root() {
        let strip = vec!["/api".to_owned()];
        for (given, expected) in [
            ("https://acme.example.com", "https://acme.example.com/"),
            ("https://acme.example.com/", "https://acme.example.com/"),
            ("acme.example.com/helpdesk", "https://acme.example.com/helpdesk/"),
            ("https://acme.example.com/helpdesk/api/", "https://acme.example.com/helpdesk/"),
            ("https://acme.example.com/API", "https://acme.example.com/"),
            (" https://acme.example.com/helpdesk?x=1#y ", "https://acme.example.com/helpdesk/"),
            ("https://acme.example.com/myapi", "https://acme.example.com/myapi/"),
            ("http://127.0.0.1:4711/jitbit", "http://127.0.0.1:4711/jitbit/"),
            ("http://[::1]:4711", "http://[::1]:4711/"),
        ] {
            assert_eq!(parse_address(given, &strip, Unencrypted::default()).unwrap().as_str(), expected, "{given}");
        }
    }

    #[test]
    fn an_address_that_would_leak_or_fail_is_refused() {
        for (given, expected) in [
            ("http://acme.example.com", "is not encrypted"),
            ("http://10.0.0.7", "with `--unencrypted-on-private-network`"),
            ("http://127.0.0.1.example.com", "is not encrypted"),
            ("ftp://acme.example.com", "scheme `ftp`"),
            ("https://user:secret@acme.example.com", "holds credentials"),
            ("https://", "is not an address"),
            ("", "is not an address"),
        ] {
            let error = parse_address(given, &[], Unencrypted::default()).unwrap_err().to_string();
            assert!(error.contains(expected), "{given}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn a_private_network_is_reached_in_the_clear_by_the_flag_only() {
        let parse = |address: &str| parse_address(address, &[], Unencrypted::OnPrivateNetwork);
        for private in [
            "http://10.0.0.7:8080",
            "http://172.31.255.1",
            "http://192.168.1.1",
            "http://169.254.1.1",
            "http://100.64.0.1",
            "http://[fd12::1]",
            "http://[fe80::1]",
            "http://[::ffff:10.0.0.7]",
            // Where a name leads is checked when it is called.
            "http://helpdesk.internal",
        ] {
            assert!(parse(private).is_ok(), "{private}");
            assert!(parse_address(private, &[], Unencrypted::OnThisMachine).is_err(), "{private}");
        }
        for public in
            ["http://192.0.2.7", "http://172.32.0.1", "http://100.128.0.1", "http://[2001:db8::1]", "http://0.0.0.0"]
        {
            assert!(matches!(parse(public), Err(AddressError::ClearAndPublic)), "{public}");
        }
    }

    #[test]
    fn this_machine_is_known_by_its_names_and_numbers() {
        for (address, expected) in [
            ("https://localhost/", true),
            ("https://acme.localhost", true),
            ("https://127.3.2.1:8", true),
            ("https://[::1]", true),
            ("https://[::ffff:127.0.0.1]", true),
            ("https://localhost.example.com", false),
            ("https://10.0.0.7", false),
        ] {
            assert_eq!(is_this_machine(&Url::parse(address).unwrap()), expected, "{address}");
        }
    }
}
