//! The headers in which vendors speak of their limits → [`RateLimit`]. Each vendor has spellings
//! of its own; nothing here is trusted further than to wait.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::header::{HeaderMap, RETRY_AFTER};

use crate::error::RateLimit;

/// Nobody waits longer, whatever a header says: it may be broken.
const LONGEST_WAIT: Duration = Duration::from_secs(60 * 60);
/// Numbers from here on are points in time (the year 2001), below it spans.
const EPOCH: u64 = 1_000_000_000;
/// The longest reason that is told.
const LONGEST_REASON: usize = 80;

/// Reads what an answer says of limits.
pub(super) fn read(headers: &HeaderMap) -> RateLimit {
    read_at(headers, SystemTime::now())
}

fn read_at(headers: &HeaderMap, now: SystemTime) -> RateLimit {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    // `RateLimit: limit=100, remaining=5, reset=30`, or of late `"default";r=5;t=30`.
    let combined = text("ratelimit").unwrap_or_default();
    let entry = |names: [&str; 2]| {
        let mut pairs = combined.split([',', ';']).filter_map(|part| part.trim().split_once('='));
        pairs.find(|(name, _)| names.contains(name)).and_then(|(_, value)| number(value))
    };
    let named = |name: &str| text(&format!("ratelimit-{name}")).or_else(|| text(&format!("x-ratelimit-{name}")));
    let reset = named("reset").and_then(|value| moment(value, now));
    RateLimit {
        limit: named("limit").and_then(number).or_else(|| entry(["limit", "q"])),
        remaining: named("remaining").and_then(number).or_else(|| entry(["remaining", "r"])),
        reset: reset.or_else(|| entry(["reset", "t"]).map(Duration::from_secs)).map(|span| span.min(LONGEST_WAIT)),
        retry_after: text(RETRY_AFTER.as_str()).and_then(|value| moment(value, now)),
        reason: text("ratelimit-reason").or_else(|| text("x-ratelimit-reason")).map(plain),
    }
}

/// `100`, or the first number of `100, 100;w=60`.
fn number(text: &str) -> Option<u64> {
    let digits: String = text.trim().chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// A span in seconds, a point in time in seconds since 1970, an HTTP date or a time such as
/// `2026-01-31T10:15Z` → how long until then.
fn moment(text: &str, now: SystemTime) -> Option<Duration> {
    let point = if let Ok(seconds) = text.parse::<f64>() {
        let span = Duration::try_from_secs_f64(seconds).ok()?;
        if span.as_secs() < EPOCH {
            return Some(span.min(LONGEST_WAIT));
        }
        UNIX_EPOCH.checked_add(span)?
    } else {
        httpdate::parse_http_date(text).ok().or_else(|| iso(text))?
    };
    Some(point.duration_since(now).unwrap_or_default().min(LONGEST_WAIT))
}

/// A time in UTC, with seconds or without.
fn iso(text: &str) -> Option<SystemTime> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let mut date = date.splitn(3, '-').map(str::parse::<i64>);
    let (year, month, day) = (date.next()?.ok()?, date.next()?.ok()?, date.next()?.ok()?);
    let mut time = time.split([':', '.']).map(str::parse::<u64>);
    let (hour, minute) = (time.next()?.ok()?, time.next()?.ok()?);
    let second = time.next().and_then(Result::ok).unwrap_or_default();
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Days since 1970, counted in years that begin in March so that the leap day comes last.
    let year = if month <= 2 { year - 1 } else { year };
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = 365 * year + year / 4 - year / 100 + year / 400 + of_year - 719_468;
    let of_day = hour.min(24) * 3_600 + minute.min(60) * 60 + second.min(60);
    UNIX_EPOCH.checked_add(Duration::from_secs(u64::try_from(days).ok()? * 86_400 + of_day))
}

/// A vendor's word, as it may stand in a message.
fn plain(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_graphic() || *c == ' ').take(LONGEST_REASON).collect()
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    /// 2026-01-31T10:00:00Z
    const NOW: u64 = 1_769_853_600;

    fn said(headers: &[(&str, &str)]) -> RateLimit {
        let pairs = headers.iter().map(|(name, value)| {
            (HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap())
        });
        read_at(&pairs.collect(), UNIX_EPOCH + Duration::from_secs(NOW))
    }

    #[test]
    fn every_spelling_of_a_wait_is_understood() {
        for (name, value, seconds) in [
            ("Retry-After", "9", Some(9)),
            ("Retry-After", "Sat, 31 Jan 2026 10:00:30 GMT", Some(30)),
            ("Retry-After", "Sat, 31 Jan 2026 09:00:30 GMT", Some(0)),
            ("Retry-After", "99999999", Some(3_600)),
            ("Retry-After", "soon", None),
            ("Retry-After", "-5", None),
            ("Retry-After", "NaN", None),
            ("X-RateLimit-Reset", "1769853660", Some(60)),
            ("X-RateLimit-Reset", "2026-01-31T10:01Z", Some(60)),
            ("X-RateLimit-Reset", "2026-01-31T10:00:05.250Z", Some(5)),
            ("X-RateLimit-Reset", "2026-99-31T10:00Z", None),
            ("RateLimit-Reset", "12", Some(12)),
            ("RateLimit", "limit=10, remaining=0, reset=7", Some(7)),
            ("RateLimit", "\"default\";r=0;t=8", Some(8)),
        ] {
            assert_eq!(said(&[(name, value)]).wait().map(|wait| wait.as_secs()), seconds, "{name}: {value}");
        }
    }

    #[test]
    fn what_is_left_decides_whether_a_reset_is_a_wait() {
        let plenty = said(&[("X-RateLimit-Limit", "100"), ("X-RateLimit-Remaining", "4"), ("X-RateLimit-Reset", "30")]);
        assert_eq!((plenty.limit, plenty.remaining, plenty.wait()), (Some(100), Some(4), None));
        let none = said(&[("RateLimit-Limit", "90, 90;w=60"), ("RateLimit-Remaining", "0"), ("RateLimit-Reset", "30")]);
        assert_eq!((none.limit, none.wait()), (Some(90), Some(Duration::from_secs(30))));
        assert_eq!(said(&[("RateLimit-Reason", "jira-burst-based")]).reason.as_deref(), Some("jira-burst-based"));
    }
}
