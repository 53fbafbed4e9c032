//! Vendors → a copy of this project with these in place of its own: its sources and its lock file
//! over the same crates.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Instant;

use crate::{PROGRAM, repository};

/// What of this project the copy has; manifest, `specs` and the list of test modules are its own.
const COPIED: [&str; 6] = ["Cargo.lock", "build.rs", "src", "benches/serve", "tests/common", "tests/other_vendors"];

/// The tests of the copy. They use a part of what tests share.
const TESTS: &str = "//! Made from tests/ of the project.\n#![allow(dead_code)]\nmod common;\nmod other_vendors;\n";

/// A vendor of the copy: its id, and its files by their names in its folder.
pub(crate) struct Vendor {
    pub(crate) id: String,
    pub(crate) files: BTreeMap<String, String>,
}

impl Vendor {
    /// Reads the files of a folder.
    pub(crate) fn read(id: &str, folder: &Path) -> Self {
        let mut files = BTreeMap::new();
        for (path, content) in files_below(folder) {
            files.insert(path, String::from_utf8(content).unwrap());
        }
        Self { id: id.to_owned(), files }
    }
}

/// The folder of the copy.
pub(crate) struct Project {
    folder: PathBuf,
}

impl Project {
    pub(crate) fn at(name: &str) -> Self {
        Self { folder: Path::new(env!("CARGO_TARGET_TMPDIR")).join("other-vendors").join(name) }
    }

    /// A fresh folder with an empty `specs`, for commands that write there.
    pub(super) fn empty(&self, name: &str) -> PathBuf {
        let folder = self.folder.join("made").join(name);
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(folder.join("specs")).unwrap();
        folder
    }

    /// Runs `cargo spec new` as a person would and reads what it wrote.
    pub(crate) fn new_vendor(&self, id: &str, from: &[PathBuf]) -> Vendor {
        let folder = self.empty(id);
        let mut program = Command::new(PROGRAM);
        program.args(["spec", "new", id]).current_dir(&folder);
        for description in from {
            program.arg("--from").arg(description);
        }
        succeeded("spec new", &program.output().unwrap());
        Vendor::read(id, &folder.join("specs").join(id))
    }

    /// Writes the copy; a file that is right already keeps its time stamp.
    pub(crate) fn write(&self, vendors: &[Vendor]) {
        let ours = repository();
        let mut wanted: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        for part in COPIED {
            let from = ours.join(part);
            if from.is_file() {
                wanted.insert(part.to_owned(), std::fs::read(&from).unwrap());
            } else {
                let below = files_below(&from).into_iter().map(|(path, content)| (format!("{part}/{path}"), content));
                wanted.extend(below);
            }
        }
        let manifest = std::fs::read_to_string(ours.join("Cargo.toml")).unwrap();
        wanted.insert("Cargo.toml".to_owned(), with_vendors(&manifest, vendors).into_bytes());
        wanted.insert("tests/main.rs".to_owned(), TESTS.as_bytes().to_vec());
        for vendor in vendors {
            for (file, text) in &vendor.files {
                wanted.insert(format!("specs/{}/{file}", vendor.id), text.clone().into_bytes());
            }
        }
        for (path, content) in &wanted {
            let path = self.folder.join(path);
            if std::fs::read(&path).is_ok_and(|found| found == *content) {
                continue;
            }
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, content).unwrap();
        }
        let kept: BTreeSet<&String> = wanted.keys().collect();
        for part in ["src", "specs", "tests"] {
            for (path, _) in files_below(&self.folder.join(part)) {
                let path = format!("{part}/{path}");
                if !kept.contains(&path) {
                    std::fs::remove_file(self.folder.join(path)).unwrap();
                }
            }
        }
        // A folder without files would count as a vendor.
        for entry in std::fs::read_dir(self.folder.join("specs")).unwrap() {
            let _ = std::fs::remove_dir(entry.unwrap().path());
        }
    }

    /// The files of a vendor of the copy.
    pub(crate) fn specs(&self, vendor: &str) -> BTreeMap<String, Vec<u8>> {
        files_below(&self.folder.join("specs").join(vendor))
    }

    /// Runs tests of the copy by the name of their module, with these variables.
    pub(crate) fn test(&self, module: &str, variables: &[(&str, &str)]) {
        let started = Instant::now();
        self.cargo(&["test", "--test", "main", "--no-run"], &[]);
        report(&format!("{module}: compiled without a warning in {:.0?}", started.elapsed()));
        let started = Instant::now();
        let output = self.cargo(&["test", "--test", "main", "--", "--ignored", "--nocapture", module], variables);
        let shown = String::from_utf8_lossy(&output.stdout);
        assert!(shown.contains("test result: ok. 1 passed"), "not the one test of {module}:\n{shown}");
        report(&format!("{module}: called in {:.0?}", started.elapsed()));
    }

    /// Runs cargo in the copy, with all its vendors. It takes compiled dependencies from the folder
    /// that this test was built in, and puts its own programs elsewhere.
    pub(super) fn cargo(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
        let (command, rest) = arguments.split_first().unwrap();
        let built_in = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args([command, "--offline", "--quiet"]).args(rest);
        cargo.current_dir(&self.folder).env("CARGO_TARGET_DIR", self.folder.join("target"));
        cargo.env("CARGO_BUILD_BUILD_DIR", built_in).env("CARGO_TERM_COLOR", "never");
        cargo.envs(variables.iter().copied());
        // Variables that cargo sets for this test: with them some build scripts would run again.
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            let heads = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_TARGET_TMPDIR", "OUT_DIR"];
            if heads.iter().any(|head| name.starts_with(head)) {
                cargo.env_remove(name);
            }
        }
        let output = cargo.output().unwrap();
        succeeded(&format!("cargo {}", arguments.join(" ")), &output);
        report(&String::from_utf8_lossy(&output.stderr));
        output
    }

    /// Runs the copy's program.
    pub(super) fn toolwright(&self, arguments: &[&str]) -> Output {
        let program = self.folder.join("target/debug/toolwright");
        Command::new(program).args(arguments).current_dir(&self.folder).env("NO_COLOR", "1").output().unwrap()
    }
}

