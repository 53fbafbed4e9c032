//! Stage 3: a prepared call → the vendor's answer, of one page or of several.

use super::arrived::{Expected, arrived};
use super::paging::Pages;
use super::paging::page::Start;
use super::prepare::PreparedCall;
use super::retry::Sender;
use crate::error::CallError;

/// Sends the call, page by page where it pages. What was approved to be sent `once` is not repeated.
///
/// # Errors
/// The first request failed; by stage.
pub(super) async fn send(prepared: &PreparedCall<'_>, sender: &Sender<'_>, once: bool) -> Result<Pages, CallError> {
    let call = &prepared.resolved;
    let operation = &call.operation.operation;
    let repeatable = call.only_reads() || !once && call.tool().annotations.idempotent_hint;
    let expected = Expected { returns: call.operation.returns, reads: call.only_reads() };
    let fetch = async |start: Start| {
        arrived(sender.send(operation, repeatable, || prepared.inputs(&start)).await?, expected).await
    };
    let start = prepared.start.clone();
    match &prepared.pager {
        Some(pager) => pager.run(start, call.caller, fetch).await,
        None => fetch(start).await.map(Pages::from),
    }
}
