//! Published descriptions, which are not part of this repository: a folder that `TOOLWRIGHT_VENDOR_SPECS` names, from the
//! top of the repository, and one of other vendors that `TOOLWRIGHT_STRANGERS` names. Each test is ignored but in the run
//! that sets the variables, and fails without its folder.

// Each operation against its tool, five levels deep.
mod compared;
// What a description states of requests.
mod descriptions;
// The facts of specs/ are the vendors' facts, its sentences are not the vendors' sentences.
mod facts;
// Two published versions of one description: what `spec diff` and `spec update` make of the later one.
mod history;
// `spec lint` and `spec new` handle the descriptions, and the generator what they write.
mod import;
// What a schema takes, by the specifications alone.
mod takes;
// Everything that the vendors let a request carry reaches a tool or has a reason; so does every bound.
mod offered;

use std::path::PathBuf;

use crate::other_vendors::{Project, Vendor};
use crate::repository;

/// Vendor in the copy, and the file of each of its APIs.
const VENDORS: [(&str, &[&str]); 3] = [
    ("jumpcloud", &["jumpcloud-v1.swagger2.json", "jumpcloud-v2.swagger2.json", "jumpcloud-insights.swagger2.json"]),
    ("jira", &["jira-platform.openapi3.json"]),
    ("jsm", &["jsm-servicedesk.openapi3.json", "jsm-assets.openapi3.json"]),
];

/// The folder with the descriptions of our vendors.
fn published() -> PathBuf {
    named_folder("TOOLWRIGHT_VENDOR_SPECS")
}

/// The folder that a variable names.
fn named_folder(variable: &str) -> PathBuf {
    let folder = std::env::var_os(variable).unwrap_or_else(|| panic!("{variable} names no folder"));
    let folder = repository().join(folder);
    assert!(folder.is_dir(), "{variable}: no folder {}", folder.display());
    folder.canonicalize().unwrap()
}

#[test]
#[ignore = "needs TOOLWRIGHT_VENDOR_SPECS=<folder>"]
fn tools_of_published_descriptions_compile_and_are_called() {
    let published = published();
    let project = Project::at("published");
    let vendors: Vec<Vendor> = VENDORS
        .iter()
        .map(|(id, files)| {
            let files: Vec<PathBuf> = files.iter().map(|file| published.join(file)).collect();
            project.new_vendor(id, &files)
        })
        .collect();
    project.write(&vendors);
    project.test("other_vendors::draws", &[]);
}
