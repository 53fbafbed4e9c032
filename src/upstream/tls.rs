//! Certificates and keys as PEM → what a TLS connection trusts beside the system's store, and how this side names itself.

use std::fmt;

use reqwest::{Certificate, ClientBuilder, Identity};

/// Why certificates or a key can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// There is no certificate in the text, or it can't be read.
    #[error("holds no certificate in PEM (`-----BEGIN CERTIFICATE-----`)")]
    NoCertificate,
    /// There is no key in the text.
    #[error("holds no private key in PEM (`-----BEGIN PRIVATE KEY-----`)")]
    NoKey,
    /// The key needs a password.
    #[error("holds a private key that is encrypted: it is needed without a password, in a file that only you can read")]
    EncryptedKey,
    /// Certificate and key can't be read, or don't belong to each other.
    #[error("hold no certificate and key that belong together")]
    NoPair,
}

/// What a TLS connection trusts and shows beside the system's defaults; cheap to clone.
#[derive(Clone, Default)]
pub struct Tls {
    authorities: Vec<Certificate>,
    client: Option<Identity>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tls({} authorities, client certificate: {})", self.authorities.len(), self.client.is_some())
    }
}

/// The beginning of a certificate in PEM.
const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----";
/// The end of the line that begins a private key in PEM, of whatever kind.
const KEY: &str = "PRIVATE KEY-----";

/// Whether a text holds a private key in PEM.
pub(crate) fn holds_key(pem: &str) -> bool {
    pem.lines().any(|line| line.starts_with("-----BEGIN ") && line.trim_end().ends_with(KEY))
}

impl Tls {
    /// Trusts these certification authorities too.
    ///
    /// # Errors
    /// The text holds none.
    pub fn with_authorities(mut self, pem: &str) -> Result<Self, TlsError> {
        let authorities = Certificate::from_pem_bundle(pem.as_bytes()).map_err(|_| TlsError::NoCertificate)?;
        if authorities.is_empty() {
            return Err(TlsError::NoCertificate);
        }
        self.authorities.extend(authorities);
        Ok(self)
    }

    /// Shows this certificate to servers that ask for one.
    ///
    /// # Errors
    /// One of the texts holds something else, or they don't belong together.
    pub fn with_client_certificate(mut self, certificate: &str, key: &str) -> Result<Self, TlsError> {
        if !certificate.contains(CERTIFICATE) {
            return Err(TlsError::NoCertificate);
        }
        if !holds_key(key) {
            return Err(TlsError::NoKey);
        }
        if key.contains("BEGIN ENCRYPTED PRIVATE KEY") || key.contains("Proc-Type: 4,ENCRYPTED") {
            return Err(TlsError::EncryptedKey);
        }
        // A file with both is given for both.
        let pem = if certificate == key { key.to_owned() } else { format!("{key}\n{certificate}\n") };
        self.client = Some(Identity::from_pem(pem.as_bytes()).map_err(|_| TlsError::NoPair)?);
        Ok(self)
    }

    /// The same without a client certificate: for others than the vendor that the certificate is for.
    #[must_use]
    pub(crate) fn without_client_certificate(&self) -> Self {
        Self { authorities: self.authorities.clone(), client: None }
    }

    pub(super) fn apply(&self, client: ClientBuilder) -> ClientBuilder {
        let client =
            if self.authorities.is_empty() { client } else { client.tls_certs_merge(self.authorities.clone()) };
        match &self.client {
            Some(identity) => client.identity(identity.clone()),
            None => client,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_certificate_or_key_is_refused_without_its_text() {
        let key = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----";
        let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nc2VjcmV0\n-----END ENCRYPTED PRIVATE KEY-----";
        let certificate = "-----BEGIN CERTIFICATE-----\nc2VjcmV0\n-----END CERTIFICATE-----";
        assert!(Tls::default().with_authorities("c2VjcmV0").is_err());
        assert!(Tls::default().with_authorities(key).is_err());
        for (certificate, key, expected) in [
            ("c2VjcmV0", key, "holds no certificate"),
            (certificate, "c2VjcmV0", "holds no private key"),
            (certificate, encrypted, "is encrypted"),
        ] {
            let error = Tls::default().with_client_certificate(certificate, key).unwrap_err().to_string();
            assert!(error.contains(expected) && !error.contains("c2VjcmV0"), "{error}");
        }
    }
}
