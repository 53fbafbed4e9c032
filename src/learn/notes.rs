//! Answers and their descriptions → each way in which they differ, once, with the number of answers that had it.
//! However much a vendor's answers differ, the notes stay small.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

use super::{AnswerTable, SeenAnswer};
use toolwright_model::answers::{
    DescribedAnswers, DescribedOperation, FREE_NAMES, Learned, LearnedMisfit, LearnedOperation, Misfit, MisfitKind,
    check,
};
use toolwright_model::media_type::{essence, is_json};
use toolwright_model::truncate;

/// The most misfits of one operation.
const MOST_OF_OPERATION: usize = 60;
/// The most misfits of all operations; each takes at most about 750 bytes in the file.
const MOST: usize = 2_000;
/// More unknown names than this in one place are data, and no fields.
const MOST_NAMES: usize = 20;
/// The longest step of a path, in characters.
const LONGEST_STEP: usize = 64;
/// The longest path that is kept, in steps.
const LONGEST_PATH: usize = 6;
/// The longest media type, in characters.
const LONGEST_MEDIA: usize = 60;
/// The longest list of expected types, in characters.
const LONGEST_EXPECTED: usize = 60;

/// What was learned, and the descriptions it is compared with.
pub(super) struct Notes {
    tables: Vec<AnswerTable>,
    /// By API; `None` where its text can't be read. Read when the API first answers.
    described: HashMap<String, Option<DescribedAnswers>>,
    pub(super) learned: Learned,
    /// How many misfits there are.
    count: usize,
}

impl Notes {
    pub(super) fn new(tables: Vec<AnswerTable>, learned: Learned) -> Self {
        let count = learned.operations.iter().map(|operation| operation.misfits.len()).sum();
        Self { tables, described: HashMap::new(), learned, count }
    }

    /// Adds what an answer shows.
    pub(super) fn add(&mut self, answer: &SeenAnswer) {
        let tables = &self.tables;
        let described = self.described.entry(answer.api.clone()).or_insert_with(|| {
            let (_, text) = tables.iter().find(|(api, _)| *api == answer.api)?;
            serde_json::from_str(text).ok()
        });
        let Some(described) = described else { return };
        // Of an operation that is not described there is nothing to compare with.
        let Some(operation) = described.operation(&answer.operation) else { return };
        let misfits = misfits(described, operation, answer);
        let known = &mut self.learned.operations;
        let is_it = |it: &LearnedOperation| it.api == answer.api && it.operation == answer.operation;
        let index = known.iter().position(is_it).unwrap_or_else(|| {
            let (api, operation) = (answer.api.clone(), answer.operation.clone());
            known.push(LearnedOperation { api, operation, ..LearnedOperation::default() });
            known.len() - 1
        });
        known[index].answers += 1;
        let kept = misfits.into_iter().map(|misfit| bounded(misfit).map(|misfit| counted_as(&known[index], misfit)));
        // Each once, however many names of one place an answer has.
        for misfit in kept.collect::<BTreeSet<Option<Misfit>>>() {
            match misfit {
                Some(misfit) => add(&mut known[index], misfit, &mut self.count),
                None => known[index].dropped += 1,
            }
        }
        collapse(&mut known[index], &mut self.count);
    }
}

/// In which ways one answer differs.
fn misfits(described: &DescribedAnswers, operation: &DescribedOperation, answer: &SeenAnswer) -> BTreeSet<Misfit> {
    let whole = |kind, found: String| BTreeSet::from([Misfit::whole(kind, found)]);
    let Some(expected) = operation.answer(answer.status) else {
        return whole(MisfitKind::UnknownStatus, answer.status.to_string());
    };
    // A file or nothing at all has no shape.
    let Some(body) = answer.body.as_ref().filter(|body| !body.is_empty()) else { return BTreeSet::new() };
    let media = answer.content_type.as_deref().map(essence).unwrap_or_default();
    if !expected.media.is_empty() && !expected.covers(&media) {
        return whole(MisfitKind::UnknownMedia, recordable_media(&media));
    }
    let Some(schema) = expected.schema.as_ref().filter(|_| is_json(&media)) else { return BTreeSet::new() };
    let value: Value = match serde_json::from_slice(body) {
        Ok(value) => value,
        Err(_) => return whole(MisfitKind::NoJson, media.into_owned()),
    };
    check(described, schema, &value)
}

