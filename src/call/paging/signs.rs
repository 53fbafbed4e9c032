//! The answer to one page → how many records it holds, and what comes after it. The end is reported only if the vendor
//! states it: fewer records than were requested prove nothing.

use std::fmt::Write as _;
use std::ops::Range;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::page::Start;
use crate::call::record_slices;
use crate::upstream::Answer;
use toolwright_model::{Paging, PagingKind, Place};

/// So many pages in a row may come empty while the vendor states that there is more.
pub(super) const MOST_EMPTY_PAGES: u32 = 20;
/// So many in a row are read where the vendor states nothing and leaves out records: each may be a range of them.
const MOST_EMPTY_RANGES: u32 = 3;

/// What one answer shows of its page.
#[derive(Debug)]
pub(super) struct PageSigns {
    /// How many records it holds.
    pub(super) rows: usize,
    /// How many records were read with it, if reading began with the first.
    pub(super) read: Option<u64>,
    /// How many records there are in all, as the vendor states it.
    pub(super) total: Option<u64>,
    /// Whether these are the records of the page before.
    pub(super) repeated: bool,
    /// Where in the answer the list of records is; `None` where the vendor left it out.
    pub(super) list: Option<Range<usize>>,
    pub(super) next: Next,
}

/// What comes after a page.
#[derive(Debug, PartialEq)]
pub(super) enum Next {
    /// Nothing; that is proved.
    Nothing,
    /// Another page, as the vendor states.
    More(Start),
    /// Perhaps another page: the vendor states neither more nor the end.
    Perhaps(Start),
    /// A page that can't be reached.
    Stuck(Stuck),
}

/// Why reading can't go on.
#[derive(Debug, PartialEq)]
pub(super) struct Stuck {
    /// Whether the vendor states that there is more.
    pub(super) more: bool,
    /// The reason, with what to do.
    pub(super) reason: String,
}

/// Reads the answer to the page that begins at `start`; `None` if it holds no list of records.
///
/// # Errors
/// Something else is where the list should be; completes a sentence that begins with "the answer".
pub(super) fn read(
    paging: &Paging,
    start: &Start,
    asked: Option<u64>,
    answer: &Answer,
) -> Result<Option<PageSigns>, String> {
    let Ok(text) = std::str::from_utf8(&answer.body) else { return Ok(None) };
    let signs = &paging.signs;
    let list = record_slices::list(text, signs.records.as_deref());
    let items = list.and_then(record_slices::items);
    let (rows, mark) = match (list.zip(items), &signs.records) {
        (Some((list, items)), _) => (items.len(), Some(mark(list))),
        // Some vendors omit a list that would be empty.
        (None, Some(pointer)) if text.trim_start().starts_with('{') => {
            if record_slices::at(text, pointer).is_some_and(|found| found != "null") {
                return Err(format!("has no list at `{pointer}`, where its records should be"));
            }
            (0, None)
        }
        (None, _) => return Ok(None),
    };
    let look = |pointer: &Option<String>| -> Option<Value> {
        serde_json::from_str(record_slices::at(text, pointer.as_deref()?)?)
            .ok()
            .filter(|value: &Value| !value.is_null())
    };
    let header = |name: &Option<String>| answer.headers.get(name.as_deref()?);
    let count = |name: &Option<String>| header(name).and_then(|count| count.trim().parse::<u64>().ok());
    let next = match header(&signs.next_header) {
        Some(text) => Some(from_header(text)),
        None => look(&signs.next),
    };
    let next = next.map_or(NextSign::None, |next| next_sign(next, paging, start));
    let repeated = rows > 0 && mark.is_some() && mark == start.mark;
    let read = start.seen.map(|seen| if repeated { seen } else { seen + rows as u64 });
    let total = look(&signs.total).as_ref().and_then(whole).or_else(|| count(&signs.total_header));
    let evidence = Evidence {
        paging,
        start,
        rows: rows as u64,
        read,
        asked,
        // What is smaller than what was read counts something else.
        total: total.filter(|total| read.is_none_or(|read| read <= *total)),
        // An address that holds no position still states that there is more.
        last: look(&signs.last)
            .and_then(|last| last.as_bool())
            .or_else(|| (rows > 0 && matches!(next, NextSign::Elsewhere)).then_some(false)),
        count: count(&signs.count_header).zip(count(&signs.limit_header)),
        next: match next {
            NextSign::At(position) => Some(position),
            NextSign::None | NextSign::Elsewhere => None,
        },
        repeated,
        omitted: list.is_none().then_some(signs.records.as_deref()).flatten(),
    };
    let total = evidence.total;
    let empty = if rows == 0 { start.empty + 1 } else { 0 };
    let mark = mark.or_else(|| start.mark.clone());
    let page = |at| Start { at: Some(at), seen: read, mark, size: start.size, empty };
    let next = match evidence.after() {
        After::Nothing => Next::Nothing,
        After::More(at) => Next::More(page(at)),
        After::Perhaps(at) => Next::Perhaps(page(at)),
        After::Stuck(more, reason) => Next::Stuck(Stuck { more, reason }),
    };
    let list = list.map(|list| {
        let begin = (list.as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
        begin..begin + list.len()
    });
    Ok(Some(PageSigns { rows, read, total, repeated, list, next }))
}

/// What indicates whether there is a next page.
struct Evidence<'a> {
    paging: &'a Paging,
    start: &'a Start,
    rows: u64,
    /// How many records were read with this page, if reading began with the first.
    read: Option<u64>,
    asked: Option<u64>,
    total: Option<u64>,
    /// Whether this is the last page, as the vendor states it.
    last: Option<bool>,
    /// How many records the page holds and could hold, by the vendor's headers.
    count: Option<(u64, u64)>,
    next: Option<Value>,
    /// Whether these are the records of the page before.
    repeated: bool,
    /// The pointer to the list of records, where the answer has none.
    omitted: Option<&'a str>,
}

