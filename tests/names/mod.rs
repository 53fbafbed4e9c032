//! Names in place of ids, at all vendors: which record each reaches, what is refused before anything is sent, and what a
//! look-up is bound by: the policy, the audit log, the cache, dry runs. The cases and what the vendors answer are in a file
//! for each vendor.

mod bounds;

use std::path::Path;

use serde_json::{Value, json};
use toolwright::call::{CallResult, Toolbox};
use toolwright::policy::Defaults;
use toolwright::sandbox::{Recorded, Sandbox};

use crate::common::{call_result, everything, result, sandbox, text, toolbox};

/// The fewest cases of a vendor.
const FEWEST: usize = 40;

/// The cases of a vendor, with a sandbox that answers them.
struct Cases {
    sandbox: Sandbox,
    cases: Vec<Value>,
}

impl Cases {
    async fn read(vendor: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/names").join(format!("{vendor}.json"));
        let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let sandbox = sandbox(Some(&file["script"].to_string())).await;
        Self { sandbox, cases: file["cases"].as_array().unwrap().clone() }
    }

    /// Runs all cases; each begins with nothing kept.
    async fn check(&self) {
        assert!(self.cases.len() >= FEWEST, "{}", self.cases.len());
        let mut faults = Vec::new();
        for case in &self.cases {
            let toolbox = toolbox(&self.sandbox, &everything(), Defaults::Everything);
            if let Err(fault) = self.one(&toolbox, case).await {
                faults.push(format!("{}: {fault}", case["what"].as_str().unwrap()));
            }
        }
        assert!(faults.is_empty(), "{} cases:\n{}", faults.len(), faults.join("\n"));
    }

    async fn one(&self, toolbox: &Toolbox, case: &Value) -> Result<(), String> {
        let (tool, arguments) = (case["tool"].as_str().unwrap(), &case["arguments"]);
        let entry = toolbox.catalog().get(tool).unwrap();
        let main = entry.tool.call_for(arguments.as_object().unwrap()).unwrap();
        let outcome = call_result(toolbox, tool, arguments.clone()).await;
        let sent = self.sandbox.take_record();
        if let Some(wrong) = sent.iter().find(|request| !request.is_accepted()) {
            return Err(format!("the description does not allow {wrong:?}"));
        }
        let is_main = |request: &&Recorded| request.operation.as_deref() == Some(main.operation.as_str());
        if let Some(says) = case["refused"].as_array() {
            let Err(failure) = outcome else { return Err(format!("it was sent: {:?}", sent.last())) };
            let failure = failure.to_string();
            if let Some(missing) = says.iter().filter_map(Value::as_str).find(|text| !failure.contains(text)) {
                return Err(format!("`{missing}` is missing in: {failure}"));
            }
            return match sent.iter().find(is_main) {
                Some(sent) => Err(format!("refused, and sent all the same: {sent:?}")),
                None => Ok(()),
            };
        }
        let reply = match outcome {
            Ok(CallResult::Reply(reply)) => reply,
            Ok(_) => return Err("no answer".to_owned()),
            Err(failure) => return Err(failure.to_string()),
        };
        let last = sent.last().filter(is_main).ok_or_else(|| format!("the last is another call: {sent:?}"))?;
        let body = String::from_utf8_lossy(last.body.as_deref().unwrap_or_default());
        let request = format!("{} {}?{} {body}", last.method, last.path, last.query);
        let wanted = case["sent"].as_array().unwrap().iter().filter_map(Value::as_str);
        if let Some(missing) = wanted.into_iter().find(|text| !request.contains(text)) {
            return Err(format!("`{missing}` is missing in: {request}"));
        }
        let resolved: Vec<(String, Value)> =
            reply.resolved.iter().map(|name| (name.argument.clone(), json!(name.id))).collect();
        let resolved = Value::Object(resolved.into_iter().collect());
        if resolved != case["resolved"] {
            return Err(format!("resolved are {resolved}, not {}", case["resolved"]));
        }
        // Ids are looked up by nobody.
        let none = case["resolved"].as_object().unwrap().is_empty();
        if none && sent.len() > 1 { Err(format!("looked up for ids: {sent:?}")) } else { Ok(()) }
    }
}

#[cfg(feature = "jitbit")]
#[tokio::test]
async fn each_name_reaches_the_right_record_at_jitbit() {
    Cases::read("jitbit").await.check().await;
}

#[cfg(feature = "jsm")]
#[tokio::test]
async fn each_name_reaches_the_right_record_at_jsm() {
    Cases::read("jsm").await.check().await;
}

#[cfg(feature = "jumpcloud")]
#[tokio::test]
async fn each_name_reaches_the_right_record_at_jumpcloud() {
    Cases::read("jumpcloud").await.check().await;
}

/// The text that a model gets.
async fn shown(toolbox: &Toolbox, tool: &str, arguments: Value) -> String {
    text(&result(toolbox, tool, arguments).await).to_owned()
}
