//! Bytes of a request body → the value that its operation describes: JSON, a form, multipart, or the bytes as text.

use std::convert::Infallible;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use serde_json::{Map, Value, json};

use super::problem::{CheckedRequest, RequestProblem};
use super::schema::ValueShape;
use super::table::{TableBody, TableMedia};
use super::text;
use toolwright_model::media_type::{essence, is_json};

/// The placeholder for a file's bytes where a schema expects a string.
const FILE: &str = "(file)";

/// The body of a request, as far as it can be read without its operation.
pub(super) struct ReceivedBody<'a> {
    pub(super) media_type: Option<&'a str>,
    pub(super) bytes: &'a Bytes,
    /// The parts of a multipart body, or why it has none.
    pub(super) parts: Option<Result<Vec<ReceivedPart>, String>>,
}

/// One part of a multipart body.
pub(super) struct ReceivedPart {
    name: String,
    is_file: bool,
    bytes: Bytes,
}

/// Splits a multipart body into its parts; `None` for any other media type.
pub(super) async fn parts(media_type: Option<&str>, bytes: &Bytes) -> Option<Result<Vec<ReceivedPart>, String>> {
    let media_type = media_type.filter(|media_type| essence(media_type) == "multipart/form-data")?;
    Some(split(media_type, bytes).await.map_err(|error| format!("is not multipart: {error}")))
}

async fn split(media_type: &str, bytes: &Bytes) -> Result<Vec<ReceivedPart>, multer::Error> {
    let boundary = multer::parse_boundary(media_type)?;
    let stream = Full::<Bytes>::new(bytes.clone()).map_err(|never: Infallible| never).into_data_stream();
    let mut multipart = multer::Multipart::new(stream, boundary);
    let mut parts = Vec::new();
    while let Some(field) = multipart.next_field().await? {
        let name = field.name().unwrap_or_default().to_owned();
        let is_file = field.file_name().is_some_and(|name| !name.is_empty());
        parts.push(ReceivedPart { name, is_file, bytes: field.bytes().await? });
    }
    Ok(parts)
}

/// Reads the body as the operation describes it, adds what does not fit to `checked`, and returns the value.
pub(super) fn check(body: Option<&TableBody>, received: &ReceivedBody<'_>, checked: &mut CheckedRequest) -> Value {
    let Some(body) = body else {
        if !received.bytes.is_empty() {
            checked
                .problems
                .push(RequestProblem::new("body", "is not expected by the operation").found(&raw(received.bytes)));
        }
        return Value::Null;
    };
    let is_empty_form = received.media_type.is_some_and(|sent| essence(sent) == "application/x-www-form-urlencoded");
    if received.bytes.is_empty() && !(is_empty_form && body.required) {
        if body.required {
            checked.problems.push(RequestProblem::new("body", "is required"));
        }
        return Value::Null;
    }
    let declared: Vec<String> = body.content.keys().map(|name| format!("`{name}`")).collect();
    let Some(sent) = received.media_type else {
        let problem = format!("is required with a body; expected {}", declared.join(" or "));
        checked.problems.push(RequestProblem::new("headers.content-type", problem));
        return raw(received.bytes);
    };
    let Some(media) = media(body, sent) else {
        let problem = format!("is not what the operation takes; expected {}", declared.join(" or "));
        checked.problems.push(RequestProblem::new("headers.content-type", problem).found(&json!(sent)));
        return raw(received.bytes);
    };
    if let Some(parts) = &received.parts {
        match parts {
            Ok(parts) => multipart(media, parts, checked),
            Err(problem) => {
                checked.unreadable(RequestProblem::new("body", problem));
                Value::Null
            }
        }
    } else if is_json(sent) {
        match serde_json::from_slice(received.bytes) {
            Ok(value) => {
                media.schema.check("body", &value, &mut checked.problems);
                value
            }
            Err(error) => {
                checked.unreadable(
                    RequestProblem::new("body", format!("is not JSON: {error}")).found(&raw(received.bytes)),
                );
                Value::Null
            }
        }
    } else if essence(sent) == "application/x-www-form-urlencoded" {
        form(media, received.bytes, checked)
    } else {
        raw(received.bytes)
    }
}

/// Finds the declared representation: the type itself, else a range that holds it.
fn media<'a>(body: &'a TableBody, sent: &str) -> Option<&'a TableMedia> {
    let sent = essence(sent);
    let range = sent.split_once('/').map(|(group, _)| format!("{group}/*"));
    [Some(&*sent), range.as_deref(), Some("*/*")].into_iter().flatten().find_map(|wanted| {
        body.content.iter().find(|(declared, _)| essence(declared) == wanted).map(|(_, media)| media)
    })
}

/// Returns bytes as text where they are UTF-8, else the placeholder of a file.
fn raw(bytes: &Bytes) -> Value {
    std::str::from_utf8(bytes).map_or_else(|_| json!(FILE), |text| json!(text))
}

