//! The answer that began work in the background → the answer that shows how the work stands: at its end, or after a bound
//! of time. What is not known of it is noted, and never taken for done.

use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::arrived::{Expected, arrived};
use super::paging::Pages;
use super::prepare::PreparedCall;
use super::retry::Sender;
use super::tools::OfferedTools;
use crate::client_runtime::Inputs;
use crate::error::{CallError, seconds};
use crate::upstream::Answer;
use toolwright_model::{Returns, Wait};

/// The wait before the first question; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// The longest wait between two questions.
const LONGEST_WAIT: Duration = Duration::from_secs(4);
/// The longest state that a note quotes, in characters.
const LONGEST_STATE: usize = 40;

/// Waits for the end of what a call has begun, for `bound` at most. Without a bound to wait, one question is asked.
pub(super) async fn wait(
    prepared: &mut PreparedCall<'_>,
    begun: Pages,
    sender: &Sender<'_>,
    tools: &OfferedTools,
    bound: Duration,
) -> Pages {
    let call = &prepared.resolved;
    let Some(wait) = &call.operation.wait else { return begun };
    let reader = reader(wait, tools);
    let task = serde_json::from_slice::<Value>(&begun.answer.body).ok();
    let Some(id) = task.as_ref().and_then(|task| task.pointer(&wait.value)).filter(|id| is_id(id)) else {
        let note = "the vendor works on this in the background, and its answer names no task: look at what it did";
        prepared.notes.push(note.to_owned());
        return begun;
    };
    let started = Instant::now();
    let mut pause = FIRST_WAIT;
    let (pages, note) = loop {
        sleep(pause.min(bound.saturating_sub(started.elapsed()))).await;
        pause = (pause * 2).min(LONGEST_WAIT);
        let answer = match ask(wait, id, sender).await {
            Ok(answer) => answer,
            Err(error) => {
                let reason = sender.inert(&error);
                break (begun, format!("the work has begun, and how it stands is not known ({reason}){reader}"));
            }
        };
        let state = state(wait, &answer);
        match state.as_deref() {
            None => break (answer.into(), format!("the vendor did not report whether the work has ended{reader}")),
            Some(state) if !wait.running.iter().any(|running| running == state) => {
                let state: String = state.chars().take(LONGEST_STATE).collect();
                break (answer.into(), format!("the work ended as `{state}`"));
            }
            Some(_) if started.elapsed() >= bound => {
                let waited = seconds(started.elapsed());
                break (answer.into(), format!("the work still goes on after {waited} s{reader}"));
            }
            Some(state) => call.caller.report(format!("the vendor works on it: {state}")),
        }
    };
    prepared.notes.push(note);
    pages
}

/// What a name of work in the background can be.
fn is_id(id: &Value) -> bool {
    id.is_u64() || id.as_str().is_some_and(|id| !id.is_empty())
}

/// Returns how the work stands.
async fn ask(wait: &Wait, id: &Value, sender: &Sender<'_>) -> Result<Answer, CallError> {
    let id = id.as_str().map_or_else(|| id.to_string(), str::to_owned);
    let inputs = || {
        let mut inputs = Inputs::default();
        inputs.insert(&wait.input, Value::from(id.clone()));
        inputs
    };
    let expected = Expected { returns: Returns::Json, reads: true };
    arrived(sender.send(&wait.operation, true, inputs).await?, expected).await
}

fn state(wait: &Wait, answer: &Answer) -> Option<String> {
    let answer: Value = serde_json::from_slice(&answer.body).ok()?;
    answer.pointer(&wait.state)?.as_str().map(str::to_owned)
}

/// The end of a note that names the tool which shows how the work stands, if it is offered.
fn reader(wait: &Wait, tools: &OfferedTools) -> String {
    let asks = |name: &str| name == wait.operation;
    let tool = tools.iter().find(|entry| entry.tool.calls.iter().any(|call| asks(&call.operation)));
    tool.map(|entry| format!(": look with `{}`", entry.tool.name)).unwrap_or_default()
}
