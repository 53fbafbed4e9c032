//! The answer to one page → how many records it holds, and what comes after it. The end is
//! reported only if the vendor states it, or returned fewer records than were requested.

use std::fmt::Write as _;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::page::Start;
use crate::call::record_slices;
use crate::upstream::Answer;
use toolwright_model::{Paging, PagingKind, Place};

/// What one answer shows of its page.
#[derive(Debug)]
pub(super) struct PageSigns {
    /// How many records it holds.
    pub(super) rows: usize,
    /// How many records there are in all, as the vendor states it.
    pub(super) total: Option<u64>,
    /// Whether these are the records of the page before.
    pub(super) repeated: bool,
    pub(super) next: Next,
}

/// What comes after a page.
#[derive(Debug, PartialEq)]
pub(super) enum Next {
    /// Nothing; that is proved.
    Nothing,
    /// Another page, perhaps an empty one.
    At(Start),
    /// Perhaps another page, which can't be reached: why.
    Stuck(String),
}

/// Reads the answer to the page that begins at `start`; `None` if it holds no list of records.
pub(super) fn read(paging: &Paging, start: &Start, asked: Option<u64>, answer: &Answer) -> Option<PageSigns> {
    let text = std::str::from_utf8(&answer.body).ok()?;
    let signs = &paging.signs;
    let list = record_slices::list(text, signs.records.as_deref());
    let (rows, mark) = match list {
        Some(list) => (record_slices::items(list)?.len(), Some(mark(list))),
        // Some vendors omit a list that would be empty.
        None if signs.records.is_some() && text.trim_start().starts_with('{') => (0, None),
        None => return None,
    };
    let look = |pointer: &Option<String>| -> Option<Value> {
        serde_json::from_str(record_slices::at(text, pointer.as_deref()?)?)
            .ok()
            .filter(|value: &Value| !value.is_null())
    };
    let header = |name: &Option<String>| answer.headers.get(name.as_deref()?);
    let total =
        look(&signs.total).as_ref().and_then(whole).or_else(|| header(&signs.total_header)?.trim().parse().ok());
    let limits = (
        header(&signs.count_header).and_then(|count| count.trim().parse::<u64>().ok()),
        header(&signs.limit_header).and_then(|limit| limit.trim().parse::<u64>().ok()),
    );
    let next = match header(&signs.next_header) {
        Some(text) => Some(from_header(text)),
        None => look(&signs.next),
    };
    let evidence = Evidence {
        rows,
        asked,
        total,
        last: look(&signs.last).and_then(|last| last.as_bool()),
        short: matches!(limits, (Some(count), Some(limit)) if count < limit),
        next: next.and_then(|next| position(next, paging)),
        repeated: rows > 0 && mark.is_some() && mark == start.mark,
    };
    let repeated = evidence.repeated;
    let next = match evidence.after(paging, start) {
        After::Nothing => Next::Nothing,
        After::Stuck(reason) => Next::Stuck(reason),
        After::At(at) => {
            let seen = start.seen.map(|seen| seen + rows as u64);
            Next::At(Start { at: Some(at), seen, mark: mark.or_else(|| start.mark.clone()), size: start.size })
        }
    };
    Some(PageSigns { rows, total, repeated, next })
}

/// What indicates whether there is a next page.
struct Evidence {
    rows: usize,
    asked: Option<u64>,
    total: Option<u64>,
    /// Whether this is the last page, as the vendor states it.
    last: Option<bool>,
    /// Whether the page is shorter than its limit, by the vendor's headers.
    short: bool,
    next: Option<Value>,
    /// Whether these are the records of the page before.
    repeated: bool,
}

enum After {
    Nothing,
    At(Value),
    Stuck(String),
}

impl Evidence {
    fn after(self, paging: &Paging, start: &Start) -> After {
        let name = name(&paging.position);
        if self.last == Some(true) {
            return After::Nothing;
        }
        if self.repeated {
            return After::Stuck(format!(
                "the vendor answered with the records of the page before: it ignores `{name}`, and the further records can't be read"
            ));
        }
        if self.short {
            return After::Nothing;
        }
        let named = paging.signs.next.is_some() || paging.signs.next_header.is_some();
        match self.next {
            Some(next) if start.at.as_ref() == Some(&next) => After::Stuck(format!(
                "the vendor named the same position again as the next one (`{name}`): reading on would go in a circle"
            )),
            Some(next) => After::At(next),
            None if self.last == Some(false) && paging.kind == PagingKind::Token => {
                After::Stuck("the vendor states that there are more records, but not their position".to_owned())
            }
            None if named && self.last.is_none() => After::Nothing,
            None => self.counted(paging, start),
        }
    }

    /// Decides by counting, for positions that are numbers.
    fn counted(&self, paging: &Paging, start: &Start) -> After {
        let rows = self.rows as u64;
        let first = if paging.kind == PagingKind::Page { paging.signs.first } else { 0 };
        let here = start.at.as_ref().and_then(whole).unwrap_or(first);
        let (next, read) = if paging.kind == PagingKind::Page {
            // Pages are of one size, so their number gives the count of records before.
            let before = start.seen.or(self.asked.map(|asked| here.saturating_sub(first) * asked));
            (here + 1, before.map(|before| before + rows))
        } else {
            (here + rows, Some(here + rows))
        };
        let more = match (self.last, self.total, read) {
            (Some(false), _, _) => true,
            (_, Some(total), Some(read)) => read < total,
            (_, Some(total), None) => rows < total && rows > 0,
            (_, None, _) => rows > 0 && self.asked.is_none_or(|asked| rows >= asked),
        };
        match more {
            false => After::Nothing,
            true if rows == 0 && paging.kind == PagingKind::Offset => {
                After::Stuck("the vendor states that there are more records, but returned none".to_owned())
            }
            true => After::At(next.into()),
        }
    }
}

/// Reads a number, or a text of digits.
pub(super) fn whole(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())
}

/// Returns a short digest of the records.
fn mark(list: &str) -> String {
    let digest = Sha256::digest(list.as_bytes());
    digest.iter().take(4).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn name(place: &Place) -> &str {
    match place {
        Place::Path(name) | Place::Query(name) | Place::Header(name) | Place::Property(name) => name,
        Place::Properties | Place::Body => "the body",
    }
}

/// Reads a header's value, which is JSON if it is a list.
fn from_header(text: &str) -> Value {
    let text = text.trim();
    serde_json::from_str(text).ok().filter(Value::is_array).unwrap_or_else(|| text.into())
}

/// Reads the position that a vendor returns, by itself or inside a URL; `None` if it is empty.
fn position(next: Value, paging: &Paging) -> Option<Value> {
    let Value::String(text) = &next else { return (next != Value::Array(Vec::new())).then_some(next) };
    if text.is_empty() {
        return None;
    }
    let query = (text.starts_with("http") || text.starts_with('/')).then(|| text.split_once('?')).flatten();
    let name = name(&paging.position);
    let inside = query.and_then(|(_, query)| {
        let pair = url::form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name)?;
        Some(Value::from(pair.1.into_owned()))
    });
    let position = inside.unwrap_or(next);
    Some(match (paging.kind, whole(&position)) {
        (PagingKind::Offset | PagingKind::Page, Some(number)) => number.into(),
        _ => position,
    })
}

#[cfg(test)]
#[path = "signs_tests.rs"]
mod tests;
