//! A vendor's answer, or the lack of one → the MCP result that a model gets.

mod envelope;
mod pieces;
mod size;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rmcp::model::{CallToolResult, ContentBlock, MetaObject, ResourceContents};
use serde_json::{Value, json};

use crate::call::{CallResult, Failure, PlannedCall, Reply};
use crate::error::{CallError, seconds};
use crate::sanitize;
use crate::upstream::Answer;
use envelope::Envelope;
use size::View;

/// The entry of a failed result's `_meta` that says what was sent: `not_sent`, `rejected`,
/// `unknown`.
pub const OUTCOME: &str = "toolwright/outcome";
/// The entry of a failed result's `_meta` with the vendor's status.
pub const STATUS: &str = "toolwright/status";

/// The entry of a failed result's `_meta` that says when to call again, in seconds.
pub const RETRY_AFTER: &str = "retry_after_seconds";

/// Makes the MCP result of a call.
pub fn result(vendor: &str, result: Result<CallResult, Failure>) -> CallToolResult {
    match result {
        Ok(CallResult::Reply(reply)) => success(vendor, &reply),
        Ok(CallResult::Plan(plan)) => planned(&plan),
        Err(failure) => self::failure(&failure),
    }
}

fn planned(plan: &PlannedCall) -> CallToolResult {
    let mut shown = json!({"dry_run": true, "sent": false});
    if let (Some(shown), Ok(Value::Object(plan))) = (shown.as_object_mut(), serde_json::to_value(plan)) {
        shown.extend(plan);
    }
    CallToolResult::success(vec![ContentBlock::text(shown.to_string())])
}

fn success(vendor: &str, reply: &Reply) -> CallToolResult {
    let envelope =
        Envelope { page: reply.page.clone(), notes: reply.notes.clone(), untrusted: reply.untrusted.clone() };
    let parts = if reply.parts.is_empty() { std::slice::from_ref(&reply.answer) } else { &reply.parts };
    // Of several parts none is kept by itself.
    let cursor = |spot| if reply.parts.is_empty() { reply.cursor_to(spot) } else { None };
    let view = View { envelope: &envelope, from: reply.from, cursor: &cursor };
    CallToolResult::success(parts.iter().map(|part| block(vendor, part, &view)).collect())
}

fn block(vendor: &str, answer: &Answer, view: &View<'_>) -> ContentBlock {
    let content_type = answer.content_type.as_deref().unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match essence.as_str() {
        _ if answer.body.is_empty() => {
            ContentBlock::text(format!("done: the vendor answered {} with an empty body", answer.status))
        }
        // Every text is JSON by now, or bytes that no type was stated for.
        "" | "application/json" => match std::str::from_utf8(&answer.body) {
            Ok(text) => ContentBlock::text(size::bounded(text, view)),
            Err(_) => file(vendor, &essence, answer),
        },
        json if json.ends_with("+json") => {
            ContentBlock::text(size::bounded(&String::from_utf8_lossy(&answer.body), view))
        }
        image if image.starts_with("image/") => ContentBlock::image(STANDARD.encode(&answer.body), image),
        audio if audio.starts_with("audio/") => ContentBlock::audio(STANDARD.encode(&answer.body), audio),
        kind => file(vendor, kind, answer),
    }
}

fn file(vendor: &str, essence: &str, answer: &Answer) -> ContentBlock {
    let name = answer.filename.as_deref().unwrap_or("file");
    let encoded = percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC);
    let uri = format!("toolwright://{vendor}/{encoded}");
    let mime_type = if essence.is_empty() { "application/octet-stream" } else { essence };
    ContentBlock::resource(ResourceContents::blob(STANDARD.encode(&answer.body), uri).with_mime_type(mime_type))
}

fn failure(failure: &Failure) -> CallToolResult {
    let mut meta = json!({OUTCOME: failure.outcome().as_str()});
    if let Failure::Call(call) = failure {
        limits(call, &mut meta);
    }
    error(sanitize::message(&failure.to_string()), &meta)
}

/// What a caller that does its own waiting needs to know.
fn limits(call: &CallError, meta: &mut Value) {
    if let Some(status) = call.status() {
        meta[STATUS] = json!(status);
    }
    if let Some(wait) = call.retry_after() {
        meta[RETRY_AFTER] = json!(seconds(wait));
    }
    let CallError::Rejected(rejection) = call else { return };
    let said = &rejection.rate_limit;
    let reset = said.reset.map(seconds);
    for (name, value) in
        [("ratelimit-limit", said.limit), ("ratelimit-remaining", said.remaining), ("ratelimit-reset", reset)]
    {
        if let Some(value) = value {
            meta[name] = json!(value);
        }
    }
    if let Some(reason) = &said.reason {
        meta["ratelimit-reason"] = json!(reason);
    }
}

fn error(text: String, meta: &Value) -> CallToolResult {
    let mut result = CallToolResult::error(vec![ContentBlock::text(text)]);
    result.meta = meta.as_object().map(|entries| MetaObject(entries.clone()));
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(content_type: &str, body: &'static [u8]) -> Answer {
        let content_type = Some(content_type.to_owned());
        Answer { status: 200, content_type, body: bytes::Bytes::from_static(body), ..Answer::default() }
    }

    fn shaped(content_type: &str, body: &'static [u8]) -> Value {
        json!(result("jitbit", Ok(Reply::from(answer(content_type, body)).into())))["content"].take()
    }

    #[test]
    fn a_recording_is_audio() {
        assert_eq!(
            shaped("Audio/WAV; rate=8000", b"RIFF"),
            json!([{"type": "audio", "data": "UklGRg==", "mimeType": "audio/wav"}])
        );
    }

    #[test]
    fn each_part_of_an_answer_is_a_block() {
        let parts = vec![answer("application/json", b"{\"id\":1}"), answer("image/png", b"\x89")];
        let mut reply = Reply::from(answer("multipart/mixed", b"..."));
        (reply.parts, reply.untrusted) = (parts, vec!["name".to_owned()]);
        assert_eq!(
            json!(result("jitbit", Ok(reply.into())))["content"],
            json!([
                {"type": "text", "text": "{\"untrusted\":[\"name\"],\"id\":1}"},
                {"type": "image", "data": STANDARD.encode(b"\x89"), "mimeType": "image/png"},
            ])
        );
    }
}
