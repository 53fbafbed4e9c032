//! Arguments drawn at random from the input schema of every tool → requests that the description
//! allows, but for those that a guard refuses. `TOOLWRIGHT_CASES` is the number of draws for each
//! tool (default 32).

use std::fmt::Write as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fastrand::Rng;
use serde_json::Value;
use toolwright::call::Failure;
use toolwright::catalog::Catalog;
use toolwright::error::CallError;
use toolwright::formats::{FormatContext, Lookup, LookupCache, LookupError, LookupFuture, write};
use toolwright::policy::Defaults;
use toolwright_model::{Place, Tool};

use crate::common::arrival::Arrival;
use crate::common::draw;
use crate::common::{everything, sandbox, toolbox};

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
    let bindings = tool.calls.iter().flat_map(|call| &call.bindings);
    let formats = bindings.filter(|binding| binding.argument == argument).map(|binding| &binding.formats).next();
    let around = FormatContext { now: noon(), folder: None, lookup: &NoVendor, cache: &LookupCache::default() };
    match formats {
        Some(formats) => write(formats, value.clone(), &around, &mut Vec::new()).await.unwrap(),
        None => value.clone(),
    }
}

#[tokio::test]
async fn arguments_that_the_schema_allows_make_requests_that_the_vendor_accepts() {
    let cases: u64 = std::env::var("TOOLWRIGHT_CASES").map_or(32, |cases| cases.parse().unwrap());
    let samples = toolwright_codegen::generate("specs".as_ref(), |_| true).unwrap().samples;
    let sandbox = sandbox(None).await;
    let toolbox = toolbox(&sandbox, &everything(), Defaults::Everything).with_clock(noon);
    let catalog = Catalog::compiled();
    assert!(!catalog.entries().is_empty(), "no tool is compiled in");
    let mut faults = String::new();
    let mut records = String::new();
    for entry in catalog.entries() {
        let name = &entry.tool.name;
        let schema = Value::Object(entry.tool.parsed_input_schema());
        let own = samples.get(name).cloned().unwrap_or_default();
        let (mut accepted, mut kept) = (0, 0);
        for case in 0..cases {
            let mut arguments = draw::arguments(&schema, &own, &mut Rng::with_seed(case));
            // Toolwright's own arguments are not sent.
            arguments.retain(|name, _| !entry.tool.is_own_argument(name));
            let shown = Value::Object(arguments.clone());
            match toolbox.call(name, arguments).await {
                Ok(_) => {
                    accepted += 1;
                    let recorded = sandbox.record().pop().expect("an accepted call was recorded");
                    let request = Arrival::read(&recorded);
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
                Err(Failure::Call(CallError::NotSent(why)))
                    if why.contains("path argument") || why.contains("separates the values of the list") =>
                {
                    kept += 1;
                }
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
            let _ = writeln!(records, "{}", serde_json::to_string(&recorded).unwrap());
        }
    }
    // For tests/clients/openapi_requests.py, which checks the same requests with a validator
    // that shares no code with us.
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    std::fs::write(folder.join("recorded-requests.jsonl"), records).unwrap();
    assert!(faults.is_empty(), "{faults}");
}
