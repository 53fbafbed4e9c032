//! A path → a file of SQLite that only its owner can read, locked by the server that serves it.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

use super::StoreError;
use crate::owner_file::{beside, options};

/// What stays as it is in the address of a file.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'-').remove(b'_');

fn fault(path: &Path, what: &str, error: &io::Error) -> StoreError {
    StoreError::Refused(format!("the store `{}` can't be {what}: {error}", path.display()))
}

/// Makes sure of the file and of its folder; returns the address of the file.
pub(super) fn prepare(path: &Path) -> Result<String, StoreError> {
    create_folder_of(path)?;
    // SQLite gives the files beside it the mode of this one.
    match options().create_new(true).open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(fault(path, "created", &error)),
        _ => refuse_readable(path)?,
    }
    let whole = path.canonicalize().map_err(|error| fault(path, "opened", &error))?;
    Ok(format!("sqlite://{}?mode=rw", percent_encode(whole.as_os_str().as_encoded_bytes(), KEPT)))
}

/// Makes sure of the folder of a store.
pub(super) fn create_folder_of(path: &Path) -> Result<(), StoreError> {
    match path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists()) {
        Some(folder) => create_folder(folder).map_err(|error| fault(path, "created", &error)),
        None => Ok(()),
    }
}

fn create_folder(folder: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)
}

/// Refuses a store that others can read or change: it names who may do what, and when they did.
pub(super) fn refuse_readable(path: &Path) -> Result<(), StoreError> {
    #[cfg(unix)]
    for file in files(path) {
        use std::os::unix::fs::PermissionsExt as _;
        let Ok(metadata) = file.metadata() else { continue };
        let mode = metadata.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            let shown = file.display();
            return Err(StoreError::Refused(format!(
                "others can read or change the store `{shown}` (mode {mode:o})\nhint: `chmod 600 {shown}`"
            )));
        }
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

/// The files of a store: those of SQLite that hold what was written last are beside it.
fn files(path: &Path) -> [std::path::PathBuf; 3] {
    ["", "-wal", "-shm"].map(|ending| with_ending(path, ending))
}

fn with_ending(path: &Path, ending: &str) -> std::path::PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Locks the store for one server.
pub(super) fn lock(path: &Path) -> Result<File, StoreError> {
    let beside = beside(path, "lock");
    let lock = options().create(true).truncate(false).open(beside).map_err(|error| fault(path, "locked", &error))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(StoreError::Refused(format!(
            "another server uses the store `{}`\n\
             hint: give each server a file of its own with `--store FILE`; several share one with `--store postgres://…`",
            path.display()
        ))),
        Err(TryLockError::Error(error)) => Err(fault(path, "locked", &error)),
    }
}

/// Creates the empty file of a copy; returns its path as SQLite takes it.
pub(super) fn create_backup(to: &Path) -> Result<String, StoreError> {
    let wrong = |error: &io::Error| StoreError::Refused(format!("`{}` can't be written: {error}", to.display()));
    let text = to.to_str().ok_or_else(|| wrong(&io::Error::other("its name is no Unicode")))?.to_owned();
    options().create_new(true).open(to).map_err(|error| wrong(&error))?;
    Ok(text)
}

/// Copies a file into a new one, in place of what an earlier try left.
pub(super) fn copy(from: &Path, to: &Path) -> Result<(), StoreError> {
    remove(to);
    let unreadable = |error: io::Error| StoreError::Refused(format!("`{}` can't be read: {error}", from.display()));
    let mut source = File::open(from).map_err(unreadable)?;
    let copied = options().create_new(true).open(to).and_then(|mut target| io::copy(&mut source, &mut target));
    copied.map(|_| ()).map_err(|error| fault(to, "written", &error))
}

/// Gives the files of a store another name.
pub(super) fn rename(from: &Path, to: &Path) -> Result<(), StoreError> {
    for (from, to) in files(from).iter().zip(files(to)) {
        if from.exists() {
            std::fs::rename(from, to).map_err(|error| fault(from, "moved", &error))?;
        }
    }
    Ok(())
}

/// Removes what was a try.
pub(super) fn remove(path: &Path) {
    for file in files(path) {
        let _ = std::fs::remove_file(file);
    }
}

/// Writes a copy to the disk.
pub(super) fn sync(to: &Path) -> Result<(), StoreError> {
    File::open(to).and_then(|file| file.sync_all()).map_err(|error| fault(to, "written to the disk", &error))
}
