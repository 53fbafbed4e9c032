//! A text that matches a pattern of the overlay's → the same text without spaces around it, in the
//! case that the vendor takes. A refusal has the overlay's words in place of the pattern.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use regex::Regex;
use regex_syntax::hir::{Class, Hir, HirKind};
use serde_json::{Map, Value};
use toolwright_model::{Formatted, Letters, TextPattern};

use crate::error::{FormatError, short};
use crate::format::{Format, WriteFuture, written};
use crate::{FormatContext, schema};

/// The name of the format.
pub const PATTERN: &str = "pattern";

pub(crate) struct Pattern;

impl Format for Pattern {
    fn name(&self) -> &'static str {
        PATTERN
    }

    fn summary(&self) -> &'static str {
        "A text that matches the `pattern` beside it → the same text."
    }

    fn of_items(&self) -> bool {
        true
    }

    fn argument_schema(&self, _: &Formatted, schema: &mut Map<String, Value>) -> Result<(), &'static str> {
        schema::is_text(schema).then_some(()).ok_or("a text")
    }

    /// Which texts match is the overlay's to state.
    fn samples(&self, _: &Formatted, _: &str) -> Vec<Value> {
        Vec::new()
    }

    fn splits_at(&self, formatted: &Formatted, separator: char) -> bool {
        let parsed = formatted.text.as_ref().and_then(|text| regex_syntax::parse(&text.pattern).ok());
        parsed.is_some_and(|parsed| !can_hold(&parsed, separator))
    }

    fn write<'a>(
        &'a self,
        value: Value,
        formatted: &'a Formatted,
        _: &'a FormatContext<'a>,
        _: &'a mut Vec<String>,
    ) -> WriteFuture<'a> {
        written(match &formatted.text {
            Some(pattern) => checked(&value, pattern),
            None => Err(FormatError::new("a pattern of the overlay's, which this tool lacks", "none")),
        })
    }
}

fn checked(value: &Value, pattern: &TextPattern) -> Result<Value, FormatError> {
    let Some(given) = value.as_str() else {
        return Err(FormatError::new(&pattern.words, short(&value.to_string())));
    };
    let text = match pattern.letters {
        Some(Letters::Upper) => given.trim().to_uppercase(),
        Some(Letters::Lower) => given.trim().to_lowercase(),
        None => given.trim().to_owned(),
    };
    let Some(whole) = compiled(&format!(r"\A(?:{})\z", pattern.pattern)) else {
        return Err(FormatError::new(format!("{}; its pattern can't be read", pattern.words), short(given)));
    };
    if whole.is_match(&text) {
        return Ok(Value::from(text));
    }
    let suggestion = id_in_address(&text, &pattern.pattern);
    Err(FormatError { suggestion, ..FormatError::new(&pattern.words, short(given)) })
}

/// The only part of a pasted address that matches.
pub fn id_in_address(text: &str, pattern: &str) -> Option<String> {
    let whole = compiled(&format!(r"\A(?:{pattern})\z"))?;
    let mut parts = text.contains("://").then(|| text.split(['/', '?', '#', '&', '=']))?;
    // The first two are the scheme and nothing; a host is no id.
    let mut matching = parts.by_ref().skip(3).filter(|part| !part.is_empty() && whole.is_match(part));
    match (matching.next(), matching.next()) {
        (Some(only), None) => Some(only.to_owned()),
        _ => None,
    }
}

/// Returns why a pattern can't be used.
pub fn pattern_fault(pattern: &str) -> Option<String> {
    let error = Regex::new(&format!(r"\A(?:{pattern})\z")).err()?;
    Some(error.to_string().lines().last().unwrap_or_default().trim().to_owned())
}

/// Whether a whole text matches a pattern; one that can't be read matches nothing.
pub fn pattern_matches(pattern: &str, text: &str) -> bool {
    compiled(&format!(r"\A(?:{pattern})\z")).is_some_and(|whole| whole.is_match(text))
}

