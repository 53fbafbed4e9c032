//! A point in time, absolute or relative to now → RFC 3339 in UTC.

use std::time::SystemTime;

use chrono::{DateTime, NaiveDate, SecondsFormat, TimeDelta, Utc};
use serde_json::{Map, Value, json};
use toolwright_model::Formatted;

use crate::error::{FormatError, short};
use crate::format::{Format, WriteFuture, written};
use crate::{FormatContext, schema};

const EXPECTED: &str =
    "a time such as `2026-11-20T09:30:00Z`, a date, or one relative to now such as `-24h`, `-7d` (s, m, h, d, w)";

pub(crate) struct Time;

impl Format for Time {
    fn name(&self) -> &'static str {
        "time"
    }

    fn summary(&self) -> &'static str {
        "A point in time, absolute or relative to now → RFC 3339 in UTC."
    }

    fn argument_schema(&self, _: &Formatted, schema: &mut Map<String, Value>) -> Result<(), &'static str> {
        if schema::type_of(schema) != "string" {
            return Err("a text");
        }
        let addition = ("-24h", "RFC 3339, or relative to now such as `-24h`, `-7d`.");
        schema::replace(schema, "string", addition, &["default"]);
        Ok(())
    }

    fn samples(&self, _: &Formatted, _: &str) -> Vec<Value> {
        vec![json!("-24h"), json!("2026-11-20T09:30:00+01:00")]
    }

    fn resolve_relative_time(&self, given: &str, now: SystemTime) -> Option<String> {
        relative(given.trim(), now).and_then(rfc3339)
    }

    fn write<'a>(
        &'a self,
        value: Value,
        _: &'a Formatted,
        context: &'a FormatContext<'a>,
        _: &'a mut Vec<String>,
    ) -> WriteFuture<'a> {
        written(in_utc(&value, context.now))
    }
}

fn in_utc(value: &Value, now: SystemTime) -> Result<Value, FormatError> {
    let Some(given) = value.as_str() else {
        return Err(FormatError::new(EXPECTED, short(&value.to_string())));
    };
    let text = given.trim();
    match relative(text, now).or_else(|| absolute(text)).and_then(rfc3339) {
        Some(text) => Ok(Value::from(text)),
        None => Err(FormatError::new(EXPECTED, short(text))),
    }
}

fn rfc3339(moment: DateTime<Utc>) -> Option<String> {
    // RFC 3339 has four digits for a year.
    let written = moment.to_rfc3339_opts(SecondsFormat::AutoSi, true);
    (0..=9999).contains(&chrono::Datelike::year(&moment)).then_some(written)
}

/// `-24h`, `+2d`, `now`.
fn relative(text: &str, now: SystemTime) -> Option<DateTime<Utc>> {
    // A span in seconds or more needs no fractions.
    let now = DateTime::<Utc>::from(now);
    let now = DateTime::from_timestamp(now.timestamp(), 0)?;
    if text.eq_ignore_ascii_case("now") {
        return Some(now);
    }
    let unit = text.chars().next_back()?;
    let number = text.strip_suffix(unit)?;
    let signed = number.strip_prefix(['-', '+']).filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()));
    let count: i64 = signed.and(number.parse().ok())?;
    let seconds = match unit.to_ascii_lowercase() {
        's' => 1,
        'm' => 60,
        'h' => 60 * 60,
        'd' => 24 * 60 * 60,
        'w' => 7 * 24 * 60 * 60,
        _ => return None,
    };
    now.checked_add_signed(TimeDelta::try_seconds(count.checked_mul(seconds)?)?)
}

/// A date, or RFC 3339 with a `T` or a space; without an offset it is UTC.
fn absolute(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(date) = text.parse::<NaiveDate>() {
        return Some(date.and_hms_opt(0, 0, 0)?.and_utc());
    }
    let with_zone = |text: &str| DateTime::parse_from_rfc3339(text).ok().map(|moment| moment.to_utc());
    with_zone(text).or_else(|| with_zone(&format!("{text}Z")))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    fn utc(text: &str) -> Option<String> {
        // 2026-11-20T08:00:00.5Z
        let now = UNIX_EPOCH + Duration::from_millis(1_795_161_600_500);
        in_utc(&json!(text), now).ok().map(|value| value.as_str().unwrap().to_owned())
    }

    #[test]
    fn times_become_utc() {
        for (given, expected) in [
            ("-24h", "2026-11-19T08:00:00Z"),
            (" -7d ", "2026-11-13T08:00:00Z"),
            ("-90m", "2026-11-20T06:30:00Z"),
            ("-30s", "2026-11-20T07:59:30Z"),
            ("+1w", "2026-11-27T08:00:00Z"),
            ("now", "2026-11-20T08:00:00Z"),
            ("2026-11-20T09:30:00Z", "2026-11-20T09:30:00Z"),
            ("2026-11-20T09:30:00.250+01:00", "2026-11-20T08:30:00.250Z"),
            ("2026-11-20 09:30:00", "2026-11-20T09:30:00Z"),
            ("2024-02-29", "2024-02-29T00:00:00Z"),
        ] {
            assert_eq!(utc(given).as_deref(), Some(expected), "{given}");
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for given in [
            "",
            "h",
            "-h",
            "24h",
            "--1h",
            "-1y",
            "-1.5h",
            "2026-13-01",
            "2025-02-29",
            "yesterday",
            "-99999999999999999999d",
            "-9223372036854775807w",
            "-3000w2",
            "+500000w",
            "ü",
        ] {
            assert_eq!(utc(given), None, "{given}");
        }
    }
}
