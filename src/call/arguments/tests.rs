//! Which arguments are refused, and with which text; conversions and wordings have tables of their own.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::needless_pass_by_value,
    clippy::too_many_lines,
    reason = "tests may fail, and read best with values in place"
)]

mod conversions;
mod facts;
mod wordings;

use serde_json::json;

use super::*;
use crate::call::failure::ProblemKind;

fn map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => panic!("not an object: {other}"),
    }
}

/// A tool with the given properties, none required, nothing else accepted.
fn tool(properties: Value) -> ArgumentSchema {
    schema(json!({"type": "object", "properties": properties, "additionalProperties": false}))
}

fn schema(schema: Value) -> ArgumentSchema {
    ArgumentSchema::compile(&map(schema), &ArgumentFacts::default()).unwrap()
}

fn problems(schema: &ArgumentSchema, arguments: Value) -> Vec<ArgumentProblem> {
    schema.check(&map(arguments)).unwrap_err()
}

fn lines(schema: &ArgumentSchema, arguments: Value) -> Vec<String> {
    problems(schema, arguments).iter().map(ToString::to_string).collect()
}

#[track_caller]
fn refuses(property: &Value, given: &Value) -> ArgumentProblem {
    let problems = problems(&tool(json!({"a": property})), json!({"a": given}));
    assert_eq!(problems.len(), 1, "{property} {given}: {problems:?}");
    problems.into_iter().next().unwrap()
}

fn tickets() -> ArgumentSchema {
    schema(json!({
        "type": "object",
        "properties": {
            "query": {"type": "string", "minLength": 3, "examples": ["printer"]},
            "ticketId": {"type": "integer"},
            "limit": {"type": "integer", "minimum": 1, "maximum": 100, "default": 25},
            "status": {"type": "string", "enum": ["open", "closed"]},
            "fields": {"type": "array", "items": {
                "type": "object",
                "properties": {"name": {"type": "string"}, "value.raw": {"type": "integer"}},
                "required": ["name"],
                "additionalProperties": false,
            }},
            "createdFrom": {"type": "string", "format": "date"},
        },
        "required": ["query"],
        "additionalProperties": false,
    }))
}

#[test]
fn lists_every_problem_in_the_order_of_the_schema() {
    let arguments = json!({
        "zebra": 1,
        "limt": 5,
        "fields": [{"name": "a"}, {"nam": "b", "value.raw": "x"}],
        "limit": 0,
        "ticketId": "five",
    });
    let expected = [
        "`query`: required argument is missing; expected a string of at least 3 characters, for example `printer`",
        "`ticketId`: expected an integer, but got \"five\"",
        "`limit`: expected an integer from 1 to 100, but got 0; did you mean `1`?",
        "`fields[1].name`: required argument is missing; expected a string",
        "`fields[1][\"value.raw\"]`: expected an integer, but got \"x\"",
        "`fields[1].nam`: unknown argument; did you mean `name`?",
        "`limt`: unknown argument; did you mean `limit`?",
        "`zebra`: unknown argument; expected one of `query`, `ticketId`, `limit`, `status`, `fields`, `createdFrom`",
    ];
    assert_eq!(lines(&tickets(), arguments.clone()), expected);
    let mut reversed = map(arguments);
    reversed = reversed.into_iter().rev().collect();
    assert_eq!(lines(&tickets(), Value::Object(reversed)), expected);
}

#[test]
fn one_value_that_breaks_two_rules_is_one_problem() {
    let problem = refuses(&json!({"type": "string", "minLength": 3, "pattern": "^x"}), &json!("a"));
    assert_eq!(problem.expected, "a string of at least 3 characters of the form that its description states");
}

#[test]
fn a_required_null_is_a_problem() {
    assert_eq!(
        lines(&tickets(), json!({"query": null})),
        ["`query`: expected a string of at least 3 characters, for example `printer`, but got null"]
    );
}

