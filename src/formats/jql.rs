//! A JQL query: what Jira would refuse without a word of help is refused here with one, and where
//! Jira refuses, its own parser says why. No text is ever put into a query.

use serde_json::{Value, json};

use super::{FormatError, Lookup, short};
use crate::error::Rejection;
use toolwright_model::Place;

/// How many fields Jira sorts by.
const MOST_SORTED: usize = 7;
/// At most so many messages of the parser are told.
const MOST_MESSAGES: usize = 5;
const BOUNDED: &str =
    "a query with a restriction, which Jira demands: add one such as `project = ABC` or `created >= -30d`";

pub(super) fn write(value: Value, notes: &mut Vec<String>) -> Result<Value, FormatError> {
    let Value::String(given) = value else {
        return Err(FormatError::new("a JQL query as text", short(&value.to_string())));
    };
    let query = match decoded(&given)? {
        Some(plain) => {
            notes.push(format!(
                "the query came percent-encoded and was decoded once: {}; give JQL as plain text",
                short(&plain)
            ));
            plain
        }
        None => given,
    };
    check(&query)?;
    Ok(Value::String(query))
}

/// A piece of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    /// A word, a number, an operator: whatever is no other.
    Word(String),
    Quoted,
    Open,
    Close,
    Comma,
}

/// What is wrong with the signs of a query.
#[derive(Debug, PartialEq, Eq)]
enum Fault {
    Quote(char, usize),
    Session(usize),
    Closed(usize),
}

/// Takes a query apart, as far as quotes, parentheses and words go.
fn tokens(query: &str) -> Result<Vec<Token>, Fault> {
    let mut tokens = Vec::new();
    let mut opened = Vec::new();
    let mut characters = query.chars().enumerate().peekable();
    while let Some((at, c)) = characters.next() {
        match c {
            '"' | '\'' => {
                let mut closed = false;
                while let Some((_, inner)) = characters.next() {
                    match inner {
                        '\\' => drop(characters.next()),
                        inner if inner == c => {
                            closed = true;
                            break;
                        }
                        _ => {}
                    }
                }
                if !closed {
                    return Err(Fault::Quote(c, at + 1));
                }
                tokens.push(Token::Quoted);
            }
            '(' => {
                opened.push(at + 1);
                tokens.push(Token::Open);
            }
            ')' => {
                opened.pop().ok_or(Fault::Closed(at + 1))?;
                tokens.push(Token::Close);
            }
            ',' => tokens.push(Token::Comma),
            c if c.is_whitespace() => {}
            c => {
                let mut word = c.to_string();
                let same = |next: char| !next.is_whitespace() && !"\"'(),".contains(next);
                while let Some((_, next)) = characters.next_if(|(_, next)| same(*next)) {
                    word.push(next);
                    if next == '\\' {
                        word.extend(characters.next().map(|(_, escaped)| escaped));
                    }
                }
                tokens.push(Token::Word(word));
            }
        }
    }
    match opened.pop() {
        Some(at) => Err(Fault::Session(at)),
        None => Ok(tokens),
    }
}

fn check(query: &str) -> Result<(), FormatError> {
    let tokens = tokens(query).map_err(|fault| {
        let (expected, given) = match fault {
            Fault::Quote(quote, at) => {
                let expected = format!("each {quote} to be closed; a {quote} inside a text is written \\{quote}");
                (expected, format!("one that opens at character {at} and never closes"))
            }
            Fault::Session(at) => {
                ("each ( to be closed".to_owned(), format!("one that opens at character {at} and never closes"))
            }
            Fault::Closed(at) => ("a ( for each )".to_owned(), format!("a ) at character {at} that closes nothing")),
        };
        FormatError::new(format!("a JQL query, with {expected}"), format!("{given}: {}", short(query)))
    })?;
    let is = |token: &Token, word: &str| matches!(token, Token::Word(text) if text.eq_ignore_ascii_case(word));
    let sorting =
        (0..tokens.len()).find(|&at| is(&tokens[at], "order") && tokens.get(at + 1).is_some_and(|next| is(next, "by")));
    let restriction = &tokens[..sorting.unwrap_or(tokens.len())];
    // Parentheses around nothing restrict nothing.
    if restriction.iter().all(|token| matches!(token, Token::Open | Token::Close)) {
        let given = if query.trim().is_empty() { "nothing".to_owned() } else { short(query) };
        return Err(FormatError::new(BOUNDED, given));
    }
    let sorted = sorting.map_or(0, |at| 1 + tokens[at..].iter().filter(|token| **token == Token::Comma).count());
    if sorted > MOST_SORTED {
        let expected = format!("at most {MOST_SORTED} fields after ORDER BY, as many as Jira takes");
        return Err(FormatError::new(expected, sorted.to_string()));
    }
    Ok(())
}

