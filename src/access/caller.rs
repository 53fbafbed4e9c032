//! Who calls → the name that records, logs and plans show, and the key of what is kept for one caller.

use std::fmt;
use std::fmt::Write as _;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

/// How many bytes of a token's hash name its bearer: enough to tell the callers of a server apart.
const SHOWN_BYTES: usize = 4;
/// How many digits of the id of a caller by OAuth are shown: all of an authorization, enough of a subject.
const SHOWN_DIGITS: usize = 12;

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
        self.digits(SHOWN_BYTES)
    }

    pub(in crate::access) fn whole(&self) -> String {
        self.digits(self.0.len())
    }

    fn digits(&self, bytes: usize) -> String {
        self.0.iter().take(bytes).fold(String::new(), |mut text, byte| {
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
    /// The server itself, where it raises and reads tickets of a help desk.
    Server,
    /// Who has signed in, or has authorized a client: `id` is the same for all tokens of one. `person` is the id of who has
    /// authorized it, where that is known.
    Oauth { id: Arc<str>, name: Arc<str>, person: Option<Arc<str>> },
}

impl Principal {
    /// A program on this machine.
    pub fn local() -> Self {
        Self::default()
    }

    /// The server itself.
    pub fn server() -> Self {
        Self(Identity::Server)
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

    /// Who has signed in at an identity provider, under the name that it is shown by.
    pub fn of_subject(issuer: &str, subject: &str, name: &str) -> Self {
        Self(Identity::Oauth { id: subject_id(issuer, subject), name: name.into(), person: None })
    }

    /// A client that was authorized with a link; `id` is the authorization's and no secret.
    pub fn of_authorization(id: &str, name: &str) -> Self {
        Self(Identity::Oauth { id: id.into(), name: name.into(), person: None })
    }

    /// The same, where a person has authorized the client who had signed in at an identity provider.
    #[must_use]
    pub fn authorized_by(self, issuer: &str, subject: &str) -> Self {
        match self.0 {
            Identity::Oauth { id, name, .. } => {
                Self(Identity::Oauth { id, name, person: Some(subject_id(issuer, subject)) })
            }
            other => Self(other),
        }
    }

    /// The id of the link that it bears.
    pub fn link(&self) -> Option<&str> {
        match &self.0 {
            Identity::Link { id, .. } => Some(id),
            Identity::Local | Identity::Server | Identity::Token { .. } | Identity::Oauth { .. } => None,
        }
    }

    /// What no other caller has, in what is stored for one of them. No credentials follow from it.
    pub fn key(&self) -> String {
        match &self.0 {
            Identity::Local => "local".to_owned(),
            Identity::Server => "server".to_owned(),
            Identity::Link { id, .. } => format!("link {id}"),
            Identity::Token { vendor, digest } => format!("token {vendor} {}", digest.whole()),
            Identity::Oauth { id, .. } => format!("oauth {id}"),
        }
    }

    /// What all callers have in common that are one person, as far as that is known: tokens of the identity provider, and clients
    /// that the person has authorized after signing in there.
    pub fn person(&self) -> String {
        match &self.0 {
            Identity::Oauth { person: Some(person), .. } => format!("oauth {person}"),
            _ => self.key(),
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
            Identity::Server => "server",
            Identity::Link { .. } => "link",
            Identity::Token { .. } => "vendor-token",
            Identity::Oauth { .. } => "oauth",
        }
    }

    /// The name of the caller in records, logs and plans. A token is named by the beginning of its hash, a link also by its
    /// id: several may have one name.
    pub fn name(&self) -> String {
        match &self.0 {
            Identity::Local => "local".to_owned(),
            Identity::Server => "the server".to_owned(),
            Identity::Link { id, name } => format!("link {name} ({id})"),
            Identity::Token { vendor, digest } => format!("{vendor} token {}", digest.shown()),
            Identity::Oauth { id, name, .. } => {
                let id = id.get(..SHOWN_DIGITS).unwrap_or(id);
                format!("oauth {name} ({id})")
            }
        }
    }
}

/// The id of a person at an identity provider.
fn subject_id(issuer: &str, subject: &str) -> Arc<str> {
    CredentialsDigest::of(format!("toolwright subject\0{issuer}\0{subject}").as_bytes()).whole().into()
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
        let ann = Principal::of_subject("https://id.example.com", "ann", "ann@example.com");
        assert!(ann.name().starts_with("oauth ann@example.com (") && ann.kind() == "oauth", "{}", ann.name());
        assert_ne!(ann, Principal::of_subject("https://other.example.com", "ann", "ann@example.com"));
        assert_ne!(ann, Principal::of_subject("https://id.example.com", "ben", "ann@example.com"));
        let client = Principal::of_authorization("7", "Assistant").authorized_by("https://id.example.com", "ann");
        assert_eq!(
            (client.person(), client.key().as_str()),
            (ann.person(), "oauth 7"),
            "another caller, the same person"
        );
        assert_ne!(Principal::of_authorization("7", "Assistant").person(), ann.person());
        assert_ne!(Principal::of_link("1", "a"), Principal::of_link("2", "a"), "names need not be unique");
        assert_eq!(Principal::of_link("1", "a").name(), "link a (1)");
    }
}
