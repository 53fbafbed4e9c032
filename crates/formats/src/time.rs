//! A point in time, absolute or relative to now → the notation in which the vendor takes it.

use std::time::SystemTime;

use chrono::{DateTime, NaiveDate, NaiveDateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Map, Value, json};
use toolwright_model::Formatted;

use crate::error::{FormatError, short};
use crate::format::{Format, WriteFuture, written};
use crate::{FormatContext, schema};

/// RFC 3339.
pub(crate) const TIME: Time = Time {
    name: "time",
    summary: "A point in time, absolute or relative to now → RFC 3339 in UTC.",
    notation: Notation::Rfc3339,
};

/// As Jira takes and returns it.
pub(crate) const JIRA_TIME: Time = Time {
    name: "jira-time",
    summary: "The same → with milliseconds and an offset without a colon, such as `2026-11-20T09:30:00.000+0000`.",
    notation: Notation::Jira,
};

/// A number.
pub(crate) const UNIX_MILLIS: Time = Time {
    name: "unix-millis",
    summary: "The same → milliseconds since 1970, a number.",
    notation: Notation::UnixMillis,
};

/// A day.
pub(crate) const DATE: Time =
    Time { name: "date", summary: "The same → its day, such as `2026-11-20`.", notation: Notation::Date };

pub(crate) struct Time {
    name: &'static str,
    summary: &'static str,
    notation: Notation,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Notation {
    Rfc3339,
    Jira,
    UnixMillis,
    Date,
}

/// A point in time, and the day on which it was written to be.
#[derive(Clone, Copy)]
struct Moment {
    utc: DateTime<Utc>,
    day: NaiveDate,
}

impl Format for Time {
    fn name(&self) -> &'static str {
        self.name
    }

    fn summary(&self) -> &'static str {
        self.summary
    }

    fn of_items(&self) -> bool {
        true
    }

    fn argument_schema(&self, formatted: &Formatted, schema: &mut Map<String, Value>) -> Result<(), &'static str> {
        let of_vendor = if self.notation == Notation::UnixMillis { "integer" } else { "string" };
        if schema::type_of(schema) != of_vendor {
            return Err(if of_vendor == "integer" { "a whole number" } else { "a text" });
        }
        // A part that names its format already is left: objects have many, and each word costs.
        let named = schema.contains_key("format") && (!formatted.at.is_empty() || self.notation == Notation::Date);
        if !named {
            let addition = match self.notation {
                Notation::Date => ("-7d", "A date, or relative to now such as `-7d`."),
                _ => ("-24h", "RFC 3339, a date, or relative to now such as `-24h`."),
            };
            schema::replace(schema, "string", addition, &["default"]);
        }
        Ok(())
    }

    fn samples(&self, _: &Formatted, _: &str) -> Vec<Value> {
        vec![json!("-24h"), json!("2026-11-20T09:30:00+01:00"), json!("2026-11-20")]
    }

    fn splits_at(&self, _: &Formatted, separator: char) -> bool {
        separator == ','
    }

    fn resolve_relative_time(&self, given: &str, now: SystemTime) -> Option<String> {
        let moment = relative(given.trim(), now)?;
        match self.notation {
            Notation::Date => self.text(moment),
            _ => TIME.text(moment),
        }
    }

    fn write<'a>(
        &'a self,
        value: Value,
        _: &'a Formatted,
        context: &'a FormatContext<'a>,
        _: &'a mut Vec<String>,
    ) -> WriteFuture<'a> {
        written(self.of_vendor(&value, context.now))
    }
}

impl Time {
    fn of_vendor(&self, value: &Value, now: SystemTime) -> Result<Value, FormatError> {
        let Some(given) = value.as_str() else {
            return Err(FormatError::new(self.expected(), short(&value.to_string())));
        };
        let text = given.trim();
        // As the vendor's own answers may have it.
        if self.notation == Notation::UnixMillis
            && let Ok(number) = text.parse::<u64>()
        {
            return Ok(Value::from(number));
        }
        let moment = relative(text, now).or_else(|| absolute(text));
        let written = moment.and_then(|moment| match self.notation {
            Notation::UnixMillis => self.text(moment).map(|_| Value::from(moment.utc.timestamp_millis())),
            _ => self.text(moment).map(Value::from),
        });
        written.ok_or_else(|| FormatError::new(self.expected(), short(given)))
    }

    /// The text of the vendor's notation; RFC 3339 where that is a number.
    fn text(&self, moment: Moment) -> Option<String> {
        // Every notation has four digits for a year.
        if !(0..=9999).contains(&chrono::Datelike::year(&moment.utc)) {
            return None;
        }
        Some(match self.notation {
            Notation::Rfc3339 | Notation::UnixMillis => moment.utc.to_rfc3339_opts(SecondsFormat::AutoSi, true),
            Notation::Jira => moment.utc.format("%Y-%m-%dT%H:%M:%S%.3f+0000").to_string(),
            Notation::Date => moment.day.format("%Y-%m-%d").to_string(),
        })
    }

