//! An answer as the vendor sent it → the same, if it is what the vendor's description states; else what is wrong with it.
//! A broken answer, if it were taken for an empty one, would say that there is nothing.

use std::borrow::Cow;

use super::off_thread::off_thread;
use crate::error::{BrokenAnswer, CallError};
use crate::sanitize::json::Json;
use crate::upstream::Answer;
use toolwright_model::{Returns, media_type};

/// What some programs write before a text in UTF-8.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// What is expected of an answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expected {
    /// What the description states.
    pub(super) returns: Returns,
    /// Whether the call only reads. What a change is answered with may be a mere word: it was made all the same.
    pub(super) reads: bool,
}

impl Expected {
    /// Whether this answer has to be JSON. A file may be anything, whatever its type; data may have a name.
    fn json(self, answer: &Answer) -> bool {
        let announced = answer.content_type.as_deref().is_some_and(media_type::is_json);
        let stated = self.reads && self.returns == Returns::Json && answer.filename.is_none();
        self.returns != Returns::File && (announced || stated)
    }
}

/// Checks an answer, off the thread that serves if it is large.
///
/// # Errors
/// It is a web page, or no JSON where that was stated.
pub(super) async fn arrived(answer: Answer, expected: Expected) -> Result<Answer, CallError> {
    off_thread(answer.body.len(), move || check(answer, expected)).await?
}

fn check(mut answer: Answer, expected: Expected) -> Result<Answer, CallError> {
    if is_web_page(&answer) {
        return Err(CallError::WebPage(answer.status));
    }
    if answer.body.is_empty() || !is_text(&answer) {
        return Ok(answer);
    }
    if answer.body.starts_with(BYTE_ORDER_MARK) {
        answer.body = answer.body.slice(BYTE_ORDER_MARK.len()..);
    }
    // This is quicker where there is nothing to replace.
    let text = str::from_utf8(&answer.body).map_or_else(|_| String::from_utf8_lossy(&answer.body), Cow::Borrowed);
    if expected.json(&answer)
        && let Err(fault) = Json::check(&text)
    {
        return Err(if looks_like_page(&text) {
            CallError::WebPage(answer.status)
        } else {
            let (status, request_id, reason) = (answer.status, answer.request_id, fault.to_string());
            CallError::Broken(Box::new(BrokenAnswer { status, request_id, reason, advice: Vec::new() }))
        });
    }
    // Bytes that are no UTF-8 in JSON.
    if let Cow::Owned(text) = text
        && text.trim_start().starts_with(['[', '{'])
    {
        answer.body = text.into();
    }
    Ok(answer)
}

/// Returns whether an answer is a web page and not a file: a login page, passed on as an answer,
/// would hide that nothing was done.
pub(super) fn is_web_page(answer: &Answer) -> bool {
    let is_page = answer.content_type.as_deref().is_some_and(media_type::is_html);
    is_page && answer.filename.is_none() && !answer.body.is_empty()
}

/// Whether a text is a web page, however it is announced.
fn looks_like_page(text: &str) -> bool {
    let begins: String = text.trim_start().chars().take(14).collect();
    let begins = begins.to_ascii_lowercase();
    begins.starts_with("<!doctype html") || begins.starts_with("<html")
}

/// Returns whether an answer is announced as text; without a content type it may be.
pub(super) fn is_text(answer: &Answer) -> bool {
    let essence = media_type::essence(answer.content_type.as_deref().unwrap_or_default());
    essence.is_empty()
        || essence.starts_with("text/")
        // Whatever kind of JSON: a result shows it as text.
        || media_type::is_json(&essence)
        || essence == "application/xml"
        || essence.ends_with("+xml") && !essence.starts_with("image/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(returns: Returns, reads: bool, content_type: &str, body: &[u8]) -> String {
        let content_type = Some(content_type.to_owned()).filter(|it| !it.is_empty());
        let answer = Answer { status: 200, content_type, body: body.to_vec().into(), ..Answer::default() };
        match check(answer, Expected { returns, reads }) {
            Ok(answer) => String::from_utf8_lossy(&answer.body).into_owned(),
            Err(CallError::Broken(broken)) => format!("broken: {}", broken.reason),
            Err(CallError::WebPage(_)) => "page".to_owned(),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn what_is_no_json_where_json_is_stated_is_broken() {
        const JSON: &str = "application/json";
        const TEXT: &str = "text/plain";
        let cut = "broken: is JSON that breaks off after 3 bytes";
        let text = "broken: is text and no JSON";
        for (returns, reads, content_type, body, expected) in [
            (Returns::Json, true, JSON, b"[1]".as_slice(), "[1]"),
            (Returns::Json, true, JSON, b"\xef\xbb\xbf[1]", "[1]"),
            (Returns::Json, true, "", b"\xef\xbb\xbf[\"\xff\"]", "[\"\u{fffd}\"]"),
            (Returns::Json, true, TEXT, b"[1]", "[1]"),
            (Returns::Json, true, JSON, b"[1,", cut),
            (Returns::Json, true, TEXT, b"[1,", cut),
            (Returns::Json, true, "", b"not now", text),
            (Returns::Json, true, "text/xml", b"<a/>", text),
            (Returns::Json, true, JSON, b" <!DOCTYPE html><p>", "page"),
            (Returns::Json, true, TEXT, b"<html>", "page"),
            (Returns::Json, true, "text/html", b"{}", "page"),
            (Returns::Json, true, JSON, b"", ""),
            (Returns::Json, true, "application/pdf", b"%PDF", "%PDF"),
            // A change was made, whatever word the vendor has for it.
            (Returns::Json, false, TEXT, b"done", "done"),
            (Returns::Json, false, JSON, b"[1,", cut),
            (Returns::Unstated, true, TEXT, b"done", "done"),
            (Returns::File, true, "text/csv", b"a,b", "a,b"),
            (Returns::Unstated, true, "application/problem+json", b"[1,", cut),
            (Returns::File, true, JSON, b"[1,", "[1,"),
            (Returns::File, true, TEXT, b"\xef\xbb\xbfa", "a"),
        ] {
            assert_eq!(checked(returns, reads, content_type, body), expected, "{returns:?} {content_type} {body:?}");
        }
        for (content_type, is_broken) in [(JSON, true), (TEXT, false)] {
            let named = Answer {
                content_type: Some(content_type.to_owned()),
                filename: Some("a.json".to_owned()),
                body: b"[1,".as_slice().into(),
                ..Answer::default()
            };
            let found = check(named, Expected { returns: Returns::Json, reads: true });
            assert_eq!(found.is_err(), is_broken, "{content_type}");
        }
    }
}