/// The patterns of a catalog are few, and each is used again and again.
fn compiled(pattern: &str) -> Option<Arc<Regex>> {
    static COMPILED: LazyLock<Mutex<HashMap<String, Arc<Regex>>>> = LazyLock::new(Mutex::default);
    let mut all = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = all.get(pattern) {
        return Some(Arc::clone(known));
    }
    let new = Arc::new(Regex::new(pattern).ok()?);
    all.insert(pattern.to_owned(), Arc::clone(&new));
    Some(new)
}

/// Whether a text that matches may contain the character.
fn can_hold(part: &Hir, c: char) -> bool {
    match part.kind() {
        HirKind::Empty | HirKind::Look(_) => false,
        HirKind::Literal(literal) => std::str::from_utf8(&literal.0).map_or(true, |text| text.contains(c)),
        HirKind::Class(Class::Unicode(class)) => {
            class.ranges().iter().any(|range| (range.start()..=range.end()).contains(&c))
        }
        HirKind::Class(Class::Bytes(_)) => true,
        HirKind::Repetition(repetition) => can_hold(&repetition.sub, c),
        HirKind::Capture(capture) => can_hold(&capture.sub, c),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().any(|part| can_hold(part, c)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn key() -> TextPattern {
        TextPattern {
            pattern: "[A-Z][A-Z0-9_]*-[0-9]+|[0-9]+".to_owned(),
            words: "an issue key such as ITS-12, or a numeric id".to_owned(),
            letters: Some(Letters::Upper),
        }
    }

    #[test]
    fn a_matching_text_is_trimmed_and_in_the_vendors_case() {
        for (given, sent) in [("ITS-12", "ITS-12"), ("its-12", "ITS-12"), (" 10001 ", "10001"), ("A1_B-7", "A1_B-7")] {
            assert_eq!(checked(&json!(given), &key()), Ok(json!(sent)), "{given}");
        }
    }

    #[test]
    fn another_text_is_refused_in_words() {
        for given in
            [json!("ITS"), json!("ITS-12/comment"), json!("ITS%2D12"), json!(".."), json!(""), json!(["ITS-1"])]
        {
            let error = checked(&given, &key()).unwrap_err();
            assert_eq!(error.expected, key().words, "{given}");
            assert_eq!(error.suggestion, None, "{given}");
        }
    }

    #[test]
    fn a_pasted_address_names_its_part() {
        let error = checked(&json!("https://acme.example/browse/its-12?x=a"), &key()).unwrap_err();
        assert_eq!(error.suggestion.as_deref(), Some("ITS-12"));
        let error = checked(&json!("https://acme.example/browse/ITS-12/ITS-13"), &key()).unwrap_err();
        assert_eq!(error.suggestion, None);
    }

    #[test]
    fn a_list_is_split_where_no_value_has_the_separator() {
        let of = |pattern: &str| Formatted {
            text: Some(TextPattern { pattern: pattern.to_owned(), words: String::new(), letters: None }),
            ..Formatted::whole(PATTERN)
        };
        for (pattern, comma, space) in [
            ("[0-9a-f]{24}", true, true),
            (r"[^\s@]+", false, true),
            ("[a-z, ]+", false, false),
            ("a,b|c", false, true),
        ] {
            assert_eq!((Pattern.splits_at(&of(pattern), ','), Pattern.splits_at(&of(pattern), ' ')), (comma, space));
        }
        assert!(!Pattern.splits_at(&Formatted::whole(PATTERN), ','));
    }

    #[test]
    fn a_pattern_that_can_not_be_read_is_a_fault() {
        assert_eq!(pattern_fault("[a-z]+"), None);
        assert!(pattern_fault("[a-").is_some());
        let broken = TextPattern { pattern: "(".to_owned(), ..key() };
        assert!(checked(&json!("a"), &broken).unwrap_err().expected.ends_with("can't be read"));
    }
}
