//! Calls as they end → how many ended in each hour of the last day, and how many of them in an error. For people: Prometheus keeps
//! what is older, and more of it.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// How many hours are kept.
const HOURS: u64 = 24;
const HOUR: u64 = 3_600;

/// The hours in which calls ended, the oldest first.
#[derive(Debug, Default)]
pub(super) struct History(Mutex<VecDeque<Hour>>);

/// An hour by its number since 1970.
#[derive(Debug, Clone, Copy)]
struct Hour {
    number: u64,
    calls: u64,
    errors: u64,
}

/// What ended in an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HourCount {
    /// When it began.
    pub begins: SystemTime,
    /// The calls that ended.
    pub calls: u64,
    /// Those of them that ended in an error.
    pub errors: u64,
}

impl History {
    /// Counts a call that ended now.
    pub(super) fn add(&self, now: SystemTime, is_error: bool) {
        let number = number(now);
        let mut hours = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A clock that was set back counts into the newest hour.
        if hours.back().is_none_or(|newest| newest.number < number) {
            hours.push_back(Hour { number, calls: 0, errors: 0 });
        }
        if let Some(newest) = hours.back_mut() {
            newest.calls += 1;
            newest.errors += u64::from(is_error);
        }
        while hours.front().is_some_and(|oldest| oldest.number + HOURS <= number) {
            hours.pop_front();
        }
    }

    /// Each hour of the last day, the oldest first; also those without calls.
    pub(super) fn hours(&self, now: SystemTime) -> Vec<HourCount> {
        let last = number(now);
        let hours = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = |number: u64| {
            let found = hours.iter().find(|hour| hour.number == number);
            HourCount {
                begins: SystemTime::UNIX_EPOCH + Duration::from_secs(number * HOUR),
                calls: found.map_or(0, |hour| hour.calls),
                errors: found.map_or(0, |hour| hour.errors),
            }
        };
        (last.saturating_sub(HOURS - 1)..=last).map(count).collect()
    }
}

fn number(at: SystemTime) -> u64 {
    at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs() / HOUR
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_count_in_their_hour_for_a_day() {
        let history = History::default();
        let at = |hours: u64| SystemTime::UNIX_EPOCH + Duration::from_secs(hours * HOUR + 100);
        history.add(at(1_000), false);
        history.add(at(1_000), true);
        history.add(at(1_002), false);
        history.add(at(1_001), false);
        let counts = |now: SystemTime| -> Vec<(u64, u64)> {
            history.hours(now).iter().map(|hour| (hour.calls, hour.errors)).collect()
        };
        let found = counts(at(1_002));
        assert_eq!((found.len(), &found[21..]), (24, &[(2, 1), (0, 0), (2, 0)][..]));
        history.add(at(1_024), true);
        let found = counts(at(1_024));
        assert_eq!((found[0], found[1], found[2], found[23]), ((0, 0), (2, 0), (0, 0), (1, 1)));
        assert_eq!(counts(at(2_000)), [(0, 0); 24]);
    }
}