enum After {
    Nothing,
    More(Value),
    Perhaps(Value),
    /// Whether the vendor states that there is more; why it can't be read.
    Stuck(bool, String),
}

impl Evidence<'_> {
    fn after(self) -> After {
        let name = name(&self.paging.position);
        let counts = self.paging.signs.count_header.is_some();
        if self.last == Some(true) {
            return After::Nothing;
        }
        if self.repeated {
            let reason = format!(
                "the vendor answered with the records of the page before: it ignores `{name}`, and whatever else there is can't be read; narrow the search"
            );
            return After::Stuck(self.states_more(), reason);
        }
        if let Some(pointer) = self.omitted.filter(|_| self.total != Some(0) && self.next.is_none()) {
            let more = self.states_more();
            let known = if more {
                "the vendor states that there are more"
            } else {
                "`has_more` is unknown: the vendor does not state that there are none"
            };
            let reason = format!(
                "the answer has no `{pointer}`, where its records should be, and {known}; call again, or narrow the search"
            );
            return After::Stuck(more, reason);
        }
        // The limit may be the vendor's own and not what was requested.
        if let Some((count, limit)) = self.count
            && count < self.asked.map_or(limit, |asked| limit.min(asked))
        {
            return After::Nothing;
        }
        match &self.next {
            Some(next) if self.start.at.as_ref() == Some(next) => After::Stuck(
                self.states_more(),
                format!(
                    "the vendor named the same position again as the next one (`{name}`): reading on would go in a circle; narrow the search"
                ),
            ),
            // Where headers count, the position comes with the last page too.
            Some(next) if counts => After::Perhaps(next.clone()),
            Some(next) => After::More(next.clone()),
            None if self.paging.kind == PagingKind::Token => self.without_token(counts),
            None => self.counted(),
        }
    }

    /// Whether the vendor states that there are records after those that were read.
    fn states_more(&self) -> bool {
        let counts = self.paging.signs.count_header.is_some();
        self.last == Some(false)
            || (self.next.is_some() && !counts)
            || self.total.zip(self.read).is_some_and(|(total, read)| read < total)
    }

    /// Decides where the next position is missing: that is the end, unless something else contradicts it.
    fn without_token(&self, counts: bool) -> After {
        match (self.total, self.read) {
            _ if self.last == Some(false) => After::Stuck(
                true,
                "the vendor states that there are more records, but not their position; narrow the search".to_owned(),
            ),
            (Some(total), Some(read)) if read < total => After::Stuck(
                true,
                format!(
                    "the vendor counts {total} records, of which {read} were read, but names no position for the others; narrow the search"
                ),
            ),
            _ if counts && self.rows > 0 => After::Stuck(
                false,
                "the vendor sent neither the count of this page nor the position of the next; narrow the search"
                    .to_owned(),
            ),
            _ => After::Nothing,
        }
    }

    /// Decides by counting, for positions that are numbers.
    fn counted(&self) -> After {
        let signs = &self.paging.signs;
        let here = here(self.paging, self.start);
        // How far this page reaches. Where the vendor leaves out records of a range, its whole range was looked at.
        let asked = self.asked.unwrap_or_default();
        let range = if signs.cuts || self.rows == 0 { self.rows.max(asked) } else { self.rows };
        let (next, covered) = if self.paging.kind == PagingKind::Page {
            // Pages are of one size, so their number gives the count of records before.
            let by_number = self.asked.map(|asked| here.saturating_sub(signs.first) * asked);
            let before = if signs.cuts { by_number } else { self.start.seen.or(by_number) };
            (here + 1, before.map(|before| before + range))
        } else {
            (here + range, Some(here + range))
        };
        let total = self.total;
        let uncovered = total.zip(covered).is_some_and(|(total, covered)| covered < total);
        // A vendor that states more for ever, and returns nothing, is not followed for ever.
        let advances = next > here && (uncovered || self.start.empty < MOST_EMPTY_PAGES);
        if self.last == Some(false) || uncovered {
            return if advances {
                After::More(next.into())
            } else {
                let reason = "the vendor states that there are more records, but returned none; narrow the search";
                After::Stuck(true, reason.to_owned())
            };
        }
        match signs.reach {
            _ if total.is_some() && covered.is_some() => After::Nothing,
            Some(reach) if next == here || covered.is_none_or(|covered| covered >= reach) => After::Stuck(
                false,
                format!(
                    "`has_more` is unknown: the vendor looks through its first {reach} records only and leaves out those that do not match, and these were all read; a listing of all records shows what lies beyond"
                ),
            ),
            None if self.rows == 0 && !signs.cuts => After::Nothing,
            None if self.rows == 0 && self.start.empty + 1 >= MOST_EMPTY_RANGES => After::Stuck(
                false,
                format!(
                    "`has_more` is unknown: the last {MOST_EMPTY_RANGES} pages came empty, and the vendor leaves out records after it has cut a page, so that does not prove the end"
                ),
            ),
            _ => After::Perhaps(next.into()),
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
        Place::Path(name) | Place::Query(name) | Place::Header(name) | Place::Cookie(name) | Place::Property(name) => {
            name
        }
        Place::Properties | Place::Body => "the body",
    }
}

