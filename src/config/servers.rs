//! `[servers]` of vendor.toml and the variables that are set → where an account's operations go that have an address of
//! their own.

use std::collections::BTreeMap;

use url::Url;

use super::address::ConfiguredAddress;
use super::{Environment, value};
use crate::error::ConfigError;
use crate::upstream::{ServerAddress, Servers, Unencrypted, parse_address};
use toolwright_model::Vendor;

/// Resolves the addresses for an account whose APIs are at `base`. One that has an address of its own does not have its
/// requests sent to the vendor's, unless vendor.toml states that all accounts share it.
///
/// # Errors
/// A variable's value is no address, or one is encrypted and the other is not.
pub(super) fn servers(
    vendor: &Vendor,
    at: &ConfiguredAddress<'_>,
    base: &Url,
    env: Environment<'_>,
    unencrypted: Unencrypted,
) -> Result<Servers, ConfigError> {
    let mut known = BTreeMap::new();
    for (address, server) in &vendor.servers {
        let variable = &server.variable;
        let given = value(variable, env)?;
        let text = match &given {
            Some(given) => given.text.as_str(),
            None if at.by_default || server.shared => address.as_str(),
            None => {
                known.insert(address.clone(), ServerAddress::Unset(variable.clone()));
                continue;
            }
        };
        let url = parse_address(text, &[], unencrypted)
            .map_err(|error| ConfigError::new(format!("`{variable}` {error}\nhint: for example `{address}`")))?;
        // One HTTP client serves both, with the care that is due to what is not encrypted.
        if url.scheme() != base.scheme() {
            return Err(ConfigError::new(format!(
                "`{variable}` is `{}`, and the address of the account is `{}`\nhint: both are encrypted, or none is",
                url.scheme(),
                base.scheme()
            )));
        }
        known.insert(address.clone(), ServerAddress::At(url));
    }
    Ok(Servers::of(known))
}
