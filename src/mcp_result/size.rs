//! An answer of any size → one within the bounds of models and clients: cut between records, still
//! JSON, with the way to the rest in its envelope.

use serde_json::Value;

use super::envelope::Envelope;
use super::pieces;
use crate::call::{Page, ReplyOffset, record_slices};

/// The longest text of an answer, in bytes.
const LARGEST: usize = 40_000;
/// The longest text inside a line of JSON, in bytes: some clients fail at lines of 64 KB.
const LARGEST_LINE: usize = 60_000;
/// The room for the envelope and its cursor, in bytes. Constant, so that an answer is cut in the
/// same places each time.
const ENVELOPE: usize = 5_000;

/// Which part of a reply is shown, and with which envelope.
pub(super) struct ReplyWindow<'a> {
    pub(super) envelope: &'a Envelope,
    /// Where the previous part ended.
    pub(super) from: ReplyOffset,
    /// Caches the answer and returns a cursor to an offset in it.
    pub(super) cursor: &'a dyn Fn(ReplyOffset) -> Option<String>,
}

/// Returns the part of a text that the window shows, in its envelope and within the bounds.
pub(super) fn bounded(text: &str, window: &ReplyWindow<'_>) -> String {
    if window.from == ReplyOffset::default() && fits(text, 0) {
        let json = || text.trim_start().starts_with(['{', '[', '"']) || serde_json::from_str::<Value>(text).is_ok();
        let whole = if window.envelope.is_empty() || !json() { text.to_owned() } else { window.envelope.wrap(text) };
        if fits(&whole, 0) {
            return whole;
        }
    }
    if let Some(list) = record_slices::longest_list(text)
        && text.len() - list.len() < LARGEST / 2
        && let Some(items) = record_slices::items(list)
    {
        return window.records(text, list, &items);
    }
    match serde_json::from_str::<Value>(text) {
        Ok(value) if window.from.record == 0 => {
            window.oversized_record(&value, text.len(), &RecordContext { text, list: text, count: 1 })
        }
        Ok(_) => window.envelope_for(0, "nothing is left of this answer".to_owned(), None).wrap("{}"),
        Err(_) => window.plain_text(text),
    }
}

/// Whether a text fits beside `reserved` bytes.
fn fits(text: &str, reserved: usize) -> bool {
    text.len() + reserved <= LARGEST && line_length(text) + reserved <= LARGEST_LINE
}

/// The length of the text inside a JSON string, in bytes.
fn line_length(text: &str) -> usize {
    text.bytes()
        .map(|byte| match byte {
            b'"' | b'\\' | b'\n' | b'\r' | b'\t' => 2,
            0..=0x1f => 6,
            _ => 1,
        })
        .sum()
}

/// How many texts fit beside `reserved` bytes and the envelope.
fn how_many<'a>(texts: impl Iterator<Item = &'a str>, reserved: usize) -> usize {
    let (mut bytes, mut line) = (ENVELOPE + reserved, ENVELOPE + reserved);
    texts
        .take_while(|text| {
            bytes += text.len() + 1;
            line += line_length(text) + 1;
            bytes <= LARGEST && line <= LARGEST_LINE
        })
        .count()
}

/// The text and the list in it that a record belongs to.
struct RecordContext<'a> {
    text: &'a str,
    list: &'a str,
    /// How many records the list has.
    count: usize,
}

impl RecordContext<'_> {
    /// Returns the text with only this record in the list.
    fn with(&self, record: &str) -> String {
        if self.list.len() == self.text.len() && !self.list.starts_with('[') {
            return record.to_owned();
        }
        record_slices::with_items(self.text, self.list, &[record])
    }
}

impl ReplyWindow<'_> {
    /// Returns the envelope of a part. `rest` is where the next part begins; `None` for the last
    /// part of the answer.
    fn envelope_for(&self, returned: usize, note: String, rest: Option<ReplyOffset>) -> Envelope {
        let page = self.envelope.page.clone().unwrap_or_default();
        let mut notes: Vec<String> = page.note.into_iter().chain(Some(note).filter(|note| !note.is_empty())).collect();
        let (has_more, next_cursor) = match rest {
            Some(offset) => (true, (self.cursor)(offset)),
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

    /// Shows as many records as fit.
    fn records(&self, text: &str, list: &str, items: &[&str]) -> String {
        let ReplyOffset { record: from, part } = self.from;
        let context = RecordContext { text, list, count: items.len() };
        let left = items.get(from..).unwrap_or_default();
        let reserved = line_length(text) - line_length(list);
        let shown = if part == 0 { how_many(left.iter().copied(), reserved) } else { 0 };
        if let Some(first) = left.first().filter(|_| shown == 0) {
            let value = serde_json::from_str(first).unwrap_or_default();
            return self.oversized_record(&value, first.len(), &context);
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
        self.envelope_for(shown, note, rest).wrap(&record_slices::with_items(text, list, &left[..shown]))
    }

    /// Shows a record that is too large on its own: first shortened, then the pieces cut out of it.
    fn oversized_record(&self, record: &Value, bytes: usize, context: &RecordContext<'_>) -> String {
        let ReplyOffset { record: at, part } = self.from;
        let next = (at + 1 < context.count).then_some(ReplyOffset { record: at + 1, part: 0 });
        for bounds in pieces::STEPS {
            let (short, cut) = pieces::cut(record.clone(), bounds);
            let short = context.with(&short.to_string());
            if !fits(&short, ENVELOPE) {
                continue;
            }
            if part == 0 {
                let note = format!(
                    "a record of {} KB: texts longer than {} characters and lists longer than {} items are cut, marked `…`; the pieces follow",
                    bytes / 1_000,
                    bounds.characters,
                    bounds.items
                );
                let rest = if cut.is_empty() { next } else { Some(ReplyOffset { record: at, part: 1 }) };
                return self.envelope_for(1, note, rest).wrap(&short);
            }
            let texts: Vec<String> = cut.iter().map(Value::to_string).collect();
            let left = texts.get(part - 1..).unwrap_or_default();
            let shown = how_many(left.iter().map(String::as_str), 0);
            let end = part - 1 + shown;
            let note = format!("pieces {part} to {end} of {} that were cut out of the record before", texts.len());
            let rest = if end < texts.len() { Some(ReplyOffset { record: at, part: end + 1 }) } else { next };
            return self.envelope_for(shown, note, rest).wrap(&format!("[{}]", left[..shown].join(",")));
        }
        let note = format!("a record of {} KB that can't be shown in parts", bytes / 1_000);
        let mut envelope = self.envelope_for(0, note, next);
        if next.is_none()
            && let Some(page) = &mut envelope.page
        {
            page.has_more = true;
        }
        envelope.wrap("{}")
    }

    /// Shows as many bytes as fit of a text that is not JSON.
    fn plain_text(&self, text: &str) -> String {
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
