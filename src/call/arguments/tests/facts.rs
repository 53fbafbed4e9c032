//! What a tool states beside its schema: where `null` clears, what a format checks, where a text is
//! split.

use super::*;
use crate::formats::PartOfFormat;

fn facts() -> ArgumentFacts {
    let part = |at: &str, is_open, separators: &[char]| PartOfFormat {
        at: at.to_owned(),
        is_open,
        separators: separators.to_vec(),
    };
    let named = |name: &str| name.to_owned();
    ArgumentFacts {
        formatted: vec![
            (named("body"), part("", true, &[])),
            (named("since"), part("", false, &[','])),
            (named("ids"), part("", false, &[',', ' '])),
            (named("names"), part("", false, &[','])),
            (named("people"), part("born", false, &[])),
        ],
        cleared: vec![
            (named("owner"), String::new()),
            (named("level"), String::new()),
            (named("fields"), named("due")),
            (named("people"), named("[].born")),
            (named("entries"), named("*")),
        ],
        separators: vec![(named("tags"), vec!['|'])],
        named: Vec::new(),
        optional: vec![named("cursor")],
    }
}

fn tool() -> ArgumentSchema {
    let text = json!({"type": "string"});
    let texts = json!({"type": "array", "items": text});
    let date = json!({"type": "string", "format": "date"});
    let schema = json!({
        "type": "object",
        "properties": {
            "title": text,
            "body": text,
            "since": date,
            "ids": texts,
            "names": texts,
            "tags": texts,
            "owner": {"type": "integer"},
            "level": {"type": "string", "enum": ["low", "high"]},
            "fields": {"type": "object", "properties": {"due": date, "name": text}, "additionalProperties": true},
            "people": {"type": "array", "items": {"type": "object", "properties": {"born": date}, "additionalProperties": false}},
            "entries": {"type": "object", "additionalProperties": text},
            "cursor": text,
            "dry_run": {"type": "boolean"},
        },
        "required": ["title"],
        "additionalProperties": false,
    });
    ArgumentSchema::compile(&map(schema), &facts()).unwrap()
}

#[test]
fn null_is_kept_where_it_clears() {
    for given in [
        json!({"owner": null}),
        json!({"level": null}),
        json!({"fields": {"due": null}}),
        // What the schema does not describe is the vendor's to know.
        json!({"fields": {"customfield_1": null}}),
        json!({"people": [{"born": null}]}),
        json!({"entries": {"cf1": null}}),
    ] {
        let mut given = map(given);
        given.insert("title".to_owned(), json!("t"));
        assert_eq!(tool().check(&given).unwrap(), given);
    }
}

#[test]
fn null_is_refused_elsewhere() {
    const LEAVE_OUT: &str = ", or nothing: null clears nothing here, so leave it out, but got null";
    for (given, place, expected) in [
        (json!({"since": null}), "since", "a date such as 2026-11-20"),
        (json!({"body": null}), "body", "a string"),
        (json!({"ids": null}), "ids", "an array of strings"),
        (json!({"ids": [null]}), "ids[0]", "a string"),
        (json!({"fields": null}), "fields", "an object with `due`, `name`"),
        (json!({"fields": {"name": null}}), "fields.name", "a string"),
        (json!({"people": [null]}), "people[0]", "an object with `born`"),
        (json!({"dry_run": null}), "dry_run", "true or false"),
    ] {
        let mut given = map(given);
        given.insert("title".to_owned(), json!("t"));
        let found = lines(&tool(), Value::Object(given));
        assert_eq!(found, [format!("`{place}`: expected {expected}{LEAVE_OUT}")]);
    }
    assert_eq!(
        lines(&tool(), json!({"title": null})),
        ["`title`: expected a string of at least 1 character, but got null"]
    );
}

#[test]
fn null_for_an_argument_of_our_own_is_as_if_it_were_not_given() {
    assert_eq!(tool().check(&map(json!({"title": "t", "cursor": null}))).unwrap(), map(json!({"title": "t"})));
}

