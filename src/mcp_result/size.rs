//! An answer of any size → one within the bounds of models and clients: cut between records, or inside
//! of one that is too large alone; still JSON, with what is left out and the way to it in its envelope.

use serde_json::Value;
use serde_json::value::RawValue;

use super::pieces::{self, CutRecord};
use super::weight::{LIGHTEST_CHARACTER, json_weight, line_length};
use crate::call::{Envelope, HasMore, Page, ReplyOffset, record_slices};
use crate::sanitize::json::Json;
use crate::sanitize::{EVERY, marks};
use toolwright_model::answer_limits::{ENVELOPE_BYTES, RESULT_BYTES, RESULT_LINE};

/// How much text a result may have.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bound {
    bytes: usize,
    /// Bytes inside a line of JSON.
    line: usize,
}

impl Bound {
    /// The longest text, 40 KB; and 60 KB within a line of JSON, because some clients fail at lines
    /// of 64 KB.
    pub(super) const RESULT: Self = Self { bytes: RESULT_BYTES, line: RESULT_LINE };

    /// Returns what is left after a text.
    pub(super) fn after(self, text: &str) -> Self {
        Self { bytes: self.bytes.saturating_sub(text.len()), line: self.line.saturating_sub(line_length(text)) }
    }

    /// Returns the same with so many bytes, and a line in proportion.
    pub(super) fn of_bytes(self, bytes: usize) -> Self {
        Self { bytes, line: bytes * self.line / self.bytes.max(1) }
    }

    /// Returns what is left without so many bytes.
    pub(super) fn less(self, bytes: usize) -> Self {
        self.of_bytes(self.bytes.saturating_sub(bytes))
    }

    /// How many bytes it has.
    pub(super) fn bytes(self) -> usize {
        self.bytes
    }

    /// What a text takes of it, in bytes: more than it has where its line is long.
    pub(super) fn cost(self, text: &str) -> usize {
        text.len().max(line_length(text) * self.bytes / self.line.max(1))
    }

    /// Whether it leaves room for a part of an answer with its envelope.
    pub(super) fn has_room(self) -> bool {
        self.bytes > 2 * ENVELOPE_BYTES && self.line > 3 * ENVELOPE_BYTES
    }

    fn fits(self, text: &str) -> bool {
        text.len() <= self.bytes && line_length(text) <= self.line
    }

    /// The most weight beside an envelope: within it both bounds hold.
    fn weight(self) -> usize {
        let weight = (self.bytes * LIGHTEST_CHARACTER).min(self.line * 2);
        weight.saturating_sub(ENVELOPE_BYTES * LIGHTEST_CHARACTER)
    }

    /// How many texts fit beside `reserved` bytes and the envelope.
    fn how_many(self, texts: impl Iterator<Item = impl AsRef<str>>, reserved: usize) -> usize {
        let (mut bytes, mut line) = (ENVELOPE_BYTES + reserved, ENVELOPE_BYTES + reserved);
        texts
            .take_while(|text| {
                let text = text.as_ref();
                bytes += text.len() + 1;
                line += line_length(text) + 1;
                bytes <= self.bytes && line <= self.line
            })
            .count()
    }
}

/// Which part of a reply is shown, and with which envelope.
pub(super) struct ReplyWindow<'a> {
    pub(super) envelope: &'a Envelope,
    pub(super) bound: Bound,
    /// Where the previous part ended.
    pub(super) from: ReplyOffset,
    /// Caches the answer and returns a cursor to an offset in it; `None` where no cursor leads on.
    pub(super) cursor: Option<&'a dyn Fn(ReplyOffset) -> Option<String>>,
}

