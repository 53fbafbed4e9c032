//! Arguments drawn at random from the input schema of every tool → requests that the description
//! allows, but for those that a guard refuses. `TOOLWRIGHT_CASES` is the number of draws for each
//! tool (default 32).

use std::fmt::Write as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fastrand::Rng;
use serde_json::{Value, json};
use toolwright::call::{ArgumentProblem, Failure};
use toolwright::catalog::Catalog;
use toolwright::formats::{FormatContext, Lookup, LookupCache, LookupError, LookupFuture, write};
use toolwright::mcp_result;
use toolwright::policy::Defaults;
use toolwright::sandbox::Recorded;
use toolwright_model::{INCLUDE, Place, Tool};

use crate::common::arrival::Arrival;
use crate::common::draw;
use crate::common::{everything, sandbox, toolbox};

/// The longest result in bytes, so that its line on stdio has at most 62 KB, as docs/answers.md states.
const LARGEST_RESULT: usize = 61_000;

/// A fixed time.
fn noon() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_795_176_000)
}

/// A vendor that is not called: the arguments are drawn so that no look-up is needed.
struct NoVendor;

impl Lookup for NoVendor {
    fn ask<'a>(&'a self, operation: &'a str, _: Vec<(Place, Value)>) -> LookupFuture<'a> {
        Box::pin(async move { Err(LookupError::Failed(format!("`{operation}` was asked"))) })
    }
}

/// What a value is on its way to the vendor.
async fn written(tool: &Tool, argument: &str, value: &Value) -> Value {
    let bindings = || tool.calls.iter().flat_map(|call| &call.bindings);
    // Its words stand for values of another argument.
    if argument == INCLUDE
        && let Some(binding) = bindings().find(|binding| !binding.include.is_empty())
    {
        return value.as_array().unwrap().iter().map(|word| json!(binding.include[word.as_str().unwrap()])).collect();
    }
    let formats = bindings().filter(|binding| binding.argument == argument).map(|binding| &binding.formats).next();
    let cache = &LookupCache::default();
    let around = FormatContext { now: noon(), files: None, lookup: &NoVendor, cache, path: &[], properties: &[] };
    match formats {
        Some(formats) => write(formats, value.clone(), &around, &mut Vec::new()).await.unwrap(),
        None => value.clone(),
    }
}

fn is_guarded(problem: &ArgumentProblem) -> bool {
    ["can be a part of an address", "separates the values of the list"]
        .iter()
        .any(|guard| problem.expected.contains(guard))
}

/// Returns whether a path may hold this character: what separates segments, what is encoded, and the unreserved
/// characters of RFC 3986.
fn is_plain(character: char) -> bool {
    character.is_ascii_alphanumeric() || "-._~/%".contains(character)
}

#[tokio::test]
async fn arguments_that_the_schema_allows_make_requests_that_the_vendor_accepts() {
    let cases: u64 = std::env::var("TOOLWRIGHT_CASES").map_or(32, |cases| cases.parse().unwrap());
    let samples = draw::samples();
    let sandbox = sandbox(None).await;
    let toolbox = toolbox(&sandbox, &everything(), Defaults::Everything).with_clock(noon);
    let catalog = Catalog::compiled();
    assert!(!catalog.entries().is_empty(), "no tool is compiled in");
    let mut faults = String::new();
    let mut records = String::new();
    // What workflows send is checked step by step: tests/workflows.
    for entry in catalog.entries().iter().filter(|entry| entry.tool.workflow.is_none()) {
        let name = &entry.tool.name;
        let schema = Value::Object(entry.tool.checked_schema());
        let own = samples.get(name).cloned().unwrap_or_default();
        let (mut accepted, mut kept) = (0, 0);
        for case in 0..cases {
            let mut arguments = draw::arguments(&schema, &own, &mut Rng::with_seed(case));
            // Toolwright's own arguments are not sent.
            arguments.retain(|name, _| !entry.tool.is_own_argument(name));
            for needed in entry.tool.calls.iter().map(|call| &call.needs_one_of).filter(|needed| !needed.is_empty()) {
                if !needed.iter().any(|name| arguments.contains_key(name)) {
                    let sample = own.get(&needed[0]).and_then(|values| values.first()).expect("it has a sample");
                    arguments.insert(needed[0].clone(), sample.clone());
                }
            }
            let shown = Value::Object(arguments.clone());
            match toolbox.call(name, arguments).await {
                Ok(result) => {
                    accepted += 1;
                    let result = json!(mcp_result::result(&entry.vendor, Ok(result)));
                    let line = result.to_string().len();
                    // Files come whole.
                    let is_text = result["content"].as_array().unwrap().iter().all(|block| block["type"] == "text");
                    if is_text && line > LARGEST_RESULT {
                        let _ = writeln!(faults, "{name} (case {case}): a result of {line} bytes");
                    }
                    // After a change that is waited for come the questions how it stands.
                    let waits = entry.tool.calls.iter().any(|call| call.wait.is_some());
                    let last = |sent: &&Recorded| !waits || sent.method != "GET";
                    let recorded = sandbox.record();
                    let recorded = recorded.iter().rfind(last).expect("an accepted call was recorded");
                    if let Some(odd) = recorded.path.chars().find(|c| !is_plain(*c)) {
                        let _ = writeln!(faults, "{name} (case {case}): `{odd}` is not encoded in {}", recorded.path);
                    }
                    let request = Arrival::read(recorded);
                    // What chooses the operation is not sent.
                    let sent = shown.as_object().into_iter().flatten().filter(|(name, _)| !entry.tool.chooses_by(name));
                    for (argument, value) in sent {
                        if let Some(lost) = request.misses(&written(&entry.tool, argument, value).await) {
                            let _ = writeln!(faults, "{name} (case {case}): `{argument}`: {lost} did not arrive");
                        }
                    }
                }
                // Only two guards may refuse what the schema allows: a text that would leave its path
                // segment, and a list whose values contain the separator.
                Err(Failure::Arguments { problems, .. }) if problems.iter().all(is_guarded) => kept += 1,
                Err(failure) => {
                    let _ = writeln!(faults, "{name} (case {case}) {shown}: {failure}");
                }
            }
        }
        // A fifth of the drawn texts would leave their path segment, and a tool may have several.
        let in_path =
            entry.tool.calls.iter().flat_map(|call| &call.bindings).any(|b| matches!(b.place, Place::Path(_)));
        if accepted * 10 < cases * if in_path { 5 } else { 9 } {
            let _ = writeln!(faults, "{name}: {accepted} of {cases} accepted, {kept} kept by a guard");
        }
        for recorded in sandbox.take_record() {
            let mut recorded = serde_json::to_value(&recorded).unwrap();
            recorded["tool"] = name.as_str().into();
            let _ = writeln!(records, "{recorded}");
        }
    }
    // For tests/clients/openapi_requests.py and prism.py, which check the same requests with validators
    // that share no code with us.
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    std::fs::write(folder.join("recorded-requests.jsonl"), records).unwrap();
    assert!(faults.is_empty(), "{faults}");
}