/// The plain text of a query that came percent-encoded: outside of quotes no query has a `%`, and
/// one that is encoded has no white space.
fn decoded(query: &str) -> Result<Option<String>, FormatError> {
    if query.trim().contains(char::is_whitespace) || !is_encoded(query) {
        return Ok(None);
    }
    // Forms write a space as `+`.
    let spaced = if query.contains("%20") { query.to_owned() } else { query.replace('+', " ") };
    let plain = percent_encoding::percent_decode_str(&spaced).decode_utf8();
    match plain {
        Ok(plain) if !is_encoded(&plain) => Ok(Some(plain.into_owned())),
        _ => Err(FormatError::new("a JQL query as plain text, not percent-encoded", short(query))),
    }
}

/// Whether a `%` with two hexadecimal digits stands outside of quotes.
fn is_encoded(query: &str) -> bool {
    let bytes = query.as_bytes();
    let mut quote = None;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match (quote, byte) {
            (Some(_), b'\\') => at += 1,
            (Some(open), _) if byte == open => quote = None,
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'%') => {
                let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_hexdigit);
                if digit(at + 1) && digit(at + 2) {
                    return true;
                }
            }
            _ => {}
        }
        at += 1;
    }
    false
}

/// What Jira's parser says of a query that was refused.
pub(super) async fn explain(value: &Value, rejection: &Rejection, operation: &str, ask: &dyn Lookup) -> Option<String> {
    if rejection.status != 400 || !value.is_string() {
        return None;
    }
    let inputs = vec![
        (Place::Query("validation".to_owned()), json!("strict")),
        (Place::Property("queries".to_owned()), json!([value])),
    ];
    let answer = ask.ask(operation, inputs).await.ok()?;
    let parsed: Value = serde_json::from_slice(&answer.body).ok()?;
    let query = &parsed["queries"][0];
    let messages = |key: &str| query[key].as_array().into_iter().flatten().filter_map(Value::as_str);
    // The refusal itself may hold them already.
    let new: Vec<String> = messages("errors")
        .chain(messages("warnings"))
        .filter(|message| !rejection.body.contains(*message))
        .take(MOST_MESSAGES)
        .map(|message| message.chars().take(500).collect())
        .collect();
    (!new.is_empty()).then(|| format!("Jira's parser says of the query: {}", new.join(" ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(query: &str) -> Result<(String, usize), String> {
        let mut notes = Vec::new();
        match write(json!(query), &mut notes) {
            Ok(value) => Ok((value.as_str().unwrap().to_owned(), notes.len())),
            Err(complaint) => Err(format!("{} / {}", complaint.expected, complaint.given)),
        }
    }

    #[test]
    fn queries_that_restrict_pass_as_they_are() {
        for query in [
            "project = ABC",
            "assignee = currentUser() order by key",
            "summary ~ \"100%25 (of (it\" AND text ~ 'it\\'s )'",
            "labels in (a, \"b, c\") ORDER BY a, b, c, d, e, f, g",
            "key = ABC-1",
            "\"Story point estimate\" is not EMPTY",
            "text~\"a%20b\"",
            "NOT status = Done",
            "cf[10010] = \"order by\"",
        ] {
            assert_eq!(written(query), Ok((query.to_owned(), 0)), "{query}");
        }
    }

    #[test]
    fn queries_without_a_restriction_are_refused_with_the_fix() {
        for query in ["", "  ", "order by created DESC", "ORDER  BY\nkey", "()", "( ) order by rank"] {
            let told = written(query).unwrap_err();
            assert!(told.contains("created >= -30d"), "{query}: {told}");
        }
    }

    #[test]
    fn what_is_open_is_told_with_its_place() {
        for (query, told) in [
            ("summary ~ \"printer", "opens at character 11"),
            ("summary ~ 'it\\'", "opens at character 11"),
            ("project = A AND (status = Open", "opens at character 17"),
            ("project = A)", "a ) at character 12"),
        ] {
            let found = written(query).unwrap_err();
            assert!(found.contains(told), "{query}: {found}");
        }
        assert!(written("a = b order by a,b,c,d,e,f,g,h").unwrap_err().contains("at most 7"));
    }

    #[test]
    fn an_encoded_query_is_decoded_once() {
        for (given, expected) in [
            ("project%20%3D%20ABC", "project = ABC"),
            ("project+%3D+%22A+B%22", "project = \"A B\""),
            ("summary%20~%20%22100%2525%22", "summary ~ \"100%25\""),
            ("text~%22a+b%22%20AND%20x=1", "text~\"a+b\" AND x=1"),
        ] {
            assert_eq!(written(given), Ok((expected.to_owned(), 1)), "{given}");
        }
        for twice in ["project%2520%253D%2520ABC", "a%3D%FF"] {
            assert!(written(twice).unwrap_err().contains("not percent-encoded"), "{twice}");
        }
        assert!(written("order%20by%20key").unwrap_err().contains("created >= -30d"));
    }
}
