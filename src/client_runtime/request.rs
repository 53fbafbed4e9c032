//! The description of a request that progenitor can't emit, and its arguments → an answer.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
use toolwright_model::file_limits::{LARGEST_FILE, LARGEST_FILES, MEGABYTE};

use super::inputs::{check_segment, encode_path, join, refuse_null, required, text};
use super::{Answer, CallError, Inputs, QueryStyle, Upstream};
use crate::upstream::{read_answer, read_redirect, read_rejection, transport_error};

/// A request that progenitor can't emit: what goes where.
#[derive(Debug)]
pub struct Request {
    /// Upper-case HTTP method.
    pub method: &'static str,
    /// The path with `{parameters}`.
    pub path: &'static str,
    /// The query parameters and how their lists are written.
    pub query: &'static [(&'static str, QueryStyle)],
    /// The header parameters.
    pub headers: &'static [&'static str],
    /// The body.
    pub body: Body,
}

/// The body of such a request.
#[derive(Debug)]
pub enum Body {
    /// Nothing.
    None,
    /// JSON of this content type.
    Json(&'static str),
    /// A form.
    Form {
        /// The properties that are lists or objects, and how they are written.
        fields: &'static [(&'static str, QueryStyle)],
    },
    /// A form with files.
    Multipart {
        /// The properties that are files.
        files: &'static [&'static str],
        /// The properties that are lists, each sent as one part of JSON.
        json: &'static [&'static str],
    },
    /// Text of this content type.
    Raw(&'static str),
    /// A file of this content type, or of the file's own where this one is a range (`image/*`).
    File(&'static str),
}

/// Sends a request that progenitor can't emit.
///
/// # Errors
/// By stage: not sent, rejected, or unknown.
pub async fn send(upstream: &Upstream, request: &Request, inputs: Inputs) -> Result<Answer, CallError> {
    read(exchange(upstream, request, inputs).await?).await
}

/// Like [`send`], for an operation whose success is a redirect.
///
/// # Errors
/// By stage: not sent, rejected, or unknown.
pub async fn send_or_redirect(upstream: &Upstream, request: &Request, inputs: Inputs) -> Result<Answer, CallError> {
    let response = exchange(upstream, request, inputs).await?;
    if response.status().is_redirection() { Ok(read_redirect(&response)) } else { read(response).await }
}

async fn read(response: reqwest::Response) -> Result<Answer, CallError> {
    if response.status().is_success() {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        read_answer(status, &headers, response.bytes_stream()).await
    } else {
        Err(read_rejection(response).await)
    }
}

/// Builds the request and sends it.
async fn exchange(upstream: &Upstream, request: &Request, mut inputs: Inputs) -> Result<reqwest::Response, CallError> {
    let url = format!("{}{}", upstream.base(), fill_path(request.path, &mut inputs)?);
    let method = reqwest::Method::from_bytes(request.method.as_bytes())
        .map_err(|_| CallError::NotSent(format!("`{}` is not an HTTP method", request.method)))?;
    let mut builder = upstream.http().request(method, url).query(&query_pairs(request.query, &mut inputs)?);
    for name in request.headers {
        if let Some(value) = inputs.headers.shift_remove(*name) {
            builder = builder.header(*name, simple(name, &value, text)?);
        }
    }
    builder = match &request.body {
        Body::None => builder,
        Body::Json(content_type) => match inputs.body.take() {
            // Set before `json`, which would set its own; set after it, there would be two.
            Some(body) => builder.header(reqwest::header::CONTENT_TYPE, *content_type).json(&body),
            None => builder,
        },
        Body::Form { fields } => builder.form(&form_pairs(inputs.body.take(), fields)?),
        Body::Multipart { files, json } => builder.multipart(multipart(inputs.body.take(), files, json)?),
        Body::Raw(content_type) => match inputs.body.take() {
            Some(body) => builder.body(text(&body)).header(reqwest::header::CONTENT_TYPE, *content_type),
            None => builder,
        },
        Body::File(content_type) => match inputs.body.take() {
            Some(file) => {
                let file = FileArgument::read("body", &file, &mut FilesBudget::default())?;
                let own = if content_type.contains('*') { file.content_type } else { *content_type };
                builder.header(reqwest::header::CONTENT_TYPE, own).body(file.bytes)
            }
            None => builder,
        },
    };
    inputs.finish()?;
    let mut built = builder.build().map_err(|error| transport_error(&error))?;
    upstream.prepare(&mut built)?;
    upstream.execute(built).await.map_err(|error| transport_error(&error))
}

/// A value of `style: simple`: a list is joined with commas, which no value may contain. Each is
/// written by `write`.
fn simple(name: &str, value: &Value, write: impl Fn(&Value) -> String) -> Result<String, CallError> {
    let Value::Array(items) = value else { return Ok(write(value)) };
    let written: Vec<String> = items.iter().map(write).collect();
    match written.iter().find(|item| item.contains(',')) {
        Some(item) => {
            Err(CallError::NotSent(format!("`{name}`: `{item}` contains `,`, which separates the values of the list")))
        }
        None => Ok(written.join(",")),
    }
}

fn fill_path(template: &str, inputs: &mut Inputs) -> Result<String, CallError> {
    let mut path = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').unwrap_or((after, ""));
        let value = required(name, inputs.path.shift_remove(name))?;
        check_segment(name, &simple(name, &value, text)?)?;
        path.push_str(before);
        path.push_str(&simple(name, &value, |item| encode_path(&text(item)))?);
        rest = after;
    }
    path.push_str(rest);
    Ok(path)
}