/// A media type as it may be written down: it is a text of the vendor's.
fn recordable_media(media: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '+' | '-');
    let plain = media.chars().all(is_plain) && media.chars().count() <= LONGEST_MEDIA && media.contains('/');
    if plain { media.to_owned() } else { "none or another text".to_owned() }
}

/// The same with bounds on every text; `None` where the path is too long: its beginning is another value's.
fn bounded(misfit: Misfit) -> Option<Misfit> {
    let fits = misfit.at.len() <= LONGEST_PATH && misfit.at.iter().all(|step| step.chars().count() <= LONGEST_STEP);
    fits.then(|| Misfit { expected: truncate(&misfit.expected, LONGEST_EXPECTED).into_owned(), ..misfit })
}

/// The misfit as which it counts: names at a place that has many are one.
fn counted_as(operation: &LearnedOperation, misfit: Misfit) -> Misfit {
    let mut free = Misfit::whole(MisfitKind::FreeNames, "");
    free.at.clone_from(&misfit.at);
    if let Some(last) = free.at.last_mut() {
        FREE_NAMES.clone_into(last);
    }
    let is_known = operation.misfits.iter().any(|known| known.misfit == free);
    if misfit.kind == MisfitKind::UnknownField && is_known { free } else { misfit }
}

fn add(operation: &mut LearnedOperation, misfit: Misfit, count: &mut usize) {
    match operation.misfits.iter().position(|known| known.misfit == misfit) {
        Some(index) => operation.misfits[index].seen += 1,
        None if operation.misfits.len() >= MOST_OF_OPERATION || *count >= MOST => operation.dropped += 1,
        None => {
            operation.misfits.push(LearnedMisfit { misfit, seen: 1 });
            operation.misfits.sort_by(|a, b| a.misfit.cmp(&b.misfit));
            *count += 1;
        }
    }
}

