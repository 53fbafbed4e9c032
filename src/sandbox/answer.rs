//! An operation's answer in the table → the bytes that are sent: its example, else an instance of its schema.

use std::sync::OnceLock;

use hyper::body::Bytes;
use hyper::header::HeaderValue;
use hyper::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use toolwright_model::media_type::is_json;

/// Below this level an object holds only its required properties.
const FULL_DEPTH: usize = 4;

/// Below this level objects and arrays are empty.
const MAX_DEPTH: usize = 10;

/// A PNG of one black pixel, for answers that are files.
const PNG: [u8; 67] = [
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52, 0x00, 0x00, 0x00,
    0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x00, 0x00, 0x00, 0x00, 0x3a, 0x7e, 0x9b, 0x55, 0x00, 0x00, 0x00, 0x0a, 0x49,
    0x44, 0x41, 0x54, 0x78, 0xda, 0x63, 0x60, 0x00, 0x00, 0x00, 0x02, 0x00, 0x01, 0xe5, 0x27, 0xde, 0xfc, 0x00, 0x00,
    0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82,
];

/// The answer of an operation; the reply is made at the first request.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DescribedAnswer {
    status: u16,
    content_type: Option<String>,
    example: Option<Value>,
    schema: Option<Value>,
    #[serde(skip)]
    made: OnceLock<SandboxReply>,
}

impl Default for DescribedAnswer {
    fn default() -> Self {
        Self { status: 200, content_type: None, example: None, schema: None, made: OnceLock::new() }
    }
}

/// An answer, ready to be sent.
#[derive(Clone, Debug)]
pub(super) struct SandboxReply {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl DescribedAnswer {
    pub(super) fn reply(&self) -> &SandboxReply {
        self.made.get_or_init(|| self.make())
    }

    fn make(&self) -> SandboxReply {
        let mut reply = SandboxReply {
            status: StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK),
            headers: HeaderMap::new(),
            body: Bytes::new(),
        };
        let Some(content_type) = &self.content_type else {
            return reply;
        };
        let is_file = self.schema.as_ref().is_some_and(|schema| schema.get("format") == Some(&json!("binary")));
        if is_file || is_binary(content_type) {
            reply.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("image/png"));
            let disposition = HeaderValue::from_static("attachment; filename=\"sample.png\"");
            reply.headers.insert(header::CONTENT_DISPOSITION, disposition);
            reply.body = Bytes::from_static(&PNG);
            return reply;
        }
        if let Ok(content_type) = HeaderValue::from_str(content_type) {
            reply.headers.insert(header::CONTENT_TYPE, content_type);
        }
        let made = || self.schema.as_ref().map_or_else(|| json!({}), instance);
        let value = self.example.clone().unwrap_or_else(made);
        reply.body = match value {
            Value::String(text) if !is_json(content_type) => text.into(),
            value => value.to_string().into(),
        };
        reply
    }
}

/// Whether a media type is neither text nor a format written as text.
fn is_binary(media_type: &str) -> bool {
    let media_type = media_type.to_ascii_lowercase();
    ["image/", "audio/", "video/", "application/octet-stream", "application/pdf", "application/zip"]
        .iter()
        .any(|binary| media_type.starts_with(binary) && !media_type.starts_with("image/svg"))
}

/// Makes a value that fits the schema as far as it does without a search; always the same for the same schema.
pub(super) fn instance(schema: &Value) -> Value {
    make(schema, 0)
}

