//! An answer of any size → one that a model can read and a client can take: cut at the borders of
//! records, JSON still, saying in its envelope what was left out and how to reach it.

use serde_json::Value;

use super::envelope::Envelope;
use super::pieces;
use crate::call::{Page, ReplyOffset, record_slices};

/// The longest text of an answer, in bytes.
const LARGEST: usize = 40_000;
/// The longest text as it stands in a line of JSON: lines of 64 KB break some clients.
const LARGEST_LINE: usize = 60_000;
/// What the envelope may cost, cursor and all: the same each time, so that an answer is cut in
/// the same place when it is looked at again.
const ENVELOPE: usize = 5_000;

/// A text and what there is to say of it.
pub(super) struct View<'a> {
    pub envelope: &'a Envelope,
    /// What was shown before.
    pub from: ReplyOffset,
    /// Keeps the answer, and returns the cursor to a spot in it.
    pub cursor: &'a dyn Fn(ReplyOffset) -> Option<String>,
}

/// Returns what of a text comes next, in its envelope and in its bounds.
pub(super) fn bounded(text: &str, view: &View<'_>) -> String {
    if view.from == ReplyOffset::default() && fits(text, 0) {
        let json = || text.trim_start().starts_with(['{', '[', '"']) || serde_json::from_str::<Value>(text).is_ok();
        let whole = if view.envelope.is_empty() || !json() { text.to_owned() } else { view.envelope.around(text) };
        if fits(&whole, 0) {
            return whole;
        }
    }
    if let Some(list) = record_slices::longest_list(text)
        && text.len() - list.len() < LARGEST / 2
        && let Some(items) = record_slices::items(list)
    {
        return view.records(text, list, &items);
    }
    match serde_json::from_str::<Value>(text) {
        Ok(value) if view.from.record == 0 => view.one(&value, text.len(), &Around { text, list: text, all: 1 }),
        Ok(_) => view.say(0, "nothing is left of this answer".to_owned(), None).around("{}"),
        Err(_) => view.plain(text),
    }
}

fn fits(text: &str, besides: usize) -> bool {
    text.len() + besides <= LARGEST && line_length(text) + besides <= LARGEST_LINE
}

/// How long the text is inside a JSON string.
fn line_length(text: &str) -> usize {
    text.bytes()
        .map(|byte| match byte {
            b'"' | b'\\' | b'\n' | b'\r' | b'\t' => 2,
            0..=0x1f => 6,
            _ => 1,
        })
        .sum()
}

/// How many texts fit beside what takes `besides` bytes.
fn how_many<'a>(texts: impl Iterator<Item = &'a str>, besides: usize) -> usize {
    let (mut bytes, mut line) = (ENVELOPE + besides, ENVELOPE + besides);
    texts
        .take_while(|text| {
            bytes += text.len() + 1;
            line += line_length(text) + 1;
            bytes <= LARGEST && line <= LARGEST_LINE
        })
        .count()
}

/// Where a record stands: in a list of so many, in a text.
struct Around<'a> {
    text: &'a str,
    list: &'a str,
    all: usize,
}

impl Around<'_> {
    /// The text with nothing in the list but this record.
    fn with(&self, record: &str) -> String {
        if self.list.len() == self.text.len() && !self.list.starts_with('[') {
            return record.to_owned();
        }
        record_slices::with_items(self.text, self.list, &[record])
    }
}

