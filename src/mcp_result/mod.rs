//! A vendor's answer, or the failure of a call → the MCP result that a model receives.

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
use size::ReplyWindow;
use toolwright_model::media_type;

/// The entry of a failed result's `_meta` with the stage at which the call ended: `not_sent`,
/// `rejected`, `unknown`.
pub const OUTCOME: &str = "toolwright/outcome";
/// The entry of a failed result's `_meta` with the vendor's HTTP status.
pub const STATUS: &str = "toolwright/status";
/// The entry of a failed result's `_meta` with the seconds after which to call again.
pub const RETRY_AFTER: &str = "retry_after_seconds";

/// Builds the result of a call.
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
    // Parts are not cached on their own, so no cursor leads into one.
    let cursor = |offset| if reply.parts.is_empty() { reply.cursor_to(offset) } else { None };
    let window = ReplyWindow { envelope: &envelope, from: reply.from, cursor: &cursor };
    CallToolResult::success(parts.iter().map(|part| block(vendor, part, &window)).collect())
}

fn block(vendor: &str, answer: &Answer, window: &ReplyWindow<'_>) -> ContentBlock {
    let essence = media_type::essence(answer.content_type.as_deref().unwrap_or_default());
    match essence.as_str() {
        _ if answer.body.is_empty() => {
            ContentBlock::text(format!("done: the vendor answered {} with an empty body", answer.status))
        }
        // `call` has made JSON of every text; without a type these may be bytes.
        "" | "application/json" => match std::str::from_utf8(&answer.body) {
            Ok(text) => ContentBlock::text(size::bounded(text, window)),
            Err(_) => file(vendor, &essence, answer),
        },
        json if media_type::is_json(json) => {
            ContentBlock::text(size::bounded(&String::from_utf8_lossy(&answer.body), window))
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

/// Adds the vendor's status and limits, for callers that wait themselves.
fn limits(call: &CallError, meta: &mut Value) {
    if let Some(status) = call.status() {
        meta[STATUS] = json!(status);
    }
    if let Some(wait) = call.retry_after() {
        meta[RETRY_AFTER] = json!(seconds(wait));
    }
    let CallError::Rejected(rejection) = call else { return };
    let reported = &rejection.rate_limit;
    let reset = reported.reset.map(seconds);
    for (name, value) in
        [("ratelimit-limit", reported.limit), ("ratelimit-remaining", reported.remaining), ("ratelimit-reset", reset)]
    {
        if let Some(value) = value {
            meta[name] = json!(value);
        }
    }
    if let Some(reason) = &reported.reason {
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

    fn content(content_type: &str, body: &'static [u8]) -> Value {
        json!(result("jitbit", Ok(Reply::from(answer(content_type, body)).into())))["content"].take()
    }

    #[test]
    fn a_recording_is_audio() {
        assert_eq!(
            content("Audio/WAV; rate=8000", b"RIFF"),
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
