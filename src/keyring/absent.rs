//! An entry's name → the error that this program has no keyring: it was built without, or for another system.

use super::{EntryName, KeyringError};

pub(super) fn check() -> Result<(), KeyringError> {
    Err(KeyringError::NotCompiled)
}

pub(super) fn read(_: &EntryName) -> Result<String, KeyringError> {
    Err(KeyringError::NotCompiled)
}

pub(super) fn store(_: &EntryName, _: &str) -> Result<(), KeyringError> {
    Err(KeyringError::NotCompiled)
}

pub(super) fn remove(_: &EntryName) -> Result<(), KeyringError> {
    Err(KeyringError::NotCompiled)
}
