//! One line of the record: written, and read back.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::{About, End};

/// What stands in the place of the hash before the first line.
pub const START: &str = "0000000000000000000000000000000000000000000000000000000000000000";
/// What every line begins with.
pub(super) const BEGINNING: &str = "{\"seq\":";
/// Stands before a line's hash.
const HASH: &str = ",\"hash\":\"";
/// The longest text in a line, in characters.
const LONGEST_TEXT: usize = 200;
/// The most entries of a list or an object in a line.
const MOST_ENTRIES: usize = 50;
/// The longest arguments, as JSON; longer ones are named only.
const LONGEST_ARGUMENTS: usize = 8_000;

/// What a line says that matters to the chain.
#[derive(Debug)]
pub(super) struct Line {
    pub seq: u64,
    pub event: String,
    /// The intent that an outcome belongs to.
    pub id: Option<u64>,
    pub prev: String,
    pub hash: String,
    pub entries: Map<String, Value>,
}

/// Writes a line; returns it with its newline, and its hash.
pub(super) fn write(seq: u64, event: &str, id: Option<u64>, more: Map<String, Value>, prev: &str) -> (String, String) {
    let mut entries = Map::new();
    entries.insert("seq".to_owned(), json!(seq));
    entries.insert("time".to_owned(), json!(timestamp(SystemTime::now())));
    entries.insert("event".to_owned(), json!(event));
    if let Some(id) = id {
        entries.insert("id".to_owned(), json!(id));
    }
    entries.extend(more);
    entries.insert("prev".to_owned(), json!(prev));
    let text = Value::Object(entries).to_string();
    let hash = hash(text.as_bytes());
    (format!("{}{HASH}{hash}\"}}\n", &text[..text.len() - 1]), hash)
}

/// Reads a line without its newline; says what is wrong with it.
pub(super) fn read(bytes: &[u8]) -> Result<Line, &'static str> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is no text")?;
    let cut = text.len().checked_sub(HASH.len() + START.len() + 2).filter(|cut| text.is_char_boundary(*cut));
    let (body, tail) = text.split_at(cut.ok_or("it is no line of a record")?);
    let stated =
        tail.strip_prefix(HASH).and_then(|tail| tail.strip_suffix("\"}")).ok_or("it is no line of a record")?;
    let actual = hash(format!("{body}}}").as_bytes());
    if stated != actual {
        return Err("its text does not fit its hash");
    }
    let Ok(Value::Object(entries)) = serde_json::from_str(text) else { return Err("it is no JSON object") };
    let word = |name: &str| entries.get(name).and_then(Value::as_str).map(str::to_owned);
    Ok(Line {
        seq: entries.get("seq").and_then(Value::as_u64).ok_or("it has no `seq`")?,
        event: word("event").ok_or("it has no `event`")?,
        id: entries.get("id").and_then(Value::as_u64),
        prev: word("prev").ok_or("it has no `prev`")?,
        hash: actual,
        entries,
    })
}

/// Whether this may be a line that was not written to its end, and not one that was changed.
pub(super) fn is_torn(bytes: &[u8]) -> bool {
    !bytes.ends_with(b"\"}")
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The entries that say what is called.
pub(super) fn about(about: &About) -> Map<String, Value> {
    let mut entries = Map::new();
    let mut arguments = cut(&Value::Object(about.arguments.clone()));
    if arguments.to_string().len() > LONGEST_ARGUMENTS {
        arguments = json!({"cut": true, "names": arguments.as_object().map(|all| all.keys().collect::<Vec<_>>())});
    }
    let settings = about.settings.iter().map(|(title, value)| (title.clone(), cut(&json!(value))));
    for (name, value) in [
        ("client", about.client.as_deref().map(|text| cut(&json!(text)))),
        ("vendor", Some(json!(about.vendor))),
        ("site", about.site.as_ref().map(|site| json!(site))),
        ("tool", Some(cut(&json!(about.tool)))),
        ("operation", about.operation.as_ref().map(|operation| json!(operation))),
        ("effect", about.effect.map(|effect| json!(effect))),
        ("arguments", Some(arguments)),
        ("decision", Some(json!(about.decision))),
    ] {
        if let Some(value) = value {
            entries.insert(name.to_owned(), value);
        }
    }
    entries.extend(settings);
    entries
}

/// The entries that say what came of it.
pub(super) fn end(end: &End) -> Map<String, Value> {
    let mut entries = Map::new();
    entries.insert("outcome".to_owned(), json!(end.outcome.as_str()));
    if let Some(status) = end.status {
        entries.insert("status".to_owned(), json!(status));
    }
    if let Some(id) = &end.request_id {
        entries.insert("request_id".to_owned(), json!(id));
    }
    entries.insert("duration_ms".to_owned(), json!(u64::try_from(end.duration.as_millis()).unwrap_or(u64::MAX)));
    entries
}

/// Bounds a value: whoever reads the record wants to know what was done, not the whole letter.
fn cut(value: &Value) -> Value {
    match value {
        Value::String(text) => match text.char_indices().nth(LONGEST_TEXT) {
            Some((at, _)) => json!(format!("{}… ({} characters)", &text[..at], text.chars().count())),
            None => value.clone(),
        },
        Value::Array(items) => items.iter().take(MOST_ENTRIES).map(cut).collect(),
        Value::Object(entries) => {
            let name = |name: &str| name.chars().take(LONGEST_TEXT).collect::<String>();
            Value::Object(entries.iter().take(MOST_ENTRIES).map(|(key, value)| (name(key), cut(value))).collect())
        }
        scalar => scalar.clone(),
    }
}

/// A point in time as `2026-01-31T10:15:30.250Z`.
fn timestamp(now: SystemTime) -> String {
    let since: Duration = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let (days, of_day) = (since.as_secs() / 86_400, since.as_secs() % 86_400);
    // Counted from the first of March of the year 0, so that the leap day ends a year.
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year + u64::from(month <= 2);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:03}Z",
        of_day / 3_600,
        of_day / 60 % 60,
        of_day % 60,
        since.subsec_millis()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_everybody_writes_them() {
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_399, "2000-02-28T23:59:59.000Z"),
            (951_782_400, "2000-02-29T00:00:00.000Z"),
            (1_769_853_600, "2026-01-31T10:00:00.000Z"),
        ] {
            assert_eq!(timestamp(UNIX_EPOCH + Duration::from_secs(seconds)), expected);
        }
    }

    #[test]
    fn a_line_is_bounded_and_reads_back() {
        let long = json!({"body": "ü".repeat(5_000), "list": vec![1; 500]});
        let wide: Map<String, Value> = (0..200).map(|n| (format!("n{n}"), json!("x".repeat(300)))).collect();
        for arguments in [long.as_object().cloned().unwrap(), wide] {
            let about = super::about(&About { tool: "t".to_owned(), arguments, ..About::default() });
            let (text, hash) = write(1, "call", None, about, START);
            assert!(text.len() < 10_000, "{}", text.len());
            let line = read(text.trim_end().as_bytes()).unwrap();
            assert_eq!((line.seq, line.hash), (1, hash));
        }
    }
}