fn make(schema: &Value, depth: usize) -> Value {
    let list = |key: &str| schema.get(key).and_then(Value::as_array).filter(|values| !values.is_empty());
    if let Some(value) = list("examples").and_then(|examples| examples.first()).or_else(|| schema.get("const")) {
        return value.clone();
    }
    if let Some(values) = list("enum") {
        return values.iter().find(|value| !value.is_null()).cloned().unwrap_or_default();
    }
    let mut made = match kind(schema) {
        Some("object") => object(schema, depth),
        Some("array") => array(schema, depth),
        Some("string") => json!(string(schema)),
        Some("integer") => json!(number(schema)),
        Some("number") if number(schema).is_some() => json!(number(schema)),
        Some("number") => json!(bounds(schema).0.unwrap_or(0.5)),
        Some("boolean") => json!(true),
        _ => Value::Null,
    };
    for part in list("allOf").into_iter().flatten() {
        merge(&mut made, make(part, depth));
    }
    for key in ["anyOf", "oneOf"] {
        let branch = list(key).and_then(|branches| branches.iter().find(|branch| kind(branch) != Some("null")));
        if let Some(branch) = branch {
            merge(&mut made, make(branch, depth));
        }
    }
    if made.is_null() && kind(schema).is_none() && !super::schema::is_composed(schema) {
        return json!({});
    }
    made
}

/// Returns the type that an instance gets.
fn kind(schema: &Value) -> Option<&str> {
    match schema.get("type") {
        Some(Value::String(name)) => Some(name),
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).find(|name| *name != "null"),
        _ if schema.get("properties").is_some() => Some("object"),
        _ if schema.get("items").is_some() => Some("array"),
        _ => None,
    }
}

/// Merges another part: properties are added, a value of another type is replaced.
fn merge(made: &mut Value, part: Value) {
    match (made, part) {
        (Value::Object(made), Value::Object(part)) => made.extend(part),
        (_, Value::Null) => {}
        (made, part) => *made = part,
    }
}

fn object(schema: &Value, depth: usize) -> Value {
    let mut object = Map::new();
    if depth >= MAX_DEPTH {
        return Value::Object(object);
    }
    let required: Vec<&str> =
        schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        if depth < FULL_DEPTH || required.contains(&name.as_str()) {
            object.insert(name.clone(), make(property, depth + 1));
        }
    }
    for name in required {
        if !object.contains_key(name) {
            let rest = schema.get("additionalProperties").filter(|rest| rest.is_object());
            object.insert(name.to_owned(), rest.map_or_else(|| json!({}), |rest| make(rest, depth + 1)));
        }
    }
    Value::Object(object)
}

fn array(schema: &Value, depth: usize) -> Value {
    let at_least = schema.get("minItems").and_then(Value::as_u64).unwrap_or(0);
    let at_most = schema.get("maxItems").and_then(Value::as_u64).unwrap_or(u64::MAX);
    if at_most == 0 || (depth >= FULL_DEPTH && at_least == 0) || depth >= MAX_DEPTH {
        return json!([]);
    }
    let item = schema.get("items").map_or_else(|| json!({}), |items| make(items, depth + 1));
    // Bounded: a description may require any number of items.
    let count = usize::try_from(at_least.clamp(1, 10)).unwrap_or(1);
    Value::Array(vec![item; count])
}

fn string(schema: &Value) -> String {
    let length = |key: &str| schema.get(key).and_then(Value::as_u64).and_then(|length| usize::try_from(length).ok());
    let plain = match schema.get("format").and_then(Value::as_str).unwrap_or_default() {
        "date" => "2026-01-15",
        "date-time" => "2026-01-15T09:30:00Z",
        "time" => "09:30:00Z",
        "uuid" => "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
        "email" => "someone@example.com",
        "uri" | "url" => "https://example.com/",
        "hostname" => "host.example.com",
        "ipv4" => "192.0.2.1",
        "ipv6" => "2001:db8::1",
        "byte" => "c2FtcGxl",
        _ => "sample",
    };
    let mut text = plain.to_owned();
    if let Some(most) = length("maxLength") {
        text.truncate(most);
    }
    // Bounded as arrays are.
    let least = length("minLength").unwrap_or(0).min(1_000);
    while text.len() < least {
        text.push('x');
    }
    text
}

