//! OUT_DIR → what build.rs generated from specs/, compiled in by the only `include!`. The same
//! files are committed under `generated/` for review; the tests below compare both.

#![allow(
    clippy::all,
    clippy::pedantic,
    clippy::unwrap_used,
    missing_docs,
    unreachable_pub,
    dead_code,
    unused_imports,
    reason = "emitted, reviewed as data"
)]

include!(concat!(env!("OUT_DIR"), "/index.rs"));

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::PathBuf;

    use serde_json::Value;

    use super::FILES;

    fn committed(path: &str) -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("generated").join(path)
    }

    #[test]
    fn what_is_compiled_is_what_is_committed() {
        for (path, compiled) in FILES {
            let file = committed(path);
            let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            let text = text.replace("\r\n", "\n");
            // Without the white space that is for readers; `Value` keeps the order and the text of numbers. `requests.json` is
            // looked through line by line.
            let text = match path.ends_with(".json") && !path.ends_with("/requests.json") {
                true => format!("{}\n", serde_json::from_str::<Value>(&text).unwrap()),
                false => text,
            };
            assert!(
                text == *compiled,
                "generated/{path} is not what is compiled in\nhint: run `cargo regenerate` and commit the result"
            );
        }
    }

    #[test]
    fn every_committed_file_of_a_compiled_folder_is_compiled() {
        let compiled: BTreeSet<&str> = FILES.iter().map(|(path, _)| *path).collect();
        // Of an API, or of a file of workflows.
        let folders: BTreeSet<&str> = compiled.iter().filter_map(|path| Some(path.rsplit_once('/')?.0)).collect();
        for folder in folders {
            for entry in std::fs::read_dir(committed(folder)).unwrap() {
                let path = format!("{folder}/{}", entry.unwrap().file_name().to_string_lossy());
                assert!(compiled.contains(path.as_str()), "the generator's list of files lacks generated/{path}");
            }
        }
    }
}
