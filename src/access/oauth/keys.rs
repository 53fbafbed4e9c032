//! A provider's key set (RFC 7517) → the keys that verify signatures. Each key is used with the algorithms of its own kind
//! only, and with the one that it names: a public key is never a secret for HS256.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey};
use serde_json::Value;

/// The most keys that are read of a set.
const MOST: usize = 100;
/// The bytes of a coordinate on P-256, and of a key on Ed25519.
const POINT: usize = 32;

/// An algorithm by which tokens are signed. There is no other: none without a signature, none with a shared secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Algorithm {
    Rs256,
    Ps256,
    Es256,
    EdDsa,
}

impl Algorithm {
    pub(super) const ALL: [Self; 4] = [Self::Rs256, Self::Ps256, Self::Es256, Self::EdDsa];

    /// By the name of RFC 7518, or of RFC 9864 for the curve of EdDSA.
    pub(super) fn read(name: &str) -> Option<Self> {
        match name {
            "RS256" => Some(Self::Rs256),
            "PS256" => Some(Self::Ps256),
            "ES256" => Some(Self::Es256),
            "EdDSA" | "Ed25519" => Some(Self::EdDsa),
            _ => None,
        }
    }
}

/// The keys of a provider.
#[derive(Debug, Default)]
pub(super) struct Keys(Vec<Key>);

#[derive(Debug)]
pub(super) struct Key {
    id: Option<String>,
    /// The only algorithm that it is for, where the provider states one.
    algorithm: Option<Algorithm>,
    material: Material,
}

#[derive(Debug)]
enum Material {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    P256(Vec<u8>),
    Ed25519(Vec<u8>),
}

impl Keys {
    /// Reads a key set. Keys of other kinds and for other purposes are left out.
    pub(super) fn read(set: &Value) -> Option<Self> {
        let keys = set.get("keys")?.as_array()?;
        Some(Self(keys.iter().take(MOST).filter_map(Key::read).collect()))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The keys that a token may be signed with: the one that it names, or where it names none each of the right kind.
    pub(super) fn fitting(&self, id: Option<&str>, algorithm: Algorithm) -> impl Iterator<Item = &Key> {
        let is_named = move |key: &&Key| id.is_none_or(|id| key.id.as_deref() == Some(id));
        self.0.iter().filter(is_named).filter(move |key| key.is_for(algorithm))
    }

    /// Whether there is a key with this id.
    pub(super) fn has(&self, id: &str) -> bool {
        self.0.iter().any(|key| key.id.as_deref() == Some(id))
    }
}

impl Key {
    fn read(key: &Value) -> Option<Self> {
        let text = |name: &str| key.get(name).and_then(Value::as_str);
        let bytes = |name: &str| URL_SAFE_NO_PAD.decode(text(name)?.trim_end_matches('=')).ok();
        let point = |name: &str| bytes(name).filter(|bytes| bytes.len() == POINT);
        let is_to_verify = |operations: &Value| {
            operations.as_array().is_some_and(|all| all.iter().any(|operation| operation == "verify"))
        };
        if text("use").is_some_and(|purpose| purpose != "sig") || key.get("key_ops").is_some_and(|it| !is_to_verify(it))
        {
            return None;
        }
        let material = match (text("kty")?, text("crv")) {
            ("RSA", _) => Material::Rsa { n: bytes("n")?, e: bytes("e")? },
            ("EC", Some("P-256")) => Material::P256([vec![4], point("x")?, point("y")?].concat()),
            ("OKP", Some("Ed25519")) => Material::Ed25519(point("x")?),
            _ => return None,
        };
        let algorithm = match text("alg") {
            Some(name) => Some(Algorithm::read(name)?),
            None => None,
        };
        let key = Self { id: text("kid").map(str::to_owned), algorithm, material };
        Algorithm::ALL.into_iter().any(|algorithm| key.is_for(algorithm)).then_some(key)
    }

