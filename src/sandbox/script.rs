//! JSON of `--sandbox=FILE` → answers that have precedence over those of the description.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{HeaderMap, StatusCode};
use serde_json::{Map, Value};
use toolwright_model::suggest_one;

use super::answer::SandboxReply;
use super::error::SandboxError;
use super::problem::RequestValues;
use super::text::header;

/// The name that matches every operation.
const EVERY: &str = "*";

/// A list of answers; a request gets the first one that matches it and is not used up.
#[derive(Debug)]
pub struct Script {
    entries: Vec<ScriptEntry>,
}

/// One answer of a script and the requests that it matches.
#[derive(Debug)]
struct ScriptEntry {
    operation: String,
    path: Map<String, Value>,
    query: Map<String, Value>,
    headers: Map<String, Value>,
    body: Option<Value>,
    answer: ScriptedAnswer,
    /// How many times it is still given; without a limit if absent.
    left: Option<AtomicU64>,
}

/// What a script answers.
#[derive(Debug)]
pub(super) struct ScriptedAnswer {
    pub(super) reply: SandboxReply,
    pub(super) delay: Option<Duration>,
    /// Drops the connection instead of answering.
    pub(super) close: bool,
}

impl Script {
    /// Parses a list of `{operation, when, answer {status, headers, body, delay_ms, close}, times}`.
    ///
    /// # Errors
    /// The text is no JSON, or an entry is not of this form; the error names the entry.
    pub fn parse(text: &str) -> Result<Self, SandboxError> {
        let script: Value = serde_json::from_str(text).map_err(|source| SandboxError::ScriptSyntax { source })?;
        let Value::Array(entries) = script else {
            return Err(SandboxError::ScriptForm { found: kind(&script) });
        };
        let entries = entries
            .iter()
            .enumerate()
            .map(|(index, entry)| parse(entry).map_err(|problem| SandboxError::ScriptEntry { index, problem }))
            .collect::<Result<_, _>>()?;
        Ok(Self { entries })
    }

    /// Checks that each entry is for an operation that exists.
    pub(super) fn check(&self, known: &[&str]) -> Result<(), SandboxError> {
        for (index, ScriptEntry { operation, .. }) in self.entries.iter().enumerate() {
            if operation != EVERY && !known.contains(&operation.as_str()) {
                let problem = format!("unknown operation `{operation}`{}", nearest(operation, known));
                return Err(SandboxError::ScriptEntry { index, problem });
            }
        }
        Ok(())
    }

    /// Returns the first answer that matches, and counts its use.
    pub(super) fn answer(
        &self,
        operation: &str,
        values: &RequestValues,
        headers: &HeaderMap,
    ) -> Option<&ScriptedAnswer> {
        self.entries
            .iter()
            .find(|entry| {
                (entry.operation == EVERY || entry.operation == operation)
                    && entry.matches(values, headers)
                    && entry.count_use()
            })
            .map(|entry| &entry.answer)
    }
}

impl ScriptEntry {
    fn matches(&self, values: &RequestValues, headers: &HeaderMap) -> bool {
        let within = |wanted: &Map<String, Value>, found: &Map<String, Value>| {
            wanted.iter().all(|(name, wanted)| found.get(name).is_some_and(|found| contains(found, wanted)))
        };
        within(&self.path, &values.path)
            && within(&self.query, &values.query)
            && self.headers.iter().all(|(name, wanted)| {
                header(headers, name).is_some_and(|found| contains(&Value::String(found.into_owned()), wanted))
            })
            && self.body.as_ref().is_none_or(|wanted| contains(&values.body, wanted))
    }

    fn count_use(&self) -> bool {
        self.left.as_ref().is_none_or(|left| {
            left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
        })
    }
}

