//! The fixtures with calls → vendors: `crates/codegen/tests/fixtures/<case>` is a folder of specs,
//! `crates/authoring/tests/fixtures/<case>` a description of any format, for `spec new`. Each
//! becomes a vendor of its own name, since most are called acme.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::project::{Project, Vendor, files_below};
use crate::repository;

/// The file of a case that has its calls.
const CALLS: &str = "calls.json";

/// A case: its folder, and the id of its vendor in the copy.
pub(super) struct Case {
    folder: PathBuf,
    id: String,
}

/// The cases that have calls, in the order of their ids.
pub(super) fn cases() -> Vec<Case> {
    let of_generator = repository().join("crates/codegen/tests/fixtures");
    let of_author = repository().join("crates/authoring/tests/fixtures");
    let folders = |of: &Path| -> Vec<PathBuf> { std::fs::read_dir(of).unwrap().map(|e| e.unwrap().path()).collect() };
    let mut cases: Vec<Case> = folders(&of_generator)
        .into_iter()
        .chain(folders(&of_author))
        .filter(|folder| folder.join(CALLS).is_file())
        .map(|folder| Case { id: id(&folder, folder.starts_with(&of_generator)), folder })
        .collect();
    cases.sort_by(|a, b| a.id.cmp(&b.id));
    assert!(!cases.is_empty(), "no fixture has calls");
    cases
}

/// `requests-form-lists` → `formlists`: the generator's cases begin with their group.
fn id(folder: &Path, grouped: bool) -> String {
    let name = folder.file_name().unwrap().to_str().unwrap();
    let name = if grouped { name.split_once('-').unwrap().1 } else { name };
    name.replace('-', "")
}

/// The cases for the tests in the copy, which read the calls and write the requests.
pub(super) fn listed(cases: &[Case]) -> String {
    let list: Vec<Value> = cases.iter().map(|case| json!({"folder": case.folder, "vendor": case.id})).collect();
    Value::from(list).to_string()
}

impl Case {
    /// The vendor of the case: a folder of specs under another name, or what `spec new` makes of
    /// its descriptions.
    pub(super) fn vendor(&self, project: &Project) -> Vendor {
        let specs = self.folder.join("specs/acme");
        if specs.is_dir() {
            let mut vendor = Vendor::read(&self.id, &specs);
            for text in vendor.files.values_mut() {
                *text = text.replace("acme", &self.id).replace("ACME", &self.id.to_uppercase());
            }
            return vendor;
        }
        let files = files_below(&self.folder).into_keys().filter(|name| name.starts_with("description"));
        let descriptions: Vec<PathBuf> = files.map(|name| self.folder.join(name)).collect();
        project.new_vendor(&self.id, &descriptions)
    }
}
