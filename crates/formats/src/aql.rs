//! An AQL query → the same query, checked for what Assets answers with everything, with nothing, or without an
//! explanation: no restriction, an open quote, an attribute that the object type does not have.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};
use toolwright_model::{Formatted, Place};

use crate::assets::type_attributes::{TypeAttributes, id_of};
use crate::error::{FormatError, short};
use crate::format::{ExplainFuture, Format, LookupUse, WriteFuture};
use crate::query_text::{self, QueryToken};
use crate::{FormatContext, Lookup, RefusedRequest, schema};

const LANGUAGE: &str = "AQL";
/// The most characters of a message of the vendor.
const MAX_MESSAGE: usize = 500;
/// The most messages of the vendor.
const MAX_MESSAGES: usize = 5;
/// How long the id of a type is used.
const MAX_AGE: Duration = Duration::from_mins(10);
const BOUNDED: &str = "a query with a restriction; without one it means every object there is: add one such as \
                       `objectType = \"Laptop\"` or `objectSchemaId = 3`";
/// What a query restricts besides attributes of a type.
const KEYWORDS: [&str; 11] = [
    "object",
    "objecttype",
    "objecttypeid",
    "objectschema",
    "objectschemaid",
    "objectid",
    "anyattribute",
    "key",
    "label",
    "created",
    "updated",
];
/// The words that compare; signs are words of their own.
const OPERATORS: [&str; 14] =
    ["=", "==", "!=", "<", ">", "<=", ">=", "like", "in", "startswith", "endswith", "is", "having", "not"];

pub(crate) struct Aql;

impl Format for Aql {
    fn name(&self) -> &'static str {
        "aql"
    }

    fn summary(&self) -> &'static str {
        "An AQL query of Assets, with what is refused or answered with everything found before it is sent."
    }

    fn lookup_use(&self) -> LookupUse {
        LookupUse::Optional
    }

    fn asks_further(&self) -> bool {
        true
    }

    fn argument_schema(&self, _: &Formatted, schema: &mut Map<String, Value>) -> Result<(), &'static str> {
        if schema::type_of(schema) == "string" { Ok(()) } else { Err("a text") }
    }

    fn samples(&self, _: &Formatted, _: &str) -> Vec<Value> {
        vec![json!("objectType = \"Laptop\""), json!("objectSchemaId = 3 AND Label LIKE \"a b\" ORDER BY Label")]
    }

    fn write<'a>(
        &'a self,
        value: Value,
        formatted: &'a Formatted,
        context: &'a FormatContext<'a>,
        notes: &'a mut Vec<String>,
    ) -> WriteFuture<'a> {
        Box::pin(async move {
            let query = query_text::plain(value, LANGUAGE, notes)?;
            let tokens = query_text::tokens(&query, LANGUAGE)?;
            let tokens = &tokens[..query_text::sorting(&tokens)];
            if !query_text::restricts(tokens) {
                let given = if query.trim().is_empty() { "nothing".to_owned() } else { short(&query) };
                return Err(FormatError::new(BOUNDED, given));
            }
            check_attributes(&pieces(tokens), formatted, context).await?;
            Ok(Value::String(query))
        })
    }

    fn explain<'a>(
        &'a self,
        _: &'a Value,
        _: &'a Formatted,
        refused: &'a RefusedRequest<'a>,
        _: &'a dyn Lookup,
    ) -> ExplainFuture<'a> {
        Box::pin(std::future::ready(parser_messages(refused)))
    }
}

/// A piece of a query, with signs such as `>=` apart from the words around them.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Word(String),
    Quoted(String),
    Other,
}

impl Piece {
    fn is(&self, word: &str) -> bool {
        matches!(self, Self::Word(text) if text.eq_ignore_ascii_case(word))
    }

    fn text(&self) -> Option<&str> {
        match self {
            Self::Word(text) | Self::Quoted(text) => Some(text),
            Self::Other => None,
        }
    }
}

fn pieces(tokens: &[QueryToken]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for token in tokens {
        match token {
            QueryToken::Quoted(text) => pieces.push(Piece::Quoted(text.clone())),
            QueryToken::OpenParenthesis | QueryToken::CloseParenthesis | QueryToken::Comma => pieces.push(Piece::Other),
            QueryToken::Word(word) => {
                let is_sign = |c: char| matches!(c, '=' | '<' | '>' | '!');
                let mut rest = word.as_str();
                while let Some(first) = rest.chars().next() {
                    let signs = is_sign(first);
                    let end = rest.find(|c| is_sign(c) != signs).unwrap_or(rest.len());
                    let (piece, after) = rest.split_at(end);
                    pieces.push(Piece::Word(piece.to_owned()));
                    rest = after;
                }
            }
        }
    }
    pieces
}

