//! The headers in which vendors report rate limits, in any common spelling → [`RateLimit`]. They
//! can only make a call wait, and not for long.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, NaiveDateTime};
use reqwest::header::{HeaderMap, RETRY_AFTER};

use crate::error::RateLimit;

/// The longest wait that is honored: the header may be wrong.
const LONGEST_WAIT: Duration = Duration::from_hours(1);
/// Seconds from here on are points in time (after 2001), smaller numbers are spans.
const EPOCH: u64 = 1_000_000_000;
/// The longest reason that is returned, in characters.
const LONGEST_REASON: usize = 80;

/// Reads the limits that an answer reports.
pub(super) fn read(headers: &HeaderMap) -> RateLimit {
    read_at(headers, SystemTime::now())
}

fn read_at(headers: &HeaderMap, now: SystemTime) -> RateLimit {
    // As in most answers.
    let is_of_limit =
        |name: &str| name == RETRY_AFTER.as_str() || name.trim_start_matches("x-").starts_with("ratelimit");
    if !headers.keys().any(|name| is_of_limit(name.as_str())) {
        return RateLimit::default();
    }
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    // `RateLimit: limit=100, remaining=5, reset=30`, in later drafts `"default";r=5;t=30`.
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
        reason: text("ratelimit-reason").or_else(|| text("x-ratelimit-reason")).map(name),
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
    let seconds = match DateTime::parse_from_rfc3339(text) {
        Ok(time) => time.timestamp(),
        Err(_) => NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%MZ").ok()?.and_utc().timestamp(),
    };
    UNIX_EPOCH.checked_add(Duration::from_secs(u64::try_from(seconds).ok()?))
}

/// The name that a reason is, such as `jira-burst-based`: without characters of which an address or an element could be
/// made, since messages quote it.
fn name(reason: &str) -> String {
    let is_of_name = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ' ');
    reason.chars().filter(is_of_name).take(LONGEST_REASON).collect()
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    /// 2026-01-31T10:00:00Z
    const NOW: u64 = 1_769_853_600;

    fn reported(headers: &[(&str, &str)]) -> RateLimit {
        let pairs = headers.iter().map(|(name, value)| {
            (HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap())
        });
        read_at(&pairs.collect(), UNIX_EPOCH + Duration::from_secs(NOW))
    }

    #[test]
    fn every_spelling_of_a_wait_is_read() {
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
            assert_eq!(reported(&[(name, value)]).wait().map(|wait| wait.as_secs()), seconds, "{name}: {value}");
        }
    }

    #[test]
    fn a_reset_is_a_wait_only_where_no_requests_remain() {
        let plenty =
            reported(&[("X-RateLimit-Limit", "100"), ("X-RateLimit-Remaining", "4"), ("X-RateLimit-Reset", "30")]);
        assert_eq!((plenty.limit, plenty.remaining, plenty.wait()), (Some(100), Some(4), None));
        let none =
            reported(&[("RateLimit-Limit", "90, 90;w=60"), ("RateLimit-Remaining", "0"), ("RateLimit-Reset", "30")]);
        assert_eq!((none.limit, none.wait()), (Some(90), Some(Duration::from_secs(30))));
        let reason = |value| reported(&[("RateLimit-Reason", value)]).reason;
        assert_eq!(reason("jira-burst-based").as_deref(), Some("jira-burst-based"));
        assert_eq!(reason("x https://evil.example/![a](b) <b>").as_deref(), Some("x httpsevilexampleab b"));
    }
}
