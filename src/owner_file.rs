//! A path → a file that only its owner can read and write: the audit log, keys, tokens, what answers showed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Options that write; where they create the file, its mode is 0600.
pub(crate) fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Writes a whole file in one step, so that a reader finds the old text or the new one; its folder is made.
pub(crate) fn replace(path: &Path, text: &str) -> io::Result<()> {
    let new = write_beside(path, text)?;
    fs::rename(new, path)
}

/// Writes the text of a file into a new one beside it, which is to be renamed; returns that one's path.
pub(crate) fn write_beside(path: &Path, text: &str) -> io::Result<PathBuf> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let new = beside(path, "new");
    // What an earlier try left may have another mode.
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = options().create_new(true).open(&new)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok(new)
}

/// The path of a file beside another: `log.json.lock`.
pub(crate) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(ending);
    path.with_file_name(name)
}

/// Whether only its owner can read and change an open file. Where files have no modes, the system keeps others out.
pub(crate) fn is_private(file: &File) -> io::Result<bool> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let of_others = file.metadata()?.permissions().mode() & 0o077;
        Ok(of_others == 0)
    }
    #[cfg(not(unix))]
    file.metadata().map(|_| true)
}
