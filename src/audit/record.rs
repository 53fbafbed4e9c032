//! A call's entries ⇄ one line of the log, with the hashes that chain it to its neighbours.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::time::SystemTime;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::{CallDetails, CallEnd};
use toolwright_model::truncate;

/// The `prev` of the first line, which has no line before it.
pub(super) const START: &str = "0000000000000000000000000000000000000000000000000000000000000000";
/// The event of a line whose predecessor is in another file, or was lost.
pub(super) const CONTINUED: &str = "continued";
/// The beginning of every line.
pub(super) const BEGINNING: &str = "{\"seq\":";
/// The text before a line's hash.
const HASH: &str = ",\"hash\":\"";
/// The longest text in an entry, in characters.
const LONGEST_TEXT: usize = 200;
/// The most items of a list or an object in an entry.
const MOST_ENTRIES: usize = 50;
/// The longest arguments, in bytes of JSON; of longer ones only the names are kept.
const LONGEST_ARGUMENTS: usize = 8_000;

/// The entry with the profile under which a call was made.
pub(super) const PROFILE: &str = "profile";

/// A line, as far as the chain is concerned.
#[derive(Debug)]
pub(super) struct RecordLine {
    pub seq: u64,
    pub event: String,
    /// Of an outcome, the number of its intent.
    pub id: Option<u64>,
    pub prev: String,
    pub hash: String,
    pub entries: Map<String, Value>,
}

/// Formats a line; returns it with its newline, and its hash.
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

/// Reads a line without its newline.
///
/// # Errors
/// What is wrong with it.
pub(super) fn read(bytes: &[u8]) -> Result<RecordLine, &'static str> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not text")?;
    let cut = text.len().checked_sub(HASH.len() + START.len() + 2).filter(|cut| text.is_char_boundary(*cut));
    let (body, tail) = text.split_at(cut.ok_or("it is not a line of an audit log")?);
    let stated =
        tail.strip_prefix(HASH).and_then(|tail| tail.strip_suffix("\"}")).ok_or("it is not a line of an audit log")?;
    let actual = hash(format!("{body}}}").as_bytes());
    if stated != actual {
        return Err("its text does not match its hash");
    }
    let Ok(Value::Object(entries)) = serde_json::from_str(text) else { return Err("it is not a JSON object") };
    let word = |name: &str| entries.get(name).and_then(Value::as_str).map(str::to_owned);
    Ok(RecordLine {
        seq: entries.get("seq").and_then(Value::as_u64).ok_or("it has no `seq`")?,
        event: word("event").ok_or("it has no `event`")?,
        id: entries.get("id").and_then(Value::as_u64),
        prev: word("prev").ok_or("it has no `prev`")?,
        hash: actual,
        entries,
    })
}

