//! A look-up of a name → the records that a tool returned, by a call of that tool as its caller could make it: the policy
//! is asked, the vendor's limits are kept, it is recorded. Whether all were read is what the listing proves.

use std::sync::Arc;
use std::time::SystemTime;

use serde_json::{Map, Value};
use tracing::Instrument as _;

use super::cache::{LookupKey, NameCache};
use super::matching::Candidate;
use crate::audit::Audit;
use crate::call::accounts::Accounts;
use crate::call::call_record::{CallEnding, CallRecord};
use crate::call::caller::Caller;
use crate::call::failure::Failure;
use crate::call::lookup::NoLookup;
use crate::call::off_thread::off_thread;
use crate::call::paging::Pages;
use crate::call::paging::page::{HasMore, Page};
use crate::call::prepare::prepare;
use crate::call::record_slices;
use crate::call::resolve::Resolver;
use crate::call::retry::{RetryPolicy, Sender};
use crate::call::send::send;
use crate::call::tools::OfferedTools;
use crate::catalog::CatalogEntry;
use crate::error::CallError;
use crate::formats::FormatContext;
use crate::learn::Learner;
use crate::metrics::Metrics;
use crate::upstream::Answer;
use toolwright_model::{ALL, NameLookup, Verb};

/// What look-ups are made with.
#[derive(Clone, Copy)]
pub(in crate::call) struct NameContext<'a> {
    pub(in crate::call) tools: &'a OfferedTools,
    pub(in crate::call) accounts: &'a Accounts,
    pub(in crate::call) cache: &'a NameCache,
    pub(in crate::call) policy: RetryPolicy,
    pub(in crate::call) audit: Option<&'a Audit>,
    pub(in crate::call) metrics: &'a Metrics,
    pub(in crate::call) learner: Option<&'a Learner>,
    pub(in crate::call) now: SystemTime,
}

/// The records of a look-up.
#[derive(Debug, Default)]
pub(super) struct Records {
    pub(super) candidates: Vec<Candidate>,
    /// Why there may be others; `None` where these are proved to be all.
    pub(super) gap: Option<String>,
}

/// Why there are no records.
pub(super) enum NoRecords {
    /// The caller is not offered the tool.
    NotOffered,
    /// The call failed.
    Failed(Box<Failure>),
}

/// Records, and whether they were kept from an earlier look-up.
pub(super) struct Looked {
    pub(super) records: Arc<Records>,
    pub(super) is_kept: bool,
}

impl NameContext<'_> {
    /// Looks records up for a caller, unless they were looked up lately; with `anew` in any case.
    pub(super) async fn records(
        &self,
        caller: &Caller,
        by: &NameLookup,
        arguments: Map<String, Value>,
        anew: bool,
    ) -> Result<Looked, NoRecords> {
        let entry = self.tools.get(&by.tool).ok_or(NoRecords::NotOffered)?;
        let key = LookupKey {
            account: self.tools.grant().account(&entry.vendor).unwrap_or_default().to_owned(),
            settings: caller.chosen.0.clone(),
            principal: caller.principal.clone(),
            tool: by.tool.clone(),
            arguments: Value::Object(arguments.clone()).to_string(),
        };
        if let Some(records) = self.cache.get(&key, self.now).filter(|_| !anew) {
            return Ok(Looked { records, is_kept: true });
        }
        // Its effect is that of the look-up, by whatever call tool the call came.
        let caller = Caller { through: None, ..caller.clone() };
        let mut record = CallRecord::new(self.audit, self.metrics, &caller, &by.tool);
        let span = record.span();
        let pages = Box::pin(self.call(&caller, entry, arguments, by.one_page, &mut record)).instrument(span).await;
        record.end(&match &pages {
            Ok(Pages { answer, .. }) => {
                CallEnding::Answered { status: Some(answer.status), request_id: answer.request_id.as_deref() }
            }
            Err(failure) => CallEnding::Failed(failure),
        });
        let records = match pages {
            Ok(pages) => read(pages, entry, by).await.map_err(|failure| NoRecords::Failed(Box::new(failure)))?,
            Err(Failure::Call(CallError::Rejected(rejection))) if by.none == Some(rejection.status) => {
                Records::default()
            }
            Err(failure) => return Err(NoRecords::Failed(Box::new(failure))),
        };
        let records = Arc::new(records);
        self.cache.insert(key, self.now, Arc::clone(&records));
        Ok(Looked { records, is_kept: false })
    }

    async fn call<'c>(
        &'c self,
        caller: &'c Caller,
        entry: &CatalogEntry,
        mut arguments: Map<String, Value>,
        one_page: bool,
        record: &mut CallRecord<'c>,
    ) -> Result<Pages, Failure> {
        if entry.tool.is_own_argument(ALL) && !one_page {
            arguments.insert(ALL.to_owned(), Value::Bool(true));
        }
        let stage = Resolver {
            tools: self.tools,
            accounts: self.accounts,
            now: self.now,
            dry_run: false,
            folder: None,
            approvals: None,
        };
        let resolved = stage.resolve(caller, &entry.tool.name, &arguments, record).await?;
        let sender = Sender::new(&resolved, self.policy, self.metrics, self.learner);
        let lookups = &sender.session.lookups;
        let context =
            FormatContext { now: self.now, files: None, lookup: &NoLookup, cache: lookups, path: &[], properties: &[] };
        let prepared = prepare(resolved, self.policy.records, &context, self.tools).await?;
        record.intend(caller)?;
        Ok(send(&prepared, &sender, false).await?)
    }
}

