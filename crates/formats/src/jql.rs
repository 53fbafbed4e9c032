//! A JQL query → the same query, checked for what Jira refuses without an explanation; a refusal →
//! the messages of Jira's own parser. No text is ever put into a query.

use serde_json::{Map, Value, json};
use toolwright_model::{Formatted, Place};

use crate::error::{FormatError, short};
use crate::format::{ExplainFuture, Format, LookupUse, WriteFuture, written};
use crate::query_text::{self, QueryToken};
use crate::{FormatContext, Lookup, RefusedRequest, schema};

const LANGUAGE: &str = "JQL";
/// The most fields that Jira sorts by.
const MAX_SORTED: usize = 7;
/// The most messages of the parser that a caller gets.
const MAX_MESSAGES: usize = 5;
/// The most characters of one message.
const MAX_MESSAGE: usize = 500;
const BOUNDED: &str =
    "a query with a restriction, which Jira demands: add one such as `project = ABC` or `created >= -30d`";

pub(crate) struct Jql;

impl Format for Jql {
    fn name(&self) -> &'static str {
        "jql"
    }

    fn summary(&self) -> &'static str {
        "A JQL query, with what Jira refuses found before it is sent."
    }

    fn lookup_use(&self) -> LookupUse {
        LookupUse::Optional
    }

    fn argument_schema(&self, _: &Formatted, schema: &mut Map<String, Value>) -> Result<(), &'static str> {
        if schema::type_of(schema) == "string" { Ok(()) } else { Err("a text") }
    }

    fn samples(&self, _: &Formatted, _: &str) -> Vec<Value> {
        vec![json!("project = ABC"), json!("created >= -30d AND text ~ \"a b\" ORDER BY created DESC")]
    }

    fn write<'a>(
        &'a self,
        value: Value,
        _: &'a Formatted,
        _: &'a FormatContext<'a>,
        notes: &'a mut Vec<String>,
    ) -> WriteFuture<'a> {
        written(checked(value, notes))
    }

    fn explain<'a>(
        &'a self,
        value: &'a Value,
        formatted: &'a Formatted,
        refused: &'a RefusedRequest<'a>,
        lookup: &'a dyn Lookup,
    ) -> ExplainFuture<'a> {
        Box::pin(async move { parser_messages(value, refused, formatted.ask.as_deref()?, lookup).await })
    }
}

fn checked(value: Value, notes: &mut Vec<String>) -> Result<Value, FormatError> {
    let query = query_text::plain(value, LANGUAGE, notes)?;
    check(&query)?;
    Ok(Value::String(query))
}

fn check(query: &str) -> Result<(), FormatError> {
    let tokens = query_text::tokens(query, LANGUAGE)?;
    let sorting = query_text::sorting(&tokens);
    if !query_text::restricts(&tokens[..sorting]) {
        let given = if query.trim().is_empty() { "nothing".to_owned() } else { short(query) };
        return Err(FormatError::new(BOUNDED, given));
    }
    let order = &tokens[sorting..];
    let sorted =
        if order.is_empty() { 0 } else { 1 + order.iter().filter(|token| **token == QueryToken::Comma).count() };
    if sorted > MAX_SORTED {
        let expected = format!("at most {MAX_SORTED} fields after ORDER BY, as many as Jira takes");
        return Err(FormatError::new(expected, sorted.to_string()));
    }
    Ok(())
}

