//! A vendor's answer, or the lack of one → the MCP result that a model gets.

mod clean;
mod envelope;
mod parts;
mod pieces;
mod size;

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rmcp::model::{CallToolResult, ContentBlock, MetaObject, ResourceContents};
use serde_json::{Value, json};

use crate::call::{Failure, Reply};
use crate::error::{CallError, seconds};
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

/// Shapes what a call ended in.
pub fn result(vendor: &str, called: Result<Reply, Failure>) -> CallToolResult {
    match called {
        Ok(reply) => success(vendor, &reply),
        Err(failure) => self::failure(&failure),
    }
}

fn success(vendor: &str, reply: &Reply) -> CallToolResult {
    let answer = &reply.answer;
    let envelope = Envelope { page: reply.page.clone(), untrusted: Vec::new() };
    let content_type = answer.content_type.as_deref().unwrap_or_default();
    let several = essence_of(content_type).starts_with("multipart/");
    let parts = several.then(|| parts::split(content_type, answer)).flatten();
    // Of several parts none is kept by itself.
    let cursor = |spot| if several { None } else { reply.cursor_to(spot) };
    let view = View { envelope: &envelope, from: reply.from, cursor: &cursor };
    let blocks = parts.as_deref().unwrap_or(std::slice::from_ref(answer)).iter().map(|part| block(vendor, part, &view));
    match blocks.collect() {
        Some(blocks) => CallToolResult::success(blocks),
        None => page(answer),
    }
}

/// A content type without its parameters.
fn essence_of(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// `None` where the answer is a web page.
fn block(vendor: &str, answer: &Answer, view: &View<'_>) -> Option<ContentBlock> {
    let essence = essence_of(answer.content_type.as_deref().unwrap_or_default());
    // A vendor that calls its bytes text is taken at its word: what is no UTF-8 shows as such.
    let text = if is_text(&essence) && !essence.is_empty() {
        Ok(String::from_utf8_lossy(&answer.body))
    } else {
        std::str::from_utf8(&answer.body).map(Cow::Borrowed)
    };
    Some(match (essence.as_str(), text) {
        _ if answer.body.is_empty() => {
            ContentBlock::text(format!("done: the vendor answered {} with an empty body", answer.status))
        }
        // A page where data was expected is a login page or another site; passing it on as an
        // answer would hide that.
        ("text/html" | "application/xhtml+xml", _) if answer.filename.is_none() => return None,
        (image, _) if image.starts_with("image/") => ContentBlock::image(STANDARD.encode(&answer.body), image),
        (audio, _) if audio.starts_with("audio/") => ContentBlock::audio(STANDARD.encode(&answer.body), audio),
        (kind, Ok(text)) if is_text(kind) => ContentBlock::text(size::bounded(&clean::clean(&text), view)),
        (kind, _) => file(vendor, kind, answer),
    })
}

fn is_text(essence: &str) -> bool {
    essence.is_empty()
        || essence.starts_with("text/")
        || essence == "application/json"
        || essence == "application/xml"
        || essence.ends_with("+json")
        || essence.ends_with("+xml")
}

fn page(answer: &Answer) -> CallToolResult {
    let text = format!(
        "the vendor answered {} with an HTML page where data was expected\n\
         hint: the configured address leads to a website or a login page; `toolwright doctor` checks it",
        answer.status
    );
    error(text, &json!({OUTCOME: "unknown", STATUS: answer.status}))
}

fn file(vendor: &str, essence: &str, answer: &Answer) -> ContentBlock {
    let name = answer.filename.as_deref().unwrap_or("file");
    let encoded = percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC);
    let uri = format!("toolwright://{vendor}/{encoded}");
    let mime_type = if essence.is_empty() { "application/octet-stream" } else { essence };
    ContentBlock::resource(ResourceContents::blob(STANDARD.encode(&answer.body), uri).with_mime_type(mime_type))
}

fn failure(failure: &Failure) -> CallToolResult {
    if let Failure::Planned(plan) = failure {
        // A dry run did what was asked for.
        let mut shown = json!({"dry_run": true, "sent": false});
        if let (Some(shown), Ok(Value::Object(plan))) = (shown.as_object_mut(), serde_json::to_value(plan)) {
            shown.extend(plan);
        }
        return CallToolResult::success(vec![ContentBlock::text(shown.to_string())]);
    }
    let mut meta = json!({OUTCOME: failure.outcome().as_str()});
    if let Failure::Call(call) = failure {
        limits(call, &mut meta);
    }
    error(clean::clean(&failure.to_string()).into_owned(), &meta)
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
        json!(result("jitbit", Ok(answer(content_type, body).into())))["content"].take()
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
        let body = b"preamble\r\n--b\r\nContent-Type: application/json\r\n\r\n{\"id\":1}\r\n\
            --b\r\ncontent-type: image/png\r\n\r\n\x89\r\n--\r\n--b--\r\n";
        assert_eq!(
            shaped("multipart/related; type=x; boundary=\"b\"", body),
            json!([
                {"type": "text", "text": "{\"id\":1}"},
                {"type": "image", "data": STANDARD.encode(b"\x89\r\n--"), "mimeType": "image/png"},
            ])
        );
    }

    #[test]
    fn parts_that_do_not_come_apart_stay_one_file() {
        for (content_type, body) in [
            ("multipart/mixed", b"--b\r\n\r\nx\r\n--b--".as_slice()),
            ("multipart/mixed; boundary=b", b"--b\r\n\r\nbreaks off"),
            ("multipart/mixed; boundary=b", b"--b--"),
        ] {
            let shaped = shaped(content_type, body);
            assert_eq!(shaped[0]["type"], "resource", "{content_type}");
            assert_eq!(shaped[0]["resource"]["blob"], json!(STANDARD.encode(body)));
        }
    }

    #[test]
    fn a_page_among_the_parts_is_no_answer() {
        let body = b"--b\r\nContent-Type: text/html\r\n\r\n<html>\r\n--b--";
        assert!(result("jitbit", Ok(answer("multipart/mixed; boundary=b", body).into())).is_error.unwrap_or_default());
    }
}
