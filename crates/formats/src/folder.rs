//! Paths that a caller names → the bytes of files of the folder that the operator opened. A file is opened beneath the
//! folder first, without following a link and without waiting, and what was opened is checked (where the system can't, `by_name` checks the name first): between a check of a
//! name and its use, someone else may put another file there. Nothing is read before the sizes of all files are known
//! to be within bounds, and a thread of its own reads: a disk or a network that hangs holds up this call only.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_channel::oneshot;
use toolwright_model::file_limits::{LARGEST_FILE, LARGEST_FILES, MEGABYTE};

#[cfg(unix)]
mod beneath;
#[cfg(not(unix))]
#[path = "folder/by_name.rs"]
mod beneath;

/// Why a folder can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// It can't be read.
    #[error(transparent)]
    Unreadable(#[from] io::Error),
    /// The path leads to something else.
    #[error("no folder")]
    NoFolder,
}

/// A folder whose files may be sent to vendors; cheap to clone.
#[derive(Debug, Clone)]
pub struct Folder(Arc<Root>);

#[derive(Debug)]
struct Root {
    /// The path as the operator gave it, and without links: callers may name files by either.
    names: [PathBuf; 2],
    directory: beneath::Directory,
}

/// A folder as one call may read it: all files together are bounded.
#[derive(Debug)]
pub struct CallFiles<'a> {
    folder: &'a Folder,
    /// How many bytes the call may still read.
    left: Arc<AtomicU64>,
}

/// A file that was read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FileContent {
    pub name: String,
    pub bytes: Vec<u8>,
}

/// Why files are not read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ReadError {
    /// One of them can't be: its position, and why.
    File(usize, String),
    /// They are too many bytes together.
    TooMuch { files: usize, bytes: u64 },
}

impl Folder {
    /// Opens a folder.
    ///
    /// # Errors
    /// There is no such folder.
    pub fn open(path: &Path) -> Result<Self, FolderError> {
        let root = path.canonicalize()?;
        if !root.is_dir() {
            return Err(FolderError::NoFolder);
        }
        let directory = beneath::Directory::open(&root)?;
        Ok(Self(Arc::new(Root { names: [std::path::absolute(path)?, root], directory })))
    }

    /// Returns the folder as one call may read it.
    pub fn for_call(&self) -> CallFiles<'_> {
        CallFiles { folder: self, left: Arc::new(AtomicU64::new(LARGEST_FILES)) }
    }

    /// Opens a file by its relative or absolute path; returns its name and size with it.
    fn open_file(&self, path: &str) -> Result<(String, File, u64), String> {
        // The same reason for what is missing and for what is elsewhere: a caller must not learn what is there.
        let missing = || "no such file in the folder".to_owned();
        let unreadable = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::CrossesDevices => missing(),
            _ if beneath::is_link(&error) => "it is a link, or leads over one, and links are not followed".to_owned(),
            kind => format!("it can't be read: {kind}"),
        };
        let beneath = self.beneath(Path::new(path)).ok_or_else(missing)?;
        let Some(name) = beneath.file_name() else { return Err("no file".to_owned()) };
        let name = name.to_str().ok_or("its name is no text")?.to_owned();
        let file = self.0.directory.open_file(&beneath).map_err(unreadable)?;
        let metadata = file.metadata().map_err(unreadable)?;
        if !metadata.is_file() {
            return Err("no file".to_owned());
        }
        Ok((name, file, metadata.len()))
    }

    /// Returns a path below the folder, without steps up; `None` where it leads out.
    fn beneath(&self, path: &Path) -> Option<PathBuf> {
        let inner =
            if path.is_absolute() { self.0.names.iter().find_map(|name| path.strip_prefix(name).ok())? } else { path };
        let mut beneath = PathBuf::new();
        for component in inner.components() {
            match component {
                Component::Normal(name) => beneath.push(name),
                Component::CurDir => {}
                // No part of the path is a link, so that this is what the system would do.
                Component::ParentDir => {
                    if !beneath.pop() {
                        return None;
                    }
                }
                Component::RootDir | Component::Prefix(_) => return None,
            }
        }
        Some(beneath)
    }

    /// Reads files, at most `left` bytes.
    fn read(&self, paths: &[String], left: &AtomicU64) -> Result<Vec<FileContent>, ReadError> {
        let allowed = left.load(Ordering::Relaxed);
        let mut total = 0_u64;
        for (index, path) in paths.iter().enumerate() {
            // Closed again at once: a list of paths is longer than a process may have open files.
            let (_, _, size) = self.open_file(path).map_err(|reason| ReadError::File(index, reason))?;
            if size > LARGEST_FILE {
                return Err(too_large(index));
            }
            total = total.saturating_add(size);
        }
        let too_much = |bytes| ReadError::TooMuch { files: paths.len(), bytes };
        if total > allowed {
            return Err(too_much(total));
        }
        let mut contents = Vec::with_capacity(paths.len());
        let mut rest = allowed;
        for (index, path) in paths.iter().enumerate() {
            let failed = |reason: String| ReadError::File(index, reason);
            let (name, file, size) = self.open_file(path).map_err(failed)?;
            let mut bytes = Vec::with_capacity(usize::try_from(size.min(rest)).unwrap_or_default());
            // One more than allowed: the file may have grown.
            let read = file.take(rest.min(LARGEST_FILE) + 1).read_to_end(&mut bytes);
            let read = read.map_err(|error| failed(format!("it can't be read: {}", error.kind())))? as u64;
            if read > LARGEST_FILE {
                return Err(too_large(index));
            }
            rest = rest.checked_sub(read).ok_or_else(|| too_much(allowed + 1))?;
            contents.push(FileContent { name, bytes });
        }
        left.fetch_min(rest, Ordering::Relaxed);
        Ok(contents)
    }
}

fn too_large(index: usize) -> ReadError {
    ReadError::File(index, format!("larger than {} MB", LARGEST_FILE / MEGABYTE))
}

impl CallFiles<'_> {
    /// Reads files in a thread of its own. Dropping the future leaves the thread to end by itself.
    pub(crate) async fn read(&self, paths: Vec<String>) -> Result<Vec<FileContent>, ReadError> {
        let (folder, left) = (self.folder.clone(), Arc::clone(&self.left));
        let (done, read) = oneshot::channel();
        let thread = std::thread::Builder::new().name("read-files".to_owned()).spawn(move || {
            // The receiver may be gone.
            let _ = done.send(folder.read(&paths, &left));
        });
        let not_read = || ReadError::File(0, "it can't be read now".to_owned());
        match thread {
            Ok(_) => read.await.unwrap_or_else(|_| Err(not_read())),
            Err(_) => Err(not_read()),
        }
    }
}

impl ReadError {
    /// What is wrong with files that are too large together.
    pub(crate) fn sum_text(files: usize, bytes: u64) -> String {
        format!("{files} files of {} MB together", bytes.div_ceil(MEGABYTE))
    }
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
