//! Host names of the configured addresses → the links that stay live. A vendor's own domain is not enough: any
//! customer of the vendor can have a site below it.

/// Host names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Hosts(Vec<String>);

impl Hosts {
    /// Collects host names.
    pub(crate) fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        Self(names.into_iter().map(str::to_ascii_lowercase).collect())
    }

    /// Returns where the host of a web address ends, if it is one of these hosts for every parser:
    /// addresses on whose host parsers disagree are refused.
    pub(super) fn leads_to(&self, address: &str) -> Option<usize> {
        let rest = ["https://", "http://"].into_iter().find_map(|scheme| {
            address.get(..scheme.len()).filter(|begins| begins.eq_ignore_ascii_case(scheme))?;
            address.get(scheme.len()..)
        })?;
        let length =
            rest.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '.' | '-' | ':')).unwrap_or(rest.len());
        let ends = rest[length..].chars().next().is_none_or(|c| {
            matches!(c, '/' | '?' | '#' | ')' | '>' | '"' | '\'' | ']' | '|' | ',' | ';' | '!' | '*' | '`')
                || c.is_ascii_whitespace()
        });
        let (host, port) = rest[..length].split_once(':').unwrap_or((&rest[..length], ""));
        // Parsers disagree on an empty port before a slash.
        if port.is_empty() && rest[..length].ends_with(':') && rest[length..].starts_with(['/', '?', '#']) {
            return None;
        }
        if !ends || !port.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        self.holds(host.trim_end_matches('.')).then_some(address.len() - rest.len() + length)
    }

    fn holds(&self, host: &str) -> bool {
        self.0.iter().any(|known| host.eq_ignore_ascii_case(known))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_that_every_parser_reads_alike_are_known() {
        let hosts = Hosts::new(["desk.example.com", "acme.vendor.example"]);
        for (address, leads) in [
            ("https://desk.example.com", true),
            ("HTTPS://Desk.Example.com:8443/a?b=c", true),
            ("http://desk.example.com)", true),
            ("https://acme.vendor.example/x", true),
            ("https://other.vendor.example/x", false),
            ("https://x.acme.vendor.example/x", false),
            ("https://desk.example.com./", true),
            ("https://vendor.example/", false),
            ("https://evilvendor.example/", false),
            ("https://desk.example.com.evil.example/", false),
            ("https://desk.example.com@evil.example/", false),
            ("https://desk.example.com:pass@evil.example/", false),
            ("https://desk.example.com\\@evil.example/", false),
            ("https://desk.example.com。evil.example/", false),
            ("https://desk.example.com&#46;evil.example/", false),
            ("https://desk.example.com%2eevil.example/", false),
            ("https:/desk.example.com/", false),
            ("//desk.example.com/", false),
            ("ftp://desk.example.com/", false),
            ("javascript://desk.example.com/", false),
            ("https://.acme.vendor.example/", false),
        ] {
            assert_eq!(hosts.leads_to(address).is_some(), leads, "{address}");
        }
    }
}