/// Returns whether an unreadable line may be one that was not written to its end, rather than one
/// that was changed.
pub(super) fn is_torn(bytes: &[u8]) -> bool {
    !bytes.ends_with(b"\"}")
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The entries that describe the call.
pub(super) fn details(call: &CallDetails) -> Map<String, Value> {
    let mut entries = Map::new();
    let mut arguments = bounded(&Value::Object(call.arguments.clone()));
    if arguments.to_string().len() > LONGEST_ARGUMENTS {
        arguments = json!({"cut": true, "names": arguments.as_object().map(|all| all.keys().collect::<Vec<_>>())});
    }
    let settings = call.settings.iter().map(|(title, value)| (title.clone(), bounded(&json!(value))));
    for (name, value) in [
        ("caller", Some(bounded(&json!(call.caller)))),
        ("client", call.client.as_deref().map(|text| bounded(&json!(text)))),
        ("vendor", Some(json!(call.vendor))),
        ("account", call.account.as_ref().map(|account| json!(account))),
        ("site", call.site.as_ref().map(|site| json!(site))),
        ("tool", Some(bounded(&json!(call.tool)))),
        ("operation", call.operation.as_ref().map(|operation| json!(operation))),
        ("effect", call.effect.map(|effect| json!(effect))),
        ("arguments", Some(arguments)),
        ("decision", Some(json!(call.decision))),
    ] {
        if let Some(value) = value {
            entries.insert(name.to_owned(), value);
        }
    }
    if let Some((id, by)) = &call.grant {
        entries.insert("grant".to_owned(), json!({"id": id, "by": bounded(&json!(by))}));
    }
    if let Some((id, by, digest)) = &call.approval {
        let by = bounded(&json!(by));
        entries.insert("approval".to_owned(), json!({"id": id, "by": by, "digest": digest}));
    }
    entries.extend(of_workflow(call));
    entries.extend(settings);
    entries
}

/// The entries that tie the lines of one workflow together.
pub(super) fn of_workflow(call: &CallDetails) -> impl Iterator<Item = (String, Value)> {
    let entries = [("workflow", &call.workflow), ("step", &call.step)];
    entries.into_iter().filter_map(|(name, value)| Some((name.to_owned(), json!(value.as_ref()?))))
}

/// The entries that describe the outcome.
pub(super) fn outcome(end: &CallEnd) -> Map<String, Value> {
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

/// Bounds a value: the log shows what was done, not whole documents.
pub(super) fn bounded(value: &Value) -> Value {
    match value {
        Value::String(text) => match truncate(text, LONGEST_TEXT) {
            Cow::Owned(start) => json!(format!("{start} ({} characters)", text.chars().count())),
            Cow::Borrowed(whole) => json!(whole),
        },
        Value::Array(items) => items.iter().take(MOST_ENTRIES).map(bounded).collect(),
        Value::Object(entries) => {
            let entries = entries.iter().take(MOST_ENTRIES);
            Value::Object(
                entries.map(|(name, value)| (truncate(name, LONGEST_TEXT).into_owned(), bounded(value))).collect(),
            )
        }
        scalar => scalar.clone(),
    }
}

/// Whether [`bounded`] left only the beginning of a text.
pub(super) fn is_cut(text: &str) -> bool {
    let Some((start, count)) = text.strip_suffix(" characters)").and_then(|rest| rest.rsplit_once(" (")) else {
        return false;
    };
    let is_longer = count.parse::<usize>().is_ok_and(|count| count > LONGEST_TEXT);
    is_longer && start.strip_suffix('…').is_some_and(|start| start.chars().count() == LONGEST_TEXT)
}

/// The names of arguments that were too long to be kept.
pub(super) fn names_only(arguments: &Map<String, Value>) -> Option<Vec<String>> {
    let is_cut = arguments.len() == 2 && arguments.get("cut") == Some(&Value::Bool(true));
    let names = arguments.get("names").and_then(Value::as_array).filter(|_| is_cut)?;
    names.iter().map(|name| name.as_str().map(str::to_owned)).collect()
}

/// A point in time such as `2026-01-31T10:15:30.250Z`.
pub(super) fn timestamp(time: SystemTime) -> String {
    DateTime::<Utc>::from(time).to_rfc3339_opts(SecondsFormat::Millis, true)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn times_are_rfc_3339_in_utc() {
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
    fn what_was_cut_is_known_as_cut() {
        for (text, cut) in [("ü".repeat(201), true), ("ü".repeat(200), false), ("a (300 characters)".to_owned(), false)]
        {
            let Value::String(written) = bounded(&json!(text)) else { panic!("a text stays one") };
            assert_eq!(is_cut(&written), cut, "{written}");
        }
        let wide: Map<String, Value> = (0..200).map(|n| (format!("n{n}"), json!("x".repeat(300)))).collect();
        let entries = details(&CallDetails { arguments: wide, ..CallDetails::default() });
        let arguments = entries["arguments"].as_object().unwrap();
        assert_eq!(names_only(arguments).unwrap()[0], "n0");
        let own = json!({"cut": true, "names": "all"});
        assert_eq!(names_only(own.as_object().unwrap()), None);
    }

    #[test]
    fn a_line_is_bounded_and_reads_back() {
        let long = json!({"body": "ü".repeat(5_000), "list": vec![1; 500]});
        let wide: Map<String, Value> = (0..200).map(|n| (format!("n{n}"), json!("x".repeat(300)))).collect();
        for arguments in [long.as_object().cloned().unwrap(), wide] {
            let entries = details(&CallDetails { tool: "t".to_owned(), arguments, ..CallDetails::default() });
            let (text, hash) = write(1, "call", None, entries, START);
            assert!(text.len() < 10_000, "{}", text.len());
            let line = read(text.trim_end().as_bytes()).unwrap();
            assert_eq!((line.seq, line.hash), (1, hash));
        }
    }
}
