//! What does not fit in a request → problems, and the values that could be read.

use serde::Serialize;
use serde_json::{Map, Value, json};
use toolwright_model::truncate;

/// A value with more bytes of JSON is shown as text.
const LONGEST_FOUND: usize = 200;
/// A text with more characters is cut.
const LONGEST_TEXT: usize = 400;

/// One part of a request that does not fit the description.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RequestProblem {
    /// The part of the request, such as `query.count` or `body.user.name`.
    #[serde(rename = "where")]
    pub place: String,
    /// Why it does not fit.
    pub problem: String,
    /// The value as it was read, if there is one; above 200 bytes its JSON as a string, cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<Value>,
}

impl RequestProblem {
    pub(super) fn new(place: &str, problem: impl Into<String>) -> Self {
        Self { place: place.to_owned(), problem: truncate(&problem.into(), LONGEST_TEXT).into_owned(), found: None }
    }

    pub(super) fn found(mut self, value: &Value) -> Self {
        let text = value.to_string();
        self.found =
            Some(if text.len() > LONGEST_FOUND { json!(truncate(&text, LONGEST_TEXT)) } else { value.clone() });
        self
    }
}

/// The values of a request, read as its operation describes them.
#[derive(Default)]
pub(super) struct RequestValues {
    pub(super) path: Map<String, Value>,
    pub(super) query: Map<String, Value>,
    pub(super) body: Value,
}

/// A request's values and its problems.
#[derive(Default)]
pub(super) struct CheckedRequest {
    pub(super) values: RequestValues,
    pub(super) problems: Vec<RequestProblem>,
    /// A problem left values unknown, so that a script's conditions can't be evaluated either.
    pub(super) unreadable: bool,
    /// Why the credentials are not accepted.
    pub(super) unauthorised: Option<RequestProblem>,
}

impl CheckedRequest {
    /// Adds a problem that leaves values unknown.
    pub(super) fn unreadable(&mut self, problem: RequestProblem) {
        self.unreadable = true;
        self.problems.push(problem);
    }
}