#[test]
fn suggests_the_nearest_name() {
    for (given, meant) in [
        ("ticket_id", Some("ticketId")),
        ("TicketID", Some("ticketId")),
        ("ticket-id", Some("ticketId")),
        ("ticket", Some("ticketId")),
        ("id", Some("ticketId")),
        ("tiketId", Some("ticketId")),
        ("quer", Some("query")),
        ("qeury", Some("query")),
        ("statsu", Some("status")),
        ("field", Some("fields")),
        ("created_from", Some("createdFrom")),
        ("from", Some("createdFrom")),
        ("max", None),
        ("text", None),
        ("start", None),
        ("", None),
        ("_", None),
        ("日本語", None),
    ] {
        let problems = problems(&tickets(), json!({"query": "abc", given: 1}));
        assert_eq!(problems.len(), 1, "{given}");
        assert_eq!(problems[0].suggestion.as_deref(), meant, "{given}");
        assert_eq!(problems[0].kind, ProblemKind::Unknown);
    }
}

#[test]
fn a_tool_without_arguments_lists_none() {
    let none = tool(json!({}));
    let found = problems(&none, json!({"a": 1}));
    assert_eq!(found[0].to_string(), "`a`: unknown argument; expected no arguments");
    assert!(none.describe(&found, "x_get_y").ends_with("valid arguments: none"));
}

#[test]
fn describes_problems_for_a_model() {
    let found = problems(&tickets(), json!({"limit": "many"}));
    assert_eq!(
        tickets().describe(&found, "jitbit_search_tickets"),
        "the arguments of jitbit_search_tickets were not accepted; nothing was sent\n\
         - `query`: required argument is missing; expected a string of at least 3 characters, for example `printer`\n\
         - `limit`: expected an integer from 1 to 100, but got \"many\"\n\
         valid arguments: query (string, required), ticketId (integer), limit (integer 1-100, default 25), \
         status (open|closed), fields (array of object), createdFrom (date)"
    );
}

#[test]
fn the_signature_stays_short_and_keeps_what_is_required() {
    let mut properties = Map::new();
    for n in 0..200 {
        properties.insert(format!("argument{n}"), json!({"type": "string"}));
    }
    let many = schema(
        json!({"type": "object", "properties": properties, "required": ["argument199"], "additionalProperties": false}),
    );
    let text = many.describe(&problems(&many, json!({})), "t");
    let signature = text.lines().last().unwrap();
    assert!(
        signature.starts_with("valid arguments: argument199 (string, required), argument0 (string), "),
        "{signature}"
    );
    assert!(signature.chars().count() <= 600 && signature.ends_with(" more"), "{signature}");
}

#[test]
fn shows_no_secret() {
    let user = json!({"type": "object", "properties": {"name": {"type": "string"}, "pin": {"type": "integer", "writeOnly": true}}});
    let tool = tool(json!({
        "plain": {"type": "integer"},
        "login": {"type": "integer", "format": "password"},
        "hidden": {"type": "integer", "writeOnly": true},
        "api_key": {"type": "integer"},
        "Client-Secret": {"type": "integer"},
        "accessTokens": {"type": "array", "items": {"type": "integer"}},
        "userPassword": {"type": "string", "format": "date"},
        "credentials": {"type": "object", "properties": {"value": {"type": "integer"}}, "additionalProperties": false},
        "user": user,
        "users": {"type": "array", "items": user, "maxItems": 1},
        "free": {"type": "object"},
        "text": {"type": "string"},
    }));
    for arguments in [
        json!({"login": "hunter2"}),
        json!({"hidden": "hunter2"}),
        json!({"api_key": "hunter2"}),
        json!({"api_key": {"x": "hunter2"}}),
        json!({"Client-Secret": "hunter2"}),
        json!({"accessTokens": ["hunter2"]}),
        json!({"accessTokens": "hunter2,hunter2"}),
        json!({"userPassword": "hunter2T"}),
        json!({"credentials": {"value": "hunter2"}}),
        json!({"credentials": {"other": "hunter2"}}),
        json!({"credentials": "hunter2"}),
        json!({"user": "{\"pin\": \"hunter2\""}),
        json!({"user": "{\"pin\": \"hunter2\"}"}),
        json!({"user": ["hunter2"], "text": {"user": {"password": "hunter2"}}}),
        json!({"user": {"pin": "hunter2"}}),
        json!({"users": [{"pin": "hunter2"}, {"pn": "hunter2"}]}),
        json!({"free": "{\"password\": \"hunter2\""}),
        json!({"text": [{"Api-Key": "hunter2"}]}),
        json!({"text": ["[{\"api_key\": \"hunter2\"}"]}),
        json!({"pasword": "hunter2"}),
        json!({"lgoin": "hunter2"}),
    ] {
        let found = problems(&tool, arguments.clone());
        let text = format!("{found:?} {} {}", serde_json::to_string(&found).unwrap(), tool.describe(&found, "t"));
        assert!(!text.contains("hunter2"), "{arguments}: {text}");
    }
    assert_eq!(problems(&tool, json!({"login": "hunter2"}))[0].given, "***");
    assert_eq!(problems(&tool, json!({"plain": "shown"}))[0].given, "\"shown\"");
}

