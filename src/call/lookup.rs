//! A question of a format → the vendor's answer, by calling an operation that only reads.

use serde_json::Value;

use super::arrived::{Expected, arrived};
use super::off_thread::off_thread;
use super::retry::Sender;
use crate::catalog::Catalog;
use crate::client_runtime::Inputs;
use crate::formats::{Lookup, LookupError, LookupFuture};
use toolwright_model::{Call, Effect, Place, Returns, Template};

/// Asks the vendor with the credentials and within the limits of the call that needs the answer.
pub(super) struct VendorLookup<'a> {
    pub(super) sender: &'a Sender<'a>,
    pub(super) catalog: &'a Catalog,
    pub(super) api: &'a str,
}

impl Lookup for VendorLookup<'_> {
    fn ask<'a>(&'a self, operation: &'a str, inputs: Vec<(Place, Value)>) -> LookupFuture<'a> {
        Box::pin(async move {
            if !self.only_reads(operation) {
                return Err(LookupError::Failed(format!("`{operation}` is not known to read only")));
            }
            let path = self.path(operation);
            let inputs = || {
                let mut values = Inputs::default();
                // Of the values in the path of the call, those that are in this one too.
                let is_in_it = |place: &Place| match place {
                    Place::Path(name) => Template(path).names().any(|known| known == name),
                    _ => true,
                };
                for (place, value) in inputs.iter().filter(|(place, _)| is_in_it(place)) {
                    values.insert(place, value.clone());
                }
                values
            };
            let answer = self.sender.send(operation, true, inputs).await;
            let answer = answer.map_err(|error| LookupError::Failed(self.sender.inert(&error)))?;
            let answer = arrived(answer, Expected { returns: Returns::Json, reads: true }).await;
            let answer = answer.map_err(|error| LookupError::Failed(error.to_string()))?;
            let read = off_thread(answer.body.len(), move || serde_json::from_slice(&answer.body)).await;
            let read = read.map_err(|stopped| LookupError::Failed(stopped.to_string()))?;
            read.map_err(|_| LookupError::Failed("the answer is no JSON".to_owned()))
        })
    }
}

impl VendorLookup<'_> {
    /// The path of an operation, with names in `{}`; empty if no tool calls it.
    fn path(&self, operation: &str) -> &str {
        let calls = self.catalog.entries().iter().flat_map(|entry| &entry.tool.calls);
        let mut its = calls.filter(|call| call.api == self.api && call.operation == operation);
        its.next().map_or("", |call| call.path.as_str())
    }

    /// The build checks this too; a catalog that was not built here may contradict it.
    fn only_reads(&self, operation: &str) -> bool {
        let calls_it = |call: &Call| call.api == self.api && call.operation == operation;
        let tools = self.catalog.entries().iter().map(|entry| &entry.tool);
        let mut effects = tools.filter(|tool| tool.calls.iter().any(calls_it)).map(|tool| tool.effect).peekable();
        effects.peek().is_some() && effects.all(|effect| effect == Some(Effect::Read))
    }
}

/// Answers nothing: a dry run sends no request.
pub(super) struct NoLookup;

impl Lookup for NoLookup {
    fn ask<'a>(&'a self, _: &'a str, _: Vec<(Place, Value)>) -> LookupFuture<'a> {
        Box::pin(async { Err(LookupError::DryRun) })
    }
}
