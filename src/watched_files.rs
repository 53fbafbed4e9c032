//! Paths → whether one of the files was changed since the last look, for what is read again while the program runs.

use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

/// How often the files are looked at, at most.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Files as they were when they were read.
#[derive(Debug)]
pub(crate) struct WatchedFiles {
    paths: Vec<PathBuf>,
    stamps: Vec<Option<Stamp>>,
    looked: Instant,
}

/// The time and the size of a file; one of them changes with its content.
type Stamp = (SystemTime, u64);

impl WatchedFiles {
    /// Made before the files are read: what changes meanwhile is read again.
    pub(crate) fn new(paths: Vec<PathBuf>) -> Self {
        Self { stamps: stamps(&paths), paths, looked: Instant::now() }
    }

    /// Whether one was changed, removed or made since this was made or last returned `true`. The files are looked at once a
    /// second, however often this is asked.
    pub(crate) fn have_changed(&mut self) -> bool {
        if self.looked.elapsed() < LOOK_EVERY {
            return false;
        }
        self.looked = Instant::now();
        let stamps = stamps(&self.paths);
        let have_changed = stamps != self.stamps;
        self.stamps = stamps;
        have_changed
    }
}

fn stamps(paths: &[PathBuf]) -> Vec<Option<Stamp>> {
    let stamp = |path: &PathBuf| {
        let found = std::fs::metadata(path).ok()?;
        Some((found.modified().ok()?, found.len()))
    };
    paths.iter().map(stamp).collect()
}
