//! A path below an open directory → the file there, by the system's own means: no part of the path may be a link, and
//! opening waits for nothing, also where a pipe has taken the file's place.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags, openat};

/// An open directory.
#[derive(Debug)]
pub(super) struct Directory(OwnedFd);

/// How files are opened. `NONBLOCK` concerns pipes and devices only.
const FILE: OFlags =
    OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::NOCTTY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
/// How directories are opened.
const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

impl Directory {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self(openat(CWD, path, DIRECTORY, Mode::empty())?))
    }

    pub(super) fn open_file(&self, path: &Path) -> io::Result<File> {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        {
            use rustix::fs::{ResolveFlags, openat2};
            use rustix::io::Errno;
            let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
            match openat2(&self.0, path, FILE, Mode::empty(), resolve) {
                Ok(file) => return Ok(file.into()),
                // An old kernel, or a sandbox that knows nothing of the call.
                Err(Errno::NOSYS | Errno::PERM) => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.open_by_steps(path)
    }

    /// Opens one part of the path after the other, none of which may be a link.
    pub(super) fn open_by_steps(&self, path: &Path) -> io::Result<File> {
        let mut parts = path.components().map(std::path::Component::as_os_str).peekable();
        let mut reached: Option<OwnedFd> = None;
        while let Some(part) = parts.next() {
            let at: BorrowedFd<'_> = reached.as_ref().map_or(self.0.as_fd(), OwnedFd::as_fd);
            if parts.peek().is_none() {
                return Ok(openat(at, part, FILE, Mode::empty())?.into());
            }
            reached = Some(openat(at, part, DIRECTORY | OFlags::NOFOLLOW, Mode::empty())?);
        }
        Err(io::ErrorKind::NotFound.into())
    }
}

/// Whether a path was not opened because a part of it is a link.
pub(super) fn is_link(error: &io::Error) -> bool {
    rustix::io::Errno::from_io_error(error) == Some(rustix::io::Errno::LOOP)
}