    fn expected(&self) -> &'static str {
        match self.notation {
            Notation::Date => {
                "a date such as `2026-11-20`, or one relative to now such as `-7d`, `+2w` (s, m, h, d, w)"
            }
            _ => {
                "a time such as `2026-11-20T09:30:00Z`, a date, or one relative to now such as `-24h`, `-7d` \
                 (s, m, h, d, w)"
            }
        }
    }
}

/// `-24h`, `+2d`, `now`.
fn relative(text: &str, now: SystemTime) -> Option<Moment> {
    // A span in seconds or more needs no fractions.
    let now = DateTime::<Utc>::from(now);
    let now = DateTime::from_timestamp(now.timestamp(), 0)?;
    if text.eq_ignore_ascii_case("now") {
        return Some(Moment { utc: now, day: now.date_naive() });
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
    let utc = now.checked_add_signed(TimeDelta::try_seconds(count.checked_mul(seconds)?)?)?;
    Some(Moment { utc, day: utc.date_naive() })
}

/// A date, or RFC 3339 with a `T` or a space, with or without seconds, its offset with or without a
/// colon; without an offset it is UTC.
fn absolute(text: &str) -> Option<Moment> {
    if let Ok(day) = text.parse::<NaiveDate>() {
        return Some(Moment { utc: day.and_hms_opt(0, 0, 0)?.and_utc(), day });
    }
    let text = text.replacen(' ', "T", 1);
    let with_offset = |pattern: &str| DateTime::parse_from_str(&text, pattern).ok();
    let offset = DateTime::parse_from_rfc3339(&text).ok();
    let offset = offset.or_else(|| with_offset("%Y-%m-%dT%H:%M:%S%.f%z")).or_else(|| with_offset("%Y-%m-%dT%H:%M%#z"));
    if let Some(moment) = offset {
        return Some(Moment { utc: moment.to_utc(), day: moment.date_naive() });
    }
    let plain = |pattern: &str| NaiveDateTime::parse_from_str(&text, pattern).ok();
    let moment = plain("%Y-%m-%dT%H:%M:%S%.f").or_else(|| plain("%Y-%m-%dT%H:%M"))?;
    Some(Moment { utc: moment.and_utc(), day: moment.date() })
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    /// 2026-11-20T08:00:00.5Z
    fn now() -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(1_795_161_600_500)
    }

    fn utc(text: &str) -> Option<String> {
        TIME.of_vendor(&json!(text), now()).ok().map(|value| value.as_str().unwrap().to_owned())
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
            ("2026-11-20T09:30:00.000+0100", "2026-11-20T08:30:00Z"),
            ("2026-11-20 09:30:00", "2026-11-20T09:30:00Z"),
            ("2026-11-20T09:30", "2026-11-20T09:30:00Z"),
            ("2026-11-20T09:30+01:00", "2026-11-20T08:30:00Z"),
            ("2024-02-29", "2024-02-29T00:00:00Z"),
        ] {
            assert_eq!(utc(given).as_deref(), Some(expected), "{given}");
        }
    }

    #[test]
    fn each_vendor_gets_its_own_notation() {
        for (given, jira, millis, date) in [
            ("-2h", "2026-11-20T06:00:00.000+0000", 1_795_154_400_000_i64, "2026-11-20"),
            ("2026-11-28", "2026-11-28T00:00:00.000+0000", 1_795_824_000_000, "2026-11-28"),
            ("2026-11-28T00:30:00+02:00", "2026-11-27T22:30:00.000+0000", 1_795_818_600_000, "2026-11-28"),
            ("2026-11-28T10:00:00.000+0000", "2026-11-28T10:00:00.000+0000", 1_795_860_000_000, "2026-11-28"),
        ] {
            assert_eq!(JIRA_TIME.of_vendor(&json!(given), now()), Ok(json!(jira)), "{given}");
            assert_eq!(UNIX_MILLIS.of_vendor(&json!(given), now()), Ok(json!(millis)), "{given}");
            assert_eq!(DATE.of_vendor(&json!(given), now()), Ok(json!(date)), "{given}");
        }
        assert_eq!(UNIX_MILLIS.of_vendor(&json!("1795154400000"), now()), Ok(json!(1_795_154_400_000_i64)));
    }

    #[test]
    fn relative_times_are_resolved_once() {
        assert_eq!(JIRA_TIME.resolve_relative_time("-2h", now()).as_deref(), Some("2026-11-20T06:00:00Z"));
        assert_eq!(DATE.resolve_relative_time("+3d", now()).as_deref(), Some("2026-11-23"));
        assert_eq!(TIME.resolve_relative_time("2026-11-20", now()), None);
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
            for format in [&TIME, &JIRA_TIME, &UNIX_MILLIS, &DATE] {
                assert!(format.of_vendor(&json!(given), now()).is_err(), "{} {given}", format.name);
            }
        }
        assert!(TIME.of_vendor(&json!(5), now()).is_err());
    }
}
