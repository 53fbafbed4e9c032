//! A vendor's answer → what a caller gets of it: clean, with the names of what outsiders wrote,
//! and as much of it as was asked for.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{Failure, Reply, parts, project};
use crate::error::CallError;
use crate::jq::Evaluator;
use crate::sanitize::Rules;
use crate::sanitize::json::Json;
use crate::upstream::Answer;
use toolwright_model::{DETAIL, FIELDS, FULL, JQ, Tool};

/// Answers larger than this are cleaned beside the other calls and not between them, in bytes.
const LARGE: usize = 200_000;

/// How much of an answer a caller wants.
#[derive(Debug, Clone, Default)]
pub(super) struct Projection {
    fields: Vec<String>,
    concise: Vec<String>,
    jq: Option<String>,
}

impl Projection {
    /// Reads it from a call's arguments.
    pub(super) fn of(tool: &Tool, arguments: &Map<String, Value>) -> Self {
        let own = |name: &str| arguments.get(name).filter(|_| tool.is_own_argument(name));
        let jq = own(JQ).and_then(Value::as_str).map(str::to_owned);
        let fields: Vec<String> = own(FIELDS)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|name| name.as_str().map(str::to_owned))
            .collect();
        // A filter sees everything, and who names fields has chosen.
        let full = jq.is_some() || !fields.is_empty() || own(DETAIL).and_then(Value::as_str) == Some(FULL);
        let concise = if full { Vec::new() } else { tool.concise.clone() };
        Self { fields: if jq.is_some() { Vec::new() } else { fields }, concise, jq }
    }
}

/// Refuses a web page where data was expected: passing a login page on as an answer would hide
/// that nothing was done.
pub(super) fn no_web_page(answer: Answer) -> Result<Answer, CallError> {
    let page = is_html(&essence(&answer)) && answer.filename.is_none() && !answer.body.is_empty();
    if page { Err(CallError::WebPage(answer.status)) } else { Ok(answer) }
}

/// Makes what a caller gets out of an answer.
pub(super) async fn view(
    answer: Answer,
    wanted: &Projection,
    rules: &Arc<Rules>,
    evaluator: Option<&Evaluator>,
) -> Result<Reply, Failure> {
    let reply = if answer.body.len() > LARGE {
        let (wanted, rules) = (wanted.clone(), Arc::clone(rules));
        tokio::task::spawn_blocking(move || dressed(answer, &wanted, &rules))
            .await
            .map_err(|error| Failure::Projection(format!("the answer could not be read: {error}")))??
    } else {
        dressed(answer, wanted, rules)?
    };
    match &wanted.jq {
        Some(filter) => filtered(reply, filter, rules, evaluator).await,
        None => Ok(reply),
    }
}

fn dressed(answer: Answer, wanted: &Projection, rules: &Rules) -> Result<Reply, Failure> {
    let Some(parts) = parts::split(&answer) else { return one(answer, wanted, rules) };
    let mut reply = Reply::from(answer);
    for part in parts {
        let part = one(no_web_page(part).map_err(Failure::Call)?, &Projection::default(), rules)?;
        let new: Vec<String> = part.untrusted.into_iter().filter(|name| !reply.untrusted.contains(name)).collect();
        reply.untrusted.extend(new);
        reply.parts.push(part.answer);
    }
    Ok(reply)
}

fn one(mut answer: Answer, wanted: &Projection, rules: &Rules) -> Result<Reply, Failure> {
    let essence = essence(&answer);
    if answer.body.is_empty() || !is_text(&essence) {
        return Ok(answer.into());
    }
    // A vendor that calls its bytes text is taken at its word: what is no UTF-8 shows as such.
    let text = match std::str::from_utf8(&answer.body) {
        Ok(text) => text.to_owned(),
        Err(_) if essence.is_empty() => return Ok(answer.into()),
        Err(_) => String::from_utf8_lossy(&answer.body).into_owned(),
    };
    let untrusted = match Json::parse(&text) {
        Some(mut json) if !is_html(&essence) => {
            // A text alone has no field to be named by.
            if let Json::Text(alone) = &json {
                plain(&mut answer, rules.text(alone))
            } else {
                // What is left out needs no cleaning and is not named.
                if !wanted.fields.is_empty() {
                    project::fields(&mut json, &wanted.fields)?;
                } else if !wanted.concise.is_empty() {
                    project::concise(&mut json, &wanted.concise);
                }
                let untrusted = rules.clean(&mut json);
                answer.body = json.to_text(text.len()).into();
                // Whatever the vendor calls it.
                answer.content_type = Some("application/json".to_owned());
                untrusted
            }
        }
        _ if is_html(&essence) => plain(&mut answer, rules.document(&text)),
        _ => plain(&mut answer, rules.text(&text)),
    };
    Ok(Reply { untrusted, ..answer.into() })
}

