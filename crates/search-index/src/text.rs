//! A text → its words in small letters, with what their form tells. The same for questions and for the texts of tools.

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
    /// How many words before it a hyphen joins to it; it is then all of them in one.
    pub joins: usize,
    /// In which clause of the text it is.
    pub clause: usize,
}

/// Splits a text into words, at everything but letters and digits. What a hyphen joins is there in parts and as one word.
pub fn words(text: &str) -> Vec<Word> {
    let mut found = Vec::new();
    let (mut clause, mut begins) = (0, true);
    for chunk in text.split_whitespace() {
        // Most words: letters and nothing else.
        if chunk.bytes().all(|b| b.is_ascii_alphabetic()) {
            let is_name = !begins && chunk.starts_with(|c: char| c.is_ascii_uppercase());
            found.push(Word { text: chunk.to_ascii_lowercase(), form: None, is_name, joins: 0, clause });
            begins = false;
            continue;
        }
        let form = form(chunk.trim_matches(|c: char| !c.is_alphanumeric() && c != '#'));
        if form.is_some() {
            found.push(Word { text: String::new(), form, is_name: false, joins: 0, clause });
        } else {
            let is_name =
                !begins && chunk.trim_start_matches(|c: char| !c.is_alphanumeric()).starts_with(char::is_uppercase);
            found.extend(parts(chunk).into_iter().map(|(text, joins)| Word {
                text,
                form: None,
                is_name,
                joins,
                clause,
            }));
        }
        begins = chunk.ends_with(['.', '!', '?', ':', ';']);
        if begins || chunk.ends_with([',', '–', '—']) || chunk == "-" {
            clause += 1;
        }
    }
    found
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
    fn a_capital_within_a_sentence_is_a_name() {
        let names =
            |text: &str| words(text).into_iter().filter(|word| word.is_name).map(|word| word.text).collect::<Vec<_>>();
        assert_eq!(names("Lock the laptop of Mark. He left"), ["mark"]);
        assert_eq!(words("Lost it, lock it").iter().map(|word| word.clause).collect::<Vec<_>>(), [0, 0, 1, 1]);
    }
}