/// Returns what Jira's parser reports of a query that was refused.
async fn parser_messages(
    value: &Value,
    refused: &RefusedRequest<'_>,
    operation: &str,
    lookup: &dyn Lookup,
) -> Option<String> {
    if refused.status != 400 || !value.is_string() {
        return None;
    }
    let inputs = vec![
        (Place::Query("validation".to_owned()), json!("strict")),
        (Place::Property("queries".to_owned()), json!([value])),
    ];
    let parsed = lookup.ask(operation, inputs).await.ok()?;
    let query = &parsed["queries"][0];
    let messages = |key: &str| query[key].as_array().into_iter().flatten().filter_map(Value::as_str);
    // The refusal itself may contain them already.
    let new: Vec<String> = messages("errors")
        .chain(messages("warnings"))
        .filter(|message| !refused.body.contains(*message))
        .take(MAX_MESSAGES)
        .map(|message| message.chars().take(MAX_MESSAGE).collect())
        .collect();
    (!new.is_empty()).then(|| format!("Jira's parser reports for the query: {}", new.join(" ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{Vendor, run};

    fn outcome(query: &str) -> Result<(String, usize), String> {
        let mut notes = Vec::new();
        match checked(json!(query), &mut notes) {
            Ok(value) => Ok((value.as_str().unwrap().to_owned(), notes.len())),
            Err(error) => Err(format!("{} / {}", error.expected, error.given)),
        }
    }

    #[test]
    fn queries_with_a_restriction_pass_unchanged() {
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
            assert_eq!(outcome(query), Ok((query.to_owned(), 0)), "{query}");
        }
    }

    #[test]
    fn queries_without_a_restriction_are_refused_with_the_fix() {
        for query in ["", "  ", "order by created DESC", "ORDER  BY\nkey", "()", "( ) order by rank"] {
            let error = outcome(query).unwrap_err();
            assert!(error.contains("created >= -30d"), "{query}: {error}");
        }
    }

    #[test]
    fn unbalanced_signs_are_refused_with_their_position() {
        for (query, part) in [
            ("summary ~ \"printer", "opens at character 11"),
            ("summary ~ 'it\\'", "opens at character 11"),
            ("project = A AND (status = Open", "opens at character 17"),
            ("project = A)", "a ) at character 12"),
        ] {
            let error = outcome(query).unwrap_err();
            assert!(error.contains(part), "{query}: {error}");
        }
        assert!(outcome("a = b order by a,b,c,d,e,f,g,h").unwrap_err().contains("at most 7"));
    }

    #[test]
    fn an_encoded_query_is_decoded_once() {
        for (given, expected) in [
            ("project%20%3D%20ABC", "project = ABC"),
            ("project+%3D+%22A+B%22", "project = \"A B\""),
            ("summary%20~%20%22100%2525%22", "summary ~ \"100%25\""),
            ("text~%22a+b%22%20AND%20x=1", "text~\"a+b\" AND x=1"),
        ] {
            assert_eq!(outcome(given), Ok((expected.to_owned(), 1)), "{given}");
        }
        for twice in ["project%2520%253D%2520ABC", "a%3D%FF"] {
            assert!(outcome(twice).unwrap_err().contains("not percent-encoded"), "{twice}");
        }
        assert!(outcome("order%20by%20key").unwrap_err().contains("created >= -30d"));
    }

    #[test]
    fn the_parser_explains_a_refusal() {
        let formatted = Formatted { ask: Some("parse".to_owned()), ..Formatted::whole("jql") };
        let explained = |answer: Value, status, body: &str| {
            let vendor = Vendor::new(Ok(answer));
            let refused = RefusedRequest { status, body };
            let text = run(Jql.explain(&json!("a = b"), &formatted, &refused, &vendor));
            (text, vendor.last_inputs.into_inner().unwrap())
        };
        let answer =
            json!({"queries": [{"query": "a = b", "errors": ["Field 'a' does not exist.", "Known already."]}]});
        let (text, inputs) = explained(answer.clone(), 400, "{\"errorMessages\": [\"Known already.\"]}");
        assert_eq!(text.as_deref(), Some("Jira's parser reports for the query: Field 'a' does not exist."));
        assert_eq!(inputs[1], (Place::Property("queries".to_owned()), json!(["a = b"])));
        for (answer, status) in [(answer, 403), (json!({"queries": []}), 400), (json!("odd"), 400)] {
            assert_eq!(explained(answer, status, "").0, None);
        }
    }
}
