//! A call's arguments → a vendor's answer. What an operation sends is data, an entry of the generated `requests.json`; this
//! module is the one hand-written way to send it.
//!
//! ```text
//! operation id → requests (its entry) → request (address, headers; styles, files) → upstream → answer
//! ```

mod files;
mod inputs;
mod request;
mod requests;
mod styles;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

pub use crate::error::CallError;
pub use crate::upstream::{Answer, Upstream};
pub use inputs::{Inputs, segment_fault};
pub use request::{read, send};
pub use requests::Requests;
pub use toolwright_model::{Operation, Place};

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
    /// The text of `requests.json`.
    pub requests: &'static str,
    /// Connects to the API, whose requests these are: [`connect`], but for vendors of tests.
    pub connect: fn(Upstream, &Arc<Requests>) -> Box<dyn Connection>,
}

/// A call in flight.
pub type Pending<'a> = Pin<Box<dyn Future<Output = Result<Answer, CallError>> + Send + 'a>>;

/// A client that calls operations by id.
pub trait Connection: Send + Sync {
    /// Calls the operation.
    fn call<'a>(&'a self, operation: &str, inputs: Inputs) -> Pending<'a>;
}

/// Connects to the API that has these requests.
pub fn connect(upstream: Upstream, requests: &Arc<Requests>) -> Box<dyn Connection> {
    Box::new(Client { upstream, requests: Arc::clone(requests) })
}

/// Returns the connection with the credentials that an operation takes.
///
/// # Errors
/// There is no such operation, or the account does not have what it needs.
pub fn upstream_for(upstream: &Upstream, requests: &Requests, operation: &str) -> Result<Upstream, CallError> {
    if !upstream.chooses_credentials() {
        return Ok(upstream.clone());
    }
    let operation = requests.operation(operation)?;
    upstream.for_operation(operation.server.as_deref(), operation.security.as_deref())
}

struct Client {
    upstream: Upstream,
    requests: Arc<Requests>,
}

impl Connection for Client {
    fn call<'a>(&'a self, operation: &str, inputs: Inputs) -> Pending<'a> {
        let operation = self.requests.operation(operation);
        Box::pin(async move { send(&self.upstream, &*operation?, inputs).await })
    }
}
