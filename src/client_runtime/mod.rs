//! A call's arguments → a vendor's answer. The only hand-written code that generated code calls:
//! typed access to the arguments, the requests that progenitor can't emit, and the mapping of
//! progenitor's result to an answer.

mod inputs;
mod request;

use std::future::Future;
use std::pin::Pin;

use progenitor_client::{ByteStream, Error, ResponseValue};

pub use crate::error::CallError;
pub use crate::upstream::{Answer, Upstream};
use crate::upstream::{read_answer, read_redirect, read_rejection, transport_error};
pub use inputs::{Inputs, encode_path, required, segment_fault};
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
    /// The text of `answers.json`.
    pub answers: &'static str,
    /// Connects to the API.
    pub connect: fn(Upstream) -> Box<dyn Connection>,
}

/// A call in flight.
pub type Pending<'a> = Pin<Box<dyn Future<Output = Result<Answer, CallError>> + Send + 'a>>;

/// A client that calls operations by id.
pub trait Connection: Send + Sync {
    /// Calls the operation.
    fn call<'a>(&'a self, operation: &str, inputs: Inputs) -> Pending<'a>;
}

/// The result for an operation that does not exist. Catalog and dispatch come from one run of the
/// generator, so this is a bug.
pub fn unknown_operation<'a>(operation: &str) -> Pending<'a> {
    let error = CallError::Internal(format!("the client has no operation `{operation}`"));
    Box::pin(async move { Err(error) })
}

/// Wraps an error of a hook for progenitor.
pub fn refused<E>(error: CallError) -> Error<E> {
    match error {
        CallError::NotSent(reason) => Error::Custom(reason),
        other => Error::Custom(other.to_string()),
    }
}

/// Removes the `api-version` header that progenitor sets: a vendor may come to give it a meaning.
#[cfg(feature = "typed")]
pub fn drop_version_mark(request: &mut reqwest::Request) {
    request.headers_mut().remove("api-version");
}

/// Maps progenitor's result to an answer.
///
/// # Errors
/// By stage: not sent, rejected, or unknown.
pub async fn answer(result: Result<ResponseValue<ByteStream>, Error<()>>) -> Result<Answer, CallError> {
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
            Err(CallError::Unknown("the client decoded the answer, which it should pass on as bytes".to_owned().into()))
        }
    }
}

/// Like [`answer`], for an operation whose success is a redirect.
///
/// # Errors
/// By stage: not sent, rejected, or unknown.
pub async fn answer_or_redirect(result: Result<ResponseValue<ByteStream>, Error<()>>) -> Result<Answer, CallError> {
    match result {
        Err(Error::UnexpectedResponse(response)) if response.status().is_redirection() => Ok(read_redirect(&response)),
        other => answer(other).await,
    }
}
