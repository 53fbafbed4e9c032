//! A record that is too large → the record cut inside until it fits, and the pieces that were cut out,
//! each small enough for an answer.
//!
//! Each object's room goes first to its ids and keys, then to its numbers and flags, and then in equal
//! shares to the rest: what is smaller than its share is kept whole and leaves the remainder to the
//! others, so that the largest values are cut first.

use std::borrow::Cow;
use std::collections::HashSet;

use super::weight::{LIGHTEST_CHARACTER, entry_weight, text_weight, weight};
use crate::sanitize::json::Json;
use crate::sanitize::marks;
use toolwright_model::answer_limits::{PIECE_CHARACTERS, PIECE_WEIGHT};
use toolwright_model::truncate;

/// The least share of a text or a list: less would show nothing of it.
const LEAST_SHARE: usize = 300;
/// The longest pointer and the longest dotted name, in characters: a vendor's data may have any names.
const LONGEST_POINTER: usize = 1_000;
/// The room for the mark at the end of what is cut.
const MARK: usize = 120;
/// The most weight of an id: a longer text is no id, whatever its name.
const LARGEST_ID: usize = 3_000;

/// In place of what can't be shown at all.
const NOTHING: Json<'static> = Json::Plain(Cow::Borrowed("null"));

/// An entry of an object.
type Entry<'t> = (Cow<'t, str>, Json<'t>);

/// Makes an object with entries of ours.
fn object<'t, const N: usize>(entries: [(&'static str, Json<'t>); N]) -> Json<'t> {
    Json::Object(entries.map(|(name, value)| (Cow::Borrowed(name), value)).into())
}

/// A record within its room, and what was cut out of it.
pub(super) struct CutRecord<'t> {
    pub(super) record: Json<'t>,
    /// What was cut out, with the JSON pointers where it belongs.
    pub(super) pieces: Vec<Json<'t>>,
    /// The dotted names of what is not shown, or not whole.
    pub(super) omitted: Vec<String>,
}

/// Cuts a record until it has at most this weight. Cuts in the same places each time.
pub(super) fn cut(record: Json<'_>, room: usize) -> CutRecord<'_> {
    let mut cutter = Cutter::default();
    let record = cutter.fit(record, room, &Spot::default()).unwrap_or(NOTHING);
    let Cutter { pieces, mut omitted, .. } = cutter;
    omitted.sort_by_key(|name| name.matches('.').count());
    CutRecord { record, pieces, omitted }
}

fn number<'t>(count: usize) -> Json<'t> {
    Json::Plain(count.to_string().into())
}

/// Where in a record a value is.
#[derive(Debug, Clone, Default)]
struct Spot {
    /// Its JSON pointer.
    pointer: String,
    /// Its name and those of the objects around it; lists are passed through.
    name: String,
}

impl Spot {
    fn entry(&self, name: &str) -> Self {
        let step = name.replace('~', "~0").replace('/', "~1");
        let dotted = if self.name.is_empty() { name.to_owned() } else { format!("{}.{name}", self.name) };
        let bounded = |text: String| truncate(&text, LONGEST_POINTER).into_owned();
        Self { pointer: bounded(format!("{}/{step}", self.pointer)), name: bounded(dotted) }
    }

    fn pointer<'t>(&self) -> Json<'t> {
        Json::Text(self.pointer.clone().into())
    }

    fn item(&self, index: usize) -> Self {
        Self { pointer: format!("{}/{index}", self.pointer), name: self.name.clone() }
    }
}

#[derive(Default)]
struct Cutter<'t> {
    pieces: Vec<Json<'t>>,
    omitted: Vec<String>,
    /// The names in `omitted`.
    seen: HashSet<String>,
}

impl<'t> Cutter<'t> {
    /// Returns a value within its room.
    ///
    /// # Errors
    /// Nothing of it can be shown in so little: the value, unchanged.
    fn fit(&mut self, value: Json<'t>, room: usize, at: &Spot) -> Result<Json<'t>, Json<'t>> {
        if weight(&value, room) <= room {
            return Ok(value);
        }
        match value {
            Json::Text(text) if room >= LEAST_SHARE => Ok(self.text(&text, room, at)),
            Json::List(items) if room >= LEAST_SHARE => Ok(self.list(items, room, at)),
            Json::Object(entries) if room >= LEAST_SHARE => Ok(self.object(entries, room, at)),
            value => Err(value),
        }
    }

