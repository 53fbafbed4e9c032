//! The words for a value that does not fit, and the suggested value.

use super::*;

#[test]
fn states_what_was_expected() {
    for (property, given, expected, suggestion) in [
        (json!({"type": "integer"}), json!("x"), "an integer", None),
        (json!({"type": "integer", "minimum": 1, "maximum": 100}), json!(500), "an integer from 1 to 100", Some("100")),
        (json!({"type": "integer", "minimum": 1, "maximum": 100}), json!("0"), "an integer from 1 to 100", Some("1")),
        (json!({"type": "integer", "minimum": 1}), json!(0), "an integer of at least 1", Some("1")),
        (json!({"type": "number", "maximum": 1.5}), json!(2), "a number of at most 1.5", Some("1.5")),
        (json!({"type": "number", "exclusiveMinimum": 0}), json!(0), "a number greater than 0", None),
        (
            json!({"type": "integer", "minimum": 0, "exclusiveMaximum": 9, "multipleOf": 5}),
            json!(7),
            "an integer of at least 0, less than 9, a multiple of 5",
            None,
        ),
        // The bound itself would not be accepted, so it is not offered.
        (
            json!({"type": "integer", "maximum": 7, "multipleOf": 5}),
            json!(10),
            "an integer of at most 7, a multiple of 5",
            None,
        ),
        (json!({"type": "string", "minLength": 3}), json!("é"), "a string of at least 3 characters", None),
        (json!({"type": "string", "maxLength": 1}), json!("ab"), "a string of at most 1 character", None),
        (json!({"type": "string", "minLength": 2, "maxLength": 3}), json!("a"), "a string of 2 to 3 characters", None),
        (
            json!({"type": "string", "pattern": "^[A-Z]+-[0-9]+$", "examples": ["HELP-7"]}),
            json!("7"),
            "a string of the form that its description states, for example `HELP-7`",
            None,
        ),
        (json!({"type": "string", "format": "date"}), json!("soon"), "a date such as 2026-11-20", None),
        (
            json!({"type": "string", "format": "date"}),
            json!("2026-11-20T10:00:00Z"),
            "a date such as 2026-11-20",
            Some("2026-11-20"),
        ),
        (json!({"type": "string", "format": "date"}), json!("2026-13-20T10:00:00Z"), "a date such as 2026-11-20", None),
        (
            json!({"type": "string", "format": "date-time"}),
            json!("2026-11-20"),
            "a date and time such as 2026-11-20T09:30:00Z",
            Some("2026-11-20T00:00:00Z"),
        ),
        (
            json!({"type": "string", "format": "date-time"}),
            json!("2026-11-20 10:00:00"),
            "a date and time such as 2026-11-20T09:30:00Z",
            Some("2026-11-20T10:00:00Z"),
        ),
        (json!({"type": "boolean"}), json!("yes"), "true or false", None),
        (json!({"type": "string", "enum": ["open", "closed"]}), json!("opne"), "one of `open`, `closed`", Some("open")),
        (json!({"type": "string", "enum": ["open", "closed"]}), json!("zzz"), "one of `open`, `closed`", None),
        (
            json!({"type": "string", "enum": ["in_progress", "x"]}),
            json!("In Progress"),
            "one of `in_progress`, `x`",
            Some("in_progress"),
        ),
        (json!({"type": "string", "const": "v1"}), json!("v2"), "`v1`", None),
        (
            json!({"type": "array", "items": {"type": "string"}, "minItems": 1}),
            json!([]),
            "an array of strings, with at least 1 item",
            None,
        ),
        (
            json!({"type": "array", "items": {"type": "integer"}, "maxItems": 2, "uniqueItems": true}),
            json!([1, 1]),
            "an array of integers, with at most 2 items, without repeated items",
            None,
        ),
        (
            json!({"type": "array", "items": {"type": "string"}}),
            json!("a, b"),
            "an array of strings, written as `[\"a\",\"b\"]` for several values or `[\"a, b\"]` for one",
            Some("[\"a\",\"b\"]"),
        ),
        (
            json!({"type": "array", "items": {"type": "string", "enum": ["open", "closed"]}}),
            json!({"status": "open"}),
            "an array of strings, each one of `open`, `closed`",
            None,
        ),
        (
            json!({"type": "object", "properties": {"id": {"type": "integer"}, "name": {}}, "required": ["id"]}),
            json!(7),
            "an object with `id`, `name` (required: `id`)",
            None,
        ),
        (json!({"type": "object", "minProperties": 1}), json!({}), "an object, of at least 1 property", None),
        (json!(false), json!(1), "nothing here", None),
        (json!({"not": {"type": "string"}}), json!("a"), "a value that fits the schema's `not`", None),
        (
            json!({"anyOf": [{"type": "integer"}, {"type": "boolean"}]}),
            json!("a"),
            "a value that fits the schema's `anyOf`",
            None,
        ),
    ] {
        let problem = refuses(&property, &given);
        assert_eq!(
            (problem.expected.as_str(), problem.suggestion.as_deref()),
            (expected, suggestion),
            "{property} {given}"
        );
    }
}

