//! Which values are converted, and which are refused.

use super::*;

/// Checks one argument `a` of the given schema: what it becomes.
#[track_caller]
fn converts(property: &Value, given: &Value, wanted: &Value) {
    let checked = tool(json!({"a": property})).check(&map(json!({"a": given})));
    let shown = checked.as_ref().map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>());
    let Ok(checked) = &shown else { panic!("{property} {given}: {shown:?}") };
    let expected = json!({"a": wanted});
    assert_eq!(Value::Object((*checked).clone()).to_string(), expected.to_string(), "{property} {given}");
}

#[test]
fn converts_values_with_one_possible_meaning() {
    let integer = json!({"type": "integer"});
    let number = json!({"type": "number"});
    let boolean = json!({"type": "boolean"});
    let string = json!({"type": "string"});
    let strings = json!({"type": "array", "items": {"type": "string"}});
    let integers = json!({"type": "array", "items": {"type": "integer"}});
    let object = json!({"type": "object", "properties": {"n": {"type": "integer"}, "deep": integers}});
    let free = json!({"type": "object"});
    let sort = json!({"type": "string", "enum": ["asc", "Desc"]});
    let year = json!({"type": "string", "enum": ["2024", "2025"]});
    for (property, given, wanted) in [
        (&integer, json!(5), json!(5)),
        (&integer, json!("5"), json!(5)),
        (&integer, json!("-5"), json!(-5)),
        (&integer, json!(" 5\n"), json!(5)),
        (&integer, json!("5.0"), json!(5)),
        (&integer, json!(5.0), json!(5)),
        (&integer, json!(-0.0), json!(0)),
        (&integer, json!("9223372036854775807"), json!(i64::MAX)),
        (&integer, json!("9007199254740993.00"), json!(9_007_199_254_740_993_i64)),
        (&number, json!("5"), json!(5)),
        (&number, json!(" 2.5 "), json!(2.5)),
        (&number, json!("1e3"), serde_json::from_str("1e3").unwrap()),
        (&number, json!("1.50"), serde_json::from_str("1.50").unwrap()),
        (&integer, serde_json::from_str("9007199254740993.00").unwrap(), json!(9_007_199_254_740_993_i64)),
        (&integer, serde_json::from_str("5e2").unwrap(), json!(500)),
        (
            &string,
            serde_json::from_str("123456789012345678901234567890").unwrap(),
            json!("123456789012345678901234567890"),
        ),
        (&string, serde_json::from_str("1.50").unwrap(), json!("1.50")),
        (
            &free,
            serde_json::from_str(r#"{"a":123456789012345678901234567890,"b":1.50}"#).unwrap(),
            serde_json::from_str(r#"{"a":123456789012345678901234567890,"b":1.50}"#).unwrap(),
        ),
        (&number, json!(5.0), json!(5.0)),
        (&boolean, json!("true"), json!(true)),
        (&boolean, json!("FALSE"), json!(false)),
        (&string, json!(2024), json!("2024")),
        (&string, json!(2.5), json!("2.5")),
        (&string, json!(true), json!("true")),
        (&string, json!("5"), json!("5")),
        (&string, json!("true"), json!("true")),
        (&string, json!("[1]"), json!("[1]")),
        (&string, json!(" x "), json!(" x ")),
        (&strings, json!("urgent"), json!(["urgent"])),
        (&strings, json!(2024), json!(["2024"])),
        (&strings, json!(["a", 2024, true]), json!(["a", "2024", "true"])),
        (&strings, json!(r#"["a", 1]"#), json!(["a", "1"])),
        (&strings, json!("[]"), json!([])),
        (&integers, json!("5"), json!([5])),
        (&integers, json!("1,2"), json!([1, 2])),
        (&integers, json!("1, 2 3,"), json!([1, 2, 3])),
        (&integers, json!(5.0), json!([5])),
        (&integers, json!(["1", 2.0]), json!([1, 2])),
        (&integers, json!(" [1, \"2\"]"), json!([1, 2])),
        (&object, json!(r#"{"n": "5", "deep": "[\"1\"]"}"#), json!({"n": 5, "deep": [1]})),
        (&object, json!({"n": "5", "other": "5"}), json!({"n": 5, "other": "5"})),
        (&object, json!({"n": 1, "other": null}), json!({"n": 1, "other": null})),
        (&free, json!("{}"), json!({})),
        (&json!({"type": "object", "additionalProperties": integer}), json!({"x": "5"}), json!({"x": 5})),
        (&json!({"type": "array", "items": object}), json!([{"n": "5"}]), json!([{"n": 5}])),
        (&sort, json!("asc"), json!("asc")),
        (&sort, json!("ASC"), json!("asc")),
        (&sort, json!("desc"), json!("Desc")),
        (&json!({"type": "string", "enum": ["a", "A"]}), json!("A"), json!("A")),
        (&json!({"type": "array", "items": sort}), json!("DESC"), json!(["Desc"])),
        (&json!({"type": "array", "items": sort}), json!("asc, DESC"), json!(["asc", "Desc"])),
        (&json!({"type": "array", "items": sort}), json!("asc desc"), json!(["asc", "Desc"])),
        (
            &json!({"type": "array", "items": {"type": "string", "enum": ["In Progress", "New"]}}),
            json!("in progress"),
            json!(["In Progress"]),
        ),
        (
            &json!({"type": "array", "items": {"type": "string", "enum": ["In Progress", "New"]}}),
            json!("New,in progress"),
            json!(["New", "In Progress"]),
        ),
        (
            &json!({"type": "array", "items": {"type": "string", "format": "date"}}),
            json!("2026-11-20,2026-11-21"),
            json!(["2026-11-20", "2026-11-21"]),
        ),
        (&year, json!(2024), json!("2024")),
        (&json!({"type": "string", "enum": ["True", "False"]}), json!(true), json!("True")),
        (&json!({"type": "integer", "enum": [1, 2]}), json!("2"), json!(2)),
        (&json!({}), json!("5"), json!("5")),
    ] {
        converts(property, &given, &wanted);
    }
}

#[test]
fn a_valid_null_is_kept() {
    let any = tool(json!({"a": {}}));
    assert_eq!(any.check(&map(json!({"a": null}))).unwrap(), map(json!({"a": null})));
    let null = tool(json!({"a": {"type": ["string", "null"]}}));
    assert_eq!(null.check(&map(json!({"a": null}))).unwrap(), map(json!({"a": null})));
}

#[test]
fn does_not_convert_ambiguous_values() {
    let integers = json!({"type": "array", "items": {"type": "integer"}});
    let strings = json!({"type": "array", "items": {"type": "string"}});
    for (property, given) in [
        (json!({"type": "integer"}), json!("five")),
        (json!({"type": "integer"}), json!("")),
        (json!({"type": "integer"}), json!(" ")),
        (json!({"type": "integer"}), json!("1e400")),
        (json!({"type": "integer"}), json!(u64::MAX)),
        (json!({"type": "integer"}), json!(1e30)),
        (json!({"type": "integer"}), serde_json::from_str("1e400").unwrap()),
        (json!({"type": "integer"}), json!("1e3")),
        (json!({"type": "integer"}), json!("5.5")),
        (json!({"type": "integer"}), json!(5.5)),
        (json!({"type": "integer"}), json!("9223372036854775808")),
        (json!({"type": "integer"}), json!("9223372036854775808.0")),
        (json!({"type": "integer"}), json!("NaN")),
        (json!({"type": "integer"}), json!("007")),
        (json!({"type": "integer"}), json!("1,000")),
        (json!({"type": "integer"}), json!("0x10")),
        (json!({"type": "integer"}), json!(true)),
        (json!({"type": "integer"}), json!([5])),
        (json!({"type": "number"}), json!("1e400")),
        (json!({"type": "number"}), json!("9223372036854775808")),
        (json!({"type": "number"}), json!("123456789012345678901234567890")),
        (json!({"type": "number"}), json!("inf")),
        (json!({"type": "number"}), json!("")),
        (json!({"type": "boolean"}), json!("yes")),
        (json!({"type": "boolean"}), json!("1")),
        (json!({"type": "boolean"}), json!(1)),
        (json!({"type": "string"}), json!(["a"])),
        (json!({"type": "string"}), json!({"a": 1})),
        (json!({"type": "string"}), json!(1e300)),
        (json!({"type": "string", "enum": ["ab", "AB"]}), json!("aB")),
        (integers.clone(), json!("five")),
        (integers.clone(), json!(null)),
        (json!({"type": "integer"}), json!(null)),
        (json!({"type": "string", "enum": ["asc", "desc"]}), json!(null)),
        (strings.clone(), json!("a,b")),
        (strings.clone(), json!("New York")),
        (integers.clone(), json!("{}")),
        (integers, json!({"0": 1})),
        (strings.clone(), json!("")),
        (strings.clone(), json!("[broken")),
        (strings, json!({"a": "b"})),
        (json!({"type": "array", "items": {"type": "object"}}), json!("a")),
        (json!({"type": "array"}), json!("a")),
        (json!({"type": "object"}), json!("[]")),
        (json!({"type": "object"}), json!("{broken")),
        (json!({"type": "object"}), json!(5)),
    ] {
        let problem = refuses(&property, &given);
        assert_eq!((problem.kind, problem.argument.as_str()), (ProblemKind::Invalid, "a"), "{property} {given}");
        assert_eq!(problem.given, given.to_string(), "{property}");
    }
}
