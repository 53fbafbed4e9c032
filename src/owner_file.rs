//! A path → a file that only its owner can read and write: the audit log, keys, tokens, what answers showed.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};

/// Options that write; where they create the file, its mode is 0600.
pub(crate) fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// The path of a file beside another: `log.json.lock`.
pub(crate) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(ending);
    path.with_file_name(name)
}