#[test]
fn a_required_text_is_not_empty() {
    for empty in ["", " ", "\n\t"] {
        let found = problems(&tool(), json!({"title": empty}));
        assert_eq!(found[0].expected, "a string of at least 1 character", "{empty:?}");
        assert_eq!(found[0].given, json!(empty).to_string());
    }
    assert!(tool().check(&map(json!({"title": "t", "body": ""}))).is_ok());
    let may_be_empty = schema(json!({
        "type": "object", "properties": {"a": {"type": "string", "minLength": 0}}, "required": ["a"], "additionalProperties": false,
    }));
    assert!(may_be_empty.check(&map(json!({"a": ""}))).is_ok());
}

#[test]
fn a_format_takes_more_than_the_schema_says() {
    let given = map(json!({"title": "t", "body": {"type": "doc"}, "since": "-2h", "people": [{"born": "-30d"}]}));
    assert_eq!(tool().check(&given).unwrap(), given);
}

#[test]
fn one_text_is_split_where_no_value_has_the_separator() {
    for (given, expected) in [
        (json!({"ids": "a,b"}), json!({"ids": ["a", "b"]})),
        (json!({"ids": "a b, c"}), json!({"ids": ["a", "b", "c"]})),
        (json!({"names": "Story Points, Team"}), json!({"names": ["Story Points", "Team"]})),
        (json!({"names": "Team"}), json!({"names": ["Team"]})),
    ] {
        let mut given = map(given);
        given.insert("title".to_owned(), json!("t"));
        let mut checked = tool().check(&given).unwrap();
        checked.shift_remove("title");
        assert_eq!(Value::Object(checked), expected);
    }
    assert_eq!(
        lines(&tool(), json!({"title": "t", "names": "Story Points"})),
        ["`names`: expected an array of strings, written as `[\"Story\",\"Points\"]` for several values or \
          `[\"Story Points\"]` for one, but got \"Story Points\""]
    );
    assert_eq!(
        lines(&tool(), json!({"title": "t", "tags": "vpn, new"})),
        ["`tags`: expected an array of strings, written as `[\"vpn\",\"new\"]` for several values or \
          `[\"vpn, new\"]` for one, but got \"vpn, new\"; did you mean `[\"vpn\",\"new\"]`?"]
    );
}

#[test]
fn problems_of_formats_join_those_of_the_schema() {
    let problem = |argument: &str| ArgumentProblem {
        kind: ProblemKind::Invalid,
        argument: argument.to_owned(),
        given: "\"x\"".to_owned(),
        expected: "another value".to_owned(),
        suggestion: None,
    };
    let known = vec![
        problem("ids[1]"),
        problem("people"),
        problem("zzz"),
        ArgumentProblem { given: "null".to_owned(), ..problem("owner") },
    ];
    let of_format =
        |argument: &str| ArgumentProblem { expected: "what the format says".to_owned(), ..problem(argument) };
    let more = ["people[0].born", "ids[0]", "ids[1]", "since", "title", "owner"].map(of_format).to_vec();
    let joined = tool().joined(known, more);
    let order: Vec<(&str, bool)> =
        joined.iter().map(|problem| (problem.argument.as_str(), problem.expected.starts_with("what"))).collect();
    let expected = [
        ("title", true),
        ("since", true),
        ("ids[1]", true),
        ("ids[0]", true),
        ("owner", false),
        ("people", false),
        ("zzz", false),
    ];
    assert_eq!(order, expected);
}

#[test]
fn secret_parts_are_known_by_their_path() {
    let tool = schema(json!({"type": "object", "properties": {
        "pin": {"type": "string", "format": "password"},
        "users": {"type": "array", "items": {"type": "object", "properties": {"apiKey": {"type": "string"}, "name": {"type": "string"}}}},
    }}));
    for (path, secret) in
        [("pin", true), ("users[0].apiKey", true), ("users[0].name", false), ("users", false), ("x.token", true)]
    {
        assert_eq!(tool.is_secret(path), secret, "{path}");
    }
}
