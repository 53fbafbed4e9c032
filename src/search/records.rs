//! The words of a question → how many records it is about.

use super::question::begins_with_any;
use toolwright_model::WordForm;
use toolwright_search_index::text::Word;

/// How many names or single words in a row, with commas between them, are several records.
const NAMES_IN_A_ROW: usize = 3;
/// What stands between two things that are named in a row.
const JOINING: [&str; 3] = ["and", "or", "plus"];
/// The word before a number that tells how many: "all 31".
const ALL: &str = "all";

/// How many records a question is about.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Records {
    /// It names none.
    #[default]
    None,
    /// One key or number, or some that stand apart: "move 4521 to category 7".
    One,
    /// A row of them, or words that say so: "55, 56 and 57", "these devices", "all 31".
    Several,
}

impl Records {
    /// Counts them; `many` are the phrases that mean several records which are not named one by one.
    pub(super) fn of(words: &[Word], many: &[Vec<String>]) -> Self {
        let outside: Vec<&str> = words.iter().filter(|word| !word.is_quoted).map(|word| word.text.as_str()).collect();
        let says_so = (0..outside.len()).any(|start| begins_with_any(&outside[start..], many).is_some());
        let is_record = |at: usize| words[at].form.is_some_and(WordForm::is_record);
        let is_counted = (1..words.len()).any(|at| is_record(at) && words[at - 1].text == ALL);
        let is_alone = |at: usize| {
            let same = |other: Option<&Word>| other.is_some_and(|other| other.clause == words[at].clause);
            !same(at.checked_sub(1).and_then(|before| words.get(before))) && !same(words.get(at + 1))
        };
        let is_name = |at: usize| is_record(at) || words[at].is_name || is_alone(at);
        if says_so || is_counted || in_a_row(words, is_record) > 1 || in_a_row(words, is_name) >= NAMES_IN_A_ROW {
            Self::Several
        } else if (0..words.len()).any(is_record) {
            Self::One
        } else {
            Self::None
        }
    }
}

/// The most words of a kind that follow each other with nothing but a comma, or "and", between them.
fn in_a_row(words: &[Word], is_one: impl Fn(usize) -> bool) -> usize {
    let (mut row, mut most) = (0, 0);
    let mut at = 0;
    while at < words.len() {
        row = if is_one(at) { row + 1 } else { 0 };
        most = most.max(row);
        let next = words.get(at + 1);
        let is_joined = next.is_some_and(|next| JOINING.contains(&next.text.as_str()));
        if !is_joined && next.is_none_or(|next| next.clause == words[at].clause) {
            row = 0;
        }
        at += if is_joined { 2 } else { 1 };
    }
    most
}

#[cfg(test)]
mod tests {
    use super::*;
    use toolwright_search_index::text::words;

    #[test]
    fn records_in_a_row_are_several() {
        let many = [vec!["in".to_owned(), "one".to_owned(), "go".to_owned()]];
        for (question, expected) in [
            ("close 55, 56 and 57", Records::Several),
            ("link HELP-1 and HELP-2", Records::Several),
            ("a second factor for amy, joel, petra, sunil", Records::Several),
            ("close all 31", Records::Several),
            ("close them in one go", Records::Several),
            ("call it \"in one go\"", Records::None),
            ("move 4521 to category 7", Records::One),
            ("call +33 1 44 55 66 77", Records::One),
            ("ask Anna and Ben", Records::None),
            ("", Records::None),
        ] {
            assert_eq!(Records::of(&words(question), &many), expected, "{question}");
        }
    }
}