    fn text(&mut self, text: &str, room: usize, at: &Spot) -> Json<'t> {
        self.omit(at);
        let mut left = room.saturating_sub(MARK);
        let end = text.char_indices().find_map(|(end, c)| {
            let Some(rest) = left.checked_sub(text_weight(c.encode_utf8(&mut [0; 4]), usize::MAX)) else {
                return Some(end);
            };
            left = rest;
            None
        });
        let (kept, mut rest) = text.split_at(marks::whole_until(text, end.unwrap_or(text.len())));
        let mut from = kept.chars().count();
        while !rest.is_empty() {
            let (piece, further) = rest.split_at(end_of_piece(rest));
            let text = Json::Text(piece.to_owned().into());
            self.pieces.push(object([("at", at.pointer()), ("from", number(from)), ("text", text)]));
            from += piece.chars().count();
            rest = further;
        }
        Json::Text(format!("{kept}…{}", marks::cut(&format!("{from} characters"))).into())
    }

    /// Keeps the first items.
    fn list(&mut self, items: Vec<Json<'t>>, room: usize, at: &Spot) -> Json<'t> {
        self.omit(at);
        let all = items.len();
        let mut left = room.saturating_sub(MARK);
        let mut kept = Vec::new();
        let mut items = items.into_iter().enumerate();
        for (index, item) in items.by_ref() {
            let own = weight(&item, left) + LIGHTEST_CHARACTER;
            if own <= left {
                left -= own;
                kept.push(item);
                continue;
            }
            // A first item that is too large is cut inside, so that the list is not empty.
            let spot = at.item(index);
            let part = if index == 0 { self.fit(item, left, &spot) } else { Err(item) };
            match part {
                Ok(part) => kept.push(part),
                Err(item) => self.piece(item, &spot),
            }
            break;
        }
        self.items(items, at);
        kept.push(Json::Text(format!("…{}", marks::cut(&format!("{all} items"))).into()));
        Json::List(kept)
    }

    fn object(&mut self, entries: Vec<Entry<'t>>, room: usize, at: &Spot) -> Json<'t> {
        let mut order: Vec<Rank> =
            entries.iter().enumerate().map(|(index, entry)| Rank::of(index, entry, room)).collect();
        order.sort_unstable();
        let mut entries: Vec<Option<Entry<'t>>> = entries.into_iter().map(Some).collect();
        let mut kept: Vec<Option<Entry<'t>>> = entries.iter().map(|_| None).collect();
        let mut left = room.saturating_sub(2 * LIGHTEST_CHARACTER);
        let mut further = order.iter().filter(|rank| rank.kind == Kind::Rest).count();
        let mut out: Vec<(usize, Entry<'t>)> = Vec::new();
        for Rank { kind, index, .. } in order {
            let Some((name, value)) = entries.get_mut(index).and_then(Option::take) else { continue };
            let around = entry_weight(&name);
            let fair = (left / further.max(1)).max(LEAST_SHARE + around).min(left);
            let share = if kind == Kind::Rest { fair } else { left };
            further -= usize::from(kind == Kind::Rest);
            match self.fit(value, share.saturating_sub(around), &at.entry(&name)) {
                Ok(value) => {
                    left = left.saturating_sub(around + weight(&value, left));
                    if let Some(slot) = kept.get_mut(index) {
                        *slot = Some((name, value));
                    }
                }
                Err(value) => out.push((index, (name, value))),
            }
        }
        out.sort_unstable_by_key(|(index, ..)| *index);
        self.entries(out, at);
        Json::Object(kept.into_iter().flatten().collect())
    }

    /// Makes pieces of the items that a list has no room for: several in one where they are small.
    fn items(&mut self, items: impl Iterator<Item = (usize, Json<'t>)>, at: &Spot) {
        let mut together = Vec::new();
        let mut from = 0;
        let mut room = PIECE_WEIGHT;
        let piece = |from: usize, items: Vec<Json<'t>>| {
            object([("at", at.pointer()), ("from", number(from)), ("items", Json::List(items))])
        };
        for (index, item) in items {
            let own = weight(&item, PIECE_WEIGHT) + LIGHTEST_CHARACTER;
            if own > room && !together.is_empty() {
                self.pieces.push(piece(from, std::mem::take(&mut together)));
                room = PIECE_WEIGHT;
            }
            if own > room {
                self.piece(item, &at.item(index));
                continue;
            }
            if together.is_empty() {
                from = index;
            }
            room -= own;
            together.push(item);
        }
        if !together.is_empty() {
            self.pieces.push(piece(from, together));
        }
    }

    /// Makes pieces of the entries that an object has no room for: several in one where they are small.
    fn entries(&mut self, entries: Vec<(usize, Entry<'t>)>, at: &Spot) {
        let mut together = Vec::new();
        let mut room = PIECE_WEIGHT;
        for (_, (name, value)) in entries {
            let spot = at.entry(&name);
            self.omit(&spot);
            let own = entry_weight(&name) + weight(&value, PIECE_WEIGHT);
            if own > PIECE_WEIGHT {
                self.piece(value, &spot);
                continue;
            }
            if own > room {
                let full = std::mem::take(&mut together);
                self.pieces.push(object([("at", at.pointer()), ("entries", Json::Object(full))]));
                room = PIECE_WEIGHT;
            }
            room -= own;
            together.push((name, value));
        }
        if !together.is_empty() {
            self.pieces.push(object([("at", at.pointer()), ("entries", Json::Object(together))]));
        }
    }

    /// Makes a piece of a value; of one that is too large itself, several.
    fn piece(&mut self, value: Json<'t>, at: &Spot) {
        let mut inner = Self::default();
        let value = inner.fit(value, PIECE_WEIGHT, at).unwrap_or(NOTHING);
        self.pieces.push(object([("at", at.pointer()), ("value", value)]));
        self.pieces.append(&mut inner.pieces);
    }

    fn omit(&mut self, at: &Spot) {
        if !at.name.is_empty() && self.seen.insert(at.name.clone()) {
            self.omitted.push(at.name.clone());
        }
    }
}

/// Where the first piece of a text ends.
fn end_of_piece(text: &str) -> usize {
    let end = text.char_indices().nth(PIECE_CHARACTERS).map_or(text.len(), |(end, _)| end);
    if end == text.len() { end } else { marks::whole_until(text, end) }
}

/// In which order an object's entries get their room.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    kind: Kind,
    /// Zero where the order of the vendor counts.
    weight: usize,
    index: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Id,
    Plain,
    Rest,
}

impl Rank {
    fn of(index: usize, (name, value): &Entry<'_>, room: usize) -> Self {
        let is_plain = matches!(value, Json::Plain(_));
        let is_id =
            is_id(name) && (is_plain || matches!(value, Json::Text(_)) && weight(value, LARGEST_ID) <= LARGEST_ID);
        let kind = match (is_id, is_plain) {
            (true, _) => Kind::Id,
            (false, true) => Kind::Plain,
            (false, false) => Kind::Rest,
        };
        let weight = if kind == Kind::Rest { weight(value, room) } else { 0 };
        Self { kind, weight, index }
    }
}

/// Whether a field identifies its record or another one, by its name: `id`, `issueKey`, `user_id`.
fn is_id(name: &str) -> bool {
    const WORDS: [&str; 2] = ["id", "key"];
    const ENDS: [&str; 5] = ["Id", "ID", "_id", "Key", "_key"];
    WORDS.iter().any(|word| name.eq_ignore_ascii_case(word)) || ENDS.iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::*;

    /// A cut record as a reader gets it.
    struct Shown {
        record: Value,
        pieces: Vec<Value>,
        omitted: Vec<String>,
    }

    fn read(json: &Json<'_>) -> Value {
        serde_json::from_str(&json.to_text(0)).unwrap()
    }

    fn shown(record: &str, room: usize) -> Shown {
        let cut = cut(Json::parse(record).unwrap(), room);
        assert!(weight(&cut.record, usize::MAX) <= room, "{}", weight(&cut.record, usize::MAX));
        for piece in &cut.pieces {
            assert!(weight(piece, usize::MAX) <= PIECE_WEIGHT + MARK + 4 * LONGEST_POINTER);
        }
        Shown { record: read(&cut.record), pieces: cut.pieces.iter().map(read).collect(), omitted: cut.omitted }
    }

    fn fitted(record: &Value, room: usize) -> Shown {
        shown(&record.to_string(), room)
    }

    #[test]
    fn the_largest_values_are_cut_first() {
        let record = json!({
            "body": "x".repeat(3_000),
            "other": {"fields": {"a": "y".repeat(3_000), "b": 2}, "key": "K-1"},
            "key": "ITS-7",
            "count": 5,
            "subject": "short",
        });
        let Shown { record, omitted, pieces } = fitted(&record, 4_000);
        assert_eq!(
            (&record["key"], &record["count"], &record["subject"]),
            (&json!("ITS-7"), &json!(5), &json!("short"))
        );
        assert_eq!((&record["other"]["key"], &record["other"]["fields"]["b"]), (&json!("K-1"), &json!(2)));
        assert!(record["body"].as_str().unwrap().ends_with("…⟦cut, 3000 characters⟧"));
        assert_eq!(omitted, ["body", "other.fields.a"]);
        let mut places: Vec<&str> = pieces.iter().map(|piece| piece["at"].as_str().unwrap()).collect();
        places.sort_unstable();
        assert_eq!(places, ["/body", "/other/fields/a"]);
        let names: Vec<&String> = record.as_object().unwrap().keys().collect();
        assert_eq!(names, ["body", "other", "key", "count", "subject"], "the vendor's order stays");
    }

    #[test]
    fn a_wide_record_keeps_ids_and_what_has_room() {
        let mut wide: Map<String, Value> = (0..2_000).map(|n| (format!("name{n}"), json!(n))).collect();
        wide.insert("text".to_owned(), json!("t"));
        wide.insert("issueId".to_owned(), json!("77"));
        let whole = Value::Object(wide.clone());
        let Shown { record, omitted, pieces } = fitted(&whole, 9_000);
        assert_eq!((&record["issueId"], &record["name0"]), (&json!("77"), &json!(0)));
        let mut again = record.as_object().unwrap().clone();
        assert_eq!(omitted.len() + again.len(), wide.len());
        for piece in &pieces {
            again.extend(piece["entries"].as_object().unwrap().clone());
        }
        assert_eq!(again, wide, "nothing is lost");
    }

    #[test]
    fn pieces_name_their_place() {
        let items: Vec<Value> = (0..200).map(|n| json!({"id": n, "text": "abc"})).collect();
        let Shown { record, pieces, omitted } = fitted(&json!({"a/b": items, "short": "abc"}), 3_000);
        let kept = record["a/b"].as_array().unwrap();
        assert_eq!((kept.last().unwrap(), &record["short"]), (&json!("…⟦cut, 200 items⟧"), &json!("abc")));
        assert_eq!(omitted, ["a/b"]);
        let first = kept.len() - 1;
        // The first item that had no room is looked at alone, whether it can be cut inside.
        assert_eq!(pieces[0], json!({"at": format!("/a~1b/{first}"), "value": {"id": first, "text": "abc"}}));
        assert_eq!((&pieces[1]["at"], &pieces[1]["from"]), (&json!("/a~1b"), &json!(first + 1)));
        let further: Vec<Value> = (first + 1..200).map(|n| json!({"id": n, "text": "abc"})).collect();
        assert_eq!((&pieces[1]["items"], pieces.len()), (&json!(further), 2));
    }

    #[test]
    fn a_long_list_deep_inside_becomes_few_pieces() {
        let mut record = json!((0..50_000).collect::<Vec<u32>>());
        for _ in 0..100 {
            record = json!({"a name of some length, as they come": record});
        }
        let pieces = fitted(&record, 9_000).pieces;
        assert!(pieces.len() < 50, "{}", pieces.len());
        let all: usize = pieces.iter().filter_map(|piece| piece["items"].as_array()).map(Vec::len).sum();
        assert!(all > 40_000, "{all}");
    }

    #[test]
    fn numbers_keep_their_text() {
        let record =
            format!(r#"{{"id":123456789012345678901234567890,"n":[1.50,1e400,-0.0],"t":"{}"}}"#, "x".repeat(9_000));
        let CutRecord { record, pieces, .. } = cut(Json::parse(&record).unwrap(), 3_000);
        let shown = record.to_text(0);
        assert!(shown.starts_with(r#"{"id":123456789012345678901234567890,"n":[1.50,1e400,-0.0],"#), "{shown}");
        assert!(!pieces.is_empty());
    }

    #[test]
    fn a_long_text_becomes_several_pieces() {
        let text: String = (0..10_000).map(|n| char::from(b'a' + u8::try_from(n % 26).unwrap())).collect();
        let Shown { record, pieces, .. } = fitted(&json!({"t": text}), 1_000);
        let shown = record["t"].as_str().unwrap();
        let mut whole = shown.strip_suffix("…⟦cut, 10000 characters⟧").unwrap().to_owned();
        for piece in &pieces {
            assert_eq!(piece["from"], json!(whole.len()));
            whole.push_str(piece["text"].as_str().unwrap());
        }
        assert!(whole == text && pieces.len() == 3, "{}", pieces.len());
    }

    #[test]
    fn a_text_is_not_cut_within_an_element() {
        let text = "<li>x</li>".repeat(3_000);
        let Shown { record, pieces, .. } = fitted(&json!({"t": text}), 1_000);
        let mut whole = record["t"].as_str().unwrap().strip_suffix("…⟦cut, 30000 characters⟧").unwrap().to_owned();
        assert!(whole.ends_with('>') || whole.ends_with('x'), "{whole}");
        for piece in pieces {
            let piece = piece["text"].as_str().unwrap();
            assert!(!piece.starts_with(['l', 'i', '/', '>']), "{}", truncate(piece, 20));
            whole.push_str(piece);
        }
        assert!(whole == text);
    }

    #[test]
    fn an_item_that_is_too_large_is_cut_inside() {
        let item = json!({"id": 1, "a": "x".repeat(60_000), "b": "y".repeat(60_000)});
        let Shown { record, pieces, .. } = fitted(&json!([item.clone(), item]), 6_000);
        assert_eq!(record[0]["id"], json!(1));
        let second = pieces.iter().find(|piece| piece["at"] == "/1").unwrap();
        assert_eq!(second["value"]["id"], json!(1));
    }
}
