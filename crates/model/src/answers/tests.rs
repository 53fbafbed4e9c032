//! Small descriptions and answers → the misfits.

use serde_json::{Value, json};

use super::{DescribedAnswers, check, is_described};

/// One operation whose answer has the schema.
fn described(schema: &Value) -> DescribedAnswers {
    let answers = json!({
        "api": "acme", "description": "specs/acme/api.yaml",
        "operations": [{
            "operation": "get", "method": "GET", "path": "/a",
            "answers": [{"status": "200", "media": ["application/json"], "schema": schema}, {"status": "4XX"}],
        }],
        "schemas": {
            "#/components/schemas/Person": {
                "type": "object", "required": ["id"],
                "properties": {"id": {"type": "integer"}, "manager": {"$ref": "#/components/schemas/Person"}},
            },
            "#/components/schemas/Loop": {"allOf": [{"$ref": "#/components/schemas/Loop"}]},
        },
    });
    serde_json::from_value(answers).unwrap()
}

/// The misfits as `path kind found`.
fn misfits(schema: &Value, answer: &Value) -> Vec<String> {
    let answers = described(schema);
    let schema = answers.operations[0].answers[0].schema.as_ref().unwrap();
    let found = check(&answers, schema, answer);
    let shown = found.iter().map(|it| format!("{} {} {}", it.path(), it.kind, it.found).trim().to_owned());
    shown.collect()
}

#[test]
fn answers_that_differ_are_told_by_name_and_type() {
    let person = json!({"$ref": "#/components/schemas/Person"});
    let many = json!({"type": "array", "items": person});
    let object = |more: Value| {
        let mut schema = json!({"type": "object", "properties": {"a": {"type": "string"}}});
        schema.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        schema
    };
    for (schema, answer, expected) in [
        (&person, json!({"id": 1}), vec![]),
        (&person, json!({"id": 1, "slaDue": "2026"}), vec!["slaDue unknown_field string"]),
        (&person, json!({"id": 1, "tags": [1, "a"]}), vec!["tags unknown_field array of integer or string"]),
        (&person, json!({"manager": {"id": 2}}), vec!["id missing_field"]),
        (&person, json!({"id": 1, "manager": {"id": 2, "x": null}}), vec!["manager.x unknown_field null"]),
        (&person, json!({"id": "1"}), vec!["id other_type string"]),
        (&person, json!({"id": null}), vec!["id other_type null"]),
        (&person, json!({"id": 1.0}), vec![]),
        (&person, json!({"id": 1.5}), vec!["id other_type number"]),
        (&person, json!([]), vec!["other_type array"]),
        (
            &many,
            json!([{"id": 1}, {"id": 2, "x": true}, {"x": false}]),
            vec!["[].id missing_field", "[].x unknown_field boolean"],
        ),
        // Names that are data.
        (&person, json!({"id": 1, "pat@example.com": 1, "10042": 2}), vec!["* unknown_field integer"]),
        (&object(json!({"additionalProperties": true})), json!({"pat@example.com": 1}), vec![]),
        (
            &object(json!({"additionalProperties": {"type": "integer"}})),
            json!({"pat@example.com": "x"}),
            vec!["* other_type string"],
        ),
        (&object(json!({"additionalProperties": false})), json!({"b": 1}), vec!["b unknown_field integer"]),
        // Nothing is said.
        (&json!({}), json!({"b": 1}), vec![]),
        (&json!({"type": "object"}), json!({"b": 1}), vec![]),
        (&json!({"type": "array"}), json!([{"b": 1}]), vec![]),
        (&json!({"$ref": "#/components/schemas/Missing"}), json!({"b": 1}), vec![]),
        (&json!({"$ref": "#/components/schemas/Loop"}), json!({"b": 1}), vec![]),
    ] {
        assert_eq!(misfits(schema, &answer), expected, "{schema} {answer}");
    }
}

#[test]
fn of_several_readings_the_most_lenient_counts() {
    let a = json!({"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}}});
    let b = json!({"type": "object", "required": ["b"], "properties": {"b": {"type": "integer"}}});
    let either = json!({"anyOf": [a, b]});
    let both = json!({"allOf": [a, b], "nullable": true});
    for (schema, answer, expected) in [
        (&either, json!({"a": "x"}), vec![]),
        (&either, json!({"b": 1}), vec![]),
        (&either, json!({"c": 1}), vec!["c unknown_field integer"]),
        (&either, json!(1), vec!["other_type integer"]),
        (&both, json!({"a": "x", "b": 1}), vec![]),
        (&both, json!({"a": "x"}), vec!["b missing_field"]),
        (&both, Value::Null, vec![]),
        (&json!({"anyOf": [{"type": "string"}, {"type": "integer"}]}), json!(1), vec![]),
        (&json!({"type": "string", "enum": ["a", "b"]}), json!("secret"), vec!["unlisted_value string"]),
        (&json!({"type": "string", "enum": ["a"], "nullable": true}), Value::Null, vec![]),
        (&json!({"anyOf": [{"type": "string", "enum": ["a"]}, {"type": "string"}]}), json!("c"), vec![]),
    ] {
        assert_eq!(misfits(schema, &answer), expected, "{schema} {answer}");
    }
}

#[test]
fn no_value_and_no_bound_is_exceeded() {
    let person = json!({"$ref": "#/components/schemas/Person"});
    let wide: Value = (0..5_000)
        .map(|n| (format!("n{}", "x".repeat(n % 60)), json!(format!("pl4nted {n}"))))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let mut deep = json!({"id": 1, "x": "pl4nted"});
    for _ in 0..100 {
        deep = json!({"id": 1, "manager": deep});
    }
    for answer in [wide, deep] {
        let found = misfits(&person, &answer);
        assert!(found.len() <= super::MOST_MISFITS, "{}", found.len());
        assert!(!found.join(" ").contains("pl4nted"), "{found:?}");
    }
}

#[test]
fn what_the_description_says_by_now_is_no_misfit_any_more() {
    let before = described(
        &json!({"type": "array", "items": {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}}}),
    );
    let after = described(&json!({"type": "array", "items": {"type": "object", "properties": {
        "id": {"type": "integer", "nullable": true}, "slaDue": {"type": "string"}, "customfield_10042": {"type": "string"}}}}));
    let schema = before.operations[0].answers[0].schema.as_ref().unwrap();
    let answer = json!([{"slaDue": "x", "customfield_10042": "y"}, {"id": null}, {"other": 1, "id": 1}]);
    let found = check(&before, schema, &answer);
    let left = |answers: &DescribedAnswers| -> Vec<String> {
        let left = found.iter().filter(|misfit| !is_described(answers, &answers.operations[0], misfit));
        left.map(|misfit| format!("{} {}", misfit.path(), misfit.kind)).collect()
    };
    assert_eq!(left(&before).len(), found.len(), "{found:?}");
    assert_eq!(left(&after), ["[].other unknown_field"]);
}
