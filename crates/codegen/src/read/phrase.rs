//! A phrase, with which people ask for a tool → what is wrong with it.

use std::ops::RangeInclusive;

use crate::read::located::Located;

/// The most phrases that an overlay states of one tool: those with which most people ask.
pub const MOST_PHRASES: usize = 64;
/// The characters of a phrase. A longer one holds several.
const LENGTH: RangeInclusive<usize> = 4..=80;

/// Reports a phrase that is too short, too long or not in plain words.
pub fn check_phrase(at: &Located<'_>) {
    let Some(text) = at.value.as_str() else { return };
    let is_plain = !text.contains(['\n', '`', '|']) && text.trim() == text;
    if !LENGTH.contains(&text.chars().count()) || !is_plain {
        let expected = format!("how a person asks, in plain words, {} to {} characters", LENGTH.start(), LENGTH.end());
        at.wrong(expected);
    }
}
