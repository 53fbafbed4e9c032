//! The hosts whose links stay live: the configured address's, and those that a vendor file names.

/// Hosts by name; `*.` before a name stands for everything below it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Hosts(Vec<String>);

impl Hosts {
    /// Hosts by the names `named`.
    pub(crate) fn new<'a>(named: impl IntoIterator<Item = &'a str>) -> Self {
        Self(named.into_iter().map(str::to_ascii_lowercase).collect())
    }

    /// Where the host of an address ends, if it is a web address that leads to one of these hosts
    /// whoever reads it: nothing in it that one reader takes for the host's end and another not.
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
        // `https://host:` and a slash is one address, and two for a reader.
        if port.is_empty() && rest[..length].ends_with(':') && rest[length..].starts_with(['/', '?', '#']) {
            return None;
        }
        if !ends || !port.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        self.holds(host.trim_end_matches('.')).then_some(address.len() - rest.len() + length)
    }

    fn holds(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        self.0.iter().any(|known| match known.strip_prefix("*.") {
            Some(parent) => host.strip_suffix(parent).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.')),
            None => host == *known,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_every_reader_takes_there_leads_there() {
        let hosts = Hosts::new(["desk.example.com", "*.vendor.example"]);
        for (address, leads) in [
            ("https://desk.example.com", true),
            ("HTTPS://Desk.Example.com:8443/a?b=c", true),
            ("http://desk.example.com)", true),
            ("https://a.b.vendor.example/x", true),
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
            ("https://.vendor.example/", false),
        ] {
            assert_eq!(hosts.leads_to(address).is_some(), leads, "{address}");
        }
    }
}
