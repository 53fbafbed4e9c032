//! The author's program, run as a whole in scratch folders: what it prints and writes, and its
//! exit codes. Its parts have unit tests beside them.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a fault fails the test, and figures are shown"
)]

/// Vendors that are not under specs/: what the generator makes of them compiles and is called.
mod other_vendors;
/// The vendors' published descriptions, from a folder outside this repository; ignored without it.
mod published;
/// `cargo regenerate`: what it writes and deletes, what `--check` reports, and that this
/// repository's generated/ is what its specs/ give.
mod regenerate;
/// `cargo spec`: what it prints and writes for good and for hostile descriptions.
mod spec;
/// The command line itself: help pages.
mod usage;

use std::path::{Path, PathBuf};
use std::process::Output;

const PROGRAM: &str = env!("CARGO_BIN_EXE_toolwright-authoring");

/// An empty folder for one test.
fn scratch(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("authoring").join(test);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// The top of this repository.
fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Everything that a command printed.
fn shown(output: &Output) -> String {
    text(&output.stdout) + &text(&output.stderr)
}
