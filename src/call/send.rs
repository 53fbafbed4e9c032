//! Stage 3: a prepared call → the vendor's answer, of one page or of several.

use super::paging::Pages;
use super::paging::page::Start;
use super::prepare::PreparedCall;
use super::retry::Sender;
use crate::error::CallError;
use crate::upstream::Answer;
use toolwright_model::media_type::is_html;

/// Sends the call, page by page where it pages.
///
/// # Errors
/// The first request failed; by stage.
pub(super) async fn send(prepared: &PreparedCall<'_>, sender: &Sender<'_>) -> Result<Pages, CallError> {
    let call = &prepared.resolved;
    let operation = &call.operation.operation;
    let repeatable = call.only_reads() || call.tool().annotations.idempotent_hint;
    let fetch = async |start: Start| {
        let answer = sender.send(operation, repeatable, || prepared.inputs(&start)).await?;
        if is_web_page(&answer) { Err(CallError::WebPage(answer.status)) } else { Ok(answer) }
    };
    let start = prepared.start.clone();
    match &prepared.pager {
        Some(pager) => pager.run(start, call.caller, fetch).await,
        None => fetch(start).await.map(Pages::from),
    }
}

/// Returns whether an answer is a web page and not a file: a login page, passed on as an answer,
/// would hide that nothing was done.
pub(super) fn is_web_page(answer: &Answer) -> bool {
    let is_page = answer.content_type.as_deref().is_some_and(is_html);
    is_page && answer.filename.is_none() && !answer.body.is_empty()
}