/// Reads the records of an answer.
async fn read(pages: Pages, entry: &CatalogEntry, by: &NameLookup) -> Result<Records, Failure> {
    let Pages { answer, page, .. } = pages;
    let pointer = entry.tool.paging().and_then(|paging| paging.signs.records.clone());
    let is_one = entry.tool.verb == Verb::Get;
    let (bytes, pages) = (answer.body.len(), entry.tool.paging().is_some());
    let look_up = by.clone();
    let candidates = off_thread(bytes, move || candidates(&answer, pointer.as_deref(), is_one, &look_up)).await?;
    let gap = match &page {
        Some(page) => gap(page, by.one_page),
        None => pages.then(|| "the answer holds no list of records".to_owned()),
    };
    Ok(Records { candidates, gap })
}

/// Why a page may not hold all records. How a caller would read on is left out: a look-up has none who could.
fn gap(page: &Page, one_page: bool) -> Option<String> {
    const READ_ON: [&str; 3] = ["; next_cursor goes on", ". Pass next_cursor", ". `all: true`"];
    if page.has_more == HasMore::No && page.end_notes.is_empty() {
        return None;
    }
    if one_page {
        return Some(format!("only the first {} records were looked through", page.returned));
    }
    let reason = |note: &String| {
        let cut = READ_ON.iter().filter_map(|end| note.find(end)).min();
        let rest = note.find("; next_cursor goes on. ").map(|at| &note[at + "; next_cursor goes on".len()..]);
        format!("{}{}", &note[..cut.unwrap_or(note.len())], rest.unwrap_or_default())
    };
    match page.end_notes.as_slice() {
        [] => Some(format!("{} records were read, and there are more", page.returned)),
        notes => Some(notes.iter().map(reason).collect::<Vec<_>>().join("; ")),
    }
}

fn candidates(answer: &Answer, pointer: Option<&str>, is_one: bool, by: &NameLookup) -> Vec<Candidate> {
    let text = std::str::from_utf8(&answer.body).unwrap_or_default();
    if let Some(path) = &by.records {
        let pointer = format!("/{}", path.replace('.', "/"));
        let answer: Value = serde_json::from_str(text).unwrap_or_default();
        let records = answer.pointer(&pointer).and_then(Value::as_array);
        return records.into_iter().flatten().filter_map(|record| candidate(record, by)).collect();
    }
    let texts = match record_slices::list(text, pointer).filter(|_| !is_one) {
        Some(list) => record_slices::items(list).unwrap_or_default(),
        None => vec![text],
    };
    texts.into_iter().filter_map(|text| candidate(&serde_json::from_str(text).ok()?, by)).collect()
}