    fn is_for(&self, algorithm: Algorithm) -> bool {
        let is_of_kind = match &self.material {
            Material::Rsa { .. } => matches!(algorithm, Algorithm::Rs256 | Algorithm::Ps256),
            Material::P256(_) => algorithm == Algorithm::Es256,
            Material::Ed25519(_) => algorithm == Algorithm::EdDsa,
        };
        is_of_kind && self.algorithm.is_none_or(|own| own == algorithm)
    }

    /// Whether a signature is of this key. An RSA key of less than 2048 bits signs nothing.
    pub(super) fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let verified = match (&self.material, algorithm) {
            (Material::Rsa { n, e }, Algorithm::Rs256) => {
                RsaPublicKeyComponents { n, e }.verify(&signature::RSA_PKCS1_2048_8192_SHA256, message, signature)
            }
            (Material::Rsa { n, e }, Algorithm::Ps256) => {
                RsaPublicKeyComponents { n, e }.verify(&signature::RSA_PSS_2048_8192_SHA256, message, signature)
            }
            (Material::P256(point), Algorithm::Es256) => {
                UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point).verify(message, signature)
            }
            (Material::Ed25519(point), Algorithm::EdDsa) => {
                UnparsedPublicKey::new(&signature::ED25519, point).verify(message, signature)
            }
            _ => return false,
        };
        verified.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The key and signature of RFC 8037, appendix A.
    const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    const MESSAGE: &str = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
    const SIGNATURE: &str = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

    #[test]
    fn a_key_verifies_what_was_signed_with_its_algorithm() {
        let keys = Keys::read(&json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "a", "x": X}]})).unwrap();
        let key = keys.fitting(Some("a"), Algorithm::EdDsa).next().unwrap();
        let signature = URL_SAFE_NO_PAD.decode(SIGNATURE).unwrap();
        assert!(key.verifies(Algorithm::EdDsa, MESSAGE.as_bytes(), &signature));
        assert!(!key.verifies(Algorithm::EdDsa, b"another", &signature));
        assert!(!key.verifies(Algorithm::Rs256, MESSAGE.as_bytes(), &signature));
        assert!(keys.fitting(Some("b"), Algorithm::EdDsa).next().is_none() && !keys.has("b"));
        assert!(keys.fitting(None, Algorithm::Es256).next().is_none());
        assert_eq!(keys.fitting(None, Algorithm::EdDsa).count(), 1);
    }

    #[test]
    fn keys_of_other_kinds_and_purposes_are_left_out() {
        for (key, expected) in [
            (json!({"kty": "RSA", "n": "AQAB", "e": "AQAB"}), 1),
            (json!({"kty": "RSA", "n": "AQAB", "e": "AQAB", "use": "enc"}), 0),
            (json!({"kty": "RSA", "n": "AQAB", "e": "AQAB", "alg": "RS512"}), 0),
            (json!({"kty": "RSA", "n": "AQAB", "e": "AQAB", "alg": "HS256"}), 0),
            (json!({"kty": "RSA", "n": "AQAB", "e": "AQAB", "alg": "ES256"}), 0),
            (json!({"kty": "RSA", "n": "AQAB", "e": "AQAB", "key_ops": ["encrypt"]}), 0),
            (json!({"kty": "oct", "k": "AQAB", "alg": "HS256"}), 0),
            (json!({"kty": "EC", "crv": "P-256", "x": X, "y": X}), 1),
            (json!({"kty": "EC", "crv": "P-256", "x": X, "y": "AQAB"}), 0),
            (json!({"kty": "EC", "crv": "P-521", "x": X, "y": X}), 0),
            (json!({"kty": "OKP", "crv": "X25519", "x": X}), 0),
            (json!("RSA"), 0),
        ] {
            let keys = Keys::read(&json!({"keys": [key]})).unwrap();
            assert_eq!(keys.0.len(), expected, "{key}");
        }
        assert!(Keys::read(&json!([])).is_none());
    }

    #[test]
    fn no_algorithm_is_without_a_signature_or_with_a_shared_secret() {
        for name in ["none", "None", "NONE", "", "HS256", "HS384", "HS512", "RS512", "rs256", "ES256K"] {
            assert_eq!(Algorithm::read(name), None, "{name}");
        }
    }
}
