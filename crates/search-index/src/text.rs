//! A text → its words in small letters, with what their form tells. The same for questions and for the texts of tools.

use std::ops::Range;

use toolwright_model::WordForm;

/// One word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// In small letters; empty where only its form counts.
    pub text: String,
    /// What it is by its form.
    pub form: Option<WordForm>,
    /// Written with a capital where no sentence begins: a name, mostly.
    pub is_name: bool,
    /// Within quotation marks, and not all of the text is: a value, mostly.
    pub is_quoted: bool,
    /// How many words before it a hyphen joins to it; it is then all of them in one.
    pub joins: usize,
    /// In which clause of the text it is.
    pub clause: usize,
}

/// Splits a text into words, at everything but letters and digits. What a hyphen joins is there in parts and as one word.
pub fn words(text: &str) -> Vec<Word> {
    let quoted = quoted(text);
    let mut found = Vec::new();
    let (mut clause, mut begins) = (0, true);
    for chunk in text.split_whitespace() {
        let is_quoted = !quoted.is_empty() && is_within(chunk, text, &quoted);
        let word = |text, form, is_name, joins| Word { text, form, is_name, is_quoted, joins, clause };
        // Most words: letters and nothing else.
        if chunk.bytes().all(|b| b.is_ascii_alphabetic()) {
            let is_name = !begins && chunk.starts_with(|c: char| c.is_ascii_uppercase());
            found.push(word(chunk.to_ascii_lowercase(), None, is_name, 0));
            begins = false;
            continue;
        }
        let form = form(chunk.trim_matches(|c: char| !c.is_alphanumeric() && c != '#'));
        if form.is_some() {
            found.push(word(String::new(), form, false, 0));
        } else {
            let is_name =
                !begins && chunk.trim_start_matches(|c: char| !c.is_alphanumeric()).starts_with(char::is_uppercase);
            found.extend(parts(chunk).into_iter().map(|(text, joins)| word(text, None, is_name, joins)));
        }
        begins = chunk.ends_with(['.', '!', '?', ':', ';']);
        if begins || chunk.ends_with([',', '–', '—']) || chunk == "-" {
            clause += 1;
        }
    }
    if found.iter().all(|word| word.is_quoted) {
        for word in &mut found {
            word.is_quoted = false;
        }
    }
    found
}

/// Where a text has quotation marks, from the one that opens to the one that closes. An apostrophe is none.
fn quoted(text: &str) -> Vec<Range<usize>> {
    let closing = |open: char| match open {
        '"' => Some(['"', '"']),
        '\'' => Some(['\'', '\'']),
        '“' => Some(['”', '”']),
        '„' => Some(['“', '”']),
        '«' => Some(['»', '»']),
        '‘' => Some(['’', '’']),
        _ => None,
    };
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut before = ' ';
    for (at, open) in text.char_indices() {
        let opens = !before.is_alphanumeric() && found.last().is_none_or(|last| last.end <= at);
        before = open;
        let Some(closing) = closing(open).filter(|_| opens) else { continue };
        let rest = text.get(at + open.len_utf8()..).unwrap_or_default();
        let closes = |(end, mark): &(usize, char)| {
            let after = rest[end + mark.len_utf8()..].chars().next();
            *end > 0 && closing.contains(mark) && !after.is_some_and(char::is_alphanumeric)
        };
        if let Some((end, mark)) = rest.char_indices().find(closes) {
            found.push(at..at + open.len_utf8() + end + mark.len_utf8());
        }
    }
    found
}

/// Whether the first letter of a part of a text is within one of the ranges.
fn is_within(part: &str, text: &str, ranges: &[Range<usize>]) -> bool {
    let first = part.find(char::is_alphanumeric).unwrap_or_default();
    let at = part.as_ptr().addr() - text.as_ptr().addr() + first;
    ranges.iter().any(|range| range.contains(&at))
}

/// What a word is by its form.
fn form(chunk: &str) -> Option<WordForm> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if digits(chunk.strip_prefix('#').unwrap_or(chunk)) {
        return Some(WordForm::Number);
    }
    if let Some((name, host)) = chunk.split_once('@') {
        return (!name.is_empty() && host.contains('.')).then_some(WordForm::Address);
    }
    let (key, number) = chunk.split_once('-')?;
    let is_key = key.starts_with(|c: char| c.is_ascii_uppercase())
        && key.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
        && key.len() > 1;
    (is_key && digits(number)).then_some(WordForm::Key)
}

