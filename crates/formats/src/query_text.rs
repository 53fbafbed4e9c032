//! A query of Jira or Assets as text → its pieces, and the text decoded where it came percent-encoded. What both languages
//! have in common: quotes, parentheses, words, and `ORDER BY` at the end. No text is ever put into a query.

use serde_json::Value;

use crate::error::{FormatError, short};

/// Returns a query as plain text; one that came percent-encoded is decoded once, with a note.
///
/// # Errors
/// The value is no text, or is encoded more than once.
pub(crate) fn plain(value: Value, language: &str, notes: &mut Vec<String>) -> Result<String, FormatError> {
    let Value::String(given) = value else {
        return Err(FormatError::new(format!("{} as text", query_of(language)), short(&value.to_string())));
    };
    let Some(plain) = decoded(&given, language)? else { return Ok(given) };
    notes.push(format!(
        "the query came percent-encoded and was decoded once: {}; give {language} as plain text",
        short(&plain)
    ));
    Ok(plain)
}

/// `a JQL query`.
fn query_of(language: &str) -> String {
    let article = if language.starts_with('A') { "an" } else { "a" };
    format!("{article} {language} query")
}

/// Splits a query into quotes, parentheses and words.
///
/// # Errors
/// A quote or parenthesis is without its partner; the message names its position.
pub(crate) fn tokens(query: &str, language: &str) -> Result<Vec<QueryToken>, FormatError> {
    split(query).map_err(|fault| {
        let (expected, given) = match fault {
            Unbalanced::UnclosedQuote(quote, at) => {
                let expected = format!("each {quote} to be closed; a {quote} inside a text is written \\{quote}");
                (expected, format!("one that opens at character {at} and never closes"))
            }
            Unbalanced::UnclosedParenthesis(at) => {
                ("each ( to be closed".to_owned(), format!("one that opens at character {at} and never closes"))
            }
            Unbalanced::UnopenedParenthesis(at) => {
                ("a ( for each )".to_owned(), format!("a ) at character {at} that closes nothing"))
            }
        };
        FormatError::new(format!("{}, with {expected}", query_of(language)), format!("{given}: {}", short(query)))
    })
}

impl QueryToken {
    /// Whether this is the word, in whatever case.
    pub(crate) fn is(&self, word: &str) -> bool {
        matches!(self, Self::Word(text) if text.eq_ignore_ascii_case(word))
    }
}

/// Where a query begins to sort: at `ORDER BY`, else after its end.
pub(crate) fn sorting(tokens: &[QueryToken]) -> usize {
    let begins = |at: &usize| tokens[*at].is("order") && tokens.get(at + 1).is_some_and(|next| next.is("by"));
    (0..tokens.len()).find(begins).unwrap_or(tokens.len())
}

/// Whether there is anything but parentheses, which restrict nothing.
pub(crate) fn restricts(tokens: &[QueryToken]) -> bool {
    tokens.iter().any(|token| !matches!(token, QueryToken::OpenParenthesis | QueryToken::CloseParenthesis))
}

/// A piece of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum QueryToken {
    /// A word, a number, an operator: everything without a variant of its own.
    Word(String),
    /// A text in quotes, without them.
    Quoted(String),
    OpenParenthesis,
    CloseParenthesis,
    Comma,
}

/// A quote or parenthesis without its partner, and its position counted from 1.
#[derive(Debug, PartialEq, Eq)]
enum Unbalanced {
    UnclosedQuote(char, usize),
    UnclosedParenthesis(usize),
    UnopenedParenthesis(usize),
}

/// Splits a query into quotes, parentheses and words.
fn split(query: &str) -> Result<Vec<QueryToken>, Unbalanced> {
    let mut tokens = Vec::new();
    let mut opened = Vec::new();
    let mut characters = query.chars().enumerate().peekable();
    while let Some((at, c)) = characters.next() {
        match c {
            '"' | '\'' => {
                let (mut text, mut closed) = (String::new(), false);
                while let Some((_, inner)) = characters.next() {
                    match inner {
                        '\\' => text.extend(characters.next().map(|(_, escaped)| escaped)),
                        inner if inner == c => {
                            closed = true;
                            break;
                        }
                        inner => text.push(inner),
                    }
                }
                if !closed {
                    return Err(Unbalanced::UnclosedQuote(c, at + 1));
                }
                tokens.push(QueryToken::Quoted(text));
            }
            '(' => {
                opened.push(at + 1);
                tokens.push(QueryToken::OpenParenthesis);
            }
            ')' => {
                opened.pop().ok_or(Unbalanced::UnopenedParenthesis(at + 1))?;
                tokens.push(QueryToken::CloseParenthesis);
            }
            ',' => tokens.push(QueryToken::Comma),
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
                tokens.push(QueryToken::Word(word));
            }
        }
    }
    match opened.pop() {
        Some(at) => Err(Unbalanced::UnclosedParenthesis(at)),
        None => Ok(tokens),
    }
}

/// Returns the plain text of a query that is percent-encoded. Outside of quotes no query has a `%`,
/// and an encoded one has no white space.
fn decoded(query: &str, language: &str) -> Result<Option<String>, FormatError> {
    if query.trim().contains(char::is_whitespace) || !is_encoded(query) {
        return Ok(None);
    }
    // Forms write a space as `+`.
    let spaced = if query.contains("%20") { query.to_owned() } else { query.replace('+', " ") };
    let plain = percent_encoding::percent_decode_str(&spaced).decode_utf8();
    match plain {
        Ok(plain) if !is_encoded(&plain) => Ok(Some(plain.into_owned())),
        _ => Err(FormatError::new(format!("{} as plain text, not percent-encoded", query_of(language)), short(query))),
    }
}

/// Whether there is a `%` with two hexadecimal digits outside of quotes.
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
