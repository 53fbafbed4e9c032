//! An entry's name → its secret in Keychain (macOS) or Credential Manager (Windows).

#[cfg(target_os = "macos")]
use apple_native_keyring_store::keychain::Store;
use keyring_core::api::CredentialStoreApi as _;
use keyring_core::{Entry, Error};
#[cfg(windows)]
use windows_native_keyring_store::Store;

use super::{EntryName, KeyringError};

pub(super) fn check() -> Result<(), KeyringError> {
    Store::new().map(drop).map_err(|error| fault(&error))
}

pub(super) fn read(name: &EntryName) -> Result<String, KeyringError> {
    entry(name)?.get_password().map_err(|error| fault(&error))
}

pub(super) fn store(name: &EntryName, secret: &str) -> Result<(), KeyringError> {
    entry(name)?.set_password(secret).map_err(|error| fault(&error))
}

pub(super) fn remove(name: &EntryName) -> Result<(), KeyringError> {
    entry(name)?.delete_credential().map_err(|error| fault(&error))
}

fn entry(name: &EntryName) -> Result<Entry, KeyringError> {
    let store = Store::new().map_err(|error| fault(&error))?;
    store.build(&name.service, &name.user, None).map_err(|error| fault(&error))
}

fn fault(error: &Error) -> KeyringError {
    match error {
        Error::NoEntry => KeyringError::Missing,
        Error::NoStorageAccess(_) => KeyringError::Locked,
        Error::Ambiguous(entries) => KeyringError::Several(entries.len()),
        Error::BadEncoding(_) | Error::BadDataFormat(..) => KeyringError::NotText,
        error => KeyringError::Failed(error.to_string()),
    }
}
