//! The only hand-written code that generated code calls: typed access to a call's inputs, the
//! requests that progenitor can't emit, and the way from progenitor's result to an answer.

mod request;

use std::future::Future;
use std::pin::Pin;

use progenitor_client::{ByteStream, ResponseValue};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

pub use crate::error::CallError;
pub use crate::upstream::{Answer, Upstream};
use crate::upstream::{read_answer, read_redirect, read_rejection, transport_error};
pub use request::{Body, Request, send, send_or_redirect};
pub use toolwright_model::{Place, QueryStyle};

/// An API that is compiled in.
pub struct CompiledApi {
    /// The API's id.
    pub id: &'static str,
    /// The vendor's id.
    pub vendor: &'static str,
    /// The text of `tools.json`.
    pub tools: &'static str,
    /// The text of `sandbox.json`.
    pub sandbox: &'static str,
    /// Makes a client of the API.
    pub connect: fn(Upstream) -> Box<dyn Connection>,
}

/// A call under way.
pub type Pending<'a> = Pin<Box<dyn Future<Output = Result<Answer, CallError>> + Send + 'a>>;

/// A client whose operations are called by id.
pub trait Connection: Send + Sync {
    /// Calls the operation.
    fn call<'a>(&'a self, operation: &str, inputs: Inputs) -> Pending<'a>;
}

/// What an operation that does not exist ends in: the catalog and the dispatch come from one
/// run of the generator, so this is a fault of ours.
pub fn unknown_operation<'a>(operation: &str) -> Pending<'a> {
    let error = CallError::Internal(format!("the client has no operation `{operation}`"));
    Box::pin(async move { Err(error) })
}

/// The values of one call, by their place in the request and the description's names.
#[derive(Debug, Default)]
pub struct Inputs {
    path: Map<String, Value>,
    query: Map<String, Value>,
    headers: Map<String, Value>,
    body: Option<Value>,
}

impl Inputs {
    /// Puts a value to its place.
    pub fn insert(&mut self, place: &Place, value: Value) {
        match place {
            Place::Path(name) => self.path.insert(name.clone(), value),
            Place::Query(name) => self.query.insert(name.clone(), value),
            Place::Header(name) => self.headers.insert(name.clone(), value),
            Place::Property(name) => self.properties().insert(name.clone(), value),
            Place::Properties => {
                let properties = self.properties();
                if let Value::Object(entries) = value {
                    for (name, entry) in entries {
                        // A property that has an argument of its own is not set by the back door.
                        properties.entry(name).or_insert(entry);
                    }
                }
                None
            }
            Place::Body => self.body.replace(value),
        };
    }

    fn properties(&mut self) -> &mut Map<String, Value> {
        let body = self.body.get_or_insert_with(|| Value::Object(Map::new()));
        if !body.is_object() {
            *body = Value::Object(Map::new());
        }
        body.as_object_mut().expect("made an object just now")
    }

    /// Takes a path parameter; refuses what would lead elsewhere.
    ///
    /// # Errors
    /// It is missing, of another type, or no segment of a path.
    pub fn path<T: DeserializeOwned>(&mut self, name: &str) -> Result<T, CallError> {
        let value = required(name, self.path.shift_remove(name))?;
        check_segment(name, &text(&value))?;
        typed(name, value)
    }

    /// Takes a query parameter, if it is there.
    ///
    /// # Errors
    /// It is of another type.
    pub fn query<T: DeserializeOwned>(&mut self, name: &str) -> Result<Option<T>, CallError> {
        self.query.shift_remove(name).map(|value| typed(name, value)).transpose()
    }

    /// Takes a query parameter that must be there.
    ///
    /// # Errors
    /// It is missing or of another type.
    pub fn required_query<T: DeserializeOwned>(&mut self, name: &str) -> Result<T, CallError> {
        required(name, self.query(name)?)
    }

    /// Takes a header, if it is there.
    ///
    /// # Errors
    /// It is of another type.
    pub fn header<T: DeserializeOwned>(&mut self, name: &str) -> Result<Option<T>, CallError> {
        self.headers.shift_remove(name).map(|value| typed(name, value)).transpose()
    }

    /// Takes a header that must be there.
    ///
    /// # Errors
    /// It is missing or of another type.
    pub fn required_header<T: DeserializeOwned>(&mut self, name: &str) -> Result<T, CallError> {
        required(name, self.header(name)?)
    }

    /// Takes a list from the query as one text.
    ///
    /// # Errors
    /// A value holds the separator.
    pub fn joined(&mut self, name: &str, separator: char) -> Result<Option<String>, CallError> {
        self.query.shift_remove(name).map(|value| join(name, &value, separator)).transpose()
    }

    /// Takes a query parameter as JSON text.
    ///
    /// # Errors
    /// None today; the signature is that of its siblings.
    pub fn json_text(&mut self, name: &str) -> Result<Option<String>, CallError> {
        Ok(self.query.shift_remove(name).map(|value| value.to_string()))
    }

