//! A refresh token ⇄ a file that only its owner can read, complete at any moment.

use std::io::Write as _;
use std::path::Path;

use crate::cli::CommandError;
use crate::error::ConfigError;
use crate::owner_file::{beside, options};

/// Writes the token in place of what the file has.
pub(super) fn write(path: &Path, token: &str) -> Result<(), CommandError> {
    put(path, token).map_err(|error| {
        ConfigError::new(format!("the refresh token can't be written to `{}`: {error}", path.display())).into()
    })
}

fn put(path: &Path, token: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder)?;
    }
    let next = beside(path, "login");
    let _ = std::fs::remove_file(&next);
    let mut file = options().create_new(true).open(&next)?;
    file.write_all(token.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&next, path)?;
    // What a process received for the token before, and did not put in place.
    let _ = std::fs::remove_file(beside(path, "new"));
    Ok(())
}

/// The token; `None` where there is no file.
pub(super) fn read(path: &Path) -> Result<Option<String>, CommandError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text.trim().to_owned())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(ConfigError::new(format!("`{}` can't be read: {error}", path.display())).into()),
    }
}

/// Deletes the file and those beside it.
pub(super) fn remove(path: &Path) -> Result<(), CommandError> {
    for ending in ["new", "lock"] {
        let _ = std::fs::remove_file(beside(path, ending));
    }
    std::fs::remove_file(path)
        .map_err(|error| ConfigError::new(format!("`{}` can't be deleted: {error}", path.display())).into())
}
