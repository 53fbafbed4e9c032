//! A refresh token that several processes use → its successors, one at a time, encrypted where they are kept: with a key
//! that comes from the client's secret and the token that a person put into the file, so that who reads only the store
//! reads nothing. The file stays as it is; a new token in it begins a chain of its own.

use std::fmt::{self, Write as _};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};
use ring::rand::{SecureRandom as _, SystemRandom};
use sha2::{Digest as _, Sha256};

use super::TokenRequest;

/// An answer that has to be waited for.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, String>> + Send + 'a>>;

/// Who exchanges the tokens of a chain, one at a time: no two in a process are equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holder(u64);

impl Holder {
    /// One that there was not before.
    pub fn new() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Self(LAST.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

impl Default for Holder {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Where the successors of refresh tokens are that several processes use.
pub trait RefreshTokenChains: Send + Sync + fmt::Debug {
    /// Waits until no other holder uses the chain, in this process or another one, and returns what was put there last.
    fn lease<'a>(&'a self, chain: &'a str, holder: Holder) -> Answer<'a, Option<String>>;

    /// Puts the next token there, if there is one, and lets other holders use the chain.
    fn release<'a>(&'a self, chain: &'a str, holder: Holder, sealed: Option<String>) -> Answer<'a, ()>;
}

/// The tokens that follow one that is in a file.
pub(super) struct Chain {
    chains: Arc<dyn RefreshTokenChains>,
    holder: Holder,
    /// What names it; no secret.
    id: String,
    key: LessSafeKey,
    /// The token in the file.
    origin: String,
}

impl Chain {
    pub(super) fn new(
        chains: &Arc<dyn RefreshTokenChains>,
        holder: Holder,
        request: &TokenRequest,
        origin: String,
    ) -> Result<Self, String> {
        let digest = |purpose: &str| {
            let parts = [purpose, request.endpoint.as_str(), &request.client_id, &request.client_secret, &origin];
            Sha256::digest(parts.join("\0").as_bytes())
        };
        let id = digest("toolwright chain").iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        });
        let failed = |_| "no key for the refresh token could be made".to_owned();
        let derived = Salt::new(HKDF_SHA256, b"toolwright refresh token").extract(&digest("toolwright key"));
        let key = derived.expand(&[b"aead"], &AES_256_GCM).map(UnboundKey::from).map_err(failed)?;
        Ok(Self { chains: Arc::clone(chains), holder, id, key: LessSafeKey::new(key), origin })
    }

    /// Waits for its turn; returns the token that is valid now.
    pub(super) async fn lease(&self) -> Result<String, String> {
        let Some(sealed) = self.chains.lease(&self.id, self.holder).await? else { return Ok(self.origin.clone()) };
        match self.open(&sealed) {
            Some(token) => Ok(token),
            None => {
                self.chains.release(&self.id, self.holder, None).await?;
                Err("the refresh token in the store can't be decrypted: it was changed there".to_owned())
            }
        }
    }

    /// Stores the next token, if there is one.
    pub(super) async fn release(&self, next: Option<&str>) -> Result<(), String> {
        let sealed = next.map(|next| self.seal(next)).transpose()?;
        self.chains.release(&self.id, self.holder, sealed).await
    }

    fn seal(&self, token: &str) -> Result<String, String> {
        let failed = |_| "the refresh token could not be encrypted".to_owned();
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).map_err(failed)?;
        let mut sealed = token.as_bytes().to_vec();
        let aad = Aad::from(self.id.as_bytes());
        self.key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut sealed).map_err(failed)?;
        Ok(STANDARD.encode([nonce.as_slice(), &sealed].concat()))
    }

    fn open(&self, sealed: &str) -> Option<String> {
        let mut bytes = STANDARD.decode(sealed).ok()?;
        let (nonce, sealed) = bytes.split_at_mut_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let token = self.key.open_in_place(nonce, Aad::from(self.id.as_bytes()), sealed).ok()?;
        String::from_utf8(token.to_vec()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::super::ClientAuthentication;
    use super::*;
    use crate::upstream::Tls;

    #[derive(Debug)]
    struct Nowhere;

    impl RefreshTokenChains for Nowhere {
        fn lease<'a>(&'a self, _: &'a str, _: Holder) -> Answer<'a, Option<String>> {
            Box::pin(async { Ok(None) })
        }

        fn release<'a>(&'a self, _: &'a str, _: Holder, _: Option<String>) -> Answer<'a, ()> {
            Box::pin(async { Ok(()) })
        }
    }

    fn chain(secret: &str, origin: &str) -> Chain {
        let request = TokenRequest {
            vendor: "Acme".to_owned(),
            endpoint: "https://acme.example.com/token".parse().unwrap(),
            client: ClientAuthentication::Form,
            client_id: "id".to_owned(),
            client_secret: secret.to_owned(),
            scope: None,
            refresh_token_file: None,
            sign_in: None,
            tls: Tls::default(),
        };
        let chains: Arc<dyn RefreshTokenChains> = Arc::new(Nowhere);
        Chain::new(&chains, Holder::new(), &request, origin.to_owned()).unwrap()
    }

    #[test]
    fn only_who_has_the_secret_and_the_first_token_reads_the_next_one() {
        let sealed = chain("secret", "first").seal("r3fresh").unwrap();
        assert!(!sealed.contains("r3fresh"));
        assert_eq!(chain("secret", "first").open(&sealed).as_deref(), Some("r3fresh"));
        assert_ne!(sealed, chain("secret", "first").seal("r3fresh").unwrap());
        for other in [chain("other", "first"), chain("secret", "second")] {
            assert_eq!(other.open(&sealed), None);
            assert_ne!(other.id, chain("secret", "first").id);
        }
        for broken in ["", "AAAA", "no base64!", &STANDARD.encode([7; 40])] {
            assert_eq!(chain("secret", "first").open(broken), None, "{broken}");
        }
    }
}