/// Whether `found` contains `wanted`; scalars are compared as text too, because headers are text.
fn contains(found: &Value, wanted: &Value) -> bool {
    match (found, wanted) {
        (Value::Object(found), Value::Object(wanted)) => {
            wanted.iter().all(|(name, wanted)| found.get(name).is_some_and(|found| contains(found, wanted)))
        }
        (Value::Array(found), Value::Array(wanted)) => {
            found.len() == wanted.len() && found.iter().zip(wanted).all(|(found, wanted)| contains(found, wanted))
        }
        (Value::String(text), Value::Number(number)) | (Value::Number(number), Value::String(text)) => {
            *text == number.to_string()
        }
        (Value::String(text), Value::Bool(flag)) | (Value::Bool(flag), Value::String(text)) => {
            text == if *flag { "true" } else { "false" }
        }
        (found, wanted) => found == wanted,
    }
}

fn parse(entry: &Value) -> Result<ScriptEntry, String> {
    let entry = members(entry, "the entry", &["operation", "when", "answer", "times"])?;
    let operation = match entry.get("operation") {
        Some(Value::String(operation)) => operation.clone(),
        Some(other) => return Err(format!("`operation` must be a text, found {}", kind(other))),
        None => {
            return Err(format!("`operation` is missing; name one, or `{EVERY}` for all"));
        }
    };
    let empty = Map::new();
    let when = match entry.get("when") {
        Some(when) => members(when, "`when`", &["path", "query", "headers", "body"])?,
        None => &empty,
    };
    let part = |name: &str| match when.get(name) {
        None => Ok(Map::new()),
        Some(Value::Object(part)) => Ok(part.clone()),
        Some(other) => Err(format!("`when.{name}` must be an object, found {}", kind(other))),
    };
    let answer = entry.get("answer").ok_or("`answer` is missing; give it a `status` and a `body`")?;
    let left = match entry.get("times") {
        None => None,
        Some(times) => {
            let times = times.as_u64().filter(|times| *times > 0);
            Some(AtomicU64::new(times.ok_or("`times` must be a whole number above 0")?))
        }
    };
    Ok(ScriptEntry {
        operation,
        path: part("path")?,
        query: part("query")?,
        headers: part("headers")?,
        body: when.get("body").cloned(),
        answer: scripted(answer)?,
        left,
    })
}

fn scripted(answer: &Value) -> Result<ScriptedAnswer, String> {
    let answer = members(answer, "`answer`", &["status", "headers", "body", "delay_ms", "close"])?;
    let status = match answer.get("status") {
        None => StatusCode::OK,
        Some(status) => status
            .as_u64()
            .and_then(|status| u16::try_from(status).ok())
            .filter(|status| (200..=599).contains(status))
            .and_then(|status| StatusCode::from_u16(status).ok())
            .ok_or_else(|| format!("`answer.status` must be a number from 200 to 599, found `{status}`"))?,
    };
    let delay = match answer.get("delay_ms") {
        None => None,
        Some(delay) => {
            let delay = delay.as_u64().ok_or("`answer.delay_ms` must be a whole number of milliseconds")?;
            Some(Duration::from_millis(delay))
        }
    };
    let close = match answer.get("close") {
        None => false,
        Some(close) => close.as_bool().ok_or("`answer.close` must be `true` or `false`")?,
    };
    let mut headers = HeaderMap::new();
    let (body, content_type) = match answer.get("body") {
        None => (String::new(), None),
        Some(Value::String(text)) => (text.clone(), Some("text/plain")),
        Some(body) => (body.to_string(), Some("application/json")),
    };
    if let Some(content_type) = content_type {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    }
    let empty = Map::new();
    let headers_given = match answer.get("headers") {
        None => &empty,
        Some(Value::Object(object)) => object,
        Some(other) => {
            return Err(format!("`answer.headers` must be an object, found {}", kind(other)));
        }
    };
    for (name, value) in headers_given {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            other => {
                return Err(format!("`answer.headers.{name}` must be a text, found {}", kind(other)));
            }
        };
        let known = HeaderName::from_bytes(name.as_bytes()).ok().zip(HeaderValue::from_str(&text).ok());
        let (name, value) = known.ok_or_else(|| format!("`answer.headers.{name}` is no header that can be sent"))?;
        headers.insert(name, value);
    }
    Ok(ScriptedAnswer { reply: SandboxReply { status, headers, body: body.into() }, delay, close })
}

