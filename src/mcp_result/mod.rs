//! A vendor's answer, or the failure of a call → the MCP result that a model receives.

mod pieces;
mod size;
mod tenants;
mod weight;

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rmcp::model::{CallToolResult, ContentBlock, MetaObject, ResourceContents};
use serde_json::{Value, json};

use crate::call::{CallResult, Envelope, Failure, PlannedCall, Reply, ReplyOffset, WorkflowReport, off_thread};
use crate::error::{Audience, CallError, Outcome, seconds};
use crate::sanitize::{self, json::Json};
use crate::upstream::Answer;
use size::{Bound, ReplyWindow};
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
        Ok(CallResult::Report(report)) => reported(&report),
        Ok(CallResult::Tenants(several)) => tenants::result(&several),
        Err(failure) => self::failure(&failure),
    }
}

/// Builds the result of a call, off the thread that serves if its answer is large.
pub async fn result_off_thread(vendor: &str, result: Result<CallResult, Failure>) -> CallToolResult {
    let bytes = bytes(&result);
    let vendor = vendor.to_owned();
    let built = off_thread(bytes, move || self::result(&vendor, result)).await;
    built.unwrap_or_else(|stopped| error(stopped.to_string(), &json!({OUTCOME: Outcome::Answered.as_str()})))
}

/// How much text a result is made of.
fn bytes(result: &Result<CallResult, Failure>) -> usize {
    match result {
        Ok(CallResult::Reply(reply)) => {
            reply.parts.iter().map(|part| part.body.len()).sum::<usize>() + reply.body.len()
        }
        Ok(CallResult::Plan(plan)) => plan.request.body.as_ref().map_or(0, String::len),
        Ok(CallResult::Report(report)) => report.body.len(),
        Ok(CallResult::Tenants(several)) => several.results.iter().map(|(_, result)| bytes(result)).sum(),
        Err(_) => 0,
    }
}

/// Returns a list or an object over several lines, as a person reads it; `None` for any other text.
pub fn indented(text: &str) -> Option<String> {
    match Json::parse(text) {
        Ok(json @ (Json::Object(_) | Json::List(_))) => Some(json.to_indented_text()),
        _ => None,
    }
}

fn planned(plan: &PlannedCall) -> CallToolResult {
    let mut shown = json!({"dry_run": true, "sent": false});
    if let (Some(shown), Ok(Value::Object(plan))) = (shown.as_object_mut(), serde_json::to_value(plan)) {
        shown.extend(plan);
    }
    CallToolResult::success(vec![ContentBlock::text(size::bounded_value(&shown))])
}

/// The result of a workflow that did not come to its end, or of a dry run of one.
fn reported(report: &WorkflowReport) -> CallToolResult {
    let (untrusted, notes) = (report.untrusted.clone(), report.notes.clone());
    let envelope = Envelope { untrusted, notes, ..Envelope::default() };
    let window = ReplyWindow { envelope: &envelope, bound: Bound::RESULT, from: ReplyOffset::default(), cursor: None };
    let text = size::bounded(&report.body, &window);
    if report.is_plan {
        return CallToolResult::success(vec![ContentBlock::text(text)]);
    }
    let mut meta = json!({OUTCOME: report.outcome.as_str()});
    if let Some(status) = report.status {
        meta[STATUS] = json!(status);
    }
    if let Some(wait) = report.retry_after {
        meta[RETRY_AFTER] = json!(wait);
    }
    error(text, &meta)
}

fn success(vendor: &str, reply: &Reply) -> CallToolResult {
    let envelope = reply.envelope();
    let cursor = |offset| reply.cursor_to(offset);
    // Parts are not cached on their own, so no cursor leads into one.
    let cursor: Option<&dyn Fn(ReplyOffset) -> Option<String>> =
        if reply.parts.is_empty() && reply.has_cursor() { Some(&cursor) } else { None };
    let parts = if reply.parts.is_empty() { std::slice::from_ref(&reply.answer) } else { &reply.parts };
    // All texts of a result together are within the bound.
    let mut bound = Bound::RESULT;
    let mut blocks = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        if !bound.has_room() {
            let bytes: usize = parts[index..].iter().map(|part| part.body.len()).sum();
            let (number, all, bytes) = (index + 1, parts.len(), bytes / 1_000);
            let which = if number == all {
                format!("part {all} of {all}")
            } else {
                format!("parts {number} to {all} of {all}")
            };
            blocks.push(ContentBlock::text(format!("({which}, {bytes} KB, left out: the answer is too large)")));
            break;
        }
        let block = block(vendor, part, &ReplyWindow { envelope: &envelope, bound, from: reply.from, cursor });
        if let ContentBlock::Text(text) = &block {
            bound = bound.after(&text.text);
        }
        blocks.push(block);
    }
    CallToolResult::success(blocks)
}

fn block(vendor: &str, answer: &Answer, window: &ReplyWindow<'_>) -> ContentBlock {
    let essence = media_type::essence(answer.content_type.as_deref().unwrap_or_default());
    match &*essence {
        _ if answer.body.is_empty() => {
            let mut text = format!("done: the vendor answered {} with an empty body", answer.status);
            if !window.envelope.resolved.is_empty() {
                let resolved = json!(window.envelope.resolved);
                let _ = write!(text, "\nresolved (untrusted: people entered these texts): {resolved}");
            }
            for note in &window.envelope.notes {
                text.push_str("\nnote: ");
                text.push_str(note);
            }
            ContentBlock::text(text)
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
    error(size::bounded_message(failure_text(failure, Audience::Model)), &meta)
}

/// A failure as its reader gets it: what the vendor wrote in it is harmless to read.
pub(crate) fn failure_text(failure: &Failure, audience: Audience) -> String {
    sanitize::message(&failure.text(audience))
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
    fn what_was_understood_is_shown_beside_an_empty_answer() {
        let mut reply = Reply::from(answer("", b""));
        reply.notes = vec!["a is b".to_owned()];
        let shown = json!(result("jitbit", Ok(reply.into())))["content"].take();
        assert_eq!(shown[0]["text"], "done: the vendor answered 200 with an empty body\nnote: a is b");
    }

    #[test]
    fn the_texts_of_all_parts_are_within_one_bound() {
        let text = format!("[\"{}\"]", "x".repeat(15_000));
        let body = bytes::Bytes::from(text);
        let content_type = Some("application/json".to_owned());
        let part = Answer { status: 200, content_type, body, ..Answer::default() };
        let mut reply = Reply::from(answer("multipart/mixed", b"..."));
        reply.parts = vec![part; 40];
        let result = json!(super::result("jitbit", Ok(reply.into())));
        assert!(result.to_string().len() < 62_000, "{}", result.to_string().len());
        let blocks = result["content"].as_array().unwrap();
        assert_eq!(
            blocks[blocks.len() - 1]["text"],
            "(parts 3 to 40 of 40, 570 KB, left out: the answer is too large)"
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
