//! The module map of src/lib.rs holds: each module imports only the modules that stand beside it
//! there. (That `codegen` imports nothing of the run-time half is build.rs's doing already.)

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Module → what it may import of ours. A module that is missing here may import anything.
const MAY_IMPORT: [(&str, &[&str]); 19] = [
    ("model", &[]),
    ("error", &[]),
    ("codegen", &["model"]),
    ("upstream", &["error"]),
    ("formats", &["model", "error", "upstream"]),
    ("support", &["model", "error", "upstream"]),
    ("catalog", &["generated", "model", "support"]),
    ("policy", &["catalog", "model", "error"]),
    ("config", &["model", "policy", "upstream", "error"]),
    ("audit", &["error"]),
    ("clean", &["model"]),
    ("jq", &[]),
    ("metrics", &["error"]),
    (
        "call",
        &[
            "audit", "catalog", "clean", "config", "error", "formats", "jq", "metrics", "model", "policy", "support",
            "upstream",
        ],
    ),
    ("shape", &["call", "clean", "error", "upstream"]),
    ("server", &["call", "catalog", "config", "error", "metrics", "model", "shape"]),
    ("sandbox", &[]),
    ("authoring", &["codegen", "catalog", "config", "generated", "model"]),
    (
        "cli",
        &[
            "audit",
            "authoring",
            "call",
            "catalog",
            "codegen",
            "config",
            "error",
            "formats",
            "jq",
            "model",
            "policy",
            "sandbox",
            "server",
            "shape",
            "upstream",
        ],
    ),
];

fn files(of: &Path, found: &mut Vec<PathBuf>) {
    if of.is_file() {
        found.push(of.to_owned());
    } else if let Ok(entries) = std::fs::read_dir(of) {
        for entry in entries {
            files(&entry.unwrap().path(), found);
        }
    }
}

/// The modules that a file names as `crate::…`, in code and not in comments.
fn imports(text: &str) -> BTreeSet<String> {
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    code.flat_map(|line| line.split("crate::").skip(1).map(str::to_owned).collect::<Vec<_>>())
        .map(|rest| rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect())
        .filter(|name: &String| !name.is_empty())
        .collect()
}

#[test]
fn modules_import_what_the_map_says() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut broken = Vec::new();
    for (module, allowed) in MAY_IMPORT {
        let mut own = Vec::new();
        files(&source.join(module), &mut own);
        files(&source.join(format!("{module}.rs")), &mut own);
        assert!(!own.is_empty(), "no module `{module}`");
        for file in own.iter().filter(|file| !file.to_string_lossy().contains("test")) {
            for import in imports(&std::fs::read_to_string(file).unwrap()) {
                // Emitters write `crate::client_runtime` into the code they make.
                let emitted = module == "codegen" && import == "support";
                if import != module && !allowed.contains(&import.as_str()) && !emitted {
                    broken.push(format!("{}: crate::{import}", file.strip_prefix(&source).unwrap().display()));
                }
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
