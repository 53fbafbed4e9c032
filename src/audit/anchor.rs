//! The end of a log and a private key → an anchor: a signed statement that the log had this line at this time. Kept where
//! the writer of the log can't write, anchors show that its end was cut or that it was written anew.

use std::fmt;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde::{Deserialize, Serialize};

use super::record::timestamp;
use crate::owner_file;

/// The first line of what is signed: a signature for something else is none of an anchor.
const PURPOSE: &str = "toolwright audit anchor 1";

/// A signed statement that a log had this line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anchor {
    /// The number of the line.
    pub seq: u64,
    /// Its hash.
    pub hash: String,
    /// When the anchor was made.
    pub time: String,
    /// The public key to the signature. Only one that is known from elsewhere proves anything.
    pub public_key: String,
    /// Of the purpose, number, hash and time, a line each.
    pub signature: String,
}

/// Why there is no key, or an anchor proves nothing.
#[derive(Debug, thiserror::Error)]
pub enum AnchorError {
    /// The file can't be read or written.
    #[error("can't be {0}: {1}")]
    Io(&'static str, io::Error),
    /// It holds something else.
    #[error("holds no Ed25519 key in PKCS #8 (`PRIVATE KEY`)\nhint: `toolwright audit key FILE` makes one")]
    NoKey,
    /// Others could sign with it.
    #[error("can be read by others\nhint: `chmod 600` it, and take a new key if someone may have read it")]
    NotPrivate,
    /// A line of anchors is none.
    #[error("line {0} is no anchor")]
    NoAnchor(usize),
    /// A signature was made with another key, or what it signs was changed.
    #[error("line {0} is not signed with the key `{1}`")]
    NotSigned(usize, String),
    /// The system has no random numbers.
    #[error("no key can be made: the system has no random numbers")]
    NoRandom,
}

/// A key that signs anchors.
pub struct AnchorKey(Ed25519KeyPair);

impl fmt::Debug for AnchorKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AnchorKey({})", self.public_key())
    }
}

impl AnchorKey {
    /// Makes a key and writes it to a new file that only its owner can read.
    ///
    /// # Errors
    /// The file is there already, or can't be written.
    pub fn create(path: &Path) -> Result<Self, AnchorError> {
        let written = |error| AnchorError::Io("written", error);
        let key = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| AnchorError::NoRandom)?;
        let mut file = owner_file::options().create_new(true).open(path).map_err(written)?;
        let text = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(&key));
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(written)?;
        Self::from_pkcs8(key.as_ref())
    }

    /// Reads a key; one that `openssl genpkey -algorithm ed25519` has made serves too.
    ///
    /// # Errors
    /// The file can't be read, holds no such key, or can be read by others.
    pub fn read(path: &Path) -> Result<Self, AnchorError> {
        let unreadable = |error| AnchorError::Io("read", error);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            if path.metadata().map_err(unreadable)?.permissions().mode() & 0o077 != 0 {
                return Err(AnchorError::NotPrivate);
            }
        }
        let text = std::fs::read(path).map_err(unreadable)?;
        let key = PrivatePkcs8KeyDer::from_pem_slice(&text).map_err(|_| AnchorError::NoKey)?;
        Self::from_pkcs8(key.secret_pkcs8_der())
    }

    fn from_pkcs8(key: &[u8]) -> Result<Self, AnchorError> {
        Ed25519KeyPair::from_pkcs8_maybe_unchecked(key).map(Self).map_err(|_| AnchorError::NoKey)
    }

    /// The public key, in base64.
    pub fn public_key(&self) -> String {
        STANDARD.encode(self.0.public_key())
    }

    /// Signs that a log has this line now.
    pub fn anchor(&self, seq: u64, hash: &str) -> Anchor {
        let time = timestamp(SystemTime::now());
        let signature = STANDARD.encode(self.0.sign(signed(seq, hash, &time).as_bytes()));
        Anchor { seq, hash: hash.to_owned(), time, public_key: self.public_key(), signature }
    }
}

fn signed(seq: u64, hash: &str, time: &str) -> String {
    format!("{PURPOSE}\n{seq}\n{hash}\n{time}\n")
}

impl Anchor {
    /// Whether it is signed with this key, in base64.
    fn is_signed_with(&self, public_key: &str) -> bool {
        let (Ok(key), Ok(signature)) = (STANDARD.decode(public_key.trim()), STANDARD.decode(&self.signature)) else {
            return false;
        };
        let message = signed(self.seq, &self.hash, &self.time);
        UnparsedPublicKey::new(&ED25519, key).verify(message.as_bytes(), &signature).is_ok()
    }
}

/// Reads anchors, one a line, that are all signed with this public key.
///
/// # Errors
/// The first line that is no anchor, or is signed otherwise.
pub fn read_anchors(text: &str, public_key: &str) -> Result<Vec<Anchor>, AnchorError> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let read = |(index, line): (usize, &str)| {
        let anchor: Anchor = serde_json::from_str(line).map_err(|_| AnchorError::NoAnchor(index + 1))?;
        if anchor.is_signed_with(public_key) {
            Ok(anchor)
        } else {
            Err(AnchorError::NotSigned(index + 1, public_key.trim().to_owned()))
        }
    };
    lines.map(read).collect()
}
