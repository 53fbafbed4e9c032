//! What the generator makes of descriptions that are not under specs/, compiled and called: a
//! scratch copy of the project whose vendors are the fixtures' and, where they lie beside the
//! checkout, the vendors' published files. The outer tests make and build it; the inner ones
//! (ignored here) run in it, where those vendors are compiled in. The generated code must compile
//! without a warning.
//!
//! ```text
//! fixtures/codegen/*/specs, fixtures/import/*/description, ../shared/vendor-specs
//!    │  renamed, or `spec new`
//!    ▼
//! <target>/tmp/scratch: src/ and build.rs of this project, specs/ of theirs → cargo test → arriving, published
//! ```
//!
//! What does not change keeps its time stamp, so that a second run compiles only what changed.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a fault fails the test")]

#[path = "../common/arrival.rs"]
mod arrival;
#[path = "../common/mod.rs"]
mod common;
#[path = "../common/draw.rs"]
mod draw;

mod arriving;
mod cases;
mod project;
mod published;
mod recipe;

use std::time::Instant;

use project::{Project, say};

/// One test, since its parts share one build.
#[test]
fn what_is_not_under_specs_compiles_and_is_called() {
    let started = Instant::now();
    let project = Project::at("scratch");
    let mut vendors = cases::vendors(&project);
    vendors.extend(published::vendors(&project));
    project.write(&vendors);
    say(&format!("scratch: {} vendors written after {:.0?}", vendors.len(), started.elapsed()));
    let built = Instant::now();
    project.cargo(&["test", "--test", "scratch", "--no-run"]);
    say(&format!("scratch: compiled without a warning in {:.0?}", built.elapsed()));
    let called = Instant::now();
    project.cargo(&["test", "--test", "scratch", "--", "--ignored", "--nocapture"]);
    say(&format!("scratch: called in {:.0?}", called.elapsed()));
    recipe::follow(&project);
}
