//! Turns one request and the operation it is for into the values it carries and everything the description would
//! object to.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::HeaderMap;
use hyper::header::{AUTHORIZATION, COOKIE};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::body::{self, Content};
use super::route::parameter_names;
use super::table::{Credential, Operation, Parameter, Place};
use super::text::{self, Pair, Style};

/// The credential that is never right, so that a test can show what happens then.
const WRONG: &str = "wrong";

/// A longer value is cut in a problem.
const LONGEST_FOUND: usize = 200;

/// OpenAPI 3.0 (Parameter Object) says that header parameters of these names are ignored.
const IGNORED_HEADERS: [&str; 3] = ["accept", "content-type", "authorization"];

/// progenitor adds this header to every request; no vendor of ours knows it, so it must not get out.
const LEFT_BEHIND: &str = "api-version";

/// One thing the description would object to.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Problem {
    /// The part of the request, such as `query.count` or `body.user.name`.
    #[serde(rename = "where")]
    pub place: String,
    /// What is wrong with it.
    pub problem: String,
    /// The value as it was understood, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<Value>,
}

impl Problem {
    pub(super) fn new(place: &str, problem: impl Into<String>) -> Self {
        Self { place: place.to_owned(), problem: shortened(problem.into()), found: None }
    }

    pub(super) fn found(mut self, value: &Value) -> Self {
        let text = value.to_string();
        self.found = Some(if text.len() > LONGEST_FOUND { json!(shortened(text)) } else { value.clone() });
        self
    }
}

/// Cuts a text that would make a problem unreadable.
fn shortened(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(LONGEST_FOUND * 2) {
        text.truncate(end);
        text.push('…');
    }
    text
}

/// What a request carries, as its operation reads it.
#[derive(Default)]
pub(super) struct Values {
    pub(super) path: Map<String, Value>,
    pub(super) query: Map<String, Value>,
    pub(super) body: Value,
}

/// What came of looking at a request.
#[derive(Default)]
pub(super) struct Checked {
    pub(super) values: Values,
    pub(super) problems: Vec<Problem>,
    /// Some of the problems are such that the values can't be known: not even a script answers then.
    pub(super) unreadable: bool,
    /// Why the request does not prove who asks.
    pub(super) unauthorised: Option<Problem>,
}

impl Checked {
    /// Notes a problem after which the values can't be known.
    pub(super) fn unreadable(&mut self, problem: Problem) {
        self.unreadable = true;
        self.problems.push(problem);
    }
}

/// The parts of a request that an operation is checked against.
pub(super) struct Request<'a> {
    /// The encoded texts of the path parameters.
    pub(super) path: &'a [&'a str],
    pub(super) query: &'a str,
    pub(super) headers: &'a HeaderMap,
    pub(super) content: Content<'a>,
}

/// Reads the request as the operation describes it and collects what does not fit.
pub(super) fn check(operation: &Operation, security: &[Credential], request: &Request<'_>) -> Checked {
    let mut checked = Checked::default();
    path(operation, request.path, &mut checked);
    let (mut pairs, broken) = text::pairs(request.query);
    for piece in broken {
        checked.unreadable(Problem::new("query", format!("`{piece}` is not UTF-8 after percent-decoding")));
    }
    checked.unauthorised = unauthorised(security, request.headers, &mut pairs);
    query(operation, pairs, &mut checked);
    headers(operation, request.headers, &mut checked);
    checked.values.body = body::check(operation.body.as_ref(), &request.content, &mut checked);
    checked
}

fn parameters(operation: &Operation, place: Place) -> impl Iterator<Item = &Parameter> {
    operation.parameters.iter().filter(move |parameter| parameter.place == place)
}

fn place(parameter: &Parameter) -> String {
    format!("{}.{}", parameter.place.label(), parameter.name)
}

