//! The fixtures with calls: `fixtures/codegen/<case>` (a folder of specs) and
//! `fixtures/import/<case>` (a description of any format, for `spec new`). Each becomes a vendor
//! of its own in the scratch project, since most are called acme.

use std::path::{Path, PathBuf};

use super::project::{Project, Vendor};

/// What the calls of a case are written in, beside its description.
pub(crate) const CALLS: &str = "calls.json";

/// A case: its folder, and its vendor in the scratch project.
pub(crate) struct Case {
    pub(crate) folder: PathBuf,
    pub(crate) vendor: String,
}

impl Case {
    /// The tool's name in the scratch project.
    pub(crate) fn renamed(&self, text: &str) -> String {
        text.replace("acme", &self.vendor).replace("ACME", &self.vendor.to_uppercase())
    }
}

/// The cases that have calls, in order of their names.
pub(crate) fn cases(fixtures: &Path) -> Vec<Case> {
    let mut cases = Vec::new();
    for group in ["codegen", "import"] {
        for entry in std::fs::read_dir(fixtures.join(group)).unwrap() {
            let folder = entry.unwrap().path();
            if !folder.join(CALLS).is_file() {
                continue;
            }
            let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
            // `requests-form-lists` → `formlists`
            let tail = if group == "codegen" { name.split_once('-').unwrap().1 } else { &name };
            let vendor = tail.replace('-', "");
            cases.push(Case { folder, vendor });
        }
    }
    cases.sort_by(|a, b| a.vendor.cmp(&b.vendor));
    cases
}

/// The vendors of the cases.
pub(crate) fn vendors(project: &Project) -> Vec<Vendor> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let cases = cases(&fixtures);
    cases.iter().map(|case| vendor(case, project)).collect()
}

fn vendor(case: &Case, project: &Project) -> Vendor {
    let specs = case.folder.join("specs/acme");
    if specs.is_dir() {
        let mut vendor = Vendor::read(&case.vendor, &specs);
        vendor.files.values_mut().for_each(|text| *text = case.renamed(text));
        return vendor;
    }
    let mut descriptions: Vec<PathBuf> =
        std::fs::read_dir(&case.folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    descriptions.retain(|path| path.file_stem().is_some_and(|stem| stem.to_string_lossy().starts_with("description")));
    descriptions.sort();
    let descriptions: Vec<&Path> = descriptions.iter().map(PathBuf::as_path).collect();
    project.new_vendor(&case.vendor, &descriptions)
}
