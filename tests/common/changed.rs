//! The compiled catalog of Jitbit with changes, as a folder of `tools.json`.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use toolwright::catalog::tool_files;

/// The tools.json of Jitbit.
pub(crate) fn jitbit() -> Value {
    let files = tool_files().into_iter().map(|text| serde_json::from_str::<Value>(text).unwrap());
    files.into_iter().find(|file| file["api"] == "jitbit").unwrap()
}

/// A tool of the file, to be changed.
pub(crate) fn tool<'a>(file: &'a mut Value, name: &str) -> &'a mut Value {
    let tools = file["tools"].as_array_mut().unwrap();
    tools.iter_mut().find(|tool| tool["name"] == name).unwrap_or_else(|| panic!("no tool {name}"))
}

/// Writes a catalog of one API; returns its folder.
pub(crate) fn folder(name: &str, file: &Value) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(folder.join("generated/jitbit")).unwrap();
    std::fs::write(folder.join("generated/jitbit/tools.json"), format!("{file:#}\n")).unwrap();
    folder
}

/// Runs the program in a folder, with an environment of its own.
pub(crate) fn run_in(folder: &Path, arguments: &[&str]) -> Output {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut command = Command::new(env!("CARGO_BIN_EXE_toolwright"));
    command.args(arguments).current_dir(folder).env_clear().env("PATH", path).output().unwrap()
}

/// Exit code, standard output, standard error.
pub(crate) fn parts(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}