fn path(operation: &Operation, texts: &[&str], checked: &mut Checked) {
    for (name, raw) in parameter_names(&operation.path).zip(texts) {
        let parameter = parameters(operation, Place::Path).find(|parameter| parameter.name == name);
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
            Err(problem) => checked.unreadable(Problem::new(&format!("path.{name}"), problem).found(&json!(raw))),
        }
    }
}

fn query(operation: &Operation, mut pairs: Vec<Pair<'_>>, checked: &mut Checked) {
    for parameter in parameters(operation, Place::Query) {
        let value = take(parameter, &mut pairs, checked);
        if let Some(value) = value {
            checked.values.query.insert(parameter.name.clone(), value);
        }
    }
    // An object open to any name, spread over the query, leaves no key unknown. It comes last.
    if let Some(open) = parameters(operation, Place::Query).find(|parameter| {
        let how = parameter.serialisation();
        let shape = parameter.schema.shape();
        parameter.content.is_none() && how.style == Style::Form && how.explode && shape.is_object() && shape.is_open()
    }) {
        text::take_rest(&mut pairs, open.schema.shape(), &mut checked.values.query);
    }
    for pair in pairs.iter().filter(|pair| !pair.used) {
        let problem = Problem::new(&format!("query.{}", pair.key), "is not a parameter of the operation");
        checked.problems.push(problem.found(&json!(pair.text)));
        checked.values.query.insert(pair.key.to_string(), json!(pair.text));
    }
}