#[test]
fn a_list_of_values_is_whole_up_to_sixty() {
    let values = |count: usize| (0..count).map(|n| format!("value{n:02}")).collect::<Vec<_>>();
    let problem = refuses(&json!({"type": "string", "enum": values(60)}), &json!("?"));
    assert!(values(60).iter().all(|value| problem.expected.contains(&format!("`{value}`"))), "{}", problem.expected);
    let problem = refuses(&json!({"type": "string", "enum": values(61)}), &json!("value5"));
    assert_eq!(problem.expected.matches('`').count(), 24, "{}", problem.expected);
    assert!(problem.expected.starts_with("one of 61 values, such as `value"), "{}", problem.expected);
    assert!(problem.expected.ends_with("; the tool's input schema lists all"), "{}", problem.expected);
    let words = ["printer", "scanner"].into_iter().map(str::to_owned).chain(values(70)).rev().collect::<Vec<_>>();
    let problem = refuses(&json!({"type": "string", "enum": words}), &json!("prnter"));
    assert!(problem.expected.contains("such as `printer`"), "the nearest first: {}", problem.expected);
}

#[test]
fn a_problem_comes_with_what_the_argument_is() {
    let tool = tool(json!({
        "status": {"type": "integer", "minimum": 1, "description": "1 New, 2 In process, 3 Closed."},
        "mode": {"type": "string", "enum": (0..16).map(|n| format!("mode-{n}")).collect::<Vec<_>>()},
        "fields": {"type": "object", "description": "Values by field.", "properties": {
            "assignee": {"type": "object", "properties": {
                "id": {"type": "integer", "description": "From acme_find_users."},
                "name": {"type": "integer"},
            }},
        }},
        "long": {"type": "integer", "description": "word ".repeat(200)},
    }));
    let given = json!({"status": "New", "fields": {"assignee": {"id": "x", "name": "y"}}, "long": "z"});
    let text = tool.describe(&problems(&tool, given), "acme_change");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[..4],
        [
            "the arguments of acme_change were not accepted; nothing was sent",
            "- `status`: expected an integer of at least 1, but got \"New\" (1 New, 2 In process, 3 Closed)",
            "- `fields.assignee.id`: expected an integer, but got \"x\" (From acme_find_users)",
            "- `fields.assignee.name`: expected an integer, but got \"y\" (Values by field)",
        ]
    );
    assert!(lines[4].chars().count() < 280 && lines[4].ends_with("…)"), "{}", lines[4]);
    assert!(lines[5].contains("mode (one of 16 values)") && !lines[5].contains("mode-3"), "no part of a list: {text}");
}

#[test]
fn digits_are_named_in_words() {
    for (pattern, expected) in [
        ("^[0-9]{6}$", "6 digits"),
        ("^\\d{4}$", "4 digits"),
        ("^[a-f0-9]{24}$", "24 hexadecimal digits"),
        ("^[A-Z]{2}$", "a string of the form that its description states"),
        ("^[0-9]{2,3}$", "a string of the form that its description states"),
    ] {
        assert_eq!(refuses(&json!({"type": "string", "pattern": pattern}), &json!("-")).expected, expected);
    }
}
