//! The path of toolwright.toml → its table of accounts, to be changed and written back.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use toml_edit::{DocumentMut, Item, Table, TableLike};

use super::super::{CommandError, install};
use crate::error::ConfigError;
use crate::owner_file::replace;

/// The settings file, whose comments and other entries stay.
pub(super) struct Settings {
    path: PathBuf,
    document: DocumentMut,
}

impl Settings {
    /// # Errors
    /// The file can't be read, or is no TOML.
    pub(super) fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(ConfigError::new(format!("`{}` can't be read: {error}", path.display()))),
        };
        let document: DocumentMut = text
            .parse()
            .map_err(|_| ConfigError::new(format!("`{}` is no valid TOML; it is left as it is", path.display())))?;
        Ok(Self { path: path.to_owned(), document })
    }

    /// The table of accounts, which is made where there is none.
    ///
    /// # Errors
    /// Something else is there.
    pub(super) fn accounts(&mut self) -> Result<&mut dyn TableLike, ConfigError> {
        let accounts = self.document.entry("accounts").or_insert_with(|| {
            let mut accounts = Table::new();
            accounts.set_implicit(true);
            Item::Table(accounts)
        });
        accounts.as_table_like_mut().ok_or_else(|| {
            ConfigError::new(format!("`accounts` in `{}` is no table; it is left as it is", self.path.display()))
        })
    }

    pub(super) fn text(&self) -> String {
        self.document.to_string()
    }

    /// Writes the file; one that holds nothing is removed.
    pub(super) fn write(&self) -> Result<(), CommandError> {
        let text = self.text();
        if text.trim().is_empty() {
            match fs::remove_file(&self.path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
                _ => install::remove_empty_folders(&self.path, None),
            }
            return Ok(());
        }
        Ok(replace(&self.path, &text)?)
    }
}