/// Splits a name of code into words, within `camelCase` too. Prose is not split there: BitLocker is one word.
pub fn of_identifier(name: &str) -> Vec<Word> {
    let mut spaced = String::new();
    let mut after_small = false;
    for c in name.chars() {
        if after_small && c.is_uppercase() {
            spaced.push(' ');
        }
        after_small = c.is_lowercase();
        spaced.push(c);
    }
    words(&spaced)
}

/// What a word is the plural of, by its ending.
pub fn singular(word: &str) -> Option<&str> {
    word.strip_suffix('s').filter(|singular| singular.len() > 2 && !singular.ends_with('s'))
}

/// The words of what stands between spaces, each with how many before it it joins.
fn parts(chunk: &str) -> Vec<(String, usize)> {
    let mut parts: Vec<(String, usize)> = Vec::new();
    for joined in chunk.split(|c: char| !c.is_alphanumeric() && c != '-' && c != '‑') {
        if !joined.contains(['-', '‑']) {
            // Most words: nothing is joined to them.
            parts.extend((!joined.is_empty()).then(|| (joined.to_lowercase(), 0)));
            continue;
        }
        let of_hyphen: Vec<&str> = joined.split(['-', '‑']).filter(|part| !part.is_empty()).collect();
        parts.extend(of_hyphen.iter().map(|part| (part.to_lowercase(), 0)));
        if of_hyphen.len() > 1 {
            parts.push((of_hyphen.concat().to_lowercase(), of_hyphen.len()));
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<String> {
        words(text).into_iter().map(|word| word.text).collect()
    }

    #[test]
    fn words_are_split_at_signs_and_hyphens() {
        assert_eq!(texts("Wi-Fi's BitLocker, e-mail!"), ["wi", "fi", "wifi", "s", "bitlocker", "e", "mail", "email"]);
        let of_name: Vec<String> = of_identifier("assignedToUserId").into_iter().map(|word| word.text).collect();
        assert_eq!(of_name, ["assigned", "to", "user", "id"]);
        assert_eq!(texts("jitbit_get_ticket"), ["jitbit", "get", "ticket"]);
        assert!(texts("… – ?").is_empty());
    }

    #[test]
    fn keys_numbers_and_addresses_are_known_by_their_form() {
        let forms: Vec<_> = words("HELP-210, #4521 and anna@example.com (12) Wi-Fi A-1 up-2")
            .into_iter()
            .filter_map(|word| word.form)
            .collect();
        assert_eq!(forms, [WordForm::Key, WordForm::Number, WordForm::Address, WordForm::Number]);
    }

    #[test]
    fn what_stands_in_quotation_marks_is_a_value() {
        let quoted = |text: &str| {
            let words = words(text).into_iter().filter(|word| word.is_quoted);
            words.map(|word| word.text).collect::<Vec<_>>().join(" ")
        };
        for (text, expected) in [
            ("call it \"Badge reader, gate\" now", "badge reader gate"),
            ("the “VPN” and „Zugang“ (\"wlan\").", "vpn zugang wlan"),
            ("tag it 'urgent' and don't ask Anna's boss", "urgent"),
            ("is \"help!!!\", make it \"Printer\"", "help printer"),
            ("a 15\" screen and a 17\" one", ""),
            ("it is \"open", ""),
            ("\"list my tickets\"", ""),
            ("\"\" \"", ""),
        ] {
            assert_eq!(quoted(text), expected, "{text}");
        }
    }

    #[test]
    fn a_capital_within_a_sentence_is_a_name() {
        let names =
            |text: &str| words(text).into_iter().filter(|word| word.is_name).map(|word| word.text).collect::<Vec<_>>();
        assert_eq!(names("Lock the laptop of Mark. He left"), ["mark"]);
        assert_eq!(words("Lost it, lock it").iter().map(|word| word.clause).collect::<Vec<_>>(), [0, 0, 1, 1]);
    }
}
