//! Copies of this project with other vendors, compiled and called. A program of its own: its tests
//! run cargo on every core, and those of tests/main.rs bound how many seconds a command works.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a fault fails the test, and figures are shown"
)]

/// What tests/main.rs needs, too.
mod common;
/// Vendors that are not under specs/: what the generator makes of them compiles and is called.
mod other_vendors;
/// The vendors' published descriptions, from a folder outside this repository; ignored without it.
mod published;

use common::{PROGRAM, repository, scratch, text};
