//! A reply and a caller's filter → the reply with the filter's result. The filter reads the answer as it
//! would be shown without it, before anything is cut to size.

use std::sync::Arc;

use crate::call::failure::Failure;
use crate::call::off_thread::off_thread;
use crate::call::reply::{Envelope, Reply};
use crate::fairness::CallerKey;
use crate::jq::Evaluator;
use crate::sanitize::json::Json;
use crate::sanitize::{Rules, TextForm};

use super::records::{self, Entries};

/// The most names that a message lists.
const MOST_NAMES: usize = 20;

/// Applies a filter to a sanitized reply. The result is sanitized again, because a filter can join
/// what was taken apart.
///
/// # Errors
/// The answer is no JSON, or the filter has no result; names what the answer has.
pub(super) async fn apply(
    reply: Reply,
    filter: &str,
    form: TextForm,
    rules: &Arc<Rules>,
    evaluator: Option<&Evaluator>,
    caller: CallerKey,
) -> Result<Reply, Failure> {
    let Some(evaluator) = evaluator else {
        return Err(Failure::Projection("`jq`: this server evaluates no filters\nhint: call without `jq`".to_owned()));
    };
    // Nothing is not filtered, and what we made of a text or a file is not the vendor's.
    if !reply.is_json {
        let kind = match reply.answer.content_type.as_deref() {
            _ if reply.answer.body.is_empty() => "nothing",
            // It was put into an object.
            Some("application/json") | None => "text",
            Some(kind) => kind,
        };
        return Err(Failure::Projection(format!("`jq`: the answer is no JSON but {kind}\nhint: call without `jq`")));
    }
    let bytes = reply.answer.body.len();
    let wrap = move || {
        let shown = reply.envelope().wrap(std::str::from_utf8(&reply.answer.body).unwrap_or_default());
        (reply, shown)
    };
    let (reply, shown) = off_thread(bytes, wrap).await?;
    let result = evaluator.run(filter, &shown, caller).await;
    let bytes_of_result = result.as_ref().map_or(0, String::len);
    let rules = Arc::clone(rules);
    let work = move || filtered(reply, result, &shown, form, &rules);
    off_thread(bytes.max(bytes_of_result), work).await?
}

/// Puts a filter's result into the reply to the answer that was `shown` to it.
fn filtered(
    mut reply: Reply,
    result: Result<String, String>,
    shown: &str,
    form: TextForm,
    rules: &Rules,
) -> Result<Reply, Failure> {
    // The evaluator's error may quote the answer, as the names do.
    let failed =
        |error: String| Failure::Projection(rules.text(&format!("{error}\n{}", overview(shown)), TextForm::Inert));
    let result = result.map_err(failed)?;
    let mut json = Json::parse(&result).map_err(|fault| Failure::Projection(format!("`jq`: the result {fault}")))?;
    if is_nothing(&json) {
        let note = format!("`jq`: the filter gives nothing. {}", overview(shown));
        reply.notes.push(rules.text(&note, TextForm::Inert));
    }
    let untrusted_text = !reply.untrusted.is_empty() && json.has_text();
    if untrusted_text {
        // The filter may have renamed fields, so any text may be untrusted.
        rules.clean_all(&mut json, form);
    }
    reply.untrusted = if untrusted_text { vec![crate::sanitize::EVERY.to_owned()] } else { Vec::new() };
    reply.answer.body = json.to_text(result.len()).into();
    reply.answer.content_type = Some("application/json".to_owned());
    Ok(reply)
}

/// Whether a result is what a filter gives for names that the answer does not have.
fn is_nothing(json: &Json<'_>) -> bool {
    match json {
        Json::Plain(text) => text == "null",
        Json::List(items) => items.iter().all(is_nothing),
        Json::Text(_) | Json::Object(_) => false,
    }
}

/// Returns which names the answer and its records have, for the author of a filter.
fn overview(shown: &str) -> String {
    let json = Json::parse(shown).ok();
    let Some(entries) = json.as_ref().and_then(records::entries) else {
        return "the answer has no fields".to_owned();
    };
    let own = names(&[entries]);
    let mut lists =
        entries.iter().filter(|(name, _)| !Envelope::NAMES.contains(&&**name)).filter_map(|(name, value)| {
            let Json::List(items) = value else { return None };
            Some((name, items.iter().filter_map(records::entries).collect::<Vec<_>>()))
        });
    match lists.find(|(_, records)| !records.is_empty()) {
        Some((list, records)) => format!("the answer has {own}; each of `.{list}[]` has {}", names(&records)),
        None => format!("the answer has {own}"),
    }
}

fn names(records: &[&Entries<'_>]) -> String {
    let mut names = records::names(records, MOST_NAMES + 1);
    let more = if names.len() > MOST_NAMES { ", …" } else { "" };
    names.truncate(MOST_NAMES);
    format!("`{}`{more}", names.join("`, `"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_overview_names_what_a_filter_can_reach() {
        for (shown, expected) in [
            (
                r#"{"page":{"total":2},"items":[{"a":1},{"b":2}]}"#,
                "the answer has `page`, `items`; each of `.items[]` has `a`, `b`",
            ),
            (r#"{"untrusted":["s"],"s":"x"}"#, "the answer has `untrusted`, `s`"),
            ("7", "the answer has no fields"),
        ] {
            assert_eq!(overview(shown), expected);
        }
    }

    #[test]
    fn nothing_is_what_missing_names_give() {
        for (result, nothing) in
            [("null", true), ("[]", true), ("[null,null]", true), ("0", false), ("[null,1]", false), (r#""""#, false)]
        {
            assert_eq!(is_nothing(&Json::parse(result).unwrap()), nothing, "{result}");
        }
    }
}
