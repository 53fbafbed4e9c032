//! The variables for a vendor's certificates → what its connections trust and show. They are named alike for every vendor,
//! because they depend on the network in between and not on the vendor.

use super::{Environment, value};
use crate::error::ConfigError;
use crate::upstream::{Tls, TlsError, holds_key};
use toolwright_model::Vendor;

/// A vendor's certificates as they are configured.
#[derive(Debug, Default)]
pub(super) struct ConfiguredTls {
    pub tls: Tls,
    /// The variables that gave them, for `doctor`; empty where there are none.
    pub source: String,
}

/// The kinds of certificates, by the ends of their variables.
const KINDS: [&str; 3] = ["CA_CERT", "CLIENT_CERT", "CLIENT_KEY"];

fn named(vendor: &Vendor, kind: &str) -> String {
    format!("{}_{kind}", vendor.id.to_ascii_uppercase())
}

/// The variables for a vendor's certificates.
pub(super) fn variables(vendor: &Vendor) -> impl Iterator<Item = String> {
    KINDS.into_iter().map(|kind| named(vendor, kind))
}

/// Whether a variable holds a private key: that of the key, and that of the certificate, which may hold both.
pub(super) fn is_secret(vendor: &Vendor, variable: &str) -> bool {
    KINDS[1..].iter().any(|kind| named(vendor, kind) == variable)
}

/// Reads the variables `<VENDOR>_CA_CERT`, `<VENDOR>_CLIENT_CERT` and `<VENDOR>_CLIENT_KEY`.
///
/// # Errors
/// One holds something else, or a certificate has no key.
pub(super) fn tls(vendor: &Vendor, env: Environment<'_>) -> Result<ConfiguredTls, ConfigError> {
    let [authorities_variable, certificate_variable, key_variable] = KINDS.map(|kind| named(vendor, kind));
    let wrong = |variables: &str, error: &TlsError| ConfigError::new(format!("`{variables}` {error}"));
    let mut configured = ConfiguredTls::default();
    let mut sources = Vec::new();
    if let Some(authorities) = value(&authorities_variable, env)? {
        configured.tls =
            configured.tls.with_authorities(&authorities.text).map_err(|error| wrong(&authorities.variable, &error))?;
        sources.push(format!("certification authorities from {}", authorities.variable));
    }
    let pair = (value(&certificate_variable, env)?, value(&key_variable, env)?);
    let (certificate, key) = match pair {
        (None, None) => return Ok(ConfiguredTls { source: sources.join("; "), ..configured }),
        (Some(both), None) if holds_key(&both.text) => (both.clone(), both),
        (Some(certificate), Some(key)) => (certificate, key),
        (Some(_), None) => return Err(half(&key_variable, &certificate_variable)),
        (None, Some(_)) => return Err(half(&certificate_variable, &key_variable)),
    };
    let variables = if certificate.variable == key.variable {
        vec![certificate.variable.as_str()]
    } else {
        vec![certificate.variable.as_str(), key.variable.as_str()]
    };
    sources.push(format!("client certificate from {}", variables.join(" and ")));
    let at_fault = |error: TlsError| {
        let given: Vec<&str> = match error {
            TlsError::NoCertificate => vec![&certificate.variable],
            TlsError::NoKey | TlsError::EncryptedKey => vec![&key.variable],
            _ => variables.clone(),
        };
        wrong(&given.join("` and `"), &error)
    };
    configured.tls = configured.tls.with_client_certificate(&certificate.text, &key.text).map_err(at_fault)?;
    Ok(ConfiguredTls { source: sources.join("; "), ..configured })
}

fn half(missing: &str, set: &str) -> ConfigError {
    ConfigError::new(format!(
        "`{set}` is set and `{missing}` is not\nhint: a client certificate and its private key are needed together, as PEM; \
         `{missing}_FILE` may name a file"
    ))
}