fn query_pairs(styles: &[(&str, QueryStyle)], inputs: &mut Inputs) -> Result<Vec<(String, String)>, CallError> {
    let mut pairs = Vec::new();
    for (name, style) in styles {
        let Some(value) = inputs.query.shift_remove(*name) else { continue };
        match (style, value) {
            // `form` with `explode`: the entries are parameters of their own.
            (QueryStyle::Repeated, Value::Object(entries)) => {
                pairs.extend(entries.iter().map(|(key, entry)| (key.clone(), text(entry))));
            }
            (style, value) => pairs.extend(styled(name, *style, value)?),
        }
    }
    Ok(pairs)
}

/// Writes a value in the style of its description.
fn styled(name: &str, style: QueryStyle, value: Value) -> Result<Vec<(String, String)>, CallError> {
    if style != QueryStyle::Json {
        refuse_null(name, &value)?;
    }
    Ok(match (style, value) {
        (QueryStyle::Json, value) => vec![(name.to_owned(), value.to_string())],
        (QueryStyle::DeepObject, Value::Object(entries)) => deep(name, &entries),
        (QueryStyle::Joined(separator), Value::Object(entries)) => {
            let flat = entries.into_iter().flat_map(|(key, entry)| [Value::String(key), entry]).collect();
            vec![(name.to_owned(), join(name, &Value::Array(flat), separator)?)]
        }
        (QueryStyle::Joined(separator), value) => vec![(name.to_owned(), join(name, &value, separator)?)],
        (_, value) => form_field(name, value),
    })
}

/// `name[key]=value`, also for nested objects; a list repeats its name.
fn deep(name: &str, entries: &Map<String, Value>) -> Vec<(String, String)> {
    let pairs = entries.iter().map(|(key, entry)| {
        let name = format!("{name}[{key}]");
        match entry {
            Value::Object(inner) => deep(&name, inner),
            entry => form_field(&name, entry.clone()),
        }
    });
    pairs.flatten().collect()
}

/// A list repeats its name; an object is sent as JSON text.
fn form_field(name: &str, value: Value) -> Vec<(String, String)> {
    match value {
        Value::Array(items) => items.iter().map(|item| (name.to_owned(), text(item))).collect(),
        other => vec![(name.to_owned(), text(&other))],
    }
}

fn form_pairs(body: Option<Value>, styles: &[(&str, QueryStyle)]) -> Result<Vec<(String, String)>, CallError> {
    let mut pairs = Vec::new();
    if let Some(Value::Object(fields)) = body {
        for (name, value) in fields {
            let style =
                styles.iter().find(|(known, _)| *known == name).map_or(QueryStyle::Repeated, |(_, style)| *style);
            pairs.extend(styled(&name, style, value)?);
        }
    }
    Ok(pairs)
}

/// Builds a form as OpenAPI 3.0 (Encoding Object) describes it: a list is a part for each of its
/// values, an object is JSON.
fn multipart(body: Option<Value>, files: &[&str], json: &[&str]) -> Result<reqwest::multipart::Form, CallError> {
    let Some(Value::Object(fields)) = body else {
        return Err(CallError::NotSent("the form has no fields".to_owned()));
    };
    let mut form = reqwest::multipart::Form::new();
    let mut budget = FilesBudget::default();
    for (name, value) in fields {
        refuse_null(&name, &value)?;
        let values = match value {
            Value::Array(items) if !json.contains(&name.as_str()) => items,
            other => vec![other],
        };
        for value in values {
            form = if files.contains(&name.as_str()) {
                form.part(name.clone(), file_part(&name, &value, &mut budget)?)
            } else if value.is_object() || value.is_array() {
                form.part(name.clone(), json_part(&value)?)
            } else {
                form.text(name.clone(), text(&value))
            };
        }
    }
    Ok(form)
}

fn json_part(value: &Value) -> Result<reqwest::multipart::Part, CallError> {
    let part = reqwest::multipart::Part::text(value.to_string()).mime_str("application/json");
    part.map_err(|error| CallError::NotSent(error.to_string()))
}