/// Returns the part of a text that the window shows, in its envelope and within the bounds.
pub(super) fn bounded(text: &str, window: &ReplyWindow<'_>) -> String {
    let bound = window.bound;
    if window.from == ReplyOffset::default() && bound.fits(text) {
        let json = text.trim_start().starts_with(['{', '[', '"']) || serde_json::from_str::<&RawValue>(text).is_ok();
        let whole = if json { window.envelope.wrap(text) } else { text.to_owned() };
        if bound.fits(&whole) {
            return whole;
        }
    }
    if let Some((name, list)) = record_slices::longest_list(text)
        && text.len() - list.len() < bound.bytes / 2
        // Without a way to the rest, a record is cut where it is largest, not in its longest list.
        && (name.is_empty() || window.cursor.is_some() || window.envelope.page.is_some())
        && let Some(items) = record_slices::items(list)
    {
        return window.records(&RecordContext { text, list, name, count: items.len() }, &items);
    }
    match Json::parse(text) {
        Ok(value) if window.from.record == 0 => window.oversized_record(
            value,
            text.len(),
            &RecordContext { text, list: text, name: String::new(), count: 1 },
        ),
        Ok(_) => window.envelope_for(0, "nothing is left of this answer".to_owned(), None).wrap("{}"),
        Err(_) => window.plain_text(text),
    }
}

/// Returns a value as JSON within the bounds; where it had to be cut, with the names of what is missing.
pub(super) fn bounded_value(value: &Value) -> String {
    let text = value.to_string();
    if Bound::RESULT.fits(&text) {
        return text;
    }
    let Ok(value) = Json::parse(&text) else { return bounded_message(text) };
    let CutRecord { mut record, omitted, .. } = pieces::cut(value, Bound::RESULT.weight());
    let omitted = Envelope { omitted, ..Envelope::default() }.wrap("{}");
    if let (Json::Object(record), Ok(Json::Object(omitted))) = (&mut record, Json::parse(&omitted)) {
        record.extend(omitted);
    }
    record.to_text(text.len().min(RESULT_BYTES))
}

/// Returns a message within the bounds.
pub(super) fn bounded_message(text: String) -> String {
    if Bound::RESULT.fits(&text) {
        return text;
    }
    let end = marks::whole_until(&text, end_within(&text, Bound::RESULT));
    format!("{}…", &text[..end])
}

/// Returns where a text must end so that it fits beside an envelope.
fn end_within(text: &str, bound: Bound) -> usize {
    let (mut bytes, mut line) = (ENVELOPE_BYTES, ENVELOPE_BYTES);
    let end = text.char_indices().find(|(_, c)| {
        bytes += c.len_utf8();
        line += line_length(c.encode_utf8(&mut [0; 4]));
        bytes > bound.bytes || line > bound.line
    });
    end.map_or(text.len(), |(at, _)| at)
}