/// Text that is no JSON, as JSON: whoever wrote it stays named.
fn plain(answer: &mut Answer, text: String) -> Vec<String> {
    const FIELD: &str = "text";
    let mut told = Map::new();
    if let Some(name) = &answer.filename {
        told.insert("name".to_owned(), Value::from(name.as_str()));
    }
    told.insert(FIELD.to_owned(), Value::from(text));
    answer.body = Value::Object(told).to_string().into();
    answer.content_type = Some("application/json".to_owned());
    answer.filename = None;
    vec![FIELD.to_owned()]
}

/// What a filter makes of a clean answer, cleaned again: a filter can put together what was taken
/// apart.
async fn filtered(
    mut reply: Reply,
    filter: &str,
    rules: &Rules,
    evaluator: Option<&Evaluator>,
) -> Result<Reply, Failure> {
    let Some(evaluator) = evaluator else {
        return Err(Failure::Projection("`jq`: this server evaluates no filters\nhint: call without `jq`".to_owned()));
    };
    let text = std::str::from_utf8(&reply.answer.body).ok().filter(|text| !text.is_empty());
    let Some(text) = text.filter(|_| reply.parts.is_empty() && is_text(&essence(&reply.answer))) else {
        let kind = reply.answer.content_type.as_deref().unwrap_or("nothing");
        return Err(Failure::Projection(format!("`jq`: the answer is no JSON but {kind}\nhint: call without `jq`")));
    };
    // What jaq says of a failure may quote the answer.
    let result = evaluator.run(filter, text).await.map_err(|told| Failure::Projection(rules.text(&told)))?;
    let Some(mut json) = Json::parse(&result) else {
        return Err(Failure::Projection("`jq`: the result is nested too deeply".to_owned()));
    };
    let outsiders = !reply.untrusted.is_empty() && json.has_text();
    if outsiders {
        // The filter may have renamed the fields: any text may be theirs.
        rules.clean_all(&mut json);
    }
    reply.untrusted = if outsiders { vec![crate::sanitize::EVERY.to_owned()] } else { Vec::new() };
    reply.answer.body = json.to_text(result.len()).into();
    reply.answer.content_type = Some("application/json".to_owned());
    Ok(reply)
}

/// An answer's content type without parameters.
fn essence(answer: &Answer) -> String {
    let content_type = answer.content_type.as_deref().unwrap_or_default();
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn is_html(essence: &str) -> bool {
    matches!(essence, "text/html" | "application/xhtml+xml")
}

fn is_text(essence: &str) -> bool {
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

    fn seen(content_type: &str, filename: Option<&str>, body: &'static [u8]) -> Reply {
        let answer = Answer {
            status: 200,
            content_type: Some(content_type.to_owned()),
            filename: filename.map(str::to_owned),
            body: bytes::Bytes::from_static(body),
            ..Answer::default()
        };
        dressed(answer, &Projection::default(), &Rules::default()).unwrap()
    }

    fn body(reply: &Reply) -> &str {
        std::str::from_utf8(&reply.answer.body).unwrap()
    }

    #[test]
    fn text_that_is_no_json_says_who_wrote_it() {
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
            let reply = seen(content_type, filename, given);
            assert_eq!((body(&reply), reply.untrusted.as_slice()), (expected, ["text".to_owned()].as_slice()));
            assert_eq!(reply.answer.content_type.as_deref(), Some("application/json"));
        }
    }

    #[test]
    fn what_is_no_text_stays() {
        for (content_type, given) in
            [("application/pdf", b"%PDF \xff".as_slice()), ("image/svg+xml", b"<svg/>"), ("", b"\xff")]
        {
            let reply = seen(content_type, None, given);
            assert_eq!((&reply.answer.body[..], reply.untrusted.len()), (given, 0), "{content_type}");
        }
    }

    #[test]
    fn the_parts_of_an_answer_are_cleaned_one_by_one() {
        let reply = seen(
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
    fn parts_that_do_not_come_apart_stay_one_file() {
        for (content_type, given) in [
            ("multipart/mixed", b"--b\r\n\r\nx\r\n--b--".as_slice()),
            ("multipart/mixed; boundary=b", b"--b\r\n\r\nbreaks off"),
            ("multipart/mixed; boundary=b", b"--b--"),
        ] {
            let reply = seen(content_type, None, given);
            assert_eq!((reply.parts.len(), &reply.answer.body[..]), (0, given), "{content_type}");
        }
    }

    #[test]
    fn a_page_among_the_parts_is_no_answer() {
        let body = bytes::Bytes::from_static(b"--b\r\nContent-Type: text/html\r\n\r\n<html>\r\n--b--");
        let content_type = Some("multipart/mixed; boundary=b".to_owned());
        let answer = Answer { status: 200, content_type, body, ..Answer::default() };
        let failure = dressed(answer, &Projection::default(), &Rules::default()).unwrap_err();
        assert!(matches!(failure, Failure::Call(CallError::WebPage(200))), "{failure}");
    }
}