/// How many bytes the files of a call may still have.
struct FilesBudget(u64);

impl Default for FilesBudget {
    fn default() -> Self {
        Self(LARGEST_FILES)
    }
}

impl FilesBudget {
    /// Takes a file of this size into account.
    ///
    /// # Errors
    /// It is too large, or all files are together.
    fn take(&mut self, bytes: u64) -> Result<(), String> {
        if bytes > LARGEST_FILE {
            return Err(format!("larger than {} MB", LARGEST_FILE / MEGABYTE));
        }
        let too_much = || format!("the files are larger than {} MB together", LARGEST_FILES / MEGABYTE);
        self.0 = self.0.checked_sub(bytes).ok_or_else(too_much)?;
        Ok(())
    }
}

/// A file that came as an argument.
struct FileArgument<'a> {
    bytes: Vec<u8>,
    name: &'a str,
    content_type: &'a str,
}

impl<'a> FileArgument<'a> {
    fn read(argument: &str, file: &'a Value, budget: &mut FilesBudget) -> Result<Self, CallError> {
        let entry = |key: &str| file.get(key).and_then(Value::as_str);
        let wrong = |what: &str| CallError::NotSent(format!("file argument `{argument}`: {what}"));
        let content = entry("content_base64").ok_or_else(|| wrong("`content_base64` is missing"))?;
        budget.take(decoded_length(content)).map_err(|reason| wrong(&reason))?;
        let bytes = decoded(content).map_err(|_| wrong("`content_base64` is not base64"))?;
        // Without folders: the vendor's server might interpret them.
        let name = entry("filename").unwrap_or_default().rsplit(['/', '\\']).next().unwrap_or_default();
        if name.is_empty() || name.chars().any(char::is_control) {
            return Err(wrong("`filename` is not a file name"));
        }
        let content_type = entry("content_type").unwrap_or("application/octet-stream");
        if reqwest::header::HeaderValue::from_str(content_type).is_err() {
            return Err(wrong(&format!("`{content_type}` is not a content type")));
        }
        Ok(Self { bytes, name, content_type })
    }
}

/// The size of what a text in base64 stands for, without decoding it.
fn decoded_length(base64: &str) -> u64 {
    let digits = base64.bytes().filter(|byte| !byte.is_ascii_whitespace() && *byte != b'=').count() as u64;
    digits * 3 / 4
}

fn decoded(base64: &str) -> Result<Vec<u8>, base64::DecodeError> {
    if base64.bytes().any(|byte| byte.is_ascii_whitespace()) {
        STANDARD.decode(base64.split_ascii_whitespace().collect::<String>())
    } else {
        STANDARD.decode(base64)
    }
}

fn file_part(argument: &str, file: &Value, budget: &mut FilesBudget) -> Result<reqwest::multipart::Part, CallError> {
    let file = FileArgument::read(argument, file, budget)?;
    let part = reqwest::multipart::Part::bytes(file.bytes).file_name(file.name.to_owned());
    part.mime_str(file.content_type).map_err(|_| {
        CallError::NotSent(format!("file argument `{argument}`: `{}` is not a content type", file.content_type))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn files_are_bounded_one_by_one_and_together() {
        let file = |size: u64| {
            let bytes = vec![0_u8; usize::try_from(size).unwrap()];
            json!({"filename": "a.bin", "content_base64": STANDARD.encode(bytes)})
        };
        let sent = |sizes: &[u64]| {
            let mut budget = FilesBudget::default();
            let files: Vec<Value> = sizes.iter().map(|size| file(*size)).collect();
            files.iter().try_for_each(|one| FileArgument::read("f", one, &mut budget).map(drop))
        };
        // The largest file passes to the byte, however its base64 ends.
        for size in [LARGEST_FILE - 2, LARGEST_FILE - 1, LARGEST_FILE] {
            assert!(sent(&[size]).is_ok(), "{size}");
        }
        assert!(sent(&[LARGEST_FILE, LARGEST_FILES - LARGEST_FILE]).is_ok());
        for (sizes, expected) in [
            (&[LARGEST_FILE + 1][..], "larger than 10 MB"),
            (&[LARGEST_FILE, LARGEST_FILE, 1], "the files are larger than 20 MB together"),
        ] {
            let error = sent(sizes).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn the_length_of_base64_is_that_of_its_bytes() {
        for length in 0..70 {
            let mut text = STANDARD.encode(vec![7; length]);
            assert_eq!(decoded_length(&text), length as u64);
            text.insert_str(text.len() / 2, "\r\n ");
            assert_eq!((decoded_length(&text), decoded(&text).unwrap().len()), (length as u64, length));
        }
    }
}
