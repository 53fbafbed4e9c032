//! The `Host` of a request → whether this server is meant. A page whose host name was made to resolve to this machine (DNS
//! rebinding) sends its own name and is refused.

use std::net::IpAddr;

use axum::http::HeaderMap;
use axum::http::header::HOST;
use axum::http::uri::Authority;
use toolwright_model::truncate;

use crate::error::ConfigError;

/// The longest name of a host that an error repeats, in characters.
const LONGEST: usize = 100;

/// The hosts that are served beside this machine's own names.
#[derive(Debug, Clone, Default)]
pub struct Hosts(Vec<String>);

impl Hosts {
    /// Reads names of hosts, such as `mcp.example.com`, with or without a port.
    ///
    /// # Errors
    /// One is no name of a host.
    pub fn parse(hosts: &[String]) -> Result<Self, ConfigError> {
        let read = |host: &String| {
            let named = host.parse::<Authority>().ok().filter(|_| !host.contains(['@', '*', '/']));
            let wrong = || {
                ConfigError::new(format!(
                    "`--host {host}` is no name of a host\nhint: it is what clients connect to, such as `mcp.example.com`"
                ))
            };
            named.map(|named| bare(named.host())).filter(|name| !name.is_empty()).ok_or_else(wrong)
        };
        hosts.iter().map(read).collect::<Result<_, _>>().map(Self)
    }

    /// Whether one of them is none of this machine's own names.
    pub fn are_public(&self) -> bool {
        self.0.iter().any(|name| !is_this_machine(name))
    }

    /// The host that a request names, if it is none that is served.
    pub(crate) fn foreign(&self, headers: &HeaderMap) -> Option<String> {
        let host = headers.get(HOST)?;
        let named = host.to_str().ok().and_then(|host| host.parse::<Authority>().ok());
        let is_served = named.is_some_and(|host| {
            let name = bare(host.host());
            is_this_machine(&name) || self.0.contains(&name)
        });
        (!is_served).then(|| truncate(&String::from_utf8_lossy(host.as_bytes()), LONGEST).into_owned())
    }

    /// Whether a request names this machine by one of its own names.
    pub(crate) fn is_own(headers: &HeaderMap) -> bool {
        headers.contains_key(HOST) && Self::default().foreign(headers).is_none()
    }
}

/// A name without the brackets of IPv6, in lower case.
fn bare(host: &str) -> String {
    host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.').to_ascii_lowercase()
}

fn is_this_machine(name: &str) -> bool {
    name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_and_the_named_hosts_are_served() {
        let hosts = Hosts::parse(&["MCP.example.com".to_owned(), "10.0.0.7:8443".to_owned()]).unwrap();
        for (host, served) in [
            ("localhost", true),
            ("localhost:8080", true),
            ("127.0.0.1:1", true),
            ("[::1]:8080", true),
            ("mcp.example.com", true),
            ("mcp.EXAMPLE.com:8443", true),
            ("10.0.0.7", true),
            ("example.com", false),
            ("mcp.example.com.evil.example", false),
            ("10.0.0.8", false),
            ("mcp.example.com@evil.example", false),
            ("", false),
        ] {
            let headers = HeaderMap::from_iter([(HOST, host.parse().unwrap())]);
            assert_eq!(hosts.foreign(&headers).is_none(), served, "{host}");
        }
        for wrong in ["", "*.example.com", "https://mcp.example.com", "user@mcp.example.com"] {
            assert!(Hosts::parse(&[wrong.to_owned()]).is_err(), "{wrong}");
        }
        for (name, is_public) in [("mcp.example.com", true), ("10.0.0.7", true), ("localhost", false), ("[::1]", false)]
        {
            assert_eq!(Hosts::parse(&[name.to_owned()]).unwrap().are_public(), is_public, "{name}");
        }
    }
}
