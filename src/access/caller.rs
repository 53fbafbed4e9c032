//! Who calls → the name that records, logs and plans show, and the key of what is kept for one caller.

use std::fmt;
use std::fmt::Write as _;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

/// How many bytes of a token's hash name its bearer: enough to tell the callers of a server apart.
const SHOWN_BYTES: usize = 4;

/// A digest of credentials. Nothing is allowed or refused by it: it separates what is kept for one caller from what is
/// kept for another.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct CredentialsDigest([u8; 32]);

impl CredentialsDigest {
    /// The digest of these credentials.
    pub fn of(credentials: &[u8]) -> Self {
        Self(Sha256::digest(credentials).into())
    }

    /// The beginning of the digest, in hexadecimal digits, as a name.
    fn shown(&self) -> String {
        self.0.iter().take(SHOWN_BYTES).fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}

impl fmt::Debug for CredentialsDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CredentialsDigest")
    }
}

/// Who calls, as far as the server knows. Two requests are of the same caller if and only if their principals are equal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Principal(Identity);

#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
enum Identity {
    /// Any program on this machine: nothing is asked of it.
    #[default]
    Local,
    /// What possesses a link.
    Link { id: Arc<str>, name: Arc<str> },
    /// What brings a vendor's token.
    Token { vendor: Arc<str>, digest: CredentialsDigest },
}

impl Principal {
    /// A program on this machine.
    pub fn local() -> Self {
        Self::default()
    }

    /// The bearer of a link; `id` is the store's and no secret.
    pub fn of_link(id: &str, name: &str) -> Self {
        Self(Identity::Link { id: id.into(), name: name.into() })
    }

    /// The bearer of a vendor's token.
    pub fn of_token(vendor: &str, token: &str) -> Self {
        let digest = CredentialsDigest::of(format!("toolwright caller\0{vendor}\0{token}").as_bytes());
        Self(Identity::Token { vendor: vendor.into(), digest })
    }

    /// The id of the link that it bears.
    pub fn link(&self) -> Option<&str> {
        match &self.0 {
            Identity::Link { id, .. } => Some(id),
            Identity::Local | Identity::Token { .. } => None,
        }
    }

    /// Whether nothing is known of the caller but that it is on this machine.
    pub fn is_local(&self) -> bool {
        self.0 == Identity::Local
    }

    /// The kind of the caller: one of few words, for metrics.
    pub fn kind(&self) -> &'static str {
        match self.0 {
            Identity::Local => "local",
            Identity::Link { .. } => "link",
            Identity::Token { .. } => "vendor-token",
        }
    }

    /// The name of the caller in records, logs and plans. A token is named by the beginning of its hash, a link also by its
    /// id: several may have one name.
    pub fn name(&self) -> String {
        match &self.0 {
            Identity::Local => "local".to_owned(),
            Identity::Link { id, name } => format!("link {name} ({id})"),
            Identity::Token { vendor, digest } => format!("{vendor} token {}", digest.shown()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_names_its_bearer_and_is_shown_nowhere() {
        let caller = Principal::of_token("jitbit", "s3cret-token");
        let shown = format!("{} {caller:?}", caller.name());
        assert!(shown.starts_with("jitbit token ") && !shown.contains("s3cret"), "{shown}");
        assert_eq!(caller.name().len(), "jitbit token ".len() + 2 * SHOWN_BYTES);
        assert_eq!(caller, Principal::of_token("jitbit", "s3cret-token"));
        for other in [
            Principal::of_token("jitbit", "s3cret-tokem"),
            Principal::of_token("jsm", "s3cret-token"),
            Principal::of_link("jitbit", "s3cret-token"),
            Principal::local(),
        ] {
            assert_ne!(caller, other);
        }
        assert_ne!(Principal::of_link("1", "a"), Principal::of_link("2", "a"), "names need not be unique");
        assert_eq!(Principal::of_link("1", "a").name(), "link a (1)");
    }
}
