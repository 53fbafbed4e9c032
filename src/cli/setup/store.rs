//! An account that a person has described → its table in toolwright.toml, and its secrets in files or in the keyring.

use std::collections::BTreeMap;
use std::path::PathBuf;

use toml_edit::{Item, Table};

use super::super::{CommandError, install};
use super::remove::forget;
use super::settings::Settings;
use crate::config::{FILE, KEYRING, is_secret};
use crate::error::ConfigError;
use crate::keyring::{self, EntryName, KeyringError};
use crate::owner_file::replace;
use toolwright_model::Vendor;

/// Where secrets are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In files that only their owner can read.
    Files,
    /// In the keyring of the operating system.
    Keyring,
}

/// Where one secret is kept.
enum Kept {
    File(PathBuf),
    Entry(EntryName),
}

/// Adds the account to toolwright.toml and stores its secrets. What an account of this name had stored is removed.
pub(super) fn store(
    mut settings: Settings,
    name: &str,
    vendor: &Vendor,
    variables: &BTreeMap<String, String>,
    place: Place,
) -> Result<(), CommandError> {
    let mut account = Table::new();
    account.insert("vendor", toml_edit::value(vendor.id.as_str()));
    let folder = install::user_secrets()?;
    let mut secrets: Vec<(Kept, &String)> = Vec::new();
    for (variable, value) in variables {
        if !is_secret(vendor, variable) {
            account.insert(variable, toml_edit::value(value.as_str()));
            continue;
        }
        let secret = format!("{name}-{variable}");
        let (companion, named, kept) = match place {
            Place::Files => {
                let path = folder.join(secret);
                (FILE, path.display().to_string(), Kept::File(path))
            }
            Place::Keyring => {
                let entry = EntryName::own(&secret).ok_or_else(|| {
                    ConfigError::new(format!("`{secret}` is too long for the keyring\nhint: a shorter `--account`"))
                })?;
                (KEYRING, entry.to_string(), Kept::Entry(entry))
            }
        };
        account.insert(&format!("{variable}{companion}"), toml_edit::value(named));
        secrets.push((kept, value));
    }
    let before = settings.accounts()?.insert(name, Item::Table(account));
    let mut stored = Vec::new();
    for (kept, value) in secrets {
        match kept {
            Kept::File(path) => replace(&path, value)?,
            Kept::Entry(entry) => {
                keyring::store(&entry, value).map_err(|error| not_stored(&entry, &error, &stored))?;
                stored.push(format!("`{entry}`"));
            }
        }
    }
    settings.write()?;
    match before {
        Some(before) => forget(&before, &settings),
        None => Ok(()),
    }
}

/// The error that the keyring does not take a secret, with the entries that it has taken before.
fn not_stored(entry: &EntryName, error: &KeyringError, stored: &[String]) -> ConfigError {
    let done = match stored {
        [] => "nothing was stored".to_owned(),
        stored => format!("only {} was stored, and the account was not changed", stored.join(", ")),
    };
    ConfigError::new(format!("{error}; {done}\nhint: {}", error.hint(entry)))
}

/// Whether the keyring takes secrets now: asked before a person types any.
pub(super) fn check_keyring() -> Result<(), ConfigError> {
    let Some(entry) = EntryName::own("account") else { return Ok(()) };
    let hint = |error: &KeyringError| format!("{}. Without `--keyring` secrets go into files", error.hint(&entry));
    keyring::check().map_err(|error| ConfigError::new(format!("{error}; nothing was stored\nhint: {}", hint(&error))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_what_was_stored_before_it() {
        let entry = EntryName::own("work-B").unwrap();
        let text = |stored: &[String]| not_stored(&entry, &KeyringError::Locked, stored).to_string();
        assert!(text(&[]).starts_with("the keyring is locked; nothing was stored\nhint: unlock it"));
        let after_one = text(&["`toolwright/work-A`".to_owned()]);
        assert!(
            after_one.contains("only `toolwright/work-A` was stored, and the account was not changed"),
            "{after_one}"
        );
    }
}