/// Takes a query or cookie parameter out of the pairs and checks it.
fn take(parameter: &Parameter, pairs: &mut [Pair<'_>], checked: &mut Checked) -> Option<Value> {
    let shape = parameter.schema.shape();
    let place = place(parameter);
    if parameter.allow_empty
        && let Some(pair) = pairs.iter_mut().find(|pair| pair.key == parameter.name && pair.text.is_empty())
    {
        pair.used = true;
        return Some(json!(""));
    }
    let value = if parameter.content.is_some() {
        let mut given = pairs.iter_mut().filter(|pair| pair.key == parameter.name);
        match (given.next(), given.next()) {
            (None, _) => Ok(None),
            (Some(pair), None) => {
                pair.used = true;
                document(parameter, &pair.text).map(Some)
            }
            (Some(first), Some(second)) => {
                first.used = true;
                second.used = true;
                given.for_each(|pair| pair.used = true);
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
            checked.problems.push(Problem::new(&place, "is required"));
        }
        Ok(None) => {}
        Err(problem) => checked.problems.push(Problem::new(&place, problem)),
    }
    None
}

/// Reads a parameter that is a document of its own.
fn document(parameter: &Parameter, text: &str) -> Result<Value, String> {
    if parameter.is_json() {
        serde_json::from_str(text).map_err(|error| format!("is not JSON: {error}"))
    } else {
        Ok(json!(text))
    }
}

fn headers(operation: &Operation, headers: &HeaderMap, checked: &mut Checked) {
    let mut declared_version = false;
    for parameter in parameters(operation, Place::Header) {
        if IGNORED_HEADERS.iter().any(|name| parameter.name.eq_ignore_ascii_case(name)) {
            continue;
        }
        declared_version |= parameter.name.eq_ignore_ascii_case(LEFT_BEHIND);
        let place = place(parameter);
        let Some(text) = header(headers, &parameter.name) else {
            if parameter.required {
                checked.problems.push(Problem::new(&place, "is required"));
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
            Err(problem) => checked.problems.push(Problem::new(&place, problem).found(&json!(text))),
        }
    }
    if !declared_version && let Some(text) = header(headers, LEFT_BEHIND) {
        let problem = "is left behind by the generated client and must not be sent";
        checked.problems.push(Problem::new(&format!("headers.{LEFT_BEHIND}"), problem).found(&json!(text)));
    }
    if parameters(operation, Place::Cookie).next().is_some() {
        let cookies = header(headers, COOKIE.as_str()).unwrap_or_default();
        let mut pairs = text::cookies(&cookies);
        for parameter in parameters(operation, Place::Cookie) {
            take(parameter, &mut pairs, checked);
        }
    }
}

/// Returns the text of a header, several lines of it joined.
pub(super) fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<Cow<'a, str>> {
    let mut lines = headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
    let first = lines.next()?;
    Some(lines.fold(first, |all, line| Cow::Owned(format!("{all}, {line}"))))
}

/// What a request has to show for one way of proving who asks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Proof {
    Missing,
    Wrong,
    Right,
}

impl Proof {
    fn of(secret: &str) -> Self {
        match secret {
            "" => Self::Missing,
            WRONG => Self::Wrong,
            _ => Self::Right,
        }
    }
}

/// Returns the problem with the request's credentials. They are looked for in all alternatives, so that one that is
/// wrong is refused even where none is needed.
fn unauthorised(security: &[Credential], headers: &HeaderMap, pairs: &mut [Pair<'_>]) -> Option<Problem> {
    let proofs: Vec<Proof> = security.iter().map(|credential| prove(credential, headers, pairs)).collect();
    if proofs.contains(&Proof::Wrong) {
        return Some(Problem::new("credentials", "are wrong"));
    }
    if proofs.is_empty() || proofs.contains(&Proof::Right) || security.iter().any(|one| matches!(one, Credential::None))
    {
        return None;
    }
    let expected: Vec<String> = security.iter().map(name).collect();
    Some(Problem::new("credentials", format!("are missing; expected {}", expected.join(" or "))))
}

fn prove(credential: &Credential, headers: &HeaderMap, pairs: &mut [Pair<'_>]) -> Proof {
    match credential {
        Credential::Bearer => authorization(headers, "bearer").map_or(Proof::Missing, |token| Proof::of(&token)),
        Credential::Basic => authorization(headers, "basic").map_or(Proof::Missing, |encoded| {
            let decoded = STANDARD.decode(encoded.as_bytes()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            match decoded.as_deref().and_then(|text| text.split_once(':')) {
                Some((_, WRONG)) | None => Proof::Wrong,
                Some(("", "")) => Proof::Missing,
                Some(_) => Proof::Right,
            }
        }),
        Credential::Header { name } => header(headers, name).map_or(Proof::Missing, |text| Proof::of(text.trim())),
        Credential::Query { name } => pairs.iter_mut().find(|pair| pair.key == *name).map_or(Proof::Missing, |pair| {
            pair.used = true;
            Proof::of(&pair.text)
        }),
        Credential::Cookie { name } => {
            let cookies = header(headers, COOKIE.as_str()).unwrap_or_default();
            let found = text::cookies(&cookies).into_iter().find(|pair| pair.key == *name);
            found.map_or(Proof::Missing, |pair| Proof::of(&pair.text))
        }
        Credential::All { of } => {
            let proofs: Vec<Proof> = of.iter().map(|one| prove(one, headers, pairs)).collect();
            [Proof::Wrong, Proof::Missing].into_iter().find(|bad| proofs.contains(bad)).unwrap_or(Proof::Right)
        }
        Credential::None => Proof::Missing,
    }
}

/// Returns what follows the scheme in the `Authorization` header.
fn authorization(headers: &HeaderMap, scheme: &str) -> Option<String> {
    let text = header(headers, AUTHORIZATION.as_str())?;
    let (found, secret) = text.split_once(' ')?;
    found.eq_ignore_ascii_case(scheme).then(|| secret.trim().to_owned())
}

fn name(credential: &Credential) -> String {
    match credential {
        Credential::Bearer => "`Authorization: Bearer …`".to_owned(),
        Credential::Basic => "`Authorization: Basic …`".to_owned(),
        Credential::Header { name } => format!("the header `{name}`"),
        Credential::Query { name } => format!("the query parameter `{name}`"),
        Credential::Cookie { name } => format!("the cookie `{name}`"),
        Credential::All { of } => of.iter().map(name).collect::<Vec<_>>().join(" with "),
        Credential::None => "nothing".to_owned(),
    }
}
