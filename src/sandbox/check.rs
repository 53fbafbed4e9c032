//! A request and its operation → the values it carries, and everything that does not fit the description.

use hyper::HeaderMap;
use hyper::header::COOKIE;
use serde_json::{Value, json};

use super::body::{self, ReceivedBody};
use super::credentials;
use super::problem::{CheckedRequest, RequestProblem};
use super::route::parameter_names;
use super::table::{ParameterIn, SecurityScheme, TableOperation, TableParameter};
use super::text::{self, EncodedPair, ParameterStyle, header};

/// OpenAPI 3.0 (Parameter Object) says that header parameters of these names are ignored.
const IGNORED_HEADERS: [&str; 3] = ["accept", "content-type", "authorization"];

/// progenitor adds this header to every request of a typed client; no vendor documents it, so it is removed before sending.
const CLIENT_VERSION_HEADER: &str = "api-version";

/// The parts of a request that an operation is checked against.
pub(super) struct ReceivedRequest<'a> {
    /// The encoded texts of the path parameters.
    pub(super) path: &'a [&'a str],
    pub(super) query: &'a str,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: ReceivedBody<'a>,
}

/// Reads the request as the operation describes it and collects what does not fit.
pub(super) fn check(
    operation: &TableOperation,
    security: &[SecurityScheme],
    request: &ReceivedRequest<'_>,
) -> CheckedRequest {
    let mut checked = CheckedRequest::default();
    path(operation, request.path, &mut checked);
    let (mut pairs, broken) = text::pairs(request.query);
    for piece in broken {
        checked.unreadable(RequestProblem::new("query", format!("`{piece}` is not UTF-8 after percent-decoding")));
    }
    checked.unauthorised = credentials::problem(security, request.headers, &mut pairs);
    query(operation, pairs, &mut checked);
    headers(operation, request.headers, &mut checked);
    checked.values.body = body::check(operation.body.as_ref(), &request.body, &mut checked);
    checked
}

fn parameters(operation: &TableOperation, place: ParameterIn) -> impl Iterator<Item = &TableParameter> {
    operation.parameters.iter().filter(move |parameter| parameter.place == place)
}

fn place(parameter: &TableParameter) -> String {
    format!("{}.{}", parameter.place.label(), parameter.name)
}

fn path(operation: &TableOperation, texts: &[&str], checked: &mut CheckedRequest) {
    for (name, raw) in parameter_names(&operation.path).zip(texts) {
        let parameter = parameters(operation, ParameterIn::Path).find(|parameter| parameter.name == name);
        let value = match parameter {
            Some(parameter) => text::segment(raw, name, parameter.serialisation(), parameter.schema.shape(), true),
            None => text::decoded(raw).map(|text| json!(text)).ok_or("is not UTF-8 after percent-decoding".to_owned()),
        };
        match value {
            Ok(value) => {
                if let Some(parameter) = parameter {
                    parameter.schema.check(&place(parameter), &value, &mut checked.problems);
                }
                checked.values.path.insert(name.to_owned(), value);
            }
            Err(problem) => {
                checked.unreadable(RequestProblem::new(&format!("path.{name}"), problem).found(&json!(raw)));
            }
        }
    }
}

fn query(operation: &TableOperation, mut pairs: Vec<EncodedPair<'_>>, checked: &mut CheckedRequest) {
    for parameter in parameters(operation, ParameterIn::Query) {
        let value = take(parameter, &mut pairs, checked);
        if let Some(value) = value {
            checked.values.query.insert(parameter.name.clone(), value);
        }
    }
    // An exploded object that takes any property consumes every key that is left, so it is read last.
    if let Some(open) = parameters(operation, ParameterIn::Query).find(|parameter| {
        let how = parameter.serialisation();
        let shape = parameter.schema.shape();
        parameter.content.is_none()
            && how.style == ParameterStyle::Form
            && how.explode
            && shape.is_object()
            && shape.is_open()
    }) {
        text::take_rest(&mut pairs, open.schema.shape(), &mut checked.values.query);
    }
    for pair in pairs.iter().filter(|pair| !pair.used) {
        let problem = RequestProblem::new(&format!("query.{}", pair.key), "is not a parameter of the operation");
        checked.problems.push(problem.found(&json!(pair.text)));
        checked.values.query.insert(pair.key.to_string(), json!(pair.text));
    }
}

