//! The author's program, run as a whole in scratch folders: what it prints and writes, and its
//! exit codes. Its parts have unit tests beside them.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a fault fails the test, and figures are shown"
)]

/// What tests/copy.rs needs, too.
mod common;
/// `cargo spec new`: names, paging, concise fields, effects and texts that it proposes.
mod drafts;
/// `cargo spec diff`: reports and exit codes.
mod drift;
/// `cargo spec learn`: what it suggests.
mod learn;
/// `cargo regenerate`: what it writes and deletes, what `--check` reports, and that this
/// repository's generated/ is what its specs/ give.
mod regenerate;
/// `cargo spec`: what it prints and writes for good and for hostile descriptions.
mod spec;
/// The command line itself: help pages.
mod usage;

use std::process::Output;

use common::{PROGRAM, repository, scratch, text};

/// Everything that a command printed.
fn shown(output: &Output) -> String {
    text(&output.stdout) + &text(&output.stderr)
}
