//! What an operation sends, and a call's arguments → the vendor's answer.

use reqwest::header::{CONTENT_TYPE, COOKIE, HeaderValue};
use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Map, Value};
use toolwright_model::{BodyKind, Location, Operation, Parameter, QueryStyle, RequestBody};

use super::files::{FileArgument, FilesBudget, multipart};
use super::inputs::{check_segment, missing, text};
use super::styles::{cookies, form_pairs, query_pairs, simple};
use super::{Answer, CallError, Inputs, Upstream};
use crate::formats::encode_path;
use crate::upstream::{read_answer, read_redirect, read_rejection, transport_error};

/// Sends the request of an operation.
///
/// # Errors
/// By stage: not sent, rejected, or unknown.
pub async fn send(upstream: &Upstream, operation: &Operation, inputs: Inputs) -> Result<Answer, CallError> {
    let response = exchange(upstream, operation, inputs).await?;
    if operation.redirects && response.status().is_redirection() {
        return Ok(read_redirect(&response));
    }
    read(response).await
}

/// Reads what the vendor answered.
///
/// # Errors
/// It is a refusal, or it broke off.
pub async fn read(response: Response) -> Result<Answer, CallError> {
    if response.status().is_success() {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        read_answer(status, &headers, response.bytes_stream()).await
    } else {
        Err(read_rejection(response).await)
    }
}

/// Builds the request and sends it.
async fn exchange(upstream: &Upstream, operation: &Operation, mut inputs: Inputs) -> Result<Response, CallError> {
    let Operation { id: _, method, path, server, security, parameters, body, redirects: _ } = operation;
    let upstream = upstream.for_operation(server.as_deref(), security.as_deref())?;
    let url = upstream.address_of(&fill_path(path, &mut inputs)?)?;
    let method = Method::from_bytes(method.as_bytes())
        .map_err(|_| CallError::NotSent(format!("`{method}` is not an HTTP method")))?;
    let mut builder = upstream.http().request(method, url).query(&query_pairs(parameters, &mut inputs)?);
    builder = headers(builder, parameters, &mut inputs)?;
    if let Some(cookies) = cookies(parameters, &mut inputs)? {
        builder = builder.header(COOKIE, header_value("cookie", cookies)?);
    }
    if let Some(body) = body {
        builder = with_body(builder, body, &mut inputs)?;
    }
    inputs.finish()?;
    let mut built = builder.build().map_err(|error| transport_error(&error))?;
    upstream.prepare(&mut built)?;
    upstream.execute(built).await.map_err(|error| transport_error(&error))
}

/// Takes the parameters of the path.
fn fill_path(template: &str, inputs: &mut Inputs) -> Result<String, CallError> {
    let (mut path, mut names) = (String::new(), Vec::new());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').unwrap_or((after, ""));
        let value = inputs.path.get(name).ok_or_else(|| missing(name))?;
        check_segment(name, &simple(name, value, text)?)?;
        path.push_str(before);
        path.push_str(&simple(name, value, |item| encode_path(&text(item)))?);
        // A template may have a name twice.
        names.push(name);
        rest = after;
    }
    path.push_str(rest);
    inputs.path.retain(|name, _| !names.contains(&name.as_str()));
    Ok(path)
}

/// Takes the parameters in headers.
fn headers(
    mut builder: RequestBuilder,
    parameters: &[Parameter],
    inputs: &mut Inputs,
) -> Result<RequestBuilder, CallError> {
    for parameter in parameters.iter().filter(|parameter| parameter.location == Location::Header) {
        let name = &parameter.name;
        builder = match inputs.headers.shift_remove(name) {
            Some(value) if parameter.style == QueryStyle::Json => {
                builder.header(name, header_value(name, value.to_string())?)
            }
            Some(value) => builder.header(name, header_value(name, simple(name, &value, text)?)?),
            None if parameter.required => return Err(missing(name)),
            None => builder,
        };
    }
    Ok(builder)
}

fn header_value(name: &str, text: String) -> Result<HeaderValue, CallError> {
    let unfit =
        |_| CallError::NotSent(format!("`{name}` holds a line break, or another character that no header can carry"));
    HeaderValue::try_from(text).map_err(unfit)
}

/// Takes the body.
fn with_body(builder: RequestBuilder, body: &RequestBody, inputs: &mut Inputs) -> Result<RequestBuilder, CallError> {
    let RequestBody { kind, content_type, required, may_be_empty, files, fields } = body;
    // Where all its fields are optional and missing it is an empty object: the vendor expects a body, and the arguments
    // are checked already.
    let is_object = !matches!(kind, BodyKind::Raw | BodyKind::File);
    if *required && (*may_be_empty && is_object || *kind == BodyKind::Json) {
        inputs.body.get_or_insert_with(|| Value::Object(Map::new()));
    }
    let body = inputs.take_body();
    if *kind == BodyKind::Form {
        return Ok(builder.form(&form_pairs(body, fields)?));
    }
    let Some(body) = body else { return Ok(builder) };
    Ok(match kind {
        // Set before `json`, which would set its own; set after it, there would be two.
        BodyKind::Json => builder.header(CONTENT_TYPE, content_type).json(&body),
        BodyKind::Multipart => {
            let is_json = |name: &str| fields.iter().any(|(field, _)| field == name);
            builder.multipart(multipart(body, files, is_json)?)
        }
        BodyKind::File => {
            let file = FileArgument::read("body", &body, &mut FilesBudget::default())?;
            // A range, such as `image/*`, is of the file's own type.
            let own = if content_type.contains('*') { file.content_type } else { content_type.as_str() };
            builder.header(CONTENT_TYPE, own).body(file.bytes)
        }
        BodyKind::Raw | BodyKind::Form => builder.body(text(&body)).header(CONTENT_TYPE, content_type),
    })
}