/// The text and the list in it that a record belongs to.
struct RecordContext<'a> {
    text: &'a str,
    list: &'a str,
    /// The dotted name of the list; empty where the text is the list.
    name: String,
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
            Some(offset) => (HasMore::Yes, self.cursor.and_then(|cursor| cursor(offset))),
            None => (page.has_more, page.next_cursor),
        };
        if rest.is_some() {
            notes.push(
                match next_cursor {
                    Some(_) => {
                        "pass next_cursor as `cursor` for more, or narrow the search, or name the `fields` you need"
                    }
                    None => "the rest can't be shown",
                }
                .to_owned(),
            );
        }
        let note = Some(notes.join(". ")).filter(|note| !note.is_empty());
        // What is to be known of the page's end belongs to its last part.
        let end_notes = if rest.is_some() { Vec::new() } else { page.end_notes };
        let page = Page { returned, has_more, next_cursor, total: page.total, note, end_notes };
        Envelope { page: Some(page), ..self.envelope.clone() }
    }

    /// Shows as many records as fit.
    fn records(&self, context: &RecordContext<'_>, items: &[&str]) -> String {
        let RecordContext { text, list, name, .. } = context;
        let ReplyOffset { record: from, part } = self.from;
        let left = items.get(from..).unwrap_or_default();
        let reserved = line_length(text) - line_length(list);
        let shown = if part == 0 { self.bound.how_many(left.iter().copied(), reserved) } else { 0 };
        if let Some(first) = left.first().filter(|_| shown == 0) {
            let Ok(value) = Json::parse(first) else { return self.plain_text(text) };
            return self.oversized_record(value, first.len(), context);
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
        let is_part = shown < all && !name.is_empty() && self.envelope.page.is_none();
        let mut envelope = self.envelope_for(shown, note, rest);
        // A list inside of a record is a field, of which a part is missing.
        envelope.omitted.splice(..0, is_part.then(|| name.clone()));
        envelope.wrap(&record_slices::with_items(text, list, &left[..shown]))
    }

    /// Shows a record that is too large on its own: first cut inside, then the pieces cut out of it.
    fn oversized_record(&self, record: Json<'_>, bytes: usize, context: &RecordContext<'_>) -> String {
        let ReplyOffset { record: at, part } = self.from;
        let next = (at + 1 < context.count).then_some(ReplyOffset { record: at + 1, part: 0 });
        let room = self.bound.weight().saturating_sub(json_weight(&context.with("")));
        let CutRecord { record, pieces, omitted } = pieces::cut(record, room);
        if part > 0 {
            return self.pieces(&pieces, next);
        }
        let note = format!("a record of {} KB is cut, its largest values first; `omitted` names them", bytes / 1_000);
        let has_pieces = self.cursor.is_some() && !pieces.is_empty();
        let rest = if has_pieces { Some(ReplyOffset { record: at, part: 1 }) } else { next };
        let mut envelope = if self.cursor.is_none() && self.envelope.page.is_none() && context.count == 1 {
            // The answer to a change is no page, and nothing leads on from it.
            let notes = self.envelope.notes.iter().cloned().chain([note]).collect();
            Envelope { notes, ..self.envelope.clone() }
        } else {
            let note = if has_pieces { format!("{note}, and the pieces follow") } else { note };
            self.envelope_for(1, note, rest)
        };
        envelope.omitted.splice(..0, omitted);
        envelope.wrap(&context.with(&record.to_text(0)))
    }

    /// Shows as many pieces of a record as fit.
    fn pieces(&self, pieces: &[Json<'_>], next: Option<ReplyOffset>) -> String {
        let ReplyOffset { record: at, part } = self.from;
        let left = pieces.get(part - 1..).unwrap_or_default();
        // Each fits by itself.
        let shown = self.bound.how_many(left.iter().map(|piece| piece.to_text(0)), 0).max(1).min(left.len());
        let end = part - 1 + shown;
        let note = if left.is_empty() {
            "nothing is left of what was cut out of the record before".to_owned()
        } else {
            format!("pieces {part} to {end} of {} that were cut out of the record before", pieces.len())
        };
        let rest = if end < pieces.len() { Some(ReplyOffset { record: at, part: end + 1 }) } else { next };
        let envelope = self.envelope_for(shown, note, rest);
        // A piece's own names are not those of the fields.
        let untrusted = if envelope.untrusted.is_empty() { Vec::new() } else { vec![EVERY.to_owned()] };
        let envelope = Envelope { untrusted, omitted: Vec::new(), ..envelope };
        envelope.wrap(&Json::List(pieces.get(part - 1..end).unwrap_or_default().to_vec()).to_text(0))
    }

    /// Shows as many bytes as fit of a text that is not JSON.
    fn plain_text(&self, text: &str) -> String {
        let from =
            (self.from.part.min(text.len())..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or_default();
        let end = from + end_within(&text[from..], self.bound);
        let shown = format!("bytes {from} to {end} of {}", text.len());
        let next = (end < text.len()).then_some(ReplyOffset { record: 0, part: end });
        let next = next.and_then(|offset| self.cursor.and_then(|cursor| cursor(offset)));
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