impl View<'_> {
    /// The envelope of a part. `rest` is where what was left out begins; `None` where the part is
    /// the last one of the answer.
    fn say(&self, returned: usize, note: String, rest: Option<ReplyOffset>) -> Envelope {
        let page = self.envelope.page.clone().unwrap_or_default();
        let mut notes: Vec<String> = page.note.into_iter().chain(Some(note).filter(|note| !note.is_empty())).collect();
        let (has_more, next_cursor) = match rest {
            Some(spot) => (true, (self.cursor)(spot)),
            None => (page.has_more, page.next_cursor),
        };
        if rest.is_some() {
            let way = if next_cursor.is_some() { "pass next_cursor as `cursor` for more, or" } else { "To see more," };
            notes.push(format!("{way} narrow the search, or name the `fields` you need"));
        }
        let note = Some(notes.join(". ")).filter(|note| !note.is_empty());
        let page = Page { returned, has_more, next_cursor, total: page.total, note };
        Envelope { page: Some(page), ..self.envelope.clone() }
    }

    /// As many records as fit.
    fn records(&self, text: &str, list: &str, items: &[&str]) -> String {
        let ReplyOffset { record: from, part } = self.from;
        let around = Around { text, list, all: items.len() };
        let left = items.get(from..).unwrap_or_default();
        let besides = line_length(text) - line_length(list);
        let shown = if part == 0 { how_many(left.iter().copied(), besides) } else { 0 };
        if let Some(first) = left.first().filter(|_| shown == 0) {
            let value = serde_json::from_str(first).unwrap_or_default();
            return self.one(&value, first.len(), &around);
        }
        let (end, all) = (from + shown, items.len());
        let rest = (end < all).then_some(ReplyOffset { record: end, part: 0 });
        let note = match (rest, from) {
            (None, 0) => String::new(),
            _ if left.is_empty() => format!("nothing is left of the {all} records"),
            _ => format!(
                "records {} to {end} of the {all} of this answer, which has {} KB",
                from + 1,
                text.len() / 1_000
            ),
        };
        self.say(shown, note, rest).around(&record_slices::with_items(text, list, &left[..shown]))
    }

    /// One record that alone is too large: shortened, and after that what was cut out of it.
    fn one(&self, record: &Value, bytes: usize, around: &Around<'_>) -> String {
        let ReplyOffset { record: at, part } = self.from;
        let behind = (at + 1 < around.all).then_some(ReplyOffset { record: at + 1, part: 0 });
        for bounds in pieces::SHORTER {
            let (short, cut) = pieces::cut(record.clone(), bounds);
            let short = around.with(&short.to_string());
            if !fits(&short, ENVELOPE) {
                continue;
            }
            if part == 0 {
                let note = format!(
                    "a record of {} KB: texts longer than {} characters and lists longer than {} items are cut, marked `…`; what was cut comes next",
                    bytes / 1_000,
                    bounds.characters,
                    bounds.items
                );
                let rest = if cut.is_empty() { behind } else { Some(ReplyOffset { record: at, part: 1 }) };
                return self.say(1, note, rest).around(&short);
            }
            let texts: Vec<String> = cut.iter().map(Value::to_string).collect();
            let left = texts.get(part - 1..).unwrap_or_default();
            let shown = how_many(left.iter().map(String::as_str), 0);
            let end = part - 1 + shown;
            let note = format!("what was cut out of the record before: parts {part} to {end} of {}", texts.len());
            let rest = if end < texts.len() { Some(ReplyOffset { record: at, part: end + 1 }) } else { behind };
            return self.say(shown, note, rest).around(&format!("[{}]", left[..shown].join(",")));
        }
        let note = format!("a record of {} KB that can't be shown in parts", bytes / 1_000);
        let mut said = self.say(0, note, behind);
        if behind.is_none()
            && let Some(page) = &mut said.page
        {
            page.has_more = true;
        }
        said.around("{}")
    }

    /// Text that is no JSON: so many bytes of it.
    fn plain(&self, text: &str) -> String {
        let from =
            (self.from.part.min(text.len())..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or_default();
        let (mut bytes, mut line) = (ENVELOPE, ENVELOPE);
        let end = text[from..].char_indices().find(|(_, c)| {
            bytes += c.len_utf8();
            line += line_length(c.encode_utf8(&mut [0; 4]));
            bytes > LARGEST || line > LARGEST_LINE
        });
        let end = end.map_or(text.len(), |(at, _)| from + at);
        let shown = format!("bytes {from} to {end} of {}", text.len());
        let next = (end < text.len()).then(|| (self.cursor)(ReplyOffset { record: 0, part: end })).flatten();
        let way = match next {
            Some(cursor) => format!("{shown}; for more pass this as `cursor`: {cursor}"),
            None => shown,
        };
        format!("(cut: {way})\n{}", &text[from..end])
    }
}

#[cfg(test)]
#[path = "size_tests.rs"]
mod tests;
