//! Times of links as people and programs write them, in RFC 3339 → moments, and back.

use std::time::{Duration, SystemTime};

use chrono::{DateTime, SecondsFormat, Utc};

/// Reads a time such as `2026-12-31T23:59:59Z`.
///
/// # Errors
/// It is none, or has no time zone.
pub fn read_time(text: &str) -> Result<SystemTime, String> {
    DateTime::parse_from_rfc3339(text.trim())
        .map(SystemTime::from)
        .map_err(|_| format!("`{text}` is no time with a zone, such as `2026-12-31T23:59:59Z`"))
}

/// Reads a time, or a span from now on such as `8h`, `30d`, `90m`.
///
/// # Errors
/// It is neither.
pub fn read_end(text: &str, now: SystemTime) -> Result<SystemTime, String> {
    let text = text.trim();
    let unit = match text.chars().last() {
        Some('m') => 60,
        Some('h') => 3_600,
        Some('d') => 86_400,
        _ => return read_time(text),
    };
    let number = text.get(..text.len() - 1).and_then(|number| number.parse::<u32>().ok());
    let end = number.and_then(|number| now.checked_add(Duration::from_secs(u64::from(number) * unit)));
    end.ok_or_else(|| format!("`{text}` is no time; such as `2026-12-31T23:59:59Z`, `8h` or `30d`"))
}

/// A time as text.
pub fn time_text(time: SystemTime) -> String {
    DateTime::<Utc>::from(time).to_rfc3339_opts(SecondsFormat::Secs, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_they_are_written() {
        let text = "2026-12-31T23:59:59Z";
        let time = read_time(text).unwrap();
        assert_eq!(time_text(time), text);
        assert_eq!(read_time("2027-01-01T00:59:59+01:00"), Ok(time));
        assert_eq!(read_end("8h", time).map(time_text).as_deref(), Ok("2027-01-01T07:59:59Z"));
        assert_eq!(read_end("30d", time).map(time_text).as_deref(), Ok("2027-01-30T23:59:59Z"));
        for wrong in ["", "tomorrow", "2026-12-31", "2026-12-31T23:59:59", "d", "-1d", "99999999999d", "1.5h", "é"] {
            assert!(read_end(wrong, time).is_err(), "{wrong}");
        }
    }
}