/// Puts one misfit in place of many unknown names at one place.
fn collapse(operation: &mut LearnedOperation, count: &mut usize) {
    let is_unknown = |known: &LearnedMisfit| known.misfit.kind == MisfitKind::UnknownField;
    let parent = |known: &LearnedMisfit| known.misfit.at.split_last().map(|(_, parent)| parent.to_vec());
    let mut places: HashMap<Vec<String>, (usize, u64)> = HashMap::new();
    for known in operation.misfits.iter().filter(|known| is_unknown(known)) {
        let (names, seen) = places.entry(parent(known).unwrap_or_default()).or_default();
        *names += 1;
        *seen = (*seen).max(known.seen);
    }
    for (place, (_, seen)) in places.into_iter().filter(|(_, (names, _))| *names > MOST_NAMES) {
        let before = operation.misfits.len();
        operation.misfits.retain(|known| !(is_unknown(known) && parent(known).as_ref() == Some(&place)));
        let at = place.into_iter().chain([FREE_NAMES.to_owned()]).collect();
        let misfit = Misfit { at, ..Misfit::whole(MisfitKind::FreeNames, "") };
        operation.misfits.push(LearnedMisfit { misfit, seen });
        operation.misfits.sort_by(|a, b| a.misfit.cmp(&b.misfit));
        *count = *count + operation.misfits.len() - before;
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use serde_json::json;

    use super::*;

    const TABLE: &str = r#"{"api": "acme", "description": "specs/acme/api.yaml", "operations": [
        {"operation": "get", "method": "GET", "path": "/a", "answers": [
            {"status": "200", "media": ["application/json"], "schema": {"type": "object", "properties": {"a": {"type": "string"}}}},
            {"status": "204"}, {"status": "4XX"}]},
        {"operation": "file", "method": "GET", "path": "/f", "answers": [{"status": "200", "media": ["image/*"]}]}
    ]}"#;

    fn notes() -> Notes {
        Notes::new(vec![("acme", TABLE)], Learned::default())
    }

    fn seen(operation: &str, status: u16, media: &str, body: &str) -> SeenAnswer {
        SeenAnswer {
            api: "acme".to_owned(),
            operation: operation.to_owned(),
            status,
            content_type: Some(media.to_owned()),
            body: Some(Bytes::from(body.to_owned())),
        }
    }

    fn shown(notes: &Notes) -> Vec<String> {
        let all = notes.learned.operations.iter().flat_map(|operation| &operation.misfits);
        all.map(|it| {
            format!("{} {} {} ×{}", it.misfit.path(), it.misfit.kind, it.misfit.found, it.seen).trim().to_owned()
        })
        .collect()
    }

    #[test]
    fn statuses_media_types_and_fields_are_noted_once_and_counted() {
        let mut notes = notes();
        for answer in [
            seen("get", 200, "application/json", r#"{"a": "x"}"#),
            seen("get", 200, "application/json; charset=utf-8", r#"{"b": 1}"#),
            seen("get", 200, "application/vnd.acme+json", r#"{"b": 2}"#),
            seen("get", 200, "application/json", "{"),
            seen("get", 200, "text/html", "<p>pl4nted</p>"),
            seen("get", 200, "pl4nted secret", "x"),
            seen("get", 202, "application/json", "{}"),
            seen("get", 404, "application/json", "{}"),
            seen("get", 503, "application/json", "{}"),
            seen("get", 204, "", ""),
            seen("file", 200, "image/png", "png"),
            seen("file", 200, "text/plain", "text"),
            seen("unknown", 200, "application/json", "{}"),
        ] {
            notes.add(&answer);
        }
        assert_eq!(
            shown(&notes),
            [
                "unknown_status 202 ×1",
                "unknown_status 503 ×1",
                "unknown_media none or another text ×1",
                "unknown_media text/html ×1",
                "no_json application/json ×1",
                "b unknown_field integer ×2",
                "unknown_media text/plain ×1",
            ]
        );
        assert_eq!(notes.learned.operations[0].answers, 10);
        assert!(!notes.learned.text().contains("pl4nted"));
    }

    #[test]
    fn many_names_at_one_place_are_data() {
        let mut notes = notes();
        for n in 0..100 {
            let name = format!("n{}", "x".repeat(n % 50));
            notes.add(&seen("get", 200, "application/json", &json!({name: 1}).to_string()));
        }
        assert_eq!(shown(&notes).len(), 1, "{:?}", shown(&notes));
        assert!(shown(&notes)[0].starts_with("* free_names"), "{:?}", shown(&notes));
        assert_eq!(notes.count, 1);
        // An answer counts once, however many such names it has.
        let before = notes.learned.operations[0].misfits[0].seen;
        notes.add(&seen("get", 200, "application/json", r#"{"x": 1, "y": 2, "z": 3}"#));
        assert_eq!(notes.learned.operations[0].misfits[0].seen, before + 1);
    }

    #[test]
    fn what_is_too_deep_is_no_misfit_of_what_is_around_it() {
        let at =
            |steps: usize| Misfit { at: vec!["a".to_owned(); steps], ..Misfit::whole(MisfitKind::OtherType, "string") };
        assert_eq!(bounded(at(LONGEST_PATH + 1)), None);
        assert_eq!(bounded(at(LONGEST_PATH)), Some(at(LONGEST_PATH)));
    }

    #[test]
    fn the_notes_stay_small_whatever_is_answered() {
        let operations: Vec<_> = (0..100)
            .map(|n| {
                json!({
                    "operation": format!("get{n}"), "method": "GET", "path": "/a",
                    "answers": [{"status": "200", "media": ["application/json"], "schema": {"$ref": "x"}}],
                })
            })
            .collect();
        let properties: serde_json::Map<String, Value> = (0..50)
            .map(|n| (format!("{}{n}", "p".repeat(60)), json!({"type": "object", "properties": {"a": {}}})))
            .collect();
        let table = json!({"api": "acme", "description": "", "operations": operations,
            "schemas": {"x": {"type": "object", "properties": properties}}});
        let table: &'static str = table.to_string().leak();
        let mut notes = Notes::new(vec![("acme", table)], Learned::default());
        for n in 0..100 {
            let fields: serde_json::Map<String, Value> = (0..50)
                .map(|p| {
                    let names = (0..15).map(|q| (format!("{}{}", "q".repeat(60 - q), "r".repeat(q)), json!(1)));
                    (format!("{}{p}", "p".repeat(60)), Value::Object(names.collect()))
                })
                .collect();
            notes.add(&seen(&format!("get{n}"), 200, "application/json", &Value::Object(fields).to_string()));
        }
        assert!(notes.count <= MOST && notes.learned.operations.iter().all(|it| it.misfits.len() <= MOST_OF_OPERATION));
        assert!(notes.learned.operations.iter().any(|it| it.dropped > 0));
        let size = notes.learned.text().len();
        assert!(size < 1_000_000, "{size}");
    }
}
