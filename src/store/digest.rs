//! A token → its SHA-256, which is all that is stored of it, and compared in a time that does not depend on it.

use std::fmt::{self, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom as _, SystemRandom};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// How many random bytes a token has.
const BYTES: usize = 32;

/// The SHA-256 of a token.
#[derive(Clone, Copy)]
pub struct TokenDigest([u8; 32]);

impl TokenDigest {
    /// A new token of 256 random bits, after `prefix`, and its digest. The token is nowhere else.
    ///
    /// # Errors
    /// The system has no random numbers.
    pub fn draw(prefix: &str) -> Result<(String, Self), super::StoreError> {
        let mut bytes = [0; BYTES];
        SystemRandom::new()
            .fill(&mut bytes)
            .map_err(|_| super::StoreError::Refused("the system has no random numbers".to_owned()))?;
        let token = format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bytes));
        let digest = Self::of(&token);
        Ok((token, digest))
    }

    /// Whether a text has the form of what is drawn without a prefix.
    pub fn is_drawn(text: &str) -> bool {
        URL_SAFE_NO_PAD.decode(text).is_ok_and(|bytes| bytes.len() == BYTES)
    }

    /// The digest of a token.
    pub fn of(token: &str) -> Self {
        Self(Sha256::digest(token.as_bytes()).into())
    }

    /// What rows are looked up by: a part of the digest, from which no token follows.
    pub fn index(&self) -> u64 {
        self.0.first_chunk().map_or(0, |first| u64::from_be_bytes(*first))
    }

    /// As rows have it, in hexadecimal digits.
    pub(super) fn text(&self) -> String {
        self.0.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    /// Reads what rows have.
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        if text.len() != 64 || !text.is_ascii() {
            return None;
        }
        for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
        }
        Some(Self(bytes))
    }
}

/// In a time that does not depend on where they differ.
impl PartialEq for TokenDigest {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for TokenDigest {}

impl fmt::Debug for TokenDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenDigest")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_256_random_bits_and_only_its_digest_is_read_back() {
        let (token, digest) = TokenDigest::draw("").unwrap();
        let (other, _) = TokenDigest::draw("").unwrap();
        assert_eq!(URL_SAFE_NO_PAD.decode(&token).unwrap().len(), 32);
        assert_ne!(token, other);
        assert_eq!(TokenDigest::read(&digest.text()), Some(digest));
        assert_eq!(TokenDigest::of(&token), digest);
        assert_ne!(TokenDigest::of(&other), digest);
        assert_eq!(format!("{digest:?}"), "TokenDigest");
        for wrong in ["", "zz", &"g".repeat(64), &"é".repeat(32)] {
            assert_eq!(TokenDigest::read(wrong), None, "{wrong}");
        }
    }
}
