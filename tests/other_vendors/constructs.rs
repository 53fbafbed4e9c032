//! The calls of each fixture (`calls.json`) → the requests that arrive at the sandbox
//! (`requests.json`), byte for byte. Together with `expected/` they show a construct from the
//! description over the tool to the wire.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::{Map, Value, json};
use similar::TextDiff;
use toolwright::call::{CallResult, Failure};
use toolwright::catalog::Catalog;
use toolwright::policy::Defaults;
use toolwright::sandbox::Recorded;

use crate::common::{everything, sandbox, toolbox};

/// A fixture: the folder with its calls, and the vendor that it is in this copy.
#[derive(serde::Deserialize)]
struct Case {
    folder: PathBuf,
    vendor: String,
}

impl Case {
    /// A text of the fixture with the vendor's id in this copy.
    fn renamed(&self, text: &str) -> String {
        text.replace("acme", &self.vendor)
    }
}

/// The file of a case that has the expected requests, beside its calls.
const REQUESTS: &str = "requests.json";

/// Headers that depend on the machine or on a random number, or that every request has.
const LEFT_OUT: [&str; 6] = ["host", "content-length", "user-agent", "accept-encoding", "accept", "authorization"];

#[tokio::test]
#[ignore = "runs in a copy of this project, started by crates/authoring/tests/other_vendors"]
async fn each_construct_arrives() {
    let fixtures = std::env::var("TOOLWRIGHT_FIXTURES").expect("TOOLWRIGHT_FIXTURES lists the fixtures");
    let cases: Vec<Case> = serde_json::from_str(&fixtures).unwrap();
    let sandbox = sandbox(None).await;
    let toolbox = toolbox(&sandbox, &everything(), Defaults::Everything);
    let catalog = Catalog::compiled();
    let mut faults = String::new();
    for case in cases {
        let mut uncalled: BTreeSet<&str> = catalog
            .entries()
            .iter()
            .filter(|entry| entry.vendor == case.vendor)
            .map(|entry| entry.tool.name.as_str())
            .collect();
        let calls = std::fs::read_to_string(case.folder.join("calls.json")).unwrap();
        let calls: Vec<Value> = serde_json::from_str(&calls).unwrap();
        let mut found = Vec::new();
        for call in calls {
            let tool = case.renamed(call["tool"].as_str().unwrap());
            uncalled.remove(tool.as_str());
            let arguments: Map<String, Value> =
                serde_json::from_str(&case.renamed(&call["arguments"].to_string())).unwrap();
            let called = toolbox.call(&tool, arguments).await;
            let mut line = call.clone();
            match (called, sandbox.take_record().as_slice()) {
                (Ok(CallResult::Reply(answer)), [recorded]) => {
                    line["request"] = request(recorded);
                    line["answer"] = json!(answer.status);
                    if !recorded.is_accepted() {
                        let _ = writeln!(faults, "{}: {tool}: {:?}", case.vendor, recorded.verdict);
                    }
                }
                // A guard of ours: nothing may have left.
                (Err(failure @ Failure::Call(_)), []) => line["refused"] = json!(failure.to_string()),
                (Err(Failure::Arguments { problems, .. }), []) => {
                    let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
                    line["refused"] = json!(problems.join("; "));
                }
                (called, recorded) => {
                    let failure = called.err().map(|failure| failure.to_string()).unwrap_or_default();
                    let _ = writeln!(faults, "{}: {tool}: {} requests: {failure}", case.vendor, recorded.len());
                }
            }
            found.push(line);
        }
        if !uncalled.is_empty() {
            let _ = writeln!(faults, "{}: no call of {uncalled:?}", case.vendor);
        }
        faults += &compare(&case, &format!("{:#}\n", Value::Array(found)));
    }
    assert!(
        faults.is_empty(),
        "{faults}\nhint: to accept: UPDATE_EXPECTED=1 cargo test -p toolwright-authoring other_vendors"
    );
}

/// Compares what arrived with what is expected, or writes it.
fn compare(case: &Case, found: &str) -> String {
    let file = case.folder.join(REQUESTS);
    if std::env::var_os("UPDATE_EXPECTED").is_some_and(|value| value == "1") {
        std::fs::write(file, found).unwrap();
        return String::new();
    }
    let expected = std::fs::read_to_string(&file).unwrap_or_default();
    if expected == found {
        return String::new();
    }
    let diff = TextDiff::from_lines(expected.as_str(), found).unified_diff().header("expected", "found").to_string();
    format!("{}\n{diff}", file.display())
}

/// A request as it arrived, without what differs from run to run.
fn request(recorded: &Recorded) -> Value {
    let mut headers = recorded.headers.clone();
    headers.retain(|name, _| !LEFT_OUT.contains(&name.as_str()));
    let mut body = recorded.body.as_deref().map(|body| String::from_utf8_lossy(body).into_owned());
    let kind = headers.get("content-type").cloned().unwrap_or_default();
    if let Some((_, boundary)) = kind.split_once("boundary=") {
        body = body.map(|body| body.replace(boundary, "BOUNDARY"));
        headers.insert("content-type".to_owned(), kind.replace(boundary, "BOUNDARY"));
    }
    let mut out = json!({"method": recorded.method, "path": recorded.path});
    if !recorded.query.is_empty() {
        out["query"] = json!(recorded.query);
    }
    if !headers.is_empty() {
        out["headers"] = json!(headers);
    }
    if let Some(body) = body {
        // One line each, so that a diff shows what differs.
        out["body"] = if body.contains("\r\n") { json!(body.split("\r\n").collect::<Vec<_>>()) } else { json!(body) };
    }
    out
}
