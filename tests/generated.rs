//! What is compiled in, what is committed under `generated/`, and what `specs/` gives are one.

use std::path::{Path, PathBuf};

use toolwright::authoring::{REGENERATE, committed_tree, compiled_files};
use toolwright_codegen::{Tree, generate};

fn project() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn from_specs() -> Tree {
    committed_tree(&project().join("specs")).unwrap_or_else(|errors| panic!("specs/ has faults:\n{errors}"))
}

#[test]
fn what_is_committed_is_what_specs_give() {
    let differences = from_specs().compare(&project().join("generated")).unwrap();
    let files: Vec<&String> = differences.keys().collect();
    assert!(files.is_empty(), "generated/ differs in {files:?}\nhint: run `{REGENERATE}` and commit the result");
}

#[test]
fn what_is_compiled_is_what_is_committed() {
    for (path, compiled) in compiled_files() {
        let file = project().join("generated").join(path);
        let committed = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        assert!(
            committed.replace("\r\n", "\n") == *compiled,
            "generated/{path} is not what is compiled in\nhint: run `{REGENERATE}` and commit the result"
        );
    }
}

/// With every vendor built, nothing that is committed for an API is left out of the program.
#[test]
fn every_file_of_a_built_api_is_compiled() {
    let compiled: Vec<&str> = compiled_files().iter().map(|(path, _)| *path).collect();
    let apis: Vec<&str> = compiled.iter().filter_map(|path| Some(path.split_once('/')?.0)).collect();
    let tree = from_specs();
    let committed = tree.files().map(|(path, _)| path);
    let missing: Vec<&str> = committed
        .filter(|path| apis.contains(&path.split('/').next().unwrap_or_default()) && !compiled.contains(path))
        .collect();
    assert!(missing.is_empty(), "`codegen::API_FILES` lacks {missing:?}");
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let once = || generate(Path::new(&project().join("specs")), |_| true).expect("specs/ is right");
    let (first, second) = (once(), once());
    assert!(first.tree == second.tree, "the files differ from one run to the next");
    assert!(first.index == second.index, "the index differs from one run to the next");
}
