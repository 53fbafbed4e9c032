//! Tools of vendors that are not under specs/, called over the sandbox. The tests run in a copy of
//! this project that `crates/authoring/tests/other_vendors` makes: there these vendors are compiled
//! in.

// Fixtures: one call for each construct of a description, and the exact request.
mod constructs;
// The vendors' published descriptions: random arguments for every tool.
mod draws;

use std::io::Write as _;

/// Shown whether the test passes or not, for the test that made the copy.
fn report(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
