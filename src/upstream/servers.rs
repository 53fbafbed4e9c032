//! An address that a description states for some operations → where an account has them sent: there, where its own
//! settings say, or below the sandbox. Never anywhere else: the request carries the account's credentials.

use std::collections::BTreeMap;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

use crate::error::CallError;

/// The addresses of an account's operations that are not sent to the address of the others.
#[derive(Debug, Clone, Default)]
pub struct Servers(Inner);

#[derive(Debug, Clone)]
enum Inner {
    /// By the address in the description.
    Known(BTreeMap<String, ServerAddress>),
    /// All of them are segments below the API's root.
    InSandbox,
}

impl Default for Inner {
    fn default() -> Self {
        Self::Known(BTreeMap::new())
    }
}

/// Where one of them is.
#[derive(Debug, Clone)]
pub enum ServerAddress {
    /// Here.
    At(Url),
    /// Not known: this variable has to be set.
    Unset(String),
}

impl Servers {
    /// Those of an account.
    pub fn of(known: BTreeMap<String, ServerAddress>) -> Self {
        Self(Inner::Known(known))
    }

    /// Those of the sandbox, which learns from the path which address was meant.
    pub fn in_sandbox() -> Self {
        Self(Inner::InSandbox)
    }

    /// The address of `server` for an account whose API is at `base`. A server without a host is on the same one.
    ///
    /// # Errors
    /// The account does not state it.
    pub(super) fn at(&self, base: &Url, server: &str) -> Result<Url, CallError> {
        let known = match &self.0 {
            Inner::InSandbox => {
                let mut url = base.clone();
                let segment = utf8_percent_encode(server, NON_ALPHANUMERIC);
                url.set_path(&format!("{}/@server:{segment}", base.path().trim_end_matches('/')));
                return Ok(url);
            }
            Inner::Known(known) => known,
        };
        if server.starts_with('/') {
            let mut url = base.clone();
            url.set_path(server);
            return Ok(url);
        }
        match known.get(server) {
            Some(ServerAddress::At(url)) => Ok(url.clone()),
            Some(ServerAddress::Unset(variable)) => Err(CallError::NotSent(format!(
                "the vendor takes this at `{server}`, and the account is at an address of its own: `{variable}` has to \
                 state where it is there"
            ))),
            None => {
                Err(CallError::NotSent(format!("the vendor takes this at `{server}`, which the account does not have")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_goes_only_where_the_account_says() {
        let base = Url::parse("https://desk.example.com/api/v1").unwrap();
        let known = [
            (
                "https://files.acme.example".to_owned(),
                ServerAddress::At(Url::parse("https://f.example.com/x").unwrap()),
            ),
            ("https://other.acme.example".to_owned(), ServerAddress::Unset("ACME_OTHER_URL".to_owned())),
        ];
        let servers = Servers::of(BTreeMap::from(known));
        let at = |server: &str| servers.at(&base, server).map(String::from).map_err(|error| error.to_string());
        assert_eq!(at("/api/v2"), Ok("https://desk.example.com/api/v2".to_owned()));
        assert_eq!(at("//evil.example"), Ok("https://desk.example.com//evil.example".to_owned()));
        assert_eq!(at("https://files.acme.example"), Ok("https://f.example.com/x".to_owned()));
        assert!(at("https://other.acme.example").unwrap_err().contains("`ACME_OTHER_URL`"));
        assert!(at("https://evil.example").unwrap_err().contains("does not have"));
        let local = Url::parse("http://127.0.0.1:7/acme").unwrap();
        assert_eq!(
            Servers::in_sandbox().at(&local, "https://files.acme.example/a").unwrap().as_str(),
            "http://127.0.0.1:7/acme/@server:https%3A%2F%2Ffiles%2Eacme%2Eexample%2Fa"
        );
    }
}