/// What stands before an operator: the first part of a path such as `Owner.Department`.
fn compared(pieces: &[Piece]) -> Vec<String> {
    let is_operator = |piece: &Piece| OPERATORS.iter().any(|operator| piece.is(operator));
    let mut names = Vec::new();
    let mut inner = false;
    for (at, pair) in pieces.windows(2).enumerate() {
        // What follows is about the objects that refer, or are referred to.
        inner |= pair[0].is("having");
        if inner || !is_operator(&pair[1]) || is_operator(&pair[0]) || ["and", "or"].iter().any(|word| pair[0].is(word))
        {
            continue;
        }
        let first = match &pair[0] {
            // `"Belongs to".Name`: the quotes hold the attribute, and the path follows at once.
            Piece::Word(path) if path.starts_with('.') => at.checked_sub(1).and_then(|before| pieces[before].text()),
            Piece::Word(path) => path.split('.').next(),
            Piece::Quoted(name) => Some(name.as_str()),
            Piece::Other => None,
        };
        names.extend(first.map(str::to_owned));
    }
    names
}

/// The one object type that every object found has, if the query says so without a choice.
enum OneType {
    Id(String),
    Name(String),
}

fn one_type(pieces: &[Piece]) -> Option<OneType> {
    if pieces.iter().any(|piece| piece.is("or")) {
        return None;
    }
    let mut found = None;
    for (at, piece) in pieces.iter().enumerate() {
        let by_id = piece.is("objecttypeid");
        if !by_id && !piece.is("objecttype") {
            continue;
        }
        let equals = pieces.get(at + 1).is_some_and(|sign| sign.is("=") || sign.is("=="));
        let is_denied = at > 0 && (pieces[at - 1].is("not") || pieces[at - 1] == Piece::Other);
        let value = pieces.get(at + 2).and_then(Piece::text).filter(|_| equals && !is_denied && found.is_none())?;
        found = Some(if by_id { OneType::Id(value.to_owned()) } else { OneType::Name(value.to_owned()) });
    }
    found
}

/// Checks the attributes against those of the type. Where those can't be found out, Assets itself is left to answer.
async fn check_attributes(
    pieces: &[Piece],
    formatted: &Formatted,
    context: &FormatContext<'_>,
) -> Result<(), FormatError> {
    let is_keyword = |name: &String| KEYWORDS.contains(&name.to_lowercase().as_str());
    let names: Vec<String> = compared(pieces).into_iter().filter(|name| !is_keyword(name)).collect();
    let (Some(of_type), Some(search), Some(list)) = (one_type(pieces), &formatted.ask, &formatted.then_ask) else {
        return Ok(());
    };
    if names.is_empty() {
        return Ok(());
    }
    let id = match of_type {
        OneType::Id(id) => Some(id),
        OneType::Name(name) => type_id(&name, search, context).await,
    };
    let Some(id) = id else { return Ok(()) };
    let Ok(attributes) = TypeAttributes::look_up(list, &id, context).await else { return Ok(()) };
    for name in names {
        if !attributes.has(&name) {
            return Err(attributes.unknown(&name));
        }
    }
    Ok(())
}

/// The id of the type with this name, by any object of it; of several types with this name none is meant.
async fn type_id(name: &str, search: &str, context: &FormatContext<'_>) -> Option<String> {
    let key = format!("{search} {name}");
    if let Some(known) = context.cache.get::<String>(&key, context.now, MAX_AGE) {
        return Some((*known).clone());
    }
    let quoted = name.replace('\\', "\\\\").replace('"', "\\\"");
    let inputs = vec![
        (Place::Query("maxResults".to_owned()), json!(2)),
        (Place::Query("includeAttributes".to_owned()), json!(false)),
        (Place::Property("qlQuery".to_owned()), json!(format!("objectType = \"{quoted}\""))),
    ];
    let answer = context.lookup.ask(search, inputs).await.ok()?;
    let objects = answer["values"].as_array()?;
    let id = objects.first().and_then(|object| id_of(&object["objectType"]["id"]))?;
    let same = objects.iter().all(|object| id_of(&object["objectType"]["id"]).as_deref() == Some(&id));
    if same {
        context.cache.insert(&key, context.now, &Arc::new(id.clone()));
    }
    same.then_some(id)
}