fn form(media: &TableMedia, bytes: &Bytes, checked: &mut CheckedRequest) -> Value {
    let shape = media.schema.shape();
    let Ok(encoded) = std::str::from_utf8(bytes) else {
        checked.unreadable(RequestProblem::new("body", "is not UTF-8"));
        return Value::Null;
    };
    let (mut pairs, broken) = text::pairs(encoded);
    for piece in broken {
        checked.unreadable(RequestProblem::new("body", format!("`{piece}` is not UTF-8 after percent-decoding")));
    }
    let mut object = Map::new();
    for name in shape.property_names() {
        let property = shape.property(name);
        // OpenAPI 3.0.4 (Encoding Object): an object in a form is JSON unless a style is stated.
        let as_json = media.is_json(name) || (property.is_object() && !media.has_style(name));
        let value = if as_json && !property.is_binary() {
            json_fields(&mut pairs, name, property)
        } else {
            text::take(&mut pairs, name, media.serialisation(name), property)
        };
        match value {
            Ok(Some(value)) => drop(object.insert(name.to_owned(), value)),
            Ok(None) => {}
            Err(problem) => {
                // Reported here; the incomplete object would fail its schema a second time.
                checked.problems.push(RequestProblem::new(&format!("body.{name}"), problem));
                return Value::Object(object);
            }
        }
    }
    text::take_rest(&mut pairs, shape, &mut object);
    let value = Value::Object(object);
    media.schema.check("body", &value, &mut checked.problems);
    value
}

/// Reads a field that holds JSON; several fields are the elements of an array.
fn json_fields(pairs: &mut [text::EncodedPair<'_>], name: &str, shape: &ValueShape) -> Result<Option<Value>, String> {
    let mut values = Vec::new();
    for pair in pairs.iter_mut().filter(|pair| pair.key == name) {
        pair.used = true;
        values.push(serde_json::from_str(&pair.text).map_err(|error| format!("is not JSON: {error}"))?);
    }
    one_or_all(values, shape)
}

/// Returns repeated values as an array; a single value that is the array already stays.
fn one_or_all(mut values: Vec<Value>, shape: &ValueShape) -> Result<Option<Value>, String> {
    match values.len() {
        0 => Ok(None),
        1 if !shape.is_array() || values[0].is_array() => Ok(values.pop()),
        _ if shape.is_array() || shape.is_any() => Ok(Some(Value::Array(values))),
        times => Err(format!("is repeated {times} times, but takes one value")),
    }
}

fn multipart(media: &TableMedia, parts: &[ReceivedPart], checked: &mut CheckedRequest) -> Value {
    let shape = media.schema.shape();
    let mut groups: Vec<(&str, Vec<Value>)> = Vec::new();
    let problems = checked.problems.len();
    for part in parts {
        let property = shape.property(&part.name);
        let element = if property.is_array() { property.items() } else { property };
        let value = match part_value(part, element, media.is_json(&part.name)) {
            Ok(value) => value,
            // A description that is no object with these parts leaves the parts unchecked.
            Err(_) if !shape.is_object() => json!(FILE),
            Err(problem) => {
                checked.problems.push(RequestProblem::new(&format!("body.{}", part.name), problem));
                continue;
            }
        };
        match groups.iter_mut().find(|(name, _)| *name == part.name) {
            Some((_, values)) => values.push(value),
            None => groups.push((&part.name, vec![value])),
        }
    }
    let mut object = Map::new();
    for (name, values) in groups {
        match one_or_all(values, shape.property(name)) {
            Ok(Some(value)) => drop(object.insert(name.to_owned(), value)),
            Ok(None) => {}
            Err(problem) => checked.problems.push(RequestProblem::new(&format!("body.{name}"), problem)),
        }
    }
    let value = Value::Object(object);
    if shape.is_object() && checked.problems.len() == problems {
        media.schema.check("body", &value, &mut checked.problems);
    }
    value
}

fn part_value(part: &ReceivedPart, shape: &ValueShape, as_json: bool) -> Result<Value, String> {
    if shape.is_binary() && !shape.is_object() {
        return if part.is_file {
            Ok(json!(FILE))
        } else {
            Err("is a file and must be sent with a file name".to_owned())
        };
    }
    if part.is_file {
        // A part that the description does not declare is left to the schema.
        return if shape.is_any() { Ok(json!(FILE)) } else { Err("is sent as a file, but is a value".to_owned()) };
    }
    let text = std::str::from_utf8(&part.bytes).map_err(|_| "is not UTF-8".to_owned())?;
    // OpenAPI 3.0 (Encoding Object): an object in a part is JSON unless another type is stated.
    if as_json || shape.is_object() {
        return serde_json::from_str(text).map_err(|error| format!("is not JSON: {error}"));
    }
    Ok(shape.scalar(text))
}
