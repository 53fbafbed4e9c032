//! Stage 4: the vendor's answer → what the caller gets of it: the requested part, sanitized, and a
//! cursor to the rest.

mod parts;
mod projection;
mod readable;

use std::sync::Arc;

use super::failure::Failure;
use super::paging::Pages;
use super::paging::cursor::Cursor;
use super::prepare::PreparedCall;
use super::reply::Reply;
use super::reply::cache::{CacheSlot, ReplyCache, ReplyOwner};
use crate::formats;
use crate::jq::Evaluator;
use crate::sanitize::Rules;
use crate::sanitize::json::Json;
use crate::upstream::Answer;
use projection::Projection;
use toolwright_model::CURSOR;

/// Answers of more bytes are sanitized on a thread of their own, so that other calls go on.
const LARGE: usize = 200_000;

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
    let Pages { mut answer, mut page, next } = pages;
    let PreparedCall { resolved: call, start, notes, .. } = prepared;
    let is_raw = call.operation.raw_argument().is_some_and(|argument| call.is_set(argument));
    if let Some(format) = call.operation.answers.as_ref().filter(|_| !is_raw)
        && let Some(body) = formats::read(format, &answer.body)
    {
        answer.body = body.into();
    }
    let projection = Projection::of(call.tool(), &call.arguments);
    let reply = project(answer, &projection, &call.connection.rules, evaluator).await?;
    let slot = call.tool().is_own_argument(CURSOR).then(|| {
        let here = Cursor::new(&call.tool().name, &call.arguments, &call.masked, start);
        if let (Some(page), Some(start)) = (&mut page, next) {
            page.next_cursor = Some(here.at_page(start).write());
        }
        CacheSlot::new(cache, ReplyOwner::from(call.caller), here)
    });
    // The cursor may lead into a reply that is cached no more: then this is the same reply anew,
    // and what was shown of it is skipped.
    let from = call.cursor.map(|cursor| cursor.offset).unwrap_or_default();
    Ok(Reply { page, notes, from, slot, ..reply })
}

/// Reduces an answer to the requested part and sanitizes it.
async fn project(
    answer: Answer,
    projection: &Projection,
    rules: &Arc<Rules>,
    evaluator: Option<&Evaluator>,
) -> Result<Reply, Failure> {
    let reply = if answer.body.len() > LARGE {
        let (projection, rules) = (projection.clone(), Arc::clone(rules));
        tokio::task::spawn_blocking(move || readable::reply(answer, &projection, &rules))
            .await
            .map_err(|error| Failure::Projection(format!("the answer could not be read: {error}")))??
    } else {
        readable::reply(answer, projection, rules)?
    };
    match &projection.jq {
        Some(filter) => filtered(reply, filter, rules, evaluator).await,
        None => Ok(reply),
    }
}

/// Applies a filter to a sanitized reply. The result is sanitized again, because a filter can join
/// what was taken apart.
async fn filtered(
    mut reply: Reply,
    filter: &str,
    rules: &Rules,
    evaluator: Option<&Evaluator>,
) -> Result<Reply, Failure> {
    let Some(evaluator) = evaluator else {
        return Err(Failure::Projection("`jq`: this server evaluates no filters\nhint: call without `jq`".to_owned()));
    };
    let text = std::str::from_utf8(&reply.answer.body).ok().filter(|text| !text.is_empty());
    let Some(text) = text.filter(|_| reply.parts.is_empty() && readable::is_text(&reply.answer)) else {
        let kind = reply.answer.content_type.as_deref().unwrap_or("nothing");
        return Err(Failure::Projection(format!("`jq`: the answer is no JSON but {kind}\nhint: call without `jq`")));
    };
    // The evaluator's error may quote the answer.
    let result = evaluator.run(filter, text).await.map_err(|error| Failure::Projection(rules.text(&error)))?;
    let Some(mut json) = Json::parse(&result) else {
        return Err(Failure::Projection("`jq`: the result is nested too deeply".to_owned()));
    };
    let untrusted_text = !reply.untrusted.is_empty() && json.has_text();
    if untrusted_text {
        // The filter may have renamed fields, so any text may be untrusted.
        rules.clean_all(&mut json);
    }
    reply.untrusted = if untrusted_text { vec![crate::sanitize::EVERY.to_owned()] } else { Vec::new() };
    reply.answer.body = json.to_text(result.len()).into();
    reply.answer.content_type = Some("application/json".to_owned());
    Ok(reply)
}