/// A record without an id, or with several, can't be meant.
fn candidate(record: &Value, by: &NameLookup) -> Option<Candidate> {
    let is_meant = by.filter.iter().all(|(field, wanted)| texts(record, field).contains(wanted));
    let named = |fields: &[String]| {
        let all =
            fields.iter().flat_map(|field| named(record, field).into_iter().map(move |text| (field.clone(), text)));
        all.filter(|(_, text)| !text.trim().is_empty()).collect::<Vec<_>>()
    };
    let [id] = <[String; 1]>::try_from(texts(record, &by.id)).ok().filter(|_| is_meant)?;
    Some(Candidate { id, names: named(&by.fields), show: named(&by.show) })
}

/// The texts at a path; those at several paths with spaces between are one.
fn named(record: &Value, field: &str) -> Vec<String> {
    if !field.contains(' ') {
        return texts(record, field);
    }
    let parts: Vec<String> = field.split(' ').filter_map(|path| texts(record, path).into_iter().next()).collect();
    vec![parts.join(" ")]
}

/// The texts and numbers at a dotted path, through lists.
fn texts(value: &Value, path: &str) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().flat_map(|item| texts(item, path)).collect(),
        Value::Object(entries) if !path.is_empty() => {
            let (name, rest) = path.split_once('.').unwrap_or((path, ""));
            entries.get(name).map(|entry| texts(entry, rest)).unwrap_or_default()
        }
        Value::String(text) if path.is_empty() => vec![text.clone()],
        Value::Number(number) if path.is_empty() => vec![number.to_string()],
        Value::Bool(flag) if path.is_empty() => vec![flag.to_string()],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by(fields: &[&str], id: &str, show: &[&str]) -> NameLookup {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        NameLookup { fields: owned(fields), id: id.to_owned(), show: owned(show), ..NameLookup::default() }
    }

    fn answer(body: &'static str) -> Answer {
        Answer { status: 200, body: bytes::Bytes::from_static(body.as_bytes()), ..Answer::default() }
    }

    #[test]
    fn records_are_read_from_lists_and_single_answers() {
        let by = by(&["name", "of.mail"], "id", &["active"]);
        let list =
            r#"{"page":1,"values":[{"id":7,"name":"A","of":{"mail":["a@x","b@x"]},"active":true},{"name":"no id"},3]}"#;
        let found = candidates(&answer(list), Some("/values"), false, &by);
        let pair = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        let names = vec![pair("name", "A"), pair("of.mail", "a@x"), pair("of.mail", "b@x")];
        assert_eq!(found, [Candidate { id: "7".to_owned(), names, show: vec![pair("active", "true")] }]);
        let inside = NameLookup { records: Some("of.all".to_owned()), ..by.clone() };
        let several = r#"{"id":1,"name":"no","other":[{"id":2,"name":"no"}],"of":{"all":[{"id":3,"name":"C"}]}}"#;
        for is_one in [true, false] {
            let found = candidates(&answer(several), None, is_one, &inside);
            assert_eq!(found.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), ["3"]);
        }
        // The only list of a single record is not a list of records.
        let one = r#"{"id":"5f","name":"B","tags":[{"id":1,"name":"C"}]}"#;
        assert_eq!(candidates(&answer(one), None, true, &by)[0].id, "5f");
        for nothing in ["null", "[]", "no JSON", ""] {
            assert!(candidates(&answer(nothing), None, true, &by).is_empty(), "{nothing}");
        }
    }

    #[test]
    fn only_a_proved_end_leaves_no_gap() {
        let page = |has_more, notes: &[&str]| Page {
            returned: 3,
            has_more,
            end_notes: notes.iter().map(|note| (*note).to_owned()).collect(),
            ..Page::default()
        };
        for (has_more, note, expected) in [
            (HasMore::No, None, None),
            (HasMore::Yes, None, Some("3 records were read, and there are more")),
            (
                HasMore::Unknown,
                Some("broke off after 3; next_cursor goes on. It is down"),
                Some("broke off after 3. It is down"),
            ),
            (HasMore::Yes, Some("stopped at 3 records; next_cursor goes on"), Some("stopped at 3 records")),
            (HasMore::Unknown, Some("no last page. Pass next_cursor as `cursor`"), Some("no last page")),
            (HasMore::No, Some("left out"), Some("left out")),
        ] {
            assert_eq!(gap(&page(has_more, note.as_slice()), false).as_deref(), expected, "{note:?}");
        }
        let one = gap(&page(HasMore::Unknown, &["x"]), true);
        assert_eq!(one.as_deref(), Some("only the first 3 records were looked through"));
    }
}
