//! `--help` → pages that name the program as it is run and show one example each.

use std::process::Command;

use super::{PROGRAM, text};

fn help(of: &[&str]) -> String {
    let output = Command::new(PROGRAM).args(of).arg("--help").env("NO_COLOR", "1").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    text(&output.stdout)
}

#[test]
fn each_page_shows_an_example() {
    for (page, usage) in [
        (&["regenerate"][..], "Usage: cargo regenerate [OPTIONS]"),
        (&["spec"], "Usage: cargo spec <COMMAND>"),
        (&["spec", "lint"], "Usage: cargo spec lint [OPTIONS] <FILE>"),
        (&["spec", "learn"], "Usage: cargo spec learn [OPTIONS] <FILE>"),
        (&["spec", "new"], "Usage: cargo spec new [OPTIONS] --from <[API=]FILE|URL> <NAME>"),
    ] {
        let shown = help(page);
        assert!(shown.contains(usage), "{shown}");
        let (_, example) = shown.split_once("Example:\n").unwrap_or_else(|| panic!("no example:\n{shown}"));
        assert!(example.trim().starts_with(&format!("cargo {}", page[0])), "{shown}");
    }
}
