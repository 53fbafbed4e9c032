//! A file with a key ⇄ texts that only its owner can read in a store: encrypted and signed with AES-256-GCM. Each text is bound
//! to what it belongs to, so that one row's is of no use in another.

use std::fmt;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom as _, SystemRandom};
use sha2::{Digest as _, Sha256};

use crate::owner_file;

/// What the file begins with: another secret in its place is noticed.
const HEAD: &str = "toolwright-store-key-1:";
/// How long a key is, in bytes.
const BYTES: usize = 32;
/// The longest file that is read, in bytes.
const LONGEST: u64 = 4 * 1024;
/// What the fingerprint of a key is made of, beside the key.
const FINGERPRINT: &[u8] = b"toolwright store key fingerprint 1\0";

/// A key that texts in a store are encrypted with.
pub struct StoreKey {
    path: PathBuf,
    key: LessSafeKey,
    fingerprint: String,
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum StoreKeyError {
    /// The file can't be read or written.
    #[error("the store key `{path}` can't be {what}: {error}", path = .0.display(), what = .1, error = .2)]
    Io(PathBuf, &'static str, io::Error),
    /// It is there already.
    #[error(
        "`{path}` is there already, and a key is never replaced: what was encrypted with it could not be read any more\n\
         hint: name another file", path = .0.display()
    )]
    Exists(PathBuf),
    /// It holds something else.
    #[error("`{path}` holds no store key\nhint: `toolwright store key create FILE` makes one", path = .0.display())]
    NoKey(PathBuf),
    /// Others could read what is encrypted with it.
    #[error(
        "others can read or change the store key `{path}`\n\
         hint: `chmod 600` it; if someone may have read it, make a new one and sign in to the vendors again",
        path = .0.display()
    )]
    NotPrivate(PathBuf),
    /// The system has no random numbers.
    #[error("no store key can be made: the system has no random numbers")]
    NoRandom,
}

impl fmt::Debug for StoreKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoreKey({})", self.fingerprint)
    }
}