#[test]
fn a_huge_argument_is_not_echoed() {
    let huge = "é\"\n".repeat(500_000);
    let long_name = "n".repeat(1_000_000);
    let many: Map<String, Value> = (0..20_000).map(|n| (format!("unknown{n}"), json!(n))).collect();
    for arguments in [
        json!({"query": "abc", "limit": huge}),
        json!({"query": "abc", "status": huge}),
        json!({"query": "abc", "fields": huge}),
        json!({"query": "abc", "createdFrom": huge}),
        json!({"query": [huge, huge]}),
        json!({"query": {huge.clone(): huge}}),
        json!({"query": "abc", long_name: 1}),
        json!({"query": "abc", "fields": vec![json!(0); 50_000]}),
        Value::Object(many),
    ] {
        let found = problems(&tickets(), arguments);
        assert!(found.len() <= MOST_PROBLEMS);
        for problem in &found {
            assert!(problem.given.chars().count() <= 81 && problem.argument.chars().count() <= 81, "{problem:?}");
        }
        assert!(tickets().describe(&found, "t").len() < 12_000);
    }
}

#[test]
fn deeply_nested_arguments_are_accepted() {
    let mut deep = json!("5");
    for _ in 0..120 {
        deep = json!([deep]);
    }
    assert_eq!(problems(&tickets(), json!({"query": deep.clone()})).len(), 1);
    assert!(problems(&tickets(), json!({"query": "abc", "fields": deep})).len() == 1);
}

#[test]
fn names_and_values_of_any_kind_do_not_panic() {
    let odd = ["", "/", "~", "~1", "a/b", "[0]", "0", "\u{0}", "\u{202e}", "𝒳", "`", "\""];
    for name in odd {
        for value in odd {
            let tool = tool(json!({name: {"type": "integer"}}));
            let found = problems(&tool, json!({name: value, "zzzzz": [value]}));
            assert!(found.iter().any(|problem| problem.kind == ProblemKind::Unknown));
            if value != "0" {
                assert_eq!(found[0].kind, ProblemKind::Invalid, "{name:?} {value:?}");
                assert_eq!(found[0].expected, "an integer", "{name:?} {value:?}");
            }
        }
    }
}

#[test]
fn a_schema_that_cannot_compile_is_an_error() {
    for bad in [
        json!({"type": "objct"}),
        json!({"type": "object", "properties": {"a": {"type": "string", "pattern": "("}}}),
        json!({"type": "object", "properties": {"a": {"$ref": "https://example.com/a.json"}}}),
    ] {
        let error = ArgumentSchema::compile(&map(bad.clone()), &ArgumentFacts::default()).unwrap_err();
        assert!(error.to_string().starts_with("the input schema is not valid at `#"), "{bad}");
        assert!(std::error::Error::source(&error).is_some());
    }
}

#[test]
fn a_schema_can_be_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<ArgumentSchema>();
    shared::<InvalidSchema>();
}
