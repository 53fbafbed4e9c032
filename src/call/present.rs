//! Stage 4: the vendor's answer → what the caller gets of it: the requested part, sanitized, with the
//! names of what was left out and a cursor to the rest.

mod filter;
mod omitted;
mod parts;
mod projection;
mod readable;
mod records;

use std::sync::Arc;

use super::failure::Failure;
use super::off_thread::off_thread;
use super::paging::Pages;
use super::paging::cursor::Cursor;
use super::prepare::PreparedCall;
use super::reply::Reply;
use super::reply::cache::{CacheSlot, ReplyCache, ReplyOwner};
use super::result::Composed;
use super::step::StepAnswer;
use crate::catalog::LazyTool;
use crate::fairness::CallerKey;
use crate::jq::Evaluator;
use crate::sanitize::json::Json;
use crate::sanitize::{AnswerPart, Rules, TextForm};
use crate::upstream::Answer;
use projection::Projection;
use records::Listing;
use serde_json::{Map, Value};
use toolwright_model::{CURSOR, DETAIL, FormatName, RAW, Returns};

/// Makes the reply to a call.
///
/// # Errors
/// The answer does not have what was requested of it.
pub(super) async fn present(
    prepared: PreparedCall<'_>,
    pages: Pages,
    evaluator: Option<&Evaluator>,
    cache: &Arc<ReplyCache>,
) -> Result<Reply, Failure> {
    let Pages { answer, mut page, next } = pages;
    let PreparedCall { resolved: call, start, notes, .. } = prepared;
    let is_raw = call.operation.raw_argument().is_some_and(|argument| call.is_set(argument))
        || call.tool().is_own_argument(DETAIL) && call.arguments.get(DETAIL).and_then(Value::as_str) == Some(RAW);
    let format = call.operation.answers.clone().filter(|_| !is_raw);
    let style = call.operation.paging.as_ref().filter(|_| page.is_some());
    let listing = style.map_or(Listing::Unknown, |paging| Listing::Page(paging.signs.records.clone()));
    let mut projection = Projection::of(&call.entry.tool, &call.arguments, listing);
    if is_raw {
        // Addresses in a document of the vendor's are part of it.
        projection.form = TextForm::Raw;
    }
    projection.file = call.operation.returns == Returns::File;
    let (jq, form) = (projection.jq.take(), projection.form);
    let rules = &call.connection.rules;
    let projected = project(answer, format, projection, Arc::clone(rules)).await?;
    let slot = call.tool().is_own_argument(CURSOR).then(|| {
        let here = Cursor::new(&call.tool().name, call.schema.names(), &call.arguments, &call.masked, start);
        if let (Some(page), Some(start)) = (&mut page, next) {
            page.next_cursor = Some(here.at_page(start).write());
        }
        CacheSlot::new(cache, ReplyOwner::from(call.caller), here)
    });
    // The cursor may lead into a reply that is cached no more: then this is the same reply anew,
    // and what was shown of it is skipped.
    let from = call.cursor.as_ref().map(|cursor| cursor.offset).unwrap_or_default();
    if let Some(page) = &mut page {
        // They may quote the vendor's refusal of a later page.
        page.end_notes = page.end_notes.iter().map(|note| rules.text(note, TextForm::Inert)).collect();
    }
    // What a change is answered with is shown, whatever it is.
    let is_word = !projected.is_json && projected.content_type.as_deref() == Some("application/json");
    let is_other = is_word && !call.only_reads() && call.operation.returns == Returns::Json;
    let other = is_other.then(|| "this is text, where the vendor's description states JSON".to_owned());
    let notes = notes.into_iter().chain(projected.notes.iter().cloned()).chain(other).collect();
    let mut reply = Reply { page, notes, from, slot, ..projected };
    reply.set_resolved(call.names);
    match jq {
        Some(filter) => filter::apply(reply, &filter, form, rules, evaluator, call.caller.key()).await,
        None => Ok(reply),
    }
}

/// Makes of an answer what a workflow reads of it: in the form that a model reads, but neither reduced nor sanitized.
///
/// # Errors
/// A part of the answer is a web page.
pub(super) async fn step_answer(prepared: PreparedCall<'_>, pages: Pages) -> Result<StepAnswer, Failure> {
    let Pages { answer, mut page, .. } = pages;
    let PreparedCall { resolved: call, notes, .. } = prepared;
    let rules = Arc::clone(&call.connection.rules);
    if let Some(page) = &mut page {
        page.end_notes = page.end_notes.iter().map(|note| rules.text(note, TextForm::Inert)).collect();
    }
    let format = call.operation.answers.clone();
    let is_file = call.operation.returns == Returns::File;
    let (status, request_id, headers) = (answer.status, answer.request_id.clone(), answer.headers.clone());
    let bytes = answer.body.len();
    let (body, is_file) = off_thread(bytes, move || readable::value(&answer, format.as_ref(), is_file)).await?;
    let part = if matches!(body, Some(Value::String(_))) { AnswerPart::of_outsiders() } else { rules.whole(is_file) };
    Ok(StepAnswer { status, request_id, headers, body, part, rules, page, notes })
}

/// Makes the reply to a workflow: the requested part of its outputs. Their texts were sanitized with the steps' answers.
///
/// # Errors
/// The outputs do not have what was requested of them.
pub(super) async fn present_composed(
    composed: Composed,
    tool: &LazyTool,
    arguments: &Map<String, Value>,
    evaluator: Option<&Evaluator>,
    caller: CallerKey,
) -> Result<Reply, Failure> {
    let Composed { body, untrusted, page, notes } = composed;
    let mut projection = Projection::of(tool, arguments, Listing::Unknown);
    let (jq, form) = (projection.jq.take(), projection.form);
    let bytes = body.len();
    let work = move || {
        let mut json = Json::parse(&body).map_err(|fault| Failure::Internal(format!("the outputs: {fault}")))?;
        let projected = projection.apply(&mut json)?;
        Ok::<_, Failure>((json.to_text(body.len()), projected))
    };
    let (body, projected) = off_thread(bytes, work).await??;
    let content_type = Some("application/json".to_owned());
    let answer = Answer { status: 200, content_type, body: body.into(), ..Answer::default() };
    let notes = notes.into_iter().chain(projected.notes).collect();
    let reply = Reply { page, notes, untrusted, omitted: projected.omitted, is_json: true, ..answer.into() };
    match jq {
        Some(filter) => filter::apply(reply, &filter, form, &Arc::default(), evaluator, caller).await,
        None => Ok(reply),
    }
}

/// Brings an answer to the form that a model reads, reduces it to the requested part and sanitizes it.
async fn project(
    answer: Answer,
    format: Option<FormatName>,
    projection: Projection,
    rules: Arc<Rules>,
) -> Result<Reply, Failure> {
    let bytes = answer.body.len();
    off_thread(bytes, move || readable::reply(answer, format.as_ref(), &projection, &rules)).await?
}