/// Reads a header's value, which is JSON if it is a list.
fn from_header(text: &str) -> Value {
    let text = text.trim();
    serde_json::from_str(text).ok().filter(Value::is_array).unwrap_or_else(|| text.into())
}

/// What a vendor states of the next position.
enum NextSign {
    /// None.
    None,
    At(Value),
    /// An address in which the position is missing.
    Elsewhere,
}

/// Reads the position that a vendor returns, by itself or inside an address.
fn next_sign(next: Value, paging: &Paging, start: &Start) -> NextSign {
    if next == Value::Array(Vec::new()) || next.as_str().is_some_and(str::is_empty) {
        return NextSign::None;
    }
    let address = next.as_str().filter(|text| text.starts_with("http") || text.starts_with('/'));
    let position = match address.and_then(|text| text.split_once('?')) {
        Some((_, query)) => {
            let name = name(&paging.position);
            let found = url::form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name);
            let Some((_, position)) = found else { return NextSign::Elsewhere };
            Value::from(position.into_owned())
        }
        None => next,
    };
    if paging.kind == PagingKind::Token {
        return NextSign::At(position);
    }
    match whole(&position) {
        Some(number) if number > here(paging, start) => NextSign::At(number.into()),
        // Not after this page: such a position would lead back.
        Some(_) => NextSign::None,
        None => NextSign::Elsewhere,
    }
}

/// Returns the position of a page, where positions are numbers.
fn here(paging: &Paging, start: &Start) -> u64 {
    let first = if paging.kind == PagingKind::Page { paging.signs.first } else { 0 };
    start.at.as_ref().and_then(whole).unwrap_or(first)
}

#[cfg(test)]
#[path = "signs_tests.rs"]
mod tests;
