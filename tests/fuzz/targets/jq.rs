//! A filter and a vendor's answer → the filter's result, within its bounds of time and size.
//!
//! ```text
//! .items[] | .id
//! ---
//! [{"id": 1}]
//! ```
//!
//! A filter runs in a process of its own, which cargo-fuzz does not see into: here it draws blindly.

use std::cell::OnceCell;
use std::time::{Duration, Instant};

use serde::de::IgnoredAny;
use serde_json::{Map, json};
use toolwright::call::Toolbox;
use toolwright::jq::Evaluator;

use super::Target;
use super::answer::checked_call;
use crate::fuzz::vendor;

pub(super) const TARGET: Target = Target {
    name: "jq",
    changes: 25,
    words: &[
        ".[]",
        ".a",
        "..",
        "|",
        ",",
        "?",
        "//",
        "as $x |",
        "reduce",
        "foreach",
        "def f: f; f",
        "limit(1e9; ",
        "range(1e12)",
        "repeat(.)",
        "test(\"(a*)*b\")",
        "sub(\"a\"; \"b\")",
        "import \"x\" as $y; ",
        "include \"x\"; ",
        "$ENV",
        "env",
        "input",
        "input_filename",
        "$__loc__",
        "@base32d",
        "@json",
        "tojson",
        "fromjson",
        "nan",
        "infinite",
        "error",
        "halt",
        "getpath",
        "setpath([1e9]; 1)",
        "splits(\"\")",
        "ltrimstr(\"a\")",
        "strptime(\"%Y\")",
        "mktime",
        "todate",
        "min_by(.a)",
        "*",
        "%",
        "-",
        "1e1000",
        "\"\\(.)\"",
        "try",
        "catch",
        "label $f | break $f",
        "label $f |",
        "until(false; .)",
        "tojson|fromjson",
    ],
    check,
};

/// A filter may take two seconds; the rest is for a busy machine.
const SLOWEST: Duration = Duration::from_secs(10);

/// The program with the evaluator.
fn program() -> String {
    let built = option_env!("CARGO_BIN_EXE_toolwright").map(str::to_owned);
    built.or_else(|| std::env::var("TOOLWRIGHT_PROGRAM").ok()).expect("TOOLWRIGHT_PROGRAM names the program")
}

fn check(input: &[u8]) {
    thread_local! {
        static TOOLBOX: OnceCell<Toolbox> = const { OnceCell::new() };
    }
    let text = String::from_utf8_lossy(input);
    let (filter, answer) = text.split_once("\n---\n").unwrap_or((&text, "{\"a\": 1}"));
    TOOLBOX.with(|toolbox| {
        let toolbox = toolbox.get_or_init(|| vendor::toolbox().with_evaluator(Evaluator::new(program())));
        vendor::set_answers(format!("200\nContent-Type: application/json\n\n{answer}").as_bytes());
        let tools = ["jitbit_get_ticket", "jsm_get_issue", "jumpcloud_get_user"];
        let Some(entry) = tools.iter().find_map(|tool| toolbox.catalog().get(tool)) else { return };
        let id = entry.tool.parsed_input_schema()["required"][0].as_str().map(str::to_owned).unwrap_or_default();
        let arguments = [(id, json!("7")), ("detail".to_owned(), json!("full")), ("jq".to_owned(), json!(filter))];
        let started = Instant::now();
        let values = checked_call(toolbox, &entry.tool.name, Map::from_iter(arguments), &mut Vec::new());
        assert!(started.elapsed() < SLOWEST, "the filter took {:?}", started.elapsed());
        let is_json = serde_json::from_str::<IgnoredAny>(answer.trim_start_matches('\u{feff}')).is_ok();
        assert!(is_json || values.is_empty(), "a result of what is no JSON: {values:?}");
    });
}
