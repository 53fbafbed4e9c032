//! Every tool with arguments drawn at random from its input schema: the request must be one that
//! the description allows, or a guard must have kept it. `TOOLWRIGHT_CASES` says how many draws
//! each tool gets (32 unless said).

#![allow(clippy::unwrap_used, reason = "a fault fails the test")]
#![cfg(feature = "authoring")]

mod common;
#[path = "common/draw.rs"]
mod draw;

use std::fmt::Write as _;

use common::{everything, sandbox, toolbox};
use draw::Random;
use serde_json::Value;
use toolwright::call::Failure;
use toolwright::catalog::Catalog;
use toolwright::error::CallError;
use toolwright::policy::Defaults;
use toolwright::sandbox::Recorded;

/// The values of a request, decoded.
struct Request {
    values: Vec<String>,
    whole: String,
}

impl Request {
    fn read(recorded: &Recorded) -> Self {
        let body = String::from_utf8_lossy(recorded.body.as_deref().unwrap_or_default()).into_owned();
        let query = url::form_urlencoded::parse(recorded.query.as_bytes());
        let form = url::form_urlencoded::parse(body.as_bytes());
        let values = query.chain(form).map(|(_, value)| value.into_owned()).collect();
        Self { values, whole: format!("{} {body}", recorded.path) }
    }

    /// Returns the part of an argument that the request does not hold.
    fn misses(&self, argument: &Value) -> Option<String> {
        match argument {
            Value::Array(items) => items.iter().find_map(|item| self.misses(item)),
            // A file travels as its bytes, an object as JSON text or as fields of its own.
            Value::Object(file) if file.contains_key("content_base64") => {
                (!self.whole.contains("hello")).then(|| "the file".to_owned())
            }
            object @ Value::Object(entries) => {
                let as_text = self.values.contains(&object.to_string());
                entries.values().find_map(|entry| self.misses(entry)).filter(|_| !as_text)
            }
            Value::String(text) => {
                (!self.values.contains(text) && !self.whole.contains(text)).then(|| format!("`{text}`"))
            }
            scalar => {
                let text = scalar.to_string();
                (!self.values.contains(&text) && !self.whole.contains(&text)).then_some(text)
            }
        }
    }
}

#[tokio::test]
async fn what_the_schema_allows_the_vendor_takes() {
    let cases: u64 = std::env::var("TOOLWRIGHT_CASES").map_or(32, |cases| cases.parse().unwrap());
    let samples = toolwright::codegen::generate("specs".as_ref(), |_| true).unwrap().samples;
    let sandbox = sandbox(None).await;
    let toolbox = toolbox(&sandbox, &everything(), Defaults::Everything);
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
            let mut arguments = draw::arguments(&schema, &own, &mut Random::new(case));
            // Toolwright's own arguments go to nobody.
            arguments.retain(|name, _| !entry.tool.is_own_argument(name));
            let shown = Value::Object(arguments.clone());
            match toolbox.call(name, arguments).await {
                Ok(_) => {
                    accepted += 1;
                    let recorded = sandbox.record().pop().expect("an accepted call was recorded");
                    let request = Request::read(&recorded);
                    // What chooses the operation is not sent.
                    let sent = shown.as_object().into_iter().flatten().filter(|(name, _)| !entry.tool.chooses_by(name));
                    for (argument, value) in sent {
                        if let Some(lost) = request.misses(value) {
                            let _ = writeln!(faults, "{name} (case {case}): `{argument}`: {lost} did not arrive");
                        }
                    }
                }
                // Only the guards of a request may keep what the schema allows.
                Err(Failure::Call(CallError::NotSent(_))) => kept += 1,
                Err(failure) => {
                    let _ = writeln!(faults, "{name} (case {case}) {shown}: {failure}");
                }
            }
        }
        if accepted * 10 < cases * 9 {
            let _ = writeln!(faults, "{name}: {accepted} of {cases} accepted, {kept} kept by a guard");
        }
        for recorded in sandbox.take_record() {
            let _ = writeln!(records, "{}", serde_json::to_string(&recorded).unwrap());
        }
    }
    // For tests/clients/openapi_requests.py, which checks the same requests with a validator
    // that shares no code with us.
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    std::fs::write(folder.join("recorded-jitbit.jsonl"), records).unwrap();
    assert!(faults.is_empty(), "{faults}");
}
