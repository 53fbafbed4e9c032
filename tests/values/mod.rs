//! What a model writes → what the vendor gets: `null`, dates, ids, lists, and everything that is
//! wrong in one answer. For each vendor, because each takes other forms.

#[cfg(feature = "jitbit")]
mod jitbit;
#[cfg(feature = "jsm")]
mod jsm;
#[cfg(feature = "jumpcloud")]
mod jumpcloud;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use toolwright::call::Toolbox;
use toolwright::policy::Defaults;
use toolwright::sandbox::{Recorded, Sandbox};

use crate::common::{everything, result, sandbox, text, toolbox};

/// 2026-11-20T08:00:00Z
fn morning() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_795_161_600)
}

/// Every tool, over a sandbox that checks each request against the vendor's description.
struct Bench {
    sandbox: Sandbox,
    toolbox: Toolbox,
}

impl Bench {
    async fn new(script: &Value) -> Self {
        let sandbox = sandbox(Some(&script.to_string())).await;
        let toolbox = toolbox(&sandbox, &everything(), Defaults::Everything).with_clock(morning);
        Self { sandbox, toolbox }
    }

    /// Calls, and returns the last request, which the description accepts.
    async fn sent(&self, tool: &str, arguments: Value) -> Recorded {
        let shown = arguments.to_string();
        let answer = result(&self.toolbox, tool, arguments).await;
        assert_ne!(answer.is_error, Some(true), "{tool} {shown}: {}", text(&answer));
        let mut record = self.sandbox.take_record();
        assert!(record.iter().all(Recorded::is_accepted), "{tool} {shown}: {record:?}");
        record.pop().unwrap()
    }

    /// Calls, and returns the body of the request.
    async fn body(&self, tool: &str, arguments: Value) -> Value {
        let sent = self.sent(tool, arguments).await;
        sent.json().unwrap_or_else(|| json!(String::from_utf8(sent.body.unwrap_or_default()).unwrap()))
    }

    /// Calls, and returns why nothing was sent.
    async fn refused(&self, tool: &str, arguments: Value) -> String {
        let shown = arguments.to_string();
        let answer = result(&self.toolbox, tool, arguments).await;
        assert_eq!(answer.is_error, Some(true), "{tool} {shown}: {}", text(&answer));
        let record = self.sandbox.take_record();
        assert!(record.is_empty(), "{tool} {shown}: {record:?}");
        text(&answer).to_owned()
    }

    /// Calls with a name that means no record, and expects a refusal that has each of these texts: the name was looked up,
    /// and the call itself was not sent.
    async fn refuses_name(&self, tool: &str, arguments: Value, expected: &[&str]) {
        let shown = arguments.to_string();
        let answer = result(&self.toolbox, tool, arguments).await;
        assert_eq!(answer.is_error, Some(true), "{tool} {shown}: {}", text(&answer));
        let operations = &self.toolbox.catalog().get(tool).unwrap().tool.calls;
        for sent in self.sandbox.take_record() {
            let is_call = operations.iter().any(|call| sent.operation.as_deref() == Some(call.operation.as_str()));
            assert!(!is_call, "{tool} {shown}: {sent:?}");
        }
        for part in expected {
            assert!(text(&answer).contains(part), "{tool} {shown}: `{part}` is not in\n{}", text(&answer));
        }
    }

    /// Calls, and expects a refusal that has each of these texts.
    async fn refuses(&self, tool: &str, arguments: Value, expected: &[&str]) {
        let shown = arguments.to_string();
        let refusal = self.refused(tool, arguments).await;
        for part in expected {
            assert!(refusal.contains(part), "{tool} {shown}: `{part}` is not in\n{refusal}");
        }
    }
}

/// What a tool's description of an argument, or of a part of one, says.
fn described(bench: &Bench, tool: &str, pointer: &str) -> String {
    let entry = bench.toolbox.catalog().get(tool).unwrap();
    let schema = Value::Object(entry.tool.parsed_input_schema());
    schema.pointer(&format!("/properties/{pointer}/description")).unwrap().as_str().unwrap().to_owned()
}
