//! Calls in each hour of the last day → a picture with bars, to be drawn as SVG, and a table that says the same.

use crate::access::links::time_text;
use crate::metrics::HourCount;

const HEIGHT: u64 = 120;
const STEP: usize = 30;
const BAR: usize = 22;

/// The last day.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct HoursView {
    pub(super) width: usize,
    pub(super) height: u64,
    pub(super) bars: Vec<Bar>,
    /// The same in words.
    pub(super) description: String,
    /// The hours with calls, the newest first: when each began, calls, errors.
    pub(super) rows: Vec<(String, u64, u64)>,
}

/// An hour in the picture. What ended in an error is the lower part of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Bar {
    pub(super) x: usize,
    pub(super) width: usize,
    pub(super) calls: u64,
    pub(super) errors: u64,
}

impl Bar {
    pub(super) fn calls_y(&self) -> u64 {
        HEIGHT - self.calls
    }

    pub(super) fn errors_y(&self) -> u64 {
        HEIGHT - self.errors
    }
}

impl HoursView {
    pub(super) fn of(hours: &[HourCount]) -> Self {
        let most = hours.iter().map(|hour| hour.calls).max().unwrap_or_default().max(1);
        // What is there is seen.
        let tall = |count: u64| if count == 0 { 0 } else { (count * HEIGHT / most).max(2) };
        let bar = |(place, hour): (usize, &HourCount)| Bar {
            x: place * STEP,
            width: BAR,
            calls: tall(hour.calls),
            errors: tall(hour.errors),
        };
        let (calls, errors) =
            hours.iter().fold((0, 0), |(calls, errors), hour| (calls + hour.calls, errors + hour.errors));
        let rows = hours.iter().rev().filter(|hour| hour.calls > 0);
        Self {
            width: hours.len() * STEP,
            height: HEIGHT,
            bars: hours.iter().enumerate().map(bar).collect(),
            description: format!(
                "{calls} calls in the last 24 hours, of which {errors} ended in an error; at most {most} in an hour. The table has \
                 each hour."
            ),
            rows: rows.map(|hour| (time_text(hour.begins), hour.calls, hour.errors)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn bars_are_as_tall_as_their_part_of_the_most() {
        let hour = |calls: u64, errors: u64| HourCount { begins: SystemTime::UNIX_EPOCH, calls, errors };
        let view = HoursView::of(&[hour(0, 0), hour(1_000, 500), hour(1, 0)]);
        let tall: Vec<(u64, u64)> = view.bars.iter().map(|bar| (bar.calls, bar.errors)).collect();
        assert_eq!(tall, [(0, 0), (HEIGHT, HEIGHT / 2), (2, 0)]);
        assert_eq!((view.rows.len(), view.rows[0].1), (2, 1));
        assert!(view.description.starts_with("1001 calls in the last 24 hours, of which 500"), "{}", view.description);
        assert_eq!(HoursView::of(&[hour(0, 0)]).rows, []);
    }
}
