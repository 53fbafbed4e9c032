//! The files of a vendor's folder under specs/ → generated files, or findings that each name their place.
//!
//! ```text
//! === api.yaml
//! openapi: 3.0.3
//! === overlay.yaml
//! …
//! === vendor.toml
//! …
//! ```

use std::cell::OnceCell;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use toolwright_codegen::generate;

use super::Target;

pub(super) const TARGET: Target = Target {
    name: "specs",
    changes: 60,
    words: &[
        "$ref",
        "#/components/schemas/A",
        "#",
        "'#/'",
        "allOf",
        "oneOf",
        "{id}",
        "{",
        "x-toolwright",
        "operationId",
        "parameters",
        "schema:",
        "type: object",
        "type: array",
        "nullable: true",
        "enum:",
        "&a ",
        "*a",
        "<<: *a",
        "!!int",
        "|",
        ">",
        "? ",
        "- ",
        "  ",
        "\t",
        ":",
        "\"",
        "'",
        "in: path",
        "in: query",
        "required: true",
        "get:",
        "post:",
        "[[paging]]",
        "[address]",
        "kind = ",
        "untrusted = ",
        "=== overlay.yaml\n",
        "name: acme_get_a",
    ],
    check,
};

/// The vendor's folder below specs/.
const VENDOR: &str = "acme";
/// The files that an input may have.
const FILES: [&str; 4] = ["api.yaml", "overlay.yaml", "vendor.toml", "second.yaml"];

fn check(input: &[u8]) {
    thread_local! {
        static SPECS: OnceCell<PathBuf> = const { OnceCell::new() };
    }
    let specs = SPECS.with(|specs| specs.get_or_init(new_folder).clone());
    let folder = specs.join(VENDOR);
    std::fs::create_dir_all(&folder).unwrap();
    let files = files(input);
    for name in FILES {
        let path = folder.join(name);
        match files.iter().find(|(known, _)| *known == name) {
            Some((_, text)) => std::fs::write(path, text).unwrap(),
            None => drop(std::fs::remove_file(path)),
        }
    }
    let Err(errors) = generate(&specs, |_| true) else { return };
    assert!(!errors.is_empty(), "a refusal without a finding");
    for finding in &errors {
        let name = finding.file.strip_prefix(&format!("specs/{VENDOR}")).map(|name| name.trim_start_matches('/'));
        let text = name.and_then(|name| files.iter().find(|(known, _)| *known == name)).map(|(_, text)| text);
        let is_named = name.is_some_and(|name| name.is_empty() || FILES.contains(&name));
        assert!(is_named, "a finding in a file that is not there: {finding}");
        assert!(!finding.expected.is_empty() && !finding.found.is_empty(), "a finding without content: {finding}");
        if let Some(line) = finding.line {
            let lines = text.map_or(0, |text| count_lines(text));
            assert!((1..=lines).contains(&line), "line {line} of {lines}: {finding}");
        }
    }
}

/// In YAML a line may end with a carriage return alone.
fn count_lines(text: &[u8]) -> usize {
    let ends = text.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count();
    1 + ends - text.windows(2).filter(|window| window == b"\r\n").count()
}

fn new_folder() -> PathBuf {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let base = option_env!("CARGO_TARGET_TMPDIR").map_or_else(std::env::temp_dir, PathBuf::from);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    base.join(format!("fuzz-specs-{}-{number}", std::process::id()))
}

/// Splits an input into its files; of two with the same name the first.
fn files(input: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let mut files: Vec<(&'static str, Vec<u8>)> = Vec::new();
    let mut current = None;
    for line in input.split_inclusive(|byte| *byte == b'\n') {
        if let Some(name) = line.strip_prefix(b"=== ") {
            let name = name.trim_ascii();
            let known = FILES.into_iter().find(|known| known.as_bytes() == name);
            current = known.filter(|known| !files.iter().any(|(name, _)| name == known));
            files.extend(current.map(|name| (name, Vec::new())));
        } else if let (Some(_), Some((_, text))) = (current, files.last_mut()) {
            text.extend_from_slice(line);
        }
    }
    files
}