    /// Takes the body. Where its fields are all optional and missing it is an empty object: the
    /// vendor wants a body, and the arguments were held against the schema before.
    ///
    /// # Errors
    /// None today; the signature is that of its siblings.
    pub fn json(&mut self) -> Result<Value, CallError> {
        Ok(self.body.take().unwrap_or_else(|| Value::Object(Map::new())))
    }

    /// Takes the body as a form: what is no scalar travels as JSON text.
    ///
    /// # Errors
    /// The body is no object.
    pub fn form(&mut self) -> Result<Value, CallError> {
        match self.body.take() {
            // A form whose fields are all optional and missing is an empty form.
            None => Ok(Value::Object(Map::new())),
            Some(Value::Object(fields)) => {
                Ok(Value::Object(fields.into_iter().map(|(name, value)| (name, Value::String(text(&value)))).collect()))
            }
            Some(_) => Err(CallError::NotSent("the body must be an object".to_owned())),
        }
    }

    /// Refuses whatever nobody has taken: it would be lost in silence.
    ///
    /// # Errors
    /// Something is left.
    pub fn finish(&self) -> Result<(), CallError> {
        let left = self.path.keys().chain(self.query.keys()).chain(self.headers.keys()).next().map(String::as_str);
        match left.or(self.body.as_ref().map(|_| "body")) {
            Some(name) => Err(CallError::Internal(format!("the operation does not take `{name}`"))),
            None => Ok(()),
        }
    }
}

/// Returns the value that must be there.
///
/// # Errors
/// It is not.
pub fn required<T>(name: &str, value: Option<T>) -> Result<T, CallError> {
    value.ok_or_else(|| CallError::NotSent(format!("`{name}` is missing")))
}

fn typed<T: DeserializeOwned>(name: &str, value: Value) -> Result<T, CallError> {
    serde_json::from_value(value).map_err(|error| CallError::NotSent(format!("`{name}` is of another type: {error}")))
}

/// A value as it is written into a path, a query or a form.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn join(name: &str, value: &Value, separator: char) -> Result<String, CallError> {
    let items = match value {
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>(),
        scalar => return Ok(text(scalar)),
    };
    match items.iter().find(|item| item.contains(separator)) {
        Some(item) => Err(CallError::NotSent(format!(
            "`{name}`: `{item}` holds `{separator}`, which parts the values of the list"
        ))),
        None => Ok(items.join(&separator.to_string())),
    }
}

/// A path parameter becomes one segment: what would be another path is refused before sending.
fn check_segment(name: &str, segment: &str) -> Result<(), CallError> {
    let wrong = match segment {
        "" => "is empty",
        "." | ".." => "would lead to another path",
        _ if segment.contains('\\') => "holds a backslash",
        _ if segment.chars().any(char::is_control) => "holds a control character",
        _ => return Ok(()),
    };
    Err(CallError::NotSent(format!("path argument `{name}` {wrong}")))
}

/// The error that a hook hands through progenitor.
pub fn refused<E>(error: CallError) -> progenitor_client::Error<E> {
    match error {
        CallError::NotSent(reason) => progenitor_client::Error::Custom(reason),
        other => progenitor_client::Error::Custom(other.to_string()),
    }
}

/// Takes progenitor's mark off a request of a typed client: vendors don't know it.
#[cfg(feature = "typed")]
pub fn drop_version_mark(request: &mut reqwest::Request) {
    request.headers_mut().remove("api-version");
}

/// Turns progenitor's result into an answer.
///
/// # Errors
/// By stage: not sent, rejected, or unknown.
pub async fn answer(
    result: Result<ResponseValue<ByteStream>, progenitor_client::Error<()>>,
) -> Result<Answer, CallError> {
    use progenitor_client::Error;
    match result {
        Ok(value) => {
            let (status, headers) = (value.status().as_u16(), value.headers().clone());
            read_answer(status, &headers, value.into_inner_stream()).await
        }
        Err(Error::UnexpectedResponse(response)) => Err(read_rejection(response).await),
        Err(Error::CommunicationError(error) | Error::ResponseBodyError(error) | Error::InvalidUpgrade(error)) => {
            Err(transport_error(&error))
        }
        Err(Error::InvalidRequest(reason) | Error::Custom(reason)) => Err(CallError::NotSent(reason)),
        Err(Error::ErrorResponse(_) | Error::InvalidResponsePayload(..)) => {
            Err(CallError::Unknown("the client read the answer in a way it should not".to_owned().into()))
        }
    }
}

/// Like [`answer`], for an operation whose success is a redirect.
///
/// # Errors
/// By stage: not sent, rejected, or unknown.
pub async fn answer_or_redirect(
    result: Result<ResponseValue<ByteStream>, progenitor_client::Error<()>>,
) -> Result<Answer, CallError> {
    match result {
        Err(progenitor_client::Error::UnexpectedResponse(response)) if response.status().is_redirection() => {
            Ok(read_redirect(&response))
        }
        other => answer(other).await,
    }
}
