//! `cargo regenerate` → files in generated/. It deletes leftovers, and with `--check` it writes
//! nothing.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::{PROGRAM, repository, scratch, shown};

const VENDOR: &str = r#"
id = "acme"
title = "Acme"
[address]
variable = "ACME_URL"
example = "https://acme.example.com"
[[credentials]]
kind = "header"
header = "x-api-key"
value = "ACME_KEY"
"#;

const DESCRIPTION: &str = r#"
openapi: 3.0.3
info: {title: Acme, version: "1"}
paths:
  /things:
    get:
      operationId: listThings
      responses: {"200": {description: Things.}}
"#;

fn project(name: &str) -> PathBuf {
    let folder = scratch(&format!("regenerate-{name}"));
    std::fs::create_dir_all(folder.join("specs/acme")).unwrap();
    std::fs::write(folder.join("specs/acme/vendor.toml"), VENDOR).unwrap();
    std::fs::write(folder.join("specs/acme/api.yaml"), DESCRIPTION).unwrap();
    folder
}

fn regenerate(folder: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(PROGRAM);
    command.arg("regenerate").args(more).current_dir(folder).env("NO_COLOR", "1").output().unwrap()
}

#[test]
fn writes_what_specs_give_and_deletes_what_is_left_over() {
    let folder = project("writes");
    std::fs::create_dir_all(folder.join("generated/gone")).unwrap();
    std::fs::write(folder.join("generated/gone/client.rs"), "// old").unwrap();
    let output = regenerate(&folder, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", shown(&output));
    assert!(folder.join("generated/acme/tools.json").is_file());
    assert!(folder.join("generated/schemas/vendor.schema.json").is_file());
    assert!(!folder.join("generated/gone").exists(), "leftovers are deleted");
    let again = regenerate(&folder, &["--check"]);
    assert_eq!(again.status.code(), Some(0), "{}", shown(&again));
    assert!(again.stdout.is_empty(), "{}", shown(&again));
}

#[test]
fn check_shows_what_differs_and_writes_nothing() {
    let folder = project("checks");
    regenerate(&folder, &[]);
    let tools = folder.join("generated/acme/tools.json");
    let edited = std::fs::read_to_string(&tools).unwrap().replace("acme_list_things", "acme_list_stuff");
    std::fs::write(&tools, &edited).unwrap();
    std::fs::write(folder.join("generated/acme/notes.txt"), "mine").unwrap();
    let output = regenerate(&folder, &["--check"]);
    let shown = shown(&output);
    assert_eq!(output.status.code(), Some(1), "{shown}");
    for part in [
        "changed: generated/acme/tools.json",
        "-      \"name\": \"acme_list_stuff\"",
        "+      \"name\": \"acme_list_things\"",
        "left over: generated/acme/notes.txt",
        "cargo regenerate",
    ] {
        assert!(shown.contains(part), "`{part}` is not in:\n{shown}");
    }
    assert_eq!(std::fs::read_to_string(&tools).unwrap(), edited);
}

#[test]
fn faults_are_shown_all_at_once() {
    let folder = project("faults");
    std::fs::write(folder.join("specs/acme/vendor.toml"), VENDOR.replace("header = \"x-api-key\"\n", "")).unwrap();
    std::fs::write(folder.join("specs/acme/api.yaml"), DESCRIPTION.replace("3.0.3", "3.1.0")).unwrap();
    let output = regenerate(&folder, &[]);
    let shown = shown(&output);
    assert_eq!(output.status.code(), Some(1), "{shown}");
    assert!(shown.contains("specs/acme/vendor.toml:7 (credentials): expected `header`"), "{shown}");
    assert!(shown.contains("specs/acme/api.yaml:2 (openapi): expected the version"), "{shown}");
    assert!(!folder.join("generated").exists(), "nothing is written from specs with faults");
}

#[test]
fn outside_a_project_it_names_the_folder_to_run_in() {
    let output = regenerate(&scratch("regenerate-elsewhere"), &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(shown(&output).contains("run this at the top of the project"), "{}", shown(&output));
}

#[test]
fn what_is_committed_is_what_specs_give() {
    let output = regenerate(&repository(), &["--check"]);
    assert_eq!(output.status.code(), Some(0), "{}", shown(&output));
}

#[test]
fn the_same_specs_give_the_same_bytes() {
    let once = || toolwright_codegen::generate(&repository().join("specs"), |_| true).expect("specs/ has no faults");
    let (first, second) = (once(), once());
    assert!(first.tree == second.tree, "the files differ from one run to the next");
    assert!(first.index == second.index, "the index differs from one run to the next");
}
