//! An address as a person enters it → the address that the description's paths are appended to.

use url::{Host, Url};

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
    #[error("is not encrypted: credentials are sent by `https` only, except to this machine")]
    Clear,
    /// It holds a user name or password.
    #[error("holds credentials: they have variables of their own")]
    Credentials,
}

/// Reads an address. `suffixes` such as `/api`, with which the description's paths begin
/// themselves, are cut, as are a query and a fragment; the path ends in a slash. A host without a
/// scheme is read as https.
///
/// # Errors
/// By the reasons of [`AddressError`].
pub fn parse_address(text: &str, suffixes: &[String]) -> Result<Url, AddressError> {
    let text = text.trim();
    let with_scheme = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    let mut url = Url::parse(&with_scheme).map_err(|error| AddressError::Invalid(error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(AddressError::Scheme(url.scheme().to_owned()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(AddressError::Credentials);
    }
    let local = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => return Err(AddressError::Invalid("it names no host".to_owned())),
    };
    if url.scheme() == "http" && !local {
        return Err(AddressError::Clear);
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
            assert_eq!(parse_address(given, &strip).unwrap().as_str(), expected, "{given}");
        }
    }

    #[test]
    fn an_address_that_would_leak_or_fail_is_refused() {
        for (given, expected) in [
            ("http://acme.example.com", "is not encrypted"),
            ("ftp://acme.example.com", "scheme `ftp`"),
            ("https://user:secret@acme.example.com", "holds credentials"),
            ("https://", "is not an address"),
            ("", "is not an address"),
        ] {
            let error = parse_address(given, &[]).unwrap_err().to_string();
            assert!(error.contains(expected), "{given}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