impl StoreKey {
    /// Makes a key and writes it to a new file that only its owner can read.
    ///
    /// # Errors
    /// The file is there already, or can't be written.
    pub fn create(path: &Path) -> Result<Self, StoreKeyError> {
        let mut bytes = [0; BYTES];
        SystemRandom::new().fill(&mut bytes).map_err(|_| StoreKeyError::NoRandom)?;
        let mut file = owner_file::options().create_new(true).open(path).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => StoreKeyError::Exists(path.to_owned()),
            _ => StoreKeyError::Io(path.to_owned(), "written", error),
        })?;
        let text = format!("{HEAD}{}\n", STANDARD.encode(bytes));
        let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
        written.map_err(|error| StoreKeyError::Io(path.to_owned(), "written", error))?;
        Self::of(path, &bytes)
    }

    /// Reads a key.
    ///
    /// # Errors
    /// The file can't be read, holds no key, or others can read or change it.
    pub fn read(path: &Path) -> Result<Self, StoreKeyError> {
        let unreadable = |error| StoreKeyError::Io(path.to_owned(), "read", error);
        let file = std::fs::File::open(path).map_err(unreadable)?;
        if !owner_file::is_private(&file).map_err(unreadable)? {
            return Err(StoreKeyError::NotPrivate(path.to_owned()));
        }
        let mut text = Vec::new();
        file.take(LONGEST).read_to_end(&mut text).map_err(unreadable)?;
        let no_key = || StoreKeyError::NoKey(path.to_owned());
        let text = std::str::from_utf8(&text).map_err(|_| no_key())?;
        let encoded = text.trim().strip_prefix(HEAD).ok_or_else(no_key)?;
        Self::of(path, &STANDARD.decode(encoded).map_err(|_| no_key())?)
    }

    fn of(path: &Path, bytes: &[u8]) -> Result<Self, StoreKeyError> {
        let no_key = |_| StoreKeyError::NoKey(path.to_owned());
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, bytes).map_err(no_key)?);
        let digest = Sha256::digest([FINGERPRINT, bytes].concat());
        // As much as tells keys apart; no key follows from it.
        let first = digest.iter().take(8).fold(0_u64, |first, byte| (first << 8) | u64::from(*byte));
        Ok(Self { path: path.to_owned(), key, fingerprint: format!("{first:016x}") })
    }

    /// The file that it is in.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What tells it from other keys; no secret.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Encrypts a text that belongs to `of`; `None` where the system has no random numbers.
    pub(super) fn seal(&self, of: &str, text: &str) -> Option<String> {
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).ok()?;
        let mut sealed = text.as_bytes().to_vec();
        let (aad, unique) = (Aad::from(of.as_bytes()), Nonce::assume_unique_for_key(nonce));
        self.key.seal_in_place_append_tag(unique, aad, &mut sealed).ok()?;
        Some(STANDARD.encode([nonce.as_slice(), &sealed].concat()))
    }

    /// Decrypts a text; `None` where it belongs to something else, was changed, or was encrypted with another key.
    pub(super) fn open(&self, of: &str, sealed: &str) -> Option<String> {
        let mut bytes = STANDARD.decode(sealed).ok()?;
        let (nonce, sealed) = bytes.split_at_mut_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let text = self.key.open_in_place(nonce, Aad::from(of.as_bytes()), sealed).ok()?;
        String::from_utf8(text.to_vec()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(test: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("toolwright-store-key-{test}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn a_key_is_made_once_and_is_for_its_owner() {
        let folder = folder("made");
        let path = folder.join("key");
        let made = StoreKey::create(&path).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(StoreKey::read(&path).unwrap().fingerprint(), made.fingerprint());
        assert!(!format!("{made:?}").contains(text.trim().strip_prefix(HEAD).unwrap()));
        assert!(matches!(StoreKey::create(&path), Err(StoreKeyError::Exists(_))));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text, "it stays as it was");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
            for mode in [0o640, 0o604, 0o620] {
                std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
                let error = StoreKey::read(&path).unwrap_err().to_string();
                assert!(error.contains("chmod 600") && !error.contains(HEAD), "{mode:o}: {error}");
            }
        }
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn what_is_no_key_is_refused_and_not_shown() {
        let folder = folder("other");
        for (number, text) in
            ["", "s3cret", "toolwright-store-key-1:", "toolwright-store-key-1:c2hvcnQ="].iter().enumerate()
        {
            let path = folder.join(number.to_string());
            owner_file::options().create_new(true).open(&path).unwrap().write_all(text.as_bytes()).unwrap();
            let error = StoreKey::read(&path).unwrap_err().to_string();
            assert!(error.contains("store key create") && !error.contains("s3cret"), "{text}: {error}");
        }
        assert!(matches!(StoreKey::read(&folder.join("missing")), Err(StoreKeyError::Io(..))));
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn only_the_key_opens_a_text_and_only_where_it_belongs() {
        let folder = folder("sealed");
        let (key, other) = (StoreKey::create(&folder.join("a")).unwrap(), StoreKey::create(&folder.join("b")).unwrap());
        let sealed = key.seal("acme", "r3fresh").unwrap();
        assert!(!sealed.contains("r3fresh"));
        assert_ne!(sealed, key.seal("acme", "r3fresh").unwrap(), "no nonce is used twice");
        assert_eq!(key.open("acme", &sealed).as_deref(), Some("r3fresh"));
        assert_eq!(key.open("other", &sealed), None);
        assert_eq!(other.open("acme", &sealed), None);
        let mut changed = STANDARD.decode(&sealed).unwrap();
        *changed.last_mut().unwrap() ^= 1;
        for broken in ["", "AAAA", "no base64!", &STANDARD.encode([7; 40]), &STANDARD.encode(changed)] {
            assert_eq!(key.open("acme", broken), None, "{broken}");
        }
        std::fs::remove_dir_all(folder).unwrap();
    }
}