/// Takes a query or cookie parameter out of the pairs and checks it.
fn take(parameter: &TableParameter, pairs: &mut [EncodedPair<'_>], checked: &mut CheckedRequest) -> Option<Value> {
    let shape = parameter.schema.shape();
    let place = place(parameter);
    if parameter.allow_empty
        && let Some(pair) = pairs.iter_mut().find(|pair| pair.key == parameter.name && pair.text.is_empty())
    {
        pair.used = true;
        return Some(json!(""));
    }
    let value = if parameter.content.is_some() {
        let mut matching = pairs.iter_mut().filter(|pair| pair.key == parameter.name);
        match (matching.next(), matching.next()) {
            (None, _) => Ok(None),
            (Some(pair), None) => {
                pair.used = true;
                document(parameter, &pair.text).map(Some)
            }
            (Some(first), Some(second)) => {
                first.used = true;
                second.used = true;
                matching.for_each(|pair| pair.used = true);
                Err("is repeated, but takes one value".to_owned())
            }
        }
    } else {
        text::take(pairs, &parameter.name, parameter.serialisation(), shape)
    };
    match value {
        Ok(Some(value)) => {
            parameter.schema.check(&place, &value, &mut checked.problems);
            return Some(value);
        }
        Ok(None) if parameter.required => {
            checked.problems.push(RequestProblem::new(&place, "is required"));
        }
        Ok(None) => {}
        Err(problem) => checked.problems.push(RequestProblem::new(&place, problem)),
    }
    None
}

/// Reads a parameter that is declared with `content`: a document of its own media type.
fn document(parameter: &TableParameter, text: &str) -> Result<Value, String> {
    if parameter.is_json() {
        serde_json::from_str(text).map_err(|error| format!("is not JSON: {error}"))
    } else {
        Ok(json!(text))
    }
}

fn headers(operation: &TableOperation, headers: &HeaderMap, checked: &mut CheckedRequest) {
    let mut declares_version = false;
    for parameter in parameters(operation, ParameterIn::Header) {
        if IGNORED_HEADERS.iter().any(|name| parameter.name.eq_ignore_ascii_case(name)) {
            continue;
        }
        declares_version |= parameter.name.eq_ignore_ascii_case(CLIENT_VERSION_HEADER);
        let place = place(parameter);
        let Some(text) = header(headers, &parameter.name) else {
            if parameter.required {
                checked.problems.push(RequestProblem::new(&place, "is required"));
            }
            continue;
        };
        let value = if parameter.content.is_some() {
            document(parameter, &text)
        } else {
            text::segment(&text, &parameter.name, parameter.serialisation(), parameter.schema.shape(), false)
        };
        match value {
            Ok(value) => parameter.schema.check(&place, &value, &mut checked.problems),
            Err(problem) => checked.problems.push(RequestProblem::new(&place, problem).found(&json!(text))),
        }
    }
    if !declares_version && let Some(text) = header(headers, CLIENT_VERSION_HEADER) {
        let problem = "is added by the generated client and must not be sent";
        checked
            .problems
            .push(RequestProblem::new(&format!("headers.{CLIENT_VERSION_HEADER}"), problem).found(&json!(text)));
    }
    if parameters(operation, ParameterIn::Cookie).next().is_some() {
        let cookies = header(headers, COOKIE.as_str()).unwrap_or_default();
        let mut pairs = text::cookies(&cookies);
        for parameter in parameters(operation, ParameterIn::Cookie) {
            take(parameter, &mut pairs, checked);
        }
    }
}
