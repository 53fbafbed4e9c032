//! A text of any length → its beginning, for a message or a record.

use std::borrow::Cow;

/// Returns at most `max_chars` characters of `text`, followed by `…` where that is not all of it.
pub fn truncate(text: &str, max_chars: usize) -> Cow<'_, str> {
    match text.char_indices().nth(max_chars) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_characters_and_marks_the_cut() {
        for (text, max, expected) in [
            ("", 0, ""),
            ("abc", 3, "abc"),
            ("abc", 2, "ab…"),
            ("日本語", 1, "日…"),
            ("é", 0, "…"),
            ("日本", 2, "日本"),
        ] {
            assert_eq!(truncate(text, max), expected, "{text} {max}");
        }
    }
}