/// Returns the smallest plausible whole number; `None` if the bounds leave none.
fn number(schema: &Value) -> Option<i64> {
    let whole = |key: &str| schema.get(key).and_then(Value::as_f64);
    let (least, most) = bounds(schema);
    let step = whole("multipleOf").filter(|step| *step >= 1.0).unwrap_or(1.0);
    let above = whole("exclusiveMinimum").map(|bound| bound.floor() + 1.0);
    let below = whole("exclusiveMaximum").map(|bound| bound.ceil() - 1.0);
    let least = least.map(f64::ceil).into_iter().chain(above).reduce(f64::max);
    let most = most.map(f64::floor).into_iter().chain(below).reduce(f64::min);
    let wanted = match (least, most) {
        (Some(least), _) => least.max(1.0_f64.min(most.unwrap_or(1.0))),
        (None, Some(most)) => most.min(1.0),
        (None, None) => 1.0,
    };
    let stepped = (wanted / step).ceil() * step;
    let fits = least.is_none_or(|least| stepped >= least) && most.is_none_or(|most| stepped <= most);
    #[expect(clippy::cast_possible_truncation, reason = "a float beyond the range becomes the nearest number in it")]
    fits.then_some(stepped as i64)
}

fn bounds(schema: &Value) -> (Option<f64>, Option<f64>) {
    (schema.get("minimum").and_then(Value::as_f64), schema.get("maximum").and_then(Value::as_f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instances_are_plausible() {
        let cases = [
            (json!({"type": "integer"}), json!(1)),
            (json!({"type": "integer", "minimum": 10, "multipleOf": 4}), json!(12)),
            (json!({"type": "integer", "exclusiveMinimum": 5}), json!(6)),
            (json!({"type": "integer", "maximum": -3}), json!(-3)),
            (json!({"type": "number", "minimum": 0.2, "maximum": 0.8}), json!(0.2)),
            (json!({"type": "string", "minLength": 8}), json!("samplexx")),
            (json!({"type": "string", "maxLength": 2}), json!("sa")),
            (json!({"type": "string", "format": "date"}), json!("2026-01-15")),
            (json!({"type": ["string", "null"], "enum": [null, "a"]}), json!("a")),
            (json!({"type": "array", "items": {"type": "boolean"}}), json!([true])),
            (
                json!({"allOf": [{"properties": {"a": {"type": "integer"}}}, {"properties": {"b": {}}}]}),
                json!({"a": 1, "b": {}}),
            ),
            (json!({"oneOf": [{"type": "null"}, {"type": "string"}]}), json!("sample")),
            (
                json!({"type": "object", "required": ["x"], "properties": {"y": {"examples": [7]}}}),
                json!({"y": 7, "x": {}}),
            ),
            (json!({}), json!({})),
        ];
        for (schema, expected) in cases {
            assert_eq!(instance(&schema), expected, "{schema}");
        }
    }

    #[test]
    fn replies_carry_the_example_in_its_type() {
        let cases = [
            (json!({"status": 204}), 204, None, ""),
            (
                json!({"status": 200, "content_type": "application/json", "example": "a"}),
                200,
                Some("application/json"),
                "\"a\"",
            ),
            (json!({"status": 200, "content_type": "text/plain", "example": "a"}), 200, Some("text/plain"), "a"),
            (
                json!({"status": 201, "content_type": "application/json", "schema": {"type": "integer"}}),
                201,
                Some("application/json"),
                "1",
            ),
        ];
        for (answer, status, content_type, body) in cases {
            let answer: DescribedAnswer = serde_json::from_value(answer).expect("an answer");
            let reply = answer.reply();
            assert_eq!(reply.status, status);
            assert_eq!(reply.headers.get("content-type").map(|value| value.to_str().expect("text")), content_type);
            assert_eq!(reply.body, body);
        }
        let file = json!({"status": 200, "content_type": "application/octet-stream", "schema": {"type": "string"}});
        let file: DescribedAnswer = serde_json::from_value(file).expect("an answer");
        assert_eq!(file.reply().headers["content-type"], "image/png");
        assert!(file.reply().body.starts_with(b"\x89PNG"));
    }
}
