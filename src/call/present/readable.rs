//! One answer → sanitized JSON with the names of the fields that outsiders wrote; bytes that are no
//! text stay as they are.

use serde_json::{Map, Value};

use super::parts;
use super::projection::Projection;
use crate::call::failure::Failure;
use crate::call::reply::Reply;
use crate::call::send::is_web_page;
use crate::error::CallError;
use crate::sanitize::Rules;
use crate::sanitize::json::Json;
use crate::upstream::Answer;
use toolwright_model::media_type;

/// Makes a reply of an answer: reduced and sanitized if it is text, part by part if it has parts.
///
/// # Errors
/// The answer does not have the requested fields, or a part of it is a web page.
pub(super) fn reply(answer: Answer, projection: &Projection, rules: &Rules) -> Result<Reply, Failure> {
    let Some(parts) = parts::split(&answer) else { return one(answer, projection, rules) };
    let mut reply = Reply::from(answer);
    for part in parts {
        if is_web_page(&part) {
            return Err(Failure::Call(CallError::WebPage(part.status)));
        }
        let part = one(part, &Projection::default(), rules)?;
        let new: Vec<String> = part.untrusted.into_iter().filter(|name| !reply.untrusted.contains(name)).collect();
        reply.untrusted.extend(new);
        reply.parts.push(part.answer);
    }
    Ok(reply)
}

fn one(mut answer: Answer, projection: &Projection, rules: &Rules) -> Result<Reply, Failure> {
    let content_type = answer.content_type.clone().unwrap_or_default();
    let is_html = media_type::is_html(&content_type);
    if answer.body.is_empty() || !is_text(&answer) {
        return Ok(answer.into());
    }
    // Where the vendor announces text, bytes that are no UTF-8 are replaced.
    let text = match std::str::from_utf8(&answer.body) {
        Ok(text) => text.to_owned(),
        Err(_) if media_type::essence(&content_type).is_empty() => return Ok(answer.into()),
        Err(_) => String::from_utf8_lossy(&answer.body).into_owned(),
    };
    let untrusted = match Json::parse(&text) {
        Some(mut json) if !is_html => {
            // A text alone has no field name; it gets one.
            if let Json::Text(alone) = &json {
                plain(&mut answer, rules.text(alone))
            } else {
                // First, because what is left out is neither sanitized nor named as untrusted.
                projection.apply(&mut json)?;
                let untrusted = rules.clean(&mut json);
                answer.body = json.to_text(text.len()).into();
                // Whatever the vendor announced.
                answer.content_type = Some("application/json".to_owned());
                untrusted
            }
        }
        _ if is_html => plain(&mut answer, rules.document(&text)),
        _ => plain(&mut answer, rules.text(&text)),
    };
    Ok(Reply { untrusted, ..answer.into() })
}

/// Puts a text into an object, so that it has a field that can be named as untrusted.
fn plain(answer: &mut Answer, text: String) -> Vec<String> {
    const FIELD: &str = "text";
    let mut object = Map::new();
    if let Some(name) = &answer.filename {
        object.insert("name".to_owned(), Value::from(name.as_str()));
    }
    object.insert(FIELD.to_owned(), Value::from(text));
    answer.body = Value::Object(object).to_string().into();
    answer.content_type = Some("application/json".to_owned());
    answer.filename = None;
    vec![FIELD.to_owned()]
}

/// Returns whether an answer is announced as text; without a content type it may be.
pub(super) fn is_text(answer: &Answer) -> bool {
    let essence = media_type::essence(answer.content_type.as_deref().unwrap_or_default());
    essence.is_empty()
        || essence.starts_with("text/")
        || essence == "application/json"
        || essence == "application/xml"
        || essence.ends_with("+json")
        || essence.ends_with("+xml") && !essence.starts_with("image/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replied(content_type: &str, filename: Option<&str>, body: &'static [u8]) -> Reply {
        let answer = Answer {
            status: 200,
            content_type: Some(content_type.to_owned()),
            filename: filename.map(str::to_owned),
            body: bytes::Bytes::from_static(body),
            ..Answer::default()
        };
        super::reply(answer, &Projection::default(), &Rules::default()).unwrap()
    }

    fn body(reply: &Reply) -> &str {
        std::str::from_utf8(&reply.answer.body).unwrap()
    }

    #[test]
    fn text_that_is_no_json_is_an_untrusted_field() {
        for (content_type, filename, given, expected) in [
            (
                "text/plain; charset=utf-8",
                None,
                b"see https://e.example".as_slice(),
                r#"{"text":"see `hxxps://e.example`"}"#,
            ),
            ("text/csv", Some("a.csv"), b"a,b\n1,\xff", "{\"name\":\"a.csv\",\"text\":\"a,b\\n1,\u{fffd}\"}"),
            ("text/html", Some("a.html"), b"<p>a</p><p>b</p>", r#"{"name":"a.html","text":"a\n\nb"}"#),
            ("application/json", None, b"\"word\"", r#"{"text":"word"}"#),
            ("application/json", None, b"[1,", r#"{"text":"[1,"}"#),
            ("", None, b"word", r#"{"text":"word"}"#),
        ] {
            let reply = replied(content_type, filename, given);
            assert_eq!((body(&reply), reply.untrusted.as_slice()), (expected, ["text".to_owned()].as_slice()));
            assert_eq!(reply.answer.content_type.as_deref(), Some("application/json"));
        }
    }

    #[test]
    fn bytes_that_are_no_text_stay() {
        for (content_type, given) in
            [("application/pdf", b"%PDF \xff".as_slice()), ("image/svg+xml", b"<svg/>"), ("", b"\xff")]
        {
            let reply = replied(content_type, None, given);
            assert_eq!((&reply.answer.body[..], reply.untrusted.len()), (given, 0), "{content_type}");
        }
    }

    #[test]
    fn each_part_of_an_answer_is_sanitized() {
        let reply = replied(
            "Multipart/related; type=x; boundary=\"b\"",
            None,
            b"preamble\r\n--b\r\nContent-Type: application/json\r\n\r\n{\"id\":1,\"s\":\"x\\u202e\"}\r\n\
              --b\r\ncontent-type: image/png\r\n\r\n\x89\r\n--\r\n--b--\r\n",
        );
        let parts: Vec<&[u8]> = reply.parts.iter().map(|part| &part.body[..]).collect();
        assert_eq!(parts, [br#"{"id":1,"s":"x"}"#.as_slice(), b"\x89\r\n--"]);
        assert_eq!(reply.untrusted, ["*"]);
    }

    #[test]
    fn malformed_parts_stay_one_file() {
        for (content_type, given) in [
            ("multipart/mixed", b"--b\r\n\r\nx\r\n--b--".as_slice()),
            ("multipart/mixed; boundary=b", b"--b\r\n\r\nbreaks off"),
            ("multipart/mixed; boundary=b", b"--b--"),
        ] {
            let reply = replied(content_type, None, given);
            assert_eq!((reply.parts.len(), &reply.answer.body[..]), (0, given), "{content_type}");
        }
    }

    #[test]
    fn a_web_page_among_the_parts_is_refused() {
        let body = bytes::Bytes::from_static(b"--b\r\nContent-Type: text/html\r\n\r\n<html>\r\n--b--");
        let content_type = Some("multipart/mixed; boundary=b".to_owned());
        let answer = Answer { status: 200, content_type, body, ..Answer::default() };
        let failure = reply(answer, &Projection::default(), &Rules::default()).unwrap_err();
        assert!(matches!(failure, Failure::Call(CallError::WebPage(200))), "{failure}");
    }
}
