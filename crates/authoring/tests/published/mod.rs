//! The vendors' published descriptions, which are not part of this repository: a folder that
//! `TOOLWRIGHT_VENDOR_SPECS` names, from the top of the repository. Each test is ignored but in the
//! run that sets the variable, and fails without the folder.

// The facts of specs/ are the vendors' facts, its sentences are not the vendors' sentences.
mod facts;
// `spec lint` and `spec new` handle the descriptions, and the generator what they write.
mod import;

use std::path::PathBuf;

use crate::other_vendors::{Project, Vendor};
use crate::repository;

/// Vendor in the copy, and the file of each of its APIs.
const VENDORS: [(&str, &[&str]); 3] = [
    ("jumpcloud", &["jumpcloud-v1.swagger2.json", "jumpcloud-v2.swagger2.json", "jumpcloud-insights.swagger2.json"]),
    ("jira", &["jira-platform.openapi3.json"]),
    ("jsm", &["jsm-servicedesk.openapi3.json"]),
];

/// The folder with the descriptions.
fn published() -> PathBuf {
    let folder = std::env::var_os("TOOLWRIGHT_VENDOR_SPECS").expect("TOOLWRIGHT_VENDOR_SPECS names no folder");
    let folder = repository().join(folder);
    assert!(folder.is_dir(), "TOOLWRIGHT_VENDOR_SPECS: no folder {}", folder.display());
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
