//! CONTRIBUTING's recipe for a new vendor → the same commands, run with a description made for it
//! (`fixtures/parcels`).

use std::path::Path;
use std::process::{Command, Output};

use super::project::{Project, files_below};
use crate::{PROGRAM, repository, text};

const VENDOR: &str = "parcels";
const DESCRIPTION: &str = "tests/fixtures/parcels/description.json";
/// What a reader would choose from the list.
const TOOL: &str = "parcels_list_parcels";

/// The commands of the recipe, in its order, with the reader's own names put in.
fn commands() -> Vec<String> {
    let text = std::fs::read_to_string(repository().join("CONTRIBUTING.md")).unwrap();
    let (_, section) = text.split_once("\n## To add a vendor\n").expect("the recipe has this heading");
    let section = section.split("\n## ").next().unwrap();
    let description = Path::new(env!("CARGO_MANIFEST_DIR")).join(DESCRIPTION);
    let lines = section.lines().map(str::trim).filter(|line| line.starts_with("cargo "));
    lines
        .map(|line| {
            line.replace("path/to/description.json", description.to_str().unwrap())
                .replace("<vendor>", VENDOR)
                .replace("<tool>", TOOL)
        })
        .collect()
}

/// Follows the recipe. The project has been built with the vendor in its features, which are the
/// steps that are no commands; `cargo spec` and `cargo run` are the programs that cargo built.
pub(super) fn follow(project: &Project) {
    let folder = project.empty("recipe");
    let mut seen = Vec::new();
    for command in commands() {
        let words: Vec<&str> = command.split_whitespace().skip(1).collect();
        seen.push(words[0].to_owned() + " " + words.get(1).copied().unwrap_or_default());
        match words.as_slice() {
            ["spec", "lint", file, ..] if file.starts_with("specs/") => {
                // Nothing is reviewed yet.
                let output = spec(&folder, &words);
                assert_eq!(output.status.code(), Some(1), "{command}: {}", text(&output.stderr));
            }
            ["spec", "lint", ..] => {
                let output = spec(&folder, &words);
                assert_eq!(output.status.code(), Some(1), "{command}: {}", text(&output.stderr));
                let shown = text(&output.stdout);
                for part in ["5 operations: 5 tools, 0 skipped", "misleading-verb", "unreviewed"] {
                    assert!(shown.contains(part), "{command}: no `{part}`\n{shown}");
                }
            }
            ["spec", "new", ..] => {
                let output = spec(&folder, &words);
                assert!(output.status.success(), "{command}: {}", text(&output.stderr));
                let written = files_below(&folder.join("specs").join(VENDOR));
                let names: Vec<&str> = written.keys().map(String::as_str).collect();
                assert_eq!(names, ["api.yaml", "overlay.yaml", "vendor.toml"]);
                assert_eq!(written, project.specs(VENDOR), "the copy was built from the same files");
            }
            ["run", "--", "catalog", rest @ ..] => {
                let output = project.toolwright(&[&["catalog"], rest].concat());
                assert!(
                    output.status.success() && text(&output.stdout).contains(TOOL),
                    "{command}: {}",
                    text(&output.stderr)
                );
            }
            ["run", "--", "call", rest @ ..] => {
                let output = project.toolwright(&[&["call"], rest].concat());
                let shown = text(&output.stdout);
                assert!(
                    output.status.success() && shown.contains("/parcels"),
                    "{command}: {}{shown}",
                    text(&output.stderr)
                );
            }
            ["build"] => {}
            _ => panic!("the recipe has a command that this test does not follow: {command}"),
        }
    }
    assert_eq!(seen, ["spec lint", "spec new", "build ", "run --", "run --"], "the recipe's commands");
}

fn spec(folder: &Path, words: &[&str]) -> Output {
    Command::new(PROGRAM).args(words).current_dir(folder).env("NO_COLOR", "1").output().unwrap()
}