/// Returns the members of an object; an unknown key is an error.
fn members<'a>(value: &'a Value, what: &str, known: &[&str]) -> Result<&'a Map<String, Value>, String> {
    let Value::Object(members) = value else {
        return Err(format!("{what} must be an object, found {}", kind(value)));
    };
    match members.keys().find(|key| !known.contains(&key.as_str())) {
        None => Ok(members),
        Some(key) => {
            let list: Vec<String> = known.iter().map(|key| format!("`{key}`")).collect();
            Err(format!("unknown key `{key}` in {what}; known are {}", list.join(", ")))
        }
    }
}

/// Returns the end of a message that suggests a known name.
fn nearest(word: &str, known: &[&str]) -> String {
    match suggest_one(word, known.iter().copied()) {
        Some(name) => format!("; did you mean `{name}`?"),
        None => "; `catalog show NAME` names the operations of a tool".to_owned(),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_malformed_script_is_refused() {
        let cases = [
            ("[", "the sandbox script is not JSON: EOF while parsing a list at line 1 column 1"),
            ("{}", "the sandbox script must be a list of `{operation, when, answer, times}`, found an object"),
            ("[1]", "entry 0 of the sandbox script: the entry must be an object, found a number"),
            (
                r#"[{"operation": "a", "answer": {}}, {"operation": "a", "anwser": {}}]"#,
                "entry 1 of the sandbox script: unknown key `anwser` in the entry; known are `operation`, `when`, `answer`, `times`",
            ),
            (
                r#"[{"operation": "a", "when": {"cookie": {}}, "answer": {}}]"#,
                "entry 0 of the sandbox script: unknown key `cookie` in `when`; known are `path`, `query`, `headers`, `body`",
            ),
            (
                r#"[{"operation": "a"}]"#,
                "entry 0 of the sandbox script: `answer` is missing; give it a `status` and a `body`",
            ),
            (r#"[{"answer": {}}]"#, "entry 0 of the sandbox script: `operation` is missing; name one, or `*` for all"),
            (
                r#"[{"operation": "a", "answer": {"status": 99}}]"#,
                "entry 0 of the sandbox script: `answer.status` must be a number from 200 to 599, found `99`",
            ),
            (
                r#"[{"operation": "a", "answer": {}, "times": 0}]"#,
                "entry 0 of the sandbox script: `times` must be a whole number above 0",
            ),
            (
                r#"[{"operation": "a", "answer": {"headers": {"a b": "c"}}}]"#,
                "entry 0 of the sandbox script: `answer.headers.a b` is no header that can be sent",
            ),
        ];
        for (text, expected) in cases {
            let error = Script::parse(text).expect_err("not understood");
            assert_eq!(error.to_string(), expected);
        }
    }

    #[test]
    fn an_unknown_operation_is_refused() {
        let script = Script::parse(r#"[{"operation": "*", "answer": {}}, {"operation": "listTicket", "answer": {}}]"#)
            .expect("a script");
        assert!(script.check(&["listTickets", "listTicket"]).is_ok());
        let error = script.check(&["listTickets", "deleteUser"]).expect_err("unknown");
        let expected = "entry 1 of the sandbox script: unknown operation `listTicket`; did you mean `listTickets`?";
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn a_value_contains_its_part() {
        let cases = [
            (json!({"a": 1, "b": 2}), json!({"a": 1}), true),
            (json!({"a": 1}), json!({"a": 1, "b": 2}), false),
            (json!(12), json!("12"), true),
            (json!("true"), json!(true), true),
            (json!([{"a": 1, "b": 2}]), json!([{"a": "1"}]), true),
            (json!([1, 2]), json!([1]), false),
            (json!(null), json!("null"), false),
        ];
        for (found, wanted, expected) in cases {
            assert_eq!(contains(&found, &wanted), expected, "{found} {wanted}");
        }
    }
}
