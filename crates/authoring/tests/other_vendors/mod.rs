//! Descriptions that are not under specs/ → vendors of a copy of this project, compiled without a
//! warning and called. The calls are `tests/other_vendors` of the root package, run in the copy.
//!
//! ```text
//! fixtures: crates/{codegen,authoring}/tests/fixtures     published: $TOOLWRIGHT_VENDOR_SPECS
//!    │  renamed, or `spec new`
//!    ▼
//! <target>/tmp/other-vendors/<copy>: src/ and build.rs of this project, specs/ of theirs → cargo test
//! ```
//!
//! What does not change keeps its time stamp, so that a second run compiles only what changed.

mod fixtures;
mod project;
mod recipe;

pub(crate) use project::{Project, Vendor};

#[test]
fn fixtures_compile_without_a_warning_and_their_calls_arrive() {
    let project = Project::at("fixtures");
    let cases = fixtures::cases();
    let vendors: Vec<Vendor> = cases.iter().map(|case| case.vendor(&project)).collect();
    project.write(&vendors);
    project.test("other_vendors::constructs", &[("TOOLWRIGHT_FIXTURES", &fixtures::listed(&cases))]);
    recipe::follow(&project);
}