/// Returns what Assets reports of a query that it refused.
fn parser_messages(refused: &RefusedRequest<'_>) -> Option<String> {
    if refused.status != 400 {
        return None;
    }
    let body: Value = serde_json::from_str(refused.body).ok()?;
    let general = body["errorMessages"].as_array().into_iter().flatten();
    let of_fields = body["errors"].as_object().into_iter().flatten().map(|(_, message)| message);
    let messages: Vec<String> = general
        .chain(of_fields)
        .filter_map(Value::as_str)
        .take(MAX_MESSAGES)
        .map(|message| message.chars().take(MAX_MESSAGE).collect())
        .collect();
    (!messages.is_empty()).then(|| {
        let reported = messages.join(" ");
        format!("Assets reports for the query: {reported} Names of attributes with spaces need double quotes.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LookupError;
    use crate::tests::{Bench, Vendor, run};

    fn formatted() -> Formatted {
        let further = Some("listAttributes".to_owned());
        Formatted { ask: Some("search".to_owned()), then_ask: further, ..Formatted::whole("aql") }
    }

    fn bench() -> Bench {
        let attribute = |id: &str, name: &str| json!({"id": id, "name": name});
        Bench::answering(&[
            ("search", json!({"values": [{"id": "88", "objectType": {"id": "23", "name": "Laptop"}}]})),
            ("listAttributes", json!([attribute("1", "Name"), attribute("2", "Owner"), attribute("3", "Belongs to")])),
        ])
    }

    #[test]
    fn a_query_without_a_restriction_is_refused() {
        for query in ["", " ", "()", "order by Name"] {
            let error = bench().write(&[formatted()], json!(query)).0.unwrap_err();
            assert!(error.expected.contains("every object"), "{query}: {error:?}");
        }
        for (query, part) in [("Name = \"a", "at character 8"), ("(Name = a", "each ( to be closed"), ("a)", "a ) at")]
        {
            let error = bench().write(&[formatted()], json!(query)).0.unwrap_err();
            assert!(format!("{} {}", error.expected, error.given).contains(part), "{query}: {error:?}");
        }
    }

    #[test]
    fn attributes_are_checked_against_the_type_if_there_is_one() {
        for (query, lookups) in [
            // No type, or a choice of them, or nothing to check.
            ("Owner = x", 0),
            ("objectType = Laptop", 0),
            ("objectType = Laptop OR Ownr = x", 0),
            ("objectType in (Laptop, Phone) AND Ownr = x", 0),
            ("NOT objectType = Laptop AND Ownr = x", 0),
            // Their attributes are those of other objects.
            ("objectType = Laptop AND object HAVING inboundReferences(Ownr = x)", 0),
            ("objectType = Laptop AND Owner = x", 2),
            ("objectTypeId = 23 AND Owner IS EMPTY", 1),
            ("objectType=\"Laptop\" AND \"belongs to\".Name=x AND Owner.Department like y order by Ownr", 2),
            ("objectType = Laptop AND Owner not in (a, b) AND Key = A-1 AND anyAttribute like c", 2),
        ] {
            let bench = bench();
            let written = bench.write(&[formatted()], json!(query)).0;
            assert_eq!(written, Ok(json!(query)));
            assert_eq!(bench.lookups(), lookups, "{query}");
        }
    }

    #[test]
    fn an_attribute_that_the_type_lacks_is_refused_with_similar_ones() {
        for query in [
            "objectType = Laptop AND Ownr = x",
            "objectTypeId=23 and Ownr!=x",
            "\"Ownr\" is empty and objectTypeId = 23",
        ] {
            let error = bench().write(&[formatted()], json!(query)).0.unwrap_err();
            assert_eq!(error.suggestion.as_deref(), Some("Owner"), "{query}: {error:?}");
        }
        let error = bench().write(&[formatted()], json!("objectTypeId = 23 AND zzz = 1")).0.unwrap_err();
        assert!(error.expected.contains("one of `Name`, `Owner`, `Belongs to`"), "{error:?}");
    }

    #[test]
    fn where_the_type_can_not_be_found_out_the_query_passes() {
        for answer in [
            Err(LookupError::DryRun),
            Err(LookupError::Failed("the vendor answered 500".to_owned())),
            Ok(json!({"values": []})),
            Ok(json!({"values": [{"objectType": {"id": "1"}}, {"objectType": {"id": "2"}}]})),
        ] {
            let query = json!("objectType = Laptop AND Ownr = x");
            assert_eq!(Bench::new(answer).write(&[formatted()], query.clone()).0, Ok(query));
        }
    }

    #[test]
    fn a_refusal_has_the_messages_of_the_vendor() {
        let explained = |status, body: &str| {
            run(Aql.explain(
                &Value::Null,
                &formatted(),
                &RefusedRequest { status, body },
                &Vendor::new(Ok(Value::Null)),
            ))
        };
        let body = r#"{"errorMessages": ["Expected an operator at 12."], "errors": {"iql": "Unknown function x."}}"#;
        let text = explained(400, body).unwrap();
        assert!(text.contains("Expected an operator at 12. Unknown function x."), "{text}");
        for (status, body) in [(403, body), (400, "no JSON"), (400, "{}")] {
            assert_eq!(explained(status, body), None);
        }
    }
}