/// The project's manifest with other vendors, over the crates of this project, and with every
/// warning an error.
fn with_vendors(manifest: &str, vendors: &[Vendor]) -> String {
    let ids: Vec<String> = vendors.iter().map(|vendor| format!("{:?}", vendor.id)).collect();
    let ours = std::fs::read_dir(repository().join("specs")).unwrap();
    let ours = ours.map(|entry| entry.unwrap()).filter(|entry| entry.path().is_dir());
    let ours: Vec<String> = ours.map(|entry| entry.file_name().display().to_string()).collect();
    let is_of_ours =
        |line: &str| line.split_once(" = [").is_some_and(|(feature, _)| ours.iter().any(|id| id == feature));
    let crates = repository().canonicalize().unwrap().join("crates");
    let mut lines: Vec<String> = Vec::new();
    for line in manifest.lines() {
        match line {
            _ if is_of_ours(line) => {}
            _ if line.starts_with("default = [") => lines.push(format!("default = [{}]", ids.join(", "))),
            "members = [\"crates/*\"]" => lines.push("members = []".to_owned()),
            _ => lines.push(line.replace("path = \"crates/", &format!("path = \"{}/", crates.display()))),
        }
        match line {
            "[features]" => lines.extend(vendors.iter().map(|vendor| format!("{} = []", vendor.id))),
            "[workspace.lints.rust]" => {
                lines.push("warnings = \"deny\"".to_owned());
                // The tests that are shared ask for our vendors' features.
                let values = ours.iter().map(|id| format!("\\\"{id}\\\"")).collect::<Vec<_>>().join(", ");
                let known = format!("[\"cfg(feature, values({values}))\"]");
                lines.push(format!("unexpected_cfgs = {{ level = \"deny\", check-cfg = {known} }}"));
            }
            _ => {}
        }
    }
    let made = lines.join("\n") + "\n";
    assert!(made.contains("warnings = \"deny\"") && !made.contains("\"crates/"), "Cargo.toml has another form now");
    made
}

fn succeeded(what: &str, output: &Output) {
    assert!(
        output.status.success(),
        "{what}: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Every file below a folder, by its path there; none where it is missing.
pub(super) fn files_below(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(next) = waiting.pop() {
        for entry in std::fs::read_dir(next).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else {
                let below = path.strip_prefix(folder).unwrap().to_str().unwrap().replace('\\', "/");
                found.insert(below, std::fs::read(&path).unwrap());
            }
        }
    }
    found
}

/// Shown whether the test passes or not, since it takes minutes.
fn report(text: &str) {
    let text = text.trim_end();
    if !text.is_empty() {
        let _ = writeln!(std::io::stderr(), "{text}");
    }
}
